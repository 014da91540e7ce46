/**
 * Outcomes in the places of the commands that they belong to: as a tuple or as
 * a record.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as RedisCommand from "../RedisCommand.ts"
import type { RedisError } from "../RedisError.ts"
import type { Outcome } from "./request.ts"
import { failureAmong } from "./retry.ts"
import type { Part } from "./retry.ts"

type Commands = ReadonlyArray<RedisCommand.Any> | Readonly<Record<string, RedisCommand.Any>>

/** The commands in order. */
export const list = (commands: Commands): ReadonlyArray<RedisCommand.Any> =>
  isTuple(commands) ? commands : Object.values(commands)

/** All values in the places of the commands; or the first error, with what is known of the other commands. */
export const values = (
  of: "pipeline" | "transaction",
  commands: Commands,
  outcomes: ReadonlyArray<Outcome>
): Effect.Effect<unknown, RedisError> => {
  const all: Array<unknown> = []
  for (const outcome of outcomes) {
    if (Exit.isFailure(outcome)) return Effect.failCause(failureOf(of, list(commands), outcomes, outcome.cause))
    all.push(outcome.value)
  }
  return Effect.succeed(put(commands, all))
}

/** The failure of several commands of which one or more failed: `first` unless it is no error of a command. */
const failureOf = (
  of: "pipeline" | "transaction",
  commands: ReadonlyArray<RedisCommand.Any>,
  outcomes: ReadonlyArray<Outcome>,
  first: Cause.Cause<RedisError>
): Cause.Cause<RedisError> => {
  if (first.reasons.find(Cause.isFailReason) === undefined) return first
  const parts = outcomes.map((outcome, place) => partOf(commands[place], outcome, place))
  const error = failureAmong(of, parts)
  return error === undefined ? first : Cause.fail(error)
}

const partOf = (command: RedisCommand.Any | undefined, outcome: Outcome, place: number): Part => ({
  places: [place],
  readonly: command?.spec.readonly === true,
  sent: command?.settled === undefined,
  error: Exit.isSuccess(outcome) ? undefined : outcome.cause.reasons.find(Cause.isFailReason)?.error
})

/** A result for each outcome, in the places of the commands. */
export const results = (commands: Commands, outcomes: ReadonlyArray<Outcome>): Effect.Effect<unknown> => {
  const all: Array<Result.Result<unknown, RedisError>> = []
  for (const outcome of outcomes) {
    if (Exit.isSuccess(outcome)) {
      all.push(Result.succeed(outcome.value))
      continue
    }
    const reason = outcome.cause.reasons.find(Cause.isFailReason)
    if (reason === undefined) return Effect.die(Cause.squash(outcome.cause))
    all.push(Result.fail(reason.error))
  }
  return Effect.succeed(put(commands, all))
}

const put = (commands: Commands, all: ReadonlyArray<unknown>): unknown =>
  isTuple(commands) ? all : Object.fromEntries(Object.keys(commands).map((name, index) => [name, all[index]]))

// `Array.isArray` does not narrow readonly arrays.
const isTuple = (commands: Commands): commands is ReadonlyArray<RedisCommand.Any> => Array.isArray(commands)
