/**
 * Commands that need code on the server, a script or a library of functions,
 * and its loading where a server turns out not to have it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Service } from "../RedisClient.ts"
import * as RedisCommand from "../RedisCommand.ts"
import type { RedisError } from "../RedisError.ts"
import { failureOf } from "./failure.ts"
import type { Outcome } from "./request.ts"

/**
 * Code that a command needs.
 *
 * - `id`: tells it from other code. `present`: asks whether the server has it.
 * - `isMissing`: whether a command failed because the server does not have it, and so has done nothing.
 */
export interface Code {
  readonly id: string
  readonly present: RedisCommand.RedisCommand<boolean>
  readonly load: RedisCommand.Any
  readonly isMissing: (error: RedisError) => boolean
}

/** The static facts of a command that needs code. */
export class CodeSpec extends RedisCommand.Spec {
  readonly code: Code

  constructor(name: string, traits: ReadonlyArray<RedisCommand.Trait>, code: Code) {
    super(name, traits)
    this.code = code
  }

  /** Loads what is missing and runs the command once more, not a third time: what is gone again is somebody's doing. */
  override run<A>(
    client: Service,
    command: RedisCommand.RedisCommand<A, unknown, unknown>
  ): Effect.Effect<A, RedisError> {
    return Effect.catchIf(
      client.execute(command),
      this.code.isMissing,
      () => Effect.andThen(client.execute(this.code.load), client.execute(command))
    )
  }
}

/** Runs commands in one write, after loading the code that they need; without it none of them is sent. */
export const pipeline = (
  client: Service,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>> => {
  const needed = codeOf(commands)
  return needed.length === 0 ? client.pipeline(commands) : Effect.matchEffect(load(client, needed), {
    onSuccess: () => client.pipeline(commands),
    onFailure: (error) =>
      Effect.succeed(commands.map((command) => command.settled ?? Exit.fail(unsent(error, command.spec))))
  })
}

/** Runs commands between MULTI and EXEC, after loading the code that they need; without it none of them is sent. */
export const transaction = (
  client: Service,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>, RedisError> => {
  const needed = codeOf(commands)
  return needed.length === 0 ? client.transaction(commands) : Effect.matchEffect(load(client, needed), {
    onSuccess: () => client.transaction(commands),
    onFailure: (error) => Effect.fail(unsent(error, { name: "MULTI", readonly: false }))
  })
}

const codeOf = (commands: ReadonlyArray<RedisCommand.Any>): ReadonlyArray<Code> => {
  if (!commands.some((command) => command.spec instanceof CodeSpec)) return []
  const found = new Map<string, Code>()
  for (const { settled, spec } of commands) {
    if (settled === undefined && spec instanceof CodeSpec) found.set(spec.code.id, spec.code)
  }
  return [...found.values()]
}

/** Two round trips however much is missing, one when nothing is: commands given at once go out in one write. */
const load = (client: Service, needed: ReadonlyArray<Code>): Effect.Effect<void, RedisError> =>
  Effect.gen(function*() {
    const present = yield* Effect.forEach(needed, (code) => client.execute(code.present), { concurrency: "unbounded" })
    const missing = needed.filter((_, index) => present[index] === false)
    yield* Effect.forEach(missing, (code) => client.execute(code.load), { concurrency: "unbounded", discard: true })
  })

/** Whatever became of the loading, the command itself was not sent. */
const unsent = (error: RedisError, command: { readonly name: string; readonly readonly: boolean }): RedisError =>
  "delivery" in error ? failureOf(error, command, "not-sent") : error
