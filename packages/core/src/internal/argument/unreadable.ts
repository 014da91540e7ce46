/**
 * Arguments that cannot be read.
 */
import * as RedisArg from "../../RedisArg.ts"
import { DataError } from "../../RedisError.ts"
import { TooLarge } from "../../RespEncoder.ts"
import { madeAt } from "../error/place.ts"
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

/** The error of arguments that cannot be sent, whose stack leads to where they were given. `of` is what it calls the function. */
export const dataError = (of: string, error: unknown): DataError => {
  const { detail, place } = unreadable(error)
  return madeAt(place, () => new DataError({ command: of, detail }))
}
