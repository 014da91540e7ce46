/**
 * Commands on keys, whatever they hold.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type * as Redacted from "effect/Redacted"
import * as Arg from "../RedisArg.ts"
import { define, make, type RedisCommand, Spec } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The options of COPY.
 *
 * - `db`: the database of the copy, by default the one that is selected.
 * - `replace`: whether to overwrite the destination.
 *
 * @category generic
 * @since 0.1.0
 */
export interface CopyOptions {
  readonly db?: number | undefined
  readonly replace?: boolean | undefined
}

/**
 * What must hold for a time to live to be set. Needs Redis 7.0.
 *
 * - `nx`, `xx`: the key has none, has one.
 * - `gt`, `lt`: the new one ends later, earlier; to have none counts as never ending.
 *
 * `nx` excludes the others, `gt` excludes `lt`.
 *
 * @category generic
 * @since 0.1.0
 */
export type ExpireCondition =
  | {
    readonly nx?: boolean | undefined
    readonly xx?: undefined
    readonly gt?: undefined
    readonly lt?: undefined
  }
  | {
    readonly xx?: boolean | undefined
    readonly gt?: boolean | undefined
    readonly nx?: undefined
    readonly lt?: undefined
  }
  | {
    readonly xx?: boolean | undefined
    readonly lt?: boolean | undefined
    readonly nx?: undefined
    readonly gt?: undefined
  }

/**
 * The options of MIGRATE.
 *
 * - `copy`: whether to keep the source keys.
 * - `replace`: whether to overwrite keys at the destination.
 * - `auth`: the password of the destination, or `auth2`: the user and the password. Needs Redis 4.0.7, 6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export type MigrateOptions =
  & { readonly copy?: boolean | undefined; readonly replace?: boolean | undefined }
  & (
    | { readonly auth?: string | Redacted.Redacted<string> | undefined; readonly auth2?: undefined }
    | {
      readonly auth?: undefined
      readonly auth2: { readonly username: string; readonly password: string | Redacted.Redacted<string> }
    }
  )

/**
 * The options of RESTORE.
 *
 * - `replace`: whether to overwrite the key.
 * - `idletime`: how long the key counts as not used; a bare number is seconds.
 * - `freq`: the logarithmic frequency of its use; not together with `idletime`.
 *
 * @category generic
 * @since 0.1.0
 */
export type RestoreOptions =
  & { readonly replace?: boolean | undefined }
  & (
    | { readonly idletime?: Arg.Time | undefined; readonly freq?: undefined }
    | { readonly freq?: number | undefined; readonly idletime?: undefined }
  )

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
 * - `match`: only keys that match this glob pattern.
 * - `count`: about how many keys to look at, 10 by default; a hint.
 * - `type`: only keys of this type. Needs Redis 6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export interface ScanOptions {
  readonly match?: Arg.Key | undefined
  readonly count?: number | undefined
  readonly type?: KeyType | undefined
}

/**
 * The options that all forms of SORT share.
 *
 * - `by`: sort by the value at this key instead of the element, `*` standing for the element; without a `*` nothing is sorted.
 * - `limit`: how many elements to skip and how many to return, all by default.
 * - `desc`: whether to sort downwards.
 * - `alpha`: whether to sort as text; otherwise everything must be a number.
 *
 * @category generic
 * @since 0.1.0
 */
export interface SortBaseOptions {
  readonly by?: Arg.Key | undefined
  readonly limit?: { readonly offset: number; readonly count: number } | undefined
  readonly desc?: boolean | undefined
  readonly alpha?: boolean | undefined
}

/**
 * The options of SORT.
 *
 * - `get`: instead of each element the values at these keys, `*` standing for the element (`#` is the element itself).
 *
 * @category generic
 * @since 0.1.0
 */
export interface SortOptions extends SortBaseOptions {
  readonly get?: Arg.Key | ReadonlyArray<Arg.Key> | undefined
}

/**
 * The options of SORT when what it gets for an element is grouped.
 *
 * - `get`: as in {@link SortOptions}, two patterns at least.
 *
 * @category generic
 * @since 0.1.0
 */
export interface SortGroupsOptions<out Patterns extends SortPatterns> extends SortBaseOptions {
  readonly get: Patterns
}

/**
 * Two patterns or more.
 *
 * @category generic
 * @since 0.1.0
 */
export type SortPatterns = readonly [Arg.Key, Arg.Key, ...ReadonlyArray<Arg.Key>]

/**
 * What SORT got for one element: a value for each pattern, `undefined` when its key does not exist.
 *
 * @category generic
 * @since 0.1.0
 */
export type SortGroup<Patterns extends SortPatterns, Blob = string> = {
  readonly [K in keyof Patterns]: Blob | undefined
}

const conditionArgs = (condition: ExpireCondition | undefined): ReadonlyArray<Arg.Arg> =>
  condition === undefined ? Arg.none : [
    Arg.flag("NX", condition.nx),
    Arg.flag("XX", condition.xx),
    Arg.flag("GT", condition.gt),
    Arg.flag("LT", condition.lt)
  ]

const isInstant = (time: Arg.Time | Arg.Instant): time is Arg.Instant =>
  time instanceof Date || DateTime.isDateTime(time)

const sortArgs = (options: SortOptions | undefined): ReadonlyArray<Arg.Arg> =>
  options === undefined ? Arg.none : [
    Arg.option("BY", options.by),
    options.limit === undefined ? Arg.none : ["LIMIT", options.limit.offset, options.limit.count],
    options.get === undefined ? Arg.none : [options.get].flat().flatMap((pattern) => ["GET", pattern]),
    Arg.flag("DESC", options.desc),
    Arg.flag("ALPHA", options.alpha)
  ]

const elements = Reply.array(Reply.nullable(Reply.blob))

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
 * `false` when the source does not exist, or the destination does and `replace`
 * is not given. O(N) for N nested elements. Since Redis 6.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const copy = define(
  "COPY",
  (source: Arg.Key, destination: Arg.Key, options?: CopyOptions) => [
    Arg.key(source),
    Arg.key(destination),
    Arg.option("DB", options?.db),
    Arg.flag("REPLACE", options?.replace)
  ],
  Reply.boolean
)

/**
 * Deletes keys; returns how many of them existed. Also exported as `delete`.
 *
 * No keys: 0, without a round trip. O(N). Since Redis 1.0.0.
 *
 * @see {@link unlink} to free their memory in the background
 * @category generic
 * @since 0.1.0
 */
export const del = define("DEL", (...keys: Arg.Many<Arg.Key>) => manyKeys(keys), Reply.integer)

export {
  /**
   * Deletes keys: {@link del} under its longer name.
   *
   * @category generic
   * @since 0.1.0
   */
  del as delete
}

/**
 * Returns the value of `key` in the format that {@link restore} reads, always as bytes; `undefined` when the key does not exist.
 *
 * O(N) for N nested elements. Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const dump = define("DUMP", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(Reply.bytes), "readonly")

/**
 * Returns how many of the keys exist; one that is given twice counts twice.
 *
 * No keys: 0, without a round trip. O(N). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const exists = define("EXISTS", (...keys: Arg.Many<Arg.Key>) => manyKeys(keys), Reply.integer, "readonly")

/**
 * Lets `key` live for a time, a bare number being seconds, cut to whole seconds; returns whether it was set.
 *
 * `false` when the key does not exist or the condition does not hold. A time that
 * is not positive deletes the key. O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const expire = define(
  "EXPIRE",
  (key: Arg.Key, time: Arg.Time, condition?: ExpireCondition) => [
    Arg.key(key),
    Arg.seconds(time),
    ...conditionArgs(condition)
  ],
  Reply.boolean
)

/**
 * Lets `key` live until a point in time, a bare number being unix seconds; returns whether it was set.
 *
 * `false` when the key does not exist or the condition does not hold. A time in
 * the past deletes the key. O(1). Since Redis 1.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const expireat = define(
  "EXPIREAT",
  (key: Arg.Key, when: Arg.Instant | number, condition?: ExpireCondition) => [
    Arg.key(key),
    Arg.unixSeconds(when),
    ...conditionArgs(condition)
  ],
  Reply.boolean
)

/**
 * Returns until when `key` lives in unix seconds, -1 when without limit, -2 when it does not exist.
 *
 * O(1). Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const expiretime = define("EXPIRETIME", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns all keys that match a glob pattern, by default all keys.
 *
 * O(N) for N keys in the database, during which the server does nothing else:
 * {@link scan} goes in steps. Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const keys = define("KEYS", (pattern: Arg.Key = "*") => [pattern], Reply.array(Reply.blob), "readonly")

/**
 * Moves keys to another server, atomically; returns `"NOKEY"` when none of them exists.
 *
 * - `timeout`: how long the two servers may be silent, a bare number being milliseconds.
 *
 * No keys: `DataError`. Fails with `ResponseError` of code `IOERR` when the
 * other server cannot be reached in time (the keys may then exist on both), of
 * code `BUSYKEY` when a key exists there. Both servers do nothing else
 * meanwhile. O(N). Since Redis 2.6.0, in this form 3.0.6.
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
    Arg.flag("COPY", options.copy),
    Arg.flag("REPLACE", options.replace),
    options.auth === undefined ? Arg.none : ["AUTH", Arg.secret(options.auth)],
    options.auth2 === undefined ? Arg.none : ["AUTH2", options.auth2.username, Arg.secret(options.auth2.password)],
    "KEYS",
    ...Arg.someKeys([keys].flat())
  ],
  migrated
)

/**
 * Moves `key` to another database; returns `false` when it does not exist, or exists there already.
 *
 * Fails with `ResponseError` when that is the database it is in. O(1). Since Redis 1.0.0.
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
export const objectHelp = define("OBJECT HELP", () => [], Reply.array(Reply.text))

/**
 * Returns for how many seconds `key` was not used, `undefined` when it does not exist.
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
 * Takes the time to live from `key`; returns `false` when it does not exist or had none.
 *
 * O(1). Since Redis 2.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const persist = define("PERSIST", (key: Arg.Key) => [Arg.key(key)], Reply.boolean)

/**
 * Lets `key` live for a time, a bare number being milliseconds; returns whether it was set.
 *
 * `false` when the key does not exist or the condition does not hold. A time that
 * is not positive deletes the key. O(1). Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pexpire = define(
  "PEXPIRE",
  (key: Arg.Key, time: Arg.Time, condition?: ExpireCondition) => [
    Arg.key(key),
    Arg.milliseconds(time),
    ...conditionArgs(condition)
  ],
  Reply.boolean
)

/**
 * Lets `key` live until a point in time, a bare number being unix milliseconds; returns whether it was set.
 *
 * `false` when the key does not exist or the condition does not hold. A time in
 * the past deletes the key. O(1). Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pexpireat = define(
  "PEXPIREAT",
  (key: Arg.Key, when: Arg.Instant | number, condition?: ExpireCondition) => [
    Arg.key(key),
    Arg.unixMilliseconds(when),
    ...conditionArgs(condition)
  ],
  Reply.boolean
)

/**
 * Returns until when `key` lives in unix milliseconds, -1 when without limit, -2 when it does not exist.
 *
 * O(1). Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pexpiretime = define("PEXPIRETIME", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns how many milliseconds `key` has to live, -1 when without limit, -2 when it does not exist.
 *
 * O(1). Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pttl = define("PTTL", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns any key of the database, `undefined` when it is empty.
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
 * - `ttl`: how long the key lives, a bare number being milliseconds and 0 without limit; or until when.
 *
 * Fails with `ResponseError` of code `BUSYKEY` when the key exists and `replace`
 * is not given, or when the value is damaged. O(N) for N nested elements. Since
 * Redis 2.6.0; a point in time, `idletime` and `freq` need 5.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const restore = define(
  "RESTORE",
  (key: Arg.Key, ttl: Arg.Time | Arg.Instant, value: Uint8Array, options: RestoreOptions = {}) => [
    Arg.key(key),
    isInstant(ttl) ? Arg.unixMilliseconds(ttl) : Arg.milliseconds(ttl),
    value,
    Arg.flag("REPLACE", options.replace),
    Arg.flag("ABSTTL", isInstant(ttl)),
    options.idletime === undefined ? Arg.none : ["IDLETIME", Arg.seconds(options.idletime)],
    Arg.option("FREQ", options.freq)
  ],
  Reply.ok
)

/**
 * Returns a page of the keys of the database, and the cursor of the next page: `"0"` after the last.
 *
 * - `cursor`: `"0"`, the default, for the first page.
 *
 * A page may be empty before the last one. A key that exists throughout is
 * returned at least once. O(1) a page. Since Redis 2.8.0.
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
 * Returns the sorted elements of the list, set or sorted set at `key`, or for each of them the values that `get` names.
 *
 * A missing key is empty; a value that does not exist is `undefined`. Fails with
 * `ResponseError` when something is no number and `alpha` is not given.
 * O(N+M*log(M)). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sort = define(
  "SORT",
  (key: Arg.Key, options?: SortOptions) => [Arg.key(key), sortArgs(options)],
  elements
)

/**
 * Like {@link sort}, with the values that `get` names grouped by element.
 *
 * Fewer than two patterns: `DataError`. O(N+M*log(M)). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sortGroups = groupsOf(new Spec("SORT", []))

/**
 * Like {@link sort}; never writes, so that replicas can answer.
 *
 * O(N+M*log(M)). Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sortRo = define(
  "SORT_RO",
  (key: Arg.Key, options?: SortOptions) => [Arg.key(key), sortArgs(options)],
  elements,
  "readonly"
)

/**
 * Like {@link sortGroups}; never writes, so that replicas can answer.
 *
 * O(N+M*log(M)). Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sortRoGroups = groupsOf(new Spec("SORT_RO", ["readonly"]))

/**
 * Like {@link sort}, storing the result as a list at `destination`; returns its length.
 *
 * An empty result deletes `destination`. O(N+M*log(M)). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sortStore = define(
  "SORT",
  (key: Arg.Key, destination: Arg.Key, options?: SortOptions) => [
    Arg.key(key),
    sortArgs(options),
    "STORE",
    Arg.key(destination)
  ],
  Reply.integer
)

/**
 * Marks keys as just used; returns how many of them exist.
 *
 * No keys: 0, without a round trip. O(N). Since Redis 3.2.1.
 *
 * @category generic
 * @since 0.1.0
 */
export const touch = define("TOUCH", (...keys: Arg.Many<Arg.Key>) => manyKeys(keys), Reply.integer, "readonly")

/**
 * Returns how many seconds `key` has to live, -1 when without limit, -2 when it does not exist.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const ttl = define("TTL", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns the type of the value of `key`, `"none"` when the key does not exist.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const type = define("TYPE", (key: Arg.Key) => [Arg.key(key)], keyType, "readonly")

/**
 * Deletes keys, their memory being freed in the background; returns how many of them existed.
 *
 * No keys: 0, without a round trip. O(1) for each key. Since Redis 4.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const unlink = define("UNLINK", (...keys: Arg.Many<Arg.Key>) => manyKeys(keys), Reply.integer)

/**
 * Waits until replicas have received the writes of its connection; returns how many have.
 *
 * - `timeout`: for how long at most, a bare number being milliseconds; 0 without limit.
 *
 * May return fewer than asked for. Says nothing about writes of other
 * connections: `Redis.withConnection` keeps the writes and this command on one.
 * O(1). Since Redis 3.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const wait = define(
  "WAIT",
  (numreplicas: number, timeout: Arg.Time) => [numreplicas, Arg.blockMilliseconds(timeout)],
  Reply.integer,
  "blocking"
)

/**
 * Waits until the writes of its connection are on disk; returns on how many servers: `local` (0 or 1) and `replicas`.
 *
 * - `numlocal`: 1 to wait for the server itself, else 0.
 * - `timeout`: for how long at most, a bare number being milliseconds; 0 without limit.
 *
 * May return fewer than asked for. Says nothing about writes of other
 * connections: `Redis.withConnection` keeps the writes and this command on one.
 * Fails with `ResponseError` when `numlocal` is 1 and the server keeps no
 * append-only file. O(1). Since Redis 7.2.0.
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
  "blocking"
)

// -----------------------------------------------------------------------------
// Implementation
// -----------------------------------------------------------------------------

// Declarations, not constants: commands above are made by them while the module loads.

function manyKeys(keys: Arg.Many<Arg.Key>): ReadonlyArray<Arg.Arg> | Arg.Answer {
  const list = Arg.keys(keys)
  return list.length === 0 ? Arg.answer(0) : list
}

/** The size of a group is known only with the arguments, so `define` cannot express it. */
function groupsOf(spec: Spec) {
  const construct = <const Patterns extends SortPatterns>(
    key: Arg.Key,
    options: SortGroupsOptions<Patterns>
  ): RedisCommand<ReadonlyArray<SortGroup<Patterns>>, ReadonlyArray<SortGroup<Patterns, Uint8Array>>> => {
    const size = [options.get].flat().length
    return make({
      spec,
      args: () => {
        // A type that was widened or cast can still have fewer.
        if (size < 2) return Arg.invalid("needs at least two patterns to group by")
        return [Arg.key(key), sortArgs(options)]
      },
      reply: inGroups<Patterns>(size)
    })
  }
  return Object.assign(construct, { spec })
}

function inGroups<Patterns extends SortPatterns>(
  size: number
): Reply.Reply<ReadonlyArray<SortGroup<Patterns>>, ReadonlyArray<SortGroup<Patterns, Uint8Array>>> {
  return Reply.make((value, view) => {
    const flat = elements.decode(value, view)
    if (flat.length % size !== 0) return Reply.mismatch(`groups of ${size}`, value)
    const groups = Array.from({ length: flat.length / size }, (_, i) => flat.slice(i * size, (i + 1) * size))
    // Each group has one value for each pattern, text or bytes by the view.
    return groups as never
  })
}
