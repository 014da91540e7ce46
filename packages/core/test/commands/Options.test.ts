/**
 * Every word of the options that have a choice of words, for each command that
 * takes them: what the other tables, which show what an option is for, leave out.
 */
import type { RedisCommand } from "@redfx/core"
import { Redis } from "@redfx/core"
import { commandTable } from "./table.ts"
import type { Row } from "./table.ts"

/** A row for each word. */
const each = <const Word extends string>(
  words: ReadonlyArray<Word>,
  command: (word: Word) => RedisCommand.Any,
  wire: (token: string) => string,
  reply: string,
  value: unknown
): ReadonlyArray<Row> =>
  words.map((word) => {
    const built = command(word)
    const sent = wire(word.toUpperCase())
    return [`sends ${sent}`, built, sent, reply, value]
  })

const ok = "+OK\r\n"
const none = "*0\r\n"
const conditions = ["nx", "xx", "gt", "lt"] as const
const aggregates = ["sum", "min", "max", "count"] as const
const orders = ["asc", "desc"] as const
const units = ["m", "km", "mi", "ft"] as const
const references = ["keepref", "delref", "acked"] as const
const center = { longitude: 1, latitude: 2 }

/** Units, types of clients and names of logs are sent in lower case. */
const lower = (token: string): string => token.toLowerCase()

commandTable("Options of keys", [
  ...each(conditions, (c) => Redis.expireat("k", 9, { [c]: true }), (t) => `EXPIREAT k 9 ${t}`, ":1\r\n", true),
  ...each(conditions, (c) => Redis.pexpire("k", 9, { [c]: true }), (t) => `PEXPIRE k 9 ${t}`, ":1\r\n", true),
  ...each(conditions, (c) => Redis.pexpireat("k", 9, { [c]: true }), (t) => `PEXPIREAT k 9 ${t}`, ":1\r\n", true),
  ["sends SORT_RO k DESC", Redis.sortRo("k", { desc: true }), "SORT_RO k DESC", none, []],
  ["sends SORT_RO k BY w_* ALPHA", Redis.sortRo("k", { by: "w_*", alpha: true }), "SORT_RO k BY w_* ALPHA", none, []]
])

commandTable("Options of strings and bitmaps", [
  ...each(
    ["byte", "bit"],
    (unit) => Redis.bitcount("k", { start: 0, end: 1, unit }),
    (t) => `BITCOUNT k 0 1 ${t}`,
    ":1\r\n",
    1
  ),
  ...each(
    ["byte", "bit"],
    (unit) => Redis.bitpos("k", 1, { start: 0, end: 1, unit }),
    (t) => `BITPOS k 1 0 1 ${t}`,
    ":1\r\n",
    1
  ),
  ...each(
    ["and", "or", "xor", "not", "diff", "diff1", "andor", "one"],
    (operation) => Redis.bitop(operation, "d", "k"),
    (t) => `BITOP ${t} d k`,
    ":1\r\n",
    1
  ),
  ...each(
    ["ex", "px", "exat", "pxat"],
    (o) => Redis.msetex({ k: "v" }, { [o]: 9 }),
    (t) => `MSETEX 1 k v ${t} 9`,
    ":1\r\n",
    true
  )
])

commandTable("Options of hashes", [
  ...each(
    conditions,
    (c) => Redis.hexpire("h", 9, "f", { [c]: true }),
    (t) => `HEXPIRE h 9 ${t} FIELDS 1 f`,
    "*1\r\n:1\r\n",
    [1]
  ),
  ...each(
    conditions,
    (c) => Redis.hexpireat("h", 9, "f", { [c]: true }),
    (t) => `HEXPIREAT h 9 ${t} FIELDS 1 f`,
    "*1\r\n:1\r\n",
    [1]
  ),
  ...each(
    conditions,
    (c) => Redis.hpexpire("h", 9, "f", { [c]: true }),
    (t) => `HPEXPIRE h 9 ${t} FIELDS 1 f`,
    "*1\r\n:1\r\n",
    [1]
  ),
  ...each(
    conditions,
    (c) => Redis.hpexpireat("h", 9, "f", { [c]: true }),
    (t) => `HPEXPIREAT h 9 ${t} FIELDS 1 f`,
    "*1\r\n:1\r\n",
    [1]
  )
])

commandTable("Options of sorted sets", [
  ...each(aggregates, (aggregate) => Redis.zinter(["k"], { aggregate }), (t) => `ZINTER 1 k AGGREGATE ${t}`, none, []),
  ...each(aggregates, (aggregate) => Redis.zunion(["k"], { aggregate }), (t) => `ZUNION 1 k AGGREGATE ${t}`, none, []),
  ...each(
    aggregates,
    (aggregate) => Redis.zinterstore("d", ["k"], { aggregate }),
    (t) => `ZINTERSTORE d 1 k AGGREGATE ${t}`,
    ":1\r\n",
    1
  ),
  ...each(
    aggregates,
    (aggregate) => Redis.zunionstore("d", ["k"], { aggregate }),
    (t) => `ZUNIONSTORE d 1 k AGGREGATE ${t}`,
    ":1\r\n",
    1
  ),
  ["sends ZUNION 2 k l WEIGHTS 2 3", Redis.zunion({ k: 2, l: 3 }), "ZUNION 2 k l WEIGHTS 2 3", none, []],
  [
    "sends ZRANGESTORE d z 3 1 BYSCORE REV",
    Redis.zrangestore("d", "z", 3, 1, { byscore: true, rev: true }),
    "ZRANGESTORE d z 3 1 BYSCORE REV",
    ":1\r\n",
    1
  ]
])

commandTable("Options of positions", [
  [
    "sends GEOSEARCHSTORE d g BYPOLYGON 3 1 2 3 4 5 0",
    Redis.geosearchstore("d", "g", {
      bypolygon: [center, { longitude: 3, latitude: 4 }, { longitude: 5, latitude: 0 }]
    }),
    "GEOSEARCHSTORE d g BYPOLYGON 3 1 2 3 4 5 0",
    ":1\r\n",
    1
  ],
  [
    "sends GEOADD g NX 1 2 a",
    Redis.geoadd("g", [{ ...center, member: "a" }], { nx: true }),
    "GEOADD g NX 1 2 a",
    ":1\r\n",
    1
  ],
  ...each(units, (u) => Redis.geodist("g", "a", "b", u), (t) => `GEODIST g a b ${lower(t)}`, "$1\r\n1\r\n", 1),
  ...each(units, (u) => Redis.georadius("g", 1, 2, 3, { unit: u }), (t) => `GEORADIUS g 1 2 3 ${lower(t)}`, none, []),
  ...each(
    units,
    (u) => Redis.georadiusRo("g", 1, 2, 3, { unit: u }),
    (t) => `GEORADIUS_RO g 1 2 3 ${lower(t)}`,
    none,
    []
  ),
  ...each(
    units,
    (u) => Redis.georadiusbymember("g", "a", 3, { unit: u }),
    (t) => `GEORADIUSBYMEMBER g a 3 ${lower(t)}`,
    none,
    []
  ),
  ...each(
    units,
    (u) => Redis.georadiusbymemberRo("g", "a", 3, { unit: u }),
    (t) => `GEORADIUSBYMEMBER_RO g a 3 ${lower(t)}`,
    none,
    []
  ),
  ...each(orders, (sort) => Redis.georadius("g", 1, 2, 3, { sort }), (t) => `GEORADIUS g 1 2 3 m ${t}`, none, []),
  ...each(
    orders,
    (sort) => Redis.georadiusRo("g", 1, 2, 3, { sort, count: 1, any: true }),
    (t) => `GEORADIUS_RO g 1 2 3 m COUNT 1 ANY ${t}`,
    none,
    []
  ),
  ...each(
    orders,
    (sort) => Redis.georadiusbymember("g", "a", 3, { sort, count: 1, any: true }),
    (t) => `GEORADIUSBYMEMBER g a 3 m COUNT 1 ANY ${t}`,
    none,
    []
  ),
  ...each(
    orders,
    (sort) => Redis.georadiusbymemberRo("g", "a", 3, { sort, count: 1, any: true }),
    (t) => `GEORADIUSBYMEMBER_RO g a 3 m COUNT 1 ANY ${t}`,
    none,
    []
  ),
  ...each(
    ["store", "storedist"],
    (to) => Redis.georadiusbymemberStore("g", "a", 3, to === "store" ? { store: "d" } : { storedist: "d" }),
    (t) => `GEORADIUSBYMEMBER g a 3 m ${t} d`,
    ":1\r\n",
    1
  ),
  ...each(
    units,
    (u) => Redis.geosearch("g", { frommember: "a", byradius: { radius: 3, unit: u } }),
    (t) => `GEOSEARCH g FROMMEMBER a BYRADIUS 3 ${lower(t)}`,
    none,
    []
  ),
  ...each(
    orders,
    (sort) => Redis.geosearch("g", { frommember: "a", byradius: { radius: 3 }, sort }),
    (t) => `GEOSEARCH g FROMMEMBER a BYRADIUS 3 m ${t}`,
    none,
    []
  ),
  ...each(
    units,
    (u) => Redis.geosearchstore("d", "g", { frommember: "a", bybox: { width: 3, height: 4, unit: u } }),
    (t) => `GEOSEARCHSTORE d g FROMMEMBER a BYBOX 3 4 ${lower(t)}`,
    ":1\r\n",
    1
  ),
  ...each(
    orders,
    (sort) => Redis.geosearchstore("d", "g", { frommember: "a", byradius: { radius: 3 }, sort, count: 1, any: true }),
    (t) => `GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 3 m COUNT 1 ANY ${t}`,
    ":1\r\n",
    1
  )
])

commandTable("Options of streams", [
  ...each(references, (r) => Redis.xackdel("s", "g", ["1-0"], r), (t) => `XACKDEL s g ${t} IDS 1 1-0`, "*1\r\n:1\r\n", [
    1
  ]),
  ...each(references, (r) => Redis.xdelex("s", ["1-0"], r), (t) => `XDELEX s ${t} IDS 1 1-0`, "*1\r\n:1\r\n", [1]),
  ...each(
    references,
    (r) => Redis.xadd("s", { f: "v" }, { references: r }),
    (t) => `XADD s ${t} * f v`,
    "$3\r\n1-0\r\n",
    "1-0"
  ),
  ...each(
    references,
    (r) => Redis.xtrim("s", { maxlen: 9, limit: 5, references: r }),
    (t) => `XTRIM s MAXLEN ~ 9 LIMIT 5 ${t}`,
    ":1\r\n",
    1
  ),
  ["sends XGROUP SETID s g $", Redis.xgroupSetid("s", "g", "$"), "XGROUP SETID s g $", ok, true]
])

commandTable("Options of vector sets", [
  ...each(
    ["noquant", "q8", "bin"],
    (quantization) => Redis.vadd("v", [1], "e", { quantization }),
    (t) => `VADD v VALUES 1 1 e ${t}`,
    ":1\r\n",
    true
  ),
  ["sends VADD v FP32 …", Redis.vadd("v", Float32Array.of(0), "e"), "VADD v FP32 \0\0\0\0 e", ":1\r\n", true],
  ["sends VSIM v FP32 …", Redis.vsim("v", { vector: Float32Array.of(0) }), "VSIM v FP32 \0\0\0\0", none, []]
])

const clientFilter = {
  addr: "1:1",
  capa: "r",
  db: 0,
  flags: "N",
  id: [1, 2],
  idle: 3,
  ip: "1",
  laddr: "1:2",
  libName: "l",
  libVer: "v",
  maxage: 4,
  name: "n",
  notAddr: "2:1",
  notCapa: "r",
  notDb: 1,
  notFlags: "M",
  notId: 3,
  notIp: "2",
  notLaddr: "2:2",
  notLibName: "m",
  notLibVer: "w",
  notName: "o",
  notType: "pubsub",
  notUser: "v",
  skipme: false,
  type: "normal",
  user: "u"
} as const
const clientFilterWire = "ID 1 2 TYPE normal USER u ADDR 1:1 LADDR 1:2 SKIPME no MAXAGE 4 NAME n IDLE 3 FLAGS N " +
  "LIB-NAME l LIB-VER v DB 0 CAPA r IP 1 NOT-TYPE pubsub NOT-ID 3 NOT-USER v NOT-ADDR 2:1 NOT-LADDR 2:2 NOT-NAME o " +
  "NOT-FLAGS M NOT-LIB-NAME m NOT-LIB-VER w NOT-DB 1 NOT-CAPA r NOT-IP 2"
const clientTypes = ["normal", "master", "slave", "replica", "pubsub"] as const

commandTable("Options of clients", [
  ...each(["yes", "no"], (mode) => Redis.clientCaching(mode), (t) => `CLIENT CACHING ${t}`, ok, true),
  ...each(
    clientTypes,
    (type) => Redis.clientKillFilter({ type }),
    (t) => `CLIENT KILL TYPE ${lower(t)}`,
    ":1\r\n",
    1
  ),
  ...each(
    clientTypes,
    (type) => Redis.clientList({ type }),
    (t) => `CLIENT LIST TYPE ${lower(t)}`,
    "$0\r\n\r\n",
    []
  ),
  [
    "sends CLIENT KILL and every filter",
    Redis.clientKillFilter(clientFilter),
    `CLIENT KILL ${clientFilterWire}`,
    ":1\r\n",
    1
  ],
  ["sends CLIENT KILL SKIPME yes", Redis.clientKillFilter({ skipme: true }), "CLIENT KILL SKIPME yes", ":1\r\n", 1],
  [
    "sends CLIENT LIST and every filter",
    Redis.clientList(clientFilter),
    `CLIENT LIST ${clientFilterWire}`,
    "$0\r\n\r\n",
    []
  ],
  ["sends CLIENT LIST SKIPME yes", Redis.clientList({ skipme: true }), "CLIENT LIST SKIPME yes", "$0\r\n\r\n", []],
  ...each(["on", "off"], (mode) => Redis.clientImportSource(mode), (t) => `CLIENT IMPORT-SOURCE ${t}`, ok, true),
  ...each(["on", "off"], (mode) => Redis.clientNoEvict(mode), (t) => `CLIENT NO-EVICT ${t}`, ok, true),
  ...each(["on", "off"], (mode) => Redis.clientNoTouch(mode), (t) => `CLIENT NO-TOUCH ${t}`, ok, true),
  ...each(["write", "all"], (mode) => Redis.clientPause(9, mode), (t) => `CLIENT PAUSE 9 ${t}`, ok, true),
  ...each(
    ["lib-name", "lib-ver"],
    (attribute) => Redis.clientSetinfo(attribute, "x"),
    (t) => `CLIENT SETINFO ${t} x`,
    ok,
    true
  ),
  ...each(
    ["timeout", "error"],
    (reason) => Redis.clientUnblock(9, reason),
    (t) => `CLIENT UNBLOCK 9 ${t}`,
    ":1\r\n",
    true
  )
])

const logs = ["slow", "large-request", "large-reply"] as const

commandTable("Options of servers", [
  ...each(logs, (log) => Redis.commandlogGet(9, log), (t) => `COMMANDLOG GET 9 ${lower(t)}`, none, []),
  ...each(logs, (log) => Redis.commandlogLen(log), (t) => `COMMANDLOG LEN ${lower(t)}`, ":1\r\n", 1),
  ...each(logs, (log) => Redis.commandlogReset(log), (t) => `COMMANDLOG RESET ${lower(t)}`, ok, true),
  [
    "sends SHUTDOWN SAFE FAILOVER",
    Redis.shutdown({ safe: true, failover: true }),
    "SHUTDOWN SAFE FAILOVER",
    "_\r\n",
    undefined
  ],
  ...each(["async", "sync"], (mode) => Redis.clusterFlushslot(9, mode), (t) => `CLUSTER FLUSHSLOT 9 ${t}`, ok, true),
  ...each(["hard", "soft"], (mode) => Redis.clusterReset(mode), (t) => `CLUSTER RESET ${t}`, ok, true),
  ...each(
    orders,
    (order) => Redis.clusterSlotStatsOrderby("key-count", { order }),
    (t) => `CLUSTER SLOT-STATS ORDERBY key-count ${t}`,
    none,
    []
  ),
  ...each(["async", "sync"], (mode) => Redis.flushall({ [mode]: true }), (t) => `FLUSHALL ${t}`, ok, true),
  ...each(["async", "sync"], (mode) => Redis.flushdb({ [mode]: true }), (t) => `FLUSHDB ${t}`, ok, true),
  ...each(["async", "sync"], (mode) => Redis.functionFlush(mode), (t) => `FUNCTION FLUSH ${t}`, ok, true),
  ...each(
    ["flush", "append", "replace"],
    (policy) => Redis.functionRestore(Uint8Array.of(97), policy),
    (t) => `FUNCTION RESTORE a ${t}`,
    ok,
    true
  ),
  ...each(["yes", "sync", "no"], (mode) => Redis.scriptDebug(mode), (t) => `SCRIPT DEBUG ${t}`, ok, true),
  ...each(["async", "sync"], (mode) => Redis.scriptFlush(mode), (t) => `SCRIPT FLUSH ${t}`, ok, true),
  ...each(
    ["save", "nosave"],
    (mode) => Redis.shutdown({ [mode]: true, now: true, force: true }),
    (t) => `SHUTDOWN ${t} NOW FORCE`,
    "_\r\n",
    undefined
  )
])
