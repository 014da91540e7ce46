/**
 * Spans of what a test runs.
 */
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** `spans`: those of the effects that were given to `tracer`, in the order in which they began. */
export const make = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer: Effect.provideService(Tracer.Tracer, tracer) }
}
