/**
 * The options of all deployments.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { TlsOptions } from "../../RedisConnector.ts"

/**
 * Where the server is: a host and a port, or the path of its unix socket.
 *
 * @category options
 * @since 0.1.0
 */
export type AddressOptions =
  | {
    /** The name or the address of the server. Default `"localhost"`. Every address that a name resolves to is tried. */
    readonly host?: string | undefined
    /** The port, an integer from 1 to 65535. Default 6379. */
    readonly port?: number | undefined
    /** `true` connects over TLS and verifies the certificate; {@link TlsOptions} says how. Default `false`: no TLS. */
    readonly tls?: boolean | TlsOptions | undefined
    readonly path?: undefined
  }
  | {
    /** The path of the server's unix socket, such as `"/run/redis.sock"`. It takes the place of `host`, `port` and `tls`. */
    readonly path: string
    readonly host?: undefined
    readonly port?: undefined
    readonly tls?: undefined
  }

/**
 * How connections are made and used: the options that every client has, of one server, of Sentinel or of a cluster.
 *
 * **Details**
 *
 * A bare number in an option that is a time is milliseconds. An option that is not valid, or that does not exist, fails the
 * Layer with `RedisConfigError` before anything is opened.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConnectionOptions {
  /**
   * The number of the database that every connection selects. Default 0. Most clusters have no other; since Valkey 9.0 those
   * with `cluster-databases` have. With a number that the server does not have, every command fails with `ConnectionError`,
   * reason `Handshake`, which is not retryable.
   */
  readonly db?: number | undefined
  /**
   * The name of the user, as in the server's ACL. By default the connection belongs to the server's user `default`. A
   * username without a password sends an empty password.
   */
  readonly username?: string | undefined
  /** The password of the user, as `Redacted.make(text)`, so that it is never printed. Default: none is sent. */
  readonly password?: Redacted.Redacted<string> | undefined
  /**
   * Where username and password come from when they change while the program runs: see {@link CredentialsSource}. It takes
   * the place of `username` and `password`; both together are refused.
   */
  readonly credentials?: CredentialsSource | undefined
  /** The name that `CLIENT LIST` on the server shows for every connection. It must not have spaces. Default: no name. */
  readonly clientName?: string | undefined
  /**
   * Whether every connection tells the server the name and version of this library, for `CLIENT LIST`. Default `true`. Give
   * `false` for a proxy that hangs up on commands that it does not know; a `clientName` cannot be given then.
   */
  readonly clientInfo?: boolean | undefined
  /** The version of the Redis protocol. `"auto"`, the default, takes 3, and 2 where the server refuses 3. */
  readonly protocol?: "auto" | 2 | 3 | undefined
  /**
   * When the client connects. `"lazy"`, the default, connects for the first command. `"eager"` connects while the Layer is
   * built, and the Layer fails when that fails.
   */
  readonly connect?: "lazy" | "eager" | undefined
  /**
   * How long the opening of a connection may take, with TLS and the handshake. Default 3 seconds, so that a command that waits
   * for it is told why it failed before `commandTimeout` passes.
   */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * How long a command may take from its start to its reply, the wait for a connection included. Default 5 seconds;
   * `Infinity` is no limit. Beyond it the command fails with `TimeoutError`. A command that blocks, such as `BLPOP`, has the
   * time for which it blocks in addition. `Redis.withTimeout` sets another limit for an effect.
   */
  readonly commandTimeout?: Duration.Input | undefined
  /**
   * Whether a command that ran into `commandTimeout` is sent a second time, even one that writes. Default `false`. The first
   * try may have run, so a write may then be applied twice: nothing else in this library sends such a command again.
   *
   * In a pipeline only the commands that timed out are sent again; a transaction is sent again as a whole. Commands on a
   * reserved connection and commands with the trait `ordered`, such as those of locks, are never sent again.
   */
  readonly retryOnTimeout?: boolean | undefined
  /**
   * How long the server may be silent while it owes an answer. After that the client sends a PING, and replaces the connection
   * when the PING is not answered either. The time for which a command asked to block does not count. Default 5 seconds, or
   * `commandTimeout` when that is longer; 30 seconds when `commandTimeout` is `Infinity`.
   */
  readonly livenessTimeout?: Duration.Input | undefined
  /**
   * A connection that nobody used for this long is checked with a PING before the next command goes over it. The PING has
   * the shorter of `connectTimeout` and `livenessTimeout`: one of them must be below `commandTimeout`, or the command runs
   * into its own limit first. Default: it is not checked.
   */
  readonly healthCheckInterval?: Duration.Input | undefined
  /**
   * How long the closing of the client may take. Default 2 seconds. Callers do not make it longer: their commands fail at
   * once. What takes longer, such as a connection that is just being opened, ends in the background.
   */
  readonly closeTimeout?: Duration.Input | undefined
  /** Whether the operating system sends TCP keep-alive probes on idle connections. Default `true`. */
  readonly keepAlive?: boolean | undefined
  /** How long a connection is idle before the first keep-alive probe. Default 30 seconds. */
  readonly keepAliveInitialDelay?: Duration.Input | undefined
  /**
   * What happens when a reply that is read as text is not valid UTF-8. `"strict"`, the default, fails with `DecodeError`;
   * `"replace"` puts the character U+FFFD in the place of each invalid byte, which loses data. `Redis.asBytes` reads bytes.
   */
  readonly textDecoding?: "strict" | "replace" | undefined
  /**
   * How many connections there are. `"single"` is one shared connection, opened while the Layer is built, and exclusive ones
   * that are closed after use. See {@link PoolOptions}.
   */
  readonly pool?: PoolOptions | "single" | undefined
  /** How much may wait for answers, and how large commands and replies may be. See {@link LimitOptions}. */
  readonly limits?: LimitOptions | undefined
}

/**
 * The user that a client is to the server. Without `username` that is the server's `default` user.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  /** The name of the user. By default it is the server's user `default`. */
  readonly username?: string | undefined
  /** The password or token of the user. */
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
 * Ordinary commands of all fibers share a few connections, by default one, which is fastest. A command that blocks, a
 * `Redis.watch` and a `Redis.withConnection` need an exclusive connection: one that nobody else uses meanwhile. Exclusive
 * connections are opened when they are needed and kept for a while.
 *
 * `"single"` in the place of these options is one shared connection, opened while the Layer is built. Exclusive ones are
 * opened as ever, and closed after use.
 *
 * @category options
 * @since 0.1.0
 */
export interface PoolOptions {
  /** How many connections ordinary commands share. Default 1. On a cluster it counts for each node. */
  readonly shared?: number | undefined
  /**
   * The most connections that there may be, shared and exclusive ones together. Those of subscriptions and of `Redis.monitor`
   * come on top. Default 49 more than `shared`, which is 50. It must be more than `shared`, as there would be no connection
   * for commands that block.
   */
  readonly max?: number | undefined
  /** How many exclusive connections stay open while nobody uses them, once they were needed. Default 0. */
  readonly min?: number | undefined
  /** An exclusive connection that nobody used for this long is closed. Default 60 seconds. */
  readonly idleTimeout?: Duration.Input | undefined
  /**
   * How long a caller waits for an exclusive connection while all are in use; then it fails with `ConnectionError`, reason
   * `PoolTimeout`. Default 20 seconds. `0` fails at once with the reason `PoolExhausted`; `Infinity` waits without limit. The
   * time that it takes to open a connection does not count.
   */
  readonly acquireTimeout?: Duration.Input | undefined
}

/**
 * How many connections a client of a cluster has.
 *
 * **Details**
 *
 * `shared` and `min` count for each node, and `max` for all nodes together. Exclusive connections leave room in `max` for the
 * shared connections of every node that commands are sent to: of the masters, or also of replicas when `readFrom` or `readOnly`
 * says so. Idle exclusive connections to one node are closed when another node needs one.
 *
 * `max` is never a reason for a node to be out of reach. Where it leaves no room, a shared connection is opened all the same, and
 * there may always be one exclusive connection.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClusterPoolOptions extends PoolOptions {
  /** Whether `max` counts for each node instead of for all nodes together. Default `false`. */
  readonly perNode?: boolean | undefined
}

/**
 * The limits of what a connection sends and receives.
 *
 * **Details**
 *
 * There are three kinds. Beyond `inFlightCommands` or `inFlightBytes` callers wait their turn. A command beyond `argumentBytes`
 * or `argumentCount` fails with `DataError` and is not sent. A reply beyond one of the others ends the connection with
 * `ProtocolError`: they bound what a server, or somebody in its place, can make the program keep in memory.
 *
 * @category options
 * @since 0.1.0
 */
export interface LimitOptions {
  /** How many commands on one connection may be unanswered. Further callers wait. Default 16384. */
  readonly inFlightCommands?: number | undefined
  /** How many bytes of unanswered commands one connection may have. Further callers wait. Default 32 MiB. */
  readonly inFlightBytes?: number | undefined
  /** How deep arrays in a reply may be nested in each other. Default 128. */
  readonly replyDepth?: number | undefined
  /** The most bytes that one string in a reply may have. Default 512 MiB. */
  readonly bulkLength?: number | undefined
  /** The most elements that one array, set or map in a reply may have. Default 2²⁷. */
  readonly aggregateLength?: number | undefined
  /**
   * The most bytes of a reply that is one line, such as an error. Default 1 MiB; of a line of `Redis.monitor`, which is a
   * whole command, 256 MiB.
   */
  readonly lineLength?: number | undefined
  /**
   * The most bytes that a whole reply may have: those that arrive, plus an estimate of the memory for its arrays, which is 96
   * bytes for each array and 64 for each element. Default 1 GiB. Until a connection is set up it is 1 MiB at the most.
   */
  readonly replyBytes?: number | undefined
  /** The most elements that all arrays of a whole reply may have together. By default it follows from `replyBytes`. */
  readonly replyElements?: number | undefined
  /**
   * The most bytes that one command may have as it is sent. Default 512 MiB, at least 64. Servers hang up on more than their
   * own limit, which costs everybody on the connection. Each command of a pipeline or transaction counts by itself.
   */
  readonly argumentBytes?: number | undefined
  /** The most words that one command may have, its name included. Default 1,048,576, which is the limit of servers; at least 8. */
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
  /** A name, or an address without brackets. */
  readonly host: string
  /** An integer from 1 to 65535. */
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
  /** The host, the port, or both that an address must have for the rule to apply. */
  readonly from: {
    /** The host. One that is left out matches any, and replaces none. */
    readonly host?: string | undefined
    /** The port. One that is left out matches any, and replaces none. */
    readonly port?: number | undefined
  }
  /** The host, the port, or both that the address gets instead. */
  readonly to: {
    /** The host. One that is left out matches any, and replaces none. */
    readonly host?: string | undefined
    /** The port. One that is left out matches any, and replaces none. */
    readonly port?: number | undefined
  }
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
 * @category options
 * @since 0.1.0
 */
export interface SentinelOptions extends ConnectionOptions {
  /** The addresses of the sentinels to ask, at least one. The others of the group are learned from these. */
  readonly sentinels: readonly [NodeAddress, ...Array<NodeAddress>]
  /** The name under which the sentinels watch the master, such as `"mymaster"`. */
  readonly service: string
  /** The role of the server that the client connects to. Default `"master"`; `"replica"` is a client that only reads. */
  readonly role?: "master" | "replica" | undefined
  /**
   * Which server answers single commands that only read keys, for a client of the master. `"master"` is the default.
   * `"preferReplica"` asks a replica, and the master when there is none; a replica may answer with old data.
   */
  readonly readFrom?: "master" | "preferReplica" | undefined
  /** How many other sentinels a sentinel must know before its answer counts. Default 0. */
  readonly minOtherSentinels?: number | undefined
  /** Whether a PING is sent on every new connection before it is used. Default `false`. */
  readonly checkConnection?: boolean | undefined
  /**
   * How often the sentinels are asked for the master while there is a connection and nothing has happened. Default 10
   * seconds. Sentinels also announce a new master by themselves, but such a message can be lost.
   */
  readonly recheckInterval?: Duration.Input | undefined
  /**
   * How long a command that was not sent yet waits for a new master when the old one is gone. Default 0: it fails as soon as
   * the sentinels name no master. `commandTimeout` holds for the wait as well.
   */
  readonly masterWait?: Duration.Input | undefined
  /** Translates the addresses that sentinels name, as is needed behind a NAT. See {@link NatMap}. Default: as they are. */
  readonly natMap?: NatMap | undefined
  /** Which of the servers and sentinels that sentinels name may be connected to. See {@link Accept}. Default `"any"`. */
  readonly accept?: Accept | undefined
  /** Whether connections to masters and replicas use TLS, and how. Default `false`. */
  readonly tls?: boolean | TlsOptions | undefined
  /** What connections to the sentinels have of their own. Sentinels never get the username and password of the data. */
  readonly sentinelOptions?: {
    /** The user of the sentinels. Default: none. */
    readonly username?: string | undefined
    /** The password of the sentinels. Default: none. */
    readonly password?: Redacted.Redacted<string> | undefined
    /**
     * Where username and password of the sentinels come from when they change. It takes the place of the two options above.
     * See {@link CredentialsSource}. Default: none.
     */
    readonly credentials?: CredentialsSource | undefined
    /**
     * Whether connections to sentinels use TLS, and how. By default as `tls` of the data says. `false` asks sentinels without
     * encryption: whoever can change their answers then decides which servers the client connects to.
     */
    readonly tls?: boolean | TlsOptions | undefined
  } | undefined
}

/**
 * The address of a node of a cluster.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClusterNodeAddress {
  /** A name, or an address without brackets. */
  readonly host: string
  /** An integer from 1 to 65535. Default 7000. */
  readonly port?: number | undefined
}

/**
 * The options of a client of a cluster.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClusterOptions extends Omit<ConnectionOptions, "pool"> {
  /** The addresses of some nodes of the cluster, at least one. The others are learned from these. */
  readonly nodes: readonly [ClusterNodeAddress, ...Array<ClusterNodeAddress>]
  /** How many connections there are. See {@link ClusterPoolOptions}. */
  readonly pool?: ClusterPoolOptions | "single" | undefined
  /** Whether connections use TLS, and how. Default `false`. */
  readonly tls?: boolean | TlsOptions | undefined
  /**
   * What happens to one command whose keys are in several slots. `"split"`, the default, takes it apart where that loses
   * nothing, as with MGET. `"emulate"` also does so where the whole is then not atomic any more. `"reject"` never does. What is
   * not taken apart fails with `CrossSlotError`.
   */
  readonly crossSlot?: "split" | "emulate" | "reject" | undefined
  /**
   * Which server of a slot answers commands that only read. `"master"` is the default. `"preferReplica"` is a replica when there
   * is one, `"any"` one of all at random, `"nearest"` the one that answered a PING fastest. `{ zone }` is a replica in that
   * availability zone, else the master if it is there, else any replica. A function chooses by itself. A replica may answer with
   * old data.
   */
  readonly readFrom?: "master" | "preferReplica" | "any" | "nearest" | ReadFromZone | ReadFrom | undefined
  /**
   * Whether the client only reads. Default `false`. With `true` commands that may write are refused, and any server of a slot
   * answers unless `readFrom` says otherwise.
   */
  readonly readOnly?: boolean | undefined
  /**
   * When the nodes are found. `"lazy"`, the default, looks for them with the first command; `"eager"` while the Layer is built,
   * and the Layer fails when that fails.
   */
  readonly discovery?: "lazy" | "eager" | undefined
  /** After how many redirects (MOVED) the whole topology is read again. Default 25. */
  readonly reinitializeSteps?: number | undefined
  /**
   * How often a command is tried in all while the cluster answers that it is down. Default 3. 0 fails without a try.
   */
  readonly clusterDownRetryAttempts?: number | undefined
  /**
   * Whether a cluster in which some slots have no master is used without a question. Default `false`: its nodes are asked for
   * their setting `cluster-require-full-coverage`, and where that is `yes` commands fail until all slots are served.
   */
  readonly skipFullCoverageCheck?: boolean | undefined
  /**
   * Which nodes are asked for the topology first. `true` asks those that were found last, `false` those of `nodes`, which is
   * the default. The others are asked when these do not answer. Readings in intervals ask them all in turn.
   */
  readonly followCluster?: boolean | undefined
  /**
   * How often the topology is read again while commands run and nothing has happened, each time from another server. Default 60
   * seconds.
   */
  readonly refreshInterval?: Duration.Input | undefined
  /** Translates the addresses that the cluster names, those in redirects too. See {@link NatMap}. Default: as they are. */
  readonly natMap?: NatMap | undefined
  /** Which of the servers that the cluster names may be connected to. See {@link Accept}. Default `"any"`. */
  readonly accept?: Accept | undefined
}

/**
 * The availability zone of the program. Valkey 8.0 and later report theirs (`availability-zone`) in INFO.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadFromZone {
  /** Its name, such as `eu-west-1a`. */
  readonly zone: string
}

/**
 * Chooses the server that answers a command that only reads, among those of its slot.
 *
 * @category options
 * @since 0.1.0
 */
export type ReadFrom = (servers: {
  /** The master of the slot. */
  readonly master: NodeAddress
  /** Its replicas. */
  readonly replicas: ReadonlyArray<NodeAddress>
  /** The name of the command. */
  readonly command: string
}) => NodeAddress

/**
 * A deployment to connect to, as a URL or the environment describes it.
 *
 * @category options
 * @since 0.1.0
 */
export type Deployment =
  | {
    readonly mode: "standalone"
    /** The options of its client. */
    readonly options: StandaloneOptions
  }
  | {
    readonly mode: "sentinel"
    /** The options of its client. */
    readonly options: SentinelOptions
  }
  | {
    readonly mode: "cluster"
    /** The options of its client. */
    readonly options: ClusterOptions
  }
