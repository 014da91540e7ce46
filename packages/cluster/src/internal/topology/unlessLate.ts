/**
 * Questions that other servers need not answer.
 */
import { withTimeout } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"

/** The result of an effect; `undefined` when the effect fails or takes more milliseconds. */
export const unlessLate = <A, E>(effect: Effect.Effect<A, E>, limit: number): Effect.Effect<A | undefined> =>
  withTimeout(Effect.orElseSucceed(effect, () => undefined), { limit, orElse: () => Effect.undefined })
