import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { freshKey, requireCommand } from "../Suite.ts"

/** Several keys in one slot. */
const freshKeys = (): readonly [string, string, string] => {
  const tag = `{${freshKey("generic")}}`
  return [`${tag}a`, `${tag}b`, `${tag}c`]
}

/** A database that no other test uses. */
const emptyDb = 9

/** Keys, on whatever Layer is given. */
export const GenericTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Generic", () => {
    // With the real clock: one test measures how long the server blocks.
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("KEY-01, KEY-03, KEY-22, KEY-24: counts the keys that exist", () =>
        Effect.gen(function*() {
          const [a, b, missing] = freshKeys()
          yield* Redis.mset({ [a]: 1, [b]: 1 })
          assert.strictEqual(yield* Redis.exists(a, b, a, missing), 3)
          assert.strictEqual(yield* Redis.touch(a, b, missing), 2)
          assert.strictEqual(yield* Redis.del([a, missing]), 1)
          assert.strictEqual(yield* Redis.unlink(a, b), 1)
          assert.strictEqual(yield* Redis.delete(b), 0)
          assert.strictEqual(yield* Redis.del(), 0)
        }))

      it.effect("copies", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "COPY")
          const [a, b, missing] = freshKeys()
          yield* Redis.set(a, "v")
          assert.strictEqual(yield* Redis.copy(a, b), true)
          yield* Redis.set(a, "w")
          assert.strictEqual(yield* Redis.copy(a, b), false)
          assert.strictEqual(yield* Redis.copy(missing, b, { replace: true }), false)
          assert.strictEqual(yield* Redis.copy(a, b, { replace: true }), true)
          assert.strictEqual(yield* Redis.get(b), "w")
        }))

      it.effect("KEY-02, KEY-18: dumps and restores bytes", () =>
        Effect.gen(function*() {
          const [a, b, missing] = freshKeys()
          assert.strictEqual(yield* Redis.dump(missing), undefined)
          yield* Redis.set(a, Uint8Array.of(0, 254, 255))
          const dump = yield* Redis.dump(a)
          assert.instanceOf(dump, Uint8Array)
          assert.strictEqual(yield* Redis.restore(b, "1 minute", dump), true)
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.get(b)), Uint8Array.of(0, 254, 255))
          assert.isTrue((yield* Redis.ttl(b)) > 30)
          const busy = yield* Effect.flip(Redis.restore(b, 0, dump))
          assert.strictEqual(busy._tag === "ResponseError" ? busy.code : busy._tag, "BUSYKEY")
          assert.strictEqual(yield* Redis.restore(b, 0, dump, { replace: true, idletime: 100 }), true)
          assert.strictEqual(yield* Redis.ttl(b), -1)
          assert.isTrue(((yield* Redis.objectIdletime(b)) ?? 0) >= 100)
          // What PTTL says of a key without a limit.
          assert.strictEqual(yield* Redis.restore(b, yield* Redis.pttl(a), dump, { replace: true }), true)
          assert.strictEqual(yield* Redis.ttl(b), -1)
          yield* Redis.restore(b, new Date(Date.now() + 60_000), dump, { replace: true })
          assert.isTrue((yield* Redis.ttl(b)) > 30)
          assert.strictEqual((yield* Effect.flip(Redis.restore(missing, 0, Uint8Array.of(1))))._tag, "ResponseError")
        }))

      it.effect("KEY-04, KEY-10, KEY-11, KEY-13, KEY-14: lets keys expire, and live again", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.expire(key, 60), false)
          assert.strictEqual(yield* Redis.pexpire(key, 60), false)
          assert.strictEqual(yield* Redis.ttl(key), -2)
          assert.strictEqual(yield* Redis.pttl(key), -2)
          yield* Redis.set(key, "v")
          assert.strictEqual(yield* Redis.persist(key), false)
          assert.strictEqual(yield* Redis.ttl(key), -1)
          assert.strictEqual(yield* Redis.pttl(key), -1)
          assert.strictEqual(yield* Redis.expire(key, Duration.hours(1)), true)
          assert.isTrue((yield* Redis.ttl(key)) > 3000)
          assert.strictEqual(yield* Redis.pexpire(key, "10 minutes"), true)
          assert.isTrue((yield* Redis.pttl(key)) > 500_000 && (yield* Redis.pttl(key)) <= 600_000)
          assert.strictEqual(yield* Redis.persist(key), true)
          assert.strictEqual(yield* Redis.expire(key, 0), true)
          assert.strictEqual(yield* Redis.exists(key), 0)
        }))

      it.effect("KEY-05, KEY-12: lets keys expire at a point in time", (context) =>
        Effect.gen(function*() {
          const key = freshKey()
          const when = new Date("2100-01-02T03:04:05.678Z")
          yield* Redis.set(key, "v")
          assert.strictEqual(yield* Redis.expireat(key, DateTime.makeUnsafe(when)), true)
          assert.strictEqual(yield* Redis.expireat(freshKey(), when), false)
          assert.isTrue((yield* Redis.ttl(key)) > 1_000_000)
          assert.strictEqual(yield* Redis.pexpireat(key, 1), true)
          assert.strictEqual(yield* Redis.exists(key), 0)
          yield* requireCommand(context, "EXPIRETIME")
          yield* Redis.set(key, "v")
          assert.strictEqual(yield* Redis.expiretime(key), -1)
          assert.strictEqual(yield* Redis.pexpireat(key, when), true)
          assert.strictEqual(yield* Redis.pexpiretime(key), when.getTime())
          assert.strictEqual(yield* Redis.expiretime(key), Math.round(when.getTime() / 1000))
          assert.strictEqual(yield* Redis.pexpiretime(freshKey()), -2)
        }))

      it.effect("expires on a condition", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "EXPIRETIME")
          const key = freshKey()
          yield* Redis.set(key, "v")
          assert.strictEqual(yield* Redis.expire(key, 100, { xx: true }), false)
          assert.strictEqual(yield* Redis.expire(key, 100, { gt: true }), false)
          assert.strictEqual(yield* Redis.expire(key, 100, { nx: true }), true)
          assert.strictEqual(yield* Redis.pexpire(key, 200_000, { nx: true }), false)
          assert.strictEqual(yield* Redis.pexpire(key, 200_000, { xx: true, gt: true }), true)
          assert.strictEqual(yield* Redis.expire(key, 300, { lt: true }), false)
          assert.isTrue((yield* Redis.ttl(key)) > 100)
        }))

      it.effect("KEY-06: lists keys by pattern", () =>
        Effect.gen(function*() {
          const [a, b, c] = freshKeys()
          yield* Redis.mset({ [a]: 1, [b]: 1, [c]: 1 })
          const found = yield* Redis.keys(`${a.slice(0, -1)}[ab]`)
          assert.deepStrictEqual([...found].sort(), [a, b])
          assert.include(yield* Redis.keys(), c)
        }))

      it.effect("KEY-07: migrates keys to another server", () =>
        Effect.gen(function*() {
          const password = Redacted.make("s3cret")
          const target = yield* RedisServer.make({ password })
          const { host, port } = target
          const [a, b, missing] = freshKeys()
          const there = Effect.provide(NodeRedisClient.layer({ host, port, password }))
          yield* Redis.mset({ [a]: "1", [b]: "2" })
          assert.strictEqual(yield* Redis.migrate(host, port, missing, 0, 5000, { auth: password }), "NOKEY")
          assert.strictEqual(yield* Redis.migrate(host, port, a, 0, "5 seconds", { auth: password, copy: true }), "OK")
          assert.strictEqual(yield* Redis.exists(a), 1)
          const busy = yield* Effect.flip(Redis.migrate(host, port, [a, b], 0, 5000, { auth: password }))
          assert.strictEqual(busy._tag, "ResponseError")
          assert.include(busy.message, "BUSYKEY")
          yield* Redis.mset({ [a]: "3", [b]: "2" })
          const options = { auth2: { username: "default", password }, replace: true }
          assert.strictEqual(yield* Redis.migrate(host, port, [a, b, missing], 0, 5000, options), "OK")
          assert.strictEqual(yield* Redis.exists(a, b), 0)
          assert.deepStrictEqual(yield* Redis.mget(a, b).pipe(there), ["3", "2"])
        }).pipe(Effect.scoped))

      it.effect("KEY-08: moves a key to another database", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.move(key, 8), false)
          yield* Redis.set(key, "v")
          assert.strictEqual((yield* Effect.flip(Redis.move(key, 0)))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.move(key, 8), true)
          assert.strictEqual(yield* Redis.exists(key), 0)
          yield* Redis.set(key, "w")
          assert.strictEqual(yield* Redis.move(key, 8), false)
        }))

      it.effect("KEY-09: looks inside keys", () =>
        Effect.gen(function*() {
          const [key, missing] = freshKeys()
          yield* Redis.set(key, 12345)
          assert.strictEqual(yield* Redis.objectEncoding(key), "int")
          assert.strictEqual(yield* Redis.objectRefcount(key), 1)
          assert.isTrue(((yield* Redis.objectIdletime(key)) ?? -1) >= 0)
          assert.strictEqual(yield* Redis.objectEncoding(missing), undefined)
          assert.strictEqual(yield* Redis.objectIdletime(missing), undefined)
          assert.strictEqual(yield* Redis.objectRefcount(missing), undefined)
          assert.strictEqual((yield* Effect.flip(Redis.objectFreq(key)))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.objectFreq(missing), undefined)
          assert.isTrue((yield* Redis.objectHelp()).some((line) => line.includes("ENCODING")))
        }))

      it.effect("KEY-15: picks a key, undefined from an empty database", () =>
        Effect.gen(function*() {
          yield* Redis.set(freshKey(), "v")
          assert.strictEqual(typeof (yield* Redis.randomkey()), "string")
          const empty = Redis.withConnection(Effect.andThen(Redis.send("SELECT", emptyDb), Redis.randomkey()))
          assert.strictEqual(yield* empty, undefined)
        }))

      it.effect("KEY-16, KEY-17: renames", () =>
        Effect.gen(function*() {
          const [a, b, missing] = freshKeys()
          yield* Redis.mset({ [a]: 1, [b]: 2 })
          const error = yield* Effect.flip(Redis.rename(missing, a))
          assert.strictEqual(error._tag, "ResponseError")
          assert.include(error.message, "no such key")
          assert.strictEqual((yield* Effect.flip(Redis.renamenx(missing, a)))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.renamenx(a, b), false)
          assert.strictEqual(yield* Redis.rename(a, b), true)
          assert.strictEqual(yield* Redis.get(b), "1")
          assert.strictEqual(yield* Redis.renamenx(b, a), true)
        }))

      it.effect("KEY-19: scans all keys, page by page", () =>
        Effect.gen(function*() {
          const prefix = freshKey("scan")
          const wanted = Array.from({ length: 40 }, (_, i) => `${prefix}:${String(i).padStart(2, "0")}`)
          for (const key of wanted) yield* Redis.set(key, "v")
          yield* Redis.rpush(`${prefix}:list`, "a")
          const found = new Set<string>()
          let page = yield* Redis.scan("0", { match: `${prefix}:*`, count: 7, type: "string" })
          for (;;) {
            assert.strictEqual(typeof page.cursor, "string")
            for (const key of page.keys) found.add(key)
            if (page.cursor === "0") break
            page = yield* Redis.scan(page.cursor, { match: `${prefix}:*`, count: 7, type: "string" })
          }
          assert.deepStrictEqual([...found].sort(), wanted)
        }))

      it.effect("KEY-21: sorts, stores and refuses text", () =>
        Effect.gen(function*() {
          const [key, stored, missing] = freshKeys()
          yield* Redis.rpush(key, 3, 10, 2)
          assert.deepStrictEqual(yield* Redis.sort(missing), [])
          assert.deepStrictEqual(yield* Redis.sort(key), ["2", "3", "10"])
          assert.deepStrictEqual(yield* Redis.sort(key, { desc: true }), ["10", "3", "2"])
          assert.deepStrictEqual(yield* Redis.sort(key, { alpha: true }), ["10", "2", "3"])
          assert.deepStrictEqual(yield* Redis.sort(key, { limit: { offset: 1, count: 1 } }), ["3"])
          assert.deepStrictEqual(yield* Redis.sort(key, { get: ["#", "#"] }), ["2", "2", "3", "3", "10", "10"])
          assert.deepStrictEqual(yield* Redis.sortGroups(key, { get: ["#", "#"] }), [["2", "2"], ["3", "3"], [
            "10",
            "10"
          ]])
          assert.strictEqual(yield* Redis.sortStore(key, stored, { desc: true }), 3)
          assert.deepStrictEqual(yield* Redis.lrange(stored, 0, -1), ["10", "3", "2"])
          yield* Redis.rpush(key, "text")
          assert.strictEqual((yield* Effect.flip(Redis.sort(key)))._tag, "ResponseError")
        }))

      it.effect("KEY-21: sorts by and gets what is at other keys", () =>
        Effect.gen(function*() {
          const tag = `{${freshKey("sort")}}`
          yield* Redis.rpush(`${tag}k`, "a", "b", "c")
          yield* Redis.mset({ [`${tag}w_a`]: 3, [`${tag}w_b`]: 1, [`${tag}w_c`]: 2, [`${tag}v_a`]: "A" })
          yield* Redis.hset(`${tag}h_b`, { f: "B" })
          const by = `${tag}w_*`
          assert.deepStrictEqual(yield* Redis.sort(`${tag}k`, { by }), ["b", "c", "a"])
          assert.deepStrictEqual(yield* Redis.sort(`${tag}k`, { by, get: `${tag}v_*` }), [undefined, undefined, "A"])
          assert.deepStrictEqual(
            yield* Redis.sortGroups(`${tag}k`, { by, get: ["#", `${tag}v_*`, `${tag}h_*->f`] }),
            [["b", undefined, "B"], ["c", undefined, undefined], ["a", "A", undefined]]
          )
        }))

      it.effect("sorts without writing", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "SORT_RO")
          const key = freshKey()
          yield* Redis.rpush(key, 3, 1)
          assert.deepStrictEqual(yield* Redis.sortRo(key, { desc: true }), ["3", "1"])
          assert.deepStrictEqual(yield* Redis.sortRoGroups(key, { get: ["#", "#"] }), [["1", "1"], ["3", "3"]])
        }))

      it.effect("KEY-23: tells types", () =>
        Effect.gen(function*() {
          const [a, b, missing] = freshKeys()
          yield* Redis.set(a, "v")
          yield* Redis.xadd(b, { f: "v" })
          assert.strictEqual(yield* Redis.type(a), "string")
          assert.strictEqual(yield* Redis.type(b), "stream")
          assert.strictEqual(yield* Redis.type(missing), "none")
        }))

      it.effect("KEY-25: waits no longer than asked for", () =>
        Effect.gen(function*() {
          const [duration, replicas] = yield* Redis.withConnection(Effect.timed(Redis.wait(1000, "150 millis")))
          assert.isTrue(Duration.toMillis(duration) >= 140)
          assert.isTrue(replicas < 1000)
        }))

      it.effect("KEY-25: refuses to wait for the writes of an unknown connection", () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(Redis.wait(1, "1 second")))._tag, "DataError")
          const [stored, replicas] = yield* Redis.pipeline([Redis.set(freshKey(), "v"), Redis.wait(0, "1 second")])
          assert.deepStrictEqual([stored, replicas], [true, 0])
        }))

      it.effect("KEY-25: waits until a replica has what its own connection wrote", () =>
        Effect.gen(function*() {
          const master = yield* RedisServer.make({ config: { "repl-diskless-sync-delay": "0" } })
          const replica = yield* RedisServer.make({ config: { replicaof: `${master.host} ${master.port}` } })
          const { host, port } = master
          const writeAndWait = Effect.andThen(Redis.set("k", "v"), Redis.wait(1, "10 seconds"))
          yield* Redis.withConnection(Effect.gen(function*() {
            assert.strictEqual(yield* writeAndWait, 1)
            yield* replica.pause
            yield* Redis.set("k", "w")
            assert.strictEqual(yield* Redis.wait(1, "100 millis"), 0)
            yield* replica.resume
            assert.strictEqual(yield* Redis.wait(1, "10 seconds"), 1)
          })).pipe(Effect.provide(NodeRedisClient.layer({ host, port })))
        }).pipe(Effect.scoped))

      it.effect("waits for disks no longer than asked for", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "WAITAOF")
          const [duration, counts] = yield* Redis.withConnection(Effect.timed(Redis.waitaof(0, 1000, "150 millis")))
          assert.isTrue(Duration.toMillis(duration) >= 140)
          assert.deepStrictEqual(Object.keys(counts), ["local", "replicas"])
          assert.isTrue(counts.replicas < 1000)
        }))
    })
  })
}
