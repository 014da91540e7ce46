/**
 * Creates an error without a stack trace. Capturing one costs about 4 µs, and
 * for an error of a server or a lost connection the place of creation
 * says nothing: one lost connection may fail ten thousand commands.
 */
export const stackless = <E>(make: () => E): E => limited(() => 0, make)

/** Creates an error whose stack goes on beyond the calls of redfx itself, unless the program wants no stacks. */
export const deeper = <E>(make: () => E): E => limited((limit) => limit === 0 ? 0 : limit + own, make)

/** So many calls may lie between a function that a program calls and what refuses its arguments. */
const own = 20

const limited = <E>(change: (limit: number) => number, make: () => E): E => {
  // V8 reads this property. Other engines, or V8 where the property is frozen, capture the trace as usual.
  const constructor = Error as unknown as { stackTraceLimit?: number | undefined }
  const limit = constructor.stackTraceLimit
  try {
    constructor.stackTraceLimit = change(limit ?? 0)
  } catch {
    return make()
  }
  try {
    return make()
  } finally {
    constructor.stackTraceLimit = limit
  }
}
