/**
 * The arguments of commands: which of them are keys, which are secret, and how
 * options, flags and times are spelled on the wire.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { format } from "effect/Formatter"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Resp from "./Resp.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * The name of a key: text, sent as UTF-8, or bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type Key = string | Uint8Array

/**
 * A value that can be sent. Numbers go as their shortest text that reads back
 * to the same number, infinities as `inf` and `-inf`; `NaN` is refused.
 *
 * @category models
 * @since 0.1.0
 */
export type Value = string | number | bigint | Uint8Array

/**
 * Several of something: as separate arguments or as one array.
 *
 * @category models
 * @since 0.1.0
 */
export type Many<T> = ReadonlyArray<T> | readonly [ReadonlyArray<T>]

/**
 * Pairs as a record, or as an array of pairs where the order or bytes matter.
 *
 * @category models
 * @since 0.1.0
 */
export type Pairs<K extends Key, V> = Readonly<Record<string, V>> | ReadonlyArray<readonly [K, V]>

/**
 * A point in time.
 *
 * @category models
 * @since 0.1.0
 */
export type Instant = DateTime.DateTime | Date

/**
 * One argument, or several, as a definition lists them. An empty array is an
 * option that was not given.
 *
 * @category models
 * @since 0.1.0
 */
export type Arg = Part | ReadonlyArray<Arg>

/**
 * One argument as it is sent.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = Value | KeyArg | SecretArg | BlockArg

/**
 * A key: what a command is routed by.
 *
 * @category models
 * @since 0.1.0
 */
export class KeyArg {
  readonly value: Key

  constructor(value: Key) {
    this.value = value
  }
}

/**
 * An argument that is never printed.
 *
 * @category models
 * @since 0.1.0
 */
export class SecretArg {
  readonly value: Redacted.Redacted<string>

  constructor(value: Redacted.Redacted<string>) {
    this.value = value
  }
}

/**
 * How long the server may hold back its answer to a blocking command.
 *
 * - `value`: as it is sent. `milliseconds`: the same time, `Infinity` for no limit, `0` for not at all.
 *
 * @category models
 * @since 0.1.0
 */
export class BlockArg {
  readonly value: number | string
  readonly milliseconds: number

  constructor(value: number | string, milliseconds: number) {
    this.value = value
    this.milliseconds = milliseconds
  }
}

/**
 * Thrown by a definition whose arguments cannot be sent; the command then fails
 * with a `DataError` of the same text.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidArgument {
  readonly detail: string

  constructor(detail: string) {
    this.detail = detail
  }
}

/**
 * Returned by a definition when there is nothing to send and the answer is plain.
 *
 * @category models
 * @since 0.1.0
 */
export class Answer {
  readonly value: Resp.Value

  constructor(value: Resp.Value) {
    this.value = value
  }
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * A key.
 *
 * @category constructors
 * @since 0.1.0
 */
export const key = (value: Key): KeyArg => new KeyArg(value)

/**
 * Several keys.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keys = (values: Many<Key>): ReadonlyArray<KeyArg> => many(values).map(key)

/**
 * Several keys; at least one is needed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const someKeys = (values: Many<Key>): ReadonlyArray<KeyArg> => some(values, "needs at least one key").map(key)

/**
 * The number of keys, then the keys.
 *
 * @category constructors
 * @since 0.1.0
 */
export const countedKeys = (values: Many<Key>): ReadonlyArray<Arg> => {
  const list = someKeys(values)
  return [list.length, list]
}

/**
 * Rest arguments, or the one array given instead of them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const many = <T>(values: Many<T>): ReadonlyArray<T> => {
  // `Many` is either form: an array in first place means the second one, as no T is an array.
  const list = values.length === 1 && isList<T>(values[0]) ? [...values[0]] : values as ReadonlyArray<T>
  for (let i = 0; i < list.length; i++) {
    if (isList(list[i])) return cannotSend(list[i])
  }
  return list
}

/**
 * Like {@link many}, refusing an empty list.
 *
 * @category constructors
 * @since 0.1.0
 */
export const some = <T>(values: Many<T>, detail = "needs at least one value"): ReadonlyArray<T> => {
  const list = many(values)
  return list.length === 0 ? invalid(detail) : list
}

/**
 * Pairs, flattened; at least one is needed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pairs = <K extends Key>(entries: Pairs<K, Value>): ReadonlyArray<Arg> =>
  entriesOf(entries).flatMap(([name, value]) => [name, value])

/**
 * Pairs whose first halves are keys, flattened; at least one is needed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keyPairs = (entries: Pairs<Key, Value>): ReadonlyArray<Arg> =>
  entriesOf(entries).flatMap(([name, value]) => [key(name), value])

const entriesOf = (entries: Pairs<Key, Value>): ReadonlyArray<readonly [Key, Value]> => {
  const list: ReadonlyArray<readonly [Key, Value]> = isList(entries) ? entries : Object.entries(entries)
  for (const [name, value] of list) {
    if (isList(name) || isList(value)) return cannotSend(isList(name) ? name : value)
  }
  return list.length === 0 ? invalid("needs at least one pair") : list
}

/**
 * A token and its value, or nothing when there is no value.
 *
 * @category constructors
 * @since 0.1.0
 */
export const option = (token: string, value: Arg | undefined): ReadonlyArray<Arg> =>
  value === undefined ? none : [token, value]

/**
 * A token that is sent when `given` is true.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flag = (token: string, given: boolean | undefined): ReadonlyArray<Arg> => given === true ? [token] : none

/**
 * One of several tokens, upper-cased, or nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const token = (value: string | undefined): ReadonlyArray<Arg> =>
  value === undefined ? none : [value.toUpperCase()]

/**
 * Nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const none: ReadonlyArray<never> = []

/**
 * Text that is never printed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const secret = (value: string | Redacted.Redacted<string>): SecretArg =>
  new SecretArg(typeof value === "string" ? Redacted.make(value) : value)

/**
 * The reply that a server would give to a command with nothing to send: no round trip is made for it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const answer = (value: Resp.Value): Answer => new Answer(value)

/**
 * Refuses the arguments.
 *
 * @category constructors
 * @since 0.1.0
 */
export const invalid = (detail: string): never => {
  throw new InvalidArgument(detail)
}

// -----------------------------------------------------------------------------
// Times
// -----------------------------------------------------------------------------

/**
 * A time span: a bare number has the unit that Redis gives the option, anything
 * else is an Effect `Duration` or its text, such as `"5 seconds"`.
 *
 * @category models
 * @since 0.1.0
 */
export type Time = Duration.Input

/**
 * A time span in whole seconds; fractions are cut off.
 *
 * @category constructors
 * @since 0.1.0
 */
export const seconds = (time: Time): number => Math.trunc(fractionalSeconds(time))

/**
 * A time span in whole milliseconds, a bare number being milliseconds; fractions are cut off.
 *
 * @category constructors
 * @since 0.1.0
 */
export const milliseconds = (time: Time): number =>
  Math.trunc(typeof time === "number" ? time : Duration.toMillis(duration(time)))

/**
 * A time span in seconds with its fraction, a bare number being seconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fractionalSeconds = (time: Time): number =>
  typeof time === "number" ? time : Duration.toSeconds(duration(time))

const duration = (time: Time): Duration.Duration =>
  Option.getOrElse(Duration.fromInput(time), () => invalid(`${format(time)} is not a duration`))

/**
 * How long a blocking command may block, sent in seconds with their fraction;
 * `0` and an infinite duration block without limit, which is the default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blockSeconds = (time: Time = 0): BlockArg => {
  const value = fractionalSeconds(time)
  return Number.isFinite(value) && value > 0 ? new BlockArg(value, value * 1000) : unlimited(value)
}

/**
 * How long a blocking command may block, sent in whole milliseconds; `0` and an
 * infinite duration block without limit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blockMilliseconds = (time: Time): BlockArg => {
  // Rounded up: 0 would be no limit at all.
  const value = Math.ceil(typeof time === "number" ? time : Duration.toMillis(duration(time)))
  return Number.isFinite(value) && value > 0 ? new BlockArg(value, value) : unlimited(value)
}

/**
 * A word of a command that could block, saying that this one does not: then it need not have a connection of its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const withoutBlocking = (word: string): BlockArg => new BlockArg(word, 0)

const unlimited = (value: number): BlockArg =>
  value < 0 || Number.isNaN(value) ? invalid("cannot block for a negative time") : new BlockArg(0, Infinity)

/**
 * A point in time in whole unix seconds; a bare number is that already.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unixSeconds = (when: Instant | number): number =>
  typeof when === "number" ? Math.trunc(when) : Math.trunc(unixMilliseconds(when) / 1000)

/**
 * A point in time in unix milliseconds; a bare number is that already.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unixMilliseconds = (when: Instant | number): number =>
  typeof when === "number" ? Math.trunc(when) : when instanceof Date ? when.getTime() : DateTime.toEpochMillis(when)

// -----------------------------------------------------------------------------
// Flattening
// -----------------------------------------------------------------------------

/**
 * The parts of an argument list in order, each checked: anything but text,
 * bytes, numbers and bigints is refused here, before a byte is sent.
 *
 * **Details**
 *
 * `parameters` are what the caller of a command gave. An array among them that
 * stands in the list as it is was meant to be a value, and is refused: a value
 * that comes from elsewhere must not become options of the command.
 *
 * @category combinators
 * @since 0.1.0
 */
export const flatten = (args: ReadonlyArray<Arg>, parameters: ReadonlyArray<unknown> = none): ReadonlyArray<Part> => {
  for (let i = 0; i < args.length; i++) {
    // Most commands are flat already and need no copy.
    if (!isPart(args[i])) return flattenInto([], args, parameters)
  }
  // Every element was just seen to be a part.
  return args as ReadonlyArray<Part>
}

const flattenInto = (
  out: Array<Part>,
  args: ReadonlyArray<Arg>,
  parameters: ReadonlyArray<unknown>
): Array<Part> => {
  for (const arg of args) {
    if (isPart(arg)) out.push(arg)
    else if (isList<Arg>(arg) && !parameters.includes(arg)) flattenInto(out, arg, parameters)
    else cannotSend(arg)
  }
  return out
}

const cannotSend = (value: unknown): never =>
  invalid(`cannot send ${describe(value)}; send text, bytes, a number or a bigint`)

/**
 * The bytes, text or number that is sent for a part.
 *
 * @category getters
 * @since 0.1.0
 */
export const wireValue = (part: Part): Value =>
  part instanceof KeyArg || part instanceof BlockArg
    ? part.value
    : part instanceof SecretArg
    ? Redacted.value(part.value)
    : part

const isPart = (arg: Arg | undefined): arg is Part => {
  switch (typeof arg) {
    case "string":
      // Half a character has no UTF-8: two keys that differ in it only would be one. 10 ns, whatever the length of ASCII.
      return arg.isWellFormed()
    case "bigint":
      return true
    case "number":
      return arg === arg
    case "object":
      return arg instanceof KeyArg
        ? typeof arg.value === "string" ? arg.value.isWellFormed() : arg.value instanceof Uint8Array
        : arg instanceof Uint8Array || arg instanceof SecretArg || arg instanceof BlockArg
    default:
      return false
  }
}

// `Array.isArray` does not narrow readonly arrays.
const isList = <T>(value: unknown): value is ReadonlyArray<T> => Array.isArray(value)

const describe = (value: unknown): string =>
  value instanceof KeyArg
    ? `a key that is ${describe(value.value)}`
    : value === null || value === undefined || typeof value === "number"
    ? String(value)
    : typeof value === "string"
    ? "text with half a surrogate pair"
    : isList(value)
    ? "an array"
    : typeof value === "object"
    ? "an object"
    : `a ${typeof value}`
