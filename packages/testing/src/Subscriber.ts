/**
 * Consumers of streams in tests: the elements so far, and waiting for more.
 */
import { Listeners } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** A running consumer. */
export interface Subscriber<A, E> {
  readonly elements: ReadonlyArray<A>
  /** Waits until the elements satisfy a condition. Fails when the stream fails, or ends first. */
  readonly until: (condition: (elements: ReadonlyArray<A>) => boolean) => Effect.Effect<ReadonlyArray<A>, E>
  /** Waits until the stream ends. */
  readonly end: Effect.Effect<void, E>
  readonly stop: Effect.Effect<void>
}

/** Consumes a stream for as long as the scope is open; `pace` is run for each element. */
export const consume = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  pace: (element: A) => Effect.Effect<unknown> = () => Effect.void
): Effect.Effect<Subscriber<A, E>, never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const elements: Array<A> = []
    const changes = new Listeners()
    const fiber = yield* stream.pipe(
      Stream.runForEach((element) =>
        Effect.suspend(() => {
          elements.push(element)
          changes.tell()
          return pace(element)
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    const ended = Effect.andThen(Fiber.join(fiber), Effect.die(new Error("the stream ended before")))
    return {
      elements,
      until: (condition) => Effect.as(Effect.raceFirst(changes.until(() => condition(elements)), ended), elements),
      end: Fiber.join(fiber),
      stop: Fiber.interrupt(fiber)
    }
  })

/** A short text for an element of a subscription. */
export const brief = (
  element: {
    readonly _tag: string
    readonly channel?: string
    readonly channels?: ReadonlyArray<string>
    readonly data?: unknown
  }
): string =>
  element._tag === "Message"
    ? `${element.channel}=${String(element.data)}`
    : `${element._tag} ${element.channel ?? element.channels?.join()}`

/**
 * How many of a series of numbered messages are missing. Where messages are missing, there must be a Lost and a
 * Restored between the messages before and after the gap.
 */
export const missing = (
  elements: ReadonlyArray<{ readonly _tag: string; readonly data?: unknown }>
): { readonly missing: number; readonly silent: ReadonlyArray<string> } => {
  const silent: Array<string> = []
  let missing = 0
  let last: number | undefined = undefined
  let [lost, told] = [false, false]
  for (const { _tag, data } of elements) {
    if (_tag === "Lost") lost = told = true
    if (_tag === "Restored") lost = false
    if (_tag !== "Message") continue
    const number = Number(data)
    const expected = (last ?? number - 1) + 1
    if (number < expected) {
      silent.push(`${last} is followed by ${number}`)
      continue
    }
    missing += number - expected
    if (number > expected && !told) silent.push(`${last} is followed by ${number}`)
    last = number
    told = lost
  }
  if (lost) silent.push("what was lost was not restored")
  return { missing, silent }
}

/**
 * Numbered messages that are published one after the other.
 *
 * - `begun`: how many were begun so far. `acknowledged`: those that were certainly published.
 */
export interface Series {
  readonly begun: number
  readonly acknowledged: ReadonlySet<number>
}

/** Publishes a series for as long as the scope is open. An error ends a message and not the series. */
export const publish = <E, R>(
  message: (number: number) => Effect.Effect<unknown, E, R>
): Effect.Effect<Series, never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const series = { begun: 0, acknowledged: new Set<number>() }
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(
      Effect.suspend(() => {
        const number = series.begun++
        return Effect.ignore(Effect.tap(message(number), () => Effect.sync(() => series.acknowledged.add(number))))
      }),
      Effect.sleep("1 millis")
    )))
    return series
  })

/** An element, and how many messages of its series were begun when it came. */
export interface Witnessed {
  readonly element: { readonly _tag: string; readonly data?: unknown }
  readonly begun: number
}

/**
 * The messages of a series that are missing, though no gap tells of them. A gap tells of what was begun after the last
 * message before its Lost, and before its Restored. It is time that counts and not the place in the stream, because
 * nodes of a cluster pass messages on to each other: some come late, after a Restored, though later ones are missing.
 */
export const untold = (witnessed: ReadonlyArray<Witnessed>, { acknowledged }: Series): ReadonlyArray<number> => {
  const received = new Set<number>()
  const gaps: Array<{ readonly after: number; readonly before: number }> = []
  let last = -1
  let lostAfter: number | undefined = undefined
  for (const { begun, element: { _tag, data } } of witnessed) {
    if (_tag === "Lost") lostAfter ??= last
    if (_tag === "Restored" && lostAfter !== undefined) {
      gaps.push({ after: lostAfter, before: begun })
      lostAfter = undefined
    }
    if (_tag !== "Message") continue
    received.add(Number(data))
    last = Math.max(last, Number(data))
  }
  const first = Math.min(...received)
  // What comes after the last message may be on its way.
  return [...acknowledged].filter((number) =>
    number > first && number < last && !received.has(number) &&
    !gaps.some(({ after, before }) => number > after && number < before)
  )
}

/** The messages that came more than once with no Lost between: the next server may repeat some, but none says anything twice. */
export const repeated = (
  elements: ReadonlyArray<{ readonly _tag: string; readonly data?: unknown }>
): ReadonlyArray<unknown> => {
  const seen = new Set<unknown>()
  return elements.flatMap(({ _tag, data }) => {
    if (_tag === "Lost") seen.clear()
    if (_tag !== "Message") return []
    const isRepeated = seen.has(data)
    seen.add(data)
    return isRepeated ? [data] : []
  })
}
