import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Cluster", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.clusterNodes>>>()
      .toEqualTypeOf<ReadonlyArray<Redis.ClusterNode>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.clusterInfo>>>().toEqualTypeOf<Redis.ClusterInfo>()
  })

  it("SCC-26: takes one state of a slot", () => {
    void Redis.clusterSetslot(1, { stable: true })
    // @ts-expect-error two states
    void Redis.clusterSetslot(1, { importing: "a", node: "b" })
    // @ts-expect-error no state
    void Redis.clusterSetslot(1, {})
    // @ts-expect-error not stable is no state
    void Redis.clusterSetslot(1, { stable: false })
  })

  it("SCC-16, SCC-23: takes known words", () => {
    // @ts-expect-error no such failover
    void Redis.clusterFailover("later")
    // @ts-expect-error no such reset
    void Redis.clusterReset("medium")
  })
})
