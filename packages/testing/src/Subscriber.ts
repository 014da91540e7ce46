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
 * Restored between the messages before and after the gap. A late message is not missing, but is allowed only with
 * `mayBeLate`, because nodes of a cluster pass messages on to each other.
 */
export const missing = (
  elements: ReadonlyArray<{ readonly _tag: string; readonly data?: unknown }>,
  { mayBeLate = false } = {}
): { readonly missing: number; readonly silent: ReadonlyArray<string> } => {
  const all = new Set(elements.flatMap(({ _tag, data }) => _tag === "Message" ? [Number(data)] : []))
  const silent: Array<string> = []
  let missing = 0
  let last: number | undefined = undefined
  let [lost, told] = [false, false]
  for (const { _tag, data } of elements) {
    if (_tag === "Lost") lost = told = true
    if (_tag === "Restored") lost = false
    if (_tag !== "Message") continue
    const number = Number(data)
    if (last !== undefined && number <= last) {
      if (!mayBeLate) silent.push(`${last} is followed by ${number}`)
      continue
    }
    const before = missing
    for (let between = (last ?? number) + 1; between < number; between++) if (!all.has(between)) missing++
    if (missing > before && !told) silent.push(`${last} is followed by ${number}`)
    last = number
    told = lost
  }
  if (lost) silent.push("what was lost was not restored")
  return { missing, silent }
}
