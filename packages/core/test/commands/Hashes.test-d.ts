import type { RedisCommand } from "@redfx/core"
import { Redis } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Hashes", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.hget>>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.hgetall>>>()
      .toEqualTypeOf<Readonly<Record<string, string>>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.hset>>>().toEqualTypeOf<number>()
  })

  it("takes a field and a value, pairs, or both", () => {
    void Redis.hset("h", "f", "v")
    void Redis.hset("h", { f: "v" })
    void Redis.hset("h", [["f", "v"]])
    void Redis.hset("h", "f", "v", { g: "w" })
    interface User {
      readonly name: string
      readonly age: number
    }
    const user: User = { name: "Ada", age: 36 }
    expectTypeOf(Redis.hset("h", user)).toEqualTypeOf<RedisCommand.RedisCommand<number, number, bigint>>()
    interface Team {
      readonly members: ReadonlyArray<string>
    }
    const team: Team = { members: [] }
    // @ts-expect-error a list is nothing that a field can hold
    void Redis.hset("h", team)
    // @ts-expect-error bytes are no fields
    void Redis.hset("h", new Uint8Array())
    // @ts-expect-error a field needs a value
    void Redis.hset("h", "f")
    // @ts-expect-error nothing to set
    void Redis.hset("h")
  })

  it("takes one condition", () => {
    void Redis.hexpire("h", 1, "f", { nx: true })
    void Redis.hexpire("h", 1, "f", { nx: undefined })
    // @ts-expect-error NX and XX exclude each other
    void Redis.hexpire("h", 1, "f", { nx: true, xx: true })
    // @ts-expect-error GT and LT exclude each other
    void Redis.hpexpireat("h", 1, "f", { gt: true, lt: true })
  })

  it("takes one time to live", () => {
    void Redis.hgetex("h", "f", { ex: 1 })
    void Redis.hgetex("h", "f", { persist: true })
    // @ts-expect-error EX and PX exclude each other
    void Redis.hgetex("h", "f", { ex: 1, px: 1 })
    // @ts-expect-error EX and PERSIST exclude each other
    void Redis.hgetex("h", "f", { ex: 1, persist: true })
    void Redis.hsetex("h", { f: "v" }, { pxat: 1, fnx: true, xx: true })
    // @ts-expect-error KEEPTTL and EX exclude each other
    void Redis.hsetex("h", { f: "v" }, { keepttl: true, ex: 1 })
    // @ts-expect-error FNX and FXX exclude each other
    void Redis.hsetex("h", { f: "v" }, { fnx: true, fxx: true })
    // @ts-expect-error NX and XX exclude each other
    void Redis.hsetex("h", { f: "v" }, { nx: true, xx: true })
  })
})
