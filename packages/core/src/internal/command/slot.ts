/**
 * Keys beside a key, in its hash slot: one script may use them together.
 */
import * as RedisArg from "../../RedisArg.ts"

/** A key in the hash slot of `name`. Refuses a name for which there is none; `what` says whose it is. */
export const beside = (name: string, suffix: string, what: string): string => {
  if (hasHashTag(name)) return `${name}:${suffix}`
  return name === "" || name.includes("}")
    ? RedisArg.invalid(`the name of ${what} can have a "}" only as the end of a {hash tag}`)
    : `{${name}}:${suffix}`
}

/**
 * A hash tag for any text, whatever is in it, and each its own: in a key it says the slot, unless what stands before it has a
 * tag of its own.
 */
export const hashTag = (text: string): string => `{${text === "" ? "%" : text.replace(/[%}]/g, encodeURIComponent)}}`

/** Whether servers hash only a part of the key: what is between the first `{` and the next `}`, unless that is nothing. */
const hasHashTag = (key: string): boolean => {
  const open = key.indexOf("{")
  return open >= 0 && key.indexOf("}", open) > open + 1
}
