/**
 * Clusters of many servers, most of which are at addresses from which nothing ever comes: no connection, no refusal.
 */
import { assert, describe } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisConnector } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

type Endpoints = ReadonlyArray<RedisConfig.NodeAddress>

/** So many addresses of servers that are gone. */
const gone = (count: number): Endpoints =>
  Array.from({ length: count }, (_, index) => ({ host: `gone-${index}.invalid`, port: 7000 }))

/** A server at a host of its own. */
const named = (host: string, { port }: FakeCluster.Node) => ({ host, port })

const isGone = (host: string | undefined): boolean => host?.startsWith("gone-") === true

/**
 * A client of the servers at these addresses. Sockets to those that are gone never open, those to the host `slow` after a second, and
 * to the host `stuck` they are opened in code that cannot be interrupted, for three.
 * `dials`: the numbers of those that are opening to servers that are gone, at the moment and at most.
 */
const clientOf = Effect.fnUntraced(
  function*([first, ...others]: Endpoints, options: Partial<RedisConfig.ClusterOptions>) {
    assert.isDefined(first)
    const { socket } = yield* Effect.provide(RedisConnector.RedisConnector, NodeRedisConnector.layer)
    const dials = { now: 0, most: 0 }
    const dialling = Effect.acquireRelease(
      Effect.sync(() => dials.most = Math.max(dials.most, ++dials.now)),
      () => Effect.sync(() => dials.now--)
    )
    const connector: RedisConnector.RedisConnector["Service"] = {
      socket: (endpoint, options) => {
        const { host, port } = endpoint
        const before = isGone(host)
          ? Effect.andThen(dialling, Effect.never)
          : Effect.sleep(host === "slow" ? "1 second" : 0)
        const stuck = Effect.uninterruptible(Effect.sleep(host === "stuck" ? "3 seconds" : 0))
        return Effect.map(
          Effect.andThen(stuck, socket(host === undefined ? endpoint : { host: "127.0.0.1", port }, options)),
          (opened) => ({ ...opened, reader: Effect.andThen(before, opened.reader) })
        )
      }
    }
    const made = yield* Effect.provideService(
      RedisCluster.make({ ...options, nodes: [first, ...others] }),
      RedisConnector.RedisConnector,
      connector
    )
    return { ...made, dials }
  }
)

/** The milliseconds that an effect takes, of the time of the test. */
const timeOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const began = yield* Clock.currentTimeMillis
    yield* effect
    return (yield* Clock.currentTimeMillis) - began
  })

describe("Many servers of which one is left", () => {
  inVirtualTime(
    "are dialled a few at a time, and it is found within seconds, where the options name them",
    () =>
      Effect.gen(function*() {
        const { a } = yield* FakeCluster.make()
        const { cluster, dials } = yield* clientOf([...gone(999), a], {})
        assert.isBelow(yield* timeOf(cluster.refresh), 8000)
        assert.isAtMost(dials.most, 64)
        // Those that were still dialled.
        yield* Effect.sleep("3 seconds")
        assert.strictEqual(dials.now, 0)
      })
  )

  inVirtualTime(
    "are dialled a few at a time, and it is found within seconds, where the cluster has named them",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        cluster.told = [...gone(300), b].map((master, index) => ({
          start: index * 50,
          end: master === b ? 16_383 : index * 50 + 49,
          master: { ...b, ...master }
        }))
        const { client, cluster: nodes, dials } = yield* clientOf([a], { commandTimeout: "14 seconds" })
        yield* nodes.refresh
        yield* a.node.stopListening
        a.instead = () => FakeNode.cut("reset")
        cluster.told = [{ start: 0, end: 16_383, master: b }]
        assert.isBelow(yield* timeOf(client.execute(Redis.get("k"))), 6000)
        // Of probes there are some more.
        assert.isAtMost(dials.most, 100)
      })
  )

  inVirtualTime("have more time for a connection with each reading that fails", () =>
    Effect.gen(function*() {
      const { a } = yield* FakeCluster.make()
      const nodes = [...gone(30), named("slow", a), ...gone(100).map(({ host, port }) => ({ host: `${host}.`, port }))]
      const { cluster } = yield* clientOf(nodes, { connectTimeout: "1500 millis" })
      let failed = 0
      yield* Effect.retry(Effect.tapError(cluster.refresh, () => Effect.sync(() => failed++)), { times: 3 })
      assert.strictEqual(failed, 2)
    }))

  inVirtualTime(
    "are not dialled any more by a client that is closed, while it has a dial that cannot be interrupted",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        cluster.told = [...gone(20), b].map((master, index) => ({
          start: index * 50,
          end: master === b ? 16_383 : index * 50 + 49,
          master: { ...b, ...master }
        }))
        b.instead = ({ name }) => name === "GET" ? FakeCluster.moved("k", { address: `stuck:${b.port}` }) : undefined
        const scope = yield* Scope.make()
        const { client, cluster: nodes, dials } = yield* Scope.provide(clientOf([a], {}), scope)
        yield* nodes.refresh
        yield* a.node.stopListening
        a.instead = () => FakeNode.cut("reset")
        yield* Effect.forkChild(nodes.refresh)
        yield* Effect.sleep("100 millis")
        yield* Effect.forkChild(client.execute(Redis.get("k")))
        yield* Effect.sleep("300 millis")
        const { most } = dials
        assert.isAtLeast(most, 1)
        yield* Scope.close(scope, Exit.void)
        // The closing has not waited for it for longer than it may.
        yield* Effect.sleep("2 seconds")
        assert.deepStrictEqual(dials, { now: 0, most })
      })
  )
})
