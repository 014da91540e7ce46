/**
 * The names that answers are kept under, besides that of their key: the rest of the command.
 */
import * as RedisArg from "../../RedisArg.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { latin1 } from "../codec/names.ts"

/** A command without its first key. The text is the same only for the same words. */
export const restOf = ({ parts, spec }: RedisCommand.Any): string => {
  if (parts.length === 1) return spec.name
  let rest = spec.name
  let isFirst = true
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (isFirst && part instanceof RedisArg.KeyArg) {
      isFirst = false
      rest += "\0"
    } else rest += wordOf(RedisArg.wireValue(part))
  }
  return rest
}

/** A word with its length before it, so that no two lists of words come to one text. */
const wordOf = (value: RedisArg.Value): string => {
  if (typeof value === "object") return `\0b${value.length}:${latin1(value)}`
  const text = String(value)
  return `\0t${text.length}:${text}`
}
