/** Fifty fibers that write through one client, and the book of what they were told. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Fate } from "../../bench/src/chaos/clients.ts"
import type { Write } from "./clients.ts"

/** How many fibers write at a time, each at a place of its own. */
export const places: ReadonlyArray<string> = Array.from({ length: 50 }, (_, index) => `demo:${index}`)

/** One write and what its caller was told. */
interface Told extends Fate {
  readonly place: string
  readonly id: string
}

/** A write that was acknowledged, and when it was begun and ended (`performance.now()`). */
interface Acknowledged {
  readonly place: string
  readonly begun: number
  readonly ended: number
}

/**
 * - `told`: all writes that ended. `open`: how many did not yet.
 * - `acknowledged`, `unknown`: how many of those that ended.
 * - `errors`: failures by tag, also of attempts that were repeated.
 * - `onAcknowledged`: is called for every one.
 */
export interface Book {
  readonly client: string
  readonly told: Array<Told>
  readonly errors: Map<string, number>
  acknowledged: number
  unknown: number
  open: number
  onAcknowledged: (write: Acknowledged) => void
}

export const emptyBook = (client: string): Book => ({
  client,
  told: [],
  errors: new Map(),
  acknowledged: 0,
  unknown: 0,
  open: 0,
  onAcknowledged: () => {}
})

const writeOnce = Effect.fnUntraced(function*(book: Book, write: Write, place: string, id: string) {
  const begun = performance.now()
  book.open++
  const fate = yield* write(place, id, (tag) => book.errors.set(tag, (book.errors.get(tag) ?? 0) + 1))
  book.open--
  book.told.push({ place, id, ...fate })
  if (fate.fate === "unknown") book.unknown++
  if (fate.fate !== "acknowledged") return
  book.acknowledged++
  book.onAcknowledged({ place, begun, ended: performance.now() })
})

/**
 * Starts the writers, which pause for some milliseconds after each write: neither the event loop nor a server is what is
 * shown. Returns an effect that ends them; what is still on the way after five seconds stays `open`.
 */
export const startWriters = (
  book: Book,
  write: Write,
  pause: number
): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function*() {
    let isOver = false
    const writer = Effect.fnUntraced(function*(place: string) {
      for (let number = 0; !isOver; number++) {
        yield* writeOnce(book, write, place, String(number))
        yield* Effect.sleep(pause)
      }
    })
    const fibers = yield* Effect.forEach(places, (place) => Effect.forkScoped(writer(place)))
    return Effect.suspend(() => {
      isOver = true
      return Fiber.joinAll(fibers).pipe(Effect.timeoutOption("5 seconds"), Effect.asVoid)
    })
  })
