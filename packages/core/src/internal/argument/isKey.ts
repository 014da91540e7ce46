/**
 * Guards for keys and values, beside what else may stand in their place.
 */
import type { Key, Value } from "../../RedisArg.ts"

/**
 * Whether a value is text or bytes, those of another realm included, such as a `vm` context. Other views of memory are refused
 * where they are sent.
 */
export const isKey = (value: unknown): value is Key => typeof value === "string" || ArrayBuffer.isView(value)

/** Whether something is a value: a key or a number. */
export const isValue = (value: unknown): value is Value =>
  isKey(value) || typeof value === "number" || typeof value === "bigint"
