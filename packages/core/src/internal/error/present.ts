/**
 * Objects without their `undefined` fields.
 */

type Present<A extends object> = { readonly [K in keyof A]?: Exclude<A[K], undefined> }

/** The fields that have a value. An error refuses a field that is `undefined`: its reader finds a value or no field. */
export const present = <A extends object>(fields: A): Present<A> => {
  const out: Partial<A> = {}
  for (const name in fields) if (fields[name] !== undefined) out[name] = fields[name]
  // None of them is `undefined`.
  return out as Present<A>
}
