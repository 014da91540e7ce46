/** What is made of repeated measurements: medians with an interval, and how a cost grows. */
import { binomialDistribution, linearRegression, medianSorted, quantileSorted } from "simple-statistics"

/** A median, and between which values the true one lies in 95 of 100 cases. */
export interface Interval {
  readonly median: number
  readonly low: number
  readonly high: number
}

const sorted = (values: Iterable<number>): Array<number> => [...values].sort((a, b) => a - b)

/**
 * How many of the least and how many of the greatest values an interval of 95 % leaves out. A value is on either side of the
 * true median with equal chances, so their number is distributed as heads of coins are, whatever the noise looks like.
 */
function leftOut(count: number): number {
  const chances = binomialDistribution(count, 0.5) ?? []
  let outside = 0
  let ranks = 0
  while (ranks < chances.length && (outside += chances[ranks] ?? 0) <= 0.025) ranks++
  return Math.max(0, ranks - 1)
}

/** The median of `values` and its interval of 95 %. With fewer than six values it is all of them, and says less. */
export function interval(values: Iterable<number>): Interval {
  const ordered = sorted(values)
  if (ordered.length === 0) return { median: Number.NaN, low: Number.NaN, high: Number.NaN }
  const left = leftOut(ordered.length)
  return {
    median: medianSorted(ordered),
    low: ordered[left] ?? Number.NaN,
    high: ordered[ordered.length - 1 - left] ?? Number.NaN
  }
}

/** The median alone. */
export const median = (values: Iterable<number>): number => interval(values).median

/** Whether the interval of a ratio includes 1: the two that were compared are not told apart. */
export const isEqual = ({ high, low }: Interval): boolean => low <= 1 && high >= 1

/** The value that the given fraction of `values` is not above. */
export const percentile = (values: Iterable<number>, fraction: number): number =>
  quantileSorted(sorted(values), fraction)

/**
 * The power of `size` that `total` grows with: 1 is linear, 2 is quadratic. The slope of the line through the points when both
 * axes are logarithmic.
 */
export const exponent = (points: ReadonlyArray<{ readonly size: number; readonly total: number }>): number =>
  linearRegression(points.map(({ size, total }) => [Math.log(size), Math.log(total)])).m
