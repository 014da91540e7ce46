/**
 * The options by which a command that reads or writes a value also says until
 * when it lives.
 */
import * as Arg from "../../RedisArg.ts"
import type { AtMostOne } from "./atMostOne.ts"
import { known } from "./known.ts"

/**
 * A time to live, whose bare number is seconds (`ex`) or milliseconds (`px`), or a point in time, whose bare number is
 * unix time.
 */
export interface Expiry {
  /** The key lives for this long. A bare number is seconds. */
  readonly ex: Arg.Time
  /** The key lives for this long. A bare number is milliseconds. */
  readonly px: Arg.Time
  /** The key lives until this point in time. A bare number is unix seconds. */
  readonly exat: Arg.Instant | number
  /** The key lives until this point in time. A bare number is unix milliseconds. */
  readonly pxat: Arg.Instant | number
}

const timeOption = <T>(token: string, time: T | undefined, send: (time: T) => number): Arg.List =>
  time === undefined ? Arg.none : Arg.list(token, send(time))

/** The arguments for the one option that is given, or for none. `options` are all options of the command. */
export const expiryArgs = (options: AtMostOne<Expiry>): Arg.List => {
  const { ex, exat, px, pxat } = known(options, "{ ex: 60 }")
  return Arg.list(
    timeOption("EX", ex, Arg.seconds),
    timeOption("PX", px, Arg.milliseconds),
    timeOption("EXAT", exat, Arg.unixSeconds),
    timeOption("PXAT", pxat, Arg.unixMilliseconds)
  )
}
