/**
 * Arguments that cannot be read.
 */
import * as RedisArg from "../../RedisArg.ts"
import { TooLarge } from "../../RespEncoder.ts"

/**
 * The refusal of arguments that throw while they are read: a getter, a proxy, a value of another kind than a definition
 * expects.
 */
export const unreadable = (error: unknown): RedisArg.InvalidArgument =>
  error instanceof RedisArg.InvalidArgument
    ? error
    : error instanceof TooLarge
    ? new RedisArg.InvalidArgument(error.detail)
    : error instanceof RedisArg.Answer
    ? new RedisArg.InvalidArgument("has nothing to send")
    // The refusal leaves out the message of the error, which may show a value.
    : new RedisArg.InvalidArgument(
      `the arguments cannot be read (${error instanceof Error ? error.name : "thrown"})${
        error instanceof TypeError ? ": one is missing, or of another kind than the function takes" : ""
      }`
    )
