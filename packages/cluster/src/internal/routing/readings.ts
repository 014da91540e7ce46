/**
 * Decides when the topology is read: one reading at a time, with a pause between two.
 */
import type { CommandError } from "@redfx/core/RedisError"
import { ofNoCommand } from "@redfx/core/unstable/Connection"
import { backOff, elapsed, jitter, Once } from "@redfx/core/unstable/Runtime"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { lossIn } from "../topology/clusterErrors.ts"
import { lately } from "../topology/health.ts"

export interface ReadingsOptions {
  /** Reads the topology; returns whether that has brought anything new. */
  readonly read: Effect.Effect<boolean, CommandError>
  /** Whether somebody waits for a server. */
  readonly isAwaited: () => boolean
  /** Called when a reading has ended, after those who wait for it were told. */
  readonly onEnd: (exit: Exit.Exit<void, CommandError>) => void
}

/**
 * The least pause between two readings, and the longest pause after readings that brought nothing new, before jitter. `urgent`:
 * after a server has told of a change.
 */
const pauses = { shortest: 100, longest: 1000, urgent: 50 }

/**
 * The number of readings in a row after which they become rarer even while commands wait for a server. Elections take
 * less time.
 */
const patientReadings = 600

/**
 * The length in milliseconds of the pieces in which a pause is slept, because it is shortened when somebody begins to
 * wait for a server.
 */
const piece = 50

export class Readings {
  readonly #options: ReadingsOptions
  readonly #clock: Clock.Clock
  readonly #fork: (effect: Effect.Effect<void>) => void
  /**
   * The reading under way. It is not one of `Flights`, as it goes on when nobody waits for it, and a client that closes
   * fails the callers before the reading has ended.
   */
  #reading: Once<void, CommandError> | undefined = undefined
  #closed: CommandError | undefined = undefined
  #lastRead = -Infinity
  /** When the last reading began that has not failed. */
  #known = -Infinity
  /** Whether a server has told of a change that is to be read. */
  #isUrgent = false
  /** Whether the reading under way has asked a server: before that it waits for its time. */
  #isAsking = false
  #jitter = 1
  /** The number of readings in a row that brought nothing new. */
  #fruitless = 0

  constructor(options: ReadingsOptions, clock: Clock.Clock, fork: (effect: Effect.Effect<void>) => void) {
    this.#options = options
    this.#clock = clock
    this.#fork = fork
  }

  /** The reason why nothing is read any more. */
  get closed(): CommandError | undefined {
    return this.#closed
  }

  /** Whether the topology is being read. */
  get isReading(): boolean {
    return this.#reading !== undefined
  }

  /** Reads, or joins the reading under way. */
  readonly outcome: Effect.Effect<void, CommandError> = Effect.mapError(
    Effect.suspend(() => this.#read().outcome),
    ofNoCommand
  )

  /** Has a reading begin, unless one is under way. */
  request(): void {
    this.#read()
  }

  /** Suspends until the reading under way has ended, if it may have asked before now. */
  readonly asked: Effect.Effect<void> = Effect.gen({ self: this }, function*() {
    while (this.#isAsking && this.#reading !== undefined && this.#closed === undefined) {
      yield* Effect.exit(this.#reading.outcome)
    }
  })

  /** Whether the topology was read after a time, and not long ago. */
  isCurrent(since: number): boolean {
    return this.#known > Math.max(since, elapsed(this.#clock) - lately)
  }

  /** Has the next reading begin as soon as may be. */
  hasten(): void {
    this.#isUrgent = true
    this.#fruitless = 0
  }

  /** Fails those who wait, now and from now on. */
  close(failure: CommandError): void {
    this.#closed = failure
    this.#reading?.end(Exit.fail(failure))
  }

  #read(): Once<void, CommandError> {
    if (this.#reading !== undefined) return this.#reading
    const done = new Once<void, CommandError>()
    if (this.#closed !== undefined) {
      done.end(Exit.fail(this.#closed))
      return done
    }
    this.#reading = done
    this.#fork(Effect.flatMap(this.#readOnce, (exit) =>
      Effect.sync(() => {
        this.#reading = undefined
        this.#isAsking = false
        done.end(exit)
        this.#options.onEnd(exit)
      })))
    return done
  }

  readonly #readOnce: Effect.Effect<Exit.Exit<void, CommandError>> = Effect.gen({ self: this }, function*() {
    if (this.#pauseLeft < -pauses.longest) this.#fruitless = 0
    while (this.#pauseLeft > 0) yield* Effect.sleep(Math.min(Math.ceil(this.#pauseLeft), piece))
    this.#isUrgent = false
    this.#isAsking = true
    const began = elapsed(this.#clock)
    const exit = yield* Effect.exit(this.#options.read)
    if (Exit.isSuccess(exit)) this.#known = began
    const brought = Exit.isSuccess(exit) && exit.value
    this.#fruitless = brought ? 0 : this.#fruitless + 1
    this.#jitter = yield* jitter
    this.#lastRead = elapsed(this.#clock)
    return Exit.isSuccess(exit) ? Exit.void : Exit.fail(lossIn(exit))
  })

  /**
   * The milliseconds until the topology may be read again: few while somebody waits for a server, and few after news.
   */
  get #pauseLeft(): number {
    const now = elapsed(this.#clock)
    if (this.#isUrgent) return this.#lastRead + pauses.urgent - now
    const isAwaited = this.#options.isAwaited() && this.#fruitless < patientReadings
    const pause = isAwaited ? pauses.shortest : backOff(this.#fruitless, pauses)
    return this.#lastRead + Math.round(this.#jitter * pause) - now
  }
}
