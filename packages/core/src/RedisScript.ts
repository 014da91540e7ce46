/**
 * Lua scripts and functions with typed parameters and results.
 *
 * A script is sent as its SHA-1 digest where the server is known to have it, and
 * with its text elsewhere. A call makes a command like any other, which
 * runs alone, in a pipeline and in a transaction.
 *
 * **Example** (A counter with a limit)
 *
 * ```ts
 * import { Redis, RedisScript } from "@redfx/core"
 * import { Effect, Schema } from "effect"
 *
 * const incrementUpTo = RedisScript.make({
 *   name: "incrementUpTo",
 *   lua: `
 *     local count = redis.call("INCR", KEYS[1])
 *     if count <= tonumber(ARGV[1]) then return count end
 *     redis.call("DECR", KEYS[1])
 *     return nil
 *   `,
 *   keys: (key: string, _limit: number) => [key],
 *   args: (_key, limit) => [limit],
 *   result: Schema.UndefinedOr(Schema.Int)
 * })
 *
 * const program = Effect.gen(function*() {
 *   const count = yield* incrementUpTo("visits", 10)
 *   const [visits, name] = yield* Redis.pipeline([incrementUpTo("visits", 10), Redis.get("name")])
 *   return { count, visits, name }
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { functionList, functionLoad } from "./commands/Functions.ts"
import { orNone } from "./internal/argument/options.ts"
import { isReply } from "./internal/command/argsFor.ts"
import { titled } from "./internal/reply/titled.ts"
import { FunctionSpec, LibrarySpec, scriptSpec } from "./internal/script/calls.ts"
import type { LibraryFunction } from "./internal/script/calls.ts"
import { sha1 as digest } from "./internal/script/sha1.ts"
import { detailAtOnce, misfitIn } from "./internal/values/schemaValues.ts"
import * as RedisArg from "./RedisArg.ts"
import * as RedisCommand from "./RedisCommand.ts"
import * as RedisReply from "./RedisReply.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * How a result is read: by a schema, or by a decoder of replies.
 *
 * **Details**
 *
 * A schema decodes the reply as plain data: Lua strings as text, numbers as
 * integers (servers cut off the fraction), `true` as 1, `false` and `nil` as
 * `undefined`, tables as arrays up to their first `nil`, `{ ok = … }` as its
 * text. It must decode without services, and one that waits is a `DecodeError`. For bytes take a
 * decoder, such as `RedisReply.bytes`.
 *
 * @category models
 * @since 0.1.0
 */
export type Result<A, Bytes = A, BigInts = A> = RedisReply.Reply<A, Bytes, BigInts> | Schema.ConstraintDecoder<A>

/**
 * How the parameters of a call become keys and arguments, and what comes back.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallOptions<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A> {
  /**
   * Makes the keys, `KEYS` in Lua, of the parameters of a call. Default: there are none. On a cluster there must be at
   * least one, and all must be in one slot.
   */
  readonly keys?: ((...parameters: Parameters) => ReadonlyArray<RedisArg.Key | RedisArg.KeyArg>) | undefined
  /** Makes the arguments, `ARGV` in Lua, of the parameters of a call. Default: there are none. */
  readonly args?: ((...parameters: Parameters) => ReadonlyArray<RedisArg.Value>) | undefined
  /** How the reply is read. A reply of another kind is a `DecodeError` that names the script. */
  readonly result: Result<A, Bytes, BigInts>
  /**
   * Whether the script changes nothing. The server then enforces that: it is run by EVALSHA_RO or FCALL_RO. It may run on a
   * replica and is safe to retry. Needs Redis 7.0 or later. Default `false`.
   */
  readonly readonly?: boolean | undefined
  /**
   * Whether calls with the same first key run in the order in which they are given, also where there are several shared
   * connections. Default `false`.
   */
  readonly ordered?: boolean | undefined
}

/**
 * Options of {@link make}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScriptOptions<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A>
  extends CallOptions<Parameters, A, Bytes, BigInts>
{
  /** The text of the script. */
  readonly lua: string
  /** The name of the script in errors and spans. Default: its SHA-1 digest. */
  readonly name?: string | undefined
}

/**
 * A script: a function that makes commands.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisScript<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A>
  extends RedisCommand.Definition<Parameters, A, Bytes, BigInts>
{
  /** The source of the script. */
  readonly lua: string
  /** The SHA-1 digest of `lua` as UTF-8, by which servers know the script. */
  readonly sha1: string
}

/**
 * A library of functions.
 *
 * @category models
 * @since 0.1.0
 */
export interface Library {
  /** The name of the library. */
  readonly name: string
  /** The source of the library, with its first line. */
  readonly code: string
  /** Loads the library, replacing one of the same name; returns its name. */
  readonly load: RedisCommand.RedisCommand<string, string, string>
}

/**
 * Options of {@link function}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FunctionOptions<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A>
  extends CallOptions<Parameters, A, Bytes, BigInts>
{
  /** The name under which the library registers the function. */
  readonly name: string
  /** The library that is loaded when the server does not have the function. Default: none is loaded. */
  readonly library?: Library | undefined
}

// -----------------------------------------------------------------------------
// Scripts
// -----------------------------------------------------------------------------

/**
 * Creates a script from its text. The result is a function that makes commands.
 *
 * **Details**
 *
 * Making it sends nothing. A call is one EVALSHA where the server is known to have the script, and else one EVAL, which
 * brings the text along. In a transaction it is always EVAL. In a pipeline a script that the server has silently
 * lost fails with `NoScriptError` when commands behind it have run already; everywhere else its text is sent again.
 *
 * An error that the script raises or returns is a `ResponseError`, or what its
 * code stands for.
 *
 * **Gotchas**
 *
 * The parameters are those of `keys`; `args` may leave out their types. Put in
 * the text of a script what is always the same, and in `args` what differs:
 * servers keep every text that they are given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Parameters extends ReadonlyArray<unknown> = [], A = unknown, Bytes = A, BigInts = A>(
  given: ScriptOptions<Parameters, A, Bytes, BigInts>
): RedisScript<Parameters, A, Bytes, BigInts> => {
  const options = orNone(given)
  const isGiven = typeof options.lua === "string"
  const lua = isGiven ? options.lua : ""
  const sha1 = digest(lua)
  const { name = sha1 } = options
  const command = options.readonly === true ? "EVALSHA_RO" : "EVALSHA"
  const spec = scriptSpec(command, traitsOf(options), { lua, name, sha1 })
  const call = callOf({
    spec,
    program: sha1,
    title: `the script ${name}`,
    options,
    refusal: isGiven ? undefined : "lua is missing; give the text of the script"
  })
  return Object.assign(call, { lua, sha1 })
}

// -----------------------------------------------------------------------------
// Functions
// -----------------------------------------------------------------------------

/**
 * Creates a library of functions from its source code.
 *
 * **Details**
 *
 * - `code`: Lua that registers functions. The line `#!lua name=…` that servers want first is put before it when it is
 *   not there.
 *
 * Making it sends nothing. Servers keep libraries over restarts and hand them to
 * their replicas. Needs Redis 7.0 or later.
 *
 * **Example** (A function of a library)
 *
 * ```ts
 * import { RedisReply, RedisScript } from "@redfx/core"
 *
 * const counters = RedisScript.library({
 *   name: "counters",
 *   code: `
 *     redis.register_function("increment_twice", function(keys)
 *       redis.call("INCR", keys[1])
 *       return redis.call("INCR", keys[1])
 *     end)
 *   `
 * })
 *
 * const incrementTwice = RedisScript.function({
 *   library: counters,
 *   name: "increment_twice",
 *   keys: (key: string) => [key],
 *   result: RedisReply.integer
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const library = (options: { readonly name: string; readonly code: string }): Library => {
  const { code: given, name } = orNone(options)
  // What is no text is refused by the command.
  const code = typeof given !== "string" || given.startsWith("#!") ? given : `#!lua name=${name}\n${given}`
  return { name, code, load: functionLoad(code, { replace: true }) }
}

const libraryFunction = <Parameters extends ReadonlyArray<unknown> = [], A = unknown, Bytes = A, BigInts = A>(
  given: FunctionOptions<Parameters, A, Bytes, BigInts>
): RedisCommand.Definition<Parameters, A, Bytes, BigInts> => {
  const options = orNone(given)
  const name = options.readonly === true ? "FCALL_RO" : "FCALL"
  const spec = options.library === undefined
    ? new FunctionSpec(name, traitsOf(options), options.name)
    : new LibrarySpec(name, traitsOf(options), functionOf(options.library, options.name))
  return callOf({
    spec,
    program: options.name,
    title: `the function ${options.name}`,
    options,
    refusal: typeof options.name === "string" ? undefined : "name is missing; give that of the function in its library"
  })
}

export {
  /**
   * A function of a library.
   *
   * **Details**
   *
   * Making it sends nothing. A call is one FCALL. When `library` is given, a
   * client asks before its first call whether the server has the function, and
   * loads the library when it does not. `Redis.pipeline` and
   * `Redis.transaction` ask each time.
   *
   * **Gotchas**
   *
   * A server that has the function from an older version of the library runs
   * that. Run `library.load` to replace it.
   *
   * @category constructors
   * @since 0.1.0
   */
  libraryFunction as function
}

const functionOf = (library: Library, name: string): LibraryFunction => ({
  name,
  list: functionList({ libraryname: library.name }),
  load: library.load
})

// -----------------------------------------------------------------------------
// Calls
// -----------------------------------------------------------------------------

const traitsOf = (
  options: { readonly readonly?: boolean | undefined; readonly ordered?: boolean | undefined }
): ReadonlyArray<RedisCommand.Trait> => [
  ...(options.readonly === true ? ["readonly" as const] : []),
  ...(options.ordered === true ? ["ordered" as const] : [])
]

/** `program`: what the server knows it by. `title`: what errors call it. `refusal`: why it cannot be called. */
const callOf = <Parameters extends ReadonlyArray<unknown>, A, Bytes, BigInts>(
  { options, program, refusal, spec, title }: {
    readonly spec: RedisCommand.Spec
    readonly program: string
    readonly title: string
    readonly options: CallOptions<Parameters, A, Bytes, BigInts>
    readonly refusal: string | undefined
  }
): RedisCommand.Definition<Parameters, A, Bytes, BigInts> => {
  // As programs without types may leave it out.
  const isMissing = !isSchema(options.result) && !isReply(options.result)
  const reply = resultOf(title, isMissing ? Schema.Never : options.result)
  const call = (...parameters: Parameters) =>
    RedisCommand.make<A, Bytes, BigInts>({
      spec,
      args: () => {
        if (refusal !== undefined) RedisArg.invalid(refusal)
        if (isMissing) RedisArg.invalid(noResult)
        const keys = RedisArg.many([options.keys?.(...parameters) ?? []])
        return [
          program,
          keys.length,
          ...keys.map(keyArg),
          ...RedisArg.many([options.args?.(...parameters) ?? []])
        ]
      },
      reply
    })
  return Object.assign(call, { spec })
}

const noResult = "result is missing, or no decoder; give one of the reply, such as RedisReply.integer, or a schema"

const keyArg = (key: RedisArg.Key | RedisArg.KeyArg): RedisArg.KeyArg =>
  key instanceof RedisArg.KeyArg ? key : RedisArg.key(key)

/** An error of a result names the script: EVALSHA alone would not say which one that was. */
const resultOf = <A, Bytes, BigInts>(
  title: string,
  result: Result<A, Bytes, BigInts>
): RedisReply.Reply<A, Bytes, BigInts> =>
  titled<A, Bytes, BigInts>(title, isSchema(result) ? schemaReply(result) : result)

const isSchema = <A, Bytes, BigInts>(result: Result<A, Bytes, BigInts>): result is Schema.ConstraintDecoder<A> =>
  Schema.isSchema(result)

/** The schema fixes the type in every view, so it is always given text and numbers. */
const schemaReply = <A>(schema: Schema.ConstraintDecoder<A>): RedisReply.Reply<A> => {
  const decode = Schema.decodeUnknownExit(schema)
  return RedisReply.make((value, view) => {
    const blob = view.blob === "bytes" ? "text" : view.blob
    const exit = decode(RedisReply.raw.decode(value, { blob, integer: "number" }))
    if (Exit.isSuccess(exit)) return exit.value
    // Issues do not show what was decoded unless `reportInput` asks for it.
    throw new RedisReply.Mismatch(
      detailAtOnce(exit.cause, misfitIn, "the schema of its result waits, and has to decode at once")
    )
  })
}
