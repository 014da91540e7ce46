/**
 * MULTI, commands and EXEC as one batch, and what its replies come to.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RedisCommand from "../RedisCommand.ts"
import { ExecAbortError, ResponseError, WatchError } from "../RedisError.ts"
import type { ConnectionError, RedisError } from "../RedisError.ts"
import * as RedisReply from "../RedisReply.ts"
import type * as Resp from "../Resp.ts"
import { failureOf } from "./failure.ts"
import type { Origin, Outcome } from "./request.ts"
import { outcome } from "./request.ts"

// Without traits: between MULTI and EXEC of one write a shared connection's state is nobody else's business.
const bare = (name: string, ...traits: ReadonlyArray<RedisCommand.Trait>) =>
  RedisCommand.make({ spec: new RedisCommand.Spec(name, traits), args: () => [], reply: RedisReply.raw })

const multi = bare("MULTI")
const exec = RedisCommand.undecoded(bare("EXEC"))
const readonlyExec = RedisCommand.undecoded(bare("EXEC", "readonly"))

/** The commands between MULTI and EXEC, whose own replies only say that they are queued. */
export const wrap = (commands: ReadonlyArray<RedisCommand.Any>): ReadonlyArray<RedisCommand.Any> => [
  multi,
  ...commands.map(RedisCommand.undecoded),
  commands.every((command) => command.spec.readonly) ? readonlyExec : exec
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
): Effect.Effect<ReadonlyArray<Outcome>, RedisError> => {
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

/** What refused a command. */
const refusalIn = (outcome: Outcome | undefined) => {
  if (outcome === undefined || Exit.isSuccess(outcome)) return undefined
  const error = outcome.cause.reasons.find(Cause.isFailReason)?.error
  return error !== undefined && "code" in error ? error : undefined
}

/** A refusal of the server that is not for what the command says: it is not the one to send it to. */
const lossAmong = (outcomes: ReadonlyArray<Outcome>): ConnectionError | undefined => {
  for (const outcome of outcomes) {
    const error = Exit.isFailure(outcome) ? outcome.cause.reasons.find(Cause.isFailReason)?.error : undefined
    if (error?._tag === "ConnectionError" && error.delivery === "not-sent") return error
  }
  return undefined
}

/** A command that could not be encoded, which is why the server refuses the whole. */
const unsendableAmong = (outcomes: ReadonlyArray<Outcome>): RedisError | undefined =>
  outcomes.flatMap((outcome) => Exit.isFailure(outcome) ? outcome.cause.reasons : [])
    .filter(Cause.isFailReason).find(({ error }) => error._tag === "DataError")?.error

/** EXEC says only that there is nothing to run; the replies before say why. */
const explain = (
  cause: Cause.Cause<RedisError>,
  { commands, positions }: Sent,
  outcomes: ReadonlyArray<Outcome>
): Cause.Cause<RedisError> => {
  const reason = cause.reasons.find(Cause.isFailReason)
  const refused = refusalIn(outcomes[0])
  if (refused !== undefined && reason?.error._tag === "ResponseError" && /without MULTI/.test(reason.error.detail)) {
    const { address, code, command } = reason.error
    const detail =
      `MULTI was refused (${refused.code} ${refused.detail}); the commands after it may have run one by one`
    return Cause.fail(new ResponseError({ code, detail, command, ...(address === undefined ? {} : { address }) }))
  }
  if (reason === undefined || reason.error._tag !== "ExecAbortError") return cause
  const unsendable = unsendableAmong(outcomes)
  if (unsendable !== undefined) return Cause.fail(unsendable)
  const elsewhere = lossAmong(outcomes)
  if (elsewhere !== undefined) return Cause.fail(failureOf(elsewhere, exec.spec, "not-sent"))
  const { address, code, command, detail } = reason.error
  const causes = commands.flatMap((queued, index) => {
    // The first outcome is MULTI's.
    const error = refusalIn(outcomes[index + 1])
    return error === undefined
      ? []
      // In range: there is a position for each command.
      : [{ index: positions[index]!, command: queued.spec.name, code: error.code, detail: error.detail }]
  })
  return Cause.fail(
    new ExecAbortError({ code, detail, command, causes, ...(address === undefined ? {} : { address }) })
  )
}
