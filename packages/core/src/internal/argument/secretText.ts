/**
 * Reads secrets.
 */
import * as Redacted from "effect/Redacted"

/** The text of a secret, `undefined` when there is none: it was wiped, or is of another kind than its type says. */
export const secretText = (secret: Redacted.Redacted<string>): string | undefined => {
  try {
    const text: unknown = Redacted.value(secret)
    return typeof text === "string" && text.isWellFormed() ? text : undefined
  } catch {
    return undefined
  }
}
