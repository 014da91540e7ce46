/**
 * The connections to one server: one or more that all callers share, and
 * exclusive ones for callers that need a connection alone. Several clients may use one pool.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Pool from "./internal/client/pool.ts"
import { withCloseTimeout } from "./internal/runtime/closing.ts"
import type * as RedisClient from "./RedisClient.ts"
import type * as RedisConfig from "./RedisConfig.ts"
import type { RedisConnector } from "./RedisConnector.ts"
import type { CommandError, RedisConfigError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Service
// -----------------------------------------------------------------------------

/**
 * The connections to one server.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisPool extends Context.Service<RedisPool, {
  /**
   * A client on these connections, for as long as the scope is open. Closing it leaves the pool open; the connections
   * that the client has for itself are closed, and what is pending on them and on shared ones fails.
   */
  readonly client: Effect.Effect<RedisClient.Client, never, Scope.Scope>
  /**
   * Closes idle connections, with `inUse` also those in use, whose commands then fail with `reason`; further commands
   * open new ones. With `only` those that commands share are left alone.
   */
  readonly disconnect: Pool.Pool["disconnect"]
  /** Fails with `reason` what is under way, what waits for a connection and everything that comes later. */
  readonly retire: Pool.Pool["retire"]
  /** Counts of the connections and of the commands that wait. */
  readonly stats: Pool.Pool["stats"]
}>()("@redfx/core/RedisPool") {}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a pool of connections to one server, which is closed with the scope. Nothing is opened before the first command,
 * unless `connect: "eager"` says so.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: RedisConfig.StandaloneOptions
): Effect.Effect<RedisPool["Service"], CommandError | RedisConfigError, RedisConnector | Scope.Scope> =>
  Pool.makeOn(options, ({ disconnect, member, retire, settings, stats }) =>
    Effect.succeed({
      client: withCloseTimeout(
        settings.closeTimeout,
        Effect.flatMap(member, (router) => Pool.clientOf(router, settings))
      ),
      disconnect,
      retire,
      stats
    }))

// -----------------------------------------------------------------------------
// Layers
// -----------------------------------------------------------------------------

/**
 * Provides a pool, for several clients to share.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: RedisConfig.StandaloneOptions = {}
): Layer.Layer<RedisPool, CommandError | RedisConfigError, RedisConnector> => Layer.effect(RedisPool)(make(options))
