/**
 * One connection to one server, as a scoped resource: dialled, greeted, and
 * then shared by any number of callers until its scope closes or it is lost.
 * A lost connection is not mended; whoever needs one opens another.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import { formatEndpoint, RedisConnector } from "../../RedisConnector.ts"
import type { Endpoint, Reader, Writer } from "../../RedisConnector.ts"
import { ConnectionError, ProtocolError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import type * as Resp from "../../Resp.ts"
import { RespDecoder } from "../../RespDecoder.ts"
import type { DecodeOptions } from "../../RespLimits.ts"
import { encodeUtf8 } from "../codec/utf8.ts"
import { clientClosed, connectionLoss, ofNoCommand, timeLimit } from "../error/events.ts"
import { withTimeout } from "../runtime/elapsed.ts"
import { errorOf } from "../runtime/firstError.ts"
import { inOwnScope } from "../runtime/ownScope.ts"
import { Pace } from "../runtime/pace.ts"
import { KnownScripts } from "../script/knownScripts.ts"
import { Tracking } from "../tracking/tracking.ts"
import * as Credentials from "./credentials.ts"
import { Exchange } from "./exchange.ts"
import { authenticate, handshake } from "./handshake.ts"
import type { HungUp } from "./handshake.ts"
import { listening, Liveness } from "./liveness.ts"
import type { Dialer, Listener, RedisConnection } from "./model.ts"
import { answerTo } from "./ping.ts"
import { BatchRequest, requestOf } from "./request.ts"
import type { Outcome, RequestQueue } from "./request.ts"
import { keepShapes } from "./shapes.ts"
import { SlowReply } from "./slowReply.ts"
import { answeredWithTls, dialFailure, isTlsAlert, lossOf, notOpenYet } from "./socketFailure.ts"
import type { Target } from "./socketFailure.ts"

/**
 * The loss of a connection to a master by an error reply that says that the server is no longer one.
 */
export const demotionBy = ({ code, line }: Resp.ErrorReply, address: string): CommandError | undefined =>
  code === "READONLY" || code === "UNBLOCKED" && line.includes("instance state changed")
    ? connectionLoss("Demoted", "The server is a replica and takes no writes", address)
    : undefined

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/** The dialer of one endpoint. */
export const dialerAt = (endpoint: Endpoint, settings: ConnectionSettings): Dialer => ({
  address: formatEndpoint(endpoint),
  attributes: endpoint.path !== undefined
    ? { "server.address": endpoint.path }
    : { "server.address": endpoint.host, "server.port": endpoint.port },
  open: (listener) => make(endpoint, settings, listener)
})

/**
 * Opens a connection: dials, agrees on a protocol, authenticates, selects the
 * database, all within `connectTimeout`.
 */
export const make = Effect.fnUntraced(function*(
  endpoint: Endpoint,
  settings: ConnectionSettings,
  listener: Listener = {}
): Effect.fn.Return<RedisConnection, CommandError, RedisConnector | Scope.Scope> {
  const limit = Duration.toMillis(settings.connectTimeout)
  const target: Target = { endpoint, settings, address: formatEndpoint(endpoint) }
  const progress = new Progress(target, listener)
  if (!isAccepted(target)) return yield* notAccepted(target.address)
  return yield* withTimeout(open(target, listener, progress), {
    limit,
    orElse: () => Effect.fail(timeLimit("connect", limit, target.address, progress.waitsFor))
  }).pipe(
    // A connector that throws, or interrupts itself, must not end the fiber that dials: callers would wait for ever.
    Effect.catchCause((cause) =>
      // What was lost are commands of the handshake, which are nobody's.
      Effect.fail(ofNoCommand(reasonOf(cause, "The client failed to open the connection", target.address)))
    )
  )
})

/**
 * Whether a connection may be opened to an address. This is the only check: every connection passes here before
 * anything is sent.
 */
const isAccepted = ({ endpoint, settings }: Target): boolean => {
  if (settings.accept === undefined || endpoint.path !== undefined) return true
  try {
    return settings.accept({ host: endpoint.host, port: endpoint.port })
  } catch {
    return false
  }
}

const notAccepted = (address: string): ConnectionError =>
  new ConnectionError({
    reason: "NotAccepted",
    detail: "A server has named an address that the option accept does not have: nothing was sent there",
    permanent: true,
    delivery: "not-sent",
    readonly: false,
    address
  })

/** What a connection that is being opened waits for, in words. */
class Progress {
  readonly #target: Target
  readonly #listener: Listener
  waitsFor = ""

  constructor(target: Target, listener: Listener) {
    this.#target = target
    this.#listener = listener
  }

  waitFor(what: string): void {
    this.waitsFor = what
    this.#listener.onProgress?.(what, this.#target.address)
  }
}

/**
 * Whether the servers of a client accept CLIENT SETINFO; each new connection tries again as long as that is not known.
 */
const takeClientInfo = new WeakMap<ConnectionSettings, boolean>()

const open = (
  target: Target,
  listener: Listener,
  progress: Progress
): Effect.Effect<RedisConnection, CommandError, RedisConnector | Scope.Scope> => {
  const { settings } = target
  const known = settings.clientInfo ? takeClientInfo.get(settings) : false
  const learn = (clientInfo: boolean) =>
    Effect.tap(inOwnScope(dial(target, listener, progress, clientInfo)), () =>
      Effect.sync(() => {
        if (settings.clientInfo) takeClientInfo.set(settings, clientInfo)
      }))
  return Effect.catch(learn(known ?? true), (failure) =>
    failure._tag !== "HungUp"
      ? Effect.fail(failure)
      : known === undefined
      ? Effect.mapError(learn(false), (second) => second._tag === "HungUp" ? second.error : second)
      : Effect.fail(failure.error))
}

const dial = Effect.fnUntraced(function*(
  target: Target,
  listener: Listener,
  progress: Progress,
  clientInfo: boolean
): Effect.fn.Return<RedisConnection, CommandError | HungUp, RedisConnector | Scope.Scope> {
  const { address, endpoint, settings } = target
  const connector = yield* RedisConnector
  progress.waitFor("the option credentials has given none yet")
  const credentials = yield* Credentials.ask(settings.credentials, address)
  progress.waitFor(notOpenYet(target))
  const socket = yield* connector.socket(endpoint, settings)
  const reader = yield* Effect.mapError(socket.reader, (error) => dialFailure(error, target))
  progress.waitFor("the server did not answer")
  const wire = yield* wireOn(reader, yield* socket.writer, target, listener)
  const { exchange } = wire
  const protocol = yield* handshake((commands) => runAll(exchange, commands), {
    settings,
    credentials: credentials.first,
    clientInfo,
    onBusy: (refusal) => {
      progress.waitFor(`the server said ${refusal}`)
      listener.onBusy?.(exchange.submit)
    }
  })
  wire.accept(protocol)
  const connection: RedisConnection = {
    address,
    protocol,
    exchange,
    submit: exchange.submit,
    probe: probe(exchange, settings, address, yield* Clock.Clock),
    close: (reason) => exchange.close(reason),
    lost: wire.lost
  }
  if (credentials.next !== undefined) yield* Effect.forkScoped(renewing(wire, credentials.next, address))
  yield* watched(connection, wire, settings, listener)
  return connection
})

/**
 * The requests of one connection on its socket, from before the handshake on.
 *
 * - `accept`: told when the server has accepted the client. Before that replies are short, and the listener has no use for
 *   requests that could not be written.
 * - `idle`: whether no reply has come in part.
 */
interface Wire {
  readonly exchange: Exchange
  readonly tracking: Tracking
  readonly liveness: Liveness
  readonly lost: Effect.Effect<CommandError>
  readonly accept: (protocol: RedisConnection["protocol"]) => void
  readonly idle: () => boolean
}

/** Reads and writes until the connection is lost, or the scope closes. */
const wireOn = Effect.fnUntraced(function*(
  reader: Reader,
  writer: Writer,
  target: Target,
  listener: Listener
): Effect.fn.Return<Wire, never, Scope.Scope> {
  const { address, settings } = target
  const ended = Deferred.makeUnsafe<CommandError>()
  const tracking = new Tracking(settings.keepers)
  const writing = new Wakeup({
    ready: () => exchange.writable,
    // More of a reply is about to come, most likely in this turn of the event loop.
    late: () => !decoder.idle,
    scheduler: (yield* Scheduler.Scheduler).makeDispatcher()
  })
  const liveness = new Liveness()
  keepShapes()
  let takeUnsent: NonNullable<Listener["onUnsent"]> = failAll

  const exchange: Exchange = new Exchange({
    origin: {
      address,
      replaceInvalidText: settings.replaceInvalidText,
      onRefusal: refusalsOf(listener, (loss) => {
        tracking.end("Demoted")
        exchange.leave(loss)
      }),
      scripts: new KnownScripts(),
      again: (request) => exchange.submit(request),
      tracking,
      onUnended: () =>
        exchange.close(connectionLoss("Other", "The server has refused EXEC, and may queue what comes", address)),
      keepers: settings.keepers
    },
    maxCommands: settings.limits.inFlightCommands,
    maxBytes: settings.limits.inFlightBytes,
    onWork: writing.wake,
    onFlush: writing.wakeNow,
    onPush: (items) => !tracking.takes(items) && listener.onPush?.(items) === true,
    subscriber: listener.subscriber,
    onUnasked: listener.onUnasked,
    onClose: (failure, unsent) => {
      // Kept answers are dropped before anybody learns of the end of the connection, and reads.
      tracking.end("Disconnected")
      takeUnsent(unsent, failure)
      Deferred.doneUnsafe(ended, Effect.succeed(failure))
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
    ...limitsOf(settings),
    maxReplyBytes: greetingBytes,
    attributes: "drop",
    pushes: "apart"
  })
  decoder.pauses = true
  yield* untilLost(read(reader, decoder, exchange, target, listener.onRead))
  yield* untilLost(write(writer, exchange, writing, liveness, target))
  return {
    exchange,
    tracking,
    liveness,
    lost: Deferred.await(ended),
    accept: (protocol) => {
      tracking.protocol = protocol
      decoder.limit(limitsOf(settings))
      exchange.limit(settings.limits)
      takeUnsent = listener.onUnsent ?? failAll
    },
    idle: () => decoder.idle
  }
})

/** Authenticates with each of the credentials that follow the first ones, and ends the connection when that fails. */
const renewing = (
  { exchange, tracking }: Wire,
  next: NonNullable<Credentials.Asked["next"]>,
  address: string
): Effect.Effect<void> =>
  Effect.catch(
    Credentials.renew(next, (renewed) => {
      // The new user may be allowed to read less. Requests that already wait are still sent as the old user.
      const renew = Effect.sync(() => tracking.renew("Reauthenticated"))
      const authenticated = authenticate((commands) => runAll(exchange, commands), renewed)
      return Effect.ensuring(Effect.andThen(renew, authenticated), renew)
    }),
    (error) => Effect.sync(() => exchange.close(refusal(error, address)))
  )

/** Watches a server that has accepted the client, until the scope closes. */
const watched = Effect.fnUntraced(function*(
  connection: RedisConnection,
  { idle, liveness, tracking }: Wire,
  settings: ConnectionSettings,
  { onSilence }: Listener
): Effect.fn.Return<void, never, Scope.Scope> {
  yield* Effect.forkScoped(Effect.andThen(tracking.begun, listening(connection, settings)))
  const slowReply = new SlowReply(connection, Duration.toMillis(settings.commandTimeout), idle)
  yield* Effect.forkScoped(liveness.watch(connection, settings, { onSilence, slowReply }))
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
 * The loss of the connection that refused credentials mean to everybody on it; opening the next connection says more.
 */
const refusal = (error: CommandError, address: string): CommandError =>
  error._tag === "AuthenticationError"
    ? connectionLoss("Handshake", `The server refused new credentials: ${error.code} ${error.detail}`, address, error)
    : error

/**
 * The reason why something ended that a connection is of no use without. A defect and an interruption count as well, because
 * callers would wait for ever otherwise. When its own scope closes, nobody asks.
 */
const reasonOf = (cause: Cause.Cause<CommandError>, otherwise: string, address: string): CommandError =>
  errorOf(cause) ?? connectionLoss("Other", otherwise, address, Cause.squash(cause))

const failAll = (requests: RequestQueue, failure: CommandError): void => {
  for (const request of requests.takeAll()) request.fail(failure)
}

// -----------------------------------------------------------------------------
// Requests
// -----------------------------------------------------------------------------

/** The part of a connection that takes requests. */
type Submits = Pick<RedisConnection, "submit">

/**
 * Runs one command on a connection.
 */
export const run = <A>(
  on: Submits,
  command: RedisCommand.RedisCommand<A>
): Effect.Effect<A, CommandError> => requestOf(command, (request) => on.submit(request))

/**
 * Runs several commands on a connection, in one write, each with its own outcome.
 */
export const runAll = (
  on: Submits,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>> => new BatchRequest({ commands }, (request) => on.submit(request))

// -----------------------------------------------------------------------------
// Reading and writing
// -----------------------------------------------------------------------------

/** The limit of a reply before the server has accepted the client. No reply is long at that time. */
const greetingBytes = 1024 * 1024

const limitsOf = ({ limits }: ConnectionSettings): DecodeOptions => ({
  maxAggregateLength: limits.aggregateLength,
  maxBulkLength: limits.bulkLength,
  maxLineLength: limits.lineLength,
  maxDepth: limits.replyDepth,
  maxReplyBytes: limits.replyBytes,
  maxReplyElements: limits.replyElements
})

/** A chunk of a socket, of which those of other protocols may be text. */
const bytesOf = (chunk: Uint8Array | string): Uint8Array => typeof chunk === "string" ? encodeUtf8(chunk) : chunk

/** Reads until the connection is lost, and fails with the reason. */
const read = (
  reader: Reader,
  decoder: RespDecoder,
  exchange: Exchange,
  target: Target,
  onRead: Listener["onRead"]
): Effect.Effect<never, CommandError> => {
  const pace = new Pace()
  const receive = Effect.flatMap(reader.pull, (chunks) => {
    for (let i = 0; i < chunks.length; i++) {
      const chunk = bytesOf(chunks[i]!)
      const answered = exchange.received > 0
      const { long } = decoder
      if (long) pace.begin()
      exchange.receive(decoder.push(chunk))
      while (decoder.paused) {
        exchange.gather(decoder)
        exchange.receive(decoder.resume(chunk))
      }
      if (decoder.long || decoder.longString) exchange.gather(decoder)
      if (decoder.spent) reader.release?.(chunk)
      if (long) pace.end()
      if (decoder.failure !== undefined) {
        return Effect.fail(
          !answered && isTlsAlert(chunk)
            ? answeredWithTls(target)
            : new ProtocolError({ detail: decoder.failure.detail, address: target.address })
        )
      }
    }
    return onRead?.() ?? pace.pause ?? Effect.void
  })
  return Effect.forever(
    Effect.catchTag(receive, "SocketError", (error) => Effect.fail(lossOf(error, target, exchange.received > 0))),
    { disableYield: true }
  )
}

/**
 * Writes what has accumulated, in one write, whenever there is something and
 * the socket takes it.
 */
const write = (
  writer: Writer,
  exchange: Exchange,
  writing: Wakeup,
  liveness: Liveness,
  target: Target
): Effect.Effect<never, CommandError> =>
  Effect.forever(
    Effect.suspend(() => {
      const chunks = exchange.encode(writer.done?.())
      if (!isNonEmpty(chunks)) return writing.await
      liveness.wake()
      return writer.writeAll(chunks)
    }),
    { disableYield: true }
  ).pipe(Effect.mapError((error) => lossOf(error, target, exchange.received > 0)))

type Chunk = Uint8Array | string

const isNonEmpty = (chunks: ReadonlyArray<Chunk>): chunks is readonly [Chunk, ...Array<Chunk>] => chunks.length > 0

interface WakeupOptions {
  /** Whether there is something to write. */
  readonly ready: () => boolean
  /** Whether it waits for the end of the turn of the event loop, and not only for that of the running task. */
  readonly late: () => boolean
  readonly scheduler: Scheduler.SchedulerDispatcher
}

/**
 * Wakes a fiber at the end of the running task, once however often it is asked to. So the commands of all fibers that
 * run now go out in one write.
 *
 * A long reply comes in several chunks, each read in a task of its own, so that a write for each task would be a write for
 * each reply. In the midst of one the turn is waited for. LRANGE of 1000 elements by 10 fibers so makes 130 writes for 1000
 * commands instead of 920, and takes 0.91 times the processor time (0.83 … 0.97). To wait for the turn always would take 2 %
 * more for GET by 50 fibers.
 */
class Wakeup {
  readonly #options: WakeupOptions
  #resume: ((effect: Effect.Effect<void>) => void) | undefined = undefined
  #asked = false

  constructor(options: WakeupOptions) {
    this.#options = options
  }

  readonly await: Effect.Effect<void> = Effect.callback((resume) => {
    this.#asked = false
    // The scheduler may have run other fibers since this one last looked.
    if (this.#options.ready()) return resume(Effect.void)
    this.#resume = resume
  })

  /** Wakes the fiber at once when it waits. */
  readonly wakeNow = (): void => {
    const resume = this.#resume
    this.#resume = undefined
    resume?.(Effect.void)
  }

  readonly wake = (): void => {
    if (this.#asked || this.#resume === undefined) return
    this.#asked = true
    const { late, scheduler } = this.#options
    if (late()) scheduler.scheduleTask(this.wakeNow, 0)
    else queueMicrotask(this.wakeNow)
  }
}

// -----------------------------------------------------------------------------
// Liveness
// -----------------------------------------------------------------------------

const probe = (
  exchange: Exchange,
  settings: ConnectionSettings,
  address: string,
  clock: Clock.Clock
): Effect.Effect<void, CommandError> =>
  withTimeout(answerTo(exchange), {
    clock,
    limit: Duration.toMillis(Duration.min(settings.connectTimeout, settings.livenessTimeout)),
    orElse: () => Effect.fail(connectionLoss("HealthCheck", "The server did not answer a PING in time", address))
  }).pipe(
    Effect.flatMap((reply) =>
      reply === undefined || reply === "PONG" || (Array.isArray(reply) && reply[0] === "pong")
        ? Effect.void
        : Effect.fail(connectionLoss("HealthCheck", "The server did not answer a PING with PONG", address))
    )
  )
