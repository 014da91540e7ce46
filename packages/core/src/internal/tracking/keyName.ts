/**
 * The names that answers are kept under: the first key of a command, and the rest of it.
 */
import * as RedisArg from "../../RedisArg.ts"
import type { Key } from "../../RedisArg.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { decodeUtf8Strict } from "../codec/utf8.ts"

/** Begins what stands for bytes that are not a text. No key that is text begins with it: half a character has no UTF-8. */
const notText = "\ud800"

/** The same text for the same key, whether it was given as text or as bytes. */
export const nameOf = (key: Key): string =>
  typeof key === "string" ? key : decodeUtf8Strict(key, 0, key.length) ?? notText + latin1(key)

/** A character for each byte. */
const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!)
  return text
}

/** All of a command but its first key: the same text only for the same words. */
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

/** The key that has a name. */
export const keyOf = (name: string): Key =>
  name.startsWith(notText) ? Uint8Array.from(name.slice(1), (character) => character.charCodeAt(0)) : name
