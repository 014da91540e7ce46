/**
 * What a call gives and its definition does not read. Types refuse it, but programs are also written without them, and what other
 * clients read would be left out in silence: `zrange(key, 0, -1, "REV")`, `lpop(key, 2)`, `scan(0, { MATCH: "a*" })`.
 *
 * A call that sends as many parts as it was given arguments never comes here.
 */
import * as RedisArg from "../../RedisArg.ts"

/** What a definition makes of its parameters. */
export type Listed = ReadonlyArray<RedisArg.Arg> | RedisArg.List | RedisArg.Answer

/** Throws when nothing is read of one of the last arguments. `sent` is how many parts are sent of all. */
export const refuseUnread = (
  sent: number,
  args: (...parameters: ReadonlyArray<unknown>) => Listed,
  given: Iterable<unknown>
): void => {
  const before = [...given]
  while (before.length > sent) {
    const last = before.pop()
    // Callers that hand on what they were not given themselves have to be served fast.
    if (!isGiven(last)) continue
    const isRecord = typeof last === "object" && !Array.isArray(last)
    const names = new Set<unknown>()
    const probe = new Proxy(isRecord ? last : {}, {
      get: (target, name): unknown => (names.add(name), Reflect.get(target, name))
    })
    let isAlike = isRecord
    try {
      isAlike ||= RedisArg.flatten(args(...before) as never).length === sent
      args(...before, probe)
    } catch {
      // Without the argument the call is refused, or the definition has read what it refuses.
    }
    // It is sent, or something of it is read: what stands behind it was left out by the caller.
    if (!isAlike || Object.keys(last).some((name) => names.has(name))) return
    if (names.size > 0 || (before.length >= args.length && !hasMore.test(String(args)))) {
      const options = names.size > 0 ? `; options are a record of ${[...names].join(", ")}` : ""
      RedisArg.invalid(`reads nothing of its argument ${before.length + 1}${options}`)
    }
  }
}

/** Whether a caller wants something by an argument. */
const isGiven = (value: unknown): value is NonNullable<unknown> =>
  typeof value === "object" && value !== null ? Object.values(value).some(Boolean) : Boolean(value)

/** The head of a function with parameters that its `length` does not count: the rest, those with a default. */
const hasMore = /^[^>]*?(?:[.{]|=[^>])/
