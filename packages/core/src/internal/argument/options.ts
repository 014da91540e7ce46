/**
 * Options of functions that make more than a command. Wrong ones are the failure of what such a function makes, which
 * names the function and the option.
 */
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import type { DataError } from "../../RedisError.ts"
import { durationFrom } from "../runtime/milliseconds.ts"
import { invalid } from "./refusal.ts"
import { dataError, unreadable } from "./unreadable.ts"

/** Reads the options of a function by what refuses wrong ones, such as {@link count}. `of` is what errors call the function. */
export const readOptions = <A>(of: string, read: () => A): Exit.Exit<A, DataError> => {
  try {
    return Exit.succeed(read())
  } catch (error) {
    return Exit.fail(dataError(of, unreadable(error, readOptions)))
  }
}

/**
 * Options that a program without types may leave out altogether, or have something else for. Whoever reads one of them refuses
 * that it is missing, as where all the others are there.
 */
export const orNone = <A extends object>(options: A): A =>
  typeof options === "object" && options !== null ? options : {} as A

/** A whole number of things, at least one. */
export const count = (option: string, given: number): number =>
  Number.isSafeInteger(given) && given >= 1
    ? given
    : invalid(`${option} is ${format(given)}, and must be a whole number from 1 on`)

/** A number from 0 on, which need not be whole, and is a part of something where `most` is 1. */
export const amount = (option: string, given: number, most = Number.MAX_VALUE): number =>
  typeof given === "number" && given >= 0 && given <= most
    ? given
    : invalid(`${option} is ${format(given)}, and must be a number from 0 ${most === 1 ? "to 1" : "on"}`)

/** A name, which programs without types may leave out: otherwise they are told of a part of some command. */
export const given = <A>(option: string, name: A): A =>
  name ?? invalid(`${option} is missing; give its name, such as { ${option}: "${option}-1" }`)

/** A time of any length. */
export const duration = (option: string, given: Duration.Input): Duration.Duration =>
  durationFrom(given) ?? invalid(notDuration(option, given))

/** What is wrong with a time that is none. */
export const notDuration = (option: string, given: Duration.Input): string =>
  `${option} is ${format(given)}, and must be a duration, such as "5 seconds"`

/** A time of any length in milliseconds, with their fraction. */
export const milliseconds = (option: string, given: Duration.Input): number =>
  Duration.toMillis(duration(option, given))

/** A time in whole milliseconds. It is rounded up: less than a millisecond must not become 0, which stands for no limit. */
export const wholeMilliseconds = (option: string, given: Duration.Input): number =>
  Math.ceil(milliseconds(option, given))

/** A time that is longer than none. */
export const someTime = (option: string, given: Duration.Input, or = ""): Duration.Duration => {
  const time = duration(option, given)
  return Duration.toMillis(time) > 0
    ? time
    : invalid(`${option} is ${format(given)}, and must be more than no time, such as "5 seconds"${or}`)
}

/** How long something lives, in whole milliseconds. No time is refused, as nothing would be there, and so is one without end. */
export const life = (option: string, given: Duration.Input): number => {
  const time = Math.ceil(Duration.toMillis(someTime(option, given)))
  return time <= longestLife
    ? time
    : invalid(`${option} is ${format(given)}, and must have an end within 285,000 years, such as "5 seconds"`)
}

/** How long something lives that may live without end, which is `undefined`. */
export const lifeOrEndless = (option: string, given: Duration.Input): number | undefined => {
  const time = Math.ceil(Duration.toMillis(someTime(option, given, `, or "Infinity" for no end`)))
  return time <= longestLife ? time : undefined
}

/** The longest life in milliseconds that is exact as a number. What is longer is without end. */
const longestLife = Number.MAX_SAFE_INTEGER
