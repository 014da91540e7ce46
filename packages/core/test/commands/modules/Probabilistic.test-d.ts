import type { RedisCommand, RedisError } from "@redfx/core"
import { Redis, RedisBloom as Bloom } from "@redfx/core"
import type * as Result from "effect/Result"
import { describe, expectTypeOf, it } from "vitest"

type Success<C extends RedisCommand.Any> = RedisCommand.Success<C>
type Outcomes<A> = ReadonlyArray<Result.Result<A, RedisError.CommandError>>

describe("Probabilistic", () => {
  it("types what becomes of each item, in each view", () => {
    const added = Bloom.bfMadd("k", "a")
    expectTypeOf<Success<typeof added>>().toEqualTypeOf<Outcomes<boolean>>()
    const counts = Bloom.cmsIncrby("k", [["a", 1]])
    expectTypeOf<Success<typeof counts>>().toEqualTypeOf<Outcomes<number>>()
    const exact = Redis.asBigInt(counts)
    expectTypeOf<Success<typeof exact>>().toEqualTypeOf<Outcomes<bigint>>()
    const dropped = Redis.asBytes(Bloom.topkIncrby("k", [["a", 1]]))
    expectTypeOf<Success<typeof dropped>>().toEqualTypeOf<Outcomes<Uint8Array | undefined>>()
  })

  it("types one value of a filter", () => {
    const field = Bloom.bfInfoField("k", "expansion")
    expectTypeOf<Success<typeof field>>().toEqualTypeOf<number | undefined>()
    const exact = Redis.asBigInt(field)
    expectTypeOf<Success<typeof exact>>().toEqualTypeOf<bigint | undefined>()
    // @ts-expect-error There is no such value.
    void Bloom.bfInfoField("k", "name")
  })

  it("takes increments in an order", () => {
    // @ts-expect-error A record has names that look like numbers first.
    void Bloom.cmsIncrby("k", { a: 1 })
    // @ts-expect-error A record has names that look like numbers first.
    void Bloom.topkIncrby("k", { a: 1 })
  })
})
