/**
 * Addresses at which something else than a Redis server listens.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

type Call = Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>

/** A client of a cluster in which the masters of two keys are no Redis servers. */
const foreign = Effect.gen(function*() {
  const { a, b, c, cluster } = yield* FakeCluster.make()
  a.instead = b.instead = () => FakeNode.reply("HTTP/1.1 400 Bad Request\r\n")
  c.instead = ({ name }) => name === "MSET" ? Encode.ok : undefined
  const { client } = yield* FakeCluster.client(cluster, { nodes: [c], refreshInterval: "1 hour" })
  return client
})

/** What the error of a call says of whether it can have been run, and may be repeated. */
const told = (client: RedisClient.RedisClient["Service"], call: Call) =>
  Effect.map(Effect.flip(Client.on(client)(call)), Client.fateByNonsense)

describe("A master that is no Redis", () => {
  const calls: Readonly<Record<string, Call>> = {
    "a write": Redis.set(keyOfA, "v"),
    "a read": Redis.get(keyOfA),
    "a cached read": Redis.cached(Redis.get(keyOfA), { ttl: "1 minute" }),
    "a blocking command": Redis.blpop(keyOfA),
    "a split command": Redis.mset({ [keyOfA]: "v", [keyOfB]: "v" }),
    "a pipeline": Redis.pipeline([Redis.set(keyOfA, "v"), Redis.get(keyOfB)]),
    "a transaction": Redis.transaction([Redis.set(keyOfA, "v"), Redis.get(keyOfA)]),
    "a watch": Redis.watch(keyOfA, Effect.succeed([Redis.set(keyOfA, "v")])),
    "a reserved connection": Redis.withConnection(Redis.set(keyOfA, "v"))
  }
  for (const [what, call] of Object.entries(calls)) {
    inVirtualTime(`is told to ${what}, of which nothing was sent`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* told(yield* foreign, call), {
          delivery: "not-sent",
          mayHaveWritten: undefined,
          partial: undefined,
          mayHaveRun: false,
          retryable: false
        })
      }).pipe(Effect.scoped))
  }

  inVirtualTime("is told with what the other masters have done", () =>
    Effect.gen(function*() {
      const client = yield* foreign
      const marks = { mayHaveWritten: true, mayHaveRun: true, retryable: false } as const
      assert.deepStrictEqual(yield* told(client, Redis.mset({ [keyOfA]: "v", [keyOfC]: "v" })), {
        ...marks,
        delivery: "unknown",
        partial: { of: "keys", answered: [1], unknown: [] }
      })
      const commands = [Redis.set(keyOfA, "v"), Redis.set(keyOfC, "v")] as const
      assert.deepStrictEqual(yield* told(client, Redis.pipeline(commands)), {
        ...marks,
        delivery: "not-sent",
        partial: { of: "pipeline", answered: [1], unknown: [] }
      })
      const outcomes = yield* Client.on(client)(Redis.pipelineSettled(commands))
      assert.deepStrictEqual(
        outcomes.map((each) => Result.isFailure(each) ? RedisError.mayHaveRun(each.failure) : each.success),
        [false, true]
      )
    }).pipe(Effect.scoped))
})
