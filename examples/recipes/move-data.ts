/**
 * Moving data from one server to another, whatever the types of the keys, with their times to live: for a new version, another
 * provider, or another database. It may be run again: what is there is replaced.
 */
import { Redis, RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { findRedisServer } from "../../scripts/redis-server.ts"

class Source extends Context.Service<Source, RedisClient.RedisClient["Service"]>()("app/Source") {}
class Target extends Context.Service<Target, RedisClient.RedisClient["Service"]>()("app/Target") {}

/** What is read and what replaces may both be repeated. */
const retrying = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.exponential("50 millis"), times: 8, while: RedisError.isRetryable })

/** Copies keys, a batch in one round trip to each server. A key that is gone by then is left out. */
const copy = Effect.fn("copy")(function*(keys: ReadonlyArray<Uint8Array>) {
  const source = yield* Source
  const target = yield* Target
  const read = Redis.pipeline(keys.flatMap((key) => [Redis.dump(key), Redis.pttl(key)]))
  const found = yield* retrying(Effect.provideService(read, RedisClient.RedisClient, source))
  const writes = keys.flatMap((key, index) => {
    const [value, ttl] = [found[2 * index], found[2 * index + 1]]
    // Without limit it is -1; gone meanwhile, it is -2.
    return value instanceof Uint8Array && typeof ttl === "number" && ttl >= -1
      ? [Redis.restore(key, Math.max(ttl, 0), value, { replace: true })]
      : []
  })
  yield* retrying(Effect.provideService(Redis.pipeline(writes), RedisClient.RedisClient, target))
  return writes.length
})

/** Keys may be any bytes, so they are scanned as such. SCAN may name one twice, which does no harm here. */
const moveAll = Effect.gen(function*() {
  const source = yield* Source
  const keys = Stream.provideService(Redis.scanStreamBytes({ count: 1000 }), RedisClient.RedisClient, source)
  return yield* keys.pipe(
    Stream.grouped(500),
    Stream.mapEffect(copy, { concurrency: 2 }),
    Stream.runSum
  )
})

const program = Effect.gen(function*() {
  const source = yield* Source
  yield* Effect.provideService(
    Redis.pipeline([
      Redis.set("text", "hello", { ex: "1 hour" }),
      Redis.hset("hash", { a: 1, b: 2 }),
      Redis.zadd("sorted", { ada: 1, grace: 2 }),
      Redis.rpush("list", ["a", "b"]),
      Redis.set(new Uint8Array([0, 255]), "a key that is no text"),
      ...Array.from({ length: 2000 }, (_, index) => Redis.set(`k:${index}`, index))
    ]),
    RedisClient.RedisClient,
    source
  )
  yield* Console.log("moved:", yield* moveAll)
  const target = Redis.via(Target)
  yield* Console.log("there are now:", yield* target(Redis.dbsize()))
  yield* Console.log("a hash:", yield* target(Redis.hgetall("hash")))
  const ttl = yield* target(Redis.ttl("text"))
  yield* Console.log("its time to live was kept:", ttl > 3500 && ttl <= 3600)
})

/** A server of its own, and a client of it. In a program of yours: two addresses. */
const fresh = Layer.unwrap(
  Effect.map(
    RedisServer.make({ binary: findRedisServer() }),
    ({ host, port }) => Layer.fresh(NodeRedisClient.layer({ host, port }))
  )
)

const source = Layer.effect(Source)(RedisClient.RedisClient).pipe(Layer.provide(Layer.fresh(fresh)))
const target = Layer.effect(Target)(RedisClient.RedisClient).pipe(Layer.provide(Layer.fresh(fresh)))

await Effect.runPromise(Effect.provide(program, Layer.merge(source, target)))
