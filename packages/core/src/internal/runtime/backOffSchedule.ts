/**
 * The back-off of loops that retry. It is apart from the pauses of connections, which a bundle has without schedules.
 */
import * as Schedule from "effect/Schedule"

/** The schedule of a loop that retries for as long as it takes: soon at first, then at growing intervals of up to 2 seconds. */
export const backOffSchedule: Schedule.Schedule<unknown> = Schedule.jittered(
  Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")])
)
