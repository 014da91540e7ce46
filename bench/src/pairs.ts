/**
 * Rounds in which everybody is measured between two measurements of the one that all are compared with: A B A C A. Whatever
 * slows a machine down for a while slows both of a pair, so that the ratio of a pair varies much less than its figures do.
 */

/** A measurement between two of the one that it is compared with. */
export interface Pair<S> {
  readonly before: S
  readonly own: S
  readonly after: S
}

/** All measurements: those of the first by itself, and the pairs of each of the others, in their order. */
export interface Paired<S> {
  readonly base: ReadonlyArray<S>
  readonly others: ReadonlyArray<ReadonlyArray<Pair<S>>>
}

/**
 * Measures `count` things in so many rounds. `sample` measures one of them by its index; 0 is the one that the others are
 * compared with. The others take turns in who is next to whom.
 */
export async function pairedRounds<S>(
  count: number,
  rounds: number,
  sample: (index: number) => Promise<S>
): Promise<Paired<S>> {
  const base: Array<S> = []
  const others = Array.from({ length: count - 1 }, (): Array<Pair<S>> => [])
  for (let round = 0; round < rounds; round++) {
    let before = await sample(0)
    base.push(before)
    for (let turn = 0; turn < others.length; turn++) {
      const index = (round + turn) % others.length
      const own = await sample(index + 1)
      const after = await sample(0)
      base.push(after)
      others[index]?.push({ before, own, after })
      before = after
    }
  }
  return { base, others }
}

/** How many times as much the figure of the base is as that of the other, for each pair. */
export const ratios = <S>(pairs: ReadonlyArray<Pair<S>>, figure: (sample: S) => number): ReadonlyArray<number> =>
  // The geometric mean: what changes steadily from before to after cancels out, for a ratio and for its inverse alike.
  pairs.map(({ after, before, own }) => Math.sqrt(figure(before) * figure(after)) / figure(own))
