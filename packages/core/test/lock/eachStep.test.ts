/**
 * Callers of locks, semaphores and limits who are interrupted at each of their steps, on a real server: nothing of them is left.
 */
import { describe, layer } from "@effect/vitest"
import { Redis, RedisLeader, RedisLock, RedisRateLimiter, RedisSemaphore } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import type { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { leavesNothing } from "@redfx/testing/Interrupted"
import type { Composite } from "@redfx/testing/Interrupted"
import { freshKey, until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

type Needs = RedisClient.RedisClient | RedisServer.RedisServer | Scope.Scope

/** What is left behind holds for so long, which nobody here has the time to wait for. */
const long = "10 minutes"

const absent = (key: string) => until(Redis.exists(key), (count) => count === 0)

const composites: Record<string, Effect.Effect<Composite, unknown, Needs>> = {
  "a lock": Effect.sync(() => {
    const lock = RedisLock.make(freshKey("lock"), { ttl: long, autoExtend: true })
    return { run: lock.withLock(Redis.ping()), left: absent(lock.name) }
  }),
  "a lock with fencing in a scope": Effect.sync(() => {
    const lock = RedisLock.make(freshKey("lock"), { ttl: long, fencing: true, autoExtend: true })
    return { run: Effect.scoped(Effect.andThen(lock.scoped, Redis.ping())), left: absent(lock.name) }
  }),
  "a lock that several want": Effect.sync(() => {
    const lock = RedisLock.make(freshKey("lock"), { ttl: long, retryInterval: "5 millis" })
    const visit = lock.withLock(Redis.ping())
    return { run: Effect.all([visit, visit, visit], { concurrency: "unbounded" }), left: absent(lock.name) }
  }),
  "a semaphore": Effect.sync(() => {
    const semaphore = RedisSemaphore.make(freshKey("semaphore"), { permits: 2, ttl: long, retryInterval: "5 millis" })
    const visit = semaphore.withPermit(Redis.ping())
    return {
      run: Effect.all([visit, visit, visit], { concurrency: "unbounded" }),
      left: until(semaphore.available, (permits) => permits === 2)
    }
  }),
  "a leader": Effect.sync(() => {
    const election = RedisLeader.make(freshKey("leader"), { ttl: long })
    return { run: election.run(Redis.ping()), left: absent(election.name) }
  }),
  "a rate limit that is waited for": Effect.sync(() => {
    const limiter = RedisRateLimiter.tokenBucket(freshKey("limit"), { capacity: 1, every: "3 millis" })
    return { run: Effect.andThen(limiter.acquire("a"), limiter.acquire("a")) }
  })
}

describe("A caller who is interrupted at any step", () => {
  layer(Client.live(3), { excludeTestServices: true })((it) => {
    for (const [name, composite] of Object.entries(composites)) {
      it.effect(`of ${name} leaves nothing behind`, () => Effect.scoped(leavesNothing(composite)))
    }
  })
})
