/**
 * Arguments that cannot be read.
 */
import * as RedisArg from "../../RedisArg.ts"
import { TooLarge } from "../../RespEncoder.ts"
import { thrown } from "../error/printable.ts"

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
    : new RedisArg.InvalidArgument(
      `the arguments cannot be read (${thrown(error)})${
        error instanceof TypeError ? ": one is missing, or of another kind than the function takes" : ""
      }`
    )
