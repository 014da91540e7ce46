import { assert, describe, it } from "@effect/vitest"
import { Flights } from "@redfx/core/unstable/Runtime"
import { fork, inOneTurn } from "@redfx/testing/Fork"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import * as Scope from "effect/Scope"

const make = Effect.map(Effect.scope, (scope) => new Flights<number, string>(scope))

/** Joins the work under way; 1 where there is none. */
const joined = (flights: Flights<number, string>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const flight = flights.join("k")
      return flight === undefined ? Effect.succeed(1) : flights.outcome("k", flight, restore)
    })
  )

/** Joins the work under way, in a fiber that waits when this ends. */
const join = (flights: Flights<number, string>) => fork(inOneTurn(joined(flights)))

/** Begins work and waits for it. */
const begun = (flights: Flights<number, string>, work: Effect.Effect<number, string>, since = 0) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber(({ context }) =>
      flights.outcome("k", flights.start(context, "k", (restore) => restore(work), since), restore)
    )
  )

/** Begins work, in a fiber that waits when this ends. */
const begin = (flights: Flights<number, string>, work: Effect.Effect<number, string>, since?: number) =>
  fork(inOneTurn(begun(flights, work, since)))

describe("Flights", () => {
  it.effect("gives all who wait what the work ends with, and forgets it", () =>
    Effect.gen(function*() {
      const flights = yield* make
      for (const end of [Exit.succeed(1), Exit.fail("no")]) {
        const gate = yield* Deferred.make<number, string>()
        const waiting = yield* Effect.all([begin(flights, Deferred.await(gate)), join(flights)])
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
      const [first, second] = yield* Effect.all([begin(flights, Deferred.await(gate)), join(flights)])
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
      const [first, second] = yield* Effect.all([begin(flights, Effect.never), join(flights)])
      const flight = flights.get("k")
      yield* Fiber.interrupt(first)
      assert.isDefined(flight)
      assert.strictEqual(flights.get("k"), flight)
      yield* Fiber.interrupt(second)
      assert.isUndefined(flights.get("k"))
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(flight.fiber)))
    }))

  it.effect("goes on for one whose fiber rests as it joins, when the last of the others goes", () =>
    Effect.gen(function*() {
      for (let steps = 3; steps < 12; steps++) {
        const flights = yield* make
        const gate = yield* Deferred.make<number>()
        const other = yield* begin(flights, Deferred.await(gate))
        const joining = yield* Effect.forkChild(
          Effect.provideService(joined(flights), MaxOpsBeforeYield, steps),
          { startImmediately: true }
        )
        yield* Fiber.interrupt(other)
        yield* Deferred.succeed(gate, 1)
        assert.deepStrictEqual(yield* Fiber.await(joining), Exit.succeed(1), `${steps} steps`)
      }
    }))

  it.effect("goes on for the one that began it and whose fiber rests, when another comes and goes", () =>
    Effect.gen(function*() {
      for (let steps = 3; steps < 12; steps++) {
        const flights = yield* make
        const gate = yield* Deferred.make<number>()
        const beginning = yield* Effect.forkChild(
          Effect.provideService(begun(flights, Deferred.await(gate)), MaxOpsBeforeYield, steps),
          { startImmediately: true }
        )
        yield* Fiber.interrupt(yield* join(flights))
        yield* Deferred.succeed(gate, 1)
        assert.deepStrictEqual(yield* Fiber.await(beginning), Exit.succeed(1), `${steps} steps`)
      }
    }))

  it.effect("replaces older work, which goes on for those that wait for it and takes nothing away", () =>
    Effect.gen(function*() {
      const flights = yield* make
      const gate = yield* Deferred.make<number>()
      const old = yield* begin(flights, Deferred.await(gate), 1)
      yield* begin(flights, Effect.never, 2)
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
      assert.strictEqual(yield* begun(flights, Effect.succeed(1)), 1)
      assert.isUndefined(flights.get("k"))
      const waiting = yield* begin(flights, Effect.never)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting)))
      assert.isUndefined(flights.get("k"))
    }))
})
