/**
 * Chooses one of several at random.
 */

export const anyOf = <A>(all: ReadonlyArray<A>): A | undefined => all[Math.floor(Math.random() * all.length)]
