/**
 * The service that runs commands. Standalone, Sentinel and Cluster Layers
 * provide the same service, so a program does not know which one it runs on.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { MonitorEvent } from "./commands/replies/MonitorEvent.ts"
import { noEffect } from "./internal/argument/effects.ts"
import { notDuration } from "./internal/argument/options.ts"
import { refused } from "./internal/command/refused.ts"
import { durationFrom } from "./internal/runtime/milliseconds.ts"
import type { Any, RedisCommand } from "./RedisCommand.ts"
import type { CommandError, ExecAbortError, PubSubOverflowError, WatchError } from "./RedisError.ts"
import type { MonitorOptions } from "./RedisMonitor.ts"
import type { PubSub } from "./RedisPubSub.ts"

/**
 * Something that happened to a connection of a client, or to the servers behind it.
 *
 * - `Connected`: opened, and the handshake is done. `protocol`: the version of RESP it speaks.
 * - `Disconnected`: lost, or closed.
 * - `ConnectFailed`: could not be opened; the next attempt waits for `retryAfter` at least. Also of a sentinel that
 *   does not let the client listen to it.
 * - `MasterChanged`: sentinels name another master for the service than the one before.
 * - `TopologyChanged`: the nodes of the cluster, or the slots that each serves, are others than before.
 *
 * @category models
 * @since 0.1.0
 */
export type RedisEvent =
  | {
    readonly _tag: "Connected"
    /** The address of the server. */
    readonly address: string
    /** The version of RESP that the connection speaks. */
    readonly protocol: 2 | 3
  }
  | {
    readonly _tag: "Disconnected"
    /** The address of the server. */
    readonly address: string
    /** What ended the connection; `undefined` when the client closed it. */
    readonly error: CommandError | undefined
  }
  | {
    readonly _tag: "ConnectFailed"
    /** The address of the server. */
    readonly address: string
    /** Why it could not be opened. */
    readonly error: CommandError
    /** For how long the next attempt waits at least. */
    readonly retryAfter: Duration.Duration
  }
  | {
    readonly _tag: "MasterChanged"
    /** The name of the service. */
    readonly service: string
    /** The address of the server. */
    readonly address: string
    /** The address of the master before. */
    readonly previous: string
  }
  | {
    readonly _tag: "TopologyChanged"
    /** The addresses of the masters. */
    readonly masters: ReadonlyArray<string>
    /** The addresses of the replicas. */
    readonly replicas: ReadonlyArray<string>
  }

/**
 * Counts of what a client holds at a moment.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisStats {
  /** Open connections that callers share. */
  readonly shared: number
  /** Open connections that one caller has at a time. */
  readonly exclusive: number
  /** How many of the exclusive connections nobody uses. */
  readonly exclusiveIdle: number
  /** Open connections for subscriptions and MONITOR. A pool has none: they are its clients' own. */
  readonly subscribers: number
  /** Commands that are not written yet, and callers that wait for a connection of their own. */
  readonly waiting: number
  /** Commands that are written and not answered. */
  readonly inFlight: number
}

/**
 * Counts of what a client's cache holds, and of what became of reads that may be answered from it.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheStats {
  /** The answers that it holds. */
  readonly entries: number
  /** About how much memory they take. */
  readonly bytes: number
  /** Reads that were answered from it. */
  readonly hits: number
  /** Reads that were sent. */
  readonly misses: number
  /** Reads that waited for one that was sent before. */
  readonly joined: number
  /** Answers that made room for others. */
  readonly evictions: number
  /** Answers that went as their key changed. */
  readonly invalidations: number
}

/**
 * A client's cache has dropped `entries` answers although their keys have not changed, because it could no longer know
 * whether they are true.
 *
 * - `Disconnected`: the connection that they came over was lost or closed.
 * - `Demoted`: the server is no master any more. `Moved`: slots of a cluster are, or may be, another server's.
 * - `Flushed`: the server has dropped its keys. `Written`: a command of this client may have changed any key.
 * - `Reauthenticated`: the connection has other credentials. `Untracked`: the server no longer tells of changes.
 * - `Cleared`: the program asked for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheEvent {
  readonly _tag: "Cleared"
  /** Why the answers were dropped. */
  readonly reason: CacheClearing
  /** How many answers were dropped. */
  readonly entries: number
}

/**
 * Why answers were dropped: see {@link CacheEvent}.
 *
 * @category models
 * @since 0.1.0
 */
export type CacheClearing =
  | "Disconnected"
  | "Demoted"
  | "Moved"
  | "Flushed"
  | "Written"
  | "Reauthenticated"
  | "Untracked"
  | "Cleared"

/**
 * What a client's cache holds at the most: how many answers, in about how many bytes, and for how many milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheLimits {
  /** How many answers. */
  readonly maxEntries: number
  /** About how many bytes of memory. */
  readonly maxBytes: number
  /** For how long an answer is kept, in milliseconds. */
  readonly longestLife: number
}

/**
 * The answers that a client keeps, as `RedisCache` uses them.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientCache {
  /** The answer to a command of `Redis.cached`, `undefined` for one that is to be sent like all others. */
  readonly execute: <A>(
    command: RedisCommand<A>
  ) => Effect.Effect<A, CommandError> | undefined
  /** The answers to several; `rest` sends what is to be sent like all others, `isForRest` says what is not cached. */
  readonly pipeline: (
    commands: ReadonlyArray<Any>,
    rest: Client["pipeline"],
    isForRest?: (command: Any) => boolean
  ) => ReturnType<Client["pipeline"]>
  /**
   * Sets what it holds, and the prefixes of the keys that are broadcast; once, and before it is used. Returns whether it
   * was done.
   */
  readonly configure: (limits: CacheLimits, prefixes: ReadonlyArray<string> | undefined) => boolean
  /** Drops all answers. */
  readonly clear: Effect.Effect<void>
  /** Drops the answers of these slots. */
  readonly moved: (slots: Iterable<number>) => void
  /** Whether nothing is kept. */
  readonly isEmpty: () => boolean
  /** Counts of what it holds, and of what became of reads. */
  readonly stats: Effect.Effect<CacheStats>
  /** What it drops although no key has changed. */
  readonly events: Stream.Stream<CacheEvent>
}

/**
 * What a reserved client knows of its connection; `Redis.watch` uses it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  /**
   * Begins a watch, until it is ended; `undefined` while there is one. What would end the watch, such as a transaction,
   * is refused with `DataError` meanwhile.
   */
  readonly begin: () => Watch | undefined
}

/**
 * A watch of `Redis.watch` on a reserved client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Watch {
  /** Whether what its body sent may have changed something. */
  readonly wrote: boolean
  /**
   * Whether an error is that of a command which could not use this connection any more: it was lost, or the keys have
   * moved to another server.
   */
  readonly isLoss: (error: unknown) => boolean
  /** Says that the body is done: its transaction is not refused. */
  readonly commit: () => void
  /** Ends it, with UNWATCH when EXEC was not answered; waits for nothing. */
  readonly end: () => void
}

/**
 * A client: the service of {@link RedisClient}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Client {
  /**
   * Runs one command, in one round trip unless it has to bring a script or a library along. `yield* command` is the
   * same on the program's client, and tells of it in a span where there is a tracer.
   */
  readonly execute: <A>(command: RedisCommand<A>) => Effect.Effect<A, CommandError>
  /**
   * Runs several commands in one write; each has its own outcome, also when the
   * connection is lost in between. Commands that one event befalls may share its error, which then has no index;
   * `Redis.pipeline` and `Redis.pipelineSettled` put that in.
   */
  readonly pipeline: (commands: ReadonlyArray<Any>) => Effect.Effect<ReadonlyArray<Exit.Exit<unknown, CommandError>>>
  /**
   * Runs several commands between MULTI and EXEC: all of them, with no other
   * caller's in between, or none. Fails when none was run, or when it is not
   * known; one that fails while it runs does not undo the others.
   */
  readonly transaction: (
    commands: ReadonlyArray<Any>
  ) => Effect.Effect<ReadonlyArray<Exit.Exit<unknown, CommandError>>, CommandError | ExecAbortError | WatchError>
  /**
   * The same client with another `commandTimeout`; a bare number is milliseconds. Its commands fail with `DataError` where that
   * is no duration.
   */
  readonly withTimeout: (limit: Duration.Input) => Client
  /** A client on one connection that nobody else uses until the scope closes. */
  readonly reserve: Effect.Effect<Client, CommandError, Scope.Scope>
  /** What a reserved client keeps of its connection; other clients have none. */
  readonly session?: Session | undefined
  /** Subscriptions; `Redis.subscribe` and `Redis.pubsub` use them. */
  readonly pubSub: PubSub
  /** The commands that a server runs; `Redis.monitor` uses it. */
  readonly monitor: (options: MonitorOptions) => Stream.Stream<MonitorEvent, CommandError | PubSubOverflowError>
  /** What happens to connections, from the moment of subscription on. */
  readonly events: Stream.Stream<RedisEvent>
  /** Counts of its connections and of the commands that wait. */
  readonly stats: Effect.Effect<RedisStats>
  /** The answers that it keeps; without it, commands of `Redis.cached` are sent like all others. `RedisCache` uses it. */
  readonly cache?: ClientCache | undefined
  /**
   * Counts the servers that a command has gone to, one after the other. The cursor of a scan means nothing to another server;
   * `Redis.scanStream` and its kin begin again there. A server that may have started anew counts as another. Without it
   * cursors go on to whoever takes the place of a server.
   */
  readonly servers?: ((command: Any) => number) | undefined
  /**
   * The limit that `withTimeout` has given; `undefined` of a client with that of its options. What runs commands beside the
   * client, as `RedisCluster` does, goes by it.
   */
  readonly limit?: Duration.Duration | undefined
  /**
   * The client of which `withTimeout` has made this one; `undefined` of others. Callers that differ in their limit alone so
   * have a client in common: they wait in one line for the same lock, permit or rate limit.
   */
  readonly original?: Client | undefined
  /** What spans tell of this client, by OpenTelemetry's names. */
  readonly attributes?: Readonly<Record<string, string | number>> | undefined
  /** What the client is and where it goes, without secrets. */
  readonly toString: () => string
}

/**
 * Runs commands on a Redis or Valkey deployment. What it can do is {@link Client}.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisClient extends Context.Service<RedisClient, Client>()("@redfx/core/RedisClient") {}

/**
 * Runs an effect on one connection that nobody else uses meanwhile: every
 * command inside goes there, also those that change its state, such as SELECT.
 * What the effect acquires in its scope, such as a lock, is released before the
 * connection is given back.
 *
 * **When to use**
 *
 * Use when several commands depend on the state of one connection. To read first
 * and write only if nothing has changed, use `Redis.watch`, which also repeats
 * the whole after a conflict. Blocking commands need neither: they get a
 * connection of their own by themselves.
 *
 * **Gotchas**
 *
 * A blocking command inside that is interrupted or times out ends the connection, as the server would go on with it, and what is
 * sent next fails with `ConnectionError`. One that ends by its own limit, such as `Redis.blpop("queue", 2)`, does not. Behind `WAIT`, and
 * reads of streams that have a limit, the connection stays, and what is sent next waits until they are over.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withConnection = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | CommandError, Exclude<Exclude<R, RedisClient>, Scope.Scope> | RedisClient> =>
  Effect.isEffect(effect)
    // One scope for both: what the effect acquired is released while it has the connection, as a lock can be given back only on that.
    ? Effect.scoped(
      Effect.flatMap(
        Effect.flatMap(RedisClient, (client) => client.reserve),
        (reserved) => Effect.provideService(effect, RedisClient, reserved)
      )
    )
    : Effect.fail(noEffect("Redis.withConnection", effect))

/**
 * Runs an effect with another `commandTimeout` for each of its commands, for those that take longer than others by design,
 * also for those that the functions of `RedisCluster` send. `Infinity` is no limit; a bare number is milliseconds. Where the
 * limit is no duration, each command is `DataError`.
 *
 * **Example** (A save that may take a minute)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * export const save = Redis.withTimeout(Redis.save(), "1 minute")
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const withTimeout: {
  (limit: Duration.Input): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R | RedisClient>
  <A, E, R>(effect: Effect.Effect<A, E, R>, limit: Duration.Input): Effect.Effect<A, E, R | RedisClient>
} = dual(
  2,
  <A, E, R>(effect: Effect.Effect<A, E, R>, limit: Duration.Input) =>
    Effect.flatMap(RedisClient, (client) => Effect.provideService(effect, RedisClient, client.withTimeout(limit)))
)

/**
 * Runs a command on another client than the program's own, by a tag whose
 * service is a client as well.
 *
 * **Example** (A client of sessions beside the program's own)
 *
 * ```ts
 * import { Redis, RedisClient } from "@redfx/core"
 * import { Context } from "effect"
 *
 * class Sessions extends Context.Service<Sessions, RedisClient.Client>()("Sessions") {}
 *
 * export const session = Redis.via(Redis.get("session:1"), Sessions)
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const via: {
  <I>(tag: Context.Key<I, Client>): <A>(command: RedisCommand<A>) => Effect.Effect<A, CommandError, I>
  <A, I>(command: RedisCommand<A>, tag: Context.Key<I, Client>): Effect.Effect<A, CommandError, I>
} = dual(
  2,
  <A, I>(command: RedisCommand<A>, tag: Context.Key<I, Client>): Effect.Effect<A, CommandError, I> =>
    Effect.flatMap(tag, (client) => Effect.provideService(command, RedisClient, client))
)

/**
 * A client that does some things in another way than the one that it stands on, and everything else like that one. What is
 * different holds for its copies with another timeout and for the connections that are reserved with it, too.
 *
 * **Details**
 *
 * `parts` says what is different, given the client that it stands on. It is called again for each copy, with the client below
 * that has the timeout, and for each reserved connection, with the reserved client; what all of them share is made outside of
 * it. Where it has a `reserve` of its own, that is what a reserved connection is. A client that is reserved already
 * reserves itself.
 *
 * **Example** (A client that tells of slow commands)
 *
 * ```ts
 * import { RedisClient } from "@redfx/core"
 * import { Duration, Effect } from "effect"
 *
 * export const telling = (client: RedisClient.Client) =>
 *   RedisClient.decorated(client, (client) => ({
 *     execute: (command) =>
 *       Effect.flatMap(Effect.timed(client.execute(command)), ([time, reply]) =>
 *         Effect.as(
 *           Duration.isGreaterThan(time, Duration.millis(100)) ? Effect.logWarning(`${command} was slow`) : Effect.void,
 *           reply
 *         ))
 *   }))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const decorated = (
  client: Client,
  parts: (client: Client) => Partial<Omit<Client, "withTimeout">>
): Client => decoratedCopy(client, parts, undefined)

const decoratedCopy = (
  client: Client,
  parts: (client: Client) => Partial<Omit<Client, "withTimeout">>,
  original: Client | undefined
): Client => {
  const own = parts(client)
  const isReserved = client.session !== undefined || own.session !== undefined
  const made: Client = {
    ...client,
    original,
    withTimeout: (given) =>
      limited(given, (limit) => decoratedCopy(client.withTimeout(limit), parts, original ?? made)),
    reserve: isReserved
      ? Effect.sync(() => made)
      : Effect.map(client.reserve, (reserved) => decorated(reserved, parts)),
    ...own
  }
  return made
}

/**
 * A client that sends another command in place of each: alone, in pipelines, in transactions, and on the connections
 * that are reserved with it.
 *
 * - `replace`: gives the command to send, which has to succeed with what the one given does.
 * - `others`: what else is different in it, for a client with another timeout and for a reserved one too.
 *
 * @category combinators
 * @since 0.1.0
 */
export const replacing = (
  client: Client,
  replace: <A>(command: RedisCommand<A>) => RedisCommand<A>,
  others: (client: Client) => Partial<Omit<Client, "withTimeout">> = () => ({})
): Client =>
  decorated(client, (client) => ({
    execute: (command) => client.execute(replace(command)),
    servers: client.servers && ((command) => client.servers?.(replace(command)) ?? 0),
    pipeline: (commands) => client.pipeline(commands.map((command) => replace(command))),
    transaction: (commands) => client.transaction(commands.map((command) => replace(command))),
    ...others(client)
  }))

/**
 * The client that `make` gives for a limit; where the limit is no duration, one that refuses each command with `DataError`.
 * For clients that have a `withTimeout` of their own.
 *
 * @category combinators
 * @since 0.1.0
 */
export const limited = (
  limit: Duration.Input,
  make: (limit: Duration.Duration) => Client
): Client => {
  const given = durationFrom(limit)
  return given === undefined
    ? replacing(
      make(Duration.infinity),
      (command) => refused(command, notDuration("the limit of Redis.withTimeout", limit))
    )
    : make(given)
}
