/**
 * Refusals of options that are not valid.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import { RedisConfigError } from "../../RedisError.ts"
import { durationFrom } from "../runtime/milliseconds.ts"

export const invalid = (option: string, detail: string): Effect.Effect<never, RedisConfigError> =>
  Effect.fail(new RedisConfigError({ option, detail }))

export const integer = (option: string, value: number, least: number): Effect.Effect<number, RedisConfigError> =>
  Number.isInteger(value) && value >= least
    ? Effect.succeed(value)
    : invalid(option, `${value} is not an integer of at least ${least}`)

export const optionalInteger = (
  option: string,
  value: number | undefined
): Effect.Effect<number | undefined, RedisConfigError> =>
  value === undefined ? Effect.succeed(undefined) : integer(option, value, 1)

/**
 * Checks a choice. The type says as much, but options also come from files and URLs, where a misspelt choice must not
 * become a default.
 */
export const choice = <const A extends string | number>(
  option: string,
  value: A,
  choices: ReadonlyArray<A>
): Effect.Effect<A, RedisConfigError> =>
  choices.includes(value) ? Effect.succeed(value) : invalid(option, `${value} is none of ${choices.join(", ")}`)

export const duration = (
  option: string,
  input: Duration.Input | undefined,
  absent: Duration.Duration,
  least = 1
): Effect.Effect<Duration.Duration, RedisConfigError> =>
  Effect.suspend(() => {
    const value = input === undefined ? absent : durationFrom(input)
    return value === undefined
      ? invalid(option, `${format(input)} is not a duration`)
      : input === undefined || Duration.toMillis(value) >= least
      ? Effect.succeed(value)
      : invalid(option, `it must be at least ${least} ms`)
  })
