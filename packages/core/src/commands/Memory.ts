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
  clientsSlaves: Reply.double,
  clientsNormal: Reply.double,
  clusterLinks: Reply.nullable(Reply.double),
  aofBuffer: Reply.double,
  luaCaches: Reply.nullable(Reply.double),
  functionsCaches: Reply.nullable(Reply.double),
  overheadTotal: Reply.double,
  keysCount: Reply.double,
  keysBytesPerKey: Reply.double,
  datasetBytes: Reply.double,
  datasetPercentage: Reply.double,
  peakPercentage: Reply.double,
  allocatorAllocated: Reply.nullable(Reply.double),
  allocatorActive: Reply.nullable(Reply.double),
  allocatorResident: Reply.nullable(Reply.double),
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
 * - `extra`: fields that this type does not know, by the server's names.
 *
 * @category server
 * @since 0.1.0
 */
export interface DatabaseMemory {
  readonly overheadHashtableMain: number
  readonly overheadHashtableExpires: number
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * What uses the memory of the server, in bytes unless the name says percentage, ratio or count. Fields that only newer
 * servers have are `undefined` on others.
 *
 * - `db`: by the number of the database. `extra`: fields that this type does not know, by the server's names.
 *
 * @category server
 * @since 0.1.0
 */
export interface MemoryStats {
  readonly peakAllocated: number
  readonly totalAllocated: number
  readonly startupAllocated: number
  readonly replicationBacklog: number
  readonly replicaFullsyncBuffer: number | undefined
  readonly clientsSlaves: number
  readonly clientsNormal: number
  readonly clusterLinks: number | undefined
  readonly aofBuffer: number
  readonly luaCaches: number | undefined
  readonly functionsCaches: number | undefined
  readonly overheadTotal: number
  readonly keysCount: number
  readonly keysBytesPerKey: number
  readonly datasetBytes: number
  readonly datasetPercentage: number
  readonly peakPercentage: number
  readonly allocatorAllocated: number | undefined
  readonly allocatorActive: number | undefined
  readonly allocatorResident: number | undefined
  readonly allocatorFragmentationRatio: number | undefined
  readonly allocatorFragmentationBytes: number | undefined
  readonly allocatorRssRatio: number | undefined
  readonly allocatorRssBytes: number | undefined
  readonly rssOverheadRatio: number | undefined
  readonly rssOverheadBytes: number | undefined
  readonly fragmentation: number
  readonly fragmentationBytes: number
  readonly db: ReadonlyMap<number, DatabaseMemory>
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
