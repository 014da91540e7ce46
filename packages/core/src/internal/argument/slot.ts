/**
 * Keys that stand in the hash slot of another key, so that one script may use them together.
 */
import * as RedisArg from "../../RedisArg.ts"

/** A key in the hash slot of `name`. Refuses a name that has no such key; `what` says what the name is for. */
export const beside = (name: string, suffix: string, what: string): string => {
  if (hasHashTag(name)) return `${name}:${suffix}`
  return name === "" || name.includes("}")
    ? RedisArg.invalid(`the name of ${what} can have a "}" only as the end of a {hash tag}`)
    : `{${name}}:${suffix}`
}

/**
 * A hash tag for any text; each text has its own. In a key the tag decides the slot, unless another tag stands before
 * it.
 */
export const hashTag = (text: string): string => `{${text === "" ? "%" : text.replace(/[%}]/g, encodeURIComponent)}}`

/** Whether servers hash only a part of the key: the part between the first `{` and the next `}`, unless it is empty. */
const hasHashTag = (key: string): boolean => {
  const open = key.indexOf("{")
  return open >= 0 && key.indexOf("}", open) > open + 1
}
