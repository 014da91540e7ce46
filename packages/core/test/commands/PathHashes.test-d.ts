import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("PathHashes", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.phlongestWithValues>>>().toEqualTypeOf<
      { readonly path: string; readonly fields: Readonly<Record<string, string>> } | undefined
    >()
    const bytes = Redis.asBytes(Redis.phscan("k"))
    expectTypeOf<RedisCommand.Success<typeof bytes>>().toEqualTypeOf<
      { readonly cursor: string; readonly paths: ReadonlyArray<Uint8Array> }
    >()
  })

  it("refuses options that exclude each other", () => {
    // @ts-expect-error both conditions
    void Redis.phset("k", "a", { f: 1 }, { fnx: true, fxx: true })
    // @ts-expect-error to move several needs their order
    void Redis.lmovem("a", "b", "left", "left", { count: 2 })
    // @ts-expect-error up to so many, and exactly so many
    void Redis.lmovem("a", "b", "left", "left", { count: 2, exactly: 2, order: "obo" })
  })
})
