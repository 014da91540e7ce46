/**
 * Clients of real sentinels: both roles, and what callers see of a failover, whatever brings it about.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Redis, RedisClient, RedisError, RedisReply, RedisScript } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisClient, NodeRedisConnector, RedisSentinelServers } from "@redfx/node"
import type { RedisServer } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Subscriber from "@redfx/testing/Subscriber"
import { enterAlone, freshKey, until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Ledger from "../../../test/harness/Ledger.ts"

type Deployment = RedisSentinelServers.RedisSentinelServers["Service"]
type Options = Partial<RedisConfig.SentinelOptions>

/** A client of a deployment, for as long as the scope is open. */
const clientOf = ({ addresses, service }: Deployment, options: Options = {}) =>
  Effect.provide(RedisSentinel.make({ sentinels: addresses, service, ...options }), NodeRedisConnector.layer)

/** What a program does to ride through a failover. */
const riding = <A, R>(effect: Effect.Effect<A, RedisError.RedisError, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), while: RedisError.isSafeToRetry })

const addressOf = ({ host, port }: RedisServer.RedisServer["Service"]): string => `${host}:${port}`

/** The server that runs the commands of a client. */
const portOf = Effect.map(Redis.configGet("port"), (config) => Number(config["port"]))

/** The error of a command that fails with a tag sooner or later, with whatever it does before. */
const untilFailing = <Tag extends RedisError.RedisError["_tag"]>(
  client: RedisClient.RedisClient["Service"],
  tag: Tag
) =>
  Effect.flip(client.execute(Redis.get("k"))).pipe(
    Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (error) => error._tag === tag }),
    Effect.map((error) => Client.expectTag(error, tag))
  )

describe("Clients of sentinels", () => {
  const password = Redacted.make("data secret")
  const sentinelPassword = Redacted.make("sentinel secret")
  const options = { password, sentinelOptions: { password: sentinelPassword } }

  const clients = Layer.unwrap(Effect.map(
    RedisSentinelServers.RedisSentinelServers,
    ({ addresses: sentinels, service }) =>
      Layer.merge(
        NodeRedisClient.layerSentinel({ sentinels, service, ...options }),
        NodeRedisClient.layerReplica({ sentinels, service, ...options })
      )
  )).pipe(Layer.provideMerge(RedisSentinelServers.layer({ password, sentinelPassword, replicas: 2 })))

  const onReplica = Redis.via(RedisSentinel.RedisReplica)

  layer(clients, { excludeTestServices: true })((it) => {
    it.effect("SEN-02, SEN-03: the sentinels tell where the servers are", () =>
      Effect.gen(function*() {
        const { servers, service } = yield* RedisSentinelServers.RedisSentinelServers
        const [master, ...replicas] = servers.map(({ host, port }) => ({ host, port }))
        assert.deepStrictEqual(yield* RedisSentinel.discoverMaster(service), master)
        assert.sameDeepMembers([...yield* RedisSentinel.discoverReplicas(service)], replicas)
        assert.deepStrictEqual(yield* RedisSentinel.discoverReplicas("nothing"), [])
        assert.strictEqual((yield* Effect.flip(RedisSentinel.discoverMaster("nothing")))._tag, "MasterNotFoundError")
      }))

    it.effect("SEN-04, SEN-12, ENT-11: what is written on the master is read on a replica", () =>
      Effect.gen(function*() {
        const key = freshKey()
        yield* Redis.set(key, "v")
        const value = yield* onReplica(Redis.get(key)).pipe(
          Effect.repeat({ schedule: Schedule.spaced("5 millis"), until: (value) => value !== undefined })
        )
        assert.strictEqual(value, "v")
        assert.strictEqual((yield* onReplica(Redis.role())).role, "slave")
        assert.strictEqual((yield* Redis.role()).role, "master")
        assert.strictEqual((yield* onReplica(Redis.info("replication")))["role"], "slave")
        assert.strictEqual((yield* Effect.flip(onReplica(Redis.set(key, "w"))))._tag, "ReadOnlyError")
      }))

    it.effect("SEN-05, ENT-10: the connection is kept", () =>
      Effect.gen(function*() {
        const ids = yield* Effect.replicateEffect(Redis.clientId(), 20)
        assert.strictEqual(new Set(ids).size, 1)
      }))

    it.effect("SEN-15: a wrong password of the servers is an AuthenticationError", () =>
      Effect.gen(function*() {
        const deployment = yield* RedisSentinelServers.RedisSentinelServers
        for (const role of ["master", "replica"] as const) {
          const client = yield* clientOf(deployment, { ...options, role, password: Redacted.make("wrong") })
          const error = yield* Client.failure(client, Redis.get("k"), "AuthenticationError")
          assert.strictEqual(error.code, "WRONGPASS")
        }
      }))

    it.effect("SEN-13, SEN-14: sentinels that want a password and get none, or a wrong one, say so", () =>
      Effect.gen(function*() {
        const deployment = yield* RedisSentinelServers.RedisSentinelServers
        for (const own of [{}, { sentinelOptions: { password } }]) {
          const client = yield* clientOf(deployment, { password, ...own })
          const error = yield* Client.failure(client, Redis.get("k"), "MasterNotFoundError")
          assert.strictEqual(error.attempts.length, 3)
          for (const { detail } of error.attempts) assert.match(detail, /^Authentication failed: (NOAUTH|WRONGPASS) /)
          assert.notInclude(error.message, "secret")
        }
      }))

    it.effect("SEN-16: db holds for the connections to servers", () =>
      Effect.gen(function*() {
        const deployment = yield* RedisSentinelServers.RedisSentinelServers
        const client = yield* clientOf(deployment, { ...options, db: 3 })
        const id = yield* client.execute(Redis.clientId())
        const own = (yield* client.execute(Redis.clientList())).find((one) => one.id === id)
        assert.strictEqual(own?.db, 3)
      }))

    it.effect("SEN-28, TRX-11: pipelines and transactions work, also with WATCH", () =>
      Effect.gen(function*() {
        const key = freshKey()
        assert.deepStrictEqual(yield* Redis.pipeline([Redis.incr(key), Redis.get(key)]), [1, "1"])
        assert.deepStrictEqual(yield* Redis.transaction({ a: Redis.incr(key), b: Redis.get(key) }), { a: 2, b: "2" })
        const watched = yield* Redis.watch(
          key,
          Effect.map(Redis.get(key), (value) => ({ sum: Redis.incrby(key, Number(value)) }))
        )
        assert.deepStrictEqual(watched, { sum: 4 })
      }))

    it.effect("SEN-28, LCK-18: locks work", () => enterAlone(freshKey("lock")))

    it.effect("SEN-28: scripts work", () =>
      Effect.gen(function*() {
        const twice = RedisScript.make({
          lua: "return redis.call('INCRBY', KEYS[1], ARGV[1] * 2)",
          keys: (key: string, _amount: number) => [key],
          args: (_key, amount) => [amount],
          result: RedisReply.integer
        })
        assert.strictEqual(yield* twice(freshKey(), 21), 42)
      }))

    it.effect("SEN-28: subscriptions work", () =>
      Effect.gen(function*() {
        const channel = freshKey("channel")
        const subscriber = yield* Subscriber.consume(Redis.subscribe(channel, { events: true }))
        yield* subscriber.until((elements) => elements.length === 1)
        yield* Redis.publish(channel, "hello")
        yield* subscriber.until((elements) => elements.length === 2)
        assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [
          `Subscribed ${channel}`,
          `${channel}=hello`
        ])
      }))
  })
})

describe("A failover", () => {
  it.live("SEN-07, SEN-08, SEN-09, SEN-10: callers see a lost connection, a refused one, no master, then the new one", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make()
      const client = yield* clientOf(deployment)
      yield* client.execute(Redis.set("k", "v"))
      const blocked = yield* Effect.forkChild(Client.failure(client, Redis.blpop("none", 0), "ConnectionError"))
      const before = yield* deployment.master
      // Without a majority of the sentinels there is no election.
      const [first, ...others] = deployment.sentinels
      if (first === undefined) return assert.fail("there are three")
      for (const sentinel of others) yield* sentinel.stop
      // It notices nothing before the callers do.
      const downAfter = (milliseconds: number) =>
        Effect.scoped(
          Effect.flatMap(Client.make(first), (atFirst) =>
            atFirst.execute(Redis.sentinelSet(deployment.service, { "down-after-milliseconds": milliseconds })))
        )
      yield* downAfter(600_000)
      yield* before.kill()
      const lost = yield* Fiber.join(blocked)
      assert.include(["Closed", "Reset"], lost.reason)
      const refused = yield* Client.failure(client, Redis.get("k"), "ConnectionError")
      assert.deepStrictEqual([refused.reason, refused.address], ["Refused", addressOf(before)])
      yield* downAfter(800)
      const missing = yield* untilFailing(client, "MasterNotFoundError")
      assert.match(missing.message, /^No master found for "mymaster"; /)
      for (const sentinel of others) yield* sentinel.restart
      yield* client.execute(Redis.set("k", "w")).pipe(riding)
      const after = yield* deployment.master
      assert.notStrictEqual(after.port, before.port)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "w")
      assert.strictEqual(yield* Client.on(client)(portOf), after.port)
    }))

  it.live("SEN-06, SEN-11: a killed master costs callers who retry while it is safe nothing that they were promised", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make()
      const client = yield* clientOf(deployment)
      const ledger = yield* Ledger.start(client)
      yield* ledger.acknowledged(500)
      const { address, previous } = yield* Client.causing(
        client,
        "MasterChanged",
        Effect.flatMap(deployment.master, (master) => master.kill())
      )
      assert.notStrictEqual(address, previous)
      yield* ledger.acknowledged(500)
      assert.deepStrictEqual(yield* ledger.stop, [])
    }))

  it.live("SEN-11, SEN-23, SEN-25: neither does one that is asked for, which nobody even has to notice", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make()
      const client = yield* clientOf(deployment)
      const ledger = yield* Ledger.start(client)
      yield* ledger.acknowledged(500)
      const popped = yield* Effect.forkChild(
        client.execute(Redis.blpop("queue", 0)).pipe(Effect.retry({
          schedule: Schedule.spaced("20 millis"),
          // What blocks on a server that is demoted is ended by it, or cut off.
          while: (error) => error._tag === "ConnectionError" || error._tag === "MasterNotFoundError"
        }))
      )
      yield* Client.causing(client, "MasterChanged", deployment.failover)
      yield* ledger.acknowledged(500)
      yield* client.execute(Redis.rpush("queue", "job")).pipe(riding)
      assert.deepStrictEqual(yield* Fiber.join(popped), { key: "queue", value: "job" })
      assert.deepStrictEqual(yield* ledger.stop, [])
    }))

  it.live("SEN-25, SEN-28: a master that hangs: whoever blocks on it learns of it, subscriptions go on elsewhere", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make()
      // The sentinels may take longer than the defaults where there is other work.
      const client = yield* clientOf(deployment, { commandTimeout: "1 minute", livenessTimeout: "1 minute" })
      yield* client.execute(Redis.set("k", "v"))
      const subscriber = yield* Subscriber.consume(
        Stream.provideService(Redis.subscribe("news", { events: true }), RedisClient.RedisClient, client)
      )
      yield* subscriber.until((elements) => elements.length === 1)
      const blocked = yield* Effect.forkChild(Client.failure(client, Redis.blpop("none", 0), "ConnectionError"))
      const before = yield* deployment.master
      yield* until(client.stats, ({ exclusive }) => exclusive === 1)
      yield* before.pause
      const written = yield* Effect.forkChild(Client.failure(client, Redis.set("k", "w"), "ConnectionError"))
      for (const fiber of [blocked, written]) {
        const { address, delivery, reason } = yield* Fiber.join(fiber)
        assert.deepStrictEqual([reason, delivery, address], ["Demoted", "unknown", addressOf(before)])
      }
      yield* client.execute(Redis.set("k", "x")).pipe(riding)
      yield* subscriber.until((elements) => elements.some(({ _tag }) => _tag === "Restored"))
      yield* client.execute(Redis.publish("news", "hello"))
      yield* subscriber.until((elements) => elements.some(({ _tag }) => _tag === "Message"))
      assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [
        "Subscribed news",
        "Lost news",
        "Restored news",
        "news=hello"
      ])
      // It wakes up, believes to be the master for a moment, and is not used.
      yield* before.resume
      yield* deployment.settled
      assert.strictEqual(yield* client.execute(Redis.get("k")), "x")
      assert.strictEqual(yield* Client.on(client)(portOf), (yield* deployment.master).port)
    }))

  it.live("SEN-18, SEN-21: sentinels that all vanish and come back are found again; replicas that die are left out", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make({ replicas: 2 })
      const client = yield* clientOf(deployment, { role: "replica" })
      yield* client.execute(Redis.get("k"))
      for (const sentinel of deployment.sentinels) yield* sentinel.kill()
      // What is connected goes on.
      const port = yield* Client.on(client)(portOf)
      const [lost] = deployment.servers.filter((server) => server.port === port)
      assert.isDefined(lost)
      yield* (lost?.kill() ?? Effect.void)
      const error = yield* untilFailing(client, "ReplicaNotFoundError")
      assert.isAtLeast(error.attempts.length, 3)
      for (const sentinel of deployment.sentinels) yield* sentinel.restart
      const next = yield* Client.on(client)(portOf).pipe(riding)
      assert.include(deployment.servers.slice(1).map((server) => server.port), next)
      assert.notStrictEqual(next, port)
    }))
})
