/**
 * Entries as the server gives them to a consumer: those that are pending there already, and new ones.
 */
import * as Effect from "effect/Effect"
import * as Groups from "../../commands/StreamGroups.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import { isRetryable } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import { mayHaveRun } from "../error/retry.ts"
import { inView, keyText, pendingRange, persevere } from "./consumerState.ts"
import type { State, Take } from "./consumerState.ts"
import { PageSize, receivedOfOne } from "./reading.ts"
import type { Received } from "./reading.ts"

/**
 * Reads the entries that are pending at this consumer, then new entries. After a failed read, entries of that read may
 * be pending: those after the last id that was seen.
 */
export const makeReading = (state: State, take: Take) => {
  const { client, settings } = state
  const { consumer, group, schedule, stream } = settings
  let last = "0-0"
  let pending = true
  let waitedOnce = false
  /** How many entries each read whose answer was lost may have had. The server counts such a read as a delivery of these entries. */
  let unseen: ReadonlyArray<number> = []
  const page = new PageSize(settings.count)

  const once = (room: number, pause: number) =>
    Effect.suspend(() => {
      const count = Math.min(room, page.size)
      const noteLoss = (error: CommandError) =>
        Effect.sync(() => {
          if (mayHaveRun(error)) unseen = [...unseen, count]
        })
      // The first blocking read returns at once. It shows whether there is a connection to wait on.
      const block = Math.min(waitedOnce ? settings.block : 1, pause)
      const waits = !pending && block > 0
      const options = waits ? { count, block } : { count }
      const command = Groups.xreadgroup(group, consumer, [[stream, pending ? last : ">"]], options)
      const read = page.noting(
        Effect.tapError(client.execute(inView(settings, RedisCommand.withReply(command, receivedOfOne))), noteLoss),
        count,
        ({ length }) => !pending && length < count
      )
      if (!waits) return state.silence.listen(read)
      return Effect.tap(waitedOnce ? read : impatiently(state, read), () =>
        Effect.sync(() => {
          waitedOnce = true
        }))
    })

  const some = Effect.fnUntraced(function*(room: number, pause: number): Effect.fn.Return<void, CommandError> {
    const found = yield* once(room, pause).pipe(
      Effect.tapError((error) => {
        pending = true
        return isWithoutRoom(error) && waitedOnce
          ? Effect.logWarning("A consumer waits for a connection", error)
          : Effect.void
      }),
      Effect.retry({ schedule, while: (error) => isRetryable(error) && (waitedOnce || !isWithoutRoom(error)) })
    )
    const counts = pending ? yield* countDeliveries(state, found, unseen) : []
    if (found.length === 0) pending = false
    unseen = pending ? unseen.map((count) => count - found.length).filter((count) => count > 0) : []
    last = found.at(-1)?.id ?? last
    yield* take(found, (_, index) => counts[index] ?? 1)
  })

  return { some }
}

/** Whether there are too few connections for another blocking command. */
const isWithoutRoom = (error: CommandError): boolean =>
  error._tag === "ConnectionError" && error.reason.startsWith("Pool")

/** Logs a warning when a read does not return because it gets no connection. */
const impatiently = <A>(
  { client, settings }: State,
  read: Effect.Effect<A, CommandError>
): Effect.Effect<A, CommandError> =>
  Effect.raceFirst(
    read,
    Effect.flatMap(Effect.delay(client.stats, "1 second"), ({ exclusive, exclusiveIdle, waiting }) =>
      exclusive > 0 && exclusiveIdle === 0 && waiting > 0
        ? Effect.logWarning(
          `The consumer ${
            keyText(settings.consumer)
          } waits for a connection of its own, and ${exclusive} are in use: ` +
            "pool.max is too small, as each consumer needs one, or the server does not answer"
        )
        : Effect.void).pipe(Effect.andThen(Effect.never))
  )

/**
 * How often entries were delivered. Deliveries that nobody has seen are taken back, on the server as well; `unseen` says of each
 * of them how many of the entries it may have had.
 */
const countDeliveries = (
  state: State,
  found: ReadonlyArray<Received>,
  unseen: ReadonlyArray<number>
): Effect.Effect<ReadonlyArray<number>, CommandError> => {
  const { consumer, group, stream } = state.settings
  return Effect.forEach(
    found,
    ({ id }, index) =>
      Effect.flatMap(
        persevere(state, pendingRange(stream, group, id, id, 1)),
        ([entry]) => {
          const counted = entry?.timesDelivered ?? 1
          // What is held here was not delivered again by being read again.
          const deliveries = state.held.get(id)?.deliveries ??
            Math.max(counted - unseen.filter((count) => count > index).length, 1)
          return deliveries === counted
            ? Effect.succeed(counted)
            : Effect.as(
              persevere(state, Groups.xclaimJustid(stream, group, consumer, 0, [id], { retrycount: deliveries })),
              deliveries
            )
        }
      ),
    { concurrency: "unbounded" }
  )
}
