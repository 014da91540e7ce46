/**
 * What happens to keys, as the servers report it: which keys were set, were
 * deleted, have expired.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { configGet } from "./commands/Config.ts"
import { escapeGlob } from "./internal/argument/glob.ts"
import { joined } from "./internal/codec/memory.ts"
import { decodeUtf8, encodeUtf8, isBytes } from "./internal/codec/utf8.ts"
import { failureOf, timeLimit } from "./internal/error/events.ts"
import { Prefix } from "./internal/prefix/prefix.ts"
import { missingIn } from "./internal/pubsub/keyspaceEventClasses.ts"
import { withTimeout } from "./internal/runtime/elapsed.ts"
import type { Key } from "./RedisArg.ts"
import { RedisClient } from "./RedisClient.ts"
import { DataError, KeyspaceEventsOffError } from "./RedisError.ts"
import type { CommandError, PubSubOverflowError } from "./RedisError.ts"
import type * as RedisPubSub from "./RedisPubSub.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Something that has happened to a key.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyEvent<out Name = string> {
  readonly _tag: "KeyEvent"
  /**
   * What has happened, by Redis's name for it: `"set"`, `"del"`, `"expired"` … It is not always that of the command: INCR
   * reports `"incrby"`.
   */
  readonly event: string
  /** The key: text, or bytes with `payload: "bytes"`. */
  readonly key: Name
  /** The number of the database that the key is in. */
  readonly database: number
}

/**
 * It is not known whether a server reports these events at all: it does not say what its `notify-keyspace-events` is. Many
 * users and most managed services may not ask for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SettingUnknown {
  readonly _tag: "SettingUnknown"
  /** The server, by the name that gaps have for it. */
  readonly server: string
  /** How the server answered, `undefined` when it has no such setting. */
  readonly error: CommandError | undefined
}

/**
 * The options of {@link keyspaceEvents}: which events, and how they are yielded.
 *
 * **Details**
 *
 * `payload` says whether keys are `"text"`, the default, or `"bytes"`. A key that is not UTF-8 fails the stream with
 * `DecodeError` as text, unless the client has `textDecoding: "replace"`. With `events: true` the stream also yields
 * `Subscribed`, `Lost` and `Restored`, for each server by itself, and {@link SettingUnknown}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends RedisPubSub.Options {
  /** The names of the events, such as `"expired"`. Default: all that the servers tell of. */
  readonly names?: string | ReadonlyArray<string> | undefined
  /**
   * A glob pattern of the keys, as that of `SCAN`. Default: all keys. With it, and on a client with a prefix, the servers
   * need `K` in their setting `notify-keyspace-events`; without it they need `E`.
   */
  readonly match?: Key | undefined
  /** The number of a database, or `"all"`. Default: the database that the client uses. */
  readonly database?: number | "all" | undefined
}

/**
 * What the stream yields with such options.
 *
 * @category models
 * @since 0.1.0
 */
export type Element<O extends Options> =
  | KeyEvent<RedisPubSub.Data<O>>
  | Exclude<RedisPubSub.Element<O>, { readonly _tag: "Message" }>
  | (RedisPubSub.Lost extends RedisPubSub.Element<O> ? SettingUnknown : never)

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Tells what happens to keys, as a Stream of events for as long as it runs. It works alike on one server, with sentinels
 * and on a cluster.
 *
 * **Details**
 *
 * Each server of a cluster reports its own keys only; the stream listens to all masters, also to those that become one
 * later. With `events: true` gaps are reported for each server: `Lost` when a connection is lost, or when a server has begun to
 * serve keys and was not listened to, `Restored` when nothing is missing of that server any more. Nothing is missing while
 * there is a `Restored` for each server of a `Lost`.
 *
 * Servers report nothing unless they are configured to (`notify-keyspace-events`), and the client does not change that
 * setting. Each server is asked when the stream begins to listen to it: the stream fails with `KeyspaceEventsOffError` when
 * the events are turned off there. It goes on when a server does not say.
 *
 * The stream fails when a server cannot be reached, or refuses, at first; later it goes on over losses as subscriptions do.
 * Since Redis 2.8.0.
 *
 * **Gotchas**
 *
 * Redis keeps no events: a program that must not miss any has to look at the data after each gap. A key that expires is
 * reported when the server deletes it, which may be long after its time. A key that moves to another server with its slot
 * is deleted (`"del"`) on the one and restored (`"restore"`) on the other.
 *
 * **Example** (Sessions that have expired)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Console, Stream } from "effect"
 *
 * const program = Redis.keyspaceEvents({ names: ["expired", "del"], match: "session:*", events: true }).pipe(
 *   Stream.runForEach((element) =>
 *     element._tag === "KeyEvent" ? Console.log(element.key, element.event) : Console.log("—", element._tag)
 *   )
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const keyspaceEvents = <const O extends Options = {}>(
  options?: O
): Stream.Stream<Element<O>, CommandError | KeyspaceEventsOffError | PubSubOverflowError, RedisClient> =>
  Stream.unwrap(Effect.gen(function*() {
    const { pubSub: { everywhere } } = yield* RedisClient
    const { events = false }: Options = options ?? {}
    const asked = yield* askedFor(options ?? {}, everywhere)
    const subscription = yield* everywhere.open({ ...options, events: true })
    yield* subscription.psubscribe(asked.patterns)
    const yielded = subscription.messages.pipe(
      Stream.mapArrayEffect((elements) =>
        Effect.map(
          Effect.forEach(freshIn(elements), (server) => check(everywhere, server, asked), { concurrency: "unbounded" }),
          (unknown): Arr.NonEmptyReadonlyArray<ReadonlyArray<Yielded>> => [
            [...yieldedOf(elements, asked, events), ...events ? unknown.flat() : []]
          ]
        )
      ),
      Stream.filter(Arr.isReadonlyArrayNonEmpty),
      Stream.flattenArray
    )
    // The stream yields only elements that these options ask for.
    return yielded as unknown as Stream.Stream<Element<O>, CommandError | KeyspaceEventsOffError | PubSubOverflowError>
  }))

// -----------------------------------------------------------------------------
// What is asked for
// -----------------------------------------------------------------------------

/**
 * - `kind`: by which channels, those that name the key (`K`) or those that name the event (`E`).
 * - `names`: `undefined` for all.
 */
interface Asked {
  readonly kind: "K" | "E"
  readonly names: ReadonlyArray<string> | undefined
  readonly prefix: Prefix | undefined
  readonly patterns: ReadonlyArray<Key>
}

const askedFor = Effect.fnUntraced(function*(
  options: Options,
  { database: own, prefix: keyPrefix }: RedisPubSub.Everywhere
): Effect.fn.Return<Asked, DataError> {
  const prefix = keyPrefix === undefined ? undefined : new Prefix(keyPrefix)
  // Asked for by the names of events, servers would tell of the keys of everybody, whatever bytes these are.
  const { database = own, match = prefix === undefined ? undefined : "*" } = options
  const names = typeof options.names === "string" ? [options.names] : options.names
  if (database !== "all" && !(Number.isInteger(database) && database >= 0)) {
    return yield* refuse(`database is ${String(database)}, and neither a number of a database nor "all"`)
  }
  if (names !== undefined && (names.length === 0 || !names.every((name) => typeof name === "string" && name !== ""))) {
    return yield* refuse("names must be the names of events, at least one")
  }
  if (match !== undefined && typeof match !== "string" && !isBytes(match)) {
    return yield* refuse("match must be text or bytes")
  }
  return match === undefined
    ? {
      kind: "E",
      names,
      prefix,
      patterns: (names?.map(escapeGlob) ?? ["*"]).map((name) =>
        `__keyevent@${database === "all" ? "*" : database}__:${name}`
      )
    }
    : {
      kind: "K",
      names,
      prefix,
      patterns: (database === "all" ? everyNumber : [String(database)]).map((number) =>
        behind(`__keyspace@${number}__:`, prefix?.beforePattern(match) ?? match)
      )
    }
})

const refuse = (detail: string): Effect.Effect<never, DataError> =>
  Effect.fail(new DataError({ command: "Redis.keyspaceEvents", detail }))

/** A star would also match what looks like the end of a number in the middle of a key. */
const everyNumber = Array.from({ length: 10 }, (_, more) => "[0-9]".repeat(more + 1))

const behind = (prefix: string, match: Key): Key =>
  typeof match === "string" ? prefix + match : joined([encodeUtf8(prefix), match])

// -----------------------------------------------------------------------------
// What arrives
// -----------------------------------------------------------------------------

type Name = string | Uint8Array

type Yielded = KeyEvent<Name> | RedisPubSub.Event<Name> | SettingUnknown

type Arrived = RedisPubSub.Message<Name> | RedisPubSub.Event<Name>

const yieldedOf = (
  elements: ReadonlyArray<Arrived>,
  asked: Asked,
  events: boolean
): ReadonlyArray<Yielded> =>
  elements.flatMap((element) => element._tag === "Message" ? eventIn(element, asked) ?? [] : events ? element : [])

/** What a message tells of; `undefined` for what was not asked for, and what no server has published. */
const eventIn = (
  { channel, data }: RedisPubSub.Message<Name>,
  { kind, names, prefix }: Asked
): KeyEvent<Name> | undefined => {
  // Both kinds have a name of eleven letters and signs before the number.
  let end = 11
  while (isDigit(channel, end)) end++
  const rest = channel.slice(end)
  const database = Number(textOf(channel.slice(11, end)))
  if (end === 11 || textOf(rest.slice(0, 3)) !== "__:") return undefined
  const [sent, name] = kind === "K" ? [rest.slice(3), data] : [data, rest.slice(3)]
  const event = textOf(name)
  const key = prefix === undefined ? sent : prefix.after(sent)
  return key !== undefined && (names === undefined || names.includes(event))
    ? { _tag: "KeyEvent", event, key, database }
    : undefined
}

const isDigit = (name: Name, index: number): boolean => {
  const code = typeof name === "string" ? name.charCodeAt(index) : name[index] ?? 0
  return code >= 48 && code <= 57
}

const textOf = (name: Name): string => typeof name === "string" ? name : decodeUtf8(name, 0, name.length)

// -----------------------------------------------------------------------------
// Whether servers tell
// -----------------------------------------------------------------------------

/** The servers that are listened to from here on, or again: another one may be behind their names now. */
const freshIn = (elements: ReadonlyArray<Arrived>): ReadonlySet<string> =>
  new Set(
    elements.flatMap((element) =>
      (element._tag === "Subscribed" || element._tag === "Restored") && element.server !== undefined
        ? [element.server]
        : []
    )
  )

const setting = "notify-keyspace-events"

/** The milliseconds for which the events that are there already may wait for the answer of one server. */
const patience = 1000

const unanswered = (server: string): CommandError =>
  failureOf(timeLimit("read", patience, server), { name: "CONFIG GET", readonly: true }, "unknown")

/**
 * Fails when a server is known not to tell of what was asked for. A server that is not listened to any more, as a master
 * that was replaced, is not asked.
 */
const check = (
  everywhere: RedisPubSub.Everywhere,
  server: string,
  { kind, names }: Asked
): Effect.Effect<ReadonlyArray<SettingUnknown>, KeyspaceEventsOffError> =>
  Effect.gen(function*() {
    const isListenedTo = () => everywhere.listensTo?.(server) ?? true
    if (!isListenedTo()) return []
    const asking = Effect.retry(everywhere.execute(server, configGet(setting)), {
      schedule: Schedule.spaced("100 millis"),
      times: 2,
      while: ({ _tag }) => _tag === "ConnectionError"
    })
    const answer = yield* Effect.result(
      withTimeout(asking, { limit: patience, orElse: () => Effect.fail(unanswered(server)) })
    )
    if (!isListenedTo()) return []
    const value = Result.isSuccess(answer) ? answer.success[setting] : undefined
    if (value === undefined) {
      return [{ _tag: "SettingUnknown", server, error: Result.isFailure(answer) ? answer.failure : undefined }]
    }
    const missing = missingIn(value, kind, names)
    if (missing !== "") return yield* new KeyspaceEventsOffError({ server, setting: value, missing })
    return []
  })
