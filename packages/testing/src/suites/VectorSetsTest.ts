import { assert, describe, layer } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

/** The elements `x` and `near`, which point almost the same way, and `far`. */
const freshVectors = Effect.gen(function*() {
  const key = freshKey("vectors")
  yield* Redis.vadd(key, [1, 0], "x")
  yield* Redis.vadd(key, Float32Array.of(0.9, 0.1), "near", { setattr: "{\"n\":1}" })
  yield* Redis.vadd(key, [-1, 0], "far")
  return key
})

/** Vector sets, on whatever Layer is given. */
export const VectorSetsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("VectorSets", () => {
    layer(client)((it) => {
      it.effect("adds elements and removes them", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "VADD")
          const key = freshKey()
          assert.strictEqual(yield* Redis.vcard(key), 0)
          assert.strictEqual(
            yield* Redis.vadd(key, [1, 2, 3], "a", { quantization: "noquant", m: 8, ef: 50, cas: true }),
            true
          )
          assert.strictEqual(yield* Redis.vadd(key, [1, 2, 4], "a", { quantization: "noquant", m: 8 }), false)
          assert.strictEqual(yield* Redis.vcard(key), 1)
          assert.strictEqual(yield* Redis.vdim(key), 3)
          assert.strictEqual(yield* Redis.vrem(key, "a"), true)
          assert.strictEqual(yield* Redis.vrem(key, "a"), false)
          assert.strictEqual((yield* Effect.flip(Redis.vdim(freshKey())))._tag, "ResponseError")
        }))

      it.effect("finds what is similar", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "VSIM")
          const key = yield* freshVectors
          assert.deepStrictEqual(yield* Redis.vsim(key, { ele: "x" }), ["x", "near", "far"])
          assert.deepStrictEqual(yield* Redis.vsim(key, { vector: [1, 0.1] }, { count: 1, truth: true }), ["near"])
          assert.deepStrictEqual(yield* Redis.vsim(key, { ele: "x" }, { filter: ".n == 1", filterEf: 10 }), ["near"])
          assert.deepStrictEqual(yield* Redis.vsim(freshKey(), { ele: "x" }), [])
          const [one, two, three] = yield* Redis.vsimWithScores(key, { vector: Float32Array.of(1, 0) }, { ef: 10 })
          assert.deepStrictEqual([one?.element, two?.element, three?.element], ["x", "near", "far"])
          assert.closeTo(one?.score ?? 0, 1, 0.01)
          assert.closeTo(three?.score ?? 1, 0, 0.01)
        }))

      it.effect("finds what is similar with attributes", (context) =>
        Effect.gen(function*() {
          // WITHATTRIBS came with Redis 8.2, as this command did.
          yield* requireCommand(context, "XDELEX")
          const key = yield* freshVectors
          assert.deepStrictEqual(yield* Redis.vsimWithAttribs(key, { ele: "x" }, { epsilon: 0.5 }), [
            { element: "x", attributes: undefined },
            { element: "near", attributes: "{\"n\":1}" }
          ])
          const [, near] = yield* Redis.vsimWithScoresWithAttribs(key, { ele: "x" }, { nothread: true })
          assert.strictEqual(near?.element, "near")
          assert.strictEqual(near?.attributes, "{\"n\":1}")
          assert.isAbove(near?.score ?? 0, 0.9)
        }))

      it.effect("reads elements", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "VEMB")
          const key = yield* freshVectors
          const vector = yield* Redis.vemb(key, "x")
          assert.closeTo(vector?.[0] ?? 0, 1, 0.01)
          assert.strictEqual(yield* Redis.vemb(key, "y"), undefined)
          assert.strictEqual(yield* Redis.vismember(key, "x"), true)
          assert.strictEqual(yield* Redis.vismember(key, "y"), false)
          const raw = yield* Redis.vembRaw(key, "x")
          assert.strictEqual(raw?.quantization, "int8")
          assert.deepStrictEqual(raw?.bytes, Uint8Array.of(127, 0))
          assert.closeTo(raw?.norm ?? 0, 1, 0.01)
          assert.closeTo(raw?.range ?? 0, 1, 0.01)
          assert.strictEqual(yield* Redis.vgetattr(key, "near"), "{\"n\":1}")
          assert.strictEqual(yield* Redis.vsetattr(key, "near", ""), true)
          assert.strictEqual(yield* Redis.vgetattr(key, "near"), undefined)
          assert.strictEqual(yield* Redis.vsetattr(key, "y", "{}"), false)
          assert.include(["x", "near", "far"], yield* Redis.vrandmember(key))
          assert.strictEqual((yield* Redis.vrandmemberCount(key, 5)).length, 3)
          assert.strictEqual(yield* Redis.vrandmember(freshKey()), undefined)
          const info = yield* Redis.vinfo(key)
          assert.strictEqual(info?.size, 3)
          assert.strictEqual(info?.vectorDim, 2)
          assert.strictEqual(info?.quantType, "int8")
          assert.strictEqual(yield* Redis.vinfo(freshKey()), undefined)
        }))

      it.effect("reads neighbours", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "VLINKS")
          const key = yield* freshVectors
          const links = yield* Redis.vlinks(key, "x")
          // The lowest layer comes last and links all elements of a set as small as this.
          assert.deepStrictEqual([...links?.at(-1) ?? []].toSorted(), ["far", "near"])
          const scored = (yield* Redis.vlinksWithScores(key, "x"))?.at(-1) ?? []
          assert.isAbove(scored.find(({ element }) => element === "near")?.score ?? 0, 0.9)
          assert.strictEqual(yield* Redis.vlinks(key, "y"), undefined)
        }))

      it.effect("reads a range of elements", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "VRANGE")
          const key = yield* freshVectors
          assert.deepStrictEqual(yield* Redis.vrange(key, "-", "+"), ["far", "near", "x"])
          assert.deepStrictEqual(yield* Redis.vrange(key, "(far", "+", 1), ["near"])
          assert.deepStrictEqual(yield* Redis.vrange(freshKey(), "-", "+"), [])
        }))
    })
  })
}
