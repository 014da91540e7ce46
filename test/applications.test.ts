/**
 * The programs of the guide on testing applications: an application under the faults that its users will meet.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import { RedisFakeNode, RedisFakeReply } from "@redfx/testing"
import { until } from "@redfx/testing/Suite"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { TestClock } from "effect/testing"

// -----------------------------------------------------------------------------
// The application
// -----------------------------------------------------------------------------

const patiently = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), times: 500, while: RedisError.isSafeToRetry })

/** Counts a visit, through restarts and failovers; one of which it is not known whether it counted is not counted again. */
const visit = (page: string) =>
  Redis.incr(`visits:${page}`).pipe(
    patiently,
    Effect.catchTags({
      ConnectionError: (error) =>
        error.delivery === "unknown" ? Effect.succeed("perhaps" as const) : Effect.fail(error),
      TimeoutError: (error) => error.delivery === "unknown" ? Effect.succeed("perhaps" as const) : Effect.fail(error)
    })
  )

/** A page from the cache, or made anew; a cache that hangs costs a tenth of a second. */
const page = (name: string) =>
  Redis.get(`page:${name}`).pipe(
    Redis.withTimeout("100 millis"),
    Effect.catch(() => Effect.succeed(undefined)),
    Effect.map((cached) => cached ?? `made anew: ${name}`)
  )

// -----------------------------------------------------------------------------
// Tests
// -----------------------------------------------------------------------------

/** A server for all tests of a file, and a client of it. */
const onServer = Layer.provideMerge(
  Layer.unwrap(Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))),
  RedisServer.layer({ persistence: "aof" })
)

layer(onServer, { excludeTestServices: true })("on one server", (it) => {
  it.effect("a visit counts", () =>
    Effect.gen(function*() {
      yield* Redis.flushall()
      assert.strictEqual(yield* visit("home"), 1)
      assert.strictEqual(yield* visit("home"), 2)
    }))

  it.effect("visits go on when the server is killed and comes back, and none counts twice", () =>
    Effect.gen(function*() {
      yield* Redis.flushall()
      const server = yield* RedisServer.RedisServer
      const visits = yield* Effect.forkChild(Effect.forEach(Array.from({ length: 2000 }), () => visit("home"), {
        concurrency: 20
      }))
      yield* Effect.sleep("20 millis")
      yield* server.kill()
      yield* server.restart
      const outcomes = yield* Fiber.join(visits)
      const perhaps = outcomes.filter((outcome) => outcome === "perhaps").length
      const counted = Number(yield* patiently(Redis.get("visits:home")))
      assert.isAtLeast(counted, outcomes.length - perhaps)
      assert.isAtMost(counted, outcomes.length)
    }))

  it.effect("a page comes without its cache when the server hangs", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.RedisServer
      yield* patiently(Redis.set("page:home", "from the cache"))
      // A busy machine may take longer than that, too.
      const fromCache = until(page("home"), (text) => text === "from the cache")
      yield* fromCache
      yield* server.pause
      assert.strictEqual(yield* page("home"), "made anew: home")
      yield* server.resume
      yield* fromCache
    }))
})

describe("on several servers", () => {
  it.live("visits go on through a failover of sentinels", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make()
      const client = NodeRedisClient.layerSentinel({ sentinels: deployment.addresses, service: deployment.service })
      yield* Effect.gen(function*() {
        yield* visit("home")
        const master = yield* deployment.master
        yield* master.kill()
        yield* visit("home")
        const next = yield* deployment.master
        assert.notStrictEqual(next.port, master.port)
      }).pipe(Effect.provide(client))
    }).pipe(Effect.scoped))

  it.live("visits go on while their slot moves to another server", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisClusterServers.make()
      yield* Effect.gen(function*() {
        yield* visit("home")
        const from = yield* cluster.owner("visits:home")
        const to = cluster.nodes.find((node) => node.port !== from.port)!
        const visits = yield* Effect.forkChild(Effect.forEach(Array.from({ length: 500 }), () => visit("home")))
        const slot = yield* Redis.clusterKeyslot("visits:home")
        yield* cluster.moveSlot(slot, to)
        yield* Fiber.join(visits)
        assert.strictEqual(yield* Redis.get("visits:home"), "501")
      }).pipe(Effect.provide(NodeRedisClient.layerCluster({ nodes: cluster.addresses })))
    }).pipe(Effect.scoped))

  it.live(
    "a health check that reads a key is not failed by a replica that is down, and PING is",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisClusterServers.make({ replicas: 1 })
        yield* Effect.gen(function*() {
          assert.isTrue(yield* Redis.ping())
          const [replica] = yield* cluster.replicasOf(yield* cluster.owner("ready"))
          assert.isDefined(replica)
          yield* replica.kill()
          const isUp = Effect.match({ onFailure: () => false, onSuccess: () => true })
          assert.deepStrictEqual(yield* Effect.all([isUp(Redis.ping()), isUp(Redis.exists("ready"))]), [false, true])
        }).pipe(Effect.provide(NodeRedisClient.layerCluster({ nodes: cluster.addresses })))
      }).pipe(Effect.scoped)
  )
})

describe("on a server that does what the test says", () => {
  /** Answers INCR as a server would, but for what a test does with the first ones. */
  const counting = (instead: (count: number) => RedisFakeNode.Reply) => {
    let count = 0
    return RedisFakeNode.make(({ name }) => {
      if (name !== "INCR") return undefined
      count++
      return instead(count) ?? RedisFakeReply.integer(count)
    })
  }
  const clientOf = ({ host, port }: RedisFakeNode.FakeNode) => NodeRedisClient.layer({ host, port })

  it.live("a visit of which the answer was lost is not counted again", () =>
    Effect.gen(function*() {
      const node = yield* counting((count) => count === 1 ? RedisFakeNode.cut("reset") : undefined)
      assert.strictEqual(yield* Effect.provide(visit("home"), clientOf(node)), "perhaps")
      assert.lengthOf(node.commands.filter(({ command }) => command.name === "INCR"), 1)
    }).pipe(Effect.scoped))

  it.live("a server that is loading its data is waited for", () =>
    Effect.gen(function*() {
      const node = yield* counting((count) =>
        count <= 3 ? RedisFakeReply.error("LOADING Redis is loading the dataset in memory") : undefined
      )
      assert.strictEqual(yield* Effect.provide(visit("home"), clientOf(node)), 4)
    }).pipe(Effect.scoped))

  it.live("an answer that comes late is nobody else's", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* RedisFakeNode.make(({ args, name }) =>
        name !== "GET"
          ? undefined
          : args[1] === "page:slow"
          ? [RedisFakeNode.gate(gate), RedisFakeNode.reply(RedisFakeReply.bulk("slow"))]
          : RedisFakeReply.bulk("quick")
      )
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* page("slow"), "made anew: slow")
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* page("quick"), "quick")
      }).pipe(Effect.provide(clientOf(node)))
    }).pipe(Effect.scoped))

  it.effect("a limit passes when the test moves the clock", () =>
    Effect.gen(function*() {
      const node = yield* RedisFakeNode.make(({ name }) => name === "GET" ? RedisFakeNode.stall() : undefined)
      yield* Effect.gen(function*() {
        const waiting = yield* Effect.forkChild(page("home"))
        yield* node.awaitCommand("GET")
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust("200 millis")
        assert.strictEqual(yield* Fiber.join(waiting), "made anew: home")
      }).pipe(Effect.provide(clientOf(node)))
    }).pipe(Effect.scoped))

  it.live("a program that is refused says so, and does not try again", () =>
    Effect.gen(function*() {
      const node = yield* RedisFakeNode.make(() => undefined, { handshake: { password: "secret" } })
      const error = yield* Effect.flip(Effect.provide(visit("home"), clientOf(node)))
      assert.strictEqual(error._tag, "AuthenticationError")
      assert.strictEqual(node.connections.total, 1)
    }).pipe(Effect.scoped))
})
