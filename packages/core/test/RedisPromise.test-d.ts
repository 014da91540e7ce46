import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisPromise } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import type * as Effect from "effect/Effect"
import { describe, expectTypeOf, it } from "vitest"

const redis = RedisPromise.make(NodeRedisClient.layer())

describe("RedisPromise types", () => {
  it("methods have the parameters and values of the commands", () => {
    expectTypeOf(redis.get).toEqualTypeOf<(key: string | Uint8Array) => Promise<string | undefined>>()
    expectTypeOf(redis.hgetall("h")).resolves.toEqualTypeOf<Readonly<Record<string, string>>>()
    // @ts-expect-error a bare object is no value
    void redis.set("k", { a: 1 })
    // @ts-expect-error a combination that Redis does not have
    void redis.set("k", "v", { nx: true, xx: true })
  })

  it("the fields of a hash may be an object whose type is an interface", () => {
    interface User {
      readonly name: string
      readonly age: number
    }
    const user: User = { name: "Ann", age: 42 }
    expectTypeOf(redis.hset("user:1", user)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(redis.hset("user:1", "name", "Ann", { age: 42 })).toEqualTypeOf<Promise<number>>()
    interface Active {
      readonly active: boolean
    }
    // @ts-expect-error a field that cannot be sent
    void redis.hset("user:1", { active: true } as Active)
  })

  it("a client with a limit or a signal is a client like it", () => {
    const { signal } = new AbortController()
    expectTypeOf(redis.withTimeout("50 millis")).toEqualTypeOf(redis)
    expectTypeOf(redis.withSignal(signal).withTimeout(50).get("k")).resolves.toEqualTypeOf<string | undefined>()
    // @ts-expect-error a text without a unit is no time
    void redis.withTimeout("50")
  })

  it("pipelines and transactions keep the indexes of their commands", () => {
    expectTypeOf(redis.pipeline([Redis.incr("n"), Redis.get("k")])).resolves.toEqualTypeOf<
      readonly [number, string | undefined]
    >()
    expectTypeOf(redis.transaction({ n: Redis.incr("n") })).resolves.toEqualTypeOf<{ readonly n: number }>()
  })

  it("effects may need what the Layer has besides the client, and nothing else", () => {
    const cluster = RedisPromise.make(NodeRedisClient.layerCluster({ nodes: [{ host: "h" }] }))
    expectTypeOf(cluster.run(RedisCluster.perNode(Redis.dbsize()))).resolves.toEqualTypeOf<
      ReadonlyMap<string, number>
    >()
    expectTypeOf<Parameters<typeof cluster.run>[0]>().toEqualTypeOf<
      Effect.Effect<unknown, unknown, RedisClient.RedisClient | RedisCluster.RedisCluster>
    >()
  })
})
