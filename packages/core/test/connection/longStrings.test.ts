/**
 * Long values among others: each is the caller's own and right to the last byte, whatever else comes over the connection, and
 * nothing is kept of one that nobody waits for any more.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as VirtualTime from "@redfx/testing/VirtualTime"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

/** The lengths of values: short ones, those of the limits at which memory changes hands, and long ones. */
const lengths = [3, 9_000, 65_535, 65_536, 70_001, 200_000, 1_048_576, 3_000_001]

/** A text of so many bytes whose characters are of two and one byte, so that most cuts are within one. */
const textOf = (length: number) => `${"é".repeat(Math.floor(length / 2))}${length % 2 === 1 ? "." : ""}`

/** Bytes that are no text, other ones at each place. */
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13 + length) & 0xff)

const texts = new Map(lengths.map((length) => [`text:${length}`, textOf(length)]))
const bytes = new Map(lengths.map((length) => [`bytes:${length}`, bytesOf(length)]))

/** A repeatable series of numbers below a limit. */
const series = (seed: number) => {
  let state = seed
  return (limit: number): number => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    return (state >> 8) % limit
  }
}

/** Reads that are checked, of which a random one is made; each destroys what it was given. */
const reads = (next: (limit: number) => number) => {
  const pick = () => lengths[next(lengths.length)]!
  const isText = (length: number, value: unknown) => assert.isTrue(value === texts.get(`text:${length}`), `${length}`)
  const isBytes = (length: number, value: Uint8Array | undefined, expected = bytes.get(`bytes:${length}`)) => {
    assert.isTrue(value !== undefined && expected !== undefined && Buffer.from(expected).equals(value), `${length}`)
    value?.fill(0)
  }
  const text = (length: number) => Redis.get(`text:${length}`)
  const asBytes = (length: number) => Redis.asBytes(Redis.get(`bytes:${length}`))
  const ways = [
    (a: number) => Effect.map(text(a), (value) => isText(a, value)),
    (a: number) => Effect.map(asBytes(a), (value) => isBytes(a, value)),
    (a: number) =>
      Effect.map(
        Redis.asBytes(Redis.get(`text:${a}`)),
        (value) => isBytes(a, value, new TextEncoder().encode(texts.get(`text:${a}`)))
      ),
    (a: number, b: number) =>
      Effect.map(Redis.pipeline([text(a), asBytes(b), Redis.ping(), text(b)]), ([first, second, pong, last]) => {
        isText(a, first)
        isBytes(b, second)
        assert.isTrue(pong)
        isText(b, last)
      }),
    (a: number, b: number) =>
      Effect.map(
        Redis.transaction([asBytes(a), text(b), Redis.asBytes(Redis.mget([`bytes:${b}`]))]),
        ([one, two, many]) => {
          isBytes(a, one)
          isText(b, two)
          isBytes(b, many[0])
        }
      ),
    (a: number, b: number) =>
      Effect.map(Redis.mget([`text:${a}`, "missing", `text:${b}`]), (values) => {
        assert.strictEqual(values.length, 3)
        isText(a, values[0])
        assert.isUndefined(values[1])
        isText(b, values[2])
      }),
    (a: number) =>
      Effect.map(Effect.exit(Redis.get(`bytes:${a}`)), (exit) =>
        // The bytes of the shortest one are a text.
        a === 3 || assert.isTrue(Exit.isFailure(exit) && String(exit.cause).includes("not valid UTF-8"), `${a}`)),
    (a: number) => Effect.asVoid(Effect.timeoutOption(text(a), `${next(3)} millis`))
  ]
  return Effect.suspend(() => ways[next(ways.length)]!(pick(), pick()))
}

const fill = Redis.mset(Object.fromEntries([...texts, ...bytes]))

describe("Long values", () => {
  for (const secure of [false, true]) {
    it.live(
      `of many callers on one connection over ${
        secure ? "TLS" : "TCP"
      } are each their own, whoever gives up in between`,
      () =>
        Effect.gen(function*() {
          const certificates = yield* Certificates.make
          const server = yield* RedisServer.make(secure ? { tls: { ...certificates.server, ca: certificates.ca } } : {})
          const { tls } = server
          const layer = tls === undefined
            ? NodeRedisClient.layer({ host: server.host, port: server.port })
            : NodeRedisClient.layerUrl(tls.url, { tls: { ca: tls.ca } })
          const program = Effect.gen(function*() {
            yield* fill
            yield* Effect.forEach(
              Array.from({ length: 8 }, (_, seed) => series(seed + 1)),
              (next) => Effect.repeat(reads(next), { times: 60 }),
              { concurrency: "unbounded", discard: true }
            )
          })
          yield* Effect.provide(program, layer)
        }).pipe(Effect.scoped)
    )
  }
})

const value = Encode.bulk("x".repeat(300_000))
const half = value.length / 2

/** Answers GET of `long` in two parts, with something done in between, and other GETs with the name of the key. */
const inTwo = (...between: ReadonlyArray<FakeNode.Step>): FakeNode.Handler => ({ args, name }) =>
  name !== "GET"
    ? undefined
    : args[1] === "long"
    ? [FakeNode.reply(value.slice(0, half)), ...between, FakeNode.reply(value.slice(half))]
    : Encode.bulk(args[1]!)

describe("In the middle of a long value", () => {
  it.live("the caller can go away, and those behind it have their own replies", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const reached = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(inTwo(FakeNode.open(reached), FakeNode.gate(gate)))
      const client = yield* Client.make(node)
      const reader = yield* Effect.forkChild(client.execute(Redis.get("long")), { startImmediately: true })
      const behind = yield* Effect.forkChild(
        Effect.forEach(["a", "b", "long"], (key) => client.execute(Redis.get(key)), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Deferred.await(reached)
      yield* Effect.sleep("50 millis")
      yield* Fiber.interrupt(reader)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(behind), ["a", "b", "x".repeat(300_000)])
      assert.strictEqual(node.connections.total, 1)
    }).pipe(Effect.scoped))

  it.live("the connection can be lost: the caller learns it, and the next reply is whole", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }, { index }) =>
        name !== "GET" ? undefined : index === 0 ? FakeNode.cutAfter(value.slice(0, half)) : FakeNode.reply(value)
      )
      const client = yield* Client.make(node)
      const error = yield* Client.failure(client, Redis.get("long"), "ConnectionError")
      assert.strictEqual(error.delivery, "unknown")
      assert.strictEqual(yield* client.execute(Redis.get("long")), "x".repeat(300_000))
    }).pipe(Effect.scoped))

  inVirtualTime("the time can be up: the rest of it is nobody's", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(inTwo((yield* VirtualTime.delay)("300 millis")))
      const client = yield* Client.make(node, { commandTimeout: "100 millis" })
      yield* Client.failure(client, Redis.get("long"), "TimeoutError")
      assert.strictEqual(yield* client.withTimeout(Infinity).execute(Redis.get("a")), "a")
      assert.strictEqual(node.connections.total, 1)
    }).pipe(Effect.scoped))
})
