/**
 * Errors of connections: none could be opened, not in time, or the server refused
 * it.
 */
import * as Schema from "effect/Schema"
import {
  address,
  at,
  capitalized,
  clipped,
  Delivery,
  full,
  index,
  marks,
  origin,
  originAlone,
  readonly,
  reply
} from "./fields.ts"
import * as Retry from "./retry.ts"
import { TaggedError } from "./tagged.ts"

/**
 * No connection, or it was lost.
 *
 * **Details**
 *
 * - `reason`: `Refused`, `Dns`, `Tls` — it could not be opened; `Closed`, `Reset` — it was lost; `PoolExhausted`,
 *   `PoolTimeout` — the pool's limit was reached; `MaxClients` — the server's was; `HealthCheck` — the server answered
 *   a probe wrongly or not at all; `Handshake` — the server refused the handshake;
 *   `NotAccepted` — a server has named this address, and the option `accept` does not have it;
 *   `Demoted` — the server is not the master any more; `ClientClosed` — the Layer of this client was closed;
 *   `NotCacheable` — only for commands that are to be cached: the server cannot report changes over this connection.
 * - `permanent`: whether the server will refuse the next connection in the same way, as with a database that it does not
 *   have.
 * - `delivery`: whether the server can have run the command. `readonly`: whether the command only reads.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionError extends TaggedError<ConnectionError>("@redfx/core/RedisError/ConnectionError")(
  "ConnectionError",
  {
    reason: Schema.Literals([
      "Refused",
      "Closed",
      "Reset",
      "Dns",
      "Tls",
      "PoolExhausted",
      "PoolTimeout",
      "MaxClients",
      "HealthCheck",
      "Handshake",
      "NotAccepted",
      "Demoted",
      "ClientClosed",
      "NotCacheable",
      "Other"
    ]),
    detail: Schema.String,
    permanent: Schema.optionalKey(Schema.Boolean),
    address,
    command: Schema.optionalKey(Schema.String),
    index,
    delivery: Delivery,
    readonly,
    cause: Schema.optionalKey(Schema.Defect()),
    ...marks
  }
) {
  override get message(): string {
    const { command } = this
    const on = command === undefined ? "" : ` (${originAlone(this, command)})`
    return `${full(`${clipped(this.detail)}${at(this.address)}${on}`)}${Retry.deliveryText(this)}`
  }
}

/**
 * A time limit passed.
 *
 * **Details**
 *
 * - `phase`: `connect` — while a connection was being opened; `write` — before the command was written;
 *   `read` — while its reply was awaited.
 * - `milliseconds`: the limit. `detail`: what kept it from being done, and what to try, when that is known.
 *
 * @category errors
 * @since 0.1.0
 */
export class TimeoutError extends TaggedError<TimeoutError>("@redfx/core/RedisError/TimeoutError")(
  "TimeoutError",
  {
    phase: Schema.Literals(["connect", "write", "read"]),
    milliseconds: Schema.Number,
    detail: Schema.optionalKey(Schema.String),
    address,
    command: Schema.optionalKey(Schema.String),
    index,
    delivery: Delivery,
    readonly,
    ...marks
  }
) {
  override get message(): string {
    const { command } = this
    const what = command === undefined ? "The connection" : capitalized(originAlone(this, command))
    const why = this.phase === "connect"
      ? "opening a connection took longer"
      : this.phase === "write"
      ? `it was still waiting to be written${this.detail === undefined ? whyUnwritten : ""}`
      : "no reply had come"
    const more = this.detail === undefined ? "" : `; ${this.detail}`
    return `${what}${at(this.address)} ran into its limit of ${this.milliseconds} ms: ${full(`${why}${more}`)}${
      Retry.deliveryText(this)
    }`
  }
}

const whyUnwritten = ", as no connection was open yet or the server was slow to take commands; " +
  "if it never connects, check host, port and tls"

/**
 * The server wants other credentials: none were given, or they are wrong.
 *
 * @category errors
 * @since 0.1.0
 */
export class AuthenticationError
  extends TaggedError<AuthenticationError>("@redfx/core/RedisError/AuthenticationError")("AuthenticationError", {
    ...reply,
    username: Schema.optionalKey(Schema.String)
  })
{
  override get message(): string {
    const user = this.username === undefined ? "" : ` for the user "${this.username}"`
    return `Authentication failed${user} (${origin(this)}): ${this.code} ${
      clipped(this.detail)
    }. Check the options username and password, or credentials.${Retry.wholeText(this)}`
  }
}

/**
 * The server is still loading its data set; nothing was run. A later try will succeed.
 *
 * @category errors
 * @since 0.1.0
 */
export class BusyLoadingError extends TaggedError<BusyLoadingError>("@redfx/core/RedisError/BusyLoadingError")(
  "BusyLoadingError",
  reply
) {
  override get message(): string {
    return `The server is loading its data (${origin(this)}): ${clipped(this.detail)}.${
      Retry.fateText(this, "Nothing was run", "retry a little later", "The command was not run")
    }`
  }
}
