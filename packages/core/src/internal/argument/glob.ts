/**
 * Glob patterns, as KEYS, SCAN and PSUBSCRIBE take them.
 */

/** Escapes a text so that it is a pattern that matches nothing else. */
export const escapeGlob = (text: string): string => text.replace(/[*?[\]\\]/g, "\\$&")
