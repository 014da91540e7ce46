/**
 * MULTI, commands and EXEC as one batch, and what its replies mean.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import { atIndex, DecodeError, ExecAbortError, inPart, ResponseError, WatchError } from "../../RedisError.ts"
import type { CommandError, TransactionError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import type * as Resp from "../../Resp.ts"
import type { Outcome } from "../command/weave.ts"
import { outcome } from "../connection/outcome.ts"
import type { Origin } from "../connection/request.ts"
import { failureOf } from "../error/events.ts"
import { present } from "../error/present.ts"
import { failureAmong, sentBefore } from "../error/retry.ts"
import { stackless } from "../error/stackless.ts"
import { reader } from "../reply/decode.ts"
import { errorIn, errorOf } from "../runtime/firstError.ts"

// These commands have no traits: MULTI and EXEC are in one write, so the state between them concerns nobody else on a
// shared connection.
const bare = (name: string, ...traits: ReadonlyArray<RedisCommand.Trait>) =>
  RedisCommand.make({ spec: new RedisCommand.Spec(name, traits), args: () => [], reply: RedisReply.raw })

const multi = bare("MULTI")
const exec = RedisCommand.undecoded(bare("EXEC"))
const readonlyExec = RedisCommand.undecoded(bare("EXEC", "readonly"))

/** The EXEC of some commands. Each of the replies is read by its command, and a long one is read as it comes. */
const execOf = (commands: ReadonlyArray<RedisCommand.Any>): RedisCommand.Any =>
  RedisCommand.withReply(commands.every((command) => command.spec.readonly) ? readonlyExec : exec, {
    ...exec.reply,
    reader: ({ blob }) => ({
      begin: () => undefined,
      element: (index) => {
        const command = commands[index]
        return command === undefined ? undefined : reader(command, blob === "replace" ? "replace" : "strict")
      }
    })
  })

/** The commands between MULTI and EXEC, whose own replies only say that they are queued. */
export const wrap = (commands: ReadonlyArray<RedisCommand.Any>): ReadonlyArray<RedisCommand.Any> => [
  multi,
  ...commands.map(RedisCommand.undecoded),
  execOf(commands)
]

/** Commands and their positions among those that the caller gave. */
interface Sent {
  readonly commands: ReadonlyArray<RedisCommand.Any>
  readonly positions: ReadonlyArray<number>
}

/** The outcome of each command, once EXEC has run them. */
export const unwrap = (
  sent: Sent,
  outcomes: ReadonlyArray<Outcome>,
  origin: Origin
): Effect.Effect<ReadonlyArray<Outcome>, TransactionError> => {
  const { commands, positions } = sent
  const executed = outcomes.at(-1)
  if (executed === undefined) return Effect.die("a transaction without the outcome of EXEC")
  if (Exit.isFailure(executed)) return Effect.failCause(explain(executed.cause, sent, outcomes))
  // EXEC was sent undecoded, so this is the reply as it came.
  const replies = executed.value as Resp.Value
  if (replies === null) return Effect.fail(new WatchError({ reason: "changed", keys: [], delivery: "not-sent" }))
  if (!Array.isArray(replies) || replies.length !== commands.length) return Effect.fail(misread(sent))
  // There is a position for each command, so the index is in range.
  return Effect.succeed(commands.map((command, index) => outcome(command, positions[index]!, replies[index], origin)))
}

/** The error when the reply to EXEC is not one reply for each command, so that nobody knows which of them were run. */
const misread = ({ commands, positions }: Sent): CommandError => {
  const detail = `expected an array of ${commands.length}, a reply for each command, got something else`
  const mayHaveWritten = commands.some(({ spec }) => !spec.readonly)
  const unknown = { of: "transaction", answered: [], unknown: positions, mayHaveWritten } as const
  return inPart(stackless(() => new DecodeError({ command: exec.spec.name, detail })), unknown)
}

/** Whether EXEC was answered, which ends any watch: with replies, with nil, or with the reason why nothing was run. */
export const isExecuted = (outcomes: ReadonlyArray<Outcome>): boolean => {
  const executed = outcomes.at(-1)
  return executed !== undefined && (Exit.isSuccess(executed) || isAborted(errorIn(executed)))
}

/** Whether EXEC was refused because the server had refused a command before it. */
const isAborted = (error: CommandError | undefined): error is ResponseError =>
  error?._tag === "ResponseError" && error.code === "EXECABORT"

type Refusal = Extract<CommandError, { readonly code: string }>

/** The error reply by which a command was refused. */
const refusalIn = (outcome: Outcome | undefined): Refusal | undefined => {
  const error = errorIn(outcome)
  return error !== undefined && "code" in error ? error : undefined
}

/** Explains why nothing was run: EXEC does not say why, but the replies before it do. */
const explain = (
  cause: Cause.Cause<CommandError>,
  sent: Sent,
  outcomes: ReadonlyArray<Outcome>
): Cause.Cause<TransactionError> => {
  const error = errorOf(cause)
  if (error === undefined) return cause
  const refused = refusalIn(outcomes[0])
  const explained = refused !== undefined
    ? refusedMulti(refused, sent, outcomes)
    : isAborted(error)
    ? aborted(error, sent, outcomes)
    : outcomes.slice(1, -1).some(wasRun)
    ? oneByOne(atIndex(error, undefined), sent, outcomes)
    : atIndex(error, undefined)
  // EXEC may have been sent twice.
  return Cause.fail(sentBefore(explained, error))
}

/** The outcome when MULTI was refused. */
const refusedMulti = (refused: Refusal, sent: Sent, outcomes: ReadonlyArray<Outcome>): CommandError => {
  const { address, code, command } = refused
  const detail = `MULTI was refused (${code} ${refused.detail}); the commands after it may have run one by one`
  const split = new ResponseError({ code, detail, command, ...present({ address }) })
  const error = oneByOne(split, sent, outcomes)
  return error === split ? atIndex(refused, undefined) : error
}

/** The error when commands were run one by one, and not as a transaction: each of them has an outcome of its own. */
const oneByOne = (
  error: CommandError,
  { commands, positions }: Sent,
  outcomes: ReadonlyArray<Outcome>
): CommandError =>
  failureAmong<CommandError>("transaction", [
    { indexes: [], readonly: true, error },
    ...commands.map(({ spec }, index) => {
      // There is a position and an outcome for each command, and the first outcome is that of MULTI, so the index is in
      // range.
      const outcome = outcomes[index + 1]!
      return {
        indexes: [positions[index]!],
        readonly: spec.readonly,
        error: errorIn(outcome),
        sent: !isQueued(outcome)
      }
    })
  ]) ?? error

/**
 * Whether a command was queued. Commands that went into a transaction that was begun earlier were not run with this
 * one.
 */
const isQueued = (outcome: Outcome): boolean => Exit.isSuccess(outcome) && outcome.value === "QUEUED"

/** Whether a command was run by itself. */
const wasRun = (outcome: Outcome): boolean => Exit.isSuccess(outcome) && !isQueued(outcome)

const aborted = (
  { address, code, command, detail }: ResponseError,
  { commands, positions }: Sent,
  outcomes: ReadonlyArray<Outcome>
): TransactionError => {
  // The server refuses the whole because of a command that could not be encoded. The first outcome is that of MULTI.
  const unsendable = outcomes.findIndex((outcome) => errorIn(outcome)?._tag === "DataError")
  if (unsendable > 0) return atIndex(errorIn(outcomes[unsendable])!, positions[unsendable - 1])
  // This refusal is not about the command: the command was sent to a server that is not the one for it.
  const elsewhere = outcomes.map(errorIn).find((error) => error?._tag === "ConnectionError")
  if (elsewhere !== undefined) return failureOf(elsewhere, exec.spec, "not-sent")
  const causes = commands.flatMap((queued, index) => {
    const error = refusalIn(outcomes[index + 1])
    return error === undefined
      ? []
      // There is a position for each command, so the index is in range.
      : [{ index: positions[index]!, command: queued.spec.name, code: error.code, detail: error.detail }]
  })
  return stackless(() => new ExecAbortError({ code, detail, command, causes, ...present({ address }) }))
}
