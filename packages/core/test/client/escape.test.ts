/**
 * Any command by its name, other decoders, and what redis-py has that is
 * another thing here.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import {
  Redis,
  RedisArg,
  RedisClient,
  RedisCommand,
  RedisConnector,
  RedisReply,
  RedisStandalone,
  Resp
} from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { freshKey } from "@redfx/testing/Suite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"

for (const protocol of [2, 3] as const) {
  describe(`RESP${protocol}`, () => {
    layer(Client.live(protocol), { excludeTestServices: true })((it) => {
      it.effect("ESC-01, ESC-05, CON-15: runs any command by its name, which may be several words, offered or not", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.send("SET", key, "v"), "OK")
          assert.deepStrictEqual(yield* Redis.send("CONFIG GET", "save"), ["save", ""])
          assert.deepStrictEqual(yield* Redis.send("CONFIG", "GET", "save"), ["save", ""])
          assert.strictEqual(yield* Redis.send("GET", key), "v")
          assert.strictEqual(yield* Redis.send("GET", freshKey()), undefined)
          // Spoken between servers, and so without a function.
          assert.notProperty(Redis, "restoreAsking")
          const copy = freshKey()
          assert.strictEqual(yield* Redis.send("RESTORE-ASKING", copy, 0, (yield* Redis.dump(key)) ?? ""), "OK")
          assert.strictEqual(yield* Redis.get(copy), "v")
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.send("GET", key)), new Uint8Array([0x76]))
        }))

      it.effect("ESC-02: what has a function is converted, what is sent by name is plain data in both protocols", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.hset(key, { f: "1", g: "2" })
          assert.deepStrictEqual({ ...(yield* Redis.hgetall(key)) }, { f: "1", g: "2" })
          assert.deepStrictEqual(yield* Redis.send("hgetall", key), ["f", "1", "g", "2"])
          assert.strictEqual(yield* RedisCommand.withReply(Redis.send("HLEN", key), RedisReply.integer), 2)
        }))

      it.effect("ESC-03: an error reply is the same typed error as anywhere", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "v")
          assert.strictEqual((yield* Effect.flip(Redis.send("LPUSH", key, "a")))._tag, "WrongTypeError")
          const unknown = yield* Effect.flip(Redis.send("NOSUCH"))
          assert.strictEqual(unknown._tag === "ResponseError" && unknown.code, "ERR")
        }))

      it.effect("ESC-04: an error inside an array reply stays in its place", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const reply = yield* Redis.withConnection(Effect.gen(function*() {
            yield* Redis.send("MULTI")
            yield* Redis.send("SET", key, "v")
            yield* Redis.send("INCR", key)
            return yield* Redis.send("EXEC")
          }))
          assert.isTrue(Array.isArray(reply))
          if (!Array.isArray(reply)) return
          assert.strictEqual(reply[0], "OK")
          assert.isTrue(reply[1] instanceof Resp.ErrorReply && reply[1].code === "ERR")
        }))

      it.effect("ESC-06: the decoder of one command is replaced for one client, its pipelines included", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const client = yield* RedisClient.RedisClient
          const shouting = RedisCommand.withDecoder(
            client,
            Redis.get,
            (value, command) =>
              value === null ? undefined : `${String(value).toUpperCase()} of ${RedisCommand.keys(command).length} key`
          )
          yield* client.execute(Redis.set(key, "v"))
          assert.strictEqual(yield* shouting.execute(Redis.get(key)), "V of 1 key")
          const inPipeline = yield* Redis.pipeline([Redis.get(key), Redis.strlen(key)]).pipe(
            Effect.provideService(RedisClient.RedisClient, shouting)
          )
          assert.deepStrictEqual(inPipeline, ["V of 1 key", 1])
          const [inTransaction] = yield* Redis.transaction([Redis.get(key)]).pipe(
            Effect.provideService(RedisClient.RedisClient, shouting)
          )
          assert.strictEqual(inTransaction, "V of 1 key")
          assert.strictEqual(yield* shouting.withTimeout("1 second").execute(Redis.get(key)), "V of 1 key")
          assert.strictEqual(yield* client.execute(Redis.get(key)), "v")
          const length = RedisCommand.define("strlen", (key: string) => [RedisArg.key(key)], RedisReply.integer)
          const longer = RedisCommand.withDecoder(client, length, (value) => Number(value) + 1)
          assert.strictEqual(yield* longer.execute(length(key)), 2)
        }))

      it.effect("NCO-01, NCO-08: text or bytes by the type of the call, undefined where nothing is", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "v")
          const [text, bytes, nothing] = yield* Redis.pipeline([
            Redis.get(key),
            Redis.asBytes(Redis.get(key)),
            Redis.get(freshKey())
          ])
          assert.deepStrictEqual([text, bytes, nothing], ["v", new Uint8Array([0x76]), undefined])
        }))

      it.effect("NCO-04: what goes on and on is a Stream, which asks for the next page only when it is wanted", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.sadd(key, ...Array.from({ length: 2000 }, (_, n) => String(n)))
          const some = yield* Redis.sscanStream(key, { count: 10 }).pipe(Stream.take(15), Stream.runCollect)
          assert.strictEqual(some.length, 15)
        }))

      it.effect("NCO-05: scores are numbers, and a function over the reply casts them", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.zadd(key, { a: 1.5 })
          const cast = Effect.map(Redis.zrangeWithScores(key, 0, -1), (members) =>
            members.map(({ member, score }) => `${member}=${Math.round(score)}`))
          assert.deepStrictEqual(yield* cast, ["a=2"])
        }))

      it.effect("NCO-06: times are given as Durations and Dates", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "v", { ex: Duration.minutes(1) })
          assert.isAtLeast(yield* Redis.ttl(key), 59)
          yield* Redis.expireat(key, new Date(Date.now() + 600_000))
          assert.isAtLeast(yield* Redis.ttl(key), 590)
        }))
    })
  })
}

describe("what does not carry over", () => {
  it("SCC-29: ASKING is part of following a redirect, and no command of its own", () => {
    assert.notProperty(Redis, "asking")
    assert.isTrue(Redis.send("ASKING").spec.traits.has("stateful"))
  })

  it("KEY-26, KEY-27, NCO-09, SCC-01: what redis-py only warns of is not offered", () => {
    for (const name of ["watchKeys", "unwatch", "multi", "sentinel", "pipelineWatch"]) assert.notProperty(Redis, name)
    // Redis.watch takes the body that runs while the keys are watched, and is no command.
    assert.notProperty(Redis.watch, "spec")
  })

  it.effect("NCO-07: errors that belong together are caught together by their tags", () =>
    Effect.gen(function*() {
      const failing = Redis.get("k").pipe(
        Effect.provide(NodeRedisClient.layer({ host: "127.0.0.1", port: 1 })),
        Effect.catchTags({
          ConnectionError: (error) => Effect.succeed(error.reason),
          TimeoutError: () => Effect.succeed("late" as const)
        })
      )
      assert.strictEqual(yield* failing, "Refused")
    }))

  it.effect("CFG-29: a transport of one's own takes the place of sockets, and one that breaks is an error", () =>
    Effect.gen(function*() {
      const asked: Array<unknown> = []
      const connector = Layer.succeed(RedisConnector.RedisConnector)({
        socket: (endpoint) => {
          asked.push(endpoint)
          return Effect.die("no such transport")
        }
      })
      const error = yield* Effect.flip(
        Effect.provide(Redis.get("k"), RedisStandalone.layer({ port: 7 }).pipe(Layer.provide(connector)))
      )
      assert.strictEqual(error._tag === "ConnectionError" && error.reason, "Other")
      assert.deepStrictEqual(asked, [{ host: "localhost", port: 7 }])
    }))

  for (const [how, breaks] of [["throws", Effect.die("broken")], ["interrupts itself", Effect.interrupt]] as const) {
    it.effect(`CFG-29: a transport of one's own that ${how} loses its connection, whatever it was doing`, () =>
      Effect.gen(function*() {
        const writer = Effect.succeed({ write: () => Effect.void, writeAll: () => Effect.void })
        const reader = (pull: Effect.Effect<never>) => Effect.succeed({ pull, upgrade: () => Effect.void })
        const sockets = [
          Socket.make({ reader: breaks, writer }),
          Socket.make({ reader: reader(breaks), writer }),
          Socket.make({
            reader: reader(Effect.never),
            writer: Effect.succeed({ write: () => breaks, writeAll: () => breaks })
          })
        ]
        for (const socket of sockets) {
          const connector = Layer.succeed(RedisConnector.RedisConnector)({ socket: () => Effect.succeed(socket) })
          const layer = RedisStandalone.layer({ port: 7 }).pipe(Layer.provide(connector))
          const error = yield* Effect.flip(Effect.provide(Redis.get("k"), layer))
          assert.strictEqual(error._tag === "ConnectionError" && error.reason, "Other")
        }
      }))
  }
})
