import { Redis } from "@redfx/core"
import type { RedisCommand, RedisReply } from "@redfx/core"
import type * as Duration from "effect/Duration"
import { describe, expectTypeOf, it } from "vitest"

describe("Streams", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.xadd>>>().toEqualTypeOf<string>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.xaddNomkstream>>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.xrange>>>()
      .toEqualTypeOf<ReadonlyArray<Redis.StreamEntry>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.xread>>>()
      .toEqualTypeOf<
        ReadonlyArray<{ readonly stream: string; readonly entries: ReadonlyArray<Redis.StreamEntry> }>
      >()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.xinfoConsumers>>>()
      .toEqualTypeOf<
        ReadonlyArray<
          {
            readonly name: string
            readonly pending: number
            readonly idle: Duration.Duration
            readonly inactive: Duration.Duration | undefined
          } & RedisReply.Extra
        >
      >()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.xdelex>>>().toEqualTypeOf<ReadonlyArray<-1 | 1 | 2>>()
  })

  it("XST-02: refuses options that exclude each other", () => {
    void Redis.xadd("s", { a: 1 }, { maxlen: 5, limit: 10 })
    // @ts-expect-error both thresholds
    void Redis.xadd("s", { a: 1 }, { maxlen: 5, minid: "1-0" })
    // @ts-expect-error LIMIT is for approximate trimming
    void Redis.xadd("s", { a: 1 }, { maxlen: 5, approximate: false, limit: 10 })
    // @ts-expect-error LIMIT without a threshold
    void Redis.xadd("s", { a: 1 }, { limit: 10 })
    // @ts-expect-error approximate without a threshold
    void Redis.xadd("s", { a: 1 }, { approximate: true })
    // @ts-expect-error NOMKSTREAM has a reply type of its own
    void Redis.xadd("s", { a: 1 }, { nomkstream: true })
    // @ts-expect-error repetitions are recognised for ids that the server makes
    void Redis.xadd("s", { a: 1 }, { idmp: { pid: "p", iid: "i" }, id: "1-0" })
    // @ts-expect-error both ways to recognise repetitions
    void Redis.xadd("s", { a: 1 }, { idmp: { pid: "p", iid: "i" }, idmpauto: "p" })
    // @ts-expect-error no such choice
    void Redis.xadd("s", { a: 1 }, { references: "all" })
  })

  it("XST-19: trims by one threshold", () => {
    // @ts-expect-error no threshold
    void Redis.xtrim("s", {})
    // @ts-expect-error both thresholds
    void Redis.xtrim("s", { maxlen: 5, minid: "1-0" })
    // @ts-expect-error LIMIT is for approximate trimming
    void Redis.xtrim("s", { minid: "1-0", approximate: false, limit: 10 })
  })

  it("XST-03: sets one idle time", () => {
    // @ts-expect-error idle and time
    void Redis.xclaim("s", "g", "c", 0, ["1-0"], { idle: 1, time: 2 })
    // @ts-expect-error JUSTID has a reply type of its own
    void Redis.xclaim("s", "g", "c", 0, ["1-0"], { justid: true })
    // @ts-expect-error needs something to set
    void Redis.xcfgset("s", {})
    // @ts-expect-error XST-14: ends and count are needed
    void Redis.xpendingRange("s", "g", "-", "+")
  })
})
