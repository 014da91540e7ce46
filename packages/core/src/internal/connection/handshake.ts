/**
 * The commands that every new connection starts with, after a loss as well: protocol and credentials, then name and
 * database.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RedisArg from "../../RedisArg.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings, Credentials } from "../../RedisConfig.ts"
import { atIndex, AuthenticationError, ConnectionError, isRetryable } from "../../RedisError.ts"
import type { CommandError, NoPermissionError, ResponseError } from "../../RedisError.ts"
import type { Outcome } from "../command/weave.ts"
import { isHangUp } from "../error/events.ts"
import { present } from "../error/present.ts"
import { failureIn } from "../runtime/firstError.ts"

/** Runs commands on the new connection, in one write. */
type Run = (commands: ReadonlyArray<RedisCommand.Any>) => Effect.Effect<ReadonlyArray<Outcome>>

const libraryName = "redfx"
const libraryVersion = "0.1.0"

/** How long a server that answers BUSY is left alone before it is asked again. */
const busyPause = "100 millis"

/**
 * The settings of a handshake.
 *
 * - `run`: runs commands on the new connection, in one write.
 * - `clientInfo`: whether the server is told about the client.
 * - `onBusy`: called whenever the server says BUSY, with what it says, to a command that the connection is of no use without.
 */
export interface Greeting {
  readonly run: Run
  readonly settings: ConnectionSettings
  readonly credentials: Credentials | undefined
  readonly clientInfo: boolean
  readonly onBusy: (refusal: string) => void
}

/** The server hung up when the client told it about itself: some proxies do that at commands that they do not know. */
export class HungUp {
  readonly _tag = "HungUp"
  readonly error: CommandError

  constructor(error: CommandError) {
    this.error = error
  }
}

/** Agrees on a protocol and its version, and prepares the connection. */
export const handshake = Effect.fnUntraced(function*(
  greeting: Greeting
): Effect.fn.Return<2 | 3, CommandError | HungUp> {
  const { credentials, run, settings } = greeting
  const steps = preparation(greeting)
  let toPresent = credentials
  if (settings.protocol !== 2) {
    let error = yield* hello(greeting, steps, credentials)
    // AUTH comes first where HELLO cannot carry the credentials.
    if (toPresent !== undefined && error?._tag === "AuthenticationError" && error.code === "NOAUTH") {
      yield* authenticate(run, toPresent)
      toPresent = undefined
      error = yield* hello(greeting, steps, undefined)
    }
    if (error === undefined) return 3
    if (settings.protocol === 3 || !refusesHello(error)) return yield* Effect.fail(refused(error, credentials))
  }
  if (toPresent !== undefined) yield* authenticate(run, toPresent)
  yield* prepare(greeting, steps)
  return 2
})

/** Sends HELLO and the commands after it in one write; returns how HELLO was refused. */
const hello = Effect.fnUntraced(function*(
  greeting: Greeting,
  steps: ReadonlyArray<Step>,
  credentials: Credentials | undefined
): Effect.fn.Return<CommandError | undefined, CommandError | HungUp> {
  const [answer, ...rest] = yield* greeting.run([helloCommand(credentials), ...steps.map((step) => step.command)])
  if (answer === undefined || Exit.isFailure(answer)) return whyFailed(answer)
  yield* checkSteps(greeting, steps, rest)
  return undefined
})

const helloCommand = (credentials: Credentials | undefined): RedisCommand.Any =>
  RedisCommand.send(
    "HELLO",
    3,
    credentials === undefined
      ? RedisArg.none
      : RedisArg.list("AUTH", credentials.username ?? "default", RedisArg.secret(credentials.password))
  )

/**
 * Whether the server knows neither HELLO nor this version of the protocol. Each server says that in words of its own.
 */
const refusesHello = (error: CommandError): boolean =>
  error._tag === "NoPermissionError" || error._tag === "ResponseError" && !isRetryable(error)

const prepare = (greeting: Greeting, steps: ReadonlyArray<Step>): Effect.Effect<void, CommandError | HungUp> =>
  steps.length === 0
    ? Effect.void
    : Effect.flatMap(
      greeting.run(steps.map((step) => step.command)),
      (outcomes) => checkSteps(greeting, steps, outcomes)
    )

/** Presents credentials on a connection, the first ones or later ones. */
export const authenticate = Effect.fnUntraced(function*(
  run: Run,
  credentials: Credentials
): Effect.fn.Return<void, CommandError> {
  const { username } = credentials
  const password = RedisArg.secret(credentials.password)
  const [both] = yield* run([RedisCommand.send("AUTH", username === undefined ? RedisArg.none : username, password)])
  if (both !== undefined && Exit.isSuccess(both)) return
  const error = whyFailed(both)
  // Servers before version 6 know no usernames.
  if (username === undefined || error._tag !== "ResponseError" || !/wrong number of arguments/i.test(error.detail)) {
    return yield* Effect.fail(refused(error, credentials))
  }
  const [alone] = yield* run([RedisCommand.send("AUTH", password)])
  if (alone === undefined || Exit.isFailure(alone)) {
    return yield* Effect.fail(refused(whyFailed(alone), credentials))
  }
})

interface Step {
  readonly command: RedisCommand.Any
  /** Whether the connection is of no use when this step is refused. */
  readonly required: boolean
}

const preparation = ({ clientInfo, settings }: Greeting): ReadonlyArray<Step> => {
  const { clientName, db, readonly } = settings
  return [
    // Servers before Redis 7.2 do not know CLIENT SETINFO.
    ...(clientInfo
      ? [
        { command: RedisCommand.send("CLIENT SETINFO", "LIB-NAME", libraryName), required: false },
        { command: RedisCommand.send("CLIENT SETINFO", "LIB-VER", libraryVersion), required: false }
      ]
      : []),
    ...(clientName === undefined
      ? []
      : [{ command: RedisCommand.send("CLIENT SETNAME", clientName), required: true }]),
    ...(db === 0 ? [] : [{ command: RedisCommand.send("SELECT", db), required: true }]),
    ...(readonly ? [{ command: RedisCommand.send("READONLY"), required: true }] : [])
  ]
}

/** Checks the steps. A server that a script keeps busy refuses all of them, and then all have to be sent again. */
const checkSteps = Effect.fnUntraced(function*(
  greeting: Greeting,
  steps: ReadonlyArray<Step>,
  first: ReadonlyArray<Outcome>
): Effect.fn.Return<void, CommandError | HungUp> {
  let busy = yield* checkOnce(greeting, steps, first)
  while (busy !== undefined) {
    greeting.onBusy(busy)
    yield* Effect.sleep(busyPause)
    busy = yield* checkOnce(greeting, steps, yield* greeting.run(steps.map((step) => step.command)))
  }
})

/** Fails unless all steps went well; returns what a busy server said. */
const checkOnce = Effect.fnUntraced(function*(
  greeting: Greeting,
  steps: ReadonlyArray<Step>,
  outcomes: ReadonlyArray<Outcome>
): Effect.fn.Return<string | undefined, CommandError | HungUp> {
  let busy: string | undefined = undefined
  for (let i = 0; i < steps.length; i++) {
    const outcome = outcomes[i]
    if (outcome !== undefined && Exit.isSuccess(outcome)) continue
    const error = whyFailed(outcome)
    if (i === 0 && greeting.clientInfo && isHangUp(error)) return yield* Effect.fail(new HungUp(error))
    const refusal = error._tag === "ResponseError" || error._tag === "NoPermissionError"
    if (refusal && !steps[i]!.required) continue
    if (error._tag !== "ResponseError" || error.code !== "BUSY") return yield* Effect.fail(refused(error))
    busy = `${error.code} ${error.detail}`
  }
  return busy
})

/** The reason why a command has not succeeded. The index of a command in the handshake means nothing to callers. */
const whyFailed = (outcome: Exit.Failure<unknown, CommandError> | undefined): CommandError => {
  if (outcome === undefined) throw new Error("a command without an outcome")
  return atIndex(failureIn(outcome), undefined)
}

/** The words of the server. Where the option `db` names a database that is not there, the text also says what helps. */
const refusalText = ({ code, command, detail }: ResponseError | NoPermissionError): string => {
  const said = `${code} ${detail}`
  if (command !== "SELECT") return said
  if (/cluster mode/i.test(detail)) {
    return `its cluster has database 0 alone; leave out db, or use Valkey 9 with cluster-databases (${said})`
  }
  if (/out of range/i.test(detail)) {
    return `it has no such database; change db, or set databases (of a cluster cluster-databases) on the server (${said})`
  }
  if (/^unknown command/i.test(detail)) {
    return `it has no databases; is it a sentinel (NodeRedisClient.layerSentinel)? (${said})`
  }
  return said
}

/** The server's refusal, as the error of the callers that wait for the connection. */
const refused = (error: CommandError, credentials?: Credentials): CommandError => {
  const username = credentials?.username
  switch (error._tag) {
    case "AuthenticationError": {
      const { address, code, command, detail } = error
      return username === undefined
        ? error
        : new AuthenticationError({ code, detail, command, username, ...present({ address }) })
    }
    case "ResponseError":
    case "NoPermissionError":
      return new ConnectionError({
        reason: "Handshake",
        detail: `The server refused ${error.command} on a new connection: ${refusalText(error)}`,
        // A refusal is permanent unless it passes: the next connection would be refused in the same way.
        permanent: !isRetryable(error),
        delivery: "not-sent",
        readonly: false,
        ...present({ address: error.address })
      })
    default:
      return error
  }
}
