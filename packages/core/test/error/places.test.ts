/**
 * The stacks of errors about what a program has given: they lead to where it was given.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError, RedisPromise, RedisRateLimiter } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Effect from "effect/Effect"

/** Only a program without types gives no value. */
const nothing = undefined as never

const makeUser = () => Redis.hset("user:1", { name: "Ada", email: nothing })

describe("The stack of a DataError", () => {
  it.effect("leads to where the command was made, in an Effect as well", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* FakeNode.make())
      const user = makeUser()
      const rejected = yield* Effect.flip(Client.on(client)(user))
      // Nothing of redfx stands above it.
      assert.match(rejected.stack ?? "", /DataError: HSET: cannot send undefined; .*\n +at makeUser .*places\.test\.ts/)
    }))

  it.effect("does so in a pipeline, where the error is a copy with its index", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* FakeNode.make())
      const error = yield* Effect.flip(Client.on(client)(Redis.pipeline([Redis.ping(), makeUser()])))
      assert.match(error.stack ?? "", /DataError: HSET at index 1 of the pipeline: .*\n +at makeUser /)
    }))

  it.effect("leads to the call that finds options wrong", () =>
    Effect.gen(function*() {
      const requests = RedisRateLimiter.tokenBucket("requests", { capacity: -1, every: "1 second" })
      const takeOne = () => requests.take("ada")
      const client = yield* Client.make(yield* FakeNode.make())
      const error = yield* Effect.flip(Client.on(client)(takeOne()))
      assert.strictEqual(error._tag, "DataError")
      assert.match(error.stack ?? "", / at takeOne /)
    }))

  it("is not needed: a program's own way to print stacks harms no command", () => {
    const { prepareStackTrace } = Error
    const own: ReadonlyArray<typeof Error.prepareStackTrace> = [
      (_, calls) => calls,
      () => undefined,
      () => {
        throw new Error("no stack")
      }
    ]
    const settledWith = (prepare: typeof Error.prepareStackTrace) => {
      Error.prepareStackTrace = prepare
      try {
        return makeUser().settled
      } finally {
        Error.prepareStackTrace = prepareStackTrace
      }
    }
    for (const prepare of own) assert.strictEqual(settledWith(prepare)?._tag, "Failure")
  })

  it("is none where the program wants none", () => {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    const { settled } = makeUser()
    Error.stackTraceLimit = limit
    if (settled?._tag !== "Failure") return assert.fail("it can be sent")
    const [error] = settled.cause.reasons.flatMap((reason) => reason._tag === "Fail" ? [reason.error] : [])
    assert.notInclude(error?.stack ?? "", "makeUser")
  })
})

describe("An error about a reply", () => {
  it.effect("has no stack: where redfx has read the reply is no place in the program", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "GET"
          ? Encode.bulk(Uint8Array.of(0xff))
          : name === "NOSUCH"
          ? Encode.error("ERR unknown command 'NOSUCH'")
          : name === "MULTI"
          ? Encode.ok
          : name === "EXEC"
          ? Encode.error("EXECABORT Transaction discarded because of previous errors.")
          : undefined
      )
      const on = Client.on(yield* Client.make(node))
      const unreadable = yield* Effect.flip(on(Redis.get("k")))
      const discarded = yield* Effect.flip(on(Redis.transaction([Redis.send("NOSUCH")])))
      assert.deepStrictEqual([unreadable._tag, discarded._tag], ["DecodeError", "ExecAbortError"])
      for (const { stack } of [unreadable, discarded]) assert.notMatch(stack ?? "", /\n\s+at /)
    }))
})

describe("The stack of a call of a promise client", () => {
  it("leads to the call that cannot be sent, be it the first or not", async () => {
    await using redis = RedisPromise.make(NodeRedisClient.layer({ port: 1 }))
    const saveUser = () => redis.hset("user:1", { name: nothing })
    for (let call = 1; call <= 2; call++) {
      const error = await saveUser().then(() => undefined, (error: unknown) => error)
      assert(RedisError.isRedisError(error) && error._tag === "DataError")
      assert.match(error.stack ?? "", / at saveUser /)
    }
  })

  it("leads to the call that comes after the client was closed", async () => {
    const redis = RedisPromise.make(NodeRedisClient.layer({ port: 1 }))
    await redis.close()
    await redis.close()
    const readUser = () => redis.hgetall("user:1")
    const error = await readUser().then(() => undefined, (error: unknown) => error)
    assert(RedisError.isRedisError(error) && error._tag === "ConnectionError")
    assert.strictEqual(error.reason, "ClientClosed")
    assert.match(error.message, /takes no calls after close\(\) or destroy\(\)/)
    assert.match(error.stack ?? "", / at readUser /)
  })
})
