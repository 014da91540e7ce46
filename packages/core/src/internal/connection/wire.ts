/**
 * The requests of a connection on its socket: what reads and writes until the connection is lost.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { Reader, Writer } from "../../RedisConnector.ts"
import type { CommandError } from "../../RedisError.ts"
import { RespDecoder } from "../../RespDecoder.ts"
import type { DecodeOptions } from "../../RespLimits.ts"
import { clientClosed, connectionLoss } from "../error/events.ts"
import { errorOf } from "../runtime/firstError.ts"
import { Once } from "../runtime/once.ts"
import { KnownScripts } from "../script/knownScripts.ts"
import { Tracking } from "../tracking/tracking.ts"
import { Exchange } from "./exchange.ts"
import { Liveness } from "./liveness.ts"
import type { Listener, RedisConnection } from "./model.ts"
import { refusedEnd } from "./outcome.ts"
import { Reading } from "./reading.ts"
import { failAll } from "./request.ts"
import { keepShapes } from "./shapes.ts"
import { lossOf } from "./socketFailure.ts"
import type { Target } from "./socketFailure.ts"
import { Wakeup } from "./wakeup.ts"

/**
 * The requests of one connection on its socket, from before the handshake on.
 *
 * - `accept`: told when the server has accepted the client. Before that replies are short, and the listener has no use for
 *   requests that could not be written.
 * - `between`: whether no reply has come in part.
 */
export interface Wire {
  readonly exchange: Exchange
  readonly tracking: Tracking
  readonly liveness: Liveness
  readonly lost: Effect.Effect<CommandError>
  readonly accept: (protocol: RedisConnection["protocol"]) => void
  readonly between: () => boolean
}

/** Reads and writes until the connection is lost, or the scope closes. */
export const wireOn = Effect.fnUntraced(function*(
  reader: Reader,
  writer: Writer,
  target: Target,
  listener: Listener
): Effect.fn.Return<Wire, never, Scope.Scope> {
  const { address, settings } = target
  const ended = new Once<CommandError>()
  const tracking = new Tracking(settings.keepers)
  const writing = new Wakeup({
    ready: () => exchange.writable,
    // More of a reply is about to come, most likely in this turn of the event loop.
    late: () => !decoder.idle && !reading.isResting,
    scheduler: (yield* Scheduler.Scheduler).makeDispatcher()
  })
  const liveness = new Liveness()
  keepShapes()
  let takeUnsent: NonNullable<Listener["onUnsent"]> = failAll

  const exchange: Exchange = new Exchange({
    origin: {
      address,
      textDecoding: settings.textDecoding,
      onRefusal: refusalsOf(listener, (loss) => {
        tracking.end("Demoted")
        exchange.leave(loss)
      }),
      scripts: new KnownScripts(),
      again: (request) => exchange.submit(request),
      tracking,
      onUnended: () => exchange.close(refusedEnd(address)),
      keepers: settings.keepers
    },
    maxCommands: settings.limits.inFlightCommands,
    maxBytes: settings.limits.inFlightBytes,
    done: writer.done,
    onWork: writing.wake,
    onFlush: writing.wakeNow,
    onPush: (items) => !tracking.takes(items) && listener.onPush?.(items) === true,
    subscriber: listener.subscriber,
    onUnasked: listener.onUnasked,
    onClose: (failure, unsent) => {
      // Kept answers are dropped before anybody learns of the end of the connection, and reads.
      tracking.end("Disconnected")
      takeUnsent(unsent, failure)
      ended.end(Exit.succeed(failure))
    }
  })
  yield* Effect.addFinalizer(() => Effect.sync(() => exchange.close(clientClosed(address))))

  const untilLost = (effect: Effect.Effect<never, CommandError>) =>
    Effect.forkScoped(
      Effect.catchCause(effect, (cause) =>
        Effect.sync(() =>
          exchange.close(reasonOf(cause, "The client failed on the connection and gave it up", address))
        )),
      { startImmediately: true }
    )
  const decoder = new RespDecoder({
    ...limitsOf(settings, listener),
    maxReplyBytes: greetingBytes,
    attributes: "drop",
    pushes: "apart"
  })
  decoder.pauses = true
  const reading = new Reading({ reader, decoder, exchange, target, onRead: listener.onRead })
  // A server that has too many clients says so unasked. Reading begins after the first write, so that this counts as its answer.
  const begun = Latch.makeUnsafe()
  yield* untilLost(Effect.andThen(begun.await, reading.untilLost))
  const written = (): void => {
    begun.openUnsafe()
    liveness.wake()
  }
  // What is written in the midst of a chunk may fail there.
  yield* untilLost(Effect.tapCause(write(writer, exchange, writing, written, target), () => reading.caughtUp))
  return {
    exchange,
    tracking,
    liveness,
    lost: ended.outcome,
    accept: (protocol) => {
      tracking.protocol = protocol
      decoder.limit(limitsOf(settings, listener))
      exchange.limit(settings.limits)
      takeUnsent = listener.onUnsent ?? failAll
      // A handshake may have nothing to ask.
      begun.openUnsafe()
    },
    between: () => decoder.idle
  }
})

const refusalsOf = (listener: Listener, leave: (loss: CommandError) => void): Listener["onRefusal"] => {
  const { demotion, onRefusal } = listener
  return demotion === undefined ? onRefusal : (error, command) => {
    const loss = demotion(error)
    if (loss !== undefined) leave(loss)
    return loss ?? onRefusal?.(error, command)
  }
}

/**
 * The reason why something ended that a connection is of no use without. A defect and an interruption count as well, because
 * callers would wait for ever otherwise. When its own scope closes, nobody asks.
 */
export const reasonOf = (cause: Cause.Cause<CommandError>, otherwise: string, address: string): CommandError =>
  errorOf(cause) ?? connectionLoss("Other", otherwise, address, Cause.squash(cause))

/** The limit of a reply before the server has accepted the client. No reply is long at that time. */
const greetingBytes = 1024 * 1024

const limitsOf = ({ limits }: ConnectionSettings, { feed }: Listener): DecodeOptions => ({
  maxAggregateLength: limits.aggregateLength,
  maxBulkLength: limits.bulkLength,
  maxLineLength: limits.lineLength ?? (feed === true ? Infinity : undefined),
  maxDepth: limits.replyDepth,
  maxReplyBytes: limits.replyBytes,
  maxReplyElements: limits.replyElements
})

/**
 * Writes what has accumulated, in one write, whenever there is something and
 * the socket takes it.
 */
const write = (
  writer: Writer,
  exchange: Exchange,
  writing: Wakeup,
  onWrite: () => void,
  target: Target
): Effect.Effect<never, CommandError> =>
  Effect.forever(
    Effect.suspend(() => {
      const chunks = exchange.encode()
      if (!isNonEmpty(chunks)) return writing.await
      onWrite()
      return writer.writeAll(chunks)
    }),
    { disableYield: true }
  ).pipe(Effect.mapError((error) => lossOf(error, target, exchange.received > 0)))

type Chunk = Uint8Array | string

const isNonEmpty = (chunks: ReadonlyArray<Chunk>): chunks is readonly [Chunk, ...Array<Chunk>] => chunks.length > 0
