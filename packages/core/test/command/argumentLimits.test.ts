/**
 * Commands that are larger than a server takes: one that were sent would cost
 * everybody on its connection, as servers hang up on them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { freshKey } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { RespEncoder } from "../../src/RespEncoder.ts"

const server = RedisServer.layer()
const made = Effect.flatMap(RedisServer.RedisServer, (server) => Client.make(server))

/** A number without its reply. */
const tags = (exits: ReadonlyArray<Exit.Exit<unknown, { readonly _tag: string }>>) =>
  exits.map((exit) =>
    Exit.isSuccess(exit)
      ? exit.value
      : exit.cause.reasons.map((reason) => reason._tag === "Fail" && reason.error._tag)[0]
  )

describe("limits.argumentBytes and limits.argumentCount", () => {
  it("are noticed before much is copied, also in memory that is used again", () => {
    const encoder = new RespEncoder()
    encoder.maxBytes = 1_000_000
    encoder.recycle()
    encoder.mark()
    let written = 0
    assert.throws(() => {
      for (; written < 100; written++) encoder.argument(new Uint8Array(60_000))
    })
    assert.isBelow(written, 20)
  })

  const options = { limits: { argumentBytes: 1000, argumentCount: 20 } } as const
  const long = "x".repeat(1000)
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  const kinds = [
    ["text", Redis.set("k", long)],
    ["long text", Redis.set("k", "x".repeat(100_000))],
    ["text of more bytes than characters", Redis.set("k", "€".repeat(400))],
    ["bytes", Redis.set("k", new Uint8Array(1000))],
    ["long bytes", Redis.set("k", new Uint8Array(100_000))],
    ["a key", Redis.get(long)],
    ["all of them together", Redis.mset(Object.fromEntries(keys.slice(0, 9).map((key) => [key, "x".repeat(120)])))],
    ["their number", Redis.del(keys)],
    ["what is sent by name", Redis.send("SET", "k", long)]
  ] as const

  for (const [what, command] of kinds) {
    it.effect(`refuse a command for ${what}, before a byte of it is sent`, () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ args, name }) =>
          name === "GET"
            ? args[1] === undefined
              ? Encode.error("ERR wrong number of arguments for 'get' command")
              : Encode.bulk(args[1])
            : undefined
        )
        const client = yield* Client.make(node, options)
        const error = yield* Client.failure(client, command, "DataError")
        assert.match(error.detail, /limits\.argument(Bytes|Count)/)
        // The neighbours keep the connection, which never saw the command.
        assert.deepStrictEqual(
          tags(yield* Client.outcomes(client, [Redis.get("a"), command, Redis.get("b")])),
          ["a", "DataError", "b"]
        )
        assert.strictEqual(node.connections.total, 1)
        assert.deepStrictEqual(
          node.commands.filter(({ command: { name } }) => !["HELLO", "CLIENT"].includes(name)).map(({ args }) => args),
          [["GET"], ["GET", "a"], ["GET"], ["GET", "b"]]
        )
      }).pipe(Effect.scoped))
  }

  it.effect("let through what is as large as they say", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "SET" ? Encode.ok : name === "DEL" ? Encode.integer(19) : undefined
      )
      const client = yield* Client.make(node, options)
      // *3 $3 SET $1 k $972, with line ends: 28 bytes beside the value.
      assert.isTrue(yield* client.execute(Redis.set("k", "x".repeat(972))))
      yield* Client.failure(client, Redis.set("k", "x".repeat(973)), "DataError")
      assert.strictEqual(yield* client.execute(Redis.del(keys.slice(1))), 19)
      yield* Client.failure(client, Redis.del(keys), "DataError")
    }).pipe(Effect.scoped))

  it.effect("count each command of a pipeline by itself, and discard a transaction with one that is too large", () =>
    Effect.gen(function*() {
      const { host, port } = yield* RedisServer.RedisServer
      const client = yield* Client.make({ host, port }, options)
      const [a, b] = [freshKey(), freshKey()]
      const outcomes = yield* client.pipeline([Redis.set(a, "1"), Redis.set(b, long), Redis.get(a), Redis.exists(b)])
      assert.deepStrictEqual(tags(outcomes), [true, "DataError", "1", 0])
      const failed = yield* Effect.exit(
        Client.on(client)(Redis.transaction([Redis.set(a, "2"), Redis.set(b, long)]))
      )
      assert.isTrue(Exit.isFailure(failed))
      assert.strictEqual(yield* client.execute(Redis.get(a)), "1")
    }).pipe(Effect.provide(server), Effect.scoped))
})

it.layer(server, { excludeTestServices: true })("A real server", (it) => {
  it.effect("keeps the connection of the neighbours of a DEL of more keys than it takes", () =>
    Effect.gen(function*() {
      const client = yield* made
      const before = yield* client.execute(Redis.clientId())
      const keys = Array.from({ length: 1024 * 1024 }, (_, i) => `k${i}`)
      const outcomes = yield* Client.outcomes(client, [
        Redis.set("neighbour", "1"),
        Redis.del(keys),
        Redis.get("neighbour"),
        Redis.clientId()
      ])
      assert.deepStrictEqual(tags(outcomes), [true, "DataError", "1", before])
    }).pipe(Effect.scoped))

  it.effect("keeps the connection of the neighbours of a value of more than proto-max-bulk-len", () =>
    Effect.gen(function*() {
      const client = yield* made
      const before = yield* client.execute(Redis.clientId())
      const outcomes = yield* Client.outcomes(client, [
        Redis.set("neighbour", "1"),
        Redis.set("k", new Uint8Array(512 * 1024 * 1024 + 1)),
        Redis.get("neighbour"),
        Redis.clientId()
      ])
      assert.deepStrictEqual(tags(outcomes), [true, "DataError", "1", before])
    }).pipe(Effect.scoped))
})
