/**
 * A subscription that was not consumed fast enough.
 */
import * as Schema from "effect/Schema"

/**
 * Messages came faster than a subscription was consumed, and its buffer was
 * full; what it held was still yielded. `capacity` is that of the buffer.
 *
 * @category errors
 * @since 0.1.0
 */
export class PubSubOverflowError
  extends Schema.TaggedError<PubSubOverflowError>("@redfx/core/RedisError/PubSubOverflowError")("PubSubOverflowError", {
    capacity: Schema.Number
  })
{
  override get message(): string {
    return `More than ${this.capacity} messages waited to be consumed. Consume them faster, or choose another ` +
      "buffer.capacity or buffer.onFull for the subscription."
  }
}
