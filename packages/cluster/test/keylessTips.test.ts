/**
 * Compares the rules for commands of several servers with what a live server advises clients of clusters to do.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import { ruleOf, rules } from "../src/internal/keyless/rules.ts"
import { splits } from "../src/internal/multiKey/crossSlot.ts"
import * as Merge from "../src/internal/multiKey/merge.ts"

/** Commands for which another rule was chosen than servers advise. */
const others: ReadonlyArray<{ readonly commands: string; readonly reason: string }> = [
  {
    commands:
      "INFO, FUNCTION STATS, LATENCY DOCTOR, LATENCY GRAPH, LATENCY HISTOGRAM, LATENCY HISTORY, LATENCY LATEST, " +
      "MEMORY DOCTOR, MEMORY MALLOC-STATS, MEMORY STATS",
    reason: "what one server says of itself; RedisCluster.perNode asks them all"
  },
  {
    commands: "HOTKEYS GET, HOTKEYS RESET, HOTKEYS START, HOTKEYS STOP",
    reason: "each server has hot keys of its own"
  },
  {
    commands: "ACL DELUSER, ACL SAVE, ACL SETUSER",
    reason: "users are changed on each server knowingly, or not at all"
  },
  { commands: "FUNCTION KILL, SCRIPT KILL", reason: "what runs, runs on one server" },
  { commands: "WAIT, WAITAOF", reason: "they wait for what their own connection wrote" },
  { commands: "PING", reason: "replicas are asked too" },
  { commands: "MSETNX", reason: "all or nothing is lost by splitting it" },
  { commands: "CLUSTERSCAN", reason: "its cursor tells the slot, and is taken for a key" },
  { commands: "RANDOMKEY", reason: "one server with a key is enough" },
  { commands: "CLUSTER SLOT-STATS", reason: "only what a range of slots is asked about can be put together" }
]

/** Commands that go to several servers although they do not advise it. */
const ours: ReadonlyArray<{ readonly commands: string; readonly reason: string }> = [
  { commands: "SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE", reason: "what is to be safe is all of the data" },
  {
    commands: "CLIENT LIST, CLIENT PAUSE, CLIENT UNPAUSE",
    reason: "the clients of a cluster are those of its servers"
  },
  {
    commands: "PUBSUB CHANNELS, PUBSUB NUMPAT, PUBSUB NUMSUB, PUBSUB SHARDCHANNELS, PUBSUB SHARDNUMSUB",
    reason: "every server knows its own subscribers only"
  },
  { commands: "FUNCTION LIST", reason: "a library that a master lacks is not loaded" },
  { commands: "CLUSTER COUNT-FAILURE-REPORTS, CLUSTER SAVECONFIG", reason: "every server has its own" },
  { commands: "FT.CONFIG, FT.CONFIG SET", reason: "the module advises nothing" },
  {
    commands: "CLIENT SETINFO, CLIENT SETNAME, COMMANDLOG GET, COMMANDLOG LEN, COMMANDLOG RESET, CONFIG RESETSTAT, " +
      "CONFIG REWRITE, CONFIG SET",
    reason: "not every server has them, or advises it"
  }
]

const namesOf = (list: ReadonlyArray<{ readonly commands: string }>): ReadonlySet<string> =>
  new Set(list.flatMap(({ commands }) => commands.split(", ")))

/** The merges that do what a policy for replies says. */
const merges: Readonly<Record<string, ReadonlyArray<Merge.Merge>>> = {
  agg_sum: [Merge.sum],
  agg_min: [Merge.least],
  agg_logical_and: [Merge.everywhere],
  // An error fails the whole in any case.
  all_succeeded: [Merge.succeeded, Merge.same, Merge.sum]
}

/** Whether a rule is what the tips of a command say. */
const follows = (name: string, request: string, response: string | undefined): boolean => {
  const rule = ruleOf(name)
  if (request === "multi_shard") return splits.has(name)
  if (rule === undefined) return false
  if (rule.to === "special") return request === "special"
  if (rule.to !== "masters" && rule.to !== "nodes" && rule.to !== "reachable") return false
  const merged = response === undefined || response === "special" || merges[response]?.includes(rule.merge) === true
  return merged && request === (rule.to === "masters" ? "all_shards" : "all_nodes")
}

describe("Rules and the tips of servers", () => {
  let advised: ReadonlyMap<string, readonly [request: string, response: string | undefined]>
  beforeAll(async () => {
    const infos = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const { host, port } = yield* RedisServer.make()
      return yield* Effect.provide(Redis.command(), NodeRedisClient.layer({ host, port }), { local: true })
    })))
    advised = new Map(
      infos.flatMap((info) => [info, ...info.subcommands]).flatMap(({ name, tips }) => {
        const policy = (kind: string) => tips.find((tip) => tip.startsWith(`${kind}_policy:`))?.split(":")[1]
        const request = policy("request")
        return request === undefined
          ? []
          : [[name.replace("|", " ").toUpperCase(), [request, policy("response")]] as const]
      })
    )
  })

  it("CKL-39: rules are what servers advise, but for exceptions", (context) => {
    if (advised.size === 0) return context.skip("the server has no tips")
    const exceptions = namesOf(others)
    const differing = [...advised].filter(([name, [request, response]]) => !follows(name, request, response))
    assert.deepStrictEqual(differing.map(([name]) => name).filter((name) => !exceptions.has(name)), [])
  })

  it("what goes to several servers is advised, but for exceptions", (context) => {
    if (advised.size === 0) return context.skip("the server has no tips")
    const exceptions = namesOf(ours)
    const several = [...rules].filter(([, { to }]) => to === "masters" || to === "nodes" || to === "reachable")
    assert.deepStrictEqual(
      several.map(([name]) => name).filter((name) => !advised.has(name) && !exceptions.has(name)),
      []
    )
  })

  it("exceptions are needed", (context) => {
    if (advised.size === 0) return context.skip("the server has no tips")
    const stale = [...namesOf(others)].filter((name) => {
      const tips = advised.get(name)
      return tips !== undefined && follows(name, ...tips)
    })
    assert.deepStrictEqual(stale, [])
    assert.deepStrictEqual([...namesOf(ours)].filter((name) => !rules.has(name)), [])
  })
})
