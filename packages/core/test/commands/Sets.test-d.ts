import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Sets", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.smembers>>>().toEqualTypeOf<ReadonlySet<string>>()
    const bytes = Redis.asBytes(Redis.smembers("k"))
    expectTypeOf<RedisCommand.Success<typeof bytes>>().toEqualTypeOf<ReadonlyArray<Uint8Array>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.spop>>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.spopCount>>>().toEqualTypeOf<ReadonlyArray<string>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.smismember>>>().toEqualTypeOf<ReadonlyArray<boolean>>()
  })

  it("refuses what cannot be sent", () => {
    // @ts-expect-error a count has a reply type of its own
    void Redis.spop("k", 2)
    // @ts-expect-error not a member
    void Redis.sadd("k", { a: 1 })
    // @ts-expect-error no such option
    void Redis.sscan("k", 0, { type: "string" })
  })
})
