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

type Commands = ReadonlyArray<RedisCommand.Any> | Readonly<Record<string, RedisCommand.Any>>

/** The commands in order. */
export const list = (commands: Commands): ReadonlyArray<RedisCommand.Any> =>
  isTuple(commands) ? commands : Object.values(commands)

/** All values in the places of the commands, or the first error. */
export const values = (commands: Commands, outcomes: ReadonlyArray<Outcome>): Effect.Effect<unknown, RedisError> => {
  const all: Array<unknown> = []
  for (const outcome of outcomes) {
    if (Exit.isFailure(outcome)) return Effect.failCause(outcome.cause)
    all.push(outcome.value)
  }
  return Effect.succeed(put(commands, all))
}

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
