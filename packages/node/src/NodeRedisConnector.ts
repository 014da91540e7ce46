/**
 * Connections to Redis servers through Node.js: TCP, TLS and unix sockets.
 *
 * @since 0.1.0
 */
import { RedisConnector } from "@redfx/core/RedisConnector"
import type { ConnectOptions, Endpoint } from "@redfx/core/RedisConnector"
import { withTimeout } from "@redfx/core/unstable/Runtime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Socket from "effect/socket/Socket"
import { dial } from "./internal/dial.ts"
import type { DialOptions } from "./internal/dial.ts"
import * as InboxSocket from "./internal/inboxSocket.ts"

const tooLate = (): Socket.SocketError =>
  new Socket.SocketError({
    reason: new Socket.SocketOpenError({ kind: "Timeout", cause: new Error("Connection timed out") })
  })

/**
 * Provides the connector of Node.js, which opens sockets with `node:net` and `node:tls`.
 *
 * **Details**
 *
 * - TCP_NODELAY is always on.
 * - All IPv6 and IPv4 addresses of a host name are tried in order.
 * - With TLS the server's certificate must be trusted and carry `servername`, which is the host by default. For an IP
 *   address the certificate must carry that address; no SNI is sent then.
 * - A unix socket is used without TLS and keep-alive, even when the options ask for them.
 * - Acquiring a reader fails with a `SocketOpenError`. Its `cause` is Node's error, which has a `code` such as
 *   `ECONNREFUSED`, `ENOTFOUND` or `ERR_TLS_CERT_ALTNAME_INVALID`. Its `kind` is `"Timeout"` when `connectTimeout` has
 *   passed.
 * - Closing the scope of a reader destroys its socket at once. Bytes that the system has not taken yet are not sent.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<RedisConnector> = Layer.succeed(
  RedisConnector,
  RedisConnector.of({
    socket: (endpoint, options) =>
      Effect.sync(() =>
        InboxSocket.make((inbox) =>
          hasOnread
            ? opened(endpoint, options, { onread: inbox.onread })
            : Effect.tap(opened(endpoint, options), (socket) => Effect.sync(() => inbox.listen(socket)))
        )
      )
  })
)

/** Bun and Deno have `node:net` too, but not all that it can do. */
const hasOnread = !("Bun" in globalThis || "Deno" in globalThis)

const opened = (endpoint: Endpoint, options: ConnectOptions, dialOptions?: DialOptions) =>
  withTimeout(dial(endpoint, options, dialOptions), {
    limit: Duration.toMillis(options.connectTimeout),
    orElse: () => Effect.fail(tooLate())
  })
