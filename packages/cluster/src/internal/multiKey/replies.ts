/**
 * Reads, compares and makes replies as they come from servers.
 */
import * as Resp from "@redfx/core/Resp"

const encoder = new TextEncoder()

/** The elements of any aggregate; a map's are its keys and values in turn. `undefined` for anything else. */
export const elementsIn = (value: Resp.Value): ReadonlyArray<Resp.Value> | undefined => {
  if (Array.isArray(value)) return value
  if (value instanceof Resp.SetReply) return value.members
  if (value instanceof Resp.MapReply) return value.entries
  if (value instanceof Resp.Attributed) return elementsIn(value.value)
  return undefined
}

/** The elements of any aggregate; none for anything else. */
export const elements = (value: Resp.Value): ReadonlyArray<Resp.Value> => elementsIn(value) ?? []

/** The string of a bulk, verbatim or simple string, `undefined` for anything else. */
export const blobOf = (value: Resp.Value): Resp.Bulk | string | undefined =>
  value instanceof Resp.Verbatim
    ? value.text
    : value instanceof Resp.Bulk || typeof value === "string"
    ? value
    : undefined

/** The text of a string; empty for anything else. It is for words of the server itself. */
export const textOf = (value: Resp.Value | undefined): string => String(value === undefined ? "" : blobOf(value) ?? "")

/** The bytes of a string; none for anything else. */
export const bytesOf = (value: Resp.Value): Uint8Array => {
  const blob = blobOf(value)
  if (blob instanceof Resp.Bulk) return blob.bytes()
  return encoder.encode(blob ?? "")
}

/** A bulk string. */
export const bulk = (content: string | Uint8Array): Resp.Bulk => {
  const bytes = typeof content === "string" ? encoder.encode(content) : content
  return new Resp.Bulk(bytes, 0, bytes.length)
}

/**
 * A text that two strings share when they have the same bytes. Text stands for itself; other bytes follow half a
 * surrogate pair, with which no text begins.
 */
export const identity = (value: Resp.Value): string => {
  const blob = blobOf(value)
  if (blob instanceof Resp.Bulk) return blob.text() ?? `\ud800${Array.from(blob.bytes()).join()}`
  return blob ?? (typeof value === "object" ? elements(value).map(identity).join() : String(value))
}

/** Sums integers exactly: `bigint` beyond ±(2⁵³−1), as the decoder makes them. */
export const sum = (all: ReadonlyArray<number | bigint>): number | bigint => {
  const quick = all.reduce<number>((total, integer) => total + Number(integer), 0)
  return Number.isSafeInteger(quick) ? quick : all.reduce<bigint>((total, integer) => total + BigInt(integer), 0n)
}

export const isInteger = (reply: Resp.Value): reply is number | bigint =>
  typeof reply === "bigint" || Number.isInteger(reply)
