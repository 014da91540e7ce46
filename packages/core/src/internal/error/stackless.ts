/**
 * Creates an error without a stack trace. Capturing one costs about 4 µs, and
 * for an error of a server or a lost connection the place of creation
 * says nothing: one lost connection may fail ten thousand commands.
 */
export const stackless = <E>(make: () => E): E => {
  // V8 reads this property. Other engines, or V8 where the property is frozen, capture the trace as usual.
  const constructor = Error as unknown as { stackTraceLimit?: number | undefined }
  const limit = constructor.stackTraceLimit
  try {
    constructor.stackTraceLimit = 0
  } catch {
    return make()
  }
  try {
    return make()
  } finally {
    constructor.stackTraceLimit = limit
  }
}
