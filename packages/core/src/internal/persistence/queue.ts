/**
 * Effect's persisted queues, each in a hash slot of its own.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import { Redis } from "effect/persistence/Redis"
import * as RcMap from "effect/RcMap"
import { TracerEnabled } from "effect/References"
import * as Schedule from "effect/Schedule"
import { RedisClient } from "../../RedisClient.ts"
import { hashTag } from "../argument/slot.ts"
import { inContext } from "../runtime/ownContext.ts"

type Options = NonNullable<Parameters<typeof PersistedQueue.makeStoreRedis>[0]>

/**
 * The scripts of Effect's store that need more than to be sent.
 *
 * - `TakeUp`: looks for what workers had that died. Effect's store runs it in a loop, and the first failure ends the loop,
 *   so it is tried until it has run; doing it twice does no more than once.
 * - `Take`: makes locks from an argument, which are keys afterwards. A client that puts a prefix before keys cannot know.
 */
type Role = "TakeUp" | "Take"

/**
 * The role of a script. Effect exports neither its scripts nor names for them, so this goes by their texts, which the next
 * version may change: whoever asks must be prepared that nothing is recognized.
 */
export const roleOf = (lua: string): Role | undefined =>
  lua.includes("Lock expired after final attempt")
    ? "TakeUp"
    : lua.includes("local lock_prefix = ARGV[1]")
    ? "Take"
    : undefined

/**
 * Makes the store of a queue. The queue's scripts use several of its keys together, and its locks, whose names only
 * have the prefix in common with them. So each queue has a store with a prefix of its own.
 */
export const makeQueueStore = Effect.fnUntraced(function*(options: Options, role = roleOf) {
  const prefix = options.prefix ?? "effectq:"
  const { pubSub } = yield* RedisClient
  const before = pubSub.everywhere.prefix ?? ""
  const found = new Set<Role>()
  const redis = adapted(yield* Redis, before, (lua) => {
    const own = role(lua)
    if (own !== undefined) found.add(own)
    return own
  })
  // What goes on for as long as the store is nobody's who offers or takes, and asks again and again.
  const own = inContext(Context.add(yield* Effect.context(), TracerEnabled, false))
  const storeOf = (prefix: string) =>
    own(Effect.provideService(PersistedQueue.makeStoreRedis({ ...options, prefix }), Redis, redis))
  const stores = yield* RcMap.make({
    lookup: (name: string) => storeOf(`${prefix}${hashTag(name)}:`),
    idleTimeToLive: "30 seconds"
  })
  // The cleaning up looks for the queues of all processes by the prefix that they have in common.
  const { cleanup } = yield* storeOf(prefix)
  // A store names all of its scripts when it is made.
  if (!found.has("TakeUp")) yield* Effect.logWarning(unknownTakeUp)
  const refusal = before !== "" && !found.has("Take")
    ? new PersistedQueue.PersistedQueueError({ message: unknownTake })
    : undefined
  return PersistedQueue.PersistedQueueStore.of({
    offer: (element) =>
      Effect.scoped(
        Effect.flatMap(RcMap.get(stores, element.name), (store) => store.offer({ ...element, name: queue }))
      ),
    // The taker keeps the store until the element that it took is done.
    take: (request) =>
      refusal === undefined
        ? own(Effect.flatMap(RcMap.get(stores, request.name), (store) => store.take({ ...request, name: queue })))
        : Effect.fail(refusal),
    cleanup
  })
})

const unknownTakeUp =
  "This version of effect has another script for what dead workers had than redfx knows. Queues may no longer look for " +
  "that after the first loss of a connection, until the program is started again; use the version that redfx was tested with"

/** Nothing is taken rather than taken for nothing: elements would be handed out again and again. */
const unknownTake =
  "This version of effect has other scripts than redfx knows, and through a client with a prefix (RedisPrefix) nothing that " +
  "is taken could be settled. Use a client without a prefix here, or the version of effect that redfx was tested with"

/** Effect's Redis service for its store, which sends each script as its role asks for. */
const adapted = (
  redis: Redis["Service"],
  prefix: string,
  role: (lua: string) => Role | undefined
): Redis["Service"] => ({
  ...redis,
  eval: (script) => {
    const run = redis.eval(script)
    const own = role(script.lua)
    if (own === "TakeUp") return (...params) => persevering(run(...params))
    // The parameters stay the same. The sixth is the text that locks begin with; elements, attempts and locks follow in
    // turn.
    return prefix !== "" && own === "Take"
      ? (...params) =>
        Effect.map(run(...params.with(5, `${prefix}${String(params[5])}`)), (taken) =>
          Array.isArray(taken)
            ? taken.map((part, index) => index % 3 === 2 ? String(part).slice(prefix.length) : part)
            : taken)
      : run
  }
})

/** Tries until it succeeds. The first failure of a row is told: nothing else shows that the server refuses the script each time. */
const persevering = <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  run.pipe(
    Effect.tapError((error) =>
      Effect.logWarning("A queue cannot look for what dead workers had, and tries again", error)
    ),
    Effect.catch(() => Effect.retry(Effect.delay(run, pause), Schedule.spaced(pause)))
  )

const pause = "1 second"

/** The name of the one queue in each store. */
const queue = "queue"
