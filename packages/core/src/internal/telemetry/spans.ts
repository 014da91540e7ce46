/**
 * Spans by the names of OpenTelemetry's conventions for databases, where a
 * tracer is installed. Where none is, a command pays for one look at its fiber.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"

/** What a span says of the client that runs its command. */
export type Attributes = Readonly<Record<string, string | number>>

interface Traceable {
  readonly attributes?: Attributes | undefined
}

interface Named {
  readonly spec: { readonly operation: string }
}

/** What a span says of the entries that a consumer handles. */
interface Consumes {
  readonly stream: string | Uint8Array
  readonly group: string | Uint8Array
  readonly consumer: string | Uint8Array
}

/** Whether anybody has installed a tracer and not switched it off. */
export const isTraced = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.cache.tracer !== undefined && fiber.cache.tracerEnabled

/** An effect within a span of its own. */
export const span = <A, E extends { readonly _tag: string }, R>(
  operation: string,
  client: Traceable,
  effect: Effect.Effect<A, E, R>,
  more?: Attributes
): Effect.Effect<A, E, R> =>
  Effect.useSpan(operation, {
    kind: "client",
    attributes: { "db.system.name": "redis", "db.operation.name": operation, ...client.attributes, ...more }
  }, (span) => Effect.tapError(effect, (error) => Effect.sync(() => explain(span, error))))

const explain = (span: Tracer.Span, error: { readonly _tag: string }): void => {
  span.attribute("error.type", error._tag)
  if ("code" in error) span.attribute("db.response.status_code", error.code)
}

/** What a span says of a command that runs code: which script or function it is. */
export const procedure = (name: string | undefined): Attributes | undefined =>
  name === undefined ? undefined : { "db.stored_procedure.name": name }

/**
 * The handling of one entry, within a span by the conventions for messages. What the handler runs is below it.
 */
export const handling = <A, E, R>(
  { consumer, group, stream }: Consumes,
  { deliveries, id }: { readonly id: string; readonly deliveries: number },
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    !isTraced(fiber) ? effect : Effect.useSpan("process", {
      kind: "consumer",
      attributes: {
        "messaging.system": "redis",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": id,
        "redfx.message.deliveries": deliveries,
        ...text("messaging.destination.name", stream),
        ...text("messaging.consumer.group.name", group),
        ...text("messaging.client.id", consumer)
      }
    }, (span) =>
      Effect.withParentSpan(
        Effect.tapError(effect, (error) => Effect.sync(() => span.attribute("error.type", typeOf(error)))),
        span
      ))
  )

/** Bytes are not a text to show. */
const text = (name: string, value: string | Uint8Array): Attributes =>
  typeof value === "string" ? { [name]: value } : {}

const typeOf = (error: unknown): string => Predicate.hasProperty(error, "_tag") ? String(error._tag) : "_OTHER"

/** Several commands that go out together, within one span. */
export const batch = <A, E extends { readonly _tag: string }, R>(
  kind: "PIPELINE" | "MULTI",
  client: Traceable,
  commands: ReadonlyArray<Named>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    // Without a command nothing is sent, and there is nothing to tell.
    if (!isTraced(fiber) || commands.length === 0) return effect
    const name = commands[0]?.spec.operation
    const operation = commands.every(({ spec }) => spec.operation === name) ? `${kind} ${name ?? ""}`.trim() : kind
    // The conventions leave it out for a batch of one.
    const size = commands.length === 1 ? undefined : { "db.operation.batch.size": commands.length }
    return span(operation, client, effect, size)
  })
