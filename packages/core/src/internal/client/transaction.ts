/**
 * MULTI, commands and EXEC as one batch, and what its replies mean.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import { atIndex, ExecAbortError, ResponseError, WatchError } from "../../RedisError.ts"
import type { CommandError, TransactionError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import type * as Resp from "../../Resp.ts"
import { reader } from "../command/decode.ts"
import { outcome } from "../connection/outcome.ts"
import type { Origin, Outcome } from "../connection/request.ts"
import { failureOf } from "../error/failure.ts"
import { failureAmong, sentBefore } from "../error/retry.ts"
import { errorIn, errorOf } from "../runtime/firstError.ts"

// Without traits: between MULTI and EXEC of one write a shared connection's state concerns nobody else.
const bare = (name: string, ...traits: ReadonlyArray<RedisCommand.Trait>) =>
  RedisCommand.make({ spec: new RedisCommand.Spec(name, traits), args: () => [], reply: RedisReply.raw })

const multi = bare("MULTI")
const exec = RedisCommand.undecoded(bare("EXEC"))
const readonlyExec = RedisCommand.undecoded(bare("EXEC", "readonly"))

/** Each of the replies is read by its command, a long one as it comes. */
const execOf = (commands: ReadonlyArray<RedisCommand.Any>): RedisCommand.Any =>
  RedisCommand.withReply(commands.every((command) => command.spec.readonly) ? readonlyExec : exec, {
    ...exec.reply,
    reader: ({ blob }) => ({
      begin: () => undefined,
      element: (index) => {
        const command = commands[index]
        return command === undefined ? undefined : reader(command, blob === "replace")
      }
    })
  })

/** The commands between MULTI and EXEC, whose own replies only say that they are queued. */
export const wrap = (commands: ReadonlyArray<RedisCommand.Any>): ReadonlyArray<RedisCommand.Any> => [
  multi,
  ...commands.map(RedisCommand.undecoded),
  execOf(commands)
]

/** Commands and where they stand among those that the caller gave. */
interface Sent {
  readonly commands: ReadonlyArray<RedisCommand.Any>
  readonly positions: ReadonlyArray<number>
}

/** The outcome of each command, once EXEC has run them. */
export const unwrap = (
  { commands, positions }: Sent,
  outcomes: ReadonlyArray<Outcome>,
  origin: Origin
): Effect.Effect<ReadonlyArray<Outcome>, TransactionError> => {
  const executed = outcomes[outcomes.length - 1]
  if (executed === undefined) return Effect.die("a transaction without the outcome of EXEC")
  if (Exit.isFailure(executed)) return Effect.failCause(explain(executed.cause, { commands, positions }, outcomes))
  // EXEC was sent undecoded.
  const replies = executed.value as Resp.Value
  if (replies === null) return Effect.fail(new WatchError({ reason: "changed", keys: [], delivery: "not-sent" }))
  if (!Array.isArray(replies) || replies.length !== commands.length) {
    return Effect.die(`EXEC answered ${commands.length} commands with something else than as many replies`)
  }
  // In range: there is a position for each command.
  return Effect.succeed(commands.map((command, index) => outcome(command, positions[index]!, replies[index], origin)))
}

/** Whether EXEC was answered, and has ended whatever was watched: with replies, with nil, or with what kept it from running. */
export const isExecuted = (outcomes: ReadonlyArray<Outcome>): boolean => {
  const executed = outcomes[outcomes.length - 1]
  return executed !== undefined && (Exit.isSuccess(executed) || isAborted(errorIn(executed)))
}

/** Whether EXEC was refused, as a command before it was. */
const isAborted = (error: CommandError | undefined): error is ResponseError =>
  error?._tag === "ResponseError" && error.code === "EXECABORT"

type Refusal = Extract<CommandError, { readonly code: string }>

/** What refused a command. */
const refusalIn = (outcome: Outcome | undefined): Refusal | undefined => {
  const error = errorIn(outcome)
  return error !== undefined && "code" in error ? error : undefined
}

/** EXEC says only that there is nothing to run; the replies before say why. */
const explain = (
  cause: Cause.Cause<CommandError>,
  sent: Sent,
  outcomes: ReadonlyArray<Outcome>
): Cause.Cause<TransactionError> => {
  const error = errorOf(cause)
  if (error === undefined) return cause
  const refused = refusalIn(outcomes[0])
  const explained = refused !== undefined
    ? oneByOne(refused, sent, outcomes)
    : isAborted(error)
    ? aborted(error, sent, outcomes)
    : atIndex(error, undefined)
  // EXEC may have been sent twice.
  return Cause.fail(sentBefore(explained, error))
}

/** Without MULTI the commands after it ran by themselves, and each has its own outcome. */
const oneByOne = (refused: Refusal, { commands, positions }: Sent, outcomes: ReadonlyArray<Outcome>): CommandError => {
  const { address, code, command } = refused
  const detail = `MULTI was refused (${code} ${refused.detail}); the commands after it may have run one by one`
  const split = new ResponseError({ code, detail, command, ...(address === undefined ? {} : { address }) })
  const error = failureAmong("transaction", [
    { indexes: [], readonly: true, error: split },
    ...commands.map(({ spec }, index) => {
      // In range: there is a position and an outcome for each command, and the first outcome is MULTI's.
      const outcome = outcomes[index + 1]!
      return {
        indexes: [positions[index]!],
        readonly: spec.readonly,
        error: errorIn(outcome),
        sent: !isQueued(outcome)
      }
    })
  ])
  return error === undefined || error === split ? atIndex(refused, undefined) : error
}

/** What went into a transaction that was begun before was not run with it. */
const isQueued = (outcome: Outcome): boolean => Exit.isSuccess(outcome) && outcome.value === "QUEUED"

const aborted = (
  { address, code, command, detail }: ResponseError,
  { commands, positions }: Sent,
  outcomes: ReadonlyArray<Outcome>
): TransactionError => {
  // A command that could not be encoded is why the server refuses the whole. The first outcome is MULTI's.
  const unsendable = outcomes.findIndex((outcome) => errorIn(outcome)?._tag === "DataError")
  if (unsendable > 0) return atIndex(errorIn(outcomes[unsendable])!, positions[unsendable - 1])
  // The refusal is not about the command: this server is not the one to send it to.
  const elsewhere = outcomes.map(errorIn).find((error) => error?._tag === "ConnectionError")
  if (elsewhere !== undefined) return failureOf(elsewhere, exec.spec, "not-sent")
  const causes = commands.flatMap((queued, index) => {
    const error = refusalIn(outcomes[index + 1])
    return error === undefined
      ? []
      // In range: there is a position for each command.
      : [{ index: positions[index]!, command: queued.spec.name, code: error.code, detail: error.detail }]
  })
  return new ExecAbortError({ code, detail, command, causes, ...(address === undefined ? {} : { address }) })
}
