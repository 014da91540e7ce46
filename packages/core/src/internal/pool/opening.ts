/**
 * Opens the connections of a pool. After a failure all callers wait for a pause before the next dial.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { RedisConnector } from "../../RedisConnector.ts"
import type { CommandError } from "../../RedisError.ts"
import type { RedisConnection } from "../connection/model.ts"
import { failAll } from "../connection/request.ts"
import type { RequestQueue } from "../connection/request.ts"
import { besides } from "../error/events.ts"
import { runNow } from "../runtime/ownContext.ts"
import { acquireIn } from "../runtime/ownScope.ts"
import type { Attempts } from "./attempts.ts"
import { addressOf, Pauses, pauseUnless } from "./redial.ts"
import type { Options } from "./redial.ts"

/** A new connection, its scope, and the error that has ended it, if anything has. */
export interface Opened {
  readonly connection: RedisConnection
  readonly scope: Scope.Closeable
  readonly lost: () => CommandError | undefined
}

export class Opening {
  readonly #options: Options
  readonly #context: Context.Context<RedisConnector>
  readonly #scope: Scope.Closeable
  readonly #now: () => number
  readonly #pauses = new Pauses()
  /** The time at which the next dial may begin. */
  #notBefore = 0
  /** How much news there was when the dial began that it comes after. */
  #counted: number | undefined = undefined
  #failure: CommandError | undefined = undefined

  constructor(
    options: Options,
    context: Context.Context<RedisConnector>,
    scope: Scope.Closeable,
    now: () => number
  ) {
    this.#options = options
    this.#context = context
    this.#scope = scope
    this.#now = now
  }

  /** Why the last dial failed; `undefined` when it did not. */
  get failure(): CommandError | undefined {
    return this.#failure
  }

  /** Opens a connection. `onLost`: told of its end, unless that came before it was handed over. */
  open(
    attempts: Attempts,
    onLost: (connection: RedisConnection, failure: CommandError) => void
  ): Effect.Effect<Opened, CommandError, RedisConnector> {
    return Effect.gen({ self: this }, function*() {
      const { news } = this.#options.dialer
      while (this.#pauseLeft > 0) yield* pauseUnless(this.#pauseLeft, news, this.#counted)
      const counted = news?.count()
      const scope = yield* Scope.fork(this.#scope)
      let connection: RedisConnection | undefined = undefined
      let lost: CommandError | undefined = undefined
      const onUnsent = (unsent: RequestQueue, failure: CommandError) => {
        lost = failure
        if (connection !== undefined) onLost(connection, failure)
        failAll(unsent, besides(failure))
      }
      attempts.begin()
      connection = yield* this.#options.dialer.open({ onUnsent, onProgress: attempts.progress }).pipe(
        acquireIn(scope),
        Effect.tapError((error) => Effect.sync(() => this.#onFailed(error, counted)))
      )
      this.#failure = undefined
      return { connection, scope, lost: () => lost }
    })
  }

  /** The milliseconds until the next dial may begin. News is a reason not to wait. */
  get #pauseLeft(): number {
    return this.#options.dialer.news?.count() === this.#counted ? this.#notBefore - this.#now() : 0
  }

  #onFailed(error: CommandError, counted: number | undefined): void {
    // A limit kept the dial from beginning, which is no reason to delay the next one.
    if (error._tag === "ConnectionError" && error.reason.startsWith("Pool")) return
    this.#failure = error
    const retryAfter = this.postpone(error, counted)
    if (retryAfter === undefined) return
    const address = addressOf(error) ?? this.#options.dialer.address
    this.#options.onEvent({ _tag: "ConnectFailed", address, error, retryAfter: Duration.millis(retryAfter) })
  }

  /**
   * Delays the next dial, and returns by how much; `undefined` when it is delayed already, as with dials that fail
   * together. `counted`: how much news there was when that began which has failed.
   */
  postpone(error: CommandError, counted: number | undefined = this.#options.dialer.news?.count()): number | undefined {
    if (this.#pauseLeft > 0) return undefined
    this.#counted = counted
    const pause = runNow(this.#context)(this.#pauses.after(error))
    this.#notBefore = this.#now() + pause
    return pause
  }

  /** Takes note that a connection was of use, so that the next pause is a short one. */
  succeed(): void {
    this.#pauses.reset()
  }
}
