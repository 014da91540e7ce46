/**
 * The commands that are sent a second time when their connection was lost, and nobody knows whether they ran. To read is
 * not enough: the second answer must be as good as the first, and the first run must have changed nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Core from "@redfx/core"
import { Redis, RedisCommand } from "@redfx/core"

/** Commands of servers that may be repeated, by the reason. */
const repeatable: Readonly<Record<string, string>> = {
  "reads what is stored, and leaves it":
    "ARCOUNT ARGET ARGETRANGE ARGREP ARINFO ARLASTITEMS ARLEN ARMGET ARNEXT AROP " +
    "ARSCAN BITCOUNT BITFIELD_RO BITPOS DBSIZE DIGEST EXISTS GEODIST GEOHASH GEOPOS " +
    "GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT GETRANGE HEXISTS HGET HGETALL HKEYS HLEN HMGET HSTRLEN " +
    "HVALS KEYS LCS LINDEX LLEN LPOS LRANGE MGET PHCARD PHEXISTS PHGET PHGETALL PHLONGEST PHMGET " +
    "PHPREFIXES SCARD SDIFF SDIFFCARD SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO " +
    "STRLEN SUBSTR SUNION SUNIONCARD TYPE VCARD VDIM VEMB VGETATTR VINFO VISMEMBER VLINKS VRANGE VSIM XLEN XRANGE XREVRANGE ZCARD " +
    "ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE " +
    "ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCORE ZUNION",
  "reads until when something lives": "EXPIRETIME HEXPIRETIME HPEXPIRETIME HPTTL HTTL PEXPIRETIME PTTL TTL",
  "tells of the server's own view of a key": "MEMORY USAGE, OBJECT ENCODING, OBJECT FREQ, OBJECT IDLETIME, " +
    "OBJECT REFCOUNT, XINFO CONSUMERS, XINFO GROUPS, XINFO STREAM",
  "copies, and leaves the original": "DUMP",
  "draws lots, and takes nothing away: another draw is as good": "HRANDFIELD RANDOMKEY SRANDMEMBER VRANDMEMBER " +
    "ZRANDMEMBER",
  "the cursor is the caller's, the server keeps none: the same page comes again":
    "CLUSTERSCAN HSCAN PHSCAN SCAN SSCAN ZSCAN",
  "lists what is pending, and claims nothing": "XPENDING",
  "reads on from an id; from \"$\" it is not repeated, as that is another place each time": "XREAD",
  "counts from what it keeps beside the data, which it may bring up to date": "PFCOUNT",
  "the time of the last use is all that changes, and using twice is using": "TOUCH",
  "the server refuses what writes": "EVALSHA_RO EVAL_RO FCALL_RO",
  "asks the server whether it is there, or about the time": "ECHO, LASTSAVE, PING, TIME",
  "asks the server about itself": "BACKUP LIST, BACKUP STATUS, CLIENT LIST, COMMAND, COMMAND COUNT, COMMAND DOCS, " +
    "COMMAND GETKEYS, COMMAND GETKEYSANDFLAGS, COMMAND INFO, COMMAND LIST, CONFIG GET, FUNCTION DUMP, FUNCTION LIST, " +
    "FUNCTION STATS, INFO, MEMORY DOCTOR, MEMORY MALLOC-STATS, MEMORY STATS, MODULE LIST, PUBSUB CHANNELS, " +
    "PUBSUB NUMPAT, PUBSUB NUMSUB, PUBSUB SHARDCHANNELS, PUBSUB SHARDNUMSUB, ROLE, SCRIPT EXISTS, SCRIPT SHOW",
  "asks the server what it has noted, and keeps the notes": "ACL LOG, COMMANDLOG GET, COMMANDLOG LEN, HOTKEYS GET, " +
    "LATENCY DOCTOR, LATENCY GRAPH, LATENCY HISTOGRAM, LATENCY HISTORY, LATENCY LATEST, SLOWLOG GET, SLOWLOG LEN",
  "asks the server about users, or for a password: another one is as good": "ACL CAT, ACL DIGEST, ACL DRYRUN, " +
    "ACL GENPASS, ACL GETROLE, ACL GETUSER, ACL LIST, ACL ROLES, ACL USERS",
  "asks a node about the cluster": "CLUSTER COUNT-FAILURE-REPORTS, CLUSTER GETSLOTMIGRATIONS, CLUSTER INFO, " +
    "CLUSTER KEYSLOT, CLUSTER LINKS, CLUSTER MYID, CLUSTER MYSHARDID, CLUSTER NODES, CLUSTER REPLICAS, CLUSTER SHARDS, " +
    "CLUSTER SLAVES, CLUSTER SLOT-STATS, CLUSTER SLOTS",
  "asks a sentinel what it knows": "SENTINEL CKQUORUM, SENTINEL CONFIG, SENTINEL DEBUG, " +
    "SENTINEL GET-MASTER-ADDR-BY-NAME, SENTINEL GET-PRIMARY-ADDR-BY-NAME, SENTINEL INFO-CACHE, SENTINEL MASTER, " +
    "SENTINEL MASTERS, SENTINEL MYID, SENTINEL PENDING-SCRIPTS, SENTINEL PRIMARIES, SENTINEL PRIMARY, " +
    "SENTINEL REPLICAS, SENTINEL SENTINELS, SENTINEL SLAVES",
  "helps":
    "ACL HELP, BACKUP HELP, CLIENT HELP, CLUSTER HELP, COMMAND HELP, COMMANDLOG HELP, CONFIG HELP, DEBUG HELP, " +
    "FUNCTION HELP, HOTKEYS HELP, LATENCY HELP, MEMORY HELP, MODULE HELP, OBJECT HELP, PUBSUB HELP, SCRIPT HELP, " +
    "SLOWLOG HELP, XGROUP HELP, XINFO HELP",
  "paints": "LOLWUT"
}

const listed = Object.values(repeatable).flatMap((names) => names.split(names.includes(", ") ? ", " : " "))

/** The commands of servers themselves, without modules. */
const all = Object.values(Core).flatMap((members) => Object.values(members)).flatMap((value) =>
  typeof value === "function" && "spec" in value && value.spec instanceof RedisCommand.Spec &&
    !value.spec.name.includes(".")
    ? [value.spec]
    : []
)
const specs = new Map(all.map((spec) => [spec.name, spec]))

/** Commands that read and must not be repeated, by what the second time would do. */
const notRepeatable: Readonly<Record<string, string>> = {
  "what was taken is gone": "GETDEL HGETDEL LPOP RPOP LMPOP SPOP ZPOPMIN ZPOPMAX ZMPOP",
  "it waits, and what it takes is gone": "BLMOVE BLMOVEM BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN",
  "what was moved at first is not moved again": "LMOVE LMOVEM RPOPLPUSH SMOVE",
  "what was delivered at first is pending, and not delivered again": "XREADGROUP",
  "what was claimed at first is not idle any more": "XAUTOCLAIM XCLAIM",
  "what was given back at first is another's now": "XNACK",
  "the time to live starts anew": "GETEX HGETEX",
  "it reads or writes, by its options": "BITFIELD SORT GEORADIUS GEORADIUSBYMEMBER",
  "it writes what a script writes": "EVAL EVALSHA FCALL",
  "it answers for what its connection sent before": "WAIT WAITAOF",
  "it answers about its connection, and another one answers":
    "CLIENT GETNAME, CLIENT GETREDIR, CLIENT ID, CLIENT INFO, " +
    "CLIENT TRACKINGINFO, ACL WHOAMI",
  "it changes what its connection is": "AUTH, HELLO, QUIT, RESET, SELECT, CLIENT SETNAME, CLIENT TRACKING",
  "what it changes may have been changed again meanwhile": "ACL SETUSER, CLIENT KILL, CLIENT UNBLOCK, CONFIG SET, " +
    "CONFIG RESETSTAT, SCRIPT FLUSH, SLOWLOG RESET",
  "the message goes out twice": "PUBLISH SPUBLISH"
}

describe("commands that are repeated", () => {
  it("are those of the list, each for a reason", () => {
    const found = new Set(all.filter(({ readonly }) => readonly).map(({ name }) => name))
    assert.sameMembers([...found], listed)
    assert.strictEqual(new Set(listed).size, listed.length)
  })

  it("are none of those that read and take away, move on or wait", () => {
    for (const [reason, names] of Object.entries(notRepeatable)) {
      for (const name of names.split(names.includes(", ") ? ", " : " ")) {
        assert.isFalse(specs.get(name)?.readonly, `${name}: ${reason}`)
      }
    }
  })

  it("have a name that says the same when they are sent by it: never that they may be repeated", () => {
    for (const name of listed) assert.isFalse(Redis.send(name).spec.readonly, name)
  })

  it("XREAD is repeated from an id, and not from now on", () => {
    for (const streams of [{ a: "$" }, { a: "0", b: "$" }, [["a", "$"]] as const]) {
      assert.isFalse(Redis.xread(streams, { block: 0 }).spec.readonly)
      assert.isTrue(Redis.xread(streams, { block: 0 }).spec.traits.has("blocking"))
    }
    for (const streams of [{ a: "0" }, { $: "0-0" }, [["$", "+"]] as const, [["a", 0]] as const]) {
      assert.isTrue(Redis.xread(streams, { block: 0 }).spec.readonly)
    }
  })
})
