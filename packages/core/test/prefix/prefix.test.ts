/**
 * Clients with a prefix: what comes back, what is refused before anything is
 * sent, and what stands above and below one.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisCache, RedisClient, RedisLock, RedisPrefix, RedisTimeSeries } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

const pair = Effect.fnUntraced(function*(handler: FakeNode.Handler, prefix = "p:") {
  const node = yield* FakeNode.make(handler)
  return { node, client: yield* RedisPrefix.make(yield* Client.make(node), prefix) }
})

/** What was sent after the handshake. */
const sent = (node: FakeNode.FakeNode) =>
  node.commands.map(({ args }) => args.join(" ")).filter((words) => !/^(HELLO|CLIENT) /.test(words))

/** A server with a client with a prefix, and one without. */
const live = Effect.fnUntraced(function*(prefix = "p:") {
  const server = yield* RedisServer.make()
  const below = yield* Client.make(server)
  return { server, below, client: yield* RedisPrefix.make(below, prefix) }
})

describe("What comes back", () => {
  it.effect("is keys without the prefix, of any bytes, in every view", () =>
    Effect.gen(function*() {
      const long = "k".repeat(200_000)
      const { client } = yield* pair(({ name }) =>
        name === "KEYS" ? Encode.array([Encode.bulk("p:ä"), Encode.bulk("p:"), Encode.bulk(`p:${long}`)]) : undefined
      )
      assert.deepStrictEqual(yield* client.execute(Redis.keys()), ["ä", "", long])
      const bytes = yield* client.execute(Redis.asBytes(Redis.keys()))
      assert.deepStrictEqual(bytes.map((key) => Buffer.from(key).toString()), ["ä", "", long])
      assert.deepStrictEqual(yield* client.execute(Redis.send("KEYS", "*")), ["ä", "", long])
    }))

  it.effect("is a DecodeError where the server names a key that does not begin with it", () =>
    Effect.gen(function*() {
      const { client } = yield* pair(({ name }) =>
        name === "BLPOP" ? Encode.bulks(["q:a", "v"]) : Encode.array([Encode.bulk("p")])
      )
      for (const command of [Redis.keys(), Redis.blpop(["a"], 1)]) {
        const error = yield* Client.failure(client, command, "DecodeError")
        assert.include(error.message, "expected a key that begins with the client's prefix, got a bulk string of")
      }
    }))

  it.effect("names the keys that a time series is made of, and of which others are, over both protocols", () =>
    Effect.gen(function*() {
      const rule = [Encode.bulk("p:b"), Encode.integer(60), Encode.simple("SUM")]
      const replies = [
        Encode.array([
          Encode.simple("sourceKey"),
          Encode.bulk("p:a"),
          Encode.simple("rules"),
          Encode.array([Encode.array(rule)])
        ]),
        Encode.map([
          [Encode.simple("sourceKey"), Encode.nil3],
          [Encode.simple("rules"), Encode.map([[Encode.bulk("p:b"), Encode.array([])]])]
        ])
      ]
      const { client } = yield* pair(({ name }) => name === "TS.INFO" ? replies.shift() : undefined)
      const info = yield* client.execute(Redis.send("TS.INFO", RedisArg.key("k")))
      assert.deepStrictEqual(info, ["sourceKey", "a", "rules", [["b", 60, "SUM"]]])
      assert.deepStrictEqual(yield* client.execute(Redis.send("TS.INFO", RedisArg.key("k"))), [
        "sourceKey",
        undefined,
        "rules",
        ["b", []]
      ])
    }))
})

describe("What is refused", () => {
  const refusals = [
    Redis.flushall(),
    Redis.dbsize(),
    Redis.randomkey(),
    RedisTimeSeries.tsMget(["a=b"]),
    Redis.send("flushdb"),
    Redis.send("FT.SEARCH", "i", "q"),
    Redis.send("DEL", "k"),
    Redis.send("MONITOR")
  ]

  it.effect("is refused before anything is sent, alone and among others", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair(({ name }) => name === "GET" ? Encode.bulk("v") : undefined)
      for (const command of refusals) {
        const error = yield* Client.failure(client, command, "DataError")
        assert.match(error.message, /Nothing was sent/)
        const transaction = client.transaction([Redis.get("k"), command])
        assert.deepInclude(yield* Effect.flip(transaction), { _tag: "DataError", index: 1 })
      }
      assert.deepStrictEqual(sent(node), [])
      const [first, second, third] = yield* client.pipeline([Redis.get("k"), Redis.flushall(), Redis.get("l")])
      assert.deepStrictEqual([first, third], [Exit.succeed("v"), Exit.succeed("v")])
      assert.isTrue(second !== undefined && Exit.isFailure(second))
      assert.deepStrictEqual(sent(node), ["GET p:k", "GET p:l"])
    }))

  it.effect("is what shows the commands of everybody", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair(() => undefined)
      const error = yield* Effect.flip(Stream.runDrain(client.monitor({})))
      assert.deepInclude(error, { _tag: "DataError", command: "MONITOR" })
      assert.deepStrictEqual(sent(node), [])
    }))

  it.effect("is a key whose bytes were given away since the command was made", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair(() => Encode.integer(1))
      const key = Uint8Array.of(107)
      const command = Redis.del(key)
      structuredClone(key.buffer, { transfer: [key.buffer] })
      assert.include((yield* Client.failure(client, command, "DataError")).message, "detached")
      assert.deepStrictEqual(sent(node), [])
    }))

  it.effect("is what is no prefix", () =>
    Effect.gen(function*() {
      const { client } = yield* pair(() => undefined)
      for (const prefix of ["", "a*", "\ud800"]) {
        assert.deepInclude(yield* Effect.flip(RedisPrefix.make(client, prefix)), {
          _tag: "RedisConfigError",
          option: "prefix"
        })
        assert.strictEqual((yield* Effect.flip(RedisPrefix.prefixed(Redis.get("k"), prefix)))._tag, "RedisConfigError")
      }
      const built = yield* Effect.exit(
        Layer.build(Layer.provide(RedisPrefix.layer(""), Layer.succeed(RedisClient.RedisClient)(client)))
      )
      assert.isTrue(Exit.isFailure(built) && Cause.hasFails(built.cause))
    }))
})

describe("What stays", () => {
  it.effect("is answers that are known without a server, and two prefixes, the lower one first", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair(({ name }) => name === "KEYS" ? Encode.bulks(["p:q:k"]) : Encode.bulk("v"))
      const both = yield* RedisPrefix.make(client, "q:")
      assert.strictEqual(yield* both.execute(Redis.del([])), 0)
      assert.strictEqual(yield* both.withTimeout("1 second").execute(Redis.get("k")), "v")
      assert.deepStrictEqual(yield* both.execute(Redis.keys("*")), ["k"])
      assert.deepStrictEqual(sent(node), ["GET p:q:k", "KEYS p:q:*"])
    }))

  it.live("is the prefix on reserved connections, in watches and in streams of keys", () =>
    Effect.gen(function*() {
      const { below, client } = yield* live("a[?")
      const on = Client.on(client)
      yield* on(Redis.mset({ n: 1, m: 2 }))
      yield* below.execute(Redis.mset({ n: 10, ax: 1, "a[xn": 1 }))
      const done = yield* on(
        Redis.watch("n", Effect.map(Redis.get("n"), (n) => [Redis.set("n", Number(n) + 1), Redis.get("n")]))
      )
      assert.deepStrictEqual(done, [true, "2"])
      assert.strictEqual(yield* on(Redis.withConnection(Redis.get("n"))), "2")
      assert.deepStrictEqual((yield* on(Stream.runCollect(Redis.scanStream()))).toSorted(), ["m", "n"])
      assert.deepStrictEqual(yield* on(Stream.runCollect(Redis.scanStream({ match: "m*" }))), ["m"])
      assert.strictEqual(yield* below.execute(Redis.get("n")), "10")
      assert.strictEqual(yield* below.execute(Redis.get("a[?n")), "2")
    }).pipe(Effect.scoped))

  it.live("is a watch that another client ends", () =>
    Effect.gen(function*() {
      const { below, client } = yield* live()
      let runs = 0
      const body = Effect.gen(function*() {
        const n = yield* Redis.get("n")
        if (runs++ === 0) yield* below.execute(Redis.set("p:n", 5))
        return [Redis.set("n", Number(n ?? 0) * 2)]
      })
      yield* Client.on(client)(Redis.watch("n", body))
      assert.deepStrictEqual([runs, yield* below.execute(Redis.get("p:n"))], [2, "10"])
    }).pipe(Effect.scoped))
})

describe("A key that belongs to the slot of another", () => {
  it.effect.each(
    [
      [["p:"], "lock", "p:lock p:{p:lock}:fence"],
      [["p:"], "{a}lock", "p:{a}lock p:{a}lock:fence"],
      [["p:"], "a{b", "p:a{b p:{p:a{b}:fence"],
      [["low:", "high:"], "lock", "low:high:lock low:high:{low:high:lock}:fence"],
      [["{p}:"], "lock", "{p}:lock {p}:lock:fence"],
      [["p{"], "lock", undefined],
      [["p}"], "lock", undefined]
    ] as const
  )("of the prefixes %j and the name %s: %s", ([prefixes, name, keys]) =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "EVAL" ? Encode.integer(1) : undefined)
      let client = yield* Client.make(node)
      for (const prefix of prefixes) client = yield* RedisPrefix.make(client, prefix)
      const exit = yield* Effect.exit(Client.on(client)(RedisLock.make(name, { fencing: true }).tryAcquire))
      const [call] = sent(node).filter((words) => words.startsWith("EVAL"))
      assert.strictEqual(call?.split(" 2 ")[1]?.split(" ").slice(0, 2).join(" "), keys)
      assert.strictEqual(Exit.isSuccess(exit), keys !== undefined)
    }))
})

describe("Caching with a prefix", () => {
  const ttl = "1 minute"

  /** Reads twice, and again after somebody else has written. */
  const check = Effect.fnUntraced(
    function*(client: RedisClient.RedisClient["Service"], below: RedisClient.RedisClient["Service"]) {
      const read = client.execute(Redis.get("k"))
      const stats = Effect.provideContext(RedisCache.stats, Context.make(RedisClient.RedisClient, client))
      yield* client.execute(Redis.set("k", "1"))
      assert.deepStrictEqual([yield* read, yield* read], ["1", "1"])
      assert.deepInclude(yield* stats, { hits: 1, misses: 1, entries: 1 })
      yield* below.execute(Redis.set("k", "other"))
      yield* client.execute(Redis.ping())
      assert.strictEqual(yield* read, "1")
      yield* below.execute(Redis.set("p:k", "2"))
      yield* client.execute(Redis.ping())
      assert.deepStrictEqual([yield* read, yield* read], ["2", "2"])
      yield* client.execute(Redis.set("k", "3"))
      assert.strictEqual(yield* read, "3")
      assert.deepInclude(yield* stats, { hits: 3, invalidations: 2 })
    }
  )

  it.live("works above a client that caches, and below one, for all keys or by prefixes", () =>
    Effect.gen(function*() {
      const { server } = yield* live()
      const other = yield* Client.make(server)
      const fresh = Client.make(server)
      yield* check(yield* RedisPrefix.make(yield* RedisCache.make(yield* fresh), "p:"), other)
      yield* check(yield* RedisCache.make(yield* RedisPrefix.make(yield* fresh, "p:")), other)
      yield* check(yield* RedisCache.make(yield* RedisPrefix.make(yield* fresh, "p:"), { prefixes: ["k", "l"] }), other)
      yield* check(
        yield* RedisPrefix.make(yield* RedisCache.make(yield* fresh, { prefixes: ["p:k", "p:l"] }), "p:"),
        other
      )
    }).pipe(Effect.scoped))

  it.live("keeps what two clients with other prefixes have read apart", () =>
    Effect.gen(function*() {
      const { below } = yield* live()
      const one = yield* RedisPrefix.make(below, "1:")
      const two = yield* RedisPrefix.make(below, "2:")
      yield* below.execute(Redis.mset({ "1:k": "one", "2:k": "two" }))
      const read = Redis.cached(Redis.get("k"), { ttl })
      for (let i = 0; i < 2; i++) {
        assert.deepStrictEqual([yield* one.execute(read), yield* two.execute(read)], ["one", "two"])
        assert.deepStrictEqual(yield* one.pipeline([read, read]), [Exit.succeed("one"), Exit.succeed("one")])
      }
    }).pipe(Effect.scoped))
})
