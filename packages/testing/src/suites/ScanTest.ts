import { assert, describe, layer } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { freshKey } from "../Suite.ts"

const many = Array.from({ length: 1000 }, (_, index) => String(index))
const invalid = Uint8Array.of(0xff, 0xfe)

/** What was found, each once: a scan may find the same again. */
const found = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<ReadonlySet<A>, E, R> =>
  Effect.map(Stream.runCollect(stream), (all) => new Set(all))

/** Scans as streams, on whatever Layer is given. */
export const ScanTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Scan streams", () => {
    layer(client)((it) => {
      it.effect("KEY-20: finds every key that matches, of a type, whatever the size of pages", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const keys = many.map((name) => `${prefix}:${name}`)
          yield* Redis.pipeline(keys.map((key) => Redis.set(key, "v")))
          yield* Redis.sadd(`${prefix}:set`, "m")
          // What other tests have left takes pages, too: of one key each there would be thousands.
          for (const count of [undefined, 7, 1000]) {
            const match = { match: `${prefix}:*`, count }
            assert.deepStrictEqual(yield* found(Redis.scanStream({ ...match, type: "string" })), new Set(keys))
            assert.deepStrictEqual(yield* found(Redis.scanStream(match)), new Set([...keys, `${prefix}:set`]))
          }
          assert.deepStrictEqual(yield* found(Redis.scanStream({ match: `${prefix}-none*` })), new Set())
        }))

      it.effect("KEY-20: finds keys that are no text, as bytes", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const key = Buffer.concat([Buffer.from(prefix), invalid])
          yield* Redis.set(Uint8Array.from(key), "v")
          const keys = yield* Stream.runCollect(Redis.scanStreamBytes({ match: `${prefix}*` }))
          assert.deepStrictEqual(keys.map((bytes) => Buffer.from(bytes)), [key])
          const error = yield* Effect.flip(Stream.runDrain(Redis.scanStream({ match: `${prefix}*` })))
          assert.strictEqual(error._tag, "DecodeError")
        }))

      it.effect("HSH-16: finds every field with its value", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.hset(key, Object.fromEntries(many.map((name) => [name, `v${name}`])))
          const fields = new Map(yield* Stream.runCollect(Redis.hscanStream(key, { count: 50 })))
          assert.deepStrictEqual(fields, new Map(many.map((name) => [name, `v${name}`])))
          assert.deepStrictEqual(yield* Stream.runCollect(Redis.hscanStream(freshKey())), [])
          yield* Redis.hset(key, "__proto__", "data")
          const one = yield* Stream.runCollect(Redis.hscanStream(key, { match: "__*", count: 2000 }))
          assert.deepStrictEqual(one, [["__proto__", "data"]])
          const bytes = yield* Stream.runCollect(Redis.hscanStreamBytes(key, { match: "__*", count: 2000 }))
          assert.deepStrictEqual(bytes.map(([field, value]) => [String.fromCharCode(...field), value.length]), [[
            "__proto__",
            4
          ]])
        }))

      it.effect("SET-16: finds every member", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.sadd(key, many.map((name) => `m${name}`))
          assert.deepStrictEqual(yield* found(Redis.sscanStream(key)), new Set(many.map((name) => `m${name}`)))
          assert.deepStrictEqual(
            yield* found(Redis.sscanStream(key, { match: "m99?" })),
            new Set(many.slice(990).map((name) => `m${name}`))
          )
          const other = freshKey()
          yield* Redis.sadd(other, invalid)
          assert.deepStrictEqual(yield* Stream.runCollect(Redis.sscanStreamBytes(other)), [invalid])
        }))

      it.effect("ZST-26: finds every member with its score", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.zadd(key, many.map((name) => [`m${name}`, Number(name) / 2] as const))
          const members = new Map(
            (yield* Stream.runCollect(Redis.zscanStream(key))).map(({ member, score }) => [member, score])
          )
          assert.deepStrictEqual(members, new Map(many.map((name) => [`m${name}`, Number(name) / 2])))
          const other = freshKey()
          yield* Redis.zadd(other, [[invalid, -Infinity]])
          assert.deepStrictEqual(yield* Stream.runCollect(Redis.zscanStreamBytes(other)), [{
            member: invalid,
            score: -Infinity
          }])
        }))

      it.effect("KEY-20: a key of another type fails the stream", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "v")
          for (
            const drain of [
              Stream.runDrain(Redis.hscanStream(key)),
              Stream.runDrain(Redis.sscanStream(key)),
              Stream.runDrain(Redis.zscanStream(key))
            ]
          ) assert.strictEqual((yield* Effect.flip(drain))._tag, "WrongTypeError")
        }))

      it.effect("KEY-20: can be left and interrupted at any point", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.sadd(key, many)
          assert.isTrue(Option.isSome(yield* Stream.runHead(Redis.sscanStream(key))))
          for (let pages = 0; pages < 20; pages++) {
            const fiber = yield* Effect.forkChild(Stream.runDrain(Redis.sscanStream(key, { count: 1 })))
            yield* Effect.repeat(Effect.yieldNow, { times: pages })
            yield* Fiber.interrupt(fiber)
          }
          assert.strictEqual(yield* Redis.scard(key), many.length)
        }))
    })
  })
}
