import { assert, describe, it } from "@effect/vitest"
import * as Client from "@redfx/testing/Client"
import * as FakeClient from "@redfx/testing/FakeClient"
import { fork } from "@redfx/testing/Fork"
import { rested } from "@redfx/testing/Resting"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as RedisArg from "../../src/RedisArg.ts"
import { RedisClient } from "../../src/RedisClient.ts"
import { isSafeToRetry, ResponseError, TimeoutError } from "../../src/RedisError.ts"
import type { CommandError, RedisError } from "../../src/RedisError.ts"
import * as RedisRateLimiter from "../../src/RedisRateLimiter.ts"
import type * as Resp from "../../src/Resp.ts"

const limiter = RedisRateLimiter.tokenBucket("limit", { capacity: 3, every: "1 second" })

/** A client whose server answers as told, one answer after the other, and when it was asked. */
const fake = Effect.fnUntraced(function*(answers: Array<"taken" | CommandError | number>) {
  const clock = yield* Clock.Clock
  const asked: Array<number> = []
  const service = FakeClient.make(() =>
    Effect.sync(() => {
      asked.push(clock.currentTimeMillisUnsafe())
      const next = answers.shift() ?? "taken"
      if (typeof next === "object") return next
      return next === "taken" ? [1, 2, 0, 1000] : [0, 0, next * 1000, 9000]
    })
  )
  const run = <A, E, R>(effect: Effect.Effect<A, E, R>, random = 0) =>
    effect.pipe(Client.on(service), FakeClient.withChance(random))
  return { asked, run }
})

describe("RedisRateLimiter.acquire", () => {
  it.effect("waits for as long as it was told, and again when others were faster", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([200, 300, "taken"])
      const fiber = yield* fork(run(limiter.acquire("a")))
      yield* TestClock.adjust(199)
      assert.deepStrictEqual(asked, [0])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(asked, [0, 200])
      yield* TestClock.adjust(300)
      assert.isTrue((yield* Fiber.join(fiber)).allowed)
      assert.deepStrictEqual(asked, [0, 200, 500])
    }))

  it.effect("those who were told the same time do not come back at once", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([200])
      const fiber = yield* fork(run(limiter.acquire("a"), 0.5))
      yield* TestClock.adjust(1000)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(asked, [0, 210])
    }))

  it.effect("gives up at once when it would wait for too long, and says how long it would have been", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([200, 200])
      const fiber = yield* fork(run(limiter.acquire("a", { waitTimeout: "300 millis" })))
      yield* TestClock.adjust(200)
      const decision = yield* Fiber.join(fiber)
      assert.deepInclude(decision, { allowed: false, retryAfter: Duration.micros(200_000n) })
      assert.deepStrictEqual(asked, [0, 200])
    }))

  it.effect("fails when asking does, and takes nothing when it is interrupted while it waits", () =>
    Effect.gen(function*() {
      const lost = FakeClient.lost("unknown")
      const { asked, run } = yield* fake([lost, 200])
      assert.strictEqual(yield* Effect.flip(run(limiter.acquire("a"))), lost)
      const fiber = yield* fork(run(limiter.acquire("a")))
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(asked, [0, 0])
    }))
})

/** A client of a server with one bucket, who answers after some milliseconds, and the costs that it was asked for. */
const bucketServer = Effect.fnUntraced(function*(options: { capacity: number; interval: number; way?: number }) {
  const clock = yield* Clock.Clock
  const { capacity, interval, way = 0 } = options
  const asked: Array<number> = []
  const server = {
    asked,
    tokens: capacity,
    at: 0,
    atOnce: 0,
    broken: undefined as Effect.Effect<never, CommandError> | undefined
  }
  let under = 0
  const decide = (cost: number): Array<number> => {
    const now = clock.currentTimeMillisUnsafe()
    server.tokens = Math.min(capacity, server.tokens + (now - server.at) / interval)
    server.at = now
    const allowed = cost <= server.tokens
    if (allowed) server.tokens -= cost
    const pause = Math.max(cost - server.tokens, 0) * interval
    return [allowed ? 1 : 0, Math.floor(server.tokens), pause * 1000, (capacity - server.tokens) * interval * 1000]
  }
  const service = FakeClient.make((command) =>
    Effect.suspend((): Effect.Effect<Resp.Value, CommandError> => {
      if (command.spec.name === "DEL") {
        server.tokens = capacity
        return Effect.succeed(1)
      }
      const cost = Number(RedisArg.wireValue(command.parts[5]!))
      asked.push(cost)
      server.atOnce = Math.max(server.atOnce, ++under)
      if (server.broken !== undefined) return server.broken
      const answer = Effect.andThen(Effect.sleep(way / 2), Effect.suspend(() => Effect.succeed(decide(cost))))
      return way === 0 ? Effect.sync(() => decide(cost)) : Effect.tap(answer, Effect.sleep(way / 2))
    }).pipe(Effect.ensuring(Effect.sync(() => under--))), {
    withTimeout: (limit) => ({ ...service, original: service, limit: Duration.fromInputUnsafe(limit) })
  })
  const run = <A, E, R>(effect: Effect.Effect<A, E, R>, client = service) =>
    effect.pipe(Client.on(client), FakeClient.withChance(0))
  const limiter = RedisRateLimiter.tokenBucket("limit", { capacity, refill: 1, every: Duration.millis(interval) })
  const granted: Array<string> = []
  /** Begins to wait, and says so by a name when it was granted. */
  const enter = (name: string, options?: RedisRateLimiter.AcquireOptions, client?: RedisClient["Service"]) =>
    fork(run(
      Effect.tap(limiter.acquire("a", options), ({ allowed }) =>
        Effect.sync(() => {
          if (allowed) granted.push(name)
        })),
      client
    ))
  return { server, asked, granted, enter, service, limiter }
})

const names = (count: number) => Array.from({ length: count }, (_, index) => String(index))

describe("The line of a limiter's subject", () => {
  it.effect("five thousand callers are served in their order, and ask once each", () =>
    Effect.gen(function*() {
      const { asked, enter, granted, server } = yield* bucketServer({ capacity: 1, interval: 10 })
      const all = names(5000)
      for (const name of all) yield* enter(name)
      // The first was granted and has gone, and the second, who came when nobody waited, was refused.
      assert.strictEqual(asked.length, 2)
      yield* TestClock.adjust(10 * 4999 - 1)
      assert.deepStrictEqual(granted, all.slice(0, -1))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(granted, all)
      assert.strictEqual(asked.length, 5001)
      assert.strictEqual(server.atOnce, 1)
    }))

  it.effect("as many ask at once as there is enough for, however far the server is", () =>
    Effect.gen(function*() {
      const { asked, enter, granted, server } = yield* bucketServer({ capacity: 50, interval: 1, way: 20 })
      server.tokens = 0
      const all = names(1000)
      for (const name of all) yield* enter(name)
      // Nothing is known yet, so there may be all that there can be.
      assert.strictEqual(asked.length, 50)
      yield* TestClock.adjust(1200)
      assert.deepStrictEqual(granted, all)
      assert.isAtMost(asked.length, 1100)
    }))

  it.effect("a small cost does not overtake a large one", () =>
    Effect.gen(function*() {
      const { asked, enter, granted, server } = yield* bucketServer({ capacity: 10, interval: 100 })
      server.tokens = 5
      yield* enter("large", { cost: 8 })
      for (const name of names(3)) yield* enter(name)
      yield* TestClock.adjust(299)
      assert.deepStrictEqual(granted, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(granted, ["large"])
      assert.deepStrictEqual(asked, [8, 8, 1])
      yield* TestClock.adjust(300)
      assert.deepStrictEqual(granted, ["large", "0", "1", "2"])
    }))

  it.effect("one who leaves takes nothing along: others go on at the time that was told", () =>
    Effect.gen(function*() {
      const { asked, enter, granted } = yield* bucketServer({ capacity: 1, interval: 100 })
      const fibers = yield* Effect.forEach(names(6), (name) => enter(name))
      assert.deepStrictEqual(granted, ["0"])
      yield* TestClock.adjust(50)
      // The first, the last, and one in the middle; all sleep.
      for (const index of [1, 5, 3]) yield* Fiber.interrupt(fibers[index]!)
      assert.strictEqual(asked.length, 2)
      yield* TestClock.adjust(50)
      assert.deepStrictEqual(granted, ["0", "2"])
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(granted, ["0", "2", "4"])
      assert.strictEqual(asked.length, 4)
    }))

  it.effect("the next asks when the one before leaves while it asks", () =>
    Effect.gen(function*() {
      const { asked, enter, granted } = yield* bucketServer({ capacity: 3, interval: 100, way: 20 })
      const first = yield* enter("first", { cost: 3 })
      yield* enter("second", { cost: 2 })
      assert.deepStrictEqual(asked, [3])
      yield* Fiber.interrupt(first)
      yield* rested
      assert.deepStrictEqual(asked, [3, 2])
      yield* TestClock.adjust(20)
      assert.deepStrictEqual(granted, ["second"])
    }))

  it.effect("one who waits for less asks at once when one who waits for more leaves", () =>
    Effect.gen(function*() {
      const { asked, enter, granted, server } = yield* bucketServer({ capacity: 9, interval: 100 })
      server.tokens = 2
      const large = yield* enter("large", { cost: 9 })
      yield* enter("small", { cost: 2 })
      yield* enter("next", { cost: 2 })
      assert.deepStrictEqual(asked, [9])
      yield* Fiber.interrupt(large)
      yield* rested
      assert.deepStrictEqual(granted, ["small"])
      yield* TestClock.adjust(200)
      assert.deepStrictEqual(granted, ["small", "next"])
      assert.deepStrictEqual(asked, [9, 2, 2])
    }))

  it.effect("whoever would come too late is told at once, and without being asked for", () =>
    Effect.gen(function*() {
      const { asked, enter, granted } = yield* bucketServer({ capacity: 1, interval: 100 })
      yield* enter("0")
      yield* enter("1")
      yield* TestClock.adjust(40)
      const late = yield* enter("late", { waitTimeout: 59 })
      const decision = yield* Fiber.join(late)
      assert.deepInclude(decision, { allowed: false, remaining: 0 })
      assert.strictEqual(Duration.toMillis(decision.retryAfter), 60)
      assert.strictEqual(Duration.toMillis(decision.resetAfter), 60)
      // It may be served at the next time, and then the one after that turns out to be too late.
      const next = yield* enter("next", { waitTimeout: 159 })
      yield* enter("patient")
      yield* TestClock.adjust(59)
      assert.isUndefined(next.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(granted, ["0", "1"])
      assert.isFalse((yield* Fiber.join(next)).allowed)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(granted, ["0", "1", "patient"])
      assert.strictEqual(asked.length, 4)
    }))

  it.effect("ten thousand may go on at once", () =>
    Effect.gen(function*() {
      const { enter, granted, server } = yield* bucketServer({ capacity: 10_001, interval: 1000 })
      server.tokens = 10_000
      const first = yield* enter("first", { cost: 10_001 })
      const all = names(10_000)
      for (const name of all) yield* enter(name)
      assert.deepStrictEqual(granted, [])
      yield* Fiber.interrupt(first)
      yield* rested
      assert.deepStrictEqual(granted, all)
    }))

  it.effect("an error of what was asked is for the one who asked, and the next asks", () =>
    Effect.gen(function*() {
      const { asked, enter, granted, server } = yield* bucketServer({ capacity: 1, interval: 100 })
      yield* enter("0")
      const fibers = yield* Effect.forEach(["1", "2"], (name) => enter(name))
      const refusal = new ResponseError({ code: "ERR", detail: "no", command: "EVALSHA" })
      server.broken = Effect.fail(refusal)
      yield* TestClock.adjust(100)
      for (const fiber of fibers) assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), refusal)
      assert.strictEqual(asked.length, 4)
      server.broken = undefined
      yield* enter("3")
      assert.deepStrictEqual(granted, ["0", "3"])
    }))

  it.effect("an outage is told to all who stand there, of whom nothing was sent, and a new line goes on after it", () =>
    Effect.gen(function*() {
      const { asked, enter, granted, server } = yield* bucketServer({ capacity: 1, interval: 100 })
      yield* enter("0")
      const [first, ...others] = yield* Effect.forEach(names(50), (name) => enter(name))
      const lost = FakeClient.lost("unknown")
      server.broken = Effect.fail(lost)
      yield* TestClock.adjust(100)
      assert.strictEqual(yield* Effect.flip(Fiber.join(first!)), lost)
      for (const fiber of others) {
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.deepInclude(error, { _tag: "ConnectionError", reason: "Reset", delivery: "not-sent" })
        assert.isTrue(isSafeToRetry(error))
      }
      assert.strictEqual(asked.length, 3)
      server.broken = undefined
      yield* enter("3")
      assert.deepStrictEqual(granted, ["0", "3"])
    }))

  it.effect("an answer that does not come in time fails all who have waited for as long as they may", () =>
    Effect.gen(function*() {
      const { asked, enter, granted, server, service } = yield* bucketServer({ capacity: 1, interval: 100 })
      const within = (limit: Duration.Input) => service.withTimeout(limit)
      yield* enter("0", {}, within("5 seconds"))
      const overdue = new TimeoutError({
        phase: "read",
        command: "EVALSHA",
        delivery: "unknown",
        readonly: false,
        milliseconds: 5000
      })
      const fail = Deferred.makeUnsafe<never, CommandError>()
      const first = yield* enter("1", {}, within("5 seconds"))
      const second = yield* enter("2", {}, within("4500 millis"))
      const patient = yield* enter("3", {}, within("8 seconds"))
      server.broken = Deferred.await(fail)
      yield* TestClock.adjust(100)
      const newcomer = yield* enter("4", {}, within("5 seconds"))
      server.broken = undefined
      Deferred.doneUnsafe(fail, Effect.fail(overdue))
      assert.strictEqual(yield* Effect.flip(Fiber.join(first)), overdue)
      assert.deepInclude(yield* Effect.flip(Fiber.join(second)), { delivery: "not-sent", milliseconds: 4500 })
      yield* Fiber.join(patient)
      yield* TestClock.adjust(100)
      yield* Fiber.join(newcomer)
      assert.deepStrictEqual(granted, ["0", "3", "4"])
      assert.strictEqual(asked.length, 5)
    }))

  it.effect("one with a limit does not stand behind one who may wait for much longer on a server that hangs", () =>
    Effect.gen(function*() {
      const { asked, enter, server, service } = yield* bucketServer({ capacity: 1, interval: 100 })
      server.broken = Effect.never
      yield* enter("1")
      yield* enter("2")
      assert.strictEqual(asked.length, 1)
      yield* enter("3", {}, service.withTimeout("100 millis"))
      assert.strictEqual(asked.length, 2)
    }))

  it.effect("one for whom there is enough is not sent away with those before it who would wait too long", () =>
    Effect.gen(function*() {
      const { enter, granted, server } = yield* bucketServer({ capacity: 100, interval: 1000 })
      server.tokens = 80
      for (const name of ["0", "1"]) yield* enter(name, { cost: 60, waitTimeout: "1 second" })
      const [large, small] = [
        yield* enter("2", { cost: 60, waitTimeout: "1 second" }),
        yield* enter("3", { waitTimeout: "1 second" })
      ]
      assert.isFalse((yield* Fiber.join(large)).allowed)
      assert.isTrue((yield* Fiber.join(small)).allowed)
      assert.deepStrictEqual(granted, ["0", "3"])
    }))

  it.effect("callers with limits of their own wait in one line", () =>
    Effect.gen(function*() {
      const { asked, enter, granted, service } = yield* bucketServer({ capacity: 1, interval: 100 })
      const all = names(5)
      for (const name of all) yield* enter(name, {}, service.withTimeout(`${100 + Number(name)} millis`))
      assert.strictEqual(asked.length, 2)
      yield* TestClock.adjust(400)
      assert.deepStrictEqual(granted, all)
      assert.strictEqual(asked.length, 6)
    }))

  it.effect("what is given back by a reset is taken at once", () =>
    Effect.gen(function*() {
      const { enter, granted, limiter, service } = yield* bucketServer({ capacity: 1, interval: 60_000 })
      yield* enter("0")
      yield* enter("1")
      assert.isTrue(yield* limiter.reset("a").pipe(Effect.provideService(RedisClient, service)))
      yield* rested
      assert.deepStrictEqual(granted, ["0", "1"])
    }))
})

describe("RedisRateLimiter.take", () => {
  it.effect("refuses spans that are no durations by their names, and sends nothing", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([])
      // Years have no length of their own.
      const years = "10 years" as never
      const window = yield* Effect.flip(run(RedisRateLimiter.slidingWindow("w", { limit: 1, window: years }).take("a")))
      assert.deepInclude(window, {
        _tag: "DataError",
        command: "RedisRateLimiter.slidingWindow",
        detail: "window is \"10 years\", and must be a duration, such as \"5 seconds\""
      })
      const every = yield* Effect.flip(run(RedisRateLimiter.tokenBucket("b", { capacity: 1, every: years }).take("a")))
      assert.deepInclude(every, {
        _tag: "DataError",
        command: "RedisRateLimiter.tokenBucket",
        detail: "every is \"10 years\", and must be a duration, such as \"5 seconds\""
      })
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("limits by the options that it was made with, whatever the program makes of them later", () =>
    Effect.gen(function*() {
      const { run } = yield* fake([])
      const options = { limit: 5, window: "1 minute" as const }
      const limiter = RedisRateLimiter.slidingWindow("w", options)
      options.limit = 1
      // More than the later limit would be refused.
      assert.isTrue((yield* run(limiter.take("a", 3))).allowed)
    }))

  it.effect("refuses what programs without types give: no options, and subjects that are no text", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([])
      // What types do not allow comes from programs without types.
      const nothing = undefined as never
      for (const given of [RedisRateLimiter.tokenBucket("b", nothing), RedisRateLimiter.slidingWindow("w", nothing)]) {
        for (const each of [given.take("a"), given.peek("a"), given.acquire("a")]) {
          assert.strictEqual((yield* Effect.flip(run(each)))._tag, "DataError")
        }
      }
      // As text all objects are the same, and so would have one bucket.
      for (const subject of [{ user: 1 }, undefined, null, Symbol("a")]) {
        const given = subject as never
        for (const each of [limiter.take(given), limiter.peek(given), limiter.acquire(given), limiter.reset(given)]) {
          const error = yield* Effect.flip(run<unknown, RedisError, RedisClient>(each))
          assert.deepInclude(error, { _tag: "DataError", detail: "subject must be text" })
        }
      }
      assert.deepStrictEqual(asked, [])
    }))
})
