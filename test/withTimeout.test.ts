/**
 * Limits of single commands, on one server and on a cluster.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A client of servers that answer GET, and the times that they were asked. */
type Deployment = Effect.Effect<
  { readonly client: RedisClient.RedisClient["Service"]; readonly asked: () => number },
  RedisError.RedisError,
  Scope.Scope
>

const one: Deployment = Effect.gen(function*() {
  let asked = 0
  const node = yield* FakeNode.make(({ name }) => {
    if (name !== "GET") return undefined
    asked++
    return Encode.bulk("v")
  })
  return { client: yield* Client.make(node), asked: () => asked }
})

const cluster: Deployment = Effect.gen(function*() {
  const { a, b, c, cluster } = yield* FakeCluster.make()
  const { client } = yield* FakeCluster.client(cluster)
  return { client, asked: () => FakeCluster.log(a, b, c).filter((line) => line.includes(" GET ")).length }
})

describe("Redis.withTimeout", () => {
  it.live.each([["one server", one], ["a cluster", cluster]] as const)(
    "a limit that is no duration is the failure of each command, in whatever it stands: %s",
    ([, deployment]) =>
      Effect.scoped(Effect.gen(function*() {
        const { asked, client } = yield* deployment
        const get = Redis.get("k")
        const uses: ReadonlyArray<Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>> = [
          get,
          Redis.pipeline([get]),
          Redis.transaction([get]),
          Redis.withConnection(get),
          Redis.withTimeout(get, "1 minute")
        ]
        // What types do not allow comes from programs without types.
        for (const limit of [{ minute: 5 }, "5 fortnights", Number.NaN]) {
          for (const used of uses.slice(0, 4)) {
            const error = yield* Effect.flip(Client.on(client)(Redis.withTimeout(used, limit as never)))
            assert.deepInclude(error, { _tag: "DataError", command: "GET" })
            assert.include(error.message, "the limit of Redis.withTimeout is ")
          }
        }
        assert.strictEqual(asked(), 0)
        yield* Client.on(client)(uses[4]!)
        assert.strictEqual(asked(), 1)
      }))
  )
})
