/**
 * The command timeout of what is sent several times: one limit for all tries.
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import { TimeoutError } from "@redfx/core/RedisError"
import { withTimeout } from "@redfx/core/unstable/Runtime"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Retrying } from "./retrying.ts"

/**
 * Runs the whole within the command timeout, and the time for which the commands ask the server to block.
 *
 * Each try has the same limit from its own start, and knows more of what it was when that passes: so that the first one
 * ends first, the whole may take a little longer.
 */
export const withCommandTimeout = <A, E>(
  { clock, settings: { connection: { commandTimeout, retryOnTimeout } } }: Pick<Retrying, "clock" | "settings">,
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
  const lateness = Math.min(limit / 16, 20)
  return withTimeout(whole, { clock, limit: limit + lateness, orElse: () => orElse(limit) })
}

/** The error of what the time was up for. `sent`: whether a server can have run it. */
export const timedOut = (
  { name, readonly }: Pick<RedisCommand.Spec, "name" | "readonly">,
  limit: number,
  sent: boolean
): TimeoutError =>
  new TimeoutError({
    phase: sent ? "read" : "write",
    milliseconds: limit,
    command: name,
    delivery: sent ? "unknown" : "not-sent",
    readonly
  })
