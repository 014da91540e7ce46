/**
 * A worker of a consumer group. One fiber reads and looks for abandoned entries, and one renews the entries that are
 * held here. Entries go to a queue, from which the fibers of the handlers take them. No entries are obtained while
 * there is no room for them.
 *
 * Invariant: an entry is in `held` from before it is put on the queue until its handler has ended and, if the handler
 * succeeded, the server has acknowledged the entry. An entry that is held is not put on the queue again.
 */
import * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Groups from "../../commands/StreamGroups.ts"
import { RedisClient } from "../../RedisClient.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { DecodeError, isRetryable } from "../../RedisError.ts"
import type { CommandError, DataError } from "../../RedisError.ts"
import { Mismatch } from "../../RedisReply.ts"
import { handling, isNoEffect, returnedNoEffect } from "../argument/effects.ts"
import { forMaster } from "../client/forMaster.ts"
import { printable } from "../error/printable.ts"
import type { BytesFields, TextFields } from "../reply/streamEntry.ts"
import { Listeners } from "../runtime/listeners.ts"
import * as Telemetry from "../telemetry/spans.ts"
import { keyText, pageSize, pendingRange, persevere, persevering } from "./consumerState.ts"
import type { Obtained, State, Take } from "./consumerState.ts"
import * as DeadLetters from "./deadLetters.ts"
import { makeReading } from "./groupReading.ts"
import type { Settings } from "./settings.ts"
import { Silence } from "./silence.ts"
import { makeSweeping } from "./sweeping.ts"

interface Delivered {
  readonly id: string
  readonly fields: TextFields | BytesFields
  readonly deliveries: number
}

/** `isEnding`: whether the consumer was told to end. */
type Handler<E, R> = (entry: Delivered, isEnding: () => boolean) => Effect.Effect<unknown, E, R>

/** Runs a consumer until it is interrupted, or fails with an error that no retry can fix. */
export const run = <E, R>(
  settings: Settings,
  handler: Handler<E, R>
): Effect.Effect<never, CommandError, Exclude<R, Scope.Scope> | RedisClient> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const client = yield* RedisClient
      const queue = yield* Queue.unbounded<Obtained>()
      const state: State = {
        settings,
        client,
        queue,
        held: new Map(),
        released: new Listeners(),
        silence: new Silence(yield* Clock.Clock, settings.claimIdle),
        ending: false
      }
      const failed = yield* Deferred.make<never, CommandError>()
      const endingAll = Effect.catchCause((cause: Cause.Cause<CommandError>) => Deferred.failCause(failed, cause))
      const work = endingAll(
        Effect.forever(Effect.flatMap(Queue.take(queue), (entry) => handle(state, handler, entry)))
      )
      const workers = yield* Effect.forEach(Array.from({ length: settings.concurrency }), () => Effect.forkChild(work))
      const renewing = yield* Effect.forkChild(endingAll(renew(state)))
      const exit = yield* Effect.exit(restore(Effect.raceFirst(obtain(state), Deferred.await(failed))))
      const givenBack = yield* Effect.forkChild(Effect.flatMap(abandon(state), (waiting) => giveBack(state, waiting)), {
        startImmediately: true
      })
      yield* finish(workers, settings.drain)
      yield* Fiber.await(givenBack)
      yield* Fiber.interrupt(renewing)
      return yield* exit
    })
  )

/** Stops handlers from starting; returns the entries that wait for one. */
const abandon = (state: State): Effect.Effect<ReadonlyMap<string, number>> =>
  Effect.suspend(() => {
    const { held, queue } = state
    state.ending = true
    const waiting = new Map<string, number>()
    for (const [id, { deliveries, stage }] of held) {
      if (stage === "waiting") waiting.set(id, deliveries)
    }
    for (const id of waiting.keys()) held.delete(id)
    return Effect.as(Queue.shutdown(queue), waiting)
  })

/**
 * Gives back the entries that no handler has seen. They keep the delivery count that they had before, and go to the
 * next consumer that looks. Entries that others have taken over meanwhile are left alone. A failure does no harm: the
 * entries then only count as delivered once more.
 */
const giveBack = (state: State, waiting: ReadonlyMap<string, number>): Effect.Effect<void> => {
  const { client, settings: { claimIdle, consumer, group, stream } } = state
  const idle = Duration.isFinite(claimIdle) ? { idle: Math.ceil(Duration.toMillis(claimIdle)) } : {}
  return Effect.forEach(waiting, ([id, deliveries]) =>
    Effect.flatMap(
      client.execute(pendingRange(stream, group, id, id, 1, { consumer })),
      (mine) =>
        mine.length === 0
          ? Effect.void
          : client.execute(
            Groups.xclaimJustid(stream, group, consumer, 0, [id], { retrycount: deliveries - 1, ...idle })
          )
    ), { concurrency: 100, discard: true }).pipe(
      Effect.timeoutOption(givingBack),
      Effect.catchCause((cause) => Effect.logDebug("Entries that were read ahead could not be given back", cause)),
      Effect.asVoid
    )
}

/** How long a consumer that ends tries to give back the entries that it has read ahead. */
const givingBack = "2 seconds"

/** Waits for running handlers, and interrupts them when they take too long. */
const finish = Effect.fnUntraced(
  function*(workers: ReadonlyArray<Fiber.Fiber<unknown, unknown>>, drain: Duration.Duration) {
    const ending = Duration.isFinite(drain)
      ? yield* Effect.forkChild(Effect.delay(Fiber.interruptAll(workers), drain))
      : undefined
    yield* Fiber.awaitAll(workers)
    if (ending !== undefined) yield* Fiber.interrupt(ending)
  }
)

/**
 * Reads entries and takes over abandoned ones in turn, so that together they never exceed the room for them. Looks for
 * abandoned entries at intervals; blocking reads end in time for that.
 */
const obtain = (state: State): Effect.Effect<never, CommandError> => {
  const { createGroup: id, group, schedule, stream } = state.settings
  const obtaining = Effect.gen(function*() {
    yield* createGroup(state)
    yield* checkRights(state)
    const reading = makeReading(state, takeBy(state))
    const sweeping = makeSweeping(state, takeBy(state))
    while (true) {
      yield* reading.some(yield* room(state), yield* sweeping.pause)
      if ((yield* sweeping.pause) === 0) yield* sweeping.some(yield* room(state))
    }
  })
  // A server that comes back empty, or whose keys were deleted, has no group any more.
  return id === undefined ? obtaining : Effect.retry(
    Effect.tapError(obtaining, (error) =>
      isWithoutGroup(error)
        ? Effect.logWarning(`The group ${keyText(group)} of ${keyText(stream)} is gone and is made anew`, error)
        : Effect.void),
    { schedule, while: (error) => isWithoutGroup(error) && !state.ending }
  )
}

const isWithoutGroup = (error: CommandError): boolean => error._tag === "ResponseError" && error.code === "NOGROUP"

const createGroup = (state: State): Effect.Effect<void, CommandError> => {
  const { client, settings: { createGroup: id, group, stream } } = state
  if (id === undefined) return Effect.void
  const created = Effect.asVoid(client.execute(Groups.xgroupCreate(stream, group, id, { mkstream: true }))).pipe(
    Effect.catchTags({
      ResponseError: (error) => error.code === "BUSYGROUP" ? Effect.void : Effect.fail(error),
      // A server without memory says so of a group that exists, too.
      OutOfMemoryError: (error) =>
        Effect.asVoid(Effect.mapError(client.execute(forMaster(Groups.xpending(stream, group))), () => error))
    })
  )
  return persevering(state, state.silence.listen(created))
}

// -----------------------------------------------------------------------------
// Obtaining entries
// -----------------------------------------------------------------------------

/** Waits until more entries can be held, and returns how many. */
const room = (state: State): Effect.Effect<number> =>
  Effect.suspend(() => {
    const { concurrency, count } = state.settings
    const free = () => Math.max(concurrency, count) - state.held.size
    return Effect.map(state.released.until(() => free() > 0), () => Math.min(free(), count))
  })

/** Takes the obtained entries that are not held yet, and passes them to a handler or to the dead letters. */
const takeBy = (state: State): Take => (entries, deliveriesOf) =>
  Effect.suspend(() => {
    const { held, queue, settings } = state
    const fresh = entries.map((entry, index) => ({ ...entry, deliveries: deliveriesOf(entry, index) }))
      .filter(({ id }) => !held.has(id))
    const [spent, rest] = [
      fresh.filter((entry) => isSpent(settings, entry.deliveries - 1)),
      fresh.filter((entry) => !isSpent(settings, entry.deliveries - 1))
    ]
    for (const { deliveries, id } of rest) held.set(id, { stage: "waiting", deliveries })
    return Effect.andThen(
      Queue.offerAll(queue, rest),
      Effect.forEach(spent, ({ deliveries, id }) => bury(state, id, deliveries - 1, notAcknowledged), { discard: true })
    )
  })

/** Whether an entry has failed so often that no handler gets it any more. */
const isSpent = ({ limit }: Settings, tries: number): boolean => limit !== undefined && tries >= limit.maxDeliveries

const notAcknowledged = "its consumer did not acknowledge it"

/** Keeps others from taking over the entries that are held here, and asks the server for a sign of life where there are none. */
const renew = (state: State): Effect.Effect<void, CommandError> => {
  const { client, held, settings, silence } = state
  const { claimIdle, consumer, group, stream } = settings
  if (!Duration.isFinite(claimIdle)) return Effect.void
  const claimHeld = Effect.suspend(() => {
    const pages = Arr.chunksOf(held.size === 0 ? [noEntry] : held.keys(), pageSize)
    return Effect.forEach(pages, (page) => client.execute(Groups.xclaimJustid(stream, group, consumer, 0, page)))
  })
  // After an outage others wait for this. The next renewal makes up for one that passes. Without a group the reader finds that out.
  // Anything else ends the consumer: without the right to renew it would work at the same entries as others, and not know.
  const renewed = Effect.catchIf(
    persevering(state, silence.listen(claimHeld)),
    (error) => isRetryable(error) || isWithoutGroup(error),
    () => Effect.void
  )
  return Effect.raceFirst(
    Effect.forever(Effect.delay(renewed, Duration.divideUnsafe(claimIdle, 3))),
    silence.keepTime
  )
}

/** The id that no entry has. */
const noEntry = "0-0"

// -----------------------------------------------------------------------------
// Handling entries
// -----------------------------------------------------------------------------

const handle = <E, R>(
  state: State,
  handler: Handler<E, R>,
  { deliveries, fields, id }: Obtained
): Effect.Effect<void, CommandError, Exclude<R, Scope.Scope>> => {
  const { acknowledges, group, stream } = state.settings
  const acknowledge = acknowledges === true && fields !== "deleted" ? Effect.void : Effect.catch(
    Effect.asVoid(persevere(state, Groups.xack(stream, group, id))),
    (error) =>
      state.ending
        ? Effect.logWarning(`Entry ${printable(id)} was handled, and its acknowledgement failed`, error)
        : Effect.fail(error)
  )
  return Effect.suspend(() => {
    // The entry was given back in the turn in which it was taken from the queue.
    if (state.held.get(id)?.stage !== "waiting") return Effect.void
    state.held.set(id, { stage: "handled", deliveries })
    const handled = Telemetry.handling(
      state.settings,
      { deliveries, id },
      start(state, handler, { deliveries, fields, id })
    )
    return Effect.exit(handled).pipe(
      Effect.flatMap((exit) =>
        Exit.isSuccess(exit)
          ? acknowledge
          // Ends the consumer, because the next entry would fail in the same way.
          : isNoEffect(state.settings.of, exit.cause)
          ? Effect.fail(returnedNoEffect(state.settings.of))
          : failed(state, id, deliveries, exit.cause)
      ),
      Effect.ensuring(Effect.sync(() => {
        state.held.delete(id)
        state.released.tell()
      }))
    )
  })
}

const start = <E, R>(
  state: State,
  handler: Handler<E, R>,
  { deliveries, fields, id }: Obtained
): Effect.Effect<unknown, E | DecodeError | DataError, Exclude<R, Scope.Scope>> =>
  fields === "deleted"
    ? Effect.void
    : fields instanceof Mismatch
    ? Effect.fail(new DecodeError({ command: "XREADGROUP", detail: fields.detail }))
    : Effect.scoped(handling(state.settings.of, () => handler({ id, fields, deliveries }, () => state.ending)))

const failed = (
  state: State,
  id: string,
  deliveries: number,
  cause: Cause.Cause<unknown>
): Effect.Effect<void> => {
  const log = Effect.logWarning(`The handler of entry ${printable(id)} failed at delivery ${deliveries}`, cause)
  return isSpent(state.settings, deliveries)
    ? Effect.andThen(log, bury(state, id, deliveries, DeadLetters.reasonOf(cause)))
    : log
}

/**
 * Moves an entry to the dead letters. When the outcome is unknown, the move is not tried again: an entry that is still
 * pending comes back.
 */
const bury = (
  { client, settings }: State,
  id: string,
  deliveries: number,
  reason: string
): Effect.Effect<void> => {
  const { consumer, group, limit, stream } = settings
  if (limit === undefined) return Effect.void
  return Effect.ignore(
    client.execute(DeadLetters.bury(stream, limit.deadLetter, { id, group, consumer, deliveries, reason })).pipe(
      Effect.tapError((error) =>
        Effect.logWarning(`Entry ${printable(id)} could not be moved to the dead letters`, error)
      )
    )
  )
}

/**
 * Finds a user who may not acknowledge or run scripts, or a dead letter stream in another slot, at the start instead of when an
 * entry was handled: it would be handled again by each consumer that is started in the place of one that ended.
 */
const checkRights = (state: State): Effect.Effect<void, CommandError> => {
  const { client, settings: { consumer, group, limit, stream }, silence } = state
  const check = (command: RedisCommand.RedisCommand<number>) =>
    Effect.asVoid(persevering(state, silence.listen(client.execute(command))))
  const acknowledging = check(Groups.xack(stream, group, noEntry))
  if (limit === undefined) return acknowledging
  const nothing = { id: "", group, consumer, deliveries: 0, reason: "" }
  const burying = check(DeadLetters.bury(stream, limit.deadLetter, nothing))
  // The first of a script brings its text, which is another right than the digest of the second.
  return Effect.andThen(acknowledging, Effect.andThen(burying, burying))
}
