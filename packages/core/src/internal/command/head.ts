/**
 * The bytes that every command of a kind begins with.
 */
import { encodeUtf8 } from "../codec/utf8.ts"

/** `*count` and the words, as bytes. They are kept in `heads`, by the number of arguments. */
export const headOf = (
  words: ReadonlyArray<string>,
  count: number,
  heads: Array<Uint8Array | undefined>
): Uint8Array => {
  const bulks = words.map((word) => `$${encodeUtf8(word).length}\r\n${word}\r\n`)
  const head = encodeUtf8(`*${words.length + count}\r\n${bulks.join("")}`)
  // A command over a million keys should not leave a million-element array behind.
  if (count < 32) heads[count] = head
  return head
}
