/**
 * Documents as JSON and a search over them. The commands are those of modules, which Redis 8 and Redis Stack have; the program says
 * so when its server has none. `REDIS_URL=redis://… node examples/recipes/search-json.ts` runs it on a server that you have.
 */
import { Redis, RedisJson, RedisSearch } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import process from "node:process"
import { run } from "../support/server.ts"

const documents = [
  { name: "Notes on the engine", author: "Ada", pages: 66, tags: ["engine", "numbers"] },
  { name: "On computable numbers", author: "Alan", pages: 36, tags: ["numbers"] },
  { name: "A compiler", author: "Grace", pages: 12, tags: ["language"] }
]

const program = Effect.gen(function*() {
  yield* RedisSearch.ftCreate("books", [
    { name: "$.name", as: "name", type: "text" },
    { name: "$.tags[*]", as: "tag", type: "tag" },
    { name: "$.pages", as: "pages", type: "numeric", sortable: true }
  ], { on: "json", prefix: ["book:"] })
  yield* Redis.pipeline(documents.map((book, index) => RedisJson.jsonSet(`book:${index}`, "$", book)))
  yield* RedisJson.jsonNumincrby("book:2", "$.pages", 3)
  yield* Console.log("one value of a document:", yield* RedisJson.jsonGet("book:2", "$.pages"))

  // An index is filled in the background.
  const query = "@tag:{numbers} @pages:[0 100] (engine|computable)"
  const search = RedisSearch.ftSearchWithscores("books", query, { return: ["name"], sortby: { field: "pages" } })
  const found = yield* Effect.repeat(search, {
    until: ({ total }) => total === 2,
    schedule: Schedule.spaced("20 millis").pipe(Schedule.upTo({ times: 100 }))
  })
  yield* Console.log("about numbers, shortest first:")
  for (const { fields, id, score } of found.documents) yield* Console.log(" ", id, JSON.stringify(fields), score)
})

/** Since Redis 4.0; a server that has modules names them here. */
const modules = Effect.map(Redis.moduleList(), (list) => new Set(list.map(({ name }) => name.toLowerCase())))

const main = Effect.gen(function*() {
  const names = yield* modules
  const missing = ["rejson", "search"].filter((name) => !names.has(name))
  if (missing.length === 0) {
    yield* program
  } else {
    const has = names.size === 0 ? "no modules" : `only the modules ${[...names].join(", ")}`
    yield* Console.log(
      `This server has ${has}, and the recipe needs ${missing.join(" and ")}: run it on Redis 8 or Redis Stack.`
    )
  }
})

if (process.env["REDIS_URL"] === undefined) await run(main)
else await Effect.runPromise(Effect.provide(main, NodeRedisClient.layerConfig()))
