import { assert, describe, it } from "@effect/vitest"
import {
  Redis,
  RedisChannel,
  RedisJobs,
  RedisKeyspace,
  RedisKeyValueStore,
  RedisLeader,
  RedisLock,
  RedisPersistence,
  RedisPrefix,
  RedisRateLimiter,
  RedisScript,
  RedisSemaphore,
  RedisStream,
  RedisTelemetry,
  RedisUrl
} from "@redfx/core"
import type { RedisArg, RedisCommand } from "@redfx/core"
import { RedisClient } from "@redfx/core/RedisClient"
import { DataError } from "@redfx/core/RedisError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** A client that runs what needs no server, and to which nothing may be sent. */
const unused = {
  execute: (command: RedisCommand.Any) => command.settled ?? Effect.die(`${command.spec.name} was sent`),
  events: Stream.never
} as unknown as RedisClient["Service"]

/** The error of an effect that sends nothing. */
const refusal = (effect: Effect.Effect<unknown, unknown, RedisClient | Scope.Scope>) =>
  Effect.flip(Effect.scoped(effect)).pipe(Effect.provideService(RedisClient, unused))

type Made = Effect.Effect<unknown, unknown, RedisClient | Scope.Scope>

const value = Schema.String
const member = { stream: "s", group: "g", consumer: "c" } as const
const jobs = RedisJobs.make("jobs", { payload: value })
const semaphore = { permits: 1, ttl: "1 second" } as const
const cache = { key: "c:*", value, ttl: "1 second", load: () => Effect.succeed(Option.some("v")) } as const
const limiter = RedisRateLimiter.tokenBucket("limit", { capacity: 1, every: "1 second" })

/** All that is done with a cache. */
const uses = (made: ReturnType<typeof RedisKeyspace.makeCache<string>>): ReadonlyArray<Made> => [
  Effect.flatMap(made, (cache) => cache.get("1")),
  Effect.flatMap(made, (cache) => cache.getOrLoad("1")),
  Effect.flatMap(made, (cache) => cache.set("1", "v")),
  Effect.flatMap(made, (cache) => cache.del("1"))
]

/** What programs give a time to, the option, and what is made. `time` is whatever a program without types gives. */
type Row = readonly [of: string, option: string, make: (time: never) => Made | ReadonlyArray<Made>]

const lives: ReadonlyArray<Row> = [
  ["RedisLock.make", "ttl", (ttl) => RedisLock.make("l", { ttl }).tryAcquire],
  ["RedisLock.make", "ttl", (ttl) => RedisLock.make("l", { ttl, fencing: true }).acquire],
  ["RedisLock.make", "ttl", (ttl) => RedisLock.make("l", { ttl }).scoped],
  ["RedisLock.make", "ttl", (ttl) => RedisLock.make("l", { ttl }).withLock(Effect.void)],
  ["RedisSemaphore.make", "ttl", (ttl) => RedisSemaphore.make("s", { ...semaphore, ttl }).withPermit(Effect.void)],
  ["RedisLeader.make", "ttl", (ttl) => RedisLeader.make("e", { ttl }).run(Effect.void)],
  ["RedisKeyspace", "ttl", (ttl) => RedisKeyspace.make({ key: "k:*", value: Schema.String, ttl }).set("1", "v")],
  ["RedisKeyspace.makeCache", "ttl", (ttl) => uses(RedisKeyspace.makeCache<string>({ ...cache, ttl }))],
  ["RedisKeyspace.makeCache", "local", (local) => uses(RedisKeyspace.makeCache<string>({ ...cache, local }))],
  [
    "RedisKeyspace.makeCache",
    "loadTimeout",
    (loadTimeout) => uses(RedisKeyspace.makeCache<string>({ ...cache, loadTimeout }))
  ],
  [
    "RedisKeyspace.makeCache",
    "ttl",
    (ttl) => Effect.flatMap(RedisKeyspace.makeCache(cache), (cache) => cache.set("1", "v", { ttl }))
  ],
  ["RedisStream.consume", "claimIdle", (claimIdle) => RedisStream.consume({ ...member, claimIdle }, () => Effect.void)],
  [
    "RedisStream.consume",
    "claimEvery",
    (claimEvery) => RedisStream.consume({ ...member, claimEvery }, () => Effect.void)
  ],
  ["RedisJobs.run", "claimIdle", (claimIdle) => jobs.run({ worker: "w", claimIdle }, () => Effect.void)],
  ["RedisJobs.run", "pollInterval", (pollInterval) => jobs.run({ worker: "w", pollInterval }, () => Effect.void)]
]

const times: ReadonlyArray<Row> = [
  ...lives,
  ["RedisLock.make", "retryInterval", (retryInterval) => RedisLock.make("l", { retryInterval }).tryAcquire],
  ["RedisLock.make", "waitTimeout", (waitTimeout) => RedisLock.make("l", { waitTimeout }).acquire],
  [
    "RedisSemaphore.make",
    "waitTimeout",
    (waitTimeout) => RedisSemaphore.make("s", { ...semaphore, waitTimeout }).acquire
  ],
  ["RedisLeader.make", "retryInterval", (retryInterval) => RedisLeader.make("e", { retryInterval }).run(Effect.void)],
  ["RedisKeyspace.makeCache", "stale", (stale) => uses(RedisKeyspace.makeCache<string>({ ...cache, stale }))],
  [
    "RedisKeyspace.makeCache",
    "absentTtl",
    (absentTtl) => uses(RedisKeyspace.makeCache<string>({ ...cache, absentTtl }))
  ],
  ["RedisStream.consume", "block", (block) => RedisStream.consume({ ...member, block }, () => Effect.void)],
  ["RedisStream.consume", "drain", (drain) => RedisStream.consume({ ...member, drain }, () => Effect.void)],
  ["RedisJobs.run", "drain", (drain) => jobs.run({ worker: "w", drain }, () => Effect.void)],
  ["RedisJobs.enqueue", "delay", (delay) => jobs.enqueue("a", { delay })],
  ["RedisRateLimiter.acquire", "waitTimeout", (waitTimeout) => limiter.acquire("a", { waitTimeout })],
  [
    "RedisRateLimiter.tokenBucket",
    "every",
    (every) => RedisRateLimiter.tokenBucket("r", { capacity: 1, every }).take("a")
  ],
  [
    "RedisRateLimiter.slidingWindow",
    "window",
    (window) => RedisRateLimiter.slidingWindow("r", { limit: 1, window }).take("a")
  ]
]

const checks = (rows: ReadonlyArray<Row>, given: ReadonlyArray<unknown>) =>
  Effect.gen(function*() {
    for (const [of, option, make] of rows) {
      for (const time of given) {
        // Nothing is thrown when it is made.
        for (const effect of [make(time as never)].flat()) {
          const error = yield* refusal(effect)
          assert.deepInclude(error, { _tag: "DataError", command: of }, `${of} of ${option}`)
          assert.match((error as Error).message, new RegExp(`(^|\\W)${option}\\W`))
        }
      }
    }
  })

describe("Options", () => {
  it.effect("a time that is none is the failure of what is made with it, which names the function and the option", () =>
    checks(times, [{ minute: 5 }, new Date(0), "5 fortnights", Number.NaN, true, []]))

  it.effect("a life of no time or less is refused everywhere", () =>
    checks(lives, ["0 seconds", 0, Duration.zero, "-1 second", Duration.negativeInfinity]))

  it.effect("so is a life without end where something has to end", () =>
    checks(
      lives.filter(([of]) => of === "RedisSemaphore.make" || of === "RedisLeader.make"),
      ["Infinity", Duration.infinity, Duration.days(1e300)]
    ))

  it.effect("the numbers of things are refused by their names as well", () =>
    Effect.gen(function*() {
      const none = () => Effect.void
      for (const wrong of [0, -1, 1.5, Number.NaN, "1" as never]) {
        const rows: ReadonlyArray<readonly [string, string, Made]> = [
          ["RedisSemaphore.make", "permits", RedisSemaphore.make("s", { ...semaphore, permits: wrong }).acquire],
          ["RedisStream.consume", "concurrency", RedisStream.consume({ ...member, concurrency: wrong }, none)],
          ["RedisStream.consume", "count", RedisStream.consume({ ...member, count: wrong }, none)],
          [
            "RedisStream.consume",
            "maxDeliveries",
            RedisStream.consume({ ...member, maxDeliveries: wrong, deadLetter: "d" }, none)
          ],
          ["RedisJobs.run", "concurrency", jobs.run({ worker: "w", concurrency: wrong }, none)],
          ["RedisJobs.run", "maxAttempts", jobs.run({ worker: "w", maxAttempts: wrong }, none)]
        ]
        for (const [of, option, made] of rows) {
          const error = yield* refusal(made)
          assert.deepInclude(error, { _tag: "DataError", command: of })
          assert.include((error as Error).message, `${of}: ${option} is `)
        }
      }
    }))

  it.effect("the parts and multiples of a cache are refused by their names: with such a part it would keep nothing", () =>
    Effect.gen(function*() {
      for (const [option, values] of [["jitter", [1.1, 10]], ["early", [Infinity]]] as const) {
        for (const wrong of [...values, -0.1, Number.NaN, "0.1" as never]) {
          for (const made of uses(RedisKeyspace.makeCache<string>({ ...cache, [option]: wrong }))) {
            const error = yield* refusal(made)
            assert.deepInclude(error, { _tag: "DataError", command: "RedisKeyspace.makeCache" })
            assert.include((error as Error).message, `${option} is `)
          }
        }
      }
    }))

  it.effect("what is made without any options says what is missing, and throws nothing", () =>
    Effect.gen(function*() {
      const none = undefined as never
      const untyped = <A>(make: (name: string, options: never) => A): A => make("x", none)
      const jobs = untyped(RedisJobs.make<never>)
      const channel = untyped(RedisChannel.make<never>)
      const stream = untyped(RedisStream.make<never>)
      const uses: ReadonlyArray<readonly [Made, string]> = [
        [jobs.enqueue("v" as never), "payload is missing or is no schema"],
        [jobs.run({ worker: "w" }, () => Effect.void), "payload is missing or is no schema"],
        [channel.publish("v" as never), "value is missing or is no schema"],
        [Stream.runDrain(channel.subscribe()), "value is missing or is no schema"],
        [stream.add("v" as never), "value is missing or is no schema"],
        [Stream.runDrain(stream.read("0")), "value is missing or is no schema"],
        [untyped(RedisSemaphore.make).acquire, "ttl is undefined, and must be a duration"],
        [RedisScript.make(none)(), "lua is missing; give the text of the script"],
        [RedisScript.function(none)(), "name is missing; give that of the function in its library"],
        [RedisScript.library(none).load, "FUNCTION LOAD: cannot send undefined"],
        [RedisKeyspace.make(none).get("1"), "key is missing"],
        [RedisKeyspace.makeHash(none).get("1"), "key is missing"],
        [RedisKeyspace.makeSet(none).get("1"), "key is missing"],
        [RedisKeyspace.makeSortedSet(none).get("1"), "key is missing"],
        [Effect.flatMap(RedisKeyspace.makeCache<string>(none), (cache) => cache.get("1")), "ttl is undefined"],
        [Stream.runDrain(RedisStream.read(none)), "XREAD: needs at least one pair"],
        [Stream.runDrain(RedisStream.readGroup(none, none)), "XREADGROUP: cannot send undefined"],
        [RedisPrefix.prefixed(Redis.get("k"), none), "The option prefix is not valid: it is missing, or no text"]
      ]
      for (const [used, missing] of uses) assert.include(String(yield* refusal(used)), missing)
    }))

  it.effect("what is no record of options is none, and what is missing then is said", () =>
    Effect.gen(function*() {
      // What types do not allow comes from programs without types.
      const none = undefined as never
      const nothing = null as never
      const text = "x" as never
      const uses: ReadonlyArray<readonly [Made, string]> = [
        [RedisStream.make("s", text).add("v"), "value is missing or is no schema"],
        [Stream.runDrain(Redis.subscribe("a", text)), "takes several channels as an array"],
        [Stream.runDrain(RedisStream.read([["s", nothing]], nothing)), "XREAD: cannot send null"],
        [
          Stream.runDrain(RedisStream.readGroup(member, nothing, nothing)),
          "XREADGROUP: cannot send a key that is null"
        ]
      ]
      for (const [used, missing] of uses) assert.include(String(yield* refusal(used)), missing)
      const store = yield* Effect.exit(Effect.provideService(RedisKeyValueStore.make(none), RedisClient, unused))
      assert.include(JSON.stringify(store), "prefix is missing")
      assert.strictEqual(RedisLeader.make("l", nothing).name, "l")
      assert.strictEqual(RedisUrl.redact(none), "<redacted>")
    }))

  it.effect("a store of queues refuses times that are none, which would keep a server busy", () =>
    Effect.gen(function*() {
      for (const option of ["pollInterval", "lockRefreshInterval", "lockExpiration"] as const) {
        for (const time of [0, "0 millis", Infinity, -1, { minute: 5 } as unknown as Duration.Input] as const) {
          const store = Layer.build(RedisPersistence.layerQueueStore({ [option]: time }))
          const error = yield* refusal(store)
          assert.instanceOf(error, DataError)
          assert.include(String(error), `RedisPersistence.layerQueueStore: ${option} is `)
        }
      }
    }))

  it.effect("metrics refuse an interval that is none, which would keep a program busy", () =>
    Effect.gen(function*() {
      for (const interval of [0, "0 millis", -1, Number.NaN, { minute: 5 } as unknown as Duration.Input] as const) {
        const error = yield* refusal(Layer.build(RedisTelemetry.layer({ interval })))
        assert.instanceOf(error, DataError)
        assert.include(String(error), "RedisTelemetry.layer: interval is ")
      }
    }))

  it.effect("a channel or a stream without a schema says so before anything is sent, received or buried", () =>
    Effect.gen(function*() {
      // What types do not allow comes from programs without types.
      for (const given of [undefined, String]) {
        const value = given as never
        const channel = RedisChannel.make("c", { value })
        const stream = RedisStream.make("s", { value })
        const uses: ReadonlyArray<Made> = [
          channel.publish("v"),
          Stream.runDrain(channel.subscribe({ misfits: "skip" })),
          stream.add("v"),
          Stream.runDrain(stream.read("0", { misfits: "skip" })),
          stream.consume({ group: "g", consumer: "c", maxDeliveries: 1, deadLetter: "d" }, () => Effect.void)
        ]
        for (const used of uses) {
          assert.include(String(yield* refusal(used)), "value is missing or is no schema; give one, such as { value: ")
        }
      }
    }))

  it.effect("what has no time needs none: a lock can be looked at, a leader asked for, a cache named", () =>
    Effect.gen(function*() {
      const ttl = { minute: 5 } as unknown as RedisArg.TimeToLive
      const cached = yield* RedisKeyspace.makeCache({ ...cache, ttl })
      assert.strictEqual(yield* cached.keyOf("1"), "c:1")
      for (const asked of [RedisLock.make("l", { ttl }).locked, RedisLeader.make("l", { ttl }).leader]) {
        const exit = yield* Effect.exit(Effect.asVoid<unknown, unknown, RedisClient>(asked))
        assert.include(JSON.stringify(exit), "was sent")
      }
    }).pipe(Effect.scoped, Effect.provideService(RedisClient, unused)))
})
