/**
 * The refusal of arguments that cannot be sent.
 */
import { here } from "../error/place.ts"

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
  /** The stack of where it was made, which that of the `DataError` is. */
  readonly place: string | undefined

  constructor(detail: string, place = here()) {
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
