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
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { MasterTracker } from "./masterTracker.ts"
import type { Role } from "./verdict.ts"

/**
 * Options of the connections of a client.
 *
 * - `role`: what the client is for, which decides what refused writes mean.
 * - `checkConnection`: whether a master is sent a PING. A replica always is.
 * - `tracker`: takes what happens on them.
 */
export interface Options {
  readonly settings: ConnectionSettings
  readonly role: Role
  readonly checkConnection: boolean
  readonly tracker: Pick<MasterTracker, "observe">
}

/** What a server has to be; a `synchronized` one is a replica that has data of its master. */
export type Expected = Role | "synchronized"

/** Opens a connection and asks the server for its role. Leaves nothing open when it fails. */
export const open = (
  options: Options,
  address: NodeAddress,
  expected: Expected,
  listener: RedisConnection.Listener
): Effect.Effect<RedisConnection.RedisConnection, CommandError, RedisConnector | Scope.Scope> => {
  const { settings } = options
  const dialer = RedisConnection.dialerAt({ host: address.host, port: address.port }, settings)
  const check = (connection: RedisConnection.RedisConnection) => verify(options, connection, expected)
  return RedisConnection.verified(dialer.open, check, settings)(observing(listener, options, formatEndpoint(address)))
}

/** Asks the server of a connection whether it is what it has to be. */
export const verify = (
  { checkConnection }: Pick<Options, "checkConnection">,
  connection: RedisConnection.RedisConnection,
  expected: Expected
): Effect.Effect<void, CommandError> => {
  const verified = verifyRole(connection, expected)
  // A server that loads its data, or may not show what is old, answers ROLE and INFO, and nothing that reads.
  const isAsked = checkConnection || expected !== "master"
  return isAsked ? Effect.all([verified, connection.probe], { concurrency: 2, discard: true }) : verified
}

/**
 * Asks the server for its role, and a replica for its data where it has to have some. The word of the sentinels has to do where
 * the server does not tell.
 */
const verifyRole = (
  connection: RedisConnection.RedisConnection,
  expected: Expected
): Effect.Effect<void, CommandError> =>
  RedisConnection.ifTold(Effect.gen(function*() {
    const told = yield* RedisConnection.run(connection, askRole())
    const role = told.role === "slave" ? "replica" : told.role
    const wanted = expected === "synchronized" ? "replica" : expected
    if (role !== wanted) {
      const detail = `The server is a ${role} and not the ${wanted} it was said to be`
      return yield* connectionLoss("Demoted", detail, connection.address)
    }
    if (expected === "synchronized") yield* RedisConnection.checkData(connection, told)
  }))

/** A listener that tells what happens on a connection as well. */
const observing = (
  listener: RedisConnection.Listener,
  { role, tracker }: Options,
  address: string
): RedisConnection.Listener => ({
  ...listener,
  onUnsent: (unsent, failure) => {
    tracker.observe({ _tag: "Lost", error: failure }, role, address)
    const { onUnsent = failAll } = listener
    onUnsent(unsent, failure)
  },
  onSilence: (silent) => {
    tracker.observe({ _tag: silent ? "Silent" : "Answered" }, role, address)
    listener.onSilence?.(silent)
  },
  demotion: (error) => tracker.observe({ _tag: "Refused", error }, role, address)
})
