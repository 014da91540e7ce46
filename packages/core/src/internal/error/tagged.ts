/**
 * Classes of errors that print with their message.
 */
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Schema from "effect/Schema"

/** What consoles give to an object that prints itself: how deep it stands, how to print, and what prints its parts. */
type Inspect = (value: unknown, options: unknown) => string

interface Printed extends Error {
  readonly toJSON: () => unknown
}

/** The stack with the message, or the message where there is no stack, and the fields. */
function printed(this: Printed, depth: number, options: unknown, inspect?: Inspect): unknown {
  const { message, name, stack } = this
  const head = stack?.includes(message) === true ? stack : `${name}: ${message}`
  const fields = this.toJSON()
  return depth < 0 || inspect === undefined ? fields : `${head} ${inspect(fields, options)}`
}

/**
 * Like `Schema.TaggedError`, but for how its errors print where a console is given one: as their fields alone, without the
 * message, which says what to try.
 */
export const TaggedError: typeof Schema.TaggedError = ((identifier?: string) => {
  const define: (...parameters: ReadonlyArray<never>) => { readonly prototype: object } = Schema.TaggedError<Error>(
    identifier
  )
  return (...parameters: ReadonlyArray<never>) => {
    const made = define(...parameters)
    Object.defineProperty(made.prototype, NodeInspectSymbol, { value: printed, writable: true, configurable: true })
    return made
  }
  // It takes and gives what the original does.
}) as never
