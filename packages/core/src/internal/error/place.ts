/**
 * Where in a program something was given that is refused later: a command is made in one place and runs in another, where a
 * stack shows nothing but the loop that runs everything.
 */
import { stackless } from "./stackless.ts"

/** The lines of a stack that a copy of an error takes over. A field that is not enumerable is none of the error's own. */
const place: unique symbol = Symbol("place")

/**
 * The lines of the stack of whoever has called a function: what that and the functions below it are says nothing to a program.
 * `undefined` where no stacks are captured. It takes 20 µs.
 */
export const callerOf = (callee: object): string | undefined => {
  const stack = stackOf(callee)
  if (typeof stack !== "string") return undefined
  const first = stack.search(/^ *at /m)
  return first < 0 ? undefined : stack.slice(first)
}

const stackOf = (callee: object): unknown => {
  // V8 has it, and by now so have the other engines; without it an error has the stack of where it is made.
  const constructor = Error as unknown as { readonly captureStackTrace?: (target: object, callee: object) => void }
  const target: { readonly stack?: unknown } = {}
  try {
    constructor.captureStackTrace?.(target, callee)
    return target.stack
  } catch {
    // The program's `Error.prepareStackTrace` throws; one that returns something else than text is as common.
    return undefined
  }
}

/** Makes an error whose stack leads to a place. */
export const madeAt = <E extends object>(lines: string | undefined, make: () => E): E =>
  lines === undefined ? make() : takenTo(lines, stackless(make))

/** Gives an error without a stack one that leads to a place, if there is one. */
export const takenTo = <E extends object>(lines: string | undefined, error: E): E => {
  if (lines === undefined) return error
  Object.defineProperty(error, place, { value: lines })
  return Object.defineProperty(error, "stack", {
    value: `${Error.prototype.toString.call(error)}\n${lines}`,
    writable: true,
    configurable: true
  })
}

/** The place that an error leads to. */
export const placeOf = (error: { readonly [place]?: string } & object): string | undefined => error[place]
