/**
 * The errors of decoders.
 */

/**
 * Thrown by a decoder; the command then fails with a `DecodeError`.
 *
 * @category errors
 * @since 0.1.0
 */
export class Mismatch {
  readonly detail: string
  readonly integer: string | undefined

  constructor(detail: string, integer?: string) {
    this.detail = detail
    this.integer = integer
  }
}

/** The error of bytes that are not text. */
export const notText = (): Mismatch =>
  new Mismatch(
    "the bytes are not valid UTF-8. Redis.asBytes reads them; textDecoding: \"replace\" replaces what is invalid"
  )

/** Makes some of a text of so many bytes, of which JavaScript may not be able to hold all. */
export const longText = <A>(bytes: number, make: () => A): A => {
  try {
    return make()
  } catch {
    throw new Mismatch(`a text of ${bytes} bytes is longer than JavaScript can hold. Redis.asBytes reads it`)
  }
}
