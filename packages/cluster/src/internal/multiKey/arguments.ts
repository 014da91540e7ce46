/**
 * Reads the arguments of commands: as words and as numbers.
 */
import { KeyArg } from "@redfx/core/RedisArg"
import type { Part } from "@redfx/core/RedisArg"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { asText } from "@redfx/core/unstable/Request"

/** An argument in upper case, for comparing it with the words of commands and their options. */
export const wordOf = (part: Part): string => asText(part).toUpperCase()

/** The argument at an index in upper case; empty when there is none. */
export const wordAt = ({ parts }: RedisCommand.Any, index: number): string => {
  const part = parts[index]
  return part === undefined ? "" : wordOf(part)
}

/** The argument at an index as an integer; `undefined` when it is not one. */
export const numberAt = (command: RedisCommand.Any, index: number): number | undefined => {
  const word = wordAt(command, index)
  return /^-?\d+$/.test(word) ? Number(word) : undefined
}

/** The index of the first key. Without a key it is the index after the last argument. */
export const firstKeyIndex = (parts: ReadonlyArray<Part>): number => {
  const index = parts.findIndex((part) => part instanceof KeyArg)
  return index < 0 ? parts.length : index
}
