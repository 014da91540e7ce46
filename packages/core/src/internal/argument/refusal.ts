/**
 * The refusal of arguments that cannot be sent.
 */
import type { Place } from "../error/place.ts"

/**
 * Thrown by a definition whose arguments cannot be sent; the command then fails
 * with a `DataError` of the same text.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidArgument {
  /** What the `DataError` says. */
  readonly detail: string
  /** Where the arguments were given, as far as it is known: what the stack of the `DataError` leads to. */
  readonly place: Place | undefined

  constructor(detail: string, place?: Place) {
    this.detail = detail
    this.place = place
  }
}

/**
 * Refuses the arguments.
 *
 * @category constructors
 * @since 0.1.0
 */
export const invalid = (detail: string): never => {
  throw new InvalidArgument(detail)
}
