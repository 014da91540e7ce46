/**
 * What has a deadline.
 */
import type { CommandError } from "../../RedisError.ts"

/** When requests fail, by `elapsed`, the limit in milliseconds that has passed then, and what holds them. */
export interface Deadline {
  at: number
  readonly limit: number
  readonly list: { readonly remove: (request: Timed) => void }
}

/**
 * What fails when its time has passed.
 *
 * - `earlier`, `later`: links of the list that holds it; `deadline` is undefined when none does.
 */
export interface Timed {
  earlier: Timed | undefined
  later: Timed | undefined
  deadline: Deadline | undefined
  fail(error: CommandError): void
}
