import type { RedisCommand } from "@redfx/core"
import { Redis } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

type Success<C> = RedisCommand.Success<C>

describe("Strings types", () => {
  it("STR-14: SET takes one time to live", () => {
    void Redis.set("k", "v", {})
    void Redis.set("k", "v", { ex: 1, nx: true })
    void Redis.set("k", "v", { keepttl: true, ifeq: "o" })
    // @ts-expect-error two times to live
    void Redis.set("k", "v", { ex: 1, px: 1 })
    // @ts-expect-error two times to live
    void Redis.set("k", "v", { ex: 1, exat: 1 })
    // @ts-expect-error two times to live
    void Redis.set("k", "v", { exat: 1, pxat: 1 })
    // @ts-expect-error a time to live, and to keep it
    void Redis.set("k", "v", { ex: 1, keepttl: true })
    // @ts-expect-error a time to live, and to keep it
    void Redis.set("k", "v", { pxat: 1, keepttl: true })
    // @ts-expect-error not an option of SET
    void Redis.set("k", "v", { persist: true })
  })

  it("STR-14: SET takes one condition", () => {
    // @ts-expect-error two conditions
    void Redis.set("k", "v", { nx: true, xx: true })
    // @ts-expect-error two conditions
    void Redis.set("k", "v", { nx: true, ifeq: "o" })
    // @ts-expect-error two conditions
    void Redis.set("k", "v", { ifeq: "o", ifne: "p" })
    // @ts-expect-error two conditions
    void Redis.setGet("k", "v", { ifdeq: "o", ifdne: "p" })
    // @ts-expect-error two conditions
    void Redis.delex("k", { ifdeq: "o", ifne: "p" })
    // @ts-expect-error DELEX has no condition on existence
    void Redis.delex("k", { nx: true })
    // @ts-expect-error two conditions
    void Redis.msetex({ k: "v" }, { nx: true, xx: true })
    // @ts-expect-error MSETEX has no comparison
    void Redis.msetex({ k: "v" }, { ifeq: "o" })
  })

  it("GETEX takes one time to live, or to take it away", () => {
    // @ts-expect-error a time to live, and to take it away
    void Redis.getex("k", { ex: 1, persist: true })
    // @ts-expect-error not an option of GETEX
    void Redis.getex("k", { keepttl: true })
  })

  it("refuses values that cannot be sent", () => {
    // @ts-expect-error a boolean
    void Redis.set("k", true)
    // @ts-expect-error undefined
    void Redis.set("k", undefined)
    // @ts-expect-error a record with a boolean
    void Redis.mset({ k: false })
  })

  it("says what commands succeed with", () => {
    expectTypeOf<Success<ReturnType<typeof Redis.set>>>().toEqualTypeOf<boolean>()
    expectTypeOf<Success<ReturnType<typeof Redis.setGet>>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Success<ReturnType<typeof Redis.mget>>>().toEqualTypeOf<ReadonlyArray<string | undefined>>()
    const bytes = Redis.asBytes(Redis.mget("k"))
    expectTypeOf<Success<typeof bytes>>().toEqualTypeOf<ReadonlyArray<Uint8Array | undefined>>()
    const sum = Redis.asBigInt(Redis.incr("k"))
    expectTypeOf<Success<typeof sum>>().toEqualTypeOf<bigint>()
    expectTypeOf<Success<ReturnType<typeof Redis.lcsIdx>>["matches"][number]["key1"]>().toEqualTypeOf<{
      readonly start: number
      readonly end: number
    }>()
  })
})
