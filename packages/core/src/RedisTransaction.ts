/**
 * Transactions: commands that run all together or not at all, and optimistic
 * ones that read first and commit only if nobody changed what they read.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { isReadonlyArray } from "./internal/argument/isReadonlyArray.ts"
import * as Settle from "./internal/client/settle.ts"
import type { Outcome } from "./internal/command/weave.ts"
import { backOff, jitter } from "./internal/runtime/backOff.ts"
import type { Restore } from "./internal/runtime/restore.ts"
import * as Telemetry from "./internal/telemetry/spans.ts"
import * as RedisArg from "./RedisArg.ts"
import { RedisClient } from "./RedisClient.ts"
import type { Watch } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import { DataError, inPart, isRedisError, WatchError } from "./RedisError.ts"
import type { CommandError, Delivery, ExecAbortError, TransactionError } from "./RedisError.ts"
import type { Commands, Results, Successes } from "./RedisPipeline.ts"
import * as RedisReply from "./RedisReply.ts"

/**
 * Runs several commands as one atomic transaction and returns all their
 * results, as a tuple or a record like the one given.
 *
 * **When to use**
 *
 * Use when all commands must run, with no other caller's in between, or none.
 * When they depend on what was read before, use {@link watch}; when they need not
 * be atomic, `Redis.pipeline` is cheaper and goes to several slots of a cluster.
 *
 * **Details**
 *
 * The commands go out in one write between MULTI and EXEC. When the server
 * refuses to queue one of them, nothing is run and the transaction fails with
 * `ExecAbortError`, which lists what was refused. A command that fails while it
 * runs does not undo the others: then the transaction fails with its error, which
 * has its `index`, and `partial` says which commands were applied;
 * {@link transactionSettled} returns all outcomes. An empty transaction costs no
 * round trip.
 *
 * **Example** (Two writes, both or none)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const program = Redis.transaction({ a: Redis.set("a", "1"), n: Redis.incr("n") })
 * //    ^? Effect<{ a: boolean, n: number }, CommandError | ExecAbortError | WatchError, RedisClient>
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const transaction = <const C extends Commands>(
  commands: C
): Effect.Effect<Successes<C>, CommandError | ExecAbortError | WatchError, RedisClient> =>
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
): Effect.Effect<Results<C>, CommandError | ExecAbortError | WatchError, RedisClient> =>
  Effect.flatMap(RedisClient, (client) =>
    run(
      client,
      commands,
      // One result a command, at the indexes of the commands.
      (outcomes) => Settle.results(commands, outcomes) as Effect.Effect<Results<C>>
    ))

/**
 * Runs `body` while the server watches `keys`, then commits the commands that
 * it returns, unless somebody changed one of the keys meanwhile.
 *
 * **When to use**
 *
 * Use to write what depends on what was read. When nothing is read first, use
 * {@link transaction}; to hold on to one connection without a transaction, use
 * `Redis.withConnection`.
 *
 * **Details**
 *
 * Inside `body` the same `Redis.*` commands run at once, on the connection that
 * watches; what it returns is run between MULTI and EXEC there. EXEC is sent
 * also when it returns no command, so that a conflict is always seen: a body may
 * only read several keys that belong together.
 *
 * A conflict is a `WatchError`, and so is the loss of the connection that
 * watches. Then the whole is run again by `schedule`: after a conflict, and after
 * a loss when nothing that the body or the transaction wrote can have run; else
 * the `WatchError` is raised. By default that is without limit and at once, with
 * pauses of up to 2 seconds after losses in a row. Any other error is raised as
 * it is, the body's own and those of other clients included.
 *
 * What would end the watch is refused inside `body` with `DataError`: another
 * transaction, another `Redis.watch`, an operation that is made of one.
 *
 * What `body` acquires in its scope, such as a lock, is released when its
 * transaction is over, and before it is run again.
 *
 * When `body` fails or is interrupted, nothing is committed and nothing stays
 * watched. Only `body` can be interrupted: once it is done its transaction is
 * sent, and an interruption then waits for the answer, but a second at the most.
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
): Effect.Effect<
  Successes<C>,
  E | CommandError | ExecAbortError | WatchError,
  Exclude<Exclude<R, RedisClient>, Scope.Scope> | RedisClient
> => {
  const list = isReadonlyArray<RedisArg.Key>(keys) ? keys : [keys]
  if (!Effect.isEffect(body)) return Effect.fail(noBody())
  return Effect.flatMap(RedisClient, (client) => {
    // A `WatchError` of another watch that the body runs is the body's own.
    const repeatable = new WeakSet<object>()
    return Effect.retry(attempt(client, list, body, (error) => repeatable.add(error)), {
      // `while` shows it no other errors: they are raised at once.
      schedule: (options?.schedule ?? atOnce) as Schedule.Schedule<unknown>,
      while: (error) => error instanceof WatchError && repeatable.has(error)
    })
  })
}

/**
 * Runs again at once, but pauses after losses in a row: a server that is a replica accepts each connection, and ends each
 * when it refuses what the transaction writes.
 */
const atOnce: Schedule.Schedule<void, WatchError> = Schedule.fromStep(Effect.sync(() => {
  let losses = 0
  return (_now, { reason }) => {
    losses = reason === "changed" ? 0 : losses + 1
    if (losses < 2) return Effect.succeed([undefined, Duration.zero])
    const pause = backOff(losses - 2, { shortest: 50, longest: 2000 })
    return Effect.map(jitter, (jitter) => [undefined, Duration.millis(pause * jitter)])
  }
}))

const attempt = <C extends Commands, E, R>(
  client: RedisClient["Service"],
  keys: ReadonlyArray<RedisArg.Key>,
  body: Effect.Effect<C, E, R>,
  onRepeatable: (error: WatchError) => void
) =>
  Effect.uninterruptibleMask((restore) =>
    // One scope for both: what the body acquired is released while it has the connection, and before the body is run again.
    Effect.scoped(
      Effect.gen(function*() {
        const reserved = yield* restore(client.reserve)
        const watching = reserved.session === undefined ? unseen : reserved.session.begin()
        if (watching === undefined) return yield* Effect.fail(nested())
        yield* Effect.addFinalizer(() => Effect.sync(() => watching.end()))
        const failure = (reason: WatchError["reason"], delivery: Delivery) => {
          const error = watchError(keys, reason, watching.wrote ? "unknown" : delivery)
          if (reason === "changed" || error.delivery === "not-sent") onRepeatable(error)
          return error
        }
        const orLost = <E>(error: E) => watching.isLoss(error) ? failure("connectionLost", "not-sent") : error
        yield* Effect.mapError(
          restore(Effect.provideService(watchCommand(keys), RedisClient, reserved)),
          // What was not sent may have had no connection to be lost. To have sent it changes nothing.
          (error) => "delivery" in error && error.delivery === "unknown" ? orLost(error) : error
        )
        // A caller that repeats the whole repeats what the body has written.
        const marked = <E>(error: E) => watching.wrote && isRedisError(error) ? inPart(error, written) : error
        const commands = yield* Effect.mapError(
          restore(Effect.provideService(body, RedisClient, reserved)),
          (error) => marked(orLost(error))
        )
        // Types do not allow it, but a body without types may return early.
        if (Predicate.isNullish<unknown>(commands)) return yield* Effect.fail(marked(noCommands()))
        watching.commit()
        return yield* Effect.mapError(toItsEnd(commit(reserved, commands), restore), (error) =>
          error._tag === "WatchError"
            ? failure(error.reason, error.delivery)
            // An error with an index was answered by EXEC, which has run the other commands.
            : error._tag === "ConnectionError" && error.index === undefined
            // Only EXEC applies anything: whatever was lost before was not sent.
            ? failure("connectionLost", error.command === "EXEC" ? error.delivery : "not-sent")
            : marked(error))
      })
    )
  )

/** The watch of a client that does not say what becomes of its connection: nothing is certain. */
const unseen: Watch = { wrote: true, isLoss: () => false, commit: () => {}, end: () => {} }

const written = { answered: [], unknown: [], mayHaveWritten: true }

const nested = () =>
  new DataError({
    command: "WATCH",
    detail:
      "the body of a Redis.watch runs on this connection, and the transaction of another one would end its watch. " +
      "Watch all keys at once, or run this one on another connection: before it, after it, or on another client"
  })

const noBody = () =>
  new DataError({
    command: "Redis.watch",
    detail: "its body is missing or no effect; give one that returns the commands to commit, such as " +
      "Effect.map(Redis.get(\"n\"), (n) => [Redis.set(\"n\", Number(n) + 1)])"
  })

const noCommands = () =>
  new DataError({
    command: "Redis.watch",
    detail: "its body returned no commands; give an array or a record of those to commit, [] where there are none"
  })

const watchError = (keys: ReadonlyArray<RedisArg.Key>, reason: WatchError["reason"], delivery: Delivery): WatchError =>
  new WatchError({
    reason,
    delivery,
    keys: keys.map((key) => typeof key === "string" ? key : `<${key.length} bytes>`)
  })

/** How long the interruption of a transaction that was sent waits for its answer. */
const patience = "1 second"

/** Runs an effect to its end, interrupted or not. A server that hangs holds an interruption up for no longer than `patience`. */
const toItsEnd = <A, E>(
  effect: Effect.Effect<A, E>,
  restore: Restore
): Effect.Effect<A, E> =>
  Effect.flatMap(Effect.forkDetach(effect, { startImmediately: true }), (fiber) =>
    Effect.onInterrupt(
      restore(Fiber.join(fiber)),
      () => Effect.andThen(Effect.timeoutOption(Fiber.await(fiber), patience), Fiber.interrupt(fiber))
    ))

const commit = <C extends Commands>(
  client: RedisClient["Service"],
  commands: C
): Effect.Effect<Successes<C>, TransactionError> =>
  run(
    client,
    commands,
    // One value a command, at the indexes of the commands.
    (outcomes) => Settle.values("transaction", commands, outcomes) as Effect.Effect<Successes<C>, CommandError>
  )

/** What the caller sees of the outcomes is what a span tells. */
const run = <A>(
  client: RedisClient["Service"],
  commands: Commands,
  see: (outcomes: ReadonlyArray<Outcome>) => Effect.Effect<A, CommandError>
): Effect.Effect<A, TransactionError> => {
  const list = Settle.list(commands)
  return Telemetry.batch("MULTI", client, list, Effect.flatMap(client.transaction(list), see))
}

// It is not stateful: the connection is reserved, and nothing stays watched when it is given back.
const watchSpec = new RedisCommand.Spec("WATCH", ["readonly"])
const watchCommand = (keys: ReadonlyArray<RedisArg.Key>) =>
  RedisCommand.make({
    spec: watchSpec,
    args: () => RedisArg.someKeys(keys),
    reply: RedisReply.ok
  })
