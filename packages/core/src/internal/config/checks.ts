/**
 * Refusals of options that are not valid.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import type * as Redacted from "effect/Redacted"
import { RedisConfigError } from "../../RedisError.ts"
import { kindOf } from "../argument/kinds.ts"
import { secretText } from "../argument/secretText.ts"
import { durationFrom, noDuration } from "../runtime/milliseconds.ts"

export const invalid = (option: string, detail: string): Effect.Effect<never, RedisConfigError> =>
  Effect.fail(new RedisConfigError({ option, detail }))

const mustBe = (option: string, what: string, value: unknown): Effect.Effect<never, RedisConfigError> =>
  invalid(option, `it must be ${what}, and is ${kindOf(value).is}`)

/** Text. The types say as much, here as below, but callers in JavaScript have none. */
export const text = (option: string, value: string): Effect.Effect<string, RedisConfigError> =>
  typeof value === "string" ? Effect.succeed(value) : mustBe(option, "text", value)

export const optionalText = (
  option: string,
  value: string | undefined
): Effect.Effect<string | undefined, RedisConfigError> =>
  value === undefined ? Effect.succeed(undefined) : text(option, value)

/** A boolean. A text such as "no" would count as true. */
export const boolean = (
  option: string,
  value: boolean | undefined,
  absent: boolean
): Effect.Effect<boolean, RedisConfigError> =>
  value === undefined
    ? Effect.succeed(absent)
    : typeof value === "boolean"
    ? Effect.succeed(value)
    : mustBe(option, "true or false", value)

/** An object with options in it. */
export const record = <A extends object>(
  option: string,
  value: A,
  what = "an object"
): Effect.Effect<A, RedisConfigError> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Effect.succeed(value)
    : mustBe(option, what, value)

/** A list that is not empty. */
const list = <A>(
  option: string,
  value: ReadonlyArray<A>,
  what: string
): Effect.Effect<ReadonlyArray<A>, RedisConfigError> =>
  !Array.isArray(value)
    ? mustBe(option, `a list of ${what}`, value)
    : value.length === 0
    ? invalid(option, `it is empty: give a list of ${what}`)
    // What is an array is the list that the type says.
    : Effect.succeed(value as ReadonlyArray<A>)

export const host = (option: string, value: string): Effect.Effect<string, RedisConfigError> =>
  Effect.flatMap(text(option, value), (host) =>
    host === ""
      ? invalid(option, "it is empty")
      : /[/@]/.test(host)
      ? invalid(option, aUrl)
      // A file and a variable of the environment often end with a line break.
      : !isHost(host)
      ? invalid(option, "it has spaces, line breaks or other characters that cannot be printed, or more than 255")
      // An IPv6 address has two colons at least, and stands in brackets only where a port may follow.
      : /^[^:]*:[^:]*$|[[\]]/.test(host)
      ? invalid(option, withPort)
      : Effect.succeed(host))

/** The path of a unix socket. */
export const socketPath = (option: string, value: string): Effect.Effect<string, RedisConfigError> =>
  value === ""
    ? invalid(option, "it is empty; give the path of the server's unix socket")
    : typeof value === "string" && value.includes("://")
    ? invalid(option, aUrl)
    : text(option, value)

/** An address is printed, and a URL may hold a password. */
const aUrl = "it is a URL or a path; layerUrl takes a URL, and the option path that of a unix socket"

const withPort = "it is a host alone, such as redis.internal or ::1; the port is an option of its own"

export const port = (option: string, value: number): Effect.Effect<number, RedisConfigError> =>
  isPort(value)
    ? Effect.succeed(value)
    : invalid(option, `${format(value)} is not an integer between 1 and 65535`)

/** Whether a server can listen on this port. */
export const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536

/** Whether a server can have this name, which is printed. What the empty name means is for the caller to say. */
export const isHost = (host: string): boolean => host.length <= 255 && !/[\s\p{C}]/u.test(host)

/** The addresses of several servers, of at least one; `absent` is the port of those that name none. */
export const addresses = (
  option: string,
  given: ReadonlyArray<{ readonly host: string; readonly port?: number | undefined }>,
  absent?: number
): Effect.Effect<ReadonlyArray<{ readonly host: string; readonly port: number }>, RedisConfigError> =>
  Effect.flatMap(
    list(option, given, "{ host, port }"),
    Effect.forEach((address, index) =>
      Effect.flatMap(record(`${option}[${index}]`, address, "{ host, port }"), (address) =>
        Effect.all({
          host: host(`${option}[${index}].host`, address.host),
          // Where there is no default, the check refuses what is missing.
          port: port(`${option}[${index}].port`, (address.port ?? absent) as number)
        }))
    )
  )

/** Secret text. */
export const secret = (
  option: string,
  value: Redacted.Redacted<string> | undefined
): Effect.Effect<Redacted.Redacted<string> | undefined, RedisConfigError> =>
  value === undefined || secretText(value) !== undefined
    ? Effect.succeed(value)
    : invalid(option, "it holds no text, or was wiped. Give it as Redacted.make(text)")

export const integer = (option: string, value: number, least: number): Effect.Effect<number, RedisConfigError> =>
  Number.isInteger(value) && value >= least
    ? Effect.succeed(value)
    : invalid(option, `${format(value)} is not an integer of at least ${least}`)

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
  choices.includes(value)
    ? Effect.succeed(value)
    : invalid(option, `${typeof value === "string" ? value : format(value)} is none of ${choices.join(", ")}`)

export const duration = (
  option: string,
  input: Duration.Input | undefined,
  absent: Duration.Duration,
  least = 1
): Effect.Effect<Duration.Duration, RedisConfigError> =>
  Effect.suspend(() => {
    const value = input === undefined ? absent : durationFrom(input)
    return value === undefined
      ? invalid(option, noDuration(format(input)))
      : input === undefined || Duration.toMillis(value) >= least
      ? Effect.succeed(value)
      : invalid(option, `it must be at least ${least} ms`)
  })
