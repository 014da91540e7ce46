/** Whether a value is a `Date`, also one of another realm, such as a `vm` context: there the class is another one. */
export const isDate = (value: unknown): value is Date => {
  try {
    Date.prototype.getTime.call(value)
    return true
  } catch {
    return false
  }
}
