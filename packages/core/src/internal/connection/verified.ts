/**
 * Connections that are checked before they are used: whether the server has the role that is expected, and whether a replica has data.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { info } from "../../commands/Info.ts"
import type { ServerRole } from "../../commands/Server.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { RedisConnector } from "../../RedisConnector.ts"
import type { CommandError } from "../../RedisError.ts"
import { connectionLoss, timeLimit } from "../error/events.ts"
import { withTimeout } from "../runtime/elapsed.ts"
import { inOwnScope } from "../runtime/ownScope.ts"
import { run } from "./connection.ts"
import type { Dialer, Listener, RedisConnection } from "./model.ts"
import { failAll } from "./request.ts"

/** The check of a connection that is open, before anybody else uses it. */
export type Check = (connection: RedisConnection) => Effect.Effect<void, CommandError>

/**
 * Opens a connection, and hands it over when a check has passed, which may take `connectTimeout`. Leaves nothing open when it
 * fails. The listener hears nothing of the commands until then, as they are not its own.
 */
export const verified = (
  open: Dialer["open"],
  check: Check,
  { connectTimeout }: Pick<ConnectionSettings, "connectTimeout">
): Dialer["open"] =>
(listener) => {
  const limit = Duration.toMillis(connectTimeout)
  let admitted = false
  const { onPush, onUnsent = failAll } = listener
  const gated: Listener = {
    ...listener,
    onUnsent: (unsent, failure) => {
      const take = admitted ? onUnsent : failAll
      take(unsent, failure)
    },
    // For a subscriber that speaks RESP2, an answer may look like a message.
    onPush: onPush && ((items) => !admitted || onPush(items))
  }
  const opened: Effect.Effect<RedisConnection, CommandError, RedisConnector | Scope.Scope> = Effect.tap(
    open(gated),
    (connection) =>
      Effect.flatMap(
        withTimeout(check(connection), {
          limit,
          orElse: () => Effect.fail(timeLimit("connect", limit, connection.address))
        }),
        () => {
          // From here on the listener is told of a loss. It would never hear of one that happened while this fiber rested.
          if (connection.exchange.closed) return Effect.flatMap(connection.lost, Effect.fail)
          admitted = true
          return Effect.void
        }
      )
  )
  return inOwnScope(opened)
}

/**
 * A question of a check whose answer may say nothing: not every user may ask, and servers that are like Redis answer ROLE in a
 * form of their own.
 */
export const ifTold = (asking: Effect.Effect<void, CommandError>): Effect.Effect<void, CommandError> =>
  Effect.catchTags(asking, {
    DecodeError: () => Effect.void,
    NoPermissionError: () => Effect.void,
    ResponseError: () => Effect.void
  })

/** The cause of an error: a replica has no data of its master yet, as in its first synchronization, so that it knows no key. */
class WithoutData {
  readonly _tag = "WithoutData"
  readonly state: string
  readonly offset: number

  /** - `state`: that of its link, as ROLE names it. `offset`: the part of the data that it has, as INFO names it. */
  constructor(state: string, offset: number) {
    this.state = state
    this.offset = offset
  }
}

/** Whether a connection was not opened as the server is a replica without data. */
export const isWithoutData = (error: CommandError): boolean =>
  error._tag === "ConnectionError" && error.cause instanceof WithoutData

/**
 * Fails for a replica whose link is down and that has nothing that it could go on from. The states of ROLE do not tell that:
 * `connect` is one that was started a moment ago and one whose master is gone, `handshake` one that is waiting for its first
 * data and one whose master hangs. Servers name the offset 1, or 0, where they have none.
 */
export const checkData = (connection: RedisConnection, told: ServerRole): Effect.Effect<void, CommandError> =>
  told.role !== "slave" || told.state === "connected" ? Effect.void : Effect.flatMap(
    run(connection, info("replication")),
    ({ fields }) => {
      const offset = fields["slave_repl_offset"]
      if (typeof offset !== "number" || offset > 1) return Effect.void
      const cause = new WithoutData(told.state, offset)
      return Effect.fail(
        connectionLoss("HealthCheck", "The replica has no data of its master yet", connection.address, cause)
      )
    }
  )
