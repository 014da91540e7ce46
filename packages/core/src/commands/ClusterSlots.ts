/**
 * Commands on the slots of a cluster: who owns them, what they hold, and how to move them.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type { SlotRange } from "./replies/ClusterNodes.ts"
import type { FlushMode } from "./Scripting.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The state of a slot.
 *
 * @category cluster
 * @since 0.1.0
 */
export type ClusterSlotState =
  | {
    /** The slot comes from the node of this id. */
    readonly importing: string
    readonly migrating?: undefined
    readonly node?: undefined
    readonly stable?: undefined
  }
  | {
    readonly importing?: undefined
    /** The slot goes to the node of this id. */
    readonly migrating: string
    readonly node?: undefined
    readonly stable?: undefined
  }
  | {
    readonly importing?: undefined
    readonly migrating?: undefined
    /** The slot belongs to the node of this id. */
    readonly node: string
    readonly stable?: undefined
  }
  | {
    readonly importing?: undefined
    readonly migrating?: undefined
    readonly node?: undefined
    /** The slot is not being moved. */
    readonly stable: true
  }

/**
 * Options of {@link clusterSetslot}: how long it may wait for replicas; a bare number is milliseconds (Valkey 8.0.0).
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterSetslotOptions {
  /** How long the command may wait for replicas. A bare number is milliseconds. Valkey 8.0.0. */
  readonly timeout?: Arg.Time | undefined
}

/**
 * Slots that move to a node.
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterSlotMove {
  /** The slots that move. */
  readonly slots: ReadonlyArray<SlotRange>
  /** The id of the node that they move to. */
  readonly node: string
}

/**
 * Options of {@link clusterSlotStatsOrderby}: how many slots at most, and whether the greatest come first (the default).
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterSlotStatsOrder {
  /** How many slots at most. */
  readonly limit?: number | undefined
  /** Whether the least (`"asc"`) or the greatest (`"desc"`, the default) come first. */
  readonly order?: "asc" | "desc" | undefined
}

const slotList = (slots: Readonly<Arg.Many<number>>): ReadonlyArray<number> =>
  Arg.some(slots, "needs at least one slot")

const rangeList = (ranges: Readonly<Arg.Many<SlotRange>>): Arg.List =>
  new Arg.List(Arg.some(ranges, "needs at least one range of slots").flatMap(({ end, start }) => [start, end]))

const stateArgs = (state: ClusterSlotState): Arg.List => {
  const given = [
    Arg.option("IMPORTING", state.importing),
    Arg.option("MIGRATING", state.migrating),
    Arg.option("NODE", state.node),
    Arg.flag("STABLE", state.stable)
  ].filter((args) => args.length > 0)
  return given.length === 1 ? new Arg.List(given) : Arg.invalid("needs one of importing, migrating, node, stable")
}

const slotStats = Reply.fields({
  slot: Reply.integer,
  stats: Reply.struct({
    keyCount: Reply.integer,
    cpuUsec: Reply.nullable(Reply.integer),
    memoryBytes: Reply.nullable(Reply.integer),
    networkBytesIn: Reply.nullable(Reply.integer),
    networkBytesOut: Reply.nullable(Reply.integer)
  })
})

const rangesText: Reply.Reply<ReadonlyArray<SlotRange>> = Reply.map(
  Reply.text,
  (text) =>
    text.split(/[ ,]+/).filter((range) => range !== "").map((range) => {
      const [start, end] = range.split("-")
      return { start: Number(start), end: Number(end ?? start) }
    })
)

const migrationTask = Reply.struct({
  id: Reply.text,
  slots: rangesText,
  source: Reply.text,
  dest: Reply.text,
  operation: Reply.text,
  state: Reply.text,
  lastError: Reply.text,
  retries: Reply.integer,
  createTime: Reply.integer,
  startTime: Reply.integer,
  endTime: Reply.integer,
  writePauseMs: Reply.nullable(Reply.integer)
})

const slotMigrationJob = Reply.struct({
  name: Reply.text,
  operation: Reply.text,
  slotRanges: rangesText,
  sourceNode: Reply.text,
  targetNode: Reply.text,
  createTime: Reply.integer,
  lastUpdateTime: Reply.integer,
  lastAckTime: Reply.nullable(Reply.integer),
  state: Reply.text,
  message: Reply.text,
  cowSize: Reply.nullable(Reply.integer),
  remainingReplSize: Reply.nullable(Reply.integer)
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Gives slots that have no owner to the node; returns `true`.
 *
 * Fails with `ResponseError` and gives no slot when one of them has an owner. Fails with `DataError` when no slots are
 * given. O(N). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterAddslots = define(
  "CLUSTER ADDSLOTS",
  (...slots: Arg.Many<number>) => slotList(slots),
  Reply.ok
)

/**
 * Gives ranges of slots that have no owner to the node; returns `true`.
 *
 * Fails with `ResponseError` and gives no slot when one of them has an owner. Fails with `DataError` when no ranges are
 * given. O(N) in the slots. Since Redis 7.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterAddslotsrange = define(
  "CLUSTER ADDSLOTSRANGE",
  (...ranges: Arg.Many<SlotRange>) => rangeList(ranges),
  Reply.ok
)

/**
 * Cancels all slot migrations from the node; returns `true`.
 *
 * Fails with `ResponseError` when there are no migrations. O(N) in the migrations. Since Valkey 9.0.0; Redis has
 * {@link clusterMigrationCancel}.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterCancelslotmigrations = define("CLUSTER CANCELSLOTMIGRATIONS", () => [], Reply.ok)

/**
 * Returns how many keys of a slot the node has.
 *
 * O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterCountkeysinslot = define("CLUSTER COUNTKEYSINSLOT", (slot: number) => [slot], Reply.integer)

/**
 * Makes the node forget who owns slots; returns `true`.
 *
 * Fails with `ResponseError` and forgets none when a slot has no owner. Fails with `DataError` when no slots are given.
 * O(N). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterDelslots = define(
  "CLUSTER DELSLOTS",
  (...slots: Arg.Many<number>) => slotList(slots),
  Reply.ok
)

/**
 * Makes the node forget who owns ranges of slots; returns `true`.
 *
 * Fails with `ResponseError` and forgets none when a slot has no owner. Fails with `DataError` when no ranges are
 * given. O(N) in the slots. Since Redis 7.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterDelslotsrange = define(
  "CLUSTER DELSLOTSRANGE",
  (...ranges: Arg.Many<SlotRange>) => rangeList(ranges),
  Reply.ok
)

/**
 * Deletes all keys of a slot on the node; returns `true`.
 *
 * O(N) in the keys. Since Valkey 9.0.0; Redis does not have it.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterFlushslot = define(
  "CLUSTER FLUSHSLOT",
  (slot: number, mode?: FlushMode) => [slot, Arg.token(mode)],
  Reply.ok
)

/**
 * Removes all slots from the node; returns `true`.
 *
 * Fails with `ResponseError` when the node has keys. O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterFlushslots = define("CLUSTER FLUSHSLOTS", () => [], Reply.ok)

/**
 * Returns at most `count` keys of a slot on the node.
 *
 * O(N) in the keys. Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterGetkeysinslot = define(
  "CLUSTER GETKEYSINSLOT",
  (slot: number, count: number) => [slot, count],
  Reply.array(Reply.blob)
)

/**
 * Returns the slot migrations from and to the node: those under way and some that have ended. Times are in unix
 * seconds.
 *
 * `state` is `success` or `failed` in the end; `message` says why a migration failed. O(N) in the migrations. Since
 * Valkey 9.0.0; Redis has {@link clusterMigrationStatus}.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterGetslotmigrations = define(
  "CLUSTER GETSLOTMIGRATIONS",
  () => [],
  Reply.array(slotMigrationJob),
  "readonly"
)

/**
 * Returns the slot of a key, whoever owns it.
 *
 * O(N) in the length of the key. Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterKeyslot = define("CLUSTER KEYSLOT", (key: Arg.Key) => [key], Reply.integer, "readonly")

/**
 * Starts moving slots and their keys from the node to other nodes; returns `true` before they are moved.
 *
 * Fails with `DataError` when there is nothing to move. O(N) in the slots. Since Valkey 9.0.0; Redis has
 * {@link clusterMigrationImport}.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterMigrateslots = define(
  "CLUSTER MIGRATESLOTS",
  (...moves: Arg.Many<ClusterSlotMove>) =>
    Arg.some(moves, "needs slots and a node").flatMap(({ node, slots }) => [
      "SLOTSRANGE",
      rangeList([slots]),
      "NODE",
      node
    ]),
  Reply.ok
)

/**
 * Cancels one slot migration of the node by its id, or all with `all`; returns how many were cancelled.
 *
 * O(N) in the slots. Since Redis 8.4.0; Valkey has {@link clusterCancelslotmigrations}.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterMigrationCancel = define(
  "CLUSTER MIGRATION",
  (task: { readonly id: string } | "all") => ["CANCEL", task === "all" ? "ALL" : Arg.list("ID", task.id)],
  Reply.integer
)

/**
 * Starts moving slots and their keys from their owner to the node; returns the id of the migration.
 *
 * Fails with `ResponseError` when the node already owns the slots, or when they do not all belong to one node. Fails
 * with `DataError` when no ranges are given. O(N) in the slots. Since Redis 8.4.0; Valkey has
 * {@link clusterMigrateslots}.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterMigrationImport = define(
  "CLUSTER MIGRATION",
  (...ranges: Arg.Many<SlotRange>) => ["IMPORT", rangeList(ranges)],
  Reply.text
)

/**
 * Returns the slot migrations of the node, or only the one with an id: none when the id is unknown. Times are in unix
 * milliseconds.
 *
 * O(N) in the migrations. Since Redis 8.4.0; Valkey has {@link clusterGetslotmigrations}.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterMigrationStatus = define(
  "CLUSTER MIGRATION",
  (id?: string) => ["STATUS", id === undefined ? "ALL" : Arg.list("ID", id)],
  Reply.array(migrationTask)
)

/**
 * Sets the state of a slot; returns `true`.
 *
 * Fails with `DataError` unless exactly one state is given. Fails with `ResponseError` when the node does not own a
 * slot to migrate, or already owns a slot to import. O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterSetslot = define(
  "CLUSTER SETSLOT",
  (slot: number, state: ClusterSlotState, options: ClusterSetslotOptions = {}) => [
    slot,
    stateArgs(state),
    options.timeout === undefined ? Arg.none : Arg.list("TIMEOUT", Arg.milliseconds(options.timeout))
  ],
  Reply.ok
)

/**
 * Returns how many keys the slots of a range hold and what they cost, for the slots of the node only.
 *
 * Everything except `keyCount` is `undefined` unless the server counts it. `cpuUsec` is in microseconds, the rest in
 * bytes. O(N) in the slots. Since Redis 8.2.0 and Valkey 8.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterSlotStats = define(
  "CLUSTER SLOT-STATS",
  (range: SlotRange) => ["SLOTSRANGE", range.start, range.end],
  Reply.array(slotStats),
  "readonly"
)

/**
 * Like {@link clusterSlotStats}, for the slots where a metric, such as `key-count`, is greatest or least.
 *
 * Fails with `ResponseError` when the server does not count the metric. O(N*log(N)) in the slots. Since Redis 8.2.0 and
 * Valkey 8.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterSlotStatsOrderby = define(
  "CLUSTER SLOT-STATS",
  (metric: string, options: ClusterSlotStatsOrder = {}) => [
    "ORDERBY",
    metric,
    Arg.option("LIMIT", options.limit),
    Arg.token(options.order)
  ],
  Reply.array(slotStats),
  "readonly"
)
