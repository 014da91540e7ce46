import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisBloom, RedisCommand, RedisJson, RedisSearch, RedisTimeSeries } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import { RespEncoder } from "@redfx/core/RespEncoder"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { runInNewContext, runInThisContext } from "node:vm"
import { listed } from "../fixtures/listed.ts"

type Make = (...args: ReadonlyArray<unknown>) => RedisCommand.Any

const definitions: ReadonlyArray<readonly [name: string, make: Make]> = [
  Redis,
  RedisBloom,
  RedisJson,
  RedisSearch,
  RedisTimeSeries
].flatMap((module) =>
  Object.entries(module).filter(([, value]) => typeof value === "function" && "spec" in value) as ReadonlyArray<
    readonly [string, Make]
  >
)

const words = ["INJECTED-A", "INJECTED-B"]

const revoked = (): unknown => {
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  return proxy
}

const wiped = (): unknown => {
  const secret = Redacted.make("x")
  Redacted.wipeUnsafe(secret)
  return secret
}

const detached = (): unknown => {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

const throwing = (): never => {
  throw new Error("INJECTED-B")
}

/** What programs without types give, and what comes from elsewhere. None of it may become two words. */
const hostile: ReadonlyArray<readonly [name: string, make: () => unknown]> = [
  ["a nested array", () => [[words]]],
  ["an array four deep", () => [[[words]]]],
  ["an object with toString", () => ({ toString: () => "INJECTED-A" })],
  ["an object whose toString throws", () => ({ toString: throwing })],
  ["an object like bytes", () => Object.create(Uint8Array.prototype)],
  ["a proxy of anything", () => new Proxy({}, { get: () => [words], has: () => true })],
  [
    "a proxy that throws",
    () => new Proxy({}, { get: throwing, getPrototypeOf: throwing, has: throwing, ownKeys: throwing })
  ],
  ["a revoked proxy", revoked],
  ["a proxy of bytes", () => new Proxy(Uint8Array.of(1), {})],
  ["a getter that throws", () => Object.defineProperty({ a: 1 }, "b", { get: throwing, enumerable: true })],
  ["a getter of an array", () => Object.defineProperty({}, "INJECTED-A", { get: () => [words], enumerable: true })],
  ["a symbol", () => Symbol("INJECTED-B")],
  ["a function", () => throwing],
  ["null", () => null],
  ["a boolean", () => true],
  ["a secret that was wiped", wiped],
  ["bytes whose buffer is gone", detached],
  ["half a character", () => "\ud800"]
]

/** A generator of numbers that are the same in each run. */
const random = (seed: number) => () => {
  seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0
  return (seed >>> 0) / 2 ** 32
}

const plain: ReadonlyArray<() => unknown> = [
  () => "k",
  () => 1,
  () => ["a"],
  () => [["a", 1]],
  () => ({ a: 1 }),
  () => "1 second",
  () => Uint8Array.of(1),
  () => "on",
  () => [{ key: "k", value: 1, member: "m", longitude: 1, latitude: 1, start: 1, end: 2, name: "n", type: "text" }]
]

const isAccepted = ({ settled }: RedisCommand.Any): boolean => settled === undefined || Exit.isSuccess(settled)

const area = { frommember: "m", byradius: { radius: 1 } }
const filter = ["a=b"]

/** Arguments of those for which trying finds none. */
const given: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  ardelrange: ["k", [[1, 2]]],
  argrep: ["k", { exact: "a" }, {}],
  argrepWithValues: ["k", { exact: "a" }, {}],
  armset: ["k", [[1, "a"]]],
  bitfield: ["k", Redis.bitfieldOperations().get("u8", 0)],
  bitfieldRo: ["k", Redis.bitfieldOperations().get("u8", 0)],
  clientKillFilter: [{ id: 1 }],
  clusterMigrateslots: [{ node: "n", slots: [{ start: 1, end: 2 }] }],
  clusterMigrationCancel: ["all"],
  clusterSetslot: [1, { node: "n" }],
  clusterSlotStats: [{ start: 1, end: 2 }],
  georadiusStore: ["k", 1, 1, 1, { store: "s" }],
  georadiusbymemberStore: ["k", "m", 1, { store: "s" }],
  geosearch: ["k", area],
  geosearchWith: ["k", area],
  geosearchstore: ["d", "k", area],
  ftHybrid: ["i", { search: { query: "q" }, vsim: { field: "@v", vector: "$v" }, params: { v: "x" } }],
  ftProfile: [RedisSearch.ftSearch("i", "q"), {}],
  ftSearchWith: ["i", "q", {}, {}],
  increx: ["k", {}],
  migrate: ["h", 1, ["k"], 0, 1],
  lmovem: ["a", "b", "left", "left", { count: 1, order: "obo" }],
  blmovem: ["a", "b", "left", "left", 1, { count: 1, order: "obo" }],
  phmget: ["k", [["p", ["f"]]]],
  phmset: ["k", [["p", { f: 1 }]]],
  xnack: ["k", "g", "fail", ["1-0"], {}],
  hotkeysStart: [{ metrics: ["cpu"] }],
  sortGroups: ["k", { get: ["a", "b"] }],
  sortRoGroups: ["k", { get: ["a", "b"] }],
  tsCreaterule: ["k", "d", { type: "avg", bucketDuration: 1 }],
  tsMadd: [[{ key: "k", timestamp: 1, value: 1 }]],
  tsMrangeAggregations: ["-", "+", filter, { types: ["min"], bucketDuration: 1 }],
  tsMrangeGroupby: ["-", "+", filter, { label: "l", reduce: "sum" }],
  tsMrevrangeAggregations: ["-", "+", filter, { types: ["min"], bucketDuration: 1 }],
  tsMrevrangeGroupby: ["-", "+", filter, { label: "l", reduce: "sum" }],
  tsRangeAggregations: ["k", "-", "+", { types: ["min"], bucketDuration: 1 }],
  tsRevrangeAggregations: ["k", "-", "+", { types: ["min"], bucketDuration: 1 }],
  xpendingRange: ["k", "g", "-", "+", 1, {}],
  vsim: ["k", { ele: "e" }],
  vsimWithAttribs: ["k", { ele: "e" }],
  vsimWithScores: ["k", { ele: "e" }],
  vsimWithScoresWithAttribs: ["k", { ele: "e" }],
  xread: [{ s: 0 }, {}],
  xreadgroup: ["g", "c", { s: ">" }, {}],
  xtrim: ["k", { maxlen: 1 }],
  xreadgroupClaim: ["g", "c", { s: ">" }, "1 second", {}]
}

/** Arguments that a definition accepts, most of them found by trying: the longest lists. */
const calls = (name: string, make: Make): ReadonlyArray<ReadonlyArray<() => unknown>> => {
  const known = given[name]
  if (known !== undefined) return isAccepted(make(...known)) ? [known.map((value) => () => value)] : []
  const next = random(7)
  // By what is sent: further arguments that a definition does not look at make no other call.
  const found = new Map<string, ReadonlyArray<() => unknown>>()
  const lengths = new Set<number>()
  for (let i = 0; i < 250; i++) {
    const args = Array.from({ length: i % 7 }, () => plain[Math.floor(next() * plain.length)]!)
    if (lengths.has(args.length)) continue
    const command = make(...args.map((value) => value()))
    if (!isAccepted(command)) continue
    lengths.add(args.length)
    const shown = JSON.stringify(command.parts, (_, part) => typeof part === "bigint" ? String(part) : part)
    const before = found.get(shown)
    if (before === undefined || before.length > args.length) found.set(shown, args)
  }
  return [...found.values()]
}

/** The names of the options that a definition reads when it is given an object in a place. */
const optionsRead = (call: Place["call"]): ReadonlyArray<string> => {
  const names = new Set<string>()
  const spy = new Proxy({}, {
    get: (_, name) => {
      if (typeof name === "string") names.add(name)
      return undefined
    }
  })
  void call(spy)
  return [...names].filter((name) => !(name in [] || name in Uint8Array.prototype || name in Function.prototype))
}

/** One for all commands: a new one begins with a slab of 64 KB. */
const encoder = new RespEncoder()

/** The words that a command comes to, or `undefined` when it is refused as it has to be. */
const sent = (command: RedisCommand.Any): ReadonlyArray<string> | undefined => {
  const { settled } = command
  if (settled !== undefined) {
    if (Exit.isFailure(settled)) {
      assert.strictEqual(Option.getOrUndefined(Cause.findErrorOption(settled.cause))?._tag, "DataError")
    }
    return undefined
  }
  assert.isUndefined(RedisCommand.encodeInto(command, encoder))
  const decoder = new RespDecoder()
  const values = encoder.takeBytes().flatMap((chunk) => [...decoder.push(chunk)])
  assert.strictEqual(values.length, 1)
  const list = values[0] as ReadonlyArray<unknown>
  assert.strictEqual(list.length, command.spec.words.length + command.parts.length)
  return list.map(String)
}

interface Place {
  readonly name: string
  /** Makes the command with a value in this place. */
  readonly call: (value: unknown) => RedisCommand.Any
}

/** Each place of each definition, each option an own one. */
const places: ReadonlyArray<Place> = definitions.flatMap(([name, make]) =>
  calls(name, make).flatMap((args) =>
    Array.from({ length: args.length + 1 }, (_, place) => place).flatMap((place) => {
      const call = (given: unknown) =>
        make(...args.slice(0, place).map((other) => other()), given, ...args.slice(place + 1).map((other) => other()))
      return [
        { name: `${name} ${place}`, call },
        ...optionsRead(call).map((option) => ({
          name: `${name} ${place}.${option}`,
          call: (given: unknown) => call({ [option]: given })
        }))
      ]
    })
  )
)

const isSplit = (command: RedisCommand.Any): boolean => sent(command)?.includes("INJECTED-B") === true

describe("hostile values, in every place and option of every definition", () => {
  it("there are definitions, and arguments that they accept", () => {
    const without = definitions.map(([name]) => name)
      .filter((name) => places.every((place) => !place.name.startsWith(`${name} `)))
    assert.isAbove(definitions.length, 450)
    assert.deepStrictEqual(without, [])
  })

  for (const [kind, value] of hostile) {
    it(`ERR-09: ${kind} is a DataError or one word`, () => {
      assert.deepStrictEqual(places.filter(({ call }) => isSplit(call(value()))).map(({ name }) => name), [])
    })
  }

  it("ERR-09: an array is several words only where a definition takes a list", () => {
    const found = new Set(places.filter(({ call }) => isSplit(call(words))).map(({ name }) => name))
    assert.deepStrictEqual([...found].sort(), listed)
  })

  for (
    const code of [
      "Uint8Array.of(107)",
      "[Uint8Array.of(107)]",
      "[Uint8Array.of(107), 1]",
      "[[Uint8Array.of(107), 1]]",
      "new Date('2030-01-02T03:04:05.678Z')",
      "({ a: 1 })",
      "['a']"
    ]
  ) {
    it(`${code} of another realm, as of a vm context, is what it is of this one`, () => {
      // Where the file runs, the types of the language are those of the other modules.
      const [own, stranger] = [runInThisContext(code), runInNewContext(code)]
      const differ = places.filter(({ call }) => String(sent(call(stranger))) !== String(sent(call(own))))
      assert.deepStrictEqual(differ.map(({ name }) => name), [])
    })
  }
})
