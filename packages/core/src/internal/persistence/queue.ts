/**
 * Effect's persisted queues, each in a hash slot of its own.
 */
import * as Effect from "effect/Effect"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as RcMap from "effect/RcMap"
import { hashTag } from "../command/slot.ts"

type Options = NonNullable<Parameters<typeof PersistedQueue.makeStoreRedis>[0]>

/**
 * Its scripts use several keys of a queue together, and its locks, whose names have nothing but the prefix in common with
 * them. So each queue has a store with a prefix of its own.
 */
export const makeQueueStore = Effect.fnUntraced(function*(options: Options) {
  const prefix = options.prefix ?? "effectq:"
  const stores = yield* RcMap.make({
    lookup: (name: string) => PersistedQueue.makeStoreRedis({ ...options, prefix: `${prefix}${hashTag(name)}:` }),
    idleTimeToLive: "30 seconds"
  })
  // Cleaning up looks for the queues of all processes by the prefix that is theirs in common.
  const { cleanup } = yield* PersistedQueue.makeStoreRedis({ ...options, prefix })
  return PersistedQueue.PersistedQueueStore.of({
    offer: (element) =>
      Effect.scoped(
        Effect.flatMap(RcMap.get(stores, element.name), (store) => store.offer({ ...element, name: queue }))
      ),
    // Who takes keeps the store until what was taken is done.
    take: (request) =>
      Effect.flatMap(RcMap.get(stores, request.name), (store) => store.take({ ...request, name: queue })),
    cleanup
  })
})

/** The name of the one queue of each store. */
const queue = "queue"
