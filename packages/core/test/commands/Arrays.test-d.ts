import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Arrays", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.armget>>>().toEqualTypeOf<
      ReadonlyArray<string | undefined>
    >()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.argrepWithValues>>>().toEqualTypeOf<
      ReadonlyArray<{ readonly index: number; readonly value: string }>
    >()
    const bytes = Redis.asBytes(Redis.arscan("k", 0, 1))
    expectTypeOf<RedisCommand.Success<typeof bytes>>().toEqualTypeOf<
      ReadonlyArray<{ readonly index: number; readonly value: Uint8Array }>
    >()
    const exact = Redis.asBigInt(Redis.arnext("k"))
    expectTypeOf<RedisCommand.Success<typeof exact>>().toEqualTypeOf<bigint | undefined>()
  })

  it("refuses what excludes each other", () => {
    // @ts-expect-error one predicate is one comparison
    void Redis.argrep("k", { exact: "a", glob: "b" })
    // @ts-expect-error a predicate compares
    void Redis.argrep("k", {})
    // @ts-expect-error bits have a reply type of their own
    void Redis.arop("k", 0, 1, "and")
  })
})
