/**
 * Typed Lua scripts: alone, in a pipeline, in a transaction, and as functions of a library.
 */
import { Redis, RedisReply, RedisScript } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { findRedisServer } from "../scripts/redis-server.ts"

/** Moves an amount between accounts, unless there is too little; returns both balances. */
const transfer = RedisScript.make({
  name: "transfer",
  lua: `
    local amount = tonumber(ARGV[1])
    if tonumber(redis.call("GET", KEYS[1]) or 0) < amount then return nil end
    return { redis.call("DECRBY", KEYS[1], amount), redis.call("INCRBY", KEYS[2], amount) }
  `,
  keys: ({ from, to }: { readonly from: string; readonly to: string; readonly amount: number }) => [from, to],
  args: ({ amount }) => [amount],
  result: Schema.UndefinedOr(Schema.Tuple([Schema.Int, Schema.Int]))
})

const scripts = Effect.gen(function*() {
  yield* Redis.set("anna", "100")
  yield* Console.log("30 of 100:", yield* transfer({ from: "anna", to: "bert", amount: 30 }))
  yield* Console.log("90 of 70:", yield* transfer({ from: "anna", to: "bert", amount: 90 }))
  const [balances, anna] = yield* Redis.pipeline([
    transfer({ from: "anna", to: "bert", amount: 20 }),
    Redis.get("anna")
  ])
  yield* Console.log("in a pipeline:", { balances, anna })
  const done = yield* Redis.transaction({
    first: transfer({ from: "bert", to: "carl", amount: 10 }),
    second: transfer({ from: "bert", to: "dora", amount: 10 })
  })
  yield* Console.log("both or none:", done)
})

const counters = RedisScript.library({
  name: "counters",
  code: `
    redis.register_function("increment_twice", function(keys)
      redis.call("INCR", keys[1])
      return redis.call("INCR", keys[1])
    end)
  `
})

const incrementTwice = RedisScript.function({
  library: counters,
  name: "increment_twice",
  keys: (key: string) => [key],
  result: RedisReply.integer
})

// Functions came with Redis 7.0.
const functions = incrementTwice("count").pipe(
  Effect.flatMap((count) => Console.log("a function, loaded when it was missing:", count)),
  Effect.catchTag("ResponseError", (error) => Console.log("no functions here:", error.message))
)

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

await Effect.runPromise(Effect.provide(Effect.andThen(scripts, functions), client))
