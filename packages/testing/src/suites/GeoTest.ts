import { assert, describe, layer } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

const sicily = [
  { longitude: 13.361389, latitude: 38.115556, member: "Palermo" },
  { longitude: 15.087269, latitude: 37.502669, member: "Catania" }
]

/** Two keys in one slot, Sicily at the first of them. */
const freshSicily = Effect.gen(function*() {
  const tag = `{${freshKey("geo")}}`
  yield* Redis.geoadd(`${tag}a`, sicily)
  return [`${tag}a`, `${tag}b`] as const
})

const all = { withdist: true, withhash: true, withcoord: true } as const

/** Positions, on whatever Layer is given. */
export const GeoTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Geo", () => {
    layer(client)((it) => {
      it.effect("GEO-01, GEO-04: adds members and reads where they are", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.geoadd(key, sicily), 2)
          assert.strictEqual(yield* Redis.geoadd(key, sicily), 0)
          const [palermo, missing] = yield* Redis.geopos(key, "Palermo", "Rome")
          assert.closeTo(palermo?.longitude ?? 0, 13.361389, 1e-5)
          assert.closeTo(palermo?.latitude ?? 0, 38.115556, 1e-5)
          assert.strictEqual(missing, undefined)
          assert.deepStrictEqual(yield* Redis.geopos(freshKey(), "Palermo"), [undefined])
          const outside = yield* Effect.flip(Redis.geoadd(key, [{ longitude: 181, latitude: 0, member: "x" }]))
          assert.strictEqual(outside._tag, "ResponseError")
        }))

      it.effect("GEO-01: adds under a condition", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "GEOSEARCH")
          const [key] = yield* freshSicily
          const moved = { longitude: 10, latitude: 20, member: "Palermo" }
          assert.strictEqual(yield* Redis.geoadd(key, [moved], { nx: true, ch: true }), 0)
          assert.strictEqual(yield* Redis.geoadd(key, [moved], { xx: true, ch: true }), 1)
        }))

      it.effect("GEO-02, GEO-03: measures distances and reads geohashes", () =>
        Effect.gen(function*() {
          const [key] = yield* freshSicily
          assert.closeTo((yield* Redis.geodist(key, "Palermo", "Catania")) ?? 0, 166274, 1)
          assert.closeTo((yield* Redis.geodist(key, "Palermo", "Catania", "km")) ?? 0, 166.274, 0.001)
          assert.closeTo((yield* Redis.geodist(key, "Palermo", "Catania", "mi")) ?? 0, 103.318, 0.001)
          assert.closeTo((yield* Redis.geodist(key, "Palermo", "Catania", "ft")) ?? 0, 545518.9, 1)
          assert.strictEqual(yield* Redis.geodist(key, "Palermo", "Rome"), undefined)
          assert.deepStrictEqual(yield* Redis.geohash(key, "Palermo", "Rome"), ["sqc8b49rny0", undefined])
        }))

      it.effect("GEO-05: searches around a position", () =>
        Effect.gen(function*() {
          const [key, stored] = yield* freshSicily
          const km = { unit: "km" } as const
          assert.deepStrictEqual(yield* Redis.georadius(key, 15, 37, 200, { ...km, sort: "asc" }), [
            "Catania",
            "Palermo"
          ])
          assert.deepStrictEqual(yield* Redis.georadius(key, 15, 37, 200, { ...km, sort: "desc" }), [
            "Palermo",
            "Catania"
          ])
          assert.deepStrictEqual(yield* Redis.georadius(key, 15, 37, 200, { ...km, count: 1 }), ["Catania"])
          assert.deepStrictEqual(yield* Redis.georadius(key, 15, 37, 200), [])
          assert.deepStrictEqual(yield* Redis.georadius(freshKey(), 15, 37, 200), [])
          const [found] = yield* Redis.georadiusWith(key, 15, 37, 100, { ...km, ...all })
          assert.strictEqual(found?.member, "Catania")
          assert.closeTo(found?.distance ?? 0, 56.4413, 0.001)
          assert.strictEqual(found?.hash, 3479447370796909)
          assert.closeTo(found?.coordinates?.longitude ?? 0, 15.087269, 1e-5)
          assert.deepStrictEqual(yield* Redis.georadiusRo(key, 15, 37, 100, km), ["Catania"])
          const [hashed] = yield* Redis.georadiusRoWith(key, 15, 37, 100, { ...km, withhash: true })
          assert.deepStrictEqual(hashed, {
            member: "Catania",
            distance: undefined,
            hash: 3479447370796909,
            coordinates: undefined
          })
          assert.strictEqual(yield* Redis.georadiusStore(key, 15, 37, 200, { ...km, store: stored }), 2)
          assert.strictEqual(yield* Redis.zscore(stored, "Catania"), 3479447370796909)
          assert.strictEqual(yield* Redis.georadiusStore(key, 15, 37, 200, { ...km, count: 1, storedist: stored }), 1)
          assert.closeTo((yield* Redis.zscore(stored, "Catania")) ?? 0, 56.4413, 0.001)
          assert.strictEqual(yield* Redis.georadiusStore(key, 0, 0, 1, { store: stored }), 0)
          assert.strictEqual(yield* Redis.exists(stored), 0)
        }))

      it.effect("GEO-05: stores nothing from a missing key", () =>
        Effect.gen(function*() {
          const tag = `{${freshKey("geo")}}`
          assert.strictEqual(yield* Redis.georadiusStore(`${tag}a`, 15, 37, 200, { store: `${tag}b` }), 0)
        }))

      it.effect("GEO-06: searches around a member", () =>
        Effect.gen(function*() {
          const [key, stored] = yield* freshSicily
          const km = { unit: "km", sort: "asc" } as const
          assert.deepStrictEqual(yield* Redis.georadiusbymember(key, "Palermo", 200, km), ["Palermo", "Catania"])
          assert.deepStrictEqual(yield* Redis.georadiusbymemberRo(key, "Palermo", 100, km), ["Palermo"])
          const [, far] = yield* Redis.georadiusbymemberWith(key, "Palermo", 200, { ...km, withdist: true })
          assert.closeTo(far?.distance ?? 0, 166.274, 0.001)
          const [near] = yield* Redis.georadiusbymemberRoWith(key, "Palermo", 200, { ...km, withdist: true })
          assert.deepStrictEqual(near, { member: "Palermo", distance: 0, hash: undefined, coordinates: undefined })
          assert.strictEqual(yield* Redis.georadiusbymemberStore(key, "Palermo", 200, { ...km, store: stored }), 2)
          const unknown = yield* Effect.flip(Redis.georadiusbymember(key, "Rome", 200))
          assert.strictEqual(unknown._tag, "ResponseError")
        }))

      it.effect("searches circles and boxes, and stores them", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "GEOSEARCH")
          const [key, stored] = yield* freshSicily
          const circle = { fromlonlat: { longitude: 15, latitude: 37 }, byradius: { radius: 200, unit: "km" } } as const
          assert.deepStrictEqual(yield* Redis.geosearch(key, { ...circle, sort: "asc" }), ["Catania", "Palermo"])
          assert.strictEqual((yield* Redis.geosearch(key, { ...circle, count: 1, any: true })).length, 1)
          const box = { frommember: "Palermo", bybox: { width: 100, height: 100, unit: "km" } } as const
          assert.deepStrictEqual(yield* Redis.geosearch(key, box), ["Palermo"])
          const [found] = yield* Redis.geosearchWith(key, { ...circle, ...all, sort: "asc" })
          assert.closeTo(found?.distance ?? 0, 56.4413, 0.001)
          assert.strictEqual(found?.hash, 3479447370796909)
          assert.closeTo(found?.coordinates?.latitude ?? 0, 37.502669, 1e-5)
          assert.strictEqual(yield* Redis.geosearchstore(stored, key, { ...circle, storedist: true }), 2)
          assert.closeTo((yield* Redis.zscore(stored, "Catania")) ?? 0, 56.4413, 0.001)
          assert.strictEqual(yield* Redis.geosearchstore(stored, key, box), 1)
          assert.deepStrictEqual(yield* Redis.geosearch(freshKey(), circle), [])
        }))

      it.effect("searches polygons", (context) =>
        Effect.gen(function*() {
          // Areas of this kind came with Valkey 9, as this command did.
          yield* requireCommand(context, "DELIFEQ")
          const [key] = yield* freshSicily
          const bypolygon = [
            { longitude: 14.5, latitude: 37 },
            { longitude: 15.5, latitude: 37 },
            { longitude: 15.5, latitude: 38 },
            { longitude: 14.5, latitude: 38 }
          ]
          assert.deepStrictEqual(yield* Redis.geosearch(key, { bypolygon }), ["Catania"])
          const [found] = yield* Redis.geosearchWith(key, { bypolygon, ...all })
          assert.strictEqual(found?.hash, 3479447370796909)
        }))
    })
  })
}
