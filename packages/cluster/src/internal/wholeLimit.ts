/**
 * The command timeout of what is sent several times: one limit for all tries.
 *
 * @internal
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { ConnectionSettings } from "@redfx/core/RedisConfig"
import { TimeoutError } from "@redfx/core/RedisError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Runs the whole within the command timeout, and the time for which the commands ask the server to block.
 *
 * Each try has the same limit from its own start, and knows more of what it was when that passes: so that the first one
 * ends first, the whole may take a little longer, as deadlines are kept by coarse ticks.
 */
export const within = <A, E>(
  { commandTimeout, retryOnTimeout }: ConnectionSettings,
  commands: ReadonlyArray<RedisCommand.Any>,
  { orElse, whole }: {
    readonly whole: Effect.Effect<A, E>
    readonly orElse: (limit: number) => Effect.Effect<A, E>
  }
): Effect.Effect<A, E> => {
  if (!Duration.isFinite(commandTimeout)) return whole
  const once = commands.reduce(
    (sum, command) => sum + RedisCommand.blockMilliseconds(command),
    Duration.toMillis(commandTimeout)
  )
  if (once === Infinity) return whole
  const limit = retryOnTimeout ? 2 * once : once
  const lateness = Math.min(limit / 8, 500)
  return Effect.timeoutOrElse(whole, { duration: limit + lateness, orElse: () => orElse(limit) })
}

/** The error of a command for which the time was up. `sent`: whether a server can have run it. */
export const timedOut = ({ spec }: RedisCommand.Any, limit: number, sent: boolean): TimeoutError =>
  new TimeoutError({
    phase: sent ? "read" : "write",
    milliseconds: limit,
    command: spec.name,
    delivery: sent ? "unknown" : "not-sent",
    readonly: spec.readonly
  })
