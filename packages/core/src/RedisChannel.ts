/**
 * Channels whose messages have a schema: what one program publishes, others receive as values.
 *
 * **Example** (Prices)
 *
 * ```ts
 * import { RedisChannel } from "@redfx/core"
 * import { Console, Schema, Stream } from "effect"
 *
 * const prices = RedisChannel.make("prices", {
 *   value: Schema.Struct({ symbol: Schema.String, price: Schema.Finite })
 * })
 *
 * export const publish = prices.publish({ symbol: "RDX", price: 12.5 })
 *
 * export const follow = Stream.runForEach(prices.subscribe(), ({ price, symbol }) => Console.log(symbol, price))
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { publish, spublish } from "./commands/PubSub.ts"
import { orNone } from "./internal/argument/options.ts"
import { quoted } from "./internal/error/printable.ts"
import { TaggedError } from "./internal/error/tagged.ts"
import { onlyFitting } from "./internal/values/misfits.ts"
import type { Misfits } from "./internal/values/misfits.ts"
import * as Values from "./internal/values/schemaValues.ts"
import type { RedisClient } from "./RedisClient.ts"
import type { CodecError, RedisCodec } from "./RedisCodec.ts"
import { DataError } from "./RedisError.ts"
import type { CommandError, PubSubOverflowError } from "./RedisError.ts"
import * as PubSub from "./RedisPubSub.ts"

// -----------------------------------------------------------------------------
// Errors
// -----------------------------------------------------------------------------

/**
 * A message that does not fit the schema of its channel.
 *
 * **Details**
 *
 * `operation`: `"decode"` when a message that was received does not fit, `"encode"` when one that was given cannot be
 * published; then nothing was sent. The message itself is not shown.
 *
 * @category errors
 * @since 0.1.0
 */
export class ChannelError extends TaggedError<ChannelError>("@redfx/core/RedisChannel/ChannelError")(
  "ChannelError",
  { channel: Schema.String, operation: Schema.Literals(["encode", "decode"]), detail: Schema.String }
) {
  override get message(): string {
    const channel = quoted(this.channel)
    return this.operation === "decode"
      ? `A message of the channel ${channel} is not what its schema says: ${this.detail}`
      : `The message for the channel ${channel} cannot be written: ${this.detail}. Nothing was sent.`
  }
}

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Options of {@link make}.
 *
 * @category options
 * @since 0.1.0
 */
export interface ChannelOptions<A> {
  /** The schema of messages, which are published as JSON. */
  readonly value: Schema.Codec<A, unknown>
  /** What the bytes of messages go through, such as `NodeCompression` of `@redfx/node`. */
  readonly codec?: RedisCodec | undefined
  /** Whether it is a shard channel, which is used by SPUBLISH and SSUBSCRIBE. Since Redis 7.0. Default `false`. */
  readonly sharded?: boolean | undefined
}

/**
 * Options of a subscription.
 *
 * @category options
 * @since 0.1.0
 */
export interface SubscribeOptions {
  /** How messages are kept for a consumer that is slower than their publishers, as with `Redis.subscribe`. */
  readonly buffer?: PubSub.BufferOptions | undefined
  /**
   * What happens to a message that does not fit the schema: `"fail"`, the default, fails the stream with its
   * `ChannelError`, `"skip"` leaves it out, and a function is given the error of each that is left out.
   */
  readonly misfits?: Misfits<ChannelError> | undefined
}

/**
 * A message of a typed channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message<out A> {
  readonly _tag: "Message"
  /** What was published, as the schema decodes it. */
  readonly data: A
}

/**
 * What a subscription to a typed channel can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type SubscriptionError = CommandError | PubSubOverflowError | ChannelError

/**
 * A channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisChannel<A> {
  /** The name of the channel. */
  readonly name: string
  /** Publishes a message, and returns how many subscribers got it; in a cluster those of one node. */
  readonly publish: (value: A) => Effect.Effect<number, CommandError | ChannelError, RedisClient>
  /** The messages, for as long as the stream runs, as those of `Redis.subscribe`. */
  readonly subscribe: (
    options?: SubscribeOptions
  ) => Stream.Stream<A, CommandError | PubSubOverflowError | ChannelError, RedisClient>
  /** The messages as {@link RedisChannel.subscribe} has them, and where some may be missing. */
  readonly events: (
    options?: SubscribeOptions
  ) => Stream.Stream<Message<A> | PubSub.Event, CommandError | PubSubOverflowError | ChannelError, RedisClient>
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a typed channel of this name. Nothing is sent until it is used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(name: string, options: ChannelOptions<A>): RedisChannel<A> => {
  const { codec, sharded: isSharded, value } = orNone(options)
  const values = Values.asBytes(Values.asJson(value), codec)
  const sharded = isSharded === true
  const misfit = ({ detail, operation }: CodecError) => new ChannelError({ channel: name, operation, detail })
  const missing = Values.missing(value, "value")
  const opened = ({ buffer }: SubscribeOptions) => {
    if (missing !== undefined) return Stream.fail(new DataError({ command: "RedisChannel.make", detail: missing }))
    const elements = { payload: "bytes", events: true, buffer } as const
    return sharded ? PubSub.ssubscribe(name, elements) : PubSub.subscribe(name, elements)
  }
  const events: RedisChannel<A>["events"] = (subscription = {}) =>
    Stream.flattenIterable(Stream.mapEffect(opened(subscription), (element) =>
      element._tag === "Message"
        ? onlyFitting(subscription.misfits)(Effect.mapBoth(values.decode(element.data), {
          onSuccess: (data): ReadonlyArray<Message<A> | PubSub.Event> => [{ _tag: "Message", data }],
          onFailure: misfit
        }))
        : Effect.succeed([named(element, name)])))
  return {
    name,
    publish: (value) =>
      Effect.flatMap(
        Effect.mapError(values.encode(value), misfit),
        (bytes): Effect.Effect<number, CommandError, RedisClient> =>
          sharded ? spublish(name, bytes) : publish(name, bytes)
      ),
    subscribe: (subscription) =>
      Stream.flattenIterable(
        Stream.map(events(subscription), (element) => element._tag === "Message" ? [element.data] : [])
      ),
    events
  }
}

/** The event with the name as the caller gave it: there is no other channel. */
const named = (event: PubSub.Event<Uint8Array>, name: string): PubSub.Event =>
  event._tag === "Subscribed" ? { ...event, channel: name } : { ...event, channels: [name] }
