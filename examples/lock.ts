/**
 * Locks: one worker at a time, what happens to who is too slow, and fencing tokens.
 */
import { Redis, RedisLock } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { findRedisServer } from "../scripts/redis-server.ts"

const till = RedisLock.make("lock:till", { ttl: "10 seconds", retryInterval: "5 millis" })

/** Reads, thinks, writes: without the lock, workers would overwrite each other. */
const deposit = Effect.gen(function*() {
  const balance = Number((yield* Redis.get("balance")) ?? 0)
  yield* Effect.yieldNow
  yield* Redis.set("balance", balance + 1)
})

const oneAtATime = Effect.gen(function*() {
  yield* Effect.all(Array.from({ length: 20 }, () => till.withLock(deposit)), { concurrency: "unbounded" })
  yield* Console.log("20 deposits, one at a time:", yield* Redis.get("balance"))
})

const tooSlow = Effect.gen(function*() {
  const short = RedisLock.make("lock:short", { ttl: "50 millis" })
  yield* short.withLock(Effect.sleep("100 millis")).pipe(
    Effect.catchTag("LockNotOwnedError", (error) => Console.log("too slow:", error.message))
  )
  const extended = RedisLock.make("lock:extended", { ttl: "400 millis", autoExtend: true })
  yield* extended.withLock(Effect.sleep("1600 millis"))
  yield* Console.log("extended automatically: four times as long as its life, and still the only one")
})

const fenced = Effect.gen(function*() {
  const lock = RedisLock.make("lock:files", { ttl: "10 seconds", fencing: true })
  const token = lock.withLock((handle) => Effect.succeed(handle.fencingToken))
  yield* Console.log("fencing tokens rise from holder to holder:", [yield* token, yield* token, yield* token])
})

const impatient = Effect.gen(function*() {
  const busy = RedisLock.make("lock:busy", { ttl: "10 seconds", waitTimeout: "50 millis", retryInterval: "10 millis" })
  yield* busy.withLock(busy.withLock(Effect.void)).pipe(
    Effect.catchTag("LockError", (error) => Console.log("locks are not re-entrant:", error.message))
  )
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

await Effect.runPromise(Effect.provide(Effect.all([oneAtATime, tooSlow, fenced, impatient], { discard: true }), client))
