import { assert, describe, it } from "@effect/vitest"
import { fork } from "@redfx/testing/Fork"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { AsyncLocalStorage } from "node:async_hooks"
import { Lines } from "../../src/internal/client/lines.ts"
import type { Waiting } from "../../src/internal/client/lines.ts"
import { RedisClient } from "../../src/RedisClient.ts"

interface Answer {
  readonly granted: boolean
  readonly room: number
  readonly pause: number
}

interface Caller {
  readonly name: number
  readonly cost: number
  readonly comes: number
  readonly leaves: number
  readonly waitTimeout: number
}

/** Numbers that look like chance, the same ones for each seed. */
const chance = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor(state / 65_536) % below
  }
}

/** A bucket behind a way of some milliseconds. It is asked in the order in which it was sent to, whoever still waits. */
const bucket = Effect.fnUntraced(function*(capacity: number, interval: number, way: number) {
  const clock = yield* Clock.Clock
  const state = { tokens: capacity, at: 0, asks: 0, taken: 0 }
  const decide = (cost: number): Answer => {
    const now = clock.currentTimeMillisUnsafe()
    const came = Math.floor((now - state.at) / interval)
    state.tokens = Math.min(capacity, state.tokens + came)
    state.at += came * interval
    const granted = cost <= state.tokens
    if (granted) {
      state.tokens -= cost
      state.taken += cost
    }
    const missing = Math.max(cost - state.tokens, 0)
    return { granted, room: state.tokens, pause: missing === 0 ? 0 : missing * interval - (now - state.at) }
  }
  const ask = (cost: number): Effect.Effect<Answer> =>
    Effect.suspend(() => {
      state.asks++
      // What is on its way arrives, also when nobody waits for the answer any more.
      return Effect.flatMap(
        Effect.forkDetach(Effect.delay(Effect.sync(() => decide(cost)), way), { startImmediately: true }),
        (asking) => Effect.tap(Fiber.join(asking), Effect.sleep(way))
      )
    })
  return { state, ask }
})

/** Waits in the line of a client, for one of one unless something else is said. */
const waitIn = (
  lines: Lines<Answer>,
  client: RedisClient["Service"],
  ask: Effect.Effect<Answer>,
  options: Partial<Pick<Waiting<Answer>, "size" | "most" | "waitTimeout">> = {}
) =>
  Effect.provideService(
    Effect.uninterruptibleMask((restore) =>
      lines.wait("line", {
        size: 1,
        most: 1,
        ask: restore(ask),
        told: (answer) => answer,
        pausesFrom: "answer",
        waitTimeout: Infinity,
        late: (last) => ({ ...last, granted: false }),
        jitter: 0,
        ...options
      }, restore)
    ),
    RedisClient,
    client
  )

const run = Effect.fnUntraced(function*(seed: number, interrupts: boolean) {
  const random = chance(seed)
  const [capacity, interval, way] = [3 + random(8), 1 + random(20), random(2) * random(15)]
  const { ask, state } = yield* bucket(capacity, interval, way)
  const lines = new Lines<Answer>()
  const client = {} as RedisClient["Service"]
  const granted: Array<Caller> = []
  const callers = Array.from({ length: 60 }, (_, name): Caller => ({
    name,
    cost: 1 + random(3),
    comes: random(200),
    leaves: interrupts && random(3) === 0 ? random(400) : Infinity,
    waitTimeout: random(4) === 0 ? random(300) : Infinity
  })).sort((one, other) => one.comes - other.comes)
  const wait = (caller: Caller) =>
    Effect.tap(
      waitIn(lines, client, ask(caller.cost), {
        size: caller.cost,
        most: capacity,
        waitTimeout: caller.waitTimeout
      }),
      (answer) =>
        Effect.sync(() => {
          if (answer.granted) granted.push(caller)
        })
    )
  const fibers: Array<readonly [Caller, Fiber.Fiber<unknown, unknown>]> = []
  for (let time = 0; time < 400; time++) {
    for (const caller of callers) {
      if (caller.comes === time) fibers.push([caller, yield* fork(wait(caller))])
    }
    for (const [caller, fiber] of fibers) if (caller.leaves === time) yield* Fiber.interrupt(fiber)
    yield* TestClock.adjust(1)
  }
  yield* TestClock.adjust("1 hour")
  return { capacity, fibers, granted, interval, lines, state, wait, way }
})

describe("A line", () => {
  it.effect("serves in order, leaves nobody waiting, and asks about once for each", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 20; seed++) {
        const { fibers, granted, state } = yield* run(seed, false)
        assert.isTrue(fibers.every(([, fiber]) => fiber.pollUnsafe() !== undefined), `seed ${seed}: somebody waits`)
        const order = fibers.map(([caller]) => caller).filter((caller) => granted.includes(caller))
        assert.deepStrictEqual(granted.map(({ name }) => name), order.map(({ name }) => name), `seed ${seed}`)
        // One who begins a line does not know how much there is, and who wants another amount than the one before
        // does not know how long that takes.
        assert.isAtMost(state.asks, 2 * fibers.length, `seed ${seed}`)
      }
    }))

  it.effect("goes on whoever is interrupted, and is gone when nobody waits", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 20; seed++) {
        const { capacity, fibers, granted, state, wait } = yield* run(seed, true)
        assert.isTrue(fibers.every(([, fiber]) => fiber.pollUnsafe() !== undefined), `seed ${seed}: somebody waits`)
        for (const { leaves, waitTimeout, name } of fibers.map(([caller]) => caller)) {
          if (leaves === Infinity && waitTimeout === Infinity) {
            assert.isTrue(granted.some((caller) => caller.name === name), `seed ${seed}: ${name} was not served`)
          }
        }
        // A line would know that there is nothing, and have a newcomer wait.
        state.tokens = 0
        const newcomer = { name: 1000, cost: capacity, comes: 0, leaves: Infinity, waitTimeout: Infinity }
        const before = state.asks
        const first = yield* fork(wait(newcomer))
        yield* TestClock.adjust(40)
        yield* Fiber.interrupt(first)
        const second = yield* fork(wait(newcomer))
        assert.isAtLeast(state.asks, before + 2)
        yield* Fiber.interrupt(second)
      }
    }))

  it.effect("who is woken while it asks asks once more when it was refused", () =>
    Effect.gen(function*() {
      const { ask, state } = yield* bucket(1, 60_000, 10)
      state.tokens = 0
      const lines = new Lines<Answer>()
      const client = {} as RedisClient["Service"]
      const fiber = yield* fork(waitIn(lines, client, ask(1)))
      yield* TestClock.adjust(15)
      state.tokens = 1
      lines.wake(client, "line")
      lines.wake(client, "another")
      yield* TestClock.adjust(4)
      assert.strictEqual(state.asks, 1)
      yield* TestClock.adjust(21)
      assert.strictEqual(state.asks, 2)
      assert.isTrue((yield* Fiber.join(fiber)).granted)
    }))

  it.effect("what is given back again and again is left to others for a whole pause", () =>
    Effect.gen(function*() {
      const { ask, state } = yield* bucket(1, 60_000, 0)
      state.tokens = 0
      const lines = new Lines<Answer>()
      const client = {} as RedisClient["Service"]
      yield* fork(waitIn(lines, client, ask(1)))
      const handOn = Effect.map(Clock.currentTimeMillis, (now) =>
        lines.handOn(client, "line", { now, longest: 50, pause: 100 }))
      // The clock of a test begins at 0 in both of its readings.
      for (const [time, asks] of [[0, 2], [50, 3], [51, 3], [60, 3], [150, 3], [151, 4]] as const) {
        yield* TestClock.setTime(time)
        if (time < 150) {
          yield* handOn
        }
        assert.strictEqual(state.asks, asks, `at ${time}`)
      }
    }))

  it.effect("waits on a timer that keeps nothing of the caller who has begun it", () =>
    Effect.gen(function*() {
      const storage = new AsyncLocalStorage<string>()
      const Request = Context.Reference<string | undefined>("Request", { defaultValue: () => undefined })
      const clock = yield* Clock.Clock
      const stores: Array<string | undefined> = []
      const observed: Clock.Clock = {
        ...clock,
        sleep: (duration) =>
          Effect.suspend(() => {
            stores.push(storage.getStore())
            return Effect.contextWith((context: Context.Context<never>) => {
              stores.push(Context.get(context, Request))
              return clock.sleep(duration)
            })
          })
      }
      const refused = Effect.succeed<Answer>({ granted: false, room: 0, pause: 1000 })
      const waiting = waitIn(new Lines<Answer>(), {} as RedisClient["Service"], refused)
      const waiter = storage.run(
        "a request",
        () =>
          Effect.runFork(
            waiting.pipe(Effect.provideService(Clock.Clock, observed), Effect.provideService(Request, "a request"))
          )
      )
      yield* Effect.yieldNow
      assert.deepStrictEqual(stores, [undefined, undefined])
      yield* Fiber.interrupt(waiter)
    }))

  it.effect("who goes on with what he waited for may wait again, and have others leave", () =>
    Effect.gen(function*() {
      const { ask } = yield* bucket(1, 10, 0)
      const lines = new Lines<Answer>()
      const client = {} as RedisClient["Service"]
      const log: Array<string> = []
      const enter = (name: string, waitTimeout = Infinity) =>
        Effect.tap(
          waitIn(lines, client, ask(1), { waitTimeout }),
          ({ granted }) => Effect.sync(() => log.push(`${name} ${granted}`))
        )
      yield* enter("0")
      yield* fork(enter("1"))
      const victims: Array<Fiber.Fiber<unknown, unknown>> = []
      const leaver = enter("2", 15).pipe(
        Effect.tap(() => Effect.sync(() => victims[0]!.interruptUnsafe())),
        Effect.andThen(enter("2 again"))
      )
      yield* fork(leaver)
      victims.push(yield* fork(enter("3", 16)))
      yield* fork(enter("4"))
      // When 1 is served, it is too late for 2, who sends 3 away, for whom it is too late as well.
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(log, ["0 true", "2 false", "1 true", "4 true", "2 again true"])
    }))
})
