/**
 * Consumers of streams in tests: what came so far, and waiting for more.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** A running consumer. */
export interface Subscriber<A, E> {
  readonly elements: ReadonlyArray<A>
  /** Waits until the elements satisfy a condition; fails with the stream, or when it ends first. */
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
    const checks = new Set<() => void>()
    const fiber = yield* stream.pipe(
      Stream.runForEach((element) =>
        Effect.suspend(() => {
          elements.push(element)
          for (const check of checks) check()
          return pace(element)
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    const satisfied = (condition: (elements: ReadonlyArray<A>) => boolean) =>
      Effect.callback<void>((resume) => {
        const check = () => {
          if (!condition(elements)) return
          checks.delete(check)
          resume(Effect.void)
        }
        checks.add(check)
        check()
        return Effect.sync(() => checks.delete(check))
      })
    const ended = Effect.andThen(Fiber.join(fiber), Effect.die(new Error("the stream ended before")))
    return {
      elements,
      until: (condition) => Effect.as(Effect.raceFirst(satisfied(condition), ended), elements),
      end: Fiber.join(fiber),
      stop: Fiber.interrupt(fiber)
    }
  })

/** What an element of a subscription is, in a word. */
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
