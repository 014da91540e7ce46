/**
 * Gives each caller an answer of its own, which it may change.
 */

/**
 * A function that returns a copy of a value, where copying costs less than decoding once more: of lists, sets and records of
 * immutable values. `"itself"` for immutable values, `undefined` for any other value. Measured with
 * ten fields: 0.4 µs instead of 3.
 */
export const copierOf = (value: unknown): (() => unknown) | "itself" | undefined => {
  if (!isObject(value)) return "itself"
  if (Array.isArray(value)) return value.some(isObject) ? undefined : () => value.slice()
  if (value instanceof Set) return Array.from(value).some(isObject) ? undefined : () => new Set(value)
  if (Object.getPrototypeOf(value) !== null) return undefined
  const keys = Object.keys(value)
  const values: ReadonlyArray<unknown> = Object.values(value)
  return values.some(isObject) ? undefined : () => {
    const copy: Record<string, unknown> = Object.create(null)
    for (let i = 0; i < keys.length; i++) copy[keys[i]!] = values[i]
    return copy
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null
