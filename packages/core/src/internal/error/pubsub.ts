/**
 * Subscriptions that were not consumed fast enough, or have nothing to tell.
 */
import * as Schema from "effect/Schema"
import { printable } from "./printable.ts"
import { TaggedError } from "./tagged.ts"

/**
 * Messages came faster than a subscription was consumed, and its buffer was
 * full; what it held was still yielded. `capacity` is that of the buffer. `capacityBytes` is there when the messages were
 * fewer, and too long.
 *
 * @category errors
 * @since 0.1.0
 */
export class PubSubOverflowError
  extends TaggedError<PubSubOverflowError>("@redfx/core/RedisError/PubSubOverflowError")("PubSubOverflowError", {
    capacity: Schema.Number,
    capacityBytes: Schema.optionalKey(Schema.Number)
  })
{
  override get message(): string {
    const [waited, option] = this.capacityBytes === undefined
      ? [`More than ${this.capacity} messages`, "buffer.capacity"]
      : [`Messages of ${this.capacityBytes} bytes or more`, "buffer.capacityBytes"]
    return `${waited} waited to be consumed. Consume them faster, or choose another ${option} or buffer.onFull for the ` +
      "subscription."
  }
}

/**
 * A server does not report the keyspace events that were asked for.
 *
 * - `server`: its address, or with sentinels the name of what they watch.
 * - `setting`: its `notify-keyspace-events`, empty when it reports none at all.
 * - `missing`: the letters that would have to be in there as well.
 *
 * @category errors
 * @since 0.1.0
 */
export class KeyspaceEventsOffError
  extends TaggedError<KeyspaceEventsOffError>("@redfx/core/RedisError/KeyspaceEventsOffError")(
    "KeyspaceEventsOffError",
    { server: Schema.String, setting: Schema.String, missing: Schema.String }
  )
{
  override get message(): string {
    const { missing, server } = this
    const setting = printable(this.setting)
    const has = setting === "" ? "is off" : `is "${setting}", without "${missing}"`
    return `The server ${server} does not tell of these keyspace events: its notify-keyspace-events ${has}. Set it to ` +
      `"${setting}${missing}" on every server, replicas too, in its configuration as well: the client changes nothing there.`
  }
}
