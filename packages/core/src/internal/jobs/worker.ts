/**
 * A worker of a queue of jobs: a consumer of the stream of ready jobs, and a fiber that makes jobs ready when they are
 * due.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { RedisClient } from "../../RedisClient.ts"
import { isRetryable } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import * as RedisStream from "../../RedisStream.ts"
import { lengthened } from "../runtime/backOff.ts"
import { backOffFor, backOffSchedule } from "../runtime/backOffSchedule.ts"
import { milliseconds } from "../runtime/milliseconds.ts"
import { reasonOf } from "../stream/consumer.ts"
import * as Scripts from "./scripts.ts"

export interface Settings<A, E, R> {
  readonly name: string
  readonly worker: string
  readonly concurrency: number | undefined
  readonly claimIdle: Duration.Input | undefined
  readonly drain: Duration.Input | undefined
  readonly pollInterval: number
  readonly maxAttempts: number
  readonly backoff: (attempt: number, cause: Cause.Cause<E>) => Duration.Input | undefined
  readonly decode: (payload: string) => Effect.Effect<A, { readonly message: string }>
  readonly handler: (job: Job<A>) => Effect.Effect<unknown, E, R>
}

interface Job<A> {
  readonly id: string
  readonly payload: A
  readonly attempt: number
}

/** Runs a worker until it is interrupted, or fails with an error that no retry can fix. */
export const run = <A, E, R>(settings: Settings<A, E, R>): Effect.Effect<never, CommandError, R | RedisClient> => {
  const { claimIdle, concurrency, drain, name, worker } = settings
  return Effect.flatMap(Scripts.located(name), ({ ready }) => {
    const consume = RedisStream.consume(
      {
        stream: ready,
        group: Scripts.group,
        consumer: worker,
        createGroup: "0",
        concurrency,
        claimIdle,
        drain
      },
      (entry) => handle(settings, entry.id, entry.fields["id"] ?? "")
    )
    return Effect.raceFirst(consume, promoting(settings.name, settings.pollInterval))
  })
}

// -----------------------------------------------------------------------------
// Jobs that are due
// -----------------------------------------------------------------------------

/** How many jobs one step makes ready. The limit keeps a step from blocking the server. */
const batch = 200

const promoting = (name: string, pollInterval: number): Effect.Effect<never, CommandError, RedisClient> =>
  Effect.forever(Effect.flatMap(
    Effect.retry(Scripts.promote(name, batch), { schedule: backOffSchedule, while: isRetryable }),
    // A job that is added meanwhile may be due before the next known one.
    (next) => Effect.sleep(next < 0 ? pollInterval : Math.min(next, pollInterval))
  ))

// -----------------------------------------------------------------------------
// Handling
// -----------------------------------------------------------------------------

/** An entry is acknowledged when this succeeds. When it fails, the entry stays pending and comes back. */
const handle = Effect.fnUntraced(function*<A, E, R>(
  settings: Settings<A, E, R>,
  entry: string,
  id: string
): Effect.fn.Return<void, CommandError | Overtaken, R | RedisClient> {
  const begun = yield* Scripts.begin(settings.name, id, entry)
  if (begun === undefined) return
  const [attempt, payload] = begun
  const outcome = attempt > settings.maxAttempts
    ? { to: "dead" as const, reason: "its worker did not finish" }
    : yield* outcomeOf(settings, { id, attempt, payload })
  const settled = yield* Effect.retry(Scripts.settle(settings.name, id, entry, attempt, outcome), {
    schedule: backOffFor(settling),
    while: isRetryable
  })
  if (!settled) return yield* Effect.fail(new Overtaken(id, attempt))
})

/** For how many milliseconds settling is tried. After that the entry is taken over anyway. */
const settling = 30_000

/** A job was taken over while it was handled. Its entry must not be acknowledged, because another worker has it. */
class Overtaken {
  readonly message: string
  constructor(id: string, attempt: number) {
    this.message = `attempt ${attempt} of job ${id} took too long, and was taken over`
  }
}

const outcomeOf = Effect.fnUntraced(function*<A, E, R>(
  settings: Settings<A, E, R>,
  { attempt, id, payload }: Job<string>
): Effect.fn.Return<Scripts.Outcome, never, R> {
  const decoded = yield* Effect.result(settings.decode(payload))
  // The next attempt would fail in the same way.
  if (decoded._tag === "Failure") return { to: "dead", reason: decoded.failure.message }
  const exit = yield* Effect.exit(Effect.suspend(() => settings.handler({ id, attempt, payload: decoded.success })))
  if (Exit.isSuccess(exit)) return { to: "done" }
  yield* Effect.logWarning(`Attempt ${attempt} of job ${id} failed`, exit.cause)
  const pause = attempt >= settings.maxAttempts ? undefined : settings.backoff(attempt, exit.cause)
  if (pause === undefined) return { to: "dead", reason: reasonOf(exit.cause) }
  const least = milliseconds(pause)
  if (least === Infinity) return { to: "dead", reason: reasonOf(exit.cause) }
  return { to: "later", delay: Math.ceil(yield* lengthened(least, jitter)) }
})

/**
 * The greatest fraction by which a pause is lengthened, so that jobs that failed together do not all come back
 * together.
 */
const jitter = 0.25
