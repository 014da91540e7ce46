/**
 * Opens Node sockets, and makes sure that they are closed with their scope.
 */
import type { ConnectOptions, Endpoint, TlsOptions } from "@redfx/core/RedisConnector"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Net from "node:net"
import type * as Tls from "node:tls"
import * as Builtin from "./builtin.ts"
import { certificates, pem } from "./pem.ts"

export interface DialOptions {
  /** Resolves host names; a test can supply its own. */
  readonly lookup?: Net.LookupFunction | undefined
  /** Where Node.js reads to, and what it calls then; without it what comes is read from the socket as from a stream. */
  readonly onread?: Net.OnReadOpts | undefined
}

/**
 * The milliseconds after which a silent address is left for the next one of its name: Node's default, which is 500 on Node 26
 * and 250 on Node 22, or a quarter of `connectTimeout`, so that there is time for another. Node takes no less than 10.
 */
export const longestAttempt = (connectTimeout: Duration.Duration): number =>
  Math.max(
    Math.min(Net.getDefaultAutoSelectFamilyAttemptTimeout(), Math.floor(Duration.toMillis(connectTimeout) / 4)),
    10
  )

/**
 * Tries every address that a name resolves to. Node starts with the first, and goes on to the next when a connection is
 * refused or has not answered in time. The last one may take as long as `connectTimeout` allows. Node's default can be
 * switched off for a whole process, so this sets the option explicitly.
 */
const tcpOptions = (
  { host, port }: { readonly host: string; readonly port: number },
  { connectTimeout }: ConnectOptions,
  lookup: Net.LookupFunction | undefined
) => ({
  host,
  port,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: longestAttempt(connectTimeout),
  ...(lookup === undefined ? {} : { lookup })
})

/** The contents of the PEM files in the settings, as text. */
interface Pem {
  readonly ca: string | Array<string> | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

const trusted = (textOrPath: string) => Effect.flatMap(pem("ca", textOrPath), (text) => certificates("ca", text))

const readPem = Effect.fnUntraced(function*({ ca, cert, key }: TlsOptions): Effect.fn.Return<Pem, Error> {
  return {
    ca: typeof ca === "object"
      ? yield* Effect.forEach(ca, trusted)
      : ca === undefined
      ? undefined
      : yield* trusted(ca),
    cert: yield* pem("cert", cert),
    key: yield* pem("key", key === undefined ? undefined : Redacted.value(key))
  }
})

const tlsOptions = (host: string, tls: TlsOptions, { ca, cert, key }: Pem): Tls.ConnectionOptions => {
  const name = tls.servername ?? host
  return {
    // An IP address cannot be sent as SNI; an empty name sends none.
    servername: Net.isIP(name) === 0 ? name : "",
    rejectUnauthorized: tls.verify !== "none",
    // Node calls this for trusted certificates only. By default Node would take the name from `servername`, and so
    // would check none for an IP address.
    checkServerIdentity: (_host, cert) =>
      tls.checkHostname === false ? undefined : Builtin.tls().checkServerIdentity(name, cert),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.passphrase === undefined ? {} : { passphrase: Redacted.value(tls.passphrase) })
  }
}

const openError = (cause: unknown): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause }) })

/** Starts to connect. Throws for options that Node refuses, such as a port out of range or a broken certificate. */
const connect = (
  endpoint: Endpoint,
  options: ConnectOptions,
  files: Pem,
  { lookup, onread }: DialOptions
): Net.Socket => {
  const reading = onread === undefined ? {} : { onread }
  // A unix socket does not leave the machine, so TLS and keep-alive would add nothing.
  if (endpoint.path !== undefined) return Net.connect({ path: endpoint.path, ...reading })
  const tcp = { ...tcpOptions(endpoint, options, lookup), ...reading }
  if (options.tls === undefined) return Net.connect(tcp)
  if ((options.tls.cert === undefined) !== (options.tls.key === undefined)) {
    throw new Error("The TLS options cert and key must be given together")
  }
  return Builtin.tls().connect({ ...tcp, ...tlsOptions(endpoint.host, options.tls, files) })
}

/** `tls.connect` ignores these options, unlike `net.connect`, so they are set on the open socket in both cases. */
const tune = (socket: Net.Socket, options: ConnectOptions): void => {
  socket.setNoDelay(true)
  if (options.keepAlive) socket.setKeepAlive(true, Duration.toMillis(options.keepAliveInitialDelay))
}

/** A socket that is being opened, and how that ends. */
interface Opening {
  readonly socket: Net.Socket
  readonly opened: Deferred.Deferred<Net.Socket, Socket.SocketError>
}

/**
 * Starts to connect, and listens from the beginning: a fiber may rest between any two steps, and what the socket tells
 * meanwhile, to nobody, would be waited for in vain or end the process.
 */
const begin = (endpoint: Endpoint, options: ConnectOptions, files: Pem, dialOptions: DialOptions): Opening => {
  const socket = connect(endpoint, options, files, dialOptions)
  const opened = Deferred.makeUnsafe<Net.Socket, Socket.SocketError>()
  const fail = (cause: unknown): void => void Deferred.doneUnsafe(opened, Effect.fail(openError(cause)))
  socket.once(options.tls === undefined || endpoint.path !== undefined ? "connect" : "secureConnect", () => {
    if (endpoint.path === undefined) tune(socket, options)
    Deferred.doneUnsafe(opened, Effect.succeed(socket))
  })
  // The listener stays for the life of the socket: an error after its reader is gone must not end the process.
  socket.on("error", fail)
  // Handles a peer that hangs up during a TLS handshake. After an error, this event comes too late to matter.
  socket.once("close", () => fail(new Error("The connection was closed while it was being opened")))
  return { socket, opened }
}

/**
 * Dials, and succeeds when the socket is open, including TLS.
 *
 * The socket is destroyed when the scope closes. Effect's `NodeSocket.makeNet` ends it gracefully instead, which waits until
 * everything that was written has been taken; with a peer that no longer reads, that takes for ever.
 */
export const dial = (
  endpoint: Endpoint,
  options: ConnectOptions,
  dialOptions: DialOptions = {}
): Effect.Effect<Net.Socket, Socket.SocketError, Scope.Scope> =>
  // This is outside of the uninterruptible part, because a file may be on a disk that does not respond.
  Effect.mapError(readPem(endpoint.path === undefined ? options.tls ?? {} : {}), openError).pipe(
    Effect.flatMap((files) =>
      Effect.acquireRelease(
        Effect.try({ try: () => begin(endpoint, options, files, dialOptions), catch: openError }),
        ({ socket }) => Effect.sync(() => socket.destroy())
      )
    ),
    Effect.flatMap(({ opened, socket }) =>
      Effect.onInterrupt(Deferred.await(opened), () => Effect.sync(() => socket.destroy()))
    )
  )
