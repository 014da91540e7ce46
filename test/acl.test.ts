/**
 * What a client needs by ACL: each feature with a user who has exactly what
 * docs/security.md says. Without any one of these it is refused.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  Redis,
  RedisCache,
  RedisClient,
  RedisJobs,
  RedisKeyspace,
  RedisKeyValueStore,
  RedisLeader,
  RedisLock,
  RedisPersistence,
  RedisRateLimiter,
  RedisReply as Reply,
  RedisScript,
  RedisSemaphore
} from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { serversAreBefore } from "@redfx/testing/Suite"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CircuitBreaker, PersistedQueue, Persistence, RateLimiter } from "effect/persistence"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
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

/** For how long a program is waited for that a missing right may hold up. */
const patience = 4000

/**
 * How many times as long everything may take. Who has all rights is not held up by a missing one, so only the machine can take
 * that long.
 */
const Leisure = Context.Reference<number>("test/acl/Leisure", { defaultValue: () => 1 })
const leisurely = 25

/** Fails when an effect takes longer than so many milliseconds. */
const within = (milliseconds: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Leisure, (leisure) => Effect.timeout(effect, milliseconds * leisure))

/** What is done once may find a script missing; what is done again finds it. */
const twice = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.andThen(effect, effect)

const locking = (fencing: boolean): Program =>
  Effect.gen(function*() {
    const lock = RedisLock.make("lock", { ttl: "2 minutes", fencing })
    yield* Effect.scoped(lock.scoped)
    // It is free again only if it could be given back, which a second time is done by the digest of a script.
    yield* within(1000)(Effect.scoped(lock.scoped))
    yield* within(1000)(Effect.scoped(lock.scoped))
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
  "locks": locking(false),
  "locks with `fencing`": locking(true),
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

const increased = (value: Option.Option<string>) => `${Option.getOrElse(value, () => "")}+`

/** What each row of the table of tools and stores is for. What waits for what never comes has failed. */
const tools: Readonly<Record<string, Program>> = {
  "`RedisCache.layer`": Effect.provide(twice(Redis.get("k")), RedisCache.layer()),
  "`RedisCache.layer` with `prefixes`": Effect.provide(twice(Redis.get("k")), RedisCache.layer({ prefixes: ["k"] })),
  "`RedisRateLimiter.tokenBucket`": twice(
    RedisRateLimiter.tokenBucket("limit", { capacity: 5, every: "1 minute" }).take("a")
  ),
  // There is none left the second time.
  "`RedisRateLimiter.slidingWindow`": twice(
    RedisRateLimiter.slidingWindow("limit", { limit: 1, window: "1 minute" }).take("a")
  ),
  "`RedisSemaphore`": Effect.gen(function*() {
    const semaphore = RedisSemaphore.make("semaphore", { permits: 1, ttl: "2 minutes" })
    const use = Effect.scoped(Effect.flatMap(semaphore.scoped, (permit) => permit.extend("4 minutes")))
    // A permit that was not given back lets nobody in.
    yield* within(patience)(twice(twice(use)))
  }),
  "`RedisLeader`": Effect.gen(function*() {
    const leisure = yield* Leisure
    // Who may extend it does so after a third of it.
    const ttl = Math.min(leisure, 5) * 1000
    const election = RedisLeader.make("leader", { ttl: `${ttl} millis`, retryInterval: "10 millis" })
    let terms = 0
    const lead = election.run(Effect.suspend(() => {
      terms++
      return Effect.sleep(1.5 * ttl)
    }))
    yield* within(patience)(twice(lead))
    // A lease that could not be extended has begun another term, one that was not given back holds the next one up. Who has
    // all rights leads for longer than a lease in the end, whatever the machine has made of terms before.
    if (terms > 2 && leisure === 1) return yield* Effect.fail("lost the lead")
    const [left, counted] = yield* Effect.all([Redis.set("leader", "x", { nx: true }), election.leader])
    return left ? counted : yield* Effect.fail("did not resign")
  }),
  "`RedisJobs`": Effect.gen(function*() {
    const jobs = RedisJobs.make("jobs", { payload: Schema.String })
    const done = yield* Deferred.make<void>()
    yield* jobs.enqueue("now")
    yield* jobs.enqueue("later", { delay: "20 millis" })
    const worker = jobs.run(
      { worker: "w", pollInterval: "10 millis" },
      ({ payload }) => payload === "later" ? Deferred.succeed(done, undefined) : Effect.void
    )
    yield* within(patience)(Effect.raceFirst(worker, Deferred.await(done)))
    yield* jobs.counts
  }),
  "`RedisKeyspace`": Effect.gen(function*() {
    const users = RedisKeyspace.make({ key: "user:*", value: Schema.String })
    yield* users.set("1", "Ada")
    yield* users.get("1")
    yield* users.update("1", increased)
    yield* users.has("1")
    yield* Stream.runDrain(users.scan)
    yield* users.del("1")
  }),
  "`RedisKeyspace.makeHash`, its `commands`": Effect.gen(function*() {
    const { commands } = RedisKeyspace.makeHash({
      key: "user:*",
      value: Schema.Struct({ name: Schema.String }),
      ttl: "1 hour"
    })
    yield* commands.set("1", { name: "Ada" })
    yield* Redis.pipeline([commands.set("1", { name: "Eve" }), commands.get("1")])
  }),
  "`RedisKeyspace.makeCache`": Effect.scoped(Effect.gen(function*() {
    const pages = yield* RedisKeyspace.makeCache({
      key: "page:*",
      value: Schema.String,
      load: (id) => Effect.succeedSome(id),
      ttl: "1 minute"
    })
    yield* pages.getOrLoad("1")
    yield* pages.getOrLoad("2")
    yield* pages.del("1")
    if (Option.isNone(yield* pages.get("2"))) return yield* Effect.fail("not kept")
  })),
  "`RedisKeyValueStore`": Effect.gen(function*() {
    const store = yield* RedisKeyValueStore.make({ prefix: "settings:" })
    yield* store.set("a", "1")
    yield* store.get("a")
    yield* store.modify("a", (value) => `${value}+`)
    yield* store.has("a")
    yield* store.size
    yield* store.clear
    yield* store.remove("a")
  }),
  "`RedisPersistence.layerPersistence`": Effect.gen(function*() {
    const store = yield* (yield* Persistence.BackingPersistence).make("results")
    yield* store.set("a", { n: 1 }, undefined)
    yield* store.setMany([["b", { n: 2 }, undefined]])
    yield* store.get("a")
    yield* store.getMany(["a", "b"])
    yield* store.clear
    yield* store.remove("a")
  }).pipe(Effect.scoped, Effect.provide(RedisPersistence.layerBackingPersistence)),
  "`RedisPersistence.layerQueueStore`": Effect.gen(function*() {
    const queue = yield* PersistedQueue.make({
      name: "mails",
      schema: Schema.String,
      retrySchedule: Schedule.spaced(0)
    })
    const { cleanup } = yield* PersistedQueue.PersistedQueueStore
    // What a worker had that died.
    yield* Redis.hset("effectq:{mails}:queue:owners", { b: "effectq:{mails}:lock:of the dead" })
    yield* Redis.hset("effectq:{mails}:queue:pending", { b: JSON.stringify({ id: "b", element: "b" }) })
    yield* queue.take(Effect.succeed)
    yield* queue.offer("a", { id: "a" })
    yield* Effect.flip(queue.take(() => Effect.fail("boom")))
    yield* queue.take(Effect.succeed)
    yield* cleanup({ timeToLive: Duration.zero, failedTimeToLive: Duration.zero })
  }).pipe(
    within(patience),
    Effect.provide(
      Layer.provideMerge(PersistedQueue.layer, RedisPersistence.layerQueueStore({ pollInterval: "10 millis" }))
    )
  ),
  "`RedisPersistence.layerRateLimiterStore`": Effect.gen(function*() {
    const { consume } = yield* RateLimiter.RateLimiter
    const limit = { key: "a", limit: 5, window: "1 minute" } as const
    yield* twice(consume({ ...limit, algorithm: "fixed-window" }))
    yield* twice(consume({ ...limit, key: "b", algorithm: "token-bucket" }))
  }).pipe(Effect.provide(Layer.provide(RateLimiter.layer, RedisPersistence.layerRateLimiterStore()))),
  "`CircuitBreaker` on `RedisPersistence`": Effect.gen(function*() {
    const breaker = yield* CircuitBreaker.make({
      tripPolicy: CircuitBreaker.consecutive(1),
      openDuration: "10 millis",
      onStoreError: "fail"
    })
    yield* Effect.succeed("fine").pipe(breaker.execute({ key: "a" }))
    yield* breaker.state("a")
    yield* Effect.ignore(Effect.fail("boom").pipe(breaker.execute({ key: "a" })))
    if ((yield* breaker.state("a"))._tag !== "Open") return yield* Effect.fail("the circuit is not open")
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.provide(CircuitBreaker.layerStoreRedis(), RedisPersistence.layer))
  )
}

/** A user with these permissions and no other. */
const setUser = (name: string, rules: ReadonlyArray<string>) =>
  Redis.send("ACL", "SETUSER", name, "reset", "on", ">pw", ...rules)

const credentials = (username: string) => ({ username, password: Redacted.make("pw") })

/** Servers on which a user can be set, and what connects to them as one. */
interface Deployment {
  readonly setUsers: (name: string, rules: ReadonlyArray<string>) => Effect.Effect<unknown, unknown>
  readonly connect: (
    feature: string,
    options: { readonly username: string; readonly password: Redacted.Redacted; readonly commandTimeout: number }
  ) => Layer.Layer<RedisClient.RedisClient, unknown>
}

/** One server, as yet empty. */
const oneServer = Effect.fnUntraced(function*(
  options: RedisServer.RedisServerOptions,
  more: (feature: string) => { readonly db?: number; readonly clientName?: string }
) {
  const server = yield* RedisServer.make(options)
  const admin = yield* Client.make(server)
  const { host, port } = server
  const deployment: Deployment = {
    setUsers: (name, rules) => Client.on(admin)(setUser(name, rules)),
    connect: (feature, options) => NodeRedisClient.layer({ host, port, ...options, ...more(feature) })
  }
  return deployment
})

/**
 * Each row works with all that it names, and with any one less it does not. A missing right holds many up until their patience
 * is over: where each attempt opens a deployment of its own, several can be made at a time.
 */
const check = Effect.fnUntraced(function*(
  table: ReadonlyMap<string, ReadonlyArray<string>>,
  open: Effect.Effect<Deployment, unknown, Scope.Scope>,
  concurrency: number
) {
  assert.isAbove(table.size, 0)
  const attempts = [...table].flatMap(([feature, rules]) => [
    { feature, missing: undefined, given: rules },
    ...rules.map((rule) => ({ feature, missing: rule, given: rules.filter((other) => other !== rule) }))
  ])
  const attempt = Effect.fnUntraced(function*({ feature, given, missing }: typeof attempts[number]) {
    const program = { ...features, ...tools }[feature]
    assert.isDefined(program, feature)
    if (program === undefined) return []
    const { connect, setUsers } = yield* open
    const [username, leisure] = missing === undefined ? ["exact", leisurely] : ["less", 1]
    const layer = connect(feature, { ...credentials(username), commandTimeout: 2000 * leisure })
    const result = yield* Effect.andThen(setUsers(username, given), Effect.provide(program, layer)).pipe(
      within(8000),
      Effect.provideService(Leisure, leisure),
      Effect.result
    )
    if (missing === undefined) return Result.isFailure(result) ? [`${feature}: ${String(result.failure)}`] : []
    return Result.isSuccess(result) ? [`${feature} works without ${missing}`] : []
  }, Effect.scoped)
  const problems = yield* Effect.forEach(attempts, attempt, { concurrency })
  assert.deepStrictEqual(problems.flat(), [])
})

// Before that there are neither rights to channels nor users of sentinels.
describe.skipIf(serversAreBefore(6, 2))("A user who has exactly what docs/security.md says", () => {
  it.live("can use each feature on one server", () =>
    check(
      rows("One server"),
      oneServer({ config: { "notify-keyspace-events": "KEA" } }, (feature) => ({
        ...(feature.startsWith("a database") ? { db: 1 } : {}),
        ...(feature.startsWith("a name") ? { clientName: "app" } : {})
      })),
      8
    ))

  it.live("can use each tool and store that is made of commands", () =>
    check(rows("What is made of commands"), oneServer({}, () => ({})), 8))

  it.live("can use a cluster", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisClusterServers.make({ replicas: 1 })
      const admins = yield* Effect.forEach(cluster.nodes, (node) => Client.make(node))
      yield* check(
        rows("A cluster"),
        Effect.succeed({
          setUsers: (name, rules) => Effect.forEach(admins, (admin) => Client.on(admin)(setUser(name, rules))),
          connect: (feature, options) =>
            NodeRedisClient.layerCluster({
              nodes: cluster.addresses,
              ...options,
              readFrom: feature.startsWith("reads") ? "preferReplica" : "master"
            })
        }),
        1
      )
    }).pipe(Effect.scoped))

  it.live("can use Sentinel", () =>
    Effect.gen(function*() {
      const group = yield* RedisSentinelServers.make({ replicas: 1, sentinels: 1, quorum: 1 })
      const data = yield* Effect.forEach(group.servers, (server) => Client.make(server))
      const sentinels = yield* Effect.forEach(group.sentinels, (server) => Client.make(server))
      const [sentinel] = group.addresses
      const tables = [["Servers behind Sentinel", data], ["Sentinels", sentinels]] as const
      for (const [heading, admins] of tables) {
        yield* check(
          rows(heading),
          Effect.succeed({
            setUsers: (name, rules) => Effect.forEach(admins, (admin) => Client.on(admin)(setUser(name, rules))),
            connect: (_, { commandTimeout, ...own }) =>
              NodeRedisClient.layerSentinel({
                sentinels: [sentinel],
                service: group.service,
                commandTimeout,
                ...(heading === "Sentinels" ? { sentinelOptions: own } : own)
              })
          }),
          1
        )
      }
    }).pipe(Effect.scoped))
})
