import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisKeyspace } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import { requireCommand } from "@redfx/testing/Suite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const ttl = "1 hour"
const sets = RedisKeyspace.makeSet({ key: "set:*", value: Schema.String, ttl })
const hashes = RedisKeyspace.makeHash({ key: "hash:*", value: Schema.Struct({ a: Schema.String }), ttl })
const endless = RedisKeyspace.makeHash({ key: "endless:*", value: Schema.Struct({ a: Schema.String }) })

describe("What a server refuses of a write that is a script", () => {
  layer(Client.live(3))((it) => {
    it.effect("for want of memory leaves what there was, and makes nothing new", () =>
      Effect.gen(function*() {
        yield* sets.set("1", ["old"])
        yield* Redis.configSet({ maxmemory: "1" })
        for (const id of ["1", "2"]) {
          assert.strictEqual((yield* Effect.flip(sets.commands.set(id, ["new"])))._tag, "OutOfMemoryError")
        }
        yield* Redis.configSet({ maxmemory: "0" })
        assert.deepStrictEqual(yield* sets.get("1"), Option.some(["old"]))
        assert.isFalse(yield* sets.has("2"))
      }))

    it.effect("for want of a right leaves what there was, and adds nothing without an end", (context) =>
      Effect.gen(function*() {
        // Servers before 7.0 cannot be asked for rights.
        yield* requireCommand(context, "EVALSHA_RO")
        const old = { a: "old" }
        for (const right of ["hset", "del", "pexpire"]) {
          yield* hashes.set("1", old)
          yield* Redis.aclSetuser("default", { commands: ["+@all", `-${right}`] })
          const outcome = yield* Effect.exit(hashes.commands.set("1", { a: "new" }))
          assert.isTrue(Exit.isFailure(outcome), right)
          yield* Redis.aclSetuser("default", { commands: ["+@all"] })
          assert.deepStrictEqual(yield* hashes.get("1"), Option.some(old), right)
          assert.isTrue(Duration.isFinite(Option.getOrThrow(yield* hashes.ttl("1"))))
        }
        yield* Redis.aclSetuser("default", { commands: ["-pexpire"] })
        const error = yield* Effect.flip(sets.add("3", "new"))
        assert.include(error.message, "no permissions to run the 'pexpire' command")
        assert.isFalse(yield* sets.has("3"))
        // What has no end needs no right to give it one.
        assert.isTrue(yield* endless.commands.set("1", old))
        yield* Redis.aclSetuser("default", { commands: ["+@all"] })
      }))
  })
})
