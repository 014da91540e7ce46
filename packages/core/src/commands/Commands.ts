/**
 * COMMAND: what a server knows about its commands.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Where a command has keys.
 *
 * - `flags`: what the command does to the keys, such as `RO` or `insert`.
 * - `beginSearch`: how to find the first key; `findKeys`: how to find the others.
 * - `extra`: fields that this type does not know, by the server's names.
 *
 * @category server
 * @since 0.1.0
 */
export interface KeySpecification {
  readonly notes: string | undefined
  readonly flags: ReadonlySet<string>
  readonly beginSearch: KeySearch
  readonly findKeys: KeySearch
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * A step in finding keys.
 *
 * - `spec`: depends on `type`. `extra`: fields that this type does not know, by the server's names.
 *
 * @category server
 * @since 0.1.0
 */
export interface KeySearch {
  readonly type: string
  readonly spec: Readonly<Record<string, Reply.Raw>>
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * The properties of a command.
 *
 * - `arity`: the number of arguments, including the name; when it varies, the negated minimum.
 * - `firstKey`, `lastKey`, `step`: where the keys are, 0 when there are none or they vary.
 * - `tips`, `keySpecifications`, `subcommands`: since Redis 7.0.0, empty before.
 *
 * @category server
 * @since 0.1.0
 */
export interface CommandInfo {
  readonly name: string
  readonly arity: number
  readonly flags: ReadonlySet<string>
  readonly firstKey: number
  readonly lastKey: number
  readonly step: number
  readonly categories: ReadonlySet<string>
  readonly tips: ReadonlyArray<string>
  readonly keySpecifications: ReadonlyArray<KeySpecification>
  readonly subcommands: ReadonlyArray<CommandInfo>
}

/**
 * An argument of a command. Arguments of the types `oneof` and `block` have arguments of their own.
 *
 * - `extra`: fields that this type does not know, by the server's names.
 *
 * @category server
 * @since 0.1.0
 */
export interface CommandArgument {
  readonly name: string
  readonly type: string
  readonly displayText: string | undefined
  readonly keySpecIndex: number | undefined
  readonly token: string | undefined
  readonly summary: string | undefined
  readonly since: string | undefined
  readonly deprecatedSince: string | undefined
  readonly flags: ReadonlySet<string>
  readonly arguments: ReadonlyArray<CommandArgument>
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * The documentation of a command.
 *
 * - `history`: pairs of a version and what changed in it.
 * - `extra`: fields that this type does not know, by the server's names.
 *
 * @category server
 * @since 0.1.0
 */
export interface CommandDocs {
  readonly summary: string | undefined
  readonly since: string | undefined
  readonly group: string | undefined
  readonly complexity: string | undefined
  readonly module: string | undefined
  readonly docFlags: ReadonlySet<string>
  readonly deprecatedSince: string | undefined
  readonly replacedBy: string | undefined
  readonly history: ReadonlyArray<readonly [version: string, change: string]>
  readonly arguments: ReadonlyArray<CommandArgument>
  readonly subcommands: Readonly<Record<string, CommandDocs>>
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * Which commands COMMAND LIST names: those of a module, of an ACL category, or whose names match a pattern.
 *
 * @category server
 * @since 0.1.0
 */
export type CommandListFilter = AtMostOne<{
  readonly module: string
  readonly aclcat: string
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
  Reply.recordOf(commandDocsReply),
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
