import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import { codeOf, isAlive, on } from "./harness/servers.ts"

/** `foo` and `{foo}2` are in it; the third of three masters owns it at first. */
const fooSlot = 12182

describe("RedisClusterServers", { concurrent: true }, () => {
  it.effect("starts masters that share the slots, also under a test's clock, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const [nodes, pids] = yield* Effect.scoped(Effect.gen(function*() {
        const { addresses, nodes } = yield* RedisClusterServers.make()
        assert.deepStrictEqual(addresses.map(({ port }) => port), nodes.map(({ port }) => port))
        for (const node of nodes) {
          const slots = yield* on(node)(Redis.clusterSlots())
          const ranges = slots.map(({ end, master, start }) => ({ start, end, port: master.port }))
          assert.sameDeepMembers(ranges, [
            { start: 0, end: 5460, port: nodes[0]?.port },
            { start: 5461, end: 10_922, port: nodes[1]?.port },
            { start: 10_923, end: 16_383, port: nodes[2]?.port }
          ])
          assert.strictEqual((yield* on(node)(Redis.clusterInfo())).clusterState, "ok")
        }
        return [nodes, yield* Effect.forEach(nodes, ({ pid }) => pid)] as const
      }))
      assert.strictEqual(new Set(pids).size, 3)
      assert.deepStrictEqual(pids.map(isAlive), [false, false, false])
      assert.deepStrictEqual(nodes.map(({ directory }) => Fs.existsSync(directory)), [false, false, false])
    }))

  it.live("gives each master its replicas, which have its data", () =>
    Effect.gen(function*() {
      const password = Redacted.make("a \"quoted\" word")
      const cluster = yield* RedisClusterServers.make({ masters: 2, replicas: 2, password })
      const [first, second, ...others] = cluster.nodes
      assert.isDefined(first)
      assert.isDefined(second)
      assert.deepStrictEqual(yield* cluster.replicasOf(first), others.slice(0, 2))
      assert.deepStrictEqual(yield* cluster.replicasOf(second), others.slice(2))
      assert.strictEqual(yield* cluster.owner("foo"), second)
      const written = Effect.andThen(Redis.set("foo", "1"), Redis.wait(2, "5 seconds"))
      assert.strictEqual(yield* on(second, password)(Redis.withConnection(written)), 2)
      for (const replica of others) {
        const role = yield* on(replica, password)(Redis.role())
        assert.strictEqual(role.role === "slave" ? role.state : role.role, "connected")
      }
      assert.strictEqual(yield* codeOf(on(first)(Redis.ping())), "NOAUTH")
    }))

  it.live("waits until every node tells clients of every replica, which is when something was replicated to it", () =>
    Effect.gen(function*() {
      // The first that is replicated is a PING of the masters, which comes long after all the rest.
      const config = { "repl-ping-replica-period": "5" }
      const { nodes } = yield* RedisClusterServers.make({ replicas: 1, config })
      for (const node of nodes) {
        const slots = yield* on(node)(Redis.clusterSlots())
        const told = slots.flatMap(({ master, replicas }) => [master, ...replicas]).map(({ port }) => port)
        assert.sameMembers(told, nodes.map(({ port }) => port))
      }
    }))

  it.live("has its nodes talk to each other by TLS where it is told so, and serves clients by TLS", () =>
    Effect.gen(function*() {
      const { ca, client, server: { cert, key } } = yield* Certificates.make
      const { nodes } = yield* RedisClusterServers.make({
        masters: 1,
        replicas: 1,
        tls: { ca, cert, key, clientCertificate: "required" },
        config: { "tls-cluster": "yes", "tls-replication": "yes" },
        // So long may the handshake take by which nodes meet.
        nodeTimeout: "10 seconds",
        settleTimeout: "1 minute"
      })
      const [first] = nodes
      assert.isDefined(first)
      // The server was given a port.
      const start = { host: first.host, port: first.tls!.port }
      const slots = yield* Effect.provide(
        Redis.clusterSlots(),
        NodeRedisClient.layerCluster({ nodes: [start], tls: { ca, cert: client.cert, key: client.key } })
      )
      const told = slots.flatMap(({ master, replicas }) => [master, ...replicas]).map(({ port }) => port)
      assert.deepStrictEqual(told, nodes.map(({ tls }) => tls?.port))
    }))

  it.live("moves a slot step by step, with ASK and TRYAGAIN on the way", () =>
    Effect.gen(function*() {
      const password = Redacted.make("secret")
      const cluster = yield* RedisClusterServers.make({ replicas: 1, password })
      const [target, other, source] = cluster.nodes
      assert.isDefined(target)
      assert.isDefined(other)
      assert.isDefined(source)
      const keys = ["foo", ...Array.from({ length: 249 }, (_, index) => `{foo}${index}`)]
      yield* on(source, password)(Redis.mset(keys.map((key) => [key, key])))

      const move = yield* cluster.beginMove(fooSlot, target)
      assert.deepStrictEqual([move.slot, move.from, move.to], [fooSlot, source, target])
      assert.strictEqual(yield* codeOf(on(source, password)(Redis.send("GET", "{foo}absent"))), "ASK")
      assert.strictEqual(yield* codeOf(on(target, password)(Redis.send("GET", "{foo}absent"))), "MOVED")
      assert.strictEqual(yield* move.moveKeys(120), 120)
      assert.strictEqual(yield* on(target, password)(Redis.clusterCountkeysinslot(fooSlot)), 120)
      assert.strictEqual(yield* on(source, password)(Redis.clusterCountkeysinslot(fooSlot)), 130)
      const asked = Redis.withConnection(Effect.andThen(Redis.send("ASKING"), Redis.mget(keys)))
      assert.strictEqual(yield* codeOf(on(target, password)(asked)), "TRYAGAIN")
      assert.strictEqual(yield* cluster.owner(fooSlot), source)

      yield* move.finish
      assert.strictEqual(yield* cluster.owner(fooSlot), target)
      assert.deepStrictEqual(yield* on(target, password)(Redis.mget(keys)), keys)
      for (const node of [source, other]) {
        assert.strictEqual(yield* codeOf(on(node, password)(Redis.send("GET", "foo"))), "MOVED")
      }
      yield* cluster.moveSlot(fooSlot, source)
      assert.strictEqual(yield* cluster.owner("foo"), source)
      assert.strictEqual(yield* on(source, password)(Redis.clusterCountkeysinslot(fooSlot)), keys.length)
    }))

  it.live("fails over in good order, and back", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisClusterServers.make({ replicas: 1 })
      const [master, , , replica] = cluster.nodes
      assert.isDefined(master)
      assert.isDefined(replica)
      yield* cluster.failover(replica)
      assert.strictEqual(yield* cluster.owner(0), replica)
      assert.deepStrictEqual(yield* cluster.replicasOf(replica), [master])
      assert.deepStrictEqual(yield* cluster.replicasOf(master), [])
      yield* cluster.failover(replica)
      assert.strictEqual(yield* cluster.owner(0), replica)
      yield* cluster.failover(master)
      assert.strictEqual(yield* cluster.owner(0), master)
    }))

  it.live("puts a replica in the place of a master that was killed, and takes that one back", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisClusterServers.make({ replicas: 1 })
      const [, master, , , replica] = cluster.nodes
      assert.isDefined(master)
      assert.isDefined(replica)
      yield* master.kill()
      assert.strictEqual(yield* cluster.owner(8000), replica)
      yield* cluster.settled
      assert.deepStrictEqual(yield* cluster.replicasOf(replica), [])
      yield* master.restart
      yield* cluster.settled
      assert.deepStrictEqual(yield* cluster.replicasOf(replica), [master])
    }))

  it.live("waits for a server that stands still for a while, as on a busy machine", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisClusterServers.make({ masters: 1 })
      const [only] = cluster.nodes
      assert.isDefined(only)
      yield* only.pause
      yield* Effect.forkScoped(Effect.delay(only.resume, "1500 millis"))
      assert.deepStrictEqual(yield* cluster.replicasOf(only), [])
    }))

  it.live("serves what it has when a master without replica is killed, if so configured", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisClusterServers.make({ requireFullCoverage: false })
      const [first, second] = cluster.nodes
      assert.isDefined(first)
      assert.isDefined(second)
      yield* second.kill()
      yield* cluster.settled
      assert.strictEqual(yield* cluster.owner(0), first)
      assert.strictEqual((yield* on(first)(Redis.clusterInfo())).clusterState, "ok")
    }))

  it.live("says what is missing when it does not settle, and what is no node of it", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisClusterServers.make({ masters: 1, settleTimeout: "4 seconds" })
      const [only] = cluster.nodes
      assert.isDefined(only)
      const stranger = yield* Effect.flip(cluster.replicasOf({ ...only }))
      assert.strictEqual(stranger.reason, "Other")
      yield* on(only)(Redis.clusterDelslots(1))
      const error = yield* Effect.flip(cluster.settled)
      assert.strictEqual(error.reason, "Timeout")
      assert.match(error.message, /4000 ms: .*cluster_state is fail/)
      const none = yield* Effect.flip(RedisClusterServers.make({ masters: 0 }))
      assert.strictEqual(none.reason, "Other")
    }))

  it.live("is a Layer", () =>
    Effect.gen(function*() {
      const { nodes } = yield* RedisClusterServers.RedisClusterServers
      assert.strictEqual(nodes.length, 1)
    }).pipe(Effect.provide(RedisClusterServers.layer({ masters: 1 }))))
})
