/**
 * Fans out: runs the parts of what was one command.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { failureAmong, inPart } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Cluster } from "../topology/cluster.ts"

/**
 * The number of parts that run at a time. Commands that are given at once go out in one write, so a small number would
 * cost many round trips; there are at most 16384 parts, one for each slot.
 */
const concurrency = 1024

/**
 * Runs commands that are the parts of one, as {@link fanOut} does. The parts for one server go out in one write.
 *
 * - `indexes`: the keys of the whole, counted from 0, that each part is about.
 */
export const fanOutCommands = (
  cluster: Cluster,
  commands: ReadonlyArray<RedisCommand.RedisCommand<Resp.Value>>,
  indexes: ReadonlyArray<ReadonlyArray<number>>
): Effect.Effect<ReadonlyArray<Resp.Value>, CommandError> =>
  Effect.flatMap(cluster.executeAll(commands), (outcomes) =>
    Effect.flatMap(
      Effect.forEach(outcomes, Effect.result),
      // Each command decodes to its reply as it came.
      (results) =>
        together(results as ReadonlyArray<Result.Result<Resp.Value, CommandError>>, commands.every(isRead), indexes)
    ))

const isRead = ({ spec }: RedisCommand.Any): boolean => spec.readonly

/**
 * Runs all parts, even when one fails: what the other parts did is not undone, and the error says so.
 *
 * - `readonly`: whether running a part twice does no harm.
 */
export const fanOut = <A>(
  parts: ReadonlyArray<Effect.Effect<A, CommandError>>,
  { readonly }: Pick<RedisCommand.Spec, "readonly">
): Effect.Effect<ReadonlyArray<A>, CommandError> =>
  Effect.flatMap(Effect.forEach(parts, Effect.result, { concurrency }), (results) => together(results, readonly))

const together = <A>(
  results: ReadonlyArray<Result.Result<A, CommandError>>,
  readonly: boolean,
  indexes: ReadonlyArray<ReadonlyArray<number>> = []
): Effect.Effect<ReadonlyArray<A>, CommandError> => {
  const failure = failureAmong(
    indexes.length === 0 ? "command" : "keys",
    results.map((result, part) => ({
      indexes: indexes[part] ?? [],
      readonly,
      error: Result.isFailure(result) ? result.failure : undefined
    }))
  )
  return failure === undefined
    ? Effect.succeed(results.filter(Result.isSuccess).map(({ success }) => success))
    : Effect.fail(failure)
}

/** The error of a step that follows one which has written: repeating the command would repeat that write too. */
export const afterWriting = (error: CommandError): CommandError =>
  inPart(error, { answered: [], unknown: [], mayHaveWritten: true })
