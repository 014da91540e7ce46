/**
 * Commands that go on where another one ended.
 */
import type * as RedisCommand from "../../RedisCommand.ts"

/**
 * Whether a command continues another one, or is continued. Its cursor means nothing to a server other than the one
 * that gave it.
 */
export const isContinued = ({ parts, spec }: RedisCommand.Any): boolean =>
  continued.has(spec.capitals) || spec.capitals === "FT.AGGREGATE" && parts.includes("WITHCURSOR")

const continued: ReadonlySet<string> = new Set([
  "SCAN",
  "HSCAN",
  "SSCAN",
  "ZSCAN",
  // These commands are about parts of one state of a filter.
  "BF.SCANDUMP",
  "CF.SCANDUMP",
  "FT.CURSOR",
  "FT.CURSOR DEL",
  "FT.CURSOR READ"
])
