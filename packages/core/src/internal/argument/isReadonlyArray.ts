/**
 * A guard for arrays whose type is readonly.
 */

/** Whether a value is an array. `Array.isArray` does not narrow readonly arrays. */
export const isReadonlyArray = <T>(value: unknown): value is ReadonlyArray<T> => Array.isArray(value)
