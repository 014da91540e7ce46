/**
 * A connection that many callers share and that is opened again after it was
 * lost: one dial at a time, begun by the first request that finds none.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as RedisCommand from "../../RedisCommand.ts"
import type { RedisConnector } from "../../RedisConnector.ts"
import type { CommandError } from "../../RedisError.ts"
import type { RedisConnection } from "../connection/model.ts"
import { failAll } from "../connection/request.ts"
import type { Request, RequestQueue } from "../connection/request.ts"
import { clientClosed } from "../error/events.ts"
import { elapsed } from "../runtime/elapsed.ts"
import { Listeners } from "../runtime/listeners.ts"
import { fork } from "../runtime/ownContext.ts"
import { Attempts, Waiting } from "./attempts.ts"
import { Life, redial } from "./redial.ts"
import type { Options, Useless } from "./redial.ts"

/**
 * - `Idle`: no connection and no need of one.
 * - `Dialling`: being opened; requests wait for it.
 * - `Busy`: the same, but a script keeps the server from it; what ends the script is sent at once.
 * - `CoolingDown`: could not be opened; requests wait for the next attempt.
 * - `Checking`: unused for long, being checked; requests wait for that.
 * - `Ready`: requests go straight to the connection.
 * - `Closed`: for good.
 */
type State =
  | { readonly _tag: "Idle" | "Dialling" | "CoolingDown" }
  | { readonly _tag: "Busy"; readonly submit: (request: Request) => void }
  | { readonly _tag: "Checking" | "Ready"; readonly connection: RedisConnection }
  | { readonly _tag: "Closed"; readonly failure: CommandError }

export class SharedConnection {
  readonly address: string
  readonly #options: Options
  /** The context of the maker of the connection, in which everything runs that callers share. */
  readonly #context: Context.Context<never>
  readonly #clock: Clock.Clock
  readonly #healthCheckInterval: number
  readonly #attempts: Attempts
  readonly #waiting: Waiting
  #state: State = { _tag: "Idle" }
  /** Told when a request begins to wait. */
  readonly #demand = new Listeners()
  /** The time at which the connection was last seen idle; it is only kept while health checks are on. */
  #lastUsed = 0

  constructor(options: Options, context: Context.Context<never>) {
    this.address = options.dialer.address
    this.#options = options
    this.#context = context
    const clock = Context.get(context, Clock.Clock)
    this.#clock = clock
    this.#attempts = new Attempts(this.address, () => elapsed(clock))
    this.#waiting = new Waiting(this.#attempts)
    this.#healthCheckInterval = Duration.toMillis(options.settings.healthCheckInterval)
  }

  /** Whether there is an open connection. */
  get open(): boolean {
    return this.#connection !== undefined
  }

  get #connection(): RedisConnection | undefined {
    return this.#state._tag === "Ready" || this.#state._tag === "Checking" ? this.#state.connection : undefined
  }

  get waiting(): number {
    return this.#waiting.length + (this.#state._tag === "Ready" ? this.#state.connection.exchange.waiting : 0)
  }

  get inFlight(): number {
    return this.#state._tag === "Ready" ? this.#state.connection.exchange.inFlight : 0
  }

  readonly submit = (request: Request): void => {
    const state = this.#state
    switch (state._tag) {
      case "Ready":
        return this.#healthCheckInterval === Infinity
          ? state.connection.submit(request)
          : this.#submitChecked(request, state.connection)
      case "Closed":
        return request.fail(state.failure)
      case "Busy":
        return request.count === 1 && RedisCommand.endsScript(request.leading)
          ? state.submit(request)
          : this.#waiting.push(request)
      default:
        this.#waiting.push(request)
        this.#demand.tell()
    }
  }

  /** Drops the connection. The next request opens another. */
  disconnect(reason: CommandError): void {
    this.#connection?.close(reason)
  }

  /** Opens, watches and reopens the connection, in a fiber. */
  get run(): Effect.Effect<never, never, RedisConnector> {
    const { onEvent, dialer } = this.#options
    return redial({
      address: this.address,
      onEvent,
      news: dialer.news,
      awaitDemand: Effect.suspend(() => {
        if (this.#state._tag === "Closed") return Effect.never
        this.#become({ _tag: "Idle" })
        return this.#demand.until(() => this.#waiting.length > 0)
      }),
      serve: this.#serve,
      coolDown: ({ error, isUnused }) => {
        this.#become({ _tag: "CoolingDown" })
        this.#attempts.fail(error)
        // The connection took none of the requests, so those that wait have waited in vain.
        if (isUnused) failAll(this.#waiting, error)
      }
    })
  }

  /** Fails everything, now and from now on. */
  readonly close: Effect.Effect<void> = Effect.sync(() => this.retire(clientClosed(this.address)))

  /** Fails everything with this error, now and from now on. */
  retire(failure: CommandError): void {
    if (this.#state._tag === "Closed") return
    const connection = this.#connection
    this.#become({ _tag: "Closed", failure })
    failAll(this.#waiting, failure)
    connection?.close(failure)
  }

  /** Serves one connection from its dial to its end. */
  readonly #serve: Effect.Effect<Useless | undefined, never, RedisConnector> = Effect.suspend(() => {
    this.#become({ _tag: "Dialling" })
    this.#attempts.begin()
    return Effect.scoped(Effect.gen({ self: this }, function*() {
      const { onEvent, dialer } = this.#options
      const connection = yield* dialer.open({
        onUnsent: (unsent) => this.#takeBack(unsent),
        onBusy: (submit) => this.#becomeBusy(submit),
        onProgress: this.#attempts.progress
      })
      const { address, exchange } = connection
      const inGreeting = exchange.written
      const life = new Life(connection, this.#clock)
      yield* Effect.acquireRelease(
        Effect.sync(() => onEvent({ _tag: "Connected", address, protocol: connection.protocol })),
        (_, exit) => Effect.sync(() => this.#onEnd(address, exit))
      )
      this.#becomeReady(connection)
      const error = yield* connection.lost
      onEvent({ _tag: "Disconnected", address, error })
      // A connection with nothing but refusals for the writes of many callers must not be dialled again without a
      // pause.
      return life.answers > 0 && !isDemotion(error) || life.hasLasted
        ? undefined
        : { error, isUnused: exchange.written === inGreeting }
    }))
  }).pipe(Effect.catch((error) => Effect.succeed({ error, isUnused: true })))

  #onEnd(address: string, exit: Exit.Exit<unknown, unknown>): void {
    if (this.#state._tag === "Closed") return
    this.#become({ _tag: "Idle" })
    if (Exit.isFailure(exit)) {
      this.#options.onEvent({ _tag: "Disconnected", address, error: undefined })
    }
  }

  /** A closed connection stays closed: a dial that was under way changes nothing any more. */
  #become(state: State): void {
    if (this.#state._tag !== "Closed") this.#state = state
  }

  #becomeReady(connection: RedisConnection): void {
    if (this.#state._tag === "Closed") return connection.close(this.#state.failure)
    this.#lastUsed = this.#now()
    this.#attempts.succeed()
    this.#become({ _tag: "Ready", connection })
    for (const request of this.#waiting.takeAll()) connection.submit(request)
  }

  #becomeBusy(submit: (request: Request) => void): void {
    this.#become({ _tag: "Busy", submit })
    for (const request of this.#waiting.takeAll()) this.submit(request)
  }

  #takeBack(unsent: RequestQueue): void {
    if (this.open) this.#become({ _tag: "Idle" })
    for (const request of unsent.takeAll()) this.submit(request)
  }

  #now(): number {
    return this.#healthCheckInterval === Infinity ? 0 : elapsed(this.#clock)
  }

  #submitChecked(request: Request, connection: RedisConnection): void {
    const now = this.#now()
    const unused = connection.exchange.idle ? now - this.#lastUsed : 0
    this.#lastUsed = now
    if (unused < this.#healthCheckInterval) return connection.submit(request)
    this.#become({ _tag: "Checking", connection })
    this.#attempts.check(connection.address)
    this.#waiting.push(request)
    fork(this.#context)(Effect.match(connection.probe, {
      // The close makes `run` dial again for the requests that wait.
      onFailure: (error) => connection.close(error),
      onSuccess: () => {
        if (this.#state._tag === "Checking") this.#becomeReady(connection)
      }
    }))
  }
}

const isDemotion = (error: CommandError): boolean => error._tag === "ConnectionError" && error.reason === "Demoted"

/** Makes a shared connection that lives as long as the scope. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<SharedConnection, never, RedisConnector | Scope.Scope> {
  const shared = new SharedConnection(options, yield* Effect.context<never>())
  yield* Effect.addFinalizer(() => shared.close)
  yield* Effect.forkScoped(shared.run, { startImmediately: true })
  return shared
})
