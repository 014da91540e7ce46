/**
 * A worker of a queue of jobs: a consumer of the stream of ready jobs, and a fiber that makes jobs ready when they are
 * due.
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { RedisClient } from "../../RedisClient.ts"
import { isRetryable } from "../../RedisError.ts"
import type { CommandError, DataError } from "../../RedisError.ts"
import { handling, isNoEffect, returnedNoEffect } from "../argument/effects.ts"
import { milliseconds, readOptions } from "../argument/options.ts"
import { printable } from "../error/printable.ts"
import { mayHaveRun } from "../error/retry.ts"
import type { TextFields } from "../reply/streamEntry.ts"
import { lengthened } from "../runtime/backOff.ts"
import { backOffSchedule } from "../runtime/backOffSchedule.ts"
import { elapsedNow } from "../runtime/elapsed.ts"
import type { Restore } from "../runtime/restore.ts"
import { uuid } from "../runtime/uuid.ts"
import * as Consumer from "../stream/consumer.ts"
import { reasonOf } from "../stream/deadLetters.ts"
import { settingsOf } from "../stream/settings.ts"
import * as Telemetry from "../telemetry/spans.ts"
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
  readonly decode: (payload: string) => Effect.Effect<A, { readonly detail: string }>
  readonly handler: (job: Job<A>) => Effect.Effect<unknown, E, R>
}

/** `aloud`: runs a handler with spans, which nothing else of a worker has. */
interface Handling<A, E, R> extends Settings<A, E, R> {
  readonly aloud: Restore
}

interface Job<A> {
  readonly id: string
  readonly payload: A
  readonly attempt: number
}

/** Runs a worker until it is interrupted, or fails with an error that no retry can fix. */
export const run = <A, E, R>(
  settings: Settings<A, E, R>
): Effect.Effect<never, CommandError, Exclude<R, Scope.Scope> | RedisClient> => {
  const { claimIdle, concurrency, drain, name, worker } = settings
  const located = Effect.flatMap(
    Scripts.located(name, of),
    ({ ready: stream }) =>
      settingsOf(of, {
        stream,
        group: Scripts.group,
        consumer: worker,
        createGroup: "0",
        concurrency,
        claimIdle,
        drain
      })
  )
  return Effect.flatMap(located, (consumer) =>
    Telemetry.quietly((aloud) => {
      const consume = Consumer.run(
        { ...consumer, acknowledges: true },
        // Fields are text where nothing else is asked for.
        ({ fields, id }, isEnding) => handle({ ...settings, aloud }, id, (fields as TextFields)["id"] ?? "", isEnding)
      )
      return Effect.raceFirst(
        consume,
        Effect.andThen(forgetting(name, consumer.claimIdle), promoting(name, settings.pollInterval))
      )
    }))
}

/** What errors call the function that runs a worker. */
export const of = "RedisJobs.run"

/** What a worker that starts does for those before it. The next one makes up for a failure. */
const forgetting = (name: string, claimIdle: Duration.Duration): Effect.Effect<void, never, RedisClient> =>
  Duration.isFinite(claimIdle) ? Effect.ignore(Scripts.forget(name, Duration.toMillis(claimIdle))) : Effect.void

/** How many jobs one step makes ready. The limit keeps a step from blocking the server. */
const batch = 200

const promoting = (name: string, pollInterval: number): Effect.Effect<never, CommandError, RedisClient> =>
  Effect.forever(Effect.flatMap(
    Effect.retry(Scripts.promote(name, batch), { schedule: backOffSchedule, while: isRetryable }),
    // A job that is added meanwhile may be due before the next known one.
    (next) => Effect.sleep(next < 0 ? pollInterval : Math.min(next, pollInterval))
  ))

/** Its entry is acknowledged by the last step on the server. When this fails, the entry stays pending and comes back. */
const handle = Effect.fnUntraced(function*<A, E, R>(
  settings: Handling<A, E, R>,
  entry: string,
  id: string,
  isEnding: () => boolean
): Effect.fn.Return<void, CommandError | Overtaken, Exclude<R, Scope.Scope> | RedisClient> {
  const by = uuid()
  const begun = yield* persevere(Scripts.begin(settings.name, id, entry, by), isEnding)
  if (begun === undefined) return
  const [attempt, payload] = begun
  const outcome = attempt > settings.maxAttempts
    ? { to: "dead" as const, reason: "its worker did not finish" }
    : yield* outcomeOf(settings, { id, attempt, payload })
  let mayBeSettled = false
  const settle = Effect.tapError(
    Scripts.settle(settings.name, id, entry, by, outcome),
    (error) => Effect.sync(() => mayBeSettled ||= mayHaveRun(error))
  )
  const settled = yield* persevere(settle, isEnding)
  if (settled === "settled" || settled === "gone" && mayBeSettled) return
  return yield* Effect.fail(new Overtaken(id, attempt, settled))
})

/**
 * Tries until there is an answer: nobody takes a job over while its server is away, so a late outcome still
 * counts. A worker that ends gives up after `patience`.
 */
const persevere = <A>(step: Effect.Effect<A, CommandError, RedisClient>, isEnding: () => boolean) =>
  Effect.flatMap(elapsedNow, (begunAt) =>
    Effect.retry(step, {
      schedule: backOffSchedule,
      while: (error) => isRetryable(error) && Effect.map(elapsedNow, (now) => !isEnding() || now - begunAt < patience)
    }))

/** The milliseconds after which a worker that was told to end gives up a step. */
const patience = 30_000

/** What a handler did came to nothing. The entry must not be acknowledged, because another worker has it, or had it, or nobody has. */
class Overtaken {
  readonly message: string
  constructor(id: string, attempt: number, settled: "overtaken" | "gone") {
    this.message = `attempt ${attempt} of job ${printable(id)} took too long, and was taken over${
      settled === "gone" ? " and ended, or its queue was deleted meanwhile" : ""
    }`
  }
}

const outcomeOf = Effect.fnUntraced(function*<A, E, R>(
  settings: Handling<A, E, R>,
  { attempt, id, payload }: Job<string>
): Effect.fn.Return<Scripts.Outcome, DataError, Exclude<R, Scope.Scope>> {
  const decoded = yield* Effect.result(settings.decode(payload))
  // The next attempt would fail in the same way.
  if (Result.isFailure(decoded)) return { to: "dead", reason: decoded.failure.detail }
  const { aloud, handler, name: stream, worker: consumer } = settings
  const handled = Effect.scoped(handling(of, () => handler({ id, attempt, payload: decoded.success })))
  const exit = yield* Effect.exit(
    aloud(Telemetry.handling({ stream, group: Scripts.group, consumer }, { id, deliveries: attempt }, handled))
  )
  if (Exit.isSuccess(exit)) return { to: "done" }
  if (isNoEffect(of, exit.cause)) return yield* Effect.fail(returnedNoEffect(of))
  yield* Effect.logWarning(`Attempt ${attempt} of job ${printable(id)} failed`, exit.cause)
  // The failure is the handler's own, as no missing Effect is among its reasons.
  const cause = exit.cause as Cause.Cause<E>
  const pause = attempt >= settings.maxAttempts ? undefined : settings.backoff(attempt, cause)
  const least = pause === undefined ? Infinity : yield* readOptions(of, () => milliseconds("backoff", pause))
  if (least > Scripts.longestDelay) return { to: "dead", reason: reasonOf(cause) }
  return { to: "later", delay: Math.ceil(yield* lengthened(least, jitter)) }
})

/**
 * The greatest fraction by which a pause is lengthened, so that jobs that failed together do not all come back
 * together.
 */
const jitter = 0.25
