/**
 * What a client needs by ACL: each feature with a user who has exactly what
 * docs/security.md says. Without any one of these it is refused.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient, RedisLock, RedisReply as Reply, RedisScript } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const page = readFileSync(join(import.meta.dirname, "../docs/security.md"), "utf8")

/** The rows of a table of the page: the feature and its permissions. */
const rows = (heading: string): ReadonlyMap<string, ReadonlyArray<string>> => {
  const section = page.split(`### ${heading}\n`)[1]?.split("\n#")[0] ?? ""
  return new Map(
    [...section.matchAll(/^\| ([^|]+?) +\| `([^`]+)`/gm)].map((
      [, feature = "", rules = ""]
    ) => [feature, rules.replaceAll("\\|", "|").split(" ")])
  )
}

type Program = Effect.Effect<unknown, unknown, RedisClient.RedisClient>

const script = RedisScript.make({
  name: "acl",
  lua: "return redis.call('GET', KEYS[1])",
  keys: (key: string) => [key],
  result: Reply.nullable(Reply.text)
})

/** What each row of the tables is for. */
const features: Readonly<Record<string, Program>> = {
  "plain commands": Effect.andThen(Redis.set("k", "v"), Redis.get("k")),
  "blocking commands": Effect.andThen(Redis.rpush("l", "v"), Redis.blpop("l", "1 second")),
  "transactions": Redis.transaction([Redis.set("k", "v"), Redis.get("k")]),
  "`Redis.watch`": Redis.watch("k", Effect.map(Redis.get("k"), () => [Redis.set("k", "v")])),
  "pub/sub": Effect.gen(function*() {
    const client = yield* RedisClient.RedisClient
    yield* Stream.runHead(Stream.merge(
      Redis.subscribe("news"),
      Stream.drain(
        Stream.fromEffectRepeat(Effect.delay(Effect.asVoid(client.execute(Redis.publish("news", "v"))), "20 millis"))
      )
    ))
  }),
  "keyspace events": Effect.gen(function*() {
    const client = yield* RedisClient.RedisClient
    yield* Stream.runHead(Stream.merge(
      Redis.keyspaceEvents(),
      Stream.drain(
        Stream.fromEffectRepeat(Effect.delay(Effect.asVoid(client.execute(Redis.set("k", "v"))), "20 millis"))
      )
    ))
  }),
  "scripts": Effect.andThen(script("k"), script("k")),
  "locks": Effect.gen(function*() {
    const lock = RedisLock.make("lock", { ttl: "10 seconds" })
    yield* Effect.scoped(lock.scoped)
    // It is free again only if it could be given back, which a second time is done by the digest of a script.
    yield* Effect.timeout(Effect.scoped(lock.scoped), "1 second")
    yield* Effect.timeout(Effect.scoped(lock.scoped), "1 second")
  }),
  "streams with a group": Effect.gen(function*() {
    yield* Effect.result(Redis.xgroupCreate("s", "g", "0", { mkstream: true }))
    yield* Redis.xadd("s", { a: "1" })
    const [read] = yield* Redis.xreadgroup("g", "c", { s: ">" })
    yield* Redis.xack("s", "g", read?.entries.map(({ id }) => id) ?? [])
  }),
  "scanning": Stream.runDrain(Redis.scanStream()),
  "a database other than 0": Redis.get("k"),
  "a name (`clientName`)": Redis.get("k"),
  "cached reads": Redis.cached(Redis.get("k"), { ttl: "1 minute" }),
  "slots and redirects": Effect.forEach(["a", "b", "c"], (key) => Redis.get(key)),
  "reads from replicas": Effect.forEach(["a", "b", "c"], (key) => Redis.get(key)),
  "data servers": Effect.andThen(Redis.set("k", "v"), Redis.get("k")),
  "asking sentinels": Effect.andThen(Redis.set("k", "v"), Redis.get("k"))
}

/** A user with these permissions and no other. */
const setUser = (name: string, rules: ReadonlyArray<string>) =>
  Redis.send("ACL", "SETUSER", name, "reset", "on", ">pw", ...rules)

const credentials = (username: string) => ({ username, password: Redacted.make("pw") })

type Connect = (username: string, feature: string) => Layer.Layer<RedisClient.RedisClient, unknown>

/** Each row works with all that it names, and with any one less it does not. */
const check = Effect.fnUntraced(function*(
  table: ReadonlyMap<string, ReadonlyArray<string>>,
  setUsers: (name: string, rules: ReadonlyArray<string>) => Effect.Effect<unknown, unknown>,
  connect: Connect
) {
  assert.isAbove(table.size, 0)
  for (const [feature, rules] of table) {
    const program = features[feature]
    assert.isDefined(program, feature)
    if (program === undefined) continue
    const run = (username: string, given: ReadonlyArray<string>) =>
      Effect.andThen(setUsers(username, given), Effect.provide(program, connect(username, feature))).pipe(
        Effect.timeoutOrElse({ duration: "8 seconds", orElse: () => Effect.fail("no answer") }),
        Effect.result
      )
    const whole = yield* run("exact", rules)
    assert.isTrue(Result.isSuccess(whole), `${feature}: ${Result.isFailure(whole) ? String(whole.failure) : ""}`)
    for (const rule of rules) {
      const less = yield* run("less", rules.filter((other) => other !== rule))
      assert.isTrue(Result.isFailure(less), `${feature} works without ${rule}`)
    }
  }
})

describe("A user who has exactly what docs/security.md says", () => {
  it.live("can use each feature on one server", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ config: { "notify-keyspace-events": "KEA" } })
      const admin = yield* Client.make(server)
      const { host, port } = server
      yield* check(
        rows("One server"),
        (name, rules) => Client.on(admin)(Effect.andThen(Redis.flushall(), setUser(name, rules))),
        (username, feature) =>
          NodeRedisClient.layer({
            host,
            port,
            ...credentials(username),
            commandTimeout: "2 seconds",
            ...(feature.startsWith("a database") ? { db: 1 } : {}),
            ...(feature.startsWith("a name") ? { clientName: "app" } : {})
          })
      )
    }).pipe(Effect.scoped), 60_000)

  it.live("can use a cluster", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisClusterServers.make({ replicas: 1 })
      const admins = yield* Effect.forEach(cluster.nodes, (node) => Client.make(node))
      yield* check(
        rows("A cluster"),
        (name, rules) => Effect.forEach(admins, (admin) => Client.on(admin)(setUser(name, rules))),
        (username, feature) =>
          NodeRedisClient.layerCluster({
            nodes: cluster.addresses,
            ...credentials(username),
            commandTimeout: "2 seconds",
            readFrom: feature.startsWith("reads") ? "preferReplica" : "master"
          })
      )
    }).pipe(Effect.scoped), 90_000)

  it.live("can use Sentinel", () =>
    Effect.gen(function*() {
      const group = yield* RedisSentinelServers.make({ replicas: 1, sentinels: 1, quorum: 1 })
      const data = yield* Effect.forEach(group.servers, (server) => Client.make(server))
      const sentinels = yield* Effect.forEach(group.sentinels, (server) => Client.make(server))
      const [sentinel] = group.addresses
      const tables = [["Servers behind Sentinel", data], ["Sentinels", sentinels]] as const
      const table = (heading: string) => rows(heading)
      for (const [heading, admins] of tables) {
        yield* check(
          table(heading),
          (name, rules) => Effect.forEach(admins, (admin) => Client.on(admin)(setUser(name, rules))),
          (username) =>
            NodeRedisClient.layerSentinel({
              sentinels: [sentinel],
              service: group.service,
              commandTimeout: "2 seconds",
              ...(heading === "Sentinels"
                ? { sentinelOptions: credentials(username) }
                : credentials(username))
            })
        )
      }
    }).pipe(Effect.scoped), 90_000)
})
