/**
 * Scripted servers, for testing what a program does when its server fails.
 *
 * @since 0.1.0
 */

/**
 * A server that does what a test tells it to: answers, waits, cuts, stalls.
 *
 * It speaks to real sockets on the loopback interface. What a test does not
 * script, the commands that a client opens a connection with, is answered as a
 * server would; `handshake` says how.
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
 * What a server writes, value by value, for scripted servers and expected bytes in tests.
 *
 * @since 0.1.0
 */
export * as RedisFakeReply from "./RedisFakeReply.ts"
