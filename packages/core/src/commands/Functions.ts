/**
 * Commands on functions and their libraries.
 *
 * @since 0.1.0
 */
import { callArgs } from "../internal/argument/callArgs.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type { FlushMode } from "./Scripting.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options of {@link functionList}.
 *
 * @category functions
 * @since 0.1.0
 */
export interface FunctionListOptions {
  /** Only libraries whose name matches this glob pattern. */
  readonly libraryname?: string | undefined
  /** Also return the source code of each library. */
  readonly withcode?: boolean | undefined
}

/**
 * Options of {@link functionLoad}.
 *
 * @category functions
 * @since 0.1.0
 */
export interface FunctionLoadOptions {
  /** Whether a library of the same name is replaced. Default `false`: that is an error. */
  readonly replace?: boolean | undefined
}

const library = Reply.struct({
  libraryName: Reply.text,
  engine: Reply.text,
  functions: Reply.array(
    Reply.struct({ name: Reply.text, description: Reply.nullable(Reply.text), flags: Reply.textSet })
  ),
  libraryCode: Reply.nullable(Reply.text)
})

const stats = Reply.struct({
  runningScript: Reply.nullable(
    Reply.struct({ name: Reply.text, command: Reply.array(Reply.blob), durationMs: Reply.integer })
  ),
  engines: Reply.recordOf(Reply.struct({ librariesCount: Reply.integer, functionsCount: Reply.integer }))
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Calls a function and returns what it returns, as plain data.
 *
 * Lua values are converted as for `eval`. Fails with `ResponseError` when the function does not exist or raises an
 * error. In a cluster, all keys must be in one slot. Since Redis 7.0.0.
 *
 * **Example** (A function of a library)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const reply = Redis.fcall("take", ["calls"], [100])
 * ```
 *
 * @category functions
 * @since 0.1.0
 */
export const fcall = define(
  "FCALL",
  (name: string, keys?: ReadonlyArray<Arg.Key>, args?: ReadonlyArray<Arg.Value>) => callArgs(name, keys, args),
  Reply.raw
)

/**
 * Like {@link fcall}, for a function with the flag `no-writes`. It can run on a replica.
 *
 * Fails with `ResponseError` when the function may write. Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const fcallRo = define(
  "FCALL_RO",
  (name: string, keys?: ReadonlyArray<Arg.Key>, args?: ReadonlyArray<Arg.Value>) => callArgs(name, keys, args),
  Reply.raw,
  "readonly"
)

/**
 * Deletes a library and its functions; returns `true`.
 *
 * Fails with `ResponseError` when there is no such library. O(1). Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionDelete = define("FUNCTION DELETE", (libraryName: string) => [libraryName], Reply.ok)

/**
 * Returns all libraries in a form for {@link functionRestore}, always as bytes.
 *
 * O(N) in the functions. Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionDump = define("FUNCTION DUMP", () => [], Reply.bytes, "readonly")

/**
 * Deletes all libraries; returns `true`.
 *
 * O(N) in the functions. Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionFlush = define("FUNCTION FLUSH", (mode?: FlushMode) => Arg.token(mode), Reply.ok)

/**
 * Stops the running function unless it has written; returns `true`.
 *
 * Fails with `ResponseError` of code `NOTBUSY` when no function runs, of code `UNKILLABLE` when the function has
 * written. O(1). Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionKill = define("FUNCTION KILL", () => [], Reply.ok)

/**
 * Returns the libraries and their functions. `libraryCode` is `undefined` unless `withcode` is given.
 *
 * O(N) in the functions. Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionList = define(
  "FUNCTION LIST",
  (options: FunctionListOptions = {}) => [
    Arg.option("LIBRARYNAME", options.libraryname),
    Arg.flag("WITHCODE", options.withcode)
  ],
  Reply.array(library),
  "readonly"
)

/**
 * Loads a library from its source code and returns its name.
 *
 * Fails with `ResponseError` when the code does not compile, when a library of the same name exists, or when a function
 * of another library has the name of one of its functions. O(1). Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionLoad = define(
  "FUNCTION LOAD",
  (code: string | Uint8Array, options: FunctionLoadOptions = {}) => [Arg.flag("REPLACE", options.replace), code],
  Reply.text
)

/**
 * Loads the libraries of a {@link functionDump}; returns `true`.
 *
 * `flush` deletes all other libraries first. `append`, the default, fails with `ResponseError` when a name exists.
 * `replace` replaces libraries of the same name. O(N) in the functions. Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionRestore = define(
  "FUNCTION RESTORE",
  (payload: Uint8Array, policy?: "flush" | "append" | "replace") => [payload, Arg.token(policy)],
  Reply.ok
)

/**
 * Returns the running function, its call and how many milliseconds it has run, and what each engine has loaded.
 *
 * `runningScript` is `undefined` when no function runs. O(1). Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionStats = define("FUNCTION STATS", () => [], stats, "readonly")
