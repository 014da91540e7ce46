/**
 * Refusals of options that are not valid.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import * as Option from "effect/Option"
import { RedisConfigError } from "../../RedisError.ts"
import { durationOf } from "../runtime/durationOf.ts"

export const invalid = (option: string, detail: string): Effect.Effect<never, RedisConfigError> =>
  Effect.fail(new RedisConfigError({ option, detail }))

export const integer = (option: string, value: number, least: number): Effect.Effect<number, RedisConfigError> =>
  Number.isInteger(value) && value >= least
    ? Effect.succeed(value)
    : invalid(option, `${value} is not an integer of at least ${least}`)

/** A host and a port; `within` names where they are given. */
export const address = (
  within: string,
  host: string,
  port: number
): Effect.Effect<{ readonly host: string; readonly port: number }, RedisConfigError> =>
  typeof host !== "string" || host === ""
    ? invalid(`${within}host`, host === "" ? "it is empty" : `${format(host)} is no text`)
    : Number.isInteger(port) && port >= 1 && port <= 65535
    ? Effect.succeed({ host, port })
    : invalid(`${within}port`, `${format(port)} is not an integer between 1 and 65535`)

/**
 * Where servers are, one at least; those without a port have `port`. The types say as much, but options also come from
 * files, URLs and programs without types.
 */
export const addresses = (
  option: string,
  given: ReadonlyArray<{ readonly host: string; readonly port?: number | undefined }>,
  port: number
): Effect.Effect<ReadonlyArray<{ readonly host: string; readonly port: number }>, RedisConfigError> =>
  !Array.isArray(given) || given.length === 0
    ? invalid(option, `give at least one address to start from, as { host: "…", port: ${port} }`)
    : Effect.forEach(given, (each, index) =>
      typeof each === "object"
        ? address(`${option}[${index}].`, each.host, each.port ?? port)
        : invalid(`${option}[${index}]`, `${format(each)} is no address; write { host: "…", port: ${port} }`))

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
  input === undefined ? Effect.succeed(absent) : Option.match(durationOf(input), {
    onNone: () => invalid(option, `${format(input)} is not a duration`),
    onSome: (value) =>
      Duration.toMillis(value) >= least
        ? Effect.succeed(value)
        : invalid(option, `it must be at least ${least} ms`)
  })
