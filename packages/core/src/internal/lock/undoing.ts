/**
 * Gives back what nobody may hold any more: what attempts have taken whose answers nobody has seen, and what could not be
 * released. It is tried until a server answers, for as long as the lease can live.
 *
 * However much there is of it, one fiber of a client sees to all, and sends it in one pipeline at a time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import type { RedisClient } from "../../RedisClient.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { isRetryable } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import { backOff, jitter } from "../runtime/backOff.ts"
import { elapsedNow } from "../runtime/elapsed.ts"
import { errorIn } from "../runtime/firstError.ts"
import { fork } from "../runtime/ownContext.ts"
import { traced } from "../telemetry/spans.ts"

/** A release that nobody waits for, and the time at which the lease is over by itself. */
interface Undo {
  readonly release: RedisCommand.RedisCommand<boolean>
  readonly until: number
}

const pauses = { shortest: 100, longest: 5000 }

class Undoing {
  readonly #client: RedisClient["Service"]
  readonly #waiting = new Set<Undo>()
  #isRunning = false

  constructor(client: RedisClient["Service"]) {
    this.#client = client
  }

  add(undo: Undo): Effect.Effect<void> {
    return Effect.contextWith((caller: Context.Context<never>) => {
      this.#waiting.add(undo)
      if (this.#isRunning) return Effect.void
      this.#isRunning = true
      // It may go on for others for as long as a server is away, so it has nothing else of the one who comes first.
      const context = Context.pick(Clock.Clock, Random.Random)(caller)
      fork(context)(Effect.onExit(this.#rounds, () => this.#end))
      return Effect.void
    })
  }

  readonly #rounds: Effect.Effect<void> = Effect.gen({ self: this }, function*() {
    for (let failures = 0; this.#waiting.size > 0; failures++) {
      yield* Effect.sleep(backOff(failures, pauses) * (yield* jitter))
      const time = yield* elapsedNow
      const undos = Array.from(this.#waiting).filter((undo) => undo.until > time || !this.#waiting.delete(undo))
      const outcomes = yield* this.#client.pipeline(undos.map(({ release }) => release))
      undos.forEach((undo, index) => {
        if (!isToRepeat(outcomes[index])) this.#waiting.delete(undo)
      })
    }
  })

  /** Nothing is left, unless a defect has ended it. */
  readonly #end: Effect.Effect<void> = Effect.sync(() => {
    this.#isRunning = false
    this.#waiting.clear()
  })
}

const isToRepeat = (outcome: Exit.Exit<unknown, CommandError> | undefined): boolean => {
  const error = errorIn(outcome)
  return error !== undefined && isRetryable(error)
}

const ofClient = new WeakMap<RedisClient["Service"], Undoing>()

/** Runs a release that nobody waits for at once, and again with others until there is an answer, or until `until`. */
export const undone = (client: RedisClient["Service"], undo: Undo): Effect.Effect<void> =>
  Effect.flatMap(elapsedNow, (time) => {
    const first = Effect.asVoid(traced(undo.release, client, client.execute(undo.release)))
    return Effect.catch(
      undo.until === Infinity ? first : Effect.asVoid(Effect.timeoutOption(first, undo.until - time)),
      (error) => {
        if (!isRetryable(error)) return Effect.void
        let undoing = ofClient.get(client)
        if (undoing === undefined) ofClient.set(client, undoing = new Undoing(client))
        return undoing.add(undo)
      }
    )
  })
