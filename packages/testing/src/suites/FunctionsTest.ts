import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

/** A name for a library or a function that no other test uses. */
const freshName = (): string => freshKey("function").replaceAll(/\W/g, "_")

/** The code of a library with two functions: one reads its key, one also writes it. */
const library = (name: string): string =>
  [
    `#!lua name=${name}`,
    `redis.register_function{function_name='${name}_get',`,
    "  callback=function(keys, args) return {redis.call('get', keys[1]), args[1]} end,",
    "  flags={'no-writes'}, description='reads'}",
    `redis.register_function('${name}_set', function(keys, args) return redis.call('set', keys[1], args[1]) end)`
  ].join("\n")

const sorted = <T extends { readonly name: string }>(functions: ReadonlyArray<T>): ReadonlyArray<T> =>
  functions.toSorted((a, b) => a.name < b.name ? -1 : 1)

/** Loads a library that no other test uses, and returns its name. */
const loaded = (context: Parameters<typeof requireCommand>[0]) =>
  Effect.andThen(requireCommand(context, "FCALL"), Effect.suspend(() => Redis.functionLoad(library(freshName()))))

/** Functions, on whatever Layer is given. */
export const FunctionsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Functions", () => {
    layer(client)((it) => {
      it.effect("loads a library and calls its functions", (context) =>
        Effect.gen(function*() {
          const key = freshKey()
          const name = yield* loaded(context)
          assert.strictEqual(yield* Redis.fcall(`${name}_set`, [key], ["v"]), "OK")
          assert.deepStrictEqual(yield* Redis.fcall(`${name}_get`, [key], [1]), ["v", "1"])
          assert.deepStrictEqual(yield* Redis.fcallRo(`${name}_get`, [key]), ["v"])
          assert.strictEqual((yield* Effect.flip(Redis.fcallRo(`${name}_set`, [key], ["w"])))._tag, "ResponseError")
          assert.strictEqual((yield* Effect.flip(Redis.functionLoad(library(name))))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.functionLoad(library(name), { replace: true }), name)
          assert.strictEqual(yield* Redis.functionDelete(name), true)
          assert.strictEqual((yield* Effect.flip(Redis.functionDelete(name)))._tag, "ResponseError")
        }))

      it.effect("lists libraries", (context) =>
        Effect.gen(function*() {
          const name = yield* loaded(context)
          const [listed, ...others] = yield* Redis.functionList({ libraryname: name })
          assert.strictEqual(others.length, 0)
          assert.strictEqual(listed?.libraryName, name)
          assert.strictEqual(listed?.engine, "LUA")
          assert.strictEqual(listed?.libraryCode, undefined)
          assert.deepStrictEqual(sorted(listed?.functions ?? []), [
            { name: `${name}_get`, description: "reads", flags: new Set(["no-writes"]), extra: {} },
            { name: `${name}_set`, description: undefined, flags: new Set<string>(), extra: {} }
          ])
          const [coded] = yield* Redis.functionList({ libraryname: name, withcode: true })
          assert.strictEqual(coded?.libraryCode, library(name))
          assert.deepStrictEqual(yield* Redis.functionList({ libraryname: freshName() }), [])
          yield* Redis.functionDelete(name)
        }))

      it.effect("dumps and restores libraries", (context) =>
        Effect.gen(function*() {
          const name = yield* loaded(context)
          const dump = yield* Redis.functionDump()
          assert.strictEqual((yield* Effect.flip(Redis.functionRestore(dump)))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.functionRestore(dump, "replace"), true)
          assert.strictEqual(yield* Redis.functionFlush("sync"), true)
          assert.deepStrictEqual(yield* Redis.functionList({ libraryname: name }), [])
          assert.strictEqual(yield* Redis.functionRestore(dump), true)
          assert.strictEqual((yield* Redis.functionList({ libraryname: name })).length, 1)
          yield* Redis.functionDelete(name)
        }))

      it.effect("tells what is loaded and what runs", (context) =>
        Effect.gen(function*() {
          const name = yield* loaded(context)
          const { engines, runningScript } = yield* Redis.functionStats()
          assert.strictEqual(runningScript, undefined)
          assert.isAtLeast(engines["LUA"]?.librariesCount ?? 0, 1)
          assert.isAtLeast(engines["LUA"]?.functionsCount ?? 0, 2)
          const error = yield* Effect.flip(Redis.functionKill())
          assert.strictEqual(error._tag === "ResponseError" ? error.code : error._tag, "NOTBUSY")
          yield* Redis.functionDelete(name)
        }))
    })
  })
}
