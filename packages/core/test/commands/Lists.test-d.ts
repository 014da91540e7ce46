import type { RedisCommand } from "@redfx/core"
import { Redis } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Lists", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.lpop>>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.lpopCount>>>()
      .toEqualTypeOf<ReadonlyArray<string> | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.blpop>>>()
      .toEqualTypeOf<{ readonly key: string; readonly value: string } | undefined>()
  })

  it("takes the ends and places there are", () => {
    void Redis.lmove("a", "b", "left", "right")
    // @ts-expect-error no such end
    void Redis.lmove("a", "b", "left", "middle")
    // @ts-expect-error no such place
    void Redis.linsert("a", "between", "b", "c")
    // @ts-expect-error COUNT has a reply type of its own
    void Redis.lpos("a", "b", { count: 1 })
  })
})
