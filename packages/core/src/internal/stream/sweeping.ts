/**
 * Entries that have been pending for too long at any consumer, which another one takes over.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Groups from "../../commands/StreamGroups.ts"
import { xrange } from "../../commands/Streams.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { CommandError } from "../../RedisError.ts"
import { forMaster } from "../client/forMaster.ts"
import { mayHaveRun } from "../error/retry.ts"
import { elapsedNow } from "../runtime/elapsed.ts"
import { inView, pageSize, pendingRange, persevere, persevering } from "./consumerState.ts"
import type { State, Take } from "./consumerState.ts"
import { claimedReply, nextId, PageSize } from "./reading.ts"

/**
 * Takes over entries of any consumer that have been pending for too long, again and again.
 *
 * This does the two steps of XAUTOCLAIM itself. So it can leave out entries that are held here, learns how often an
 * entry was delivered, and works on servers before 6.2. XCLAIM takes only entries that are still idle, so only one of
 * several consumers gets an entry.
 *
 * - `pause`: milliseconds until the next sweep, 0 while a sweep is under way. `some`: takes up to the given number of
 *   entries.
 */
export const makeSweeping = (state: State, take: Take) => {
  const { claimEvery, claimIdle } = state.settings
  const found: Array<Pending> = []
  let start: string | undefined = undefined
  let due = 0

  const pause = Duration.isFinite(claimIdle)
    ? Effect.map(elapsedNow, (time) => {
      const { left } = state.silence
      if (left > 0) {
        due = time + left
        start = undefined
        found.length = 0
      }
      return start !== undefined || found.length > 0 ? 0 : Math.max(due - time, 0)
    })
    : Effect.succeed(Infinity)

  const some = Effect.fnUntraced(function*(count: number): Effect.fn.Return<void, CommandError> {
    if (found.length === 0) {
      const page = yield* idlePage(state, start ?? "-")
      start = page.length < pageSize ? undefined : yield* nextId("XPENDING", page.at(-1)!.messageId)
      found.push(...page.filter(({ messageId }) => !state.held.has(messageId)))
    }
    // The server may have been away meanwhile.
    if ((yield* pause) > 0) return
    yield* claim(state, take, found.splice(0, count))
    if (start === undefined && found.length === 0) due = (yield* elapsedNow) + Duration.toMillis(claimEvery)
  })

  return { pause, some }
}

interface Pending {
  readonly messageId: string
  readonly timeSinceDelivered: Duration.Duration
  readonly timesDelivered: number
}

/** Entries from an id on that have been pending for too long. Servers before 6.2 also list the other entries. */
const idlePage = (state: State, start: string): Effect.Effect<ReadonlyArray<Pending>, CommandError> => {
  const { claimIdle, group, stream } = state.settings
  const page = (options: { readonly idle?: Duration.Duration }) =>
    persevere(state, pendingRange(stream, group, start, "+", pageSize, options))
  return Effect.catchTag(
    page({ idle: claimIdle }),
    "ResponseError",
    (error) => error.code === "ERR" && /syntax|wrong number/i.test(error.detail) ? page({}) : Effect.fail(error)
  )
}

const claim = Effect.fnUntraced(function*(
  state: State,
  take: Take,
  found: ReadonlyArray<Pending>
): Effect.fn.Return<void, CommandError> {
  const { claimIdle, consumer, group, stream } = state.settings
  const idle = found.filter(({ timeSinceDelivered }) => !Duration.isLessThan(timeSinceDelivered, claimIdle))
  if (idle.length === 0) return
  const deliveries = new Map(idle.map(({ messageId, timesDelivered }) => [messageId, timesDelivered + 1]))
  let mayHaveClaimed = false
  const once = Effect.gen(function*(): Effect.fn.Return<void, CommandError> {
    // What a lost answer had is with this consumer. It is claimed as it was counted then, before it is idle again, and one by one, as
    // all together may have been too much for one answer.
    if (mayHaveClaimed) {
      for (const [id, retrycount] of deliveries) {
        const [mine] = yield* persevere(state, pendingRange(stream, group, id, id, 1, { consumer }))
        if (mine === undefined) continue
        const asking = new PageSize(1).noting(claimOf(state, [id], 0, { retrycount }), 1, () => true)
        yield* claimed(state, take, deliveries, persevering(state, asking), [id])
        deliveries.delete(id)
      }
    }
    const ids = [...deliveries.keys()]
    if (ids.length === 0) return
    const asking = Effect.tapError(
      claimOf(state, ids, claimIdle),
      (error) => Effect.sync(() => mayHaveClaimed ||= mayHaveRun(error))
    )
    yield* claimed(state, take, deliveries, asking, ids)
  })
  yield* persevering(state, once)
})

const claimOf = (
  { client, settings }: State,
  ids: ReadonlyArray<string>,
  minIdle: Duration.Duration | 0,
  options: Groups.XclaimOptions = {}
) => {
  const { consumer, group, stream } = settings
  const command = Groups.xclaim(stream, group, consumer, minIdle, ids, options)
  return client.execute(inView(settings, RedisCommand.withReply(command, claimedReply)))
}

/** Takes what a claim of some ids gives, with the number of deliveries of each. */
const claimed = Effect.fnUntraced(function*(
  state: State,
  take: Take,
  deliveries: ReadonlyMap<string, number>,
  asking: ReturnType<typeof claimOf>,
  ids: ReadonlyArray<string>
): Effect.fn.Return<void, CommandError> {
  const { deleted, entries } = yield* asking
  const got = new Set(entries.map(({ id }) => id))
  if (deleted > 0) yield* forgetDeleted(state, ids.filter((id) => !got.has(id)))
  yield* take(entries, ({ id }) => deliveries.get(id) ?? 1)
})

/** Acknowledges those of the entries that are no longer in the stream. */
const forgetDeleted = (state: State, ids: ReadonlyArray<string>): Effect.Effect<void, CommandError> => {
  const { group, stream } = state.settings
  return Effect.forEach(
    ids,
    (id) =>
      Effect.flatMap(
        persevere(state, forMaster(RedisCommand.asBytes(xrange(stream, id, id)))),
        ([entry]) => entry === undefined ? persevere(state, Groups.xack(stream, group, id)) : Effect.void
      ),
    { concurrency: "unbounded", discard: true }
  )
}
