/**
 * What every new connection starts with, the first and each one after a loss:
 * protocol and credentials, then name and database.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RedisArg from "../RedisArg.ts"
import * as RedisCommand from "../RedisCommand.ts"
import type { ConnectionSettings, Credentials } from "../RedisConfig.ts"
import { atIndex, AuthenticationError, ConnectionError, isRetryable } from "../RedisError.ts"
import type { RedisError } from "../RedisError.ts"
import type { Outcome } from "./request.ts"

/** Runs commands on the new connection, in one write. */
type Run = (commands: ReadonlyArray<RedisCommand.Any>) => Effect.Effect<ReadonlyArray<Outcome>>

const libraryName = "redfx"
const libraryVersion = "0.1.0"

/** Agrees on a protocol and its version, and prepares the connection. */
export const handshake = Effect.fnUntraced(function*(
  run: Run,
  settings: ConnectionSettings,
  credentials: Credentials | undefined
): Effect.fn.Return<2 | 3, RedisError> {
  const prepare = preparation(settings)
  if (settings.protocol === 2) {
    yield* prepareResp2(run, credentials, prepare)
    return 2
  }
  const [hello, ...rest] = yield* run([helloCommand(credentials), ...prepare.map((step) => step.command)])
  if (hello !== undefined && Exit.isSuccess(hello)) {
    yield* checkSteps(prepare, rest)
    return 3
  }
  const error = yield* failureIn(hello)
  if (settings.protocol === 3 || !refusesHello(error)) return yield* Effect.fail(refused(error, credentials))
  yield* prepareResp2(run, credentials, prepare)
  return 2
})

const helloCommand = (credentials: Credentials | undefined): RedisCommand.Any =>
  RedisCommand.send(
    "HELLO",
    3,
    credentials === undefined
      ? []
      : ["AUTH", credentials.username ?? "default", RedisArg.secret(credentials.password)]
  )

/** A server that does not know HELLO, or not this version of the protocol. */
const refusesHello = (error: RedisError): boolean =>
  error._tag === "ResponseError" && (error.code === "NOPROTO" || error.code === "ERR")

const prepareResp2 = Effect.fnUntraced(function*(
  run: Run,
  credentials: Credentials | undefined,
  prepare: ReadonlyArray<Step>
): Effect.fn.Return<void, RedisError> {
  if (credentials !== undefined) yield* authenticate(run, credentials)
  yield* checkSteps(prepare, prepare.length === 0 ? [] : yield* run(prepare.map((step) => step.command)))
})

/** Presents credentials, the first ones or others, on a connection. */
export const authenticate = Effect.fnUntraced(function*(
  run: Run,
  credentials: Credentials
): Effect.fn.Return<void, RedisError> {
  const { username } = credentials
  const password = RedisArg.secret(credentials.password)
  const [both] = yield* run([RedisCommand.send("AUTH", username === undefined ? [] : username, password)])
  if (both !== undefined && Exit.isSuccess(both)) return
  const error = yield* failureIn(both)
  // Servers before version 6 know no usernames.
  if (username === undefined || error._tag !== "ResponseError" || !/wrong number of arguments/i.test(error.detail)) {
    return yield* Effect.fail(refused(error, credentials))
  }
  const [alone] = yield* run([RedisCommand.send("AUTH", password)])
  if (alone === undefined || Exit.isFailure(alone)) {
    return yield* Effect.fail(refused(yield* failureIn(alone), credentials))
  }
})

interface Step {
  readonly command: RedisCommand.Any
  /** Whether the connection is of no use without it. */
  readonly required: boolean
}

const preparation = ({ clientName, db, readonly }: ConnectionSettings): ReadonlyArray<Step> => [
  // Servers before Redis 7.2 do not know CLIENT SETINFO.
  { command: RedisCommand.send("CLIENT SETINFO", "LIB-NAME", libraryName), required: false },
  { command: RedisCommand.send("CLIENT SETINFO", "LIB-VER", libraryVersion), required: false },
  ...(clientName === undefined
    ? []
    : [{ command: RedisCommand.send("CLIENT SETNAME", clientName), required: true }]),
  ...(db === 0 ? [] : [{ command: RedisCommand.send("SELECT", db), required: true }]),
  ...(readonly ? [{ command: RedisCommand.send("READONLY"), required: true }] : [])
]

const checkSteps = Effect.fnUntraced(function*(
  steps: ReadonlyArray<Step>,
  outcomes: ReadonlyArray<Outcome>
): Effect.fn.Return<void, RedisError> {
  for (let i = 0; i < steps.length; i++) {
    const outcome = outcomes[i]
    if (outcome !== undefined && Exit.isSuccess(outcome)) continue
    const error = yield* failureIn(outcome)
    const refusal = error._tag === "ResponseError" || error._tag === "NoPermissionError"
    if (steps[i]!.required || !refusal) return yield* Effect.fail(refused(error))
  }
})

/** Why a command has no success. */
const failureIn = (outcome: Outcome | undefined): Effect.Effect<RedisError> => {
  if (outcome === undefined || Exit.isSuccess(outcome)) return Effect.die("a command without a failure")
  const reason = outcome.cause.reasons.find(Cause.isFailReason)
  // Where it stands among the commands of the handshake is nobody's business.
  return reason === undefined
    ? Effect.die(Cause.squash(outcome.cause))
    : Effect.succeed(atIndex(reason.error, undefined))
}

/** The server's refusal as the error of whoever waits for the connection. */
const refused = (error: RedisError, credentials?: Credentials): RedisError => {
  const username = credentials?.username
  switch (error._tag) {
    case "AuthenticationError": {
      const { address, code, command, detail } = error
      return username === undefined
        ? error
        : new AuthenticationError({ code, detail, command, username, ...(address === undefined ? {} : { address }) })
    }
    case "ResponseError":
    case "NoPermissionError":
      return new ConnectionError({
        reason: "Handshake",
        detail: `The server refused ${error.command} on a new connection: ${error.code} ${error.detail}`,
        // Only what passes will be accepted on the next connection.
        permanent: !isRetryable(error),
        delivery: "not-sent",
        readonly: false,
        ...(error.address === undefined ? {} : { address: error.address })
      })
    default:
      return error
  }
}
