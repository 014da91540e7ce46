/**
 * Keys that begin with a prefix which the program does not write: several
 * programs share a database, and none sees the keys of the others.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Prefix } from "./internal/command/prefix.ts"
import { hasNoKeys, ruleOf, withKeys } from "./internal/command/prefixed.ts"
import * as RedisArg from "./RedisArg.ts"
import { RedisClient, replacing } from "./RedisClient.ts"
import type { ClientCache } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import { DataError, RedisConfigError } from "./RedisError.ts"
import * as RedisReply from "./RedisReply.ts"

// -----------------------------------------------------------------------------
// Clients
// -----------------------------------------------------------------------------

/**
 * A client whose keys all begin with a prefix, above another one of any deployment.
 *
 * **Details**
 *
 * Keys get the prefix when a command is sent, alone, in pipelines, transactions and watches and on reserved connections:
 * those that commands are given, those of scripts and functions, and the patterns of SCAN, KEYS and SORT. It is taken off the
 * keys in replies, and `Redis.keyspaceEvents` tells of keys with the prefix alone, for which the servers need `K` in their
 * `notify-keyspace-events`. Channels of messages are no keys: they stay as they are.
 *
 * What is about the keys of everybody is refused with `DataError` before it is sent: FLUSHDB and its kind, DBSIZE,
 * RANDOMKEY, MONITOR, indexes of RediSearch, time series by their labels, CLIENT TRACKING. So is a command of `Redis.send`
 * that may have keys of which none is marked with `RedisArg.key`.
 *
 * On a cluster a key is in the slot of its whole name: hash tags in keys count as before, unless the prefix has one itself.
 * Then all keys are in one slot.
 *
 * Fails with `RedisConfigError` when the prefix is empty, has a `*`, which SORT takes for the place of an element, or half a
 * character.
 *
 * **Gotchas**
 *
 * A key that a script or a function makes up, or takes from its arguments, is used as it is. What a server says in an error,
 * in its slow log and in its list of clients names keys with the prefix.
 *
 * **Example** (Two programs, one database)
 *
 * ```ts
 * import { RedisPrefix } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Layer } from "effect"
 *
 * export const client = RedisPrefix.layer("shop:").pipe(Layer.provide(NodeRedisClient.layer()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (prefix: string): Layer.Layer<RedisClient, RedisConfigError, RedisClient> =>
  Layer.effect(RedisClient)(Effect.flatMap(RedisClient, (client) => make(client, prefix)))

/**
 * A client whose keys all begin with a prefix, above another one: see {@link layer}. Above one with a prefix the keys have
 * both, that of the lower one first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  client: RedisClient["Service"],
  prefix: string
): Effect.Effect<RedisClient["Service"], RedisConfigError> =>
  Effect.map(
    checked(prefix),
    (prefix) =>
      replacing(client, (command) => rewritten(command, prefix), (client) => ({
        pubSub: {
          ...client.pubSub,
          everywhere: {
            ...client.pubSub.everywhere,
            prefix: (client.pubSub.everywhere.prefix ?? "") + prefix.text
          }
        },
        monitor: () => Stream.fail(new DataError({ command: "MONITOR", detail: ruleOf("MONITOR").refusal ?? "" })),
        ...(client.cache === undefined ? {} : { cache: ofCache(client.cache, prefix) })
      }))
  )

/** Answers are kept under the keys that were sent. */
const ofCache = (cache: ClientCache, prefix: Prefix): ClientCache => ({
  ...cache,
  execute: (command) => cache.execute(rewritten(command, prefix)),
  pipeline: (commands, rest, isForRest) =>
    cache.pipeline(commands.map((command) => rewritten(command, prefix)), rest, isForRest),
  configure: (limits, prefixes) => cache.configure(limits, prefixes?.map((one) => prefix.text + one))
})

const checked = (prefix: string): Effect.Effect<Prefix, RedisConfigError> =>
  prefix === ""
    ? invalid("it is empty. Leave the Layer out instead")
    : prefix.includes("*")
    ? invalid("it has a *, which SORT takes for the place of an element")
    : !prefix.isWellFormed()
    ? invalid("it has half a surrogate pair, which has no UTF-8")
    : Effect.succeed(new Prefix(prefix))

const invalid = (detail: string): Effect.Effect<never, RedisConfigError> =>
  Effect.fail(new RedisConfigError({ option: "prefix", detail }))

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * The same command as a client with this prefix sends it, for what goes past that client: `perNode` of a cluster's own
 * service.
 *
 * **Details**
 *
 * What such a client refuses is refused; fails with `RedisConfigError` for what is no prefix.
 *
 * **Example** (The keys of each server)
 *
 * ```ts
 * import { RedisCluster } from "@redfx/cluster"
 * import { Redis, RedisPrefix } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * export const keysByServer = Effect.gen(function*() {
 *   const cluster = yield* RedisCluster.RedisCluster
 *   return yield* cluster.perNode(yield* RedisPrefix.prefixed(Redis.keys("cart:*"), "shop:"))
 * })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const prefixed = <A, Bytes, BigInts>(
  command: RedisCommand.RedisCommand<A, Bytes, BigInts>,
  prefix: string
): Effect.Effect<RedisCommand.RedisCommand<A, Bytes, BigInts>, RedisConfigError> =>
  Effect.map(checked(prefix), (prefix) => rewritten(command, prefix))

const rewritten = <A, Bytes, BigInts>(
  command: RedisCommand.RedisCommand<A, Bytes, BigInts>,
  prefix: Prefix
): RedisCommand.RedisCommand<A, Bytes, BigInts> => {
  // Nothing is sent of it.
  if (command.settled !== undefined) return command
  const { parts, reply, spec } = command
  const rule = ruleOf(spec.name)
  if (rule.refusal !== undefined) return refused(command, rule.refusal)
  if (RedisCommand.isSentByName(command) && !isMarked(command) && !hasNoKeys(spec.name, parts)) {
    return refused(command, unmarked)
  }
  try {
    const sent = (rule.parts ?? withKeys)(parts, prefix)
    const own = sent === parts ? command : RedisCommand.withParts(command, sent)
    const strip = rule.reply
    return strip === undefined ? own : RedisCommand.withReply(
      own,
      RedisReply.make<A, Bytes, BigInts>((value, view) =>
        // The view is the one that was asked for: its type is that of the reply without the prefix.
        reply.decode(value === null ? null : strip(value, prefix), view) as A
      )
    )
  } catch (error) {
    if (!(error instanceof RedisArg.InvalidArgument)) throw error
    return refused(command, error.detail)
  }
}

const refused = <A, Bytes, BigInts>(
  { reply, spec }: RedisCommand.RedisCommand<A, Bytes, BigInts>,
  detail: string
): RedisCommand.RedisCommand<A, Bytes, BigInts> =>
  // Never answered, it has the type of what would be.
  RedisCommand.make({ spec, args: () => RedisArg.invalid(detail), reply }) as RedisCommand.RedisCommand<
    A,
    Bytes,
    BigInts
  >

const isMarked = ({ parts }: RedisCommand.Any): boolean => parts.some((part) => part instanceof RedisArg.KeyArg)

const unmarked =
  "which of its arguments are keys is not known, and the client puts a prefix before keys. Mark them with " +
  "RedisArg.key, or use the function of that name"
