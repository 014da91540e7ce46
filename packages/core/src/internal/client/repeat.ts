/**
 * The second sending of commands that have timed out.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as RedisCommand from "../../RedisCommand.ts"
import type { TimeoutError } from "../../RedisError.ts"
import type { Outcome } from "../command/weave.ts"
import type { Batch } from "../connection/batchRequest.ts"
import { isAsking } from "../connection/singleRequest.ts"
import { sentBefore } from "../error/retry.ts"
import { errorIn } from "../runtime/firstError.ts"

export type SendAll = (batch: Batch) => Effect.Effect<ReadonlyArray<Outcome>>

/**
 * Whether a command is ordered. An ordered command is sent once: a second sending would come after commands that were
 * given since. A command that takes something if it is free, as locks do, would also find that its first sending has
 * taken it.
 */
export const isOrdered = ({ spec }: RedisCommand.Any): boolean => spec.traits.has("ordered")

/**
 * Sends the commands once more that timed out and may be repeated, and no others, unless the batch must run as a whole.
 */
export const sendTimedOut = (
  batch: Batch,
  outcomes: ReadonlyArray<Outcome>,
  send: SendAll
): Effect.Effect<ReadonlyArray<Outcome>> => {
  const { atomic, commands, positions } = batch
  const timeouts = outcomes.map(timeoutIn)
  const isLate = (index: number): boolean => timeouts[index] !== undefined
  const indexes = Array.from(commands.keys())
  // ASKING goes with its command: without it that would be refused, and alone it would apply to whatever came next.
  const meant = (index: number): number => isAsking(commands[index]) ? index + 1 : index
  const late = atomic !== true
    ? indexes.map(meant).flatMap((index, i) => isLate(index) && !isOrdered(commands[index]!) ? [i] : [])
    : indexes.some(isLate) && !commands.some(isOrdered)
    ? indexes
    : []
  if (late.length === 0) return Effect.succeed(outcomes)
  // There is one outcome for each command, so the index is in range.
  const again = {
    commands: late.map((index) => commands[index]!),
    positions: late.map((index) => positions?.[index] ?? index),
    atomic
  }
  return Effect.map(send(again), (second) => {
    const merged = [...outcomes]
    late.forEach((index, i) => {
      const before = timeouts[index]
      merged[index] = before === undefined
        ? second[i]!
        : Exit.mapError(second[i]!, (error) => sentBefore(error, before))
    })
    return merged
  })
}

const timeoutIn = (outcome: Outcome): TimeoutError | undefined => {
  const error = errorIn(outcome)
  return error?._tag === "TimeoutError" ? error : undefined
}
