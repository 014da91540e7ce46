/**
 * A connection to a server that is what sentinels say it is.
 */
import { info } from "@redfx/core/commands/Info"
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

/** What a server has to be; a `synchronized` one is a replica that has data of its master. */
export type Expected = Role | "synchronized"

/** Opens a connection and asks the server for its role. Leaves nothing open when it fails. */
export const open = (
  options: Options,
  address: NodeAddress,
  expected: Expected,
  listener: RedisConnection.Listener
): Effect.Effect<RedisConnection.RedisConnection, CommandError, RedisConnector | Scope.Scope> =>
  inOwnScope(dial(options, address, expected, listener))

const dial = Effect.fnUntraced(function*(
  options: Options,
  address: NodeAddress,
  expected: Expected,
  listener: RedisConnection.Listener
): Effect.fn.Return<RedisConnection.RedisConnection, CommandError, RedisConnector | Scope.Scope> {
  const { checkConnection, settings } = options
  const gate = new GatedListener(listener, options, formatEndpoint(address))
  const connection = yield* RedisConnection.make({ host: address.host, port: address.port }, settings, gate.listener)
  // A server that loads its data, or may not show what is old, answers ROLE and INFO, and nothing that reads.
  const check = Effect.flatMap(
    verifyRole(connection, expected),
    (isLinked) => checkConnection || expected !== "master" && !isLinked ? connection.probe : Effect.void
  )
  const limit = Duration.toMillis(settings.connectTimeout)
  yield* withTimeout(check, {
    limit,
    orElse: () => Effect.fail(RedisConnection.timeLimit("connect", limit, connection.address))
  })
  // The listener is told of a loss from here on. What was lost while this fiber rested it would never hear of.
  if (connection.exchange.closed) return yield* Effect.flatMap(connection.lost, Effect.fail)
  gate.admit()
  return connection
})

/**
 * Asks the server for its role, and returns whether it is a replica whose link to its master is up. Callers that may not run
 * ROLE, or INFO, learn nothing here; then the word of the sentinels has to do.
 */
const verifyRole = (
  connection: RedisConnection.RedisConnection,
  expected: Expected
): Effect.Effect<boolean, CommandError> =>
  Effect.gen(function*() {
    const told = yield* RedisConnection.run(connection, askRole())
    const role = told.role === "slave" ? "replica" : told.role
    const wanted = expected === "synchronized" ? "replica" : expected
    if (role !== wanted) {
      const detail = `The server is a ${role} and not the ${wanted} it was said to be`
      return yield* connectionLoss("Demoted", detail, connection.address)
    }
    const isLinked = told.role === "slave" && told.state === "connected"
    if (expected === "synchronized" && !isLinked && (yield* isEmpty(connection))) {
      return yield* connectionLoss("HealthCheck", unsynchronized, connection.address)
    }
    return isLinked
  }).pipe(
    Effect.catchTags({ NoPermissionError: () => Effect.succeed(false), ResponseError: () => Effect.succeed(false) })
  )

const unsynchronized = "The replica has no data of its master yet"

/** Whether a connection was not opened as the server is a replica without data of its master. */
export const isUnsynchronized = (error: CommandError): boolean =>
  error._tag === "ConnectionError" && error.detail === unsynchronized

/**
 * Whether a replica whose link is down has nothing that it could go on from. The states of ROLE do not tell that: `connect`
 * is one that was started a moment ago and one whose master is gone, `handshake` one that is waiting for its first data and
 * one whose master hangs. Servers name the offset 1, or 0, where they have none.
 */
const isEmpty = (connection: RedisConnection.RedisConnection): Effect.Effect<boolean, CommandError> =>
  Effect.map(RedisConnection.run(connection, info("replication")), ({ fields }) => {
    const offset = fields["slave_repl_offset"]
    return typeof offset === "number" && offset <= 1
  })

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
