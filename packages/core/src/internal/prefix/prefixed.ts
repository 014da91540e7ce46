/**
 * Applies a prefix to a command and to its reply. Keys are typed at their arguments, so a rule is only needed for keys
 * that are not, and for keys that come back.
 */
import * as RedisArg from "../../RedisArg.ts"
import type { Part } from "../../RedisArg.ts"
import * as Resp from "../../Resp.ts"
import { asKey, asText } from "../argument/part.ts"
import { callsOfCode } from "../command/byName.ts"
import { items, text, textView } from "../reply/reply.ts"
import type { Prefix } from "./prefix.ts"

type Parts = ReadonlyArray<Part>

/**
 * The rule for commands of a name.
 *
 * - `parts`: to the arguments, instead of putting the prefix before keys.
 * - `reply`: to the reply as it came. `null` is left alone.
 * - `refusal`: why the command is not sent.
 */
export interface Rule {
  readonly parts?: ((parts: Parts, prefix: Prefix) => Parts) | undefined
  readonly reply?: ((value: Resp.Value, prefix: Prefix) => Resp.Value) | undefined
  readonly refusal?: string | undefined
}

// -----------------------------------------------------------------------------
// Arguments
// -----------------------------------------------------------------------------

/** The arguments with the prefix before their keys; the same array when none is a key. */
export const withKeys = (parts: Parts, prefix: Prefix): Parts =>
  parts.some((part) => part instanceof RedisArg.KeyArg)
    ? parts.map((part) => part instanceof RedisArg.KeyArg ? part.renamed((key) => prefix.before(key)) : part)
    : parts

const untouched = (parts: Parts): Parts => parts

/** The word at an index, in upper case. */
const wordAt = (parts: Parts, index: number): string => {
  const part = parts[index]
  return part === undefined ? "" : asText(part).toUpperCase()
}

/**
 * After the cursor, words and their values come in turn. Without a pattern, the scan would find all keys of the
 * database.
 */
const scanned = (parts: Parts, prefix: Prefix): Parts => {
  const isPattern = (index: number) => index % 2 === 0 && index > 0 && wordAt(parts, index - 1) === "MATCH"
  return parts.some((_, index) => isPattern(index))
    ? parts.map((part, index) => isPattern(index) ? prefix.beforePattern(asKey(part)) : part)
    : [...parts, "MATCH", `${prefix.glob}*`]
}

/** Patterns of SORT are not globs: the first star stands for an element, and a pattern without one names no key. */
const sorted = (parts: Parts, prefix: Prefix): Parts => {
  const out = [...withKeys(parts, prefix)]
  for (let index = 1; index < out.length; index++) {
    const word = wordAt(out, index)
    if (word === "LIMIT") index += 2
    else if (word === "STORE") index++
    else if (word === "BY" || word === "GET") {
      index++
      if (!wordAt(out, index).includes("*")) continue
      // A word that is not empty was read at this index, so the index is in range.
      const part = out[index]!
      // An argument that is marked as a key has the prefix already.
      if (!(part instanceof RedisArg.KeyArg)) out[index] = prefix.before(asKey(part))
    }
  }
  return out
}

/** The first argument is a key, although the command is not routed by it. */
const firstKey = ([first, ...rest]: Parts, prefix: Prefix): Parts =>
  first === undefined ? rest : [prefix.before(asKey(first)), ...rest]

// -----------------------------------------------------------------------------
// Replies
// -----------------------------------------------------------------------------

const eachKey = (value: Resp.Value, prefix: Prefix): Resp.Value => items(value).map((key) => prefix.strip(key))

const page = (value: Resp.Value, prefix: Prefix): Resp.Value =>
  items(value).map((part, index) => index === 1 ? eachKey(part, prefix) : part)

const leading = (value: Resp.Value, prefix: Prefix): Resp.Value =>
  items(value).map((part, index) => index === 0 ? prefix.strip(part) : part)

/** A map by key in RESP3, or an array of pairs in RESP2. */
const byKey = (value: Resp.Value, prefix: Prefix): Resp.Value =>
  value instanceof Resp.MapReply
    ? new Resp.MapReply(value.entries.map((part, index) => index % 2 === 0 ? prefix.strip(part) : part))
    : items(value).map((pair) => leading(pair, prefix))

/** A series names the one that it is compacted from, and those that are compacted from it. */
const series = (value: Resp.Value, prefix: Prefix): Resp.Value => {
  const fields = items(value)
  return fields.map((part, index) => {
    if (index % 2 === 0 || part === null) return part
    // The index is that of the name before the part, so it is in range.
    switch (text.decode(fields[index - 1]!, textView)) {
      case "sourceKey":
      case "keySelfName":
        return prefix.strip(part)
      case "rules":
        return byKey(part, prefix)
      default:
        return part
    }
  })
}

// -----------------------------------------------------------------------------
// By name
// -----------------------------------------------------------------------------

const below = "or run it on the client below, which has no prefix"
const forEverybody =
  `is for the keys of everybody in the database. Go through those of this client with Redis.scanStream, ${below}`

/** The rules and the names of their commands. Names are divided by commas. */
const table: ReadonlyArray<readonly [rule: Rule, names: string]> = [
  [{
    parts: ([pattern, ...rest], prefix) =>
      pattern === undefined ? rest : [prefix.beforePattern(asKey(pattern)), ...rest],
    reply: eachKey
  }, "KEYS"],
  [{ parts: scanned, reply: page }, "CLUSTERSCAN,SCAN"],
  [{ parts: sorted }, "SORT,SORT_RO"],
  [{ parts: firstKey }, "CLUSTER KEYSLOT"],
  // A channel is not a key. The argument of SPUBLISH is typed as one only because it is routed by it.
  [{ parts: untouched }, "SPUBLISH,PUBLISH"],
  [{ reply: leading }, "BLMPOP,BLPOP,BRPOP,BZMPOP,BZPOPMAX,BZPOPMIN,LMPOP,ZMPOP"],
  [{ reply: byKey }, "XREAD,XREADGROUP"],
  [{ reply: series }, "TS.INFO"],
  [
    { refusal: forEverybody },
    "CLUSTER COUNTKEYSINSLOT,CLUSTER FLUSHSLOT,CLUSTER GETKEYSINSLOT,DBSIZE,FLUSHALL,FLUSHDB,HOTKEYS GET,RANDOMKEY,SWAPDB"
  ],
  [
    { refusal: `shows the commands of everybody, with keys as servers know them. Leave it, ${below}` },
    "MONITOR"
  ],
  [
    {
      refusal: "has servers tell of keys by the names that they know them by. Use Redis.cached or RedisCache, " +
        "and for changes of keys Redis.keyspaceEvents"
    },
    "CLIENT TRACKING"
  ],
  [
    { refusal: `chooses series by their labels, whoever they belong to. Name the keys, ${below}` },
    "TS.MGET,TS.MRANGE,TS.MREVRANGE,TS.QUERYINDEX,TS.QUERYLABELS"
  ]
]

const rules: ReadonlyMap<string, Rule> = new Map(
  table.flatMap(([rule, names]) => names.split(",").map((name) => [name, rule] as const))
)

const byKeysAlone: Rule = {}

const ofIndexes: Rule = {
  refusal: `is about indexes, which hold the keys of everybody and have names of their own. Leave it, ${below}`
}

/** The rule for commands of a name in capitals. */
export const ruleOf = (name: string): Rule =>
  rules.get(name) ?? (name.startsWith("FT.") && !name.startsWith("FT.SUG") ? ofIndexes : byKeysAlone)

// -----------------------------------------------------------------------------
// Commands that are sent by their names
// -----------------------------------------------------------------------------

/** Whether a command that was sent by its name is known to have no keys, when none of its arguments is marked as one. */
export const hasNoKeys = (name: string, parts: Parts): boolean => {
  const space = name.indexOf(" ")
  return keyless.has(name) || keyless.has(space < 0 ? name : `${name.slice(0, space)} *`) ||
    countingKeys.has(name) && wordAt(parts, 1) === "0"
}

/** Commands that have the number of their keys as second argument. */
const countingKeys: ReadonlySet<string> = new Set([...callsOfCode, "EVALSHA_RO", "EVAL_RO", "FCALL_RO"])

const keyless: ReadonlySet<string> = new Set([
  ..."ASKING AUTH BGREWRITEAOF BGSAVE COMMAND DISCARD ECHO EXEC FAILOVER HELLO INFO LASTSAVE LOLWUT MULTI PFSELFTEST"
    .split(" "),
  ..."PING PUBLISH QUIT READONLY READWRITE REPLICAOF RESET ROLE SAVE SELECT SHUTDOWN SLAVEOF SPUBLISH TIME UNWATCH"
    .split(" "),
  ..."WAIT WAITAOF".split(" "),
  // These commands take patterns, and the cursor that a scan goes on from.
  ..."CLUSTERSCAN KEYS SCAN".split(" "),
  ..."ACL BACKUP CLIENT CLUSTER COMMAND COMMANDLOG CONFIG FUNCTION HOTKEYS LATENCY MODULE PUBSUB SCRIPT SENTINEL SLOWLOG"
    .split(" ").map((container) => `${container} *`),
  ..."DOCTOR HELP MALLOC-STATS PURGE STATS".split(" ").map((subcommand) => `MEMORY ${subcommand}`),
  ..."DEBUG HIMPORT OBJECT XGROUP XINFO".split(" ").map((container) => `${container} HELP`),
  ..."DISCARD DISCARDALL PREPARE".split(" ").map((subcommand) => `HIMPORT ${subcommand}`),
  "DEBUG SLEEP"
])
