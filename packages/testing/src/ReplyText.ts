/**
 * Replies as the text that a server writes, for tables of commands. The texts in them are ASCII, of which each character is a
 * byte.
 */

/** A bulk string. */
export const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`

/** A verbatim string, which is plain text. */
export const verbatim = (text: string): string => `=${text.length + 4}\r\ntxt:${text}\r\n`

/** An array of replies. */
export const array = (...items: ReadonlyArray<string>): string => `*${items.length}\r\n${items.join("")}`

/** A map of replies, in which keys and values alternate. */
export const map = (...items: ReadonlyArray<string>): string => `%${items.length / 2}\r\n${items.join("")}`
