/**
 * Effect's persistence on redfx, on a real server; and its Redis service beside
 * the one that platform-node makes of node-redis.
 */
import { NodeRedis } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Redis as Commands, RedisClient, RedisPersistence } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Logged from "@redfx/testing/Logged"
import { until } from "@redfx/testing/Suite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Persistable, PersistedCache, PersistedQueue, Persistence, RateLimiter, Redis } from "effect/persistence"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

/** A server, a client, and Layers on that client. */
const real = Effect.fnUntraced(function*(protocol: 2 | 3 = 3) {
  const server = yield* RedisServer.make()
  const client = yield* Client.make(server, { protocol })
  const outside = yield* Client.make(server)
  const provided = Layer.succeed(RedisClient.RedisClient, client)
  return { server, client, outside, redis: Layer.provide(RedisPersistence.layer, provided), provided }
})

/** Skips where scripts have no cjson, as on servers that were built without it: those of Effect's queue need it. */
const requireCjson = (
  context: { readonly skip: (reason?: string) => void },
  client: RedisClient.RedisClient["Service"]
) =>
  Effect.map(Effect.exit(client.execute(Commands.send("EVAL", "return cjson.encode({})", 0))), (exit) => {
    if (Exit.isFailure(exit)) context.skip("the server's scripts have no cjson")
  })

const clients = (client: RedisClient.RedisClient["Service"]) =>
  Effect.map(client.execute(Commands.send("CLIENT LIST")), (list) => String(list).trim().split("\n").length)

/** Commands whose replies are of every kind. */
const commands: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]> = [
  ["SET", "k", "v"],
  ["GET", "k"],
  ["GET", "none"],
  ["mget", "k", "none"],
  ["RPUSH", "l", "a", "é"],
  ["LRANGE", "l", "0", "-1"],
  ["LRANGE", "none", "0", "-1"],
  ["ZADD", "z", "1.5", "m", "2", "n"],
  ["ZSCORE", "z", "m"],
  ["ZRANGE", "z", "0", "-1", "WITHSCORES"],
  ["SADD", "s", "m"],
  ["SMEMBERS", "s"],
  ["SCAN", "0", "MATCH", "z*"],
  ["EVAL", "return {1, false, 'x', {2, 'y'}}", "0"],
  ["EVAL", "return 123456789012", "0"],
  ["EVAL", "redis.setresp(3); return true", "0"],
  ["EVAL", "redis.setresp(3); return {double=2.5}", "0"],
  ["SET", "bytes", "\ufffd"],
  ["GET", "bytes"],
  ["BLPOP", "none", "0.01"],
  ["XADD", "x", "1-0", "f", "v"],
  ["XRANGE", "x", "-", "+"],
  ["DEL", "k", "l", "z", "s", "bytes", "x"],
  ["SCRIPT", "LOAD", "return 1"],
  ["INCR", "none", "too", "many"],
  ["NO-SUCH-COMMAND"]
]

describe("RedisPersistence", () => {
  for (const protocol of [2, 3] as const) {
    it.live(`send answers as node-redis does, over RESP${protocol}`, () =>
      Effect.gen(function*() {
        const { redis, server } = yield* real(protocol)
        const nodeRedis = NodeRedis.layer({ RESP: protocol, socket: { host: server.host, port: server.port } })
        const ask = Effect.gen(function*() {
          const { send } = yield* Redis.Redis
          return yield* Effect.forEach(commands, ([name, ...args]) =>
            Effect.match(send(name, ...args), {
              onSuccess: (value) => [name, value] as const,
              onFailure: (error) => [name, error._tag] as const
            }))
        })
        const [ours, theirs] = [yield* Effect.provide(ask, redis), yield* Effect.provide(ask, nodeRedis)]
        assert.deepStrictEqual(ours, theirs)
      }))
  }

  it.live("send gives a map as an array of keys and values, whatever the protocol", () =>
    Effect.gen(function*() {
      for (const protocol of [2, 3] as const) {
        const { redis } = yield* real(protocol)
        yield* Effect.gen(function*() {
          const { send } = yield* Redis.Redis
          yield* send("HSET", "h", "a", "1", "b", "2")
          assert.deepStrictEqual(yield* send("HGETALL", "h"), ["a", "1", "b", "2"])
        }).pipe(Effect.provide(redis))
      }
    }))

  it.live("eval sends a script with its text once, and again when the server has forgotten it, and loads it nowhere", () =>
    Effect.gen(function*() {
      const { outside, redis } = yield* real()
      yield* Effect.gen(function*() {
        const { eval: run, reserve, send } = yield* Redis.Redis
        const add = run(
          Redis.script((key: string, by: number) => [key, by], {
            lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
            numberOfKeys: 1
          }).withReturnType<number>()
        )
        assert.strictEqual(yield* add("n", 2), 2)
        assert.strictEqual(yield* add("n", 3), 5)
        const calls = String(yield* outside.execute(Commands.send("INFO", "commandstats")))
        // Loading takes every master of a cluster, and one may be away that has none of the keys.
        assert.notMatch(calls, /cmdstat_script/)
        assert.match(calls, /cmdstat_eval:calls=1,/)
        assert.match(calls, /cmdstat_evalsha:calls=1,/)
        yield* send("SCRIPT", "FLUSH")
        assert.strictEqual(yield* add("n", 1), 6)
        const reserved = yield* reserve
        const seven = Redis.script(() => [], { lua: "return 7", numberOfKeys: 0 }).withReturnType<number>()
        assert.strictEqual(yield* reserved.eval(seven)(), 7)
      }).pipe(Effect.scoped, Effect.provide(redis))
    }))

  it.live("errors carry those of the client", () =>
    Effect.gen(function*() {
      const { redis } = yield* real()
      const error = yield* Effect.flip(Effect.flatMap(Redis.Redis, ({ send }) => send("SUBSCRIBE", "c"))).pipe(
        Effect.provide(redis)
      )
      assert.instanceOf(error, Redis.RedisError)
      assert.strictEqual((error.cause as { readonly _tag: string })._tag, "DataError")
    }))

  it.live("reserve gives connections that nobody shares, so many and no more, and takes them back", () =>
    Effect.gen(function*() {
      const { outside, provided } = yield* real()
      const before = yield* clients(outside)
      const layer = RedisPersistence.layerPool({ maxConnections: 2, acquireTimeout: "300 millis" })
      yield* Effect.gen(function*() {
        const { reserve, send } = yield* Redis.Redis
        yield* Effect.scoped(Effect.gen(function*() {
          const [first, second] = [yield* reserve, yield* reserve]
          const popping = yield* Effect.forkChild(first.send("BLPOP", "list", "0"))
          const ids = [
            yield* second.send("CLIENT", "ID"),
            yield* send("CLIENT", "ID"),
            yield* second.send("CLIENT", "ID")
          ]
          assert.strictEqual(ids[0], ids[2])
          assert.notStrictEqual(ids[0], ids[1])
          const late = yield* Effect.flip(Effect.scoped(reserve))
          assert.match(String(late.cause), /Timed out/)
          yield* send("RPUSH", "list", "v")
          assert.deepStrictEqual(yield* Fiber.join(popping), ["list", "v"])
        }))
        // Given back, interrupted in the middle of a command: closed, and another is opened instead.
        yield* Effect.scoped(Effect.gen(function*() {
          const reserved = yield* reserve
          const popping = yield* Effect.forkChild(reserved.send("BLPOP", "list", "0"), { startImmediately: true })
          yield* Fiber.interrupt(popping)
        }))
        const pong = yield* Effect.scoped(Effect.flatMap(reserve, (reserved) => reserved.send("PING")))
        assert.strictEqual(pong, "PONG")
      }).pipe(Effect.provide(Layer.provide(layer, provided)))
      // One shared connection is the client's own; the reserved ones may stay, idle, in its pool.
      yield* until(clients(outside), (count) => count <= before + 3)
    }))

  it.live("closing the Layer fails what runs on reserved connections", () =>
    Effect.gen(function*() {
      const { redis } = yield* real()
      const popping = yield* Effect.gen(function*() {
        const { reserve } = yield* Redis.Redis
        const reserved = yield* reserve
        return yield* Effect.forkDetach(Effect.exit(reserved.send("BLPOP", "list", "0")), { startImmediately: true })
      }).pipe(Effect.scoped, Effect.provide(redis))
      assert.isTrue(Exit.isFailure(yield* Fiber.join(popping)))
    }))

  it.live("subscribe gives messages, also after its connection was killed", () =>
    Effect.gen(function*() {
      const { outside, redis } = yield* real()
      yield* Effect.gen(function*() {
        const { subscribe } = yield* Redis.Redis
        const messages = yield* subscribe("news")
        const publish = (text: string) =>
          until(outside.execute(Commands.publish("news", text)), (receivers) => receivers === 1)
        yield* publish("one")
        assert.deepStrictEqual(yield* Queue.take(messages), { channel: "news", message: "one" })
        yield* outside.execute(Commands.send("CLIENT KILL", "TYPE", "pubsub"))
        yield* publish("two")
        assert.deepStrictEqual(yield* Queue.take(messages), { channel: "news", message: "two" })
      }).pipe(Effect.scoped, Effect.provide(redis))
      yield* until(outside.execute(Commands.send("PUBSUB NUMSUB", "news")), (reply) => String(reply) === "news,0")
    }))
})

class User extends Persistable.Class<{ readonly payload: { readonly id: number } }>()("User", {
  primaryKey: ({ id }) => `user:${id}`,
  success: Schema.Struct({ id: Schema.Number, name: Schema.String }),
  error: Schema.String
}) {}

const named = (id: number) => ({ id, name: `name of ${id}` })

describe("Effect's persistence on redfx", () => {
  it.live("Persistence keeps results for their time", () =>
    Effect.gen(function*() {
      const { outside, redis } = yield* real()
      yield* Effect.gen(function*() {
        const store = yield* (yield* Persistence.Persistence).make({
          storeId: "users",
          timeToLive: (exit) => Exit.isSuccess(exit) ? "60 millis" : "1 minute"
        })
        const [one, two, three] = [new User({ id: 1 }), new User({ id: 2 }), new User({ id: 3 })]
        assert.isUndefined(yield* store.get(one))
        yield* store.set(two, Exit.fail("no such user"))
        yield* store.setMany([[one, Exit.succeed(named(1))], [three, Exit.succeed(named(3))]])
        assert.deepStrictEqual(yield* store.getMany([one, two, new User({ id: 9 })]), [
          Exit.succeed(named(1)),
          Exit.fail("no such user"),
          undefined
        ])
        yield* until(store.get(one), (exit) => exit === undefined)
        assert.deepStrictEqual(yield* store.get(two), Exit.fail("no such user"))
        yield* store.remove(two)
        assert.isUndefined(yield* store.get(two))
        yield* store.set(two, Exit.fail("again"))
        yield* outside.execute(Commands.set("another", "stays"))
        yield* store.clear
        assert.isUndefined(yield* store.get(two))
        assert.deepStrictEqual(yield* outside.execute(Commands.keys("*")), ["another"])
      }).pipe(Effect.scoped, Effect.provide(Layer.provide(Persistence.layerRedis, redis)))
    }))

  it.live("PersistedCache looks up once, for all processes", () =>
    Effect.gen(function*() {
      const { redis } = yield* real()
      let lookups = 0
      const process = Effect.gen(function*() {
        const cache = yield* PersistedCache.make(
          (user: User) => user.id < 0 ? Effect.fail("negative") : Effect.sync(() => (lookups++, named(user.id))),
          { storeId: "cache", timeToLive: () => "1 minute" }
        )
        const users = yield* Effect.all([cache.get(new User({ id: 1 })), cache.get(new User({ id: 1 }))], {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(users, [named(1), named(1)])
        assert.strictEqual(yield* Effect.flip(cache.get(new User({ id: -1 }))), "negative")
        return cache
      })
      const layer = Layer.provide(Persistence.layerRedis, redis)
      yield* Effect.scoped(process).pipe(Effect.provide(Layer.fresh(layer)))
      yield* Effect.scoped(Effect.gen(function*() {
        const cache = yield* process
        assert.strictEqual(lookups, 1)
        yield* cache.invalidate(new User({ id: 1 }))
        assert.deepStrictEqual(yield* cache.get(new User({ id: 1 })), named(1))
        assert.strictEqual(lookups, 2)
      })).pipe(Effect.provide(Layer.fresh(layer)))
    }))

  it.live("PersistedQueue hands out each element once, again when it failed, and not twice for one id", (context) =>
    Effect.gen(function*() {
      const { client, redis } = yield* real()
      yield* requireCjson(context, client)
      const layer = PersistedQueue.layer.pipe(
        Layer.provide(PersistedQueue.layerStoreRedis({ prefix: "{q}:", pollInterval: "20 millis" })),
        Layer.provide(redis)
      )
      yield* Effect.gen(function*() {
        const queue = yield* PersistedQueue.make({
          name: "work",
          schema: Schema.Struct({ n: Schema.Number }),
          maxAttempts: 3,
          retrySchedule: Schedule.spaced("10 millis")
        })
        const total = 200
        const ledger = new Map<number, number>()
        const worker = Effect.forever(
          queue.take(({ n }, { attempts }) =>
            n % 10 === 0 && attempts === 1
              ? Effect.fail("first try")
              : Effect.sync(() => ledger.set(n, (ledger.get(n) ?? 0) + 1))
          ).pipe(Effect.ignore)
        )
        const workers = yield* Effect.forkChild(Effect.all(Array.from({ length: 5 }, () => worker), {
          concurrency: "unbounded",
          discard: true
        }))
        yield* Effect.forEach(
          Array.from({ length: total }, (_, n) => n),
          (n) => Effect.all([queue.offer({ n }, { id: `id${n}` }), queue.offer({ n }, { id: `id${n}` })]),
          {
            concurrency: 20,
            discard: true
          }
        )
        yield* until(Effect.sync(() => ledger.size), (size) => size === total)
        yield* Fiber.interrupt(workers)
        assert.deepStrictEqual(new Set(ledger.values()), new Set([1]))
      }).pipe(Effect.scoped, Effect.provide(layer))
    }))

  it.live("PersistedQueue gives back what a worker had that went away", (context) =>
    Effect.gen(function*() {
      const { client, redis } = yield* real()
      yield* requireCjson(context, client)
      const layer = PersistedQueue.layer.pipe(
        Layer.provide(PersistedQueue.layerStoreRedis({ pollInterval: "20 millis" })),
        Layer.provide(redis)
      )
      const make = PersistedQueue.make({ name: "work", schema: Schema.String })
      yield* Effect.gen(function*() {
        const queue = yield* make
        yield* queue.offer("element")
        const taken = yield* Queue.unbounded<string>()
        const taking = yield* Effect.forkChild(
          queue.take((element) => Effect.andThen(Queue.offer(taken, element), Effect.never))
        )
        assert.strictEqual(yield* Queue.take(taken), "element")
        yield* Fiber.interrupt(taking)
      }).pipe(Effect.scoped, Effect.provide(Layer.fresh(layer)))
      const again = yield* Effect.flatMap(make, (queue) => queue.take((element) => Effect.succeed(element))).pipe(
        Effect.scoped,
        Effect.provide(Layer.fresh(layer))
      )
      assert.strictEqual(again, "element")
    }))

  it.live("PersistedQueue gives back what a dead worker had, also after the server was away", (context) =>
    Effect.gen(function*() {
      const { client, outside, provided, server } = yield* real()
      yield* requireCjson(context, client)
      const store = RedisPersistence.layerQueueStore({ pollInterval: "20 millis", lockRefreshInterval: "20 millis" })
      const { capture, lines } = Logged.make()
      yield* Effect.gen(function*() {
        const queue = yield* PersistedQueue.make({ name: "work", schema: Schema.String })
        const taking = yield* Effect.forkChild(queue.take((element) => Effect.succeed(element)))
        yield* until(
          client.execute(Commands.send("INFO", "commandstats")),
          (text) => /cmdstat_hgetall/.test(String(text))
        )
        yield* server.kill()
        // Long enough for the store to have looked several times.
        yield* Effect.sleep(200)
        yield* server.restart
        yield* until(Effect.exit(outside.execute(Commands.ping())), Exit.isSuccess)
        yield* outside.execute(Commands.hset("effectq:{work}:queue:owners", { id: "effectq:{work}:lock:of the dead" }))
        yield* outside.execute(
          Commands.hset("effectq:{work}:queue:pending", { id: JSON.stringify({ id: "id", element: "element" }) })
        )
        assert.strictEqual(yield* Fiber.join(taking), "element")
        // Effect's store logs as well.
        assert.strictEqual(lines.filter((line) => line.startsWith("Warn A queue cannot look for")).length, 1)
      }).pipe(
        Effect.scoped,
        Effect.provide(Layer.provide(PersistedQueue.layer, Layer.provide(store, provided))),
        capture
      )
    }))

  it.live("each limit fails with the error of the client as its cause", () =>
    Effect.gen(function*() {
      const { outside, provided } = yield* real()
      // No limit is a list.
      const keys = ["limit:{a}", "limit:{a}:refill", "limit:{a}:adaptive"]
      yield* Effect.forEach(keys, (key) => outside.execute(Commands.rpush(key, "x")))
      yield* Effect.gen(function*() {
        const store = yield* RateLimiter.RateLimiterStore
        const second = Duration.seconds(1)
        const asking: ReadonlyArray<Effect.Effect<unknown, RateLimiter.RateLimiterError>> = [
          store.fixedWindow({ key: "a", tokens: 1, refillRate: second, limit: 1 }),
          store.tokenBucket({ key: "a", tokens: 1, refillRate: second, limit: 1, allowOverflow: false }),
          store.adaptiveConsume({ key: "a", tokens: 1, fallbackWindow: second, fallbackLimit: 1 }),
          store.adaptiveFeedback({ key: "a", epoch: 1, tokens: 1, status: 429, retryAfter: second })
        ]
        for (const each of asking) {
          const { reason } = yield* Effect.flip(each)
          assert.strictEqual(reason._tag, "RateLimitStoreError")
          assert.deepInclude("cause" in reason && reason.cause, { _tag: "WrongTypeError" })
        }
      }).pipe(Effect.provide(Layer.provide(RedisPersistence.layerRateLimiterStore({ prefix: "limit:" }), provided)))
    }))

  it.live("RateLimiter counts for all processes, in windows and in buckets", () =>
    Effect.gen(function*() {
      const { redis } = yield* real()
      const layer = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreRedis()), Layer.provide(redis))
      const consume = (algorithm: "fixed-window" | "token-bucket", key: string) =>
        Effect.flatMap(RateLimiter.RateLimiter, (limiter) =>
          limiter.consume({ algorithm, key, limit: 5, window: "10 seconds", onExceeded: "fail" })).pipe(
            Effect.provide(Layer.fresh(layer))
          )
      for (const algorithm of ["fixed-window", "token-bucket"] as const) {
        const results = yield* Effect.forEach([1, 2, 3, 4, 5], () =>
          consume(algorithm, algorithm))
        assert.deepStrictEqual(results.map(({ remaining }) => Math.floor(remaining)), [4, 3, 2, 1, 0])
        const { reason } = yield* Effect.flip(consume(algorithm, algorithm))
        assert.strictEqual(reason._tag, "RateLimitExceeded")
        assert.isAbove(reason._tag === "RateLimitExceeded" ? Duration.toMillis(reason.retryAfter) : 0, 0)
        assert.strictEqual(Math.floor((yield* consume(algorithm, `another ${algorithm}`)).remaining), 4)
      }
    }))
})
