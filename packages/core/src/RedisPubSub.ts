/**
 * Messages of channels as streams that survive the loss of their connection,
 * and that tell of every gap when they are asked to.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isReadonlyArray } from "./internal/argument/isReadonlyArray.ts"
import { orNone } from "./internal/argument/options.ts"
import type { Key, Many, Value } from "./RedisArg.ts"
import { RedisClient } from "./RedisClient.ts"
import type { RedisCommand } from "./RedisCommand.ts"
import { DataError } from "./RedisError.ts"
import type { CommandError, PubSubOverflowError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Elements
// -----------------------------------------------------------------------------

/**
 * A message that was published.
 *
 * All three are text, or bytes with `payload: "bytes"`: a channel may be named by any bytes, as a key may.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message<out Data = string> {
  readonly _tag: "Message"
  /** What it came by: a channel, a pattern, or a shard channel. */
  readonly kind: "message" | "pmessage" | "smessage"
  /** The channel that it was published to. */
  readonly channel: Data
  /** The pattern that the channel matches, of a `pmessage` only. */
  readonly pattern: Data | undefined
  /** What was published. */
  readonly data: Data
}

/**
 * How a channel is subscribed to: by its name, by a pattern, or as a shard channel.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "subscribe" | "psubscribe" | "ssubscribe"

/**
 * The server has confirmed a subscription: from here on messages arrive.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscribed<out Name = string> {
  readonly _tag: "Subscribed"
  /** What the subscription is to: a channel, a pattern, or a shard channel. */
  readonly kind: Kind
  /** The name of the channel, or the pattern. */
  readonly channel: Name
  /**
   * The server, by its address; with sentinels by the name of what they watch. `undefined` where any server of a cluster
   * will do, as there for everything but shard channels and keyspace events.
   */
  readonly server: string | undefined
}

/**
 * From here on messages may be missing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lost<out Name = string> {
  readonly _tag: "Lost"
  /**
   * `Disconnected`: the connection was lost. `Moved`: the server does not serve the shard channel any more, or, of
   * keyspace events, has begun to serve keys and was not listened to. `Overflow`: the buffer was full and its policy
   * dropped messages.
   */
  readonly reason: "Disconnected" | "Moved" | "Overflow"
  /** The channels and patterns that may miss messages. */
  readonly channels: ReadonlyArray<Name>
  /** How many messages an `Overflow` dropped; after another loss that is not known. */
  readonly dropped: number | undefined
  /** What ended the connection. */
  readonly error: CommandError | undefined
  /** The server whose messages are missing, as {@link Subscribed} names it. */
  readonly server: string | undefined
}

/**
 * From here on no message is missing. The messages that are missing were published
 * between the last element before {@link Lost} and the first after this. `server`
 * is the server that sends messages again; after a shard channel has moved it is
 * another one than before. Then messages that its former server has taken may come
 * late, after this, although some that were published after them are missing.
 *
 * On a cluster, messages that came before {@link Lost} may come again after it, each once from the next server: servers
 * get them from each other, each in its own time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Restored<out Name = string> {
  readonly _tag: "Restored"
  /** The channels and patterns that miss no message any more. */
  readonly channels: ReadonlyArray<Name>
  /** The server that sends messages again. */
  readonly server: string | undefined
}

/**
 * What happens to a subscription. Names are text, or bytes with `payload: "bytes"`.
 *
 * @category models
 * @since 0.1.0
 */
export type Event<Name = string> = Subscribed<Name> | Lost<Name> | Restored<Name>

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * How messages are kept for a consumer that is slower than their publishers.
 *
 * **Details**
 *
 * A buffer is full when it holds so many messages, or messages of so many bytes: one more may exceed the bytes. A
 * subscription that suspends has a connection of its own. It may exceed its capacity by what one read brought.
 *
 * @category options
 * @since 0.1.0
 */
export interface BufferOptions {
  /** How many messages may wait for the consumer. Default 16384. */
  readonly capacity?: number | undefined
  /**
   * How many bytes of messages may wait for the consumer. Default 67108864 (64 MB), twice what a server keeps for a
   * subscriber by default. The payload counts, and the name of the channel where it came by a pattern. Text counts with its
   * `length`, and takes up to twice as much memory where it is not all Latin.
   */
  readonly capacityBytes?: number | undefined
  /**
   * What happens to a message when the buffer is full.
   *
   * `"fail"`, the default, ends the stream with `PubSubOverflowError` after the messages in the buffer. `"dropOldest"` and
   * `"dropNewest"` leave messages out; with `events: true` the stream shows the gap. `"suspend"` stops reading from the
   * connection, so that the server has to keep the messages. The server closes the connection at a limit of its own
   * (`client-output-buffer-limit pubsub`), which is a gap as well.
   */
  readonly onFull?: "fail" | "suspend" | "dropOldest" | "dropNewest" | undefined
}

/**
 * What a subscription yields.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * Whether messages and the names of channels are `"text"`, the default, or `"bytes"`.
   *
   * Text that is not UTF-8 fails with `DecodeError`, unless the client has `textDecoding: "replace"`; then a subscription
   * to a name that is not UTF-8 fails with `DataError`. A payload that is neither text nor bytes, such as a list on
   * `__redis__:invalidate`, fails with `DecodeError`.
   */
  readonly payload?: "text" | "bytes" | undefined
  /** Whether the stream also yields {@link Subscribed}, {@link Lost} and {@link Restored}. Default `false`. */
  readonly events?: boolean | undefined
  /** How messages are kept for a consumer that is slower than their publishers. */
  readonly buffer?: BufferOptions | undefined
  /** Belongs into `buffer`. */
  readonly capacity?: never
  /** Belongs into `buffer`. */
  readonly capacityBytes?: never
  /** Belongs into `buffer`. */
  readonly onFull?: never
}

/**
 * The data of a message with such options.
 *
 * @category models
 * @since 0.1.0
 */
export type Data<O extends Options> = O extends { readonly payload?: infer P } ? P extends "bytes" ? Uint8Array : string
  : string

/**
 * What a subscription with such options yields.
 *
 * @category models
 * @since 0.1.0
 */
export type Element<O extends Options> = O extends { readonly events?: infer E }
  // Unknown where the option is not mentioned at all.
  ? unknown extends E ? Message<Data<O>>
  : [E] extends [false | undefined] ? Message<Data<O>>
  : Message<Data<O>> | Event<Data<O>>
  : Message<Data<O>>

// -----------------------------------------------------------------------------
// Handles
// -----------------------------------------------------------------------------

/**
 * Subscriptions that change while their messages are consumed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscription<out A> {
  /**
   * What arrives. The stream ends when the last channel was unsubscribed from, and can be run again after others were
   * subscribed to. Two consumers at a time share the messages between them.
   */
  readonly messages: Stream.Stream<A, CommandError | PubSubOverflowError>
  /**
   * Adds channels; returns when the server has confirmed all of them, and adds none when it fails. What is subscribed to already
   * stays.
   */
  readonly subscribe: (...channels: Many<Key>) => Effect.Effect<void, CommandError>
  /**
   * Adds patterns; returns when the server has confirmed all of them, and adds none when it fails. What is subscribed to already
   * stays.
   */
  readonly psubscribe: (...patterns: Many<Key>) => Effect.Effect<void, CommandError>
  /**
   * Adds shard channels; returns when the server has confirmed all of them, and adds none when it fails. What is subscribed to already
   * stays.
   */
  readonly ssubscribe: (...channels: Many<Key>) => Effect.Effect<void, CommandError>
  /**
   * Removes channels, or all of them; returns when the server has confirmed. What is not subscribed to is ignored.
   */
  readonly unsubscribe: (...channels: Many<Key>) => Effect.Effect<void, CommandError>
  /**
   * Removes patterns, or all of them; returns when the server has confirmed. What is not subscribed to is ignored.
   */
  readonly punsubscribe: (...patterns: Many<Key>) => Effect.Effect<void, CommandError>
  /**
   * Removes shard channels, or all of them; returns when the server has confirmed. What is not subscribed to is ignored.
   */
  readonly sunsubscribe: (...channels: Many<Key>) => Effect.Effect<void, CommandError>
  /** Asks the server on the connection of the messages, and returns what it answers: the message, or `PONG`. */
  readonly ping: (message?: Value) => Effect.Effect<string, CommandError>
  /** Whether there is any subscription. */
  readonly subscribed: Effect.Effect<boolean>
}

/**
 * The pub/sub of a client: opens subscriptions, which end with their scope. `everywhere` is for events that each server
 * reports only for itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface PubSub {
  /** Opens a subscription, which ends with its scope. */
  readonly open: <const O extends Options>(
    options: O
  ) => Effect.Effect<Subscription<Element<O>>, CommandError, Scope.Scope>
  /** Subscriptions on all servers. */
  readonly everywhere: Everywhere
}

/**
 * Subscriptions to events that each server reports only for itself, such as those of its keys: they are on all masters,
 * whichever these are. `Redis.keyspaceEvents` uses it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Everywhere extends Pick<PubSub, "open"> {
  /** Runs a command on one of the servers, by the name that {@link Subscribed} has for it. */
  readonly execute: <A>(server: string, command: RedisCommand<A>) => Effect.Effect<A, CommandError>
  /** Whether such channels are subscribed to on a server at the moment. Without it there is only one. */
  readonly listensTo?: ((server: string) => boolean) | undefined
  /** The database that the connections of the client select. */
  readonly database: number
  /** What the keys of the client begin with, if there is anything: events of other keys are not for it. */
  readonly prefix?: string | undefined
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Subscribes to channels: a Stream of their messages. The subscription begins when the Stream runs and ends with it.
 *
 * **Details**
 *
 * All subscriptions of a client share one connection, which exists while there are any; ordinary commands do not share
 * it. The stream fails when the server cannot be reached, or refuses, at first. Later it goes on after losses of the
 * connection: what is published meanwhile is missing, which `events: true` shows.
 *
 * **When to use**
 *
 * Use for messages of channels that are known beforehand. When channels are added and removed while messages are consumed,
 * use `Redis.pubsub`. Messages that must not be missed belong in a stream: see `RedisStream`. What happens to the
 * connections of a client is in `RedisClient.events`, what happens to keys in `Redis.keyspaceEvents`.
 *
 * **Example** (Messages, and where some may be missing)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Console, Stream } from "effect"
 *
 * const program = Redis.subscribe("news", { events: true }).pipe(
 *   Stream.runForEach((element) =>
 *     element._tag === "Message" ? Console.log(element.data) : Console.log("—", element._tag)
 *   )
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const subscribe = <const O extends Options = {}>(
  channels: Key | ReadonlyArray<Key>,
  options?: O
): Stream.Stream<Element<O>, CommandError | PubSubOverflowError, RedisClient> =>
  streamOf("subscribe", channels, options)

/**
 * Subscribes to all channels whose names match glob patterns; otherwise like {@link subscribe}.
 *
 * **Gotchas**
 *
 * A message is yielded once for each of the patterns that its channel matches.
 *
 * @category constructors
 * @since 0.1.0
 */
export const psubscribe = <const O extends Options = {}>(
  patterns: Key | ReadonlyArray<Key>,
  options?: O
): Stream.Stream<Element<O>, CommandError | PubSubOverflowError, RedisClient> =>
  streamOf("psubscribe", patterns, options)

/**
 * Subscribes to shard channels, to which `SPUBLISH` sends; otherwise like {@link subscribe}. Since Redis 7.0.0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ssubscribe = <const O extends Options = {}>(
  channels: Key | ReadonlyArray<Key>,
  options?: O
): Stream.Stream<Element<O>, CommandError | PubSubOverflowError, RedisClient> =>
  streamOf("ssubscribe", channels, options)

/**
 * Returns a handle for subscriptions that change while their messages are consumed. They end with the scope. Nothing is
 * opened before the first subscription.
 *
 * **Example** (Adding a channel later)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const subscription = yield* Redis.pubsub()
 *   yield* subscription.subscribe("first")
 *   yield* Effect.forkScoped(Stream.runForEach(subscription.messages, ({ data }) => Console.log(data)))
 *   yield* subscription.psubscribe("second:*")
 *   yield* subscription.unsubscribe("first")
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const pubsub = <const O extends Options = {}>(
  options?: O
): Effect.Effect<Subscription<Element<O>>, CommandError, RedisClient | Scope.Scope> =>
  typeof options === "function" || typeof options === "string"
    ? Effect.fail(
      new DataError({ command: "SUBSCRIBE", detail: typeof options === "function" ? noListener : noMoreChannels })
    )
    // Without options, O is its default.
    : Effect.flatMap(RedisClient, (client) => client.pubSub.open(orNone(options ?? {} as O)))

/** Other clients take a listener, which nobody would call here. */
const noListener = "takes no listener: the messages are a stream, and Stream.runForEach(stream, listener) calls one"

/** And they take channels one after the other. */
const noMoreChannels = "takes several channels as an array, [\"a\", \"b\"], and options after it"

const streamOf = <O extends Options>(
  kind: Kind,
  channels: Key | ReadonlyArray<Key>,
  options: O | undefined
): Stream.Stream<Element<O>, CommandError | PubSubOverflowError, RedisClient> =>
  Stream.unwrap(Effect.gen(function*() {
    const subscription = yield* pubsub(options)
    yield* subscription[kind](isReadonlyArray<Key>(channels) ? channels : [channels])
    return subscription.messages
  }))
