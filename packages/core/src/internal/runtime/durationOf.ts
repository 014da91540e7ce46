/**
 * Durations of what callers give.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/**
 * The duration, none for what is no time. A record without a unit of time is none: Effect reads `{}` and a `Date` as zero,
 * and a time to live of zero deletes a key.
 */
export const durationOf = (input: Duration.Input): Option.Option<Duration.Duration> =>
  typeof input === "object" && !Duration.isDuration(input) && !Array.isArray(input) && !hasUnit(input)
    ? Option.none()
    : Duration.fromInput(input)

const hasUnit = (input: object): boolean => units.some((unit) => unit in input)

const units: ReadonlyArray<keyof Duration.DurationObject> = [
  "weeks",
  "days",
  "hours",
  "minutes",
  "seconds",
  "milliseconds",
  "microseconds",
  "nanoseconds"
]
