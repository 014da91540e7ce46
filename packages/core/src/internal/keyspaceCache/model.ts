/**
 * The types of caches that their users see.
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { TimeToLive } from "../../RedisArg.ts"
import type { RedisCodec } from "../../RedisCodec.ts"
import type { CommandError } from "../../RedisError.ts"
import { quoted } from "../error/printable.ts"
import { TaggedError } from "../error/tagged.ts"
import type { KeyOptions, KeyspaceError, SetOptions } from "../keyspace/model.ts"

/**
 * A value could not be loaded in the time that a load may take. The load was interrupted, and others may try.
 *
 * - `milliseconds`: that time.
 *
 * @category errors
 * @since 0.1.0
 */
export class LoadTimeoutError extends TaggedError<LoadTimeoutError>("@redfx/core/RedisKeyspace/LoadTimeoutError")(
  "LoadTimeoutError",
  { key: Schema.String, milliseconds: Schema.Number }
) {
  override get message(): string {
    return `Loading the value for ${quoted(this.key)} took longer than ${this.milliseconds} ms, and was given up.`
  }
}

/**
 * Options of a cache.
 *
 * @category options
 * @since 0.1.0
 */
export interface CacheOptions<Id, A, E = never, R = never> extends Pick<KeyOptions<Id>, "key" | "id"> {
  /** The schema of values, which are stored as JSON. */
  readonly value: Schema.Codec<A, unknown>
  /** Loads the value of an id from where it comes from, such as a database. `Option.none()` says that there is none. */
  readonly load: (id: Id) => Effect.Effect<Option.Option<A>, E, R>
  /**
   * How long a value is fresh, or a function of the value that says so. No time is `DataError`; a function may return none
   * for a value that was loaded, which is then not stored.
   */
  readonly ttl: TimeToLive | ((value: A) => TimeToLive)
  /** How long the cache remembers that there is no value. Default 5 seconds; with zero it does not remember it. */
  readonly absentTtl?: TimeToLive | undefined
  /**
   * How long an old value is still answered after its `ttl` has ended. Meanwhile one fiber of one program loads it anew.
   * Default 0: callers wait for the load.
   */
  readonly stale?: TimeToLive | undefined
  /**
   * The largest part by which a time is shortened, at random, so that values that were loaded together are not all loaded
   * again together: from 0 to 1, else `DataError`. Default 0.1.
   */
  readonly jitter?: number | undefined
  /**
   * How early a fresh value is loaded anew. That happens by chance, and is the more probable the nearer the end is. The
   * number is a multiple of the time that the load took, from 0 on, else `DataError`. Default 1; with 0 it never happens.
   */
  readonly early?: number | undefined
  /**
   * How long a load may take before it is interrupted. When a program dies while it loads, others wait for this long, and for no
   * load that may take longer than one of theirs: programs that share a cache give the same. Default 10 seconds.
   */
  readonly loadTimeout?: TimeToLive | undefined
  /** How long this program keeps entries in its own memory, by `Redis.cached`. Default: it does not. */
  readonly local?: TimeToLive | undefined
  /**
   * What happens to reads while Redis cannot be reached. `"fail"`, the default, fails with the error. `"load"` loads the
   * value, once for all callers in this program, and stores nothing.
   */
  readonly onRedisFailure?: "fail" | "load" | undefined
  /** What the bytes of values go through, such as `NodeCompression` of `@redfx/node`. Default: nothing. */
  readonly codec?: RedisCodec | undefined
}

/**
 * Values that are loaded when they are asked for, and kept for a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheKeyspace<Id, A, E = never> {
  /** The key of an id. */
  readonly keyOf: (id: Id) => Effect.Effect<string, KeyspaceError>
  /** What is there, without loading, for callers that must not wait for a load. */
  readonly get: (id: Id) => Effect.Effect<Option.Option<A>, CommandError | KeyspaceError>
  /**
   * The value, from Redis or from `load`. However many ask for one that is not there, in however many programs, it is
   * loaded once; a load that fails fails the callers that wait for it in its own program.
   */
  readonly getOrLoad: (
    id: Id
  ) => Effect.Effect<Option.Option<A>, E | CommandError | KeyspaceError | LoadTimeoutError>
  /**
   * Stores a value, `ttl` of its own being how long it is fresh. Loads that began before do not replace it, and are not
   * what later calls of `getOrLoad` return.
   */
  readonly set: (id: Id, value: A, options?: SetOptions) => Effect.Effect<void, CommandError | KeyspaceError>
  /**
   * Forgets values; returns how many there were. Loads that began before do not bring them back, and are not what later
   * calls of `getOrLoad` return.
   */
  readonly del: (...ids: Array<Id>) => Effect.Effect<number, CommandError | KeyspaceError>
}
