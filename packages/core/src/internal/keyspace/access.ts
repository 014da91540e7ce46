/**
 * The operations that all keyspaces have in common: reading, scanning, and writing over an earlier value.
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { persist, pexpire, pttl } from "../../commands/Expiration.ts"
import { del, exists } from "../../commands/Generic.ts"
import type { KeyType } from "../../commands/Generic.ts"
import { get, getdel, getex, set } from "../../commands/Strings.ts"
import type { TimeToLive } from "../../RedisArg.ts"
import { uncached } from "../../RedisCache.ts"
import type { RedisClient } from "../../RedisClient.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { failureAmong } from "../../RedisError.ts"
import type { CommandError, DataError, DecodeError, TransactionError, WrongTypeError } from "../../RedisError.ts"
import { pipeline, pipelineSettled } from "../../RedisPipeline.ts"
import { scanStreamBytes } from "../../RedisScan.ts"
import { transaction, watch } from "../../RedisTransaction.ts"
import { isReadonlyArray } from "../argument/isReadonlyArray.ts"
import { recordOf } from "../values/record.ts"
import { refuse, textOf } from "./codec.ts"
import type { Codec } from "./codec.ts"
import { command, commandOf, mapping, operation } from "./commands.ts"
import type { Asked, Prepared } from "./commands.ts"
import { finite } from "./keys.ts"
import type { Keys } from "./keys.ts"
import type {
  CodecKeyspace,
  GetMany,
  HashKeyspace,
  Keyspace,
  KeyspaceCommands,
  KeyspaceError,
  SetOptions,
  StringKeyspace,
  ValueKeyspace,
  Writing
} from "./model.ts"
import { expiringAfter, replacingIn } from "./scripts.ts"

/** How values of one type are read. */
interface Shape<Raw, A> {
  readonly type: KeyType
  /** The facts of the command that reads. */
  readonly spec: RedisCommand.Spec & { readonly cacheable: true }
  readonly read: (key: string) => RedisCommand.RedisCommand<Raw, unknown, unknown>
  readonly decode: (raw: Raw, key: string) => Effect.Effect<Option.Option<A>, KeyspaceError>
}

/** How many values of a scan are read at a time. */
const pageSize = 100

const keyspace = <Id, Raw, A>(keys: Keys<Id>, shape: Shape<Raw, A>): Keyspace<Id, A> => {
  /** Reads each key with a command of its own, because MGET would report keys of another type as absent. */
  const readAll = (names: ReadonlyArray<string>) =>
    Effect.catchTag(
      pipeline(names.map(shape.read)),
      "DecodeError",
      // The error has the index of its command.
      ({ detail, index = 0 }) => refuse(names[index] ?? "", "decode", detail)
    )
  const getMany = Effect.fnUntraced(function*(
    ids: ReadonlyArray<Id>
  ): Effect.fn.Return<ReadonlyArray<Option.Option<A>>, CommandError | KeyspaceError, RedisClient> {
    const names = yield* Effect.forEach(ids, keys.of)
    const raws = yield* readAll(names)
    // There are as many replies as names, so the index is in range.
    return yield* Effect.forEach(names, (name, index) => shape.decode(raws[index]!, name))
  })
  const read = (id: Id) => operation(asking(keys, id, shape.read), shape.decode)
  const names = Stream.unwrap(
    Effect.map(keys.match, (match) => scanStreamBytes({ match, type: shape.type, count: keys.scanCount }))
  )
  const fits = (
    name: string,
    raw: Result.Result<Raw, CommandError>
  ): Effect.Effect<ReadonlyArray<readonly [Id, A]>, CommandError | KeyspaceError> => {
    const error = Result.isFailure(raw) ? raw.failure : undefined
    if (error !== undefined && !isMisfit(error)) return Effect.fail(error)
    return keys.onlyFitting(Effect.gen(function*() {
      const id = yield* keys.idOf(name)
      if (error !== undefined) return yield* refuse(name, "decode", error.detail)
      // Without an error there is a value; one that was deleted since its name was found is left out.
      const value = yield* shape.decode(Result.getOrThrow(raw), name)
      return Option.isSome(value) ? [[id, value.value] as const] : []
    }))
  }
  const readPage = Effect.fnUntraced(function*(
    page: ReadonlyArray<Uint8Array>
  ): Effect.fn.Return<ReadonlyArray<readonly [Id, A]>, CommandError | KeyspaceError, RedisClient> {
    const names = (yield* Effect.forEach(page, (name) => keys.onlyFitting(Effect.map(textOf(name), Arr.of)))).flat()
    // Each is read once. A cache would give up for them what is read often.
    const raws = yield* pipelineSettled(names.map((name) => uncached(shape.read(name))))
    // There are as many results as names, so the index is in range.
    const found = yield* Effect.forEach(names, (name, index) => fits(name, raws[index]!))
    return found.flat()
  })
  return {
    keyOf: keys.of,
    get: read,
    // An array is always a list of ids, whatever type the ids have.
    getMany: ((ids: ReadonlyArray<Id> | { readonly [name: string]: Id }) => {
      if (isReadonlyArray(ids)) return getMany(ids)
      const names = Object.keys(ids)
      // There are as many values as names, so the index is in range.
      const named = (values: ReadonlyArray<Option.Option<A>>) => recordOf(names.map((name, i) => [name, values[i]!]))
      return Effect.map(getMany(Object.values(ids)), named)
    }) as GetMany<Id, A>,
    getOrElse: <B>(id: Id, orElse: () => B) => Effect.map(read(id), Option.getOrElse(orElse)),
    has: (id) => Effect.flatten(having(keys, id)),
    del: (...ids) => Effect.flatten(deleting(keys, ids)),
    ttl: (id) => Effect.flatMap(keys.of(id), (key) => Effect.map(pttl(key), remaining)),
    expire: (id, ttl) => Effect.flatMap(keys.of(id), (key) => limited(key, finite(ttl))),
    ids: names.pipe(
      Stream.mapEffect((name) => keys.onlyFitting(Effect.map(Effect.flatMap(textOf(name), keys.idOf), Arr.of))),
      Stream.flattenIterable
    ),
    // The keys that one SCAN has found are read at once; they do not wait until there are more.
    scan: names.pipe(Stream.mapArray(inPages), Stream.mapEffect(readPage), Stream.flattenIterable)
  }
}

const asking = <Id, Raw>(
  keys: Keys<Id>,
  id: Id,
  read: (key: string) => RedisCommand.RedisCommand<Raw, unknown, unknown>
): Asked<Raw> => Effect.map(keys.of(id), (key) => ({ key, command: read(key) }))

const having = <Id>(keys: Keys<Id>, id: Id): Prepared<boolean> =>
  Effect.map(keys.of(id), (key) => mapping(exists(key), (count) => count > 0))

const deleting = <Id>(keys: Keys<Id>, ids: ReadonlyArray<Id>): Prepared<number, bigint> =>
  Effect.map(Effect.forEach(ids, keys.of), (names) => del(names))

/** The commands that all keyspaces have in common. `spec`: that of `shape.read`. */
const commands = <Id, Raw, A>(
  keys: Keys<Id>,
  { decode, read, spec }: Shape<Raw, A>
): KeyspaceCommands<Id, A> => ({
  get: (id) => command(spec, asking(keys, id, read), decode),
  has: (id) => commandOf(exists.spec, having(keys, id)),
  del: (...ids) => commandOf(del.spec, deleting(keys, ids))
})

/** What a key holds is no text, or of another type since the key was found. */
const isMisfit = (error: CommandError): error is DecodeError | WrongTypeError =>
  error._tag === "DecodeError" || error._tag === "WrongTypeError"

/** A write of one value, or why the value cannot be written. */
type Write = Effect.Effect<Effect.Effect<void, TransactionError, RedisClient>, DataError | KeyspaceError>

/**
 * Writes each value with a command of its own; commands of one turn go out together. All are encoded before the first is
 * sent, and none waits for another: what fails says what became of the others.
 */
const settingMany = <Id, A>(
  prepare: (id: Id, a: A, options: SetOptions | undefined) => Write
): Pick<ValueKeyspace<Id, A>, "set" | "setMany"> => ({
  set: (id, a, options) => Effect.flatten(prepare(id, a, options)),
  setMany: Effect.fnUntraced(function*(entries: Iterable<readonly [id: Id, value: A]>, options?: SetOptions) {
    const writes = yield* Effect.forEach([...entries], ([id, a]) => prepare(id, a, options), {
      concurrency: "unbounded"
    })
    const results = yield* Effect.forEach(writes, Effect.result, { concurrency: "unbounded" })
    const failure = failureAmong(
      "keys",
      results.map((result, index) => ({
        indexes: [index],
        readonly: false,
        error: Result.isFailure(result) ? result.failure : undefined
      }))
    )
    if (failure !== undefined) return yield* Effect.fail(failure)
  })
})

/**
 * Writes what a function makes of what is there. `writes`: the commands that write a value, which are run together or not at all.
 */
const updating = <Id, Raw, A>(
  keys: Keys<Id>,
  shape: Shape<Raw, A>,
  writes: (
    key: string,
    a: A,
    ttl: TimeToLive | undefined
  ) => Effect.Effect<ReadonlyArray<RedisCommand.Any>, KeyspaceError | DataError>
): ValueKeyspace<Id, A>["update"] =>
  Effect.fnUntraced(function*(id: Id, f: (current: Option.Option<A>) => A, options?: SetOptions) {
    const key = yield* keys.of(id)
    const ttl = yield* keys.ttl(options)
    let next: Option.Option<A> = Option.none()
    const body = Effect.gen(function*() {
      const current = yield* operation(Effect.succeed({ key, command: shape.read(key) }), shape.decode)
      const value = f(current)
      next = Option.some(value)
      return yield* writes(key, value, ttl)
    })
    yield* watch(key, body)
    // The body that ran last made the value that was committed.
    return Option.getOrThrow(next)
  })

/** Prepares a write: its key, and how long it lives. */
const placing = <Id, B, E>(
  keys: Keys<Id>,
  id: Id,
  options: SetOptions | undefined,
  f: (key: string, ttl: TimeToLive | undefined) => Effect.Effect<B, E>
): Effect.Effect<B, E | KeyspaceError | DataError> =>
  Effect.flatMap(keys.of(id), (key) => Effect.flatMap(keys.ttl(options), (ttl) => f(key, ttl)))

/** Reads a string in the view that its codec takes. */
type View<Encoded> = (
  command: RedisCommand.RedisCommand<string | undefined, Uint8Array | undefined>
) => RedisCommand.RedisCommand<Encoded | undefined, unknown, unknown>

/** How values of one string each are read and written. */
interface Text<Id, A, Encoded> {
  readonly keys: Keys<Id>
  readonly shape: Shape<Encoded | undefined, A>
  readonly setting: (id: Id, a: A, options: SetOptions | undefined) => Prepared<boolean>
  readonly write: (key: string, a: A, px: TimeToLive | undefined) => Prepared<boolean>
  readonly getdel: (id: Id) => Asked<Encoded | undefined>
  readonly getex: (id: Id, options: SetOptions | undefined) => Asked<Encoded | undefined>
}

export const textsOf = <Id, A, Encoded extends string | Uint8Array>(
  keys: Keys<Id>,
  value: Codec<A, Encoded>,
  view: View<Encoded>
): Text<Id, A, Encoded> => {
  const write = (key: string, a: A, px: TimeToLive | undefined) =>
    Effect.map(value.encode(a, key), (text) => set(key, text, { px }))
  return {
    keys,
    shape: {
      type: "string",
      spec: get.spec,
      read: (key) => view(get(key)),
      decode: (text, key) => text === undefined ? Effect.succeedNone : Effect.asSome(value.decode(text, key))
    },
    write,
    setting: (id, a, options) => placing(keys, id, options, (key, px) => write(key, a, px)),
    getdel: (id) => asking(keys, id, (key) => view(getdel(key))),
    getex: (id, options) =>
      Effect.flatMap(
        keys.ttl(options),
        (ttl) =>
          asking(keys, id, (key) => view(ttl === undefined ? getex(key, { persist: true }) : getex(key, { px: ttl })))
      )
  }
}

/** The operations of keyspaces of strings. */
export const strings = <Id, A, Encoded extends string | Uint8Array>(
  { getdel, getex, keys, setting, shape, write }: Text<Id, A, Encoded>
): CodecKeyspace<Id, A> => ({
  ...keyspace(keys, shape),
  ...settingMany((id, a, options) => Effect.map(setting(id, a, options), Effect.asVoid)),
  getdel: (id) => operation(getdel(id), shape.decode),
  getex: (id, options) => operation(getex(id, options), shape.decode),
  update: updating(keys, shape, (key, a, px) => Effect.map(write(key, a, px), Arr.of))
})

/** The operations of keyspaces of strings that are text, and those of them that are commands. */
export const stringsOf = <Id, A>(keys: Keys<Id>, value: Codec<A, string>): StringKeyspace<Id, A> => {
  const texts = textsOf(keys, value, identity)
  const { shape } = texts
  return {
    ...strings(texts),
    commands: {
      ...commands(keys, shape),
      set: (id, a, options) => commandOf(set.spec, texts.setting(id, a, options)),
      getdel: (id) => command(getdel.spec, texts.getdel(id), shape.decode),
      getex: (id, options) => command(getex.spec, texts.getex(id, options), shape.decode)
    }
  }
}

const inPages = <A>(list: Arr.NonEmptyReadonlyArray<A>): Arr.NonEmptyReadonlyArray<ReadonlyArray<A>> =>
  Arr.chunksOf(list, pageSize)

const remaining = (milliseconds: number): Option.Option<Duration.Duration> =>
  milliseconds === -2
    ? Option.none()
    : Option.some(milliseconds === -1 ? Duration.infinity : Duration.millis(milliseconds))

/** Gives a key a time to live, or none; returns whether there is such a key. */
const limited = (key: string, ttl: TimeToLive | undefined): Writing<boolean> =>
  ttl === undefined
    // PERSIST answers the same for a key without a limit as for no key, so EXISTS tells them apart.
    ? Effect.map(transaction([persist(key), exists(key)]), ([, count]) => count > 0)
    : pexpire(key, ttl)

/** A write that starts the time to live anew if it has written. A key of another type keeps its own time. */
export const written = <A, BigInts, Id>(
  keys: Keys<Id>,
  key: string,
  command: RedisCommand.RedisCommand<A, A, BigInts>
): Effect.Effect<RedisCommand.RedisCommand<A, A, BigInts>, DataError> =>
  command.settled !== undefined
    ? Effect.succeed(command)
    : Effect.map(keys.ttl(), (ttl) => ttl === undefined ? command : expiringAfter(key, ttl, command))

/** A write that takes the place of what its key holds; without one no key is left. */
interface Replacement {
  readonly key: string
  readonly ttl: TimeToLive | undefined
  readonly write: RedisCommand.Any | undefined
}

/**
 * Values that are replaced as a whole: by a transaction, which needs no right to scripts, and as a command by a script.
 *
 * - `spec`, `write`: the command that writes a value to a key that holds nothing, and its facts; for a value that leaves no key
 *   there is none.
 */
export const replacing = <Id, Raw, A>(
  keys: Keys<Id>,
  shape: Shape<Raw, A>,
  spec: RedisCommand.Spec,
  write: (key: string, a: A) => Effect.Effect<RedisCommand.Any | undefined, KeyspaceError>
): HashKeyspace<Id, A> => {
  const replacement = (key: string, a: A, ttl: TimeToLive | undefined): Effect.Effect<Replacement, KeyspaceError> =>
    Effect.map(write(key, a), (write) => ({ key, ttl, write }))
  const setting = (id: Id, a: A, options: SetOptions | undefined) =>
    placing(keys, id, options, (key, ttl) => replacement(key, a, ttl))
  return {
    ...keyspace(keys, shape),
    ...settingMany((id, a, options) => Effect.map(setting(id, a, options), replaced)),
    update: updating(keys, shape, (key, a, ttl) => Effect.map(replacement(key, a, ttl), inSteps)),
    commands: {
      ...commands(keys, shape),
      set: (id, a, options) => commandOf(spec, Effect.map(setting(id, a, options), replacedAtOnce))
    }
  }
}

const inSteps = ({ key, ttl, write }: Replacement): ReadonlyArray<RedisCommand.Any> =>
  write === undefined ? [del(key)] : [del(key), write, ...(ttl === undefined ? [] : [pexpire(key, ttl)])]

const replaced = (replacement: Replacement): Effect.Effect<void, TransactionError, RedisClient> =>
  replacement.write === undefined
    ? Effect.asVoid(del(replacement.key))
    : Effect.asVoid(transaction(inSteps(replacement)))

const replacedAtOnce = ({ key, ttl, write }: Replacement): RedisCommand.RedisCommand<boolean, boolean, boolean> =>
  write === undefined
    ? mapping(del(key), () => true)
    : write.settled === undefined
    ? replacingIn(key, ttl, write)
    : mapping(write, () => true)
