/**
 * HIMPORT: many hashes with the same fields, whose names are sent once. Only on Redis.
 *
 * The names of the fields are kept by the connection, so these commands belong into `Redis.withConnection`. On a cluster
 * that is a connection to one server: begin with a command on a key of it.
 *
 * The commands are those of the documentation of Redis 8.10: they were not run against a server.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * Has the connection forget a list of fields; returns whether it knew it.
 *
 * Hashes that were made from it stay. On a connection that others share it fails with `DataError`. O(N). Since Redis
 * 8.10.0; Valkey does not have it.
 *
 * @category hashes
 * @since 0.1.0
 */
export const himportDiscard = define("HIMPORT DISCARD", (fieldset: Arg.Key) => [fieldset], Reply.boolean, "stateful")

/**
 * Has the connection forget all lists of fields; returns how many it knew.
 *
 * On a connection that others share it fails with `DataError`. O(N). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category hashes
 * @since 0.1.0
 */
export const himportDiscardall = define("HIMPORT DISCARDALL", () => [], Reply.integer, "stateful")

/**
 * Gives a name to a list of fields, for {@link himportSet} on the same connection; returns `true`.
 *
 * A list that has the name already is replaced. No fields: `DataError`, as on a connection that others share. Fails with
 * `ResponseError` when a field comes twice. O(N·log N). Since Redis 8.10.0; Valkey does not have it.
 *
 * **Example** (An import)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const program = Redis.withConnection(Effect.gen(function*() {
 *   yield* Redis.himportPrepare("user", "name", "email")
 *   yield* Redis.pipeline([
 *     Redis.himportSet("user:1", "user", "Ada", "ada@example.com"),
 *     Redis.himportSet("user:2", "user", "Bob", "bob@example.com")
 *   ])
 * }))
 * ```
 *
 * @category hashes
 * @since 0.1.0
 */
export const himportPrepare = define(
  "HIMPORT PREPARE",
  (fieldset: Arg.Key, ...fields: Arg.Many<Arg.Key>) => [fieldset, ...Arg.some(fields, "needs at least one field")],
  Reply.ok,
  "stateful"
)

/**
 * Stores at `key` a hash with the fields of a list, whatever the key held, and one value for each; returns `true`.
 *
 * Alone on a connection that others share it fails with `DataError`: only the connection of {@link himportPrepare} knows
 * the list. Fails with `ResponseError` when it does not, or there are not as many values as fields. O(N). Since Redis
 * 8.10.0; Valkey does not have it.
 *
 * @category hashes
 * @since 0.1.0
 */
export const himportSet = define(
  "HIMPORT SET",
  (key: Arg.Key, fieldset: Arg.Key, ...values: Arg.Many<Arg.Value>) => [
    Arg.key(key),
    fieldset,
    ...Arg.some(values)
  ],
  Reply.ok,
  "dependent"
)
