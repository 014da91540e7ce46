import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

const none = Redis.bitfieldOperations()

/** Bitmaps, on whatever Layer is given. */
export const BitmapsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Bitmaps", () => {
    layer(client)((it) => {
      it.effect("BIT-01: counts bits, in all or in a range of bytes", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.bitcount(key), 0)
          yield* Redis.set(key, "foobar")
          assert.strictEqual(yield* Redis.bitcount(key), 26)
          assert.strictEqual(yield* Redis.bitcount(key, { start: 0, end: 0 }), 4)
          assert.strictEqual(yield* Redis.bitcount(key, { start: -2, end: -1 }), 7)
        }))

      it.effect("counts and finds in a range of bits", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "EXPIRETIME")
          const key = freshKey()
          yield* Redis.set(key, Uint8Array.of(0, 255, 240))
          assert.strictEqual(yield* Redis.bitcount(key, { start: 7, end: 8, unit: "bit" }), 1)
          assert.strictEqual(yield* Redis.bitcount(key, { start: 1, end: 1, unit: "byte" }), 8)
          assert.strictEqual(yield* Redis.bitpos(key, 0, { start: 8, end: -1, unit: "bit" }), 20)
        }))

      it.effect("BIT-02, BIT-03, BIT-04, BIT-05: reads and writes integers in order", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const operations = none.set("u8", 0, 255).get("u8", 0).incrby("i8", "#1", -3).get("i8", 8).get("u4", "#0")
          assert.deepStrictEqual(yield* Redis.bitfield(key, operations), [0, 255, -3, -3, 15])
          assert.deepStrictEqual(yield* Redis.bitfield(key, none), [])
        }))

      it.effect("BIT-02: refuses to round an integer of 64 bits", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const write = none.set("i64", 0, 9223372036854775807n)
          assert.deepStrictEqual(yield* Redis.bitfield(key, write), [0])
          assert.strictEqual((yield* Effect.flip(Redis.bitfield(key, write)))._tag, "DecodeError")
          assert.deepStrictEqual(yield* Redis.asBigInt(Redis.bitfield(key, write)), [9223372036854775807n])
        }))

      it.effect("BIT-05, BIT-06: wraps, saturates or fails", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const add = none.incrby("u2", 0, 3)
          assert.deepStrictEqual(yield* Redis.bitfield(key, add), [3])
          assert.deepStrictEqual(yield* Redis.bitfield(key, add), [2])
          assert.deepStrictEqual(
            yield* Redis.bitfield(key, none.overflow("SAT").incrby("u2", 0, 3).incrby("u2", 0, 1, "fail").get("u2", 0)),
            [3, undefined, 3]
          )
          assert.deepStrictEqual(
            yield* Redis.bitfield(
              key,
              Redis.bitfieldOperations("fail").set("u2", 0, 9).overflow("wrap").set("u2", 0, 9)
            ),
            [undefined, 3]
          )
          assert.deepStrictEqual(yield* Redis.bitfield(key, none.get("u2", 0)), [1])
        }))

      it.effect("BIT-07: one list of operations serves several commands, in a pipeline too", () =>
        Effect.gen(function*() {
          const tag = `{${freshKey()}}`
          const visit = none.incrby("u8", "#1", 1)
          assert.deepStrictEqual(
            yield* Redis.pipeline([
              Redis.bitfield(`${tag}a`, visit),
              Redis.bitfield(`${tag}a`, visit),
              Redis.bitfield(`${tag}b`, visit)
            ]),
            [[1], [2], [1]]
          )
        }))

      it.effect("reads without writing", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, Uint8Array.of(1, 2))
          const reads = none.get("u8", "#1").get("u8", 0)
          assert.deepStrictEqual(yield* Redis.bitfieldRo(key, reads), [2, 1])
          assert.deepStrictEqual(yield* Redis.bitfieldRo(freshKey(), reads), [0, 0])
        }))

      it.effect("BIT-08: combines strings", () =>
        Effect.gen(function*() {
          const tag = `{${freshKey()}}`
          const [a, b, d] = [`${tag}a`, `${tag}b`, `${tag}d`]
          yield* Redis.set(a, Uint8Array.of(0b1100, 255))
          yield* Redis.set(b, Uint8Array.of(0b1010))
          const result = Redis.asBytes(Redis.get(d))
          assert.strictEqual(yield* Redis.bitop("and", d, a, b), 2)
          assert.deepStrictEqual(yield* result, Uint8Array.of(0b1000, 0))
          assert.strictEqual(yield* Redis.bitop("OR", d, [a, b]), 2)
          assert.deepStrictEqual(yield* result, Uint8Array.of(0b1110, 255))
          assert.strictEqual(yield* Redis.bitop("xor", d, a, b), 2)
          assert.deepStrictEqual(yield* result, Uint8Array.of(0b0110, 255))
          assert.strictEqual(yield* Redis.bitop("not", d, b), 1)
          assert.deepStrictEqual(yield* result, Uint8Array.of(0b11110101))
          assert.strictEqual((yield* Effect.flip(Redis.bitop("not", d, a, b)))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.bitop("and", d, `${tag}missing`), 0)
          assert.strictEqual(yield* Redis.exists(d), 0)
        }))

      it.effect("combines strings as Redis 8.2 can", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "DIGEST")
          const tag = `{${freshKey()}}`
          const [a, b, d] = [`${tag}a`, `${tag}b`, `${tag}d`]
          yield* Redis.set(a, Uint8Array.of(0b1100))
          yield* Redis.set(b, Uint8Array.of(0b1010))
          const result = Redis.asBytes(Redis.get(d))
          for (
            const [operation, expected] of [["diff", 0b0100], ["diff1", 0b0010], ["andor", 0b1000], [
              "one",
              0b0110
            ]] as const
          ) {
            assert.strictEqual(yield* Redis.bitop(operation, d, a, b), 1)
            assert.deepStrictEqual(yield* result, Uint8Array.of(expected), operation)
          }
        }))

      it.effect("BIT-09: finds the first bit, counted in bits, ranges in bytes", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.bitpos(key, 1), -1)
          assert.strictEqual(yield* Redis.bitpos(key, 0), 0)
          yield* Redis.set(key, Uint8Array.of(255, 240, 255))
          assert.strictEqual(yield* Redis.bitpos(key, 0), 12)
          assert.strictEqual(yield* Redis.bitpos(key, 1, { start: 1 }), 8)
          assert.strictEqual(yield* Redis.bitpos(key, 0, { start: 2 }), 24)
          assert.strictEqual(yield* Redis.bitpos(key, 0, { start: 2, end: -1 }), -1)
          assert.strictEqual((yield* Effect.flip(Redis.bitpos(key, Number("2") as 1)))._tag, "DataError")
        }))

      it.effect("BIT-10, BIT-11: sets and gets bits", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.getbit(key, 7), 0)
          assert.strictEqual(yield* Redis.setbit(key, 7, true), 0)
          assert.strictEqual(yield* Redis.setbit(key, 7, 1), 1)
          assert.strictEqual(yield* Redis.getbit(key, 7), 1)
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.get(key)), Uint8Array.of(1))
          assert.strictEqual(yield* Redis.setbit(key, 7, false), 1)
          assert.strictEqual(yield* Redis.getbit(key, 7), 0)
        }))
    })
  })
}
