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
  | { readonly host: string; readonly port: number; readonly path?: undefined }
  | { readonly path: string; readonly host?: undefined; readonly port?: undefined }

/**
 * TLS settings of a connection.
 *
 * **Details**
 *
 * - `ca`: certificates (PEM) to trust instead of the system's.
 * - `cert`, `key`: certificate and private key (PEM) to present to a server that asks for them (mutual TLS). Both or neither.
 *   Certificates and keys are given as PEM or, where the platform has files, by the path of a file that is read whenever
 *   a connection is opened, within `connectTimeout`. It must be a file: no pipe, no device.
 * - `passphrase`: of `key`, when it is encrypted.
 * - `servername`: the name the server's certificate must carry, also sent as SNI. Default: the host.
 * - `verify`: `"required"` (default) refuses a server whose certificate is not trusted or does not carry its name;
 *   `"optional"` does the same, as a server always shows a certificate; `"none"` accepts any, so that whoever sits between
 *   can read and change everything.
 * - `checkHostname`: default `true`. `false` still asks for a trusted certificate, but for any name.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsOptions {
  readonly ca?: string | ReadonlyArray<string> | undefined
  readonly cert?: string | undefined
  readonly key?: Redacted.Redacted<string> | undefined
  readonly passphrase?: Redacted.Redacted<string> | undefined
  readonly servername?: string | undefined
  readonly verify?: "required" | "optional" | "none" | undefined
  readonly checkHostname?: boolean | undefined
}

/**
 * How a connection is opened.
 *
 * - `connectTimeout`: the limit for the socket to open, TLS included.
 * - `keepAlive`: TCP keep-alive probes. `keepAliveInitialDelay`: idle time before the first.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectOptions {
  readonly tls: TlsOptions | undefined
  readonly connectTimeout: Duration.Duration
  readonly keepAlive: boolean
  readonly keepAliveInitialDelay: Duration.Duration
}

/**
 * Opens sockets to endpoints: the only thing that a platform has to supply.
 *
 * **Details**
 *
 * `socket` itself does no I/O. Acquiring the `reader` of the socket that it
 * returns dials; closing the scope of that acquisition closes the connection.
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
