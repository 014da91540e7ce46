/**
 * A semaphore and an election: three workers at a time, and one leader after the other.
 */
import { RedisLeader, RedisSemaphore } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { findRedisServer } from "../scripts/redis-server.ts"

const workers = Effect.gen(function*() {
  const semaphore = RedisSemaphore.make("workers", { permits: 3, ttl: "10 seconds", retryInterval: "5 millis" })
  let inside = 0
  let most = 0
  const work = Effect.suspend(() => {
    most = Math.max(most, ++inside)
    return Effect.ensuring(Effect.sleep("10 millis"), Effect.sync(() => inside--))
  })
  yield* Effect.all(Array.from({ length: 12 }, () => semaphore.withPermit(work)), { concurrency: "unbounded" })
  yield* Console.log("twelve workers, at most at a time:", most)
})

const election = Effect.gen(function*() {
  const terms = yield* Queue.unbounded<RedisLeader.Term>()
  const reign = (term: RedisLeader.Term) => Effect.andThen(Queue.offer(terms, term), Effect.never)
  const candidates = new Map<string, Fiber.Fiber<unknown, unknown>>()
  for (const id of ["ada", "bob"]) {
    const candidate = RedisLeader.make("election", { id, retryInterval: "20 millis" })
    candidates.set(id, yield* Effect.forkChild(candidate.run(reign)))
  }
  const first = yield* Queue.take(terms)
  yield* Console.log("leads in term", first.fencingToken)
  yield* Fiber.interrupt(candidates.get(first.id)!)
  const second = yield* Queue.take(terms)
  yield* Console.log("resigned, and the other leads in term", second.fencingToken, second.id !== first.id)
  yield* Fiber.interrupt(candidates.get(second.id)!)
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

await Effect.runPromise(Effect.provide(Effect.all([workers, election], { discard: true }), client))
