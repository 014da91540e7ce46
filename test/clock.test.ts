/**
 * Waits go by the time that passes, whatever the time of day is set to, and by
 * the clock and in the context of who made the client, whoever uses it first.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient, RedisConfig } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as Fake from "@redfx/testing/FakeSentinel"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as SteppedClock from "@redfx/testing/SteppedClock"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"

const { keyOfA, keyOfB } = FakeCluster
const hour = 3_600_000

const subscribed = Encode.push([Encode.bulk("subscribe"), Encode.bulk("c"), Encode.integer(1)])
const popped = Encode.array([Encode.bulk("q"), Encode.bulk("v")])

/** Answers GET, BLPOP and SUBSCRIBE. */
const answering: FakeNode.Handler = ({ name }) =>
  ({ GET: Encode.bulk("v"), BLPOP: popped, SUBSCRIBE: subscribed })[name]

/** Never answers GET, BLPOP and SUBSCRIBE. */
const stalling: FakeNode.Handler = ({ name }) =>
  name === "GET" || name === "BLPOP" || name === "SUBSCRIBE" ? FakeNode.stall() : undefined

type Use = Effect.Effect<unknown, unknown, RedisClient.RedisClient>

const uses: ReadonlyArray<readonly [string, Use, string]> = [
  ["a shared command", Redis.get("k"), "GET"],
  ["a pipeline", Redis.pipeline([Redis.get("k")]), "GET"],
  ["a blocking command", Redis.blpop("q", "1 millis"), "BLPOP"],
  ["a pipeline with a blocking command", Redis.pipeline([Redis.ping(), Redis.blpop("q", "1 millis")]), "BLPOP"],
  ["a reserved connection", Redis.withConnection(Redis.get("k")), "GET"],
  ["a subscription", Effect.scoped(Effect.flatMap(Redis.pubsub(), ({ subscribe }) => subscribe("c"))), "SUBSCRIBE"]
]

for (const shift of [-hour, hour]) {
  describe(`The time of day is set ${shift < 0 ? "back" : "forward"} by an hour`, () => {
    const make = Effect.fnUntraced(function*(node: FakeNode.FakeNode, options: RedisConfig.ConnectionOptions = {}) {
      const { clock, step } = yield* SteppedClock.make
      const client = yield* Effect.provideService(Client.make(node, options), Clock.Clock, clock)
      return { client, run: Client.on(client), step: () => step(shift) }
    })

    it.effect.each(uses.map(([name, effect]) => [name, effect] as const))(
      "the pause after a failed dial is as long as ever: %s",
      ([, effect]) =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(answering)
          const { client, run, step } = yield* make(node)
          yield* node.stopListening
          const { retryAfter } = yield* Client.causing(client, "ConnectFailed", Effect.exit(run(effect)))
          yield* node.listen
          step()
          const again = yield* fork(run(effect))
          yield* TestClock.adjust(Duration.toMillis(retryAfter) - 1)
          assert.strictEqual(node.connections.total, 0)
          yield* TestClock.adjust("1 millis")
          yield* Fiber.join(again)
        })
    )

    it.effect.each(uses)("commandTimeout is as long as ever: %s", ([, effect, command]) =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(stalling)
        const { run, step } = yield* make(node, { commandTimeout: "1 second" })
        const fiber = yield* fork(Effect.exit(run(effect)))
        yield* node.awaitCommand(command)
        step()
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("2 millis")
        assert.include(JSON.stringify(yield* Fiber.join(fiber)), "TimeoutError")
      }))

    it.effect("connectTimeout is as long as ever", () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ name }) => name === "HELLO" ? FakeNode.stall() : undefined)
        const { client, step } = yield* make(node, { connectTimeout: "1 second" })
        const fiber = yield* fork(Client.failure(client, Redis.get("k"), "TimeoutError"))
        yield* node.awaitCommand("HELLO")
        step()
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(fiber)).phase, "connect")
      }))

    it.effect("acquireTimeout is as long as ever", () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(stalling)
        const { client, run, step } = yield* make(node, { pool: { max: 2, acquireTimeout: "1 second" } })
        yield* fork(run(Redis.blpop("q")))
        yield* node.awaitCommand("BLPOP")
        const fiber = yield* fork(Client.failure(client, Redis.blpop("q"), "ConnectionError"))
        step()
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(fiber)).reason, "PoolTimeout")
      }))

    it.effect("an idle connection is closed when it was idle for long enough", () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(answering)
        const { run, step } = yield* make(node, { pool: { idleTimeout: "10 seconds" } })
        yield* run(Redis.blpop("q"))
        yield* TestClock.adjust("6 seconds")
        yield* run(Redis.blpop("q"))
        step()
        // It is looked for idle connections every 10 seconds; this one was used 4 seconds ago.
        yield* TestClock.adjust("4 seconds")
        yield* run(Redis.ping())
        assert.strictEqual(node.connections.open, 2)
        yield* TestClock.adjust("10 seconds")
        yield* node.awaitOpen(1)
      }))

    it.effect.each([["a shared", Redis.get("k")], ["an exclusive", Redis.blpop("q")]] as const)(
      "healthCheckInterval is as long as ever, of %s connection",
      ([, command]) =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(answering)
          const { client, step } = yield* make(node, { healthCheckInterval: "10 seconds" })
          const use: Effect.Effect<unknown, unknown> = client.execute<unknown>(command)
          const pings = () => node.commands.filter(({ command }) => command.name === "PING").length
          yield* use
          step()
          yield* TestClock.adjust("9 seconds")
          yield* use
          assert.strictEqual(pings(), 0)
          step()
          yield* TestClock.adjust("10 seconds")
          yield* use
          assert.strictEqual(pings(), 1)
        })
    )

    it.effect("livenessTimeout is as long as ever", () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(stalling)
        const { client, step } = yield* make(node, { livenessTimeout: "8 seconds", commandTimeout: Infinity })
        const fiber = yield* fork(Client.failure(client, Redis.get("k"), "ConnectionError"))
        yield* node.awaitCommand("GET")
        step()
        yield* TestClock.adjust("7 seconds")
        assert.notInclude(node.commands.map(({ command }) => command.name), "PING")
        node.setHandler(() => FakeNode.stall())
        yield* TestClock.adjust("3 seconds")
        yield* node.awaitCommand("PING")
        yield* TestClock.adjust("8 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).reason, "HealthCheck")
      }))

    it.effect("a cluster pauses between two readings of its topology for as long as ever", () =>
      Effect.gen(function*() {
        const { clock, step } = yield* SteppedClock.make
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client, cluster: nodes } = yield* Effect.provideService(
          FakeCluster.client(cluster, { nodes: [a] }),
          Clock.Clock,
          clock
        )
        yield* client.execute(Redis.get(keyOfB))
        step(shift)
        FakeCluster.replace(cluster, a, b)
        const again = yield* fork(nodes.refresh)
        for (let i = 0; i < 20; i++) yield* client.execute(Redis.get(keyOfB))
        assert.strictEqual(FakeCluster.readings(cluster), 1)
        yield* TestClock.adjust("200 millis")
        yield* Fiber.join(again)
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
      }))

    it.effect("a cluster reads its topology in intervals that are as long as ever", () =>
      Effect.gen(function*() {
        const { clock, step } = yield* SteppedClock.make
        const { b, cluster } = yield* FakeCluster.make()
        const { client } = yield* Effect.provideService(
          FakeCluster.client(cluster, { refreshInterval: "60 seconds" }),
          Clock.Clock,
          clock
        )
        yield* client.execute(Redis.get(keyOfA))
        step(shift)
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual(FakeCluster.readings(cluster), 1)
        yield* TestClock.adjust("1 second")
        yield* FakeCluster.awaitReadings(b, 1)
      }))

    it.effect("a group asks a sentinel for the others again after as long as ever", () =>
      Effect.gen(function*() {
        const { clock, step } = yield* SteppedClock.make
        const { sentinel } = yield* Fake.make()
        const group = yield* Effect.provideService(Fake.group([sentinel]), Clock.Clock, clock)
        const find = group.discoverMaster(Fake.service)
        yield* find
        yield* Fake.awaitAsked(sentinel, "SENTINELS")
        step(shift)
        yield* TestClock.adjust("9 seconds")
        yield* find
        yield* find
        assert.strictEqual(Fake.asked(sentinel, "SENTINELS"), 1)
        yield* TestClock.adjust("1 second")
        yield* find
        yield* Fake.awaitAsked(sentinel, "SENTINELS", 2)
      }))
  })

  it.live(`the process's own time of day is set by ${shift} ms during an outage`, () =>
    Effect.gen(function*() {
      const { step } = yield* SteppedClock.stepProcess
      const node = yield* FakeNode.make(answering)
      const client = yield* Client.make(node)
      const run = Client.on(client)
      yield* node.stopListening
      for (const [, effect] of uses) yield* Effect.exit(run(effect))
      yield* node.listen
      step(shift)
      for (const [, effect] of uses) yield* run(effect)
    }))
}

/** What the contexts of who made a client and of who uses it have, each of its own. */
const Maker = Context.Reference<boolean>("test/Maker", { defaultValue: () => false })
const User = Context.Reference<boolean>("test/User", { defaultValue: () => false })

describe("What many share", () => {
  /** Credentials that tell who has asked for them. */
  const watched = () => {
    const runners = new Set<string>()
    const credentials = Effect.gen(function*() {
      runners.add(`maker: ${yield* Maker}, user: ${yield* User}`)
      return { password: Redacted.make("secret") }
    })
    return { credentials, runners }
  }
  const byMaker = Effect.provideService(Maker, true)
  const onlyMaker = ["maker: true, user: false"]
  const byUser = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(Effect.provide(effect, TestClock.layer()), User, true)
  const handshake = { password: "secret" }

  it.live.each<readonly [string, Use, string]>([
    ...uses,
    ["a monitor", Stream.runHead(Redis.monitor()), "MONITOR"]
  ])(
    "is opened and waits in the context of who made it, not of its first user: %s",
    ([, effect]) =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make((command, connection) =>
          command.name === "MONITOR"
            ? [FakeNode.reply(Encode.ok), FakeNode.reply("+1.0 [0 lua] \"PING\"\r\n")]
            : answering(command, connection), { handshake })
        const { credentials, runners } = watched()
        const client = yield* byMaker(Client.make(node, { credentials }))
        const run = Client.on(client)
        yield* byUser(run(effect))
        yield* node.stopListening
        yield* node.cutAll()
        for (let i = 0; i < 3; i++) yield* Effect.exit(byUser(run(effect)))
        yield* node.listen
        yield* run(effect)
        assert.deepStrictEqual([...runners], onlyMaker)
      })
  )

  inVirtualTime(
    "a check of a connection that was unused for long runs in the context of who made it",
    () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ name }, { index }) =>
          name === "GET" ? Encode.bulk("v") : name === "PING" && index === 0 ? FakeNode.stall() : undefined
        )
        const client = yield* Client.make(node, { healthCheckInterval: "50 millis", connectTimeout: "200 millis" })
        const get = client.execute(Redis.get("k"))
        yield* byUser(get)
        yield* Effect.sleep("100 millis")
        assert.strictEqual(yield* Effect.timeout(byUser(get), "3 seconds"), "v")
      })
  )

  inVirtualTime("a cluster's connections are opened in the context of who made it", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make({ handshake })
      for (const node of cluster.nodes) {
        node.instead = ({ name }) => ({ BLPOP: popped, SUBSCRIBE: subscribed })[name]
      }
      const { credentials, runners } = watched()
      const { client } = yield* byMaker(FakeCluster.client(cluster, { credentials }))
      const run = Client.on(client)
      yield* byUser(run(Redis.get(keyOfA)))
      yield* byUser(run(Redis.blpop(keyOfB, "1 millis")))
      yield* byUser(run(Redis.withConnection(Redis.get(keyOfA))))
      yield* byUser(run(Effect.scoped(Effect.flatMap(Redis.pubsub(), ({ subscribe }) => subscribe("c")))))
      assert.deepStrictEqual([...runners], onlyMaker)
    }))

  inVirtualTime("the limits of a group's questions go by the clock of who made it", () =>
    Effect.gen(function*() {
      const { sentinel } = yield* Fake.make()
      sentinel.instead = ({ name }) => name === "SENTINEL" ? FakeNode.stall() : undefined
      const group = yield* Fake.group([sentinel], { commandTimeout: "100 millis" })
      const found = yield* fork(Effect.exit(byUser(group.discoverMaster(Fake.service))))
      assert.isTrue(Exit.isFailure(yield* Effect.timeout(Fiber.join(found), "3 seconds")))
    }))
})

describe("acquireTimeout", () => {
  it.effect("does not pass while a connection is being opened, and does while all are in use", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "BLPOP" ? FakeNode.stall() : name === "HELLO" ? [FakeNode.gate(gate)] : undefined
      )
      const client = yield* Client.make(node, {
        pool: { max: 3, acquireTimeout: "400 millis" },
        connectTimeout: Infinity,
        commandTimeout: Infinity
      })
      const served = yield* Effect.forEach(["a", "b"], (key) => fork(Effect.exit(client.execute(Redis.blpop(key)))))
      yield* node.awaitCommand("HELLO", 2)
      const behind = yield* fork(Client.failure(client, Redis.blpop("c"), "ConnectionError"))
      yield* TestClock.adjust("399 millis")
      assert.isUndefined(behind.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(behind)).reason, "PoolTimeout")
      yield* TestClock.adjust("5 seconds")
      for (const fiber of served) assert.isUndefined(fiber.pollUnsafe())
    }))
})
