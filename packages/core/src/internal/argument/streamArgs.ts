/**
 * The arguments that several commands on streams have.
 */
import * as Arg from "../../RedisArg.ts"

/** The argument COUNT, which is at least 1. */
export const countArgs = (count: number | undefined): Arg.Arg =>
  count === undefined || (Number.isInteger(count) && count >= 1)
    ? Arg.option("COUNT", count)
    : Arg.invalid("count must be a whole number from 1 on")

/** The limits of one read. */
export interface ReadLimits {
  readonly count?: number | undefined
  readonly maxcount?: number | undefined
  readonly maxsize?: number | undefined
}

/** The limits of a read: of each stream, and of all streams together. */
export const limitArgs = ({ count, maxcount, maxsize }: ReadLimits): Arg.Arg =>
  Arg.list(countArgs(count), limit("MAXCOUNT", maxcount), limit("MAXSIZE", maxsize))

const limit = (token: string, value: number | undefined): Arg.Arg =>
  value === undefined || (Number.isSafeInteger(value) && value >= 1)
    ? Arg.option(token, value)
    : Arg.invalid(`${token.toLowerCase()} must be a whole number from 1 on`)

/** The argument BLOCK: how long to wait for entries. Without it the read does not wait. */
export const blockArgs = (block: Arg.Time | undefined): Arg.Arg =>
  block === undefined ? Arg.none : Arg.list("BLOCK", Arg.blockMilliseconds(block))

/** The streams to read, first their keys, then the ids after which to read; without `block` it does not wait. */
export const streamArgs = (
  streams: Arg.Pairs<Arg.Key, string | number>,
  block: Arg.Time | undefined
): Arg.Arg => {
  const flat = [...Arg.keyPairs(streams)]
  return new Arg.List([
    block === undefined ? Arg.withoutBlocking("STREAMS") : "STREAMS",
    ...flat.filter((_, i) => i % 2 === 0),
    ...flat.filter((_, i) => i % 2 === 1)
  ])
}

/** A time that is not negative, in whole milliseconds. */
export const idleMilliseconds = (time: Arg.Time, name: string): number => {
  const value = typeof time === "number" ? time : Arg.milliseconds(time)
  return value >= 0 && Number.isSafeInteger(value)
    ? value
    : Arg.invalid(`${name} must be a whole number of milliseconds from 0 on`)
}
