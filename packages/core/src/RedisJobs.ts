/**
 * Jobs that are done later, at least once, by whatever worker is free: with a
 * delay, tried again after a pause, and kept as dead letters when that is in
 * vain.
 *
 * **Example** (Mails)
 *
 * ```ts
 * import { RedisJobs } from "@redfx/core"
 * import { Effect, Schema } from "effect"
 *
 * const mails = RedisJobs.make("mails", { payload: Schema.Struct({ to: Schema.String }) })
 *
 * export const remind = mails.enqueue({ to: "ada@example.org" }, { delay: "1 hour" })
 *
 * export const worker = mails.run({ worker: "mailer-1", concurrency: 10 }, ({ attempt, payload }) =>
 *   Effect.log(`to ${payload.to}, attempt ${attempt}`)
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { xrange, xrevrange } from "./commands/Streams.ts"
import type { AtMostOne } from "./internal/argument/atMostOne.ts"
import { refuseOthers } from "./internal/argument/known.ts"
import * as Options from "./internal/argument/options.ts"
import * as Scripts from "./internal/jobs/scripts.ts"
import * as Worker from "./internal/jobs/worker.ts"
import { uuid } from "./internal/runtime/uuid.ts"
import { nextId } from "./internal/stream/reading.ts"
import * as Values from "./internal/values/schemaValues.ts"
import * as RedisArg from "./RedisArg.ts"
import type { RedisClient } from "./RedisClient.ts"
import { DataError } from "./RedisError.ts"
import type { CommandError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * A job as a handler gets it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Job<A> {
  /** The id that the job was enqueued with, or got then. */
  readonly id: string
  /** What is to be done, as the schema decodes it. */
  readonly payload: A
  /**
   * How often it was begun, this time included. It is a fencing token: of two workers that are at the same job, as
   * one of them is slow, the newer has the higher number.
   */
  readonly attempt: number
}

/**
 * When a job is ready, by default at once, and how it is called.
 *
 * @category options
 * @since 0.1.0
 */
export type EnqueueOptions =
  & {
    /** The id of the job. While a job with this id exists, no second one is made. Default: a random one. */
    readonly id?: string | undefined
  }
  & AtMostOne<{
    /** After which time the job is ready. */
    readonly delay: RedisArg.TimeToLive
    /** When the job is ready, by the server's clock. A bare number is unix milliseconds. */
    readonly at: RedisArg.Instant | number
  }>

/**
 * Options of {@link RedisJobs.run}.
 *
 * @category options
 * @since 0.1.0
 */
export interface WorkerOptions<E = unknown> {
  /** The name of this worker. No other worker may have it at the same time. */
  readonly worker: string
  /** How many jobs run at a time. Default 1. */
  readonly concurrency?: number | undefined
  /** How many times a job is begun before it is given up. Attempts that ended the process count as well. Default 10. */
  readonly maxAttempts?: number | undefined
  /**
   * The pause after an attempt that failed. It gets the number of the attempt, from 1 on, and why it failed; `undefined`
   * gives the job up at once. Each pause is up to a quarter longer at random. Default: 1 second, then twice as long each
   * time, up to an hour.
   *
   * Give `cause` a type to look into it, such as `Cause.Cause<MailError>`, or give one to the parameter of the handler, such as
   * `Job<Mail>`. Without either it holds what is `unknown`, as the compiler reads the options before such a handler. Failures of
   * the handler that the type does not have do not compile.
   */
  readonly backoff?: ((attempt: number, cause: Cause.Cause<E>) => Duration.Input | undefined) | undefined
  /** How often the worker looks for jobs that are due. A job can be late by as much. Default 1 second. */
  readonly pollInterval?: Duration.Input | undefined
  /**
   * When a worker was not heard of for this long, another one begins its jobs anew. No time at all is `DataError`. Default 1
   * minute.
   */
  readonly claimIdle?: Duration.Input | undefined
  /** How long jobs that run may go on when the worker is interrupted. Default: as long as they need. */
  readonly drain?: Duration.Input | undefined
}

/**
 * How many jobs there are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  /** How many wait for a worker. */
  readonly ready: number
  /** How many are with a worker, or were with one that died. */
  readonly running: number
  /** How many wait for their time. */
  readonly delayed: number
  /** How many were given up. */
  readonly dead: number
}

/**
 * Where a job is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Status {
  /** How often it was begun. */
  readonly attempts: number
  /** After which time the job will be ready; `undefined` when it is ready, or runs. */
  readonly dueIn: Duration.Duration | undefined
}

/**
 * A job that was given up.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeadJob {
  /** What {@link RedisJobs.revive} takes. */
  readonly letter: string
  /** The id of the job. */
  readonly id: string
  /** The payload as it is stored, also where it does not fit the schema. */
  readonly payload: string
  /** How often it was tried. */
  readonly attempts: number
  /** What the last attempt failed with. */
  readonly reason: string
}

/**
 * A queue of jobs.
 *
 * All need the right to EVAL and EVALSHA.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisJobs<A> {
  /** The name of the queue, with which its keys begin. */
  readonly name: string
  /**
   * Adds a job, and returns its id; `undefined` when there is a job of that id. With an id of one's own it can be repeated
   * when its answer was lost.
   */
  readonly enqueue: (
    payload: A,
    options?: EnqueueOptions
  ) => Effect.Effect<string | undefined, CommandError, RedisClient>
  /**
   * Handles jobs until it is interrupted.
   *
   * Each is handled at least once: one whose worker died, or was not heard of for `claimIdle`, is begun again, as a new
   * attempt. What an attempt that was overtaken comes to counts for nothing. A job whose payload does not fit the schema
   * becomes a dead letter without its handler. Failures of handlers are logged as warnings. Each attempt has a scope of its
   * own, which closes before the job counts as done.
   *
   * A worker needs a connection of its own to wait on, as `RedisStream.consume` does, and fails like it.
   */
  readonly run: <E, R>(
    options: WorkerOptions<E>,
    handler: (job: Job<A>) => Effect.Effect<unknown, E, R>
  ) => Effect.Effect<never, CommandError, Exclude<R, Scope.Scope> | RedisClient>
  /** Forgets a job; returns `false` when there is none. One that runs is not interrupted, but not tried again. */
  readonly cancel: (id: string) => Effect.Effect<boolean, CommandError, RedisClient>
  /** Where a job is; `undefined` when there is none of this id. */
  readonly status: (id: string) => Effect.Effect<Status | undefined, CommandError, RedisClient>
  /** How many jobs there are. */
  readonly counts: Effect.Effect<Counts, CommandError, RedisClient>
  /** The oldest jobs that were given up, 100 by default. `deadLettersStream` goes through all. */
  readonly deadLetters: (count?: number) => Effect.Effect<ReadonlyArray<DeadJob>, CommandError, RedisClient>
  /**
   * All jobs that were given up, the oldest first, up to the one that is the newest when it begins. It reads 100 at a time, when
   * they are wanted. Jobs may be revived or removed meanwhile.
   */
  readonly deadLettersStream: Stream.Stream<DeadJob, CommandError, RedisClient>
  /**
   * Makes a job that was given up ready again, as if it were new; returns `false` when the letter is not there, or a job of its
   * id is.
   */
  readonly revive: (letter: string) => Effect.Effect<boolean, CommandError, RedisClient>
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a queue of jobs of this name, whose payloads are stored as JSON. Nothing is sent until it is used.
 *
 * **Details**
 *
 * Its keys are in one hash slot: `{name}:ready`, `{name}:delayed`, `{name}:jobs` and `{name}:dead`, or without the
 * brackets where the name has a hash tag of its own. A name with a `}` elsewhere is `DataError`, and so is a payload that
 * does not fit the schema.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(
  name: string,
  options: { readonly payload: Schema.Codec<A, unknown> }
): RedisJobs<A> => {
  const { payload } = Options.orNone(options)
  const missing = Values.missing(payload, "payload")
  const { decode, encode } = Values.asJson(payload, "payload")
  return {
    name,
    enqueue: Effect.fnUntraced(function*(payload, options = {}) {
      const { at, delay, id } = yield* enqueueOptions(options)
      const text = yield* Effect.mapError(encode(payload), ({ detail }) => refused(detail))
      const due = at === undefined
        ? ["delay", () => finiteMilliseconds(delay ?? "0 millis")] as const
        : ["at", () => RedisArg.unixMilliseconds(at)] as const
      return (yield* Scripts.enqueue(name, id, text, due)) ? id : undefined
    }),
    run: (options, handler) =>
      missing === undefined
        ? run(name, decode, options, handler)
        : Effect.fail(new DataError({ command: "RedisJobs.make", detail: missing })),
    cancel: (id) => Scripts.cancel(name, id),
    status: (id) => Effect.map(Scripts.look(name, id), (found) => found === undefined ? undefined : statusOf(found)),
    counts: Effect.map(Scripts.count(name), ([ready, running, delayed, dead]) => ({ ready, running, delayed, dead })),
    deadLetters: (count = 100) => Effect.flatMap(deadOf(name), (dead) => lettersFrom(dead, "-", "+", count)),
    deadLettersStream: everyLetter(name),
    revive: (letter) => Scripts.revive(name, letter)
  }
}

/** With those of other libraries, such as `jobId`, a job would be done twice, or at once. */
const enqueueOptions = (options: EnqueueOptions) =>
  Options.readOptions("RedisJobs.enqueue", () => {
    refuseOthers(enqueueNames, options, `{ delay: "1 hour" }`)
    const { at, delay, id = uuid() } = options
    return { at, delay, id }
  })

const enqueueNames: ReadonlySet<string> = new Set(["at", "delay", "id"])

// -----------------------------------------------------------------------------
// Workers
// -----------------------------------------------------------------------------

const run = <A, E, R>(
  name: string,
  decode: Worker.Settings<A, E, R>["decode"],
  options: WorkerOptions<E>,
  handler: (job: Job<A>) => Effect.Effect<unknown, E, R>
): Effect.Effect<never, CommandError, Exclude<R, Scope.Scope> | RedisClient> => {
  const { backoff = doubling, maxAttempts = 10 } = options
  const settings = Options.readOptions(Worker.of, () => ({
    name,
    worker: Options.given("worker", options.worker),
    concurrency: options.concurrency,
    claimIdle: options.claimIdle,
    drain: options.drain,
    pollInterval: interval(options.pollInterval ?? "1 second"),
    maxAttempts: Options.count("maxAttempts", maxAttempts),
    backoff,
    decode,
    handler
  }))
  return Effect.flatMap(settings, Worker.run)
}

const interval = (pollInterval: Duration.Input): number => {
  const given = Options.milliseconds("pollInterval", pollInterval)
  return given >= 1 && given < Infinity
    ? given
    : RedisArg.invalid("pollInterval must be a millisecond or more, and not without end")
}

const doubling = (attempt: number): Duration.Duration =>
  Duration.min(Duration.seconds(2 ** (attempt - 1)), Duration.hours(1))

// -----------------------------------------------------------------------------
// Looking
// -----------------------------------------------------------------------------

const statusOf = ([attempts, dueIn]: readonly [number, number]): Status => ({
  attempts,
  dueIn: dueIn < 0 ? undefined : Duration.millis(dueIn)
})

const deadOf = (name: string) => Effect.map(Scripts.located(name, "RedisJobs.deadLetters"), ({ dead }) => dead)

const lettersFrom = (
  dead: RedisArg.Key,
  start: string,
  end: string,
  count: number
): Effect.Effect<ReadonlyArray<DeadJob>, CommandError, RedisClient> =>
  Effect.map(
    xrange(dead, start, end, { count }),
    (letters) =>
      letters.map(({ fields: { attempts, id = "", payload = "", reason = "" }, id: letter }) => ({
        letter,
        id,
        payload,
        attempts: Number(attempts),
        reason
      }))
  )

/** How many letters one reading has. */
const page = 100

/** It ends with what was last at its beginning: a job that is revived can fail again at once, and then is a letter at the end. */
const everyLetter = (name: string): Stream.Stream<DeadJob, CommandError, RedisClient> =>
  Stream.unwrap(Effect.gen(function*() {
    const dead = yield* deadOf(name)
    const [newest] = yield* xrevrange(dead, "+", "-", { count: 1 })
    if (newest === undefined) return Stream.empty
    return Stream.paginate("-", (start) =>
      Effect.flatMap(lettersFrom(dead, start, newest.id, page), (letters) => {
        const last = letters.at(-1)
        return last === undefined || letters.length < page
          ? Effect.succeed([letters, Option.none<string>()])
          : Effect.map(nextId("XRANGE", last.letter), (next) => [letters, Option.some(next)])
      }))
  }))

const refused = (detail: string): DataError => new DataError({ command: "RedisJobs.enqueue", detail })

const finiteMilliseconds = (delay: Duration.Input): number => {
  const whole = Options.wholeMilliseconds("delay", delay)
  return whole <= Scripts.longestDelay ? whole : RedisArg.invalid("a job must be due in less than 100,000 years")
}
