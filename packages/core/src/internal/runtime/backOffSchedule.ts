/**
 * The back-off of loops that retry. It is apart from the pauses of connections, which a bundle has without schedules.
 */
import type * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"

/** A schedule that goes on for as long as it takes: first after a time, then at growing intervals of up to the longest. */
export const backOffBetween = (shortest: Duration.Input, longest: Duration.Input): Schedule.Schedule<unknown> =>
  Schedule.jittered(Schedule.min([Schedule.exponential(shortest), Schedule.spaced(longest)]))

/** The schedule of loops that retry, of which nobody has asked for another. */
export const backOffSchedule: Schedule.Schedule<unknown> = backOffBetween("50 millis", "2 seconds")
