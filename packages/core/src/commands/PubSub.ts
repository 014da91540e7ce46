/**
 * Commands that publish messages and report subscriptions. Subscribing is not a command here but a stream:
 * `Redis.subscribe`.
 *
 * @since 0.1.0
 */
import { manyPairs } from "../internal/reply/collections.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * How many clients are subscribed to a channel by its name, not by a pattern.
 *
 * @category pubsub
 * @since 0.1.0
 */
export interface ChannelSubscribers<Channel = string, Count = number> {
  /** The name of the channel. */
  readonly channel: Channel
  /** How many clients are subscribed to it. */
  readonly subscribers: Count
}

const subscribers: Reply.Reply<
  ReadonlyArray<ChannelSubscribers>,
  ReadonlyArray<ChannelSubscribers<Uint8Array>>,
  ReadonlyArray<ChannelSubscribers<string, bigint>>
> = manyPairs({
  begin: (): Array<ChannelSubscribers<string | Uint8Array, number | bigint>> => [],
  put: (out, channel, subscribers, view) => {
    out.push({ channel: Reply.blob.decode(channel, view), subscribers: Reply.integer.decode(subscribers, view) })
  }
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Sends a message to a channel; returns how many subscribers of the server received it.
 *
 * The message is neither stored nor repeated: without subscribers it is lost. In a cluster it reaches all nodes, but
 * only subscribers of the node asked are counted. O(N+M) in the subscribers and patterns. Since Redis 2.0.0.
 *
 * **Example** (To everybody who listens; `Redis.subscribe` is the other end)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const receivers = Redis.publish("news", "it rains")
 * ```
 *
 * @category pubsub
 * @since 0.1.0
 */
export const publish = define("PUBLISH", (channel: Arg.Key, message: Arg.Value) => [channel, message], Reply.integer)

/**
 * Returns the channels with at least one subscriber, all or those that match a glob pattern.
 *
 * Channels with subscribers by pattern only do not count. In a cluster, it returns the channels of one node. O(N) in
 * the channels. Since Redis 2.8.0.
 *
 * @category pubsub
 * @since 0.1.0
 */
export const pubsubChannels = define(
  "PUBSUB CHANNELS",
  (pattern?: Arg.Key) => [pattern ?? Arg.none],
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Returns how many different patterns are subscribed to.
 *
 * O(1). Since Redis 2.8.0.
 *
 * @category pubsub
 * @since 0.1.0
 */
export const pubsubNumpat = define("PUBSUB NUMPAT", () => [], Reply.integer, "readonly")

/**
 * Returns how many subscribers each channel has, in the order of the channels.
 *
 * With no channels, returns an empty array without a round trip. O(N). Since Redis 2.8.0.
 *
 * **Example** (How many listen)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const listeners = Redis.pubsubNumsub("news", "sport")
 * ```
 *
 * @category pubsub
 * @since 0.1.0
 */
export const pubsubNumsub = define(
  "PUBSUB NUMSUB",
  (...channels: Arg.Many<Arg.Key>) => {
    const list = Arg.many(channels)
    return list.length === 0 ? Arg.answer([]) : list
  },
  subscribers,
  "readonly"
)

/**
 * Returns the shard channels with at least one subscriber, all or those that match a glob pattern.
 *
 * In a cluster, it returns the channels of one node. O(N) in the channels. Since Redis 7.0.0.
 *
 * @category pubsub
 * @since 0.1.0
 */
export const pubsubShardchannels = define(
  "PUBSUB SHARDCHANNELS",
  (pattern?: Arg.Key) => [pattern ?? Arg.none],
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Returns how many subscribers each shard channel has, in the order of the channels.
 *
 * With no channels, returns an empty array without a round trip. O(N). Since Redis 7.0.0.
 *
 * @category pubsub
 * @since 0.1.0
 */
export const pubsubShardnumsub = define(
  "PUBSUB SHARDNUMSUB",
  (...channels: Arg.Many<Arg.Key>) => {
    const list = Arg.many(channels)
    return list.length === 0 ? Arg.answer([]) : list
  },
  subscribers,
  "readonly"
)

/**
 * Sends a message to a shard channel; returns how many subscribers of the server received it.
 *
 * In a cluster, the channel belongs to a slot, as a key does, and the message stays on the nodes of that slot. O(N) in
 * the subscribers. Since Redis 7.0.0.
 *
 * @category pubsub
 * @since 0.1.0
 */
export const spublish = define(
  "SPUBLISH",
  (shardchannel: Arg.Key, message: Arg.Value) => [Arg.key(shardchannel), message],
  Reply.integer
)
