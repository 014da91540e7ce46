/**
 * Commands on the server as a whole: persistence, databases, replication, time.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import { moment, momentOrNever } from "../internal/reply/moment.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type * as Resp from "../Resp.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Only one of them can be given.
 *
 * @category server
 * @since 0.1.0
 */
export type BgsaveOptions = AtMostOne<{
  /** When the append-only file is being rewritten, saves later instead of failing. */
  readonly schedule: boolean
  /** Stops saving. Valkey 8.1.0. */
  readonly cancel: boolean
}>

/**
 * When the memory of what is deleted is freed; without an option, as the server is configured. Only one of them can be given.
 *
 * @category server
 * @since 0.1.0
 */
export type FlushOptions = AtMostOne<{
  /** Frees memory in the background. */
  readonly async: boolean
  /** Frees memory before the answer. */
  readonly sync: boolean
}>

/**
 * The options of {@link failover}.
 *
 * @category server
 * @since 0.1.0
 */
export interface FailoverOptions {
  /**
   * The replica that becomes the master. With `force` it becomes so even when it has not caught up in time, which needs
   * `timeout`.
   */
  readonly to?: {
    /** The host of the replica. */
    readonly host: string
    /** The port of the replica. */
    readonly port: number
    /** Whether it becomes the master even when it has not caught up. Default `false`. */
    readonly force?: boolean | undefined
  } | undefined
  /** How long the server waits for the replica. A bare number is milliseconds. Default: no limit. */
  readonly timeout?: Arg.Time | undefined
}

/**
 * - `save`: save first, even when persistence is not configured. `nosave`: never save. Without either, save first
 *   when persistence is configured.
 * - `now`: do not wait for replicas to catch up. `force`: stop even when saving fails. Redis 7.0.0.
 * - `safe`: do not stop when that would lose slots of the cluster. `failover`: hand over to a replica first. Valkey
 *   9.0.0.
 *
 * Only one of `save` and `nosave` can be given.
 *
 * @category server
 * @since 0.1.0
 */
export type ShutdownOptions =
  & {
    /** Does not wait for replicas to catch up. Default `false`. Redis 7.0.0. */
    readonly now?: boolean | undefined
    /** Stops even when saving fails. Default `false`. Redis 7.0.0. */
    readonly force?: boolean | undefined
    /** Does not stop when that would lose slots of the cluster. Default `false`. Valkey 9.0.0. */
    readonly safe?: boolean | undefined
    /** Hands over to a replica first. Default `false`. Valkey 9.0.0. */
    readonly failover?: boolean | undefined
  }
  & AtMostOne<{
    /** Saves first, even when persistence is not configured. */
    readonly save: boolean
    /** Does not save, even when persistence is configured. */
    readonly nosave: boolean
  }>

/**
 * The master to replicate: a host and a port, or none.
 *
 * @category server
 * @since 0.1.0
 */
export type ReplicationMaster = [] | [host: string, port: number]

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * How the server stores a value.
 *
 * @category server
 * @since 0.1.0
 */
export interface DebugObject {
  /** The address of the value in the server's memory. */
  readonly at: string
  /** How often the value is referred to. */
  readonly refcount: number
  /** How the value is kept, such as `embstr` or `listpack`. */
  readonly encoding: string
  /** Bytes in a dump, before compression. */
  readonly serializedLength: number
  /** When the value was last used, by the server's clock; `undefined` when Valkey 9.1 evicts by frequency (LFU). */
  readonly lru: number | undefined
  /** Seconds since the value was last used; `undefined` when Valkey 9.1 evicts by frequency (LFU). */
  readonly lruSecondsIdle: number | undefined
  /** How often the value is used; `undefined` on Redis, and on Valkey 9.1 unless it evicts by frequency. */
  readonly lfuFreq: number | undefined
  /** When its use was last counted, in minutes; `undefined` where `lfuFreq` is. */
  readonly lfuAccessTimeMinutes: number | undefined
  /** Fields that this type does not know. */
  readonly extra: Readonly<Record<string, string>>
}

/**
 * The role of a server in replication.
 *
 * @category server
 * @since 0.1.0
 */
export type ServerRole =
  | {
    /** What the server is. */
    readonly role: "master"
    /** Bytes of the replication stream that the master has sent, or the replica has received or acknowledged. */
    readonly offset: number
    /** The replicas that are connected. */
    readonly replicas: ReadonlyArray<{
      /** The name or the IP address. */
      readonly host: string
      /** The port for clients. */
      readonly port: number
      /** Bytes of the replication stream that the master has sent, or the replica has received or acknowledged. */
      readonly offset: number
    }>
  }
  | {
    /** What the server is. */
    readonly role: "slave"
    /** The name or the IP address. */
    readonly host: string
    /** The port for clients. */
    readonly port: number
    /** The state of the link to the master, such as `connect`, `sync` or `connected`. */
    readonly state: string
    /** Bytes of the replication stream that the master has sent, or the replica has received or acknowledged. */
    readonly offset: number
  }
  | {
    /** What the server is. */
    readonly role: "sentinel"
    /** The names of the masters that the sentinel watches. */
    readonly masters: ReadonlyArray<string>
  }

// -----------------------------------------------------------------------------
// Replies
// -----------------------------------------------------------------------------

const debugObjectReply: Reply.Reply<DebugObject> = Reply.make((value, view) => {
  const line = Reply.text.decode(value, view)
  const found = new Map(
    // The line begins with the constant word "Value".
    line.split(" ").filter((field) => field.includes(":")).map((field) => {
      const separator = field.indexOf(":")
      return [field.slice(0, separator), field.slice(separator + 1)] as const
    })
  )
  const find = (name: string): string | undefined => {
    const field = found.get(name)
    found.delete(name)
    return field
  }
  const take = (name: string): string => find(name) ?? Reply.mismatch(`an object with ${name}`, value)
  const number = (name: string): number | undefined => {
    const field = find(name)
    return field === undefined ? undefined : Number(field)
  }
  const object = {
    at: take("at"),
    refcount: Number(take("refcount")),
    encoding: take("encoding"),
    serializedLength: Number(take("serializedlength")),
    lru: number("lru"),
    lruSecondsIdle: number("lru_seconds_idle"),
    lfuFreq: number("lfu_freq"),
    lfuAccessTimeMinutes: number("lfu_access_time_minutes")
  }
  return { ...object, extra: Object.assign(Object.create(null), Object.fromEntries(found)) }
})

const replicas = Reply.array(Reply.fields({ host: Reply.text, port: Reply.integerText, offset: Reply.integerText }))
const master = Reply.fields({ role: Reply.text, offset: Reply.integer, replicas })
const slave = Reply.fields({
  role: Reply.text,
  host: Reply.text,
  port: Reply.integerText,
  state: Reply.text,
  offset: Reply.integer
})
const sentinel = Reply.fields({ role: Reply.text, masters: Reply.array(Reply.text) })

const roleReply: Reply.Reply<ServerRole> = Reply.make((value: Resp.Value) => {
  const [role] = Reply.tuple(Reply.text).decode(value, Reply.textView)
  switch (role) {
    // In the text view integers are numbers, and the role was checked above.
    case "master":
      return master.decode(value, Reply.textView) as ServerRole
    case "slave":
      return slave.decode(value, Reply.textView) as ServerRole
    case "sentinel":
      return sentinel.decode(value, Reply.textView) as ServerRole
    default:
      return Reply.mismatch("a role", value)
  }
})

const timeReply = Reply.fields({ seconds: Reply.integerText, microseconds: Reply.integerText })

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Starts to rewrite the append-only file, or schedules the rewrite; returns `true`.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const bgrewriteaof = define("BGREWRITEAOF", () => [], Reply.accepted)

/**
 * Starts to save the data in the background; returns `true` at once.
 *
 * Fails with `ResponseError` when a save is already running. O(1). Since Redis 1.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const bgsave = define(
  "BGSAVE",
  (options: BgsaveOptions = {}) => [Arg.flag("SCHEDULE", options.schedule), Arg.flag("CANCEL", options.cancel)],
  Reply.accepted
)

/**
 * Returns the number of keys in the database.
 *
 * O(1). Since Redis 1.0.0.
 *
 * **Example** (Of the server, or of the node that was asked)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const keys = Redis.dbsize()
 * ```
 *
 * @category server
 * @since 0.1.0
 */
export const dbsize = define("DBSIZE", () => [], Reply.integer, "readonly")

/**
 * Returns how the server stores the value of `key`.
 *
 * Fails with `ResponseError` when the key does not exist, and when the server does not allow DEBUG, which is the
 * default since Redis 7.0.0. Since Redis 1.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const debugObject = define("DEBUG OBJECT", (key: Arg.Key) => [Arg.key(key)], debugObjectReply)

/**
 * Starts a handover to a replica; returns `true` at once.
 *
 * Fails with `ResponseError` when there is no replica, or none at the given address. O(1). Since Redis 6.2.0.
 *
 * @category server
 * @since 0.1.0
 */
export const failover = define(
  "FAILOVER",
  ({ timeout, to }: FailoverOptions = {}) => [
    to === undefined ? Arg.none : Arg.list("TO", to.host, to.port, Arg.flag("FORCE", to.force)),
    Arg.option("TIMEOUT", timeout === undefined ? undefined : Arg.milliseconds(timeout))
  ],
  Reply.ok
)

/**
 * Stops the handover that {@link failover} started; returns `true`.
 *
 * Fails with `ResponseError` when no handover is running. O(1). Since Redis 6.2.0.
 *
 * @category server
 * @since 0.1.0
 */
export const failoverAbort = define("FAILOVER", () => ["ABORT"], Reply.ok)

/**
 * Deletes all keys of all databases; returns `true`.
 *
 * O(N). Since Redis 1.0.0, `async` since 4.0.0, `sync` since 6.2.0.
 *
 * @category server
 * @since 0.1.0
 */
export const flushall = define(
  "FLUSHALL",
  (options: FlushOptions = {}) => [Arg.flag("ASYNC", options.async), Arg.flag("SYNC", options.sync)],
  Reply.ok
)

/**
 * Deletes all keys of the database; returns `true`.
 *
 * O(N). Since Redis 1.0.0, `async` since 4.0.0, `sync` since 6.2.0.
 *
 * @category server
 * @since 0.1.0
 */
export const flushdb = define(
  "FLUSHDB",
  (options: FlushOptions = {}) => [Arg.flag("ASYNC", options.async), Arg.flag("SYNC", options.sync)],
  Reply.ok
)

/**
 * Returns when the data was last saved, in whole seconds; `undefined` when it was never saved.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const lastsave = define(
  "LASTSAVE",
  () => [],
  Reply.map(Reply.nullable(Reply.integer), momentOrNever),
  "readonly"
)

/**
 * Returns a picture in characters and the version of the server. The picture and the meaning of `args` depend on
 * `version`.
 *
 * Since Redis 5.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const lolwut = define(
  "LOLWUT",
  (options: { readonly version?: number | undefined; readonly args?: ReadonlyArray<number> | undefined } = {}) => [
    Arg.option("VERSION", options.version),
    ...(options.args ?? [])
  ],
  Reply.text,
  "readonly"
)

/**
 * Makes the server a replica of another, `replicaof(host, port)`, or a master, `replicaof()`; returns `true`.
 *
 * O(1). Since Redis 5.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const replicaof = define("REPLICAOF", (...master: ReplicationMaster) => masterArgs(master), Reply.ok)

/**
 * Returns the role of the server in replication.
 *
 * O(1). Since Redis 2.8.12.
 *
 * @category server
 * @since 0.1.0
 */
export const role = define("ROLE", () => [], roleReply, "readonly")

/**
 * Saves the data; returns `true` when the data is saved. The server does nothing else meanwhile.
 *
 * Fails with `ResponseError` when the server cannot save, or is already saving in the background. O(N). Since Redis
 * 1.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const save = define("SAVE", () => [], Reply.ok)

/**
 * Stops the server.
 *
 * The server answers only when it does not stop. The command succeeds when the server closes the connection, and fails
 * when the server answers: with `ResponseError` when the answer says why. O(N) when it saves. Since Redis 1.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const shutdown = define(
  "SHUTDOWN",
  (options: ShutdownOptions = {}) =>
    options.save === true && options.nosave === true
      ? Arg.invalid("cannot save and not save")
      : [
        Arg.flag("NOSAVE", options.nosave),
        Arg.flag("SAVE", options.save),
        Arg.flag("NOW", options.now),
        Arg.flag("FORCE", options.force),
        Arg.flag("SAFE", options.safe),
        Arg.flag("FAILOVER", options.failover)
      ],
  Reply.make<void>((value) =>
    value === null
      ? undefined
      : Reply.mismatch("the server to close the connection: the shutdown seems to have failed", value)
  ),
  "closing"
)

/**
 * Cancels a shutdown while the server waits for its replicas; returns `true`.
 *
 * Fails with `ResponseError` when the server is not shutting down. O(1). Since Redis 7.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const shutdownAbort = define("SHUTDOWN", () => ["ABORT"], Reply.ok)

/**
 * Makes the server a replica of another, `slaveof(host, port)`, or a master, `slaveof()`; returns `true`.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @deprecated since Redis 5.0.0: use {@link replicaof}.
 * @category server
 * @since 0.1.0
 */
export const slaveof = define("SLAVEOF", (...master: ReplicationMaster) => masterArgs(master), Reply.ok)

/**
 * Swaps two databases for all clients; returns `true`.
 *
 * O(N) for N clients that watch or wait for keys of either database. Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const swapdb = define("SWAPDB", (first: number, second: number) => [first, second], Reply.ok)

/**
 * Returns the time of the server: unix seconds, and the microseconds of the current one.
 *
 * O(1). Since Redis 2.6.0.
 *
 * @category server
 * @since 0.1.0
 */
export const time = define("TIME", () => [], timeReply, "readonly")

/**
 * Returns the time of the server, to the millisecond.
 *
 * O(1). Since Redis 2.6.0.
 *
 * @category server
 * @since 0.1.0
 */
export const timeDateTime = define(
  "TIME",
  () => [],
  Reply.map(
    timeReply,
    ({ microseconds, seconds }) => moment(Number(seconds) * 1000 + Math.trunc(Number(microseconds) / 1000))
  ),
  "readonly"
)

const masterArgs = (master: ReplicationMaster): Arg.List =>
  master.length === 0 ? Arg.list("NO", "ONE") : Arg.list(master[0], master[1])
