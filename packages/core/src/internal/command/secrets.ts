/**
 * The secrets of a command, which must not be shown when a server quotes the command.
 */
import * as RedisArg from "../../RedisArg.ts"
import { decodeUtf8 } from "../codec/utf8.ts"

/** The secret arguments of a command that begins with a word; `undefined` when that is no longer known. */
export const secretsIn = (word: string, parts: ReadonlyArray<RedisArg.Part>): ReadonlyArray<string> | undefined => {
  const all = credentialed.has(word.toUpperCase())
  try {
    return parts.filter((part) => part instanceof RedisArg.SecretArg || all).map((part) => {
      const value = RedisArg.wireValue(part)
      return typeof value === "object" ? decodeUtf8(value, 0, value.length) : String(value)
    })
  } catch {
    return undefined
  }
}

const credentialed: ReadonlySet<string> = new Set(["ACL", "AUTH", "CONFIG", "HELLO", "MIGRATE", "SENTINEL"])
