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

  it("takes objects whose types are interfaces", () => {
    interface Address {
      readonly street: string
      readonly zip?: number
    }
    interface User {
      readonly name: string
      readonly addresses: ReadonlyArray<Address>
      readonly friend?: User | null
    }
    const user: User = { name: "Ann", addresses: [{ street: "Elm" }] }
    expectTypeOf<Success<ReturnType<typeof Json.jsonSet>>>().toEqualTypeOf<boolean>()
    void Json.jsonSet("k", "$", user, { nx: true })
    void Json.jsonSet("k", "$", [user])
    void Json.jsonMerge("k", "$", { user, n: 1 })
    void Json.jsonArrappend("k", "$.users", [user, user])
    const wrapped = <T extends Json.Json>(value: T) => Json.jsonSet("k", "$", value)
    void wrapped({ a: [1, null] })
    interface Dated {
      readonly at: Date
    }
    const dated: Dated = { at: new Date() }
    // @ts-expect-error JSON has no dates.
    void Json.jsonSet("k", "$", dated)
    // @ts-expect-error Nor maps.
    void Json.jsonMerge("k", "$", new Map())
    // @ts-expect-error Nor bigints.
    void Json.jsonArrappend("k", "$", [{ n: 1n }])
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
