import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { array, bulk, map, verbatim } from "@redfx/testing/ReplyText"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const debugLine =
  "+Value at:0x7f1e9168ff80 refcount:1 encoding:quicklist serializedlength:16 lru:96165 lru_seconds_idle:3 ql_nodes:1\r\n"
const debugValue = {
  at: "0x7f1e9168ff80",
  refcount: 1,
  encoding: "quicklist",
  serializedLength: 16,
  lru: 96165,
  lruSecondsIdle: 3,
  lfuFreq: undefined,
  lfuAccessTimeMinutes: undefined,
  extra: { ql_nodes: "1" }
}
const lfuLine =
  "+Value at:0x7f9144308ae0 refcount:1 encoding:embstr serializedlength:2 lfu_freq:6 lfu_access_time_minutes:46783\r\n"
const lfuValue = {
  at: "0x7f9144308ae0",
  refcount: 1,
  encoding: "embstr",
  serializedLength: 2,
  lru: undefined,
  lruSecondsIdle: undefined,
  lfuFreq: 6,
  lfuAccessTimeMinutes: 46783,
  extra: {}
}

commandTable("Server", [
  ["SRV-01, CNV-08: rewrites the log", Redis.bgrewriteaof(), "BGREWRITEAOF", [
    "+Background append only file rewriting started\r\n",
    "+Background append only file rewriting scheduled\r\n"
  ], true],
  ["SRV-02, CNV-08: saves in the background", Redis.bgsave(), "BGSAVE", "+Background saving started\r\n", true],
  [
    "saves in the background, later if need be",
    Redis.bgsave({ schedule: true }),
    "BGSAVE SCHEDULE",
    "+Background saving scheduled\r\n",
    true
  ],
  ["stops saving", Redis.bgsave({ cancel: true }), "BGSAVE CANCEL", "+Background saving cancelled\r\n", true],
  ["SRV-11: counts keys", Redis.dbsize(), "DBSIZE", ":3\r\n", 3],
  ["SRV-12, REC-09, CNV-41: looks inside", Redis.debugObject("k"), "DEBUG OBJECT k", debugLine, debugValue],
  ["looks inside of what is evicted by frequency", Redis.debugObject("k"), "DEBUG OBJECT k", lfuLine, lfuValue],
  [
    "hands over",
    Redis.failover({ to: { host: "h", port: 1, force: true }, timeout: "2 seconds" }),
    "FAILOVER TO h 1 FORCE TIMEOUT 2000",
    "+OK\r\n",
    true
  ],
  ["hands over to any", Redis.failover(), "FAILOVER", "+OK\r\n", true],
  ["does not hand over", Redis.failoverAbort(), "FAILOVER ABORT", "+OK\r\n", true],
  [
    "SRV-13, CNV-07: deletes all keys in the background",
    Redis.flushall({ async: true }),
    "FLUSHALL ASYNC",
    "+OK\r\n",
    true
  ],
  ["SRV-13: deletes all keys", Redis.flushall(), "FLUSHALL", "+OK\r\n", true],
  ["SRV-14, CNV-07: deletes the keys of the database", Redis.flushdb(), "FLUSHDB", "+OK\r\n", true],
  [
    "SRV-14: deletes the keys of the database before answering",
    Redis.flushdb({ sync: true }),
    "FLUSHDB SYNC",
    "+OK\r\n",
    true
  ],
  [
    "SRV-23: tells the time as a DateTime",
    Redis.timeDateTime(),
    "TIME",
    array(bulk("1795258029"), bulk("184999")),
    DateTime.makeUnsafe(1795258029_184)
  ],
  ["SRV-04, CNV-39: was never saved", Redis.lastsave(), "LASTSAVE", ":0\r\n", undefined],
  [
    "draws",
    Redis.lolwut({ version: 5, args: [1, 2, 3] }),
    "LOLWUT VERSION 5 1 2 3",
    [bulk("art"), verbatim("art")],
    "art"
  ],
  ["SRV-06: replicates", Redis.replicaof("h", 6379), "REPLICAOF h 6379", "+OK\r\n", true],
  ["SRV-06: replicates nobody", Redis.replicaof(), "REPLICAOF NO ONE", "+OK\r\n", true],
  [
    "is a master",
    Redis.role(),
    "ROLE",
    array(
      bulk("master"),
      ":3129659\r\n",
      array(array(bulk("127.0.0.1"), bulk("9001"), bulk("3129242"), bulk("more"))),
      bulk("more")
    ),
    { role: "master", offset: 3129659, replicas: [{ host: "127.0.0.1", port: 9001, offset: 3129242 }] }
  ],
  [
    "is a replica",
    Redis.role(),
    "ROLE",
    array(bulk("slave"), bulk("127.0.0.1"), ":9000\r\n", bulk("connected"), ":3167038\r\n"),
    { role: "slave", host: "127.0.0.1", port: 9000, state: "connected", offset: 3167038 }
  ],
  ["is a sentinel", Redis.role(), "ROLE", array(bulk("sentinel"), array(bulk("m"))), {
    role: "sentinel",
    masters: ["m"]
  }],
  ["SRV-03, CNV-07: saves", Redis.save(), "SAVE", "+OK\r\n", true],
  ["stops stopping", Redis.shutdownAbort(), "SHUTDOWN ABORT", "+OK\r\n", true],
  ["SRV-06, CNV-07: replicates by the old name", Redis.slaveof("h", 1), "SLAVEOF h 1", "+OK\r\n", true],
  ["SRV-06: replicates nobody by the old name", Redis.slaveof(), "SLAVEOF NO ONE", "+OK\r\n", true],
  ["SRV-15, CNV-07: exchanges databases", Redis.swapdb(3, 4), "SWAPDB 3 4", "+OK\r\n", true],
  [
    "SRV-23, CNV-38: tells the time to the microsecond",
    Redis.time(),
    "TIME",
    array(bulk("1795258029"), bulk("184219")),
    { seconds: 1795258029, microseconds: 184219 }
  ],
  ["SRV-07, CNV-20, REC-10: reads parameters", Redis.configGet("max*", "port"), "CONFIG GET max* port", [
    array(bulk("maxmemory"), bulk("0"), bulk("port"), bulk("1")),
    map(bulk("maxmemory"), bulk("0"), bulk("port"), bulk("1"))
  ], { maxmemory: "0", port: "1" }],
  ["SRV-07, CNV-20: no parameter matches", Redis.configGet("nothing"), "CONFIG GET nothing", ["*0\r\n", "%0\r\n"], {}],
  ["SRV-07: reads all parameters by default", Redis.configGet(), "CONFIG GET *", "*0\r\n", {}],
  ["SRV-09, CNV-07: resets statistics", Redis.configResetstat(), "CONFIG RESETSTAT", "+OK\r\n", true],
  ["SRV-10: writes the configuration", Redis.configRewrite(), "CONFIG REWRITE", "+OK\r\n", true],
  ["SRV-08, CNV-07: sets a parameter", Redis.configSet("maxmemory", 0), "CONFIG SET maxmemory 0", "+OK\r\n", true],
  [
    "SRV-08: sets several parameters",
    Redis.configSet({ maxmemory: 0, save: "" }),
    "CONFIG SET maxmemory 0 save \"\"",
    "+OK\r\n",
    true
  ]
])

refusedTable("Server", [
  // @ts-expect-error both exclude each other
  ["SRV-05: saving and not saving", Redis.shutdown({ save: true, nosave: true }), "cannot save and not save"],
  ["SRV-08: nothing to set", Redis.configSet({}), "needs at least one pair"],
  ["no metrics", Redis.hotkeysStart({ metrics: [] }), "needs at least one metric"]
])

answeredTable("Server", [["no commands to ask about", Redis.commandInfo(), []]])

it("SRV-04, CNV-39: tells when data was last saved", () => {
  assert.deepStrictEqual(decoded(Redis.lastsave(), ":1795257949\r\n"), DateTime.makeUnsafe(1795257949_000))
})

describe("SHUTDOWN", () => {
  it("SRV-05: says what to do with the data", () => {
    assert.deepStrictEqual(Redis.shutdown().parts, [])
    assert.deepStrictEqual(Redis.shutdown({ save: true }).parts, ["SAVE"])
    assert.deepStrictEqual(
      Redis.shutdown({ nosave: true, now: true, force: true, safe: true, failover: true }).parts,
      ["NOSAVE", "NOW", "FORCE", "SAFE", "FAILOVER"]
    )
  })

  it("SRV-05: an answer is a failure", () => {
    const exit = decoded(Redis.shutdown(), "+OK\r\n")
    assert.propertyVal(exit, "_tag", "Failure")
    assert.include(JSON.stringify(exit), "seems to have failed")
  })
})

const server = [
  "# Server",
  "redis_version:7.0.15",
  "redis_git_sha1:00000000",
  "redis_git_dirty:0",
  "redis_build_id:12e4567890123456",
  "redis_mode:standalone",
  "run_id:a96204e61f53c2bbb3a3b0eb78bd7fefd277af86",
  "tcp_port:6379",
  "server_time_usec:1795258029436127",
  "executable:/usr/a,b=c/redis-server",
  "config_file:",
  "listener0:name=tcp,bind=127.0.0.1,port=17386",
  "",
  "# Memory",
  "used_memory:3107784",
  "used_memory_human:2.96M",
  "used_memory_peak_perc:92.71%",
  "mem_fragmentation_ratio:5.38",
  "total_system_memory:99999999999999999999",
  "valkey_git_sha1:00123456",
  "rdb_current_bgsave_time_sec:-1",
  "master_replid2:0000000000000000000000000000000000000000",
  "role:master",
  "a line that is no field",
  "cmdstat_get:calls=2,usec=37,usec_per_call=18.50",
  "cmdstat_host::calls=1,usec=3",
  "errorstat_ERR:count=12",
  "module:name=vectorset,ver=1,usedby=[a,b],using=[]",
  "module:name=bf,ver=20,usedby=[],using=[]",
  "db0:keys=3,expires=1,avg_ttl=5,subexpiry=1",
  "db12:keys=7,expires=0,avg_ttl=0"
].join("\r\n") + "\r\n"

describe("INFO", () => {
  const parsed = () =>
    decoded(Redis.info("server", "memory"), bulk(server)) as RedisCommand.Success<ReturnType<typeof Redis.info>>

  it("SRV-16, REC-01, CNV-41: reads every value as what it is", () => {
    assert.deepStrictEqual({ ...parsed().fields }, {
      redis_version: "7.0.15",
      redis_git_sha1: 0,
      redis_git_dirty: 0,
      redis_build_id: "12e4567890123456",
      redis_mode: "standalone",
      run_id: "a96204e61f53c2bbb3a3b0eb78bd7fefd277af86",
      tcp_port: 6379,
      server_time_usec: 1795258029436127,
      executable: "/usr/a,b=c/redis-server",
      config_file: "",
      listener0: { name: "tcp", bind: "127.0.0.1", port: 17386 },
      used_memory: 3107784,
      used_memory_human: "2.96M",
      used_memory_peak_perc: "92.71%",
      mem_fragmentation_ratio: 5.38,
      total_system_memory: "99999999999999999999",
      valkey_git_sha1: "00123456",
      rdb_current_bgsave_time_sec: -1,
      master_replid2: 0,
      role: "master",
      cmdstat_get: { calls: 2, usec: 37, usec_per_call: 18.5 },
      "cmdstat_host:": { calls: 1, usec: 3 },
      errorstat_ERR: { count: 12 },
      module: { name: "bf", ver: 20, usedby: "[]", using: "[]" },
      db0: { keys: 3, expires: 1, avg_ttl: 5, subexpiry: 1 },
      db12: { keys: 7, expires: 0, avg_ttl: 0 }
    })
  })

  it("REC-01: a record stays one with a single value, and loses none of a name that comes several times", () => {
    const text = [
      "db0_distrib_strings_sizes:1=1",
      "latency_percentiles_usec_set:p50=5.023",
      "errorstat_ERR:count=1",
      "config_file:/etc/a=1",
      "availability_zone:a=b",
      "listener0:name=tcp,bind=127.0.0.1,bind=127.0.0.2,port=6379"
    ].join("\r\n")
    assert.deepStrictEqual({ ...(decoded(Redis.info(), bulk(text)) as ReturnType<typeof parsed>).fields }, {
      db0_distrib_strings_sizes: { 1: 1 },
      latency_percentiles_usec_set: { p50: 5.023 },
      errorstat_ERR: { count: 1 },
      config_file: "/etc/a=1",
      availability_zone: "a=b",
      listener0: { name: "tcp", bind: "127.0.0.1 127.0.0.2", port: 6379 }
    })
  })

  it("REC-01: keeps lines that are no field", () => {
    assert.deepStrictEqual(parsed().unparsed, ["a line that is no field"])
  })

  it("REC-01: has names for what is best known", () => {
    const info = parsed()
    assert.strictEqual(info.redisVersion, "7.0.15")
    assert.strictEqual(info.role, "master")
    assert.strictEqual(info.usedMemory, 3107784)
    assert.strictEqual(info.loading, undefined)
    assert.deepStrictEqual([...info.databases], [
      [0, { keys: 3, expires: 1, avgTtl: 5 }],
      [12, { keys: 7, expires: 0, avgTtl: 0 }]
    ])
    assert.deepStrictEqual(info.modules.map((module) => module["name"]), ["vectorset", "bf"])
    assert.strictEqual(info.modules[0]?.["usedby"], "[a,b]")
  })

  it("SRV-16: an unknown section is empty", () => {
    assert.deepStrictEqual(
      { ...(decoded(Redis.info("nope"), "=4\r\ntxt:\r\n") as ReturnType<typeof parsed>).fields },
      {}
    )
  })

  it("REC-01: reads both protocols alike", () => {
    assert.deepStrictEqual(decoded(Redis.info(), verbatim(server)), parsed())
  })
})

const commandInfo7 = {
  name: "get",
  arity: 2,
  flags: new Set(["readonly", "fast"]),
  firstKey: 1,
  lastKey: 1,
  step: 1,
  categories: new Set(["@read", "@string", "@fast"]),
  tips: [],
  keySpecifications: [{
    notes: undefined,
    flags: new Set(["RO", "access"]),
    beginSearch: { type: "index", spec: { index: 1 }, extra: { new: 5 } },
    findKeys: { type: "range", spec: { lastkey: 0, keystep: 1, limit: 0 }, extra: {} },
    extra: { added: 6 }
  }],
  subcommands: []
}
const get7 = [
  "*2\r\n*11\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n*1\r\n*8\r\n+added\r\n:6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n*6\r\n+new\r\n:5\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n+more\r\n$-1\r\n",
  "*2\r\n*11\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n~3\r\n+@read\r\n+@string\r\n+@fast\r\n~0\r\n~1\r\n%4\r\n+added\r\n:6\r\n$5\r\nflags\r\n~2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n%3\r\n+new\r\n:5\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n%1\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n%2\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n%3\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n~0\r\n+more\r\n_\r\n"
]
const get6 =
  "*1\r\n*7\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n+@read\r\n+@string\r\n+@fast\r\n"

const docs = [
  "*2\r\n$3\r\nget\r\n*12\r\n+added\r\n*1\r\n:7\r\n$7\r\nsummary\r\n$5\r\nReads\r\n$5\r\nsince\r\n$5\r\n1.0.0\r\n$5\r\ngroup\r\n$6\r\nstring\r\n$10\r\ncomplexity\r\n$4\r\nO(1)\r\n$9\r\narguments\r\n*1\r\n*10\r\n+new\r\n+x\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n$12\r\ndisplay_text\r\n$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:0\r\n",
  "%1\r\n$3\r\nget\r\n%6\r\n+added\r\n~1\r\n:7\r\n$7\r\nsummary\r\n$5\r\nReads\r\n$5\r\nsince\r\n$5\r\n1.0.0\r\n$5\r\ngroup\r\n$6\r\nstring\r\n$10\r\ncomplexity\r\n$4\r\nO(1)\r\n$9\r\narguments\r\n*1\r\n%5\r\n+new\r\n+x\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n$12\r\ndisplay_text\r\n$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:0\r\n"
]
const docsValue = {
  get: {
    summary: "Reads",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    module: undefined,
    docFlags: new Set(),
    deprecatedSince: undefined,
    replacedBy: undefined,
    history: [],
    arguments: [{
      name: "key",
      type: "key",
      displayText: "key",
      keySpecIndex: 0,
      token: undefined,
      summary: undefined,
      since: undefined,
      deprecatedSince: undefined,
      flags: new Set(),
      arguments: [],
      extra: { new: "x" }
    }],
    subcommands: {},
    extra: { added: [7] }
  }
}

commandTable("Commands", [
  ["tells all commands", Redis.command(), "COMMAND", get6, [{ ...commandInfo7, keySpecifications: [] }]],
  ["counts commands", Redis.commandCount(), "COMMAND COUNT", ":205\r\n", 205],
  ["documents", Redis.commandDocs("get"), "COMMAND DOCS get", docs, docsValue],
  [
    "documents once what it is asked for twice",
    Redis.commandDocs("nope", "get", "get"),
    "COMMAND DOCS nope get get",
    [
      "*4\r\n+get\r\n*2\r\n+since\r\n+1.0.0\r\n+get\r\n*2\r\n+since\r\n+1.0.0\r\n",
      "%2\r\n+get\r\n%1\r\n+since\r\n+1.0.0\r\n+get\r\n%1\r\n+since\r\n+1.0.0\r\n"
    ],
    { get: { ...docsValue.get, summary: undefined, group: undefined, complexity: undefined, arguments: [], extra: {} } }
  ],
  ["documents nothing", Redis.commandDocs("nope"), "COMMAND DOCS nope", ["*0\r\n", "%0\r\n"], {}],
  [
    "finds keys",
    Redis.commandGetkeys("MSET", "a", 1, "c", 2),
    "COMMAND GETKEYS MSET a 1 c 2",
    "*2\r\n$1\r\na\r\n$1\r\nc\r\n",
    ["a", "c"]
  ],
  [
    "finds keys and what becomes of them",
    Redis.commandGetkeysandflags("MSET", "a", 1),
    "COMMAND GETKEYSANDFLAGS MSET a 1",
    ["*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n", "*1\r\n*2\r\n$1\r\na\r\n~2\r\n+OW\r\n+update\r\n"],
    [{ key: "a", flags: new Set(["OW", "update"]) }]
  ],
  ["tells some commands", Redis.commandInfo("get", "nope"), "COMMAND INFO get nope", get7, [commandInfo7, undefined]],
  ["names commands", Redis.commandList(), "COMMAND LIST", "*1\r\n$3\r\nget\r\n", ["get"]],
  [
    "names commands by pattern",
    Redis.commandList({ pattern: "ge?" }),
    "COMMAND LIST FILTERBY PATTERN ge?",
    "*1\r\n$3\r\nget\r\n",
    ["get"]
  ],
  [
    "names commands by category",
    Redis.commandList({ aclcat: "read" }),
    "COMMAND LIST FILTERBY ACLCAT read",
    "*0\r\n",
    []
  ],
  ["names commands by module", Redis.commandList({ module: "bf" }), "COMMAND LIST FILTERBY MODULE bf", "*0\r\n", []]
])

const memoryNames = [
  "peak.allocated",
  "total.allocated",
  "startup.allocated",
  "replication.backlog",
  "clients.slaves",
  "clients.normal",
  "aof.buffer",
  "overhead.total",
  "keys.count",
  "keys.bytes-per-key",
  "dataset.bytes",
  "fragmentation.bytes"
]
const memoryTail = (ratio: string): ReadonlyArray<string> => [
  bulk("dataset.percentage"),
  ratio,
  bulk("peak.percentage"),
  ratio,
  bulk("fragmentation"),
  ratio,
  bulk("allocator-fragmentation.ratio"),
  ratio,
  bulk("script.VMs"),
  ":5\r\n",
  bulk("cluster.slot_import"),
  ":7\r\n",
  bulk("new.text"),
  bulk("x")
]
const memoryHead = memoryNames.flatMap((name, i) => [bulk(name), `:${i + 1}\r\n`])
const memoryDb = [
  bulk("overhead.hashtable.main"),
  ":72\r\n",
  bulk("overhead.hashtable.slot-to-keys"),
  ":6\r\n",
  bulk("overhead.hashtable.expires"),
  ":8\r\n"
]
const memory2 = array(...memoryHead, bulk("db.0"), array(...memoryDb), ...memoryTail(bulk("66.910911560058594")))
const memory3 = map(...memoryHead, bulk("db.0"), map(...memoryDb), ...memoryTail(",66.910911560058594\r\n"))

describe("Memory", () => {
  it("SRV-17, REC-08, CNV-41: reads statistics as numbers on both protocols", () => {
    for (const reply of [memory2, memory3]) {
      const stats = decoded(Redis.memoryStats(), reply) as RedisCommand.Success<ReturnType<typeof Redis.memoryStats>>
      assert.strictEqual(stats.peakAllocated, 1)
      assert.strictEqual(stats.keysBytesPerKey, 10)
      assert.strictEqual(stats.fragmentationBytes, 12)
      assert.strictEqual(stats.datasetPercentage, 66.910911560058594)
      assert.strictEqual(stats.allocatorFragmentationRatio, 66.910911560058594)
      assert.strictEqual(stats.luaCaches, undefined)
      assert.deepStrictEqual([...stats.db], [[0, {
        overheadHashtableMain: 72,
        overheadHashtableExpires: 8,
        extra: { "overhead.hashtable.slot-to-keys": 6 }
      }]])
      assert.strictEqual(stats.scriptVMs, 5)
      assert.strictEqual(stats.clusterSlotImport, 7)
      assert.strictEqual(stats.clusterSlotExport, undefined)
      assert.deepStrictEqual({ ...stats.extra }, { "new.text": "x" })
    }
  })
})

commandTable("Memory", [
  ["asks the doctor", Redis.memoryDoctor(), "MEMORY DOCTOR", [bulk("fine"), verbatim("fine")], "fine"],
  ["asks the allocator", Redis.memoryMallocStats(), "MEMORY MALLOC-STATS", [bulk("fine"), verbatim("fine")], "fine"],
  ["SRV-19, CNV-07: gives memory back", Redis.memoryPurge(), "MEMORY PURGE", "+OK\r\n", true],
  ["SRV-18, CNV-05: measures a key", Redis.memoryUsage("k", { samples: 0 }), "MEMORY USAGE k SAMPLES 0", ":32\r\n", 32],
  ["SRV-18, CNV-05: measures a missing key", Redis.memoryUsage("k"), "MEMORY USAGE k", ["$-1\r\n", "_\r\n"], undefined]
])

commandTable("Latency", [
  ["asks the doctor", Redis.latencyDoctor(), "LATENCY DOCTOR", [bulk("fine"), verbatim("fine")], "fine"],
  ["draws", Redis.latencyGraph("command"), "LATENCY GRAPH command", [bulk("_"), verbatim("_")], "_"],
  ["counts calls by time", Redis.latencyHistogram("set"), "LATENCY HISTOGRAM set", [
    "*2\r\n$3\r\nset\r\n*6\r\n+new\r\n:5\r\n$5\r\ncalls\r\n:3\r\n$14\r\nhistogram_usec\r\n*4\r\n:1\r\n:2\r\n:16\r\n:3\r\n",
    "%1\r\n$3\r\nset\r\n%3\r\n+new\r\n:5\r\n$5\r\ncalls\r\n:3\r\n$14\r\nhistogram_usec\r\n%2\r\n:1\r\n:2\r\n:16\r\n:3\r\n"
  ], { set: { calls: 3, histogramUsec: new Map([[1, 2], [16, 3]]), extra: { new: 5 } } }],
  [
    "counts once what it is asked for twice",
    Redis.latencyHistogram("config", "config|get"),
    "LATENCY HISTOGRAM config config|get",
    [
      "*4\r\n+config|get\r\n*4\r\n+calls\r\n:1\r\n+histogram_usec\r\n*2\r\n:4\r\n:1\r\n+config|get\r\n*4\r\n+calls\r\n:1\r\n+histogram_usec\r\n*2\r\n:4\r\n:1\r\n",
      "%2\r\n+config|get\r\n%2\r\n+calls\r\n:1\r\n+histogram_usec\r\n%1\r\n:4\r\n:1\r\n+config|get\r\n%2\r\n+calls\r\n:1\r\n+histogram_usec\r\n%1\r\n:4\r\n:1\r\n"
    ],
    { "config|get": { calls: 1, histogramUsec: new Map([[4, 1]]), extra: {} } }
  ],
  [
    "counts calls by time beyond what numbers hold",
    Redis.asBigInt(Redis.latencyHistogram("set")),
    "LATENCY HISTOGRAM set",
    "%1\r\n$3\r\nset\r\n%2\r\n$5\r\ncalls\r\n:3\r\n$14\r\nhistogram_usec\r\n%1\r\n:16\r\n:9007199254740993\r\n",
    { set: { calls: 3n, histogramUsec: new Map([[16n, 9007199254740993n]]), extra: {} } }
  ],
  [
    "remembers",
    Redis.latencyHistory("command"),
    "LATENCY HISTORY command",
    "*1\r\n*3\r\n:1795258028\r\n:10\r\n:7\r\n",
    [{
      time: 1795258028,
      latency: 10
    }]
  ],
  [
    "remembers the latest",
    Redis.latencyLatest(),
    "LATENCY LATEST",
    "*1\r\n*4\r\n$7\r\ncommand\r\n:1795258028\r\n:10\r\n:11\r\n",
    [{ event: "command", time: 1795258028, latest: 10, max: 11, sum: undefined, count: undefined }]
  ],
  [
    "remembers the latest with sums",
    Redis.latencyLatest(),
    "LATENCY LATEST",
    "*1\r\n*7\r\n$7\r\ncommand\r\n:1795258028\r\n:10\r\n:11\r\n:20\r\n:2\r\n:7\r\n",
    [{ event: "command", time: 1795258028, latest: 10, max: 11, sum: 20, count: 2 }]
  ],
  ["forgets", Redis.latencyReset("command", "fork"), "LATENCY RESET command fork", ":1\r\n", 1]
])

const logged =
  "*1\r\n*6\r\n:5\r\n:1795258082\r\n:2001\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$15\r\n127.0.0.1:35594\r\n$0\r\n\r\n"
const loggedNamed = logged.replace("*6", "*7").replace("$0\r\n\r\n", "$2\r\nme\r\n+more\r\n")
const loggedOld = logged.replace("*6", "*4").replace("$15\r\n127.0.0.1:35594\r\n$0\r\n\r\n", "")
const logEntry = {
  id: 5,
  startTime: DateTime.makeUnsafe(1795258082_000),
  command: "SET k v",
  args: ["SET", "k", "v"],
  clientAddress: "127.0.0.1:35594",
  clientName: undefined
}
const slowEntry = { ...logEntry, duration: Duration.micros(2001n) }

commandTable("Slowlog", [
  ["SRV-20, REC-03, CNV-41: reads slow commands", Redis.slowlogGet(1), "SLOWLOG GET 1", logged, [slowEntry]],
  ["REC-03: reads who was slow", Redis.slowlogGet(), "SLOWLOG GET", loggedNamed, [{ ...slowEntry, clientName: "me" }]],
  ["REC-03: reads what old servers tell", Redis.slowlogGet(), "SLOWLOG GET", loggedOld, [{
    ...slowEntry,
    clientAddress: undefined
  }]],
  ["SRV-20: reads no slow commands", Redis.slowlogGet(0), "SLOWLOG GET 0", "*0\r\n", []],
  ["SRV-21, CNV-02: counts slow commands", Redis.slowlogLen(), "SLOWLOG LEN", ":1\r\n", 1],
  ["SRV-22, CNV-07: forgets slow commands", Redis.slowlogReset(), "SLOWLOG RESET", "+OK\r\n", true],
  ["reads a log of Valkey", Redis.commandlogGet(-1, "large-reply"), "COMMANDLOG GET -1 large-reply", logged, [{
    ...logEntry,
    amount: 2001
  }]],
  ["measures a log of Valkey", Redis.commandlogLen("slow"), "COMMANDLOG LEN slow", ":2\r\n", 2],
  ["empties a log of Valkey", Redis.commandlogReset("large-request"), "COMMANDLOG RESET large-request", "+OK\r\n", true]
])

it("REC-03: reads arguments as bytes", () => {
  const entries = decoded(RedisCommand.asBytes(Redis.slowlogGet()), logged.replace("v\r\n", "\u0001\r\n"))
  assert.deepStrictEqual((entries as ReadonlyArray<{ readonly args: unknown }>)[0]?.args, [
    new TextEncoder().encode("SET"),
    new TextEncoder().encode("k"),
    Uint8Array.of(1)
  ])
})

it("REC-03: shows a command in the bytes view as in the text view, with a byte order mark where one was sent", () => {
  const marked = logged.replace("$1\r\nv\r\n", "$4\r\n\ufeffv\r\n")
  for (const command of [Redis.slowlogGet(), RedisCommand.asBytes(Redis.slowlogGet())]) {
    const entries = decoded(command, marked) as ReadonlyArray<{ readonly command: string }>
    assert.strictEqual(entries[0]?.command, "SET k \ufeffv")
  }
})

const moduleEntries = [
  bulk("name"),
  bulk("vectorset"),
  bulk("ver"),
  ":1\r\n",
  bulk("path"),
  bulk(""),
  bulk("args"),
  "*0\r\n",
  bulk("new"),
  bulk("x")
]

commandTable("Modules", [
  ["lists modules", Redis.moduleList(), "MODULE LIST", [array(array(...moduleEntries)), array(map(...moduleEntries))], [
    { name: "vectorset", ver: 1, path: "", args: [], extra: { new: "x" } }
  ]],
  ["loads a module", Redis.moduleLoad("/m.so", "a", 1), "MODULE LOAD /m.so a 1", "+OK\r\n", true],
  [
    "loads a module with parameters",
    Redis.moduleLoadex("/m.so", { config: { x: 1, y: "2" }, args: ["a"] }),
    "MODULE LOADEX /m.so CONFIG x 1 CONFIG y 2 ARGS a",
    "+OK\r\n",
    true
  ],
  ["unloads a module", Redis.moduleUnload("m"), "MODULE UNLOAD m", "+OK\r\n", true]
])

const hotkeys = [
  bulk("tracking-active"),
  ":1\r\n",
  bulk("sample-ratio"),
  ":1\r\n",
  bulk("selected-slots"),
  "*1\r\n*2\r\n:0\r\n:16383\r\n",
  bulk("all-commands-all-slots-us"),
  ":10\r\n",
  bulk("net-bytes-all-commands-all-slots"),
  ":63\r\n",
  bulk("collection-start-time-unix-ms"),
  ":1795258083119\r\n",
  bulk("collection-duration-ms"),
  ":11\r\n",
  bulk("total-cpu-time-user-ms"),
  ":0\r\n",
  bulk("total-cpu-time-sys-ms"),
  ":0\r\n",
  bulk("by-cpu-time-us"),
  array(bulk("hot"), ":10\r\n"),
  bulk("new-us"),
  ":5\r\n"
]
const hotkeysValue = {
  trackingActive: true,
  sampleRatio: 1,
  selectedSlots: [[0, 16383]],
  sampledCommandsSelectedSlotsUs: undefined,
  allCommandsSelectedSlotsUs: undefined,
  allCommandsAllSlotsUs: 10,
  netBytesSampledCommandsSelectedSlots: undefined,
  netBytesAllCommandsSelectedSlots: undefined,
  netBytesAllCommandsAllSlots: 63,
  collectionStartTimeUnixMs: 1795258083119,
  collectionDurationMs: 11,
  totalCpuTimeUserMs: 0,
  totalCpuTimeSysMs: 0,
  totalNetBytes: undefined,
  byCpuTimeUs: [["hot", 10]],
  byNetBytes: undefined,
  extra: { "new-us": 5 }
}
const sampled = [
  ...hotkeys,
  bulk("sampled-commands-selected-slots-us"),
  ":29\r\n",
  bulk("all-commands-selected-slots-us"),
  ":76\r\n",
  bulk("net-bytes-sampled-commands-selected-slots"),
  ":224\r\n",
  bulk("net-bytes-all-commands-selected-slots"),
  ":640\r\n"
]
const sampledValue = {
  ...hotkeysValue,
  sampledCommandsSelectedSlotsUs: 29,
  allCommandsSelectedSlotsUs: 76,
  netBytesSampledCommandsSelectedSlots: 224,
  netBytesAllCommandsSelectedSlots: 640
}

commandTable("Hotkeys", [
  [
    "reads hot keys",
    Redis.hotkeysGet(),
    "HOTKEYS GET",
    [array(array(...hotkeys)), array(map(...hotkeys))],
    hotkeysValue
  ],
  [
    "reads what only some slots and commands have cost",
    Redis.hotkeysGet(),
    "HOTKEYS GET",
    [array(array(...sampled)), array(map(...sampled))],
    sampledValue
  ],
  ["reads nothing", Redis.hotkeysGet(), "HOTKEYS GET", ["$-1\r\n", "_\r\n"], undefined],
  [
    "reads how often keys are used, on Valkey",
    Redis.hotkeysGetRates(),
    "HOTKEYS GET",
    [array, map].map((form) => array(form(bulk("key"), bulk("k"), bulk("db"), ":5\r\n", bulk("qps"), ":300\r\n"))),
    [{ key: "k", db: 5, qps: 300, extra: {} }]
  ],
  ["reads that none is used, on Valkey", Redis.hotkeysGetRates(), "HOTKEYS GET", "*0\r\n", []],
  ["forgets", Redis.hotkeysReset(), "HOTKEYS RESET", "+OK\r\n", true],
  [
    "measures",
    Redis.hotkeysStart({ metrics: ["cpu", "net"], count: 5, duration: "1 minute", sample: 10, slots: [1, 2] }),
    "HOTKEYS START METRICS 2 CPU NET COUNT 5 DURATION 60 SAMPLE 10 SLOTS 2 1 2",
    "+OK\r\n",
    true
  ],
  ["stops", Redis.hotkeysStop(), "HOTKEYS STOP", "+OK\r\n", true],
  ["has nothing to stop", Redis.hotkeysStop(), "HOTKEYS STOP", ["$-1\r\n", "_\r\n"], false]
])
