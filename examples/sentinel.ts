/** A master is killed while a program writes: what callers see, what a plain retry makes of it, and what is counted. */
import { Redis, RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisSentinelServers } from "@redfx/node"
import { Console, Effect, Layer, Ref, Schedule, Stream } from "effect"
import { findRedisServer } from "../scripts/redis-server.ts"

/**
 * Increases a counter so often, whatever happens meanwhile, and tells of each new reason to retry. What is not known to have
 * been run is not run again: returns how often that was so.
 */
const increase = Effect.fn("increase")(function*(times: number) {
  const last = yield* Ref.make("")
  const tell = (error: RedisError.RedisError) => {
    const reason = error._tag === "ConnectionError" ? `${error._tag}, ${error.reason}` : error._tag
    return Effect.flatMap(
      Ref.getAndSet(last, reason),
      (before) => before === reason ? Effect.void : Console.log("retrying:", reason)
    )
  }
  const once = Redis.incr("n").pipe(
    Effect.tapError(tell),
    Effect.retry({ schedule: Schedule.spaced("20 millis"), while: RedisError.isSafeToRetry }),
    Effect.as(0),
    Effect.catchTags({
      ConnectionError: (error) => error.delivery === "unknown" ? Effect.succeed(1) : Effect.fail(error),
      TimeoutError: (error) => error.delivery === "unknown" ? Effect.succeed(1) : Effect.fail(error)
    })
  )
  let unknown = 0
  for (let i = 0; i < times; i++) unknown += yield* once
  return unknown
})

const program = Effect.gen(function*() {
  const deployment = yield* RedisSentinelServers.RedisSentinelServers
  const client = yield* RedisClient.RedisClient
  yield* client.events.pipe(
    Stream.filter((event) => event._tag === "MasterChanged"),
    Stream.runForEach(({ address, previous }) => Console.log("the master was", previous, "and is", address)),
    Effect.forkScoped({ startImmediately: true })
  )
  const before = yield* increase(99)
  // What a master acknowledges can be lost with it, unless its replicas have it as well: WAIT tells how many do.
  const replicas = deployment.servers.length - 1
  const replicated = Effect.repeat(Redis.wait(replicas, "1 second"), { until: (count) => count >= replicas })
  yield* Redis.withConnection(Effect.andThen(Redis.incr("n"), replicated))
  const master = yield* deployment.master
  yield* Console.log("counted to", yield* Redis.get("n"), "on all servers, and now the master is killed")
  yield* master.kill()
  const unknown = before + (yield* increase(100))
  const acknowledged = 200 - unknown
  const counted = Number(yield* Redis.get("n"))
  yield* Console.log(`counted to ${counted}: ${acknowledged} were acknowledged, of ${unknown} it is not known`)
  if (counted < acknowledged || counted > acknowledged + unknown) return yield* Effect.die("the count is wrong")
})

const clients = Layer.unwrap(Effect.map(
  RedisSentinelServers.RedisSentinelServers,
  ({ addresses, service }) => NodeRedisClient.layerSentinel({ sentinels: addresses, service })
)).pipe(Layer.provideMerge(RedisSentinelServers.layer({ binary: findRedisServer() })))

await Effect.runPromise(Effect.scoped(Effect.provide(program, clients)))
