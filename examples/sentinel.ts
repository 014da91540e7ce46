/** A master is killed while a program writes: what callers see, and what a plain retry makes of it. */
import { Redis, RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisSentinelServers } from "@redfx/node"
import { Console, Effect, Layer, Ref, Schedule, Stream } from "effect"
import { findRedisServer } from "../scripts/redis-server.ts"

/** Counts up to `times`, whatever happens meanwhile, and tells of each new reason to retry. */
const countTo = Effect.fn("countTo")(function*(times: number) {
  const last = yield* Ref.make("")
  const tell = (error: RedisError.RedisError) => {
    const reason = error._tag === "ConnectionError" ? `${error._tag}, ${error.reason}` : error._tag
    return Effect.flatMap(
      Ref.getAndSet(last, reason),
      (before) => before === reason ? Effect.void : Console.log("retrying:", reason)
    )
  }
  const count = Redis.incr("n").pipe(
    Effect.tapError(tell),
    Effect.retry({ schedule: Schedule.spaced("20 millis"), while: RedisError.isSafeToRetry })
  )
  for (let i = 0; i < times; i++) yield* count
})

const program = Effect.gen(function*() {
  const deployment = yield* RedisSentinelServers.RedisSentinelServers
  const client = yield* RedisClient.RedisClient
  yield* client.events.pipe(
    Stream.filter((event) => event._tag === "MasterChanged"),
    Stream.runForEach(({ address, previous }) => Console.log("the master was", previous, "and is", address)),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* countTo(99)
  // What a master acknowledges can be lost with it, unless its replicas have it as well: WAIT tells how many do.
  const replicated = yield* Redis.withConnection(
    Effect.andThen(Redis.incr("n"), Redis.wait(deployment.servers.length - 1, "5 seconds"))
  )
  yield* Console.log("the last of it is on", replicated, "of", deployment.servers.length - 1, "replicas")
  const master = yield* deployment.master
  yield* Console.log("counted to", yield* Redis.get("n"), "and now the master is killed")
  yield* master.kill()
  yield* countTo(100)
  yield* Console.log("counted to", yield* Redis.get("n"))
})

const clients = Layer.unwrap(Effect.map(
  RedisSentinelServers.RedisSentinelServers,
  ({ addresses, service }) => NodeRedisClient.layerSentinel({ sentinels: addresses, service })
)).pipe(Layer.provideMerge(RedisSentinelServers.layer({ binary: findRedisServer() })))

await Effect.runPromise(Effect.scoped(Effect.provide(program, clients)))
