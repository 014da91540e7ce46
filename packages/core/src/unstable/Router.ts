/**
 * What the topologies differ in, where a command goes, and the client that is
 * written once above it: deadlines, pipelines, exclusive use.
 *
 * What sentinel, cluster and other topologies build on. It may change with any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * Whether a command goes on where another one ended: its cursor means nothing
   * to another server than the one that gave it.
   *
   * @category guards
   * @since 0.1.0
   */
  isContinued,
  /**
   * A client above a router, for as long as the scope is open. Its limits go by the clock that it is made with.
   *
   * @category constructors
   * @since 0.1.0
   */
  makeClient,
  /**
   * A router that sends everything over one connection of its caller's own, until
   * the lease ends: whoever kept it after that would use somebody else's.
   *
   * @category constructors
   * @since 0.1.0
   */
  ofLease,
  /**
   * Refuses what is of no use on connections that others share.
   *
   * @category constructors
   * @since 0.1.0
   */
  refusals,
  /**
   * The counts of several routers together.
   *
   * @category combinators
   * @since 0.1.0
   */
  sumStats
} from "../internal/client/client.ts"

export {
  /**
   * A client that loads the libraries of the functions that it calls, where the server does not have them.
   *
   * @category combinators
   * @since 0.1.0
   */
  withFunctions
} from "../internal/script/calls.ts"

export type {
  /**
   * The one connection behind a router, while its user has it alone.
   *
   * - `watching`: whether keys may be watched on it: WATCH was sent, and neither EXEC nor UNWATCH has been answered since.
   * - `executed`: told that the last EXEC was answered, which ends the watch. `refused`: told that all that was sent was
   *   refused.
   * - `unwatch`: ends the watch, if there is one; waits for nothing.
   *
   * @category models
   * @since 0.1.0
   */
  Held,
  /**
   * Where commands go.
   *
   * - `submit`: takes a request for a connection that others share. It never waits and never throws.
   * - `exclusive`: a connection for these commands that nobody else uses until the scope closes.
   * - `stateful`: called before a command that changes the state of its connection; its error refuses the command.
   * - `dependent`: called before a command, alone, whose answer is about what its connection sent before; its error refuses
   *   the command.
   * - `subscribers`: where subscriptions go.
   * - `held`: of a router that `reserve` gave: its connection.
   * - `describe`: how the client prints; never a secret.
   * - `attributes`: what spans say of the client, by OpenTelemetry's names.
   *
   * @category models
   * @since 0.1.0
   */
  RedisRouter,
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
  Spread,
  /**
   * Connections for subscriptions, which nothing else uses.
   *
   * - `serverFor`: names the server that a channel is subscribed to on; channels of the same server share a connection. Asked
   *   again when a server has given up a shard channel. `known`: what must be known before it is asked.
   * - `moved`: called when a server has given up a shard channel and `serverFor` does not know a better one; asked
   *   again when the effect is done.
   * - `isServer`: whether channels may still be subscribed to on a server. Links to others are dropped when nobody uses
   *   them; without it all links are kept.
   * - `refuses`: why subscribing to a channel would be of no use, when that is known beforehand.
   * - `spread`: channels of events that each server reports only for itself. Without it there is only one server to ask.
   * - `connect`: opens a connection to a server.
   * - `onEvent`: takes what happens to these connections.
   * - `news`: suspends until there is something new about where they are to, so that a pause after failures is over.
   *
   * @category models
   * @since 0.1.0
   */
  Subscribers
} from "../internal/client/router.ts"
