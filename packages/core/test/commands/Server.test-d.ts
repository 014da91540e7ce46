import type { RedisCommand } from "@redfx/core"
import { Redis } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Server", () => {
  it("what fails where it is not done is true", () => {
    expectTypeOf(Redis.bgsave()).toEqualTypeOf<RedisCommand.RedisCommand<true, true, true>>()
    expectTypeOf(Redis.bgrewriteaof()).toEqualTypeOf<RedisCommand.RedisCommand<true, true, true>>()
    expectTypeOf(Redis.reset()).toEqualTypeOf<RedisCommand.RedisCommand<true, true, true>>()
  })

  it("takes exclusive choices one at a time", () => {
    // @ts-expect-error ASYNC and SYNC exclude each other
    void Redis.flushall({ async: true, sync: true })
    // @ts-expect-error SCHEDULE and CANCEL exclude each other
    void Redis.bgsave({ schedule: true, cancel: true })
    // @ts-expect-error SAVE and NOSAVE exclude each other
    void Redis.shutdown({ save: true, nosave: true })
    // @ts-expect-error a command list has one filter
    void Redis.commandList({ pattern: "a", aclcat: "read" })
  })

  it("takes a host with its port", () => {
    void Redis.replicaof()
    void Redis.replicaof("h", 1)
    // @ts-expect-error a host needs a port
    void Redis.replicaof("h")
    // @ts-expect-error a parameter needs a value
    void Redis.configSet("maxmemory")
  })

  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.shutdown>>>().toEqualTypeOf<void>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.time>>>()
      .toEqualTypeOf<{ readonly seconds: number; readonly microseconds: number }>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.configGet>>>()
      .toEqualTypeOf<Readonly<Record<string, string>>>()
    // What may be left out is an empty list of the same type, and no list of nothing beside it.
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.moduleList>>[number]["args"]>()
      .toEqualTypeOf<ReadonlyArray<string>>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.xpending>>["consumers"]>()
      .toEqualTypeOf<ReadonlyArray<{ readonly name: string; readonly pending: number }>>()
  })
})
