import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

const here = { longitude: 15, latitude: 37 }

describe("Geo", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.geosearch>>>().toEqualTypeOf<ReadonlyArray<string>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.geosearchWith>>>()
      .toEqualTypeOf<ReadonlyArray<Redis.GeoFound>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.geopos>>>()
      .toEqualTypeOf<ReadonlyArray<{ readonly longitude: number; readonly latitude: number } | undefined>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.georadiusStore>>>().toEqualTypeOf<number>()
    const big = Redis.asBigInt(Redis.georadiusWith("k", 1, 2, 3, { withhash: true }))
    expectTypeOf<RedisCommand.Success<typeof big>>().toEqualTypeOf<ReadonlyArray<Redis.GeoFound<string, bigint>>>()
  })

  it("GEO-01: refuses conditions that exclude each other", () => {
    // @ts-expect-error nx with xx
    void Redis.geoadd("k", [{ ...here, member: "a" }], { nx: true, xx: true })
    // @ts-expect-error no member
    void Redis.geoadd("k", [here])
  })

  it("GEO-05: refuses options that exclude each other", () => {
    // @ts-expect-error both destinations
    void Redis.georadiusStore("k", 1, 2, 3, { store: "a", storedist: "b" })
    // @ts-expect-error no destination
    void Redis.georadiusStore("k", 1, 2, 3, { unit: "km" })
    // @ts-expect-error what is stored is not returned
    void Redis.georadiusStore("k", 1, 2, 3, { store: "a", withdist: true })
    // @ts-expect-error a search that stores returns a number
    void Redis.georadius("k", 1, 2, 3, { store: "a" })
    // @ts-expect-error any without count
    void Redis.georadius("k", 1, 2, 3, { any: true })
    // @ts-expect-error no such unit
    void Redis.georadius("k", 1, 2, 3, { unit: "league" })
    // @ts-expect-error no such order
    void Redis.georadius("k", 1, 2, 3, { sort: "up" })
  })

  it("takes one centre and one area", () => {
    void Redis.geosearch("k", { fromlonlat: here, bybox: { width: 1, height: 2 } })
    // @ts-expect-error two centres
    void Redis.geosearch("k", { fromlonlat: here, frommember: "a", byradius: { radius: 1 } })
    // @ts-expect-error two areas
    void Redis.geosearch("k", { fromlonlat: here, byradius: { radius: 1 }, bybox: { width: 1, height: 2 } })
    // @ts-expect-error no centre
    void Redis.geosearch("k", { byradius: { radius: 1 } })
    // @ts-expect-error no area
    void Redis.geosearch("k", { frommember: "a" })
    // @ts-expect-error a polygon has no other centre
    void Redis.geosearch("k", { frommember: "a", bypolygon: [here, here, here] })
    // @ts-expect-error what is stored is not returned
    void Redis.geosearchstore("d", "k", { frommember: "a", byradius: { radius: 1 }, withdist: true })
  })
})
