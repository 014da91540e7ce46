/**
 * Commands on keys of any type.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type * as Redacted from "effect/Redacted"
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import { isDate } from "../internal/argument/isDate.ts"
import { known } from "../internal/argument/known.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The options of COPY.
 *
 * @category generic
 * @since 0.1.0
 */
export interface CopyOptions {
  /** The database of the copy. Default: the selected one. */
  readonly db?: number | undefined
  /** Whether a key at the destination is overwritten. Default `false`. */
  readonly replace?: boolean | undefined
}

/**
 * The options of MIGRATE.
 *
 * @category generic
 * @since 0.1.0
 */
export type MigrateOptions =
  & {
    /** Whether the keys stay at the source as well. Default `false`. */
    readonly copy?: boolean | undefined /** Whether keys at the destination are overwritten. Default `false`. */
    readonly replace?: boolean | undefined
  }
  & (
    | {
      /** The password of the destination. Redis 4.0.7. */
      readonly auth?: string | Redacted.Redacted<string> | undefined
      readonly auth2?: undefined
    }
    | {
      readonly auth?: undefined
      /** The user and the password of the destination. Redis 6.0.0. */
      readonly auth2: {
        /** The name of the user. */
        readonly username: string
        /** The password. A `Redacted` is never printed. */
        readonly password: string | Redacted.Redacted<string>
      }
    }
  )

/**
 * The options of RESTORE.
 *
 * @category generic
 * @since 0.1.0
 */
export type RestoreOptions =
  & {
    /** Whether a key that exists is overwritten. */
    readonly replace?: boolean | undefined
  }
  & AtMostOne<{
    /** For how long the key counts as not used. A bare number is seconds. */
    readonly idletime: Arg.Time
    /** The logarithmic frequency of its use. */
    readonly freq: number
  }>

/**
 * The type of a key: one of the types that servers have, or the name of a module's.
 *
 * @category generic
 * @since 0.1.0
 */
export type KeyType = "string" | "list" | "set" | "zset" | "hash" | "stream" | (string & {})

/**
 * The options of SCAN.
 *
 * @category generic
 * @since 0.1.0
 */
export interface ScanOptions {
  /** Only keys that match this glob pattern. Default: all keys. */
  readonly match?: Arg.Key | undefined
  /** A hint of how many keys one call looks at. Default 10. */
  readonly count?: number | undefined
  /** Only keys whose value has this type. Needs Redis 6.0. Default: all types. */
  readonly type?: KeyType | undefined
}

const isInstant = (time: Arg.Time | Arg.Instant): time is Arg.Instant => isDate(time) || DateTime.isDateTime(time)

const manyKeys = (keys: Readonly<Arg.Many<Arg.Key>>): Arg.List | Arg.Answer => {
  const list = Arg.keys(keys)
  return list.length === 0 ? Arg.answer(0) : list
}

/** Accepts what PTTL returns with the meaning that it has there: -1 is no limit, -2 is no such key. */
const timeToLive = (ttl: Arg.Time): number =>
  ttl === -1 || Arg.fractionalSeconds(ttl) === Infinity
    ? 0
    : ttl === -2
    ? Arg.invalid("the time to live is -2, by which PTTL says that there is no such key")
    : Arg.milliseconds(ttl)

const keyType: Reply.Reply<KeyType | "none"> = Reply.text

const migrated: Reply.Reply<"OK" | "NOKEY"> = Reply.make((value, view) => {
  const status = Reply.text.decode(value, view)
  return status === "OK" || status === "NOKEY" ? status : Reply.mismatch("OK or NOKEY", value)
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Copies the value and the time to live of `source` to `destination`; returns whether it was copied.
 *
 * Returns `false` when the source does not exist, or when the destination exists and `replace` is not given. O(N) for N
 * nested elements. Since Redis 6.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const copy = define(
  "COPY",
  (source: Arg.Key, destination: Arg.Key, options: CopyOptions = {}) => [
    Arg.key(source),
    Arg.key(destination),
    Arg.option("DB", known(options, "{ replace: true }").db),
    Arg.flag("REPLACE", options.replace)
  ],
  Reply.boolean
)

/**
 * Deletes keys; returns how many of them existed. Also exported as `delete`.
 *
 * With no keys, returns 0 without a round trip. O(N). Since Redis 1.0.0.
 *
 * **Example** (Several keys)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const deleted = Redis.del("a", "b", "c") // how many there were
 * ```
 *
 * @see {@link unlink} to free their memory in the background
 * @category generic
 * @since 0.1.0
 */
export const del = define("DEL", (...keys: Arg.Many<Arg.Key>) => manyKeys(keys), Reply.integer)

export {
  /**
   * Deletes keys: {@link del} under a longer name.
   *
   * @category generic
   * @since 0.1.0
   */
  del as delete
}

/**
 * Returns the value of `key` as bytes that {@link restore} reads, `undefined` when the key does not exist.
 *
 * The result is bytes in every view. O(N) for N nested elements. Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const dump = define("DUMP", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(Reply.bytes), "readonly")

/**
 * Returns how many of the keys exist. A key that is given twice counts twice.
 *
 * With no keys, returns 0 without a round trip. O(N). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const exists = define("EXISTS", (...keys: Arg.Many<Arg.Key>) => manyKeys(keys), Reply.integer, "cacheable")

/**
 * Returns all keys that match a glob pattern, by default all keys.
 *
 * The server does nothing else meanwhile; {@link scan} works in steps. O(N) for N keys in the database. Since Redis
 * 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const keys = define("KEYS", (pattern: Arg.Key = "*") => [pattern], Reply.array(Reply.blob), "readonly")

/**
 * Moves keys to another server, atomically; returns `"NOKEY"` when none of them exists.
 *
 * - `timeout`: how long the connection between the two servers may be idle; a bare number is milliseconds.
 *
 * Fails with `DataError` when no keys are given, with `ResponseError` of code `IOERR` when the other server cannot be
 * reached in time (the keys may then exist on both servers), of code `BUSYKEY` when a key exists there. Both servers do
 * nothing else meanwhile. O(N). Since Redis 2.6.0, in this form since 3.0.6.
 *
 * @category generic
 * @since 0.1.0
 */
export const migrate = define(
  "MIGRATE",
  (
    host: string,
    port: number,
    keys: Arg.Key | ReadonlyArray<Arg.Key>,
    destinationDb: number,
    timeout: Arg.Time,
    options: MigrateOptions = {}
  ) => [
    host,
    port,
    "",
    destinationDb,
    Arg.milliseconds(timeout),
    Arg.flag("COPY", known(options, "{ copy: true }").copy),
    Arg.flag("REPLACE", options.replace),
    options.auth === undefined ? Arg.none : Arg.list("AUTH", Arg.secret(options.auth)),
    options.auth2 === undefined
      ? Arg.none
      : Arg.list("AUTH2", options.auth2.username, Arg.secret(options.auth2.password)),
    "KEYS",
    ...Arg.someKeys([keys].flat())
  ],
  migrated
)

/**
 * Moves `key` to another database; returns `false` when the key does not exist or already exists there.
 *
 * Fails with `ResponseError` when the key is already in that database. O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const move = define("MOVE", (key: Arg.Key, db: number) => [Arg.key(key), db], Reply.boolean)

/**
 * Returns how the server represents the value of `key`, such as `"listpack"`; `undefined` when the key does not exist.
 *
 * O(1). Since Redis 2.2.3.
 *
 * @category generic
 * @since 0.1.0
 */
export const objectEncoding = define(
  "OBJECT ENCODING",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.text),
  "readonly"
)

/**
 * Returns the logarithmic frequency of the use of `key`, `undefined` when the key does not exist.
 *
 * Fails with `ResponseError` unless the server evicts by frequency (LFU). O(1). Since Redis 4.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const objectFreq = define(
  "OBJECT FREQ",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.integer),
  "readonly"
)

/**
 * Returns the server's help on OBJECT, line by line.
 *
 * O(1). Since Redis 6.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const objectHelp = define("OBJECT HELP", () => [], Reply.array(Reply.text), "readonly")

/**
 * Returns for how many seconds `key` has not been used, `undefined` when the key does not exist.
 *
 * Fails with `ResponseError` when the server evicts by frequency (LFU). O(1). Since Redis 2.2.3.
 *
 * @category generic
 * @since 0.1.0
 */
export const objectIdletime = define(
  "OBJECT IDLETIME",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.integer),
  "readonly"
)

/**
 * Returns how many references the server holds to the value of `key`, `undefined` when the key does not exist.
 *
 * O(1). Since Redis 2.2.3.
 *
 * @category generic
 * @since 0.1.0
 */
export const objectRefcount = define(
  "OBJECT REFCOUNT",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.integer),
  "readonly"
)

/**
 * Returns a random key of the database, `undefined` when the database is empty.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const randomkey = define("RANDOMKEY", () => [], Reply.nullable(Reply.blob), "readonly")

/**
 * Renames `key`, overwriting `newkey`; returns `true`.
 *
 * Fails with `ResponseError` ("no such key") when the key does not exist. O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const rename = define("RENAME", (key: Arg.Key, newkey: Arg.Key) => [Arg.key(key), Arg.key(newkey)], Reply.ok)

/**
 * Renames `key` unless `newkey` exists; returns whether it was renamed.
 *
 * Fails with `ResponseError` ("no such key") when the key does not exist. O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const renamenx = define(
  "RENAMENX",
  (key: Arg.Key, newkey: Arg.Key) => [Arg.key(key), Arg.key(newkey)],
  Reply.boolean
)

/**
 * Stores at `key` what {@link dump} returned; returns `true`.
 *
 * - `ttl`: how long the key lives (a bare number is milliseconds), or the point in time when it expires. 0, an infinite
 *   duration and -1, which {@link pttl} returns for a key without a limit, mean no limit.
 *
 * Fails with `DataError` for a `ttl` of -2, which {@link pttl} returns for a missing key. Fails with `ResponseError` of
 * code `BUSYKEY` when the key exists and `replace` is not given, and with `ResponseError` when the value is damaged.
 * O(N) for N nested elements. Since Redis 2.6.0; a point in time, `idletime` and `freq` need 5.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const restore = define(
  "RESTORE",
  (key: Arg.Key, ttl: Arg.Time | Arg.Instant, value: Uint8Array, options: RestoreOptions = {}) => [
    Arg.key(key),
    isInstant(ttl) ? Arg.unixMilliseconds(ttl) : timeToLive(ttl),
    value,
    Arg.flag("REPLACE", known(options, "{ replace: true }").replace),
    Arg.flag("ABSTTL", isInstant(ttl)),
    options.idletime === undefined ? Arg.none : Arg.list("IDLETIME", Arg.seconds(options.idletime)),
    Arg.option("FREQ", options.freq)
  ],
  Reply.ok
)

/**
 * Returns a page of the keys of the database and the cursor of the next page, which is `"0"` after the last page.
 *
 * - `cursor`: `"0"`, the default, for the first page.
 *
 * A page before the last may be empty. A key that exists during the whole scan is returned at least once. O(1) a page.
 * Since Redis 2.8.0.
 *
 * **Example** (A page of keys; `Redis.scanStream` goes through all pages)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const page = Effect.gen(function*() {
 *   const { cursor, keys } = yield* Redis.scan("0", { match: "session:*", count: 100 })
 *   return { keys, more: cursor !== "0" }
 * })
 * ```
 *
 * @category generic
 * @since 0.1.0
 */
export const scan = define(
  "SCAN",
  (cursor: string = "0", options?: ScanOptions) => [
    cursor,
    Arg.option("MATCH", options?.match),
    Arg.option("COUNT", options?.count),
    Arg.option("TYPE", options?.type)
  ],
  Reply.fields({ cursor: Reply.text, keys: Reply.array(Reply.blob) }),
  "readonly"
)

/**
 * Marks keys as just used; returns how many of them exist.
 *
 * With no keys, returns 0 without a round trip. O(N). Since Redis 3.2.1.
 *
 * @category generic
 * @since 0.1.0
 */
export const touch = define("TOUCH", (...keys: Arg.Many<Arg.Key>) => manyKeys(keys), Reply.integer, "readonly")

/**
 * Returns the type of the value of `key`, `"none"` when the key does not exist.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const type = define("TYPE", (key: Arg.Key) => [Arg.key(key)], keyType, "cacheable")

/**
 * Deletes keys and frees their memory in the background; returns how many of them existed.
 *
 * With no keys, returns 0 without a round trip. O(1) for each key. Since Redis 4.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const unlink = define("UNLINK", (...keys: Arg.Many<Arg.Key>) => manyKeys(keys), Reply.integer)

/**
 * Waits until replicas have received the writes of the connection that it is sent on; returns how many replicas have.
 *
 * - `timeout`: how long to wait at most; a bare number is milliseconds, 0 has no limit.
 *
 * May return fewer than asked for. It says nothing about writes of other connections, so it fails with `DataError` when
 * sent alone on a shared connection. `Redis.withConnection` or a pipeline keeps the writes and this command on one
 * connection. O(1). Since Redis 3.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const wait = define(
  "WAIT",
  (numreplicas: number, timeout: Arg.Time) => [numreplicas, Arg.blockMilliseconds(timeout)],
  Reply.integer,
  "blocking",
  "dependent"
)

/**
 * Waits until the writes of the connection that it is sent on are on disk; returns on how many servers they are:
 * `local` (0 or 1) and `replicas`.
 *
 * - `numlocal`: 1 to wait for the server itself, otherwise 0.
 * - `timeout`: how long to wait at most; a bare number is milliseconds, 0 has no limit.
 *
 * May return fewer than asked for. It says nothing about writes of other connections, so it fails with `DataError` when
 * sent alone on a shared connection. `Redis.withConnection` or a pipeline keeps the writes and this command on one
 * connection. Fails with `ResponseError` when `numlocal` is 1 and the server keeps no append-only file. O(1). Since
 * Redis 7.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const waitaof = define(
  "WAITAOF",
  (numlocal: 0 | 1, numreplicas: number, timeout: Arg.Time) => [
    numlocal,
    numreplicas,
    Arg.blockMilliseconds(timeout)
  ],
  Reply.fields({ local: Reply.integer, replicas: Reply.integer }),
  "blocking",
  "dependent"
)
