/**
 * What a live server reports about its commands, and what redfx knows about them, in the same form.
 */
import * as Core from "@redfx/core"
import { Redis, RedisCommand } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import { RespEncoder } from "@redfx/core/RespEncoder"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

type Reads<A> = Effect.Effect<A, RedisError.RedisError, RedisClient.RedisClient>

// -----------------------------------------------------------------------------
// The server
// -----------------------------------------------------------------------------

/** A command, or a subcommand, of a server. */
interface ServerCommand {
  /** The number of words: exact when positive, at least that many when negative. */
  readonly arity: number
  /** `undefined` for a subcommand that the server does not list. */
  readonly readonly: boolean | undefined
  readonly writes: boolean | undefined
  readonly blocking: boolean | undefined
  /**
   * Whether the command takes keys, and whether equal calls on equal data give equal replies; `undefined` when the
   * server does not say.
   */
  readonly hasKeys: boolean
  readonly deterministic: boolean | undefined
  /** Whether the name stands for subcommands, which are commands of their own. */
  readonly isContainer: boolean
}

/** The kind of a server and its version among its kind. Redict is Redis 7.2 by another name. */
interface Version {
  readonly kind: "redis" | "valkey"
  readonly version: string
}

/** The answers of a server about its commands. */
export interface Server {
  readonly version: Version
  /** Every command and subcommand, Sentinel's included. */
  readonly names: ReadonlyArray<string>
  /** Whether subcommands are listed. It is false for Redis 6, where a container stands for its subcommands. */
  readonly listsSubcommands: boolean
  readonly command: (name: string) => ServerCommand | undefined
  /** The keys that the server finds in one of the commands it was asked about; `undefined` when it cannot tell. */
  readonly keys: (command: RedisCommand.Any) => ReadonlyArray<string> | undefined
  /** The tokens that the documentation of a command lists, such as `EX` of `SET`; none before Redis 7. */
  readonly tokens: (name: string) => ReadonlyArray<string>
  /** The family to which the documentation counts a command, such as `string`; `undefined` before Redis 7. */
  readonly group: (name: string) => string | undefined
  /** The first version with a command, by the documentation; `undefined` before Redis 7. */
  readonly since: (name: string) => string | undefined
  /** What a command costs, by the documentation, such as `O(1)`; `undefined` before Redis 7. */
  readonly complexity: (name: string) => string | undefined
}

/** Starts a server and a Sentinel, asks them, and stops them. `binary` is as for `RedisServer.make`. */
export const askServer = (commands: ReadonlyArray<RedisCommand.Any>, binary?: string): Promise<Server> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const server = yield* RedisServer.make({ binary })
    const sentinel = yield* RedisServer.make({ binary, sentinel: true })
    const onSentinel = yield* Effect.provide(listed, client(sentinel), { local: true }).pipe(
      // Sentinels before 6.2 have no COMMAND.
      Effect.catchTag("ResponseError", () => Effect.succeed(new Map([["SENTINEL", unlisted]])))
    )
    return yield* Effect.gen(function*() {
      const known = new Map([...[...onSentinel].filter(([name]) => name.startsWith("SENTINEL")), ...yield* listed])
      const keys = yield* keysOf(commands)
      const docs = known.has("COMMAND DOCS") ? yield* documentation : new Map<string, Documentation>()
      return {
        version: yield* version,
        names: [...known].filter(([, { isContainer }]) => !isContainer).map(([name]) => name),
        listsSubcommands: known.get("CLIENT")?.isContainer === true,
        command: (name: string) => known.get(name) ?? containerOf(known, name),
        keys: (command: RedisCommand.Any) => keys.get(command),
        tokens: (name: string) => [...docs.get(name)?.tokens ?? []],
        group: (name: string) => docs.get(name)?.group,
        since: (name: string) => docs.get(name)?.since,
        complexity: (name: string) => docs.get(name)?.complexity
      }
    }).pipe(Effect.provide(client(server), { local: true }))
  })))

const client = ({ host, port }: RedisServer.RedisServer["Service"]) => NodeRedisClient.layer({ host, port })

/** Whether a server of this version has a feature. */
export const has = (server: Version, since: { readonly redis?: string; readonly valkey?: string }): boolean =>
  server.kind === "redis"
    ? since.redis !== undefined && isAtLeast(server.version, since.redis)
    : since.valkey === undefined
    ? since.redis !== undefined && isAtLeast("7.2.4", since.redis)
    : isAtLeast(server.version, since.valkey)

const isAtLeast = (version: string, other: string): boolean =>
  version.localeCompare(other, "en", { numeric: true }) >= 0

const version: Reads<Version> = Effect.map(
  Redis.info("server"),
  ({ redisVersion, valkeyVersion }) =>
    // Valkey also reports the version of Redis that it is compatible with.
    valkeyVersion === undefined
      ? { kind: "redis", version: String(redisVersion) }
      : { kind: "valkey", version: valkeyVersion }
)

const listed: Reads<ReadonlyMap<string, ServerCommand>> = Effect.map(
  Redis.command(),
  (infos) => {
    const tellsTips = infos.some(({ tips }) => tips.length > 0)
    return new Map(
      infos.flatMap((info) => [info, ...info.subcommands]).map((info) => [nameOf(info), {
        arity: info.arity,
        readonly: info.flags.has("readonly"),
        writes: info.flags.has("write"),
        // Redis 6 knows the trait as a category only.
        blocking: info.flags.has("blocking") || info.categories.has("@blocking"),
        hasKeys: info.firstKey !== 0 || info.keySpecifications.length > 0,
        // Redis 6 has no tips.
        deterministic: tellsTips ? !info.tips.includes("nondeterministic_output") : undefined,
        isContainer: info.subcommands.length > 0
      }])
    )
  }
)

const nameOf = ({ name }: { readonly name: string }): string => name.replace("|", " ").toUpperCase()

/** The facts about a subcommand that is not listed. */
const unlisted: ServerCommand = {
  arity: -2,
  readonly: undefined,
  writes: undefined,
  blocking: undefined,
  hasKeys: false,
  deterministic: undefined,
  isContainer: false
}

/**
 * The container of a subcommand that counts as known. Redis 6 lists no subcommands, and no server lists those of DEBUG,
 * so there every subcommand counts as known.
 */
const containerOf = (known: ReadonlyMap<string, ServerCommand>, name: string): ServerCommand | undefined => {
  const container = name.includes(" ") ? known.get(name.slice(0, name.indexOf(" "))) : undefined
  return container === undefined || container.isContainer ? undefined : unlisted
}

type Docs = Readonly<Record<string, Redis.CommandDocs>>

interface Documentation {
  readonly tokens: ReadonlySet<string>
  readonly group: string | undefined
  readonly since: string | undefined
  readonly complexity: string | undefined
}

const documentation: Reads<ReadonlyMap<string, Documentation>> = Effect.map(Redis.commandDocs(), (all) => {
  const found = new Map<string, Documentation>()
  const visit = (docs: Docs): void => {
    for (const [name, command] of Object.entries(docs)) {
      const { complexity, group, since } = command
      found.set(nameOf({ name }), {
        tokens: new Set(command.arguments.flatMap(tokensOf)),
        group,
        since,
        complexity
      })
      visit(command.subcommands)
    }
  }
  visit(all)
  return found
})

const tokensOf = ({ arguments: nested, token }: Redis.CommandArgument): ReadonlyArray<string> => [
  ...(token ?? "").toUpperCase().split(" ").filter((word) => word !== ""),
  ...nested.flatMap(tokensOf)
]

const keysOf = (
  commands: ReadonlyArray<RedisCommand.Any>
): Reads<ReadonlyMap<RedisCommand.Any, ReadonlyArray<string> | undefined>> =>
  Effect.map(
    Redis.pipelineSettled(commands.map((command) => {
      const [name = new Uint8Array(), ...args] = words(command)
      return Redis.asBytes(Redis.send("COMMAND GETKEYS", name, ...args))
    })),
    (results) =>
      new Map(results.map((result, i) => {
        // There is one result for each command, in order. The keys are bulk strings, read in the bytes view.
        const command = commands[i]!
        if (Result.isSuccess(result)) return [command, (result.success as ReadonlyArray<Uint8Array>).map(latin1)]
        return [command, result.failure.message.includes("no key arguments") ? [] : undefined]
      }))
  )

// -----------------------------------------------------------------------------
// The library
// -----------------------------------------------------------------------------

/** Every command that a module defines, by the name of its function. */
export const definitions: ReadonlyMap<string, RedisCommand.Spec> = new Map(
  Object.entries(Core).flatMap(([module, members]) =>
    Object.entries(members).flatMap(([name, value]) =>
      typeof value === "function" && "spec" in value && value.spec instanceof RedisCommand.Spec
        ? [[`${module}.${name}`, value.spec] as const]
        : []
    )
  )
)

/** All words that are sent, the name included. */
export const words = (command: RedisCommand.Any): ReadonlyArray<Uint8Array> => {
  const writer = new RespEncoder()
  RedisCommand.encodeInto(command, writer)
  const request = new RespDecoder()
  const values = writer.takeBytes().flatMap((chunk) => [...request.push(chunk)])
  // A command is an array of bulk strings.
  return (values[0] as ReadonlyArray<{ bytes(): Uint8Array }>).map((part) => part.bytes())
}

/** A command as one line. */
export const text = (command: RedisCommand.Any): string => words(command).map(latin1).join(" ")

/** The keys by which a command is routed. */
export const ownKeys = (command: RedisCommand.Any): ReadonlyArray<string> =>
  RedisCommand.keys(command).map((key) => typeof key === "string" ? Buffer.from(key).toString("latin1") : latin1(key))

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")
