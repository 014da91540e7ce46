/**
 * Who has what after an outage that was longer than `claimIdle`: those who had it before, if they are still there.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisArg, RedisClient, RedisCommand, RedisStream, Resp } from "@redfx/core"
import { ConnectionError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { fork } from "@redfx/testing/Fork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

const unreachable = new ConnectionError({ reason: "Reset", detail: "gone", delivery: "not-sent", readonly: false })

const bulk = (text: string): Resp.Bulk => {
  const bytes = new TextEncoder().encode(text)
  return new Resp.Bulk(bytes, 0, bytes.length)
}

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
  const state = { away: false, isGiven: false }
  const idle = (id: keyof typeof renewed, least: number) => now() - renewed[id] >= least
  const answer = (name: string, args: ReadonlyArray<string>): Resp.Value | undefined => {
    switch (name) {
      case "XPENDING":
        return (["1-1", "2-1"] as const).filter((id) => idle(id, Number(args[3])))
          .map((id) => [bulk(id), bulk("x"), Math.floor(now() - renewed[id]), 1])
      case "XCLAIM": {
        if (args.includes("JUSTID")) {
          assert.deepStrictEqual(args.slice(4, -1), ["2-1"])
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
        if (state.isGiven) return undefined
        state.isGiven = true
        return [[bulk("s"), [[bulk("2-1"), [bulk("n"), bulk("2")]]]]]
      default:
        throw new Error(`unexpected ${name}`)
    }
  }
  const execute = <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>): Effect.Effect<A, RedisError> =>
    Effect.suspend((): Effect.Effect<A, RedisError> => {
      const args = command.parts.map((part) => String(RedisArg.wireValue(part)))
      if (state.away) return Effect.fail(unreachable)
      const found = answer(command.spec.name, args)
      if (found !== undefined) return RedisCommand.decode(command, found, false)
      // What blocks is over when the server goes, or when it has waited for nothing.
      return Effect.andThen(
        Effect.sleep("100 millis"),
        Effect.suspend((): Effect.Effect<A, RedisError> =>
          state.away ? Effect.fail(unreachable) : RedisCommand.decode(command, null, false)
        )
      )
    })
  // Consumers use nothing else.
  const client = { execute, stats: Effect.never } as Partial<RedisClient.RedisClient["Service"]>
  const run = <A, E>(effect: Effect.Effect<A, E, RedisClient.RedisClient>) =>
    Effect.provideService(effect, RedisClient.RedisClient, client as RedisClient.RedisClient["Service"])
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

const consume = RedisStream.consume(
  { stream: "s", group: "g", consumer: "c", concurrency: 2, claimIdle: "1 minute", drain: 0 },
  () => Effect.never
)

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
})
