/**
 * Replicas without data, as they are in their first synchronization: nothing is read there, as they know no key.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis } from "@redfx/core"
import { NodeRedisConnector, RedisClusterServers } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA } from "@redfx/testing/FakeCluster"
import type * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Fs from "node:fs"

/** What a replica says of itself, to a user who may or may not ask for INFO. */
const saying = (state: string, offset: number, mayAsk = true): FakeNode.Handler => ({ name }) => {
  switch (name) {
    case "ROLE":
      return Encode.array([
        Encode.bulk("slave"),
        Encode.bulk("127.0.0.1"),
        Encode.integer(1),
        Encode.bulk(state),
        Encode.integer(-1)
      ])
    case "INFO":
      return mayAsk
        ? Encode.bulk(`# Replication\r\nslave_repl_offset:${offset}\r\n`)
        : Encode.error("NOPERM this user has no permissions")
    default:
      return undefined
  }
}

const getA = Redis.get(keyOfA)

/** What a server says that is like Redis. */
const inOtherWords: FakeNode.Handler = ({ name }) =>
  name === "ROLE" ? Encode.bulks(["replica", "127.0.0.1", "1", "stable_sync"]) : undefined

describe("A replica without data", () => {
  inVirtualTime("answers what has no key, as what is sent to all servers", () =>
    Effect.gen(function*() {
      for (const options of [{ readFrom: "preferReplica" }, { readOnly: true }] as const) {
        const { cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
        if (d === undefined) return assert.fail("there is one")
        d.instead = saying("handshake", 1)
        const { client } = yield* FakeCluster.client(cluster, options)
        for (let i = 0; i < 10; i++) {
          assert.isTrue(yield* client.execute(Redis.ping()))
          assert.strictEqual(yield* client.execute(getA), `A:${keyOfA}`)
        }
        assert.isTrue(d.node.commands.some(({ command }) => command.name === "PING"))
        assert.isFalse(d.node.commands.some(({ command }) => command.name === "GET"))
        // The connection for that does not stay, as it counts towards the limit.
        yield* d.node.awaitOpen(0)
      }
    }))

  inVirtualTime("is not read from, alone or in a pipeline, until it has some", () =>
    Effect.gen(function*() {
      for (const readFrom of ["preferReplica", "any"] as const) {
        const { cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
        if (d === undefined) return assert.fail("there is one")
        const { client } = yield* FakeCluster.client(cluster, { readFrom })
        const read = Effect.all([client.execute(getA), Effect.flatMap(client.pipeline([getA]), ([one]) => one!)])
        for (const [state, offset] of [["connect", 1], ["handshake", 1], ["sync", 0]] as const) {
          d.instead = saying(state, offset)
          yield* d.node.cutAll()
          const values = yield* Effect.replicateEffect(Effect.delay(read, "50 millis"), 20)
          assert.deepStrictEqual([...new Set(values.flat())], [`A:${keyOfA}`])
          assert.isFalse(d.node.commands.some(({ command }) => command.name === "GET"))
        }
        d.instead = undefined
        yield* Effect.repeat(Effect.delay(read, "50 millis"), { until: (values) => values.includes(`D:${keyOfA}`) })
      }
    }))

  inVirtualTime(
    "is not one whose link is down and that has data, nor one that does not tell: these are read from",
    () =>
      Effect.gen(function*() {
        for (const says of [saying("connect", 100), saying("handshake", 100), saying("sync", 1, false), inOtherWords]) {
          const { cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
          if (d === undefined) return assert.fail("there is one")
          d.instead = says
          const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
          assert.strictEqual(yield* client.execute(getA), `D:${keyOfA}`)
        }
      })
  )

  inVirtualTime("says so where there is no master either", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
      if (d === undefined) return assert.fail("there is one")
      d.instead = saying("handshake", 1)
      const { client, cluster: { clientOf } } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      assert.strictEqual(yield* client.execute(getA), `A:${keyOfA}`)
      yield* a.node.stopListening
      yield* a.node.cutAll()
      yield* Client.failure(client, getA, "ClusterRetriesExhaustedError")
      const error = yield* Client.failure(yield* clientOf(d.address), getA, "ConnectionError")
      assert.deepInclude(error, { reason: "HealthCheck", delivery: "not-sent" })
      assert.include(error.detail, "has no data")
    }))

  it.live("is not read from while it gets its data, with real servers", () =>
    Effect.gen(function*() {
      const { addresses, nodes: [master, , , replica] } = yield* RedisClusterServers.make({
        replicas: 1,
        config: { "repl-diskless-sync": "yes" }
      })
      if (master === undefined || replica === undefined) return assert.fail("there are six")
      const { client } = yield* RedisCluster.make({ nodes: addresses, readFrom: "preferReplica" })
      yield* client.execute(Redis.set(keyOfA, "v"))
      yield* Effect.repeat(client.execute(getA), { until: (value) => value === "v" })
      // The master has not sent anything as long as it waits for more replicas.
      const atMaster = yield* Client.make(master)
      yield* atMaster.execute(Redis.configSet({ "repl-diskless-sync-delay": "1000" }))
      yield* replica.kill()
      yield* Effect.sync(() => Fs.rmSync(`${replica.directory}/dump.rdb`, { force: true }))
      yield* replica.restart
      const atReplica = yield* Client.make(replica)
      const state = Effect.map(
        atReplica.execute(Redis.role()),
        (told) => told.role === "slave" ? told.state : told.role
      )
      const reads = Effect.gen(function*() {
        const value = yield* Effect.exit(client.execute(getA))
        if (Exit.isSuccess(value)) assert.strictEqual(value.value, "v")
        return yield* state
      })
      yield* Effect.repeat(reads, {
        schedule: Schedule.spaced("10 millis"),
        until: (state) => state === "handshake"
      })
      for (let i = 0; i < 20; i++) assert.strictEqual(yield* client.execute(getA), "v")
      assert.strictEqual(yield* state, "handshake")
    }).pipe(Effect.provide(NodeRedisConnector.layer)))
})
