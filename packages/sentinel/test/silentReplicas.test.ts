/**
 * Replicas that hang: they are left as soon as the sentinels do not say any more that they are up, and not before.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import { NodeRedisConnector, RedisSentinelServers } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { pass } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

const getK = Redis.get("k")
const onReplicas = { readFrom: "preferReplica", recheckInterval: "1 hour" } as const

describe("A replica that hangs", () => {
  /** A client whose replica has begun to hang with one read on its way. */
  const hanging = Effect.gen(function*() {
    const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
    if (replica === undefined) return yield* Effect.die("there is one")
    const client = yield* Fake.client([sentinel], onReplicas)
    assert.strictEqual(yield* client.execute(getK), String(replica.port))
    const stall = Promise.withResolvers<void>()
    replica.instead = ({ name }) =>
      name === "GET"
        ? [{ _tag: "Wait", until: Effect.promise(() => stall.promise) }, FakeNode.reply(Encode.bulk("late"))]
        : undefined
    const read = yield* Effect.forkChild(Effect.exit(client.execute(getK)))
    yield* replica.node.awaitCommand("GET", 2)
    return { client, master, replica, sentinel, read, wake: Effect.sync(stall.resolve) }
  })

  it.effect("is left when the sentinels say that it is down, and reads go to the master", () =>
    Effect.gen(function*() {
      const { client, master, read, replica, sentinel } = yield* hanging
      yield* pass(1500)
      assert.isUndefined(read.pollUnsafe())
      sentinel.replicas = [{ port: replica.port, flags: "slave,s_down,disconnected" }]
      yield* pass(200)
      const error = Client.expectTag(yield* Effect.flip(yield* Fiber.join(read)), "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery], ["HealthCheck", "unknown"])
      assert.isTrue(RedisError.isSafeToRetry(error))
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))

  it.effect("is left when the sentinels do not know it any more", () =>
    Effect.gen(function*() {
      const { client, master, read, sentinel } = yield* hanging
      sentinel.replicas = []
      yield* pass(1500)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(read)))
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))

  it.effect("is kept as long as no sentinel answers", () =>
    Effect.gen(function*() {
      const { read, sentinel, wake } = yield* hanging
      yield* sentinel.node.stopListening
      yield* sentinel.node.cutAll()
      yield* pass(3000)
      assert.isUndefined(read.pollUnsafe())
      yield* wake
      assert.deepStrictEqual(yield* Fiber.join(read), Exit.succeed("late"))
    }))

  it.effect("is kept when it answers, and nobody asks for it from then on", () =>
    Effect.gen(function*() {
      const { client, read, replica, sentinel, wake } = yield* hanging
      yield* pass(1500)
      assert.isAbove(Fake.asked(sentinel, "REPLICAS"), 1)
      yield* wake
      assert.deepStrictEqual(yield* Fiber.join(read), Exit.succeed("late"))
      yield* pass(500)
      const asked = Fake.asked(sentinel, "REPLICAS")
      sentinel.replicas = []
      yield* pass(1000)
      assert.strictEqual(Fake.asked(sentinel, "REPLICAS"), asked)
      replica.instead = undefined
      assert.strictEqual(yield* client.execute(getK), String(replica.port))
    }))

  it.live(
    "is left within a second or two of its silence, with real servers that are stopped",
    () =>
      Effect.gen(function*() {
        const { addresses, master, servers, service } = yield* RedisSentinelServers.make()
        const client = yield* RedisSentinel.make({ sentinels: addresses, service, ...onReplicas })
        yield* client.execute(Redis.set("k", "v"))
        const primary = yield* master
        yield* client.execute(getK)
        yield* Effect.forEach(servers.filter((server) => server !== primary), (server) => server.pause)
        const error = Client.expectTag(yield* Effect.flip(client.execute(getK)), "ConnectionError")
        assert.strictEqual(error.reason, "HealthCheck")
        assert.strictEqual(yield* client.execute(getK), "v")
      }).pipe(Effect.provide(NodeRedisConnector.layer))
  )
})
