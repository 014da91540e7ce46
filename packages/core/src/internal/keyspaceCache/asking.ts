/**
 * Asks for values, once for all callers.
 *
 * A caller that finds nothing and gets the lease loads, for all that ask in this program meanwhile. One that gets no lease
 * looks again and again, once for all that wait in this program, until there is a value or nobody loads any more. So no waiter
 * ever takes a lease that another may be waiting for.
 *
 * A value that was loaded is for the callers that asked before its load began, whatever became of it since: it is no older
 * than what they asked for. It is for later callers only if it was stored under its lease: then nothing has replaced or
 * deleted it meanwhile.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Random from "effect/Random"
import { isRetryable } from "../../RedisError.ts"
import { quoted } from "../error/printable.ts"
import { Flights } from "../runtime/flights.ts"
import type { Flight } from "../runtime/flights.ts"
import type { Restore } from "../runtime/restore.ts"
import * as Loads from "./loads.ts"
import type { Loaded, Work } from "./loads.ts"
import type { Lookup, Sight } from "./lookup.ts"
import type { Failure, Grant, Shared } from "./shared.ts"

/**
 * What a flight brings.
 *
 * - `since`: the moment at which the look or the load began that it comes from.
 */
interface Answer<A> extends Loaded<A> {
  readonly since: number
}

type Load<A, E> = Flight<Answer<A>, Failure<E>>

/** What a look comes to: a value, the load of it that counts the caller, or that another program has the lease. */
type Found<A, E> =
  | Exclude<Sight<A>, { readonly _tag: "Granted" }>
  | { readonly _tag: "Loading"; readonly load: Load<A, E> }

export class Asking<Id, A, E, R> {
  readonly #shared: Shared<Id, A, E, R>
  readonly #lookup: Lookup<A>
  readonly #loads: Loads.Loads<Id, A, E>
  readonly #loadsAlone: boolean
  readonly #flights: Flights<Answer<A>, Failure<E>>
  /** The flights that wait for another program. A flight that looks for all that wait cannot join one of them. */
  readonly #waits = new WeakSet<Load<A, E>>()
  #moments = 0

  /** `loadsAlone`: whether values are loaded without Redis where it cannot be reached. */
  constructor(shared: Shared<Id, A, E, R>, lookup: Lookup<A>, loadsAlone: boolean) {
    this.#shared = shared
    this.#lookup = lookup
    this.#loads = Loads.make(shared)
    this.#loadsAlone = loadsAlone
    this.#flights = new Flights(shared.scope)
  }

  /** The value, from wherever it is. */
  ask(id: Id, key: string): Effect.Effect<Option.Option<A>, Failure<E>> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        const asked = this.#moment()
        for (;;) {
          let flight = this.#flights.join(key)
          if (flight === undefined) {
            const found = yield* this.#look(id, key, restore)
            if (found._tag === "Known") return found.value
            flight = found._tag === "Loading" ? found.load : yield* this.#wait(id, key, found.refused)
          }
          const { current, since, value } = yield* this.#flights.outcome(key, flight, restore)
          if (current || since > asked) return value
        }
      })
    )
  }

  /** Callers from now on do not join an earlier load. */
  forget(key: string): void {
    this.#flights.forget(key)
  }

  /** A number that is higher each time: it tells what has begun after a caller asked from what began before. */
  readonly #moment = (): number => ++this.#moments

  /** Looks, and acts on it. */
  #look(id: Id, key: string, restore: Restore): Effect.Effect<Found<A, E>, Failure<E>> {
    const { load, loadAlone } = this.#loads
    return Effect.flatMap(
      Random.next,
      (random) =>
        Effect.matchEffect(this.#lookup.look(key, -Math.log(1 - random) * this.#shared.settings.early, restore), {
          onSuccess: (sight): Effect.Effect<Found<A, E>> =>
            sight._tag === "Granted"
              ? this.#begin(key, load(id, key, sight.grant))
              : sight._tag === "Elsewhere" || sight.renew === undefined
              ? Effect.succeed(sight)
              : Effect.as(this.#renew(id, key, sight.renew), sight),
          onFailure: (error) =>
            this.#loadsAlone && isRetryable(error)
              ? Effect.suspend(() => this.#joinable(key) ?? this.#begin(key, loadAlone(id, key)))
              : Effect.fail(error)
        })
    )
  }

  #begin(key: string, work: Work<A, E>): Effect.Effect<Found<A, E>> {
    return Effect.withFiber(({ context }) => {
      const since = this.#moment()
      const answer = (restore: Restore) => Effect.map(work(restore), (loaded) => ({ ...loaded, since }))
      return loading(this.#flights.start(context, key, answer, since))
    })
  }

  /** The load under way, which counts the caller. */
  #joinable(key: string): Effect.Effect<Found<A, E>> | undefined {
    const flight = this.#flights.get(key)
    if (flight === undefined || this.#waits.has(flight)) return undefined
    this.#flights.join(key)
    return loading(flight)
  }

  /** Loads a value anew that is still answered meanwhile. */
  #renew(id: Id, key: string, grant: Grant): Effect.Effect<unknown> {
    const { own, scope } = this.#shared
    const work = this.#loads.load(id, key, grant)(Effect.interruptible)
    return own(Effect.catchCause(work, (cause) => warnUnlessInterrupted(key, cause))).pipe(
      Effect.forkIn(scope, { startImmediately: true, uninterruptible: true })
    )
  }

  /** What waits for another program, or what has begun meanwhile. It counts the caller. */
  #wait(id: Id, key: string, refused: Uint8Array | undefined): Effect.Effect<Load<A, E>> {
    return Effect.withFiber(({ context }) => {
      const begun = this.#flights.join(key)
      if (begun !== undefined) return Effect.succeed(begun)
      const waiting = (restore: Restore) => this.#waiting(id, key, refused, restore)
      const flight = this.#flights.start(context, key, waiting, this.#moment())
      this.#waits.add(flight)
      return Effect.succeed(flight)
    })
  }

  /** Looks for all who wait, until there is a value or this program has to load it. */
  #waiting(
    id: Id,
    key: string,
    refused: Uint8Array | undefined,
    restore: Restore
  ): Effect.Effect<Answer<A>, Failure<E>> {
    return Effect.gen({ self: this }, function*() {
      for (let last = refused;;) {
        const seen = yield* restore(this.#lookup.wait(key, last, this.#moment))
        if (seen !== undefined) return { ...seen, current: false }
        const since = this.#moment()
        const found = yield* this.#look(id, key, restore)
        if (found._tag === "Known") return { value: found.value, current: false, since }
        if (found._tag === "Loading") return yield* this.#flights.outcome(key, found.load, restore)
        last = found.refused
      }
    })
  }
}

const loading = <A, E>(load: Load<A, E>): Effect.Effect<Found<A, E>> => Effect.succeed({ _tag: "Loading", load })

const warnUnlessInterrupted = (key: string, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Cause.hasInterruptsOnly(cause)
    ? Effect.void
    : Effect.logWarning(`The value for ${quoted(key)} could not be renewed`, cause)
