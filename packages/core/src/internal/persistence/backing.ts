/**
 * The store behind Effect's `Persistence`, with a key for each entry.
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { PersistenceError } from "effect/persistence/Persistence"
import type { BackingPersistence, BackingPersistenceStore } from "effect/persistence/Persistence"
import { del } from "../../commands/Generic.ts"
import { get, mget, set } from "../../commands/Strings.ts"
import { RedisClient } from "../../RedisClient.ts"
import { asBytes } from "../../RedisCommand.ts"
import type { CommandError } from "../../RedisError.ts"
import { pipeline } from "../../RedisPipeline.ts"
import { decodeUtf8Strict } from "../codec/utf8.ts"
import { quoted } from "../error/printable.ts"
import { clearUnder } from "./prefixed.ts"

type Entry = readonly [key: string, value: object, ttl: Duration.Duration | undefined]

/**
 * The store on a client. Every command is of one key, or is split by keys, so that a cluster serves it like one server.
 */
export const backingOn = (client: RedisClient["Service"]): BackingPersistence["Service"] => ({
  make: (storeId) => Effect.succeed(storeOn(client, namespaceOf(storeId)))
})

/**
 * The prefix of a store, as in Effect's own store for Redis: the namespace ends at the first colon, so that no two
 * stores overlap.
 */
const namespaceOf = (storeId: string) => `${storeId.replace(/[%:]/g, encodeURIComponent)}:`

const storeOn = (client: RedisClient["Service"], namespace: string): BackingPersistenceStore => {
  const nameOf = (key: string) => `${namespace}${key}`
  const asking = <A>(
    what: string,
    effect: Effect.Effect<A, CommandError | PersistenceError, RedisClient>
  ): Effect.Effect<A, PersistenceError> =>
    Effect.mapError(
      Effect.provideService(effect, RedisClient, client),
      (cause) => cause instanceof PersistenceError ? cause : new PersistenceError({ message: `cannot ${what}`, cause })
    )
  const writing = ([key, value, ttl]: Entry) =>
    Effect.try({
      try: () => set(nameOf(key), JSON.stringify(value), { px: ttl && Math.ceil(Duration.toMillis(ttl)) }),
      catch: (cause) => new PersistenceError({ message: `the value of ${quoted(nameOf(key))} is no JSON`, cause })
    })
  return {
    get: (key) =>
      asking(`read ${quoted(nameOf(key))}`, Effect.flatMap(get(nameOf(key)), (text) => parse(text, nameOf(key)))),
    getMany: (keys) =>
      asking(
        `read from ${quoted(namespace)}`,
        // A value that is not JSON, or no text at all, counts as absent, each by itself. There are as many values as keys.
        Effect.map(asBytes(mget(Arr.map(keys, nameOf))), (found) => Arr.map(keys, (_, index) => parsed(found[index])))
      ),
    set: (...entry) => asking(`write ${quoted(nameOf(entry[0]))}`, Effect.flatMap(writing(entry), Effect.asVoid)),
    setMany: (entries) =>
      asking(
        `write to ${quoted(namespace)}`,
        Effect.flatMap(Effect.forEach(entries, writing), (commands) => Effect.asVoid(pipeline(commands)))
      ),
    remove: (key) => asking(`remove ${quoted(nameOf(key))}`, Effect.asVoid(del(nameOf(key)))),
    clear: asking(`clear ${quoted(namespace)}`, clearUnder(namespace))
  }
}

const parse = (text: string | undefined, name: string): Effect.Effect<object | undefined, PersistenceError> =>
  text === undefined
    ? Effect.undefined
    : Effect.try({
      try: (): object => JSON.parse(text),
      // The cause is left out, as it would show the value.
      catch: () => new PersistenceError({ message: `what ${quoted(name)} has is no JSON` })
    })

const parsed = (bytes: Uint8Array | undefined): object | undefined => {
  const text = bytes && decodeUtf8Strict(bytes, 0, bytes.length)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
