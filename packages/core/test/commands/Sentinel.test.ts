import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { array, bulk, map } from "@redfx/testing/ReplyText"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const ok = "+OK\r\n"
const record = (form: typeof map, fields: Readonly<Record<string, string>>): string =>
  form(...Object.entries(fields).flat().map(bulk))
const plain = (fields: object): object => Object.assign(Object.create(null), fields)

const master = {
  name: "mymaster",
  ip: "127.0.0.1",
  port: "17413",
  runid: "3b31558983208622db66b0e642d557720d99bd38",
  flags: "master",
  "link-pending-commands": "0",
  "link-refcount": "1",
  "last-ping-sent": "0",
  "last-ok-ping-reply": "551",
  "last-ping-reply": "551",
  "down-after-milliseconds": "30000",
  "info-refresh": "3812",
  "role-reported": "master",
  "role-reported-time": "64027",
  "config-epoch": "0",
  "num-slaves": "0",
  "num-other-sentinels": "0",
  quorum: "1",
  "failover-timeout": "180000",
  "parallel-syncs": "1"
}

const masterState = {
  name: "mymaster",
  ip: "127.0.0.1",
  port: 17413,
  runid: "3b31558983208622db66b0e642d557720d99bd38",
  flags: new Set(["master"]),
  isMaster: true,
  isSlave: false,
  isSdown: false,
  isOdown: false,
  isSentinel: false,
  isDisconnected: false,
  isMasterDown: false,
  linkPendingCommands: 0,
  linkRefcount: 1,
  lastPingSent: 0,
  lastOkPingReply: 551,
  lastPingReply: 551,
  downAfterMilliseconds: 30000,
  infoRefresh: 3812,
  roleReported: "master",
  roleReportedTime: 64027,
  configEpoch: 0,
  numSlaves: 0,
  numOtherSentinels: 0,
  quorum: 1,
  failoverTimeout: 180000,
  parallelSyncs: 1,
  extra: plain({})
}

const replica = {
  name: "127.0.0.1:17412",
  ip: "::1",
  port: "17412",
  runid: "",
  flags: "s_down,o_down,slave,disconnected,master_down",
  "s-down-time": "12",
  "o-down-time": "11",
  "master-link-down-time": "5",
  "master-link-status": "err",
  "master-host": "127.0.0.1",
  "master-port": "17413",
  "slave-priority": "100",
  "slave-repl-offset": "987",
  "replica-announced": "1",
  "can-failover-its-master": "1",
  "pending-commands": "3",
  "last-hello-message": "9",
  "voted-leader": "?",
  "voted-leader-epoch": "9007199254740993",
  "config-epoch": "unknown",
  "new-thing": "x"
}

const replicaState = {
  name: "127.0.0.1:17412",
  ip: "::1",
  port: 17412,
  runid: "",
  flags: new Set(["s_down", "o_down", "slave", "disconnected", "master_down"]),
  isMaster: false,
  isSlave: true,
  isSdown: true,
  isOdown: true,
  isSentinel: false,
  isDisconnected: true,
  isMasterDown: true,
  sDownTime: 12,
  oDownTime: 11,
  masterLinkDownTime: 5,
  masterLinkStatus: "err",
  masterHost: "127.0.0.1",
  masterPort: 17413,
  slavePriority: 100,
  slaveReplOffset: 987,
  replicaAnnounced: 1,
  canFailoverItsMaster: 1,
  pendingCommands: 3,
  lastHelloMessage: 9,
  votedLeader: "?",
  extra: plain({ "config-epoch": "unknown", "voted-leader-epoch": "9007199254740993", "new-thing": "x" })
}

const states = [array(record(array, replica)), array(record(map, replica))]
const masters = [array(record(array, master)), array(record(map, master))]
const address = array(bulk("127.0.0.1"), bulk("17413"))
const nobody = ["*-1\r\n", "_\r\n"]
const settings = { loglevel: "notice", "sentinel-user": "" }

commandTable("Sentinel", [
  [
    "reaches a quorum",
    Redis.sentinelCkquorum("m"),
    "SENTINEL CKQUORUM m",
    "+OK 1 usable Sentinels.\r\n",
    "OK 1 usable Sentinels."
  ],
  [
    "reads all settings",
    Redis.sentinelConfigGet(),
    "SENTINEL CONFIG GET *",
    [record(array, settings), record(map, settings)],
    plain(settings)
  ],
  [
    "reads some settings",
    Redis.sentinelConfigGet("a", "b*"),
    "SENTINEL CONFIG GET a b*",
    ["*0\r\n", "%0\r\n"],
    plain({})
  ],
  [
    "changes settings",
    Redis.sentinelConfigSet({ "announce-port": 0, "sentinel-pass": Redacted.make("s3cret") }),
    "SENTINEL CONFIG SET announce-port 0 sentinel-pass s3cret",
    ok,
    true
  ],
  [
    "reads intervals",
    Redis.sentinelDebug(),
    "SENTINEL DEBUG",
    [record(array, { "INFO-PERIOD": "10000" }), record(map, { "INFO-PERIOD": "10000" })],
    plain({ "INFO-PERIOD": 10000 })
  ],
  [
    "changes intervals",
    Redis.sentinelDebugSet({ "ping-period": "1 second" }),
    "SENTINEL DEBUG ping-period 1000",
    ok,
    true
  ],
  ["fails over", Redis.sentinelFailover("m"), "SENTINEL FAILOVER m", ok, true],
  [
    "fails over without loss",
    Redis.sentinelFailover("m", { coordinated: true }),
    "SENTINEL FAILOVER m COORDINATED",
    ok,
    true
  ],
  ["writes its file", Redis.sentinelFlushconfig(), "SENTINEL FLUSHCONFIG", ok, true],
  [
    "SCC-02, CNV-42: finds the master",
    Redis.sentinelGetMasterAddrByName("m"),
    "SENTINEL GET-MASTER-ADDR-BY-NAME m",
    address,
    { host: "127.0.0.1", port: 17413 }
  ],
  [
    "SCC-02: finds no master",
    Redis.sentinelGetMasterAddrByName("m"),
    "SENTINEL GET-MASTER-ADDR-BY-NAME m",
    nobody,
    undefined
  ],
  [
    "finds the primary, on Valkey",
    Redis.sentinelGetPrimaryAddrByName("m"),
    "SENTINEL GET-PRIMARY-ADDR-BY-NAME m",
    address,
    { host: "127.0.0.1", port: 17413 }
  ],
  [
    "reads what INFO said",
    Redis.sentinelInfoCache("m", "n"),
    "SENTINEL INFO-CACHE m n",
    [
      array(bulk("m"), array(array(":7313\r\n", bulk("# Server")), array(":0\r\n", "$-1\r\n"))),
      array(bulk("m"), array(array(":7313\r\n", bulk("# Server")), array(":0\r\n", "_\r\n")))
    ],
    plain({ m: [{ age: 7313, info: "# Server" }, { age: 0, info: undefined }] })
  ],
  [
    "asks whether a master is down",
    Redis.sentinelIsMasterDownByAddr("127.0.0.1", 17413, 0),
    "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 17413 0 *",
    array(":0\r\n", bulk("*"), ":0\r\n"),
    { down: false, leader: "*", leaderEpoch: 0 }
  ],
  [
    "asks for a vote, on Valkey",
    Redis.sentinelIsPrimaryDownByAddr("127.0.0.1", 17413, 3, "me"),
    "SENTINEL IS-PRIMARY-DOWN-BY-ADDR 127.0.0.1 17413 3 me",
    array(":1\r\n", bulk("me"), ":3\r\n"),
    { down: true, leader: "me", leaderEpoch: 3 }
  ],
  [
    "SCC-03, REC-11, CNV-41: reads a master",
    Redis.sentinelMaster("mymaster"),
    "SENTINEL MASTER mymaster",
    [record(array, master), record(map, master)],
    masterState
  ],
  [
    "SCC-04, REC-11, CNV-41: reads masters by name",
    Redis.sentinelMasters(),
    "SENTINEL MASTERS",
    masters,
    new Map([["mymaster", masterState]])
  ],
  [
    "SCC-05, CNV-07: begins to watch",
    Redis.sentinelMonitor("m", "127.0.0.1", 6379, 2),
    "SENTINEL MONITOR m 127.0.0.1 6379 2",
    ok,
    true
  ],
  ["reads its id", Redis.sentinelMyid(), "SENTINEL MYID", bulk("080d"), "080d"],
  [
    "lists scripts",
    Redis.sentinelPendingScripts(),
    "SENTINEL PENDING-SCRIPTS",
    [array, map].map((form) =>
      array(
        form(
          bulk("argv"),
          array(bulk("/n.sh"), bulk("a")),
          bulk("flags"),
          bulk("scheduled"),
          bulk("pid"),
          bulk("0"),
          bulk("run-delay"),
          bulk("12"),
          bulk("retry-num"),
          bulk("1"),
          bulk("new-field"),
          bulk("x")
        )
      )
    ),
    [{
      argv: ["/n.sh", "a"],
      flags: "scheduled",
      pid: 0,
      runTime: undefined,
      runDelay: 12,
      retryNum: 1,
      extra: { "new-field": "x" }
    }]
  ],
  [
    "reads primaries, on Valkey",
    Redis.sentinelPrimaries(),
    "SENTINEL PRIMARIES",
    masters,
    new Map([["mymaster", masterState]])
  ],
  [
    "reads a primary, on Valkey",
    Redis.sentinelPrimary("mymaster"),
    "SENTINEL PRIMARY mymaster",
    record(map, master),
    masterState
  ],
  ["SCC-06, CNV-07: ends watching", Redis.sentinelRemove("m"), "SENTINEL REMOVE m", ok, true],
  ["REC-11: reads replicas", Redis.sentinelReplicas("m"), "SENTINEL REPLICAS m", states, [replicaState]],
  ["forgets what it knows", Redis.sentinelReset("m*"), "SENTINEL RESET m*", ":1\r\n", 1],
  [
    "SCC-07, REC-11, CNV-41: reads other Sentinels",
    Redis.sentinelSentinels("m"),
    "SENTINEL SENTINELS m",
    array(record(map, { name: "id", ip: "10.0.0.1", port: "26379", runid: "id", flags: "sentinel" })),
    [{
      name: "id",
      ip: "10.0.0.1",
      port: 26379,
      runid: "id",
      flags: new Set(["sentinel"]),
      isMaster: false,
      isSlave: false,
      isSdown: false,
      isOdown: false,
      isSentinel: true,
      isDisconnected: false,
      isMasterDown: false,
      extra: plain({})
    }]
  ],
  [
    "SCC-08, CNV-07: changes a service",
    Redis.sentinelSet("m", { quorum: 2, "auth-pass": Redacted.make("s3cret") }),
    "SENTINEL SET m quorum 2 auth-pass s3cret",
    ok,
    true
  ],
  [
    "crashes when told to",
    Redis.sentinelSimulateFailure("crash-after-election"),
    "SENTINEL SIMULATE-FAILURE crash-after-election",
    ok,
    true
  ],
  ["SCC-09, REC-11, CNV-41: reads replicas by the old name", Redis.sentinelSlaves("m"), "SENTINEL SLAVES m", states, [
    replicaState
  ]]
])

refusedTable("Sentinel", [
  ["no settings of the Sentinel", Redis.sentinelConfigSet({}), "needs at least one setting"],
  ["no settings of a service", Redis.sentinelSet("m", {}), "needs at least one setting"],
  ["no intervals", Redis.sentinelDebugSet({}), "needs at least one interval"],
  ["no services", Redis.sentinelInfoCache(), "needs at least one service"],
  ["no stages", Redis.sentinelSimulateFailure(), "needs at least one stage"]
])

describe("Sentinel", () => {
  it("REC-11: refuses what is no state", () => {
    const exit = decoded(Redis.sentinelMaster("m"), record(map, { name: "m", ip: "::1", port: "many" }))
    assert.isTrue(Exit.isExit(exit) && Exit.isFailure(exit))
  })
})
