/**
 * What an argument is sent as, whatever it was given as.
 */
import * as RedisArg from "../../RedisArg.ts"
import { decodeUtf8 } from "../codec/utf8.ts"

/** The text of an argument. */
export const asText = (part: RedisArg.Part): string => {
  const value = RedisArg.wireValue(part)
  return typeof value === "object" ? decodeUtf8(value, 0, value.length) : String(value)
}

/** An argument as a key, which it need not be marked as. */
export const asKey = (part: RedisArg.Part): RedisArg.Key => {
  const value = RedisArg.wireValue(part)
  return typeof value === "object" ? value : String(value)
}
