/**
 * Durations of options as numbers of milliseconds.
 */
import * as Duration from "effect/Duration"

export const milliseconds = (time: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(time))

/** Rounds up: a time of less than a millisecond must not become 0, which stands for no limit. */
export const wholeMilliseconds = (time: Duration.Input): number => Math.ceil(milliseconds(time))
