/**
 * The commands on JSON documents, made from their words.
 */
import type { RedisCommand } from "@redfx/core"
import { RedisJson as Json } from "@redfx/core"
import type { Words } from "./Words.ts"

const value = (words: Words): Json.Json => JSON.parse(words.text())

const values = (words: Words): ReadonlyArray<Json.Json> => words.restTexts().map((text) => JSON.parse(text))

const condition = {
  NX: () => ({ nx: true }),
  XX: () => ({ xx: true })
}

const layout = {
  INDENT: (words: Words) => ({ indent: words.text() }),
  NEWLINE: (words: Words) => ({ newline: words.text() }),
  SPACE: (words: Words) => ({ space: words.text() })
}

export const jsonCalls: Readonly<Record<string, (words: Words) => RedisCommand.Any>> = {
  "JSON.ARRAPPEND": (words) => Json.jsonArrappend(words.value(), words.text(), values(words)),
  "JSON.ARRINDEX": (words) =>
    Json.jsonArrindex(
      words.value(),
      words.text(),
      value(words),
      words.isDone ? undefined : words.number(),
      words.isDone ? undefined : words.number()
    ),
  "JSON.ARRINSERT": (words) => Json.jsonArrinsert(words.value(), words.text(), words.number(), values(words)),
  "JSON.ARRLEN": (words) => Json.jsonArrlen(words.value(), words.text()),
  "JSON.ARRPOP": (words) => Json.jsonArrpop(words.value(), words.text(), words.isDone ? undefined : words.number()),
  "JSON.ARRTRIM": (words) => Json.jsonArrtrim(words.value(), words.text(), words.number(), words.number()),
  "JSON.CLEAR": (words) => Json.jsonClear(words.value(), words.text()),
  "JSON.DEBUG": (words) =>
    words.took("MEMORY")
      ? Json.jsonDebugMemory(words.value(), words.text())
      : words.took("FIELDS")
      ? Json.jsonDebugFields(words.value(), words.isDone ? undefined : words.text())
      : Json.jsonDebugDepth((words.took("DEPTH"), words.value())),
  "JSON.DEL": (words) => Json.jsonDel(words.value(), words.text()),
  "JSON.FORGET": (words) => Json.jsonForget(words.value(), words.text()),
  "JSON.GET": (words) => {
    const key = words.value()
    const options = words.options<Json.JsonGetOptions>(layout)
    const [path = "", ...more] = words.restTexts()
    return more.length === 0 ? Json.jsonGet(key, path, options) : Json.jsonGetPaths(key, path, ...more)
  },
  "JSON.MERGE": (words) => Json.jsonMerge(words.value(), words.text(), value(words)),
  "JSON.MGET": (words) => {
    const keys = words.rest()
    return Json.jsonMget(keys.slice(0, -1), String(keys.at(-1)))
  },
  "JSON.MSET": (words) =>
    Json.jsonMset(
      words.pairs((next) => ({ key: next.value(), path: next.text() }), value).map(([at, item]) => ({
        ...at,
        value: item
      }))
    ),
  "JSON.NUMINCRBY": (words) => Json.jsonNumincrby(words.value(), words.text(), words.number()),
  "JSON.NUMMULTBY": (words) => Json.jsonNummultby(words.value(), words.text(), words.number()),
  "JSON.OBJKEYS": (words) => Json.jsonObjkeys(words.value(), words.text()),
  "JSON.OBJLEN": (words) => Json.jsonObjlen(words.value(), words.text()),
  "JSON.RESP": (words) => Json.jsonResp(words.value(), words.text()),
  "JSON.SET": (words) =>
    Json.jsonSet(words.value(), words.text(), value(words), words.options<Json.JsonSetOptions>(condition)),
  "JSON.STRAPPEND": (words) => Json.jsonStrappend(words.value(), words.text(), JSON.parse(words.text())),
  "JSON.STRLEN": (words) => Json.jsonStrlen(words.value(), words.text()),
  "JSON.TOGGLE": (words) => Json.jsonToggle(words.value(), words.text()),
  "JSON.TYPE": (words) => Json.jsonType(words.value(), words.text())
}
