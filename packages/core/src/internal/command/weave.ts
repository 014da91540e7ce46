/**
 * Several commands of which some need not be sent: their known outcomes are put between those of the others.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { atIndex } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"

/** The outcome of one command of several. */
export type Outcome = Exit.Exit<unknown, CommandError>

interface Named {
  readonly spec: { readonly name: string }
}

/**
 * The error of the command at an index. The index is the one that the caller gave, whatever it was among the commands
 * that were sent together. An error of something that the caller did not write, such as a handshake, has no index.
 */
export const errorAt = (error: CommandError, { spec }: Named, index: number): CommandError =>
  "command" in error && error.command === spec.name || "index" in error && error.index !== undefined
    ? atIndex(error, index)
    : error

/** The outcome of the command at an index. */
export const outcomeAt = (outcome: Outcome, command: Named, index: number): Outcome =>
  Exit.mapError(outcome, (error) => errorAt(error, command, index))

/**
 * The outcomes of several commands in their order, each error with the index of its command.
 *
 * - `known`: the outcome of a command that is not sent.
 * - `send`: gives the outcomes of all others, if there are any; `indexes` are those among all commands.
 */
export const weave = <Command extends Named, E>(
  commands: ReadonlyArray<Command>,
  known: (command: Command, index: number) => Outcome | undefined,
  send: (others: ReadonlyArray<Command>, indexes: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<Outcome>, E>
): Effect.Effect<ReadonlyArray<Outcome>, E> => {
  const unsent = commands.map(known)
  const indexes = Array.from(commands.keys()).filter((index) => unsent[index] === undefined)
  const woven = (outcomes: ReadonlyArray<Outcome>) => {
    let next = 0
    // There is one outcome for each command that was sent, so the index is in range.
    return commands.map((command, index) => outcomeAt(unsent[index] ?? outcomes[next++]!, command, index))
  }
  // The indexes are those of commands, so they are in range.
  return indexes.length === 0
    ? Effect.succeed(woven([]))
    : Effect.map(send(indexes.map((index) => commands[index]!), indexes), woven)
}
