/**
 * Glob patterns, as KEYS, SCAN and PSUBSCRIBE take them.
 */

/** Text as a pattern that matches nothing else. */
export const escapeGlob = (text: string): string => text.replace(/[*?[\]\\]/g, "\\$&")
