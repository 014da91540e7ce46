/**
 * MEMORY: what uses the memory of a server.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type * as Resp from "../Resp.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

const known = {
  peakAllocated: Reply.double,
  totalAllocated: Reply.double,
  startupAllocated: Reply.double,
  replicationBacklog: Reply.double,
  replicaFullsyncBuffer: Reply.nullable(Reply.double),
  replicasReplBuffer: Reply.nullable(Reply.double),
  clientsSlaves: Reply.double,
  clientsNormal: Reply.double,
  clusterLinks: Reply.nullable(Reply.double),
  clusterSlotImport: Reply.nullable(Reply.double),
  clusterSlotExport: Reply.nullable(Reply.double),
  aofBuffer: Reply.double,
  luaCaches: Reply.nullable(Reply.double),
  functionsCaches: Reply.nullable(Reply.double),
  scriptVMs: Reply.nullable(Reply.double),
  overheadDbHashtableLut: Reply.nullable(Reply.double),
  overheadDbHashtableRehashing: Reply.nullable(Reply.double),
  overheadTotal: Reply.double,
  dbDictRehashingCount: Reply.nullable(Reply.double),
  keysCount: Reply.double,
  keysBytesPerKey: Reply.double,
  datasetBytes: Reply.double,
  datasetPercentage: Reply.double,
  peakPercentage: Reply.double,
  allocatorAllocated: Reply.nullable(Reply.double),
  allocatorActive: Reply.nullable(Reply.double),
  allocatorResident: Reply.nullable(Reply.double),
  allocatorMuzzy: Reply.nullable(Reply.double),
  allocatorFragmentationRatio: Reply.nullable(Reply.double),
  allocatorFragmentationBytes: Reply.nullable(Reply.double),
  allocatorRssRatio: Reply.nullable(Reply.double),
  allocatorRssBytes: Reply.nullable(Reply.double),
  rssOverheadRatio: Reply.nullable(Reply.double),
  rssOverheadBytes: Reply.nullable(Reply.double),
  fragmentation: Reply.double,
  fragmentationBytes: Reply.double
}

/**
 * The memory that a database uses besides its keys and values, in bytes.
 *
 * @category server
 * @since 0.1.0
 */
export interface DatabaseMemory {
  /** The table of the keys. */
  readonly overheadHashtableMain: number
  /** The table of the times to live. */
  readonly overheadHashtableExpires: number
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * What uses the memory of the server, in bytes unless the name says percentage, ratio or count. Fields that only newer
 * servers have are `undefined` on others.
 *
 * @category server
 * @since 0.1.0
 */
export interface MemoryStats {
  /** The most that was allocated so far. The server samples it, so that `totalAllocated` may be a little more. */
  readonly peakAllocated: number
  /** What is allocated now. */
  readonly totalAllocated: number
  /** What was allocated when the server had started. */
  readonly startupAllocated: number
  /** The replication backlog. */
  readonly replicationBacklog: number
  /** What a replica holds back while it loads a full copy. */
  readonly replicaFullsyncBuffer: number | undefined
  /** What a replica of Valkey holds back while it loads a full copy. */
  readonly replicasReplBuffer: number | undefined
  /** What waits for replicas beyond the replication backlog; before Redis 7.0 all that their connections take. */
  readonly clientsSlaves: number
  /** All that other connections take: those of clients and subscribers, and that of a replica to its master. */
  readonly clientsNormal: number
  /** The links to other nodes of the cluster. */
  readonly clusterLinks: number | undefined
  /** What slots take that are being moved here. Valkey. */
  readonly clusterSlotImport: number | undefined
  /** What slots take that are being moved away. Valkey. */
  readonly clusterSlotExport: number | undefined
  /** What waits to be written to the append-only file. */
  readonly aofBuffer: number
  /** The scripts that are kept for EVALSHA. */
  readonly luaCaches: number | undefined
  /** The libraries of functions that are loaded. */
  readonly functionsCaches: number | undefined
  /** The interpreters of scripts and functions. Redis. */
  readonly scriptVMs: number | undefined
  /** The tables of keys and times to live, in all databases. */
  readonly overheadDbHashtableLut: number | undefined
  /** The part of these tables that is being replaced by larger or smaller ones. */
  readonly overheadDbHashtableRehashing: number | undefined
  /** Everything but the data: buffers, connections, tables of keys and what was allocated at the start. */
  readonly overheadTotal: number
  /** The number of tables of keys and times to live that are being replaced. */
  readonly dbDictRehashingCount: number | undefined
  /** The number of keys in all databases. */
  readonly keysCount: number
  /** The data divided by the number of keys; up to Redis 7.0 all that was allocated since the start, divided by it. */
  readonly keysBytesPerKey: number
  /** The data: what is allocated without the overhead. */
  readonly datasetBytes: number
  /** How many percent of what was allocated since the start are data. */
  readonly datasetPercentage: number
  /** How many percent of the peak are allocated now. */
  readonly peakPercentage: number
  /** What the allocator has given out. */
  readonly allocatorAllocated: number | undefined
  /** The pages that the allocator uses, with what is lost between allocations. */
  readonly allocatorActive: number | undefined
  /** What the allocator takes from the system, with pages that it may give back. */
  readonly allocatorResident: number | undefined
  /** The pages that were given back, and that the system has not taken so far. */
  readonly allocatorMuzzy: number | undefined
  /** The ratio of active to allocated. */
  readonly allocatorFragmentationRatio: number | undefined
  /** The difference of active and allocated. */
  readonly allocatorFragmentationBytes: number | undefined
  /** The ratio of resident to active. */
  readonly allocatorRssRatio: number | undefined
  /** The difference of resident and active. */
  readonly allocatorRssBytes: number | undefined
  /** The ratio of what the process takes to what the allocator takes. */
  readonly rssOverheadRatio: number | undefined
  /** The difference of what the process takes and what the allocator takes. */
  readonly rssOverheadBytes: number | undefined
  /** The ratio of what the process takes to what is allocated. */
  readonly fragmentation: number
  /** The difference of what the process takes and what is allocated. */
  readonly fragmentationBytes: number
  /** The databases, by their numbers. */
  readonly db: ReadonlyMap<number, DatabaseMemory>
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

// -----------------------------------------------------------------------------
// Replies
// -----------------------------------------------------------------------------

const statistics = Reply.struct(known)
const database = Reply.struct({ overheadHashtableMain: Reply.double, overheadHashtableExpires: Reply.double })
const items = Reply.pairs(Reply.text, Reply.make<Resp.Value>((value) => value))

/** The server reports each database under a name of its own, such as `db.0`. */
const memoryStatsReply: Reply.Reply<MemoryStats> = Reply.make((value, view) => {
  const db = new Map<number, DatabaseMemory>()
  const others: Array<Resp.Value> = []
  for (const [name, item] of items.decode(value, view)) {
    const index = /^db\.(\d+)$/.exec(name)?.[1]
    if (index === undefined) others.push(name, item)
    else db.set(Number(index), database.decode(item, view))
  }
  return { ...statistics.decode(others, view), db }
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the server's report on its memory, as text for people.
 *
 * O(1). Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const memoryDoctor = define("MEMORY DOCTOR", () => [], Reply.text, "readonly")

/**
 * Returns a report of the allocator, as text for people.
 *
 * Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const memoryMallocStats = define("MEMORY MALLOC-STATS", () => [], Reply.text, "readonly")

/**
 * Makes the allocator give back the memory that it can; returns `true`.
 *
 * Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const memoryPurge = define("MEMORY PURGE", () => [], Reply.ok)

/**
 * Returns what uses the memory of the server.
 *
 * O(1). Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const memoryStats = define("MEMORY STATS", () => [], memoryStatsReply, "readonly")

/**
 * Returns how many bytes a key and its value use, `undefined` when the key does not exist.
 *
 * For a value with many elements, only `samples` elements are looked at (server default 5), or all when it is 0. O(N)
 * for N samples. Since Redis 4.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const memoryUsage = define(
  "MEMORY USAGE",
  (key: Arg.Key, options: { readonly samples?: number | undefined } = {}) => [
    Arg.key(key),
    Arg.option("SAMPLES", options.samples)
  ],
  Reply.nullable(Reply.integer),
  "readonly"
)
