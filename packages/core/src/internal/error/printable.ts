/**
 * Makes text of others safe to print.
 */

/**
 * The characters that a terminal or a log takes for more than text: controls (C0, DEL, C1), ends of lines and
 * paragraphs, and those that change the direction of writing.
 */
const active = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** The text with every character escaped that is not shown as it stands. */
export const printable = (text: string): string =>
  text.search(active) < 0 ? text : text.replace(active, (found) => {
    const code = found.charCodeAt(0)
    return code === 0x0a
      ? "\\n"
      : code === 0x0d
      ? "\\r"
      : code === 0x09
      ? "\\t"
      : code > 0xff
      ? `\\u${code.toString(16).padStart(4, "0")}`
      : `\\x${code.toString(16).padStart(2, "0")}`
  })

/** The text in quotes, with everything escaped that is not shown as it stands. JSON leaves some of it. */
export const quoted = (text: string): string => printable(JSON.stringify(text))

/** The most characters of somebody else's text that are worth a place in an error. */
const longest = 500

/** The text as {@link printable} has it, cut when it is longer than an error should be. */
export const excerpt = (text: string): string =>
  text.length > longest ? `${printable(text.slice(0, longest))}… (${text.length} characters)` : printable(text)

/** The words for an error that reading a value threw. They leave its message out, as that may show the value. */
export const thrown = (error: unknown): string => error instanceof Error ? error.name : "thrown"
