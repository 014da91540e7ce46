/**
 * Commands as values: what is sent, which arguments are keys, how the reply is
 * read. A command is also an Effect, which runs it on the `RedisClient` of the
 * surrounding program; the same value can be part of a pipeline or a transaction.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import { encodeUtf8 } from "./internal/codec/utf8.ts"
import { callsOfCode, refusals, subcommandOf, traitsByName } from "./internal/command/byName.ts"
import { headOf } from "./internal/command/head.ts"
import { print } from "./internal/command/print.ts"
import { secretsIn } from "./internal/command/secrets.ts"
import { unreadable } from "./internal/command/unreadable.ts"
import { Suspension } from "./internal/runtime/suspension.ts"
import * as Telemetry from "./internal/telemetry/spans.ts"
import * as RedisArg from "./RedisArg.ts"
import { RedisClient, replacing } from "./RedisClient.ts"
import type { Service } from "./RedisClient.ts"
import { DataError, DecodeError } from "./RedisError.ts"
import type { RedisError } from "./RedisError.ts"
import * as RedisReply from "./RedisReply.ts"
import type * as Resp from "./Resp.ts"
import type { RespEncoder } from "./RespEncoder.ts"

const TypeId = "~redfx/RedisCommand"

type Caching = { readonly life: number }

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * What holds for a command whatever its arguments are.
 *
 * - `readonly`: changes nothing on the server, so repeating it does no harm.
 * - `cacheable`: `readonly`, and the answer depends on nothing but the values of its keys: not on chance, on the time, on
 *   how long a key still lives, or on a cursor. The server tells when it is no longer true.
 * - `blocking`: the server may hold back the answer; runs on a connection of its own, unless a `BlockArg` among its
 *   arguments says that this one does not wait.
 * - `ordered`: goes over one of several shared connections, always the same for the same first key and for no key, so that
 *   the server runs them in the order in which they were given.
 * - `stateful`: changes the state of its connection (SELECT, MULTI, SUBSCRIBE …); refused on shared connections.
 * - `dependent`: its answer is about what its connection sent before (WAIT); alone it is refused on shared connections,
 *   where nobody knows what that was.
 * - `closing`: the server answers by closing the connection (SHUTDOWN), which is success; decoded as a nil reply.
 * - `code`: runs code of its caller's, which can make up any error after it has written something (EVAL, EVALSHA and FCALL
 *   have it by their names).
 *
 * @category models
 * @since 0.1.0
 */
export type Trait = "readonly" | "cacheable" | "blocking" | "ordered" | "stateful" | "dependent" | "closing" | "code"

/**
 * A script that a command names by its digest, its first argument.
 *
 * - `name`: what spans call it. `withText`: the facts of the command that carries the text in the digest's place.
 *
 * @category models
 * @since 0.1.0
 */
export interface Script {
  readonly sha1: string
  readonly lua: string
  readonly name: string
  readonly withText: Spec
}

/**
 * The static facts of a command.
 *
 * @category models
 * @since 0.1.0
 */
export class Spec {
  /** The name as servers know it, such as `GET` or `CLIENT SETNAME`. */
  readonly name: string
  /** The name for spans and metrics: of what is sent by a name that nobody has defined, `_OTHER`. */
  readonly operation: string
  readonly words: ReadonlyArray<string>
  readonly traits: ReadonlySet<Trait>
  readonly readonly: boolean
  /** Whether the answer depends on nothing but the values of its keys. */
  readonly cacheable: boolean
  /** Whether an ordinary command: neither blocking nor stateful nor dependent. */
  readonly ordinary: boolean
  /** Whether an error that it is answered with says nothing about what was written before. */
  readonly runsCode: boolean
  /** The script that the command names by its digest, `undefined` unless it does. */
  readonly script: Script | undefined
  readonly #heads: Array<Uint8Array | undefined> = []

  constructor(name: string, traits: ReadonlyArray<Trait>, script?: Script, operation = name) {
    this.name = name
    this.operation = operation
    this.words = name.split(" ")
    this.traits = new Set(traits.includes("cacheable") ? ["readonly", ...traits] : traits)
    this.cacheable = this.traits.has("cacheable")
    this.runsCode = !this.traits.has("readonly") && (this.traits.has("code") || callsOfCode.has(name.toUpperCase()))
    this.readonly = this.traits.has("readonly")
    this.script = script
    this.ordinary = !this.traits.has("blocking") && !this.traits.has("stateful") && !this.traits.has("dependent")
  }

  /** `*count` and the name, as bytes: made once per number of arguments. */
  head(count: number): Uint8Array {
    return this.#heads[count] ?? headOf(this.words, count, this.#heads)
  }

  /** Which script or function a command of this kind runs, `undefined` unless it does. */
  get procedure(): string | undefined {
    return this.script?.name
  }
}

/**
 * A command whose reply is an `A`; in the bytes view a `Bytes`, in the bigint view a `BigInts`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisCommand<out A, out Bytes = A, out BigInts = A> extends Effect.Effect<A, RedisError, RedisClient> {
  readonly [TypeId]: typeof TypeId
  readonly spec: Spec
  /** The arguments after the name, in the order in which they are sent. */
  readonly parts: ReadonlyArray<RedisArg.Part>
  readonly reply: RedisReply.Reply<unknown, unknown, unknown>
  readonly view: RedisReply.View
  /** Present when the outcome is known without the server: a wrong argument, or nothing to send. */
  readonly settled: Exit.Exit<A, RedisError> | undefined
  /** Present when the answer may come from the client's cache, up to an age of `life` milliseconds. */
  readonly caching?: Caching | undefined
  /** Never present: holds the types of the other views. */
  readonly "~views"?: { readonly bytes: Bytes; readonly bigint: BigInts }
}

/**
 * A command that `Redis.cached` takes: its answer depends on nothing but the values of its keys.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheableCommand<out A, out Bytes = A, out BigInts = A> extends RedisCommand<A, Bytes, BigInts> {
  readonly spec: Spec & { readonly cacheable: true }
}

/**
 * Any command.
 *
 * @category models
 * @since 0.1.0
 */
export type Any = RedisCommand<unknown, unknown, unknown>

/**
 * What a command succeeds with.
 *
 * @category models
 * @since 0.1.0
 */
export type Success<C> = C extends RedisCommand<infer A, unknown, unknown> ? A : never

/**
 * A function that makes commands, with the static facts of the command as `spec`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A> {
  (...parameters: Parameters): RedisCommand<A, Bytes, BigInts>
  readonly spec: Spec
}

/**
 * A function that makes commands whose answers can be cached.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheableDefinition<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A>
  extends Definition<Parameters, A, Bytes, BigInts>
{
  (...parameters: Parameters): CacheableCommand<A, Bytes, BigInts>
  readonly spec: Spec & { readonly cacheable: true }
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Defines a command: its name, its arguments, how its reply is decoded, its traits.
 *
 * **Example** (A command of a module)
 *
 * ```ts
 * import { RedisArg, RedisCommand, RedisReply } from "@redfx/core"
 *
 * const bfExists = RedisCommand.define(
 *   "BF.EXISTS",
 *   (key: RedisArg.Key, item: RedisArg.Value) => [RedisArg.key(key), item],
 *   RedisReply.boolean,
 *   "readonly"
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export function define<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A>(
  name: string,
  args: (...parameters: Parameters) => ReadonlyArray<RedisArg.Arg> | RedisArg.List | RedisArg.Answer,
  reply: RedisReply.Reply<A, Bytes, BigInts>,
  trait: "cacheable"
): CacheableDefinition<Parameters, A, Bytes, BigInts>
export function define<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A>(
  name: string,
  args: (...parameters: Parameters) => ReadonlyArray<RedisArg.Arg> | RedisArg.List | RedisArg.Answer,
  reply: RedisReply.Reply<A, Bytes, BigInts>,
  ...traits: ReadonlyArray<Trait>
): Definition<Parameters, A, Bytes, BigInts>
/* @__NO_SIDE_EFFECTS__ */
export function define<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A>(
  name: string,
  args: (...parameters: Parameters) => ReadonlyArray<RedisArg.Arg> | RedisArg.List | RedisArg.Answer,
  reply: RedisReply.Reply<A, Bytes, BigInts>,
  ...traits: ReadonlyArray<Trait>
): Definition<Parameters, A, Bytes, BigInts> {
  const spec = new Spec(name, traits)
  definitions.set(name, spec)
  // The parameters go on as they came: an array of them, and one more for the call, would be made for each command.
  const given: (...parameters: ReadonlyArray<unknown>) => Listed = args as never
  const construct = function(first: unknown, second: unknown, third: unknown) {
    try {
      switch (arguments.length) {
        case 1:
          return commandOf(spec, given(first), reply)
        case 2:
          return commandOf(spec, given(first, second), reply)
        case 3:
          return commandOf(spec, given(first, second, third), reply)
        default:
          return commandOf(spec, given(...arguments), reply)
      }
    } catch (error) {
      return unreadableCommand(spec, error, reply)
    }
  }
  // Its parameters are those of `args`, and a command has the types of its decoder.
  return Object.assign(construct, { spec }) as never
}

/**
 * Makes a single command, for what {@link define} cannot express.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A, Bytes = A, BigInts = A>(options: {
  readonly spec: Spec
  readonly args: () => ReadonlyArray<RedisArg.Arg> | RedisArg.List | RedisArg.Answer
  readonly reply: RedisReply.Reply<A, Bytes, BigInts>
}): RedisCommand<A, Bytes, BigInts> => makeWith(options.spec, options.args, options.reply)

/** The facts of what is sent by its name: nobody has said which of its arguments are keys, but for those marked as such. */
class NamedSpec extends Spec {}

/**
 * Any command by its name, which may be several words (`"CONFIG GET"`), for
 * what has no function of its own. The reply is plain data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const send = (
  name: string,
  ...args: ReadonlyArray<RedisArg.Arg>
): RedisCommand<RedisReply.Raw> => {
  const [first = "", ...others] = typeof name === "string" ? name.trim().split(/\s+/) : []
  // Further words are arguments, which may be secret: they must not become part of a name that errors show.
  const subcommand = subcommandOf(first, others[0], args)
  const named = subcommand === undefined ? first : `${first} ${subcommand}`
  const refusal = refusals.get(named.toUpperCase())
  return makeWith(
    new NamedSpec(named, traitsByName.get(named.toUpperCase()) ?? [], undefined, operationOf(named)),
    () => {
      if (refusal !== undefined) return RedisArg.invalid(refusal)
      const words = RedisArg.flatten([...others, ...args])
      return subcommand === undefined ? words : words.slice(1)
    },
    RedisReply.raw
  )
}

/**
 * The definitions by their names. What is sent by name may have a name that comes from anywhere, each of which would be a
 * series of its own for whoever keeps metrics.
 */
const definitions = new Map<string, Spec>()

/**
 * Whether a command changes nothing on the server, also when it is sent by the name of one that is defined to change
 * nothing.
 *
 * @category guards
 * @since 0.1.0
 */
export const changesNothing = ({ spec }: Any): boolean =>
  spec.readonly || definitions.get(spec.name.toUpperCase())?.readonly === true

const operationOf = (name: string): string => {
  const upper = name.toUpperCase()
  return definitions.has(upper) ? upper : "_OTHER"
}

/** What a definition makes of its parameters. */
type Listed = ReadonlyArray<RedisArg.Arg> | RedisArg.List | RedisArg.Answer

type AnyReply = RedisReply.Reply<unknown, unknown, unknown>

const makeWith = <A, Bytes, BigInts>(
  spec: Spec,
  args: () => Listed,
  reply: RedisReply.Reply<A, Bytes, BigInts>
): RedisCommand<A, Bytes, BigInts> => {
  try {
    // The view is the text view, in which this reply decodes to an A.
    return commandOf(spec, args(), reply) as never
  } catch (error) {
    return unreadableCommand(spec, error, reply) as never
  }
}

const commandOf = (spec: Spec, list: Listed, reply: AnyReply): CommandImpl =>
  list instanceof RedisArg.Answer
    ? new CommandImpl(spec, noParts, reply, RedisReply.textView, list)
    : new CommandImpl(spec, RedisArg.flatten(list), reply, RedisReply.textView, undefined)

const unreadableCommand = (spec: Spec, error: unknown, reply: AnyReply): CommandImpl =>
  new CommandImpl(spec, noParts, reply, RedisReply.textView, unreadable(error))

const noParts: ReadonlyArray<RedisArg.Part> = []

// -----------------------------------------------------------------------------
// Guards and views
// -----------------------------------------------------------------------------

/**
 * Returns `true` if the value is a command.
 *
 * @category guards
 * @since 0.1.0
 */
export const isCommand = (value: unknown): value is Any => Predicate.hasProperty(value, TypeId)

/**
 * Whether a command was made of its name by {@link send}: which of its arguments are keys is then known only of those that
 * are marked with `RedisArg.key`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isSentByName = ({ spec }: Any): boolean => spec instanceof NamedSpec

/**
 * The same command with every blob of its reply as `Uint8Array`; its integers
 * stay what they are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const asBytes: {
  <A, Bytes, BigInts>(
    command: CacheableCommand<A, Bytes, BigInts>
  ): CacheableCommand<Bytes, Bytes, RedisReply.BothViews<A, Bytes, BigInts>>
  <A, Bytes, BigInts>(
    command: RedisCommand<A, Bytes, BigInts>
  ): RedisCommand<Bytes, Bytes, RedisReply.BothViews<A, Bytes, BigInts>>
} = (command: Any) => withView(command, { ...command.view, blob: "bytes" })

/**
 * The same command with every integer of its reply as `bigint`; its blobs stay
 * what they are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const asBigInt: {
  <A, Bytes, BigInts>(
    command: CacheableCommand<A, Bytes, BigInts>
  ): CacheableCommand<BigInts, RedisReply.BothViews<A, Bytes, BigInts>, BigInts>
  <A, Bytes, BigInts>(
    command: RedisCommand<A, Bytes, BigInts>
  ): RedisCommand<BigInts, RedisReply.BothViews<A, Bytes, BigInts>, BigInts>
} = (command: Any) => withView(command, { ...command.view, integer: "bigint" })

const withView = (command: Any, view: RedisReply.View): never => {
  // Every command is made by this module.
  const { caching, parts, reply, spec, unsent } = command as Any & CommandImpl
  // The reply decodes to what the callers name as the types of the view.
  return implOf(caching, spec, parts, reply, view, unsent) as never
}

/**
 * The same command, whose answer may come from the client's cache. Without a life it is refused with `DataError`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withCaching: {
  <A, Bytes, BigInts>(
    command: CacheableCommand<A, Bytes, BigInts>,
    caching: Caching
  ): CacheableCommand<A, Bytes, BigInts>
  <A, Bytes, BigInts>(command: RedisCommand<A, Bytes, BigInts>, caching: Caching): RedisCommand<A, Bytes, BigInts>
} = (command: Any, caching: Caching) => {
  // Every command is made by this module; the types are those of the reply, which stays.
  const { parts, reply, spec, unsent, view } = command as Any & CommandImpl
  const refused = caching.life > 0 ? unsent : new RedisArg.InvalidArgument("is not kept for any time: its ttl is none")
  return new CachedImpl(caching, spec, parts, reply, view, refused) as never
}

/**
 * The same command with another reply decoder.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withReply = <A, Bytes = A, BigInts = A>(
  command: Any,
  reply: RedisReply.Reply<A, Bytes, BigInts>
): RedisCommand<A, Bytes, BigInts> => {
  // Every command is made by this module; a command's types are those of its decoder.
  const { caching, parts, spec, unsent, view } = command as Any & CommandImpl
  return implOf(caching, spec, parts, reply, view, unsent) as never
}

/**
 * A client that reads the replies to one command in another way: alone, in
 * pipelines and in transactions. The type of the replies stays what it is.
 *
 * **Details**
 *
 * The decoder reads the reply as it came, like those of {@link define}; the
 * command that was sent is its second argument.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withDecoder = <Parameters extends ReadonlyArray<never>, A>(
  client: Service,
  definition: Definition<Parameters, A, unknown, unknown>,
  decode: (value: Resp.Value, command: Any) => A
): Service => {
  const replace = <B>(command: RedisCommand<B, unknown, unknown>): RedisCommand<B, unknown, unknown> =>
    command.spec.name.toUpperCase() !== definition.spec.name
      ? command
      // Commands of one definition have one type: B is A here.
      : withReply(command, RedisReply.make<unknown>((value) => decode(value, command))) as RedisCommand<B>
  return replacing(client, replace)
}

// -----------------------------------------------------------------------------
// Reading commands
// -----------------------------------------------------------------------------

/**
 * The keys of a command, in order.
 *
 * @category getters
 * @since 0.1.0
 */
export const keys = (command: Any): ReadonlyArray<RedisArg.Key> =>
  command.parts.flatMap((part) => part instanceof RedisArg.KeyArg ? [part.value] : [])

/**
 * The first key of a command, `undefined` when it has none.
 *
 * @category getters
 * @since 0.1.0
 */
export const firstKey = (command: Any): RedisArg.Key | undefined => {
  const { parts } = command
  // A loop: a cluster asks for every command.
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (part instanceof RedisArg.KeyArg) return part.value
  }
  return undefined
}

/**
 * How many milliseconds the server may hold back its answer: `0` unless the
 * command blocks, `Infinity` when it blocks without limit.
 *
 * @category getters
 * @since 0.1.0
 */
export const blockMilliseconds = (command: Any): number => {
  if (!command.spec.traits.has("blocking")) return 0
  // Without such an argument a blocking command does not tell for how long.
  return blockOf(command)?.milliseconds ?? Infinity
}

const blockOf = (command: Any): RedisArg.BlockArg | undefined =>
  command.parts.find((part) => part instanceof RedisArg.BlockArg)

/**
 * Whether a command is one of the few that a server takes while a script keeps it busy, and ends the script.
 *
 * @category guards
 * @since 0.1.0
 */
export const endsScript = ({ spec }: Any): boolean => endingScripts.has(spec.name.toUpperCase())

const endingScripts: ReadonlySet<string> = new Set(["SCRIPT KILL", "FUNCTION KILL", "SHUTDOWN"])

/**
 * Whether a command must not share its connection: it changes the connection's
 * state, or the server may hold back the answer.
 *
 * @category guards
 * @since 0.1.0
 */
export const needsOwnConnection = (command: Any): boolean => {
  const { ordinary, traits } = command.spec
  if (ordinary) return false
  // XREAD and XREADGROUP block only when told to, and say so when they are not.
  return traits.has("stateful") || traits.has("dependent") || blockOf(command)?.milliseconds !== 0
}

/**
 * The same command with other arguments: a part of its keys, for instance.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withParts = <A, Bytes, BigInts>(
  command: RedisCommand<A, Bytes, BigInts>,
  parts: ReadonlyArray<RedisArg.Part>
): RedisCommand<A, Bytes, BigInts> =>
  // The types are those of the reply, which stays.
  implOf(command.caching, command.spec, parts, command.reply, command.view, undefined) as never

/**
 * The same command with its reply as it came.
 *
 * @category combinators
 * @since 0.1.0
 */
export const undecoded = (command: Any): RedisCommand<Resp.Value> => {
  // Every command is made by this module; the reply below gives what it is given.
  const { caching, parts, spec, unsent } = command as Any & CommandImpl
  return implOf(caching, spec, parts, asItCame, RedisReply.textView, unsent) as never
}

const asItCame = { decode: (value: Resp.Value) => value }

/**
 * Encodes a command. One that cannot be sent, as a secret was wiped or a buffer
 * given away since it was made, is returned as an error.
 *
 * **Details**
 *
 * A command takes exactly one reply, also in the middle of a pipeline. So in the
 * place of one that cannot be sent goes one that every server refuses, and a
 * transaction with it.
 *
 * - `withText`: the script that the command names by its digest, of which the text goes in the digest's place.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeInto = (command: Any, encoder: RespEncoder, withText?: Script): DataError | undefined => {
  const parts = command.parts
  encoder.mark()
  try {
    // Every command is made by this module.
    const { unsent } = command as Any & CommandImpl
    if (unsent !== undefined) throw unsent
    encoder.check(command.spec.words.length + parts.length)
    encoder.raw((withText?.withText ?? command.spec).head(parts.length))
    if (withText !== undefined) encoder.argument(withText.lua)
    for (let i = withText === undefined ? 0 : 1; i < parts.length; i++) {
      const part = parts[i]!
      encoder.argument(typeof part === "string" ? part : RedisArg.wireValue(part))
    }
    encoder.check(0)
    return undefined
  } catch (error) {
    encoder.rollback()
    encoder.raw(refused)
    return new DataError({ command: command.spec.name, detail: unreadable(error).detail })
  }
}

/** GET without a key: an error on every server, with no effect but that on a transaction, which then runs nothing. */
const refused = encodeUtf8("*1\r\n$3\r\nGET\r\n")

/**
 * Why a command cannot be sent by now, `undefined` when it can.
 *
 * @category encoding
 * @since 0.1.0
 */
export const unsendable = (command: Any): DataError | undefined => {
  try {
    RedisArg.flatten(command.parts)
    return undefined
  } catch (error) {
    return new DataError({ command: command.spec.name, detail: unreadable(error).detail })
  }
}

/**
 * Decodes a reply that is no error to what the command promises.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = <A>(
  command: RedisCommand<A, unknown, unknown>,
  value: Resp.Value,
  replaceInvalidText: boolean,
  index?: number
): Exit.Exit<A, DecodeError> => {
  const view = replaceInvalidText && command.view.blob === "text"
    ? { ...command.view, blob: "replace" as const }
    : command.view
  try {
    // The view is the one that the type A was declared for.
    return Exit.succeed(command.reply.decode(value, view) as A)
  } catch (error) {
    if (!(error instanceof RedisReply.Mismatch)) return Exit.die(error)
    return Exit.fail(
      new DecodeError({
        command: command.spec.name,
        detail: error.detail,
        ...(index === undefined ? {} : { index }),
        ...(error.integer === undefined ? {} : { integer: error.integer })
      })
    )
  }
}

/**
 * What must not be shown of what a server says about a command: secret
 * arguments, and every argument of a command that sets or presents credentials.
 * `undefined` when that cannot be told any more, as a secret was wiped.
 *
 * @category getters
 * @since 0.1.0
 */
export const secrets = ({ parts, spec }: Any): ReadonlyArray<string> | undefined => secretsIn(spec.words[0]!, parts)

// -----------------------------------------------------------------------------
// Implementation
// -----------------------------------------------------------------------------

class CommandImpl {
  readonly spec: Spec
  readonly parts: ReadonlyArray<RedisArg.Part>
  readonly reply: RedisReply.Reply<unknown, unknown, unknown>
  // What most commands have stands in the prototype, and costs them nothing.
  declare readonly view: RedisReply.View
  declare readonly unsent: RedisArg.Answer | RedisArg.InvalidArgument | undefined

  constructor(
    spec: Spec,
    parts: ReadonlyArray<RedisArg.Part>,
    reply: RedisReply.Reply<unknown, unknown, unknown>,
    view: RedisReply.View,
    unsent: RedisArg.Answer | RedisArg.InvalidArgument | undefined
  ) {
    this.spec = spec
    this.parts = parts
    this.reply = reply
    if (view !== RedisReply.textView) this.view = view
    if (unsent !== undefined) this.unsent = unsent
  }
}

/** Few commands are cached: the others have no place for it. */
class CachedImpl extends CommandImpl {
  readonly caching: Caching

  constructor(caching: Caching, ...rest: ConstructorParameters<typeof CommandImpl>) {
    super(...rest)
    this.caching = caching
  }
}

const implOf = (caching: Caching | undefined, ...rest: ConstructorParameters<typeof CommandImpl>): CommandImpl =>
  caching === undefined ? new CommandImpl(...rest) : new CachedImpl(caching, ...rest)

const settle = (command: CommandImpl & Any): Exit.Exit<unknown, RedisError> | undefined => {
  const unsent = command.unsent
  if (unsent === undefined) return undefined
  return unsent instanceof RedisArg.Answer
    ? decode(command, unsent.value, false)
    : Exit.fail(new DataError({ command: command.spec.name, detail: unsent.detail }))
}

const effectPrototype = Effectable.Prototype<Any>({
  label: "RedisCommand",
  evaluate(fiber) {
    // No client is asked, so that one that a test or a decorator makes need not know of such commands.
    if (this.settled !== undefined) return this.settled
    const client = Context.getUnsafe(fiber.context, RedisClient)
    const run = client.execute(this)
    // A command's effect is that of its client.
    if (!Telemetry.isTraced(fiber)) return Suspension.run(run, fiber) as typeof run
    return Telemetry.span(this.spec.operation, client, run, Telemetry.procedure(this.spec.procedure))
  }
})

Object.defineProperties(CommandImpl.prototype, {
  ...Object.getOwnPropertyDescriptors(effectPrototype),
  [TypeId]: { value: TypeId },
  caching: { value: undefined, writable: true },
  view: { value: RedisReply.textView, writable: true },
  unsent: { value: undefined, writable: true },
  settled: {
    get(this: CommandImpl & Any) {
      return settle(this)
    }
  },
  toString: {
    value(this: Any) {
      return `RedisCommand(${print(this)})`
    }
  },
  toJSON: {
    value(this: Any) {
      return { _id: "RedisCommand", command: print(this) }
    }
  },
  [NodeInspectSymbol]: {
    value(this: Any) {
      return this.toString()
    }
  }
})
