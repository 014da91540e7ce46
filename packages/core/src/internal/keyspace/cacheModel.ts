/**
 * The types of caches that their users see.
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { TimeToLive } from "../../RedisArg.ts"
import type { RedisCodec } from "../../RedisCodec.ts"
import type { RedisError } from "../../RedisError.ts"
import type { KeyOptions, KeyspaceError, SetOptions } from "./model.ts"

/**
 * A value could not be loaded in the time that a load may take. The load was interrupted, and others may try.
 *
 * - `limit`: that time, in milliseconds.
 *
 * @category errors
 * @since 0.1.0
 */
export class LoadTimeoutError
  extends Schema.TaggedError<LoadTimeoutError>("@redfx/core/RedisKeyspace/LoadTimeoutError")(
    "LoadTimeoutError",
    { key: Schema.String, limit: Schema.Number }
  )
{
  override get message(): string {
    return `Loading the value for ${JSON.stringify(this.key)} took longer than ${this.limit} ms, and was given up.`
  }
}

/**
 * Options of a cache.
 *
 * @category options
 * @since 0.1.0
 */
export interface CacheOptions<Id, A, E = never, R = never> extends Pick<KeyOptions<Id>, "key" | "id"> {
  readonly value: Schema.Codec<A, unknown>
  /** Finds the value of an id where it comes from; `Option.none()` when there is none. */
  readonly load: (id: Id) => Effect.Effect<Option.Option<A>, E, R>
  /** For how long a value is fresh, or a function of the value that says so. A value with a time of zero is not stored. */
  readonly ttl: TimeToLive | ((value: A) => TimeToLive)
  /** For how long it is remembered that there is no value. Default 5 seconds; zero does not remember. */
  readonly absentTtl?: TimeToLive | undefined
  /**
   * For how long after that a value is still answered, at once, while one fiber of one program loads it anew. Default: not
   * at all, so that callers wait for the load.
   */
  readonly stale?: TimeToLive | undefined
  /**
   * The part by which a time is shorter at the most, at random, so that values that were loaded together are not loaded
   * together again. Default 0.1.
   */
  readonly jitter?: number | undefined
  /**
   * How early a fresh value is loaded anew, by chance, and the more probably the nearer its end is: some multiple of the
   * time that its load took. Default 1; 0 is never.
   */
  readonly early?: number | undefined
  /**
   * How long a load may take; then it is interrupted. When a program dies while it loads, others wait for so long. Default
   * 10 seconds.
   */
  readonly loadTimeout?: TimeToLive | undefined
  /** Also keeps entries in this program, for so long at the most, by `Redis.cached`. Default: does not. */
  readonly local?: TimeToLive | undefined
  /**
   * What becomes of reads while Redis cannot be reached: `"fail"` fails with the error, `"load"` loads, once for all
   * callers in this program, and stores nothing. Default `"fail"`.
   */
  readonly onRedisFailure?: "fail" | "load" | undefined
  /** What the bytes of values go through, such as `NodeCompression` of `@redfx/node`. */
  readonly codec?: RedisCodec | undefined
}

/**
 * Values that are loaded when they are asked for, and kept for a time.
 *
 * - `getOrLoad`: the value, from Redis or from `load`. However many ask for one that is not there, in however many programs,
 *   it is loaded once; a load that fails fails the callers that wait for it in its own program.
 * - `get`: what is there, without loading, for callers that must not wait for a load.
 * - `set`: stores a value, `ttl` of its own being how long it is fresh. `del`: forgets values; how many there were. Loads that
 *   began before do not replace what these did, and are not what later calls of `getOrLoad` return.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheKeyspace<Id, A, E = never> {
  readonly keyOf: (id: Id) => Effect.Effect<string, KeyspaceError>
  readonly get: (id: Id) => Effect.Effect<Option.Option<A>, RedisError | KeyspaceError>
  readonly getOrLoad: (
    id: Id
  ) => Effect.Effect<Option.Option<A>, E | RedisError | KeyspaceError | LoadTimeoutError>
  readonly set: (id: Id, value: A, options?: SetOptions) => Effect.Effect<void, RedisError | KeyspaceError>
  readonly del: (...ids: ReadonlyArray<Id>) => Effect.Effect<number, RedisError | KeyspaceError>
}
