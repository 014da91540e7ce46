/**
 * The connection of subscriptions. The first subscription opens it; it is opened again after a loss as long as there
 * are subscriptions, and closed a little after the last one has gone.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as RedisArg from "../../RedisArg.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Kind } from "../../RedisPubSub.ts"
import type { Subscribers } from "../client/router.ts"
import type { Listener, RedisConnection } from "../connection/model.ts"
import { ping } from "../connection/ping.ts"
import { saidNothing, watchSilence } from "../connection/silence.ts"
import { requestOf, SingleRequest } from "../connection/singleRequest.ts"
import { clientClosed, connectionLoss } from "../error/events.ts"
import { Life, redial } from "../pool/redial.ts"
import type { Useless } from "../pool/redial.ts"
import { Listeners } from "../runtime/listeners.ts"
import { Hub } from "./hub.ts"
import { serversOf, shownServer } from "./servers.ts"
import type { Receiver, Topic } from "./topic.ts"

/** How long a connection without subscriptions stays open, for callers that soon subscribe again. */
const linger = Duration.seconds(1)

/**
 * The milliseconds between two looks at the connection, those after which a connection on which nothing arrives is sent
 * a PING, and those after which the server is said to have stopped, if its answers do not usually take longer. Up to
 * one look has gone by before the first, which makes two seconds in all; a server that was busy for 1.25 of them has
 * not stopped.
 */
const look = 250
const quiet = 500
const stopped = 1750

/**
 * - `Idle`: no connection, and no need of one.
 * - `Dialling`: being opened. `CoolingDown`: could not be opened; the next attempt has to wait.
 * - `Ready`: subscriptions are sent on the connection at once.
 * - `Closed`: for good.
 */
type State =
  | { readonly _tag: "Idle" | "Dialling" | "CoolingDown" }
  | { readonly _tag: "Ready"; readonly connection: RedisConnection }
  | { readonly _tag: "Closed"; readonly failure: CommandError }

export interface LinkOptions {
  readonly server: string
  readonly settings: ConnectionSettings
  readonly subscribers: Subscribers
  readonly onConfirmed: (topics: ReadonlyArray<Topic>) => void
  readonly onMoved: (topic: Topic) => void
}

/** The connection to one server, with who is subscribed to what on it. */
export class Link {
  readonly hub: Hub
  readonly #options: LinkOptions
  #state: State = { _tag: "Idle" }
  readonly #waiters = new Listeners<Exit.Exit<RedisConnection, CommandError>>()
  /** Told when a connection is wanted, and when there is no subscription any more. */
  readonly #demand = new Listeners()
  readonly #disuse = new Listeners()
  /** A receiver that stops the reading while it has no room. It has this connection alone. */
  #throttle: Receiver | undefined = undefined
  #continue: (() => void) | undefined = undefined
  #overdue = false
  /** The number of callers that run a command on the connection, or wait for it to. */
  #asking = 0

  constructor(options: LinkOptions) {
    this.#options = options
    this.hub = new Hub({
      server: shownServer(options.server),
      textDecoding: options.settings.textDecoding,
      onDemand: () => this.#demand.tell(),
      onUnused: () => this.#disuse.tell(),
      onConfirmed: options.onConfirmed,
      onMoved: options.onMoved,
      isElsewhere: ({ key, kind }) => !serversOf(options.subscribers, kind, key).includes(options.server)
    })
  }

  get server(): string {
    return this.#options.server
  }

  /** Whether there is neither a connection nor a need of one. */
  get unused(): boolean {
    return this.#state._tag === "Idle" && !this.#wanted
  }

  /** Subscribes. A call that fails subscribes to nothing. */
  join(
    receiver: Receiver,
    kind: Kind,
    keys: Iterable<RedisArg.Key>
  ): Effect.Effect<void, CommandError> {
    return Effect.callback((resume) => {
      const state = this.#state
      if (state._tag === "Closed") return resume(Effect.fail(state.failure))
      const giveUp = this.hub.join(receiver, kind, keys, resume)
      this.proceed()
      return Effect.sync(giveUp)
    })
  }

  /** Unsubscribes, and waits for the confirmation. */
  leave(receiver: Receiver, topics: Iterable<Topic>): Effect.Effect<void, CommandError> {
    return Effect.callback((resume) => {
      this.hub.leave(receiver, topics, resume)
      this.proceed()
    })
  }

  /** Runs a command on the connection, which stays open for it. */
  execute<A>(command: RedisCommand.RedisCommand<A>): Effect.Effect<A, CommandError> {
    return Effect.acquireUseRelease(
      Effect.sync(() => void this.#asking++),
      () =>
        Effect.flatMap(this.#connection, (connection) =>
          requestOf(command, (request) => {
            connection.submit(request)
            this.proceed()
          })),
      () => Effect.sync(() => void this.#asking--)
    )
  }

  /** The connection, opened when there is none. */
  readonly #connection: Effect.Effect<RedisConnection, CommandError> = Effect.callback((resume) => {
    const state = this.#state
    if (state._tag === "Ready") return resume(Effect.succeed(state.connection))
    if (state._tag === "Closed") return resume(Effect.fail(state.failure))
    const leave = this.#waiters.once(resume)
    this.#demand.tell()
    return Effect.sync(leave)
  })

  throttleBy(receiver: Receiver): void {
    this.#throttle = receiver
  }

  /** Goes on reading when there is a reason to. */
  proceed(): void {
    if (this.#mayRead) this.#continue?.()
  }

  /** Fails everything, now and from now on. */
  close(failure: CommandError = clientClosed()): void {
    this.#state = { _tag: "Closed", failure }
    this.#waiters.tell(Exit.fail(failure))
    this.hub.close(failure)
  }

  /** Opens, watches and reopens the connection, in a fiber. */
  get run(): Effect.Effect<never> {
    const { server, subscribers: { news, onEvent } } = this.#options
    return redial({
      address: server,
      onEvent,
      news,
      awaitDemand: Effect.suspend(() => {
        this.#state = { _tag: "Idle" }
        return this.#demand.until(() => this.#wanted)
      }),
      serve: Effect.tap(this.#serve, () => Effect.sync(() => this.hub.rehome())),
      coolDown: () => {
        this.#state = { _tag: "CoolingDown" }
      }
    })
  }

  /**
   * Serves one connection from its dial to its end. The result is an error when the connection was of no use, so that
   * there must be a pause before the next one.
   */
  readonly #serve: Effect.Effect<Useless | undefined> = Effect.suspend(
    () => {
      this.#state = { _tag: "Dialling" }
      const { server, subscribers } = this.#options
      // The callers that wait for the connection must not wait for ever.
      const dialled = Effect.catchDefect(
        subscribers.connect(server, this.#listener),
        (defect) => Effect.fail(connectionLoss("Other", "The client failed to open a connection", server, defect))
      )
      return Effect.scoped(
        Effect.flatMap(
          // A server that is gone may be waited for without end, but not when nobody wants it any more.
          Effect.raceFirst(dialled, Effect.as(this.#awaitUnused, undefined)),
          (connection) => connection === undefined ? Effect.succeed(undefined) : this.#use(connection)
        )
      ).pipe(
        Effect.catch((error) => {
          this.#waiters.tell(Exit.fail(error))
          this.hub.failJoining(error)
          return Effect.succeed({ error, isUnused: true })
        })
      )
    }
  )

  readonly #use = Effect.fnUntraced(function*(this: Link, connection: RedisConnection) {
    const { address, exchange, protocol } = connection
    const { onEvent } = this.#options.subscribers
    let error: CommandError | undefined = undefined
    yield* Effect.acquireRelease(
      Effect.sync(() => onEvent({ _tag: "Connected", address, protocol })),
      () => Effect.sync(() => onEvent({ _tag: "Disconnected", address, error }))
    )
    const life = new Life(connection, yield* Clock.Clock)
    this.#state = { _tag: "Ready", connection }
    this.#overdue = false
    this.#waiters.tell(Exit.succeed(connection))
    this.hub.attach(exchange)
    yield* Effect.forkScoped(this.#watchLiveness(connection))
    error = yield* Effect.raceFirst(connection.lost, Effect.as(this.#awaitUnused, undefined))
    const end = error ?? unused(address)
    this.#leaveConnection(end)
    connection.close(end)
    // The first thing to arrive confirms what was subscribed to before.
    return life.hasLasted || life.answers > 1 || error === undefined ? undefined : { error, isUnused: false }
  }).bind(this)

  /** Subscribers that come from now on get the next connection. */
  #leaveConnection(end: CommandError): void {
    if (this.#state._tag === "Ready") this.#state = { _tag: "Idle" }
    this.hub.detach(end)
  }

  /**
   * Watches a connection on which nothing arrives, as there need not be any messages. The connection is sent a PING, so
   * that the server owes something, and subscriptions are told of a gap when it still says nothing.
   */
  #watchLiveness(connection: RedisConnection): Effect.Effect<void> {
    const { healthCheckInterval, livenessTimeout } = this.#options.settings
    const limit = Duration.toMillis(Duration.min(healthCheckInterval, livenessTimeout))
    if (limit === Infinity) return Effect.void
    const { address, exchange } = connection
    return watchSilence(connection, {
      every: look,
      limit,
      deaf: () => this.#continue !== undefined,
      onLook: (silence, over) => {
        if (over) return
        if (silence >= quiet && exchange.inFlight + exchange.waiting === 0) submitPing(connection)
        if (silence >= stopped && this.#overdue) this.hub.doubt(saidNothing(silence, address))
      }
    })
  }

  /** Takes the news that the server owes an answer for longer than it should, or has given it after all. */
  #onSilence(silent: boolean): void {
    this.#overdue = silent
    if (!silent) this.hub.trust()
  }

  readonly #listener: Listener = {
    subscriber: true,
    onPush: (items) => this.hub.receive(items),
    onUnasked: (value) => this.hub.unasked(value),
    onSilence: (silent) => this.#onSilence(silent),
    onRead: () => {
      this.hub.flush()
      return this.#mayRead ? undefined : this.#awaitRoom
    }
  }

  /** Whether the link may read. An answer that is awaited comes after messages for which nobody has room. */
  get #mayRead(): boolean {
    const state = this.#state
    return this.#throttle === undefined || !this.#throttle.mailbox.full || this.hub.unconfirmed ||
      state._tag !== "Ready" || state.connection.exchange.inFlight > 0 || state.connection.exchange.waiting > 0
  }

  readonly #awaitRoom: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#mayRead) return resume(Effect.void)
    const proceed = () => {
      this.#continue = undefined
      resume(Effect.void)
    }
    this.#continue = proceed
    return Effect.sync(() => {
      this.#continue = undefined
    })
  })

  /**
   * Suspends until there have been no subscriptions for a while, and nobody waits for an answer. The connection is left in the
   * step that finds so, as others may come before it is closed.
   */
  readonly #awaitUnused: Effect.Effect<void> = Effect.gen({ self: this }, function*() {
    while (true) {
      yield* this.#disuse.until(() => this.hub.empty)
      yield* Effect.sleep(linger)
      if (this.#wanted) continue
      return this.#leaveConnection(unused(this.#options.server))
    }
  })

  get #wanted(): boolean {
    return !this.hub.empty || this.#asking > 0
  }
}

const unused = (address: string): CommandError => connectionLoss("Closed", "Nobody has subscribed any more", address)

/** A refusal shows life as well, like any answer. */
const submitPing = (connection: RedisConnection): void =>
  connection.submit(new SingleRequest(ping, undefined, () => {}))
