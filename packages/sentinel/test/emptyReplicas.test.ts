/**
 * Replicas without data, as they are in their first synchronization: they are passed over, as they know no key.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import { NodeRedisConnector, RedisSentinelServers } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"

const getK = Redis.get("k")

/** What a server that loads its data refuses, for a user who may or may not ask for INFO. */
const loading = (mayAsk: boolean): NonNullable<Fake.Data["instead"]> => ({ name }) =>
  ["GET", "PING"].includes(name)
    ? Encode.error("LOADING Redis is loading the dataset in memory")
    : name === "INFO" && !mayAsk
    ? Encode.error("NOPERM this user has no permissions")
    : undefined

describe("A replica without data", () => {
  it.effect("is passed over, for another one, and then for the master", () =>
    Effect.gen(function*() {
      const { master, replicas, sentinel } = yield* Fake.make({ replicas: 2 })
      const [empty, full] = replicas
      for (const state of ["connect", "connecting", "handshake", "sync"]) {
        Object.assign(empty, { state, offset: 1 })
        full.offset = 100
        // Each client begins with any of them.
        for (let i = 0; i < 3; i++) {
          const client = yield* Fake.client([sentinel], { role: "replica" })
          assert.strictEqual(yield* client.execute(getK), String(full.port))
        }
        // Nor is it taken before the master, for either kind of client.
        Object.assign(full, { state, offset: 0 })
        const alone = yield* Fake.client([sentinel], { role: "replica" })
        assert.strictEqual(yield* alone.execute(getK), String(master.port))
        const both = yield* Fake.client([sentinel], { readFrom: "preferReplica" })
        assert.strictEqual(yield* both.execute(getK), String(master.port))
        full.state = "connected"
      }
      yield* empty.node.awaitOpen(0)
    }))

  it.effect("is not one whose link is down and that has data: that is used", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      for (const state of ["connect", "connecting", "handshake"]) {
        replica.state = state
        const client = yield* Fake.client([sentinel], { role: "replica" })
        assert.strictEqual(yield* client.execute(getK), String(replica.port))
      }
      assert.strictEqual(master.node.connections.total, 0)
    }))

  it.effect("is used where there is no master either", () =>
    Effect.gen(function*() {
      const { master, replicas, sentinel } = yield* Fake.make({ replicas: 2 })
      for (const replica of replicas) Object.assign(replica, { state: "handshake", offset: 1 })
      yield* master.node.stopListening
      const client = yield* Fake.client([sentinel], { role: "replica" })
      assert.include(replicas.map(({ port }) => String(port)), yield* client.execute(getK))
      for (const replica of replicas) yield* replica.node.stopListening
      const other = yield* Fake.client([sentinel], { role: "replica" })
      assert.strictEqual((yield* Client.failure(other, getK, "ReplicaNotFoundError")).attempts.length, 3)
    }))

  it.effect("is used by who may not run INFO, and has to believe the sentinels", () =>
    Effect.gen(function*() {
      const { replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      replica.state = "sync"
      replica.instead = ({ name }) => name === "INFO" ? Encode.error("NOPERM this user has no permissions") : undefined
      const client = yield* Fake.client([sentinel], { role: "replica" })
      assert.strictEqual(yield* client.execute(getK), String(replica.port))
    }))

  it.effect("is not one that tells its role in words of its own", () =>
    Effect.gen(function*() {
      const { replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      replica.instead = ({ name }) =>
        name === "ROLE" ? Encode.bulks(["replica", "127.0.0.1", "1", "stable_sync"]) : undefined
      const client = yield* Fake.client([sentinel], { role: "replica" })
      assert.strictEqual(yield* client.execute(getK), String(replica.port))
    }))

  it.effect("is left when it loads its data anew", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { role: "replica" })
      assert.strictEqual(yield* client.execute(getK), String(replica.port))
      Object.assign(replica, { state: "sync", offset: 1 })
      replica.instead = ({ name }) =>
        name === "GET" ? Encode.error("LOADING Redis is loading the dataset in memory") : undefined
      const error = yield* Client.failure(client, getK, "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery], ["Closed", "not-sent"])
      assert.isTrue(RedisError.isSafeToRetry(error))
      yield* replica.node.awaitOpen(0)
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))

  it.effect("that loads is passed over also by who may not run INFO", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      Object.assign(replica, { state: "connect", instead: loading(false) })
      const alone = yield* Fake.client([sentinel], { role: "replica" })
      assert.strictEqual(yield* alone.execute(getK), String(master.port))
      const both = yield* Fake.client([sentinel], { readFrom: "preferReplica" })
      assert.strictEqual(yield* both.execute(getK), String(master.port))
    }))

  it.effect("that loads is passed over also where it says that its link is up: each command would open another connection", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      replica.instead = loading(true)
      const client = yield* Fake.client([sentinel], { role: "replica" })
      for (let i = 0; i < 5; i++) assert.strictEqual(yield* client.execute(getK), String(master.port))
      assert.strictEqual(replica.node.connections.total, 1)
    }))

  it.effect("or with data that it may not show, as its link is down (replica-serve-stale-data no), is left and passed over", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const before = yield* Fake.client([sentinel], { role: "replica" })
      assert.strictEqual(yield* before.execute(getK), String(replica.port))
      replica.state = "connect"
      replica.instead = ({ name }) =>
        ["GET", "PING"].includes(name) ? Encode.error("MASTERDOWN Link with MASTER is down") : undefined
      const error = yield* Client.failure(before, getK, "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery], ["Closed", "not-sent"])
      for (const client of [before, yield* Fake.client([sentinel], { role: "replica" })]) {
        assert.strictEqual(yield* client.execute(getK), String(master.port))
      }
    }))

  it.effect("that loads is not taken where there is nothing else: each command would open another connection", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      Object.assign(replica, { state: "connect", offset: 1, instead: loading(true) })
      yield* master.node.stopListening
      const client = yield* Fake.client([sentinel], { role: "replica" })
      const error = yield* Client.failure(client, getK, "ReplicaNotFoundError")
      assert.isTrue(RedisError.isSafeToRetry(error))
      // A master that loads is no better.
      yield* replica.node.stopListening
      yield* master.node.listen
      master.instead = loading(true)
      const other = yield* Fake.client([sentinel], { role: "replica" })
      const { attempts } = yield* Client.failure(other, getK, "ReplicaNotFoundError")
      assert.include(attempts.at(-1)?.detail, "loading its data")
    }))

  it.live("is not read from while it gets its data, with real servers", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make({
        config: { "repl-diskless-sync": "yes", "repl-diskless-load": "on-empty-db" }
      })
      const { addresses, service, servers: [master, replica] } = deployment
      if (master === undefined || replica === undefined) return assert.fail("there are two")
      const options = { sentinels: addresses, service }
      const writer = yield* RedisSentinel.make(options)
      yield* writer.execute(Redis.set("k", "v"))
      const readers = [
        yield* RedisSentinel.make({ ...options, role: "replica" }),
        yield* RedisSentinel.make({ ...options, readFrom: "preferReplica" })
      ]
      for (const reader of readers) yield* Effect.repeat(reader.execute(getK), { until: (value) => value === "v" })
      // The master has not sent anything as long as it waits for more replicas.
      const atMaster = yield* Client.make(master)
      yield* atMaster.execute(Redis.configSet({ "repl-diskless-sync-delay": "1000" }))
      yield* replica.kill()
      yield* replica.restart
      const atReplica = yield* Client.make(replica)
      const read = (reader: typeof writer) => Effect.retry(reader.execute(getK), Schedule.spaced("10 millis"))
      const readAll = Effect.forEach(readers, (reader) =>
        Effect.map(read(reader), (value) => assert.strictEqual(value, "v")))
      const syncing = Effect.map(atReplica.execute(Redis.role()), (told) =>
        told.role === "slave" ? told.state : told.role)
      const reading = yield* Effect.forkChild(Effect.forever(Effect.andThen(readAll, Effect.sleep("5 millis"))))
      yield* Effect.repeat(syncing, {
        schedule: Schedule.spaced("20 millis"),
        until: (state) =>
          state === "handshake"
      })
      yield* readAll
      const late = yield* RedisSentinel.make({ ...options, role: "replica" })
      assert.strictEqual(yield* read(late), "v")
      assert.isUndefined(yield* atReplica.execute(getK))
      yield* Fiber.interrupt(reading)
    }).pipe(Effect.provide(NodeRedisConnector.layer)))
})
