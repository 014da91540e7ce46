/**
 * One connection to one server, as a scoped resource: dialled, greeted, and
 * then shared by any number of callers until its scope closes or it is lost.
 * A lost connection is not mended; callers that need one open another.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import { formatEndpoint, RedisConnector } from "../../RedisConnector.ts"
import type { Endpoint } from "../../RedisConnector.ts"
import { ConnectionError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import type * as Resp from "../../Resp.ts"
import type { Outcome } from "../command/weave.ts"
import { connectionLoss, ofNoCommand, timeLimit } from "../error/events.ts"
import { withTimeout } from "../runtime/elapsed.ts"
import { inOwnScope } from "../runtime/ownScope.ts"
import { BatchRequest } from "./batchRequest.ts"
import * as Credentials from "./credentials.ts"
import { authenticate, handshake } from "./handshake.ts"
import type { HungUp } from "./handshake.ts"
import { listening } from "./liveness.ts"
import type { Dialer, Listener, RedisConnection } from "./model.ts"
import { probe } from "./ping.ts"
import { requestOf } from "./singleRequest.ts"
import { SlowReply } from "./slowReply.ts"
import { dialFailure, notOpenYet } from "./socketFailure.ts"
import type { Target } from "./socketFailure.ts"
import { reasonOf, wireOn } from "./wire.ts"
import type { Wire } from "./wire.ts"

/**
 * The loss of a connection to a master by an error reply that says that the server is no longer one.
 */
export const demotionBy = (error: Resp.ErrorReply, address: string): CommandError | undefined =>
  error.code === "READONLY" || isUnblocking(error)
    ? connectionLoss("Demoted", demoted, address)
    : undefined

const demoted =
  "The server is a replica, and takes no writes: its master does, which NodeRedisClient.layerSentinel and " +
  "layerCluster find by themselves"

/** Whether a server has unblocked a command because it has become a replica; nothing was run for it. */
export const isUnblocking = ({ code, line }: Pick<Resp.ErrorReply, "code" | "line">): boolean =>
  code === "UNBLOCKED" && line.includes("instance state changed")

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
  let waitsFor = ""
  const waitFor: WaitFor = (what) => {
    waitsFor = what
    listener.onProgress?.(what, target.address)
  }
  if (!isAccepted(target)) return yield* notAccepted(target.address)
  return yield* withTimeout(open(target, listener, waitFor), {
    limit,
    orElse: () => Effect.fail(timeLimit("connect", limit, target.address, waitsFor))
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

/** Takes note of what a connection that is being opened waits for, in words. */
type WaitFor = (what: string) => void

/**
 * Whether the servers of a client accept CLIENT SETINFO; each new connection tries again as long as that is not known.
 */
const takeClientInfo = new WeakMap<ConnectionSettings, boolean>()

const open = (
  target: Target,
  listener: Listener,
  waitFor: WaitFor
): Effect.Effect<RedisConnection, CommandError, RedisConnector | Scope.Scope> => {
  const { settings } = target
  const known = settings.clientInfo ? takeClientInfo.get(settings) : false
  const learn = (clientInfo: boolean) =>
    Effect.tap(inOwnScope(dial(target, listener, waitFor, clientInfo)), () =>
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
  waitFor: WaitFor,
  clientInfo: boolean
): Effect.fn.Return<RedisConnection, CommandError | HungUp, RedisConnector | Scope.Scope> {
  const { address, endpoint, settings } = target
  const connector = yield* RedisConnector
  waitFor("the option credentials has given none yet")
  const credentials = yield* Credentials.ask(settings.credentials, address)
  waitFor(`the option ${settings.optionPrefix ?? ""}tls.clientCertificate has given none yet`)
  const tls = yield* Credentials.tlsOf(settings, address)
  waitFor(notOpenYet(target))
  const socket = yield* connector.socket(endpoint, tls === settings.tls ? settings : { ...settings, tls })
  const reader = yield* Effect.mapError(socket.reader, (error) => dialFailure(error, target))
  waitFor("the server did not answer")
  const wire = yield* wireOn(reader, yield* socket.writer, target, listener)
  const { exchange } = wire
  const protocol = yield* handshake({
    run: (commands) => runAll(exchange, commands),
    settings,
    credentials: credentials.first,
    clientInfo,
    onBusy: (refusal) => {
      waitFor(`the server said ${refusal}`)
      listener.onBusy?.(exchange.submit)
    }
  })
  // From here on the listener is told of a loss. It would never hear of one that happened while this fiber rested.
  if (exchange.closed) return yield* Effect.flatMap(wire.lost, Effect.fail)
  wire.accept(protocol)
  const connection: RedisConnection = {
    address,
    protocol,
    exchange,
    liveness: wire.liveness,
    submit: exchange.submit,
    probe: probe({ submit: exchange.submitAside }, settings, address, yield* Clock.Clock),
    close: (reason) => exchange.close(reason),
    lost: wire.lost
  }
  if (credentials.next !== undefined) yield* Effect.forkScoped(renewing(wire, credentials.next, address))
  yield* watched(connection, wire, settings, listener)
  return connection
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
      const authenticated = authenticate((commands) => runAll({ submit: exchange.submitAside }, commands), renewed)
      return Effect.ensuring(Effect.andThen(renew, authenticated), renew)
    }),
    (error) => Effect.sync(() => exchange.close(refusal(error, address)))
  )

/** Watches a server that has accepted the client, until the scope closes. */
const watched = Effect.fnUntraced(function*(
  connection: RedisConnection,
  { between, liveness, tracking }: Wire,
  settings: ConnectionSettings,
  { onSilence }: Listener
): Effect.fn.Return<void, never, Scope.Scope> {
  yield* Effect.forkScoped(Effect.andThen(tracking.begun, listening(connection, settings)))
  const slowReply = new SlowReply(connection, Duration.toMillis(settings.commandTimeout), between)
  yield* Effect.forkScoped(liveness.watch(connection, settings, { onSilence, slowReply }))
})

/**
 * The loss of the connection that refused credentials mean to everybody on it; opening the next connection says more.
 */
const refusal = (error: CommandError, address: string): CommandError =>
  error._tag === "AuthenticationError"
    ? connectionLoss("Handshake", `The server refused new credentials: ${error.code} ${error.detail}`, address, error)
    : error

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
