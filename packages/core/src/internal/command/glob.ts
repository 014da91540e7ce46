/**
 * Glob patterns, as SCAN and PSUBSCRIBE have them.
 */

/** A pattern that matches this text alone. */
export const escapeGlob = (text: string): string => text.replace(/[*?[\]\\^-]/g, "\\$&")
