/**
 * Who has what after an outage that was longer than `claimIdle`: those who had it before, if they are still there.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisStream } from "@redfx/core"
import type { RedisCommand, Resp } from "@redfx/core"
import type { CommandError } from "@redfx/core/RedisError"
import * as Client from "@redfx/testing/Client"
import * as FakeClient from "@redfx/testing/FakeClient"
import { bulk } from "@redfx/testing/FakeClient"
import { fork } from "@redfx/testing/Fork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

const unreachable = FakeClient.lost("not-sent")

/**
 * A server with two entries. The first is with another consumer, which `renews` it; the second is for the one that is tested,
 * which is called "c". Both were delivered at the start.
 */
const fake = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const renewed = { "1-1": now(), "2-1": now() }
  const taken: Array<number> = []
  const renewals: Array<number> = []
  /** `stands`: the server does not answer; `waits`: how long there is no connection for what blocks, which is at most `blocks`. */
  const state = { away: false, entry: "new" as "new" | "given" | "none", stands: false, waits: 0, blocks: 100 }
  const idle = (id: keyof typeof renewed, least: number) => now() - renewed[id] >= least
  const answer = (name: string, args: ReadonlyArray<string>): Resp.Value | undefined => {
    switch (name) {
      case "XPENDING":
        return (["1-1", "2-1"] as const).slice(0, state.entry === "given" ? 2 : 1).filter((id) =>
          idle(id, Number(args[3]))
        )
          .map((id) => [bulk(id), bulk("x"), Math.floor(now() - renewed[id]), 1])
      case "XCLAIM": {
        if (args.includes("JUSTID")) {
          // A consumer that holds nothing only asks for a sign of life.
          assert.deepStrictEqual(args.slice(4, -1), [state.entry === "given" ? "2-1" : "0-0"])
          renewals.push(now())
          renewed["2-1"] = now()
          return []
        }
        assert.deepStrictEqual(args.slice(4), ["1-1"])
        if (!idle("1-1", Number(args[3]))) return []
        taken.push(now())
        return [[bulk("1-1"), [bulk("n"), bulk("1")]]]
      }
      case "XREADGROUP":
        if (args.at(-1) !== ">") return null
        if (state.entry !== "new") return undefined
        state.entry = "given"
        return [[bulk("s"), [[bulk("2-1"), [bulk("n"), bulk("2")]]]]]
      case "XGROUP CREATE":
        return "OK"
      case "XACK":
      case "EVALSHA":
        return 0
      default:
        throw new Error(`unexpected ${name}`)
    }
  }
  const standing: Effect.Effect<void> = Effect.suspend(() =>
    state.stands ? Effect.delay(standing, "10 millis") : Effect.void
  )
  const reply = (command: RedisCommand.Any): Effect.Effect<Resp.Value, CommandError> =>
    Effect.suspend(() => {
      const args = FakeClient.wordsOf(command)
      if (state.stands) return Effect.andThen(standing, reply(command))
      if (state.away) return Effect.fail(unreachable)
      const found = answer(command.spec.name, args)
      if (found !== undefined) return Effect.succeed(found)
      // What blocks is over when the server goes, or when it has waited for nothing.
      return Effect.andThen(
        Effect.delay(standing, Math.min(Number(args[args.indexOf("BLOCK") + 1]), state.blocks) + state.waits),
        Effect.suspend(() => state.away ? Effect.fail(unreachable) : Effect.succeed(null))
      )
    })
  const run = Client.on(FakeClient.make(reply, { stats: Effect.never }))
  return {
    renewals,
    run,
    state,
    taken,
    renew: Effect.sync(() => {
      renewed["1-1"] = now()
    })
  }
})

const from = { stream: "s", group: "g", consumer: "c", concurrency: 2, drain: 0, claimIdle: "1 minute" } as const
const forever = () => Effect.never

const consume = RedisStream.consume(from, forever)

describe("RedisStream.consume, after an outage longer than claimIdle", () => {
  it.effect("renews what it has as soon as the server is back", () =>
    Effect.gen(function*() {
      const { renew, renewals, run, state } = yield* fake
      const fiber = yield* fork(run(consume))
      yield* TestClock.adjust("30 seconds")
      yield* renew
      state.away = true
      yield* TestClock.adjust("100 seconds")
      renewals.length = 0
      state.away = false
      yield* renew
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(renewals.length, 1)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("leaves to others what they have, until it has not heard of them for claimIdle again", () =>
    Effect.gen(function*() {
      const { renew, run, state, taken } = yield* fake
      const fiber = yield* fork(run(consume))
      yield* TestClock.adjust("30 seconds")
      yield* renew
      state.away = true
      yield* TestClock.adjust("100 seconds")
      state.away = false
      // The other one is not as fast.
      yield* TestClock.adjust("15 seconds")
      yield* renew
      yield* TestClock.adjust("50 seconds")
      assert.deepStrictEqual(taken, [])
      // It has died.
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(taken.length, 1)
      yield* Fiber.interrupt(fiber)
    }))

  for (const silence of [4, 6.5, 7.5, 8.5]) {
    it.effect(`leaves to others what they have after a silence of ${silence} of 6 seconds, whenever it looks`, () =>
      Effect.gen(function*() {
        for (const begin of [10, 11, 12, 13, 14, 15]) {
          const { renew, run, state, taken } = yield* fake
          // It holds nothing, and blocks for as long as it may.
          state.entry = "none"
          state.blocks = Infinity
          const fiber = yield* fork(
            run(RedisStream.consume({ ...from, claimIdle: "6 seconds", claimEvery: "5 seconds" }, forever))
          )
          for (let i = 0; i < begin; i++) {
            yield* renew
            yield* TestClock.adjust("1 second")
          }
          // It was to be renewed now.
          yield* TestClock.adjust("1 second")
          state.stands = true
          yield* TestClock.adjust(silence * 1000)
          state.stands = false
          yield* TestClock.adjust("900 millis")
          yield* renew
          yield* TestClock.adjust("4 seconds")
          assert.deepStrictEqual(taken, [], `it began after ${begin} seconds`)
          yield* TestClock.adjust("20 seconds")
          assert.strictEqual(taken.length, 1)
          yield* Fiber.interrupt(fiber)
        }
      }))
  }

  const starts = [
    ["", consume],
    [" and makes the group", RedisStream.consume({ ...from, createGroup: "0" }, forever)],
    [" and has dead letters", RedisStream.consume({ ...from, maxDeliveries: 10, deadLetter: "d" }, forever)]
  ] as const
  for (const [what, starting] of starts) {
    for (const way of ["away", "stands"] as const) {
      it.effect(`leaves to others what they have where it starts at the end of the outage${what}; the server ${way === "away" ? "is away" : "stands"}`, () =>
        Effect.gen(function*() {
          const { renew, run, state, taken } = yield* fake
          state[way] = true
          yield* TestClock.adjust("100 seconds")
          const fiber = yield* fork(run(starting))
          yield* TestClock.adjust("5 seconds")
          state[way] = false
          yield* TestClock.adjust("15 seconds")
          assert.deepStrictEqual(taken, [])
          yield* renew
          yield* TestClock.adjust("50 seconds")
          assert.deepStrictEqual(taken, [])
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(taken.length, 1)
          yield* Fiber.interrupt(fiber)
        }))
    }
  }
})

describe("RedisStream.consume takes over what a dead consumer has", () => {
  it.effect("also where it waits long for a connection of its own, each time", () =>
    Effect.gen(function*() {
      const { run, state, taken } = yield* fake
      state.waits = 4000
      const fiber = yield* fork(run(RedisStream.consume({ ...from, claimIdle: "2 seconds" }, forever)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(taken.length, 1)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("also where the program itself stands still for as long as an outage", () =>
    Effect.gen(function*() {
      const { run, taken } = yield* fake
      const clock = yield* Clock.Clock
      let stood = 0n
      // The test's clock does not go on meanwhile, so that all timers are late.
      const late: Clock.Clock = Object.assign(Object.create(clock), {
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe() + stood
      })
      const fiber = yield* fork(
        Effect.provideService(run(RedisStream.consume({ ...from, claimEvery: "1 second" }, forever)), Clock.Clock, late)
      )
      for (let i = 0; i < 5; i++) {
        yield* TestClock.adjust("11 seconds")
        stood += 50_000_000_000n
      }
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(taken.length, 1)
      yield* Fiber.interrupt(fiber)
    }))
})
