/** Kills masters, and finds out when servers take writes again, and when each client has found them. */
import type * as RedisServer from "@redfx/node/RedisServer"
import * as Effect from "effect/Effect"
import { probeAt } from "../../bench/src/chaos/faults.ts"
import { takesWrites } from "../../bench/src/chaos/probe.ts"
import type { Server, Site, Victim } from "./deployments.ts"
import { places } from "./writers.ts"
import type { Book } from "./writers.ts"

/**
 * An outage. `at`: when the master was gone; `open`: from when on a server took writes in its stead; `back`: when each
 * client had its first write there, by the client's name (all `performance.now()`).
 */
export interface Outage {
  readonly at: number
  open: number | undefined
  readonly back: Map<string, number>
}

/** A deployment as the meter shows it. `master`: who takes writes to what `next` owns, which is killed next. */
export interface View {
  readonly site: Site
  readonly books: ReadonlyArray<Book>
  next: Victim
  master: Server | undefined
  outage: Outage | undefined
}

/** How long a client may take to write again before the demo goes on without it, in milliseconds. */
const patience = 8000

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`

/** How long the writes of a client stood still, and how much of that was its own doing. */
export const recoveryOf = (outage: Outage, client: string): string | undefined => {
  const back = outage.back.get(client)
  return back === undefined || outage.open === undefined
    ? undefined
    : `back after ${seconds(back - outage.at)} (${Math.max(0, Math.round(back - outage.open))} ms its own)`
}

/** What is begun when the master is gone, and acknowledged nevertheless, was acknowledged by another. */
const watch = (view: View, outage: Outage, owns: (place: string) => boolean): void => {
  for (const book of view.books) {
    book.onAcknowledged = ({ begun, ended, place }) => {
      if (begun < outage.at || !owns(place)) return
      outage.back.set(book.client, ended)
      book.onAcknowledged = () => {}
    }
  }
}

const untilBack = (view: View, outage: Outage): Effect.Effect<void> =>
  Effect.gen(function*() {
    const limit = performance.now() + patience
    while (outage.back.size < view.books.length && performance.now() < limit) yield* Effect.sleep("20 millis")
  })

const tellOfClients = (view: View, outage: Outage): string =>
  view.books.map(({ client }) => `${client} ${recoveryOf(outage, client) ?? `not within ${seconds(patience)}`}`).join(
    "; "
  )

/** Kills the master, waits until all clients write to the next one, and has the killed server come back. */
export const strike = Effect.fnUntraced(function*(
  view: View,
  log: (text: string) => Effect.Effect<void>
): Effect.fn.Return<void, RedisServer.RedisServerError> {
  const { next: { back, heirs, owns, server }, site } = view
  yield* server.kill()
  const outage: Outage = { at: performance.now(), open: undefined, back: new Map() }
  view.outage = outage
  view.master = undefined
  watch(view, outage, owns)
  yield* log(`${site.title}: kill -9 of the master, :${server.port}`)
  const probe = probeAt(places[0] ?? "")
  const successor = Effect.raceAll(heirs.map((heir) => Effect.as(takesWrites(heir, probe), heir)))
  const [heir] = yield* Effect.all([
    Effect.tap(successor, (heir) =>
      Effect.sync(() => {
        outage.open = performance.now()
        view.master = heir
      })),
    back
  ], { concurrency: "unbounded" })
  yield* untilBack(view, outage)
  yield* log(`${site.title}: :${heir.port} takes writes; ${tellOfClients(view, outage)}`)
  if (heir !== server) yield* server.restart
  yield* site.settled
  view.next = yield* site.victim
  view.master = view.next.server
})
