/**
 * What holds for every command, whatever it is: shown on the rows of all tables.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisArg, RedisCommand, RedisReply } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import * as Resp from "@redfx/core/RespValue"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import { inspect } from "node:util"
import { loadRows } from "../commands/rows.ts"
import { wire } from "../commands/table.ts"
import { asResp2 } from "../fixtures/resp2.ts"

const encoder = new TextEncoder()

const rows = (await loadRows()).map(([title, command, , replies]) => ({
  title: `${command.spec.name}, ${title}`,
  command,
  replies: typeof replies === "string" ? [replies] : replies
}))

/** The values of a reply in a view; `undefined` when the view refuses the reply. */
const read = (command: RedisCommand.Any, reply: string, view: Partial<RedisReply.View>): unknown => {
  return decoded(command, new RespDecoder().push(encoder.encode(reply))[0]!, view)
}

const decoded = (command: RedisCommand.Any, value: Resp.Value, view: Partial<RedisReply.View>): unknown => {
  try {
    return [command.reply.decode(value, { ...RedisReply.textView, ...view })]
  } catch (error) {
    if (error instanceof RedisReply.Mismatch) return undefined
    throw error
  }
}

/** The same, where the reply comes in pieces of so many bytes and is read as it comes. */
const readInPieces = (
  command: RedisCommand.Any,
  reply: string,
  view: Partial<RedisReply.View>,
  size: number
): unknown => {
  const bytes = encoder.encode(reply)
  const decoder = new RespDecoder()
  const reader = command.reply.reader?.({ ...RedisReply.textView, ...view })
  const values: Array<Resp.Value> = []
  for (let at = 0; at < bytes.length; at += size) {
    values.push(...decoder.push(bytes.slice(at, at + size)))
    if (reader !== undefined) decoder.gather(reader)
  }
  return decoded(command, values[0]!, view)
}

/** Where two values differ, other than by what `same` accepts at the leaves; `undefined` when they do not. */
const difference = (
  text: unknown,
  other: unknown,
  same: (text: unknown, other: unknown) => boolean,
  path = ""
): string | undefined => {
  if (same(text, other)) return undefined
  // A record has names such as "1" first, in pairs they stand where the server has them.
  const [left, right] = isRecord(text)
    ? [byName(elements(text)), byName(elements(other))]
    : [elements(text), elements(other)]
  if (left === undefined || right === undefined || left.length !== right.length) {
    return `${path}: ${inspect(text)} and ${inspect(other)}`
  }
  for (let i = 0; i < left.length; i++) {
    const found = difference(left[i], right[i], same, `${path}/${i}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** The parts of what is made of parts: records are pairs, as they are in bytes, which cannot name a property. */
const elements = (value: unknown): ReadonlyArray<unknown> | undefined => {
  if (Array.isArray(value)) return value
  if (value instanceof Set || value instanceof Map) return [...value]
  return isRecord(value) ? Object.entries(value) : undefined
}

const isRecord = (value: unknown): value is object =>
  Predicate.isObject(value) && !(value instanceof Uint8Array) && !(value instanceof Set) && !(value instanceof Map) &&
  !DateTime.isDateTime(value) && !Duration.isDuration(value)

const byName = (pairs: ReadonlyArray<unknown> | undefined): ReadonlyArray<unknown> | undefined =>
  pairs?.toSorted((a, b) => nameOf(a) < nameOf(b) ? -1 : 1)

const nameOf = (pair: unknown): string => {
  const name: unknown = Array.isArray(pair) ? pair[0] : pair
  return name instanceof Uint8Array ? new TextDecoder().decode(name) : String(name)
}

const isEqual = (text: unknown, other: unknown): boolean =>
  Object.is(text, other) || (elements(text) === undefined && inspect(text) === inspect(other))

const isEncoded = (text: unknown, bytes: unknown): boolean =>
  typeof text === "string" && bytes instanceof Uint8Array ? isEqual(encoder.encode(text), bytes) : isEqual(text, bytes)

/** Documents are parsed in the text view, and left as they came in bytes. */
const isDocument = (text: unknown, bytes: unknown): boolean =>
  isEncoded(text, bytes) ||
  (bytes instanceof Uint8Array && JSON.stringify(text) === JSON.stringify(JSON.parse(new TextDecoder().decode(bytes))))

const isExact = (number: unknown, bigint: unknown): boolean =>
  typeof number === "number" && typeof bigint === "bigint" ? BigInt(number) === bigint : isEqual(number, bigint)

const bulk = (...bytes: ReadonlyArray<number>): Resp.Bulk => new Resp.Bulk(Uint8Array.from(bytes), 0, bytes.length)

/** What may come from a server that lies, or is another one. */
const strange: ReadonlyArray<Resp.Value> = [
  null,
  -1,
  0.5,
  NaN,
  1e300,
  2n ** 62n,
  true,
  "",
  "x",
  bulk(),
  bulk(0x31),
  bulk(0xff),
  [],
  [null],
  [[1, 2], [3, 4]],
  new Resp.MapReply([]),
  new Resp.MapReply([1, 2]),
  new Resp.SetReply(["x", "x"]),
  new Resp.ErrorReply("ERR x")
]

/** A value with a strange one in place of it, and of each of its elements, at any depth; and without each of these. */
const altered = function*(value: Resp.Value): Generator<Resp.Value> {
  yield* strange
  const [elements, made] = takenApart(value)
  for (const [i, element] of elements.entries()) {
    yield made(elements.toSpliced(i, 1))
    for (const changed of altered(element)) yield made(elements.with(i, changed))
  }
}

const takenApart = (
  value: Resp.Value
): readonly [ReadonlyArray<Resp.Value>, (elements: ReadonlyArray<Resp.Value>) => Resp.Value] => {
  if (value instanceof Resp.MapReply) return [value.entries, (entries) => new Resp.MapReply(entries)]
  if (value instanceof Resp.SetReply) return [value.members, (members) => new Resp.SetReply(members)]
  return [Array.isArray(value) ? value : [], (elements) => elements]
}

/** What a property finds wrong, over all rows and replies. */
const faults = (
  property: (command: RedisCommand.Any, reply: string, replies: ReadonlyArray<string>) => string | undefined
): ReadonlyArray<string> =>
  rows.flatMap(({ command, replies, title }) =>
    replies.flatMap((reply) => {
      const fault = property(command, reply, replies)
      return fault === undefined ? [] : [`${title}: ${fault}`]
    })
  )

describe("Every command", () => {
  it("has rows", () => {
    assert.isAbove(rows.length, 700)
  })

  it("CFG-16: reads in the bytes view what it reads as text, with bytes for text", () => {
    const found = faults((command, reply) => {
      const text = read(command, reply, {})
      const same = command.spec.name.startsWith("JSON.") ? isDocument : isEncoded
      return text === undefined ? undefined : difference(text, read(command, reply, { blob: "bytes" }), same)
    })
    assert.deepStrictEqual(found, [])
  })

  it("reads in the bigint view what it reads as numbers, with bigints for integers", () => {
    const found = faults((command, reply) => {
      const text = read(command, reply, {})
      return text === undefined ? undefined : difference(text, read(command, reply, { integer: "bigint" }), isExact)
    })
    assert.deepStrictEqual(found, [])
  })

  it("reads the same when invalid text is replaced", () => {
    const found = faults((command, reply) => {
      const text = read(command, reply, {})
      return text === undefined ? undefined : difference(text, read(command, reply, { blob: "replace" }), isEqual)
    })
    assert.deepStrictEqual(found, [])
  })

  it("CFG-34: reads the same from the types of RESP2", () => {
    const found = faults((command, reply, replies) => {
      // A row with several replies has the one of RESP2, which may have other elements.
      const older = replies.length > 1 ? reply : asResp2(reply)
      return older === reply ? undefined : difference(read(command, reply, {}), read(command, older, {}), isEqual)
    })
    assert.deepStrictEqual(found, [])
  })

  it("is read twice alike: decoding leaves nothing behind", () => {
    const found = faults((command, reply) => difference(read(command, reply, {}), read(command, reply, {}), isEqual))
    assert.deepStrictEqual(found, [])
  })

  it("reads the same when the reply is read as it comes, in every view", () => {
    const views: ReadonlyArray<Partial<RedisReply.View>> = [
      {},
      { blob: "bytes" },
      { blob: "replace" },
      { integer: "bigint" }
    ]
    const found = faults((command, reply) => {
      for (const view of views) {
        const whole = read(command, reply, view)
        for (const size of [1, 7]) {
          const fault = difference(whole, readInPieces(command, reply, view, size), isEqual)
          if (fault !== undefined) return fault
        }
      }
      return undefined
    })
    assert.deepStrictEqual(found, [])
    // Most replies of several elements are read so.
    assert.isAbove(rows.filter(({ command }) => command.reply.reader !== undefined).length, 200)
  })

  it("reads or refuses whatever comes in any place of its reply, in every view", () => {
    const views: ReadonlyArray<Partial<RedisReply.View>> = [{}, { integer: "bigint" }, { blob: "bytes" }]
    const found = new Set<string>()
    for (const { command, replies, title } of rows) {
      // A reply of a hundred elements has the places of a shorter one.
      for (const reply of replies.filter(({ length }) => length < 2000)) {
        for (const changed of altered(new RespDecoder().push(encoder.encode(reply))[0]!)) {
          for (const view of views) {
            try {
              decoded(command, changed, view)
            } catch (error) {
              found.add(`${title}: ${String(error)}`)
            }
          }
        }
      }
    }
    assert.deepStrictEqual([...found], [])
  })

  it("is sent twice alike, in any view", () => {
    for (const { command, title } of rows) {
      const first = wire(command)
      assert.strictEqual(wire(command), first, title)
      assert.strictEqual(wire(RedisCommand.asBytes(command)), first, title)
      assert.strictEqual(wire(RedisCommand.asBigInt(command)), first, title)
    }
  })

  it("prints its name and no secret", () => {
    for (const { command, title } of rows) {
      const printed = [String(command), inspect(command), JSON.stringify(command)]
      const secrets = command.parts.flatMap((part) =>
        part instanceof RedisArg.SecretArg ? [String(RedisArg.wireValue(part))] : []
      )
      for (const text of printed) {
        assert.include(text, command.spec.name, title)
        for (const secret of secrets) assert.notInclude(text.replaceAll("redacted", ""), secret, title)
      }
    }
  })
})
