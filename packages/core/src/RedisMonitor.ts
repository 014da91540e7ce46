/**
 * Every command that a server runs, as a stream.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { MonitorEvent } from "./commands/replies/MonitorEvent.ts"
import { orNone } from "./internal/argument/options.ts"
import { RedisClient } from "./RedisClient.ts"
import type { CommandError, PubSubOverflowError } from "./RedisError.ts"

/**
 * How events are kept for a consumer that is slower than the server.
 *
 * @category options
 * @since 0.1.0
 */
export interface MonitorOptions {
  /** How many events wait at the most. Default 16384. */
  readonly capacity?: number | undefined
  /**
   * What happens to one more. `"fail"` (default) fails the stream with `PubSubOverflowError`, after what was kept;
   * `"dropOldest"` and `"dropNewest"` drop events. The server is never held up: it would keep what was not read in its
   * memory, without limit.
   */
  readonly onFull?: "fail" | "dropOldest" | "dropNewest" | undefined
}

/**
 * Shows the commands that the server runs for all clients, as a Stream, from the moment that it runs. Commands come with
 * their arguments, but for those of AUTH and the like.
 *
 * **Details**
 *
 * The stream has a connection of its own, which is closed with it. It fails when
 * that connection is lost: commands that run until another is open would be missing.
 * On a cluster it is refused: run the stream on one node, with `RedisCluster.onNode`.
 * The server runs much slower while somebody monitors it.
 * Since Redis 1.0.0.
 *
 * **Example** (Who writes?)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Console, Stream } from "effect"
 *
 * const program = Redis.monitor().pipe(
 *   Stream.filter(({ args }) => args[0]?.toUpperCase() === "SET"),
 *   Stream.runForEach(({ args, clientAddress }) => Console.log(clientAddress, args[1]))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const monitor = (
  options: MonitorOptions = {}
): Stream.Stream<MonitorEvent, CommandError | PubSubOverflowError, RedisClient> =>
  Stream.unwrap(Effect.map(RedisClient, (client) => client.monitor(orNone(options))))
