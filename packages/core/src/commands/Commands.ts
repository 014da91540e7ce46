/**
 * COMMAND: what a server knows about its commands.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import { askedNames } from "../internal/reply/records.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Where a command has keys.
 *
 * @category server
 * @since 0.1.0
 */
export interface KeySpecification {
  /** What the server's documentation says about the keys; `undefined` when it says nothing. */
  readonly notes: string | undefined
  /** What the command does to the keys, such as `RO` or `insert`. */
  readonly flags: ReadonlySet<string>
  /** How to find the first key. */
  readonly beginSearch: KeySearch
  /** How to find the others. */
  readonly findKeys: KeySearch
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * A step in finding keys.
 *
 * @category server
 * @since 0.1.0
 */
export interface KeySearch {
  /** The kind of the step, such as `index`, `keyword`, `range`, `keynum` or `unknown`. */
  readonly type: string
  /** What the step needs, which depends on `type`. */
  readonly spec: Readonly<Record<string, Reply.Raw>>
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * The properties of a command.
 *
 * @category server
 * @since 0.1.0
 */
export interface CommandInfo {
  /** The name, in lower case; of a subcommand with its container, such as `config|get`. */
  readonly name: string
  /** The number of arguments, including the name; when it varies, the negated minimum. */
  readonly arity: number
  /** What the command is like, such as `readonly` or `fast`. */
  readonly flags: ReadonlySet<string>
  /** The position of the first key, 0 when there is none or it varies. */
  readonly firstKey: number
  /** The position of the last key, 0 when there is none or it varies; a negative one counts from the end. */
  readonly lastKey: number
  /** How many arguments lie from one key to the next, 0 when there are no keys or they vary. */
  readonly step: number
  /** The ACL categories, such as `@read`. */
  readonly categories: ReadonlySet<string>
  /** Hints for clients and proxies. Redis 7.0.0, empty before. */
  readonly tips: ReadonlyArray<string>
  /** Where the keys are. Redis 7.0.0, empty before. */
  readonly keySpecifications: ReadonlyArray<KeySpecification>
  /** The subcommands of a container. Redis 7.0.0, empty before. */
  readonly subcommands: ReadonlyArray<CommandInfo>
}

/**
 * An argument of a command. Arguments of the types `oneof` and `block` have arguments of their own.
 *
 * @category server
 * @since 0.1.0
 */
export interface CommandArgument {
  /** The name of the argument. */
  readonly name: string
  /** The kind of the argument, such as `key`, `string`, `integer`, `pure-token`, `oneof` or `block`. */
  readonly type: string
  /** The name as documentation shows it, `undefined` when there is none. */
  readonly displayText: string | undefined
  /** Which of the key specifications is about it, `undefined` unless it is a key. */
  readonly keySpecIndex: number | undefined
  /** The word that stands before the argument, `undefined` when there is none. */
  readonly token: string | undefined
  /** What the argument is, `undefined` when the server does not say. */
  readonly summary: string | undefined
  /** The version that has brought the argument, `undefined` when the server does not say. */
  readonly since: string | undefined
  /** The version since which the argument should not be used, `undefined` when it may be. */
  readonly deprecatedSince: string | undefined
  /** Such as `optional` or `multiple`. */
  readonly flags: ReadonlySet<string>
  /** The arguments of a `oneof` or a `block`; empty for others. */
  readonly arguments: ReadonlyArray<CommandArgument>
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * The documentation of a command.
 *
 * @category server
 * @since 0.1.0
 */
export interface CommandDocs {
  /** What the command does, `undefined` when the server does not say. */
  readonly summary: string | undefined
  /** The version that has brought the command, `undefined` when the server does not say. */
  readonly since: string | undefined
  /** The group that the command belongs to, such as `string`. */
  readonly group: string | undefined
  /** How long the command takes, such as `O(1)`. */
  readonly complexity: string | undefined
  /** The module that has the command, `undefined` for those of the server itself. */
  readonly module: string | undefined
  /** Such as `deprecated` or `syscmd`. */
  readonly docFlags: ReadonlySet<string>
  /** The version since which the command should not be used, `undefined` when it may be. */
  readonly deprecatedSince: string | undefined
  /** What to use in place of a deprecated command. */
  readonly replacedBy: string | undefined
  /** Pairs of a version and what changed in it. */
  readonly history: ReadonlyArray<readonly [version: string, change: string]>
  /** The arguments, in their order. */
  readonly arguments: ReadonlyArray<CommandArgument>
  /** The documentation of the subcommands, by their names. */
  readonly subcommands: Readonly<Record<string, CommandDocs>>
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * Which commands COMMAND LIST names: those of a module, of an ACL category, or whose names match a pattern.
 *
 * @category server
 * @since 0.1.0
 */
export type CommandListFilter = AtMostOne<{
  /** Commands of the module of this name. */
  readonly module: string
  /** Commands of this ACL category, without `@`. */
  readonly aclcat: string
  /** Commands whose names match this glob pattern. */
  readonly pattern: string
}>

// -----------------------------------------------------------------------------
// Replies
// -----------------------------------------------------------------------------

/** Records about the server itself are the same in every view. */
const fixed = <A>(reply: Reply.Reply<A, unknown, unknown>): Reply.Reply<A> =>
  // In the text view the decoder gives an A.
  Reply.make((value) => reply.decode(value, Reply.textView) as A)

const words = Reply.orElse(Reply.textSet, () => new Set<string>())

const keySearch = Reply.struct({ type: Reply.text, spec: Reply.recordOf(Reply.raw) })

const keySpecification: Reply.Reply<KeySpecification> = fixed(Reply.struct({
  notes: Reply.nullable(Reply.text),
  flags: words,
  beginSearch: keySearch,
  findKeys: keySearch
}))

const commandInfoReply: Reply.Reply<CommandInfo> = fixed(Reply.leadingFields({
  name: Reply.text,
  arity: Reply.integer,
  flags: words,
  firstKey: Reply.integer,
  lastKey: Reply.integer,
  step: Reply.integer,
  categories: words,
  tips: Reply.orElse(Reply.array(Reply.text), () => []),
  keySpecifications: Reply.orElse(Reply.array(keySpecification), () => []),
  subcommands: Reply.make<ReadonlyArray<CommandInfo>>((value, view) =>
    value === null ? [] : Reply.array(commandInfoReply).decode(value, view)
  )
}))

const commandArgument: Reply.Reply<CommandArgument> = fixed(Reply.struct({
  name: Reply.text,
  type: Reply.text,
  displayText: Reply.nullable(Reply.text),
  keySpecIndex: Reply.nullable(Reply.integer),
  token: Reply.nullable(Reply.text),
  summary: Reply.nullable(Reply.text),
  since: Reply.nullable(Reply.text),
  deprecatedSince: Reply.nullable(Reply.text),
  flags: words,
  arguments: Reply.make<ReadonlyArray<CommandArgument>>((value, view) =>
    value === null ? [] : Reply.array(commandArgument).decode(value, view)
  )
}))

const commandDocsReply: Reply.Reply<CommandDocs> = fixed(Reply.struct({
  summary: Reply.nullable(Reply.text),
  since: Reply.nullable(Reply.text),
  group: Reply.nullable(Reply.text),
  complexity: Reply.nullable(Reply.text),
  module: Reply.nullable(Reply.text),
  docFlags: words,
  deprecatedSince: Reply.nullable(Reply.text),
  replacedBy: Reply.nullable(Reply.text),
  history: Reply.orElse(Reply.array(Reply.tuple(Reply.text, Reply.text)), () => []),
  arguments: Reply.orElse(Reply.array(commandArgument), () => []),
  subcommands: Reply.make<Readonly<Record<string, CommandDocs>>>((value, view) =>
    Reply.recordOf(commandDocsReply).decode(value ?? [], view)
  )
}))

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the properties of all commands.
 *
 * O(N). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const command = define("COMMAND", () => [], Reply.array(commandInfoReply), "readonly")

/**
 * Returns how many commands the server has.
 *
 * O(1). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const commandCount = define("COMMAND COUNT", () => [], Reply.integer, "readonly")

/**
 * Returns the documentation of commands by name, by default of all commands. Commands that do not exist are left out.
 *
 * O(N). Since Redis 7.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const commandDocs = define(
  "COMMAND DOCS",
  (...names: Arg.Many<string>) => Arg.many(names),
  askedNames(commandDocsReply),
  "readonly"
)

/**
 * Returns the keys among the arguments of a command.
 *
 * Fails with `ResponseError` when the command does not exist or has no keys. O(N). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const commandGetkeys = define(
  "COMMAND GETKEYS",
  (name: string, ...args: Arg.Many<Arg.Value>) => [name, ...Arg.many(args)],
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Returns the keys among the arguments of a command, and what the command does to each.
 *
 * Fails with `ResponseError` when the command does not exist or has no keys. O(N). Since Redis 7.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const commandGetkeysandflags = define(
  "COMMAND GETKEYSANDFLAGS",
  (name: string, ...args: Arg.Many<Arg.Value>) => [name, ...Arg.many(args)],
  Reply.array(Reply.fields({ key: Reply.blob, flags: Reply.textSet })),
  "readonly"
)

/**
 * Returns the properties of commands, `undefined` for each that does not exist. The name of a subcommand is like
 * `config|get`.
 *
 * With no names, returns an empty array without a round trip. O(N). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const commandInfo = define(
  "COMMAND INFO",
  (...names: Arg.Many<string>) => {
    const list = Arg.many(names)
    return list.length === 0 ? Arg.answer([]) : list
  },
  Reply.array(Reply.nullable(commandInfoReply)),
  "readonly"
)

/**
 * Returns the names of all commands, or of those that `filter` selects.
 *
 * O(N). Since Redis 7.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const commandList = define(
  "COMMAND LIST",
  (filter: CommandListFilter = {}) => [
    filter.module === undefined ? Arg.none : Arg.list("FILTERBY", "MODULE", filter.module),
    filter.aclcat === undefined ? Arg.none : Arg.list("FILTERBY", "ACLCAT", filter.aclcat),
    filter.pattern === undefined ? Arg.none : Arg.list("FILTERBY", "PATTERN", filter.pattern)
  ],
  Reply.array(Reply.text),
  "readonly"
)
