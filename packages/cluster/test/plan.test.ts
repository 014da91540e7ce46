import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisSearch, RedisTimeSeries } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { runInNewContext } from "node:vm"
import { plan, refusalInBatch, routingKey } from "../src/internal/routing/plan.ts"
import { keyOn, makeFake, options, words } from "./fixtures/FakeCluster.ts"

/** The class of these bytes is not that of the others. */
const stranger: Uint8Array = runInNewContext("Uint8Array.of(107)")

const line = (command: RedisCommand.Any): string => words(command).join(" ")

const routed: ReadonlyArray<readonly [ids: string, command: RedisCommand.Any, key: RedisArg.Key | undefined]> = [
  ["CKR-01", Redis.get("k"), "k"],
  ["CKR-01", Redis.send("GET", "k"), "k"],
  ["CKR-01", Redis.send("new.command", Uint8Array.of(255), "x"), Uint8Array.of(255)],
  ["CKR-01", Redis.send("GET", 5), "5"],
  ["CKR-01, another realm", Redis.send("new.command", stranger), stranger],
  ["CKR-01, ESC-05", Redis.send("NEW.COMMAND", "option", RedisArg.key("k")), "k"],
  ["CKR-02", Redis.eval("return 1", ["k", "k"]), "k"],
  ["CKR-02", Redis.send("EVAL", "return 1", 1, "k", "argument"), "k"],
  ["CKR-02", Redis.send("evalsha_ro", "sha", 2, "k", "l"), "k"],
  ["CKR-02", Redis.send("FCALL", "f", 1, "k"), "k"],
  ["CKR-02", Redis.eval("return 1"), undefined],
  ["CKR-02", Redis.send("EVAL", "return 1", "many", "k"), undefined],
  ["CKR-03", Redis.xread({ k: "0" }), "k"],
  ["CKR-03", Redis.send("XREAD", "COUNT", 1, "STREAMS", "k", "0"), "k"],
  ["CKR-03", Redis.send("XREADGROUP", "GROUP", "g", "c", "streams", "k", "l", ">", ">"), "k"],
  ["CKR-03", Redis.send("XREAD", "COUNT", 1), undefined],
  ["CKR-04", Redis.objectEncoding("k"), "k"],
  ["CKR-04", Redis.send("OBJECT", "ENCODING", "k"), "k"],
  ["CKR-04", Redis.send("MEMORY USAGE", "k"), "k"],
  ["CKR-04", Redis.send("debug", "object", "k"), "k"],
  ["CKR-05", Redis.publish("channel", "message"), "channel"],
  ["CKR-05", Redis.spublish("channel", "message"), "channel"],
  ["CKR-07", Redis.migrate("host", 1, "k", 0, 5), "k"],
  ["CKR-07", Redis.send("MIGRATE", "host", 1, "k", 0, 5), "k"],
  ["ESC-05", Redis.send("ZINTERCARD", 2, "k", "l"), "k"],
  ["ESC-05", Redis.send("BLMPOP", 0, 1, "k", "LEFT"), "k"],
  ["ESC-05", Redis.send("BITOP", "NOT", "k", "l"), "k"],
  ["ESC-05", Redis.send("ZUNIONSTORE", "k", 1, "l"), "k"],
  ["Redis 8.8", Redis.armset("k", [[0, "a"]]), "k"],
  ["Redis 8.8", Redis.increx("k", { by: 2 }), "k"],
  ["Redis 8.8", Redis.xnack("k", "g", "fail", ["1-0"]), "k"],
  ["Redis 8.10", Redis.sunioncard(["k", "k"]), "k"],
  ["Redis 8.10", Redis.send("SUNIONCARD", 2, "k", "k"), "k"],
  ["Redis 8.10", Redis.send("sdiffcard", 1, "k", "LIMIT", 5), "k"],
  ["Redis 8.10", Redis.lmovem("k", "k", "left", "left"), "k"],
  ["Redis 8.10", Redis.send("BLMOVEM", "k", "k", "LEFT", "LEFT", 0), "k"],
  ["Redis 8.10", Redis.himportSet("k", "u", "v"), "k"],
  ["Redis 8.10", Redis.send("himport set", "k", "u", "v"), "k"],
  ["Valkey 9.2", Redis.phmget("k", [["p", ["f"]]]), "k"],
  ["Valkey 9.2", Redis.send("PHLONGEST", "k", "a/b"), "k"],
  ["FT.*", RedisSearch.ftSearch("index", "*"), "index"],
  ["FT.*", RedisSearch.ftCursorRead("index", 7), "index"],
  ["FT.*", Redis.send("FT.CURSOR", "READ", "index", 7), "index"],
  ["FT.*", RedisSearch.ftAliaslist("index"), "index"],
  ["TS.*", RedisTimeSeries.tsNrange(["k", "{k}2"], "-", "+"), "k"],
  ["TS.*", Redis.send("TS.NRANGE", 2, "k", "{k}2", "-", "+"), "k"],
  ["TS.*", RedisTimeSeries.tsMget(["a=b"]), undefined],
  ["TS.*", RedisTimeSeries.tsQuerylabels(), undefined],
  ["CKL-02", Redis.echo("text"), undefined],
  ["CKL-05", Redis.dbsize(), undefined],
  ["CKL-34", Redis.clusterCountkeysinslot(5), undefined],
  ["no keys, and nothing to send", Redis.del(), undefined]
]

describe("routingKey", () => {
  for (const [ids, command, key] of routed) {
    it(`${ids}: of ${command.settled === undefined ? line(command) : command.spec.name}`, () => {
      assert.deepStrictEqual(routingKey(command), key)
    })
  }
})

describe("plan", () => {
  it("leaves what is for one slot to the router", () => {
    const cluster = makeFake(() => null)
    const commands = [
      Redis.get("k"),
      Redis.mget("{x}1", "{x}2"),
      Redis.rename("{x}1", "{x}2"),
      Redis.bitop("not", "{x}1", "{x}2"),
      Redis.sscan("k"),
      Redis.hscan("k"),
      Redis.zscan("k"),
      Redis.set("k", "v", { nx: true, ex: 5 }),
      Redis.del(),
      Redis.mset({}),
      Redis.send("ANY", "k")
    ]
    for (const policy of ["split", "emulate", "reject"] as const) {
      for (const command of commands) assert.isUndefined(plan(cluster, options(policy), command), command.spec.name)
    }
  })
})

describe("refusalInBatch", () => {
  const allowed = [
    Redis.get("k"),
    Redis.del("{x}1", "{x}2"),
    Redis.rename("{x}1", "{x}2"),
    Redis.eval("return 1", ["k"]),
    Redis.publish("channel", "message"),
    Redis.sort("k"),
    Redis.send("ANY", "k"),
    Redis.del()
  ]
  it("CPL-07, CPL-08: allows what is for one slot", () => {
    for (const command of allowed) assert.isUndefined(refusalInBatch(command), command.spec.name)
  })

  const refused = [
    Redis.bgrewriteaof(),
    Redis.bgsave(),
    Redis.clientGetname(),
    Redis.clientKill("1:1"),
    Redis.clientList(),
    Redis.clientSetname("n"),
    Redis.configGet("*"),
    Redis.configResetstat(),
    Redis.configRewrite(),
    Redis.configSet("a", "b"),
    Redis.dbsize(),
    Redis.echo("text"),
    Redis.flushall(),
    Redis.flushdb(),
    Redis.info(),
    Redis.keys(),
    Redis.lastsave(),
    Redis.move("k", 1),
    Redis.ping(),
    Redis.randomkey(),
    Redis.save(),
    Redis.scan(),
    Redis.scriptExists("sha"),
    Redis.scriptFlush(),
    Redis.scriptKill(),
    Redis.scriptLoad("return 1"),
    Redis.sentinelMasters(),
    Redis.shutdown(),
    Redis.slaveof(),
    Redis.slowlogGet(),
    Redis.slowlogLen(),
    Redis.slowlogReset(),
    Redis.time(),
    Redis.send("MULTI"),
    Redis.send("WATCH", "k"),
    Redis.send("UNWATCH"),
    Redis.eval("return 1"),
    Redis.clusterCountkeysinslot(5)
  ]
  for (const command of refused) {
    it(`CPL-07, CPL-08: refuses ${line(command)}`, () => {
      const error = refusalInBatch(command)
      assert.strictEqual(error?._tag, "ClusterUnsupportedError")
      assert.match(error?.message ?? "", /is not supported on a cluster: .{20,}[^.]$/s)
    })
  }

  it("CPL-07, CPL-08: refuses keys of several slots", () => {
    const { n1, n2 } = keyOn
    const commands = [
      Redis.del(n1, n2),
      Redis.mget(n1, n2),
      Redis.mset({ [n1]: "1", [n2]: "2" }),
      Redis.rename(n1, n2),
      Redis.brpoplpush(n1, n2),
      Redis.sunionstore(n1, n2),
      Redis.pfmerge(n1, n2),
      Redis.send("EVALSHA", "sha", 2, n1, n2)
    ]
    for (const command of commands) {
      assert.strictEqual(refusalInBatch(command)?._tag, "CrossSlotError", command.spec.name)
    }
    assert.strictEqual(
      refusalInBatch(Redis.mget(n1, n2))?.message,
      "The keys of MGET lie in different hash slots. In pipelines and transactions no command is split: " +
        "run it by itself, or give them a common {hash tag}."
    )
    assert.strictEqual(
      refusalInBatch(Redis.sunionstore(n1, n2))?.message,
      "The keys of SUNIONSTORE lie in different hash slots. Give them a common {hash tag}."
    )
  })
})
