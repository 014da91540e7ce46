/**
 * Whom a client of a cluster believes about who serves what, with scripted nodes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCache } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC } from "@redfx/testing/FakeCluster"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Subscriber from "@redfx/testing/Subscriber"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const telling = (ranges: ReadonlyArray<FakeCluster.Range>): FakeNode.Handler => ({ args, name }) =>
  name === "CLUSTER" && args[1] === "SLOTS" ? FakeCluster.slots(ranges) : undefined

/** Tells of an epoch, beside what it tells otherwise. */
const ofEpoch =
  (epoch: number, ranges: ReadonlyArray<FakeCluster.Range>, state: "ok" | "fail" = "ok"): FakeNode.Handler =>
  (command, connection) =>
    command.name === "CLUSTER" && command.args[1] === "INFO"
      ? FakeCluster.info(state, epoch)
      : telling(ranges)(command, connection)

const sets = (node: FakeCluster.Node): number => FakeCluster.log(node).filter((line) => line.includes("SET")).length

describe("A server that knows of a part of the slots", () => {
  inVirtualTime("is not believed where another knows of all", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
      x!.instead = telling([{ start: 0, end: 10, master: x! }])
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [x!, a] })
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
      assert.strictEqual((yield* nodes.nodes).length, 3)
    }))

  inVirtualTime("is believed where nobody knows more, with the latest epoch", () =>
    Effect.gen(function*() {
      const { a, b, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
      const half = [{ start: 0, end: 8000, master: a }]
      const less = [{ start: 0, end: 5460, master: b }]
      x!.instead = ofEpoch(3, half)
      b.instead = ofEpoch(4, less)
      const { cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [x!, b] })
      assert.strictEqual(yield* nodes.nodeOf(keyOfA), b.address)
      b.instead = ofEpoch(3, less)
      yield* nodes.refresh
      assert.strictEqual(yield* nodes.nodeOf(keyOfA), a.address)
    }))
})

describe("A server that tells of how things were", () => {
  inVirtualTime(
    "is asked after the others when a redirect names a master that it does not know",
    () =>
      Effect.gen(function*() {
        const { b, c, cluster, others: [d, removed] } = yield* FakeCluster.make({ extra: 2 })
        removed!.instead = telling(cluster.told)
        FakeCluster.replace(cluster, c, d!)
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [removed!, b] })
        for (let i = 0; i < 5; i++) {
          yield* client.execute(Redis.set(keyOfC, "v"))
          yield* nodes.refresh
        }
        assert.isAtMost(sets(c), 1)
        assert.strictEqual(sets(d!), 5)
      })
  )

  inVirtualTime("or when it tells the same wrong owner once more", () =>
    Effect.gen(function*() {
      const { b, c, cluster, others: [removed] } = yield* FakeCluster.make({ extra: 1 })
      removed!.instead = telling(cluster.told)
      FakeCluster.replace(cluster, c, b)
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [removed!, b] })
      for (let i = 0; i < 6; i++) {
        yield* client.execute(Redis.set(keyOfC, "v"))
        yield* nodes.refresh
      }
      assert.isAtMost(sets(c), 2)
      assert.strictEqual(sets(b), 6)
    }))
})

describe("A master that is cut off from its cluster and was replaced", () => {
  inVirtualTime(
    "is believed until others are asked in turn, and not again where it is asked first",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster, others: [d, e] } = yield* FakeCluster.make({ replicas: true })
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, {
          nodes: [a],
          refreshInterval: "1 second"
        })
        const read = client.execute(Redis.cached(Redis.get(keyOfA), { ttl: "1 hour" }))
        assert.strictEqual(yield* read, `A:${keyOfA}`)
        const old = cluster.told
        FakeCluster.replace(cluster, a, d!)
        a.instead = (command, connection) =>
          command.name === "GET" ? Encode.bulk("old") : ofEpoch(1, old)(command, connection)
        for (const node of [b, c, d!]) node.instead = ofEpoch(2, cluster.told)
        // A replica that is cut off as well has asked in vain to become a master, each time in a later epoch.
        e!.instead = ofEpoch(9, old, "fail")
        yield* Effect.sleep("3 seconds")
        assert.strictEqual(yield* read, `D:${keyOfA}`)
        const before = FakeCluster.readingsOf(a)
        for (let round = 0; round < 5; round++) {
          yield* nodes.refresh
          assert.strictEqual(yield* nodes.nodeOf(keyOfA), d!.address)
        }
        assert.isAbove(FakeCluster.readingsOf(a), before)
        assert.deepInclude(yield* Client.on(client)(RedisCache.stats), { misses: 2 })
      })
  )
})

describe("A server with an older view, which is asked first", () => {
  /** B, then A are given; A has been replaced by D in epoch 2 and does not know, and the client has read that. */
  const replaced = Effect.gen(function*() {
    const started = yield* FakeCluster.make({ replicas: true })
    const { a, b, c, cluster, others: [d, e, f] } = started
    const service = yield* FakeCluster.client(cluster, { nodes: [b, a] })
    const old = cluster.told
    FakeCluster.replace(cluster, a, d!)
    const all = [b, c, d!, e!, f!]
    for (const node of all) node.instead = ofEpoch(2, cluster.told)
    yield* service.cluster.refresh
    return { ...started, ...service, all, d: d!, f: f!, old }
  })

  /** Has a node answer nothing about the cluster until a gate opens. */
  const asleep = (gate: Deferred.Deferred<void>, node: FakeCluster.Node) => {
    const { instead } = node
    node.instead = (command, connection) =>
      command.name === "CLUSTER"
        ? [FakeNode.gate(gate), FakeNode.reply(instead!(command, connection) as Uint8Array)]
        : instead?.(command, connection)
  }

  inVirtualTime(
    "is overruled also where one of the others tells no epoch, and not asked first again",
    () =>
      Effect.gen(function*() {
        const { a, all, b, cluster: nodes, d, f, old } = yield* replaced
        const told = f.instead!
        f.instead = (command, connection) =>
          command.args[1] === "INFO" ? Encode.error("NOPERM no rights") : told(command, connection)
        a.instead = ofEpoch(1, old)
        b.instead = ({ name }) => name === "CLUSTER" ? Encode.error("ERR not now") : undefined
        yield* nodes.refresh
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), d.address)
        const before = [a, ...all].map(FakeCluster.readingsOf).reduce((sum, count) => sum + count)
        for (let round = 0; round < 3; round++) yield* nodes.refresh
        // B fails, and the next one tells.
        assert.strictEqual([a, ...all].map(FakeCluster.readingsOf).reduce((sum, count) => sum + count), before + 6)
      })
  )

  inVirtualTime(
    "does not replace a later view when it is not up and nobody else answers in time",
    () =>
      Effect.gen(function*() {
        const { a, all, cluster: nodes, d, old } = yield* replaced
        const gate = yield* Deferred.make<void>()
        a.instead = ofEpoch(1, old, "fail")
        for (const node of all) asleep(gate, node)
        yield* nodes.refresh
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), d.address)
        yield* Deferred.succeed(gate, undefined)
        yield* nodes.refresh
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), d.address)
      })
  )
})

describe("A given server that is of another cluster", () => {
  /** Two clusters, and a client to which a server of each is given. The epochs of the second are later. */
  const two = Effect.gen(function*() {
    const one = yield* FakeCluster.make()
    const other = yield* FakeCluster.make()
    for (const node of one.cluster.nodes) node.instead = ofEpoch(6, one.cluster.told)
    for (const node of other.cluster.nodes) node.instead = ofEpoch(20, other.cluster.told)
    return { one, other }
  })

  inVirtualTime(
    "is not followed when its turn comes, if it is not the first one that is given",
    () =>
      Effect.gen(function*() {
        const { one, other } = yield* two
        const { client, cluster: nodes } = yield* FakeCluster.client(one.cluster, {
          nodes: [one.a, other.a],
          refreshInterval: "1 second"
        })
        for (let round = 0; round < 6; round++) {
          yield* client.execute(Redis.set(keyOfA, "v"))
          assert.strictEqual(yield* nodes.nodeOf(keyOfA), one.a.address)
          yield* Effect.sleep("1 second")
        }
        assert.isAbove(FakeCluster.readingsOf(other.a), 0)
        assert.strictEqual(sets(other.a), 0)
      })
  )

  inVirtualTime(
    "is followed if it is the first one, whose name stands for another cluster now",
    () =>
      Effect.gen(function*() {
        const { one, other } = yield* two
        // The server that was given tells of the second cluster at first, and then of the first one, whose epochs are older.
        const before = ofEpoch(20, other.cluster.told)
        const now = one.a.instead
        one.a.instead = before
        const { cluster: nodes } = yield* FakeCluster.client(one.cluster, { nodes: [one.a] })
        yield* nodes.refresh
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), other.a.address)
        one.a.instead = now
        yield* nodes.refresh
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), one.a.address)
      })
  )
})

describe("A server of another cluster that has taken over an address", () => {
  inVirtualTime(
    "is not followed when its turn comes, although its epochs are later, but once it is the first one",
    () =>
      Effect.gen(function*() {
        const { a, c, cluster } = yield* FakeCluster.make()
        const { a: p, b: q, cluster: other } = yield* FakeCluster.make()
        for (const node of cluster.nodes) node.instead = ofEpoch(6, cluster.told)
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { refreshInterval: "1 second" })
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
        const theirs = other.told.map((range, index) => ({
          ...range,
          master: { ...[p, q, c][index] ?? c, name: `${range.master.name} of others` }
        }))
        for (const node of [p, q, c]) node.instead = ofEpoch(20, theirs)
        const before = FakeCluster.readingsOf(c)
        for (let round = 0; round < 6; round++) {
          yield* client.execute(Redis.set(keyOfA, "v"))
          assert.strictEqual(yield* nodes.nodeOf(keyOfA), a.address)
          yield* Effect.sleep("1 second")
        }
        assert.isAbove(FakeCluster.readingsOf(c), before)
        assert.strictEqual(sets(p), 0)
        a.instead = ofEpoch(2, theirs)
        yield* nodes.refresh
        yield* nodes.refresh
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), p.address)
      })
  )

  inVirtualTime(
    "does not take the client along, although the servers before it were contradicted once",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        for (const node of cluster.nodes) node.instead = ofEpoch(6, cluster.told)
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { refreshInterval: "1 second" })
        yield* nodes.refresh
        let isDown = true
        a.instead = (command, connection) => {
          if (command.name !== "GET" || !isDown) return ofEpoch(6, cluster.told)(command, connection)
          isDown = false
          return FakeCluster.clusterDown
        }
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
        b.instead = ofEpoch(20, [{ start: 0, end: 16_383, master: { ...b, name: "B of others" } }])
        const before = FakeCluster.readingsOf(b)
        while (FakeCluster.readingsOf(b) === before) {
          yield* client.execute(Redis.get(keyOfA))
          yield* Effect.sleep("500 millis")
        }
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), a.address)
      })
  )

  for (const fullCoverage of [true, false]) {
    inVirtualTime(
      `does not take the client along where the others leave out the slots of the server of before${
        fullCoverage ? ", which must be served" : ""
      }`,
      () =>
        Effect.gen(function*() {
          const { a, b, c, cluster } = yield* FakeCluster.make()
          cluster.fullCoverage = fullCoverage
          for (const node of cluster.nodes) node.instead = ofEpoch(6, cluster.told)
          const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { refreshInterval: "1 second" })
          yield* nodes.refresh
          for (const node of [a, b]) node.instead = ofEpoch(6, cluster.told.slice(0, 2), fullCoverage ? "fail" : "ok")
          c.instead = ofEpoch(20, [{ start: 0, end: 16_383, master: { ...c, name: "C of others" } }])
          const before = FakeCluster.readingsOf(c)
          while (FakeCluster.readingsOf(c) === before) {
            yield* client.execute(Redis.get(keyOfA))
            yield* Effect.sleep("500 millis")
          }
          yield* Effect.exit(nodes.refresh)
          assert.strictEqual(yield* nodes.nodeOf(keyOfA), a.address)
          assert.isTrue(Exit.isFailure(yield* Effect.exit(client.execute(Redis.get(keyOfC)))))
          assert.deepStrictEqual(FakeCluster.log(c), [])
        })
    )
  }

  /** Has a server be of another cluster, and waits until it is asked for the topology as its turn comes. */
  const takeOver = Effect.fnUntraced(function*(node: FakeCluster.Node, client: RedisClient.Client) {
    const theirs = [{ start: 0, end: 16_383, master: { ...node, name: `${node.name} of others` } }]
    node.instead = (command, connection) =>
      command.name === "GET" ? Encode.bulk("theirs") : ofEpoch(20, theirs)(command, connection)
    const before = FakeCluster.readingsOf(node)
    while (FakeCluster.readingsOf(node) === before) {
      yield* client.execute(Redis.get(keyOfA))
      yield* Effect.sleep("500 millis")
    }
  })

  /** A cluster whose third server is of another cluster by now, as a client has found out that has sent it a command before. */
  const takenOver = Effect.gen(function*() {
    const { c, cluster } = yield* FakeCluster.make()
    for (const node of cluster.nodes) node.instead = ofEpoch(6, cluster.told)
    const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { refreshInterval: "1 second" })
    assert.strictEqual(yield* client.execute(Redis.get(keyOfC)), `C:${keyOfC}`)
    yield* takeOver(c, client)
    return { c, client, cluster, nodes }
  })

  /** A client, and one of the replica `d`, which is still of the cluster. */
  const ofReplica = Effect.gen(function*() {
    const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
    assert.isDefined(d)
    for (const node of cluster.nodes) node.instead = ofEpoch(6, cluster.told)
    const { client, cluster: nodes } = yield* FakeCluster.client(cluster, {
      nodes: [a, d],
      refreshInterval: "1 second"
    })
    return { client, cluster, d, nodes, onNode: yield* nodes.clientOf(d.address) }
  })

  inVirtualTime(
    "is sent nothing any more, and what is for the server of before waits for that one",
    () =>
      Effect.gen(function*() {
        const { c, client, cluster } = yield* takenOver
        const error = yield* Client.failure(client, Redis.get(keyOfC), "ClusterRetriesExhaustedError")
        assert.match(error.message, /A server of another cluster has the address at 127/)
        assert.strictEqual(error.delivery, "not-sent")
        assert.strictEqual(yield* client.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
        assert.deepStrictEqual(FakeCluster.log(c), [`C GET ${keyOfC}`])
        const waiting = yield* fork(client.execute(Redis.get(keyOfC)))
        yield* Effect.sleep("300 millis")
        c.instead = ofEpoch(6, cluster.told)
        assert.strictEqual(yield* Fiber.join(waiting), `C:${keyOfC}`)
      })
  )

  inVirtualTime(
    "is sent nothing that is for all servers, or for the one at its address, either",
    () =>
      Effect.gen(function*() {
        const { client, cluster, d, nodes, onNode } = yield* ofReplica
        yield* takeOver(d, client)
        for (const node of cluster.nodes.filter((node) => node !== d)) {
          node.instead = ({ name }) => name === "SCRIPT" ? Encode.ok : undefined
        }
        const strange = /A server of another cluster has the address at 127/
        assert.isTrue(yield* client.execute(Redis.scriptFlush()))
        const everywhere = yield* Effect.flip(nodes.perNode(Redis.configGet("maxmemory"), { nodes: "all" }))
        assert.match(everywhere.message, strange)
        const error = yield* Client.failure(onNode, Redis.set(keyOfA, "v"), "ConnectionError")
        assert.match(error.message, strange)
        assert.strictEqual(error.delivery, "not-sent")
        assert.deepStrictEqual(FakeCluster.log(d), [])
        d.instead = ofEpoch(6, cluster.told)
        yield* Effect.sleep("1 second")
        assert.isTrue(yield* onNode.execute(Redis.ping()))
      })
  )

  inVirtualTime(
    "has no subscription and no feed of commands that were for the one at its address, neither those of before nor new ones",
    () =>
      Effect.gen(function*() {
        const { client, cluster, d, onNode } = yield* ofReplica
        /** Lets commands of messages through, beside what the server does otherwise. */
        const takeMessages = (node: FakeCluster.Node) => {
          const { instead } = node
          node.instead = (command, connection) =>
            command.name === "SUBSCRIBE"
              ? Encode.push([Encode.bulk("subscribe"), Encode.bulk(command.args[1]!), Encode.integer(1)])
              : command.name === "MONITOR"
              ? Encode.concat(Encode.ok, Encode.simple("1339518083.107412 [0 127.0.0.1:60866] \"GET\" \"k\""))
              : instead?.(command, connection)
        }
        const ofMessages = () => FakeCluster.log(d).filter((line) => /SUBSCRIBE|MONITOR/.test(line))
        takeMessages(d)
        const subscriber = yield* Client.on(onNode)(Subscriber.consume(Redis.subscribe("news", { events: true })))
        yield* subscriber.until((elements) => elements.some(({ _tag }) => _tag === "Subscribed"))
        const fed = yield* Deferred.make<void>()
        const take = Stream.runForEach(onNode.monitor({}), () => Deferred.succeed(fed, undefined))
        const feed = yield* fork(Effect.flip(take))
        yield* Deferred.await(fed)
        const before = ofMessages()
        assert.deepStrictEqual(before, ["D SUBSCRIBE news", "D MONITOR"])
        yield* takeOver(d, client)
        takeMessages(d)
        const strange = /A server of another cluster has the address at 127/
        assert.match((yield* Fiber.join(feed)).message, strange)
        yield* subscriber.until((elements) => elements.some(({ _tag }) => _tag === "Lost"))
        assert.match((yield* Effect.flip(Stream.runDrain(onNode.monitor({})))).message, strange)
        const pattern = Stream.runDrain(Redis.psubscribe("new*"))
        assert.match((yield* Effect.flip(Client.on(onNode)(pattern))).message, strange)
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(ofMessages(), before)
        d.instead = ofEpoch(6, cluster.told)
        takeMessages(d)
        yield* subscriber.until((elements) => elements.some(({ _tag }) => _tag === "Restored"))
      })
  )

  inVirtualTime(
    "is asked twice a second for its cluster, also while it refuses to tell",
    () =>
      Effect.gen(function*() {
        const { c, client, cluster } = yield* takenOver
        c.instead = ({ name }) => name === "CLUSTER" ? Encode.error("BUSY Redis is busy running a script.") : undefined
        const before = FakeCluster.readingsOf(c)
        yield* Effect.sleep("2 seconds")
        const asked = FakeCluster.readingsOf(c) - before
        assert.isAtLeast(asked, 3)
        assert.isAtMost(asked, 5)
        c.instead = ofEpoch(6, cluster.told)
        assert.strictEqual(yield* client.execute(Redis.get(keyOfC)), `C:${keyOfC}`)
      })
  )

  inVirtualTime(
    "is sent what another master has no more, once the topology names it with its own name",
    () =>
      Effect.gen(function*() {
        const { c, client, cluster, nodes } = yield* takenOver
        const anew = cluster.told.map((range) => ({
          ...range,
          master: { ...range.master, name: `new ${range.master.name}` }
        }))
        for (const node of cluster.nodes) node.instead = ofEpoch(2, anew)
        yield* nodes.refresh
        assert.strictEqual(yield* client.execute(Redis.get(keyOfC)), `C:${keyOfC}`)
        assert.strictEqual(yield* nodes.nodeOf(keyOfC), c.address)
      })
  )
})

describe("A master that was left behind when all addresses changed", () => {
  inVirtualTime("does not hold the client, as it says that its cluster is down", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster, others: [start] } = yield* FakeCluster.make({ extra: 1 })
      const { b: now, cluster: anew } = yield* FakeCluster.make()
      for (const node of [start!, a, b, c]) node.instead = ofEpoch(6, cluster.told)
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, {
        nodes: [start!],
        followCluster: true,
        refreshInterval: "1 second"
      })
      yield* nodes.refresh
      for (const { node } of [b, c]) {
        yield* node.stopListening
        yield* node.cutAll()
      }
      a.instead = ofEpoch(6, cluster.told, "fail")
      for (const node of [start!, ...anew.nodes]) node.instead = ofEpoch(8, anew.told)
      for (let round = 0; round < 2; round++) {
        yield* Effect.exit(client.execute(Redis.get(keyOfB)))
        yield* Effect.sleep("1 second")
      }
      assert.strictEqual(yield* nodes.nodeOf(keyOfB), now.address)
    }))
})

describe("A cluster that was made anew", () => {
  inVirtualTime("is believed, although its epochs are lower than those of before", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      for (const node of cluster.nodes) node.instead = ofEpoch(7, cluster.told)
      const { cluster: nodes } = yield* FakeCluster.client(cluster)
      yield* nodes.refresh
      FakeCluster.replace(cluster, a, b)
      for (const node of cluster.nodes) node.instead = ofEpoch(3, cluster.told)
      yield* nodes.refresh
      assert.strictEqual(yield* nodes.nodeOf(keyOfA), b.address)
    }))
})

describe("A server without a name", () => {
  /** CLUSTER SLOTS of a cluster that prefers names and has none. */
  const nameless = (cluster: FakeCluster.FakeCluster, withAddress: boolean) =>
    Encode.array(cluster.told.map(({ end, master, start }) =>
      Encode.array([
        Encode.integer(start),
        Encode.integer(end),
        Encode.array([
          Encode.bulk("?"),
          Encode.integer(master.port),
          Encode.bulk(master.name),
          Encode.bulks(withAddress ? ["ip", master.host] : [])
        ])
      ])
    ))

  inVirtualTime("is where its address says that stands beside", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make()
      for (const node of cluster.nodes) {
        node.instead = ({ name }) => name === "CLUSTER" ? nameless(cluster, true) : undefined
      }
      const { client } = yield* FakeCluster.client(cluster)
      assert.strictEqual(yield* client.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
    }))

  inVirtualTime("cannot be found without one, and the error says what to set", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make()
      for (const node of cluster.nodes) {
        node.instead = ({ name }) => name === "CLUSTER" ? nameless(cluster, false) : undefined
      }
      const { client } = yield* FakeCluster.client(cluster)
      const error = yield* Client.failure(client, Redis.get(keyOfB), "ClusterConnectError")
      assert.match(error.message, /names its nodes "\?".*cluster-announce-hostname/)
    }))
})

describe("Use", () => {
  it.effect("by perNode and fan-outs is a reason to read the topology at intervals", () =>
    Effect.gen(function*() {
      const { b, c, cluster } = yield* FakeCluster.make()
      for (const node of cluster.nodes) node.instead = ({ name }) => name === "DBSIZE" ? Encode.integer(1) : undefined
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { refreshInterval: "60 seconds" })
      yield* nodes.perNode(Redis.dbsize())
      yield* TestClock.adjust("1 minute")
      yield* FakeCluster.awaitReadings(b, 1)
      yield* client.execute(Redis.dbsize())
      yield* TestClock.adjust("1 minute")
      yield* FakeCluster.awaitReadings(c, 1)
    }))
})
