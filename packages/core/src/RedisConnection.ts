/**
 * One connection to one server, as a scoped resource: dialled, greeted, and
 * then shared by any number of callers until its scope closes or it is lost.
 * A lost connection is not mended; its owner opens another.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Credentials from "./internal/credentials.ts"
import { within } from "./internal/elapsed.ts"
import { Exchange } from "./internal/exchange.ts"
import { connectionLoss, timeLimit } from "./internal/failure.ts"
import { authenticate, handshake } from "./internal/handshake.ts"
import { BatchRequest, SingleRequest } from "./internal/request.ts"
import type { Outcome, Request, RequestQueue } from "./internal/request.ts"
import * as RedisCommand from "./RedisCommand.ts"
import type { ConnectionSettings } from "./RedisConfig.ts"
import { formatEndpoint, RedisConnector } from "./RedisConnector.ts"
import type { Endpoint } from "./RedisConnector.ts"
import { ProtocolError } from "./RedisError.ts"
import type { RedisError } from "./RedisError.ts"
import type * as Resp from "./Resp.ts"
import { RespDecoder } from "./RespDecoder.ts"
import type { DecodeOptions } from "./RespLimits.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * An open connection.
 *
 * - `protocol`: the version of RESP that was agreed on.
 * - `submit`: takes a request; it settles with its replies, or with what ended the connection.
 * - `probe`: a PING of its own, failing when it is not answered in time.
 * - `close`: ends the connection; everything unanswered fails with the given error.
 * - `lost`: suspends until the connection is no more, then returns why.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisConnection {
  readonly address: string
  readonly protocol: 2 | 3
  readonly exchange: Exchange
  readonly submit: (request: Request) => void
  readonly probe: Effect.Effect<void, RedisError>
  readonly close: (reason: RedisError) => void
  readonly lost: Effect.Effect<RedisError>
}

/**
 * What an owner wants to know of a connection.
 *
 * - `onUnsent`: takes the requests of which nothing was written when the connection ended. Without it they fail.
 * - `onPush`: takes out-of-band data, and returns whether it is the answer to the command in front after all.
 * - `subscriber`: whether arrays are out-of-band data as well, as messages are before RESP3. Default `false`.
 * - `onUnasked`: takes replies that no command asked for, as they come after MONITOR. Without it they end the connection.
 * - `onRefusal`: takes error replies and their commands, and returns what befell the connection by one, where it means more
 *   than its text; nothing was run then.
 * - `onRead`: called after what one read brought was taken; reading goes on when the effect it returns is done.
 *
 * @category models
 * @since 0.1.0
 */
export interface Owner {
  readonly onUnsent?: ((unsent: RequestQueue, failure: RedisError) => void) | undefined
  readonly onPush?: ((items: ReadonlyArray<Resp.Value>) => boolean) | undefined
  readonly subscriber?: boolean | undefined
  readonly onUnasked?: ((value: Resp.Value) => void) | undefined
  readonly onRefusal?: ((error: Resp.ErrorReply, command: RedisCommand.Any) => RedisError | undefined) | undefined
  readonly onRead?: (() => Effect.Effect<void> | undefined) | undefined
}

/**
 * Where connections come from.
 *
 * - `address`: what it is called while there is no connection.
 * - `attributes`: the same by OpenTelemetry's names.
 * - `open`: opens a connection, to wherever it is then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Source {
  readonly address: string
  readonly attributes?: Readonly<Record<string, string | number>> | undefined
  readonly open: (owner: Owner) => Effect.Effect<RedisConnection, RedisError, RedisConnector | Scope.Scope>
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Connections to one endpoint.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sourceAt = (endpoint: Endpoint, settings: ConnectionSettings): Source => ({
  address: formatEndpoint(endpoint),
  attributes: endpoint.path !== undefined
    ? { "server.address": endpoint.path }
    : { "server.address": endpoint.host, "server.port": endpoint.port },
  open: (owner) => make(endpoint, settings, owner)
})

/**
 * Opens a connection: dials, agrees on a protocol, authenticates, selects the
 * database, all within `connectTimeout`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  endpoint: Endpoint,
  settings: ConnectionSettings,
  owner: Owner = {}
): Effect.fn.Return<RedisConnection, RedisError, RedisConnector | Scope.Scope> {
  const address = formatEndpoint(endpoint)
  const limit = Duration.toMillis(settings.connectTimeout)
  return yield* within(open(endpoint, address, settings, owner), {
    limit,
    orElse: () => Effect.fail(timeLimit("connect", limit, address))
  }).pipe(
    // A connector or credentials that break must not end who dials: callers would wait for ever.
    Effect.catchDefect((defect) =>
      Effect.fail(connectionLoss("Other", "The client failed to open the connection", address, defect))
    )
  )
})

const open = Effect.fnUntraced(function*(
  endpoint: Endpoint,
  address: string,
  settings: ConnectionSettings,
  owner: Owner
): Effect.fn.Return<RedisConnection, RedisError, RedisConnector | Scope.Scope> {
  const connector = yield* RedisConnector
  const credentials = yield* Credentials.ask(settings.credentials, address)
  const socket = yield* connector.socket(endpoint, settings)
  const pull = yield* Effect.mapError(Socket.readerBytes(socket), (error) => dialFailure(error, settings, address))
  const writer = yield* socket.writer
  const ended = Deferred.makeUnsafe<RedisError>()
  const writing = new Wakeup(() => exchange.writable)
  // What the handshake could not write is of no use to the owner.
  let takeUnsent: NonNullable<Owner["onUnsent"]> = failAll

  const exchange = new Exchange({
    origin: {
      address,
      replaceInvalidText: settings.replaceInvalidText,
      onRefusal: (error, command) => {
        const event = owner.onRefusal?.(error, command)
        if (endsConnection(error)) exchange.close(connectionLoss("Closed", hungUp, address))
        return event
      }
    },
    maxCommands: settings.limits.inFlightCommands,
    maxBytes: settings.limits.inFlightBytes,
    onWork: () => writing.wake(),
    onFlush: () => writing.wakeNow(),
    onPush: owner.onPush ?? (() => false),
    subscriber: owner.subscriber,
    onUnasked: owner.onUnasked,
    onClose: (failure, unsent) => {
      takeUnsent(unsent, failure)
      Deferred.doneUnsafe(ended, Effect.succeed(failure))
    }
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => exchange.close(connectionLoss("ClientClosed", "The client was closed", address)))
  )

  const lose = (failure: RedisError) => Effect.sync(() => exchange.close(failure))
  const untilLost = (effect: Effect.Effect<never, RedisError>) =>
    Effect.forkScoped(
      Effect.catchCause(effect, (cause) => Effect.asVoid(Effect.forEach(endedBy(cause, address), lose))),
      {
        startImmediately: true
      }
    )
  const decoder = new RespDecoder({ ...limitsOf(settings), maxReplyBytes: greetingBytes, attributes: "drop" })
  yield* untilLost(read(pull, decoder, exchange, address, owner.onRead))
  yield* untilLost(write(writer, exchange, writing, address))

  const run = (commands: ReadonlyArray<RedisCommand.Any>) => runBatch(exchange, commands)
  const protocol = yield* handshake(run, settings, credentials.first)
  decoder.limit(limitsOf(settings))
  takeUnsent = owner.onUnsent ?? failAll
  const connection: RedisConnection = {
    address,
    protocol,
    exchange,
    submit: (request) => exchange.submit(request),
    probe: probe(exchange, settings, address, yield* Clock.Clock),
    close: (reason) => exchange.close(reason),
    lost: Deferred.await(ended)
  }
  if (credentials.next !== undefined) {
    const renewal = Credentials.renew(credentials.next, (renewed) => authenticate(run, renewed))
    yield* Effect.forkScoped(Effect.catch(renewal, (error) => lose(refusal(error, address))))
  }
  if (Duration.isFinite(settings.livenessTimeout)) {
    yield* Effect.forkScoped(watchLiveness(connection, settings))
  }
  return connection
})

/**
 * A server that becomes a replica ends what blocks, and hangs up after this reply: the next command on the connection would
 * be lost, and whoever tries again gets a connection that lasts.
 */
const endsConnection = ({ code, line }: Resp.ErrorReply): boolean =>
  code === "UNBLOCKED" && line.includes("instance state changed")

const hungUp = "The server ended what blocked, and hangs up"

/** What refused credentials mean to everybody on the connection; whoever opens the next one learns more. */
const refusal = (error: RedisError, address: string): RedisError =>
  error._tag === "AuthenticationError"
    ? connectionLoss("Handshake", `The server refused new credentials: ${error.code} ${error.detail}`, address, error)
    : error

/** What ended reading or writing, unless its own scope did. A defect as well: else callers would wait for ever. */
const endedBy = (cause: Cause.Cause<RedisError>, address: string): ReadonlyArray<RedisError> =>
  cause.reasons.flatMap((reason) =>
    Cause.isFailReason(reason)
      ? [reason.error]
      : Cause.isDieReason(reason)
      ? [connectionLoss("Other", "The client failed on the connection and gave it up", address, reason.defect)]
      : []
  )

const failAll = (requests: RequestQueue, failure: RedisError): void => {
  for (const request of requests.takeAll()) request.fail(failure)
}

// -----------------------------------------------------------------------------
// Requests
// -----------------------------------------------------------------------------

/**
 * A request of one command.
 *
 * @category constructors
 * @since 0.1.0
 */
export const requestOf = <A>(
  command: RedisCommand.RedisCommand<A, unknown, unknown>,
  settle: (exit: Exit.Exit<A, RedisError>) => void
): Request => new SingleRequest<A>(command, settle)

/**
 * Runs one command on a connection.
 *
 * @category combinators
 * @since 0.1.0
 */
export const run = <A>(
  connection: RedisConnection,
  command: RedisCommand.RedisCommand<A, unknown, unknown>
): Effect.Effect<A, RedisError> => runSingle(connection.exchange, command)

const runSingle = <A>(
  exchange: Exchange,
  command: RedisCommand.RedisCommand<A, unknown, unknown>
): Effect.Effect<A, RedisError> =>
  Effect.callback((resume) => {
    const request = new SingleRequest<A>(command, resume)
    exchange.submit(request)
    return request
  })

/**
 * Runs several commands on a connection, in one write, each with its own outcome.
 *
 * @category combinators
 * @since 0.1.0
 */
export const runAll = (
  connection: RedisConnection,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>> => runBatch(connection.exchange, commands)

const runBatch = (
  exchange: Exchange,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.callback((resume) => {
    const request = new BatchRequest({ commands }, (outcomes) => resume(Effect.succeed(outcomes)))
    exchange.submit(request)
    return request
  })

// -----------------------------------------------------------------------------
// Reading and writing
// -----------------------------------------------------------------------------

/** What a reply may take before the server has accepted the client. Nothing that is asked for then is long. */
const greetingBytes = 1024 * 1024

const limitsOf = ({ limits }: ConnectionSettings): DecodeOptions => ({
  maxAggregateLength: limits.aggregateLength,
  maxBulkLength: limits.bulkLength,
  maxLineLength: limits.lineLength,
  maxDepth: limits.replyDepth,
  maxReplyBytes: limits.replyBytes
})

/** Reads until the connection is lost, and fails with why. */
const read = (
  pull: Effect.Effect<ReadonlyArray<Uint8Array>, Socket.SocketError>,
  decoder: RespDecoder,
  exchange: Exchange,
  address: string,
  onRead: Owner["onRead"]
): Effect.Effect<never, RedisError> => {
  const receive = Effect.flatMap(pull, (chunks) => {
    for (let i = 0; i < chunks.length; i++) {
      exchange.receive(decoder.push(chunks[i]!))
      if (decoder.failure !== undefined) {
        return Effect.fail(new ProtocolError({ detail: decoder.failure.detail, address }))
      }
    }
    return onRead?.() ?? Effect.void
  })
  return Effect.forever(
    Effect.catchTag(receive, "SocketError", (error) => Effect.fail(lossOf(error, address))),
    { disableYield: true }
  )
}

/**
 * Writes what has accumulated, in one write, whenever there is something and
 * the socket takes it.
 */
const write = (
  writer: Socket.Writer,
  exchange: Exchange,
  writing: Wakeup,
  address: string
): Effect.Effect<never, RedisError> =>
  Effect.forever(
    Effect.suspend(() => {
      const chunks = exchange.encode()
      return isNonEmpty(chunks) ? writer.writeAll(chunks) : writing.await
    }),
    { disableYield: true }
  ).pipe(Effect.mapError((error) => lossOf(error, address)))

type Chunk = Uint8Array | string

const isNonEmpty = (chunks: ReadonlyArray<Chunk>): chunks is readonly [Chunk, ...Array<Chunk>] => chunks.length > 0

/**
 * Wakes a fiber at the end of the running task, once however often it is asked
 * to: that gathers the commands of all fibers that run now into one write.
 */
class Wakeup {
  readonly #ready: () => boolean
  #resume: ((effect: Effect.Effect<void>) => void) | undefined = undefined
  #asked = false

  constructor(ready: () => boolean) {
    this.#ready = ready
  }

  readonly await: Effect.Effect<void> = Effect.callback((resume) => {
    this.#asked = false
    // The scheduler may have run others since the fiber last looked.
    if (this.#ready()) return resume(Effect.void)
    this.#resume = resume
  })

  readonly #flush = () => {
    const resume = this.#resume
    this.#resume = undefined
    resume?.(Effect.void)
  }

  /** Wakes the fiber at once, when it waits. */
  wakeNow(): void {
    this.#flush()
  }

  wake(): void {
    if (this.#asked || this.#resume === undefined) return
    this.#asked = true
    queueMicrotask(this.#flush)
  }
}

// -----------------------------------------------------------------------------
// Liveness
// -----------------------------------------------------------------------------

const ping = RedisCommand.send("PING")

const probe = (
  exchange: Exchange,
  settings: ConnectionSettings,
  address: string,
  clock: Clock.Clock
): Effect.Effect<void, RedisError> =>
  within(runSingle(exchange, ping), {
    clock,
    limit: Duration.toMillis(Duration.min(settings.connectTimeout, settings.livenessTimeout)),
    orElse: () => Effect.fail(connectionLoss("HealthCheck", "The server did not answer a PING in time", address))
  }).pipe(
    Effect.flatMap((reply) =>
      reply === "PONG" || (Array.isArray(reply) && reply[0] === "pong")
        ? Effect.void
        : Effect.fail(connectionLoss("HealthCheck", "The server did not answer a PING with PONG", address))
    ),
    // Refused is answered, too: not everybody may PING.
    Effect.catchTag("NoPermissionError", () => Effect.void)
  )

/**
 * Closes a connection that owes an answer, stays silent for longer than it was
 * asked to, and does not answer a probe either.
 */
const watchLiveness = Effect.fnUntraced(function*(connection: RedisConnection, settings: ConnectionSettings) {
  const { exchange } = connection
  const limit = Duration.toMillis(settings.livenessTimeout)
  let received = exchange.received
  let silent = 0
  while (!exchange.closed) {
    yield* Effect.sleep(limit / 4)
    const { heldBack } = exchange
    silent = heldBack !== undefined && exchange.received === received ? silent + 1 : 0
    received = exchange.received
    if (silent === 0 || silent * limit / 4 < limit + (heldBack ?? 0)) continue
    const answer = yield* Effect.exit(connection.probe)
    // Any reply shows life, also one to a command before the probe.
    if (Exit.isFailure(answer) && exchange.received === received) {
      exchange.close(
        connectionLoss(
          "HealthCheck",
          `The server owed an answer for ${Duration.format(settings.livenessTimeout)} and did not answer a PING either`,
          connection.address
        )
      )
    }
    silent = 0
  }
})

// -----------------------------------------------------------------------------
// Failures of sockets
// -----------------------------------------------------------------------------

const dialFailure = (error: Socket.SocketError, settings: ConnectionSettings, address: string): RedisError => {
  const reason = error.reason
  if (reason._tag === "SocketOpenError" && reason.kind === "Timeout") {
    return timeLimit("connect", Duration.toMillis(settings.connectTimeout), address)
  }
  const code = errorCode(error)
  const [kind, detail] = dialReasons.find(([pattern]) => pattern.test(code))?.slice(1) as
    | [Parameters<typeof connectionLoss>[0], string]
    | undefined ?? ["Other" as const, "The connection could not be opened"]
  return connectionLoss(kind, code === "" ? detail : `${detail} (${code})`, address, causeOf(error))
}

/** What the runtime's error codes mean, first match first. */
const dialReasons: ReadonlyArray<readonly [RegExp, Parameters<typeof connectionLoss>[0], string]> = [
  [/^ECONNREFUSED$/, "Refused", "The connection was refused; is a server listening there?"],
  [/^ENOENT$/, "Refused", "There is no such socket; is a server listening there?"],
  [/^EACCES$/, "Refused", "The socket may not be opened"],
  [/^(ENOTFOUND|EAI_\w+)$/, "Dns", "The host name could not be resolved"],
  [/CERT|TLS|SSL|SELF_SIGNED|ALTNAME|EPROTO/, "Tls", "TLS could not be established"],
  [/^(ECONNRESET|EPIPE)$/, "Reset", "The connection was reset while it was being opened"]
]

const lossOf = (error: Socket.SocketError, address: string): RedisError =>
  error.reason._tag === "SocketCloseError"
    ? connectionLoss("Closed", "The server closed the connection", address)
    : connectionLoss("Reset", "The connection was lost", address, causeOf(error))

const causeOf = (error: Socket.SocketError): unknown => "cause" in error.reason ? error.reason.cause : error

const errorCode = (error: Socket.SocketError): string => {
  const cause = causeOf(error)
  // Dialling several addresses fails with an AggregateError that carries the code of the last.
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""
}
