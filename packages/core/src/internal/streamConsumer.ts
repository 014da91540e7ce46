/**
 * A worker of a consumer group. One fiber reads, one looks for abandoned
 * entries, one renews those that are here. Entries go to a queue, from which the
 * handlers' fibers take them; none are obtained while there is no room for them.
 *
 * Invariant: an entry is in `held` from before it is put on the queue until
 * its handler has ended and, where that succeeded, the server has acknowledged
 * it; an entry that is held is not put on the queue again.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import type * as Schedule from "effect/Schedule"
import * as Groups from "../commands/StreamGroups.ts"
import { xadd, xrange } from "../commands/Streams.ts"
import type { StreamId } from "../commands/Streams.ts"
import type * as RedisArg from "../RedisArg.ts"
import { RedisClient } from "../RedisClient.ts"
import type { Service } from "../RedisClient.ts"
import * as RedisCommand from "../RedisCommand.ts"
import { DecodeError, isRetryable } from "../RedisError.ts"
import type { RedisError } from "../RedisError.ts"
import { Mismatch } from "../RedisReply.ts"
import { transaction } from "../RedisTransaction.ts"
import type { BytesFields, TextFields } from "./streamEntry.ts"
import { nextId, received, receivedOfOne, withReply } from "./streamReading.ts"
import type { Received } from "./streamReading.ts"

export interface Settings {
  readonly stream: RedisArg.Key
  readonly group: RedisArg.Key
  readonly consumer: RedisArg.Key
  readonly createGroup?: StreamId | undefined
  readonly concurrency: number
  readonly count: number
  readonly block: RedisArg.Time
  readonly fields?: "text" | "bytes" | undefined
  readonly claimIdle: Duration.Duration
  readonly claimEvery: Duration.Duration
  readonly limit: { readonly maxDeliveries: number; readonly deadLetter: RedisArg.Key } | undefined
  readonly drain: Duration.Duration
  readonly schedule: Schedule.Schedule<unknown, RedisError>
}

interface Delivered {
  readonly id: string
  readonly fields: TextFields | BytesFields
  readonly deliveries: number
}

type Handler<E, R> = (entry: Delivered) => Effect.Effect<unknown, E, R>

/** What the fibers of one consumer share. */
interface State {
  readonly settings: Settings
  readonly client: Service
  readonly queue: Queue.Queue<Received & { readonly deliveries: number }>
  readonly held: Map<string, "waiting" | "handled">
  /** Lets go whoever waits for room, each time that an entry is let go. */
  readonly released: Latch.Latch
  /** Whether it is told to end, so that nothing is waited out any more. */
  ending: boolean
}

/** How many pending entries are looked at or renewed in one command. */
const pageSize = 500

/** Runs a consumer until it is interrupted, or until something fails that no later try can mend. */
export const run = <E, R>(
  settings: Settings,
  handler: Handler<E, R>
): Effect.Effect<never, RedisError, R | RedisClient> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const client = yield* RedisClient
      const queue = yield* Queue.unbounded<Received & { readonly deliveries: number }>()
      const state: State = { settings, client, queue, held: new Map(), released: yield* Latch.make(), ending: false }
      const failed = yield* Deferred.make<never, RedisError>()
      const work = Effect.forever(Effect.flatMap(Queue.take(queue), (entry) => handle(state, handler, entry))).pipe(
        Effect.catchCause((cause) => Deferred.failCause(failed, cause))
      )
      const workers = yield* Effect.forEach(Array.from({ length: settings.concurrency }), () => Effect.forkChild(work))
      const renewing = yield* Effect.forkChild(renew(state))
      const exit = yield* Effect.exit(restore(Effect.raceFirst(obtain(state), Deferred.await(failed))))
      yield* abandon(state)
      yield* finish(workers, settings.drain)
      yield* Fiber.interrupt(renewing)
      return yield* exit
    })
  )

/** Leaves to others what waits for a handler. */
const abandon = (state: State): Effect.Effect<unknown> =>
  Effect.suspend(() => {
    const { held, queue } = state
    state.ending = true
    for (const [id, place] of held) {
      if (place === "waiting") held.delete(id)
    }
    return Queue.shutdown(queue)
  })

/** Waits for handlers that run; ends them when that takes too long. */
const finish = Effect.fnUntraced(
  function*(workers: ReadonlyArray<Fiber.Fiber<unknown, unknown>>, drain: Duration.Duration) {
    const ending = Duration.isFinite(drain)
      ? yield* Effect.forkChild(Effect.delay(Fiber.interruptAll(workers), drain))
      : undefined
    yield* Fiber.awaitAll(workers)
    if (ending !== undefined) yield* Fiber.interrupt(ending)
  }
)

const obtain = (state: State): Effect.Effect<never, RedisError> =>
  Effect.andThen(
    createGroup(state),
    Effect.raceFirst(fetch(state), Duration.isFinite(state.settings.claimIdle) ? sweep(state) : Effect.never)
  )

/** Runs a command until it succeeds, or fails with what no later try can mend. */
const persevere = <A>(
  state: State,
  command: RedisCommand.RedisCommand<A, unknown, unknown>
): Effect.Effect<A, RedisError> =>
  Effect.retry(state.client.execute(command), {
    schedule: state.settings.schedule,
    while: (error) => isRetryable(error) && !state.ending
  })

const createGroup = (state: State): Effect.Effect<void, RedisError> => {
  const { createGroup: id, group, stream } = state.settings
  if (id === undefined) return Effect.void
  return persevere(state, Groups.xgroupCreate(stream, group, id, { mkstream: true })).pipe(
    Effect.asVoid,
    Effect.catchTag("ResponseError", (error) => error.code === "BUSYGROUP" ? Effect.void : Effect.fail(error))
  )
}

// -----------------------------------------------------------------------------
// Obtaining entries
// -----------------------------------------------------------------------------

/** Waits until more entries can be held, and yields how many. */
const room = (state: State): Effect.Effect<number> =>
  Effect.suspend(() => {
    const { concurrency, count } = state.settings
    const free = Math.max(concurrency, count) - state.held.size
    return free > 0 ? Effect.succeed(Math.min(free, count)) : Effect.andThen(state.released.await, room(state))
  })

/** Puts entries on the queue that are not here already. */
const offer = (
  { held, queue }: State,
  entries: ReadonlyArray<Received>,
  deliveries: (entry: Received, index: number) => number
): Effect.Effect<unknown> =>
  Effect.suspend(() => {
    const counted = entries.map((entry, index) => ({ ...entry, deliveries: deliveries(entry, index) }))
    const fresh = counted.filter(({ id }) => !held.has(id))
    for (const { id } of fresh) held.set(id, "waiting")
    return Queue.offerAll(queue, fresh)
  })

const inView = (settings: Settings, command: RedisCommand.RedisCommand<ReadonlyArray<Received>>) =>
  settings.fields === "bytes" ? RedisCommand.asBytes(command) : command

/**
 * Reads what is pending at this consumer, then what is new. When a read fails,
 * what it was to bring may be pending: that is what comes after the last id seen.
 */
const fetch = Effect.fnUntraced(function*(state: State): Effect.fn.Return<never, RedisError> {
  const { client, settings } = state
  const { block, consumer, group, schedule, stream } = settings
  let last = "0-0"
  let pending = true
  const read = (count: number) =>
    Effect.suspend(() => {
      const options = pending ? { count } : { count, block }
      const command = Groups.xreadgroup(group, consumer, [[stream, pending ? last : ">"]], options)
      return client.execute(inView(settings, withReply(command, receivedOfOne)))
    }).pipe(
      Effect.tapError(() => Effect.sync(() => pending = true)),
      Effect.retry({ schedule, while: isRetryable })
    )
  while (true) {
    const found = yield* read(yield* room(state))
    const counts = pending ? yield* countDeliveries(state, found) : []
    if (found.length === 0) pending = false
    last = found.at(-1)?.id ?? last
    yield* offer(state, found, (_, index) => counts[index] ?? 1)
  }
})

const countDeliveries = (
  state: State,
  found: ReadonlyArray<Received>
): Effect.Effect<ReadonlyArray<number>, RedisError> =>
  Effect.forEach(
    found,
    ({ id }) =>
      Effect.map(
        persevere(
          state,
          RedisCommand.asBytes(Groups.xpendingRange(state.settings.stream, state.settings.group, id, id, 1))
        ),
        ([entry]) => entry?.timesDelivered ?? 1
      ),
    { concurrency: "unbounded" }
  )

/**
 * Takes over what is pending for too long, from whatever consumer, again and again.
 *
 * This is what XAUTOCLAIM does, in its two steps: so it can leave out what is
 * held here, learns how often an entry was delivered, and runs on servers
 * before 6.2. XCLAIM takes only what is still idle, so of several consumers one
 * gets an entry.
 */
const sweep = Effect.fnUntraced(function*(state: State): Effect.fn.Return<never, RedisError> {
  const { claimEvery, group, stream } = state.settings
  while (true) {
    let start = "-"
    while (start !== "") {
      const command = RedisCommand.asBytes(Groups.xpendingRange(stream, group, start, "+", pageSize))
      const page = yield* persevere(state, command)
      yield* claim(state, page)
      start = page.length < pageSize ? "" : nextId(page.at(-1)!.messageId)
    }
    yield* Effect.sleep(claimEvery)
  }
})

interface Pending {
  readonly messageId: string
  readonly timeSinceDelivered: Duration.Duration
  readonly timesDelivered: number
}

const claim = Effect.fnUntraced(function*(
  state: State,
  page: ReadonlyArray<Pending>
): Effect.fn.Return<void, RedisError> {
  const { held, settings } = state
  const { claimIdle, consumer, group, limit, stream } = settings
  const deliveries = new Map<string, number>()
  for (const { messageId, timeSinceDelivered, timesDelivered } of page) {
    if (held.has(messageId) || Duration.isLessThan(timeSinceDelivered, claimIdle)) continue
    if (limit === undefined || timesDelivered < limit.maxDeliveries) {
      deliveries.set(messageId, timesDelivered + 1)
      continue
    }
    const won = yield* persevere(state, Groups.xclaimJustid(stream, group, consumer, claimIdle, [messageId]))
    const reason = "its consumer did not acknowledge it"
    if (won.length > 0) yield* bury(state, limit.deadLetter, messageId, timesDelivered, reason)
  }
  const ids = [...deliveries.keys()]
  while (ids.length > 0) {
    const command = Groups.xclaim(stream, group, consumer, claimIdle, ids.splice(0, yield* room(state)))
    const entries = yield* persevere(state, inView(settings, withReply(command, received)))
    yield* offer(state, entries, ({ id }) => deliveries.get(id) ?? 1)
  }
})

/** Keeps others from taking over what is here. */
const renew = (state: State): Effect.Effect<void> => {
  const { client, held, settings } = state
  const { claimIdle, consumer, group, stream } = settings
  if (!Duration.isFinite(claimIdle)) return Effect.void
  const claimHeld = Effect.suspend(() => {
    const ids = [...held.keys()]
    const pages = Array.from(
      { length: Math.ceil(ids.length / pageSize) },
      (_, i) => ids.slice(i * pageSize, (i + 1) * pageSize)
    )
    return Effect.forEach(pages, (page) => client.execute(Groups.xclaimJustid(stream, group, consumer, 0, page)))
  })
  // A renewal that fails is made up for by the next; at worst another consumer handles the entry as well.
  return Effect.forever(Effect.delay(Effect.ignore(claimHeld), Duration.divideUnsafe(claimIdle, 3)))
}

// -----------------------------------------------------------------------------
// Handling entries
// -----------------------------------------------------------------------------

const handle = <E, R>(
  state: State,
  handler: Handler<E, R>,
  { deliveries, fields, id }: Received & { readonly deliveries: number }
): Effect.Effect<void, RedisError, R> => {
  const { group, stream } = state.settings
  const acknowledge = Effect.catch(
    Effect.asVoid(persevere(state, Groups.xack(stream, group, id))),
    (error) =>
      state.ending
        ? Effect.logWarning(`Entry ${id} was handled, and its acknowledgement failed`, error)
        : Effect.fail(error)
  )
  const handled: Effect.Effect<unknown, E | DecodeError, R> = fields === "deleted"
    ? Effect.void
    : fields instanceof Mismatch
    ? Effect.fail(new DecodeError({ command: "XREADGROUP", detail: fields.detail }))
    : Effect.suspend(() => handler({ id, fields, deliveries }))
  state.held.set(id, "handled")
  return Effect.exit(handled).pipe(
    Effect.flatMap((exit) => Exit.isSuccess(exit) ? acknowledge : failed(state, id, deliveries, exit.cause)),
    Effect.ensuring(Effect.suspend(() => {
      state.held.delete(id)
      return state.released.release
    }))
  )
}

const failed = (
  state: State,
  id: string,
  deliveries: number,
  cause: Cause.Cause<unknown>
): Effect.Effect<void> => {
  const { limit } = state.settings
  const log = Effect.logWarning(`The handler of entry ${id} failed at delivery ${deliveries}`, cause)
  return limit === undefined || deliveries < limit.maxDeliveries
    ? log
    : Effect.andThen(log, bury(state, limit.deadLetter, id, deliveries, reasonOf(cause)))
}

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/**
 * Moves an entry to the dead letters. When it is not known whether that was
 * done it is not tried again: an entry that is still pending comes back.
 */
const bury = (
  { client, settings }: State,
  deadLetter: RedisArg.Key,
  id: string,
  deliveries: number,
  reason: string
): Effect.Effect<void> => {
  const { consumer, group, stream } = settings
  return client.execute(RedisCommand.asBytes(xrange(stream, id, id))).pipe(
    Effect.flatMap(([entry]) => {
      const acknowledge = Groups.xack(stream, group, id)
      if (entry === undefined) return Effect.asVoid(client.execute(acknowledge))
      const facts = { stream, id, group, consumer, deliveries, reason }
      const fields = [
        ...entry.fields,
        ...Object.entries(facts).map(([name, value]) => [`dead-letter:${name}`, value] as const)
      ]
      return Effect.asVoid(transaction([xadd(deadLetter, fields), acknowledge]))
    }),
    Effect.provideService(RedisClient, client),
    Effect.catch((error) => Effect.logWarning(`Entry ${id} could not be moved to the dead letters`, error))
  )
}
