import type { RedisCommand } from "@redfx/core"
import { Redis } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

type Success<C> = RedisCommand.Success<C>

describe("Generic types", () => {
  it("EXPIRE takes conditions that can hold together", () => {
    void Redis.expire("k", 1, { xx: true, gt: true })
    void Redis.expireat("k", 1, { xx: true, lt: true })
    // @ts-expect-error never true together
    void Redis.expire("k", 1, { nx: true, xx: true })
    // @ts-expect-error refused by servers
    void Redis.pexpire("k", 1, { nx: true, gt: true })
    // @ts-expect-error never true together
    void Redis.pexpireat("k", 1, { gt: true, lt: true })
  })

  it("KEY-07: MIGRATE takes a password, or a user with a password", () => {
    // @ts-expect-error both
    void Redis.migrate("h", 1, "k", 0, 1, { auth: "p", auth2: { username: "u", password: "p" } })
    // @ts-expect-error a user without a password
    void Redis.migrate("h", 1, "k", 0, 1, { auth2: { username: "u" } })
  })

  it("KEY-18: RESTORE takes an idle time or a frequency, and bytes", () => {
    // @ts-expect-error both
    void Redis.restore("k", 0, new Uint8Array(), { idletime: 1, freq: 1 })
    // @ts-expect-error not bytes
    void Redis.restore("k", 0, "v")
  })

  it("KEY-21: SORT takes both halves of a limit", () => {
    // @ts-expect-error no count
    void Redis.sort("k", { limit: { offset: 0 } })
    // @ts-expect-error no offset
    void Redis.sort("k", { limit: { count: 1 } })
  })

  it("KEY-21: SORT in groups takes two patterns at least", () => {
    // @ts-expect-error no patterns
    void Redis.sortGroups("k", {})
    // @ts-expect-error one pattern
    void Redis.sortGroups("k", { get: ["#"] })
    // @ts-expect-error one pattern
    void Redis.sortRoGroups("k", { get: "#" })
  })

  it("KEY-19: a cursor is text", () => {
    expectTypeOf<Success<ReturnType<typeof Redis.scan>>["cursor"]>().toEqualTypeOf<string>()
    // @ts-expect-error a number
    void Redis.scan(0)
  })

  it("says what commands succeed with", () => {
    const groups = Redis.sortGroups("k", { get: ["#", "a_*", "b_*"] })
    expectTypeOf<Success<typeof groups>>().toEqualTypeOf<
      ReadonlyArray<readonly [string | undefined, string | undefined, string | undefined]>
    >()
    const bytes = Redis.asBytes(groups)
    expectTypeOf<Success<typeof bytes>[number][0]>().toEqualTypeOf<Uint8Array | undefined>()
    expectTypeOf<Success<ReturnType<typeof Redis.dump>>>().toEqualTypeOf<Uint8Array | undefined>()
    expectTypeOf<Success<ReturnType<typeof Redis.migrate>>>().toEqualTypeOf<"OK" | "NOKEY">()
    expectTypeOf(Redis.delete).toEqualTypeOf(Redis.del)
  })
})
