/**
 * What redfx knows of the scripts of Effect's queue, and what becomes of a queue with a version of effect that has others.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis as Commands, RedisClient, RedisPersistence, RedisPrefix } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Logged from "@redfx/testing/Logged"
import { requireCjson } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PersistedQueue, Redis } from "effect/persistence"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { makeQueueStore, roleOf } from "../../src/internal/persistence/queue.ts"

/** The texts of the scripts that Effect's store names when it is made. */
const scripts = Effect.gen(function*() {
  const texts: Array<string> = []
  const client = yield* RedisClient.RedisClient
  const redis = yield* Effect.provideService(RedisPersistence.make(), RedisClient.RedisClient, client)
  const watched: Redis.Redis["Service"] = {
    ...redis,
    eval: (script) => {
      texts.push(script.lua)
      return redis.eval(script)
    }
  }
  yield* Effect.provideService(PersistedQueue.makeStoreRedis(), Redis.Redis, watched)
  return texts
})

const digest = (text: string): string => createHash("sha1").update(text).digest("hex")

/** A client of a server, with a prefix or without, and what is logged. */
const start = Effect.fnUntraced(function*(prefix: string) {
  const server = yield* RedisServer.make()
  const outside = yield* Client.make(server)
  const client = prefix === ""
    ? yield* Client.make(server)
    : yield* RedisPrefix.make(yield* Client.make(server), prefix)
  return { outside, provided: Layer.succeed(RedisClient.RedisClient, client) }
})

/** A queue where no script is known. */
const queue = Effect.flatMap(makeQueueStore({ pollInterval: "10 millis" }, () => undefined), (store) =>
  Effect.provide(
    PersistedQueue.make({ name: "work", schema: Schema.String }),
    Layer.provide(PersistedQueue.layer, Layer.succeed(PersistedQueue.PersistedQueueStore, store))
  ))

describe("The scripts of Effect's queue", () => {
  // Where this fails, a version of effect has other scripts: whether `queue.ts` still does right by them must be read anew.
  it.live("that need more than to be sent are those that redfx was written for", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const texts = yield* Client.on(yield* Client.make(server))(scripts)
      assert.strictEqual(texts.length, 10)
      const known = texts.flatMap((lua) => {
        const role = roleOf(lua)
        return role === undefined ? [] : [[role, digest(lua)]]
      })
      assert.deepStrictEqual(known, [
        ["TakeUp", "35be2bf2136ab54846fa5de6c9e47a2dc83c1c59"],
        ["Take", "b7ac239e1bb6712c6aea94ca0b025fc3a5d1964e"]
      ])
    }))

  it.live("are not known: a queue goes on as Effect's own does, and says what is missing", (context) =>
    Effect.gen(function*() {
      const { outside, provided } = yield* start("")
      yield* Client.on(outside)(requireCjson(context))
      const { capture, lines } = Logged.make()
      const result = yield* Effect.gen(function*() {
        const work = yield* queue
        yield* work.offer("element")
        return yield* work.take((element) => Effect.succeed(element))
      }).pipe(capture, Effect.provide(Layer.merge(provided, Layer.provide(RedisPersistence.layer, provided))))
      assert.strictEqual(result, "element")
      assert.match(lines.join(), /another script for what dead workers had/)
    }))

  it.live("are not known: with a prefix nothing is taken that could not be settled, and what was offered stays", (context) =>
    Effect.gen(function*() {
      const { outside, provided } = yield* start("p:")
      yield* Client.on(outside)(requireCjson(context))
      const error = yield* Effect.gen(function*() {
        const work = yield* queue
        yield* work.offer("element")
        return yield* Effect.flip(work.take((element) => Effect.succeed(element)))
      }).pipe(Effect.provide(Layer.merge(provided, Layer.provide(RedisPersistence.layer, provided))))
      assert.strictEqual(error._tag, "PersistedQueueError")
      assert.match(error.message, /with a prefix .* nothing that is taken could be settled/)
      assert.strictEqual(yield* outside.execute(Commands.llen("p:effectq:{work}:queue")), 1)
    }))
})
