/**
 * A session remembers what was sent on a reserved client, for `Redis.watch`: whether a body may have changed something,
 * and which errors are those of its connection's loss. It also refuses commands that would end the watch of a body.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { decorated } from "../../RedisClient.ts"
import type { RedisClient, Session, Watch } from "../../RedisClient.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { DataError, isRedisError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import { weave } from "../command/weave.ts"
import { mayHaveRun, originOf } from "../error/retry.ts"
import { errorIn } from "../runtime/firstError.ts"
import type { Held } from "./router.ts"

class Watching implements Watch {
  readonly #held: Held
  readonly #onEnd: () => void
  readonly #losses = new WeakSet<object>()
  #phase: "body" | "transaction" = "body"
  #wrote = false
  /** The number of commands under way that may change something. */
  #pending = 0

  constructor(held: Held, onEnd: () => void) {
    this.#held = held
    this.#onEnd = onEnd
  }

  get wrote(): boolean {
    return this.#wrote || this.#pending > 0
  }

  get inBody(): boolean {
    return this.#phase === "body"
  }

  isLoss(error: unknown): boolean {
    return typeof error === "object" && error !== null && this.#losses.has(originOf(error))
  }

  commit(): void {
    this.#phase = "transaction"
  }

  end(): void {
    this.#held.unwatch()
    this.#onEnd()
  }

  /** Records the outcomes of commands. */
  note<A, E>(
    commands: ReadonlyArray<RedisCommand.Any>,
    effect: Effect.Effect<A, E>,
    outcomes: (exit: Exit.Exit<A, E>) => ReadonlyArray<Exit.Exit<unknown, unknown>>
  ): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const writes = this.inBody && commands.some(({ settled, spec }) => settled === undefined && !spec.readonly)
      if (writes) this.#pending++
      return Effect.onExit(effect, (exit) =>
        Effect.sync(() => {
          if (writes) this.#pending--
          outcomes(exit).forEach((outcome, index) =>
            this.#take(outcome, writes && commands[index]?.spec.readonly !== true)
          )
        }))
    })
  }

  #take(outcome: Exit.Exit<unknown, unknown>, writes: boolean): void {
    const error = errorIn(outcome)
    // A command without an error was answered, or interrupted.
    if (writes && (!isRedisError(error) || mayHaveRun(error))) this.#wrote = true
    if (isRedisError(error) && error._tag === "ConnectionError") this.#losses.add(originOf(error))
  }
}

/** The error of a command that is refused inside the body of a watch. */
const refusalInBody = (name: string): DataError =>
  new DataError({
    command: name,
    detail: "it would end the watch, and changes of others would go unnoticed. Return the commands from the body of " +
      "Redis.watch, or run them on another connection: before it, after it, or on another client with Redis.via"
  })

const ending: ReadonlySet<string> = new Set(["DISCARD", "EXEC", "MULTI", "RESET", "UNWATCH"])

/**
 * A reserved client that remembers what `Redis.watch` has to know.
 *
 * - `unsent`: what a refusal means to the commands beside the one that it is for.
 */
export const withSession = (
  client: RedisClient["Service"],
  held: Held,
  unsent: (refusal: CommandError, command: RedisCommand.Any, index: number) => CommandError
): RedisClient["Service"] => {
  let current: Watching | undefined = undefined
  const session: Session = {
    begin: () => {
      if (current !== undefined) return undefined
      const watching = new Watching(held, () => {
        if (current === watching) current = undefined
      })
      return current = watching
    }
  }
  const refusal = (names: ReadonlyArray<string>): DataError | undefined => {
    const name = current?.inBody === true ? names.find((name) => ending.has(name)) : undefined
    return name === undefined ? undefined : refusalInBody(name)
  }
  return decorated(client, (client) => ({
    execute: (command) =>
      Effect.suspend(() => {
        const refused = refusal([command.spec.capitals])
        if (refused !== undefined) return Effect.fail(refused)
        const run = client.execute(command)
        return current === undefined ? run : current.note([command], run, (exit) => [exit])
      }),
    pipeline: (commands) =>
      Effect.suspend(() => {
        const refused = refusal(commands.map(({ spec }) => spec.capitals))
        if (refused !== undefined) {
          return weave(
            commands,
            (command, index) => command.settled ?? Exit.fail(unsent(refused, command, index)),
            client.pipeline
          )
        }
        const run = client.pipeline(commands)
        return current === undefined
          ? run
          : current.note(commands, run, (exit) => Exit.isSuccess(exit) ? exit.value : [exit])
      }),
    transaction: (commands) =>
      Effect.suspend(() => {
        const refused = refusal(["MULTI"])
        if (refused !== undefined) return Effect.fail(refused)
        const run = client.transaction(commands)
        return current === undefined ? run : current.note(commands, run, (exit) => [exit])
      }),
    session
  }))
}
