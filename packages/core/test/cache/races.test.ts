/**
 * What a client keeps when replies, invalidations and losses come in any order,
 * on scripted servers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCache, RedisClient, RedisError, RedisPool, RedisStandalone } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const ttl = "1 minute"
const get = (key: string) => Redis.cached(Redis.get(key), { ttl })
const stats = (client: RedisClient.RedisClient["Service"]) => Client.on(client)(RedisCache.stats)

const invalidation = (...keys: ReadonlyArray<string | Uint8Array>) =>
  Encode.push([Encode.bulk("invalidate"), Encode.bulks(keys)])
const flushed = Encode.push([Encode.bulk("invalidate"), Encode.nil3])

/** A server that answers reads with what they say and how many there have been, each behind the gate of its key. */
const scripted = Effect.gen(function*() {
  const gates = new Map<string, Deferred.Deferred<void>>()
  let reads = 0
  const node = yield* FakeNode.make(({ args, name }) => {
    if (name === "SET") return Encode.ok
    if (name === "PTTL") return Encode.integer(-1)
    if (name !== "GET" && name !== "MGET" && name !== "HGETALL") return undefined
    const gate = gates.get(args[1]!)
    const value = `${args[1]!}${++reads}`
    const answer = FakeNode.reply(
      name === "GET"
        ? Encode.bulk(value)
        : name === "MGET"
        ? Encode.bulks(args.slice(1))
        : Encode.map([[Encode.bulk("field"), Encode.bulk(value)]])
    )
    return gate === undefined ? [answer] : [FakeNode.gate(gate), answer]
  })
  return {
    node,
    hold: (key: string) => Effect.tap(Deferred.make<void>(), (gate) => Effect.sync(() => gates.set(key, gate))),
    release: (key: string) =>
      Effect.suspend(() => {
        const gate = gates.get(key)!
        gates.delete(key)
        return Deferred.succeed(gate, undefined)
      })
  }
})

/** What the server was asked, after what a connection begins with. */
const log = (node: FakeNode.FakeNode, connection?: number) =>
  node.commands
    .filter((received) => connection === undefined || received.connection === connection)
    .map(({ args }) => args.join(" "))
    .filter((text) => !/^(HELLO|CLIENT SETINFO|PING|H?PTTL)/.test(text))

/** Waits until what the server has pushed was read: it comes before the answer to a PING. */
const synced = (client: RedisClient.RedisClient["Service"]) => client.execute(Redis.ping())

const made = (options: RedisConfig.ConnectionOptions = {}) =>
  Effect.gen(function*() {
    const server = yield* scripted
    const client = yield* Client.make(server.node, options)
    return { ...server, client }
  })

describe("Caching, reads under way", () => {
  it.live("the server is asked to tell of a key right before the key is read", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made()
      yield* client.execute(get("a"))
      yield* client.execute(get("b"))
      yield* client.execute(get("a"))
      assert.deepStrictEqual(log(node), [
        "CLIENT TRACKING ON OPTIN",
        "CLIENT CACHING YES",
        "GET a",
        "CLIENT CACHING YES",
        "GET b"
      ])
    }))

  it.live("nothing comes between the two, however little may be in flight", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made({ limits: { inFlightCommands: 1 } })
      yield* Effect.all(
        Array.from({ length: 8 }, (_, i) =>
          i % 2 === 0 ? client.execute(get(`a${i}`)) : client.execute(Redis.get(`b${i}`))),
        { concurrency: "unbounded" }
      )
      const sent = log(node)
      assert.strictEqual(
        sent.filter((text) =>
          text === "CLIENT CACHING YES"
        ).length,
        4
      )
      for (const [index, text] of sent.entries()) {
        if (text === "CLIENT CACHING YES") assert.match(sent[index + 1]!, /^GET a/)
      }
    }))

  it.live("an invalidation before the answer: the answer goes to who waits and is not kept", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made()
      yield* hold("a")
      const first = yield* fork(client.execute(get("a")))
      yield* node.awaitCommand("GET")
      yield* node.push(0, invalidation("a"))
      yield* release("a")
      assert.strictEqual(yield* Fiber.join(first), "a1")
      assert.strictEqual(yield* client.execute(get("a")), "a2")
      assert.strictEqual(yield* client.execute(get("a")), "a2")
    }))

  it.live("who asks after an invalidation does not join a read from before it", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made()
      yield* client.execute(get("other"))
      yield* hold("a")
      const first = yield* fork(client.execute(get("a")))
      yield* node.awaitCommand(({ args }) => args.join(" ") === "GET a")
      yield* node.push(0, invalidation("a", "other"))
      while ((yield* stats(client)).entries > 0) yield* Effect.sleep(1)
      const second = yield* fork(client.execute(get("a")))
      yield* node.awaitCommand(({ args }) => args.join(" ") === "GET a", 2)
      yield* release("a")
      assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(second)], ["a2", "a3"])
      assert.strictEqual(yield* client.execute(get("a")), "a3")
    }))

  it.live("an invalidation of another key changes nothing", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made()
      yield* hold("a")
      const first = yield* fork(client.execute(get("a")))
      yield* node.awaitCommand("GET")
      yield* node.push(0, invalidation("b", "aa"))
      yield* release("a")
      yield* Fiber.join(first)
      assert.strictEqual(yield* client.execute(get("a")), "a1")
    }))

  it.live("whoever goes away, the others have their answer, and it is kept", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made()
      yield* hold("a")
      const fibers = yield* Effect.forEach([1, 2, 3], () => fork(client.execute(get("a"))))
      yield* node.awaitCommand("GET")
      yield* Fiber.interrupt(fibers[0]!)
      yield* Fiber.interrupt(fibers[2]!)
      yield* release("a")
      assert.strictEqual(yield* Fiber.join(fibers[1]!), "a1")
      assert.strictEqual(yield* client.execute(get("a")), "a1")
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "GET").length, 1)
    }))

  it.live("when everybody goes away the next one asks anew, and neighbours have their own answers", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made()
      yield* hold("a")
      const fibers = yield* Effect.forEach([1, 2], () => fork(client.execute(get("a"))))
      yield* node.awaitCommand("GET")
      const neighbour = yield* fork(client.execute(Redis.get("n")))
      yield* Effect.forEach(fibers, Fiber.interrupt)
      const next = yield* fork(client.execute(get("a")))
      yield* release("a")
      assert.strictEqual(yield* Fiber.join(neighbour), "n2")
      assert.strictEqual(yield* Fiber.join(next), "a3")
      assert.deepInclude(yield* stats(client), { entries: 1, misses: 2, joined: 1 })
    }))

  it.effect("each caller has the time that its client gives, from when it asked", () =>
    Effect.gen(function*() {
      const { client, hold, node } = yield* made({ commandTimeout: "5 seconds" })
      yield* hold("a")
      const first = yield* fork(Effect.exit(client.execute(get("a"))))
      yield* node.awaitCommand("GET")
      yield* TestClock.adjust("3 seconds")
      const second = yield* fork(Effect.exit(client.execute(get("a"))))
      const hurried = yield* fork(Effect.exit(client.withTimeout("1 second").execute(get("a"))))
      yield* TestClock.adjust("1500 millis")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(hurried)))
      yield* TestClock.adjust("1 seconds")
      const late = yield* Effect.flip(yield* Fiber.join(first))
      assert.deepInclude(late, { _tag: "TimeoutError", command: "GET", delivery: "unknown", readonly: true })
      assert.isUndefined(second.pollUnsafe())
      yield* TestClock.adjust("3 seconds")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(second)))
    }))

  it.effect("who asks for a young answer does not join a read that left too long ago", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made({ commandTimeout: "1 minute", livenessTimeout: "5 minutes" })
      const young = Redis.cached(Redis.get("a"), { ttl: "1 second" })
      yield* hold("a")
      const first = yield* fork(client.execute(young))
      yield* node.awaitCommand("GET")
      yield* TestClock.adjust("1 second")
      const second = yield* fork(client.execute(young))
      yield* TestClock.adjust("1 second")
      const patient = yield* fork(client.execute(get("a")))
      const third = yield* fork(client.execute(young))
      assert.deepInclude(yield* stats(client), { misses: 2, joined: 2 })
      yield* release("a")
      assert.deepStrictEqual(
        yield* Effect.forEach([first, second, patient, third], Fiber.join),
        ["a1", "a1", "a1", "a2"]
      )
      // The younger answer is kept.
      assert.strictEqual(yield* client.execute(young), "a2")
      assert.deepInclude(yield* stats(client), { entries: 1, misses: 2 })
    }))

  it.live("a loss fails all who wait, and drops what came over the connection", () =>
    Effect.gen(function*() {
      const { client, hold, node } = yield* made()
      const events = yield* fork(Stream.runCollect(Stream.take(client.cache!.events, 1)))
      yield* client.execute(get("b"))
      yield* hold("a")
      const fibers = yield* Effect.forEach([1, 2], () => fork(Effect.flip(client.execute(get("a")))))
      yield* node.awaitCommand("GET", 2)
      yield* node.cut(0)
      for (const fiber of fibers) {
        assert.deepInclude(yield* Fiber.join(fiber), { _tag: "ConnectionError", command: "GET", delivery: "unknown" })
      }
      assert.deepStrictEqual(Array.from(yield* Fiber.join(events)), [
        { _tag: "Cleared", reason: "Disconnected", entries: 1 }
      ])
      assert.notStrictEqual(yield* client.execute(get("b")), "b1")
      // The next connection is asked to tell of keys, too.
      assert.deepStrictEqual(log(node, 1), ["CLIENT TRACKING ON OPTIN", "CLIENT CACHING YES", "GET b"])
    }))

  it.live("what is kept is read over one connection; the loss of another one drops nothing", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made({ pool: { shared: 3 } })
      yield* client.execute(get("a"))
      for (let i = 0; i < 3; i++) yield* client.execute(Redis.get("plain"))
      yield* client.execute(get("b"))
      assert.deepStrictEqual(
        new Set(node.commands.filter(({ args }) => args[1] === "CACHING").map(({ connection }) => connection)),
        new Set([0])
      )
      yield* Client.causing(client, "Disconnected", node.cut(1))
      assert.deepInclude(yield* stats(client), { entries: 2 })
    }))

  it.effect("nothing is kept for longer than its keys live, whatever the server tells", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made()
      const left = new Map([["a", 500], ["b", -1], ["c", -2]])
      node.setHandler(({ args, name }) =>
        name === "PTTL" ? Encode.integer(left.get(args[1]!)!) : name === "GET" ? Encode.bulk("v") : undefined
      )
      const readsOf = (key: string) => node.commands.filter(({ args }) => args.join(" ") === `GET ${key}`).length
      const ask = Effect.forEach(["a", "b", "c"], (key) => client.execute(get(key)))
      yield* ask
      yield* TestClock.adjust("499 millis")
      yield* ask
      assert.deepStrictEqual([readsOf("a"), readsOf("b"), readsOf("c")], [1, 1, 1])
      yield* TestClock.adjust("1 millis")
      yield* ask
      assert.deepStrictEqual([readsOf("a"), readsOf("b"), readsOf("c")], [2, 1, 1])
      yield* TestClock.adjust("1 minute")
      yield* ask
      assert.deepStrictEqual([readsOf("a"), readsOf("b"), readsOf("c")], [3, 2, 2])
    }))

  it.effect("nothing is kept for longer than the fields live that it names, where the server can be asked", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made()
      const asked = (name: string) => node.commands.filter(({ command }) => command.name === name)
      let times = Encode.array([Encode.integer(-1), Encode.integer(500), Encode.integer(-2)])
      node.setHandler(({ name }) =>
        name === "PTTL"
          ? Encode.integer(-1)
          : name === "HPTTL"
          ? times
          : name === "HMGET"
          ? Encode.bulks(["1", "2", "3"])
          : undefined
      )
      const read = client.execute(Redis.cached(Redis.hmget("h", "a", "b", "c"), { ttl }))
      yield* read
      assert.deepStrictEqual(asked("HPTTL")[0]?.args, ["HPTTL", "h", "FIELDS", "3", "a", "b", "c"])
      yield* TestClock.adjust("499 millis")
      yield* read
      assert.strictEqual(asked("HMGET").length, 1)
      yield* TestClock.adjust("1 millis")
      yield* read
      assert.strictEqual(asked("HMGET").length, 2)
      // A server that cannot be asked is asked once.
      times = Encode.error("ERR unknown command 'HPTTL'")
      yield* TestClock.adjust("500 millis")
      yield* read
      yield* TestClock.adjust("59 seconds")
      yield* read
      yield* TestClock.adjust("1001 millis")
      yield* read
      assert.deepStrictEqual([asked("HMGET").length, asked("HPTTL").length], [4, 3])
    }))

  it.effect("a connection that says nothing for livenessTimeout is asked whether it is there, and dropped with what it brought", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made({ livenessTimeout: "10 seconds", connectTimeout: "4 seconds" })
      const pings = () => node.commands.filter(({ command }) => command.name === "PING").length
      yield* client.execute(get("a"))
      // What comes meanwhile is as good as an answer.
      yield* TestClock.adjust("9 seconds")
      yield* synced(client)
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(pings(), 1)
      yield* TestClock.adjust("3500 millis")
      yield* node.awaitCommand("PING", 2)
      yield* synced(client)
      assert.deepInclude(yield* stats(client), { entries: 1 })
      node.setHandler(({ name }) => name === "PING" ? FakeNode.stall() : undefined)
      const lost = yield* fork(Client.causing(client, "Disconnected", Effect.void))
      // The silence, a look, and the time that a PING has.
      yield* TestClock.adjust("12500 millis")
      yield* node.awaitCommand("PING", 4)
      assert.deepInclude(yield* stats(client), { entries: 1 })
      yield* TestClock.adjust("4 seconds")
      const { error } = yield* Fiber.join(lost)
      assert.deepInclude(error, { _tag: "ConnectionError", reason: "HealthCheck" })
      assert.deepInclude(yield* stats(client), { entries: 0 })
    }))

  it.effect("a connection on which a large command is on its way is not taken for one that says nothing", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made({ livenessTimeout: "1 second", commandTimeout: "1 minute" })
      yield* client.execute(get("a"))
      node.setHandler(({ name }) => name === "PING" || name === "SET" ? FakeNode.stall() : undefined)
      // Four seconds on a slow network.
      const writing = yield* fork(client.execute(Redis.set("big", "x".repeat(4_000_000))))
      yield* node.awaitCommand("SET")
      for (let i = 0; i < 18; i++) yield* TestClock.adjust("250 millis")
      assert.deepInclude(yield* stats(client), { entries: 1 })
      for (let i = 0; i < 18; i++) yield* TestClock.adjust("250 millis")
      assert.deepInclude(yield* Effect.flip(Fiber.join(writing)), { _tag: "ConnectionError", reason: "HealthCheck" })
      assert.deepInclude(yield* stats(client), { entries: 0 })
    }))

  it.live("a flush drops everything, and marks what is under way", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made()
      yield* client.execute(get("b"))
      yield* hold("a")
      const first = yield* fork(client.execute(get("a")))
      yield* node.awaitCommand("GET", 2)
      yield* node.push(0, flushed)
      yield* release("a")
      assert.strictEqual(yield* Fiber.join(first), "a2")
      assert.deepInclude(yield* stats(client), { entries: 0 })
    }))

  it.live("an own write is seen when it is answered, before the server tells of it and whatever it went over", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made({ pool: { shared: 2 } })
      yield* client.execute(get("a"))
      // One is kept that came over the first connection, one is under way on it.
      yield* client.execute(Redis.get("even"))
      yield* hold("b")
      const under = yield* fork(client.execute(get("b")))
      yield* node.awaitCommand(({ args }) => args.join(" ") === "GET b")
      yield* client.execute(Redis.set("b", "new"))
      yield* release("b")
      assert.strictEqual(yield* Fiber.join(under), "b3")
      assert.notStrictEqual(yield* client.execute(get("b")), "b3")
      yield* client.execute(Redis.set("a", "new"))
      assert.notStrictEqual(yield* client.execute(get("a")), "a1")
    }))

  it.live("own writes of pipelines, transactions and reserved connections are seen, too", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made()
      const expectFresh = (write: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function*() {
          yield* client.execute(get("a"))
          const before = node.commands.length
          yield* Effect.exit(write)
          yield* client.execute(get("a"))
          assert.strictEqual(node.commands.slice(before).filter(({ args }) => args.join(" ") === "GET a").length, 1)
        })
      yield* expectFresh(client.pipeline([Redis.set("x", "1"), Redis.set("a", "1")]))
      yield* expectFresh(client.transaction([Redis.set("a", "1")]))
      yield* expectFresh(Effect.scoped(Effect.flatMap(client.reserve, (own) => own.execute(Redis.set("a", "1")))))
      yield* expectFresh(client.execute(Redis.flushall()))
      yield* expectFresh(client.execute(Redis.send("SET", "a", "1")))
      // What may have been refused may have been done.
      yield* expectFresh(client.execute(Redis.del("a")))
      // Others change nothing.
      yield* client.execute(get("a"))
      yield* Effect.exit(client.pipeline([Redis.set("b", 1), Redis.publish("a", "b"), Redis.send("GET", "a")]))
      assert.deepInclude(yield* stats(client), { entries: 1 })
    }))

  it.live("of a client that is closed a read fails in a pipeline as it does alone, and throws nothing aside", () =>
    Effect.gen(function*() {
      const uncaught = yield* Uncaught.collected
      const { node } = yield* scripted
      const client = yield* Effect.scoped(Client.make(node))
      const alone = yield* Effect.exit(client.execute(get("a")))
      assert(Exit.isFailure(alone) && String(alone.cause).includes("The client was closed"))
      const outcomes = yield* client.pipeline([get("a"), Redis.get("b"), get("c")])
      assert.strictEqual(outcomes.length, 3)
      for (const outcome of outcomes) {
        assert(Exit.isFailure(outcome) && String(outcome.cause).includes("The client was closed"))
      }
      assert.deepStrictEqual(yield* uncaught, [])
    }))

  it.live("new credentials drop what the old ones have read", () =>
    Effect.gen(function*() {
      const { node } = yield* scripted
      const next = yield* Deferred.make<void>()
      const credentials = (password: string) => ({ password: Redacted.make(password) })
      const client = yield* Client.make(node, {
        credentials: Stream.concat(
          Stream.succeed(credentials("one")),
          Stream.fromEffect(Effect.as(Deferred.await(next), credentials("two")))
        )
      })
      node.setHandler(({ args, name }) =>
        name === "AUTH" ? Encode.ok : name === "GET" ? Encode.bulk(args[1]!) : undefined
      )
      yield* client.execute(get("a"))
      yield* Deferred.succeed(next, undefined)
      yield* node.awaitCommand("AUTH")
      yield* client.execute(get("a"))
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "GET").length, 2)
    }))

  it.live("a server that turns out to be no master any more is no source", () =>
    Effect.gen(function*() {
      const { client, hold, node, release } = yield* made()
      yield* client.execute(get("a"))
      yield* hold("b")
      node.setHandler(({ args, name }) =>
        name === "SET"
          ? Encode.error("READONLY You can't write against a read only replica.")
          : Encode.bulk(args[1] ?? "")
      )
      yield* release("b")
      yield* Effect.flip(client.execute(Redis.set("x", "1")))
      assert.deepInclude(yield* stats(client), { entries: 0 })
    }))

  it.live("over RESP2 it is refused, and where the server refuses to tell of keys", () =>
    Effect.gen(function*() {
      const { node } = yield* scripted
      for (const protocol of [2, "auto"] as const) {
        const old = yield* FakeNode.make(({ name }) => name === "GET" ? Encode.nil : undefined, {
          handshake: { hello: "unknown" }
        })
        const client = yield* Client.make(protocol === 2 ? node : old, { protocol })
        const error = yield* Effect.flip(client.execute(get("a")))
        assert.deepInclude(error, { _tag: "ConnectionError", reason: "NotCacheable", command: "GET" })
        assert.match(error.message, /RESP3/)
        assert.isFalse(RedisError.isRetryable(error))
      }
      const forbidden = yield* FakeNode.make(({ args, name }) =>
        name === "GET"
          ? Encode.bulk("v")
          : args[1] === "TRACKING"
          ? Encode.error("NOPERM User x has no permissions to run the 'client|tracking' command")
          : args[1] === "CACHING"
          ? Encode.error("ERR CLIENT CACHING can be called only when the client is in tracking mode")
          : undefined
      )
      const client = yield* Client.make(forbidden)
      for (let i = 0; i < 2; i++) {
        const error = yield* Effect.flip(client.execute(get("a")))
        assert.deepInclude(error, { _tag: "NoPermissionError", command: "CLIENT TRACKING" })
      }
      assert.strictEqual(yield* client.execute(Redis.get("a")), "v")
    }))

  it.live("errors are answered to all who wait, and not kept", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made()
      node.setHandler(({ name }) => name === "GET" ? Encode.error("WRONGTYPE no text") : undefined)
      const errors = yield* Effect.all(Array.from({ length: 3 }, () => Effect.flip(client.execute(get("a")))), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(errors.map(({ _tag }) => _tag), ["WrongTypeError", "WrongTypeError", "WrongTypeError"])
      node.setHandler(({ name }) => name === "GET" ? Encode.bulk("v") : undefined)
      assert.strictEqual(yield* client.execute(get("a")), "v")
    }))

  it.live("two clients on one pool cache in one way, and each hears of every change", () =>
    Effect.gen(function*() {
      const { node } = yield* scripted
      const pool = RedisPool.layer({ host: node.host, port: node.port }).pipe(Layer.provide(NodeRedisConnector.layer))
      const context = yield* Layer.build(pool)
      const member = Effect.map(
        Layer.build(Layer.fresh(RedisStandalone.layerFromPool)),
        (context) => Context.get(context, RedisClient.RedisClient)
      ).pipe(Effect.provideContext(context))
      const [one, two] = [yield* member, yield* member]
      yield* one.execute(get("a"))
      yield* two.execute(get("a"))
      assert.strictEqual(log(node).filter((text) => text.startsWith("CLIENT TRACKING")).length, 1)
      yield* node.push(0, invalidation("a"))
      yield* synced(one)
      for (const client of [one, two]) assert.deepInclude(yield* stats(client), { entries: 0, invalidations: 1 })
      // An own write of one is no news to the other from the server alone.
      yield* two.execute(get("a"))
      yield* one.execute(Redis.set("a", "new"))
      assert.deepInclude(yield* stats(two), { entries: 0 })
      const other = yield* RedisCache.make(yield* member, { prefixes: ["a"] })
      const error = yield* Effect.flip(other.execute(get("a")))
      assert.deepInclude(error, { _tag: "ConnectionError", reason: "NotCacheable", command: "GET" })
      assert.strictEqual(yield* one.execute(get("b")), yield* one.execute(get("b")))
    }))

  it.live("what a server puts in the middle of the replies of a transaction is none of them", () =>
    Effect.gen(function*() {
      const { client, node } = yield* made()
      yield* client.execute(get("a"))
      node.setHandler(({ name }, { commands }) => {
        const queues = commands.findLast((command) =>
          command.name === "MULTI" || command.name === "EXEC"
        )?.name === "MULTI"
        if (name === "MULTI") return Encode.ok
        if (name === "EXEC") return Encode.concat(Encode.raw("*2\r\n"), Encode.ok, invalidation("a"), Encode.bulk("v"))
        return queues ? Encode.simple("QUEUED") : name === "GET" ? Encode.bulk("after") : undefined
      })
      const run = Client.on(client)
      assert.deepStrictEqual(yield* run(Redis.transaction([Redis.set("b", "1"), Redis.get("c")])), [true, "v"])
      assert.strictEqual(yield* client.execute(Redis.get("d")), "after")
      assert.deepInclude(yield* stats(client), { entries: 0 })
    }))

  it.live("broadcast: a read needs no word before it, and keys of no prefix are not kept", () =>
    Effect.gen(function*() {
      const { client: below, node } = yield* made()
      const client = yield* RedisCache.make(below, { prefixes: ["a", "b"] })
      for (let i = 0; i < 2; i++) for (const key of ["a1", "b1", "c1"]) yield* client.execute(Redis.get(key))
      assert.deepStrictEqual(log(node), [
        "CLIENT TRACKING ON BCAST PREFIX a PREFIX b",
        "GET a1",
        "GET b1",
        "GET c1",
        "GET c1"
      ])
      yield* node.push(0, invalidation("a1", "a2"))
      yield* synced(client)
      yield* client.execute(Redis.get("a1"))
      assert.deepStrictEqual(log(node).slice(5), ["GET a1"])
    }))
})
