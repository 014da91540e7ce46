/**
 * Announcements to any number of listeners.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
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
  Effect.gen(function*() {
    const listening = new Set<Queue.Queue<A, Cause.Done>>()
    let ended = false
    // A fiber that listens may go on, and end, within what is done here.
    const each = (act: (queue: Queue.Queue<A, Cause.Done>) => void) => {
      for (const queue of Array.from(listening)) aside(() => act(queue))
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        ended = true
        each(Queue.endUnsafe)
      })
    )
    const listen = Effect.acquireRelease(
      Effect.map(Queue.sliding<A, Cause.Done>(kept), (queue) => {
        if (ended) Queue.endUnsafe(queue)
        else listening.add(queue)
        return queue
      }),
      (queue) => Effect.sync(() => listening.delete(queue))
    )
    return {
      tell: (announcement) => each((queue) => Queue.offerUnsafe(queue, announcement)),
      told: Stream.unwrap(Effect.map(listen, Stream.fromQueue))
    }
  })
