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

  constructor(detail: string) {
    this.detail = detail
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

/** What to send in the place of an object. JSON of memory has nothing of what is in it, or a name for each of its numbers. */
export const insteadOf = (value: unknown): string =>
  typeof value !== "object" || value === null || value instanceof Uint8Array
    ? ""
    : ArrayBuffer.isView(value)
    ? ", such as new Uint8Array(it.buffer, it.byteOffset, it.byteLength)"
    : value instanceof ArrayBuffer
    ? ", such as new Uint8Array(it)"
    : ", or JSON of it"
