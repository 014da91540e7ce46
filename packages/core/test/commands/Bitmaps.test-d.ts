import type { RedisCommand } from "@redfx/core"
import { Redis } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Bitmaps types", () => {
  it("BIT-01: a range of BITCOUNT has both ends", () => {
    // @ts-expect-error no end
    void Redis.bitcount("k", { start: 0 })
    // @ts-expect-error no start
    void Redis.bitcount("k", { end: 0 })
    // @ts-expect-error a unit of nothing
    void Redis.bitcount("k", { unit: "bit" })
  })

  it("BIT-09: a range of BITPOS has a start", () => {
    void Redis.bitpos("k", 0, { start: 1 })
    // @ts-expect-error no start
    void Redis.bitpos("k", 0, { end: 1 })
    // @ts-expect-error a unit needs an end
    void Redis.bitpos("k", 0, { start: 1, unit: "bit" })
    // @ts-expect-error not a bit
    void Redis.bitpos("k", 2)
  })

  it("BIT-03: an encoding is signed or unsigned", () => {
    const none = Redis.bitfieldOperations()
    none.get("u8", "#1").set("i64", 8n, 1)
    // @ts-expect-error neither signed nor unsigned
    none.get("f8", 0)
    // @ts-expect-error not an offset
    none.get("u8", "1")
    // @ts-expect-error not a way to overflow
    none.overflow("clamp")
  })

  it("BITFIELD_RO takes reads only", () => {
    const reads = Redis.bitfieldOperations().get("u8", 0)
    void Redis.bitfieldRo("k", reads)
    void Redis.bitfield("k", reads)
    // @ts-expect-error a write
    void Redis.bitfieldRo("k", reads.set("u8", 0, 1))
    // @ts-expect-error a write
    void Redis.bitfieldRo("k", reads.incrby("u8", 0, 1).get("u8", 0))
  })

  it("says what commands succeed with", () => {
    const big = Redis.asBigInt(Redis.bitfield("k", Redis.bitfieldOperations()))
    expectTypeOf<RedisCommand.Success<typeof big>>().toEqualTypeOf<ReadonlyArray<bigint | undefined>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.getbit>>>().toEqualTypeOf<0 | 1>()
  })
})
