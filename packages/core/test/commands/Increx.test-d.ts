import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Increx", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.increx>>>().toEqualTypeOf<
      { readonly value: number | undefined; readonly increment: number }
    >()
    const exact = Redis.asBigInt(Redis.increx("k"))
    expectTypeOf<RedisCommand.Success<typeof exact>>().toEqualTypeOf<
      { readonly value: bigint | undefined; readonly increment: bigint }
    >()
  })

  it("refuses what excludes each other", () => {
    // @ts-expect-error two times
    void Redis.increx("k", { ex: 1, px: 1 })
    // @ts-expect-error a time, and no limit
    void Redis.increx("k", { ex: 1, persist: true })
    // @ts-expect-error only if there is none, and no limit
    void Redis.increx("k", { persist: true, enx: true })
    // @ts-expect-error both conditions
    void Redis.increx("k", { nx: true, xx: true })
    // @ts-expect-error a fraction is no bigint
    void Redis.increxByfloat("k", 1n)
  })
})
