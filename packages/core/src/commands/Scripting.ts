/**
 * Commands on Lua scripts. `RedisScript` is the typed way to run one.
 *
 * @since 0.1.0
 */
import { callArgs } from "../internal/argument/callArgs.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * How a server deletes: `async` in the background, `sync` before it answers.
 *
 * @category scripting
 * @since 0.1.0
 */
export type FlushMode = "async" | "sync"

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

// A module in strict mode cannot bind the name `eval`, but can export it.
const evalScript = define(
  "EVAL",
  (script: string | Uint8Array, keys?: ReadonlyArray<Arg.Key>, args?: ReadonlyArray<Arg.Value>) =>
    callArgs(script, keys, args),
  Reply.raw
)

export {
  /**
   * Runs a Lua script and returns what it returns, as plain data.
   *
   * The script finds `keys` in `KEYS` and `args` in `ARGV`. Lua numbers become integers, with fractions cut off. `true`
   * becomes 1; `false` and `nil` become `undefined`. Tables become arrays up to their first `nil`, and `{ok = …}`
   * becomes its text. Fails with `ResponseError` when the script raises an error or returns `{err = …}`. In a cluster,
   * all keys must be in one slot. Since Redis 2.6.0.
   *
   * **Example** (A limit that is checked and taken at once; `RedisScript` gives such a script types)
   *
   * ```ts
   * import { Redis } from "@redfx/core"
   *
   * const taken = Redis.eval("return redis.call('INCR', KEYS[1]) <= tonumber(ARGV[1])", ["calls"], [100])
   * ```
   *
   * @category scripting
   * @since 0.1.0
   */
  evalScript as eval
}

/**
 * Like {@link eval}, for a script that only reads. It can run on a replica.
 *
 * Fails with `ResponseError` when the script writes. Since Redis 7.0.0.
 *
 * @category scripting
 * @since 0.1.0
 */
export const evalRo = define(
  "EVAL_RO",
  (script: string | Uint8Array, keys?: ReadonlyArray<Arg.Key>, args?: ReadonlyArray<Arg.Value>) =>
    callArgs(script, keys, args),
  Reply.raw,
  "readonly"
)

/**
 * Like {@link eval}, for a script that the server has in its cache, named by its SHA-1 digest.
 *
 * Fails with `NoScriptError` when the server does not have the script: see {@link scriptLoad}. Since Redis 2.6.0.
 *
 * @category scripting
 * @since 0.1.0
 */
export const evalsha = define(
  "EVALSHA",
  (sha1: string, keys?: ReadonlyArray<Arg.Key>, args?: ReadonlyArray<Arg.Value>) => callArgs(sha1, keys, args),
  Reply.raw
)

/**
 * Like {@link evalsha}, for a script that only reads. It can run on a replica.
 *
 * Fails with `NoScriptError` when the server does not have the script, with `ResponseError` when the script writes.
 * Since Redis 7.0.0.
 *
 * @category scripting
 * @since 0.1.0
 */
export const evalshaRo = define(
  "EVALSHA_RO",
  (sha1: string, keys?: ReadonlyArray<Arg.Key>, args?: ReadonlyArray<Arg.Value>) => callArgs(sha1, keys, args),
  Reply.raw,
  "readonly"
)

/**
 * Sets how scripts are run on this connection; returns `true`.
 *
 * `yes` debugs scripts in a forked process whose changes are lost. `sync` debugs them in the server itself. `no` runs
 * them without debugging. `engine` is for Valkey 9.0 and later. O(1). Since Redis 3.2.0.
 *
 * @category scripting
 * @since 0.1.0
 */
export const scriptDebug = define(
  "SCRIPT DEBUG",
  (mode: "yes" | "sync" | "no", engine?: string) => [Arg.token(mode), engine ?? Arg.none],
  Reply.ok,
  "stateful"
)

/**
 * Returns for each SHA-1 digest whether the server has its script in the cache.
 *
 * With no digests, returns an empty array without a round trip. O(N). Since Redis 2.6.0.
 *
 * @category scripting
 * @since 0.1.0
 */
export const scriptExists = define(
  "SCRIPT EXISTS",
  (...sha1: Arg.Many<string>) => {
    const list = Arg.many(sha1)
    return list.length === 0 ? Arg.answer([]) : list
  },
  Reply.array(Reply.boolean),
  "readonly"
)

/**
 * Deletes all scripts from the cache; returns `true`.
 *
 * O(N) in the scripts. Since Redis 2.6.0, `mode` since 6.2.0.
 *
 * @category scripting
 * @since 0.1.0
 */
export const scriptFlush = define("SCRIPT FLUSH", (mode?: FlushMode) => Arg.token(mode), Reply.ok)

/**
 * Stops the running script unless it has written; returns `true`.
 *
 * Fails with `ResponseError` of code `NOTBUSY` when no script runs, of code `UNKILLABLE` when the script has written.
 * O(1). Since Redis 2.6.0.
 *
 * @category scripting
 * @since 0.1.0
 */
export const scriptKill = define("SCRIPT KILL", () => [], Reply.ok)

/**
 * Stores a script in the cache without running it; returns its SHA-1 digest as 40 hexadecimal digits.
 *
 * Fails with `ResponseError` when the script does not compile. O(N) in the length of the script. Since Redis 2.6.0.
 *
 * **Example** (Load once, call by the digest)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const sum = Effect.gen(function*() {
 *   const sha1 = yield* Redis.scriptLoad("return ARGV[1] + ARGV[2]")
 *   return yield* Redis.evalsha(sha1, [], [1, 2])
 * })
 * ```
 *
 * @category scripting
 * @since 0.1.0
 */
export const scriptLoad = define("SCRIPT LOAD", (script: string | Uint8Array) => [script], Reply.text)

/**
 * Returns the text of the script with a SHA-1 digest.
 *
 * Fails with `NoScriptError` when the server does not have the script. O(1). Since Valkey 8.0.0; Redis does not have
 * it.
 *
 * @category scripting
 * @since 0.1.0
 */
export const scriptShow = define("SCRIPT SHOW", (sha1: string) => [sha1], Reply.blob, "readonly")
