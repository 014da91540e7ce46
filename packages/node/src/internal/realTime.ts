/**
 * Servers do not follow the clock of a test.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Runs an effect in real time, also when a test's clock stands still. */
export const inRealTime = Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())
