/**
 * Records whose names may be any text.
 */

/** A record without a prototype, because a name may be `__proto__`. */
export const recordOf = <A>(pairs: Iterable<readonly [name: string, value: A]>): { readonly [name: string]: A } => {
  const record: { [name: string]: A } = Object.create(null)
  for (const [name, value] of pairs) record[name] = value
  return record
}
