/**
 * What programs do with a client, each in as few steps as show how it is begun, waited for and ended.
 */
import { Redis, RedisCache, RedisClient, RedisKeyspace, RedisLock, RedisPool, RedisStream } from "@redfx/core"
import type { Command } from "@redfx/testing/RequestParser"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { inspect } from "node:util"
import * as Topology from "../ledger/topology.ts"
import * as World from "../ledger/world.ts"
import type { Operation, Stage } from "./trial.ts"

const together = <E, R>(effects: ReadonlyArray<Effect.Effect<unknown, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

const get = Redis.get("k")
const reserved = Redis.withConnection(get)

/** Opens a connection that callers share, and one for a caller alone. */
const open = Effect.andThen(get, reserved)

// -----------------------------------------------------------------------------
// What is left
// -----------------------------------------------------------------------------

const isEqual = ({ wrong }: Stage, what: string, found: unknown, wanted: unknown): void => {
  if (inspect(found) !== inspect(wanted)) wrong.push(`${what}: ${inspect(found)}, not ${inspect(wanted)}`)
}

const topics = ({ world }: Stage): ReadonlyArray<string> =>
  [...world.links].filter(({ node }) => node.kind === "data").flatMap((
    { channels, patterns }
  ) => [...channels, ...patterns])

const noTopic = (stage: Stage): void => isEqual(stage, "what is subscribed to", topics(stage), [])

const noKey = (key: string) => (stage: Stage): void =>
  isEqual(stage, `whether ${key} is there`, stage.world.store.call("EXISTS", key), 0)

// -----------------------------------------------------------------------------
// Parts
// -----------------------------------------------------------------------------

const lock = RedisLock.make("lock", { ttl: "1 minute", retryInterval: "30 millis" })

/** Something that only one may be in at a time. */
const alone = ({ wrong }: Stage) => {
  let inside = 0
  return Effect.acquireUseRelease(
    Effect.sync(() => {
      if (++inside > 1) wrong.push("two are in at a time")
    }),
    () => Effect.sleep(5),
    () => Effect.sync(() => void inside--)
  )
}

/** Publishes until an effect has ended, and gives its result. */
const hearing = <A, E, R>({ other }: Stage, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    while (fiber.pollUnsafe() === undefined) {
      yield* other.execute(Redis.publish("news", "x"))
      yield* Effect.sleep(10)
    }
    return yield* Fiber.join(fiber)
  })

const news = Effect.map(Stream.runHead(Redis.subscribe("news")), (message) => Option.getOrUndefined(message)?.data)

/** Has another server become the master of everything, or of the slot of `k`. */
const failOver = (how: "failover" | "demote") => ({ world }: Stage) =>
  Effect.sync(() => {
    const command: Command = { name: "SET", args: ["SET", "k", "1"], bytes: [] }
    Topology.failOver(world, command, how)
  })

/** Tries again, as the client may find out about a change of masters by what it loses. */
const insisting = Effect.retry({ times: 5, schedule: Schedule.spaced(20) })

const writes = together([Redis.set("k", "2"), Redis.withConnection(Redis.set("k", "2"))])

/** Writes around a change of masters. */
const changing = (how: "failover" | "demote") => (stage: Stage) =>
  Effect.andThen(insisting(Redis.set("k", "1")), Effect.andThen(failOver(how)(stage), insisting(writes)))

/** Adds an entry to a stream of its own, and consumes until that is handled. */
const consumed = Effect.suspend(() => {
  const stream = `stream${++streams}`
  return Effect.gen(function*() {
    yield* Redis.xadd(stream, { n: 1 })
    const done = yield* Deferred.make<void>()
    const consumer = {
      group: "group",
      consumer: "one",
      createGroup: "0",
      block: "100 millis",
      claimIdle: "1 second"
    } as const
    const consume = RedisStream.consume({ stream, ...consumer }, () => Deferred.succeed(done, undefined))
    yield* Effect.raceFirst(consume, Deferred.await(done))
  })
})

let streams = 0

const reading = Redis.cached(Redis.get("cached"), { ttl: "1 minute" })

const written = ({ connect, world }: Stage) =>
  Effect.gen(function*() {
    const client = yield* Effect.flatMap(connect({}), (client) => RedisCache.make(client))
    yield* together([client.execute(reading), client.execute(reading)])
    yield* client.execute(Redis.set("cached", "2"))
    for (const link of world.links) if (link.protocol === 3) World.answer(link, { push: ["invalidate", ["cached"]] })
    yield* Effect.sleep(5)
    return yield* client.execute(reading)
  })

const members = Effect.gen(function*() {
  const pool = yield* RedisPool.make({ host: "127.0.0.1", port: 7001, clientInfo: false, pool: { max: 2 } })
  const used = Effect.scoped(
    Effect.flatMap(pool.client, (client) => Effect.provideService(open, RedisClient.RedisClient, client))
  )
  yield* together([used, used])
  return (yield* pool.stats).exclusiveIdle
})

const renewed = ({ connect }: Stage) =>
  Effect.gen(function*() {
    const token = yield* SubscriptionRef.make({ username: "me", password: Redacted.make("first") })
    const client = yield* connect({ credentials: SubscriptionRef.changes(token) })
    yield* client.execute(get)
    yield* SubscriptionRef.set(token, { username: "me", password: Redacted.make("second") })
    yield* Effect.sleep(10)
    return yield* client.execute(get)
  })

const watched = (stage: Stage) => {
  let runs = 0
  return Redis.watch(
    "k",
    Effect.gen(function*() {
      const value = yield* get
      // Somebody else is faster the first time.
      if (++runs === 1) yield* Effect.orDie(stage.other.execute(Redis.set("k", "9")))
      return [Redis.set("copy", value ?? "none")]
    })
  )
}

const handle = (stage: Stage) =>
  Effect.gen(function*() {
    const handle = yield* Redis.pubsub()
    yield* handle.subscribe("a", "b")
    yield* handle.psubscribe("p*")
    yield* handle.unsubscribe("a")
    yield* handle.punsubscribe()
    yield* handle.subscribe("news")
    return yield* hearing(stage, Effect.map(Stream.runHead(handle.messages), Option.isSome))
  })

const counter = RedisKeyspace.makeCounter({ key: "count:*", ttl: "10 minutes" })

// -----------------------------------------------------------------------------
// All
// -----------------------------------------------------------------------------

const standalone = (
  name: string,
  run: Operation["run"],
  others: Partial<Operation> = {}
): Operation => ({ name, run, deployment: "standalone", before: open, ...others })

const cluster: typeof standalone = (name, run, others) =>
  standalone(name, run, {
    deployment: "cluster",
    before: together(["a", "b", "c"].map((key) => Redis.get(key))),
    ...others
  })

const sentinel: typeof standalone = (name, run, others) => standalone(name, run, { deployment: "sentinel", ...others })

export const operations: ReadonlyArray<Operation> = [
  standalone("the first command", () => get, { before: Effect.void }),
  standalone("the first connections", () => together([get, Redis.set("k2", "1"), reserved, reserved]), {
    before: Effect.void,
    options: { pool: { shared: 1, max: 2 } }
  }),
  standalone(
    "connecting at once",
    ({ connect }) => Effect.flatMap(connect({ connect: "eager" }), (client) => client.execute(get))
  ),
  standalone("a pipeline", () => Redis.pipeline([Redis.set("k", "1"), get])),
  standalone("a transaction", () => Redis.transaction([Redis.set("k", "1"), get])),
  standalone("a watch with a conflict", watched, { varies: true }),
  standalone("a session that leaves a watch", () => Redis.withConnection(Redis.send("WATCH", "k"))),
  standalone("a session that leaves a database", () => Redis.withConnection(Redis.select(1))),
  standalone("sessions of a full pool", () => together([reserved, reserved, reserved]), {
    options: { pool: { shared: 1, max: 2 } }
  }),
  standalone("a limit of requests", () => together(["a", "b", "c"].map((key) => Redis.set(key, "1"))), {
    options: { limits: { inFlightCommands: 1 } }
  }),
  standalone("connections that are checked", () => Effect.andThen(Effect.sleep(60), together([get, reserved])), {
    options: { healthCheckInterval: "50 millis" }
  }),
  standalone("connections that end as they were idle", () => Effect.andThen(Effect.sleep(49), reserved), {
    options: { pool: { idleTimeout: "50 millis" } }
  }),
  standalone("a blocking command", () => Redis.blpop(["queue"], "50 millis")),
  standalone("a subscription", (stage) => hearing(stage, news), { after: noTopic }),
  standalone("a subscription after another", (stage) =>
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.flatMap(Redis.pubsub(), (handle) => handle.subscribe("a")))
      // About when the connection of the other one ends.
      yield* Effect.sleep(1003)
      return yield* hearing(stage, news)
    }), { after: noTopic }),
  standalone("a handle of subscriptions", handle, { after: noTopic }),
  standalone("a lock", () => lock.withLock(get), { after: noKey("lock") }),
  standalone("a lock that three want", (stage) => {
    const body = alone(stage)
    return together([lock.withLock(body), lock.withLock(body), lock.withLock(body)])
  }, { after: noKey("lock") }),
  standalone("a lock with numbers", () => RedisLock.make("fenced", { ttl: "1 minute", fencing: true }).withLock(get), {
    after: noKey("fenced")
  }),
  standalone(
    "a lock that is extended",
    () => RedisLock.make("extended", { ttl: "100 millis", autoExtend: true }).withLock(Effect.sleep(150)),
    { after: noKey("extended") }
  ),
  standalone("a cache", written),
  standalone("a keyspace", () => counter.increment("1"), { varies: true }),
  standalone("a consumer of a stream", () => consumed),
  standalone("credentials that change", renewed),
  standalone("a pool with two members", () => members, { varies: true }),
  cluster("the first commands of a cluster", () => together(["a", "b", "c"].map((key) => Redis.get(key))), {
    before: Effect.void
  }),
  cluster("a pipeline over a cluster", () => Redis.pipeline(["a", "b", "c"].map((key) => Redis.get(key)))),
  cluster("a session of a cluster", () => reserved),
  cluster(
    "a session of a cluster whose first command is given up",
    () => Redis.withConnection(Effect.andThen(Effect.timeoutOption(Redis.blpop(["k"], "1 milli"), 10), get)),
    { varies: true, options: { pool: { shared: 1, max: 2 } } }
  ),
  cluster("a slot that moves", changing("failover")),
  cluster("a replica of a cluster that takes over", changing("demote")),
  cluster("a subscription of a cluster", (stage) => hearing(stage, news), { after: noTopic }),
  sentinel("the first command with sentinels", () => get, { before: Effect.void }),
  sentinel("a failover", changing("failover")),
  sentinel("a master that became a replica", changing("demote")),
  sentinel("a subscription with sentinels", (stage) => hearing(stage, news), { after: noTopic })
]
