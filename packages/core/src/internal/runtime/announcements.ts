/**
 * What has happened, for whoever listens.
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { aside } from "./aside.ts"

/** How much is kept for a listener that falls behind; it misses what is older. */
const kept = 256

/**
 * - `tell`: tells all who listen. It waits for none of them, and harms nobody when one throws.
 * - `told`: what is told from the moment on at which it is run, until the scope closes.
 */
export interface Announcements<A> {
  readonly tell: (announcement: A) => void
  readonly told: Stream.Stream<A>
}

/** Makes announcements, which end with the scope. */
export const announcements = <A>(): Effect.Effect<Announcements<A>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(PubSub.sliding<A>(kept), PubSub.shutdown),
    (events) => ({
      // A fiber that listens may go on, and end, within this call.
      tell: (announcement) => aside(() => PubSub.publishUnsafe(events, announcement)),
      told: Stream.fromPubSub(events)
    })
  )
