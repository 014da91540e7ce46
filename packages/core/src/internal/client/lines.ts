/**
 * The lines in which the callers of a client wait for what others have.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import { RedisClient } from "../../RedisClient.ts"
import type { CommandError } from "../../RedisError.ts"
import { isRetryable, withFields } from "../error/retry.ts"
import { elapsed } from "../runtime/elapsed.ts"
import { errorOf } from "../runtime/firstError.ts"
import { Line } from "../runtime/line.ts"
import type { Run, Told, Waiter } from "../runtime/line.ts"
import type { Restore } from "../runtime/restore.ts"

/**
 * How a caller waits in a line.
 *
 * - `size`: how much it wants. `most`: how much there may be when nothing is known.
 * - `ask`: asks for it, in an uninterruptible region. `told`: what the answer tells.
 * - `pausesFrom`: when a pause that was told begins.
 * - `waitTimeout`: the milliseconds for which it waits at the most. `late`: the answer to a caller that has not asked and would have
 *   to wait longer; it is made of the last answer to another, its age, and the milliseconds until somebody asks again.
 * - `jitter`: the part by which a pause is longer at the most, as those of other programs were told the same.
 */
export interface Waiting<A> {
  readonly size: number
  readonly most: number
  readonly ask: Effect.Effect<A, CommandError, RedisClient>
  readonly told: (answer: A) => Told
  readonly pausesFrom: "question" | "answer"
  readonly waitTimeout: number
  readonly late: (last: A, age: number, left: number) => A
  readonly jitter: number
}

/** The lines of clients, by names. There is none where nobody waits. `A`: what is answered in them. */
export class Lines<A> {
  readonly #lines = new WeakMap<RedisClient["Service"], Map<string, Map<number, Line<A, CommandError>>>>()

  /**
   * Waits in the line of a name until asking has granted what is wanted, or until that would come too late. Called in an
   * uninterruptible region.
   */
  wait(name: string, waiting: Waiting<A>, restore: Restore): Effect.Effect<A, CommandError, RedisClient> {
    return Effect.contextWith((context: Context.Context<RedisClient>) => {
      const client = Context.get(context, RedisClient)
      const clock = Context.get(context, Clock.Clock)
      const limit = client.limit === undefined ? Infinity : Duration.toMillis(client.limit)
      const line = this.#lineOf(client, name, limit, waiting.most)
      const waiter = line.join(waiting.size, elapsed(clock) + waiting.waitTimeout, limit, clock)
      return Effect.onExit(wait(line, waiter, waiting, clock, restore), () => Effect.sync(() => line.leave(waiter)))
    })
  }

  /** Has the first of each line of a name ask at once, as there may be more than it was told. */
  wake(client: RedisClient["Service"], name: string): void {
    for (const line of this.#named(client, name)) line.wake()
  }

  /** The same after something was given back, unless callers of this client have handed it on for too long. */
  handOn(client: RedisClient["Service"], name: string, run: Run): void {
    for (const line of this.#named(client, name)) line.handOn(run)
  }

  #named(client: RedisClient["Service"], name: string): ReadonlyArray<Line<A, CommandError>> {
    return Array.from(this.#lines.get(client.original ?? client)?.get(name)?.values() ?? [])
  }

  /**
   * Limits of which the one is twice the other have different lines: while one asks, nobody else hears that a server hangs. So
   * nobody waits for more than twice as long as its limit allows.
   */
  #lineOf(client: RedisClient["Service"], name: string, limit: number, most: number): Line<A, CommandError> {
    const named = foundOrMade(this.#lines, client.original ?? client, () => new Map())
    const lines = foundOrMade(named, name, () => new Map())
    const octave = Math.ceil(Math.log2(limit))
    return foundOrMade(lines, octave, () =>
      new Line(most, () => {
        lines.delete(octave)
        if (lines.size === 0) named.delete(name)
      }))
  }
}

/** What a map has for a key. It is made where there is nothing. */
const foundOrMade = <K, V>(
  map: { readonly get: (key: K) => V | undefined; readonly set: (key: K, value: V) => unknown },
  key: K,
  make: () => V
): V => {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

const wait = Effect.fnUntraced(function*<A>(
  line: Line<A, CommandError>,
  waiter: Waiter<A, CommandError>,
  { ask, jitter, late, pausesFrom, told }: Waiting<A>,
  clock: Clock.Clock,
  restore: Restore
): Effect.fn.Return<A, CommandError, RedisClient> {
  for (;;) {
    const answered = yield* restore(line.turn(waiter))
    if (answered !== undefined) {
      const now = elapsed(clock)
      return late(answered.last, now - answered.at, Math.max(answered.notBefore - now, 0))
    }
    const askedAt = elapsed(clock)
    const exit = yield* Effect.exit(ask)
    if (Exit.isFailure(exit)) {
      const error = errorOf(exit.cause)
      if (error !== undefined && isRetryable(error)) {
        line.failed(
          waiter,
          ({ limit }) => error._tag === "TimeoutError" && limit > waiter.limit ? undefined : unsent(error, limit)
        )
      }
      return yield* exit
    }
    const answer = told(exit.value)
    const chance = yield* Random.next
    const at = elapsed(clock)
    const earliest = (pausesFrom === "question" ? askedAt : at) + answer.pause
    const leaves = answer.granted || earliest > waiter.stopAt
    const notBefore = earliest + answer.pause * jitter * firstOf(line.size, chance)
    line.answered(waiter, exit.value, answer, { at, notBefore, leaves })
    if (leaves) return exit.value
  }
})

/**
 * The first of several numbers between 0 and 1 that chance gives, by one that it gives. One asks for all of a line, and
 * comes as soon as the first would if each came by itself. So the callers of all programs have the same chance.
 */
const firstOf = (several: number, chance: number): number => 1 - (1 - chance) ** (1 / Math.max(several, 1))

/** The error of the caller before, as it is told to one that has not asked: nothing of its own was sent. */
const unsent = (error: CommandError, limit: number): CommandError =>
  withFields(error, {
    ..."delivery" in error ? { delivery: "not-sent", mayHaveWritten: undefined, partial: undefined } : {},
    ...error._tag === "TimeoutError" && limit < Infinity ? { milliseconds: limit } : {}
  })
