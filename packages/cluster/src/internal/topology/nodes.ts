/**
 * The servers of the cluster that there are connections to. Each has one pool and one client, which are made when they
 * are first needed and given up when the cluster no longer names the server.
 */
import { role } from "@redfx/core/commands/Server"
import * as RedisClient from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { ConnectionSettings, NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type { ErrorReply } from "@redfx/core/Resp"
import * as RedisConnection from "@redfx/core/unstable/Connection"
import * as RedisPool from "@redfx/core/unstable/Pool"
import * as RedisRouter from "@redfx/core/unstable/Router"
import * as Runtime from "@redfx/core/unstable/Runtime"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ClusterNode } from "./cluster.ts"
import type { ConnectionLimit } from "./connectionLimit.ts"
import { Health } from "./health.ts"
import { endpointOf } from "./topology.ts"

/**
 * - `dialer`: opens connections to it for messages. `pool`: those that commands share, to a replica with data. `health`: how it is.
 * - `unchecked`: its client over connections for which it need not have data.
 * - `isIdle`: whether nobody uses it at the moment. `isOpen`: whether there is a connection that commands share.
 */
export interface Node extends ClusterNode {
  readonly endpoint: NodeAddress
  readonly dialer: RedisConnection.Dialer
  readonly pool: RedisPool.Pool
  readonly unchecked: RedisClient.RedisClient["Service"]
  readonly health: Health
  readonly isIdle: Effect.Effect<boolean>
  readonly isOpen: Effect.Effect<boolean>
}

export interface NodesOptions {
  readonly settings: ConnectionSettings
  /** Bounds the connections of all nodes together. Without it, each node has the limit of its pool. */
  readonly limit: ConnectionLimit | undefined
  readonly onEvent: (event: RedisClient.RedisEvent) => void
  /** Called when a node has shown that it is there: a connection was opened, or what it owed has come after all. */
  readonly onAnswer: (node: Node) => void
  /** Called when a connection to a node could not be opened. */
  readonly onUnopened: (node: Node, error: CommandError) => void
  /** Called when a connection to a node has ended. */
  readonly onEnd: (node: Node) => void
  /** Called when a node owes an answer for longer than it should. */
  readonly onSilence: (node: Node) => void
  /** Whether nothing that is sent need be answered by a master. */
  readonly onlyReads: boolean
  /** The loss of the connection that a node's error reply means; `undefined` for other errors. */
  readonly onRefusal: (error: ErrorReply, command: RedisCommand.Any, address: string) => CommandError | undefined
}

/** The time for which a dial may wait for a server before the server counts as silent. */
const longestDial = "1 second"

/** The pause between two looks at whether a node that was given up is still in use, and the number of looks at most. */
const drainInterval = "1 second"
const drainChecks = 60

/**
 * The milliseconds for which a node is kept that a redirect has named: nodes do not name a new master before it has a
 * slot.
 */
const namedFor = 10_000

/**
 * The number of servers that redirects may name and the topology does not. The topology is read when there is the first, so that
 * there are few; to one that names others and others, each command would open connections somewhere else.
 */
const mostNamed = 64

export class Nodes {
  readonly #options: NodesOptions
  readonly #context: Context.Context<RedisConnector | Scope.Scope>
  readonly #clock: Clock.Clock
  readonly #nodes = new Map<string, { readonly node: Node; readonly scope: Scope.Closeable }>()
  /** The times at which redirects last named nodes, by address. */
  readonly #named = new Map<string, number>()
  /** The addresses of the nodes that are known as replicas. */
  #replicas: Set<string> = new Set()
  /** The nodes that the topology names, and those of the options. */
  #retained: ReadonlySet<string> = new Set()

  constructor(options: NodesOptions, context: Context.Context<RedisConnector | Scope.Scope>) {
    const { limit, settings } = options
    const { pool } = settings
    // With a limit for all nodes together, that of one must leave it an exclusive connection, and another to be refused by theirs.
    const max = limit === undefined ? pool.max : Math.max(pool.max, pool.shared + 2)
    this.#options = { ...options, settings: { ...settings, pool: { ...pool, max } } }
    this.#context = context
    this.#clock = Context.get(context, Clock.Clock)
  }

  get all(): ReadonlyArray<Node> {
    return Array.from(this.#nodes.values(), ({ node }) => node)
  }

  /** The node at an address. It opens nothing. */
  at(endpoint: NodeAddress): Node {
    const address = formatEndpoint(endpoint)
    const known = this.#nodes.get(address)
    if (known !== undefined) return known.node
    const scope = Scope.forkUnsafe(Context.get(this.#context, Scope.Scope))
    const context = Context.add(this.#context, Scope.Scope, scope)
    const node = Runtime.runNow(context)(this.#make(endpoint, address))
    this.#nodes.set(address, { node, scope })
    return node
  }

  /** The node at an address as this client writes it. */
  atAddress(address: string): Node {
    return this.find(address) ?? this.at(endpointOf(address))
  }

  /** A client of whatever node is at an address when the client is used, because nodes are given up and made again. */
  clientAt(endpoint: NodeAddress): RedisClient.RedisClient["Service"] {
    return RedisClient.decorated(this.at(endpoint).client, ({ limit }) => {
      const client = () => limited(this.at(endpoint).client, limit)
      return {
        execute: (command) => Effect.suspend(() => runOn(this.at(endpoint), client(), command)),
        pipeline: (commands) => Effect.suspend(() => client().pipeline(commands)),
        transaction: (commands) => Effect.suspend(() => client().transaction(commands)),
        reserve: Effect.suspend(() => client().reserve),
        pubSub: {
          open: (options) => Effect.suspend(() => client().pubSub.open(options)),
          everywhere: {
            open: (options) => Effect.suspend(() => client().pubSub.everywhere.open(options)),
            execute: (server, command) => Effect.suspend(() => client().pubSub.everywhere.execute(server, command)),
            listensTo: (server) => client().pubSub.everywhere.listensTo?.(server) ?? true,
            database: client().pubSub.everywhere.database
          }
        },
        monitor: (options) => Stream.suspend(() => client().monitor(options)),
        events: Stream.suspend(() => client().events),
        stats: Effect.suspend(() => client().stats)
      }
    })
  }

  /**
   * The node at an address that a redirect names, which is a master. It is kept for a while, although the topology may
   * not name it.
   */
  named(endpoint: NodeAddress): Node {
    const node = this.at(endpoint)
    this.#replicas.delete(node.address)
    this.#named.set(node.address, Runtime.elapsed(this.#clock))
    return node
  }

  /** Whether a redirect may name the node at an address. It may always if there is one. */
  mayBeNamed(endpoint: NodeAddress): boolean {
    if (this.#nodes.has(formatEndpoint(endpoint))) return true
    let others = 0
    for (const address of this.#named.keys()) if (!this.#retained.has(address)) others++
    return others < mostNamed
  }

  /** Whether a redirect has named this node lately. */
  isNamed({ address }: Node): boolean {
    const time = this.#named.get(address)
    return time !== undefined && Runtime.elapsed(this.#clock) - time < namedFor
  }

  /**
   * Replaces a node, so that there are new connections to its address. Commands under way on the old connections are
   * finished first.
   */
  renew(endpoint: NodeAddress): Node {
    const address = formatEndpoint(endpoint)
    const before = this.#nodes.get(address)
    this.#nodes.delete(address)
    if (before !== undefined) this.#giveUp(before)
    return this.at(endpoint)
  }

  /** The node at an address, if there is one. */
  find(address: string): Node | undefined {
    return this.#nodes.get(address)?.node
  }

  /** Whether this node is still the one at its address: it was neither given up nor replaced. */
  has(node: Node): boolean {
    return this.#nodes.get(node.address)?.node === node
  }

  /**
   * Gives up all nodes but these and those that redirects name. Commands under way there are finished first.
   *
   * - `replicas`: those of them that are replicas.
   */
  retain(addresses: ReadonlySet<string>, replicas: ReadonlySet<string>): void {
    this.#replicas = new Set(replicas)
    this.#retained = addresses
    const since = Runtime.elapsed(this.#clock) - namedFor
    for (const [address, time] of this.#named) if (time <= since) this.#named.delete(address)
    for (const [address, known] of this.#nodes) {
      if (addresses.has(address) || this.#named.has(address)) continue
      this.#nodes.delete(address)
      this.#giveUp(known)
    }
  }

  #giveUp({ node, scope }: { readonly node: Node; readonly scope: Scope.Closeable }): void {
    Runtime.fork(this.#context)(
      Effect.forkIn(
        Effect.andThen(drained(node), Scope.close(scope, Exit.void)),
        Context.get(this.#context, Scope.Scope)
      )
    )
  }

  readonly #make = Effect.fnUntraced(function*(
    this: Nodes,
    endpoint: NodeAddress,
    address: string
  ): Effect.fn.Return<Node, never, RedisConnector | Scope.Scope> {
    const { limit, onEvent, onlyReads, settings } = this.#options
    const health = new Health()
    const watching = (dialer: RedisConnection.Dialer): RedisConnection.Dialer => ({
      ...dialer,
      open: (listener) => watched(dialer, listener, node, this.#options)
    })
    const poolOf = (settings: ConnectionSettings, tell = onEvent) => {
      const plain = RedisConnection.dialerAt(endpoint, settings)
      const dialer = settings.readonly ? withData(plain, settings) : plain
      return RedisPool.makeFrom(watching(dialer), settings, tell, limit?.of(health))
    }
    const asMaster = yield* poolOf({ ...(onlyReads ? withoutMinimum(settings) : settings), readonly: false })
    const { pool, unchecked } = settings.readonly
      ? byRole(
        asMaster,
        yield* poolOf(onlyReads ? settings : withoutMinimum(settings), asMaster.router.subscribers.onEvent),
        () => onlyReads || this.#replicas.has(address),
        (effect) => void Runtime.fork(this.#context)(Effect.forkIn(effect, Context.get(this.#context, Scope.Scope)))
      )
      : { pool: asMaster, unchecked: undefined }
    // Messages come to a replica without data as to any other server.
    const dialer = forMessages(watching(RedisConnection.dialerAt(endpoint, settings)), health)
    const context = yield* Effect.context<RedisConnector>()
    const subscribers: RedisRouter.Subscribers = {
      ...pool.router.subscribers,
      connect: (_server, listener) => Runtime.inContext(context)(dialer.open(listener))
    }
    const client = yield* RedisRouter.makeClient({ ...pool.router, subscribers }, settings)
    const node: Node = {
      address,
      endpoint,
      dialer,
      pool,
      client,
      unchecked: unchecked === undefined ? client : yield* RedisRouter.makeClient(unchecked, settings),
      health,
      isIdle: Effect.map(
        pool.stats,
        ({ exclusive, exclusiveIdle, inFlight, waiting }) => inFlight + waiting + exclusive - exclusiveIdle === 0
      ),
      isOpen: Effect.map(pool.stats, ({ shared }) => shared > 0)
    }
    return node
  }).bind(this)
}

/** Opens no connection to a replica without data. */
const withData = (dialer: RedisConnection.Dialer, settings: ConnectionSettings): RedisConnection.Dialer => ({
  ...dialer,
  open: RedisConnection.verified(dialer.open, hasData, settings)
})

/** Fails for a replica without data. The word of the cluster has to do where the server does not tell. */
const hasData = (connection: RedisConnection.RedisConnection): Effect.Effect<void, CommandError> =>
  RedisConnection.ifTold(
    Effect.flatMap(RedisConnection.run(connection, role()), (told) => RedisConnection.checkData(connection, told))
  )

/**
 * Runs a command on a server by a client of it. What has no key runs on a replica without data as well: a wrong answer could only be
 * one about a key.
 */
export const runOn = <A>(
  node: Node,
  client: RedisClient.RedisClient["Service"],
  command: RedisCommand.RedisCommand<A>
): Effect.Effect<A, CommandError> => {
  const run = client.execute(command)
  return RedisCommand.firstKey(command) !== undefined ? run : Effect.catchIf(
    run,
    RedisConnection.isWithoutData,
    () => limited(node.unchecked, client.limit).execute(command)
  )
}

/** The client with the limit that `withTimeout` has given another one, if it has. */
export const limited = (
  client: RedisClient.RedisClient["Service"],
  limit: Duration.Duration | undefined
): RedisClient.RedisClient["Service"] => limit === undefined ? client : client.withTimeout(limit)

/** The settings of a pool beside another one, which already keeps the least number of connections open. */
const withoutMinimum = (settings: ConnectionSettings): ConnectionSettings => ({
  ...settings,
  pool: { ...settings.pool, min: 0 }
})

/**
 * A pool for each role of a server, as only connections to replicas begin with READONLY. On such a connection a master
 * that has become a replica would answer what was for a master: it runs a script up to its first write, and refuses that
 * in words which do not say that nothing was run. Answers that are kept are always a master's. What has no key may go to a replica
 * `unchecked`, over connections that are like those to a master. That for masters tells what happens to the connections of both.
 */
const byRole = (
  master: RedisPool.Pool,
  replica: RedisPool.Pool,
  isForReplica: () => boolean,
  fork: (effect: Effect.Effect<void>) => void
): { readonly pool: RedisPool.Pool; readonly unchecked: RedisRouter.RedisRouter } => {
  let used = master
  const closing = new Set<RedisPool.Pool>()
  // Connections for the other role would count towards the limit of all nodes together. A connection in use is closed after its use.
  const closeUnused: (pool: RedisPool.Pool) => Effect.Effect<void> = Effect.fnUntraced(function*(pool) {
    while (pool !== used) {
      yield* pool.disconnect()
      const { exclusive, inFlight, shared, waiting } = yield* pool.stats
      if (shared + exclusive + inFlight + waiting === 0) break
      yield* Effect.sleep("1 second")
    }
    closing.delete(pool)
  })
  const leave = (pool: RedisPool.Pool) => {
    if (closing.has(pool)) return
    closing.add(pool)
    fork(closeUnused(pool))
  }
  const current = () => {
    const pool = isForReplica() ? replica : master
    if (pool !== used) {
      const unused = used
      used = pool
      leave(unused)
    }
    return pool.router
  }
  const pool: RedisPool.Pool = {
    ...master,
    router: {
      ...master.router,
      submit: (request) => (request.isKept ? master.router : current()).submit(request),
      exclusive: (commands, wait) => Effect.suspend(() => current().exclusive(commands, wait)),
      reserve: (wait) => Effect.suspend(() => current().reserve(wait)),
      servers: (command) => (master.router.servers?.(command) ?? 0) + (replica.router.servers?.(command) ?? 0)
    },
    disconnect: (options) => Effect.andThen(master.disconnect(options), replica.disconnect(options)),
    retire: (reason) => Effect.andThen(master.retire(reason), replica.retire(reason)),
    stats: Effect.map(Effect.all([master.stats, replica.stats]), RedisRouter.sumStats)
  }
  const unchecked: RedisRouter.RedisRouter = {
    ...master.router,
    submit: (request) => {
      master.router.submit(request)
      if (current() !== master.router) leave(master)
    }
  }
  return { pool, unchecked }
}

/**
 * Opens a connection, and tells what the server shows by it. Callers that wait for a server that proves to be down need wait no
 * longer.
 */
const watched = (
  dialer: RedisConnection.Dialer,
  listener: RedisConnection.Listener,
  node: Node,
  { onAnswer, onEnd, onRefusal, onSilence, onUnopened }: NodesOptions
) =>
  Effect.suspend(() => {
    let connection: RedisConnection.RedisConnection | undefined = undefined
    const opening = dialer.open({
      ...listener,
      onSilence: (silent) => {
        if (silent) onSilence(node)
        else onAnswer(node)
        listener.onSilence?.(silent)
      },
      onRefusal: (error, command) => {
        const loss = onRefusal(error, command, node.address)
        listener.onRefusal?.(error, command)
        // The server closes the connection after that, and a command of the next user could not be sent again.
        if (loss !== undefined && error.code === "UNBLOCKED") connection?.close(loss)
        return loss
      }
    })
    const silent = Effect.andThen(Effect.sleep(longestDial), Effect.sync(() => onSilence(node)))
    return Effect.raceAllFirst([opening, node.health.untilDown, Effect.andThen(silent, Effect.never)]).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) return onAnswer(node)
          const error = Runtime.errorOf(exit.cause)
          if (error !== undefined) onUnopened(node, error)
        })
      ),
      Effect.tap((opened) => {
        connection = opened
        return Effect.addFinalizer(() => Effect.sync(() => onEnd(node)))
      })
    )
  })

/**
 * Opens no connection while another server has the address, and ends those that are open when one gets it: nothing need be sent over
 * them any more that could be refused.
 */
const forMessages = (dialer: RedisConnection.Dialer, health: Health): RedisConnection.Dialer => ({
  ...dialer,
  open: (listener) =>
    Effect.suspend(() => {
      if (health.estranged !== undefined) return Effect.fail(health.estranged)
      return Effect.tap(dialer.open(listener), (connection) => {
        if (health.estranged !== undefined) connection.close(health.estranged)
        return health.takenOver.listen((error) => connection.close(error))
      })
    })
})

const drained = Effect.fnUntraced(function*(node: Node) {
  yield* node.pool.disconnect()
  for (let check = 0; check < drainChecks && !(yield* node.isIdle); check++) yield* Effect.sleep(drainInterval)
  const detail = "The cluster does not name the server any more"
  // The error does not say that the client was closed, because callers that still know the node may try another.
  yield* node.pool.retire(connectionLoss("Closed", detail, node.address))
})
