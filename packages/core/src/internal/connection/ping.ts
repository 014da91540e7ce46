/**
 * PING: the question whether a server answers, and the one command that a client sends by itself at any time.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as RedisArg from "../../RedisArg.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { CommandError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import { connectionLoss } from "../error/events.ts"
import { withTimeout } from "../runtime/elapsed.ts"
import type { RedisConnection } from "./model.ts"
import { requestOf } from "./singleRequest.ts"

const spec = new RedisCommand.Spec("PING", ["readonly"])

/** A question to which there is an answer on every connection, whatever the connection is used for. */
export const ping = RedisCommand.make({ spec, args: () => [], reply: RedisReply.raw })

/**
 * The reply to PING. A server that speaks RESP2 answers with a list while the connection is subscribed to something.
 */
const pong: RedisReply.Reply<string> = RedisReply.make((value, view) => {
  const text = RedisReply.text.decode(Array.isArray(value) ? value[1] : value, view)
  return Array.isArray(value) && text === "" ? "PONG" : text
})

/** A PING of a caller's, which the server answers with the message. */
export const pingOf = (message: RedisArg.Value | undefined): RedisCommand.RedisCommand<string> =>
  RedisCommand.make({ spec, args: () => message === undefined ? [] : [message], reply: pong })

/**
 * Sends a PING, and returns what the server said. A refusal that says nothing against the connection is an answer, too, and
 * returns `undefined`.
 */
export const answerTo = (
  on: Pick<RedisConnection, "submit">
): Effect.Effect<RedisReply.Raw | undefined, CommandError> =>
  Effect.catch(
    requestOf(ping, (request) => on.submit(request)),
    (error) => isHarmless(error) ? Effect.undefined : Effect.fail(error)
  )

/**
 * Whether a refusal says nothing against the connection, as the server is there and only does not want a PING: the user may not
 * send it, a proxy does not know it, the server cannot save or is busy with a script. A server that wants credentials, loads, or has
 * lost its master is of no use for now.
 */
const isHarmless = (error: CommandError): boolean =>
  error._tag === "NoPermissionError" || error._tag === "ResponseError" && error.code !== "MASTERDOWN"

export const probe = (
  on: Pick<RedisConnection, "submit">,
  settings: ConnectionSettings,
  address: string,
  clock: Clock.Clock
): Effect.Effect<void, CommandError> =>
  withTimeout(answerTo(on), {
    clock,
    limit: Duration.toMillis(Duration.min(settings.connectTimeout, settings.livenessTimeout)),
    orElse: () => Effect.fail(connectionLoss("HealthCheck", "The server did not answer a PING in time", address))
  }).pipe(
    Effect.flatMap((reply) =>
      reply === undefined || reply === "PONG" || (Array.isArray(reply) && reply[0] === "pong")
        ? Effect.void
        : Effect.fail(connectionLoss("HealthCheck", "The server did not answer a PING with PONG", address))
    )
  )
