/**
 * A guard for values, beside what else may stand in their place.
 */
import type { Value } from "../../RedisArg.ts"

/**
 * Whether something is text, bytes or a number. Bytes may be of another realm, such as a `vm` context; other views of memory are refused
 * where they are sent.
 */
export const isValue = (value: unknown): value is Value =>
  typeof value === "string" || typeof value === "number" || typeof value === "bigint" || ArrayBuffer.isView(value)
