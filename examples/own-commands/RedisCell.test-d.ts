import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { expectTypeOf, it } from "vitest"
import { clThrottle } from "./RedisCell.ts"

it("types the reply in every view, and what it needs", () => {
  const command = clThrottle("k", { burst: 1, count: 1, period: 1 })
  expectTypeOf<RedisCommand.Success<typeof command>>().toEqualTypeOf<{
    readonly limited: boolean
    readonly limit: number
    readonly remaining: number
    readonly retryAfter: number
    readonly resetAfter: number
  }>()
  const exact = Redis.asBigInt(command)
  expectTypeOf<RedisCommand.Success<typeof exact>["remaining"]>().toEqualTypeOf<bigint>()
  // @ts-expect-error a limit needs a time
  void clThrottle("k", { burst: 1, count: 1 })
})
