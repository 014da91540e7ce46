/**
 * Running the parts of what was one command.
 *
 * @internal
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterRetriesExhaustedError, ConnectionError, TimeoutError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Cluster } from "./cluster.ts"

/**
 * Parts under way at a time. Commands given at once go out in one write, so few at a time would cost many round trips;
 * there are at most 16384 parts, one a slot.
 */
const concurrency = 1024

/** Runs commands that are the parts of one, as {@link runAll} does; those of one server in one write. */
export const runCommands = (
  cluster: Cluster,
  commands: ReadonlyArray<RedisCommand.RedisCommand<Resp.Value>>
): Effect.Effect<ReadonlyArray<Resp.Value>, RedisError> =>
  Effect.flatMap(cluster.executeAll(commands), (outcomes) =>
    Effect.flatMap(
      Effect.forEach(outcomes, Effect.result),
      // Each command was to be decoded as it says.
      (results) => together(results as ReadonlyArray<Result.Result<Resp.Value, RedisError>>, commands.every(isRead))
    ))

const isRead = ({ spec }: RedisCommand.Any): boolean => spec.readonly

/**
 * Runs all parts, also when one fails: what one part did is done, and the others are no worse than it.
 *
 * - `readonly`: whether running a part twice does no harm.
 */
export const runAll = <A>(
  parts: ReadonlyArray<Effect.Effect<A, RedisError>>,
  readonly: boolean
): Effect.Effect<ReadonlyArray<A>, RedisError> =>
  Effect.flatMap(Effect.forEach(parts, Effect.result, { concurrency }), (results) => together(results, readonly))

const together = <A>(
  results: ReadonlyArray<Result.Result<A, RedisError>>,
  readonly: boolean
): Effect.Effect<ReadonlyArray<A>, RedisError> => {
  const failure = results.find(Result.isFailure)?.failure
  if (failure === undefined) return Effect.succeed(results.filter(Result.isSuccess).map(({ success }) => success))
  return Effect.fail(!readonly && results.some(mayHaveRun) ? partly(failure) : failure)
}

const mayHaveRun = (result: Result.Result<unknown, RedisError>): boolean =>
  Result.isSuccess(result) || ("delivery" in result.failure && result.failure.delivery === "unknown")

/**
 * The error of a part when another part may have run. That this one was not sent does not mean that nothing was: whoever
 * repeats the command repeats the other parts too.
 */
export const partly = (error: RedisError): RedisError => {
  switch (error._tag) {
    case "ConnectionError":
      return new ConnectionError({
        reason: error.reason,
        detail: error.detail,
        delivery: "unknown",
        readonly: false,
        ...(error.address === undefined ? {} : { address: error.address }),
        ...(error.command === undefined ? {} : { command: error.command }),
        ...(error.cause === undefined ? {} : { cause: error.cause })
      })
    case "TimeoutError":
      return new TimeoutError({
        phase: error.phase,
        milliseconds: error.milliseconds,
        delivery: "unknown",
        readonly: false,
        ...(error.address === undefined ? {} : { address: error.address }),
        ...(error.command === undefined ? {} : { command: error.command })
      })
    case "ClusterRetriesExhaustedError":
      return new ClusterRetriesExhaustedError({
        command: error.command,
        attempts: error.attempts,
        last: error.last,
        delivery: "unknown",
        readonly: false,
        ...(error.slot === undefined ? {} : { slot: error.slot })
      })
    default:
      return error
  }
}
