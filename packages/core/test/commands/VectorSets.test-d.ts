import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("VectorSets", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.vsimWithScores>>>()
      .toEqualTypeOf<ReadonlyArray<Redis.ScoredElement>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.vemb>>>()
      .toEqualTypeOf<ReadonlyArray<number> | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.vlinks>>>()
      .toEqualTypeOf<ReadonlyArray<ReadonlyArray<string>> | undefined>()
  })

  it("refuses options that exclude each other", () => {
    // @ts-expect-error an element and a vector
    void Redis.vsim("k", { ele: "a", vector: [1] })
    // @ts-expect-error neither
    void Redis.vsim("k", {})
    // @ts-expect-error no such quantization
    void Redis.vadd("k", [1], "a", { quantization: "q4" })
    // @ts-expect-error scores have a reply type of their own
    void Redis.vsim("k", { ele: "a" }, { withscores: true })
  })
})
