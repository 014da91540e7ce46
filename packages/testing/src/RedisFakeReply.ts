/**
 * The values that a server writes, for scripted servers and for expected bytes in tests.
 *
 * @since 0.1.0
 */

/**
 * A value that is already encoded.
 *
 * @category models
 * @since 0.1.0
 */
export type Encoded = Uint8Array

const encoder = new TextEncoder()

/**
 * Joins encoded values into one.
 *
 * @category replies
 * @since 0.1.0
 */
export const concat = (...parts: ReadonlyArray<Encoded>): Encoded => {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/**
 * Text without any encoding, for what no other function here can write.
 *
 * @category replies
 * @since 0.1.0
 */
export const raw = (text: string): Encoded => encoder.encode(text)

/**
 * A simple string.
 *
 * @category replies
 * @since 0.1.0
 */
export const simple = (text: string): Encoded => raw(`+${text}\r\n`)

/**
 * `OK`, the answer to most commands that return no data.
 *
 * @category replies
 * @since 0.1.0
 */
export const ok: Encoded = simple("OK")

/**
 * An error, with its code: `error("MOVED 1 127.0.0.1:7001")`.
 *
 * @category replies
 * @since 0.1.0
 */
export const error = (text: string): Encoded => raw(`-${text}\r\n`)

/**
 * An integer.
 *
 * @category replies
 * @since 0.1.0
 */
export const integer = (value: number | bigint): Encoded => raw(`:${value}\r\n`)

/**
 * A bulk string.
 *
 * @category replies
 * @since 0.1.0
 */
export const bulk = (value: string | Uint8Array): Encoded => {
  const bytes = typeof value === "string" ? encoder.encode(value) : value
  return concat(raw(`$${bytes.length}\r\n`), bytes, raw("\r\n"))
}

/**
 * A RESP2 null bulk string.
 *
 * @category replies
 * @since 0.1.0
 */
export const nil: Encoded = raw("$-1\r\n")

/**
 * The null of RESP3.
 *
 * @category replies
 * @since 0.1.0
 */
export const nil3: Encoded = raw("_\r\n")

const aggregate = (kind: string, count: number, items: ReadonlyArray<Encoded>): Encoded =>
  concat(raw(`${kind}${count}\r\n`), ...items)

/**
 * An array.
 *
 * @category replies
 * @since 0.1.0
 */
export const array = (items: ReadonlyArray<Encoded>): Encoded => aggregate("*", items.length, items)

/**
 * An array of bulk strings.
 *
 * @category replies
 * @since 0.1.0
 */
export const bulks = (items: ReadonlyArray<string | Uint8Array>): Encoded => array(items.map(bulk))

/**
 * A RESP3 map.
 *
 * @category replies
 * @since 0.1.0
 */
export const map = (entries: ReadonlyArray<readonly [Encoded, Encoded]>): Encoded =>
  aggregate("%", entries.length, entries.flat())

/**
 * A RESP3 push message.
 *
 * @category replies
 * @since 0.1.0
 */
export const push = (items: ReadonlyArray<Encoded>): Encoded => aggregate(">", items.length, items)
