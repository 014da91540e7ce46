/**
 * Transactions: commands that run all together or not at all, and optimistic
 * ones that read first and commit only if nobody changed what they read.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Places from "./internal/places.ts"
import type { Outcome } from "./internal/request.ts"
import * as Scripts from "./internal/scripts.ts"
import * as Telemetry from "./internal/telemetry.ts"
import * as RedisArg from "./RedisArg.ts"
import { RedisClient } from "./RedisClient.ts"
import type { Service } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import { ConnectionError, isSafeToRetry, WatchError } from "./RedisError.ts"
import type { RedisError } from "./RedisError.ts"
import type { Commands, Results, Successes } from "./RedisPipeline.ts"
import * as RedisReply from "./RedisReply.ts"

/**
 * Runs several commands as one atomic transaction and returns all their
 * results, as a tuple or a record like the one given.
 *
 * **Details**
 *
 * The commands go out in one write between MULTI and EXEC. When the server
 * refuses to queue one of them, nothing is run and the transaction fails with
 * `ExecAbortError`, which lists what was refused. A command that fails while it
 * runs does not undo the others: then its error is raised, with its `index`, and
 * `partial` says which were applied; {@link transactionSettled} returns all
 * outcomes. An empty transaction costs no
 * round trip.
 *
 * **Example** (Two writes, both or none)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const program = Redis.transaction({ a: Redis.set("a", "1"), n: Redis.incr("n") })
 * //    ^? Effect<{ a: boolean, n: number }, RedisError, RedisClient>
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const transaction = <const C extends Commands>(
  commands: C
): Effect.Effect<Successes<C>, RedisError, RedisClient> =>
  Effect.flatMap(RedisClient, (client) => commit(client, commands))

/**
 * Like {@link transaction}, with the outcome of each command as a `Result`. It
 * still fails as a whole when nothing was run, or when that is not known.
 *
 * @category combinators
 * @since 0.1.0
 */
export const transactionSettled = <const C extends Commands>(
  commands: C
): Effect.Effect<Results<C>, RedisError, RedisClient> =>
  Effect.flatMap(RedisClient, (client) =>
    run(
      client,
      commands,
      // One result a command, in the places of the commands.
      (outcomes) => Places.results(commands, outcomes) as Effect.Effect<Results<C>>
    ))

/**
 * Runs `body` while the server watches `keys`, then commits the commands that
 * it returns, unless somebody changed one of the keys meanwhile.
 *
 * **Details**
 *
 * Inside `body` the same `Redis.*` commands run at once, on the connection that
 * watches; what it returns is run between MULTI and EXEC there. A conflict is a
 * `WatchError`, and so is the loss of the connection. Then the whole is run
 * again by `schedule`, at once and without limit by default, as long as it is
 * certain that nothing was applied; else the `WatchError` is raised. When `body`
 * fails or is interrupted, nothing is committed and nothing stays watched.
 *
 * **Example** (Doubling a number)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const double = Redis.watch(
 *   "n",
 *   Effect.map(Redis.get("n"), (n) => [Redis.set("n", Number(n ?? 0) * 2)])
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const watch = <const C extends Commands, E, R>(
  keys: RedisArg.Key | ReadonlyArray<RedisArg.Key>,
  body: Effect.Effect<C, E, R>,
  options?: { readonly schedule?: Schedule.Schedule<unknown, WatchError> | undefined }
): Effect.Effect<Successes<C>, E | RedisError, R | RedisClient> => {
  const list = typeof keys === "string" || keys instanceof Uint8Array ? [keys] : keys
  return Effect.flatMap(RedisClient, (client) => attempt(client, list, body)).pipe(
    Effect.retry({
      // `while` shows it no other errors: they are raised at once, the body's own included.
      schedule: (options?.schedule ?? Schedule.forever) as Schedule.Schedule<unknown>,
      while: (error) => error instanceof WatchError && isSafeToRetry(error)
    })
  )
}

const attempt = <C extends Commands, E, R>(
  client: Service,
  keys: ReadonlyArray<RedisArg.Key>,
  body: Effect.Effect<C, E, R>
): Effect.Effect<Successes<C>, E | RedisError, Exclude<R, RedisClient>> =>
  Effect.scoped(Effect.gen(function*() {
    const reserved = yield* client.reserve
    yield* reserved.execute(watchCommand(keys))
    const forget = Effect.ignore(reserved.execute(unwatch))
    const commands = yield* Effect.provideService(body, RedisClient, reserved).pipe(
      Effect.onExit((exit) =>
        Exit.isSuccess(exit)
          ? Effect.void
          // Who interrupts does not wait for a server: with a command unanswered the connection is closed.
          : Cause.hasInterrupts(exit.cause)
          ? Effect.asVoid(Effect.forkDetach(forget, { startImmediately: true }))
          : forget
      ),
      Effect.mapError((error) => lostConnection(error, keys))
    )
    return yield* Effect.mapError(
      commit(reserved, commands),
      // What has a place among the commands was answered by EXEC, which has run the others.
      (error) => "index" in error && error.index !== undefined ? error : lostConnection(error, keys)
    )
  }))

const commit = <C extends Commands>(client: Service, commands: C): Effect.Effect<Successes<C>, RedisError> =>
  run(
    client,
    commands,
    // One value a command, in the places of the commands.
    (outcomes) => Places.values("transaction", commands, outcomes) as Effect.Effect<Successes<C>, RedisError>
  )

/** What the caller sees of the outcomes is what a span tells. */
const run = <A>(
  client: Service,
  commands: Commands,
  see: (outcomes: ReadonlyArray<Outcome>) => Effect.Effect<A, RedisError>
): Effect.Effect<A, RedisError> => {
  const list = Places.list(commands)
  return Telemetry.batch("MULTI", client, list, Effect.flatMap(Scripts.transaction(client, list), see))
}

/** What a lost connection means to who watched keys on it: nothing is watched any more, and the transaction is off. */
const lostConnection = <E>(error: E, keys: ReadonlyArray<RedisArg.Key>): E | WatchError => {
  if (!(error instanceof ConnectionError) && !(error instanceof WatchError)) return error
  return new WatchError({
    reason: error instanceof WatchError ? error.reason : "connectionLost",
    keys: keys.map((key) => typeof key === "string" ? key : `<${key.length} bytes>`),
    // Only EXEC applies anything: whatever was lost before was not sent.
    delivery: error instanceof WatchError || error.command !== "EXEC" ? "not-sent" : error.delivery
  })
}

// Without traits: the connection is reserved, and nothing stays watched when it is given back.
const spec = (name: string) => new RedisCommand.Spec(name, [])

const watchSpec = spec("WATCH")
const watchCommand = (keys: ReadonlyArray<RedisArg.Key>) =>
  RedisCommand.make({
    spec: watchSpec,
    args: () => RedisArg.someKeys(keys),
    reply: RedisReply.ok
  })

const unwatch = RedisCommand.make({ spec: spec("UNWATCH"), args: () => [], reply: RedisReply.ok })
