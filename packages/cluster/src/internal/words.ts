/**
 * The arguments of commands as words.
 *
 * @internal
 */
import { KeyArg, wireValue } from "@redfx/core/RedisArg"
import type { Key, Part } from "@redfx/core/RedisArg"
import type * as RedisCommand from "@redfx/core/RedisCommand"

/** An argument in upper case, empty when there is none: for tokens of options. */
export const tokenAt = ({ parts }: RedisCommand.Any, index: number): string => {
  const part = parts[index]
  const value = part === undefined ? "" : wireValue(part)
  return (value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)).toUpperCase()
}

/** An argument as a number, `undefined` when it is none. */
export const numberAt = (command: RedisCommand.Any, index: number): number | undefined => {
  const token = tokenAt(command, index)
  return /^-?\d+$/.test(token) ? Number(token) : undefined
}

/** An argument as the name of a key. */
export const keyAt = ({ parts }: RedisCommand.Any, index: number): Key | undefined => {
  const part = parts[index]
  if (part === undefined) return undefined
  const value = wireValue(part)
  return value instanceof Uint8Array ? value : String(value)
}

/** The position of the first key, after the last argument when there is none. */
export const firstKeyIndex = (parts: ReadonlyArray<Part>): number => {
  const index = parts.findIndex((part) => part instanceof KeyArg)
  return index < 0 ? parts.length : index
}
