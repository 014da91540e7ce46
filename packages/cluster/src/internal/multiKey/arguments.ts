/**
 * Reads the arguments of commands: as words, as numbers and as keys.
 */
import { KeyArg, wireValue } from "@redfx/core/RedisArg"
import type { Key, Part } from "@redfx/core/RedisArg"
import type * as RedisCommand from "@redfx/core/RedisCommand"

const decoder = new TextDecoder()

/** The text of what is sent as text or as bytes. */
export const asText = (value: string | number | bigint | Uint8Array): string =>
  typeof value === "object" ? decoder.decode(value) : String(value)

/** An argument in upper case, for comparing it with the words of commands and their options. */
export const wordOf = (part: Part): string => asText(wireValue(part)).toUpperCase()

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

/** An argument as the name of a key. */
export const keyOf = (part: Part): Key => {
  const value = wireValue(part)
  return typeof value === "object" ? value : String(value)
}

/** The index of the first key. Without a key it is the index after the last argument. */
export const firstKeyIndex = (parts: ReadonlyArray<Part>): number => {
  const index = parts.findIndex((part) => part instanceof KeyArg)
  return index < 0 ? parts.length : index
}
