/**
 * What goes wrong with a lock.
 */
import * as Schema from "effect/Schema"

/**
 * A lock could not be taken in time, or is not held.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockError extends Schema.TaggedError<LockError>("@redfx/core/RedisError/LockError")("LockError", {
  name: Schema.String,
  reason: Schema.Literals(["NotAcquired", "NotHeld", "NoTimeout"])
}) {
  override get message(): string {
    return this.reason === "NotAcquired"
      ? `Unable to acquire the lock "${this.name}" within the time specified.`
      : this.reason === "NotHeld"
      ? `The lock "${this.name}" is not held by this handle.`
      : `The lock "${this.name}" has no time to live that could be extended.`
  }
}

/**
 * A lock was held, but somebody else holds it by now, or it expired.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockNotOwnedError
  extends Schema.TaggedError<LockNotOwnedError>("@redfx/core/RedisError/LockNotOwnedError")("LockNotOwnedError", {
    name: Schema.String
  })
{
  override get message(): string {
    return `The lock "${this.name}" expired and is not owned any more; what it protected may have been entered by others.`
  }
}
