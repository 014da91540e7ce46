import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import { Effect, Layer } from "effect"

const program = Effect.gen(function*() {
  console.log(yield* Redis.set("k", "v", { ex: 60 }))
  console.log(yield* Redis.get("k"))
  console.log(yield* Redis.asBytes(Redis.get("k")))
  console.log(yield* Redis.pipeline([Redis.incr("n"), Redis.mget("k", "x")]))
  console.log(yield* Redis.pipelineSettled({ a: Redis.get("k"), b: Redis.send("LLEN", "k") }))
  console.log(yield* Redis.send("CLIENT LIST"))
  console.log(yield* Effect.exit(Redis.send("SELECT", 1)))
  console.log(yield* Redis.withConnection(Redis.send("SELECT", 1)))
  console.log(yield* Redis.send("BLPOP", "nolist", 0.1))
  console.log(String(Redis.set("k", "v")))
})
Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const server = yield* RedisServer.make()
  for (const protocol of [2, 3] as const) {
    yield* program.pipe(Effect.provide(NodeRedisClient.layer({ host: server.host, port: server.port, protocol })))
  }
}))).then(() => console.log("done"))
