/**
 * HIMPORT: many hashes with the same fields, whose names are sent once. Only on Redis.
 *
 * The connection keeps the names of the fields, so run these commands inside `Redis.withConnection`. On a cluster that
 * is a connection to one server: begin with a command on a key of that server.
 *
 * These commands follow the documentation of Redis 8.10 and were not tested against a server.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * Makes the connection forget a list of fields; returns whether the connection knew the list.
 *
 * Hashes that were made with the list stay. Fails with `DataError` on a shared connection. O(N). Since Redis 8.10.0;
 * Valkey does not have it.
 *
 * @category hashes
 * @since 0.1.0
 */
export const himportDiscard = define("HIMPORT DISCARD", (fieldset: Arg.Key) => [fieldset], Reply.boolean, "stateful")

/**
 * Makes the connection forget all lists of fields; returns how many lists it knew.
 *
 * Fails with `DataError` on a shared connection. O(N). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category hashes
 * @since 0.1.0
 */
export const himportDiscardall = define("HIMPORT DISCARDALL", () => [], Reply.integer, "stateful")

/**
 * Gives a name to a list of fields, for {@link himportSet} on the same connection; returns `true`.
 *
 * Replaces a list that already has the name. Fails with `DataError` when no fields are given and on a shared
 * connection, with `ResponseError` when a field is given twice. O(N·log N). Since Redis 8.10.0; Valkey does not have
 * it.
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
  (fieldset: Arg.Key, ...fields: Arg.Many<Arg.Value>) => [fieldset, ...Arg.some(fields, "needs at least one field")],
  Reply.ok,
  "stateful"
)

/**
 * Stores a hash at `key` with the fields of a list and one value for each, and replaces what the key held; returns
 * `true`.
 *
 * Fails with `DataError` when sent alone on a shared connection, as only the connection of {@link himportPrepare} knows
 * the list. Fails with `ResponseError` when the connection does not know the list, or when there are not as many values
 * as fields. O(N). Since Redis 8.10.0; Valkey does not have it.
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
