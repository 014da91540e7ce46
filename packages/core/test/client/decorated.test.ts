/**
 * Clients on top of others: what is different in them holds for all that is made of them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/** A client that notes what it is given to run. */
const noting = (client: RedisClient.RedisClient["Service"], noted: Array<string>) =>
  RedisClient.decorated(client, (client) => ({
    execute: (command) => {
      noted.push(command.spec.name)
      return client.execute(command)
    }
  }))

const onTop = (client: RedisClient.RedisClient["Service"]) => noting(client, [])

const start = Effect.map(
  Effect.flatMap(
    FakeNode.make(({ name }) => name === "GET" ? Encode.bulk("v") : name.endsWith("WATCH") ? Encode.ok : undefined),
    (node) => Client.make(node)
  ),
  (client) => {
    const noted: Array<string> = []
    return { client, noted, noting: noting(client, noted) }
  }
)

describe("A decorated client", () => {
  it.live("is different in its copies and on reserved connections, however they were come by", () =>
    Effect.gen(function*() {
      const { client, noted, noting } = yield* start
      const limited = noting.withTimeout("1 minute")
      const ways = [
        noting,
        limited,
        limited.withTimeout("2 minutes"),
        yield* noting.reserve,
        yield* limited.reserve,
        (yield* noting.reserve).withTimeout("1 minute"),
        yield* (yield* noting.reserve).reserve
      ]
      for (const [index, way] of ways.entries()) {
        assert.strictEqual(yield* way.execute(Redis.get("k")), "v")
        assert.lengthOf(noted, index + 1)
        assert.match(String(way), /^RedisClient\(/)
      }
      assert.strictEqual(noting.pipeline, client.pipeline)
    }).pipe(Effect.scoped))

  it.live("is told apart from what it stands on, and not from its copies with other limits", () =>
    Effect.gen(function*() {
      const { client, noting } = yield* start
      for (const one of [client, noting]) {
        const limited = one.withTimeout("1 minute")
        assert.isUndefined(one.original)
        assert.strictEqual(limited.original, one)
        assert.strictEqual(limited.withTimeout("2 minutes").original, one)
        const reserved = yield* limited.reserve
        assert.isUndefined(reserved.original)
        assert.strictEqual(reserved.withTimeout("1 minute").original, reserved)
        assert.isUndefined(onTop(limited).original)
      }
    }).pipe(Effect.scoped))

  it.live("has the limit that it was given, and so have the connections that are reserved with it", () =>
    Effect.gen(function*() {
      const { client, noting } = yield* start
      const limited = noting.withTimeout(200)
      const limits = [client, noting, limited, yield* limited.reserve, limited.withTimeout("3 seconds")].map(
        ({ limit }) => limit && Duration.toMillis(limit)
      )
      assert.deepStrictEqual(limits, [undefined, undefined, 200, 200, 3000])
    }).pipe(Effect.scoped))

  it.live("that is reserved already reserves itself, so that a watch within a watch is seen", () =>
    Effect.gen(function*() {
      const { client, noting } = yield* start
      const both = RedisClient.replacing(noting, (command) => command)
      for (const decorated of [client, noting, both]) {
        const reserved = yield* decorated.reserve
        assert.strictEqual(yield* reserved.reserve, reserved)
        const limited = reserved.withTimeout("1 minute")
        assert.strictEqual(yield* limited.reserve, limited)
        assert.strictEqual(limited.session, reserved.session)
        const watch = Redis.watch("b", Effect.succeed([]))
        const nested = Redis.watch("a", Effect.as(Redis.withConnection(watch), []))
        Client.expectTag(yield* Effect.flip(Client.on(decorated)(nested)), "DataError")
      }
    }).pipe(Effect.scoped))
})

describe("The index of an error", () => {
  const invalid = Redis.set("k", true as never)

  it.live("is that among all commands where the body of a watch is refused some", () =>
    Effect.gen(function*() {
      const { client } = yield* start
      const reserved = yield* client.reserve
      const watch = reserved.session?.begin()
      const outcomes = yield* reserved.pipeline([Redis.get("k"), invalid, Redis.send("UNWATCH"), Redis.mget([])])
      watch?.end()
      assert.deepStrictEqual(Client.indexes(outcomes), [
        ["DataError", 0],
        ["DataError", 1],
        ["DataError", 2],
        undefined
      ])
    }).pipe(Effect.scoped))

  it.live("is that of no command where the connection was refused, with a cache as without", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => undefined, { handshake: { password: "right" } })
      const client = yield* Client.make(node, { password: Redacted.make("wrong") })
      const get = Redis.get("a")
      for (const first of [get, Redis.cached(get, { ttl: "1 minute" })]) {
        const outcomes = yield* client.pipeline([first, invalid, Redis.incr("b")])
        assert.deepStrictEqual(Client.indexes(outcomes), [
          ["AuthenticationError", undefined],
          ["DataError", 1],
          ["AuthenticationError", undefined]
        ])
      }
    }).pipe(Effect.scoped))
})
