import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

interface Scored {
  readonly member: string
  readonly score: number
}

describe("SortedSets", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.zrangeWithScores>>>()
      .toEqualTypeOf<ReadonlyArray<Scored>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.zrange>>>().toEqualTypeOf<ReadonlyArray<string>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.zaddIncr>>>().toEqualTypeOf<number | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.bzpopmin>>>()
      .toEqualTypeOf<{ readonly key: string; readonly member: string; readonly score: number } | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.zmpop>>>()
      .toEqualTypeOf<{ readonly key: string; readonly members: ReadonlyArray<Scored> } | undefined>()
    const bytes = Redis.asBytes(Redis.zpopmin("k"))
    expectTypeOf<RedisCommand.Success<typeof bytes>>()
      .toEqualTypeOf<ReadonlyArray<{ readonly member: Uint8Array; readonly score: number }>>()
  })

  it("ZST-01: refuses conditions that exclude each other", () => {
    void Redis.zadd("k", { a: 1 }, { xx: true, lt: true, ch: true })
    // @ts-expect-error nx with xx
    void Redis.zadd("k", { a: 1 }, { nx: true, xx: true })
    // @ts-expect-error nx with gt
    void Redis.zadd("k", { a: 1 }, { nx: true, gt: true })
    // @ts-expect-error nx with lt
    void Redis.zadd("k", { a: 1 }, { nx: true, lt: true })
    // @ts-expect-error gt with lt
    void Redis.zadd("k", { a: 1 }, { gt: true, lt: true })
    // @ts-expect-error INCR has a reply type of its own
    void Redis.zadd("k", { a: 1 }, { incr: true })
    // @ts-expect-error the score written is the reply: CH has no meaning
    void Redis.zaddIncr("k", 1, "a", { ch: true })
    // @ts-expect-error a score is a number
    void Redis.zadd("k", { a: "1" })
  })

  it("ZST-10: refuses ranges that do not fit together", () => {
    void Redis.zrange("k", "(1", Infinity, { byscore: true, limit: { offset: 0, count: 1 } })
    void Redis.zrange("k", "[a", "+", { bylex: true, rev: true })
    // @ts-expect-error LIMIT without BYSCORE or BYLEX
    void Redis.zrange("k", 0, -1, { limit: { offset: 0, count: 1 } })
    // @ts-expect-error LIMIT without BYSCORE or BYLEX
    void Redis.zrange("k", 0, -1, { rev: true, limit: { offset: 0, count: 1 } })
    // @ts-expect-error both BYSCORE and BYLEX
    void Redis.zrange("k", "-", "+", { bylex: true, byscore: true })
    // @ts-expect-error bounds of scores are no ranks
    void Redis.zrange("k", "(1", 2)
    // @ts-expect-error bounds of text by score
    void Redis.zrange("k", "[a", "[b", { byscore: true })
    // @ts-expect-error ranks by text
    void Redis.zrange("k", 0, -1, { bylex: true })
    // @ts-expect-error half a limit
    void Redis.zrange("k", 0, 1, { byscore: true, limit: { offset: 1 } })
    // @ts-expect-error text has no scores to return
    void Redis.zrangeWithScores("k", "-", "+", { bylex: true })
    // @ts-expect-error LIMIT without BYSCORE or BYLEX
    void Redis.zrangestore("d", "k", 0, -1, { limit: { offset: 0, count: 1 } })
  })

  it("ZST-03, ZST-05: takes bounds of scores and of text", () => {
    const from: number = 3
    void Redis.zcount("k", `(${from}`, "+inf")
    // @ts-expect-error not a number
    void Redis.zcount("k", "(a", 1)
    // @ts-expect-error no bracket
    void Redis.zlexcount("k", "a", "+")
    // @ts-expect-error half a limit
    void Redis.zrangebyscore("k", 1, 2, { limit: { count: 1 } })
  })

  it("ZST-23, ZST-24: takes weights for all keys or none", () => {
    void Redis.zunionstore("d", [["k", 1], [Uint8Array.of(1), 2]])
    // @ts-expect-error a key without a weight beside one with
    void Redis.zunionstore("d", [["k", 1], "l"])
    // @ts-expect-error no such aggregate
    void Redis.zinterstore("d", ["k"], { aggregate: "avg" })
    // @ts-expect-error no such end
    void Redis.zmpop("k", "middle")
  })
})
