/**
 * A cache in front of something slow: typed values with a time to live, one computation at a time for each key in all
 * processes, and a program that goes on without the cache when Redis is away.
 */
import { RedisKeyspace, RedisLock } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { run } from "../support/server.ts"

class Product extends Schema.Class<Product>("Product")({ id: Schema.Number, name: Schema.String }) {}

let asked = 0

/** What is slow. */
const fromDatabase = Effect.fn("fromDatabase")(function*(id: number) {
  asked++
  yield* Effect.sleep("50 millis")
  return new Product({ id, name: `Product ${id}` })
})

const cached = RedisKeyspace.make({
  key: "product:*",
  id: Schema.FiniteFromString,
  value: Product,
  ttl: "10 minutes"
})

/** Looks into the cache; who finds nothing computes it, while the others of all processes wait for that. */
const throughCache = Effect.fn("throughCache")(function*(id: number) {
  const found = yield* cached.get(id)
  if (Option.isSome(found)) return found.value
  const turn = RedisLock.make(`lock:product:${id}`, {
    ttl: "5 seconds",
    waitTimeout: "5 seconds",
    retryInterval: "10 millis"
  })
  return yield* turn.withLock(Effect.gen(function*() {
    // Somebody may have been faster.
    const now = yield* cached.get(id)
    if (Option.isSome(now)) return now.value
    const product = yield* fromDatabase(id)
    yield* cached.set(id, product)
    return product
  }))
})

/** Without the cache the program is slower, and that is all. */
const product = (id: number) =>
  throughCache(id).pipe(
    Effect.catch((error) => Effect.andThen(Effect.logWarning("without the cache:", error.message), fromDatabase(id)))
  )

await run(Effect.gen(function*() {
  const products = yield* Effect.forEach(Array.from({ length: 20 }), () => product(7), { concurrency: "unbounded" })
  yield* Console.log(`${products.length} callers got "${products[0]?.name}"; the database was asked ${asked} time`)

  yield* cached.del(7)
  yield* product(7)
  yield* Console.log(`after an invalidation it was asked ${asked} times`)

  const server = yield* RedisServer.RedisServer
  yield* server.kill()
  yield* Console.log("and without Redis:", (yield* product(7)).name)
}))
