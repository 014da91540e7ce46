/**
 * Caches, consumers and workers that are interrupted at each of their steps, on a real server: nothing of them is left.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisJobs, RedisKeyspace, RedisStream } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import type { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { leavesNothing } from "@redfx/testing/Interrupted"
import type { Composite } from "@redfx/testing/Interrupted"
import { freshKey } from "@redfx/testing/Suite"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

type Needs = RedisClient.RedisClient | RedisServer.RedisServer | Scope.Scope

/** What is left behind holds for so long, which nobody here has the time to wait for. */
const long = "10 minutes"

/** Runs a worker or a consumer until it has handled something, and ends it then. */
const untilHandled = <E, R, R2>(
  begin: Effect.Effect<unknown, E, R>,
  run: (handler: () => Effect.Effect<unknown>) => Effect.Effect<never, E, R2>
) =>
  Effect.gen(function*() {
    const handled = yield* Deferred.make<void>()
    yield* begin
    yield* Effect.raceFirst(run(() => Deferred.succeed(handled, undefined)), Deferred.await(handled))
  })

const composites: Record<string, Effect.Effect<Composite, unknown, Needs>> = {
  "a cache of a keyspace": Effect.gen(function*() {
    const key = freshKey("cached")
    const cache = yield* RedisKeyspace.makeCache({
      key: `${key}:*`,
      value: Schema.Int,
      load: () => Effect.as(Effect.yieldNow, Option.some(1)),
      ttl: long,
      // So long would a lease that is left keep others waiting.
      loadTimeout: long
    })
    return {
      run: Effect.gen(function*() {
        assert.deepStrictEqual(yield* cache.getOrLoad("1"), Option.some(1))
        yield* cache.del("1")
      })
    }
  }),
  "a consumer of a stream": Effect.sync(() => {
    const stream = freshKey("stream")
    const options = { stream, group: "g", consumer: "one", createGroup: "0", block: "1 second" } as const
    return {
      run: untilHandled(Redis.xadd(stream, { n: 1 }), (handler) => RedisStream.consume(options, handler))
    }
  }),
  "a worker of jobs": Effect.sync(() => {
    const jobs = RedisJobs.make(freshKey("jobs"), { payload: Schema.String })
    return {
      run: untilHandled(
        jobs.enqueue("a"),
        (handler) => jobs.run({ worker: "one", claimIdle: "1 second", pollInterval: "1 second" }, handler)
      )
    }
  })
}

describe("A caller who is interrupted at any step", () => {
  layer(Client.live(3), { excludeTestServices: true })((it) => {
    for (const [name, composite] of Object.entries(composites)) {
      it.effect(`of ${name} leaves nothing behind`, () => Effect.scoped(leavesNothing(composite)))
    }
  })
})
