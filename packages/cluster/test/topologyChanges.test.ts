/**
 * How a cluster's client finds out who serves what, with scripted nodes.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient, RedisError } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC, sibling } from "@redfx/testing/FakeCluster"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Subscriber from "@redfx/testing/Subscriber"
import * as Uncaught from "@redfx/testing/Uncaught"
import { delay, inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"

const slotsRefused = (line: string): FakeNode.Handler => ({ name }) =>
  name === "CLUSTER" ? Encode.error(line) : undefined

/** A closed port of this machine. */
const nobody = Effect.scoped(Effect.map(FakeNode.make(), ({ host, port }) => ({ host, port })))

const made = (options: unknown) =>
  // What types do not allow comes from URLs and files.
  Effect.provide(RedisCluster.make(options as RedisConfig.ClusterOptions), NodeRedisConnector.layer)

describe("Options", () => {
  it.effect("CCF-01, ERR-22: no nodes to start from is an error at once", () =>
    Effect.gen(function*() {
      const error = Client.expectTag(yield* Effect.flip(made({ nodes: [] })), "RedisConfigError")
      assert.strictEqual(error.option, "nodes")
    }))

  it.effect("CCF-15: a database that can be none is an error at once", () =>
    Effect.gen(function*() {
      const nodes = [{ host: "h", port: 1 }]
      const error = Client.expectTag(yield* Effect.flip(made({ nodes, db: -1 })), "RedisConfigError")
      assert.strictEqual(error.option, "db")
    }))

  inVirtualTime(
    "CLT-09: a database that the servers refuse is an error in good time, and not to be tried again",
    () =>
      Effect.gen(function*() {
        const { cluster } = yield* FakeCluster.make()
        const refusing: FakeNode.Handler = ({ name }) =>
          name === "SELECT" ? Encode.error("ERR SELECT is not allowed in cluster mode") : undefined
        const permanent = (error: RedisError.RedisError) => {
          assert.deepInclude(error, {
            _tag: "ConnectionError",
            reason: "Handshake",
            delivery: "not-sent",
            permanent: true
          })
          assert.match(error.message, /SELECT.*database 0 alone; leave out db/)
          assert.isFalse(RedisError.isRetryable(error))
        }
        for (const node of cluster.nodes) node.instead = refusing
        const { client } = yield* FakeCluster.client(cluster, { db: 1 })
        const started = yield* Clock.currentTimeMillis
        permanent(yield* Effect.flip(client.execute(Redis.get("b"))))
        permanent(yield* Effect.flip(client.execute(Redis.mget(["a", "b"]))))
        permanent(
          yield* Effect.flip(Effect.provideService(
            Stream.runDrain(Redis.subscribe("channel")),
            RedisClient.RedisClient,
            client
          ))
        )
        assert.isBelow((yield* Clock.currentTimeMillis) - started, 2000)
        // One alone, as while servers are replaced by newer ones, fails what is for it. The others are used.
        for (const node of cluster.nodes.slice(1)) node.instead = undefined
        const { client: mixed } = yield* FakeCluster.client(cluster, { db: 1 })
        assert.strictEqual(yield* mixed.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
        const error = yield* Effect.flip(mixed.execute(Redis.get(keyOfA)))
        assert.match(error.message, /database 0 alone/)
      })
  )

  it.effect("CCF-14, ERR-21: what cannot be is an error at once, which names the option", () =>
    Effect.gen(function*() {
      const bad: ReadonlyArray<readonly [option: string, options: object]> = [
        ["natMap[1]", { natMap: [{ from: { port: 1 }, to: { port: 2 } }, { from: { host: "h" }, to: {} }] }],
        ["natMap[0]", { natMap: [{ from: {}, to: { port: 2 } }] }],
        ["nodes[0].port", { nodes: [{ host: "h", port: 0 }] }],
        ["crossSlot", { crossSlot: "merge" }],
        ["readFrom", { readFrom: "slave" }],
        ["reinitializeSteps", { reinitializeSteps: 0 }],
        ["clusterDownRetryAttempts", { clusterDownRetryAttempts: -1 }],
        ["refreshInterval", { refreshInterval: "soon" }],
        ["pool.max", { pool: { max: 0 } }],
        ["pool.max", { pool: { max: 2, shared: 2, perNode: true } }]
      ]
      for (const [option, options] of bad) {
        const error = yield* Effect.flip(made({ nodes: [{ host: "h", port: 1 }], ...options }))
        assert.strictEqual(Client.expectTag(error, "RedisConfigError").option, option)
      }
    }))

  it.effect("CLT-10, ENT-16: a client prints the nodes to start from, sorted, and no secret", () =>
    Effect.gen(function*() {
      const { client } = yield* made({
        nodes: [{ host: "h", port: 7001 }, { host: "h", port: 7000 }, { host: "::1", port: 1 }],
        username: "hidden-user",
        password: Redacted.make("hidden")
      })
      const printed = "RedisClient(cluster [::1]:1, h:7000, h:7001)"
      assert.strictEqual(String(client), printed)
      assert.strictEqual(inspect(client), printed)
      assert.notInclude(JSON.stringify(client), "hidden")
    }))
})

describe("Telemetry", () => {
  inVirtualTime(
    "spans tell the database, which is 0, also on a reserved connection",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { client } = yield* made({ nodes: [{ host: "h", port: 1 }] })
        const reserved = yield* client.reserve
        assert.deepStrictEqual([client, reserved].map(({ attributes }) => attributes?.["db.namespace"]), ["0", "0"])
      }))
  )
})

describe("Discovery", () => {
  inVirtualTime(
    "CLT-02, CCF-06, ENT-15: nothing is opened before the first command, or only what was asked for",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        yield* FakeCluster.client(cluster)
        yield* Effect.sleep("30 millis")
        assert.strictEqual(a.node.connections.total, 0)
        yield* FakeCluster.client(cluster, { discovery: "eager" })
        assert.strictEqual(FakeCluster.readings(cluster), 1)
        assert.deepStrictEqual([a.node.connections.total, b.node.connections.total], [1, 0])
        const failure = yield* Effect.flip(made({ nodes: [yield* nobody], discovery: "eager" }))
        assert.strictEqual(failure._tag, "ClusterConnectError")
      })
  )

  inVirtualTime(
    "CLT-02: nodes are asked in their order, and those that cannot tell are left out",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        a.instead = slotsRefused("CLUSTERDOWN The cluster is down")
        b.instead = slotsRefused("MASTERDOWN Link with MASTER is down")
        const { client } = yield* FakeCluster.client(cluster, { nodes: [yield* nobody, a, b, c] })
        assert.strictEqual(yield* client.execute(Redis.get(keyOfC)), `C:${keyOfC}`)
        assert.deepStrictEqual(
          cluster.nodes.map(FakeCluster.readingsOf),
          [1, 1, 1]
        )
      })
  )

  inVirtualTime("CLT-02: a node that does not answer holds up nobody", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      a.instead = ({ name }) => name === "CLUSTER" ? FakeNode.stall() : undefined
      const { client } = yield* FakeCluster.client(cluster, { nodes: [a, b, c] })
      assert.strictEqual(yield* client.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
      assert.deepStrictEqual([b, c].map(({ node }) => node.connections.total), [1, 0])
    }))

  it.effect("what waits for nodes that do not answer has its limit, also when it is for all of them", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      for (const node of cluster.nodes) node.instead = ({ name }) => name === "CLUSTER" ? FakeNode.stall() : undefined
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { commandTimeout: "500 millis" })
      const calls: Readonly<Record<string, Effect.Effect<unknown, RedisError.RedisError>>> = {
        GET: client.execute(Redis.get("k")),
        MGET: client.execute(Redis.mget(keyOfA, keyOfB)),
        DBSIZE: client.execute(Redis.dbsize()),
        FLUSHALL: nodes.perNode(Redis.flushall()),
        SCAN: client.execute(Redis.scan("0"))
      }
      const fibers = yield* Effect.forEach(
        Object.values(calls),
        (call) => Effect.forkChild(Effect.flip(call), { startImmediately: true })
      )
      yield* a.node.awaitCommand("CLUSTER")
      // Each node has the limit as well, and others are asked later.
      yield* TestClock.adjust("530 millis")
      for (const [index, command] of Object.keys(calls).entries()) {
        const error = yield* Fiber.join(fibers[index]!)
        assert.deepInclude(error, { _tag: "TimeoutError", command, milliseconds: 500, delivery: "not-sent" })
      }
      assert.strictEqual((yield* Effect.flip(client.execute(Redis.swapdb(0, 1))))._tag, "ClusterUnsupportedError")
    }))

  inVirtualTime(
    "CLT-03, ERR-22: when nobody can be reached, the error says what each one said",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        a.instead = slotsRefused("ERR not today")
        const gone = yield* nobody
        const { client } = yield* FakeCluster.client(cluster, { nodes: [gone, a] })
        const error = yield* Client.failure(client, Redis.get("k"), "ClusterConnectError")
        assert.deepStrictEqual(error.attempts.map(({ address }) => address), [`127.0.0.1:${gone.port}`, a.address])
        assert.match(error.message, /refused.*not today.*at least one node that can be reached/)
      })
  )

  inVirtualTime("CLT-03: a server that is no cluster is an error at once", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      a.instead = slotsRefused("ERR This instance has cluster support disabled")
      const { client } = yield* FakeCluster.client(cluster, { nodes: [a, b] })
      const error = yield* Client.failure(client, Redis.get("k"), "ClusterConnectError")
      assert.match(error.message, /It is no cluster .*cluster support disabled.*; NodeRedisClient\.layer/)
      assert.strictEqual(b.node.connections.total, 0)
    }))

  it.live("ERR-22: TLS that all servers refuse is that error, and not to be tried again; others may be there later", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const own = { host: node.host, port: node.port }
      const gone = yield* nobody
      for (const [index, nodes] of [[own], [gone, own], [own, gone]].entries()) {
        const { client } = yield* made({ nodes, tls: true })
        const failed = yield* fork(Effect.flip(client.execute(Redis.get("k"))))
        yield* node.awaitConnections(index + 1)
        yield* node.push(index, "-ERR this is no TLS\r\n")
        const error = yield* Fiber.join(failed)
        assert.strictEqual(error._tag, index === 0 ? "ConnectionError" : "ClusterConnectError")
        assert.strictEqual(RedisError.isRetryable(error), index > 0)
        assert.match(error.message, /does the server speak TLS on this port \(the option tls\)\?/)
      }
    }))

  inVirtualTime(
    "CLT-03: a server that does not speak TLS may say nothing; then the error says what to look at",
    () =>
      Effect.gen(function*() {
        const { host, port } = yield* FakeNode.make(() => FakeNode.stall())
        const { client } = yield* made({ nodes: [{ host, port }], tls: true, connectTimeout: "500 millis" })
        const error = yield* Client.failure(client, Redis.get("k"), "ClusterConnectError")
        assert.match(error.message, /within 500 ms; TLS was not established; does the server speak TLS on this port/)
      })
  )

  inVirtualTime("ERR-22: a password that is refused is an AuthenticationError", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make({ handshake: { password: "right" } })
      const wrong = yield* FakeCluster.client(cluster, {
        nodes: [yield* nobody, a],
        password: Redacted.make("wrong")
      })
      yield* Client.failure(wrong.client, Redis.get("k"), "AuthenticationError")
      const right = yield* FakeCluster.client(cluster, { password: Redacted.make("right") })
      assert.strictEqual(yield* right.client.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
    }))

  it.live("callers who wait for one reading that fails get an error of their own each, which names what they wanted", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const { client, cluster } = yield* made({ nodes: [{ host: node.host, port: node.port }], tls: true })
      const both = Redis.pipelineSettled([Redis.set("k", "v"), Redis.get("k")])
      const calls: Readonly<Record<string, Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>>> = {
        GET: Redis.get("k"),
        BLPOP: Redis.blpop(["k"], 1),
        DBSIZE: Redis.dbsize(),
        FLUSHALL: Redis.flushall(),
        EXEC: Redis.transaction([Redis.set("k", "v")]),
        SET: Effect.flatMap(both, ([first]) => Effect.fromResult(first))
      }
      const waiting = yield* Effect.forEach(
        Object.entries(calls).flatMap(([name, call]) => [[name, call], [name, call]] as const),
        ([name, call]) => Effect.map(fork(Effect.flip(Client.on(client)(call))), (fiber) => ({ name, fiber }))
      )
      const refresh = yield* fork(Effect.flip(cluster.refresh))
      yield* node.awaitConnections(1)
      yield* node.push(0, "-ERR this is no TLS\r\n")
      const errors = yield* Effect.forEach(waiting, ({ fiber }) => Fiber.join(fiber))
      assert.deepStrictEqual(
        errors.map((error) => {
          const { command, delivery, readonly, reason } = Client.expectTag(error, "ConnectionError")
          return [command, delivery, readonly, reason]
        }),
        waiting.map(({ name }) => [name, "not-sent", ["GET", "DBSIZE"].includes(name), "Tls"])
      )
      const own = Client.expectTag(yield* Fiber.join(refresh), "ConnectionError")
      assert.strictEqual(own.command, undefined)
      assert.strictEqual(new Set([...errors, own]).size, errors.length + 1)
    }))

  inVirtualTime("CLT-04: a node without a host is the one that was asked", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      cluster.told = [{ start: 0, end: 16_383, master: a, host: "" }]
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [a] })
      assert.strictEqual(yield* client.execute(Redis.get(keyOfC)), `A:${keyOfC}`)
      assert.deepStrictEqual(yield* nodes.nodes, [{ address: a.address, role: "master" }])
    }))

  inVirtualTime("a node that has no host anybody could call is no node", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      cluster.told = [{ start: 0, end: 100, master: a, host: "?" }, { start: 101, end: 16_383, master: b }]
      const { cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [a] })
      assert.deepStrictEqual(yield* nodes.nodes, [{ address: b.address, role: "master" }])
    }))

  inVirtualTime(
    "CLT-05: slots that nobody serves are an error where all must be served; another node may know more",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        cluster.told = cluster.told.slice(0, 2)
        cluster.fullCoverage = true
        const { client } = yield* FakeCluster.client(cluster, { nodes: [a, b] })
        const error = yield* Client.failure(client, Redis.get(keyOfA), "ClusterConnectError")
        assert.strictEqual(error.attempts.length, 2)
        assert.match(error.message, /all slots must be covered and only 10923 of 16384 are/)
        const known = [{ start: 0, end: 16_383, master: b }]
        b.instead = ({ name }) => name === "CLUSTER" ? FakeCluster.slots(known) : undefined
        assert.strictEqual((yield* Effect.exit(client.execute(Redis.get(keyOfA))))._tag, "Success")
      })
  )

  inVirtualTime(
    "CLT-05: where they need not be served, the others are; a node that is down says nothing about it",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        cluster.told = cluster.told.slice(0, 2)
        yield* b.node.stopListening
        const { client } = yield* FakeCluster.client(cluster, { nodes: [a] })
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
      })
  )

  inVirtualTime(
    "CLT-05, CCF-09: who refuses CONFIG does not say that all must be served; where it is skipped nobody is asked",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        cluster.told = cluster.told.slice(0, 2)
        a.instead = ({ name }) => name === "CONFIG" ? Encode.error("NOPERM no permissions to run 'config'") : undefined
        b.instead = a.instead
        const strict = yield* FakeCluster.client(cluster, { nodes: [a] })
        assert.strictEqual(yield* strict.client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
        const asked = a.node.commands.filter(({ command }) => command.name === "CONFIG").length
        assert.isAbove(asked, 0)
        const lax = yield* FakeCluster.client(cluster, { nodes: [a], skipFullCoverageCheck: true })
        assert.strictEqual(yield* lax.client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
        assert.strictEqual(a.node.commands.filter(({ command }) => command.name === "CONFIG").length, asked)
      })
  )

  inVirtualTime("an answer that cannot be is that of a node that does not know", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      a.instead = ({ name }) =>
        name === "CLUSTER" ? FakeCluster.slots([{ start: 5, end: 16_384, master: a }]) : undefined
      const { client } = yield* FakeCluster.client(cluster, { nodes: [a, b] })
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
      assert.strictEqual(FakeCluster.readings(cluster), 2)
    }))
})

describe("Addresses", () => {
  inVirtualTime(
    "CLT-08, CCF-14: addresses that the cluster tells are translated, those of redirects too, those given never",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const inner = (node: FakeCluster.Node) => ({ ...node, host: "10.0.0.1", port: node.port + 20_000 })
        cluster.told = cluster.told.map((range) => ({ ...range, master: inner(range.master) }))
        for (const { master } of cluster.told) cluster.owners.set(FakeCluster.slotOf(keyOfA), master)
        for (const [key, node] of [[keyOfA, a], [keyOfB, b]] as const) cluster.owners.set(FakeCluster.slotOf(key), node)
        const seen: Array<string> = []
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, {
          nodes: [a],
          natMap: ({ host, port }) => {
            seen.push(host)
            return { host: host === "10.0.0.1" ? "127.0.0.1" : host, port: host === "10.0.0.1" ? port - 20_000 : port }
          }
        })
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
        assert.deepStrictEqual(new Set(seen), new Set(["10.0.0.1"]))
        assert.deepStrictEqual(
          (yield* nodes.nodes).map(({ address }) => address),
          cluster.nodes.map(({ address }) => address)
        )
        const [gone, asked] = [sibling(keyOfA, "gone"), sibling(keyOfA, "asked")]
        const at = { address: `10.0.0.1:${b.port + 20_000}` }
        a.instead = ({ args }) =>
          args[1] === gone ? FakeCluster.moved(gone, at) : args[1] === asked ? FakeCluster.ask(asked, at) : undefined
        assert.strictEqual(yield* client.execute(Redis.get(asked)), `B:${asked}`)
        cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
        assert.strictEqual(yield* client.execute(Redis.get(gone)), `B:${gone}`)
      })
  )

  inVirtualTime("CCF-14: the first rule that matches holds", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      cluster.told = [{ start: 0, end: 16_383, master: { ...b, host: "10.0.0.1", port: 7000 } }]
      cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
      const { client } = yield* FakeCluster.client(cluster, {
        nodes: [a],
        natMap: [
          { from: { host: "10.0.0.1", port: 7001 }, to: { host: "127.0.0.1", port: 1 } },
          { from: { host: "10.0.0.1" }, to: { host: "127.0.0.1", port: b.port } },
          { from: { port: 7000 }, to: { port: 1 } }
        ]
      })
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
    }))
})

describe("A natMap that breaks", () => {
  const broken: ReadonlyArray<readonly [string, Exclude<RedisConfig.NatMap, ReadonlyArray<unknown>>]> = [
    ["throws", () => {
      throw new Error("boom")
    }],
    ["names no port", ({ host }) => ({ host, port: 0 })],
    ["names no host", ({ port }) => ({ host: "?", port })],
    ["names no host that can be one", ({ port }) => ({ host: "a b", port })],
    // Not by its type, but programs need not be typed.
    ["names nothing", () => undefined as never]
  ]

  for (const [what, natMap] of broken) {
    inVirtualTime(
      `CCF-14: one that ${what} fails everything that is waiting, with a typed error`,
      () =>
        Effect.gen(function*() {
          const { cluster } = yield* FakeCluster.make()
          const { client } = yield* FakeCluster.client(cluster, { natMap })
          const outcomes = yield* Effect.all(
            [
              client.execute(Redis.get(keyOfA)),
              Effect.flatMap(client.pipeline([Redis.get(keyOfA)]), ([outcome]) => outcome!),
              client.transaction([Redis.get(keyOfA)]),
              client.execute(Redis.blpop([keyOfA], 0)),
              Client.on(client)(Redis.watch(keyOfA, Effect.succeed([Redis.get(keyOfA)]))),
              Effect.scoped(Effect.flatMap(client.pubSub.open({}), (subscriber) => subscriber.subscribe("channel")))
            ].map((effect: Effect.Effect<unknown, RedisError.RedisError>) => Effect.flip(effect)),
            { concurrency: "unbounded" }
          )
          for (const error of outcomes) {
            const { detail, reason } = Client.expectTag(error, "ConnectionError")
            assert.strictEqual(reason, "Other")
            assert.match(detail, /^The program's natMap failed for 127\.0\.0\.1:\d+/)
          }
          assert.deepStrictEqual(FakeCluster.log(...cluster.nodes), [])
        })
    )
  }

  inVirtualTime(
    "CCF-14: one that throws for a redirect costs what was redirected, and nothing else on its connection",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        let armed = false
        const { client } = yield* FakeCluster.client(cluster, {
          natMap: (address) => {
            if (armed) throw new Error("boom")
            return address
          }
        })
        yield* client.execute(Redis.get(keyOfA))
        armed = true
        const gone = sibling(keyOfA, "gone")
        a.instead = ({ args }) => args[1] === gone ? FakeCluster.moved(gone, b) : undefined
        const commands = [Redis.get(keyOfA), Redis.get(gone), Redis.get(sibling(keyOfA))]
        const [before, redirected, after] = yield* Client.outcomes(client, commands)
        assert.deepStrictEqual([before, after], [
          Exit.succeed(`A:${keyOfA}`),
          Exit.succeed(`A:${sibling(keyOfA)}`)
        ])
        const { code } = Client.expectTag(yield* Effect.flip(redirected!), "ResponseError")
        assert.strictEqual(code, "MOVED")
        assert.strictEqual(a.node.connections.total, 1)
      })
  )

  inVirtualTime(
    "CCF-14: one that cannot tell where one node's neighbours are leaves it to another node",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const strange = cluster.told.map((range) => ({ ...range, host: "stranger" }))
        a.instead = ({ name }) => name === "CLUSTER" ? FakeCluster.slots(strange) : undefined
        const { client } = yield* FakeCluster.client(cluster, {
          nodes: [a, b],
          natMap: (address) => {
            if (address.host === "stranger") throw new Error("boom")
            return address
          }
        })
        assert.strictEqual(yield* client.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
      })
  )
})

describe("Refreshing", () => {
  inVirtualTime("CLT-07, CCF-10: from the given nodes, or from those known last", () =>
    Effect.gen(function*() {
      for (const followCluster of [false, true]) {
        const { a, b, c, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
        const { cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [x!], followCluster })
        yield* nodes.refresh
        yield* nodes.refresh
        const asked = [x!, a, b, c].map(FakeCluster.readingsOf)
        assert.deepStrictEqual(asked, followCluster ? [1, 1, 0, 0] : [2, 0, 0, 0])
      }
    }))

  inVirtualTime(
    "is told to all who wait for it, whatever an observer of one of them throws",
    () =>
      Effect.gen(function*() {
        const uncaught = yield* Uncaught.collected
        const { a, cluster } = yield* FakeCluster.make()
        const { cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [a] })
        const gate = yield* Deferred.make<void>()
        a.instead = ({ name }) =>
          name === "CLUSTER" ? [FakeNode.gate(gate), FakeNode.reply(FakeCluster.slots(cluster.told))] : undefined
        Effect.runCallback(nodes.refresh, {
          onExit: () => {
            throw new Error("thrown by an observer")
          }
        })
        const other = yield* fork(nodes.refresh)
        yield* a.node.awaitCommand("CLUSTER")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(other)
        assert.deepStrictEqual(yield* uncaught, ["Error: thrown by an observer"])
      })
  )

  inVirtualTime(
    "CLT-07: when the given nodes are gone, those that were learned are asked",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [x!] })
        yield* nodes.refresh
        yield* x!.node.stopListening
        yield* x!.node.cutAll("reset")
        FakeCluster.replace(cluster, a, b)
        yield* nodes.refresh
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
      })
  )

  inVirtualTime("a node that was wrong is not asked first the next time", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      const old = [{ start: 0, end: 16_383, master: a }]
      // Cut off from the others, A believes itself the master of everything, and serves nothing.
      a.instead = ({ name }) =>
        name === "CLUSTER" ? FakeCluster.slots(old) : name === "GET" ? FakeCluster.clusterDown : undefined
      FakeCluster.replace(cluster, a, b)
      const { client } = yield* FakeCluster.client(cluster, { nodes: [a, b, c] })
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
    }))

  it.effect("once in an interval in which there were commands, and not without", () =>
    Effect.gen(function*() {
      const { b, c, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { refreshInterval: "60 seconds" })
      yield* client.execute(Redis.get(keyOfA))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(FakeCluster.readings(cluster), 1)
      yield* TestClock.adjust("1 second")
      yield* FakeCluster.awaitReadings(b, 1)
      yield* TestClock.adjust("5 minutes")
      yield* client.execute(Redis.get(keyOfA))
      assert.strictEqual(FakeCluster.readings(cluster), 2)
      yield* TestClock.adjust("1 minute")
      yield* FakeCluster.awaitReadings(c, 1)
    }))

  it.effect("not again at once: there is a pause between two readings, however many want one", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster)
      yield* nodes.refresh
      const again = yield* Effect.forkChild(Effect.replicateEffect(nodes.refresh, 3, { discard: true }))
      // A round trip to the same node, on the connection that it would be asked on.
      for (let i = 0; i < 20; i++) yield* client.execute(Redis.get(keyOfA))
      assert.strictEqual(FakeCluster.readings(cluster), 1)
      yield* TestClock.adjust("200 millis")
      yield* FakeCluster.awaitReadings(a, 2)
      while (again.pollUnsafe() === undefined) {
        yield* client.execute(Redis.get(keyOfA))
        yield* TestClock.adjust("200 millis")
      }
      assert.strictEqual(FakeCluster.readings(cluster), 4)
    }))

  inVirtualTime("ten thousand redirects lead to a handful of readings", () =>
    Effect.gen(function*() {
      const { b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "1 minute" })
      yield* client.execute(Redis.get(keyOfC))
      // The topology goes on to be wrong for two thirds of all slots.
      for (let slot = 0; slot < 16_384; slot++) cluster.owners.set(slot, b)
      const commands = Array.from({ length: 10_000 }, (_, i) => Redis.get(`key:${i}`))
      const started = yield* Clock.currentTimeMillis
      const outcomes = yield* Client.outcomes(client, commands)
      assert.deepStrictEqual(
        outcomes.filter((outcome, i) => outcome._tag === "Failure" || outcome.value !== `B:key:${i}`),
        []
      )
      assert.isBelow(FakeCluster.readings(cluster), 4 + ((yield* Clock.currentTimeMillis) - started) / 50)
    }))

  inVirtualTime(
    "ten thousand commands that are lost with their connection lead to a handful of readings",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, { nodes: [b] })
        yield* client.execute(Redis.get(keyOfA))
        a.instead = ({ name }) => name === "INCR" ? FakeNode.cut("reset") : undefined
        const commands = Array.from({ length: 10_000 }, (_, i) => Redis.incr(sibling(keyOfA, i)))
        const outcomes = yield* Client.outcomes(client, commands)
        assert.isTrue(outcomes.every(({ _tag }) => _tag === "Failure"))
        assert.isBelow(FakeCluster.readings(cluster), 6)
      })
  )

  inVirtualTime("those who want it at the same time share one reading", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make()
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster)
      yield* Effect.all([
        ...Array.from({ length: 100 }, () => nodes.refresh),
        Client.outcomes(client, Array.from({ length: 100 }, (_, i) => Redis.get(`key:${i}`)))
      ], { concurrency: "unbounded" })
      assert.strictEqual(FakeCluster.readings(cluster), 1)
    }))

  inVirtualTime("a change is told once, with who serves from then on", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster)
      const first = yield* Client.causing(client, "TopologyChanged", nodes.refresh)
      assert.deepStrictEqual(first.masters, [a, b, c].map(({ address }) => address))
      assert.deepStrictEqual(first.replicas.length, 3)
      const again = yield* Effect.exit(
        Effect.timeout(Client.causing(client, "TopologyChanged", nodes.refresh), "300 millis")
      )
      assert.strictEqual(again._tag, "Failure")
      FakeCluster.replace(cluster, a, d!)
      const changed = yield* Client.causing(client, "TopologyChanged", nodes.refresh)
      assert.deepStrictEqual(changed.masters, [d, b, c].map((node) => node!.address))
      assert.deepStrictEqual(yield* nodes.nodeOf(keyOfA), d!.address)
    }))

  inVirtualTime(
    "what a master that has been replaced does not answer any more fails soon, and not with the connection's limits",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [b] })
        yield* client.execute(Redis.get(keyOfA))
        a.instead = ({ name }) => name === "INCR" ? FakeNode.stall() : undefined
        const stuck = yield* Effect.forkChild(Effect.flip(client.execute(Redis.incr(keyOfA))), {
          startImmediately: true
        })
        yield* a.node.awaitCommand("INCR")
        FakeCluster.replace(cluster, a, b)
        yield* nodes.refresh
        const error = Client.expectTag(yield* Fiber.join(stuck), "ConnectionError")
        assert.deepInclude(error, { reason: "HealthCheck", delivery: "unknown" })
      })
  )
})

/** Confirms subscriptions. */
const confirming: FakeNode.Handler = ({ args, name }) =>
  name.endsWith("SUBSCRIBE")
    ? Buffer.concat(
      args.slice(1).map((channel) =>
        Encode.push([Encode.bulk(name.toLowerCase()), Encode.bulk(channel), Encode.integer(1)])
      )
    )
    : undefined

/** The connection of a node that somebody subscribed on last. */
const subscribed = ({ node }: FakeCluster.Node, name: string) =>
  Effect.map(node.awaitCommand(name), () => node.commands.findLast(({ command }) => command.name === name)!.connection)

const subscriptions = ({ node }: FakeCluster.Node): number =>
  node.commands.filter(({ command }) => command.name.endsWith("SUBSCRIBE")).length

describe("Subscriptions", () => {
  const started = Effect.fnUntraced(function*(options: Partial<RedisConfig.ClusterOptions> = {}) {
    const { a, b, c, cluster } = yield* FakeCluster.make()
    for (const node of [a, b, c]) node.instead = confirming
    const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [c], ...options })
    yield* nodes.refresh
    const consume = <A, E>(stream: Stream.Stream<A, E, RedisClient.RedisClient>) =>
      Subscriber.consume(Stream.provideService(stream, RedisClient.RedisClient, client))
    return { a, b, c, cluster, client, nodes, consume }
  })
  const start = started()

  inVirtualTime(
    "the server that gives a shard channel up is asked who has it now, before it is subscribed to again",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster, consume } = yield* start
        const subscriber = yield* consume(Redis.ssubscribe(keyOfA, { events: true }))
        const connection = yield* subscribed(a, "SSUBSCRIBE")
        yield* subscriber.until((elements) => elements.length === 1)
        const asked = FakeCluster.readingsOf(a)
        FakeCluster.replace(cluster, a, b)
        yield* a.node.push(
          connection,
          Encode.push([Encode.bulk("sunsubscribe"), Encode.bulk(keyOfA), Encode.integer(0)])
        )
        yield* subscriber.until((elements) => elements.length === 3)
        assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [
          `Subscribed ${keyOfA}`,
          `Lost ${keyOfA}`,
          `Restored ${keyOfA}`
        ])
        assert.strictEqual(FakeCluster.readingsOf(a), asked + 1)
        assert.deepStrictEqual([subscriptions(a), subscriptions(b)], [1, 1])
      })
  )

  inVirtualTime(
    "a PING goes elsewhere when its server leaves the cluster and owes the answer",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster, client, nodes } = yield* start
        const subscription = yield* client.pubSub.open({})
        yield* subscription.subscribe("news")
        const served = [a, b, c].find((node) => subscriptions(node) > 0)!
        const [other] = [a, b, c].filter((node) => node !== served)
        served.instead = (command, connection) =>
          command.name === "PING" ? FakeNode.stall() : confirming(command, connection)
        const before = served.node.commands.filter(({ command }) => command.name === "PING").length
        const pinging = yield* Effect.forkChild(subscription.ping("still there"), { startImmediately: true })
        yield* served.node.awaitCommand("PING", before + 1)
        FakeCluster.replace(cluster, served, other!)
        yield* nodes.refresh
        assert.strictEqual(yield* Fiber.join(pinging), "still there")
        assert.isAbove([a, b, c].filter((node) => node !== served && subscriptions(node) > 0).length, 0)
      })
  )

  inVirtualTime(
    "a PING that no server answers fails under its own name, as a command that waits for a server does",
    () =>
      Effect.gen(function*() {
        const { a, b, c, client } = yield* start
        const subscription = yield* client.pubSub.open({})
        yield* subscription.subscribe("news")
        for (const node of [a, b, c]) {
          node.instead = (command, connection) =>
            command.name === "PING" ? FakeNode.cut("reset") : confirming(command, connection)
        }
        const error = yield* Effect.flip(subscription.ping())
        assert.strictEqual(error._tag, "ClusterRetriesExhaustedError")
        assert.match(error.message, /^PING failed/)
      })
  )

  inVirtualTime(
    "a shard channel that is the first thing of a client goes where its slot is served",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        for (const node of [a, b, c]) node.instead = confirming
        const { client } = yield* FakeCluster.client(cluster, { nodes: [c] })
        const channel = Stream.provideService(
          Redis.ssubscribe(keyOfA, { events: true }),
          RedisClient.RedisClient,
          client
        )
        const subscriber = yield* Subscriber.consume(channel)
        yield* subscriber.until((elements) => elements.length === 1)
        assert.deepInclude(subscriber.elements[0], { _tag: "Subscribed", server: a.address })
        assert.deepStrictEqual([a, b, c].map(subscriptions), [1, 0, 0])
      })
  )

  inVirtualTime(
    "a shard channel leaves a server that has become a replica without a word",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster, consume, nodes } = yield* start
        const subscriber = yield* consume(Redis.ssubscribe(keyOfA, { events: true }))
        yield* subscribed(a, "SSUBSCRIBE")
        yield* subscriber.until((elements) => elements.length === 1)
        cluster.told = cluster.told.map((range) => range.master === a ? { ...range, master: b, replicas: [a] } : range)
        yield* nodes.refresh
        yield* subscriber.until((elements) => elements.length === 3)
        assert.deepStrictEqual(subscriber.elements.map(({ _tag }) => _tag), ["Subscribed", "Lost", "Restored"])
        assert.deepStrictEqual([subscriptions(a), subscriptions(b)], [1, 1])
      })
  )

  for (const mayAsk of [true, false]) {
    const title = mayAsk ? "" : ", also of a client that may not ask for roles"
    inVirtualTime(
      `a shard channel leaves a server that took it as a replica, before the client knew of that${title}`,
      () =>
        Effect.gen(function*() {
          const { a, b, cluster, consume } = yield* start
          cluster.told = cluster.told.map((range) =>
            range.master === a ? { ...range, master: b, replicas: [a] } : range
          )
          a.master = b
          if (!mayAsk) {
            a.instead = (command, connection) =>
              command.name === "ROLE"
                ? Encode.error("NOPERM User default has no permissions to run the 'role' command")
                : confirming(command, connection)
          }
          const subscriber = yield* consume(Redis.ssubscribe(keyOfA, { events: true }))
          yield* subscriber.until((elements) => elements.length === 3)
          assert.deepStrictEqual(subscriber.elements.map(({ _tag }) => _tag), ["Subscribed", "Lost", "Restored"])
          assert.deepStrictEqual([subscriptions(a), subscriptions(b)], [1, 1])
        })
    )
  }

  inVirtualTime(
    "many shard channels at once ask their server for its role a few times, and the topology not at all",
    () =>
      Effect.gen(function*() {
        const { a, consume, cluster } = yield* start
        const before = FakeCluster.readings(cluster)
        const channels = Array.from({ length: 100 }, (_, index) => sibling(keyOfA, index))
        yield* (yield* consume(Redis.ssubscribe(keyOfA, { events: true }))).until((elements) => elements.length === 1)
        const subscribers = yield* Effect.forEach(channels, (name) => consume(Redis.ssubscribe(name, { events: true })))
        yield* Effect.forEach(subscribers, ({ until }) => until((elements) => elements.length === 1))
        yield* Effect.sleep("50 millis")
        const asked = a.node.commands.filter(({ command }) => command.name === "ROLE").length
        assert.isAtLeast(asked, 1)
        assert.isAtMost(asked, 50)
        assert.strictEqual(FakeCluster.readings(cluster), before)
      })
  )

  inVirtualTime(
    "a shard channel whose slot nobody serves waits for a server, and leaves other subscriptions alone",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster, consume, nodes } = yield* start
        const refusing: FakeNode.Handler = (command, connection) =>
          command.name === "SSUBSCRIBE"
            ? Encode.error("CLUSTERDOWN Hash slot not served")
            : confirming(command, connection)
        const news = yield* consume(Redis.subscribe("news", { events: true }))
        const subscriber = yield* consume(Redis.ssubscribe(keyOfA, { events: true }))
        const connection = yield* subscribed(a, "SSUBSCRIBE")
        yield* subscriber.until((elements) => elements.length === 1)
        for (const node of [a, b, c]) node.instead = refusing
        const { told } = cluster
        const slot = FakeCluster.slotOf(keyOfA)
        cluster.told = told.map((range) => range.master === a ? { ...range, start: slot + 1 } : range)
        yield* a.node.push(
          connection,
          Encode.push([Encode.bulk("sunsubscribe"), Encode.bulk(keyOfA), Encode.integer(0)])
        )
        yield* subscriber.until((elements) => elements.length === 2)
        yield* nodes.refresh
        // Nobody can take others either, and they are told so.
        const refused = yield* Effect.flip(consume(Redis.ssubscribe(keyOfA)).pipe(Effect.flatMap(({ end }) => end)))
        assert.deepInclude(refused, { _tag: "SlotNotCoveredError", slot })
        for (const node of [a, b, c]) node.instead = confirming
        cluster.told = [...cluster.told, { start: 0, end: slot, master: b }]
        yield* subscriber.until((elements) => elements.length === 3)
        assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [
          `Subscribed ${keyOfA}`,
          `Lost ${keyOfA}`,
          `Restored ${keyOfA}`
        ])
        assert.deepInclude(subscriber.elements.at(-1), { server: b.address })
        assert.deepStrictEqual(news.elements.map(Subscriber.brief), ["Subscribed news"])
        assert.deepStrictEqual(
          [a, b, c].flatMap(({ node }) => node.commands.filter(({ command }) => command.name === "SSUBSCRIBE")).length,
          2
        )
      })
  )

  for (const isKnown of [true, false]) {
    const whose = isKnown ? "that the client knows" : "that the client does not know yet"
    inVirtualTime(
      `a shard channel begins where a redirect says that its slot is, on a master ${whose}`,
      () =>
        Effect.gen(function*() {
          const { a, b, c, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
          const to = isKnown ? b : x!
          for (const node of [b, c, x!]) node.instead = confirming
          a.instead = (command, connection) =>
            command.name !== "SSUBSCRIBE"
              ? undefined
              : command.args[1] === keyOfA
              ? FakeCluster.moved(keyOfA, to)
              : confirming(command, connection)
          const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { refreshInterval: "1 hour" })
          yield* nodes.refresh
          const consume = (name: string) =>
            Subscriber.consume(
              Stream.provideService(Redis.ssubscribe(name, { events: true }), RedisClient.RedisClient, client)
            )
          const neighbour = yield* consume(sibling(keyOfA))
          yield* neighbour.until((elements) => elements.length === 1)
          if (!isKnown) {
            cluster.told = [...cluster.told.slice(1), { start: 0, end: 3300, master: x! }, {
              start: 3301,
              end: 5460,
              master: a
            }]
          }
          const subscriber = yield* consume(keyOfA)
          yield* subscriber.until((elements) => elements.length === 1)
          assert.deepInclude(subscriber.elements[0], { _tag: "Subscribed", server: to.address })
          // Others that are subscribed to there notice nothing.
          assert.strictEqual(neighbour.elements.length, 1)
        })
    )
  }

  inVirtualTime(
    "a server that takes a shard channel and gives it up at once is not asked without end",
    () =>
      Effect.gen(function*() {
        const { a, cluster, consume } = yield* start
        a.instead = ({ args: [name = "", channel = ""] }) =>
          name === "SSUBSCRIBE"
            ? Encode.concat(
              ...["ssubscribe", "sunsubscribe"].map((verb) =>
                Encode.push([Encode.bulk(verb), Encode.bulk(channel), Encode.integer(1)])
              )
            )
            : undefined
        const before = FakeCluster.readings(cluster)
        const subscriber = yield* consume(Redis.ssubscribe(keyOfA, { events: true }))
        yield* subscriber.until((elements) => elements.length > 8)
        yield* Effect.sleep("1 second")
        assert.isAtMost(subscriptions(a), 12)
        assert.isAtMost(FakeCluster.readings(cluster) - before, 12)
      })
  )

  inVirtualTime(
    "servers that name each other as the master of a shard channel's slot are not asked without end",
    () =>
      Effect.gen(function*() {
        const { a, b, consume } = yield* start
        const subscriber = yield* consume(Redis.ssubscribe(keyOfA, { events: true }))
        yield* subscriber.until((elements) => elements.length === 1)
        const naming = (node: FakeCluster.Node): FakeNode.Handler => ({ name }) =>
          name === "SSUBSCRIBE" ? FakeCluster.moved(keyOfA, node) : undefined
        a.instead = naming(b)
        b.instead = naming(a)
        yield* a.node.cutAll()
        yield* Effect.sleep("1 second")
        assert.isAtMost(subscriptions(a) + subscriptions(b), 20)
        b.instead = confirming
        yield* subscriber.until((elements) => elements.length === 3)
        assert.deepInclude(subscriber.elements.at(-1), { _tag: "Restored", server: b.address })
      })
  )

  inVirtualTime(
    "a shard channel waits for another in the place of a master that is gone, as commands do",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        for (const node of [b, c]) node.instead = confirming
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [c] })
        yield* nodes.refresh
        a.instead = () => [FakeNode.cut()]
        const subscription = yield* client.pubSub.open({ events: true })
        const joining = yield* Effect.forkChild(subscription.ssubscribe(keyOfA), { startImmediately: true })
        yield* Effect.sleep("300 millis")
        FakeCluster.replace(cluster, a, b)
        yield* Fiber.join(joining)
        assert.deepStrictEqual([a, b, c].map(subscriptions), [0, 1, 0])
      })
  )

  inVirtualTime(
    "a channel that any server delivers begins on another when the first does not answer",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        for (const node of [a, b]) node.instead = ({ name }) => name === "HELLO" ? FakeNode.stall() : undefined
        c.instead = confirming
        // Which server is first is a matter of luck.
        yield* Effect.forEach(Array.from({ length: 5 }), () =>
          Effect.gen(function*() {
            const { client } = yield* FakeCluster.client(cluster, { nodes: [c] })
            const subscription = yield* client.pubSub.open({})
            yield* subscription.subscribe("news")
          }), { concurrency: "unbounded" })
        assert.strictEqual(subscriptions(c), 5)
      })
  )

  inVirtualTime(
    "to unsubscribe from shard channels of several slots and servers at once leaves all of them",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        const together: FakeNode.Handler = (command, connection) =>
          new Set(command.args.slice(1).map(FakeCluster.slotOf)).size > 1 && command.name.endsWith("SUBSCRIBE")
            ? Encode.error("CROSSSLOT Keys in request don't hash to the same slot")
            : confirming(command, connection)
        for (const node of [a, b, c]) node.instead = together
        const { client } = yield* FakeCluster.client(cluster)
        const subscription = yield* client.pubSub.open({ events: true })
        const names = Array.from({ length: 20 }, (_, index) => `channel:${index}`)
        yield* subscription.ssubscribe(...names)
        yield* subscription.sunsubscribe()
        const left = [a, b, c].flatMap(({ node }) =>
          node.commands.flatMap(({ args, command }) =>
            command.name === "SUNSUBSCRIBE" && args.length === 2 ? args.slice(1) : []
          )
        )
        assert.deepStrictEqual(left.toSorted(), names.toSorted())
      })
  )

  inVirtualTime(
    "a server that does not answer keeps no other from being unsubscribed from",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        for (const node of [a, b, c]) node.instead = confirming
        const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "500 millis" })
        const subscription = yield* client.pubSub.open({ events: true })
        yield* subscription.ssubscribe(...FakeCluster.keys)
        for (const node of [a, b, c]) {
          node.instead = (command, connection) =>
            command.name === "SUNSUBSCRIBE" && node !== c ? FakeNode.stall() : confirming(command, connection)
        }
        Client.expectTag(yield* Effect.flip(subscription.sunsubscribe()), "TimeoutError")
        for (const { node } of [a, b, c]) yield* node.awaitCommand("SUNSUBSCRIBE")
      })
  )

  inVirtualTime("channels leave a server that has left the cluster", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster, consume, nodes } = yield* start
      const subscriber = yield* consume(Redis.subscribe("news", { events: true }))
      yield* subscriber.until((elements) => elements.length === 1)
      const [first] = [a, b, c].filter((node) => subscriptions(node) === 1)
      const other = first === a ? b : a
      FakeCluster.replace(cluster, first!, other)
      yield* nodes.refresh
      yield* subscriber.until((elements) => elements.length === 3)
      assert.deepStrictEqual(subscriber.elements.map(({ _tag }) => _tag), ["Subscribed", "Lost", "Restored"])
      assert.strictEqual(subscriptions(first!), 1)
    }))

  inVirtualTime(
    "channels leave a server that has left the cluster, though nobody sends anything",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster, consume } = yield* started({ refreshInterval: "200 millis" })
        const subscriber = yield* consume(Redis.subscribe("news", { events: true }))
        yield* subscriber.until((elements) => elements.length === 1)
        const [first] = [a, b, c].filter((node) => subscriptions(node) === 1)
        FakeCluster.replace(cluster, first!, first === a ? b : a)
        yield* subscriber.until((elements) => elements.length === 3)
        assert.deepStrictEqual(subscriber.elements.map(({ _tag }) => _tag), ["Subscribed", "Lost", "Restored"])
        assert.strictEqual(subscriptions(first!), 1)
      })
  )
})

describe("Nodes that the cluster does not name", () => {
  inVirtualTime(
    "CLR-05: one that a redirect names is not closed under who is sent there",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
        const gate = yield* Deferred.make<void>()
        a.instead = ({ name }) => name === "BLPOP" ? FakeCluster.ask(keyOfA, x!) : undefined
        x!.instead = ({ name }) =>
          name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : name === "HELLO"
            ? [FakeNode.gate(gate), FakeNode.reply(Encode.error("ERR unknown command 'HELLO'"))]
            : undefined
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [a] })
        const popped = yield* Effect.forkChild(client.execute(Redis.blpop([keyOfA], 0)), { startImmediately: true })
        yield* x!.node.awaitCommand("HELLO")
        yield* nodes.refresh
        yield* nodes.refresh
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* Fiber.join(popped), { key: keyOfA, value: "v" })
      })
  )

  /** Lets time pass in steps until a fiber ends, and what was sent before each step arrive. */
  const whileUsed = <A, E>(
    client: RedisClient.RedisClient["Service"],
    fiber: Fiber.Fiber<A, E>
  ): Effect.Effect<A, E | RedisError.RedisError> =>
    Effect.gen(function*() {
      while (fiber.pollUnsafe() === undefined) {
        yield* client.execute(Redis.set(keyOfC, "v"))
        yield* TestClock.adjust("100 millis")
      }
      return yield* Fiber.join(fiber)
    })

  it.effect("one that a redirect named is given up when none has for a while", () =>
    Effect.gen(function*() {
      const { a, c, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
      a.instead = ({ name }) => name === "GET" ? FakeCluster.ask(keyOfA, x!) : undefined
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [c] })
      const refresh = Effect.flatMap(fork(nodes.refresh), (refreshing) => whileUsed(client, refreshing))
      for (let round = 0; round < 3; round++) {
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `X:${keyOfA}`)
        yield* TestClock.adjust("8 seconds")
        yield* refresh
      }
      assert.deepStrictEqual([x!.node.connections.total, x!.node.connections.open], [1, 1])
      yield* TestClock.adjust("3 seconds")
      yield* refresh
      yield* x!.node.awaitOpen(0)
    }))

  it.effect("who waits there is not told that the client was closed, but sent to the one in its place", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      a.instead = ({ name }) => name === "HELLO" ? FakeNode.stall() : undefined
      b.instead = ({ name }) => name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : undefined
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, {
        nodes: [c],
        commandTimeout: "Infinity",
        connectTimeout: "Infinity",
        pool: { acquireTimeout: "Infinity" }
      })
      yield* nodes.refresh
      const got = yield* fork(client.execute(Redis.get(keyOfA)))
      const popped = yield* fork(client.execute(Redis.blpop([keyOfA], 0)))
      const piped = yield* fork(client.pipeline([Redis.get(keyOfA)]))
      yield* a.node.awaitCommand("HELLO", 2)
      FakeCluster.replace(cluster, a, b)
      yield* whileUsed(client, yield* fork(nodes.refresh))
      assert.strictEqual(yield* whileUsed(client, got), `B:${keyOfA}`)
      assert.deepStrictEqual(yield* whileUsed(client, popped), { key: keyOfA, value: "v" })
      assert.deepStrictEqual(yield* whileUsed(client, piped), [Exit.succeed(`B:${keyOfA}`)])
    }))

  inVirtualTime("ESC-07: the client of one server works on when that comes back", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      const { cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [c] })
      const own = yield* nodes.clientOf(a.address)
      assert.strictEqual(yield* own.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
      FakeCluster.replace(cluster, a, b)
      yield* nodes.refresh
      yield* a.node.awaitOpen(0)
      cluster.told = cluster.told.map((range, index) => index === 0 ? { ...range, master: a } : range)
      yield* nodes.refresh
      assert.strictEqual(yield* own.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
    }))
})

describe("Connections", () => {
  const popping = (...nodes: ReadonlyArray<FakeCluster.Node>) => {
    for (const node of nodes) {
      node.instead = ({ args, name }) => name === "BLPOP" ? Encode.bulks([args[1]!, "v"]) : undefined
    }
  }

  inVirtualTime(
    "CCF-04: what is given back to one node while somebody waits for another makes room",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const gate = yield* Deferred.make<void>()
        popping(b)
        a.instead = ({ name }) =>
          name === "BLPOP" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulks([keyOfA, "v"]))] : undefined
        const { client } = yield* FakeCluster.client(cluster, { pool: { max: 4, acquireTimeout: "2 seconds" } })
        const first = yield* Effect.forkChild(client.execute(Redis.blpop([keyOfA], 0)), { startImmediately: true })
        yield* a.node.awaitCommand("BLPOP")
        const second = yield* Effect.forkChild(client.execute(Redis.blpop([keyOfB], 0)), { startImmediately: true })
        yield* Effect.repeat(client.stats, {
          until: ({ waiting }) => waiting === 1,
          schedule: Schedule.spaced("2 millis")
        })
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(first)
        assert.deepStrictEqual(yield* Fiber.join(second), { key: keyOfB, value: "v" })
        assert.deepInclude(yield* client.stats, { exclusive: 1 })
      })
  )

  inVirtualTime(
    "CCF-04: a limit below the number of nodes keeps no command from any node",
    () =>
      Effect.gen(function*() {
        for (const max of [1, 3]) {
          const { a, b, c, cluster } = yield* FakeCluster.make()
          popping(a, b, c)
          const { client } = yield* FakeCluster.client(cluster, { pool: { max, acquireTimeout: "1 second" } })
          for (const key of FakeCluster.keys) {
            assert.deepStrictEqual(yield* client.execute(Redis.blpop([key], 0)), { key, value: "v" })
          }
          a.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
          yield* Effect.forkChild(client.execute(Redis.blpop([keyOfA], 0)), { startImmediately: true })
          yield* a.node.awaitCommand("BLPOP", 2)
          yield* Effect.forEach(FakeCluster.keys, (key) => client.execute(Redis.get(key)))
          assert.deepInclude(yield* client.stats, { shared: 3, exclusive: 1 })
        }
      })
  )

  inVirtualTime(
    "CCF-16: who begins to wait when another gives up has all of the time for it",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const gate = yield* Deferred.make<void>()
        popping(b)
        a.instead = ({ name }) =>
          name === "BLPOP" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulks([keyOfA, "v"]))] : undefined
        const { client } = yield* FakeCluster.client(cluster, { pool: { max: 4, acquireTimeout: "500 millis" } })
        const fork = (key: string) =>
          Effect.forkChild(client.execute(Redis.blpop([key], 0)), { startImmediately: true })
        const first = yield* fork(keyOfA)
        yield* a.node.awaitCommand("BLPOP")
        const impatient = yield* fork(keyOfB)
        yield* Effect.sleep("250 millis")
        yield* Fiber.interrupt(impatient)
        const patient = yield* fork(keyOfB)
        yield* Effect.sleep("320 millis")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(first)
        assert.deepStrictEqual(yield* Fiber.join(patient), { key: keyOfB, value: "v" })
      })
  )

  inVirtualTime("CCF-04: no room is kept for replicas that nobody reads from", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make({ replicas: true })
      a.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
      const { client } = yield* FakeCluster.client(cluster, { pool: { max: 6, acquireTimeout: 0 } })
      yield* client.execute(Redis.get(keyOfA))
      yield* Effect.replicateEffect(
        Effect.forkChild(client.execute(Redis.blpop([keyOfA], 0)), { startImmediately: true }),
        3
      )
      yield* a.node.awaitCommand("BLPOP", 3)
      const error = yield* Client.failure(client, Redis.blpop([keyOfB], 0), "ConnectionError")
      assert.strictEqual(error.reason, "PoolExhausted")
    }))

  inVirtualTime(
    "CCF-04: the limit is that of all nodes together, and idle ones make room",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        const gate = yield* Deferred.make<void>()
        for (const node of [a, b, c]) {
          node.instead = ({ args, name }) =>
            name === "BLPOP" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulks([args[1]!, "v"]))] : undefined
        }
        // Three shared ones leave room for two others.
        const { client } = yield* FakeCluster.client(cluster, { pool: { max: 5, acquireTimeout: "300 millis" } })
        const pop = (key: string) => Effect.forkChild(client.execute(Redis.blpop([key], 0)), { startImmediately: true })
        const first = [yield* pop(keyOfA), yield* pop(keyOfB)]
        for (const node of [a, b]) yield* node.node.awaitCommand("BLPOP")
        const error = yield* Client.failure(client, Redis.blpop([keyOfC], 0), "ConnectionError")
        assert.deepInclude(error, { reason: "PoolTimeout", delivery: "not-sent" })
        assert.match(error.message, /limit of 5/)
        // Ordinary commands are not kept from any node.
        yield* Effect.forEach(FakeCluster.keys, (key) => client.execute(Redis.get(key)))
        assert.deepInclude(yield* client.stats, { shared: 3, exclusive: 2, exclusiveIdle: 0 })
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.forEach(first, Fiber.join)
        assert.deepInclude(yield* client.stats, { exclusive: 2, exclusiveIdle: 2 })
        assert.deepStrictEqual(yield* client.execute(Redis.blpop([keyOfC], 0)), { key: keyOfC, value: "v" })
        const { exclusive } = yield* client.stats
        assert.isAtMost(exclusive, 2)
      })
  )

  inVirtualTime("CCF-04: without patience the limit is an error at once", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      a.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
      const { client } = yield* FakeCluster.client(cluster, { pool: { max: 4, acquireTimeout: 0 } })
      yield* Effect.forkChild(client.execute(Redis.blpop([keyOfA], 0)), { startImmediately: true })
      yield* a.node.awaitCommand("BLPOP")
      const error = yield* Client.failure(client, Redis.blpop([keyOfB], 0), "ConnectionError")
      assert.deepInclude(error, { reason: "PoolExhausted", delivery: "not-sent" })
      assert.match(error.message, /Too many connections/)
    }))

  for (const max of [1, 2]) {
    inVirtualTime(
      `CCF-04: the limit that is told is the one of the options, also one of ${max}`,
      () =>
        Effect.gen(function*() {
          const { a, cluster } = yield* FakeCluster.make()
          a.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
          const { client } = yield* FakeCluster.client(cluster, { pool: { max, acquireTimeout: "100 millis" } })
          yield* Effect.forkChild(client.execute(Redis.blpop([keyOfA], 0)), { startImmediately: true })
          yield* a.node.awaitCommand("BLPOP")
          const error = yield* Client.failure(client, Redis.blpop([sibling(keyOfA)], 0), "ConnectionError")
          assert.match(error.message, new RegExp(`limit of ${max} to all nodes .* leaves one besides .* to 3 nodes`))
          assert.deepInclude(yield* client.stats, { exclusive: 1 })
        })
    )
  }

  inVirtualTime(
    "CCF-04: who runs out of time while the limit is reached is told so, and which option it is",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        for (const node of [a, b]) node.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
        const { client } = yield* FakeCluster.client(cluster, { pool: { max: 4 } })
        yield* Effect.forkChild(client.execute(Redis.blpop([keyOfA], 0)), { startImmediately: true })
        yield* a.node.awaitCommand("BLPOP")
        const calls: ReadonlyArray<Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>> = [
          Redis.blpop([keyOfB], 0.1),
          Redis.watch([keyOfB], Effect.succeed([Redis.set(keyOfB, "v")])),
          Redis.withConnection(Redis.get(keyOfB)),
          Redis.withConnection(Redis.blpop([keyOfB], 0.1)),
          Redis.withConnection(Redis.transaction([Redis.get(keyOfB)]))
        ]
        for (const call of calls) {
          const failed = yield* Effect.flip(Client.on(client.withTimeout(200))(call))
          const error = Client.expectTag(failed, "TimeoutError")
          assert.deepInclude(error, { phase: "write", delivery: "not-sent", milliseconds: 200 })
          assert.match(
            error.detail ?? "",
            /in \d+ ms: the limit of 4 to all nodes of the cluster \(pool\.max\), which leaves one besides .* to 3 nodes, is reached, and no/
          )
        }
      })
  )

  inVirtualTime("CCF-16: who waits for a connection gets it when another is given back", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const gate = yield* Deferred.make<void>()
      a.instead = ({ name }) =>
        name === "BLPOP" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulks([keyOfA, "v"]))] : undefined
      b.instead = ({ name }) => name === "BLPOP" ? Encode.bulks([keyOfB, "v"]) : undefined
      const { client } = yield* FakeCluster.client(cluster, { pool: { max: 4, idleTimeout: 0 } })
      const first = yield* Effect.forkChild(client.execute(Redis.blpop([keyOfA], 0)), { startImmediately: true })
      yield* a.node.awaitCommand("BLPOP")
      const second = yield* Effect.forkChild(client.execute(Redis.blpop([keyOfB], 0)), { startImmediately: true })
      yield* Effect.sleep("30 millis")
      assert.deepStrictEqual(FakeCluster.log(b), [])
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual((yield* Fiber.join(first))?.value, "v")
      assert.deepStrictEqual((yield* Fiber.join(second))?.value, "v")
    }))

  /** Two nodes whose callers pop without a pause, `callers` at a time of each key. */
  const busy = (max: number, callers: Readonly<Record<string, number>>) =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const slow = (yield* delay)("10 millis")
      for (const node of [a, b]) {
        node.instead = ({ args, name }) =>
          name === "BLPOP" ? [slow, FakeNode.reply(Encode.bulks([args[1]!, "v"]))] : undefined
      }
      const { client } = yield* FakeCluster.client(cluster, { pool: { max } })
      const pop = (key: string) => client.execute(Redis.blpop([key], 0))
      for (const [key, count] of Object.entries(callers)) {
        yield* Effect.replicateEffect(
          Effect.forkChild(Effect.forever(pop(key)), { startImmediately: true }),
          count
        )
      }
      yield* a.node.awaitCommand("BLPOP")
      return { pop, opened: () => a.node.connections.total + b.node.connections.total }
    })

  for (const callers of [1, 4]) {
    inVirtualTime(
      `CCF-16: callers of one node, ${callers} at a time, do not keep all connections among themselves: they have turns`,
      () =>
        Effect.gen(function*() {
          const { opened, pop } = yield* busy(4, { [keyOfA]: callers })
          for (let turn = 0; turn < 8; turn++) yield* pop(keyOfB)
          assert.isBelow(opened(), 8)
        })
    )
  }

  inVirtualTime("CCF-16: there are no turns where each node has a connection", () =>
    Effect.gen(function*() {
      const { opened } = yield* busy(5, { [keyOfA]: 2, [keyOfB]: 2 })
      yield* Effect.sleep("1 second")
      assert.isAtMost(opened(), 6)
    }))

  inVirtualTime("CCF-05: the limit is that of each node where it is told so", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      for (const node of [a, b]) node.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
      const { client } = yield* FakeCluster.client(cluster, { pool: { max: 2, perNode: true, acquireTimeout: 0 } })
      for (const key of [keyOfA, keyOfB]) {
        yield* Effect.forkChild(client.execute(Redis.blpop([key], 0)), { startImmediately: true })
      }
      for (const { node } of [a, b]) yield* node.awaitCommand("BLPOP")
      const error = yield* Client.failure(client, Redis.blpop([keyOfA], 0), "ConnectionError")
      assert.deepInclude(error, { reason: "PoolExhausted" })
      assert.match(error.message, /the pool's limit of 2/)
    }))

  inVirtualTime(
    "ENT-12: closing the client fails what waits, wherever it is, and closes every connection",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        a.instead = ({ name }) => name === "GET" || name === "BLPOP" ? FakeNode.stall() : undefined
        b.instead = ({ name }) => name === "GET" ? FakeCluster.tryAgain : undefined
        const fibers = yield* Effect.scoped(Effect.gen(function*() {
          const { client } = yield* FakeCluster.client(cluster)
          yield* client.execute(Redis.get(keyOfC))
          const running = [
            client.execute(Redis.get(keyOfA)),
            client.execute(Redis.get(keyOfB)),
            client.execute(Redis.blpop([keyOfA], 0)),
            Effect.flatten(Effect.map(client.pipeline([Redis.get(keyOfA)]), (outcomes) => outcomes[0]!))
          ]
          const fibers = yield* Effect.forEach(
            running,
            (effect) => Effect.forkDetach(effect as Effect.Effect<unknown, unknown>, { startImmediately: true })
          )
          yield* a.node.awaitCommand("BLPOP")
          yield* b.node.awaitCommand("GET", 10)
          return fibers
        }))
        for (const fiber of fibers) {
          const error = yield* Effect.flip(Fiber.join(fiber))
          assert.deepInclude(error, { _tag: "ConnectionError", reason: "ClientClosed" })
        }
        for (const { node } of [a, b, c]) yield* node.awaitOpen(0)
      })
  )

  inVirtualTime(
    "ENT-12: closing the client fails what waits for a server to be back, in every way of sending",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const get = Redis.get(keyOfA)
        const ways: ReadonlyArray<Effect.Effect<unknown, unknown, RedisClient.RedisClient>> = [
          get,
          Redis.pipeline([get]),
          Redis.transaction([get]),
          Redis.blpop([keyOfA], 0),
          Redis.withConnection(get),
          Redis.watch(keyOfA, Effect.succeed([get])),
          Redis.mget(keyOfA, keyOfB)
        ]
        const fibers = yield* Effect.scoped(Effect.gen(function*() {
          const { client } = yield* FakeCluster.client(cluster)
          yield* client.execute(Redis.get(keyOfB))
          yield* a.node.stopListening
          yield* a.node.cutAll()
          const fibers = yield* Effect.forEach(
            ways,
            (way) => Effect.forkDetach(Client.on(client)(way), { startImmediately: true })
          )
          yield* Effect.sleep("100 millis")
          return fibers
        }))
        for (const fiber of fibers) {
          const error = yield* Effect.flip(Fiber.join(fiber)).pipe(Effect.timeout("1 second"))
          assert.deepInclude(error, { _tag: "ConnectionError", reason: "ClientClosed" })
        }
      })
  )

  for (const steps of [2048, 5]) {
    inVirtualTime(
      `ENT-12: closing the client fails what waits for the topology, also where fibers rest after ${steps} steps`,
      () =>
        Effect.provideService(
          Effect.gen(function*() {
            const { a, b, c, cluster } = yield* FakeCluster.make()
            for (const node of [a, b, c]) node.instead = ({ name }) => name === "CLUSTER" ? FakeNode.stall() : undefined
            const fibers = yield* Effect.scoped(Effect.gen(function*() {
              const { client } = yield* FakeCluster.client(cluster)
              const fibers = yield* Effect.forEach([
                client.execute(Redis.get(keyOfA)),
                client.execute(Redis.blpop([keyOfA], 0)),
                client.execute(Redis.dbsize()),
                client.transaction([Redis.get(keyOfA)])
              ], (effect) => Effect.forkDetach(effect as Effect.Effect<unknown, unknown>, { startImmediately: true }))
              yield* a.node.awaitCommand("CLUSTER")
              return fibers
            }))
            for (const fiber of fibers) {
              const error = yield* Effect.flip(Fiber.join(fiber))
              assert.deepInclude(error, { _tag: "ConnectionError", reason: "ClientClosed" })
            }
          }),
          Scheduler.MaxOpsBeforeYield,
          steps
        )
    )
  }
})
