/**
 * Several servers that work together: how to send commands to them, and how to wait until they agree.
 */
import * as RedisClient from "@redfx/core/RedisClient"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisError } from "@redfx/core/RedisError"
import * as RedisStandalone from "@redfx/core/RedisStandalone"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as NodeRedisConnector from "../NodeRedisConnector.ts"
import { RedisServerError } from "../RedisServer.ts"
import type { RedisServer } from "../RedisServer.ts"

export type Server = RedisServer["Service"]

/** The awaited state has not come about yet; the message says what is missing. */
export class NotYet extends Data.TaggedError("NotYet")<{ readonly message: string }> {}

export const notYet = (message: string): Effect.Effect<never, NotYet> => Effect.fail(new NotYet({ message }))

/** A server that is silent for so long is stopped or overloaded; the waiting loop asks again. */
const silence = Duration.seconds(3)

/** Where nobody would ask again, a server on a busy machine has this time. */
const patience = Duration.minutes(1)

/** A client that stays connected would show in the server's list of clients, and would wait before it dials again after an outage. */
const within =
  (limit: Duration.Duration, server: Server, password: Redacted.Redacted<string> | undefined) =>
  <A, E>(commands: Effect.Effect<A, E, RedisClient.RedisClient>): Effect.Effect<A, E | RedisError> =>
    RedisStandalone.make({
      host: server.host,
      port: server.port,
      password,
      connectTimeout: limit,
      commandTimeout: limit
    }).pipe(
      Effect.flatMap((client) => Effect.provideService(commands, RedisClient.RedisClient, client)),
      Effect.scoped,
      Effect.provide(NodeRedisConnector.layer)
    )

/** Runs the commands of an effect on a server, over their own connection, for a loop that asks again. */
export const at = (server: Server, password: Redacted.Redacted<string> | undefined) => within(silence, server, password)

/** Runs commands that should work on a server, over their own connection; reports as a failure of the deployment that they do not. */
export const surelyAt =
  (what: string, server: Server, password: Redacted.Redacted<string> | undefined) =>
  <A>(commands: Effect.Effect<A, RedisError, RedisClient.RedisClient>): Effect.Effect<A, RedisServerError> =>
    Effect.mapError(
      within(patience, server, password)(commands),
      (cause) => new RedisServerError({ reason: "Other", detail: `${what} failed: ${cause.message}`, cause })
    )

export const isRunning = (server: Server): Effect.Effect<boolean> => Effect.map(server.pid, (pid) => pid !== undefined)

export const addressOf = ({ host, port }: Server): NodeAddress => ({ host, port })

export const nameOf = ({ host, port }: NodeAddress): string => formatEndpoint({ host, port })

/** The pause between two attempts. */
const interval = Duration.millis(20)

/** Repeats an attempt until it succeeds. When the time is up, the error says what was missing last. */
export const eventually = <A>(
  what: string,
  timeout: Duration.Input,
  attempt: Effect.Effect<A, RedisError | NotYet>
): Effect.Effect<A, RedisServerError> =>
  Effect.suspend(() => {
    let missing = "no server has answered"
    return attempt.pipe(
      Effect.tapError((error) => {
        missing = error.message
        return Effect.sleep(interval)
      }),
      Effect.eventually,
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () =>
          Effect.fail(
            new RedisServerError({
              reason: "Timeout",
              detail: `${what} took longer than ${Duration.toMillis(timeout)} ms: ${missing}`
            })
          )
      })
    )
  })

/** A failover that is not over by then has been given up, which no server reports. Nodes of a cluster do so after five seconds. */
const failoverLimit = Duration.seconds(6)

/** Waits until a failover that was asked for is over, or must have been given up. */
export const untilOver = <A, E, R>(isOver: Effect.Effect<A, E | NotYet, R>): Effect.Effect<A, E | NotYet, R> =>
  Effect.retry(isOver, { schedule: Schedule.spaced(interval), while: (error) => error instanceof NotYet }).pipe(
    Effect.timeoutOrElse({ duration: failoverLimit, orElse: () => notYet("it came to nothing") })
  )
