/**
 * Key prefixes that the program need not write, so that several programs can share a database and none sees the keys of
 * the others.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { refused } from "./internal/command/refused.ts"
import { Prefix } from "./internal/prefix/prefix.ts"
import { hasNoKeys, ruleOf, withKeys } from "./internal/prefix/prefixed.ts"
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
 * Provides a client whose keys all begin with a prefix, on top of another client for any deployment.
 *
 * **Details**
 *
 * Keys get the prefix when a command is sent, whether alone, in pipelines, transactions and watches, or on reserved
 * connections. This applies to the keys of commands, scripts and functions, and to the patterns of SCAN, KEYS and SORT.
 * Keys in replies lose the prefix. `Redis.keyspaceEvents` reports only keys with the prefix; for that, the servers need
 * `K` in their `notify-keyspace-events`. Channels of messages are not keys and stay as they are.
 *
 * Commands about the keys of all programs fail with `DataError` and are not sent: FLUSHDB and similar commands, DBSIZE,
 * RANDOMKEY, MONITOR, indexes of RediSearch, time series by their labels, CLIENT TRACKING. A command of `Redis.send`
 * that may have keys fails in the same way when none of its arguments is marked with `RedisArg.key`.
 *
 * On a cluster, the whole name of a key, with the prefix, determines its slot. Hash tags in keys work as before unless
 * the prefix has one itself: then all keys are in one slot.
 *
 * Fails with `RedisConfigError` when the prefix is empty, contains a `*`, which SORT replaces by an element, or
 * contains half of a character (a lone surrogate).
 *
 * **Gotchas**
 *
 * A key that a script or a function makes up, or takes from its arguments, is used without the prefix. Errors of the
 * server, its slow log and its list of clients name keys with the prefix.
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
 * Makes a client whose keys all begin with a prefix, on top of another client: see {@link layer}. On top of a client
 * with a prefix, keys have both prefixes, that of the lower client first.
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
        cache: client.cache && ofCache(client.cache, prefix)
      }))
  )

/** The cache stores answers under the keys that were sent. */
const ofCache = (cache: ClientCache, prefix: Prefix): ClientCache => ({
  ...cache,
  execute: (command) => cache.execute(rewritten(command, prefix)),
  pipeline: (commands, rest, isForRest) =>
    cache.pipeline(commands.map((command) => rewritten(command, prefix)), rest, isForRest),
  configure: (limits, prefixes) => cache.configure(limits, prefixes?.map((one) => prefix.text + one))
})

const checked = (prefix: string): Effect.Effect<Prefix, RedisConfigError> =>
  typeof prefix !== "string"
    ? invalid("it is missing, or no text")
    : prefix === ""
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
 * Returns the command as a client with this prefix sends it, for functions that bypass that client, such as `perNode`
 * of a cluster's own service.
 *
 * **Details**
 *
 * The command fails where such a client would refuse it. Fails with `RedisConfigError` when the prefix is not valid.
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
  // Nothing of this command is sent.
  if (command.settled !== undefined) return command
  const { parts, reply, spec } = command
  const rule = ruleOf(spec.capitals)
  if (rule.refusal !== undefined) return refused(command, rule.refusal)
  if (RedisCommand.isSentByName(command) && !isMarked(command) && !hasNoKeys(spec.capitals, parts)) {
    return refused(command, unmarked)
  }
  try {
    const sent = (rule.parts ?? withKeys)(parts, prefix)
    const own = sent === parts ? command : RedisCommand.withParts(command, sent)
    const strip = rule.reply
    return strip === undefined ? own : RedisCommand.withReply(
      own,
      RedisReply.make<A, Bytes, BigInts>((value, view) =>
        // The view is the requested one, so the type is that of the reply without the prefix.
        reply.decode(value === null ? null : strip(value, prefix), view) as A
      )
    )
  } catch (error) {
    if (!(error instanceof RedisArg.InvalidArgument)) throw error
    return refused(command, error.detail)
  }
}

const isMarked = ({ parts }: RedisCommand.Any): boolean => parts.some((part) => part instanceof RedisArg.KeyArg)

const unmarked =
  "which of its arguments are keys is not known, and the client puts a prefix before keys. Mark them with " +
  "RedisArg.key, or use the function of that name"
