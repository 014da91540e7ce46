/**
 * One of several, at random.
 *
 * @internal
 */

export const anyOf = <A>(all: ReadonlyArray<A>): A | undefined => all[Math.floor(Math.random() * all.length)]
