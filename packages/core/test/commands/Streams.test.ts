import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import * as Duration from "effect/Duration"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const record = (fields: Record<string, string>): Record<string, string> => Object.assign(Object.create(null), fields)

const nil = ["$-1\r\n", "_\r\n"]
const nilArray = ["*-1\r\n", "_\r\n"]
const entry = "*2\r\n$3\r\n1-1\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n"
const entryValue = { id: "1-1", fields: record({ a: "1", b: "2" }) }
const read = [`*1\r\n*2\r\n$1\r\ns\r\n*1\r\n${entry}`, `%1\r\n$1\r\ns\r\n*1\r\n${entry}`]
const readValue = [{ stream: "s", entries: [entryValue] }]
const claimedEntry = "*4\r\n$3\r\n1-0\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n:20\r\n:1\r\n"
const ids = "*2\r\n$3\r\n1-0\r\n$3\r\n2-0\r\n"

commandTable("Streams", [
  ["XST-02: adds an entry", Redis.xadd("s", { a: 1, b: "2" }), "XADD s * a 1 b 2", "$3\r\n1-1\r\n", "1-1"],
  [
    "XST-02: adds an entry with an id, trimming about",
    Redis.xadd("s", [["a", 1], ["a", 2]], { id: "1-1", maxlen: 1000 }),
    "XADD s MAXLEN ~ 1000 1-1 a 1 a 2",
    "$3\r\n1-1\r\n",
    "1-1"
  ],
  [
    "XST-02: trims exactly",
    Redis.xadd("s", { a: 1 }, { maxlen: 1, approximate: false }),
    "XADD s MAXLEN = 1 * a 1",
    "$3\r\n1-1\r\n",
    "1-1"
  ],
  [
    "adds an entry, trimming by id with a limit, with references and once",
    Redis.xadd("s", { a: 1 }, { minid: "5-0", limit: 9, references: "acked", idmp: { pid: "p", iid: 7 } }),
    "XADD s ACKED IDMP p 7 MINID ~ 5-0 LIMIT 9 * a 1",
    "$3\r\n1-1\r\n",
    "1-1"
  ],
  [
    "adds an entry once",
    Redis.xadd("s", { a: 1 }, { idmpauto: "p" }),
    "XADD s IDMPAUTO p * a 1",
    "$3\r\n1-1\r\n",
    "1-1"
  ],
  ["adds nothing to a missing stream", Redis.xaddNomkstream("s", { a: 1 }), "XADD s NOMKSTREAM * a 1", nil, undefined],
  [
    "adds to a stream that exists",
    Redis.xaddNomkstream("s", { a: 1 }),
    "XADD s NOMKSTREAM * a 1",
    "$3\r\n1-1\r\n",
    "1-1"
  ],
  [
    "sets how repetitions are recognised",
    Redis.xcfgset("s", { idmpDuration: "2 minutes", idmpMaxsize: 10 }),
    "XCFGSET s IDMP-DURATION 120 IDMP-MAXSIZE 10",
    "+OK\r\n",
    true
  ],
  ["XST-04, CNV-02: deletes entries", Redis.xdel("s", "1-0", "2-0"), "XDEL s 1-0 2-0", ":1\r\n", 1],
  [
    "deletes entries and references",
    Redis.xdelex("s", ["1-0", "2-0", "3-0"], "delref"),
    "XDELEX s DELREF IDS 3 1-0 2-0 3-0",
    "*3\r\n:1\r\n:-1\r\n:2\r\n",
    [1, -1, 2]
  ],
  ["XST-12, CNV-02: counts entries", Redis.xlen("s"), "XLEN s", ":2\r\n", 2],
  ["XST-15, CNV-31: reads all entries", Redis.xrange("s"), "XRANGE s - +", `*1\r\n${entry}`, [entryValue]],
  [
    "XST-15: reads a range of entries",
    Redis.xrange("s", "(1-1", "5", { count: 2 }),
    "XRANGE s (1-1 5 COUNT 2",
    "*0\r\n",
    []
  ],
  ["CNV-31: nil is no entries, and nil entries are left out", Redis.xrange("s"), "XRANGE s - +", [
    "*-1\r\n",
    "_\r\n",
    "*1\r\n$-1\r\n"
  ], []],
  ["XST-17, CNV-32: reads streams", Redis.xread({ s: "0", t: "$" }), "XREAD STREAMS s t 0 $", read, readValue],
  [
    "XST-17: waits for entries",
    Redis.xread([["s", 0]], { count: 2, block: "1 second" }),
    "XREAD COUNT 2 BLOCK 1000 STREAMS s 0",
    nilArray,
    []
  ],
  [
    "reads no more than a number of entries and of bytes, of all streams",
    Redis.xread({ s: "0" }, { count: 5, maxcount: 7, maxsize: 1000, block: 5 }),
    "XREAD COUNT 5 MAXCOUNT 7 MAXSIZE 1000 BLOCK 5 STREAMS s 0",
    nilArray,
    []
  ],
  [
    "reads no more for a group",
    Redis.xreadgroup("g", "c", { s: ">" }, { maxcount: 7, maxsize: 1000, noack: true }),
    "XREADGROUP GROUP g c MAXCOUNT 7 MAXSIZE 1000 NOACK STREAMS s >",
    nilArray,
    []
  ],
  ["XST-17: waits without limit", Redis.xread({ s: "$" }, { block: 0 }), "XREAD BLOCK 0 STREAMS s $", read, readValue],
  [
    "XST-16, CNV-31: reads backwards",
    Redis.xrevrange("s", "+", "-", { count: 1 }),
    "XREVRANGE s + - COUNT 1",
    `*1\r\n${entry}`,
    [entryValue]
  ],
  [
    "sets the last id",
    Redis.xsetid("s", "100-0", { entriesadded: 200, maxdeletedid: "5-0" }),
    "XSETID s 100-0 ENTRIESADDED 200 MAXDELETEDID 5-0",
    "+OK\r\n",
    true
  ],
  ["XST-19, CNV-02: trims about", Redis.xtrim("s", { maxlen: 1000 }), "XTRIM s MAXLEN ~ 1000", ":3\r\n", 3],
  [
    "trims by id",
    Redis.xtrim("s", { minid: "5-0", approximate: false, references: "delref" }),
    "XTRIM s MINID = 5-0 DELREF",
    ":3\r\n",
    3
  ],
  ["XST-19: trims to nothing", Redis.xtrim("s", { maxlen: 0, approximate: false }), "XTRIM s MAXLEN = 0", ":3\r\n", 3]
])

commandTable("StreamGroups", [
  ["gives entries back", Redis.xnack("s", "g", "fail", ["1-0", "2-0"]), "XNACK s g FAIL IDS 2 1-0 2-0", ":2\r\n", 2],
  ["gives back as if undelivered", Redis.xnack("s", "g", "silent", [1]), "XNACK s g SILENT IDS 1 1", ":1\r\n", 1],
  [
    "gives up",
    Redis.xnack("s", "g", "fatal", ["1-0"], { retrycount: 3, force: true }),
    "XNACK s g FATAL IDS 1 1-0 RETRYCOUNT 3 FORCE",
    ":0\r\n",
    0
  ],
  ["XST-01, CNV-02: acknowledges", Redis.xack("s", "g", "1-0", "2-0"), "XACK s g 1-0 2-0", ":2\r\n", 2],
  [
    "acknowledges and deletes",
    Redis.xackdel("s", "g", ["1-0", "2-0"], "acked"),
    "XACKDEL s g ACKED IDS 2 1-0 2-0",
    "*2\r\n:2\r\n:1\r\n",
    [2, 1]
  ],
  [
    "claims what is idle",
    Redis.xautoclaim("s", "g", "c", "1 minute", "5-0", { count: 3 }),
    "XAUTOCLAIM s g c 60000 5-0 COUNT 3",
    `*3\r\n$3\r\n0-0\r\n*1\r\n${entry}*1\r\n$3\r\n3-0\r\n`,
    { cursor: "0-0", entries: [entryValue], deleted: ["3-0"] }
  ],
  [
    "claims what is idle on a server that tells nothing of deleted entries",
    Redis.xautoclaim("s", "g", "c", 0),
    "XAUTOCLAIM s g c 0 0-0",
    `*2\r\n$3\r\n0-0\r\n*2\r\n$-1\r\n${entry}`,
    { cursor: "0-0", entries: [entryValue], deleted: [] }
  ],
  [
    "claims what is idle, reading ids",
    Redis.xautoclaimJustid("s", "g", "c", 10),
    "XAUTOCLAIM s g c 10 0-0 JUSTID",
    `*3\r\n$3\r\n0-0\r\n${ids}*0\r\n`,
    { cursor: "0-0", ids: ["1-0", "2-0"], deleted: [] }
  ],
  [
    "XST-03, CNV-33: claims entries, of which deleted ones are left out",
    Redis.xclaim("s", "g", "c", 100, ["1-1", "2-0"], { idle: 5, retrycount: 3, force: true, lastid: "2-0" }),
    "XCLAIM s g c 100 1-1 2-0 IDLE 5 RETRYCOUNT 3 FORCE LASTID 2-0",
    [`*1\r\n${entry}`, `*2\r\n${entry}$-1\r\n`],
    [entryValue]
  ],
  [
    "XST-03, CNV-33: claims entries, reading ids",
    Redis.xclaimJustid("s", "g", "c", 0, ["1-0", "2-0"], { time: new Date(1500) }),
    "XCLAIM s g c 0 1-0 2-0 TIME 1500 JUSTID",
    ids,
    ["1-0", "2-0"]
  ],
  ["XST-05, CNV-07: makes a group", Redis.xgroupCreate("s", "g"), "XGROUP CREATE s g $", "+OK\r\n", true],
  [
    "XST-05: makes a group and its stream",
    Redis.xgroupCreate("s", "g", "0", { mkstream: true, entriesread: 2 }),
    "XGROUP CREATE s g 0 MKSTREAM ENTRIESREAD 2",
    "+OK\r\n",
    true
  ],
  ["makes a consumer", Redis.xgroupCreateconsumer("s", "g", "c"), "XGROUP CREATECONSUMER s g c", ":1\r\n", true],
  [
    "XST-06, CNV-02: deletes a consumer",
    Redis.xgroupDelconsumer("s", "g", "c"),
    "XGROUP DELCONSUMER s g c",
    ":2\r\n",
    2
  ],
  ["XST-07, CNV-01: deletes a group", Redis.xgroupDestroy("s", "g"), "XGROUP DESTROY s g", ":1\r\n", true],
  ["XST-07, CNV-01: deletes no group", Redis.xgroupDestroy("s", "g"), "XGROUP DESTROY s g", ":0\r\n", false],
  [
    "XST-08, CNV-07: sets the id of a group",
    Redis.xgroupSetid("s", "g", "5-0", { entriesread: 1 }),
    "XGROUP SETID s g 5-0 ENTRIESREAD 1",
    "+OK\r\n",
    true
  ],
  [
    "XST-13, CNV-34: sums up what is pending",
    Redis.xpending("s", "g"),
    "XPENDING s g",
    "*5\r\n:2\r\n$3\r\n1-1\r\n$3\r\n2-0\r\n*1\r\n*3\r\n$2\r\nc1\r\n$1\r\n2\r\n+more\r\n+more\r\n",
    { pending: 2, min: "1-1", max: "2-0", consumers: [{ name: "c1", pending: 2 }] }
  ],
  [
    "XST-13, CNV-34: sums up that nothing is pending",
    Redis.xpending("s", "g"),
    "XPENDING s g",
    ["*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n", "*4\r\n:0\r\n_\r\n_\r\n_\r\n"],
    { pending: 0, min: undefined, max: undefined, consumers: [] }
  ],
  [
    "XST-14, CNV-34: reads what is pending",
    Redis.xpendingRange("s", "g", "-", "+", 10, { idle: 5, consumer: "c1" }),
    "XPENDING s g IDLE 5 - + 10 c1",
    "*1\r\n*5\r\n$3\r\n1-1\r\n$2\r\nc1\r\n:62\r\n:2\r\n+more\r\n",
    [{ messageId: "1-1", consumer: "c1", timeSinceDelivered: Duration.millis(62), timesDelivered: 2 }]
  ],
  [
    "XST-18, CNV-32: reads for a group",
    Redis.xreadgroup("g", "c", { s: ">" }, { count: 1, block: 5, noack: true }),
    "XREADGROUP GROUP g c COUNT 1 BLOCK 5 NOACK STREAMS s >",
    read,
    readValue
  ],
  [
    "XST-18, CNV-32: reads nothing for a group",
    Redis.xreadgroup("g", "c", { s: ">" }),
    "XREADGROUP GROUP g c STREAMS s >",
    nilArray,
    []
  ],
  [
    "XST-18: a deleted pending entry has no fields",
    Redis.xreadgroup("g", "c", { s: "0" }),
    "XREADGROUP GROUP g c STREAMS s 0",
    ["*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n", "%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n_\r\n"],
    [{ stream: "s", entries: [{ id: "1-1", fields: record({}) }] }]
  ],
  [
    "reads for a group and claims",
    Redis.xreadgroupClaim("g", "c", { s: ">" }, "1 second", { count: 1 }),
    "XREADGROUP GROUP g c COUNT 1 CLAIM 1000 STREAMS s >",
    [`*1\r\n*2\r\n$1\r\ns\r\n*1\r\n${claimedEntry}`, `%1\r\n$1\r\ns\r\n*1\r\n${claimedEntry}`],
    [{
      stream: "s",
      entries: [{ id: "1-0", fields: record({ a: "1" }), timeSinceDelivered: Duration.millis(20), timesDelivered: 1 }]
    }]
  ]
])

const streamFacts = "$6\r\nlength\r\n:1\r\n$15\r\nradix-tree-keys\r\n:1\r\n$16\r\nradix-tree-nodes\r\n:2\r\n" +
  "$17\r\nlast-generated-id\r\n$3\r\n6-0\r\n"
const laterFacts = "$20\r\nmax-deleted-entry-id\r\n$3\r\n5-0\r\n$13\r\nentries-added\r\n:6\r\n" +
  "$23\r\nrecorded-first-entry-id\r\n$3\r\n2-0\r\n$13\r\nidmp-duration\r\n:100\r\n$12\r\nidmp-maxsize\r\n:90\r\n" +
  "$12\r\npids-tracked\r\n:1\r\n$12\r\niids-tracked\r\n:2\r\n$10\r\niids-added\r\n:3\r\n$15\r\niids-duplicates\r\n:4\r\n" +
  "$9\r\nnew-field\r\n:5\r\n"
const ends = `$6\r\ngroups\r\n:2\r\n$11\r\nfirst-entry\r\n${entry}$10\r\nlast-entry\r\n`
const facts = { length: 1, radixTreeKeys: 1, radixTreeNodes: 2, lastGeneratedId: "6-0" }
const factsLater = {
  maxDeletedEntryId: "5-0",
  entriesAdded: 6,
  recordedFirstEntryId: "2-0",
  idmpDuration: 100,
  idmpMaxsize: 90,
  pidsTracked: 1,
  iidsTracked: 2,
  iidsAdded: 3,
  iidsDuplicates: 4,
  extra: { "new-field": 5 }
}
const factsAbsent = {
  maxDeletedEntryId: undefined,
  entriesAdded: undefined,
  recordedFirstEntryId: undefined,
  idmpDuration: undefined,
  idmpMaxsize: undefined,
  pidsTracked: undefined,
  iidsTracked: undefined,
  iidsAdded: undefined,
  iidsDuplicates: undefined,
  extra: {}
}
const fullConsumer =
  "+new\r\n+x\r\n$4\r\nname\r\n$2\r\nc1\r\n$9\r\nseen-time\r\n:1795258071227\r\n$11\r\nactive-time\r\n:-1\r\n" +
  "$9\r\npel-count\r\n:1\r\n$7\r\npending\r\n*1\r\n*3\r\n$3\r\n2-0\r\n:1795258071716\r\n:5\r\n"
const fullGroup = (consumer: string): string =>
  "+new\r\n:7\r\n$4\r\nname\r\n$1\r\ng\r\n$17\r\nlast-delivered-id\r\n$3\r\n6-0\r\n$12\r\nentries-read\r\n:6\r\n$3\r\nlag\r\n:0\r\n" +
  "$9\r\npel-count\r\n:1\r\n$7\r\npending\r\n*1\r\n*4\r\n$3\r\n2-0\r\n$2\r\nc1\r\n:1795258071716\r\n:5\r\n" +
  `$9\r\nconsumers\r\n*1\r\n${consumer}`
const full = (group: string): string => `$7\r\nentries\r\n*1\r\n${entry}$6\r\ngroups\r\n*1\r\n${group}`

commandTable("StreamInfo", [
  [
    "XST-09, REC-07, CNV-35: describes consumers",
    Redis.xinfoConsumers("s", "g"),
    "XINFO CONSUMERS s g",
    [
      "*2\r\n*10\r\n+new\r\n+x\r\n$4\r\nname\r\n$2\r\nc1\r\n$7\r\npending\r\n:1\r\n$4\r\nidle\r\n:62\r\n$8\r\ninactive\r\n:63\r\n" +
      "*8\r\n$4\r\nname\r\n$2\r\nc2\r\n$7\r\npending\r\n:0\r\n$4\r\nidle\r\n:5\r\n$8\r\ninactive\r\n:-1\r\n",
      "*2\r\n%5\r\n+new\r\n+x\r\n$4\r\nname\r\n$2\r\nc1\r\n$7\r\npending\r\n:1\r\n$4\r\nidle\r\n:62\r\n$8\r\ninactive\r\n:63\r\n" +
      "%4\r\n$4\r\nname\r\n$2\r\nc2\r\n$7\r\npending\r\n:0\r\n$4\r\nidle\r\n:5\r\n$8\r\ninactive\r\n:-1\r\n"
    ],
    [
      { name: "c1", pending: 1, idle: Duration.millis(62), inactive: Duration.millis(63), extra: { new: "x" } },
      { name: "c2", pending: 0, idle: Duration.millis(5), inactive: undefined, extra: {} }
    ]
  ],
  [
    "REC-07: describes consumers before 7.2",
    Redis.xinfoConsumers("s", "g"),
    "XINFO CONSUMERS s g",
    "*1\r\n*6\r\n$4\r\nname\r\n$2\r\nc1\r\n$7\r\npending\r\n:1\r\n$4\r\nidle\r\n:62\r\n",
    [{ name: "c1", pending: 1, idle: Duration.millis(62), inactive: undefined, extra: {} }]
  ],
  [
    "XST-10, REC-06, CNV-35: describes groups",
    Redis.xinfoGroups("s"),
    "XINFO GROUPS s",
    [
      "*1\r\n*14\r\n+new\r\n:7\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:5\r\n$7\r\npending\r\n:3\r\n$17\r\nlast-delivered-id\r\n" +
      "$3\r\n6-0\r\n$12\r\nentries-read\r\n:6\r\n$3\r\nlag\r\n$-1\r\n",
      "*1\r\n%7\r\n+new\r\n:7\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:5\r\n$7\r\npending\r\n:3\r\n$17\r\nlast-delivered-id\r\n" +
      "$3\r\n6-0\r\n$12\r\nentries-read\r\n:6\r\n$3\r\nlag\r\n_\r\n"
    ],
    [{
      name: "g",
      consumers: 5,
      pending: 3,
      lastDeliveredId: "6-0",
      entriesRead: 6,
      lag: undefined,
      extra: { new: 7 }
    }]
  ],
  [
    "XST-11, REC-05, CNV-36: describes a stream",
    Redis.xinfoStream("s"),
    "XINFO STREAM s",
    [`*34\r\n${streamFacts}${laterFacts}${ends}$-1\r\n`, `%17\r\n${streamFacts}${laterFacts}${ends}_\r\n`],
    { ...facts, ...factsLater, groups: 2, firstEntry: entryValue, lastEntry: undefined }
  ],
  [
    "REC-05: describes a stream before 7.0",
    Redis.xinfoStream("s"),
    "XINFO STREAM s",
    `*14\r\n${streamFacts}${ends}${entry}`,
    { ...facts, ...factsAbsent, groups: 2, firstEntry: entryValue, lastEntry: entryValue }
  ],
  [
    "describes a stream in full",
    Redis.xinfoStreamFull("s", { count: 1 }),
    "XINFO STREAM s FULL COUNT 1",
    [
      `*32\r\n${streamFacts}${laterFacts}${full(`*16\r\n${fullGroup(`*12\r\n${fullConsumer}`)}`)}`,
      `%16\r\n${streamFacts}${laterFacts}${full(`%8\r\n${fullGroup(`%6\r\n${fullConsumer}`)}`)}`
    ],
    {
      ...facts,
      ...factsLater,
      entries: [entryValue],
      groups: [{
        name: "g",
        lastDeliveredId: "6-0",
        entriesRead: 6,
        lag: 0,
        pelCount: 1,
        pending: [{ id: "2-0", consumer: "c1", deliveryTime: 1795258071716, deliveryCount: 5 }],
        consumers: [{
          name: "c1",
          seenTime: 1795258071227,
          activeTime: undefined,
          pelCount: 1,
          pending: [{ id: "2-0", deliveryTime: 1795258071716, deliveryCount: 5 }],
          extra: { new: "x" }
        }],
        extra: { new: 7 }
      }]
    }
  ]
])

answeredTable("Streams", [
  ["XST-04: deletes no entries", Redis.xdel("s"), 0],
  ["deletes no entries with references", Redis.xdelex("s", []), []],
  ["XST-01: acknowledges no entries", Redis.xack("s", "g", []), 0],
  ["acknowledges and deletes no entries", Redis.xackdel("s", "g", []), []],
  ["gives no entries back", Redis.xnack("s", "g", "fail", []), 0]
])

const wholeCount = "count must be a whole number from 1 on"
const wholeIdle = "minIdleTime must be a whole number of milliseconds from 0 on"

refusedTable("Streams", [
  ["XST-02: refuses an entry without fields", Redis.xadd("s", {}), "needs at least one pair"],
  [
    "XST-02: refuses to keep no entry",
    Redis.xadd("s", { a: 1 }, { maxlen: 0 }),
    "maxlen must be a whole number from 1 on"
  ],
  ["XST-15: refuses to read fewer than one entry", Redis.xrange("s", "-", "+", { count: 0 }), wholeCount],
  ["XST-16: refuses to read fewer than one entry backwards", Redis.xrevrange("s", "+", "-", { count: -1 }), wholeCount],
  ["XST-17: refuses to read no streams", Redis.xread({}), "needs at least one pair"],
  [
    "refuses to read fewer than one entry of all",
    Redis.xread({ s: 0 }, { maxcount: 0 }),
    "maxcount must be a whole number from 1 on"
  ],
  [
    "refuses to read fewer than one byte",
    Redis.xread({ s: 0 }, { maxsize: 0.5 }),
    "maxsize must be a whole number from 1 on"
  ],
  ["XST-17: refuses to read fewer than one entry of a stream", Redis.xread({ s: 0 }, { count: 0.5 }), wholeCount],
  [
    "XST-17: refuses to wait for a negative time",
    Redis.xread({ s: 0 }, { block: -1 }),
    "cannot block for a negative time"
  ],
  ["XST-18: refuses to read no streams for a group", Redis.xreadgroup("g", "c", {}), "needs at least one pair"],
  [
    "XST-18: refuses to wait for a negative time for a group",
    Redis.xreadgroup("g", "c", { s: ">" }, { block: -5 }),
    "cannot block for a negative time"
  ],
  ["XST-03: refuses a negative idle time", Redis.xclaim("s", "g", "c", -1, ["1-0"]), wholeIdle],
  ["XST-03: refuses an idle time that is not whole", Redis.xclaim("s", "g", "c", 1.5, ["1-0"]), wholeIdle],
  ["XST-03: refuses to claim nothing", Redis.xclaim("s", "g", "c", 1, []), "needs at least one id"],
  [
    "XST-03: refuses a new idle time that is not whole",
    Redis.xclaim("s", "g", "c", 1, ["1-0"], { idle: 0.5 }),
    "idle must be a whole number of milliseconds from 0 on"
  ],
  [
    "XST-03: refuses a time that is not whole",
    Redis.xclaim("s", "g", "c", 1, ["1-0"], { time: 0.5 }),
    "time must be a whole number"
  ],
  [
    "XST-03: refuses a count of deliveries that is not whole",
    Redis.xclaimJustid("s", "g", "c", 1, ["1-0"], { retrycount: 0.5 }),
    "retrycount must be a whole number"
  ],
  ["refuses to claim what is idle for a negative time", Redis.xautoclaim("s", "g", "c", -1), wholeIdle],
  [
    "XST-14: refuses a count below -1",
    Redis.xpendingRange("s", "g", "-", "+", -2),
    "count must be a whole number from -1 on"
  ]
])

it("XST-02: entries are bytes in the bytes view, repeated fields included", () => {
  const reply = "*1\r\n*2\r\n$3\r\n1-1\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n2\r\n"
  const [a, one, two] = [Uint8Array.of(0x61), Uint8Array.of(0x31), Uint8Array.of(0x32)]
  assert.deepStrictEqual(decoded(Redis.asBytes(Redis.xrange("s")), reply), [{
    id: "1-1",
    fields: [[a, one], [a, two]]
  }])
  assert.match(String(decoded(Redis.xrange("s"), reply)), /a name comes twice/)
})

const entryOf = (id: string, ...words: ReadonlyArray<string>): string =>
  `*2\r\n$3\r\n${id}\r\n*${words.length}\r\n${
    words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")
  }`

it("CNV-31: entries with the names of the entry before, others, fewer, more and in another order are what each is", () => {
  const rows = [
    ["a", "1", "b", "2"],
    ["a", "3", "b", "4"],
    ["b", "5", "a", "6"],
    ["a", "7"],
    ["a", "8", "b", "9", "c", "10"],
    ["c", "11", "b", "12"],
    ["__proto__", "13", "toString", "14"],
    ["__proto__", "15", "toString", "16"],
    ["2", "17", "1", "18"],
    ["2", "19", "1", "20"],
    ["é", "21", "", "22"],
    ["é", "23", "", "24"],
    // Of four names and more the records are others within.
    ...[3, 4, 5, 12, 13].flatMap((count) => {
      const names = ["__proto__", "b", "2", "1", ...Array.from({ length: 9 }, (_, i) => `name ${i}`)].slice(0, count)
      return [names, names, names.toReversed(), names.toReversed(), names].map((each) =>
        each.flatMap((name) => [name, "v"])
      )
    })
  ]
  const reply = `*${rows.length}\r\n${rows.map((row) => entryOf("1-1", ...row)).join("")}`
  const expected = rows.map((row) => {
    const fields = Object.create(null)
    for (let i = 0; i < row.length; i += 2) fields[row[i]!] = row[i + 1]
    return { id: "1-1", fields }
  })
  assert.deepStrictEqual(decoded(Redis.xrange("s"), reply), expected)
  for (const [index, { fields }] of (decoded(Redis.xrange("s"), reply) as typeof expected).entries()) {
    assert.strictEqual(Object.getPrototypeOf(fields), null)
    assert.deepStrictEqual(Object.entries(fields), Object.entries(expected[index]!.fields))
  }
})

it("CNV-31: a field that comes twice is not lost in any entry", () => {
  for (const before of [["a", "1"], ["a", "1", "b", "1"]]) {
    const reply = `*3\r\n${entryOf("1-1", ...before)}${entryOf("1-2", ...before)}${entryOf("1-3", "a", "1", "a", "2")}`
    assert.match(String(decoded(Redis.xrange("s"), reply)), /a name comes twice/)
  }
})

it("marks the keys of streams", () => {
  assert.deepStrictEqual(RedisCommand.keys(Redis.xread({ s: 0, t: 0 })), ["s", "t"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.xreadgroup("g", "c", { s: ">" })), ["s"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.xgroupCreate("s", "g")), ["s"])
})

it("XST-17, XST-18: tells how long a read may block", () => {
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.xread({ s: 0 })), 0)
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.xread({ s: 0 }, { block: 0 })), Infinity)
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.xreadgroup("g", "c", { s: ">" }, { block: 50 })), 50)
})
