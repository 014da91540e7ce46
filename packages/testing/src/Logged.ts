/**
 * What programs log, for tests.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { inspect } from "node:util"

/** `lines`: what was logged so far by the effects that were given to `capture`: the level, the message, and the cause. */
export const make = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ cause, logLevel, message }) => {
    const words = Arr.ensure(message).map((part) => typeof part === "string" ? part : inspect(part))
    lines.push([logLevel, ...words, ...cause.reasons.length > 0 ? [Cause.pretty(cause)] : []].join(" "))
  })
  return { lines, capture: Effect.provide(Logger.layer([logger])) }
}
