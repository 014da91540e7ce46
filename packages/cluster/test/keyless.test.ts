import { assert, describe, it } from "@effect/vitest"
import * as Core from "@redfx/core"
import { Redis, RedisCommand, RedisError, RedisReply, RedisSearch, RedisTimeSeries, Resp } from "@redfx/core"
import * as Runtime from "@redfx/core/unstable/Runtime"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { loadRows } from "../../core/test/commands/rows.ts"
import { ruleOf, rules, table } from "../src/internal/keyless/rules.ts"
import { plan } from "../src/internal/routing/plan.ts"
import { keyOn, lost, makeFake, options, run, words } from "./fixtures/FakeCluster.ts"
import { bulk } from "./fixtures/Model.ts"

const masters = ["n1", "n2", "n3"]
const nodes = [...masters, "r1", "r2", "r3"]

/** What masters, and replicas when they differ, answer in turn. */
type Replies = readonly [Resp.Value, Resp.Value, Resp.Value, ...ReadonlyArray<Resp.Value>]

interface Row {
  readonly title: string
  readonly command: RedisCommand.Any
  readonly on: ReadonlyArray<string>
  readonly replies: Replies
  readonly result: unknown
}

const text = (content: string) => new Resp.Verbatim("txt", bulk(content))
const error = (line: string) => new Resp.ErrorReply(line)

/** An entry of a log as servers before 4.0 have it. */
const entry = (id: number, time: number) => [id, time, 5, [bulk("GET")]]
const entryTimes = (entries: unknown): ReadonlyArray<number> =>
  (entries as ReadonlyArray<Redis.SlowlogEntry>).map(({ startTime }) => DateTime.toEpochMillis(startTime) / 1000)

const library = (name: string) => [bulk("library_name"), bulk(name), bulk("engine"), bulk("LUA"), bulk("functions"), []]

const client = (id: number) =>
  `id=${id} addr=127.0.0.1:5000${id} fd=7 name= age=1 idle=0 flags=N db=0 sub=0 psub=0 multi=-1 qbuf=0 qbuf-free=0 ` +
  "obl=0 oll=0 omem=0 events=r cmd=ping\n"

const rows: ReadonlyArray<Row> = [
  {
    title: "CKL-01: PING is answered when all nodes are up",
    command: Redis.ping(),
    on: nodes,
    replies: ["PONG", "PONG", "PONG"],
    result: true
  },
  {
    title: "CKL-01: PING is not answered when one answers something else",
    command: Redis.ping(),
    on: nodes,
    replies: ["PONG", "PONG", "NO"],
    result: false
  },
  { title: "CKL-05: DBSIZE is a sum", command: Redis.dbsize(), on: masters, replies: [1, 2, 3], result: 6 },
  {
    title: "CKL-05: DBSIZE is exact",
    command: Redis.asBigInt(Redis.dbsize()),
    on: masters,
    replies: [2n ** 60n, 1, 2],
    result: 2n ** 60n + 3n
  },
  {
    title: "CKL-06: KEYS is a union",
    command: Redis.keys("*"),
    on: masters,
    replies: [[bulk("a"), bulk("b")], [], new Resp.SetReply([bulk("b"), bulk("c")])],
    result: ["a", "b", "c"]
  },
  { title: "CKL-07: SAVE", command: Redis.save(), on: nodes, replies: ["OK", "OK", "OK"], result: true },
  {
    title: "CKL-07: BGSAVE, whatever the words",
    command: Redis.bgsave(),
    on: nodes,
    replies: ["Background saving started", "Background saving scheduled", "Background saving started"],
    result: true
  },
  {
    title: "CKL-07: BGREWRITEAOF",
    command: Redis.bgrewriteaof(),
    on: nodes,
    replies: ["started", "started", "started"],
    result: true
  },
  {
    title: "CKL-08: LASTSAVE is the oldest",
    command: Redis.lastsave(),
    on: nodes,
    replies: [30, 10, 20],
    result: DateTime.makeUnsafe(10_000)
  },
  ...[Redis.configSet("maxmemory", "0"), Redis.configResetstat(), Redis.configRewrite()].flatMap((command) => [
    {
      title: `CKL-09: ${command.spec.name}`,
      command,
      on: nodes,
      replies: ["OK", "OK", "OK"],
      result: true
    } as const,
    {
      title: `CKL-09: ${command.spec.name} that not all have done`,
      command,
      on: nodes,
      replies: ["OK", "QUEUED", "OK"],
      result: false
    } as const
  ]),
  {
    title: "CKL-13: CLIENT SETNAME",
    command: Redis.clientSetname("n"),
    on: nodes,
    replies: ["OK", "OK", "OK"],
    result: true
  },
  {
    title: "CKL-14: CLIENT KILL of an address that one node knows",
    command: Redis.clientKill("127.0.0.1:1"),
    on: nodes,
    replies: [error("ERR No such client"), "OK", error("ERR No such client")],
    result: true
  },
  {
    title: "CKL-15: CLIENT KILL by filters is a sum",
    command: Redis.clientKillFilter({ type: "normal" }),
    on: nodes,
    replies: [1, 0, 2],
    result: 6
  },
  { title: "CKL-17: SLOWLOG LEN is a sum", command: Redis.slowlogLen(), on: nodes, replies: [1, 2, 3], result: 12 },
  {
    title: "CKL-18: SLOWLOG RESET",
    command: Redis.slowlogReset(),
    on: nodes,
    replies: ["OK", "OK", "OK"],
    result: true
  },
  {
    title: "CKL-20: PUBSUB CHANNELS is a union",
    command: Redis.pubsubChannels(),
    on: nodes,
    replies: [[bulk("a")], [bulk("a"), bulk("b")], []],
    result: ["a", "b"]
  },
  {
    title: "CKL-20: PUBSUB SHARDCHANNELS is a union",
    command: Redis.pubsubShardchannels(),
    on: nodes,
    replies: [[bulk("a")], [bulk("b")], []],
    result: ["a", "b"]
  },
  { title: "CKL-21: PUBSUB NUMPAT is a sum", command: Redis.pubsubNumpat(), on: nodes, replies: [1, 0, 2], result: 6 },
  {
    title: "CKL-22: PUBSUB NUMSUB is a sum for each channel",
    command: Redis.pubsubNumsub("a", "b"),
    on: nodes,
    replies: [
      [bulk("a"), 1, bulk("b"), 0],
      new Resp.MapReply([bulk("a"), 2, bulk("b"), 0]),
      [bulk("a"), 0, bulk("b"), 5]
    ],
    result: [{ channel: "a", subscribers: 6 }, { channel: "b", subscribers: 10 }]
  },
  {
    title: "CKL-22: PUBSUB SHARDNUMSUB is a sum for each channel",
    command: Redis.pubsubShardnumsub("a"),
    on: nodes,
    replies: [[bulk("a"), 1], [bulk("a"), 0], [bulk("a"), 0]],
    result: [{ channel: "a", subscribers: 2 }]
  },
  { title: "CKL-24: FLUSHALL", command: Redis.flushall(), on: masters, replies: ["OK", "OK", "OK"], result: true },
  { title: "CKL-24: FLUSHDB", command: Redis.flushdb(), on: masters, replies: ["OK", "OK", "OK"], result: true },
  {
    title: "CKL-28: SCRIPT LOAD",
    command: Redis.scriptLoad("return 1"),
    on: nodes,
    replies: [bulk("sha"), bulk("sha"), bulk("sha")],
    result: "sha"
  },
  {
    title: "CKL-29: SCRIPT EXISTS where every master has it",
    command: Redis.scriptExists("a", "b", "c"),
    on: masters,
    replies: [[1, 1, 0], [1, 0, 0], [1, 1, 0]],
    result: [true, false, false]
  },
  {
    title: "CKL-30: SCRIPT FLUSH",
    command: Redis.scriptFlush(),
    on: nodes,
    replies: ["OK", "OK", "OK"],
    result: true
  },
  {
    title: "FUNCTION LOAD",
    command: Redis.functionLoad("#!lua name=l"),
    on: masters,
    replies: [bulk("l"), bulk("l"), bulk("l")],
    result: "l"
  },
  ...[Redis.functionDelete("l"), Redis.functionFlush(), Redis.functionRestore(new Uint8Array()), Redis.memoryPurge()]
    .map(
      (command) =>
        ({ title: command.spec.name, command, on: masters, replies: ["OK", "OK", "OK"], result: true }) as const
    ),
  {
    title: "FUNCTION LIST of what every master has",
    command: RedisCommand.withReply(Redis.functionList(), RedisReply.raw),
    on: masters,
    replies: [[library("a"), library("b")], [library("b")], [new Resp.MapReply(library("b"))]],
    result: [["library_name", "b", "engine", "LUA", "functions", []]]
  },
  { title: "LATENCY RESET is a sum", command: Redis.latencyReset(), on: nodes, replies: [1, 0, 0], result: 2 },
  ...[Redis.clientPause(5), Redis.clientUnpause(), Redis.clientSetinfo("lib-ver", "1"), Redis.clusterSaveconfig()].map(
    (command) => ({ title: command.spec.name, command, on: nodes, replies: ["OK", "OK", "OK"], result: true }) as const
  ),
  { title: "COMMANDLOG LEN", command: Redis.commandlogLen("slow"), on: nodes, replies: [1, 2, 3], result: 12 },
  {
    title: "COMMANDLOG RESET",
    command: Redis.commandlogReset("slow"),
    on: nodes,
    replies: ["OK", "OK", "OK"],
    result: true
  },
  {
    title: "CKR-06: CLUSTER COUNT-FAILURE-REPORTS is the most that a master has",
    command: Redis.clusterCountFailureReports("id"),
    on: masters,
    replies: [0, 2, 1],
    result: 2
  },
  {
    title: "CLUSTER SLOT-STATS, each master of its slots",
    command: RedisCommand.withReply(Redis.clusterSlotStats({ start: 0, end: 9 }), RedisReply.raw),
    on: masters,
    replies: [[[5, []]], [[1, []], [2, []]], []],
    result: [[1, []], [2, []], [5, []]]
  },
  {
    title: "FT.CONFIG SET",
    command: RedisSearch.ftConfigSet("TIMEOUT", "1"),
    on: masters,
    replies: ["OK", "OK", "OK"],
    result: true
  }
]

/** Masters answer in turn, replicas as their masters. */
const answering = (replies: Replies) => makeFake((address) => replies[Number(address.slice(1)) - 1] ?? null)

describe("Commands for several servers", () => {
  for (const { command, on, replies, result, title } of rows) {
    it.effect(title, () =>
      Effect.gen(function*() {
        const cluster = answering(replies)
        assert.deepStrictEqual(yield* run(cluster, command), result)
        assert.deepStrictEqual(cluster.sent.sort(), on.map((address) => `${address} ${words(command).join(" ")}`))
      }))
  }

  it.effect("CKL-11: CLIENT LIST is a concatenation, in both protocols", () =>
    Effect.gen(function*() {
      for (const line of [(id: number) => bulk(client(id)), (id: number) => text(client(id))]) {
        const cluster = makeFake((address) => line(Number(address.slice(1)) + (address.startsWith("r") ? 3 : 0)))
        const clients = yield* run(cluster, Redis.clientList())
        assert.deepStrictEqual(clients.map(({ id }) => id), [1, 2, 3, 4, 5, 6])
      }
    }))

  it.effect("CKL-16: SLOWLOG GET is newest first, and a count holds for the whole", () =>
    Effect.gen(function*() {
      const cluster = makeFake((address) =>
        address.startsWith("r") ? [] : [entry(1, Number(address.slice(1)) + 10), entry(0, Number(address.slice(1)))]
      )
      assert.deepStrictEqual(entryTimes(yield* run(cluster, Redis.slowlogGet())), [13, 12, 11, 3, 2, 1])
      assert.deepStrictEqual(entryTimes(yield* run(cluster, Redis.slowlogGet(4))), [13, 12, 11, 3])
      assert.deepStrictEqual(entryTimes(yield* run(cluster, Redis.slowlogGet(-1))), [13, 12, 11, 3, 2, 1])
      assert.deepStrictEqual(entryTimes(yield* run(cluster, Redis.commandlogGet(2, "slow"))), [13, 12])
    }))

  it.effect("CKL-14: CLIENT KILL of an address that no node knows, or that one cannot be asked about", () =>
    Effect.gen(function*() {
      const unknown = makeFake(() => error("ERR No such client"))
      assert.strictEqual((yield* Effect.flip(run(unknown, Redis.clientKill("1:1"))))._tag, "ResponseError")
      const down = makeFake((address) => (address === "n2" ? lost("unknown") : error("ERR No such client")))
      assert.strictEqual((yield* Effect.flip(run(down, Redis.clientKill("1:1"))))._tag, "ConnectionError")
    }))

  it.effect("CKL-15: CLIENT KILL by an id is refused, which is another client on each server", () =>
    Effect.gen(function*() {
      const cluster = makeFake(() => 1)
      const error = yield* Effect.flip(run(cluster, Redis.clientKillFilter({ id: 7, type: "normal" })))
      assert.strictEqual(error._tag, "ClusterUnsupportedError")
      assert.deepStrictEqual(cluster.sent, [])
      assert.strictEqual(yield* run(cluster, Redis.clientKillFilter({ user: "ID" })), 6)
    }))

  it.effect("CKL-32: RANDOMKEY asks other masters while there is none", () =>
    Effect.gen(function*() {
      const cluster = makeFake((address) => (address === "n2" ? bulk("k") : null))
      for (let i = 0; i < 20; i++) assert.strictEqual(yield* run(cluster, Redis.randomkey()), "k")
      const asked = cluster.sent.splice(0)
      assert.deepStrictEqual([...new Set(asked)].sort(), masters.map((address) => `${address} RANDOMKEY`))
      assert.isBelow(asked.length, 60)
      const empty = makeFake(() => null)
      assert.isUndefined(yield* run(empty, Redis.randomkey()))
      assert.deepStrictEqual(empty.sent.sort(), masters.map((address) => `${address} RANDOMKEY`))
    }))

  it.effect("CKL-34: commands on a slot go to its master", () =>
    Effect.gen(function*() {
      const cluster = makeFake((_, [, name]) => (name === "COUNTKEYSINSLOT" ? 3 : [bulk("k")]))
      assert.strictEqual(yield* run(cluster, Redis.clusterCountkeysinslot(12182)), 3)
      assert.deepStrictEqual(yield* run(cluster, Redis.clusterGetkeysinslot(0, 5)), ["k"])
      assert.deepStrictEqual(cluster.sent, ["n3 CLUSTER COUNTKEYSINSLOT 12182", "n1 CLUSTER GETKEYSINSLOT 0 5"])
      cluster.owners[0] = undefined
      assert.deepStrictEqual(
        yield* Effect.flip(run(cluster, Redis.clusterCountkeysinslot(0))),
        new RedisError.SlotNotCoveredError({ slot: 0 })
      )
      for (const slot of [16384, -1, 0.5]) {
        assert.strictEqual((yield* Effect.flip(run(cluster, Redis.clusterCountkeysinslot(slot))))._tag, "DataError")
      }
    }))

  it.effect("views are those of the command", () =>
    Effect.gen(function*() {
      const cluster = answering([[bulk("\xff")], [], []])
      assert.deepStrictEqual(yield* run(cluster, Redis.asBytes(Redis.keys())), [Uint8Array.of(255)])
      assert.strictEqual((yield* Effect.flip(run(cluster, Redis.keys())))._tag, "DecodeError")
      const replacing = plan(cluster, { crossSlot: "split", connection: { textDecoding: "replace" } }, Redis.keys())
      assert.isDefined(replacing)
      if (replacing !== undefined) assert.deepStrictEqual(yield* replacing, ["\ufffd"])
    }))
})

describe("Failures of one of several servers", () => {
  it.effect("a reply of another kind is refused as it would be by itself, and not left out", () =>
    Effect.gen(function*() {
      const wrongs: ReadonlyArray<
        readonly [command: RedisCommand.Any, right: Resp.Value, wrong: ReadonlyArray<Resp.Value>]
      > = [
        [Redis.dbsize(), 1, ["OK", null, 1.5, [1]]],
        [Redis.lastsave(), 1_700_000_000, ["OK", 1.5, [1]]],
        [Redis.clusterCountFailureReports("id"), 1, ["OK", null, 1.5, [1]]],
        [Redis.keys(), [bulk("k")], ["OK", null, 1]],
        [Redis.pubsubChannels(), [bulk("k")], ["OK", null, 1]],
        [Redis.pubsubNumsub("c"), [bulk("c"), 1], ["OK", null, 1, [], [bulk("c"), bulk("x")], [bulk("c"), 1, "d", 1]]],
        [Redis.scriptExists("sha"), [1], ["OK", null, 1, [], [[1]], [1, 1]]],
        [Redis.clientList(), text(client(1)), [null, 1, []]],
        [Redis.slowlogGet(), [entry(1, 1)], ["OK", null, 1, [1]]],
        [Redis.functionList(), [library("l")], ["OK", null, 1]]
      ]
      for (const [command, right, wrong] of wrongs) {
        for (const reply of wrong) {
          const cluster = makeFake((address) => (address === "n2" ? reply : right))
          const exit = yield* Effect.exit(run<unknown>(cluster, command))
          const outcome = Exit.isFailure(exit) ? Runtime.errorOf(exit.cause)?._tag : exit.value
          assert.strictEqual(outcome, "DecodeError", `${command} of ${String(reply)}`)
        }
      }
    }))

  it.effect("CLR-14: fail the whole", () =>
    Effect.gen(function*() {
      const cluster = makeFake((address) => (address === "n2" ? error("ERR no") : 1))
      assert.strictEqual((yield* Effect.flip(run(cluster, Redis.dbsize())))._tag, "ResponseError")
    }))

  it.effect("CLR-14: when others have done it, repeating the whole is not safe", () =>
    Effect.gen(function*() {
      for (const delivery of ["not-sent", "unknown"] as const) {
        const cluster = makeFake((address) => (address === "n2" ? lost(delivery, false) : "OK"))
        const error = yield* Effect.flip(run(cluster, Redis.flushall()))
        assert.strictEqual(error._tag, "ConnectionError")
        assert.isFalse(RedisError.isSafeToRetry(error))
        assert.strictEqual(cluster.sent.length, 3)
      }
    }))

  it.effect("CKL-28: a replica that is down keeps no script from the masters", () =>
    Effect.gen(function*() {
      const cluster = makeFake((address) => (address === "r2" ? lost("unknown") : bulk("sha")))
      assert.strictEqual(yield* run(cluster, Redis.scriptLoad("return 1")), "sha")
      assert.strictEqual(cluster.sent.length, 6)
      const master = makeFake((address) => (address === "n2" ? lost("unknown") : bulk("sha")))
      assert.strictEqual((yield* Effect.flip(run(master, Redis.scriptLoad("return 1"))))._tag, "ConnectionError")
    }))

  it.effect("CKL-28: a replica that is silent is not waited for long", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      const cluster = makeFake((address) =>
        address === "r2" ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : bulk("sha")
      )
      const fiber = yield* Effect.forkChild(run(cluster, Redis.scriptLoad("return 1")))
      yield* Deferred.await(reached)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "sha")
    }))
})

describe("Commands for one server", () => {
  it("CKL-02, CKL-03, CKL-04, CKL-10, CKL-19, CKL-33: are left to the router", () => {
    const commands = [
      Redis.echo("text"),
      Redis.time(),
      Redis.info(),
      Redis.configGet("*"),
      Redis.clusterInfo(),
      Redis.clusterNodes(),
      Redis.clusterSlots(),
      Redis.functionStats(),
      Redis.memoryStats(),
      Redis.publish("channel", "message"),
      RedisSearch.ftSearch("index", "*"),
      RedisTimeSeries.tsMget(["a=b"]),
      RedisTimeSeries.tsMrange("-", "+", ["a=b"]),
      RedisTimeSeries.tsMrevrangeGroupby("-", "+", ["a=b"], { label: "a", reduce: "max" }),
      RedisTimeSeries.tsQueryindex("a=b"),
      RedisTimeSeries.tsQuerylabels()
    ]
    const cluster = makeFake(() => null)
    assert.deepStrictEqual(
      commands.map((command) => plan(cluster, options("split"), command)),
      commands.map(() => undefined)
    )
  })
})

describe("Refused commands", () => {
  const refused: ReadonlyArray<readonly [ids: string, command: RedisCommand.Any]> = [
    ["CKL-12", Redis.clientId()],
    ["CKL-12", Redis.clientGetname()],
    ["CKL-31", Redis.scriptDebug("yes")],
    ["CKL-35", Redis.aclCat()],
    ["CKL-35", Redis.aclDeluser("u")],
    ["CKL-35", Redis.aclGenpass()],
    ["CKL-35", Redis.aclGetuser("u")],
    ["CKL-35", Redis.aclHelp()],
    ["CKL-35", Redis.aclList()],
    ["CKL-35", Redis.aclLoad()],
    ["CKL-35", Redis.aclLog()],
    ["CKL-35", Redis.aclSave()],
    ["CKL-35", Redis.aclSetuser("u")],
    ["CKL-35", Redis.aclUsers()],
    ["CKL-35", Redis.aclWhoami()],
    ["CKL-36", Redis.move("k", 1)],
    ["CKL-36", Redis.wait(1, 5)],
    ["CKL-36", Redis.waitaof(1, 0, 5)],
    ["CKL-36", Redis.shutdown()],
    ["CKL-36", Redis.slaveof()],
    ["CKL-36", Redis.replicaof()],
    ["CKL-36", Redis.scriptKill()],
    ["CKL-36", Redis.functionKill()],
    ["CKL-37", Redis.sentinelMasters()],
    ["CKL-37", Redis.sentinelGetMasterAddrByName("m")],
    ["CKL-38", Redis.send("MONITOR")],
    ["CKR-07", Redis.swapdb(0, 1)],
    ["CKR-07", Redis.clientUnblock(7)],
    ["CKR-07", Redis.clusterMeet("h", 1)],
    ["CKR-07", Redis.clusterSetslot(1, { stable: true })],
    ["CKR-07", Redis.clusterReset()],
    ["CKR-06", Redis.readonly()],
    ["CKR-06", Redis.readwrite()],
    ["one connection", Redis.himportPrepare("u", "f")],
    ["one connection, by name", Redis.send("HIMPORT", "DISCARD", "u")],
    ["one server", Redis.backupStart()],
    ["each server", Redis.backupStatus()],
    ["a server's users", Redis.aclSetrole("r")],
    ["a subcommand nobody knows", Redis.send("CLUSTER NONSENSE", "k")],
    ["in small letters", Redis.send("client no-evict", "on")],
    ["another database, in small letters", Redis.send("move", Core.RedisArg.key("k"), 1)],
    ["SLOT-STATS in an order", Redis.clusterSlotStatsOrderby("key-count")]
  ]
  for (const [title, command] of refused) {
    it.effect(`${title}: ${words(command).join(" ")} is refused unsent, and says what to do`, () =>
      Effect.gen(function*() {
        const cluster = makeFake(() => "OK")
        const error = yield* Effect.flip(run(cluster, command))
        assert.strictEqual(error._tag, "ClusterUnsupportedError")
        assert.strictEqual("command" in error ? error.command : "", command.spec.name)
        assert.match(error.message, /is not supported on a cluster: .{20,}[^.]$/s)
        assert.deepStrictEqual(cluster.sent, [])
      }))
  }

  it.effect("CKR-06: a command that nothing tells the server of is refused", () =>
    Effect.gen(function*() {
      const cluster = makeFake(() => "OK")
      const error = yield* Effect.flip(run(cluster, Redis.send("NEWCOMMAND")))
      assert.strictEqual(error._tag, "ClusterUnsupportedError")
      assert.include(error.message, "no key")
    }))

  it.effect("CKR-02: scripts without keys are refused, and with keys of several slots", () =>
    Effect.gen(function*() {
      const cluster = makeFake(() => "OK")
      for (
        const command of [
          Redis.eval("return 1"),
          Redis.evalsha("sha"),
          Redis.fcall("f", [], ["a"]),
          Redis.send("EVAL", "return 1", 0, "a")
        ]
      ) {
        assert.strictEqual((yield* Effect.flip(run(cluster, command)))._tag, "ClusterUnsupportedError")
      }
      for (
        const command of [
          Redis.eval("return 1", [keyOn.n1, keyOn.n2]),
          Redis.send("EVAL", "return 1", 2, keyOn.n1, keyOn.n2),
          Redis.send("xread", "COUNT", 1, "streams", keyOn.n1, keyOn.n2, "0", "0")
        ]
      ) {
        assert.strictEqual((yield* Effect.flip(run(cluster, command)))._tag, "CrossSlotError")
      }
      assert.deepStrictEqual(cluster.sent, [])
    }))
})

describe("The table of rules", () => {
  it("CKL-39: every command without a key has a rule, and no command with keys has one", async () => {
    const keyed = new Set(
      (await loadRows()).flatMap(([, command]) => (RedisCommand.keys(command).length > 0 ? [command.spec.name] : []))
    )
    // Its rows have none, but it may.
    keyed.add("EVALSHA_RO")
    const keyless = definitions.filter((name) => !keyed.has(name))
    assert.isAbove(keyless.length, 200)
    assert.deepStrictEqual(keyless.filter((name) => ruleOf(name) === undefined), [])
    assert.deepStrictEqual([...keyed].filter((name) => ruleOf(name) !== undefined), ["MOVE"])
  })

  it("has every name once, in capitals", () => {
    const names = table.flatMap(([, names]) => names.split(", "))
    assert.deepStrictEqual(names.filter((name) => name !== name.toUpperCase()), [])
    assert.strictEqual(rules.size, names.length)
  })
})

/** The names of all commands that the core defines. */
const definitions = [
  ...new Set(
    Object.values(Core).flatMap((members) => Object.values(members)).flatMap((value: unknown) =>
      typeof value === "function" && "spec" in value && value.spec instanceof RedisCommand.Spec ? [value.spec.name] : []
    )
  )
]
