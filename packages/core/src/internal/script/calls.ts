/**
 * Provides the server with what commands that run code need: a script is named by its digest and brings its text along,
 * a function needs its library.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { functionList } from "../../commands/Functions.ts"
import { decorated } from "../../RedisClient.ts"
import type { RedisClient } from "../../RedisClient.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { CommandError, TransactionError } from "../../RedisError.ts"
import { weave } from "../command/weave.ts"
import type { Outcome } from "../command/weave.ts"
import { failureOf } from "../error/events.ts"
import { isRetryable } from "../error/retry.ts"

/** The static facts of a command that names a script by its digest. */
export const scriptSpec = (
  name: "EVALSHA" | "EVALSHA_RO",
  traits: ReadonlyArray<RedisCommand.Trait>,
  { lua, name: called, sha1 }: Pick<RedisCommand.Script, "lua" | "name" | "sha1">
): RedisCommand.Spec => {
  const withText = new RedisCommand.Spec(name === "EVALSHA" ? "EVAL" : "EVAL_RO", traits)
  return new RedisCommand.Spec(name, traits, { lua, name: called, sha1, withText })
}

/**
 * A function of a library.
 *
 * - `list`: asks for the library. `load`: loads it, replacing an older one that lacks the function.
 */
export interface LibraryFunction {
  readonly name: string
  readonly list: ReturnType<typeof functionList>
  readonly load: RedisCommand.Any
}

const isPresent = (
  client: RedisClient["Service"],
  { list, name }: LibraryFunction
): Effect.Effect<boolean, CommandError> =>
  Effect.map(
    client.execute(list),
    (libraries) => libraries.some(({ functions }) => functions.some((each) => each.name === name))
  )

/** The static facts of a command that calls a function. */
export class FunctionSpec extends RedisCommand.Spec {
  override readonly procedure: string

  constructor(name: string, traits: ReadonlyArray<RedisCommand.Trait>, procedure: string) {
    super(name, traits)
    this.procedure = procedure
  }
}

/** The facts of a function whose library is known, and is loaded where it is missing. */
export class LibrarySpec extends FunctionSpec {
  readonly function: LibraryFunction

  constructor(name: string, traits: ReadonlyArray<RedisCommand.Trait>, function_: LibraryFunction) {
    super(name, traits, function_.name)
    this.function = function_
  }
}

/**
 * A client that makes sure that the server has the functions that it calls.
 */
export const withFunctions = (client: RedisClient["Service"]): RedisClient["Service"] => {
  // The functions that the server is known to have had.
  const known = new Set<LibraryFunction>()
  return decorated(client, (client) => ({
    execute: (command) =>
      command.spec instanceof LibrarySpec && command.settled === undefined
        ? call(client, known, command, command.spec.function)
        : client.execute(command),
    pipeline: (commands) => pipeline(client, commands),
    transaction: (commands) => transaction(client, commands)
  }))
}

/** Loads the library before the first call, and again when the server has lost it. */
const call = <A>(
  client: RedisClient["Service"],
  known: Set<LibraryFunction>,
  command: RedisCommand.RedisCommand<A>,
  needed: LibraryFunction
): Effect.Effect<A, CommandError> =>
  Effect.suspend(() => {
    const run = Effect.catchIf(client.execute(command), isMissing, (error) => lost(client, command, needed, error))
    if (known.has(needed)) return run
    return Effect.matchEffect(load(client, [needed]), {
      onSuccess: () => {
        known.add(needed)
        return run
      },
      onFailure: (error) => Effect.fail(unsent(error, command.spec))
    })
  })

/**
 * Whether the server lacks the function. A function can itself fail with "not found": such a function is there, has
 * run, and must not run again.
 */
const lost = <A>(
  client: RedisClient["Service"],
  command: RedisCommand.RedisCommand<A>,
  needed: LibraryFunction,
  error: CommandError
): Effect.Effect<A, CommandError> =>
  Effect.matchEffect(isPresent(client, needed), {
    onSuccess: (present) =>
      present
        ? Effect.fail(error)
        // A function that was not there has run nothing.
        : Effect.mapError(client.execute(needed.load), (error) => unsent(error, command.spec)).pipe(
          Effect.andThen(client.execute(command))
        ),
    onFailure: () => Effect.fail(error)
  })

const isMissing = (error: CommandError): boolean =>
  error._tag === "ResponseError" && error.code === "ERR" && error.detail === "Function not found"

/** Runs commands in one write, after loading the libraries that they need; without them none is sent. */
const pipeline = (
  client: RedisClient["Service"],
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>> => {
  const needed = functionsIn(commands)
  return needed.length === 0 ? client.pipeline(commands) : Effect.matchEffect(load(client, needed), {
    onSuccess: () => client.pipeline(commands),
    onFailure: (error) =>
      weave(commands, (command) => command.settled ?? Exit.fail(unsent(error, command.spec)), client.pipeline)
  })
}

/** Runs commands between MULTI and EXEC, after loading the libraries that they need; without them none is sent. */
const transaction = (
  client: RedisClient["Service"],
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>, TransactionError> => {
  const needed = functionsIn(commands)
  return needed.length === 0 ? client.transaction(commands) : Effect.matchEffect(load(client, needed), {
    onSuccess: () => client.transaction(commands),
    onFailure: (error) => Effect.fail(unsent(error, { name: "MULTI", readonly: false }))
  })
}

const functionsIn = (commands: ReadonlyArray<RedisCommand.Any>): ReadonlyArray<LibraryFunction> => {
  const found = new Set<LibraryFunction>()
  for (const { settled, spec } of commands) {
    if (settled === undefined && spec instanceof LibrarySpec) found.add(spec.function)
  }
  return [...found]
}

/**
 * Loads missing libraries. That takes two round trips however much is missing, and one when nothing is, because
 * commands that are given at once go out in one write.
 */
const load = (
  client: RedisClient["Service"],
  needed: ReadonlyArray<LibraryFunction>
): Effect.Effect<void, CommandError> =>
  Effect.gen(function*() {
    const absent = yield* Effect.forEach(needed, (each) => isAbsent(client, each), { concurrency: "unbounded" })
    const missing = new Set(needed.filter((_, index) => absent[index]).map(({ load }) => load))
    yield* Effect.forEach(missing, (load) => client.execute(load), { concurrency: "unbounded", discard: true })
  })

/**
 * Asks whether the server lacks the library. A caller that may not ask, or whose server does not know the question,
 * learns that from the call itself.
 */
const isAbsent = (client: RedisClient["Service"], needed: LibraryFunction): Effect.Effect<boolean, CommandError> =>
  Effect.map(isPresent(client, needed), (present) => !present).pipe(
    Effect.catchTags({
      NoPermissionError: () => Effect.succeed(false),
      ResponseError: (error) => isRetryable(error) ? Effect.fail(error) : Effect.succeed(false)
    })
  )

/** The error of a command that was not sent, whatever became of the loading. */
const unsent = (error: CommandError, command: { readonly name: string; readonly readonly: boolean }): CommandError =>
  "delivery" in error ? failureOf(error, command, "not-sent") : error
