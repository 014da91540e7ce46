/**
 * What has a deadline.
 */
import type { CommandError } from "../../RedisError.ts"

/**
 * The deadline of one request, or of several.
 *
 * - `at`: the time of `elapsed` at which they fail. `limit`: the milliseconds that have passed then.
 * - `list`: the list or the heap that holds them.
 */
export interface Deadline {
  at: number
  readonly limit: number
  readonly list: { readonly remove: (request: Timed) => void }
}

/**
 * A request, as far as deadlines are concerned: it expires when its time has passed.
 *
 * - `earlier`, `later`: links of the list that holds it. `deadline`: `undefined` when nothing holds it.
 */
export interface Timed {
  earlier: Timed | undefined
  later: Timed | undefined
  deadline: Deadline | undefined
  fail(error: CommandError): void
  /** Fails because its time, of so many milliseconds, has passed. */
  expire(limit: number): void
}
