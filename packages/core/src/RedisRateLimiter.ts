/**
 * Rate limits that hold for all programs together: how often something may be
 * done, by whom, in how long.
 *
 * A limiter decides on the server, in one step and by the server's clock. What
 * it returns says how much is left, and how long to wait where nothing is.
 *
 * **Example** (Ten requests a second for each user, and bursts of a hundred)
 *
 * ```ts
 * import { RedisRateLimiter } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const requests = RedisRateLimiter.tokenBucket("requests", { capacity: 100, refill: 10, every: "1 second" })
 *
 * export const handle = (user: string) =>
 *   Effect.gen(function*() {
 *     const { allowed, retryAfter } = yield* requests.take(user)
 *     return allowed ? { status: 200 } : { status: 429, retryAfter }
 *   })
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import { del } from "./commands/Generic.ts"
import * as Options from "./internal/argument/options.ts"
import { Lines } from "./internal/client/lines.ts"
import * as Scripts from "./internal/limits/scripts.ts"
import * as RedisArg from "./RedisArg.ts"
import { RedisClient } from "./RedisClient.ts"
import type { RedisCommand } from "./RedisCommand.ts"
import type { CommandError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * What a limiter decided.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  /** Whether there was enough. Where there was not, nothing was taken. */
  readonly allowed: boolean
  /** How much is left, in whole units. */
  readonly remaining: number
  /** After which time there will be enough, if nobody else takes it; zero where it was allowed. */
  readonly retryAfter: Duration.Duration
  /** After which time everything will be there again, if nobody takes anything. */
  readonly resetAfter: Duration.Duration
}

/**
 * Options of {@link RedisRateLimiter.acquire}.
 *
 * @category options
 * @since 0.1.0
 */
export interface AcquireOptions {
  /** How much is taken. Default 1. */
  readonly cost?: number | undefined
  /**
   * How long a caller waits at the most. It is given up as soon as the next question would come later than that, and the
   * decision that says so is returned. Where others wait before this caller, it need not have asked: `retryAfter` is then when
   * the first of them asks again. Default: no limit.
   */
  readonly waitTimeout?: Duration.Input | undefined
}

/**
 * A limiter. Each subject, such as a user or an address, has a limit of its own.
 *
 * A `cost` must be a whole number from 1 to all that there can be; any other is `DataError`, and nothing is sent. The key
 * of a subject is `name:subject`, and expires when nothing of it is used. All need the right to EVAL and EVALSHA.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisRateLimiter {
  /** The name of the limiter, with which its keys begin. */
  readonly name: string
  /**
   * Takes `cost`, 1 by default, if there is enough. It is a command: it runs in pipelines and transactions as well.
   * When it fails with a `delivery` that is `"unknown"`, it may have been taken.
   */
  readonly take: (subject: string, cost?: number) => RedisCommand<Decision, Decision, Decision>
  /** Says what `take` would say, without taking anything. */
  readonly peek: (subject: string, cost?: number) => RedisCommand<Decision, Decision, Decision>
  /**
   * Takes, and waits while there is not enough; returns the last decision, which is not `allowed` when `waitTimeout` was too
   * short.
   *
   * The callers of one client that wait for a subject stand in a line: they are served in the order in which they came, and
   * one who wants little does not overtake one who wants much. A caller asks the server only when there may be enough for it. A
   * caller that is interrupted leaves the line and takes nothing, unless it was asking: what the server took for it then is gone.
   * Programs are served in no order, nor are `take` and `acquire`.
   *
   * A failure that passes, such as an outage, fails every caller that stood in the line when the server was asked. Callers that had not
   * asked themselves get the error with `delivery` `"not-sent"`. Any other error fails only the caller that asked.
   */
  readonly acquire: (subject: string, options?: AcquireOptions) => Effect.Effect<Decision, CommandError, RedisClient>
  /** Gives the subject everything back; returns whether anything was missing. */
  readonly reset: (subject: string) => Effect.Effect<boolean, CommandError, RedisClient>
}

/**
 * Options of {@link tokenBucket}.
 *
 * @category options
 * @since 0.1.0
 */
export interface TokenBucketOptions {
  /** How many tokens a bucket holds: the most that can be taken at once. */
  readonly capacity: number
  /** How many tokens are added, spread evenly, in each time of `every`. Default: `capacity`. */
  readonly refill?: number | undefined
  /** The time in which `refill` tokens are added. An empty bucket must be full again within 285 years. */
  readonly every: RedisArg.TimeToLive
}

/**
 * Options of {@link slidingWindow}.
 *
 * @category options
 * @since 0.1.0
 */
export interface SlidingWindowOptions {
  /** How much may be taken in any span of time that is as long as `window`. */
  readonly limit: number
  /** The length of that span of time, 285 years at the most. */
  readonly window: RedisArg.TimeToLive
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Limits by a bucket of tokens that fills evenly: it admits bursts up to its
 * capacity, and in the long run no more than is refilled. Each subject takes one
 * small key.
 *
 * **Gotchas**
 *
 * A bucket fills while it is being emptied: in one `every` up to
 * `capacity + refill` can be taken. Where a limit must hold for any span of
 * time, use {@link slidingWindow}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tokenBucket = (name: string, options: TokenBucketOptions): RedisRateLimiter =>
  make(name, Scripts.tokenBucket, () => {
    const { capacity, every, refill = capacity } = options
    const interval = span("every", every) / amount("refill", refill)
    return amount("capacity", capacity) * interval <= longest
      ? [capacity, interval]
      : RedisArg.invalid(`an empty bucket must be full again ${inTime}`)
  })

/**
 * Limits by what was taken in the time just past: no `window`, wherever it
 * begins, has more than `limit`. It remembers each time that something was taken,
 * so a subject's key has up to `limit` members.
 *
 * @see {@link tokenBucket} for a limit that admits bursts and takes less memory
 *
 * **Example** (A hundred mails an hour)
 *
 * ```ts
 * import { RedisRateLimiter } from "@redfx/core"
 *
 * const mails = RedisRateLimiter.slidingWindow("mails", { limit: 100, window: "1 hour" })
 *
 * export const beforeSending = mails.acquire("newsletter", { waitTimeout: "10 minutes" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const slidingWindow = (name: string, options: SlidingWindowOptions): RedisRateLimiter =>
  make(name, Scripts.slidingWindow, () => {
    const { limit, window } = options
    return [amount("limit", limit), Math.round(span("window", window))]
  })

// -----------------------------------------------------------------------------
// Deciding
// -----------------------------------------------------------------------------

/**
 * `read`: reads the two numbers that its script takes, and throws where they are wrong. The first is all that there can be at
 * once.
 */
const make = (
  name: string,
  script: Scripts.Limiter,
  read: () => readonly [most: number, number]
): RedisRateLimiter => {
  // The options are those of now, whatever the program makes of them later.
  const limits = Result.try(read)
  const settings = () => Result.getOrThrowWith(limits, (error) => error)
  const keyOf = (subject: string): string => `${text("name", name)}:${text("subject", subject)}`
  const decide = (subject: string, cost: number, counts: 0 | 1) =>
    script.decide(() => keyOf(subject), () => {
      const given = settings()
      return [...given, atMost(cost, given[0]), counts]
    })
  return {
    name,
    take: (subject, cost = 1) => decide(subject, cost, 1),
    peek: (subject, cost = 1) => decide(subject, cost, 0),
    acquire: (subject, options = {}) =>
      Effect.flatMap(
        Options.readOptions("RedisRateLimiter.acquire", () => {
          const { cost = 1, waitTimeout = Infinity } = options
          const given = settings()
          return {
            waitTimeout: Options.milliseconds("waitTimeout", waitTimeout),
            given,
            cost: atMost(cost, given[0]),
            key: keyOf(subject)
          }
        }),
        ({ cost, given, key, waitTimeout }) =>
          acquire({
            line: lineOf(given, key),
            ask: script.inLine(() => key, () => [...given, cost, 1]),
            cost,
            most: given[0],
            waitTimeout
          })
      ),
    reset: (subject) =>
      Effect.flatMap(Options.readOptions("RedisRateLimiter.reset", () => keyOf(subject)), (key) =>
        Effect.tap(
          Effect.map(del(key), (deleted) => deleted === 1),
          () =>
            Effect.map(RedisClient, (client) => {
              const given = Options.readOptions("RedisRateLimiter.reset", settings)
              // Nobody waits in a line whose limits are wrong.
              if (Exit.isSuccess(given)) lines.wake(client, lineOf(given.value, key))
            })
        ))
  }
}

// -----------------------------------------------------------------------------
// Waiting
// -----------------------------------------------------------------------------

const lines = new Lines<Scripts.Taking>()

/** The name of a line. Limiters of one name and other limits have nothing to wait for together. */
const lineOf = (settings: readonly [number, number], key: string): string => `${settings.join(" ")} ${key}`

/** Takes as soon as it is the caller's turn and there is enough. */
const acquire = ({ ask, cost, line, most, waitTimeout }: {
  readonly line: string
  readonly ask: RedisCommand<Scripts.Taking>
  readonly cost: number
  readonly most: number
  readonly waitTimeout: number
}): Effect.Effect<Decision, CommandError, RedisClient> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.map(
      lines.wait(line, {
        size: cost,
        most,
        ask: restore(ask),
        told: ({ decision, pause }) => ({ granted: decision.allowed, room: decision.remaining, pause }),
        // The next question then reaches the server one pause after this one.
        pausesFrom: "question",
        waitTimeout,
        late,
        jitter
      }, restore),
      ({ decision }) => decision
    )
  )

/** What is said to a caller for whom it would take too long to come to the front: nobody before it has a chance sooner. */
const late = ({ decision: { remaining, resetAfter } }: Scripts.Taking, age: number, left: number): Scripts.Taking => ({
  decision: {
    allowed: false,
    remaining,
    retryAfter: Duration.millis(left),
    resetAfter: Duration.max(Duration.subtract(resetAfter, Duration.millis(age)), Duration.zero)
  },
  pause: left
})

/** The part by which a pause is longer at the most: the callers of other programs were told the same time. */
const jitter = 0.1

// -----------------------------------------------------------------------------
// Checking
// -----------------------------------------------------------------------------

/** A part of a key. What is no text would be the same text for many: all objects have one bucket then. */
const text = (title: string, value: string): string =>
  typeof value === "string" ? value : RedisArg.invalid(`${title} must be text`)

/** A whole number of units, small enough for sums of them to be exact. */
const amount = (title: string, value: number): number =>
  Number.isSafeInteger(value) && value >= 1 && value <= largest
    ? value
    : RedisArg.invalid(`${title} must be a whole number from 1 to ${largest}`)

const largest = 1e9

const atMost = (cost: number, all: number): number =>
  amount("cost", cost) <= all
    ? cost
    : RedisArg.invalid(`cost must not be more than the ${all} that there can be at once`)

/** A span in microseconds. */
const span = (title: string, time: RedisArg.TimeToLive): number => {
  const given = Options.milliseconds(title, time) * 1000
  return given >= 1000 && given <= longest
    ? given
    : RedisArg.invalid(`${title} must be a millisecond or more, and over ${inTime}`)
}

/** The longest time in microseconds, which is exact as a number. */
const longest = Number.MAX_SAFE_INTEGER

const inTime = "within 285 years"
