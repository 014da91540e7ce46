import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import { freshKey, requireCommand } from "../Suite.ts"

const sha1 = (script: string): string => createHash("sha1").update(script).digest("hex")

/** The tag of a failure, for a server's error with its code. */
const failure = <A, E extends { readonly _tag: string; readonly code?: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => `${error._tag} ${error.code}`)

/** Lua scripts, on whatever Layer is given. */
export const ScriptingTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Scripting", () => {
    layer(client)((it) => {
      it.effect("PSC-05: hands keys and arguments to a script", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const script = "redis.call('set', KEYS[1], ARGV[1] .. ARGV[2]); return redis.call('get', KEYS[1])"
          assert.strictEqual(yield* Redis.eval(script, [key], ["a", 1]), "a1")
          const bytes = Uint8Array.of(0, 255, 10)
          assert.deepStrictEqual(
            yield* Redis.asBytes(Redis.eval("return ARGV[1]", [key], [bytes])),
            bytes
          )
        }))

      it.effect("SCR-04: turns Lua values into plain data", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const returning = (lua: string) => Redis.eval(`return ${lua}`, [key])
          assert.strictEqual(yield* returning("3.99"), 3)
          assert.strictEqual(yield* returning("'text'"), "text")
          assert.strictEqual(yield* returning("true"), 1)
          assert.strictEqual(yield* returning("false"), undefined)
          assert.strictEqual(yield* returning("nil"), undefined)
          assert.deepStrictEqual(yield* returning("{1, {'a', false}, nil, 4}"), [1, ["a", undefined]])
          assert.strictEqual(yield* returning("{ok = 'FINE'}"), "FINE")
          assert.strictEqual((yield* Effect.flip(returning("{err = 'MINE it broke'}")))._tag, "ResponseError")
          assert.strictEqual(yield* failure(returning("redis.error_reply('MINE it broke')")), "ResponseError MINE")
        }))

      it.effect("what a command of a script is refused with is told as if it had been sent by itself", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.rpush(key, "x")
          const calling = (call: string) => failure(Redis.eval(`return redis.call(${call})`, [key]))
          assert.strictEqual(yield* calling("'incr', KEYS[1]"), "WrongTypeError WRONGTYPE")
          assert.strictEqual(yield* calling("'lset', KEYS[1], 7, 'x'"), "ResponseError ERR")
          yield* Redis.del(key)
          yield* Redis.xgroupCreate(key, "g", "0", { mkstream: true })
          assert.strictEqual(yield* calling("'xgroup', 'create', KEYS[1], 'g', '0'"), "ResponseError BUSYGROUP")
        }))

      it.effect("PSC-06, PSC-10: runs a script that was loaded", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const script = `return {KEYS[1], ARGV[1], '${key}'}`
          assert.strictEqual(yield* Redis.scriptLoad(script), sha1(script))
          assert.deepStrictEqual(yield* Redis.evalsha(sha1(script), [key], [2]), [key, "2", key])
        }))

      it.effect("PSC-06: fails for a script that nobody loaded", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual((yield* Effect.flip(Redis.evalsha(sha1(key), [key])))._tag, "NoScriptError")
        }))

      it.effect("PSC-07: tells which scripts are loaded", () =>
        Effect.gen(function*() {
          const script = `return '${freshKey()}'`
          yield* Redis.scriptLoad(script)
          assert.deepStrictEqual(yield* Redis.scriptExists(sha1(script), sha1(freshKey())), [true, false])
          assert.deepStrictEqual(yield* Redis.scriptExists(), [])
        }))

      it.effect("PSC-08: forgets all scripts", () =>
        Effect.gen(function*() {
          const script = `return '${freshKey()}'`
          yield* Redis.scriptLoad(script)
          assert.strictEqual(yield* Redis.scriptFlush(), true)
          assert.deepStrictEqual(yield* Redis.scriptExists(sha1(script)), [false])
        }))

      it.effect("PSC-09: finds no script to end", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* failure(Redis.scriptKill()), "ResponseError NOTBUSY")
        }))

      it.effect("PSC-10: refuses what does not compile", () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(Redis.scriptLoad("return (")))._tag, "ResponseError")
        }))

      it.effect("runs scripts that only read", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "EVAL_RO")
          const key = freshKey()
          yield* Redis.set(key, "v")
          const read = "return redis.call('get', KEYS[1])"
          assert.strictEqual(yield* Redis.evalRo(read, [key]), "v")
          yield* Redis.scriptLoad(read)
          assert.strictEqual(yield* Redis.evalshaRo(sha1(read), [key]), "v")
          const write = "return redis.call('set', KEYS[1], 'w')"
          assert.strictEqual((yield* Effect.flip(Redis.evalRo(write, [key])))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.get(key), "v")
        }))

      it.effect("changes how a connection debugs", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* Redis.withConnection(Redis.scriptDebug("no")), true)
        }))

      it.effect("shows a script, on Valkey", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "SCRIPT|SHOW")
          const script = `return '${freshKey()}'`
          assert.strictEqual(yield* Redis.scriptShow(yield* Redis.scriptLoad(script)), script)
          assert.strictEqual((yield* Effect.flip(Redis.scriptShow(sha1(freshKey()))))._tag, "NoScriptError")
        }))
    })
  })
}
