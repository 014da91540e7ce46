/**
 * Limits in a program that computes: late by no more than they must be, never
 * early, and not for what has arrived while the event loop was blocked.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisConnector, RedisStandalone } from "@redfx/core"
import type { RedisClient, RedisConfig } from "@redfx/core"
import { NodeRedisConnector, RedisServer } from "@redfx/node"
import { block, computing, spin } from "@redfx/testing/Block"
import type { Computing } from "@redfx/testing/Block"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { turns } from "@redfx/testing/VirtualTime"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"

type Use = Effect.Effect<unknown, unknown, RedisClient.RedisClient>

/** Computes all the time, and lets the event loop go on in between; tells how many turns there were, and how long the longest was. */
const busyWith = (turn: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const busy = { longest: 0, turns: 0, stop: () => clearImmediate(immediate) }
      let started = performance.now()
      let immediate = setImmediate(function compute() {
        spin(turn)
        busy.turns++
        busy.longest = Math.max(busy.longest, performance.now() - started)
        started = performance.now()
        immediate = setImmediate(compute)
      })
      return busy
    }),
    (busy) => Effect.sync(busy.stop)
  )

/**
 * Blocks the event loop for a while whenever something was written that has this in it: the answer is there when the loop goes
 * on, and until then nothing else takes time.
 */
const blockingAfter = (program: Computing, marker: string, milliseconds = 300) =>
  Layer.effect(RedisConnector.RedisConnector)(Effect.map(RedisConnector.RedisConnector, (connector) => ({
    socket: (endpoint, options) =>
      Effect.map(connector.socket(endpoint, options), ({ reader, writer }) =>
        Socket.make({
          reader,
          writer: Effect.map(writer, (writer): Socket.Writer => ({
            ...writer,
            writeAll: (chunks) =>
              Effect.map(writer.writeAll(chunks), () => {
                if (!chunks.some((chunk) => Buffer.from(chunk).includes(marker))) return
                program.blocks++
                void program.compute(milliseconds)
                block(endpoint)
              })
          }))
        }))
  }))).pipe(Layer.provide(NodeRedisConnector.layer), Layer.merge(Layer.succeed(Clock.Clock)(program.clock)))

describe("An event loop that was blocked for longer than the limit", () => {
  const limit: RedisConfig.ConnectionOptions = { commandTimeout: "100 millis" }
  /** Opens the connections, and keeps that of subscriptions. */
  const opened = Redis.withTimeout(
    Effect.gen(function*() {
      yield* Redis.rpush("other", "v")
      yield* Redis.blpop("other")
      yield* Redis.rpush("{block}list", "v")
      const { subscribe } = yield* Redis.pubsub()
      yield* subscribe("other")
    }),
    Infinity
  )
  const one = Redis.withConnection(Redis.get("k"))
  const uses: ReadonlyArray<readonly [string, Use, string, RedisConfig.ConnectionOptions]> = [
    ["a single command", Redis.get("{block}"), "{block}", limit],
    ["a pipeline", Redis.pipeline([Redis.set("{block}", "v"), Redis.get("{block}")]), "{block}", limit],
    ["a transaction", Redis.transaction([Redis.set("{block}", "v"), Redis.get("{block}")]), "EXEC", limit],
    ["a blocking command", Redis.blpop("{block}list", "1 millis"), "BLPOP", limit],
    [
      "a pipeline that blocks",
      Redis.pipeline([Redis.get("{block}"), Redis.blpop("{block}list", "1 millis")]),
      "BLPOP",
      limit
    ],
    ["a reserved connection", Redis.withConnection(Redis.get("{block}")), "{block}", limit],
    ["a subscription", Effect.scoped(Effect.flatMap(Redis.pubsub(), (_) => _.subscribe("c"))), "SUBSCRIBE", limit],
    [
      "a monitor",
      Effect.timeout(Stream.runHead(Redis.monitor()), "1 second").pipe(
        Effect.catchTag("TimeoutError", (error) => Cause.isTimeoutError(error) ? Effect.void : Effect.fail(error))
      ),
      "MONITOR",
      limit
    ],
    ["a dial", Effect.all([one, one], { concurrency: 2 }), "HELLO", { connectTimeout: "100 millis" }],
    ["a check of a connection", Redis.get("k"), "PING", {
      connectTimeout: "100 millis",
      healthCheckInterval: "10 millis"
    }]
  ]

  it.live.each(uses)("fails no replies that have arrived: %s", ([, use, marker, options]) =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const program = yield* computing
      const client = yield* Effect.provide(
        RedisStandalone.make({ host: server.host, port: server.port, ...options }),
        blockingAfter(program, marker)
      )
      const run = Client.on(client)
      yield* run(opened)
      yield* Effect.promise(() => program.compute(20))
      // What is written while timers run is answered before they run again.
      yield* turns
      const { blocks } = program
      yield* run(use)
      assert.isAbove(program.blocks, blocks)
      assert.deepInclude(yield* client.stats, { shared: 1 })
    }))

  /** A cluster of one master, which serves two seconds after its start. */
  const oneMaster = Layer.effect(RedisServer.RedisServer)(Effect.gen(function*() {
    const server = yield* RedisServer.make({ clusterEnabled: true })
    const client = yield* Client.make(server)
    yield* client.execute(Redis.send("CLUSTER", "ADDSLOTS", ...Array.from({ length: 16_384 }, (_, slot) => slot)))
    yield* Effect.eventually(client.execute(Redis.set("k", "v")))
    return server
  }))

  layer(oneMaster, { excludeTestServices: true })((it) => {
    it.effect.each(uses.slice(0, 6))(
      "fails no replies that have arrived, of a cluster: %s",
      ([, use, marker, options]) =>
        Effect.gen(function*() {
          const { host, port } = yield* RedisServer.RedisServer
          const program = yield* computing
          const { client } = yield* Effect.provide(
            RedisCluster.make({ ...options, nodes: [{ host, port }] }),
            blockingAfter(program, marker)
          )
          const run = Client.on(client)
          yield* run(Redis.flushall())
          yield* run(opened)
          const { blocks } = program
          yield* run(use)
          assert.isAbove(program.blocks, blocks)
        })
    )
  })
})

describe("An event loop that stands still", () => {
  const commandTimeout = "400 millis"
  const channels = Array.from({ length: 10_000 }, (_, index) => `channel:${index}`)

  /** What takes several round trips from a client that has no connection yet. */
  const uses: ReadonlyArray<readonly [string, Use]> = [
    ["a command", Redis.get("k")],
    ["a blocking command", Redis.blpop("list", "1 millis")],
    ["a subscription to 10,000 channels", Effect.scoped(Effect.flatMap(Redis.pubsub(), (_) => _.subscribe(channels)))]
  ]

  it.live.each(uses)("uses up no limit of a server that answers: %s", ([, use]) =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const limits = [[{ commandTimeout: "2 seconds" }, 2500], [{ connectTimeout: commandTimeout }, 1000]] as const
      for (const [options, standstill] of limits) {
        const client = yield* Effect.provide(
          RedisStandalone.make({ host: server.host, port: server.port, ...options }),
          blockingAfter(yield* computing, "HELLO", standstill)
        )
        yield* Client.on(client)(use)
      }
    }))

  it.live.each(uses)(
    "again and again does not let a server be silent for ever: %s",
    ([, use]) =>
      Effect.gen(function*() {
        const server = yield* RedisServer.make()
        const { host, port } = server
        const client = yield* Client.make({ host, port }, { commandTimeout, livenessTimeout: Infinity })
        yield* client.execute(Redis.ping())
        yield* server.pause
        const busy = yield* busyWith(150)
        const exit = yield* Effect.exit(Client.on(client)(use))
        assert.include(JSON.stringify(exit), `"TimeoutError"`)
        assert.isAtMost(busy.turns, 8)
        yield* server.resume
      })
  )
})

describe("A limit", () => {
  const stalling: FakeNode.Handler = ({ name }) =>
    name === "PING" || name === "HELLO" || name === "CLIENT" ? undefined : FakeNode.stall()

  const uses: ReadonlyArray<readonly [string, Use]> = [
    ["a single command", Redis.get("k")],
    ["a pipeline", Effect.flatten(Effect.map(Redis.pipeline([Redis.get("k")]), () => Effect.void))],
    ["a blocking command", Redis.blpop("k", "1 millis")],
    ["a subscription", Effect.scoped(Effect.flatMap(Redis.pubsub(), (_) => _.subscribe("c")))]
  ]

  it.live.each(uses)("is late by the turn under way at most, and never early: %s", ([, use]) =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(stalling)
      const { clock, compute } = yield* computing
      const client = yield* Effect.provideService(
        Client.make(node, { commandTimeout: "400 millis" }),
        Clock.Clock,
        clock
      )
      const run = Client.on(client)
      yield* run(Redis.ping())
      const turn = 20
      for (let i = 0; i < 3; i++) {
        const started = clock.currentTimeMillisUnsafe()
        const fiber = yield* fork(Effect.exit(run(use)))
        while (fiber.pollUnsafe() === undefined) {
          yield* Effect.promise(() => compute(turn))
          yield* turns
        }
        assert.include(JSON.stringify(yield* Fiber.join(fiber)), `"TimeoutError"`)
        const late = clock.currentTimeMillisUnsafe() - started - 400
        assert.isAtLeast(late, 0)
        assert.isAtMost(late, turn)
      }
    }))

  it.effect("of each length passes in its time, whatever comes before and after", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(stalling)
      const client = yield* Client.make(node, { commandTimeout: "1 second" })
      const blocks = [3000, 1000, 5000, 2000, 4000]
      const fibers = yield* Effect.forEach(blocks, (block) =>
        fork(Effect.exit(client.execute(Redis.blpop("q", `${block} millis`)))))
      yield* node.awaitCommand("BLPOP", blocks.length)
      for (let second = 1; second <= 6; second++) {
        yield* TestClock.adjust("999 millis")
        const before = fibers.map((fiber) =>
          fiber.pollUnsafe() !== undefined
        )
        assert.deepStrictEqual(before, blocks.map((block) => block + 1000 < second * 1000))
        yield* TestClock.adjust("1 millis")
        yield* Effect.forEach(
          fibers.filter((_, index) => blocks[index]! + 1000 <= second * 1000),
          (fiber) => Fiber.join(fiber)
        )
      }
    }))

  it.effect("that passes in the middle of a pipeline leaves the answers that are there", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "GET" ? Encode.bulk("v") : name === "BLPOP" ? FakeNode.stall() : undefined
      )
      const client = yield* Client.make(node, { commandTimeout: "1 second" })
      const fiber = yield* fork(client.pipeline([Redis.get("k"), Redis.blpop("q", "1 second"), Redis.get("k")]))
      yield* node.awaitCommand("BLPOP")
      yield* TestClock.adjust("2 seconds")
      const [first, ...late] = yield* Fiber.join(fiber)
      assert.deepStrictEqual(first, Exit.succeed("v"))
      assert.deepStrictEqual(late.map((outcome) => outcome._tag), ["Failure", "Failure"])
    }))

  it.effect.each<readonly [string, (effect: Use) => Use]>([
    ["of the client", (effect) => effect],
    ["on a reserved connection", Redis.withConnection],
    ["after others", (effect) => Effect.andThen(Redis.ping(), effect)]
  ])("can be another one for an effect, and is the client's again after it: %s", ([, where]) =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" || name === "BLPOP" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, { commandTimeout: "1 second" })
      const use = where(
        Effect.andThen(Redis.get("k").pipe(Redis.withTimeout("3 seconds"), Effect.exit), Redis.get("k"))
      )
      const fiber = yield* fork(Effect.exit(Client.on(client)(use)))
      yield* node.awaitCommand("GET")
      yield* TestClock.adjust("2999 millis")
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "GET").length, 1)
      yield* TestClock.adjust("1 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.include(JSON.stringify(yield* Fiber.join(fiber)), `"milliseconds":1000`)
    }))

  it.effect("can be another one for an effect on a cluster", () =>
    Effect.gen(function*() {
      const { cluster, a } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "1 second" })
      const run = Client.on(client)
      yield* run(Redis.get(FakeCluster.keyOfA))
      a.instead = ({ name }) => name === "GET" || name === "MGET" || name === "BLPOP" ? FakeNode.stall() : undefined
      const key = FakeCluster.keyOfA
      const uses: ReadonlyArray<Use> = [
        Redis.get(key),
        Redis.pipeline([Redis.get(key)]),
        Redis.blpop(key, "1 millis"),
        Redis.mget([key, FakeCluster.keyOfB]),
        Redis.withConnection(Redis.get(key))
      ]
      for (const use of uses) {
        const fiber = yield* fork(Effect.exit(run(Redis.withTimeout(use, "3 seconds"))))
        for (let i = 0; i < 29; i++) {
          yield* TestClock.adjust("100 millis")
          assert.isUndefined(fiber.pollUnsafe())
        }
        yield* TestClock.adjust("200 millis")
        assert.match(JSON.stringify(yield* Fiber.join(fiber)), /"milliseconds":300[01],/)
      }
    }))

  it.effect("is 5 seconds unless something else is said, and never passes for who blocks for ever", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(stalling)
      const client = yield* Client.make(node)
      const get = yield* fork(Client.failure(client, Redis.get("k"), "TimeoutError"))
      const blocked = yield* fork(client.execute(Redis.blpop("q")))
      yield* node.awaitCommand("BLPOP")
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(get.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(get)).milliseconds, 5000)
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(blocked.pollUnsafe())
      yield* Fiber.interrupt(blocked)
    }))
})
