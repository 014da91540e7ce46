/** What the recipes run on: a real server for the life of the program. In a program of yours it is the Layer of your client. */
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { findRedisServer } from "../../scripts/redis-server.ts"

/** A server that is stopped with the program. */
const server: Layer.Layer<RedisServer.RedisServer, RedisServer.RedisServerError> = RedisServer.layer({
  binary: findRedisServer()
})

/** A client of that server, and the server itself. */
export const client: Layer.Layer<
  RedisClient.RedisClient | RedisServer.RedisServer,
  RedisError.RedisError | RedisServer.RedisServerError
> = Layer.provideMerge(
  Layer.unwrap(Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))),
  server
)

/** Runs a program with that client. */
export const run = <A, E>(
  program: Effect.Effect<A, E, RedisClient.RedisClient | RedisServer.RedisServer>
): Promise<A> => Effect.runPromise(Effect.provide(program, client))
