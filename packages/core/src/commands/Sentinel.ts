/**
 * Commands of Sentinels, which watch servers and replace those that fail.
 *
 * They need a connection to a Sentinel, which `NodeRedisClient.layer` makes with a Sentinel's address. Data servers do
 * not know these commands.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import { sentinelState, sentinelStates, sentinelStatesByName } from "./replies/SentinelState.ts"

export type { SentinelState } from "./replies/SentinelState.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The address of a server.
 *
 * @category sentinel
 * @since 0.1.0
 */
export interface SentinelAddress {
  /** The name or the IP address. */
  readonly host: string
  /** The port for clients. */
  readonly port: number
}

/**
 * Settings by the names that Sentinels use. Passwords can be `Redacted`.
 *
 * @category sentinel
 * @since 0.1.0
 */
export type SentinelSettings = Readonly<Record<string, Arg.Value | Redacted.Redacted<string>>>

/**
 * Options of {@link sentinelFailover}: with `coordinated`, the primary hands over without losing writes (Valkey 9.1.0).
 *
 * @category sentinel
 * @since 0.1.0
 */
export interface SentinelFailoverOptions {
  /** The primary hands over without losing writes. Default `false`. Valkey 9.1.0. */
  readonly coordinated?: boolean | undefined
}

const settingArgs = (settings: SentinelSettings): Arg.List => {
  const entries = Object.entries(settings)
  return entries.length === 0
    ? Arg.invalid("needs at least one setting")
    : new Arg.List(entries.flatMap(([name, value]) => [name, Redacted.isRedacted(value) ? Arg.secret(value) : value]))
}

const address: Reply.Reply<SentinelAddress | undefined> = Reply.nullable(
  Reply.map(Reply.tuple(Reply.text, Reply.integerText), ([host, port]) => ({ host, port: Number(port) }))
)

const vote = Reply.fields({ down: Reply.boolean, leader: Reply.text, leaderEpoch: Reply.integer })

const pendingScript = Reply.struct({
  argv: Reply.array(Reply.text),
  flags: Reply.text,
  pid: Reply.integerText,
  runTime: Reply.nullable(Reply.integerText),
  runDelay: Reply.nullable(Reply.integerText),
  retryNum: Reply.integerText
})

const infoCache = Reply.recordOf(
  Reply.array(Reply.fields({ age: Reply.integer, info: Reply.nullable(Reply.text) }))
)

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns a text that confirms that enough Sentinels can be reached for a failover.
 *
 * Fails with `ResponseError` of code `NOQUORUM` when too few can be reached, and with `ResponseError` when the service
 * is unknown. Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelCkquorum = define("SENTINEL CKQUORUM", (service: string) => [service], Reply.text, "readonly")

/**
 * Returns the global settings of the Sentinel whose names match glob patterns, by default all of them.
 *
 * O(N). Since Redis 6.2.0, several patterns since 7.2.0.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelConfigGet = define(
  "SENTINEL CONFIG",
  (...patterns: Arg.Many<string>) => {
    const list = Arg.many(patterns)
    return ["GET", ...(list.length === 0 ? ["*"] : list)]
  },
  Reply.recordOf(Reply.text),
  "readonly"
)

/**
 * Changes global settings of the Sentinel; returns `true`.
 *
 * Fails with `DataError` when no settings are given, with `ResponseError` when a setting is unknown. O(N). Since Redis
 * 6.2.0, several at once since 7.2.0.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelConfigSet = define(
  "SENTINEL CONFIG",
  (settings: SentinelSettings) => ["SET", settingArgs(settings)],
  Reply.ok
)

/**
 * Returns the intervals that the Sentinel works with, in milliseconds.
 *
 * O(N). Since Redis 7.0.0.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelDebug = define("SENTINEL DEBUG", () => [], Reply.recordOf(Reply.integerText), "readonly")

/**
 * Changes intervals that the Sentinel works with (a bare number is milliseconds); returns `true`.
 *
 * Fails with `DataError` when no intervals are given. O(N). Since Redis 7.0.0.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelDebugSet = define(
  "SENTINEL DEBUG",
  (intervals: Readonly<Record<string, Arg.Time>>) => {
    const entries = Object.entries(intervals)
    return entries.length === 0
      ? Arg.invalid("needs at least one interval")
      : entries.flatMap(([name, time]) => [name, Arg.milliseconds(time)])
  },
  Reply.ok
)

/**
 * Starts a failover without asking the other Sentinels; returns `true` before it has happened.
 *
 * Fails with `ResponseError` of code `NOGOODSLAVE` when no replica is fit to become master, of code `INPROG` when a
 * failover is under way. Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelFailover = define(
  "SENTINEL FAILOVER",
  (service: string, options: SentinelFailoverOptions = {}) => [service, Arg.flag("COORDINATED", options.coordinated)],
  Reply.ok
)

/**
 * Rewrites the configuration file of the Sentinel; returns `true`.
 *
 * O(1). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelFlushconfig = define("SENTINEL FLUSHCONFIG", () => [], Reply.ok)

/**
 * Returns the address of the master of a service, `undefined` when the service is unknown.
 *
 * During a failover, it returns the address of the replica that is promoted. O(1). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelGetMasterAddrByName = define(
  "SENTINEL GET-MASTER-ADDR-BY-NAME",
  (service: string) => [service],
  address,
  "readonly"
)

/**
 * Returns the address of the primary of a service, `undefined` when the service is unknown.
 *
 * O(1). Since Valkey 8.0.0; Redis has {@link sentinelGetMasterAddrByName}.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelGetPrimaryAddrByName = define(
  "SENTINEL GET-PRIMARY-ADDR-BY-NAME",
  (service: string) => [service],
  address,
  "readonly"
)

/**
 * Returns for each service the last INFO of the master and of each replica, and how many milliseconds old it is.
 *
 * Unknown services are left out. `info` is `undefined` for a server that has not answered. Fails with `DataError` when
 * no services are given. O(N) in the servers. Since Redis 3.2.0.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelInfoCache = define(
  "SENTINEL INFO-CACHE",
  (...services: Arg.Many<string>) => Arg.some(services, "needs at least one service"),
  infoCache,
  "readonly"
)

/**
 * Asks whether the Sentinel considers a master down, and asks for its vote when `runid` is the id of the asking
 * Sentinel.
 *
 * `leader` is `*` when no vote was asked for. O(1). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelIsMasterDownByAddr = define(
  "SENTINEL IS-MASTER-DOWN-BY-ADDR",
  (ip: string, port: number, currentEpoch: number, runid: string = "*") => [ip, port, currentEpoch, runid],
  vote
)

/**
 * Asks whether the Sentinel considers a primary down, and asks for its vote when `runid` is the id of the asking
 * Sentinel.
 *
 * O(1). Since Valkey 8.0.0; Redis has {@link sentinelIsMasterDownByAddr}.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelIsPrimaryDownByAddr = define(
  "SENTINEL IS-PRIMARY-DOWN-BY-ADDR",
  (ip: string, port: number, currentEpoch: number, runid: string = "*") => [ip, port, currentEpoch, runid],
  vote
)

/**
 * Returns the state of the master of a service.
 *
 * Fails with `ResponseError` when the service is unknown. O(1). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelMaster = define("SENTINEL MASTER", (service: string) => [service], sentinelState, "readonly")

/**
 * Returns the states of the masters of all services, by service.
 *
 * O(N). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelMasters = define("SENTINEL MASTERS", () => [], sentinelStatesByName, "readonly")

/**
 * Starts watching a service whose master is at an address; returns `true`. `quorum` Sentinels must agree that the
 * master is down.
 *
 * Fails with `ResponseError` when the service is already known. O(1). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelMonitor = define(
  "SENTINEL MONITOR",
  (service: string, ip: string, port: number, quorum: number) => [service, ip, port, quorum],
  Reply.ok
)

/**
 * Returns the id of the Sentinel.
 *
 * O(1). Since Redis 6.2.0.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelMyid = define("SENTINEL MYID", () => [], Reply.text, "readonly")

/**
 * Returns the scripts that the Sentinel runs or will run: the milliseconds for which one has been running (`runTime`) or
 * after which it will be started (`runDelay`), and how often it was tried (`retryNum`).
 *
 * Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelPendingScripts = define(
  "SENTINEL PENDING-SCRIPTS",
  () => [],
  Reply.array(pendingScript),
  "readonly"
)

/**
 * Returns the states of the primaries of all services, by service.
 *
 * O(N). Since Valkey 8.0.0; Redis has {@link sentinelMasters}.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelPrimaries = define("SENTINEL PRIMARIES", () => [], sentinelStatesByName, "readonly")

/**
 * Returns the state of the primary of a service.
 *
 * Fails with `ResponseError` when the service is unknown. O(1). Since Valkey
 * 8.0.0; Redis has {@link sentinelMaster}.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelPrimary = define("SENTINEL PRIMARY", (service: string) => [service], sentinelState, "readonly")

/**
 * Stops watching a service; returns `true`.
 *
 * Fails with `ResponseError` when the service is unknown. O(1). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelRemove = define("SENTINEL REMOVE", (service: string) => [service], Reply.ok)

/**
 * Returns the states of the replicas of a service, including those that are down.
 *
 * Fails with `ResponseError` when the service is unknown. O(N). Since Redis 5.0.0.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelReplicas = define("SENTINEL REPLICAS", (service: string) => [service], sentinelStates, "readonly")

/**
 * Forgets the replicas and other Sentinels of services that match a glob pattern; returns how many services matched.
 *
 * O(N). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelReset = define("SENTINEL RESET", (pattern: string) => [pattern], Reply.integer)

/**
 * Returns the states of the other Sentinels that watch a service.
 *
 * Fails with `ResponseError` when the service is unknown. O(N). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelSentinels = define(
  "SENTINEL SENTINELS",
  (service: string) => [service],
  sentinelStates,
  "readonly"
)

/**
 * Changes settings of a service; returns `true`.
 *
 * Fails with `DataError` when no settings are given, with `ResponseError` when a setting or the service is unknown.
 * O(1). Since Redis 2.8.4.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelSet = define(
  "SENTINEL SET",
  (service: string, settings: SentinelSettings) => [service, settingArgs(settings)],
  Reply.ok
)

/**
 * Makes the Sentinel crash at a stage of the next failover; returns `true`.
 *
 * Fails with `DataError` when no stages are given. Since Redis 3.2.0.
 *
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelSimulateFailure = define(
  "SENTINEL SIMULATE-FAILURE",
  (...stages: Arg.Many<"crash-after-election" | "crash-after-promotion">) =>
    Arg.some(stages, "needs at least one stage"),
  Reply.ok
)

/**
 * Returns the states of the replicas of a service, including those that are down.
 *
 * Fails with `ResponseError` when the service is unknown. O(N). Since Redis 2.8.0.
 *
 * @deprecated Redis deprecated it in 5.0.0: use {@link sentinelReplicas}.
 * @category sentinel
 * @since 0.1.0
 */
export const sentinelSlaves = define("SENTINEL SLAVES", (service: string) => [service], sentinelStates, "readonly")
