/**
 * Several commands in one write.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Settle from "./internal/client/settle.ts"
import type { Outcome } from "./internal/connection/request.ts"
import * as Telemetry from "./internal/telemetry/spans.ts"
import { RedisClient } from "./RedisClient.ts"
import type * as RedisCommand from "./RedisCommand.ts"
import type { CommandError } from "./RedisError.ts"

/**
 * Commands as a tuple, an array or a record.
 *
 * @category models
 * @since 0.1.0
 */
export type Commands = ReadonlyArray<RedisCommand.Any> | Readonly<Record<string, RedisCommand.Any>>

/**
 * What commands succeed with, at the same indexes or names.
 *
 * @category models
 * @since 0.1.0
 */
export type Successes<C extends Commands> =
  & { readonly [K in keyof C]: RedisCommand.Success<C[K]> }
  // With it editors show what this comes to, and not how.
  & {}

/**
 * What becomes of commands, at the same indexes or names.
 *
 * @category models
 * @since 0.1.0
 */
export type Results<C extends Commands> =
  & {
    readonly [K in keyof C]: Result.Result<RedisCommand.Success<C[K]>, CommandError>
  }
  & {}

/**
 * Sends several commands in one write and returns all their results, as a tuple
 * or a record like the one given. Not atomic: other callers' commands may run
 * in between.
 *
 * **Details**
 *
 * All commands run, also after one that fails; then the first error is raised,
 * with the `index` of its command. It speaks for the whole: `partial` says which
 * commands were answered and which may have run, and it is safe to retry only
 * when none of those writes. {@link pipelineSettled} returns all outcomes.
 * An empty pipeline costs no round trip.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pipeline = <const C extends Commands>(
  commands: C
): Effect.Effect<Successes<C>, CommandError, RedisClient> =>
  run(
    commands,
    // One value a command, at the indexes of the commands.
    (outcomes) => Settle.values("pipeline", commands, outcomes) as Effect.Effect<Successes<C>, CommandError>
  )

/**
 * Like {@link pipeline}, with the outcome of each command as a `Result`: one
 * that fails does not fail the whole.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pipelineSettled = <const C extends Commands>(
  commands: C
): Effect.Effect<Results<C>, never, RedisClient> =>
  run(
    commands,
    // One result a command, at the indexes of the commands.
    (outcomes) => Settle.results(commands, outcomes) as Effect.Effect<Results<C>>
  )

/** What the caller sees of the outcomes is what a span tells. */
const run = <A, E extends CommandError>(
  commands: Commands,
  see: (outcomes: ReadonlyArray<Outcome>) => Effect.Effect<A, E>
): Effect.Effect<A, E, RedisClient> =>
  Effect.flatMap(RedisClient, (client) => {
    const list = Settle.list(commands)
    return Telemetry.batch("PIPELINE", client, list, Effect.flatMap(client.pipeline(list), see))
  })
