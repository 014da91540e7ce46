/**
 * Values as short text, for messages and for the eye.
 *
 * @since 0.1.0
 */
import { quoted } from "./internal/error/printable.ts"
import { Attributed, Bulk, ErrorReply, MapReply, Push, SetReply, Verbatim } from "./RespValue.ts"
import type { Value } from "./RespValue.ts"

/** Characters of one string, items of one aggregate, and depth, after which a format ends in `…`. */
const TEXT = 64
const ITEMS = 8
const DEPTH = 4

const text = (value: string): string => value.length > TEXT ? `${quoted(value.slice(0, TEXT))}…` : quoted(value)

const bulk = (value: Bulk): string => {
  // A character takes up to four bytes, and text of more than its limit is cut anyway.
  const head = value.head(4 * TEXT + 4)
  const shown = text(head.toString())
  return head.length < value.length && !shown.endsWith("…") ? `${shown}…` : shown
}

const list = (open: string, parts: ReadonlyArray<string>, hidden: number, close: string): string =>
  `${open}${(hidden > 0 ? [...parts, `… ${hidden} more`] : parts).join(", ")}${close}`

const sequence = (open: string, items: ReadonlyArray<Value>, close: string, depth: number): string =>
  list(open, items.slice(0, ITEMS).map((item) => at(item, depth)), items.length - ITEMS, close)

const map = (value: MapReply, depth: number): string => {
  const parts: Array<string> = []
  for (let i = 0; i + 1 < value.entries.length && i < 2 * ITEMS; i += 2) {
    parts.push(`${at(value.entries[i]!, depth)}: ${at(value.entries[i + 1]!, depth)}`)
  }
  return list("{", parts, value.entries.length / 2 - ITEMS, "}")
}

const at = (value: Value, depth: number): string => {
  if (typeof value === "string") return text(value)
  if (typeof value === "bigint") {
    const digits = value.toString()
    return digits.length > TEXT ? `${digits.slice(0, TEXT)}…` : `${digits}n`
  }
  if (value === null || typeof value !== "object") return String(value)
  if (value instanceof Bulk) return bulk(value)
  if (value instanceof Verbatim) return `${value.format}:${bulk(value.text)}`
  if (value instanceof ErrorReply) return `error ${text(value.line)}`
  if (depth > DEPTH) return "…"
  if (value instanceof MapReply) return map(value, depth + 1)
  if (value instanceof SetReply) return sequence("set[", value.members, "]", depth + 1)
  if (value instanceof Push) return sequence("push[", value.items, "]", depth + 1)
  if (value instanceof Attributed) return `${at(value.value, depth + 1)} with ${map(value.attributes, depth + 1)}`
  return sequence("[", value, "]", depth + 1)
}

/**
 * Prints a value as one short line.
 *
 * **Details**
 *
 * Long strings, long aggregates and deep nesting are cut and end in `…`, so the result is fit for a message however
 * large the value is.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (value: Value): string => at(value, 0)
