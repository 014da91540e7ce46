/**
 * Copies errors. One lost connection may fail a million commands, each with an error of its own. A copy takes 0.7 µs, and
 * the constructor of a class 2 µs, as it looks at every field.
 */
import { placeOf, takenTo } from "./place.ts"
import { stackless } from "./stackless.ts"

/** The fields that a copy has otherwise, or does not have. */
export type Change<E> = { readonly [K in keyof E]?: E[K] | undefined }

/**
 * An error of the same class with other fields. It has no stack trace, unless the first one leads to a place in the program. A
 * field that is `undefined` is left out.
 */
export const copied = <E extends object & { readonly cause?: unknown }>(error: E, change: Change<E>): E => {
  const { cause } = error
  // Everything but its fields comes from the prototype of its class. The cause is not enumerable.
  const copy: E = stackless(() =>
    Reflect.construct(Error, cause === undefined ? [] : [undefined, { cause }], error.constructor)
  )
  const fields: Partial<E> = { ...error, ...change }
  for (const name in fields) if (fields[name] !== undefined) copy[name] = fields[name]
  return takenTo(placeOf(error), copy)
}
