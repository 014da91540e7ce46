/**
 * The secrets of a command, which must not be shown when a server quotes the command.
 */
import * as RedisArg from "../../RedisArg.ts"
import { asText } from "../argument/part.ts"

/** The secret arguments of a command that begins with a word; `undefined` when that is no longer known. */
export const secretsIn = (word: string, parts: ReadonlyArray<RedisArg.Part>): ReadonlyArray<string> | undefined => {
  const all = credentialed.has(word.toUpperCase())
  try {
    return parts.filter((part) => part instanceof RedisArg.SecretArg || all).map(asText)
  } catch {
    return undefined
  }
}

const credentialed: ReadonlySet<string> = new Set(["ACL", "AUTH", "CONFIG", "HELLO", "MIGRATE", "SENTINEL"])
