/**
 * A connection to a server that is what sentinels say it is.
 */
import { role as askRole } from "@redfx/core/commands/Server"
import type { ConnectionSettings, NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import * as RedisConnection from "@redfx/core/unstable/Connection"
import { failAll } from "@redfx/core/unstable/Request"
import { inOwnScope, withTimeout } from "@redfx/core/unstable/Runtime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Observation, Role } from "./verdict.ts"

/**
 * Options of the connections of a client.
 *
 * - `role`: what the client is for, which decides what refused writes mean.
 * - `checkConnection`: whether a PING comes first.
 * - `observe`: takes what happens on them; returns the loss of the connection that it means.
 */
export interface Options {
  readonly settings: ConnectionSettings
  readonly role: Role
  readonly checkConnection: boolean
  readonly observe: (seen: Observation, role: Role, address: string) => CommandError | undefined
}

/** Opens a connection and asks the server for its role. Leaves nothing open when it fails. */
export const open = (
  options: Options,
  address: NodeAddress,
  expected: Role,
  listener: RedisConnection.Listener
): Effect.Effect<RedisConnection.RedisConnection, CommandError, RedisConnector | Scope.Scope> =>
  inOwnScope(dial(options, address, expected, listener))

const dial = Effect.fnUntraced(function*(
  options: Options,
  address: NodeAddress,
  expected: Role,
  listener: RedisConnection.Listener
): Effect.fn.Return<RedisConnection.RedisConnection, CommandError, RedisConnector | Scope.Scope> {
  const { checkConnection, settings } = options
  const gate = new GatedListener(listener, options, formatEndpoint(address))
  const connection = yield* RedisConnection.make({ host: address.host, port: address.port }, settings, gate.listener)
  const check = Effect.andThen(verifyRole(connection, expected), checkConnection ? connection.probe : Effect.void)
  const limit = Duration.toMillis(settings.connectTimeout)
  yield* withTimeout(check, {
    limit,
    orElse: () => Effect.fail(RedisConnection.timeLimit("connect", limit, connection.address))
  })
  gate.admit()
  return connection
})

/**
 * Asks the server for its role. Callers that may not run ROLE learn nothing here; then the word of the sentinels has to
 * do.
 */
const verifyRole = (
  connection: RedisConnection.RedisConnection,
  expected: Role
): Effect.Effect<void, CommandError> =>
  RedisConnection.run(connection, askRole()).pipe(
    Effect.map(({ role }) => role === "slave" ? "replica" : role),
    Effect.catchTags({
      NoPermissionError: () => Effect.succeed(expected),
      ResponseError: () => Effect.succeed(expected)
    }),
    Effect.flatMap((role) =>
      role === expected
        ? Effect.void
        : Effect.fail(
          connectionLoss(
            "Demoted",
            `The server is a ${role} and not the ${expected} it was said to be`,
            connection.address
          )
        )
    )
  )

/**
 * Withholds from a listener what concerns a connection before the connection is handed over, because the commands until
 * then are not the listener's.
 */
class GatedListener {
  readonly listener: RedisConnection.Listener
  #admitted = false

  constructor(listener: RedisConnection.Listener, { observe, role }: Options, address: string) {
    const { onPush, onSilence, onUnsent = failAll } = listener
    this.listener = {
      ...listener,
      onUnsent: (unsent, failure) => {
        observe({ _tag: "Lost", error: failure }, role, address)
        const take = this.#admitted ? onUnsent : failAll
        take(unsent, failure)
      },
      // For a subscriber that speaks RESP2, the server's role looks like a message.
      onPush: onPush && ((items) => !this.#admitted || onPush(items)),
      onSilence: (silent) => {
        observe({ _tag: silent ? "Silent" : "Answered" }, role, address)
        onSilence?.(silent)
      },
      demotion: (error) => observe({ _tag: "Refused", error }, role, address)
    }
  }

  /** Hands the connection over. */
  admit(): void {
    this.#admitted = true
  }
}
