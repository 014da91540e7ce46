/**
 * Errors of commands that were refused: by redfx itself, by the server, or in reading the reply.
 */
import * as Schema from "effect/Schema"
import { at, clipped, command, index, marks, origin, reply, stopped } from "./fields.ts"
import * as Retry from "./retry.ts"
import { TaggedError } from "./tagged.ts"

/**
 * An argument that no server would take, or an option that makes no sense, found before anything was sent.
 *
 * - `command`: the command; of options, the function of redfx that they were given to, such as `RedisLock.make`.
 *
 * @category errors
 * @since 0.1.0
 */
export class DataError extends TaggedError<DataError>("@redfx/core/RedisError/DataError")("DataError", {
  command,
  detail: Schema.String,
  index,
  ...marks
}) {
  override get message(): string {
    // A command that is sent without a name has none.
    const of = origin(this)
    return `${of === "" ? "Redis.send" : `${of}:`} ${clipped(this.detail)}.${
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
export class DecodeError extends TaggedError<DecodeError>("@redfx/core/RedisError/DecodeError")("DecodeError", {
  command,
  detail: Schema.String,
  index,
  integer: Schema.optionalKey(Schema.String),
  ...marks
}) {
  override get message(): string {
    return `${origin(this)} was run and answered, but its reply could not be decoded: ${clipped(this.detail)}${
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
export class ResponseError extends TaggedError<ResponseError>("@redfx/core/RedisError/ResponseError")(
  "ResponseError",
  reply
) {
  override get message(): string {
    const next = misunderstood.find(([words]) => words.test(this.detail))?.[1] ?? advice.get(this.code) ?? ""
    return `${this.code} ${clipped(this.detail)} (${origin(this)})${stopped(next + Retry.wholeText(this))}`
  }
}

/** What servers say to a command, a subcommand or an option that came after them, and sentinels to all that is of data. */
const misunderstood: ReadonlyArray<readonly [words: RegExp, next: string]> = [
  [/^unknown command/i, " Is the server older than the command, or is it a sentinel (NodeRedisClient.layerSentinel)?"],
  [
    /^(?:unknown subcommand|wrong number of arguments|syntax error)/i,
    " Is the server older than the command or one of its options?"
  ]
]

const elsewhere =
  " The key is on another server of a cluster; NodeRedisClient.layerCluster is the client of all of them."

/** What to try, by the code of an error whose words do not say it. */
const advice: ReadonlyMap<string, string> = new Map([
  ["ASK", elsewhere],
  ["MOVED", elsewhere],
  ["CROSSSLOT", " Keys that one command takes together need a common {hash tag}."],
  ["NOGROUP", " XGROUP CREATE makes the group, and so does a consumer with the option createGroup."]
])

/**
 * The key holds a value of another type than the command works on.
 *
 * @category errors
 * @since 0.1.0
 */
export class WrongTypeError extends TaggedError<WrongTypeError>("@redfx/core/RedisError/WrongTypeError")(
  "WrongTypeError",
  reply
) {
  override get message(): string {
    return `${clipped(this.detail)} (${origin(this)}). TYPE tells what the key holds.${Retry.wholeText(this)}`
  }
}

/**
 * No script with this SHA-1 is loaded; EVAL or SCRIPT LOAD loads it.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoScriptError extends TaggedError<NoScriptError>("@redfx/core/RedisError/NoScriptError")(
  "NoScriptError",
  reply
) {
  override get message(): string {
    return `${clipped(this.detail)} (${origin(this)})${stopped(Retry.wholeText(this))}`
  }
}

/**
 * The server refused EXEC because a command could not be queued; nothing was
 * run. `causes`: what it said of each such command.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExecAbortError extends TaggedError<ExecAbortError>("@redfx/core/RedisError/ExecAbortError")(
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
    // Some servers refuse EXEC itself, and only that refusal says why.
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
export class ReadOnlyError extends TaggedError<ReadOnlyError>("@redfx/core/RedisError/ReadOnlyError")(
  "ReadOnlyError",
  reply
) {
  override get message(): string {
    return `${clipped(this.detail)} (${origin(this)}). Send writes to the master.${Retry.wholeText(this)}`
  }
}

/**
 * The server's access control list forbids the command, a key or a channel to this user.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoPermissionError
  extends TaggedError<NoPermissionError>("@redfx/core/RedisError/NoPermissionError")("NoPermissionError", reply)
{
  override get message(): string {
    return `${clipped(this.detail)} (${origin(this)}). ACL SETUSER gives rights, ACL WHOAMI tells whose they are.${
      Retry.wholeText(this)
    }`
  }
}

/**
 * The server is at its memory limit and refused a write; nothing was run.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutOfMemoryError extends TaggedError<OutOfMemoryError>("@redfx/core/RedisError/OutOfMemoryError")(
  "OutOfMemoryError",
  reply
) {
  override get message(): string {
    return `${clipped(this.detail)} (${origin(this)}).${
      Retry.fateText(this, "Nothing was run", "see maxmemory and maxmemory-policy", "The command was not run")
    }`
  }
}
