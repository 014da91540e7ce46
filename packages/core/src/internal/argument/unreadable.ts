/**
 * Arguments that cannot be read.
 */
import * as RedisArg from "../../RedisArg.ts"
import { DataError } from "../../RedisError.ts"
import { TooLarge } from "../../RespEncoder.ts"
import { callerOf, madeAt } from "../error/place.ts"
import { thrown } from "../error/printable.ts"

/**
 * The refusal of arguments that throw while they are read: a getter, a proxy, a value of another kind than a definition
 * expects. `callee`: the function that they were given to.
 */
export const unreadable = (error: unknown, callee: object): RedisArg.InvalidArgument =>
  new RedisArg.InvalidArgument(detailOf(error), callerOf(callee))

const detailOf = (error: unknown): string =>
  error instanceof RedisArg.InvalidArgument || error instanceof TooLarge
    ? error.detail
    : error instanceof RedisArg.Answer
    ? "has nothing to send"
    : `the arguments cannot be read (${thrown(error)})${
      error instanceof TypeError ? ": one is missing, or of another kind than the function takes" : ""
    }`

/** The error of a refusal, whose stack leads to where the arguments were given. `of` is what it calls the function. */
export const dataError = (of: string, { detail, place }: RedisArg.InvalidArgument): DataError =>
  madeAt(place, () => new DataError({ command: of, detail }))
