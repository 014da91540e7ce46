/**
 * Connections, what listens to them, and what opens them.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as RedisCommand from "../../RedisCommand.ts"
import type { RedisConnector } from "../../RedisConnector.ts"
import type { CommandError } from "../../RedisError.ts"
import type * as Resp from "../../Resp.ts"
import type { Exchange } from "./exchange.ts"
import type { Request, RequestQueue } from "./request.ts"

/**
 * An open connection.
 *
 * - `protocol`: the version of RESP that was agreed on.
 * - `liveness.silence`: the milliseconds for which the server has owed an answer and sent nothing, at the last look.
 * - `submit`: takes a request; it settles with its replies, or with what ended the connection.
 * - `probe`: a PING of its own, failing when it is not answered in time.
 * - `close`: ends the connection; everything unanswered fails with the given error.
 * - `lost`: suspends until the connection has ended, then returns why.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisConnection {
  readonly address: string
  readonly protocol: 2 | 3
  readonly exchange: Exchange
  readonly liveness: { readonly silence: number }
  readonly submit: (request: Request) => void
  readonly probe: Effect.Effect<void, CommandError>
  readonly close: (reason: CommandError) => void
  readonly lost: Effect.Effect<CommandError>
}

/**
 * The functions by which the holder of a connection learns of it.
 *
 * - `onUnsent`: takes the requests of which nothing was written when the connection ended. Without it they fail.
 * - `onPush`: takes out-of-band data, and returns whether it is the answer to the command in front after all.
 * - `subscriber`: whether arrays are out-of-band data as well, as messages are before RESP3. Default `false`.
 * - `feed`: whether lines are commands as others have sent them, as after MONITOR, which may be much longer than any reply in a
 *   line. Default `false`.
 * - `onUnasked`: takes replies that no command asked for, as they come after MONITOR. Told whether a command is unanswered,
 *   it returns whether this is such a reply. Others that no command asked for end the connection.
 * - `onRefusal`: takes error replies and their commands, and returns the loss of the connection that one means; nothing was run
 *   then. `undefined` when it means no more than its text.
 * - `demotion`: takes error replies first, and returns the loss of the connection that one means when the server is not
 *   what the connection was opened for; nothing was run then. The connection takes nothing more, and ends when what was
 *   sent before has its answers.
 * - `onRead`: called after what one read brought was taken; reading goes on when the effect it returns is done.
 * - `onSilence`: called with `true` when the server has owed an answer for longer than it should, a second at least and
 *   longer where it usually takes longer, and with `false` when something comes after all.
 * - `onProgress`: told what the opening of the connection waits for, in words, whenever that is another thing.
 * - `onBusy`: called when a script keeps the server from preparing the connection, with a way to send what ends the script.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listener {
  readonly onUnsent?: ((unsent: RequestQueue, failure: CommandError) => void) | undefined
  readonly onPush?: ((items: ReadonlyArray<Resp.Value>) => boolean) | undefined
  readonly subscriber?: boolean | undefined
  readonly feed?: boolean | undefined
  readonly onUnasked?: ((value: Resp.Value, owed: boolean) => boolean) | undefined
  readonly onRefusal?: ((error: Resp.ErrorReply, command: RedisCommand.Any) => CommandError | undefined) | undefined
  readonly demotion?: ((error: Resp.ErrorReply) => CommandError | undefined) | undefined
  readonly onRead?: (() => Effect.Effect<void> | undefined) | undefined
  readonly onSilence?: ((silent: boolean) => void) | undefined
  readonly onProgress?: ((waitsFor: string, address: string) => void) | undefined
  readonly onBusy?: ((submit: (request: Request) => void) => void) | undefined
}

/**
 * The news of where a server is: `count` says how much there was, and `after` suspends until there is more than was counted.
 *
 * @category models
 * @since 0.1.0
 */
export interface News {
  readonly count: () => number
  readonly after: (count: number) => Effect.Effect<void>
}

/**
 * Opens connections to a server, or to whichever server has a role.
 *
 * - `address`: what the server is called while there is no connection.
 * - `attributes`: the same by OpenTelemetry's names.
 * - `open`: opens a connection, to wherever the server is then.
 * - `news`: tells of what is new about where that is, which ends the pause after failures of what was begun before.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialer {
  readonly address: string
  readonly attributes?: Readonly<Record<string, string | number>> | undefined
  readonly open: (listener: Listener) => Effect.Effect<RedisConnection, CommandError, RedisConnector | Scope.Scope>
  readonly news?: News | undefined
}
