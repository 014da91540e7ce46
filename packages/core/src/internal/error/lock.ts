/**
 * Errors of locks and semaphores.
 */
import * as Schema from "effect/Schema"
import { quoted } from "./printable.ts"
import { TaggedError } from "./tagged.ts"

/** The thing that was to be held. */
const kind = Schema.Literals(["lock", "semaphore"])

/**
 * A lock, or a permit of a semaphore, could not be taken in time, or is not held.
 *
 * - `name`: that of the lock or the semaphore. What else prints an error's `name` as its class, as `Cause.pretty` does, shows
 *   this; the `_tag` is the class.
 * - `kind`: which of them it is. Leaders hold a lock.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockError extends TaggedError<LockError>("@redfx/core/RedisError/LockError")("LockError", {
  name: Schema.String,
  reason: Schema.Literals(["NotAcquired", "NotHeld", "NoTimeout"]),
  kind
}) {
  override get message(): string {
    const what = `${this.kind} ${quoted(this.name)}`
    return this.reason === "NotAcquired"
      ? `Unable to acquire the ${what} within the time specified.`
      : this.reason === "NotHeld"
      ? `The ${what} is not held by this handle.`
      : `The ${what} has no time to live that could be extended.`
  }

  override toString(): string {
    return `${LockError.identifier}: ${this.message}`
  }
}

/**
 * A lock, or a permit of a semaphore, was held, but somebody else holds it by now, or it expired.
 *
 * - `name`: that of the lock or the semaphore, as that of a {@link LockError}.
 * - `kind`: which of them it is. Leaders hold a lock.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockNotOwnedError
  extends TaggedError<LockNotOwnedError>("@redfx/core/RedisError/LockNotOwnedError")("LockNotOwnedError", {
    name: Schema.String,
    kind
  })
{
  override get message(): string {
    const what = this.kind === "semaphore" ? "permit of the semaphore" : "lock"
    return `The ${what} ${
      quoted(this.name)
    } expired and is not owned any more; what it protected may have been entered by others.`
  }

  override toString(): string {
    return `${LockNotOwnedError.identifier}: ${this.message}`
  }
}
