/**
 * Records and pairs of large replies, made so that V8 does not take them for what lives long.
 *
 * V8 counts how many of the objects and arrays of a literal the first collections of its young generation find in use. Those of a
 * large reply are nearly all in use when there are few other objects in it: from then on V8 makes what the literal makes among the
 * old objects, which only a collection of the whole heap frees, and what an old object holds is kept as long. XRANGE of 1000
 * entries then takes 740 µs of processor time and not 260, the pairs of HGETALL of 1000 fields 1,750 and not 660. V8 counts
 * neither what a constructor makes nor a copy of an array.
 */

/**
 * Makes the constructor of plain objects that have what a function sets. They are like those of a literal: they have the
 * prototype of all objects, and no constructor of their own.
 */
/* @__NO_SIDE_EFFECTS__ */
export const plain = <A extends object, Args extends ReadonlyArray<unknown>>(
  fill: (this: { -readonly [K in keyof A]?: A[K] }, ...args: Args) => void
): new(...args: Args) => A => {
  fill.prototype = Object.prototype
  // A function is a constructor, if it is no arrow; this one sets all that an A has.
  return fill as unknown as new(...args: Args) => A
}

/** Never written to. */
const empty: Array<unknown> = []

/** Up to this length an array is made as others are: from here on the copy takes 70 ns more, and less than 10 % of the filling. */
const SHORT = 32

/** An array for so many elements. */
export const list = <A>(length = 0): Array<A> => {
  if (length > 0 && length < SHORT) return new Array<A>(length)
  // It has no elements yet.
  const out = empty.slice() as Array<A>
  if (length > 0) out.length = length
  return out
}

/** Copied by `pair`. It was pushed to, as the elements of a literal are shared until they are written to. */
const blank: Array<unknown> = []
blank.push(undefined, undefined)

/** A pair, which takes 5 ns more than a literal. */
export const pair = <A, B>(first: A, second: B): readonly [A, B] => {
  const out = blank.slice()
  out[0] = first
  out[1] = second
  // It has just these two elements.
  return out as unknown as readonly [A, B]
}
