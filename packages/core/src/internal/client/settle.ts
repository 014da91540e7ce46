/**
 * Outcomes at the indexes of the commands that they belong to: as a tuple or as
 * a record.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as RedisCommand from "../../RedisCommand.ts"
import type { CommandError } from "../../RedisError.ts"
import { isReadonlyArray } from "../argument/isReadonlyArray.ts"
import type { CommandImpl } from "../command/impl.ts"
import { commandIn } from "../command/noCommand.ts"
import { errorAt } from "../command/weave.ts"
import type { Outcome } from "../command/weave.ts"
import { failureAmong } from "../error/retry.ts"
import type { Part } from "../error/retry.ts"
import { errorIn, errorOf } from "../runtime/firstError.ts"

/**
 * Commands as a tuple, an array or a record.
 *
 * @category models
 * @since 0.1.0
 */
export type Commands = ReadonlyArray<RedisCommand.Any> | Readonly<Record<string, RedisCommand.Any>>

/**
 * The commands in order. Their types say that they are commands, but programs without types give promises as well, which
 * have begun already, and lists of words. What is no command is refused in its place.
 */
export const list = (commands: Commands): ReadonlyArray<RedisCommand.Any> => {
  const given: ReadonlyArray<unknown> = isReadonlyArray(commands)
    ? commands
    : isRecord(commands)
    ? Object.values(commands)
    : [Predicate.isPromiseLike(commands) ? commands : undefined]
  // By index, as the methods of arrays pass over holes.
  for (let index = 0; index < given.length; index++) {
    if (!RedisCommand.isCommand(given[index])) {
      return Array.from(
        given,
        (each) => commandIn(each, Predicate.isPromiseLike(each) ? promise : undefined) as CommandImpl & RedisCommand.Any
      )
    }
  }
  // Each of them was looked at.
  return given as ReadonlyArray<RedisCommand.Any>
}

/** What `redis.get("k")` of a `RedisPromise` is, where `Redis.get("k")` is meant. */
const promise =
  "what is given here is a promise, whose command is sent by a call of its own; give a command of the module Redis, such as Redis.get(\"k\")"

/** Whether something has commands by their names. A `Map`, a `Set`, a promise and a command itself would have none. */
const isRecord = (commands: Commands): boolean =>
  typeof commands === "object" && commands !== null && !(Symbol.iterator in commands) &&
  !Predicate.isPromiseLike(commands) && !RedisCommand.isCommand(commands)

/**
 * Returns all values at the indexes of the commands; fails with the first error, which says what is known of the other
 * commands.
 */
export const values = (
  of: "pipeline" | "transaction",
  commands: Commands,
  outcomes: ReadonlyArray<Outcome>
): Effect.Effect<unknown, CommandError> => {
  const all: Array<unknown> = []
  for (const outcome of outcomes) {
    if (Exit.isFailure(outcome)) return Effect.failCause(failureOfAll(of, list(commands), outcomes, outcome.cause))
    all.push(outcome.value)
  }
  return Effect.succeed(put(commands, all))
}

/** The failure of several commands. It is `first` when `first` is not the error of a command. */
const failureOfAll = (
  of: "pipeline" | "transaction",
  commands: ReadonlyArray<RedisCommand.Any>,
  outcomes: ReadonlyArray<Outcome>,
  first: Cause.Cause<CommandError>
): Cause.Cause<CommandError> => {
  if (errorOf(first) === undefined) return first
  const parts = outcomes.map((outcome, index): Part<CommandError> => {
    // There is one outcome for each command, so the index is in range.
    const { settled, spec } = commands[index]!
    return { indexes: [index], readonly: spec.readonly, sent: settled === undefined, error: errorIn(outcome) }
  })
  const at = outcomes.findIndex(Exit.isFailure)
  const error = failureAmong(of, parts)
  return error === undefined ? first : Cause.fail(errorAt(error, commands[at]!, at))
}

/** A result for each outcome, at the indexes of the commands. */
export const results = (commands: Commands, outcomes: ReadonlyArray<Outcome>): Effect.Effect<unknown> => {
  const all: Array<Result.Result<unknown, CommandError>> = []
  const given = list(commands)
  for (const [index, outcome] of outcomes.entries()) {
    if (Exit.isSuccess(outcome)) {
      all.push(Result.succeed(outcome.value))
      continue
    }
    // There is one outcome for each command, so the index is in range.
    const error = errorIn(outcome)
    if (error === undefined) return Effect.die(Cause.squash(outcome.cause))
    all.push(Result.fail(errorAt(error, given[index]!, index)))
  }
  return Effect.succeed(put(commands, all))
}

const put = (commands: Commands, all: ReadonlyArray<unknown>): unknown =>
  isReadonlyArray(commands) || !isRecord(commands)
    ? all
    : Object.fromEntries(Object.keys(commands).map((name, index) => [name, all[index]]))
