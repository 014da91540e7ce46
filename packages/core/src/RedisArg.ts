/**
 * The arguments of commands: which of them are keys, which are secret, and how options, flags and times are spelled.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { format } from "effect/Formatter"
import * as Redacted from "effect/Redacted"
import { isDate } from "./internal/argument/isDate.ts"
import { isReadonlyArray } from "./internal/argument/isReadonlyArray.ts"
import { kindOf } from "./internal/argument/kinds.ts"
import { invalid } from "./internal/argument/refusal.ts"
import { secretText } from "./internal/argument/secretText.ts"
import { isBytes } from "./internal/codec/utf8.ts"
import { durationFrom, noDuration } from "./internal/runtime/milliseconds.ts"
import type * as Resp from "./Resp.ts"

export { invalid, InvalidArgument } from "./internal/argument/refusal.ts"

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
 * to the same number, infinities as `inf` and `-inf`, and `-0` as `0`, as servers
 * take `-0` for no integer; `NaN` is refused.
 *
 * @category models
 * @since 0.1.0
 */
export type Value = string | number | bigint | Uint8Array

/**
 * Several of something, for rest parameters: as separate arguments or as one array. The arrays are the function's own, as
 * TypeScript's `Parameters` gives `never` for those that are `readonly`.
 *
 * @category models
 * @since 0.1.0
 */
export type Many<T> = Array<T> | [ReadonlyArray<T>]

/**
 * Pairs as a record, or as an array of pairs where the order or bytes matter. An object whose type is an interface is no record
 * to TypeScript, and is one when it is spread: `{ ...user }`.
 *
 * @category models
 * @since 0.1.0
 */
export type Pairs<K extends Value, V> = Readonly<Record<string, V>> | ReadonlyArray<readonly [K, V]>

/**
 * The fields of an object, each of which can be sent. Unlike a record it takes what has an interface for a type:
 * `<F extends object & RedisArg.Fields<F>>(fields: F)`.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields<F> = { readonly [K in keyof F]: Value }

/**
 * A point in time.
 *
 * @category models
 * @since 0.1.0
 */
export type Instant = DateTime.DateTime | Date

/**
 * One argument, or several, as a definition lists them. An array is no argument:
 * it may come from a caller, and must not add words to a command. Several arguments
 * at one position are a {@link List}.
 *
 * @category models
 * @since 0.1.0
 */
export type Arg = Part | List

/**
 * Several arguments that a definition made, none for an option that was not given.
 *
 * **Details**
 *
 * Only the constructors of this module make one: what a caller gave is never
 * taken for a list, whatever it looks like.
 *
 * @category models
 * @since 0.1.0
 */
export class List {
  // Private, so that neither a proxy nor an object with this prototype has it.
  readonly #args: ReadonlyArray<Arg>

  constructor(args: ReadonlyArray<Arg>) {
    this.#args = args
  }

  /** What a list holds, `undefined` for anything else. */
  static argsOf(value: object): ReadonlyArray<Arg> | undefined {
    return #args in value ? value.#args : undefined
  }

  /** The number of arguments; a list among them counts as one. */
  get length(): number {
    return this.#args.length
  }

  /** The arguments in order. */
  [Symbol.iterator](): Iterator<Arg> {
    return this.#args[Symbol.iterator]()
  }
}

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
  /** The key as it is sent. */
  readonly value: Key

  constructor(value: Key) {
    this.value = value
  }

  /** The key for a client that renames all keys, such as one with a prefix. */
  renamed(rename: (key: Key) => Key): KeyArg {
    return new KeyArg(rename(this.value))
  }
}

/**
 * An argument that is never printed.
 *
 * @category models
 * @since 0.1.0
 */
export class SecretArg {
  /** What is sent and never printed. */
  readonly value: Redacted.Redacted<string>

  constructor(value: Redacted.Redacted<string>) {
    this.value = value
  }
}

/**
 * How long the server may hold back its answer to a blocking command.
 *
 * @category models
 * @since 0.1.0
 */
export class BlockArg {
  /** The time as it is sent. */
  readonly value: number | string
  /** The same time, `Infinity` for no limit, `0` for not at all. */
  readonly milliseconds: number

  constructor(value: number | string, milliseconds: number) {
    this.value = value
    this.milliseconds = milliseconds
  }
}

/**
 * Returned by a definition when there is nothing to send and the answer is plain.
 *
 * @category models
 * @since 0.1.0
 */
export class Answer {
  /** The answer. */
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
 * Several arguments at one position.
 *
 * @category constructors
 * @since 0.1.0
 */
export const list = (...args: Array<Arg>): List => new List(args)

/**
 * Several keys.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keys = (values: Readonly<Many<Key>>): List => new List(many(values).map(key))

/**
 * Several keys; at least one is needed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const someKeys = (values: Readonly<Many<Key>>): List => new List(some(values, "needs at least one key").map(key))

/**
 * The number of keys, then the keys.
 *
 * @category constructors
 * @since 0.1.0
 */
export const countedKeys = (values: Readonly<Many<Key>>): List => {
  const given = some(values, "needs at least one key")
  return new List([given.length, ...given.map(key)])
}

/**
 * Rest arguments, or the one array given instead of them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const many = <T>(values: Readonly<Many<T>>): ReadonlyArray<T> => {
  if (values[0] instanceof Set) return invalid("takes its values as an array; of a Set, [...set] makes one")
  // It is either form: an array as the first element means the second one, as no T is an array.
  const list = values.length === 1 && isReadonlyArray<T>(values[0]) ? [...values[0]] : values as ReadonlyArray<T>
  for (let i = 0; i < list.length; i++) {
    if (isReadonlyArray(list[i])) return cannotSend(list[i])
  }
  return list
}

/**
 * Like {@link many}, refusing an empty list.
 *
 * @category constructors
 * @since 0.1.0
 */
export const some = <T>(values: Readonly<Many<T>>, detail = "needs at least one value"): ReadonlyArray<T> => {
  const list = many(values)
  return list.length === 0 ? invalid(detail) : list
}

/**
 * Pairs, flattened; at least one is needed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pairs = <K extends Value>(entries: Pairs<K, Value>): List => paired(entries, (name) => name)

/**
 * Pairs whose first halves are keys, flattened; at least one is needed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keyPairs = (entries: Pairs<Key, Value>): List => paired<Key>(entries, key)

/** Loops over indexes and names, as `flatMap` and `Object.entries` take 90 µs of the 280 of MSET of 1000. */
const paired = <K extends Value>(entries: Pairs<K, Value>, named: (name: K | string) => Arg): List => {
  // The entries of a text would be its characters, as in `mset("key", "value")`, which other clients accept.
  if (typeof entries !== "object") return invalid(needsPairs)
  const out: Array<Arg> = []
  if (isReadonlyArray<readonly [K, Value]>(entries)) {
    for (let i = 0; i < entries.length; i++) {
      const pair = entries[i]
      if (!isReadonlyArray<K | Value>(pair) || pair.length !== 2) return invalid(needsPairs)
      out.push(named(half(pair[0])), half(pair[1]))
    }
  } else {
    // As a record, a Map has no entries.
    if (Symbol.iterator in entries) {
      return invalid("takes its pairs as a record or an array; of a Map, [...map] makes one")
    }
    // The record has the name. An `undefined` value is refused like everything else that cannot be sent.
    for (const name of Object.keys(entries)) out.push(named(name), half(entries[name]!))
  }
  return out.length === 0 ? invalid("needs at least one pair") : new List(out)
}

/** An array would be taken apart when the pairs are made into one list. */
const half = <A>(value: A): A => isReadonlyArray(value) ? cannotSend(value) : value

const needsPairs = "needs pairs of a name and a value, such as { name: value }"

/**
 * A token and its value, or nothing when there is no value.
 *
 * @category constructors
 * @since 0.1.0
 */
export const option = (token: string, value: Arg | undefined): List =>
  value === undefined ? none : typeof value === "function" ? notRecord(token) : new List([token, value])

/**
 * A token that is sent when `given` is true. What is no boolean is refused, as by {@link boolean}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flag = (token: string, given: boolean | undefined): List =>
  boolean(token, given) === true ? new List([token]) : none

/**
 * Returns an option that is true, false or left out, and refuses anything else: the text "false" counts as true elsewhere.
 * `name` is what the error calls it. For an option that chooses between two words; one that is a word or nothing is a
 * {@link flag}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const boolean = (name: string, given: boolean | undefined): boolean | undefined =>
  given === undefined || typeof given === "boolean"
    ? given
    : typeof given === "function"
    ? notRecord(name)
    : invalid(`${name} is true, false or left out, and not ${kindOf(given).is}`)

/**
 * Refuses what has a method where an option is looked for: a text in place of the options has `replace` and `match`.
 */
const notRecord = (name: string): never =>
  invalid(`takes its options as a record, such as { ${name.toLowerCase()}: … }`)

/**
 * One of several tokens, upper-cased, or nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const token = (value: string | undefined): List =>
  value === undefined ? none : typeof value === "string" ? new List([value.toUpperCase()]) : cannotSend(value)

/**
 * Nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const none: List = new List([])

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
 * How long something lives that redfx makes: a lock, the values of a keyspace. It is an Effect `Duration` or its text,
 * such as `"1 hour"`. A bare number is refused, as Redis counts in seconds and Effect in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export type TimeToLive = Exclude<Duration.Input, number>

/**
 * A time span in whole seconds; fractions are cut off. One shorter than a second
 * is refused, as no time at all means something else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const seconds = (time: Time): number => whole(fractionalSeconds(time), time, "a second")

/**
 * A time span in whole milliseconds, a bare number being milliseconds; fractions
 * are cut off. One shorter than a millisecond is refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const milliseconds = (time: Time): number => whole(fractionalMilliseconds(time), time, "a millisecond")

/**
 * A time span in seconds with its fraction, a bare number being seconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fractionalSeconds = (time: Time): number =>
  typeof time === "number" ? time : Duration.toSeconds(duration(time))

const fractionalMilliseconds = (time: Time): number =>
  typeof time === "number" ? time : Duration.toMillis(duration(time))

/** Cuts the fraction off. What is not zero must not become zero, which means now to EXPIRE and for ever to RESTORE. */
const whole = (value: number, time: Time | Instant, unit: string): number => {
  const cut = Math.trunc(value)
  return cut === 0 && value !== 0 ? invalid(`${format(time)} is shorter than ${unit}, and would be sent as 0`) : cut
}

/** It stands beside values, which may have changed places with it. */
const duration = (time: Time): Duration.Duration => durationFrom(time) ?? invalid(noDuration(kindOf(time).is))

/**
 * How long a blocking command may block, sent in seconds with their fraction;
 * `0` and an infinite duration block without limit, which is the default. A time
 * shorter than a millisecond is refused: servers before Redis 7 take it for 0. So
 * they do with a millisecond, which is sent as a little more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blockSeconds = (time: Time = 0): BlockArg => {
  const value = fractionalSeconds(time)
  if (!Number.isFinite(value) || value <= 0) return unlimited(value)
  whole(value * 1000, time, "a millisecond")
  // Servers before Redis 7 multiply and cut the fraction off. Nothing is left of 0.001, which is no exact number.
  return new BlockArg(Math.max(value, 0.0011), value * 1000)
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
  const given = fractionalMilliseconds(time)
  const value = Math.ceil(given)
  return Number.isFinite(value) && value > 0 ? new BlockArg(value, value) : unlimited(given)
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
  whole(typeof when === "number" ? when : unixMilliseconds(when) / 1000, when, "a second after 1970")

/**
 * A point in time in unix milliseconds; a bare number is that already.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unixMilliseconds = (when: Instant | number): number =>
  typeof when === "number"
    ? whole(when, when, "a millisecond after 1970")
    : isDate(when)
    ? when.getTime()
    : DateTime.toEpochMillis(when)

// -----------------------------------------------------------------------------
// Flattening
// -----------------------------------------------------------------------------

/**
 * The parts of an argument list in order, each checked: anything but text,
 * bytes, numbers and bigints is refused here, before a byte is sent. Lists that
 * a definition made are taken apart; an array, whoever gave it, is refused.
 *
 * @category combinators
 * @since 0.1.0
 */
export const flatten = (args: ReadonlyArray<Arg> | List): ReadonlyArray<Part> => {
  const list = isReadonlyArray<Arg>(args) ? args : listed(args) ?? cannotSend(args)
  for (let i = 0; i < list.length; i++) {
    // Most commands are flat already and need no copy.
    if (!isPart(list[i])) return flattenInto([], list)
  }
  // Every element was just seen to be a part.
  return list as ReadonlyArray<Part>
}

const flattenInto = (out: Array<Part>, args: ReadonlyArray<Arg>): Array<Part> => {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    if (isPart(arg)) out.push(arg)
    else flattenInto(out, listed(arg) ?? cannotSend(arg, out.length + 1))
  }
  return out
}

const listed = (arg: unknown): ReadonlyArray<Arg> | undefined =>
  typeof arg === "object" && arg !== null ? List.argsOf(arg) : undefined

/** `at`: the number of the argument as it would be sent, behind the name of the command. */
const cannotSend = (value: unknown, at?: number): never => {
  const { instead, is } = kindOf(value instanceof KeyArg ? value.value : value)
  const what = value instanceof KeyArg ? `a key that is ${is}` : value instanceof SecretArg ? noSecret : is
  const all = value instanceof KeyArg
    ? "keys are text or bytes"
    : `send text, bytes, a number or a bigint${typeof value === "object" && value !== null ? ", or JSON of it" : ""}`
  return invalid(`cannot send ${what}; ${instead ?? all}${at === undefined ? "" : ` (argument ${at})`}`)
}

const noSecret = "a secret that is no text, or was wiped"

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
        ? typeof arg.value === "string" ? arg.value.isWellFormed() : isBytes(arg.value)
        : isBytes(arg) || arg instanceof SecretArg && secretText(arg.value) !== undefined ||
          arg instanceof BlockArg && (typeof arg.value === "number" || isPart(arg.value))
    default:
      return false
  }
}
