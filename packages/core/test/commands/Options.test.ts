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
const aggregates = ["sum", "min", "max"] as const
const orders = ["asc", "desc"] as const
const units = ["m", "km", "mi", "ft"] as const
const references = ["keepref", "delref", "acked"] as const
const center = { longitude: 1, latitude: 2 }

/** Units and types of clients are sent in lower case. */
const lower = (token: string): string => token.toLowerCase()

commandTable("Options of keys", [
  ...each(conditions, (c) => Redis.expireat("k", 9, { [c]: true }), (t) => `EXPIREAT k 9 ${t}`, ":1\r\n", true),
  ...each(conditions, (c) => Redis.pexpire("k", 9, { [c]: true }), (t) => `PEXPIRE k 9 ${t}`, ":1\r\n", true),
  ...each(conditions, (c) => Redis.pexpireat("k", 9, { [c]: true }), (t) => `PEXPIREAT k 9 ${t}`, ":1\r\n", true),
  ...each(orders, (order) => Redis.sort("k", { order }), (t) => `SORT k ${t}`, none, []),
  ...each(orders, (order) => Redis.sortRo("k", { order }), (t) => `SORT_RO k ${t}`, none, []),
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
    "deleted"
  ]),
  ...each(references, (r) => Redis.xdelex("s", ["1-0"], r), (t) => `XDELEX s ${t} IDS 1 1-0`, "*1\r\n:1\r\n", [
    "deleted"
  ]),
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

commandTable("Options of clients", [
  ...each(["yes", "no"], (mode) => Redis.clientCaching(mode), (t) => `CLIENT CACHING ${t}`, ok, true),
  ...each(
    ["normal", "master", "slave", "replica", "pubsub"],
    (type) => Redis.clientKillFilter({ type }),
    (t) => `CLIENT KILL TYPE ${lower(t)}`,
    ":1\r\n",
    1
  ),
  ...each(
    ["normal", "master", "replica", "pubsub"],
    (type) => Redis.clientList({ type }),
    (t) => `CLIENT LIST TYPE ${lower(t)}`,
    "$0\r\n\r\n",
    []
  ),
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

commandTable("Options of servers", [
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
