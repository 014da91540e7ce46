/**
 * What `Effect.uninterruptibleMask` hands to its region.
 */
import type * as Effect from "effect/Effect"

/** Makes an effect within an uninterruptible region interruptible again. */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
