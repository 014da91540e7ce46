/**
 * Makes outcomes of commands from replies, and from the end of a connection.
 */
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import { fromReply, ResponseError } from "../../RedisError.ts"
import type { CommandError, Delivery, NoScriptError } from "../../RedisError.ts"
import * as Resp from "../../Resp.ts"
import type { Outcome } from "../command/weave.ts"
import { asSinceSeven } from "../error/classify.ts"
import { copied } from "../error/copy.ts"
import { connectionLoss, failureOf, isHangUp } from "../error/events.ts"
import { present } from "../error/present.ts"
import type { TextDecoding } from "../reply/decode.ts"

/**
 * The origin of a reply, for the messages of errors and for the view of text.
 *
 * - `onRefusal`: takes error replies and their commands; returns the loss of the connection, where an error reply means one.
 */
export interface Replies {
  readonly address: string | undefined
  readonly textDecoding: TextDecoding
  readonly onRefusal?: ((error: Resp.ErrorReply, command: RedisCommand.Any) => CommandError | undefined) | undefined
}

/** The outcome of a command whose connection has ended: a failure, unless the command asked for that end. */
export const failed = <A>(
  command: RedisCommand.RedisCommand<A>,
  error: CommandError,
  delivery: Delivery
): Exit.Exit<A, CommandError> =>
  command.spec.traits.has("closing") && delivery === "unknown" && isHangUp(error)
    ? RedisCommand.decode(command, null)
    : Exit.fail(failureOf(error, command.spec, delivery))

/**
 * The outcomes of the commands of a batch whose connection has ended. Outcomes that differ in nothing but their index share one
 * error without an index; `Redis.pipeline` and `Redis.pipelineSettled` put the index in. A million errors take a second and 400 MB.
 */
export class Losses {
  readonly #error: CommandError
  readonly #known = { "not-sent": new Map<object, Outcome>(), unknown: new Map<object, Outcome>() }

  constructor(error: CommandError) {
    this.#error = error
  }

  of(command: RedisCommand.Any, delivery: Delivery): Outcome {
    const known = this.#known[delivery]
    const before = known.get(command.spec)
    if (before !== undefined) return before
    const outcome = failed(command, this.#error, delivery)
    if (Exit.isFailure(outcome)) known.set(command.spec, outcome)
    return outcome
  }
}

/** The error that an error reply to a command stands for. */
export const errorByReply = (
  command: RedisCommand.Any,
  reply: Resp.ErrorReply,
  origin: Replies,
  index?: number
): CommandError => {
  const { runsCode } = command.spec
  const error = runsCode ? asSinceSeven(reply) : reply
  const event = origin.onRefusal?.(error, command)
  if (event !== undefined) return failureOf(event, command.spec, runsCode ? "unknown" : "not-sent", index)
  const context = contextOf(command, origin, index)
  const { secrets } = context
  const isPlain = secrets?.length === 0
  if (isPlain && last?.spec === command.spec && last.line === reply.line && last.address === origin.address) {
    return copyAt(last.error, index)
  }
  const shown = secrets === undefined ? new Resp.ErrorReply(`${error.code} (not shown: a secret was wiped)`) : error
  const found = fromReply(shown, context)
  const made = found._tag === "NoScriptError" && command.spec.script !== undefined ? scriptsOwn(found) : found
  if (isPlain) last = { spec: command.spec, line: reply.line, address: origin.address, error: copyAt(made, undefined) }
  return made
}

/**
 * The last error of a reply. A server that refuses one command of a pipeline mostly refuses the next in the same words. Nobody
 * is given this object, as programs put fields of their own into the errors that they catch.
 */
let last: {
  readonly spec: RedisCommand.Spec
  readonly line: string
  readonly address: string | undefined
  readonly error: CommandError
} | undefined = undefined

interface Indexed extends Error {
  readonly index?: number | undefined
}

/** A copy of an error, for the command at `index`. */
const copyAt = (error: CommandError, index: number | undefined): CommandError =>
  // A copy is of the same class. To have TypeScript find that out for each class takes 6,000 instantiations.
  copied<Indexed>(error, { index }) as CommandError

/** The error of a command whose script the server does not have, so that nothing was run. */
export const missingScript = (
  command: RedisCommand.Any,
  error: Resp.ErrorReply,
  origin: Replies,
  index?: number
): CommandError => fromReply(error, { ...contextOf(command, origin, index), runsCode: false })

const contextOf = (command: RedisCommand.Any, origin: Replies, index: number | undefined) => ({
  command: command.spec.name,
  secrets: RedisCommand.secrets(command),
  address: origin.address,
  index,
  runsCode: command.spec.runsCode
})

/**
 * Marks an error that a script has made up in the words in which servers say that they lack a script: such a script has
 * run, and the error must not look as if it had not.
 */
const scriptsOwn = ({ address, code, command, detail, index, mayHaveWritten }: NoScriptError): ResponseError =>
  new ResponseError({
    code,
    detail,
    command,
    ...present({ address, index, mayHaveWritten })
  })

/** The outcome of the command at `index` by its reply. */
export const outcome = (
  command: RedisCommand.Any,
  index: number,
  value: Resp.Value,
  origin: Replies
): Outcome =>
  value instanceof Resp.ErrorReply
    ? Exit.fail(errorByReply(command, value, origin, index))
    : RedisCommand.decode(command, value, origin.textDecoding, index)

/** Whether a transaction is open after this answer to MULTI. */
export const begins = (reply: Resp.Value): boolean =>
  !(reply instanceof Resp.ErrorReply) || reply.line.includes("can not be nested")

/**
 * Whether the transaction may still be open after this answer to EXEC or DISCARD, so that the server answers QUEUED to whatever comes
 * next: servers do so that do not know EXEC, as with `rename-command`, servers before 6.0.6 after most refusals, and all servers
 * whose user has no right to DISCARD.
 */
export const isUnended = (reply: Resp.Value): boolean => reply instanceof Resp.ErrorReply && !ending.test(reply.line)

const ending =
  /^(EXECABORT|MOVED|ASK|TRYAGAIN|CLUSTERDOWN|CROSSSLOT|READONLY)\b|(EXEC|DISCARD) without MULTI|EXEC aborted/

/** The end of a connection whose server may still queue what comes. */
export const refusedEnd = (address: string): CommandError =>
  connectionLoss("Other", "The server has refused to end a transaction, and may queue what comes", address)
