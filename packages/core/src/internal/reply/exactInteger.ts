/**
 * The integer that a text stands for, `undefined` when the text says more than a
 * number could: digits beyond ±(2⁵³−1), leading zeros as of an id, or no digits.
 */
export const exactInteger = (text: string): number | undefined => {
  const number = Number(text)
  return Number.isSafeInteger(number) && String(number) === text ? number : undefined
}
