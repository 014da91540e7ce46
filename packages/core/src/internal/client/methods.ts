/**
 * The types of methods that cannot be worked out of those of commands.
 */
import type { HashEntries } from "../../commands/Hashes.ts"
import type { Fields, Key } from "../../RedisArg.ts"

/**
 * HSET as a method.
 *
 * @category models
 * @since 0.1.0
 */
export interface HsetMethod {
  // What is worked out of `Redis.Hset` has no generic signature, and takes no object whose type is an interface.
  /** Sets the fields of an object, whose type may be an interface; resolves to how many are new. */
  <F extends object & Fields<F>>(key: Key, fields: F): Promise<number>
  /** Sets fields: `hset(key, field, value)`, `hset(key, { field: value })` or both; resolves to how many are new. */
  (key: Key, ...entries: HashEntries): Promise<number>
}
