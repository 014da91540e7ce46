/**
 * Where in a program something was given that is refused later: a command is made in one place and runs in another, where a
 * stack shows nothing but the loop that runs everything.
 */
import { stackless } from "./stackless.ts"

/** The place that an error leads to, for its copies. A field that is not enumerable is none of the error's own. */
const place: unique symbol = Symbol("place")

/** A stack that was captured. It is made text when somebody looks at it, which takes five times as long as to capture it. */
export interface Place {
  readonly stack?: unknown
}

/**
 * The place where a function was called: what that and the functions below it are says nothing to a program. `undefined` where
 * no stacks can be captured.
 */
export const callerOf = (callee: object): Place | undefined => {
  // V8 has it, and by now so have the other engines; without it an error has the stack of where it is made.
  const constructor = Error as unknown as { readonly captureStackTrace?: (target: object, callee: object) => void }
  const target: Place = {}
  try {
    constructor.captureStackTrace?.(target, callee)
    return Object.hasOwn(target, "stack") ? target : undefined
  } catch {
    return undefined
  }
}

/** The lines of a stack, none where the program's `Error.prepareStackTrace` throws or returns something else than text. */
const linesOf = (at: Place): string => {
  try {
    const { stack } = at
    const first = typeof stack === "string" ? stack.search(/^ *at /m) : -1
    return first < 0 ? "" : `\n${String(stack).slice(first)}`
  } catch {
    return ""
  }
}

/** Makes an error whose stack leads to a place. */
export const madeAt = <E extends object>(at: Place | undefined, make: () => E): E =>
  at === undefined ? make() : takenTo(at, stackless(make))

/** Gives an error without a stack one that leads to a place, if there is one. */
export const takenTo = <E extends object>(at: Place | undefined, error: E): E => {
  if (at === undefined) return error
  Object.defineProperty(error, place, { value: at })
  return Object.defineProperty(error, "stack", {
    get: () => Error.prototype.toString.call(error) + linesOf(at),
    set: (value: unknown) => {
      Object.defineProperty(error, "stack", { value, writable: true, configurable: true })
    },
    configurable: true
  })
}

/** The place that an error leads to. */
export const placeOf = (error: { readonly [place]?: Place } & object): Place | undefined => error[place]
