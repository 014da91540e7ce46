/**
 * Names of keys, channels and fields as text, by which maps find them.
 */
import { decodeUtf8Strict } from "./utf8.ts"

/**
 * Begins the name of what is not text. No well-formed text begins with it, because it is the second half of a surrogate
 * pair.
 */
const notText = "\udc00"

/** The name, which is the same for the same bytes. Text is well-formed: other text is refused where it is given. */
export const nameOf = (value: string | Uint8Array): string =>
  typeof value === "string" ? value : decodeUtf8Strict(value, 0, value.length) ?? notText + latin1(value)

/** What has a name. */
export const named = (name: string): string | Uint8Array =>
  name.startsWith(notText) ? Uint8Array.from(name.slice(1), (character) => character.charCodeAt(0)) : name

/** Text with a character for each byte. */
export const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!)
  return text
}
