/**
 * Callers who are interrupted at each of their steps, on a real server: whatever they were at, nothing of it is left.
 */
import { assert, describe, layer } from "@effect/vitest"
import {
  Redis,
  RedisJobs,
  RedisKeyspace,
  RedisLeader,
  RedisLock,
  RedisRateLimiter,
  RedisSemaphore,
  RedisStream
} from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { atEachStep } from "@redfx/testing/Interrupted"
import { freshKey, until } from "@redfx/testing/Suite"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

type Needs = RedisClient.RedisClient | RedisServer.RedisServer | Scope.Scope

/** What is left behind holds for so long, which nobody here has the time to wait for. */
const long = "10 minutes"

interface Composite {
  readonly run: Effect.Effect<unknown, unknown, RedisClient.RedisClient>
  /** Looks with another client what is left. */
  readonly left?: Effect.Effect<unknown, unknown, RedisClient.RedisClient>
}

const absent = (key: string) => until(Redis.exists(key), (count) => count === 0)

const noChannel = (name: string) =>
  until(Redis.pubsubNumsub(name), (counts) => counts.every(({ subscribers }) => subscribers === 0))

/** Takes a connection that nobody has left in another state. */
const clean = Effect.gen(function*() {
  assert.include(yield* Redis.clientInfo(), { db: 0, multi: -1 })
})

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

const composites: Record<string, () => Effect.Effect<Composite, unknown, Needs>> = {
  "a lock": () =>
    Effect.sync(() => {
      const lock = RedisLock.make(freshKey("lock"), { ttl: long, autoExtend: true })
      return { run: lock.withLock(Redis.ping()), left: absent(lock.name) }
    }),
  "a lock with fencing in a scope": () =>
    Effect.sync(() => {
      const lock = RedisLock.make(freshKey("lock"), { ttl: long, fencing: true, autoExtend: true })
      return { run: Effect.scoped(Effect.andThen(lock.scoped, Redis.ping())), left: absent(lock.name) }
    }),
  "a lock that several want": () =>
    Effect.sync(() => {
      const lock = RedisLock.make(freshKey("lock"), { ttl: long, retryInterval: "5 millis" })
      const visit = lock.withLock(Redis.ping())
      return { run: Effect.all([visit, visit, visit], { concurrency: "unbounded" }), left: absent(lock.name) }
    }),
  "a semaphore": () =>
    Effect.sync(() => {
      const semaphore = RedisSemaphore.make(freshKey("semaphore"), { permits: 2, ttl: long, retryInterval: "5 millis" })
      const visit = semaphore.withPermit(Redis.ping())
      return {
        run: Effect.all([visit, visit, visit], { concurrency: "unbounded" }),
        left: until(semaphore.available, (permits) => permits === 2)
      }
    }),
  "a leader": () =>
    Effect.sync(() => {
      const election = RedisLeader.make(freshKey("leader"), { ttl: long })
      return { run: election.run(Redis.ping()), left: absent(election.name) }
    }),
  "a rate limit that is waited for": () =>
    Effect.sync(() => {
      const limiter = RedisRateLimiter.tokenBucket(freshKey("limit"), { capacity: 1, every: "3 millis" })
      return { run: Effect.andThen(limiter.acquire("a"), limiter.acquire("a")) }
    }),
  "a transaction": () => Effect.sync(() => ({ run: Redis.transaction([Redis.incr(freshKey()), Redis.ping()]) })),
  "a watch": () =>
    Effect.sync(() => {
      const key = freshKey()
      return { run: Redis.watch(key, Effect.as(clean, [Redis.incr(key)])) }
    }),
  "a session": () =>
    Effect.sync(() => ({
      run: Redis.withConnection(Effect.gen(function*() {
        yield* clean
        yield* Redis.select(1)
        yield* Redis.send("MULTI")
      }))
    })),
  "sessions of a full pool": () =>
    Effect.sync(() => {
      const session = Redis.withConnection(Effect.andThen(clean, Redis.select(1)))
      return { run: Effect.all([session, session, session], { concurrency: "unbounded" }) }
    }),
  "a blocking command": () =>
    Effect.sync(() => {
      const list = freshKey("list")
      return { run: Effect.andThen(Redis.rpush(list, ["a"]), Redis.blpop(list, "1 second")), left: Redis.del(list) }
    }),
  "a subscription": () =>
    Effect.map(Client.another, (other) => {
      const channel = freshKey("news")
      const publish = Effect.forever(Effect.delay(Client.on(other)(Redis.publish(channel, "x")), 1))
      return {
        run: Effect.raceFirst(Stream.runHead(Redis.subscribe(channel)), publish),
        left: noChannel(channel)
      }
    }),
  "handles of subscriptions": () =>
    Effect.sync(() => {
      const [a, b] = [freshKey("a"), freshKey("b")]
      return {
        run: Effect.scoped(Effect.gen(function*() {
          const handle = yield* Redis.pubsub()
          yield* handle.subscribe(a, b)
          yield* handle.unsubscribe(a)
        })),
        left: Effect.andThen(noChannel(a), noChannel(b))
      }
    }),
  "a cache of a keyspace": () =>
    Effect.gen(function*() {
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
  "a consumer of a stream": () =>
    Effect.sync(() => {
      const stream = freshKey("stream")
      const options = { stream, group: "g", consumer: "one", createGroup: "0", block: "1 second" } as const
      return {
        run: untilHandled(Redis.xadd(stream, { n: 1 }), (handler) => RedisStream.consume(options, handler))
      }
    }),
  "a worker of jobs": () =>
    Effect.sync(() => {
      const jobs = RedisJobs.make(freshKey("jobs"), { payload: Schema.String })
      return {
        run: untilHandled(jobs.enqueue("a"), (handler) =>
          jobs.run({ worker: "one", claimIdle: "1 second", pollInterval: "1 second" }, handler))
      }
    })
}

describe("A caller who is interrupted at any step", () => {
  layer(Client.live(3), { excludeTestServices: true })((it) => {
    for (const [name, make] of Object.entries(composites)) {
      it.effect(`of ${name} leaves nothing behind`, () =>
        Effect.scoped(Effect.gen(function*() {
          const server = yield* RedisServer.RedisServer
          const client = yield* Client.make(server, { pool: { shared: 1, max: 2 } })
          const { left = Effect.void, run } = yield* Client.on(client)(make())
          const on = Client.on(client)
          // Opens the connections.
          yield* on(run)
          yield* atEachStep(on(run), (exit, at) =>
            Effect.gen(function*() {
              if (Exit.isFailure(exit)) assert.isTrue(Exit.hasInterrupts(exit), `${at}: ${String(exit.cause)}`)
              yield* left
              yield* on(run)
              yield* until(
                client.stats,
                (stats) => stats.inFlight === 0 && stats.waiting === 0 && stats.exclusive === stats.exclusiveIdle
              )
            }).pipe(Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die(new Error(at)) })))
        })))
    }
  })
})
