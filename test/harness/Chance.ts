/**
 * What happens by chance in a soak. The choices are those of a seed.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Chaos } from "./Chaos.ts"

/** Mulberry32: a small generator of numbers between 0 and 1 that can be seeded. */
export const generator = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

/** Runs an effect, interrupting it now and then: at once, or a little later. */
export const impatient = <A, E>(random: () => number, effect: Effect.Effect<A, E>): Effect.Effect<Exit.Exit<A, E>> =>
  Effect.gen(function*() {
    if (random() > 0.2) return yield* Effect.exit(effect)
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    const patience = random()
    if (patience > 0.3) yield* Effect.yieldNow
    if (patience > 0.6) yield* Effect.sleep(patience * 5)
    yield* Fiber.interrupt(fiber)
    return yield* Fiber.await(fiber)
  })

/** Cuts a connection, and now and then stalls all of them first. */
export const cut = (random: () => number, chaos: Chaos): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (random() < 0.1) {
      chaos.stall()
      yield* Effect.sleep(random() * 80)
      chaos.resume()
    }
    chaos.cut(random(), random() < 0.5 ? "reset" : "fin")
  })
