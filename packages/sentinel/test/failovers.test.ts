/**
 * What goes on for longer than one command, and has a failover in its midst.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisLock, RedisSemaphore } from "@redfx/core"
import type { RedisClient, RedisConfig, RedisError } from "@redfx/core"
import { NodeRedisConnector, RedisSentinelServers } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

type Client = RedisClient.RedisClient["Service"]
type Deployment = RedisSentinelServers.RedisSentinelServers["Service"]
type Server = Deployment["servers"][number]

const clientOf = ({ addresses, service }: Deployment, options: Partial<RedisConfig.SentinelOptions> = {}) =>
  Effect.provide(RedisSentinel.make({ sentinels: addresses, service, ...options }), NodeRedisConnector.layer)

const names = Array.from({ length: 2000 }, (_, index) => `n${index}`)
const values = Object.fromEntries(names.map((name) => [name, "v"]))

/** What there is to scan: of each kind more than a server keeps in one piece. */
const scans: Readonly<Record<string, Stream.Stream<string, RedisError.CommandError, RedisClient.RedisClient>>> = {
  SCAN: Redis.scanStream({ match: "n*", count: 50 }),
  HSCAN: Stream.map(Redis.hscanStream("hash", { count: 50 }), ([field]) => field),
  SSCAN: Redis.sscanStream("set", { count: 50 }),
  ZSCAN: Stream.map(Redis.zscanStream("sorted", { count: 50 }), ({ member }) => member)
}

/** Writes what there is to scan, and waits until the replicas have it. */
const fill = (client: Client, replicas: number) =>
  Client.on(client)(Redis.withConnection(Effect.gen(function*() {
    yield* Redis.mset(values)
    yield* Redis.hset("hash", values)
    yield* Redis.sadd("set", names)
    yield* Redis.zadd("sorted", Object.fromEntries(names.map((name, score) => [name, score])))
    assert.strictEqual(yield* Redis.wait(replicas, "10 seconds"), replicas)
  })))

/** All that a scan yields; what befalls the servers does so after 500 elements. */
const scanned = <R>(
  client: Client,
  scan: Stream.Stream<string, RedisError.CommandError, RedisClient.RedisClient>,
  fault: Effect.Effect<unknown, unknown, R>
) => {
  let seen = 0
  return Client.on(client)(Stream.runCollect(
    Stream.tap(scan, () => ++seen === 500 ? Effect.orDie(fault) : Effect.void)
  ))
}

/** Whether the latest command on some connection to a server was a page of a scan. */
const isScanned = (server: Server) =>
  Effect.scoped(Effect.gen(function*() {
    const admin = yield* Client.make(server)
    return (yield* admin.execute(Redis.clientList())).some(({ cmd }) => cmd === "scan")
  }))

describe("A scan", () => {
  for (const [name, scan] of Object.entries(scans)) {
    it.live(`${name} of the master leaves nothing out when another server becomes the master`, () =>
      Effect.gen(function*() {
        const deployment = yield* RedisSentinelServers.make()
        const client = yield* clientOf(deployment)
        yield* fill(client, 1)
        const found = yield* scanned(client, scan, Client.causing(client, "MasterChanged", deployment.failover))
        assert.strictEqual(new Set(found).size, names.length)
        // A cursor of one server is none of the other.
        assert.isAbove(found.length, names.length)
      }))
  }

  it.live("of a replica leaves nothing out when that replica dies", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make({ replicas: 2 })
      const master = yield* clientOf(deployment)
      yield* fill(master, 2)
      const afterAKill = Effect.fnUntraced(function*(pool: RedisConfig.PoolOptions) {
        const client = yield* clientOf(deployment, { role: "replica", pool })
        const killed: Array<Server> = []
        const kill = Effect.gen(function*() {
          const [victim] = yield* Effect.filter(deployment.servers, isScanned)
          if (victim === undefined) return assert.fail("no replica is scanned")
          killed.push(victim)
          yield* victim.kill()
        })
        const found = yield* scanned(client, Redis.scanStream({ match: "n*", count: 50 }), kill)
        assert.strictEqual(new Set(found).size, names.length)
        assert.isAbove(found.length, names.length)
        for (const { restart } of killed) yield* restart
        yield* deployment.settled
      })
      for (const pool of [{ shared: 1 }, { shared: 2 }]) yield* Effect.scoped(afterAKill(pool))
    }))
})

describe("A lock and a semaphore", () => {
  const kinds = {
    "a lock": RedisLock.make("lock", { ttl: "10 minutes", autoExtend: true }),
    "a semaphore": RedisSemaphore.make("semaphore", { permits: 1, ttl: "10 minutes", autoExtend: true })
  }
  for (const [name, kind] of Object.entries(kinds)) {
    it.live(`${name} of which the new master knows nothing is told as lost at once, and not when it is extended next`, () =>
      Effect.gen(function*() {
        const { master, replicas: [replica], sentinels } = yield* Fake.make({ replicas: 1, sentinels: 2 })
        master.instead = ({ name }) =>
          name === "SET" ? Encode.ok : name.startsWith("EVAL") ? Encode.integer(1) : undefined
        replica.instead = ({ name }) => name.startsWith("EVAL") ? Encode.integer(0) : undefined
        const client = yield* Fake.client(sentinels)
        const body = Effect.andThen(Effect.sync(() => entered.resolve()), Effect.never)
        const entered = Promise.withResolvers<void>()
        const holding = yield* Effect.forkChild(
          Effect.flip(Client.on(client)("withLock" in kind ? kind.withLock(body) : kind.withPermit(body)))
        )
        yield* Effect.promise(() => entered.promise)
        for (const sentinel of sentinels) yield* sentinel.node.awaitCommand("SUBSCRIBE", 2)
        yield* Fake.failOver(sentinels, master, replica)
        yield* Fake.announce(sentinels[0], master, replica)
        assert.strictEqual((yield* Fiber.join(holding))._tag, "LockNotOwnedError")
      }))
  }
})
