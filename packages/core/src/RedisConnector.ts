/**
 * What a platform supplies: byte streams to Redis servers.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Socket from "effect/socket/Socket"

/**
 * Where a server listens: a TCP host and port, or the path of a unix socket.
 *
 * @category models
 * @since 0.1.0
 */
export type Endpoint =
  | {
    /** The name or the IP address. */
    readonly host: string
    /** The port of TCP. */
    readonly port: number
    readonly path?: undefined
  }
  | {
    /** The path of a unix socket. */
    readonly path: string
    readonly host?: undefined
    readonly port?: undefined
  }

/**
 * How a connection uses TLS.
 *
 * **Details**
 *
 * Certificates and keys are the text of a PEM file or, where the platform has files, the path of one. A path is read whenever
 * a connection is opened, within `connectTimeout`, so that a renewed certificate is used by the next connection. It must be a
 * regular file.
 *
 * **Example** (A server whose certificate a private authority has signed)
 *
 * ```ts
 * import { NodeRedisClient } from "@redfx/node"
 *
 * export const client = NodeRedisClient.layer({
 *   host: "redis.internal",
 *   tls: { ca: "/etc/redis/ca.pem" }
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsOptions {
  /**
   * The certificates of the authorities to trust, instead of those that the system trusts. For a server with a certificate that
   * it signed itself this is that certificate.
   */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** The certificate of the client, for a server that asks for one (mutual TLS). It needs `key`. */
  readonly cert?: string | undefined
  /** The private key of `cert`. */
  readonly key?: Redacted.Redacted<string> | undefined
  /** The passphrase of `key`, when that is encrypted. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
  /**
   * Where `cert`, `key` and `passphrase` come from when they change while the program runs, such as a service that hands out
   * certificates. It runs whenever a connection is opened, within `connectTimeout`; one that is open stays. It takes the place of the
   * three; both together are refused. When it fails, the connection is not opened and commands fail with `ConnectionError`.
   */
  readonly clientCertificate?: Effect.Effect<ClientCertificate, unknown> | undefined
  /** The name that the server's certificate must carry; it is also sent to the server (SNI). Default: the host. */
  readonly servername?: string | undefined
  /**
   * Whether the server's certificate is verified. `"required"`, the default, refuses a server whose certificate is not
   * trusted or carries another name; `"optional"` does the same. `"none"` accepts any certificate, so that whoever sits
   * between can read and change everything.
   */
  readonly verify?: "required" | "optional" | "none" | undefined
  /** Whether the certificate must carry the server's name. Default `true`. `false` accepts a trusted one for any name. */
  readonly checkHostname?: boolean | undefined
}

/**
 * The certificate of a client: the texts of PEM files or, where the platform has files, the paths of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientCertificate {
  /** The certificate, with those between it and its authority where there are any. */
  readonly cert: string
  /** The private key of `cert`. */
  readonly key: Redacted.Redacted<string>
  /** The passphrase of `key`, when that is encrypted. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
}

/**
 * How a socket is opened: what a client passes to its platform.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectOptions {
  /** How TLS is used, with what `clientCertificate` gave in its place; `undefined` is a connection without TLS. */
  readonly tls: Omit<TlsOptions, "clientCertificate"> | undefined
  /** How long the opening of the socket may take, TLS included. */
  readonly connectTimeout: Duration.Duration
  /** Whether TCP keep-alive probes are sent. */
  readonly keepAlive: boolean
  /** How long a socket is idle before the first probe. */
  readonly keepAliveInitialDelay: Duration.Duration
}

/**
 * A reader of a socket that may take back the memory of what it has brought.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reader extends Socket.Reader {
  /**
   * Called with a chunk of the last `pull` that nobody keeps, before the next `pull`: the socket may read into its memory again.
   * These are the chunks without bulk strings but long ones, which are read as they come; all others are kept. A text that `pull`
   * has brought is given back as its bytes, which are nobody's. Default: nothing is given back.
   */
  readonly release?: ((chunk: Uint8Array) => void) | undefined
}

/**
 * A writer of a socket that may say when it is done with what was written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Writer extends Socket.Writer {
  /**
   * Whether the socket is done with every chunk that it was given: `true` only when nobody reads their memory any more, as it is
   * written to again then. Asked before each write, and when a caller goes away whose own memory it was given, of any length.
   * Default: it is not known, and every chunk of up to 64 KB has memory of its own.
   */
  readonly done?: (() => boolean) | undefined
}

/**
 * Opens sockets to endpoints: the only thing that a platform has to supply.
 *
 * **Details**
 *
 * `socket` itself does no I/O. Acquiring the `reader` of the socket that it
 * returns dials; closing the scope of that acquisition closes the connection. The reader may be a {@link Reader}, the writer a
 * {@link Writer}.
 *
 * The `writeAll` of its writer must not return before the socket is done with every chunk of more than 64 KB: it may be
 * memory of a caller's, who then uses it again.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisConnector extends Context.Service<RedisConnector, {
  readonly socket: (endpoint: Endpoint, options: ConnectOptions) => Effect.Effect<Socket.Socket>
}>()("@redfx/core/RedisConnector") {}

/**
 * Prints an endpoint as `host:port`, `[v6]:port` or the path of the unix socket.
 *
 * @category combinators
 * @since 0.1.0
 */
export const formatEndpoint = (endpoint: Endpoint): string =>
  endpoint.path !== undefined
    ? endpoint.path
    : endpoint.host.includes(":")
    ? `[${endpoint.host}]:${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}`
