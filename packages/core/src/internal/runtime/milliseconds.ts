/**
 * Durations that programs give.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** The units of a duration that is an object. */
const units = ["weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"] as const

/** The units of a `Temporal.Duration` whose length is not always the same. */
const calendarUnits = ["years", "months"]

const known: ReadonlySet<string> = new Set(units)

/**
 * Reads a duration; `undefined` for what is none. `Duration.fromInput` takes any object, and an object without a unit that
 * it knows for no time at all: a `Date`, or `{ minute: 5 }`; so it does with `NaN`. EXPIRE deletes a key that is to live for no time, and BLPOP
 * with no time blocks for ever.
 */
export const durationFrom = (input: Duration.Input): Duration.Duration | undefined =>
  typeof input !== "object" && !Number.isNaN(input) || isTime(input)
    ? Option.getOrUndefined(Duration.fromInput(input))
    : undefined

/** The refusal of a value that is not a duration, with an example of one that is. */
export const noDuration = (shown: string): string => `${shown} is not a duration, such as "10 seconds"`

const isTime = (input: unknown): boolean => {
  if (typeof input !== "object" || input === null) return false
  if (Duration.isDuration(input)) return true
  if (Array.isArray(input)) return input.length === 2 && input.every(isAmount)
  // Asked for by their names, as those of a `Temporal.Duration` are getters.
  const amounts = units.map((unit): unknown => Reflect.get(input, unit)).filter((amount) => amount !== undefined)
  return amounts.length > 0 && amounts.every(isAmount) && Object.keys(input).every((name) => known.has(name)) &&
    calendarUnits.every((unit) => !Reflect.get(input, unit))
}

const isAmount = (amount: unknown): boolean => typeof amount === "number" && !Number.isNaN(amount)
