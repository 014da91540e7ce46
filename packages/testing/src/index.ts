/**
 * Scripted servers, for testing what a program does when its server fails.
 *
 * @since 0.1.0
 */

/**
 * A server that follows the script of a test: it answers, waits, cuts connections or stalls.
 *
 * It uses real sockets on the loopback interface. Commands that the test does not script, such as those that open a
 * connection, are answered as by a real server; `handshake` says how.
 *
 * **Example** (A connection that dies after the server has counted)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { RedisFakeNode, RedisFakeReply } from "@redfx/testing"
 * import { Effect } from "effect"
 *
 * export const test = Effect.scoped(Effect.gen(function*() {
 *   const node = yield* RedisFakeNode.make(({ name }) =>
 *     name === "INCR" ? RedisFakeNode.cut("reset") : name === "GET" ? RedisFakeReply.bulk("1") : undefined
 *   )
 *   const client = NodeRedisClient.layer({ host: node.host, port: node.port })
 *   return yield* Effect.flip(Redis.incr("visits")).pipe(Effect.provide(client)) // delivery: "unknown"
 * }))
 * ```
 *
 * @since 0.1.0
 */
export * as RedisFakeNode from "./RedisFakeNode.ts"

/**
 * The values that a server writes, for scripted servers and for expected bytes in tests.
 *
 * @since 0.1.0
 */
export * as RedisFakeReply from "./RedisFakeReply.ts"
