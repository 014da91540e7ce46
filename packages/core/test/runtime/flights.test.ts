import { assert, describe, it } from "@effect/vitest"
import { Flights } from "@redfx/core/unstable/Runtime"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import * as Scope from "effect/Scope"

const make = Effect.map(Effect.scope, (scope) => new Flights<number, string>(scope))

/** Joins the work under way, in a fiber that waits when this ends. */
const join = (flights: Flights<number, string>) =>
  Effect.forkChild(
    // There is work under way in all tests that join.
    Effect.uninterruptibleMask((restore) => flights.join("k", flights.get("k")!, restore)),
    { startImmediately: true }
  )

describe("Flights", () => {
  it.effect("gives all who wait what the work ends with, and forgets it", () =>
    Effect.gen(function*() {
      const flights = yield* make
      for (const end of [Exit.succeed(1), Exit.fail("no")]) {
        const gate = yield* Deferred.make<number, string>()
        yield* flights.start("k", Deferred.await(gate), 0)
        const waiting = yield* Effect.all([join(flights), join(flights)])
        yield* Deferred.done(gate, end)
        assert.deepStrictEqual(yield* Effect.forEach(waiting, Fiber.await), [end, end])
        assert.isUndefined(flights.get("k"))
      }
    }))

  it.effect("gives it to all, whatever an observer of one who waits throws", () =>
    Effect.gen(function*() {
      const uncaught = yield* Uncaught.collected
      const flights = yield* make
      const gate = yield* Deferred.make<number>()
      yield* flights.start("k", Deferred.await(gate), 0)
      const [first, second] = yield* Effect.all([join(flights), join(flights)])
      first.addObserver(() => {
        throw new Error("thrown by an observer")
      })
      yield* Deferred.succeed(gate, 1)
      assert.strictEqual(yield* Fiber.join(second), 1)
      assert.deepStrictEqual(yield* uncaught, ["Error: thrown by an observer"])
    }))

  it.effect("goes on while any caller waits, and ends when the last has gone", () =>
    Effect.gen(function*() {
      const flights = yield* make
      const { fiber } = yield* flights.start("k", Effect.never, 0)
      const [first, second] = yield* Effect.all([join(flights), join(flights)])
      yield* Fiber.interrupt(first)
      assert.isUndefined(fiber.pollUnsafe())
      assert.isDefined(flights.get("k"))
      yield* Fiber.interrupt(second)
      assert.isUndefined(flights.get("k"))
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
    }))

  it.effect("goes on for one whose fiber rests as it joins, when the last of the others goes", () =>
    Effect.gen(function*() {
      for (let steps = 3; steps < 12; steps++) {
        const flights = yield* make
        const gate = yield* Deferred.make<number>()
        yield* flights.start("k", Deferred.await(gate), 0)
        const other = yield* join(flights)
        const joining = yield* Effect.forkChild(
          Effect.uninterruptibleMask((restore) =>
            Effect.suspend(() => {
              const flight = flights.get("k")
              return flight === undefined ? Effect.succeed(1) : flights.join("k", flight, restore)
            })
          ).pipe(Effect.provideService(MaxOpsBeforeYield, steps)),
          { startImmediately: true }
        )
        yield* Fiber.interrupt(other)
        yield* Deferred.succeed(gate, 1)
        assert.deepStrictEqual(yield* Fiber.await(joining), Exit.succeed(1), `${steps} steps`)
      }
    }))

  it.effect("replaces older work, which goes on for those that wait for it and takes nothing away", () =>
    Effect.gen(function*() {
      const flights = yield* make
      const gate = yield* Deferred.make<number>()
      yield* flights.start("k", Deferred.await(gate), 1)
      const old = yield* join(flights)
      yield* flights.start("k", Effect.never, 2)
      yield* Deferred.succeed(gate, 7)
      assert.strictEqual(yield* Fiber.join(old), 7)
      assert.strictEqual(flights.get("k")?.since, 2)
      flights.forget("k")
      assert.isUndefined(flights.get("k"))
    }))

  it.effect("keeps no work that has ended at once, nor any beyond the scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const flights = new Flights<number, string>(scope)
      const { fiber } = yield* flights.start("k", Effect.succeed(1), 0)
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.succeed(1))
      assert.isUndefined(flights.get("k"))
      yield* flights.start("k", Effect.never, 0)
      const waiting = yield* join(flights)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting)))
      assert.isUndefined(flights.get("k"))
    }))
})
