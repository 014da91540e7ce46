/**
 * The options of all deployments.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { TlsOptions } from "../../RedisConnector.ts"
import type { Keepers } from "../tracking/tracking.ts"

/**
 * Where the server is: a host and port, or the path of its unix socket.
 *
 * - `host`: default `"localhost"`; every address that it resolves to is tried. `port`: default 6379.
 * - `tls`: `true`, or its settings. Default `false`.
 *
 * @category options
 * @since 0.1.0
 */
export type AddressOptions =
  | {
    readonly host?: string | undefined
    readonly port?: number | undefined
    readonly tls?: boolean | TlsOptions | undefined
    readonly path?: undefined
  }
  | {
    readonly path: string
    readonly host?: undefined
    readonly port?: undefined
    readonly tls?: undefined
  }

/**
 * How connections are made and used.
 *
 * **Details**
 *
 * - `db`: the database that every connection selects. Default 0.
 * - `username`, `password`: sent on every new connection. A username without password sends an empty one.
 * - `credentials`: the same for those that change; see {@link CredentialsSource}. Not together with the two above.
 * - `clientName`: the name that the server shows for every connection. No spaces.
 * - `clientInfo`: whether every connection tells the server the name and version of this library, for its list of
 *   clients. `false` is for proxies that hang up on commands they do not know; one that does so on the first connection is
 *   found out without it. Default `true`.
 * - `protocol`: the version of RESP. Default `"auto"`: 3, or 2 on servers that refuse it.
 * - `connect`: `"lazy"` (default) connects on the first command; `"eager"` while the Layer is built, failing it.
 * - `connectTimeout`: the limit for opening a connection, TLS and handshake included; as with the other limits, a bare
 *   number is milliseconds. Default 10 seconds.
 * - `commandTimeout`: the limit for a command from its start to its reply, waiting for a connection included; of a
 *   blocking command, on top of the time it asks the server to block. Default 5 seconds; `Infinity` is none.
 *   `Redis.withTimeout` gives an effect another one.
 * - `retryOnTimeout`: send a command once more when it timed out, even one that writes, which then may be applied twice:
 *   nothing else in this library sends again what may have run. Of a pipeline only what timed out is, a transaction as a
 *   whole; nothing on a reserved connection, which the first one still holds up, and nothing that is `ordered`, such as
 *   what locks send. Default `false`.
 * - `livenessTimeout`: a connection that owes an answer and stays silent for so long, after the time it was asked to
 *   block, is probed, and replaced when that goes unanswered too. Default 5 seconds, or `commandTimeout` when that is longer;
 *   30 seconds when commands have no limit.
 * - `healthCheckInterval`: a connection unused for so long is checked with a PING before the next command. Default none.
 * - `closeTimeout`: how long closing the client may take. Its users then fail at once and are not waited for; what
 *   else takes time, such as a connection that is being opened, goes on in the background after that. Default 2 seconds.
 * - `keepAlive`: TCP keep-alive. Default `true`. `keepAliveInitialDelay`: default 30 seconds.
 * - `textDecoding`: of bytes that are not UTF-8: `"strict"` (default) fails with `DecodeError`, `"replace"` puts U+FFFD.
 * - `pool`: see {@link PoolOptions}. `limits`: see {@link LimitOptions}.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConnectionOptions {
  readonly db?: number | undefined
  readonly username?: string | undefined
  readonly password?: Redacted.Redacted<string> | undefined
  readonly credentials?: CredentialsSource | undefined
  readonly clientName?: string | undefined
  readonly clientInfo?: boolean | undefined
  readonly protocol?: "auto" | 2 | 3 | undefined
  readonly connect?: "lazy" | "eager" | undefined
  readonly connectTimeout?: Duration.Input | undefined
  readonly commandTimeout?: Duration.Input | undefined
  readonly retryOnTimeout?: boolean | undefined
  readonly livenessTimeout?: Duration.Input | undefined
  readonly healthCheckInterval?: Duration.Input | undefined
  readonly closeTimeout?: Duration.Input | undefined
  readonly keepAlive?: boolean | undefined
  readonly keepAliveInitialDelay?: Duration.Input | undefined
  readonly textDecoding?: "strict" | "replace" | undefined
  readonly pool?: PoolOptions | "single" | undefined
  readonly limits?: LimitOptions | undefined
}

/**
 * The user that a client is to the server. Without `username` that is the server's `default` user.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  readonly username?: string | undefined
  readonly password: Redacted.Redacted<string>
}

/**
 * Where credentials come from: they are given, asked for, or change.
 *
 * **Details**
 *
 * - An `Effect` runs whenever a connection is opened, within `connectTimeout`.
 * - A `Stream` runs once for each connection. Its first element opens the connection; each further one is presented to
 *   the server on the open connection (AUTH), so that it outlives the expiry of a token. Take `SubscriptionRef.changes`
 *   or share the stream in another way when it is dear.
 *
 * Where either fails before there are credentials, the connection is not opened and commands fail with
 * `ConnectionError`. A stream that fails or ends later leaves the last credentials in use. A server that refuses new
 * credentials costs the connection: the next one starts with what the stream has then.
 *
 * **Example** (Credentials that another part of the program replaces)
 *
 * ```ts
 * import type { RedisConfig } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Effect, Layer, Redacted, SubscriptionRef } from "effect"
 *
 * export const client = Layer.unwrap(Effect.gen(function*() {
 *   const token = yield* SubscriptionRef.make<RedisConfig.Credentials>({ password: Redacted.make("first") })
 *   return NodeRedisClient.layer({ credentials: SubscriptionRef.changes(token) })
 * }))
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export type CredentialsSource =
  | Credentials
  | Effect.Effect<Credentials, unknown>
  | Stream.Stream<Credentials, unknown>

/**
 * How many connections there are.
 *
 * **Details**
 *
 * Ordinary commands of all fibers share `shared` connections (default 1), which is fastest. Blocking commands and
 * reserved clients have connections of their own, opened on demand.
 *
 * - `max`: the limit of all connections together, more than `shared`: what blocks would have no connection otherwise.
 *   Default 49 more than `shared`, which is 50.
 * - `min`: how many exclusive connections are kept open while idle, once they have been needed. Default 0.
 * - `idleTimeout`: an exclusive connection idle for so long is closed; as with the other limits, a bare number is
 *   milliseconds. Default 60 seconds.
 * - `acquireTimeout`: how long to wait for an exclusive connection while all are in use; the time that it takes to open
 *   one does not count. Default 20 seconds; `0` fails at once, an infinite duration waits for as long as it takes.
 *
 * `"single"` stands for one shared connection, opened while the Layer is built, and none kept beside it.
 *
 * @category options
 * @since 0.1.0
 */
export interface PoolOptions {
  readonly shared?: number | undefined
  readonly max?: number | undefined
  readonly min?: number | undefined
  readonly idleTimeout?: Duration.Input | undefined
  readonly acquireTimeout?: Duration.Input | undefined
}

/**
 * How many connections a client of a cluster has.
 *
 * **Details**
 *
 * `shared` and `min` are of each node, `max` of all nodes together: exclusive connections leave room in it for the shared
 * ones of every node that commands are sent to, masters unless `readFrom` or `readOnly` says otherwise, and idle ones are
 * closed where others are wanted. It holds for exclusive connections, of which there may always be one: shared ones are
 * opened beyond it where there is no room, as no node must be out of reach.
 *
 * - `perNode`: whether `max` is of each node instead. Default `false`.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClusterPoolOptions extends PoolOptions {
  readonly perNode?: boolean | undefined
}

/**
 * The limits of what a connection sends and receives.
 *
 * **Details**
 *
 * Beyond `inFlightCommands` (default 16384) or `inFlightBytes` (default 32 MiB) unanswered on one connection further
 * callers wait their turn.
 *
 * `argumentBytes` (default 512 MiB, at least 64) and `argumentCount` (default 1,048,576, at least 8) bound one command: the
 * bytes that it takes as it is sent, and its words, the name included. One that is larger fails with `DataError` and is not
 * sent. The defaults are what servers take unless they are told otherwise; beyond, they hang up, which costs everybody on
 * the connection. In a pipeline or transaction each command counts by itself.
 *
 * The others bound what a server may send, and end the connection with `ProtocolError`: `replyDepth` (default 128),
 * `bulkLength` in bytes (default 512 MiB), `aggregateLength` in elements (default 2²⁷), `lineLength` in bytes (default
 * 1 MiB), `replyElements` of all aggregates in a whole reply (by default what `replyBytes` admits) and `replyBytes` of a
 * whole reply (default 1 GiB), on the wire and, by estimate, in memory together: 96 for each aggregate in it and 64 for
 * each of their elements. Before a connection is set up a reply has 1 MiB at the most.
 *
 * @category options
 * @since 0.1.0
 */
export interface LimitOptions {
  readonly inFlightCommands?: number | undefined
  readonly inFlightBytes?: number | undefined
  readonly replyDepth?: number | undefined
  readonly bulkLength?: number | undefined
  readonly aggregateLength?: number | undefined
  readonly lineLength?: number | undefined
  readonly replyBytes?: number | undefined
  readonly replyElements?: number | undefined
  readonly argumentBytes?: number | undefined
  readonly argumentCount?: number | undefined
}

/**
 * The options of a standalone client.
 *
 * @category options
 * @since 0.1.0
 */
export type StandaloneOptions = AddressOptions & ConnectionOptions

/**
 * A host and port.
 *
 * @category options
 * @since 0.1.0
 */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/**
 * Translates the addresses that servers name, as needed behind a NAT or with containers: a function, or rules of which the
 * first one that matches applies.
 *
 * **Details**
 *
 * A rule matches an address with the host `from.host` and the port `from.port`, where one left out matches any, and
 * replaces what `to` names. It needs at least one of each. Addresses that options name are not translated.
 *
 * @category options
 * @since 0.1.0
 */
export type NatMap = ((address: NodeAddress) => NodeAddress) | ReadonlyArray<NatRule>

/**
 * One rule of a {@link NatMap}.
 *
 * @category options
 * @since 0.1.0
 */
export interface NatRule {
  readonly from: { readonly host?: string | undefined; readonly port?: number | undefined }
  readonly to: { readonly host?: string | undefined; readonly port?: number | undefined }
}

/**
 * Which of the addresses that servers name a client may connect to, and so send its credentials to.
 *
 * **Details**
 *
 * - `"any"`: all, which is the default: a server that lies can send the client, and its password, to anywhere.
 * - `"sameHost"`: those on the hosts that options name, whatever the port.
 * - `"sameNetwork"`: those in the network of a host that options name: of an IPv4 address its /24, of an IPv6 address its
 *   /64, of a name all names under the same parent (`cache-2.example.com` of `cache-1.example.com`). Names are compared
 *   with names and addresses with addresses: nothing is resolved.
 * - A list of hosts (`cache-1`), of hosts with a port (`cache-1:7000`, `[::1]:7000`), of networks (`10.0.0.0/8`) and of
 *   domains (`.example.com`). In a URL with commas between.
 * - A function. One that throws accepts nothing.
 *
 * It is asked before each connection is opened, for the address that a `natMap` has made of what the server said. Addresses
 * that options name are accepted always. What is not accepted fails with `ConnectionError`, reason `NotAccepted`.
 *
 * @category options
 * @since 0.1.0
 */
export type Accept =
  | "any"
  | "sameHost"
  | "sameNetwork"
  | ReadonlyArray<string>
  | ((address: NodeAddress) => boolean)

/**
 * The options of a client that finds its server by asking sentinels.
 *
 * **Details**
 *
 * - `sentinels`: where to ask, at least one. `service`: the name of the master that they watch.
 * - `role`: `"master"` (default) or `"replica"`.
 * - `readFrom`: for a client of the master, the server that answers single commands that only read keys: `"master"`
 *   (default), or a replica if there is one (`"preferReplica"`), which may answer with what is out of date.
 * - `minOtherSentinels`: a sentinel's answer counts only if it knows so many others. Default 0.
 * - `checkConnection`: whether to send a PING on every new connection. Default `false`.
 * - `recheckInterval`: how often sentinels are asked for the master without a reason, while there is a connection. They
 *   also announce a change by themselves, but that can be missed. Default 10 seconds.
 * - `masterWait`: how long what was not sent waits for a master in place of one that is gone, within its own limits. Default
 *   0: it fails as soon as none is found.
 * - `natMap`: translates the addresses that sentinels name; see {@link NatMap}.
 * - `accept`: which of them are connected to, of servers and of other sentinels; see {@link Accept}. Default `"any"`.
 * - `tls`: of connections to masters and replicas.
 * - `sentinelOptions`: what connections to sentinels have of their own. They never get the credentials of the data. Their
 *   `tls` is that of the data unless it is given: `false` says that sentinels are asked in the clear, and then whoever sits
 *   between decides where the data's connections go.
 *
 * @category options
 * @since 0.1.0
 */
export interface SentinelOptions extends ConnectionOptions {
  readonly sentinels: readonly [NodeAddress, ...Array<NodeAddress>]
  readonly service: string
  readonly role?: "master" | "replica" | undefined
  readonly readFrom?: "master" | "preferReplica" | undefined
  readonly minOtherSentinels?: number | undefined
  readonly checkConnection?: boolean | undefined
  readonly recheckInterval?: Duration.Input | undefined
  readonly masterWait?: Duration.Input | undefined
  readonly natMap?: NatMap | undefined
  readonly accept?: Accept | undefined
  readonly tls?: boolean | TlsOptions | undefined
  readonly sentinelOptions?: {
    readonly username?: string | undefined
    readonly password?: Redacted.Redacted<string> | undefined
    readonly tls?: boolean | TlsOptions | undefined
  } | undefined
}

/**
 * A node of a cluster. `port`: default 7000.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClusterNodeAddress {
  readonly host: string
  readonly port?: number | undefined
}

/**
 * The options of a client of a cluster.
 *
 * **Details**
 *
 * - `nodes`: where to ask for the cluster's nodes, at least one.
 * - `db`: the database that every connection selects. Most clusters have only 0, which is the default; since Valkey 9.0 those
 *   with `cluster-databases` have more. One that the servers do not have fails every command with `ConnectionError`, reason
 *   `Handshake`, which is not retryable.
 * - `crossSlot`: of a command whose keys are in several slots: `"split"` (default) where that loses nothing,
 *   `"emulate"` also where it is not atomic any more, `"reject"` never.
 * - `readFrom`: the server that answers commands that only read: `"master"` (default), a replica if there is one
 *   (`"preferReplica"`), any server of the slot at random (`"any"`), the one that answered a PING fastest (`"nearest"`),
 *   or the one that a function chooses. Replicas may answer with what is out of date.
 * - `readOnly`: whether every connection is for reading only. Then any server of the slot answers, unless `readFrom` says
 *   otherwise, and commands that may write are refused. Default `false`.
 * - `discovery`: `"lazy"` (default) or `"eager"`, which finds the nodes while the Layer is built.
 * - `reinitializeSteps`: after so many redirects the whole topology is read again. Default 25.
 * - `clusterDownRetryAttempts`: tries in all while the cluster says that it is down. Default 3; 0 fails without trying.
 * - `skipFullCoverageCheck`: do not ask nodes whether all slots must be served. Default `false`.
 * - `followCluster`: refresh from the last known nodes instead of `nodes`. Default `false`.
 * - `refreshInterval`: how often the topology is read again without a reason, while there are commands. Default 60
 *   seconds.
 * - `natMap`: translates the addresses that the cluster names, in redirects too; see {@link NatMap}.
 * - `accept`: which of them are connected to; see {@link Accept}. Default `"any"`.
 * - `pool`: see {@link ClusterPoolOptions}.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClusterOptions extends Omit<ConnectionOptions, "pool"> {
  readonly nodes: readonly [ClusterNodeAddress, ...Array<ClusterNodeAddress>]
  readonly pool?: ClusterPoolOptions | "single" | undefined
  readonly tls?: boolean | TlsOptions | undefined
  readonly crossSlot?: "split" | "emulate" | "reject" | undefined
  readonly readFrom?: "master" | "preferReplica" | "any" | "nearest" | ReadFrom | undefined
  readonly readOnly?: boolean | undefined
  readonly discovery?: "lazy" | "eager" | undefined
  readonly reinitializeSteps?: number | undefined
  readonly clusterDownRetryAttempts?: number | undefined
  readonly skipFullCoverageCheck?: boolean | undefined
  readonly followCluster?: boolean | undefined
  readonly refreshInterval?: Duration.Input | undefined
  readonly natMap?: NatMap | undefined
  readonly accept?: Accept | undefined
}

/**
 * Chooses the server that answers a command that only reads, among those of its slot.
 *
 * @category options
 * @since 0.1.0
 */
export type ReadFrom = (servers: {
  readonly master: NodeAddress
  readonly replicas: ReadonlyArray<NodeAddress>
  readonly command: string
}) => NodeAddress

/**
 * A deployment to connect to, as a URL or the environment describes it.
 *
 * @category options
 * @since 0.1.0
 */
export type Deployment =
  | { readonly mode: "standalone"; readonly options: StandaloneOptions }
  | { readonly mode: "sentinel"; readonly options: SentinelOptions }
  | { readonly mode: "cluster"; readonly options: ClusterOptions }

/**
 * Options with every default filled in.
 *
 * - `readonly`: whether connections may read from the replicas of a cluster (READONLY).
 * - `accept`: whether an address may be connected to; all may without.
 * - `keepers`: the caches of the clients that have these connections.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionSettings {
  readonly db: number
  readonly readonly: boolean
  readonly credentials: CredentialsSource | undefined
  readonly accept: ((address: NodeAddress) => boolean) | undefined
  readonly clientName: string | undefined
  readonly clientInfo: boolean
  readonly protocol: "auto" | 2 | 3
  readonly eager: boolean
  readonly tls: TlsOptions | undefined
  readonly connectTimeout: Duration.Duration
  readonly commandTimeout: Duration.Duration
  readonly retryOnTimeout: boolean
  readonly livenessTimeout: Duration.Duration
  readonly healthCheckInterval: Duration.Duration
  readonly closeTimeout: Duration.Duration
  readonly keepAlive: boolean
  readonly keepAliveInitialDelay: Duration.Duration
  readonly replaceInvalidText: boolean
  readonly pool: {
    readonly shared: number
    readonly max: number
    readonly min: number
    readonly idleTimeout: Duration.Duration
    readonly acquireTimeout: Duration.Duration
  }
  readonly limits: {
    readonly inFlightCommands: number
    readonly inFlightBytes: number
    readonly replyDepth: number | undefined
    readonly bulkLength: number | undefined
    readonly aggregateLength: number | undefined
    readonly replyBytes: number | undefined
    readonly replyElements: number | undefined
    readonly argumentBytes: number
    readonly argumentCount: number
    readonly lineLength: number | undefined
  }
  readonly keepers: Keepers
}
