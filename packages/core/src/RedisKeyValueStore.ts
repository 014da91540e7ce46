/**
 * Effect's `KeyValueStore` in Redis, for programs that store values by key and need not know where.
 *
 * **Example** (Settings)
 *
 * ```ts
 * import { RedisKeyValueStore } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Effect, Layer } from "effect"
 * import { KeyValueStore } from "effect/persistence"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* KeyValueStore.KeyValueStore
 *   yield* store.set("theme", "dark")
 *   return yield* store.get("theme")
 * })
 *
 * export const main = program.pipe(
 *   Effect.provide(RedisKeyValueStore.layer({ prefix: "settings:" })),
 *   Effect.provide(NodeRedisClient.layer({ host: "127.0.0.1" }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { del, exists } from "./commands/Generic.ts"
import { get, set } from "./commands/Strings.ts"
import { orNone } from "./internal/argument/options.ts"
import { present } from "./internal/error/present.ts"
import { quoted } from "./internal/error/printable.ts"
import { clearUnder, countUnder, keysUnder, noneUnder } from "./internal/persistence/prefixed.ts"
import { RedisClient } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import { DataError } from "./RedisError.ts"
import type { RedisError } from "./RedisError.ts"
import * as RedisReply from "./RedisReply.ts"
import { watch } from "./RedisTransaction.ts"
import * as Resp from "./Resp.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options of a store.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * The text that all keys of the store begin with. No other key of the database may begin with it. With the empty text,
   * the store is the whole database, and `clear` empties the database.
   */
  readonly prefix: string
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a store on the `RedisClient` of the surrounding program.
 *
 * **Details**
 *
 * - Each entry is a string at `prefix + key`. Text is stored as UTF-8. Bytes are stored after a byte `FF`, which no
 *   text begins with. `get` returns them in Base64 and `getUint8Array` returns them as they are, as in Effect's other
 *   stores.
 * - `modify` and `modifyUint8Array` are atomic: when another client changes the entry meanwhile, the function is called
 *   again with the new value. They hold a connection of the client's pool until they are done.
 * - `clear`, `clearPrefix`, `size`, `keys` and `isEmpty` scan the keys of the database with SCAN, on a cluster those of
 *   every master. They may or may not see keys that are written or removed meanwhile.
 * - On a cluster, entries are spread over all masters.
 *
 * Errors are `KeyValueStoreError`; its `cause` is the error of the client, which says whether a write may have run. Since
 * Redis 4.0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<KeyValueStore.KeyValueStore, never, RedisClient> =>
  Effect.flatMap(RedisClient, (client) => {
    const { prefix } = orNone(options)
    return typeof prefix === "string"
      ? Effect.succeed(storeOn(client, prefix))
      : Effect.die(new DataError({ command: "RedisKeyValueStore.make", detail: missingPrefix }))
  })

const missingPrefix = "prefix is missing; give one, such as { prefix: \"kv:\" }"

// -----------------------------------------------------------------------------
// Layers
// -----------------------------------------------------------------------------

/**
 * Provides the store that {@link make} makes.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<KeyValueStore.KeyValueStore, never, RedisClient> =>
  Layer.effect(KeyValueStore.KeyValueStore)(make(options))

// -----------------------------------------------------------------------------
// Operations
// -----------------------------------------------------------------------------

const storeOn = (client: RedisClient["Service"], prefix: string): KeyValueStore.KeyValueStore => {
  const asking = <A>(method: string, effect: Effect.Effect<A, RedisError, RedisClient>, key?: string) =>
    Effect.mapError(Effect.provideService(effect, RedisClient, client), (cause) => {
      const message = `cannot ${method}${key === undefined ? "" : ` ${quoted(prefix + key)}`}: ${cause.message}`
      return new KeyValueStore.KeyValueStoreError({ method, message, cause, ...present({ key }) })
    })
  const reading = <A>(method: string, entry: RedisReply.Reply<A>) => (key: string) =>
    asking(method, read(prefix + key, entry), key)
  const modifying =
    <A extends Value>(method: string, entry: RedisReply.Reply<A>) => (key: string, f: (value: A) => A) =>
      asking(method, update(prefix + key, entry, f), key)
  return KeyValueStore.make({
    get: reading("get", asText),
    getUint8Array: reading("getUint8Array", asBytes),
    set: (key, value) => asking("set", Effect.asVoid(set(prefix + key, stored(value))), key),
    remove: (key) => asking("remove", Effect.asVoid(del(prefix + key)), key),
    has: (key) => asking("has", Effect.map(exists(prefix + key), (count) => count > 0), key),
    modify: modifying("modify", asText),
    modifyUint8Array: modifying("modifyUint8Array", asBytes),
    clear: asking("clear", clearUnder(prefix)),
    clearPrefix: (start) => asking("clearPrefix", clearUnder(prefix + start), start),
    size: asking("size", countUnder(prefix)),
    keys: asking("keys", Effect.map(keysUnder(prefix), (keys) => [...keys])),
    isEmpty: asking("isEmpty", noneUnder(prefix))
  })
}

/** Reads an entry; `undefined` when there is none. */
const read = <A>(name: string, entry: RedisReply.Reply<A>): RedisCommand.RedisCommand<A | undefined> =>
  RedisCommand.withReply(get(name), RedisReply.nullable(entry))

/** Replaces the value of an entry by the result of `f`. A missing entry stays missing. */
const update = Effect.fnUntraced(function*<A extends Value>(
  name: string,
  entry: RedisReply.Reply<A>,
  f: (value: A) => A
) {
  let next: A | undefined
  const body = Effect.map(read(name, entry), (found): ReadonlyArray<RedisCommand.Any> => {
    next = found === undefined ? undefined : f(found)
    return next === undefined ? [] : [set(name, stored(next))]
  })
  yield* watch(name, body)
  // The committed value is the one from the last run of the body.
  return next
})

// -----------------------------------------------------------------------------
// Values
// -----------------------------------------------------------------------------

type Value = string | Uint8Array

/** Marks bytes. This byte never occurs in UTF-8, so text and bytes can always be told apart. */
const mark = 0xff

const stored = (value: Value): Value => {
  if (typeof value === "string") return value
  const marked = new Uint8Array(value.length + 1)
  marked[0] = mark
  marked.set(value, 1)
  return marked
}

const marked = Uint8Array.of(mark)

const asBytes: RedisReply.Reply<Uint8Array> = RedisReply.make((value) =>
  value instanceof Resp.Bulk ? (value.after(marked) ?? value).bytes() : RedisReply.mismatch("a bulk string", value)
)

/** Bytes that somebody else has stored, and that are no text, are refused like everywhere. */
const asText: RedisReply.Reply<string> = RedisReply.make((value, view) => {
  const bytes = value instanceof Resp.Bulk ? value.after(marked)?.bytes() : undefined
  return bytes === undefined ? RedisReply.text.decode(value, view) : Base64.encode(bytes)
})
