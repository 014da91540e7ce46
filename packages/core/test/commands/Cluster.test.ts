import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { array, bulk, map, verbatim } from "@redfx/testing/ReplyText"
import * as Exit from "effect/Exit"
import { refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const ok = "+OK\r\n"
const integer = (value: number): string => `:${value}\r\n`
/** A record of text and integers, in turn with their names. */
const record = (form: typeof map, fields: Readonly<Record<string, string | number>>): string =>
  form(
    ...Object.entries(fields).flatMap(([name, value]) => [
      bulk(name),
      typeof value === "number" ? integer(value) : bulk(value)
    ])
  )

const one = "95b30b8c65f569aa210295af2cbc65e55f0eae8c"
const two = "cb81cd552821fdae8f6c9419929913e5d559a683"

const info = [
  "cluster_state:ok",
  "cluster_slots_assigned:16384",
  "cluster_slots_ok:16384",
  "cluster_slots_pfail:0",
  "cluster_slots_fail:0",
  "cluster_nodes_pfail:0",
  "cluster_known_nodes:2",
  "cluster_size:2",
  "cluster_current_epoch:1",
  "cluster_my_epoch:0",
  "cluster_new_counter:9223372036854775807",
  "cluster_new_id:007",
  "cluster_stats_messages_ping_sent:9",
  "cluster_stats_messages_sent:20",
  "cluster_stats_messages_received:21",
  ""
].join("\r\n")

const nodes = [
  `${one} 127.0.0.1:17441@27441 master - 0 1795259279632 1 connected 102`,
  `${two} 127.0.0.1:17440@27440,redis.test myself,master - 0 0 2 connected 0-101 103-16383 [300->-${one}] [301-<-${one}]`,
  `a :17420@27420 myself,slave ${two} 5 7 0 disconnected`,
  `b ::1:7000@17000,,shard-id=x,new=a=b master,fail? - 0 0 0 connected`,
  `c 10.0.0.1:6379 slave,noaddr ${one} 0 0 3 connected`,
  `d 2001:db8::1:6379 noflags - 0 0 3 connected 5`,
  ""
].join("\n")

const node = {
  hostname: undefined,
  masterId: undefined,
  pingSent: 0,
  pongReceived: 0,
  configEpoch: 0,
  connected: true,
  slots: [],
  migrations: [],
  extra: {}
}

const parsedNodes = [
  {
    ...node,
    id: one,
    host: "127.0.0.1",
    port: 17441,
    busPort: 27441,
    flags: new Set(["master"]),
    pongReceived: 1795259279632,
    configEpoch: 1,
    slots: [{ start: 102, end: 102 }]
  },
  {
    ...node,
    id: two,
    host: "127.0.0.1",
    port: 17440,
    busPort: 27440,
    hostname: "redis.test",
    flags: new Set(["myself", "master"]),
    configEpoch: 2,
    slots: [{ start: 0, end: 101 }, { start: 103, end: 16383 }],
    migrations: [
      { slot: 300, nodeId: one, state: "migrating" },
      { slot: 301, nodeId: one, state: "importing" }
    ]
  },
  {
    ...node,
    id: "a",
    host: "",
    port: 17420,
    busPort: 27420,
    flags: new Set(["myself", "slave"]),
    masterId: two,
    pingSent: 5,
    pongReceived: 7,
    connected: false
  },
  {
    ...node,
    id: "b",
    host: "::1",
    port: 7000,
    busPort: 17000,
    flags: new Set(["master", "fail?"]),
    extra: { "shard-id": "x", new: "a=b" }
  },
  {
    ...node,
    id: "c",
    host: "10.0.0.1",
    port: 6379,
    busPort: 16379,
    flags: new Set(["slave", "noaddr"]),
    masterId: one,
    configEpoch: 3
  },
  {
    ...node,
    id: "d",
    host: "2001:db8::1",
    port: 6379,
    busPort: 16379,
    flags: new Set(),
    configEpoch: 3,
    slots: [{ start: 5, end: 5 }]
  }
]

const shardNode = {
  id: one,
  port: 17441,
  ip: "127.0.0.1",
  endpoint: "127.0.0.1",
  role: "master",
  "replication-offset": 42,
  health: "online"
}
const shards = (form: typeof map): string =>
  array(
    form(
      bulk("slots"),
      array(":0\r\n", ":100\r\n", ":200\r\n", ":200\r\n"),
      bulk("nodes"),
      array(record(form, shardNode))
    ),
    form(
      bulk("slots"),
      array(),
      bulk("nodes"),
      array(
        record(form, {
          id: two,
          "tls-port": 7,
          ip: "",
          endpoint: "",
          hostname: "h",
          role: "replica",
          "replication-offset": 0,
          health: "loading",
          "availability-zone": "z",
          "new-field": 5
        })
      ),
      bulk("id"),
      bulk("shard"),
      bulk("new-field"),
      bulk("x")
    )
  )

const link = {
  direction: "to",
  node: one,
  "create-time": 1795259212641,
  events: "rw",
  "send-buffer-allocated": 48,
  "send-buffer-used": 16,
  "new-field": "x"
}

const job = {
  name: "d091",
  operation: "EXPORT",
  slot_ranges: "0-1 5-5",
  target_node: one,
  source_node: two,
  create_time: 1795259277,
  last_update_time: 1795259278,
  last_ack_time: 1795259279,
  state: "success",
  message: "",
  cow_size: 0,
  remaining_repl_size: 3,
  new_field: "x"
}

const task = {
  id: "35de",
  slots: "101-101 5-7",
  source: one,
  dest: two,
  operation: "import",
  state: "completed",
  last_error: "",
  retries: 0,
  create_time: 1795259224902,
  start_time: 1795259224903,
  end_time: 1795259224905,
  write_pause_ms: 1,
  new_field: "x"
}

commandTable("Cluster", [
  ["SCC-11, CNV-07: gives slots", Redis.clusterAddslots(1, 2), "CLUSTER ADDSLOTS 1 2", ok, true],
  [
    "gives ranges of slots",
    Redis.clusterAddslotsrange({ start: 0, end: 5 }, { start: 7, end: 7 }),
    "CLUSTER ADDSLOTSRANGE 0 5 7 7",
    ok,
    true
  ],
  ["raises the epoch", Redis.clusterBumpepoch(), "CLUSTER BUMPEPOCH", "+STILL 2\r\n", "STILL 2"],
  ["cancels migrations, on Valkey", Redis.clusterCancelslotmigrations(), "CLUSTER CANCELSLOTMIGRATIONS", ok, true],
  [
    "SCC-13, CNV-02: counts failure reports",
    Redis.clusterCountFailureReports(one),
    `CLUSTER COUNT-FAILURE-REPORTS ${one}`,
    ":1\r\n",
    1
  ],
  ["SCC-14, CNV-02: counts keys", Redis.clusterCountkeysinslot(5), "CLUSTER COUNTKEYSINSLOT 5", ":2\r\n", 2],
  ["SCC-12, CNV-07: takes slots away", Redis.clusterDelslots([1, 2]), "CLUSTER DELSLOTS 1 2", ok, true],
  ["takes ranges away", Redis.clusterDelslotsrange([{ start: 0, end: 5 }]), "CLUSTER DELSLOTSRANGE 0 5", ok, true],
  ["SCC-16, CNV-07: fails over", Redis.clusterFailover(), "CLUSTER FAILOVER", ok, true],
  ["SCC-16: fails over by force", Redis.clusterFailover("force"), "CLUSTER FAILOVER FORCE", ok, true],
  ["SCC-16: takes over", Redis.clusterFailover("takeover"), "CLUSTER FAILOVER TAKEOVER", ok, true],
  ["empties a slot, on Valkey", Redis.clusterFlushslot(5, "sync"), "CLUSTER FLUSHSLOT 5 SYNC", ok, true],
  ["takes all slots away", Redis.clusterFlushslots(), "CLUSTER FLUSHSLOTS", ok, true],
  ["SCC-17, CNV-07: forgets a node", Redis.clusterForget(one), `CLUSTER FORGET ${one}`, ok, true],
  [
    "SCC-15: lists keys",
    Redis.clusterGetkeysinslot(5, 10),
    "CLUSTER GETKEYSINSLOT 5 10",
    "*1\r\n$1\r\nk\r\n",
    ["k"]
  ],
  [
    "lists migrations, on Valkey",
    Redis.clusterGetslotmigrations(),
    "CLUSTER GETSLOTMIGRATIONS",
    [array(record(array, job)), array(record(map, job))],
    [{
      name: "d091",
      operation: "EXPORT",
      slotRanges: [{ start: 0, end: 1 }, { start: 5, end: 5 }],
      targetNode: one,
      sourceNode: two,
      createTime: 1795259277,
      lastUpdateTime: 1795259278,
      lastAckTime: 1795259279,
      state: "success",
      message: "",
      cowSize: 0,
      remainingReplSize: 3,
      extra: { new_field: "x" }
    }]
  ],
  [
    "SCC-18, REC-13, CNV-41: reads the state",
    Redis.clusterInfo(),
    "CLUSTER INFO",
    [bulk(info), verbatim(info)],
    {
      clusterState: "ok",
      clusterSlotsAssigned: 16384,
      clusterSlotsOk: 16384,
      clusterSlotsPfail: 0,
      clusterSlotsFail: 0,
      clusterKnownNodes: 2,
      clusterSize: 2,
      clusterCurrentEpoch: 1,
      clusterMyEpoch: 0,
      clusterStatsMessagesSent: 20,
      clusterStatsMessagesReceived: 21,
      extra: {
        cluster_nodes_pfail: 0,
        cluster_stats_messages_ping_sent: 9,
        cluster_new_counter: "9223372036854775807",
        cluster_new_id: "007"
      }
    }
  ],
  ["SCC-19, CNV-02: finds a slot", Redis.clusterKeyslot("k"), "CLUSTER KEYSLOT k", ":7629\r\n", 7629],
  [
    "lists links",
    Redis.clusterLinks(),
    "CLUSTER LINKS",
    [array(record(array, link)), array(record(map, link))],
    [{
      direction: "to",
      node: one,
      createTime: 1795259212641,
      events: "rw",
      sendBufferAllocated: 48,
      sendBufferUsed: 16,
      extra: { "new-field": "x" }
    }]
  ],
  ["SCC-20, CNV-07: meets", Redis.clusterMeet("10.0.0.1", 6379), "CLUSTER MEET 10.0.0.1 6379", ok, true],
  ["meets at a bus port", Redis.clusterMeet("h", 6379, 7000), "CLUSTER MEET h 6379 7000", ok, true],
  [
    "moves slots, on Valkey",
    Redis.clusterMigrateslots({ slots: [{ start: 0, end: 1 }, { start: 5, end: 5 }], node: one }, {
      slots: [{ start: 9, end: 9 }],
      node: two
    }),
    `CLUSTER MIGRATESLOTS SLOTSRANGE 0 1 5 5 NODE ${one} SLOTSRANGE 9 9 NODE ${two}`,
    ok,
    true
  ],
  ["cancels a migration", Redis.clusterMigrationCancel({ id: "x" }), "CLUSTER MIGRATION CANCEL ID x", ":1\r\n", 1],
  ["cancels all migrations", Redis.clusterMigrationCancel("all"), "CLUSTER MIGRATION CANCEL ALL", ":0\r\n", 0],
  [
    "imports slots",
    Redis.clusterMigrationImport({ start: 1, end: 2 }, { start: 4, end: 4 }),
    "CLUSTER MIGRATION IMPORT 1 2 4 4",
    bulk("35de"),
    "35de"
  ],
  [
    "tells how migrations stand",
    Redis.clusterMigrationStatus(),
    "CLUSTER MIGRATION STATUS ALL",
    [array(record(array, task)), array(record(map, task))],
    [{
      id: "35de",
      slots: [{ start: 101, end: 101 }, { start: 5, end: 7 }],
      source: one,
      dest: two,
      operation: "import",
      state: "completed",
      lastError: "",
      retries: 0,
      createTime: 1795259224902,
      startTime: 1795259224903,
      endTime: 1795259224905,
      writePauseMs: 1,
      extra: { new_field: "x" }
    }]
  ],
  ["tells how a migration stands", Redis.clusterMigrationStatus("x"), "CLUSTER MIGRATION STATUS ID x", "*0\r\n", []],
  ["reads the id", Redis.clusterMyid(), "CLUSTER MYID", bulk(one), one],
  ["reads the id of the shard", Redis.clusterMyshardid(), "CLUSTER MYSHARDID", bulk(one), one],
  [
    "SCC-21, REC-12, CNV-41: reads nodes",
    Redis.clusterNodes(),
    "CLUSTER NODES",
    [bulk(nodes), verbatim(nodes)],
    parsedNodes
  ],
  [
    "reads replicas, a line an element",
    Redis.clusterReplicas(two),
    `CLUSTER REPLICAS ${two}`,
    array(bulk(nodes.split("\n")[4]!)),
    [parsedNodes[4]]
  ],
  ["SCC-22, CNV-07: replicates", Redis.clusterReplicate(one), `CLUSTER REPLICATE ${one}`, ok, true],
  ["replicates nobody, on Valkey", Redis.clusterReplicateNoOne(), "CLUSTER REPLICATE NO ONE", ok, true],
  ["SCC-23, CNV-07: resets", Redis.clusterReset(), "CLUSTER RESET", ok, true],
  ["SCC-23: resets for good", Redis.clusterReset("hard"), "CLUSTER RESET HARD", ok, true],
  ["SCC-24, CNV-07: saves", Redis.clusterSaveconfig(), "CLUSTER SAVECONFIG", ok, true],
  ["SCC-25, CNV-07: sets the epoch", Redis.clusterSetConfigEpoch(3), "CLUSTER SET-CONFIG-EPOCH 3", ok, true],
  [
    "SCC-26, CNV-07: imports a slot",
    Redis.clusterSetslot(5, { importing: one }),
    `CLUSTER SETSLOT 5 IMPORTING ${one}`,
    ok,
    true
  ],
  [
    "SCC-26: migrates a slot",
    Redis.clusterSetslot(5, { migrating: one }),
    `CLUSTER SETSLOT 5 MIGRATING ${one}`,
    ok,
    true
  ],
  [
    "SCC-26: gives a slot to a node",
    Redis.clusterSetslot(5, { node: one }, { timeout: "2 seconds" }),
    `CLUSTER SETSLOT 5 NODE ${one} TIMEOUT 2000`,
    ok,
    true
  ],
  ["SCC-26: leaves a slot", Redis.clusterSetslot(5, { stable: true }), "CLUSTER SETSLOT 5 STABLE", ok, true],
  [
    "reads shards",
    Redis.clusterShards(),
    "CLUSTER SHARDS",
    [shards(array), shards(map)],
    [
      {
        id: undefined,
        slots: [{ start: 0, end: 100 }, { start: 200, end: 200 }],
        nodes: [{
          id: one,
          ip: "127.0.0.1",
          endpoint: "127.0.0.1",
          hostname: undefined,
          port: 17441,
          tlsPort: undefined,
          role: "master",
          replicationOffset: 42,
          health: "online",
          availabilityZone: undefined,
          extra: {}
        }],
        extra: {}
      },
      {
        id: "shard",
        slots: [],
        nodes: [{
          id: two,
          ip: "",
          endpoint: "",
          hostname: "h",
          port: undefined,
          tlsPort: 7,
          role: "replica",
          replicationOffset: 0,
          health: "loading",
          availabilityZone: "z",
          extra: { "new-field": 5 }
        }],
        extra: { "new-field": "x" }
      }
    ]
  ],
  [
    "SCC-27, CNV-41: reads replicas by the old name",
    Redis.clusterSlaves(two),
    `CLUSTER SLAVES ${two}`,
    array(bulk(nodes.split("\n")[4]!)),
    [parsedNodes[4]]
  ],
  [
    "SCC-28: reads slots, whatever else is told of a node",
    Redis.clusterSlots(),
    "CLUSTER SLOTS",
    [
      array(
        array(
          ":0\r\n",
          ":100\r\n",
          array(bulk(""), ":7000\r\n", bulk(one), array(bulk("hostname"), bulk("h")), bulk("more")),
          array(bulk("::1"), ":7001\r\n", bulk(two), "*0\r\n")
        ),
        array(":101\r\n", ":101\r\n", array("$-1\r\n", ":7002\r\n"))
      ),
      array(
        array(
          ":0\r\n",
          ":100\r\n",
          array(bulk(""), ":7000\r\n", bulk(one), map(bulk("hostname"), bulk("h")), bulk("more")),
          array(bulk("::1"), ":7001\r\n", bulk(two), "%0\r\n")
        ),
        array(":101\r\n", ":101\r\n", array("_\r\n", ":7002\r\n"))
      )
    ],
    [
      {
        start: 0,
        end: 100,
        master: { host: "", port: 7000, id: one, metadata: { hostname: "h" } },
        replicas: [{ host: "::1", port: 7001, id: two, metadata: {} }]
      },
      { start: 101, end: 101, master: { host: "", port: 7002, id: undefined, metadata: {} }, replicas: [] }
    ]
  ],
  [
    "reads what slots hold",
    Redis.clusterSlotStats({ start: 0, end: 1 }),
    "CLUSTER SLOT-STATS SLOTSRANGE 0 1",
    [
      array(
        array(":0\r\n", record(array, { "key-count": 1 })),
        array(
          ":1\r\n",
          record(array, {
            "key-count": 0,
            "cpu-usec": 3,
            "network-bytes-in": 4,
            "network-bytes-out": 5,
            "memory-bytes": 6,
            "new-metric": 7
          })
        )
      ),
      array(
        array(":0\r\n", record(map, { "key-count": 1 })),
        array(
          ":1\r\n",
          record(map, {
            "key-count": 0,
            "cpu-usec": 3,
            "network-bytes-in": 4,
            "network-bytes-out": 5,
            "memory-bytes": 6,
            "new-metric": 7
          })
        )
      )
    ],
    [
      {
        slot: 0,
        stats: {
          keyCount: 1,
          cpuUsec: undefined,
          memoryBytes: undefined,
          networkBytesIn: undefined,
          networkBytesOut: undefined,
          extra: {}
        }
      },
      {
        slot: 1,
        stats: {
          keyCount: 0,
          cpuUsec: 3,
          memoryBytes: 6,
          networkBytesIn: 4,
          networkBytesOut: 5,
          extra: { "new-metric": 7 }
        }
      }
    ]
  ],
  [
    "reads the greatest slots",
    Redis.clusterSlotStatsOrderby("key-count", { limit: 3, order: "desc" }),
    "CLUSTER SLOT-STATS ORDERBY key-count LIMIT 3 DESC",
    "*0\r\n",
    []
  ],
  [
    "scans a cluster, on Valkey",
    Redis.clusterscan(0),
    "CLUSTERSCAN 0",
    array(bulk("0-{06S}-0"), array(bulk("k"))),
    { cursor: "0-{06S}-0", keys: ["k"] }
  ],
  [
    "scans a slot",
    Redis.clusterscan("0-{06S}-0", { match: "a*", count: 5, type: "string", slot: 7 }),
    "CLUSTERSCAN 0-{06S}-0 MATCH a* COUNT 5 TYPE string SLOT 7",
    array(bulk("0"), "*0\r\n"),
    { cursor: "0", keys: [] }
  ]
])

// Words as a caller without types could give them.
refusedTable("Cluster", [
  ["no slots to give", Redis.clusterAddslots(), "needs at least one slot"],
  ["no slots to take", Redis.clusterDelslots([]), "needs at least one slot"],
  ["no ranges to give", Redis.clusterAddslotsrange(), "needs at least one range of slots"],
  ["no ranges to take", Redis.clusterDelslotsrange([]), "needs at least one range of slots"],
  ["no ranges to import", Redis.clusterMigrationImport(), "needs at least one range of slots"],
  ["nothing to move", Redis.clusterMigrateslots(), "needs slots and a node"],
  ["SCC-16: another failover", Redis.clusterFailover("later" as never), "\"later\" is none of force, takeover"],
  ["another reset", Redis.clusterReset("medium" as never), "\"medium\" is none of hard, soft"],
  [
    "SCC-26: another state",
    Redis.clusterSetslot(1, { gone: "x" } as never),
    "needs one of importing, migrating, node, stable"
  ],
  [
    "SCC-26: two states",
    Redis.clusterSetslot(1, { importing: "x", node: "y" } as never),
    "needs one of importing, migrating, node, stable"
  ]
])

describe("Cluster", () => {
  it("routes a scan by the slot in its cursor", () => {
    assert.deepStrictEqual(RedisCommand.keys(Redis.clusterscan("0-{06S}-0")), ["0-{06S}-0"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.clusterKeyslot("k")), [])
  })

  it("REC-12, REC-13: refuses what is no such record", () => {
    for (
      const [command, text] of [
        [Redis.clusterInfo(), "cluster_state:ok\r\n"],
        [Redis.clusterNodes(), "a b c\n"],
        [Redis.clusterNodes(), "a nowhere master - 0 0 0 connected\n"],
        [Redis.clusterNodes(), "a h:port master - 0 0 0 connected\n"],
        // An epoch that a number would round.
        [Redis.clusterNodes(), "a h:1 master - 0 0 9007199254740993 connected\n"]
      ] as const
    ) {
      const exit = decoded(command, bulk(text))
      assert.isTrue(Exit.isExit(exit) && Exit.isFailure(exit), text)
    }
  })
})
