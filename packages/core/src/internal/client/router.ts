/**
 * The router, which is the difference between the topologies: it decides where a command goes.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Key } from "../../RedisArg.ts"
import type { RedisEvent, RedisStats } from "../../RedisClient.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Kind } from "../../RedisPubSub.ts"
import type * as RedisConnection from "../connection/model.ts"
import type { Request } from "../connection/request.ts"
import type { Wait } from "../pool/attempts.ts"

/**
 * Where commands go.
 *
 * - `submit`: takes a request for a connection that others share. It never waits and never throws.
 * - `exclusive`: a connection for these commands that nobody else uses until the scope closes. `reserve`: a router on one. Both write
 *   down in `wait` what they wait for.
 * - `stateful`: called before a command that changes the state of its connection; its error refuses the command.
 * - `dependent`: called before a command, alone, whose answer is about what its connection sent before; its error refuses
 *   the command.
 * - `subscribers`: where subscriptions go.
 * - `servers`: counts the servers that a single command has gone to, one after the other. Where it stays the same, a cursor of
 *   a scan is good for the next page. Without it, cursors go on to whoever takes the place of a server.
 * - `held`: of a router that `reserve` gave: its connection.
 * - `describe`: how the client prints; never a secret.
 * - `attributes`: what spans say of the client, by OpenTelemetry's names.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisRouter {
  readonly submit: (request: Request) => void
  readonly exclusive: (
    commands: ReadonlyArray<RedisCommand.Any>,
    wait?: Wait
  ) => Effect.Effect<RedisConnection.RedisConnection, CommandError, Scope.Scope>
  readonly stateful: (command: RedisCommand.Any) => Effect.Effect<void, CommandError>
  readonly dependent: (command: RedisCommand.Any) => Effect.Effect<void, CommandError>
  readonly reserve: (wait?: Wait) => Effect.Effect<RedisRouter, CommandError, Scope.Scope>
  readonly events: Stream.Stream<RedisEvent>
  readonly stats: Effect.Effect<RedisStats>
  readonly subscribers: Subscribers
  readonly describe: string
  readonly attributes?: Readonly<Record<string, string | number>> | undefined
  readonly servers?: ((command: RedisCommand.Any) => number) | undefined
  readonly held?: Held | undefined
}

/**
 * The one connection behind a router, while its user has it alone.
 *
 * - `watching`: whether keys may be watched on it: WATCH was sent, and neither EXEC nor UNWATCH has been answered since.
 * - `executed`: told that the last EXEC was answered, which ends the watch. `refused`: told that all that was sent was refused.
 * - `unwatch`: ends the watch, if there is one; waits for nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Held {
  readonly watching: boolean
  readonly executed: () => void
  readonly refused: () => void
  readonly unwatch: () => void
}

/**
 * Connections for subscriptions, which nothing else uses.
 *
 * - `serverFor`: names the server that a channel is subscribed to on; channels of the same server share a connection. Asked
 *   again when a server has given up a shard channel, and after each connection. `""` stands for any server, `"?"` for none,
 *   which is never connected to. `known`: what must be known about channels before it is asked.
 * - `moved`: called when a server has given up a shard channel and `serverFor` does not know a better one, and with a second
 *   server when `serverFor` names that one for a channel that the first has not given up; asked again when the effect is
 *   done. `onChange`: calls a function whenever `serverFor` may name others, until the returned function is called.
 * - `retry`: makes the function that is called with the error of each try to subscribe to channels, or to do what the name says
 *   where they are: it waits until another is worth it, or fails. Without it there is one try.
 * - `confirmed`: called when a server has confirmed channels.
 * - `isServer`: whether channels may still be subscribed to on a server. Links to others are dropped when nobody uses them;
 *   without it all links are kept.
 * - `refuses`: why subscribing to a channel would be of no use, when that is known beforehand.
 * - `spread`: channels of events that each server reports only for itself. Without it there is only one server to ask.
 * - `connect`: opens a connection to a server.
 * - `onEvent`: takes what happens to these connections.
 * - `news`: tells of what is new about where they are to, so that a pause after failures is over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscribers {
  readonly serverFor: (kind: Kind, channel: Key) => string
  readonly known?:
    | ((kind: Kind, channels: ReadonlyArray<Key>) => Effect.Effect<void, CommandError> | undefined)
    | undefined
  readonly moved?: ((server: string, owner?: string) => Effect.Effect<void>) | undefined
  readonly onChange?: ((listener: () => void) => () => void) | undefined
  readonly retry?:
    | ((
      name: string,
      kind: Kind,
      channels: ReadonlyArray<Key>
    ) => (error: CommandError) => Effect.Effect<void, CommandError>)
    | undefined
  readonly confirmed?: ((kind: Kind, server: string) => Effect.Effect<void>) | undefined
  readonly isServer?: ((server: string) => boolean) | undefined
  readonly refuses?: ((kind: Kind, channel: Key) => CommandError | undefined) | undefined
  readonly spread?: Spread | undefined
  readonly connect: (
    server: string,
    listener: RedisConnection.Listener
  ) => Effect.Effect<RedisConnection.RedisConnection, CommandError, Scope.Scope>
  readonly onEvent: (event: RedisEvent) => void
  readonly news?: RedisConnection.News | undefined
}

/**
 * Channels of events that each server reports only for itself, such as those of its keys: they are subscribed to on several
 * servers at a time, and `serverFor` does not count for them.
 *
 * - `includes`: whether a channel is one of them.
 * - `servers`: those that they are subscribed to on at the moment, once `known` is done, and until `onChange` says that
 *   these may be others.
 * - `execute`: runs a command on a server.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spread {
  readonly includes: (kind: Kind, channel: Key) => boolean
  readonly known: Effect.Effect<void, CommandError>
  readonly servers: () => ReadonlyArray<string>
  readonly execute: <A>(
    server: string,
    command: RedisCommand.RedisCommand<A>
  ) => Effect.Effect<A, CommandError>
}
