/**
 * The command timeout of operations that are sent several times, which is one limit for all tries.
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError, TimeoutError } from "@redfx/core/RedisError"
import { failureOf } from "@redfx/core/unstable/Connection"
import { withTimeout } from "@redfx/core/unstable/Runtime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { timedOut } from "./finalErrors.ts"
import type { Retrying } from "./retrying.ts"
import { unspent } from "./verdictModel.ts"
import type { Spent } from "./verdictModel.ts"

/**
 * What the tries of one operation tell of themselves.
 *
 * - `tried`: marks an effect as a try at a server: while it runs, and when it has not failed, the server can have run it.
 * - `waits`: takes what is spent when one has failed, and another will follow.
 */
export interface Tries {
  readonly tried: <B, F>(address: string, once: Effect.Effect<B, F>) => Effect.Effect<B, F>
  readonly waits: (spent: Spent) => void
}

/**
 * Runs all tries within the command timeout, and the time for which the commands ask the server to block.
 *
 * Each try has the same limit from its own start, and its error says more. So that the error of the first try comes first,
 * the whole may take a little longer.
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

/**
 * Runs the tries of one operation within the command timeout, and tells of one that has run out of time whether a server
 * can have run it, and what it waits for. `facts`: what such an error says of the operation.
 */
export const tryWithTimeout = <A, E>(
  retrying: Pick<Retrying, "clock" | "settings">,
  command: RedisCommand.Any,
  facts: Pick<RedisCommand.Spec, "name" | "readonly">,
  tries: (tries: Tries) => Effect.Effect<A, E>
): Effect.Effect<A, E | TimeoutError> =>
  Effect.suspend(() => {
    let running: string | undefined = undefined
    let spent = unspent
    const mark = (now: string | undefined) =>
      Effect.sync(() => {
        running = now
      })
    return withCommandTimeout<A, E | TimeoutError>(retrying, [command], {
      whole: tries({
        tried: (address, once) => Effect.andThen(mark(address), Effect.tapError(once, () => mark(undefined))),
        waits: (after) => {
          spent = after
        }
      }),
      orElse: (limit) => Effect.fail(timedOut(facts, limit, spent, running))
    })
  })

/**
 * Runs a command that waits for the topology before it is sent to several servers, each of which it has its time for. While
 * the topology is not known, the reading of it is part of that time.
 */
export const inOneTime = <A>(
  retrying: Retrying,
  command: RedisCommand.Any,
  effect: Effect.Effect<A, CommandError>
): Effect.Effect<A, CommandError> => {
  const { state } = retrying
  return Effect.suspend(() =>
    state.topology !== undefined ? effect : withCommandTimeout(retrying, [command], {
      whole: Effect.mapError(effect, (error) =>
        // Nothing is sent before the topology is known.
        state.topology === undefined ? failureOf(error, command.spec, "not-sent") : error),
      orElse: (limit) =>
        Effect.fail(timedOut(command.spec, limit, { ran: state.topology !== undefined, last: undefined }))
    })
  )
}
