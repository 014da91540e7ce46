/**
 * Effect's persisted queues, each in a hash slot of its own.
 */
import * as Effect from "effect/Effect"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import { Redis } from "effect/persistence/Redis"
import * as RcMap from "effect/RcMap"
import * as Schedule from "effect/Schedule"
import { RedisClient } from "../../RedisClient.ts"
import { hashTag } from "../argument/slot.ts"

type Options = NonNullable<Parameters<typeof PersistedQueue.makeStoreRedis>[0]>

/**
 * Makes the store of a queue. The queue's scripts use several of its keys together, and its locks, whose names only
 * have the prefix in common with them. So each queue has a store with a prefix of its own.
 */
export const makeQueueStore = Effect.fnUntraced(function*(options: Options) {
  const prefix = options.prefix ?? "effectq:"
  const { pubSub } = yield* RedisClient
  const redis = adapted(yield* Redis, pubSub.everywhere.prefix ?? "")
  const storeOf = (prefix: string) =>
    Effect.provideService(PersistedQueue.makeStoreRedis({ ...options, prefix }), Redis, redis)
  const stores = yield* RcMap.make({
    lookup: (name: string) => storeOf(`${prefix}${hashTag(name)}:`),
    idleTimeToLive: "30 seconds"
  })
  // The cleaning up looks for the queues of all processes by the prefix that they have in common.
  const { cleanup } = yield* storeOf(prefix)
  return PersistedQueue.PersistedQueueStore.of({
    offer: (element) =>
      Effect.scoped(
        Effect.flatMap(RcMap.get(stores, element.name), (store) => store.offer({ ...element, name: queue }))
      ),
    // The taker keeps the store until the element that it took is done.
    take: (request) =>
      Effect.flatMap(RcMap.get(stores, request.name), (store) => store.take({ ...request, name: queue })),
    cleanup
  })
})

/**
 * Two of the scripts need more than to be sent. They are told by their texts.
 *
 * - Effect's store looks in a loop for what workers had that died, and the first failure ends the loop. So that script is
 *   tried until it has run; doing it twice does no more than once.
 * - Locks are made by a script from an argument, and are keys afterwards. A client that puts a prefix before keys cannot know.
 */
const adapted = (redis: Redis["Service"], prefix: string): Redis["Service"] => ({
  ...redis,
  eval: (script) => {
    const run = redis.eval(script)
    if (script.lua.includes("Lock expired after final attempt")) {
      return (...params) => Effect.retry(run(...params), Schedule.spaced("1 second"))
    }
    // The parameters stay the same. The sixth is the text that locks begin with; elements, attempts and locks follow in
    // turn.
    return prefix !== "" && script.lua.includes("local lock_prefix = ARGV[1]")
      ? (...params) =>
        Effect.map(run(...params.with(5, `${prefix}${String(params[5])}`)), (taken) =>
          Array.isArray(taken)
            ? taken.map((part, index) => index % 3 === 2 ? String(part).slice(prefix.length) : part)
            : taken)
      : run
  }
})

/** The name of the one queue in each store. */
const queue = "queue"
