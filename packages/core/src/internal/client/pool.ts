/**
 * The connections to one server, and the router over them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Key } from "../../RedisArg.ts"
import type { RedisClient, RedisEvent, RedisStats } from "../../RedisClient.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import * as RedisConfig from "../../RedisConfig.ts"
import type { Endpoint, RedisConnector } from "../../RedisConnector.ts"
import type { CommandError, RedisConfigError } from "../../RedisError.ts"
import { encodeUtf8 } from "../codec/utf8.ts"
import * as Connection from "../connection/connection.ts"
import type { Dialer } from "../connection/model.ts"
import { answerTo } from "../connection/ping.ts"
import { connectionLoss, ofNoCommand } from "../error/events.ts"
import type { Member } from "../pool/claims.ts"
import * as ExclusivePool from "../pool/exclusive.ts"
import * as SharedConnection from "../pool/shared.ts"
import { announcements } from "../runtime/announcements.ts"
import { withCloseTimeout } from "../runtime/closing.ts"
import { elapsed } from "../runtime/elapsed.ts"
import { inContext } from "../runtime/ownContext.ts"
import { withFunctions } from "../script/calls.ts"
import { makeClient } from "./client.ts"
import { ofLease } from "./exclusiveUse.ts"
import { refusals } from "./refusals.ts"
import type { RedisRouter, Subscribers } from "./router.ts"

/**
 * The connections to one server, as what is built on them sees them.
 *
 * - `router`: sends commands over the pool's connections.
 * - `member`: the same for one of several users of the pool. When its scope closes, the connections that it has for itself
 *   are closed and its waiting for one fails; nobody waits for it.
 * - `disconnect`: closes idle connections, with `inUse` also those in use, whose commands then fail with `reason`;
 *   further commands open new ones. `only`: leaves those alone that commands share.
 * - `retire`: fails with `reason` what is under way, what waits for a connection and everything that comes later.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pool {
  readonly settings: RedisConfig.ConnectionSettings
  readonly router: RedisRouter
  readonly member: Effect.Effect<RedisRouter, never, Scope.Scope>
  readonly disconnect: (options?: {
    readonly inUse?: boolean | undefined
    readonly reason?: CommandError | undefined
    readonly only?: "exclusive" | undefined
  }) => Effect.Effect<void>
  readonly retire: (reason: CommandError) => Effect.Effect<void>
  readonly stats: Effect.Effect<RedisStats>
}

/**
 * A limit that pools share.
 *
 * - `limited`: makes the dialer of either kind of connection keep within it.
 * - `isWanted`: whether somebody waits for the room of an exclusive connection that is open for so many milliseconds. One that
 *   is given back is closed then.
 *
 * @category models
 * @since 0.1.0
 */
export interface SharedLimit {
  readonly limited: (dialer: Dialer, kind: "shared" | "exclusive") => Dialer
  readonly isWanted?: ((age: number) => boolean) | undefined
}

/** The client on a pool. */
export const clientOf = (
  router: RedisRouter,
  settings: RedisConfig.ConnectionSettings
): Effect.Effect<RedisClient["Service"], never, Scope.Scope> =>
  Effect.map(makeClient(router, settings, { caches: true }), (client) => withFunctions(client))

/** What is made of a pool to the server of a client's options. It is closed together with the pool, within `closeTimeout`. */
export const makeOn = Effect.fnUntraced(function*<A>(
  options: RedisConfig.StandaloneOptions,
  use: (pool: Pool) => Effect.Effect<A, never, Scope.Scope>
): Effect.fn.Return<A, CommandError | RedisConfigError, RedisConnector | Scope.Scope> {
  const endpoint = yield* RedisConfig.endpoint(options)
  const settings = yield* RedisConfig.settings(options)
  const dialer = masterAt(Connection.dialerAt(endpoint, settings))
  const open = Effect.tap(makeFrom(dialer, settings), (pool) => settings.eager ? openShared(pool) : Effect.void)
  return yield* withCloseTimeout(settings.closeTimeout, Effect.flatMap(open, use))
})

/** A host name may lead elsewhere later: when the server turns out to be no master, the next connection may be to one. */
const masterAt = (dialer: Dialer): Dialer => ({
  ...dialer,
  open: (listener) => dialer.open({ ...listener, demotion: (error) => Connection.demotionBy(error, dialer.address) })
})

/**
 * Opens every shared connection of a pool, and fails with what keeps one from
 * being opened.
 */
export const openShared = ({ router, settings }: Pool): Effect.Effect<void, CommandError> =>
  // Each PING goes to the next connection, as it is not ordered. It is no command of the caller's.
  Effect.replicateEffect(Effect.mapError(answerTo(router), ofNoCommand), settings.pool.shared, {
    concurrency: "unbounded",
    discard: true
  })

/**
 * A pool to an endpoint, from settings that are already checked.
 */
export const makeAt = (
  endpoint: Endpoint,
  settings: RedisConfig.ConnectionSettings
): Effect.Effect<Pool, never, RedisConnector | Scope.Scope> =>
  makeFrom(Connection.dialerAt(endpoint, settings), settings)

/**
 * A pool of the connections that a dialer opens.
 *
 * - `onEvent`: told what happens to them as well.
 * - `limit`: one that it shares with others.
 */
export const makeFrom: (
  dialer: Dialer,
  settings: RedisConfig.ConnectionSettings,
  onEvent?: (event: RedisEvent) => void,
  limit?: SharedLimit
) => Effect.Effect<Pool, never, RedisConnector | Scope.Scope> = Effect.fnUntraced(function*(
  dialer: Dialer,
  settings: RedisConfig.ConnectionSettings,
  onEvent: (event: RedisEvent) => void = () => {},
  { isWanted, limited }: SharedLimit = { limited: () => dialer }
) {
  const context = yield* Effect.context<RedisConnector>()
  const { tell, told } = yield* announcements<RedisEvent>()
  const publish = (event: RedisEvent) => {
    onEvent(event)
    tell(event)
  }
  const servers = new Servers(yield* Clock.Clock)
  const onShared = (event: RedisEvent) => {
    servers.note(event)
    publish(event)
  }
  const shared = yield* Effect.forEach(
    Array.from({ length: settings.pool.shared }),
    () => SharedConnection.make({ dialer: limited(dialer, "shared"), settings, onEvent: onShared })
  )
  const exclusive = yield* ExclusivePool.make({
    dialer: limited(dialer, "exclusive"),
    settings,
    onEvent: publish,
    isWanted
  })
  const stats = statsOf(shared, exclusive)
  const subscribers: Subscribers = {
    serverFor: () => dialer.address,
    connect: (_server, listener) => inContext(context)(dialer.open(listener)),
    onEvent: publish,
    news: dialer.news
  }
  const attributes = { "db.namespace": String(settings.db), ...dialer.attributes }
  const rest = { attributes, events: told, stats, subscribers }
  const router: RedisRouter = {
    submit: submitTo(shared),
    ...leasing(exclusive, undefined, rest),
    ...refusals,
    ...rest,
    servers: () => servers.count,
    describe: `${dialer.address}, db ${settings.db}`
  }
  return {
    settings,
    router,
    member: Effect.map(exclusive.join, (member) => ({ ...router, ...leasing(exclusive, member, rest) })),
    stats,
    disconnect: ({ inUse = false, only, reason } = {}) =>
      Effect.sync(() => {
        // Clusters make room so in all their pools, again and again: most have nothing to close, and an error takes 4 µs to make.
        const why = () => reason ?? connectionLoss("Closed", toldTo, dialer.address)
        for (const connection of only === "exclusive" ? [] : shared) {
          if (inUse || connection.inFlight === 0) connection.disconnect(why())
        }
        exclusive.disconnect(why, { inUse })
      }),
    retire: (reason) =>
      Effect.sync(() => {
        for (const connection of shared) connection.retire(reason)
        exclusive.retire(reason)
      })
  }
})

/** The milliseconds within which no server ends, starts and reads its data. */
const quickestStart = 20

/**
 * Counts the servers that connections were opened to, one after the other. A connection is told of before it is used. A
 * server that was without a connection for a while may have started anew, and counts as another one: the order of its
 * keys, in which scans go, went with its process.
 */
class Servers {
  count = 0
  readonly #clock: Clock.Clock
  #latest: string | undefined = undefined
  #open = 0
  #lostAt = -Infinity

  constructor(clock: Clock.Clock) {
    this.#clock = clock
  }

  note(event: RedisEvent): void {
    if (event._tag === "Connected") {
      if (event.address !== this.#latest || this.#mayBeNew) this.count++
      this.#latest = event.address
      this.#open++
    } else if (event._tag === "Disconnected" && --this.#open === 0) this.#lostAt = elapsed(this.#clock)
  }

  get #mayBeNew(): boolean {
    return this.#open === 0 && elapsed(this.#clock) - this.#lostAt >= quickestStart
  }
}

/** The exclusive connections that one member takes, or all callers that are not members together. */
const leasing = (
  exclusive: ExclusivePool.ExclusivePool,
  member: Member | undefined,
  rest: Pick<RedisRouter, "attributes" | "events" | "stats" | "subscribers">
): Pick<RedisRouter, "exclusive" | "reserve"> => ({
  exclusive: (_, wait) => Effect.map(exclusive.lease(member, wait), ({ connection }) => connection),
  reserve: (wait) => Effect.map(exclusive.lease(member, wait), (lease) => ofLease(lease, rest))
})

const toldTo = "The pool was told to disconnect"

/** Submits to one connection after the other. Commands that have to stay in order always go to the same one. */
const submitTo = (shared: ReadonlyArray<SharedConnection.SharedConnection>): RedisRouter["submit"] => {
  const [only] = shared
  if (only !== undefined && shared.length === 1) return only.submit
  let next = 0
  return (request) => {
    // What the server says of changes is in order only with the answers that come over the same connection.
    if (request.isKept) return only!.submit(request)
    const { leading } = request
    const index = leading.spec.traits.has("ordered") ? hash(RedisCommand.firstKey(leading) ?? "") : next++
    // In range: a remainder is less than their number.
    shared[index % shared.length]!.submit(request)
  }
}

/** FNV-1a of the bytes of a key. */
const hash = (key: Key): number => {
  const bytes = typeof key === "string" ? encodeUtf8(key) : key
  let value = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193)
  return value >>> 0
}

const statsOf = (
  shared: ReadonlyArray<SharedConnection.SharedConnection>,
  exclusive: ExclusivePool.ExclusivePool
): Effect.Effect<RedisStats> =>
  Effect.sync(() => ({
    shared: shared.filter((connection) => connection.open).length,
    exclusive: exclusive.open,
    exclusiveIdle: exclusive.idle,
    subscribers: 0,
    waiting: shared.reduce((sum, connection) => sum + connection.waiting, exclusive.waiting),
    inFlight: shared.reduce((sum, connection) => sum + connection.inFlight, 0)
  }))
