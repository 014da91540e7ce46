/**
 * The sentinels that there are to ask: those that were given, which stay for
 * good, and those that these know of.
 *
 * @internal
 */
import { sentinelSentinels } from "@redfx/core/commands/Sentinel"
import type { Service } from "@redfx/core/RedisClient"
import type { RedisCommand } from "@redfx/core/RedisCommand"
import type { ConnectionSettings, NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import type { RedisError } from "@redfx/core/RedisError"
import * as RedisPool from "@redfx/core/RedisPool"
import * as RedisRouter from "@redfx/core/RedisRouter"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import * as Scope from "effect/Scope"
import { clientClosed } from "./failures.ts"

/** A sentinel. `name`: how it is printed, and told from others. */
export interface Sentinel {
  readonly name: string
  readonly address: NodeAddress
}

/** How long what one sentinel told of the others is good enough, in milliseconds. */
const learnedFor = 10_000

/** How many sentinels are remembered besides those that were given. */
const mostLearned = 32

export interface Options {
  readonly given: ReadonlyArray<NodeAddress>
  readonly settings: ConnectionSettings
  readonly translate: (address: NodeAddress) => NodeAddress
}

export class Sentinels {
  /** Opens a client of a sentinel that nobody else uses, without any I/O. */
  readonly connect: (sentinel: Sentinel) => Effect.Effect<Service, never, Scope.Scope>
  readonly #options: Options
  readonly #context: Context.Context<RedisConnector | Scope.Scope>
  readonly #clients: RcMap.RcMap<NodeAddress, Service>
  readonly #given: ReadonlyArray<Sentinel>
  /** The sentinels that are known of by the services that they watch. */
  readonly #learned = new Map<string, ReadonlyArray<Sentinel>>()
  readonly #learnedAt = new Map<string, number>()
  #inOrder: ReadonlyArray<Sentinel>
  #closed = false

  constructor(
    options: Options,
    context: Context.Context<RedisConnector | Scope.Scope>,
    clients: RcMap.RcMap<NodeAddress, Service>,
    connect: (sentinel: Sentinel) => Effect.Effect<Service, never, Scope.Scope>
  ) {
    this.#options = options
    this.#context = context
    this.#clients = clients
    this.connect = connect
    this.#given = options.given.map(sentinelAt)
    this.#inOrder = unique(this.#given)
  }

  /** In the order in which they are asked. */
  get inOrder(): ReadonlyArray<Sentinel> {
    return this.#inOrder
  }

  /** Runs a question on a sentinel, over a connection that is kept as long as it is of use. */
  ask<A>(sentinel: Sentinel, question: RedisCommand<A>): Effect.Effect<A, RedisError> {
    return Effect.suspend(() =>
      this.#closed
        ? Effect.fail(clientClosed)
        : Effect.scoped(
          Effect.flatMap(RcMap.get(this.#clients, sentinel.address), (client) => client.execute(question))
        )
    ).pipe(
      // A fresh client dials at once, where the old one would first wait out a pause or for an answer that is overdue.
      Effect.tapError((error) => answered(error) ? Effect.void : RcMap.invalidate(this.#clients, sentinel.address)),
      // A kept connection may have ended a moment ago, unnoticed.
      Effect.retry({ times: 1, while: isLost })
    )
  }

  /** Asks this one first from now on. */
  prefer(sentinel: Sentinel): void {
    if (this.#inOrder[0] === sentinel || !this.#inOrder.includes(sentinel)) return
    this.#inOrder = [sentinel, ...this.#inOrder.filter((other) => other !== sentinel)]
  }

  /** Asks this one last from now on. */
  distrust(sentinel: Sentinel): void {
    if (!this.#inOrder.includes(sentinel)) return
    this.#inOrder = [...this.#inOrder.filter((other) => other !== sentinel), sentinel]
  }

  /** Asks one sentinel of a service for the others, in the background, unless that was done not long ago. */
  learn(service: string, from: Sentinel): Effect.Effect<void> {
    return Effect.sync(() => {
      const now = RedisRouter.elapsed(Context.get(this.#context, Clock.Clock))
      const last = this.#learnedAt.get(service)
      if (this.#closed || last !== undefined && now - last < learnedFor) return
      this.#learnedAt.set(service, now)
      const asking = Effect.exit(this.#askForOthers(service, from))
      Effect.runForkWith(this.#context)(Effect.forkIn(asking, Context.get(this.#context, Scope.Scope)))
    })
  }

  /** Ends everything. */
  close(): void {
    this.#closed = true
  }

  readonly #askForOthers = Effect.fnUntraced(function*(this: Sentinels, service: string, from: Sentinel) {
    const states = yield* this.ask(from, sentinelSentinels(service))
    const others = states.map(({ ip, port }) => sentinelAt(this.#options.translate({ host: ip, port })))
    this.#learned.set(service, [from, ...others].slice(0, mostLearned))
    const known = [...this.#given, ...[...this.#learned.values()].flat()]
    const names = new Set(known.map(({ name }) => name))
    const gone = this.#inOrder.filter(({ name }) => !names.has(name))
    this.#inOrder = unique([...this.#inOrder, ...known]).filter(({ name }) => names.has(name))
    yield* Effect.forEach(gone, ({ address }) => RcMap.invalidate(this.#clients, address))
  }).bind(this)
}

/** The sentinels to ask, for as long as the scope is open. Opens nothing before one is asked. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Sentinels, never, RedisConnector | Scope.Scope> {
  const context = yield* Effect.context<RedisConnector | Scope.Scope>()
  const connect = ({ host, port }: NodeAddress) =>
    Effect.flatMap(
      RedisPool.makeAt({ host, port }, options.settings),
      ({ router, settings }) => RedisRouter.makeClient(router, settings)
    ).pipe(RedisRouter.inContext(context))
  const clients = yield* RcMap.make({ lookup: connect, idleTimeToLive: Duration.infinity })
  const sentinels = new Sentinels(options, context, clients, ({ address }) => connect(address))
  yield* Effect.addFinalizer(() => Effect.sync(() => sentinels.close()))
  return sentinels
})

const sentinelAt = (address: NodeAddress): Sentinel => ({ name: formatEndpoint(address), address })

/** The first of each name. */
const unique = (sentinels: ReadonlyArray<Sentinel>): ReadonlyArray<Sentinel> =>
  sentinels.filter(({ name }, index) => sentinels.findIndex((other) => other.name === name) === index)

/** Whether the sentinel has answered, so that its connection is as good as before. */
const answered = (error: RedisError): boolean =>
  error._tag === "ResponseError" || error._tag === "NoPermissionError" || error._tag === "DecodeError"

const isLost = (error: RedisError): boolean =>
  error._tag === "ConnectionError" && (error.reason === "Closed" || error.reason === "Reset")
