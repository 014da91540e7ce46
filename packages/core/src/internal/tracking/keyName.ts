/**
 * The names that answers are kept under: the first key of a command, and the rest of the command.
 */
import * as RedisArg from "../../RedisArg.ts"
import type { Key } from "../../RedisArg.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { decodeUtf8Strict } from "../codec/utf8.ts"

/**
 * Begins the name of a key that is not text. No key that is text begins with it, because half a surrogate pair has no
 * UTF-8.
 */
const notText = "\ud800"

/** The name of a key, which is the same whether the key was given as text or as bytes. */
export const nameOf = (key: Key): string =>
  typeof key === "string" ? key : decodeUtf8Strict(key, 0, key.length) ?? notText + latin1(key)

/** Text with a character for each byte. */
const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!)
  return text
}

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

/** The key that has a name. */
export const keyOf = (name: string): Key =>
  name.startsWith(notText) ? Uint8Array.from(name.slice(1), (character) => character.charCodeAt(0)) : name
