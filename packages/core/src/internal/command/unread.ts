/**
 * What a call gives and its definition does not read. Types refuse it, but programs are also written without them, and what other
 * clients read would be left out in silence: `zrange(key, 0, -1, "REV")`, `lpop(key, 2)`, `scan(0, { MATCH: "a*" })`.
 *
 * Nothing of it is on the way of a call that sends as many parts as it was given arguments.
 */
import * as RedisArg from "../../RedisArg.ts"
import { unreadable } from "./unreadable.ts"

/** What a definition makes of its parameters. */
export type Listed = ReadonlyArray<RedisArg.Arg> | RedisArg.List | RedisArg.Answer

type Definition = (...parameters: ReadonlyArray<unknown>) => Listed

/**
 * Throws when something that was given is read by nobody: an argument too many, no record of options, options that are not known.
 * `sent` is how many parts are sent.
 */
export const refuseUnread = (sent: number, args: Definition, given: ArrayLike<unknown>): void => {
  let count = given.length
  // Callers that hand on options which they were not given themselves have to be served fast.
  while (count > sent && !isGiven(given[count - 1])) count--
  if (count <= sent) return
  const excess = surplus(args, given)
  if (excess !== undefined) return RedisArg.invalid(excess)
  const values = Array.from(given)
  for (let i = count - 1; i >= 0; i--) {
    const value = values[i]
    const before = values.slice(0, i)
    if (isPlain(value)) return refuseOptions(value, namesRead(args, before, value))
    // It is sent, and what stands behind it was left out by the caller.
    if (countOf(args, before) !== sent) return
    const names = namesRead(args, before, {})
    if (names.size > 0) return RedisArg.invalid(`takes its options as a record of ${listed(names)}`)
  }
}

/** Options of which none is read belong to another command; one in capitals is that of another client. */
const refuseOptions = (options: object, names: ReadonlySet<string>): void => {
  const given = Object.keys(options)
  const isForeign = !given.some((name) => names.has(name))
  for (const name of given) {
    if (!names.has(name) && (isForeign || names.has(name.toLowerCase()))) {
      RedisArg.invalid(`has no option ${name}; it reads ${listed(names)}`)
    }
  }
}

/** Whether a caller wants something by an argument or an option. */
const isGiven = (value: unknown): boolean =>
  isPlain(value)
    ? Object.values(value).some((option) => option !== undefined && option !== null && option !== false)
    : value !== undefined && value !== null && value !== false

/** The refusal of arguments, which also says when there are too many. */
export const refusal = (error: unknown, args: Definition, given: ArrayLike<unknown>): RedisArg.InvalidArgument => {
  const refused = unreadable(error)
  const excess = surplus(args, given)
  return excess === undefined || refused.detail === excess
    ? refused
    : new RedisArg.InvalidArgument(`${refused.detail}; it ${excess}`)
}

const surplus = (args: Definition, { length }: ArrayLike<unknown>): string | undefined =>
  length > args.length && !takesAnyNumber.test(String(args))
    ? `takes ${args.length} ${args.length === 1 ? "argument" : "arguments"}, and ${length} are given`
    : undefined

/** The head of a function with parameters that its `length` may not count: rest, those with a default, and taken apart. */
const takesAnyNumber = /^[^>]*?(?:[.{]|=[^>])/

const isPlain = (value: unknown): value is object => {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The names of the properties that the definition reads of the argument behind those `before`. */
const namesRead = (args: Definition, before: ReadonlyArray<unknown>, argument: object): ReadonlySet<string> => {
  const names = new Set<string>()
  const get = (target: object, name: string | symbol): unknown => {
    if (typeof name === "string") names.add(name)
    return Reflect.get(target, name)
  }
  try {
    args(...before, new Proxy(argument, { get }))
  } catch {
    // It has read what it refuses.
  }
  return names
}

/** How many parts are sent of these arguments; `undefined` when they are refused. */
const countOf = (args: Definition, given: ReadonlyArray<unknown>): number | undefined => {
  try {
    const list = args(...given)
    return list instanceof RedisArg.Answer ? 0 : RedisArg.flatten(list).length
  } catch {
    return undefined
  }
}

const listed = (names: ReadonlySet<string>): string => Array.from(names).join(", ") || "none"
