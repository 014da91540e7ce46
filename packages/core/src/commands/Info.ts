/**
 * INFO: what a server reports about itself.
 *
 * @since 0.1.0
 */
import { exactInteger } from "../internal/reply/exactInteger.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * A value of INFO: a number, a record of named values, or text. A name that comes several times in a value, as `bind` of a
 * listener does, has its values with a space between them.
 *
 * @category server
 * @since 0.1.0
 */
export type InfoValue = string | number | Readonly<Record<string, string | number>>

/**
 * How many keys a database has.
 *
 * @category server
 * @since 0.1.0
 */
export interface DatabaseInfo {
  /** The number of keys. */
  readonly keys: number
  /** How many of the keys have a time to live. */
  readonly expires: number
  /** The estimated average time to live in milliseconds. */
  readonly avgTtl: number
}

/**
 * The result of INFO: every value by the server's name in `fields`, and the best known ones by names of their own.
 * These are `undefined` when their section was not asked for or the server does not have them.
 *
 * - `unparsed`: lines that are not fields.
 * - `modules`: one record for each module.
 * - Memory is in bytes.
 *
 * @category server
 * @since 0.1.0
 */
export interface ServerInfo {
  /** Every value of a section, by the server's name. */
  readonly fields: Readonly<Record<string, InfoValue>>
  /** Lines that are not fields. */
  readonly unparsed: ReadonlyArray<string>
  /** One record for each module. */
  readonly modules: ReadonlyArray<Readonly<Record<string, string | number>>>
  /** The databases that have keys, by their numbers. */
  readonly databases: ReadonlyMap<number, DatabaseInfo>
  /** The version of Redis; on Valkey, of the Redis that it is compatible with. */
  readonly redisVersion: string | undefined
  /** Only on Valkey. */
  readonly valkeyVersion: string | undefined
  /** `standalone`, `sentinel` or `cluster`. */
  readonly mode: string | undefined
  /** The id of this run of the server. */
  readonly runId: string | undefined
  /** The port that the server listens on. */
  readonly tcpPort: number | undefined
  /** Seconds since the server was started. */
  readonly uptimeInSeconds: number | undefined
  /** The number of connections of clients, without those of replicas. */
  readonly connectedClients: number | undefined
  /** How many clients wait in a blocking command. */
  readonly blockedClients: number | undefined
  /** Bytes that the allocator has given the server. */
  readonly usedMemory: number | undefined
  /** The most bytes that the allocator has given the server so far. */
  readonly usedMemoryPeak: number | undefined
  /** Bytes that the server takes as the operating system sees it. */
  readonly usedMemoryRss: number | undefined
  /** The limit in bytes, 0 when there is none. */
  readonly maxmemory: number | undefined
  /** What the server does at the limit, such as `noeviction`. */
  readonly maxmemoryPolicy: string | undefined
  /** Whether the server is loading its data. */
  readonly loading: boolean | undefined
  /** The number of commands that the server has processed. */
  readonly totalCommandsProcessed: number | undefined
  /** `master` or `slave`. */
  readonly role: string | undefined
  /** The number of connected replicas. */
  readonly connectedSlaves: number | undefined
  /** The host of the master, on a replica. */
  readonly masterHost: string | undefined
  /** The port of the master, on a replica. */
  readonly masterPort: number | undefined
  /** On a replica whether the link to its master is `up` or `down`. */
  readonly masterLinkStatus: string | undefined
  /** The id of the history of writes that a master and its replicas share. */
  readonly masterReplid: string | undefined
  /** How many bytes of that history the server has written, or a replica has got. */
  readonly masterReplOffset: number | undefined
  /** Whether the server is part of a cluster. */
  readonly clusterEnabled: boolean | undefined
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns what the server reports about itself: all sections by default, or only some. An unknown section is empty.
 *
 * Several sections at once need Redis 7.0.0; older servers refuse them with `ResponseError`. O(1).
 * Since Redis 1.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const info = define(
  "INFO",
  (...sections: Arg.Many<string>) => Arg.many(sections),
  Reply.map(Reply.text, (text) => parseInfo(text)),
  "readonly"
)

// -----------------------------------------------------------------------------
// Parsing
// -----------------------------------------------------------------------------

const parseInfo = (text: string): ServerInfo => {
  const fields: Record<string, InfoValue> = Object.create(null)
  const unparsed: Array<string> = []
  const modules: Array<Readonly<Record<string, string | number>>> = []
  for (const line of text.split(/\r?\n/)) {
    if (line === "" || line.startsWith("#")) continue
    // Only one field has a colon in its name: it counts commands that a web page may have tried to send.
    const separator = line.startsWith("cmdstat_host:") ? line.lastIndexOf(":") : line.indexOf(":")
    if (separator === -1) {
      unparsed.push(line)
      continue
    }
    const name = line.slice(0, separator)
    const value = parseValue(line.slice(separator + 1))
    fields[name] = value
    if (name === "module" && typeof value === "object") modules.push(value)
  }
  return { fields, unparsed, modules, databases: databasesOf(fields), ...knownFields(fields) }
}

const parseValue = (text: string): InfoValue =>
  (text.includes(",") || soleItem.test(text) ? parseSeveral(text) : undefined) ?? parseScalar(text)

/** How often an error occurred, a histogram with one bucket, one percentile: a record of one value. */
const soleItem = /^[^\s/=]+=-?\d+(\.\d+)?$/

const parseSeveral = (text: string): Readonly<Record<string, string | number>> | undefined => {
  const values: Record<string, string | number> = Object.create(null)
  for (const item of itemsOf(text)) {
    const separator = item.lastIndexOf("=")
    // Text that happens to hold both signs, such as a path.
    if (separator === -1) return undefined
    const name = item.slice(0, separator)
    const value = item.slice(separator + 1)
    values[name] = name in values ? `${values[name]} ${value}` : parseScalar(value)
  }
  return values
}

/**
 * The texts between commas. A module lists other modules in brackets, also separated by commas. The scan runs from the
 * end, so that one pass knows which bracket is next; a regular expression with lookahead would take quadratic time.
 */
const itemsOf = (text: string): ReadonlyArray<string> => {
  const items: Array<string> = []
  let end = text.length
  let inBrackets = false
  for (let at = text.length - 1; at >= 0; at--) {
    const sign = text[at]
    if (sign === "]") inBrackets = true
    else if (sign === "[") inBrackets = false
    else if (sign === "," && !inBrackets) {
      items.push(text.slice(at + 1, end))
      end = at
    }
  }
  items.push(text.slice(0, end))
  return items.reverse()
}

/**
 * Versions, ids and other texts that only begin like a number stay text, as do integers that are not safe. So does an id that
 * happens to be of digits alone and begins with a zero; one of zeros alone is 0.
 */
const parseScalar = (text: string): string | number => {
  if (/^0+$/.test(text)) return 0
  if (/^-?\d+$/.test(text)) return exactInteger(text) ?? text
  return /^-?\d+\.\d+$/.test(text) ? Number(text) : text
}

const databasesOf = (fields: Readonly<Record<string, InfoValue>>): ReadonlyMap<number, DatabaseInfo> =>
  new Map(
    Object.entries(fields).flatMap(([name, value]) => {
      const index = /^db(\d+)$/.exec(name)?.[1]
      if (index === undefined || typeof value !== "object") return []
      const { avg_ttl, expires, keys } = value
      return [[Number(index), { keys: Number(keys), expires: Number(expires), avgTtl: Number(avg_ttl ?? 0) }] as const]
    })
  )

const knownFields = (fields: Readonly<Record<string, InfoValue>>) => {
  const text = (name: string) => {
    const value = fields[name]
    return typeof value === "object" || value === undefined ? undefined : String(value)
  }
  const number = (name: string) => {
    const value = fields[name]
    return typeof value === "number" ? value : undefined
  }
  const boolean = (name: string) => {
    const value = number(name)
    return value === undefined ? undefined : value !== 0
  }
  return {
    redisVersion: text("redis_version"),
    valkeyVersion: text("valkey_version"),
    mode: text("redis_mode") ?? text("server_mode") ?? text("redict_mode"),
    runId: text("run_id"),
    tcpPort: number("tcp_port"),
    uptimeInSeconds: number("uptime_in_seconds"),
    connectedClients: number("connected_clients"),
    blockedClients: number("blocked_clients"),
    usedMemory: number("used_memory"),
    usedMemoryPeak: number("used_memory_peak"),
    usedMemoryRss: number("used_memory_rss"),
    maxmemory: number("maxmemory"),
    maxmemoryPolicy: text("maxmemory_policy"),
    loading: boolean("loading"),
    totalCommandsProcessed: number("total_commands_processed"),
    role: text("role"),
    connectedSlaves: number("connected_slaves"),
    masterHost: text("master_host"),
    masterPort: number("master_port"),
    masterLinkStatus: text("master_link_status"),
    masterReplid: text("master_replid"),
    masterReplOffset: number("master_repl_offset"),
    clusterEnabled: boolean("cluster_enabled")
  }
}
