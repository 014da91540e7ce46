/**
 * Where in a program something was given that is refused later: a command is made in one place and runs in another, where a
 * stack shows nothing but the loop that runs everything.
 */
import { deeper, stackless } from "./stackless.ts"

/** The lines of a stack that a copy of an error takes over. A field that is not enumerable is none of the error's own. */
const place: unique symbol = Symbol("place")

/** The lines of the stack where it is called, `undefined` where none are captured. */
export const here = (): string | undefined => {
  const { stack = "" } = deeper(() => new Error("here"))
  const first = stack.search(/^\s*at /m)
  // The first line is that of this function.
  const lines = first < 0 ? [] : stack.slice(first).split("\n").slice(1)
  return lines.length === 0 ? undefined : lines.join("\n")
}

/** Makes an error whose stack leads to a place. */
export const madeAt = <E extends object>(lines: string | undefined, make: () => E): E =>
  lines === undefined ? make() : takenTo(lines, stackless(make))

/** Gives an error without a stack one that leads to a place, if there is one. */
export const takenTo = <E extends object>(lines: string | undefined, error: E): E => {
  if (lines === undefined) return error
  Object.defineProperty(error, place, { value: lines })
  return Object.defineProperty(error, "stack", {
    value: `${String(error)}\n${lines}`,
    writable: true,
    configurable: true
  })
}

/** The place that an error leads to. */
export const placeOf = (error: { readonly [place]?: string } & object): string | undefined => error[place]
