import type { RedisCommand } from "@redfx/core"
import { Redis, RedisJson as Json } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

type Success<C extends RedisCommand.Any> = RedisCommand.Success<C>

describe("Json", () => {
  it("types sums in each view", () => {
    const sums = Json.jsonNumincrby("k", "$.a", 1)
    expectTypeOf<Success<typeof sums>>().toEqualTypeOf<ReadonlyArray<number | null>>()
    const exact = Redis.asBigInt(sums)
    expectTypeOf<Success<typeof exact>>().toEqualTypeOf<ReadonlyArray<number | bigint | null>>()
  })

  it("types names and counts of places", () => {
    const names = Json.jsonObjkeys("k")
    expectTypeOf<Success<typeof names>>().toEqualTypeOf<ReadonlyArray<ReadonlyArray<string> | undefined>>()
    const bytes = Redis.asBytes(names)
    expectTypeOf<Success<typeof bytes>>().toEqualTypeOf<ReadonlyArray<ReadonlyArray<Uint8Array> | undefined>>()
    const lengths = Json.jsonArrlen("k")
    expectTypeOf<Success<typeof lengths>>().toEqualTypeOf<ReadonlyArray<number | undefined>>()
  })

  it("refuses options that do not go together", () => {
    // @ts-expect-error Either what is new or what is there.
    void Json.jsonSet("k", "$", 1, { nx: true, xx: true })
    // @ts-expect-error There is no such kind of number.
    void Json.jsonSet("k", "$", 1, { fpha: "fp8" })
    // @ts-expect-error A path is needed.
    void Json.jsonGetExpanded("k")
    // @ts-expect-error JSON has no text for it.
    void Json.jsonSet("k", "$", 1n)
  })
})
