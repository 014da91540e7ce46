/**
 * The rules for commands without a key: one table, by name.
 */
import * as Merge from "../multiKey/merge.ts"
import { scan } from "./scan.ts"
import { kill, randomKey, slotStats } from "./specialPolicies.ts"
import type { Run } from "./specialPolicies.ts"

/**
 * Where a command goes, and how the replies of several servers become one.
 *
 * - `any`: to a master, no matter which. `key`, `slot`: to the master of the slot of the first argument, which is taken
 *   for a key, or is the number of the slot. `orAny`: while that one is not there, to any other master.
 * - `masters`, `nodes`: to all masters; to all masters and replicas. When one fails, the command fails.
 * - `reachable`: to all masters and the replicas that can be reached.
 * - `special`: as `run` does. `none`: to no server; `instead` says what to do.
 */
export type Rule =
  | { readonly to: "any" | "key" | "slot"; readonly orAny?: boolean }
  | { readonly to: "masters" | "nodes" | "reachable"; readonly merge: Merge.Merge }
  | { readonly to: "special"; readonly run: Run }
  | { readonly to: "none"; readonly instead: string }

/** The reason why MOVE and its kind are refused. */
export const otherDatabase = "a client of a cluster uses one database, that of its option db. Where a cluster has " +
  "several, run MOVE on the server of the key, with RedisCluster.onNode"

const any: Rule = { to: "any" }
const key: Rule = { to: "key" }
const keyOrAny: Rule = { to: "key", orAny: true }
const slot: Rule = { to: "slot" }
const masters = (merge: Merge.Merge): Rule => ({ to: "masters", merge })
const nodes = (merge: Merge.Merge): Rule => ({ to: "nodes", merge })
const reachable = (merge: Merge.Merge): Rule => ({ to: "reachable", merge })
const special = (run: Run): Rule => ({ to: "special", run })
const none = (instead: string): Rule => ({ to: "none", instead })

const oneServer = none("it is for one server. Run it there with RedisCluster.onNode")
const eachServer = none("every server has an answer of its own. Ask them all with RedisCluster.perNode")
const oneConnection = none(
  "it is for one connection, and a cluster has many. Run it inside Redis.withConnection on one server, with " +
    "RedisCluster.onNode"
)

/**
 * The rules and the names of their commands, which commas divide. `CLUSTER` stands for all of its subcommands that have
 * no rule of their own.
 */
export const table: ReadonlyArray<readonly [rule: Rule, names: string]> = [
  // Commands about data.
  [masters(Merge.sum), "DBSIZE"],
  [masters(Merge.union), "KEYS"],
  [masters(Merge.succeeded), "FLUSHALL, FLUSHDB"],
  [special(randomKey), "RANDOMKEY"],
  [special(scan), "SCAN"],
  [none(otherDatabase), "MOVE, SELECT, SWAPDB"],
  [
    none("it waits for what its own connection wrote. Run it after the writes, inside Redis.withConnection"),
    "WAIT, WAITAOF"
  ],
  // Commands about servers.
  [nodes(Merge.succeeded), "PING"],
  [any, "ECHO, TIME, LOLWUT, INFO, COMMAND, CONFIG GET, CONFIG HELP"],
  [
    any,
    "COMMAND COUNT, COMMAND DOCS, COMMAND GETKEYS, COMMAND GETKEYSANDFLAGS, COMMAND HELP, COMMAND INFO, COMMAND LIST"
  ],
  [nodes(Merge.succeeded), "CONFIG SET, CONFIG RESETSTAT, CONFIG REWRITE, SAVE, BGSAVE, BGREWRITEAOF"],
  [nodes(Merge.least), "LASTSAVE"],
  [nodes(Merge.newestFirst), "SLOWLOG GET, COMMANDLOG GET"],
  [nodes(Merge.sum), "SLOWLOG LEN, COMMANDLOG LEN, LATENCY RESET"],
  [nodes(Merge.succeeded), "SLOWLOG RESET, COMMANDLOG RESET"],
  [any, "LATENCY DOCTOR, LATENCY GRAPH, LATENCY HISTOGRAM, LATENCY HISTORY, LATENCY LATEST"],
  [any, "MEMORY DOCTOR, MEMORY MALLOC-STATS, MEMORY STATS, MODULE LIST"],
  [masters(Merge.succeeded), "MEMORY PURGE"],
  [eachServer, "ROLE, HOTKEYS GET, BACKUP LIST, BACKUP STATUS"],
  [oneServer, "SHUTDOWN, SLAVEOF, REPLICAOF, FAILOVER, SYNC, PSYNC, REPLCONF, DEBUG, HOTKEYS, MODULE, CONFIG, MEMORY"],
  [oneServer, "LATENCY, SLOWLOG, COMMANDLOG, BACKUP"],
  [none("it shows the commands of one server. Run Redis.monitor there with RedisCluster.onNode"), "MONITOR"],
  [
    any,
    "BACKUP HELP, CLIENT HELP, CLUSTER HELP, COMMANDLOG HELP, DEBUG HELP, FUNCTION HELP, HOTKEYS HELP, LATENCY HELP, " +
    "MEMORY HELP, MODULE HELP, OBJECT HELP, PUBSUB HELP, SCRIPT HELP, SLOWLOG HELP, XGROUP HELP, XINFO HELP, PFSELFTEST"
  ],
  // Commands about clients and their connections.
  [nodes(Merge.lines), "CLIENT LIST"],
  [nodes(Merge.succeeded), "CLIENT SETNAME, CLIENT SETINFO, CLIENT PAUSE, CLIENT UNPAUSE"],
  [special(kill), "CLIENT KILL"],
  [
    none("ids of clients are each server's own. Run it on the client's server with RedisCluster.onNode"),
    "CLIENT UNBLOCK"
  ],
  [oneConnection, "CLIENT, AUTH, HELLO, HIMPORT, QUIT, RESET"],
  [none("the client does that itself. Choose who answers with the option readFrom"), "READONLY, READWRITE"],
  [none("the client sends it itself, in answer to redirects"), "ASKING"],
  [none("use Redis.transaction or Redis.watch"), "MULTI, EXEC, DISCARD, WATCH, UNWATCH"],
  [
    none("every server has users of its own. Run it on each of them with RedisCluster.onNode"),
    "ACL"
  ],
  // Commands about messages.
  [keyOrAny, "PUBLISH"],
  [nodes(Merge.union), "PUBSUB CHANNELS, PUBSUB SHARDCHANNELS"],
  // Each server counts its own patterns, so a pattern that is subscribed to on two servers counts twice.
  [nodes(Merge.sum), "PUBSUB NUMPAT"],
  [nodes(Merge.sumByName), "PUBSUB NUMSUB, PUBSUB SHARDNUMSUB"],
  [eachServer, "PUBSUB"],
  // Commands about code. Functions come to replicas by replication, scripts do not.
  [reachable(Merge.same), "SCRIPT LOAD"],
  [reachable(Merge.succeeded), "SCRIPT FLUSH"],
  [masters(Merge.everywhere), "SCRIPT EXISTS"],
  [any, "SCRIPT SHOW, FUNCTION DUMP, FUNCTION STATS"],
  [masters(Merge.same), "FUNCTION LOAD"],
  [masters(Merge.succeeded), "FUNCTION DELETE, FUNCTION FLUSH, FUNCTION RESTORE"],
  [masters(Merge.commonLibraries), "FUNCTION LIST"],
  [oneServer, "SCRIPT, FUNCTION"],
  // Commands about the cluster itself.
  [
    any,
    "CLUSTER INFO, CLUSTER KEYSLOT, CLUSTER NODES, CLUSTER REPLICAS, CLUSTER SHARDS, CLUSTER SLAVES, CLUSTER SLOTS"
  ],
  [slot, "CLUSTER COUNTKEYSINSLOT, CLUSTER FLUSHSLOT, CLUSTER GETKEYSINSLOT"],
  [masters(Merge.greatest), "CLUSTER COUNT-FAILURE-REPORTS"],
  [nodes(Merge.succeeded), "CLUSTER SAVECONFIG"],
  [special(slotStats), "CLUSTER SLOT-STATS"],
  [eachServer, "CLUSTER GETSLOTMIGRATIONS, CLUSTER LINKS, CLUSTER MYID, CLUSTER MYSHARDID"],
  [oneServer, "CLUSTER"],
  [none("it is a command of sentinels. Connect to one of them"), "SENTINEL"],
  // Commands of modules. Any server of a cluster asks the others for an index; a cursor over an index stays where it
  // was made.
  [
    key,
    "FT.AGGREGATE, FT.ALIASADD, FT.ALIASDEL, FT.ALIASLIST, FT.ALIASUPDATE, FT.ALTER, FT.CREATE, FT.CURSOR DEL, " +
    "FT.CURSOR READ, FT.DICTADD, FT.DICTDEL, FT.DICTDUMP, FT.DROPINDEX, FT.EXPLAIN, FT.EXPLAINCLI, FT.HYBRID, FT.INFO, " +
    "FT.PROFILE, FT.SEARCH, FT.SPELLCHECK, FT.SYNDUMP, FT.SYNUPDATE, FT.TAGVALS"
  ],
  [any, "FT._LIST, FT.CONFIG GET"],
  [masters(Merge.same), "FT.CONFIG, FT.CONFIG SET"],
  // Any server asks the others for their series, once the module knows them.
  [any, "TS.MGET, TS.MRANGE, TS.MREVRANGE, TS.QUERYINDEX, TS.QUERYLABELS"]
]

/** The rules by the names of commands in upper case. */
export const rules: ReadonlyMap<string, Rule> = new Map(
  table.flatMap(([rule, names]) => names.split(", ").map((name) => [name, rule] as const))
)

/** The rule for commands of a name in capitals, `undefined` when there is none: such a command has a key. */
export const ruleOf = (name: string): Rule | undefined => {
  const space = name.indexOf(" ")
  return rules.get(name) ?? (space < 0 || keyed.has(name) ? undefined : rules.get(name.slice(0, space)))
}

/** The subcommands with a key, of containers whose subcommands mostly have none. */
const keyed: ReadonlySet<string> = new Set(["DEBUG OBJECT", "HIMPORT SET", "MEMORY USAGE"])
