/**
 * Spans with the names of OpenTelemetry's conventions for databases, when a tracer is installed. Without a tracer, a
 * command only costs one look at its fiber.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import type { Restore } from "../runtime/restore.ts"

/** The attributes of a span that describe the client that runs its command. */
export type Attributes = Readonly<Record<string, string | number>>

interface Traceable {
  readonly attributes?: Attributes | undefined
}

interface Named {
  readonly spec: { readonly operation: string }
}

/** The attributes of a span that describe the consumer of an entry. */
interface Consumes {
  readonly stream: string | Uint8Array
  readonly group: string | Uint8Array
  readonly consumer: string | Uint8Array
}

/** Whether a tracer is installed and not switched off. */
export const isTraced = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.cache.tracer !== undefined && fiber.cache.tracerEnabled

/** Runs an effect within its own span. */
const span = <A, E extends { readonly _tag: string }, R>(
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

/** The attribute for a command that runs code: the name of the script or function. */
const procedure = (name: string | undefined): Attributes | undefined =>
  name === undefined ? undefined : { "db.stored_procedure.name": name }

interface Command {
  readonly spec: { readonly operation: string; readonly procedure: string | undefined }
}

/** Runs what a client makes of a command within the span of the command. */
export const ofCommand = <A, E extends { readonly _tag: string }, R>(
  { spec }: Command,
  client: Traceable,
  run: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => span(spec.operation, client, run, procedure(spec.procedure))

/** The same where a tracer is installed, for a caller that has to hold the effect of the client: a command by itself does so. */
export const traced = <A, E extends { readonly _tag: string }, R>(
  command: Command,
  client: Traceable,
  run: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.withFiber((fiber) => isTraced(fiber) ? ofCommand(command, client, run) : run)

/**
 * Runs what goes on for as long as the program, without spans: those of what it asks again and again would be most of what a
 * program traces. What it runs for the program within has spans as elsewhere, when it is given to `aloud`.
 */
export const quietly = <A, E, R>(work: (aloud: Restore) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber(({ cache: { tracerEnabled } }) =>
    Effect.withTracerEnabled(work((effect) => Effect.withTracerEnabled(effect, tracerEnabled)), false)
  )

/**
 * Runs the handling of one entry within a span that follows the conventions for messages. Spans of the handler are its
 * children.
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

/** Only text is shown; bytes are left out. */
const text = (name: string, value: string | Uint8Array): Attributes =>
  typeof value === "string" ? { [name]: value } : {}

const typeOf = (error: unknown): string => Predicate.hasProperty(error, "_tag") ? String(error._tag) : "_OTHER"

/** Runs several commands that are sent together within one span. */
export const batch = <A, E extends { readonly _tag: string }, R>(
  kind: "PIPELINE" | "MULTI",
  client: Traceable,
  commands: ReadonlyArray<Named>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    // Without commands nothing is sent, and there is nothing to report.
    if (!isTraced(fiber) || commands.length === 0) return effect
    const name = commands[0]?.spec.operation
    const operation = commands.every(({ spec }) => spec.operation === name) ? `${kind} ${name ?? ""}`.trim() : kind
    // The conventions leave out the size of a batch of one.
    const size = commands.length === 1 ? undefined : { "db.operation.batch.size": commands.length }
    return span(operation, client, effect, size)
  })
