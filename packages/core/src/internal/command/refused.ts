/**
 * Commands that are refused by what stands between a program and its client.
 */
import * as RedisArg from "../../RedisArg.ts"
import { callerOf } from "../error/place.ts"
import { CommandImpl } from "./impl.ts"
import { commandIn } from "./noCommand.ts"

/** The same command, which is not sent, and fails with `DataError`. */
export const refused = <C>(command: C, detail: string): C => {
  const { reply, spec, unsent, view } = commandIn(command)
  const refusal = unsent instanceof RedisArg.InvalidArgument
    ? unsent
    : new RedisArg.InvalidArgument(detail, callerOf(refused))
  // It never gets an answer, so it can have the type of the answer.
  return new CommandImpl(spec, [], reply, view, refusal) as C
}
