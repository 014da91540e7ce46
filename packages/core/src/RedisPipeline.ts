/**
 * Several commands in one write.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Settle from "./internal/client/settle.ts"
import type { Commands } from "./internal/client/settle.ts"
import type { Outcome } from "./internal/command/weave.ts"
import * as Telemetry from "./internal/telemetry/spans.ts"
import { RedisClient } from "./RedisClient.ts"
import type * as RedisCommand from "./RedisCommand.ts"
import type { CommandError } from "./RedisError.ts"

export type { Commands } from "./internal/client/settle.ts"

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
 * or a record like the one given. It is not atomic: other callers' commands may
 * run in between.
 *
 * **When to use**
 *
 * Use for commands that do not depend on each other's replies. When all of them
 * must run or none, use `Redis.transaction`. When a failure of one should not
 * fail the others, use {@link pipelineSettled}. Commands that several fibers send
 * at the same time go out in one write by themselves, without a pipeline.
 *
 * **Details**
 *
 * All commands run, also after one that fails; then the pipeline fails with the
 * first error, which has the `index` of its command. `partial` says which
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
 * that fails does not fail the pipeline.
 *
 * @see {@link pipeline} for values alone, and a failure when one command fails
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

/** The span says what the caller sees of the outcomes. */
const run = <A, E extends CommandError>(
  commands: Commands,
  see: (outcomes: ReadonlyArray<Outcome>) => Effect.Effect<A, E>
): Effect.Effect<A, E, RedisClient> =>
  Effect.flatMap(RedisClient, (client) => {
    const list = Settle.list(commands)
    return Telemetry.batch("PIPELINE", client, list, Effect.flatMap(client.pipeline(list), see))
  })
