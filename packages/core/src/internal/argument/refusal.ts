/**
 * The refusal of arguments that cannot be sent.
 */

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
  /** Where the arguments were given, as far as it is known: the lines of a stack, which that of the `DataError` has. */
  readonly place: string | undefined

  constructor(detail: string, place?: string) {
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
