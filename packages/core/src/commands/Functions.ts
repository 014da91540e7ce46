/**
 * Commands on functions, and on the libraries that they come in.
 *
 * @since 0.1.0
 */
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
 * - `libraryname`: only libraries whose name matches this glob pattern.
 * - `withcode`: with the source code of each library.
 *
 * @category functions
 * @since 0.1.0
 */
export interface FunctionListOptions {
  readonly libraryname?: string | undefined
  readonly withcode?: boolean | undefined
}

/**
 * Options of {@link functionLoad}: with `replace`, a library of the same name is replaced.
 *
 * @category functions
 * @since 0.1.0
 */
export interface FunctionLoadOptions {
  readonly replace?: boolean | undefined
}

const call = (
  name: string,
  keys: ReadonlyArray<Arg.Key> = [],
  args: ReadonlyArray<Arg.Value> = []
): Arg.List => new Arg.List([name, keys.length, Arg.keys([keys]), ...Arg.many([args])])

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
 * What Lua values become is said at `eval`. Fails with `ResponseError` when
 * there is no such function or it raises an error. In a cluster, all keys must
 * be in one slot. Since Redis 7.0.0.
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
  (name: string, keys?: ReadonlyArray<Arg.Key>, args?: ReadonlyArray<Arg.Value>) => call(name, keys, args),
  Reply.raw
)

/**
 * Like {@link fcall}, for a function with the flag `no-writes`; can run on a replica.
 *
 * Fails with `ResponseError` when the function may write. Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const fcallRo = define(
  "FCALL_RO",
  (name: string, keys?: ReadonlyArray<Arg.Key>, args?: ReadonlyArray<Arg.Value>) => call(name, keys, args),
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
export const functionDump = define("FUNCTION DUMP", () => [], Reply.bytes)

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
 * Ends the function that runs, unless it has written; returns `true`.
 *
 * Fails with `ResponseError` of code `NOTBUSY` when none runs, of code
 * `UNKILLABLE` when it has written. O(1). Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionKill = define("FUNCTION KILL", () => [], Reply.ok)

/**
 * Returns the libraries and their functions; `libraryCode` is `undefined` unless asked for.
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
  Reply.array(library)
)

/**
 * Loads a library from its source code and returns its name.
 *
 * Fails with `ResponseError` when the code does not compile, or when a library
 * of the same name or a function of a name that it uses exists. O(1). Since Redis 7.0.0.
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
 * `flush` deletes all others before; `append`, the default, fails with
 * `ResponseError` when a name exists; `replace` replaces libraries of the same
 * name. O(N) in the functions. Since Redis 7.0.0.
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
 * Returns which function runs, with its call and for how many milliseconds, and what each engine has loaded.
 *
 * `runningScript` is `undefined` when none runs. O(1). Since Redis 7.0.0.
 *
 * @category functions
 * @since 0.1.0
 */
export const functionStats = define("FUNCTION STATS", () => [], stats)
