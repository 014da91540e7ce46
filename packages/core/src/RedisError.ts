/**
 * Everything that can go wrong, as flat tagged errors.
 *
 * Each error is a class with a `_tag`, so `Effect.catchTag("ConnectionError", …)`
 * works on every command, and a schema, so it can cross a process boundary.
 * Errors of a command carry its name, never its arguments.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { printable } from "./internal/printable.ts"
import * as Retry from "./internal/retry.ts"
import { stackless } from "./internal/stackless.ts"
import type { ErrorReply } from "./Resp.ts"
import { ProtocolError } from "./Resp.ts"

export { ProtocolError }

// -----------------------------------------------------------------------------
// Fields
// -----------------------------------------------------------------------------

/**
 * Whether the server can have run the command: `"not-sent"`, certainly not, as
 * no byte of it was given to a socket; `"unknown"`, it may have.
 *
 * @category models
 * @since 0.1.0
 */
export const Delivery = Schema.Literals(["not-sent", "unknown"])

/**
 * @category models
 * @since 0.1.0
 */
export type Delivery = typeof Delivery.Type

/**
 * What was done of an effect that failed in part.
 *
 * **Details**
 *
 * - `of`: what its parts are. The commands of a `"pipeline"` or a `"transaction"`; the `"keys"` of one command that a
 *   cluster has split; the steps of one `"command"`.
 * - `answered`: the places, from 0, of those that the server has run and answered. `unknown`: of those that it may have
 *   run. All others were not run.
 *
 * @category models
 * @since 0.1.0
 */
export const Partial = Retry.Partial

/**
 * @category models
 * @since 0.1.0
 */
export type Partial = typeof Partial.Type

const command = Schema.String
const address = Schema.optionalKey(Schema.String)
const index = Schema.optionalKey(Schema.Number)
const readonly = Schema.Boolean

const at = (address: string | undefined): string => address === undefined ? "" : ` at ${address}`
interface Placed {
  readonly command: string
  readonly address?: string
  readonly index?: number
  readonly partial?: Partial
}
/** Which command of which whole, by the number that `index` and `partial` have for it, and where. */
const place = ({ address, command, index, partial }: Placed): string => {
  if (index === undefined) return `${command}${at(address)}`
  const whole = partial?.of === "pipeline" || partial?.of === "transaction" ? ` of the ${partial.of}` : ""
  return `${command} at index ${index}${whole}${address === undefined ? "" : `, at ${address}`}`
}
/** The same of an error that says by itself where that was. */
const placeAlone = ({ index, partial }: Pick<Placed, "index" | "partial">, command: string): string =>
  place({ command, ...(index === undefined ? {} : { index }), ...(partial === undefined ? {} : { partial }) })
const capitalized = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
/** What a server said, which ends with a full stop now and then, in the middle of a sentence; and at the end of one. */
const clipped = (text: string): string => text.replace(/\.+$/, "")
const full = (text: string): string => /[.?!]$/.test(text) ? text : `${text}.`
/** A sentence after one that has no full stop when nothing follows. */
const stopped = (next: string): string => next === "" ? "" : `.${next}`

const { marks } = Retry

/** What every error made from a server's error reply carries. */
const reply = { code: Schema.String, detail: Schema.String, command, address, index, ...marks }

// -----------------------------------------------------------------------------
// Connections
// -----------------------------------------------------------------------------

/**
 * No connection, or it was lost.
 *
 * **Details**
 *
 * - `reason`: `Refused`, `Dns`, `Tls` — it could not be opened; `Closed`, `Reset` — it was lost; `PoolExhausted`,
 *   `PoolTimeout` — the pool's limit was reached; `MaxClients` — the server's was; `HealthCheck` — the server answered
 *   a probe wrongly or not at all; `Handshake` — the server refused what every connection starts with;
 *   `NotAccepted` — a server has named this address, and the option `accept` does not have it;
 *   `Demoted` — the server is not the master any more; `ClientClosed` — the Layer of this client was closed.
 * - `permanent`: whether the server will refuse the next connection in the same way, as with a database that it does not
 *   have.
 * - `delivery`: whether the server can have run the command. `readonly`: whether the command only reads.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionError extends Schema.TaggedError<ConnectionError>("@redfx/core/RedisError/ConnectionError")(
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
    const on = command === undefined ? "" : ` (${placeAlone(this, command)})`
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
export class TimeoutError extends Schema.TaggedError<TimeoutError>("@redfx/core/RedisError/TimeoutError")(
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
    const what = command === undefined ? "The connection" : capitalized(placeAlone(this, command))
    const why = this.phase === "connect"
      ? "opening a connection took longer"
      : this.phase === "write"
      ? "it was still waiting to be written"
      : "no reply had come"
    const more = this.detail === undefined ? "" : `; ${this.detail}`
    return `${what}${at(this.address)} ran into its limit of ${this.milliseconds} ms: ${full(`${why}${more}`)}${
      Retry.deliveryText(this)
    }`
  }
}

/**
 * The server wants other credentials: none were given, or they are wrong.
 *
 * @category errors
 * @since 0.1.0
 */
export class AuthenticationError
  extends Schema.TaggedError<AuthenticationError>("@redfx/core/RedisError/AuthenticationError")("AuthenticationError", {
    ...reply,
    username: Schema.optionalKey(Schema.String)
  })
{
  override get message(): string {
    const user = this.username === undefined ? "" : ` for the user "${this.username}"`
    return `Authentication failed${user} (${place(this)}): ${this.code} ${
      clipped(this.detail)
    }. Check the options username and password.${Retry.wholeText(this)}`
  }
}

/**
 * The server is still loading its data set; nothing was run. A later try will succeed.
 *
 * @category errors
 * @since 0.1.0
 */
export class BusyLoadingError extends Schema.TaggedError<BusyLoadingError>("@redfx/core/RedisError/BusyLoadingError")(
  "BusyLoadingError",
  reply
) {
  override get message(): string {
    return `The server is loading its data (${place(this)}): ${clipped(this.detail)}.${
      Retry.fateText(this, "Nothing was run", "retry a little later", "The command was not run")
    }`
  }
}

// -----------------------------------------------------------------------------
// Arguments and replies
// -----------------------------------------------------------------------------

/**
 * An argument that no server would take, found before anything was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class DataError extends Schema.TaggedError<DataError>("@redfx/core/RedisError/DataError")("DataError", {
  command,
  detail: Schema.String,
  index,
  ...marks
}) {
  override get message(): string {
    return `${place(this)}: ${clipped(this.detail)}.${
      Retry.fateText(this, "Nothing was sent", "", "The command was not sent")
    }`
  }
}

/**
 * A reply that could not be read as the type that the command promises.
 *
 * **Details**
 *
 * `integer`: the exact text of an integer outside ±(2⁵³−1); `Redis.asBigInt` reads such replies.
 *
 * @category errors
 * @since 0.1.0
 */
export class DecodeError extends Schema.TaggedError<DecodeError>("@redfx/core/RedisError/DecodeError")("DecodeError", {
  command,
  detail: Schema.String,
  index,
  integer: Schema.optionalKey(Schema.String),
  ...marks
}) {
  override get message(): string {
    return `${place(this)} was run and answered, but its reply could not be decoded: ${clipped(this.detail)}${
      stopped(Retry.wholeText(this))
    }`
  }
}

/**
 * The server answered with an error that has no class of its own; `code` is its first word.
 *
 * @category errors
 * @since 0.1.0
 */
export class ResponseError extends Schema.TaggedError<ResponseError>("@redfx/core/RedisError/ResponseError")(
  "ResponseError",
  reply
) {
  override get message(): string {
    return `${this.code} ${clipped(this.detail)} (${place(this)})${stopped(Retry.wholeText(this))}`
  }
}

/**
 * The key holds a value of another type than the command works on.
 *
 * @category errors
 * @since 0.1.0
 */
export class WrongTypeError extends Schema.TaggedError<WrongTypeError>("@redfx/core/RedisError/WrongTypeError")(
  "WrongTypeError",
  reply
) {
  override get message(): string {
    return `${clipped(this.detail)} (${place(this)}). TYPE tells what the key holds.${Retry.wholeText(this)}`
  }
}

/**
 * No script with this SHA-1 is loaded; EVAL or SCRIPT LOAD loads it.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoScriptError extends Schema.TaggedError<NoScriptError>("@redfx/core/RedisError/NoScriptError")(
  "NoScriptError",
  reply
) {
  override get message(): string {
    return `${clipped(this.detail)} (${place(this)})${stopped(Retry.wholeText(this))}`
  }
}

/**
 * The server refused EXEC because a command could not be queued; nothing was
 * run. `causes`: what it said of each such command.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExecAbortError extends Schema.TaggedError<ExecAbortError>("@redfx/core/RedisError/ExecAbortError")(
  "ExecAbortError",
  {
    ...reply,
    causes: Schema.Array(Schema.Struct({ index: Schema.Number, command, code: Schema.String, detail: Schema.String }))
  }
) {
  override get message(): string {
    const causes = this.causes.map((cause) =>
      `; ${cause.command} at index ${cause.index}: ${cause.code} ${clipped(cause.detail)}`
    )
    const what = this.mayHaveWritten === true ? "" : ", nothing was run"
    // Some servers refuse EXEC itself, and say why only there.
    const said = Retry.refusalOfExec(this.detail)
    if (said !== undefined) causes.push(`; EXEC: ${said}`)
    return `The transaction was discarded${what}${at(this.address)}${causes.join("")}${stopped(Retry.wholeText(this))}`
  }
}

/**
 * A write reached a server that only takes reads; nothing was run.
 *
 * @category errors
 * @since 0.1.0
 */
export class ReadOnlyError extends Schema.TaggedError<ReadOnlyError>("@redfx/core/RedisError/ReadOnlyError")(
  "ReadOnlyError",
  reply
) {
  override get message(): string {
    return `${clipped(this.detail)} (${place(this)}). Send writes to the master.${Retry.wholeText(this)}`
  }
}

/**
 * The server's access control list forbids the command, a key or a channel to this user.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoPermissionError
  extends Schema.TaggedError<NoPermissionError>("@redfx/core/RedisError/NoPermissionError")("NoPermissionError", reply)
{
  override get message(): string {
    return `${clipped(this.detail)} (${place(this)})${stopped(Retry.wholeText(this))}`
  }
}

/**
 * The server is at its memory limit and refused a write; nothing was run.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutOfMemoryError extends Schema.TaggedError<OutOfMemoryError>("@redfx/core/RedisError/OutOfMemoryError")(
  "OutOfMemoryError",
  reply
) {
  override get message(): string {
    return `${clipped(this.detail)} (${place(this)}).${
      Retry.fateText(this, "Nothing was run", "see maxmemory and maxmemory-policy", "The command was not run")
    }`
  }
}

// -----------------------------------------------------------------------------
// Transactions and locks
// -----------------------------------------------------------------------------

/**
 * A watched key changed, or the connection that watched it was lost; the transaction was not applied.
 *
 * @category errors
 * @since 0.1.0
 */
export class WatchError extends Schema.TaggedError<WatchError>("@redfx/core/RedisError/WatchError")("WatchError", {
  reason: Schema.Literals(["changed", "connectionLost"]),
  keys: Schema.Array(Schema.String),
  delivery: Delivery,
  ...marks
}) {
  override get message(): string {
    const what = this.reason === "changed"
      ? "A watched key changed before EXEC; nothing was applied."
      : "The connection that watched the keys was lost before EXEC was answered."
    return `${what}${this.mayHaveWritten === true ? Retry.wholeText(this) : " Run the whole transaction again."}`
  }
}

/**
 * Messages came faster than a subscription was consumed, and its buffer was
 * full; what it held was still yielded. `capacity` is that of the buffer.
 *
 * @category errors
 * @since 0.1.0
 */
export class PubSubOverflowError
  extends Schema.TaggedError<PubSubOverflowError>("@redfx/core/RedisError/PubSubOverflowError")("PubSubOverflowError", {
    capacity: Schema.Number
  })
{
  override get message(): string {
    return `More than ${this.capacity} messages waited to be consumed. Consume them faster, or choose another ` +
      "buffer.capacity or buffer.onFull for the subscription."
  }
}

/**
 * A lock could not be taken in time, or is not held.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockError extends Schema.TaggedError<LockError>("@redfx/core/RedisError/LockError")("LockError", {
  name: Schema.String,
  reason: Schema.Literals(["NotAcquired", "NotHeld", "NoTimeout"])
}) {
  override get message(): string {
    return this.reason === "NotAcquired"
      ? `Unable to acquire the lock "${this.name}" within the time specified.`
      : this.reason === "NotHeld"
      ? `The lock "${this.name}" is not held by this handle.`
      : `The lock "${this.name}" has no time to live that could be extended.`
  }
}

/**
 * A lock was held, but somebody else holds it by now, or it expired.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockNotOwnedError
  extends Schema.TaggedError<LockNotOwnedError>("@redfx/core/RedisError/LockNotOwnedError")("LockNotOwnedError", {
    name: Schema.String
  })
{
  override get message(): string {
    return `The lock "${this.name}" expired and is not owned any more; what it protected may have been entered by others.`
  }
}

// -----------------------------------------------------------------------------
// Sentinel and cluster
// -----------------------------------------------------------------------------

const Attempts = Schema.Array(Schema.Struct({ address: Schema.String, detail: Schema.String }))
const attempted = (attempts: typeof Attempts.Type): string =>
  attempts.map((attempt) => `; ${attempt.address}: ${attempt.detail}`).join("")

/**
 * No sentinel names a usable master of the service. `attempts`: what each one said. `permanent`: whether all of them will
 * say the same next time, as with a wrong password for sentinels.
 *
 * @category errors
 * @since 0.1.0
 */
export class MasterNotFoundError
  extends Schema.TaggedError<MasterNotFoundError>("@redfx/core/RedisError/MasterNotFoundError")("MasterNotFoundError", {
    service: Schema.String,
    attempts: Attempts,
    permanent: Schema.optionalKey(Schema.Boolean),
    ...marks
  })
{
  override get message(): string {
    return `No master found for "${this.service}"${attempted(this.attempts)}.${
      Retry.fateText(this, "Nothing was sent", "retry while a failover may be under way", "The command was not sent")
    }`
  }
}

/**
 * No replica of the service is usable, and no master either. `attempts` and `permanent` are as in
 * {@link MasterNotFoundError}.
 *
 * @category errors
 * @since 0.1.0
 */
export class ReplicaNotFoundError
  extends Schema.TaggedError<ReplicaNotFoundError>("@redfx/core/RedisError/ReplicaNotFoundError")(
    "ReplicaNotFoundError",
    {
      service: Schema.String,
      attempts: Attempts,
      permanent: Schema.optionalKey(Schema.Boolean),
      ...marks
    }
  )
{
  override get message(): string {
    return `No replica found for "${this.service}"${attempted(this.attempts)}.${
      Retry.fateText(this, "Nothing was sent", "", "The command was not sent")
    }`
  }
}

/**
 * The cluster says that it cannot serve; nothing was run. `code`: `CLUSTERDOWN` or `MASTERDOWN`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClusterDownError extends Schema.TaggedError<ClusterDownError>("@redfx/core/RedisError/ClusterDownError")(
  "ClusterDownError",
  { ...reply, attempts: Schema.Number }
) {
  override get message(): string {
    return `${this.code} ${clipped(this.detail)} (${place(this)}, ${this.attempts} attempts).${
      Retry.fateText(this, "Nothing was run", "retry when the cluster is up again", "The command was not run")
    }`
  }
}

/**
 * None of the cluster's nodes could be reached, or what was reached is no cluster.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClusterConnectError
  extends Schema.TaggedError<ClusterConnectError>("@redfx/core/RedisError/ClusterConnectError")("ClusterConnectError", {
    attempts: Attempts,
    ...marks
  })
{
  override get message(): string {
    return `No node of the cluster is usable${attempted(this.attempts)}. Provide at least one reachable node.${
      Retry.wholeText(this)
    }`
  }
}

/**
 * The keys of one command lie in different hash slots; nothing was run.
 *
 * @category errors
 * @since 0.1.0
 */
export class CrossSlotError extends Schema.TaggedError<CrossSlotError>("@redfx/core/RedisError/CrossSlotError")(
  "CrossSlotError",
  { command, index, ...marks }
) {
  override get message(): string {
    return `The keys of ${place(this)} lie in different hash slots. Give them a common {hash tag}.${
      Retry.wholeText(this)
    }`
  }
}

/**
 * No node of the cluster serves the hash slot; nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class SlotNotCoveredError
  extends Schema.TaggedError<SlotNotCoveredError>("@redfx/core/RedisError/SlotNotCoveredError")("SlotNotCoveredError", {
    slot: Schema.Number,
    ...marks
  })
{
  override get message(): string {
    return `No node of the cluster serves slot ${this.slot}.${
      Retry.fateText(this, "Nothing was sent", "", "The command was not sent")
    }`
  }
}

/**
 * A command used up its tries over redirects, retries and reconnects. `last`: what the last one said.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClusterRetriesExhaustedError
  extends Schema.TaggedError<ClusterRetriesExhaustedError>("@redfx/core/RedisError/ClusterRetriesExhaustedError")(
    "ClusterRetriesExhaustedError",
    {
      command,
      slot: Schema.optionalKey(Schema.Number),
      attempts: Schema.Number,
      last: Schema.String,
      index,
      delivery: Delivery,
      readonly,
      ...marks
    }
  )
{
  override get message(): string {
    const failed = this.attempts === 1 ? "failed:" : `failed ${this.attempts} times; the last time:`
    return `${capitalized(place(this))} ${failed} ${full(this.last)}${Retry.deliveryText(this)}`
  }
}

/**
 * The command has no meaning on a cluster, or none that keeps its promise.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClusterUnsupportedError
  extends Schema.TaggedError<ClusterUnsupportedError>("@redfx/core/RedisError/ClusterUnsupportedError")(
    "ClusterUnsupportedError",
    { command, detail: Schema.String, index, ...marks }
  )
{
  override get message(): string {
    return `${capitalized(place(this))} is not supported on a cluster: ${this.detail}${stopped(Retry.wholeText(this))}`
  }
}

// -----------------------------------------------------------------------------
// Configuration
// -----------------------------------------------------------------------------

/**
 * An option that cannot be: found when a Layer is built, before any I/O.
 *
 * @category errors
 * @since 0.1.0
 */
export class RedisConfigError extends Schema.TaggedError<RedisConfigError>("@redfx/core/RedisError/RedisConfigError")(
  "RedisConfigError",
  { option: Schema.String, detail: Schema.String }
) {
  override get message(): string {
    return `The option ${this.option} is not valid: ${this.detail}`
  }
}

/**
 * A URL that names no Redis server. `url` is printed without its credentials.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidUrlError extends Schema.TaggedError<InvalidUrlError>("@redfx/core/RedisError/InvalidUrlError")(
  "InvalidUrlError",
  { url: Schema.String, detail: Schema.String }
) {
  override get message(): string {
    return `The URL ${this.url} is not valid: ${this.detail}`
  }
}

// -----------------------------------------------------------------------------
// Unions
// -----------------------------------------------------------------------------

/**
 * Every error that running a command can end in.
 *
 * @category models
 * @since 0.1.0
 */
export type RedisError =
  | ConnectionLikeError
  | TimeoutError
  | ProtocolError
  | DataError
  | DecodeError
  | ResponseLikeError
  | WatchError
  | PubSubOverflowError
  | LockLikeError
  | ClusterLikeError
  | ConfigLikeError

/**
 * The server could not be reached, or not be used once reached.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectionLikeError =
  | ConnectionError
  | AuthenticationError
  | BusyLoadingError
  | MasterNotFoundError
  | ReplicaNotFoundError

/**
 * The server answered with an error.
 *
 * @category models
 * @since 0.1.0
 */
export type ResponseLikeError =
  | ResponseError
  | WrongTypeError
  | NoScriptError
  | ExecAbortError
  | ReadOnlyError
  | NoPermissionError
  | OutOfMemoryError

/**
 * Errors of a lock.
 *
 * @category models
 * @since 0.1.0
 */
export type LockLikeError = LockError | LockNotOwnedError

/**
 * Errors that only a cluster has.
 *
 * @category models
 * @since 0.1.0
 */
export type ClusterLikeError =
  | ClusterDownError
  | ClusterConnectError
  | CrossSlotError
  | SlotNotCoveredError
  | ClusterRetriesExhaustedError
  | ClusterUnsupportedError

/**
 * What was configured cannot be.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigLikeError = RedisConfigError | InvalidUrlError

/**
 * The schema of {@link RedisError}, for sending errors to another process.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RedisErrorSchema = Schema.Union([
  ConnectionError,
  AuthenticationError,
  BusyLoadingError,
  MasterNotFoundError,
  ReplicaNotFoundError,
  TimeoutError,
  ProtocolError,
  DataError,
  DecodeError,
  ResponseError,
  WrongTypeError,
  NoScriptError,
  ExecAbortError,
  ReadOnlyError,
  NoPermissionError,
  OutOfMemoryError,
  WatchError,
  PubSubOverflowError,
  LockError,
  LockNotOwnedError,
  ClusterDownError,
  ClusterConnectError,
  CrossSlotError,
  SlotNotCoveredError,
  ClusterRetriesExhaustedError,
  ClusterUnsupportedError,
  RedisConfigError,
  InvalidUrlError
])

// -----------------------------------------------------------------------------
// Retrying
// -----------------------------------------------------------------------------

/**
 * Whether something is an error of redfx.
 *
 * **Gotchas**
 *
 * The tag `TimeoutError` is also that of what `Effect.timeout` fails with, so `Effect.catchTag("TimeoutError", …)` catches
 * both. This guard tells them apart.
 *
 * **Example** (A limit of one's own around a command)
 *
 * ```ts
 * import { Redis, RedisError } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const value = Redis.get("k").pipe(
 *   Effect.timeout("1 second"),
 *   Effect.catchTag("TimeoutError", (error) =>
 *     Effect.succeed(RedisError.isRedisError(error) ? `redfx's limit, ${error.phase}` : "the program's own limit"))
 * )
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isRedisError = (u: unknown): u is RedisError =>
  u instanceof Error && RedisErrorSchema.members.some((Class) => u instanceof Class)

/**
 * Whether a later try of the same effect may succeed. Of anything else than an
 * error of redfx that is not known: `false`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRetryable = (u: unknown): boolean => isRedisError(u) && Retry.isRetryable(u)

/**
 * Whether a later try may succeed and repeating the whole effect that failed
 * cannot apply a write twice: nothing of it that writes has been run, or can
 * have been. `false` for anything else than an error of redfx.
 *
 * **Details**
 *
 * The effect is the command, pipeline, transaction or other operation of redfx
 * that failed with this error. Of a program of several of them the error knows
 * only its own: retry each, not all together.
 *
 * @category guards
 * @since 0.1.0
 */
export const isSafeToRetry = (u: unknown): boolean => isRedisError(u) && Retry.isSafeToRetry(u)

// -----------------------------------------------------------------------------
// Effects of several commands
// -----------------------------------------------------------------------------

/**
 * What is known of an effect of several commands besides the error of one of them.
 *
 * - `of`, `answered`, `unknown`: as in {@link Partial}; `of` is `"command"` by default, which stands for the steps of one
 *   command, whose `delivery` is then `"unknown"`.
 * - `mayHaveWritten`: whether repeating the whole can apply a write twice.
 *
 * @category models
 * @since 0.1.0
 */
export type Others = Retry.Others

/**
 * The error with which an effect of several commands fails: that of one of
 * them, with what is known of the others.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inPart: (error: RedisError, others: Others) => RedisError = Retry.inPart

/**
 * One of several parts of an effect, and what has become of it.
 *
 * - `places`: which of the caller's commands or keys it is. `readonly`: whether running it twice does no harm.
 * - `error`: what it failed with, `undefined` when it did not. `sent`: whether it was for a server at all, by default
 *   `true`.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = Retry.Part

/**
 * The error of an effect whose parts came to this: that of the first part that
 * failed, with what is known of the others; `undefined` when none failed.
 *
 * @category combinators
 * @since 0.1.0
 */
export const failureAmong: (of: Partial["of"], parts: ReadonlyArray<Part>) => RedisError | undefined =
  Retry.failureAmong

/**
 * Whether what failed with this error can have been run.
 *
 * @category guards
 * @since 0.1.0
 */
export const mayHaveRun: (error: RedisError) => boolean = Retry.mayHaveRun

// -----------------------------------------------------------------------------
// Losing connections
// -----------------------------------------------------------------------------

/**
 * A connection that is lost or cannot be had, before it is known which commands
 * that befalls. Cheap, as it may befall many.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connectionLoss = (
  reason: ConnectionError["reason"],
  detail: string,
  address?: string,
  cause?: unknown
): ConnectionError =>
  stackless(() =>
    new ConnectionError({
      reason,
      detail,
      delivery: "not-sent",
      readonly: false,
      ...(address === undefined ? {} : { address }),
      ...(cause === undefined ? {} : { cause })
    })
  )

// -----------------------------------------------------------------------------
// Pipelines
// -----------------------------------------------------------------------------

/**
 * The same error as that of the command at `index` of a pipeline, or of one
 * alone without an index, where the error says so.
 *
 * @category combinators
 * @since 0.1.0
 */
export const atIndex = (error: RedisError, index: number | undefined): RedisError => {
  if (!Retry.hasField(error, "index") || ("index" in error ? error.index : undefined) === index) return error
  return Retry.withFields(error, { index })
}

// -----------------------------------------------------------------------------
// Classification
// -----------------------------------------------------------------------------

/**
 * What is known about a command whose reply is an error.
 *
 * - `secrets`: arguments that must not be shown when the server quotes them.
 * - `runsCode`: whether it runs code that can make up any error, and may have written before it did.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplyContext {
  readonly command: string
  readonly secrets?: ReadonlyArray<string> | undefined
  readonly address?: string | undefined
  readonly index?: number | undefined
  readonly runsCode?: boolean | undefined
}

type ReplyFields = typeof ResponseError.Type extends infer E extends ResponseError
  ? Pick<E, "code" | "detail" | "command"> & {
    readonly address?: string
    readonly index?: number
    readonly mayHaveWritten?: boolean
  }
  : never

/** Codes of errors that come after something was written: the target of a MIGRATE may have the key. */
const belated: ReadonlySet<string> = new Set(["IOERR"])

/**
 * Servers quote the arguments of a command they do not know, and some of those they do know: `ERR Error in ACL SETUSER
 * modifier '>password'`, `ERR Invalid argument 'password' for CONFIG SET`, `ERR unknown subcommand 'password'`.
 */
const withoutArguments = (detail: string, secrets: ReadonlyArray<string>): string => {
  const quoted = detail.indexOf(", with args beginning with")
  return secrets.reduce(withoutSecret, quoted < 0 ? detail : detail.slice(0, quoted))
}

/** Only whole words: a secret such as `on` must not make holes in other words. */
const withoutSecret = (detail: string, secret: string): string => {
  // Line ends cannot be part of an error; servers put spaces in their place.
  const words = secret.replace(/[\r\n]/g, " ")
  if (words === "" || !detail.includes(words)) return detail
  const literally = words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  return detail.replace(new RegExp(`(?<!\\w)${literally}(?!\\w)`, "g"), "<redacted>")
}

/** First match wins. Lines are matched with their code, as the server sent them. */
const rules: ReadonlyArray<readonly [pattern: RegExp, make: (fields: ReplyFields) => RedisError]> = [
  [
    /^ERR max number of clients( \+ cluster connections)? reached/i,
    (fields) =>
      new ConnectionError({
        reason: "MaxClients",
        detail: "The server has reached its maximum number of clients",
        command: fields.command,
        ...(fields.address === undefined ? {} : { address: fields.address }),
        ...(fields.index === undefined ? {} : { index: fields.index }),
        delivery: fields.mayHaveWritten === true ? "unknown" : "not-sent",
        readonly: false
      })
  ],
  [
    /^(NOAUTH|WRONGPASS)\b|^ERR (Client sent AUTH, but no password is set|invalid password|AUTH <password> called without any password)/i,
    (fields) => new AuthenticationError(fields)
  ],
  [/^LOADING\b/, (fields) => new BusyLoadingError(fields)],
  [/^WRONGTYPE\b/, (fields) => new WrongTypeError(fields)],
  [/^NOSCRIPT\b/, (fields) => new NoScriptError(fields)],
  // Anything else that says so is a script, which has run.
  [
    /^EXECABORT\b/,
    (fields) =>
      fields.command.toUpperCase() === "EXEC"
        ? new ExecAbortError({ ...fields, causes: [] })
        : new ResponseError(fields)
  ],
  [/^READONLY\b/, (fields) => new ReadOnlyError(fields)],
  [/^NOPERM\b/, (fields) => new NoPermissionError(fields)],
  [/^OOM\b/, (fields) => new OutOfMemoryError(fields)]
]

/**
 * Makes the error that an error reply stands for.
 *
 * **Details**
 *
 * Redirects and the cluster's own states (`MOVED`, `ASK`, `TRYAGAIN`,
 * `CLUSTERDOWN`, `MASTERDOWN`, `CROSSSLOT`) are `ResponseError`s here; the
 * Cluster Layer reads their codes before.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromReply = (error: ErrorReply, context: ReplyContext): RedisError => {
  const line = error.line
  const code = error.code
  const fields: ReplyFields = {
    // Whoever can name a key or write a script has a say in what servers say: it must not reach terminals as it stands.
    code: printable(code),
    detail: printable(withoutArguments(line.slice(code.length + 1), context.secrets ?? [])),
    command: context.command,
    ...(context.address === undefined ? {} : { address: context.address }),
    ...(context.index === undefined ? {} : { index: context.index }),
    ...(context.runsCode === true || belated.has(code) ? { mayHaveWritten: true } : {})
  }
  return stackless(() => {
    for (const [pattern, make] of rules) {
      if (pattern.test(line)) return make(fields)
    }
    return new ResponseError(fields)
  })
}
