/**
 * Commands as values: what is sent, which arguments are keys, how the reply is
 * read. A command is also an Effect, which runs it on the `RedisClient` of the
 * surrounding program; the same value can be part of a pipeline or a transaction.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import { orNone } from "./internal/argument/options.ts"
import { dataError, unreadable } from "./internal/argument/unreadable.ts"
import { argsFor, refusalFor } from "./internal/command/argsFor.ts"
import { refusalOf, shownName, subcommandOf, traitsByName } from "./internal/command/byName.ts"
import * as Encode from "./internal/command/encode.ts"
import { CachedImpl, CommandImpl, implOf, TypeId } from "./internal/command/impl.ts"
import type { Caching } from "./internal/command/impl.ts"
import { commandIn } from "./internal/command/noCommand.ts"
import { print } from "./internal/command/print.ts"
import { secretsIn } from "./internal/command/secrets.ts"
import { Spec } from "./internal/command/spec.ts"
import type { Script, Trait } from "./internal/command/spec.ts"
import { callerOf } from "./internal/error/place.ts"
import * as Decode from "./internal/reply/decode.ts"
import { Suspension } from "./internal/runtime/suspension.ts"
import * as Telemetry from "./internal/telemetry/spans.ts"
import * as RedisArg from "./RedisArg.ts"
import { RedisClient, replacing } from "./RedisClient.ts"
import type { CommandError, DataError, DecodeError } from "./RedisError.ts"
import * as RedisReply from "./RedisReply.ts"
import type * as Resp from "./Resp.ts"
import type { RespEncoder } from "./RespEncoder.ts"

export type { Caching } from "./internal/command/impl.ts"
export { Spec } from "./internal/command/spec.ts"
export type { Script, Trait } from "./internal/command/spec.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * A command whose reply is an `A`; in the bytes view a `Bytes`, in the bigint view a `BigInts`. With one argument it is any
 * command whose reply is an `A`, and nothing is said of its other views.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisCommand<out A, out Bytes = unknown, out BigInts = unknown>
  extends Effect.Effect<A, CommandError, RedisClient>
{
  readonly [TypeId]: typeof TypeId
  /** The static facts of the command. */
  readonly spec: Spec
  /** The arguments after the name, in the order in which they are sent. */
  readonly parts: ReadonlyArray<RedisArg.Part>
  /** How its reply is decoded. */
  readonly reply: RedisReply.Reply<unknown, unknown, unknown>
  /** What blobs and integers of its reply become. */
  readonly view: RedisReply.View
  /** Present when the outcome is known without the server: a wrong argument, or nothing to send. */
  readonly settled: Exit.Exit<A, CommandError> | undefined
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
export interface CacheableCommand<out A, out Bytes = unknown, out BigInts = unknown>
  extends RedisCommand<A, Bytes, BigInts>
{
  /** The static facts of the command. */
  readonly spec: Spec & { readonly cacheable: true }
}

/**
 * A command with the facts `S`: one that `Redis.cached` takes, where they say so.
 *
 * @category models
 * @since 0.1.0
 */
export type CommandOf<S extends Spec, A, Bytes = unknown, BigInts = unknown> = S extends { readonly cacheable: true }
  ? CacheableCommand<A, Bytes, BigInts>
  : RedisCommand<A, Bytes, BigInts>

/**
 * Any command.
 *
 * @category models
 * @since 0.1.0
 */
export type Any = RedisCommand<unknown>

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
  /** The static facts of the command. */
  readonly spec: Spec
}

/**
 * A {@link Definition} of commands whose answers can be cached.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheableDefinition<Parameters extends ReadonlyArray<unknown>, A, Bytes = A, BigInts = A> {
  // It does not extend the other: with two signatures editors show no documentation, and errors say everything twice.
  (...parameters: Parameters): CacheableCommand<A, Bytes, BigInts>
  /** The static facts of the command. */
  readonly spec: Spec & { readonly cacheable: true }
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Defines a command: its name, its arguments, how its reply is decoded, its traits. Without a decoder it is refused with `DataError`.
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
  const spec = new Spec(String(name), traits)
  definitions.set(spec.capitals, spec)
  // The parameters are passed on as they came: otherwise each command would cost an array of them and one more for the call.
  const given: (...parameters: ReadonlyArray<unknown>) => Listed = argsFor(reply, args) as never
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
      return unreadableCommand(spec, error, reply, construct)
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
}): RedisCommand<A, Bytes, BigInts> => {
  const { args, reply, spec: given } = orNone(options)
  // Programs without types may leave out any of them: then the command is refused.
  const spec = (given as Spec | undefined) ?? new Spec("RedisCommand.make", [])
  try {
    // The view is the text view, in which this reply decodes to an A.
    return commandOf(spec, argsFor(reply, args)(), reply) as never
  } catch (error) {
    return unreadableCommand(spec, error, reply, make) as never
  }
}

/** The facts of what is sent by its name: nobody has said which of its arguments are keys, but for those marked as such. */
class NamedSpec extends Spec {}

/**
 * Any command by its name, which may be several words (`"CONFIG GET"`), for
 * commands without a function of their own. The reply is plain data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const send = (
  name: string,
  ...args: Array<RedisArg.Arg>
): RedisCommand<RedisReply.Raw, RedisReply.Raw, RedisReply.Raw> => {
  const [first = "", ...others] = typeof name === "string" ? name.trim().split(/\s+/) : []
  // Further words are arguments, which may be secret: they must not become part of a name that errors show.
  const subcommand = subcommandOf(first, others[0], args)
  const named = subcommand === undefined ? first : `${first} ${subcommand}`
  const refusal = refusalOf(named)
  return make({
    spec: new NamedSpec(shownName(named), traitsByName.get(named.toUpperCase()) ?? [], undefined, operationOf(named)),
    args: () => {
      if (refusal !== undefined) return RedisArg.invalid(refusal)
      const words = RedisArg.flatten([...others, ...args])
      return subcommand === undefined ? words : words.slice(1)
    },
    reply: RedisReply.raw
  })
}

/**
 * The definitions by their names. The names given to `send` may come from anywhere, and
 * each would be a series of its own in metrics.
 */
const definitions = new Map<string, Spec>()

/**
 * Whether a command changes nothing on the server. A command of {@link send} counts as the one that is defined under its
 * name.
 *
 * @category guards
 * @since 0.1.0
 */
export const changesNothing = ({ spec }: Any): boolean =>
  spec.readonly || definitions.get(spec.capitals)?.readonly === true

const operationOf = (name: string): string => definitions.get(name.toUpperCase())?.operation ?? "_OTHER"

/** What a definition makes of its parameters. */
type Listed = ReadonlyArray<RedisArg.Arg> | RedisArg.List | RedisArg.Answer

type AnyReply = RedisReply.Reply<unknown, unknown, unknown>

const commandOf = (spec: Spec, list: Listed, reply: AnyReply): CommandImpl =>
  list instanceof RedisArg.Answer
    ? new CommandImpl(spec, noParts, reply, RedisReply.textView, list)
    : new CommandImpl(spec, RedisArg.flatten(list), reply, RedisReply.textView, undefined)

const unreadableCommand = (spec: Spec, error: unknown, reply: AnyReply, callee: object): CommandImpl =>
  new CommandImpl(spec, noParts, reply, RedisReply.textView, unreadable(error, callee))

const noParts: ReadonlyArray<RedisArg.Part> = []
const noLife = "is not kept for any time: its ttl is none"

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
export const asBytes = <A, Bytes, BigInts, S extends Spec>(
  command: RedisCommand<A, Bytes, BigInts> & { readonly spec: S }
): CommandOf<S, Bytes, Bytes, RedisReply.BothViews<A, Bytes, BigInts>> => withView(command, { blob: "bytes" })

/**
 * The same command with every integer of its reply as `bigint`; its blobs stay
 * what they are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const asBigInt = <A, Bytes, BigInts, S extends Spec>(
  command: RedisCommand<A, Bytes, BigInts> & { readonly spec: S }
): CommandOf<S, BigInts, RedisReply.BothViews<A, Bytes, BigInts>, BigInts> => withView(command, { integer: "bigint" })

const withView = (command: Any, changes: Partial<RedisReply.View>): never => {
  const { caching, parts, reply, spec, unsent, view } = commandIn(command)
  // The reply decodes to what the callers name as the types of the view.
  return implOf(caching, spec, parts, reply, { ...view, ...changes }, unsent) as never
}

/**
 * The same command, whose answer may come from the client's cache; with `undefined` it never does, whatever the client caches.
 * Without a life it is refused with `DataError`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withCaching: {
  <A, Bytes, BigInts>(command: RedisCommand<A, Bytes, BigInts>, caching: undefined): RedisCommand<A, Bytes, BigInts>
  <A, Bytes, BigInts>(
    command: CacheableCommand<A, Bytes, BigInts>,
    caching: Caching
  ): CacheableCommand<A, Bytes, BigInts>
  <A, Bytes, BigInts>(command: RedisCommand<A, Bytes, BigInts>, caching: Caching): RedisCommand<A, Bytes, BigInts>
} = (command: Any, caching: Caching | undefined) => {
  const { parts, reply, spec, unsent, view } = commandIn(command)
  // The types are those of the reply, which stays, here and below.
  if (caching === undefined) return implOf(undefined, spec.uncached, parts, reply, view, unsent) as never
  const refused = caching.life > 0 ? unsent : new RedisArg.InvalidArgument(noLife, callerOf(withCaching))
  return new CachedImpl(caching, spec, parts, reply, view, refused) as never
}

/**
 * The same command with another reply decoder, without which it is refused with `DataError`.
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
  return implOf(caching, spec, parts, reply, view, refusalFor(reply) ?? unsent) as never
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
  client: RedisClient["Service"],
  definition: Definition<Parameters, A, unknown, unknown>,
  decode: (value: Resp.Value, command: Any) => A
): RedisClient["Service"] => {
  const replace = <B>(command: RedisCommand<B>): RedisCommand<B> =>
    command.spec.capitals !== definition.spec.capitals
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
  // A blocking command without such an argument does not say for how long it blocks.
  return blockOf(command)?.milliseconds ?? Infinity
}

const blockOf = (command: Any): RedisArg.BlockArg | undefined =>
  command.parts.find((part) => part instanceof RedisArg.BlockArg)

/**
 * Whether a command is one of the few that a server accepts while a script keeps it busy, and that end the script.
 *
 * @category guards
 * @since 0.1.0
 */
export const endsScript = ({ spec }: Any): boolean => endingScripts.has(spec.capitals)

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
 * What must not be shown when a server quotes a command: secret arguments, and
 * every argument of a command that sets or presents credentials. `undefined`
 * when that is no longer known, as a secret was wiped.
 *
 * @category getters
 * @since 0.1.0
 */
export const secrets = ({ parts, spec }: Any): ReadonlyArray<string> | undefined => secretsIn(spec.words[0]!, parts)

/**
 * Encodes a command. One that cannot be sent, as a secret was wiped or a buffer
 * given away since it was made, is returned as an error.
 *
 * **Details**
 *
 * A command takes exactly one reply, also in the middle of a pipeline. So a
 * command that cannot be sent is replaced by one that every server refuses,
 * which makes it refuse the transaction as well.
 *
 * - `withText`: the script that the command names by its digest; its text is sent instead of the digest.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeInto: (command: Any, encoder: RespEncoder, withText?: Script) => DataError | undefined =
  Encode.encodeInto

/**
 * Why a command can no longer be sent, `undefined` when it can.
 *
 * @category encoding
 * @since 0.1.0
 */
export const unsendable: (command: Any) => DataError | undefined = Encode.unsendable

/**
 * Decodes a reply that is no error to what the command promises. Text that is not valid UTF-8 is refused, unless `textDecoding`
 * is `"replace"`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode: <A>(
  command: RedisCommand<A>,
  value: Resp.Value,
  textDecoding?: "strict" | "replace",
  index?: number
  // The view of a command is the one that its type A was declared for.
) => Exit.Exit<A, DecodeError> = Decode.decode as never

// -----------------------------------------------------------------------------
// Implementation
// -----------------------------------------------------------------------------

const settle = (command: CommandImpl & Any): Exit.Exit<unknown, CommandError> | undefined => {
  const unsent = command.unsent
  if (unsent === undefined) return undefined
  return unsent instanceof RedisArg.Answer
    ? decode(command, unsent.value)
    : Exit.fail(dataError(command.spec.called, unsent))
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
    return Telemetry.ofCommand(this, client, run)
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
