import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { freshKey, requireCommand } from "../Suite.ts"

/** Runs with parameters changed, and changes them back. */
const configured = <A, E, R>(parameter: string, value: string | number, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.tap(Redis.configGet(parameter), () => Redis.configSet(parameter, value)),
    () => effect,
    (before) => Effect.orDie(Redis.configSet(before))
  )

/** Waits until nothing is being saved or rewritten. */
const idle = Effect.repeat(Redis.info("persistence"), {
  schedule: Schedule.spaced("5 millis"),
  until: ({ fields }) => fields["rdb_bgsave_in_progress"] === 0 && fields["aof_rewrite_in_progress"] === 0
})

/** Runs on a database that no other test uses, emptied. */
const onDatabase = <A, E, R>(index: number, effect: Effect.Effect<A, E, R>) =>
  Redis.withConnection(Effect.andThen(Effect.andThen(Redis.select(index), Redis.flushdb()), effect))

/** Servers, on whatever Layer of one server is given. */
export const ServerTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Server", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("SRV-11, SRV-14, SRV-15: counts, deletes and exchanges the keys of a database", () =>
        onDatabase(
          12,
          onDatabase(
            11,
            Effect.gen(function*() {
              yield* Redis.set("a", "1")
              yield* Redis.set("b", "2")
              assert.strictEqual(yield* Redis.dbsize(), 2)
              assert.strictEqual(yield* Redis.swapdb(11, 12), true)
              assert.strictEqual(yield* Redis.dbsize(), 0)
              assert.strictEqual(yield* Redis.swapdb(11, 12), true)
              assert.strictEqual(yield* Redis.flushdb({ async: true }), true)
              assert.strictEqual(yield* Redis.dbsize(), 0)
            })
          )
        ))

      it.effect("SRV-01, SRV-02, SRV-03, SRV-04: saves, and tells when", () =>
        Effect.gen(function*() {
          yield* idle
          const before = yield* Redis.time()
          assert.strictEqual(yield* Redis.save(), true)
          const saved = yield* Redis.lastsave()
          assert.isAtLeast(DateTime.toEpochMillis(saved!), before.seconds * 1000)
          assert.strictEqual(yield* Redis.bgsave(), true)
          yield* idle
          assert.strictEqual(yield* Redis.bgsave({ schedule: true }), true)
          yield* idle
          assert.strictEqual(yield* Redis.bgrewriteaof(), true)
          yield* idle
        }))

      it.effect("SRV-06: a master stays one when told to replicate nobody", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* Redis.replicaof(), true)
          assert.strictEqual(yield* Redis.slaveof(), true)
          const role = yield* Redis.role()
          assert.strictEqual(role.role, "master")
          assert.deepStrictEqual(role.role === "master" ? role.replicas : undefined, [])
        }))

      it.effect("SRV-07, SRV-08: reads and sets parameters", () =>
        Effect.gen(function*() {
          assert.deepStrictEqual(Object.keys(yield* Redis.configGet("no-such-parameter")), [])
          assert.isAbove(Object.keys(yield* Redis.configGet()).length, 50)
          yield* configured(
            "slowlog-max-len",
            77,
            Effect.gen(function*() {
              assert.deepStrictEqual({ ...(yield* Redis.configGet("slowlog-max-len")) }, { "slowlog-max-len": "77" })
            })
          )
          assert.strictEqual((yield* Effect.flip(Redis.configSet("no-such-parameter", 1)))._tag, "ResponseError")
        }))

      it.effect("SRV-09, SRV-10: resets statistics; without a file there is nothing to write to", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* Redis.configResetstat(), true)
          const { fields } = yield* Redis.info("server")
          const rewritten = yield* Effect.exit(Redis.configRewrite())
          assert.strictEqual(rewritten._tag, fields["config_file"] === "" ? "Failure" : "Success")
        }))

      it.effect("SRV-12, REC-09: looks inside, where that is allowed", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "v")
          const enabled = (yield* Redis.configGet("enable-debug-command"))["enable-debug-command"]
          if (enabled === undefined || enabled === "yes") {
            const object = yield* Redis.debugObject(key)
            assert.match(object.at, /^0x[0-9a-f]+$/)
            assert.deepStrictEqual([object.refcount, object.encoding, object.serializedLength], [1, "embstr", 2])
            assert.isTrue(Number.isInteger(object.lru) && Number.isInteger(object.lruSecondsIdle))
          }
          assert.strictEqual((yield* Effect.flip(Redis.debugObject(freshKey())))._tag, "ResponseError")
        }))

      it.effect("SRV-16, REC-01: tells of itself, and nothing of sections that there are not", () =>
        Effect.gen(function*() {
          const info = yield* Redis.info()
          assert.match(info.redisVersion!, /^\d+\.\d+\.\d+/)
          assert.strictEqual(info.mode, "standalone")
          assert.strictEqual(info.role, "master")
          assert.strictEqual(info.clusterEnabled, false)
          assert.isAbove(info.usedMemory!, 100_000)
          assert.isAbove(info.connectedClients!, 0)
          assert.deepStrictEqual(info.unparsed, [])
          const server = yield* Redis.info("server")
          assert.strictEqual(server.runId, info.runId)
          assert.strictEqual(server.usedMemory, undefined)
          assert.deepStrictEqual(Object.keys((yield* Redis.info("no-such-section")).fields), [])
        }))

      it.effect("REC-01: tells of databases", () =>
        onDatabase(
          13,
          Effect.gen(function*() {
            yield* Redis.set("a", "1", { ex: 100 })
            yield* Redis.set("b", "1")
            const database = (yield* Redis.info("keyspace")).databases.get(13)
            assert.deepStrictEqual([database?.keys, database?.expires], [2, 1])
            assert.isTrue(Number.isInteger(database?.avgTtl))
          })
        ))

      it.effect("SRV-17, SRV-18, SRV-19, REC-08: tells what takes its memory", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.rpush(key, "a", "b")
          assert.isAbove((yield* Redis.memoryUsage(key))!, 10)
          assert.isAbove((yield* Redis.memoryUsage(key, { samples: 0 }))!, 10)
          assert.strictEqual(yield* Redis.memoryUsage(freshKey()), undefined)
          assert.strictEqual(yield* Redis.memoryPurge(), true)
          const stats = yield* Redis.memoryStats()
          for (const [name, value] of Object.entries(stats)) {
            if (name !== "db" && name !== "extra") assert.include(["number", "undefined"], typeof value, name)
          }
          assert.isAbove(stats.peakAllocated, 100_000)
          assert.isAbove(stats.db.get(0)!.overheadHashtableMain, 0)
          for (const [name, value] of Object.entries(stats.extra)) assert.strictEqual(typeof value, "number", name)
          assert.include(yield* Redis.memoryDoctor(), "Sam")
          assert.isAbove((yield* Redis.memoryMallocStats()).length, 10)
        }))

      it.effect("SRV-20, SRV-21, SRV-22, REC-03: remembers slow commands", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* Redis.slowlogReset(), true)
          const key = freshKey()
          const before = yield* Redis.time()
          yield* configured("slowlog-log-slower-than", 0, Redis.set(key, Uint8Array.of(255)))
          assert.isAbove(yield* Redis.slowlogLen(), 0)
          const entries = yield* Redis.asBytes(Redis.slowlogGet(50))
          const entry = entries.find(({ command }) => command.startsWith(`SET ${key} `))!
          assert.deepStrictEqual(entry.args[2], Uint8Array.of(255))
          // The server takes the second of a coarser clock, which is some milliseconds late.
          assert.isAtLeast(DateTime.toEpochMillis(entry.startTime), (before.seconds - 1) * 1000)
          assert.isAtMost(DateTime.toEpochMillis(entry.startTime), (yield* Redis.time()).seconds * 1000)
          assert.isAbove(Duration.toMillis(entry.duration), -1)
          assert.match(entry.clientAddress!, /:\d+$/)
          assert.deepStrictEqual(yield* Redis.slowlogGet(0), [])
          assert.strictEqual(yield* Redis.slowlogReset(), true)
        }))

      it.effect("SRV-23: tells the time to the microsecond", () =>
        Effect.gen(function*() {
          const { microseconds, seconds } = yield* Redis.time()
          assert.isAbove(seconds, 1_700_000_000)
          assert.isTrue(Number.isInteger(microseconds) && microseconds >= 0 && microseconds < 1_000_000)
          const later = yield* Redis.timeDateTime()
          assert.isAtLeast(DateTime.toEpochMillis(later), seconds * 1000 + Math.trunc(microseconds / 1000))
        }))

      it.effect("tells of its commands", (context) =>
        Effect.gen(function*() {
          const all = yield* Redis.command()
          assert.strictEqual(all.length, yield* Redis.commandCount())
          const [get, nope] = yield* Redis.commandInfo("get", "nope")
          assert.deepStrictEqual([get?.arity, get?.firstKey, get?.flags.has("readonly")], [2, 1, true])
          assert.isTrue(get?.categories.has("@string"))
          assert.strictEqual(nope, undefined)
          assert.deepStrictEqual(yield* Redis.commandGetkeys("MSET", "a", 1, "b", 2), ["a", "b"])
          yield* requireCommand(context, "LMPOP")
          const docs = yield* Redis.commandDocs("config", "nope")
          assert.deepStrictEqual(Object.keys(docs), ["config"])
          assert.strictEqual(docs["config"]?.subcommands["config|get"]?.group, "server")
          assert.isAbove((yield* Redis.commandDocs("set", "SET"))["set"]!.history.length, 2)
          assert.deepStrictEqual(yield* Redis.commandList({ pattern: "hgetal?" }), ["hgetall"])
          assert.include(yield* Redis.commandList({ aclcat: "hash" }), "hgetall")
          const [key] = yield* Redis.commandGetkeysandflags("GET", "k")
          assert.deepStrictEqual([key?.key, key?.flags.has("RO")], ["k", true])
          assert.isAbove(Object.keys(yield* Redis.commandDocs()).length, 200)
        }))

      it.effect("remembers when it was slow", (context) =>
        configured(
          "latency-monitor-threshold",
          1,
          Effect.gen(function*() {
            // Not allowed everywhere, but then there is nothing to remember either.
            const slow = yield* Effect.exit(Redis.send("DEBUG", "SLEEP", 0.02))
            if (slow._tag === "Failure") return context.skip("the server does not allow DEBUG")
            const latest = (yield* Redis.latencyLatest()).find(({ event }) => event === "command")
            assert.isAtLeast(latest!.max, 20)
            const history = yield* Redis.latencyHistory("command")
            assert.isAtLeast(history.at(-1)!.latency, 1)
            assert.include(yield* Redis.latencyGraph("command"), "command")
            assert.include(yield* Redis.latencyDoctor(), "atency spikes")
            assert.strictEqual(yield* Redis.latencyReset("command"), 1)
          })
        ))

      it.effect("counts calls by time", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "LMPOP")
          yield* Redis.set(freshKey(), "v")
          const { set } = yield* Redis.latencyHistogram("set", "nope", "set")
          assert.isAbove(set!.calls, 0)
          assert.strictEqual([...set!.histogramUsec.values()].at(-1), set!.calls)
        }))

      it.effect("tells of its modules, and draws", () =>
        Effect.gen(function*() {
          for (const module of yield* Redis.moduleList()) assert.isAbove(module.name.length, 0)
          assert.strictEqual((yield* Effect.flip(Redis.moduleUnload("nope")))._tag, "ResponseError")
          assert.include(yield* Redis.lolwut({ version: 5, args: [4, 1, 1] }), "Georg Nees")
        }))

      it.effect("has nobody to hand over to, and is not stopping", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "LMPOP")
          assert.strictEqual((yield* Effect.flip(Redis.failover()))._tag, "ResponseError")
          assert.strictEqual((yield* Effect.flip(Redis.failoverAbort()))._tag, "ResponseError")
          assert.strictEqual((yield* Effect.flip(Redis.shutdownAbort()))._tag, "ResponseError")
        }))

      it.effect("measures hot keys", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "HOTKEYS")
          const key = freshKey()
          assert.strictEqual(yield* Redis.hotkeysStart({ metrics: ["cpu", "net"], count: 10 }), true)
          yield* Redis.set(key, "v")
          const running = yield* Redis.hotkeysGet()
          assert.strictEqual(running?.trackingActive, true)
          assert.include(running?.byNetBytes?.map(([hot]) => hot) ?? [], key)
          assert.strictEqual(yield* Redis.hotkeysStop(), true)
          assert.strictEqual((yield* Redis.hotkeysGet())?.trackingActive, false)
          assert.strictEqual(yield* Redis.hotkeysReset(), true)
          assert.strictEqual(yield* Redis.hotkeysGet(), undefined)
        }))

      it.effect("reads the logs of Valkey", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "COMMANDLOG")
          const key = freshKey()
          assert.strictEqual(yield* Redis.commandlogReset("slow"), true)
          yield* configured("commandlog-execution-slower-than", 0, Redis.set(key, "v"))
          assert.isAbove(yield* Redis.commandlogLen("slow"), 0)
          const entries = yield* Redis.commandlogGet(-1, "slow")
          const entry = entries.find(({ command }) => command === `SET ${key} v`)
          assert.isAtLeast(entry!.amount, 0)
          assert.strictEqual(yield* Redis.commandlogReset("slow"), true)
        }))
    })
  })
}
