/**
 * Keys that stand in the hash slot of another key, so that one script may use them together.
 */
import * as RedisArg from "../../RedisArg.ts"

/**
 * A key in the hash slot of `name`. Refuses a name that has no such key; `what` says what the name is for. A `prefix` is one
 * that the name begins with, and stands before the tag too.
 */
export const beside = (name: string, suffix: string, what: string, prefix = ""): string => {
  if (hasHashTag(name)) return `${name}:${suffix}`
  return name === "" || name.includes("}") || prefix.includes("{")
    ? RedisArg.invalid(`the name of ${what} can have a "}" only as the end of a {hash tag}`)
    : `${prefix}{${name}}:${suffix}`
}

/**
 * A key in the slot of another one, which may have no hash tag. A prefix moves that one to the slot of its whole new name,
 * so this one gets the prefix in its tag as well as before it.
 */
export class KeyBeside extends RedisArg.KeyArg {
  readonly #beside: readonly [name: string, suffix: string, what: string, prefix: string]

  constructor(name: string, suffix: string, what: string, prefix = "") {
    super(beside(name, suffix, what, prefix))
    this.#beside = [name, suffix, what, prefix]
  }

  override renamed(rename: (key: RedisArg.Key) => RedisArg.Key): KeyBeside {
    const [name, suffix, what, prefix] = this.#beside
    // Text is renamed to text.
    return new KeyBeside(rename(name) as string, suffix, what, rename(prefix) as string)
  }
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
