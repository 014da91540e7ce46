/**
 * A master that the other nodes do not see says that the cluster is down, while another is about to take its place.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Encode from "@redfx/testing/Encode"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, sibling } from "@redfx/testing/FakeCluster"
import type * as FakeNode from "@redfx/testing/FakeNode"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

const calls: Readonly<Record<string, Effect.Effect<unknown, unknown, RedisClient.RedisClient>>> = {
  "a single command": Redis.set(keyOfA, "v"),
  "a pipeline": Redis.pipeline([Redis.set(keyOfA, "v"), Redis.set(sibling(keyOfA), "v")]),
  "a blocking command": Redis.blpop([keyOfA], 1),
  "a reserved connection": Redis.withConnection(Redis.set(keyOfA, "v"))
}

const isDown = ({ name }: FakeNode.Command) => name === "SET" || name === "BLPOP" ? FakeCluster.clusterDown : undefined

const popping = ({ name }: FakeNode.Command) => name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : undefined

describe("A master that says that the cluster is down", () => {
  for (const [title, call] of Object.entries(calls)) {
    it.live(`${title} finds the one in its place as soon as anybody knows of it`, () =>
      Effect.gen(function*() {
        const { a, cluster, others } = yield* FakeCluster.make({ replicas: true })
        const replica = others[0]!
        const { client } = yield* FakeCluster.client(cluster)
        yield* client.execute(Redis.get(keyOfA))
        // Readings that bring nothing new have pauses of a second by now, without anybody who waits.
        a.instead = isDown
        replica.instead = popping
        const before = FakeCluster.readings(cluster)
        const waiting = yield* Effect.forkChild(Effect.provideService(call, RedisClient.RedisClient, client))
        yield* Effect.sleep("900 millis")
        assert.isUndefined(waiting.pollUnsafe())
        FakeCluster.replace(cluster, a, replica)
        const since = performance.now()
        yield* Fiber.join(waiting)
        assert.isBelow(performance.now() - since, 250)
        assert.isBelow(FakeCluster.readings(cluster) - before, 30)
      }))
  }

  it.live("one that says so for a moment is asked again before long, with the same topology", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = isDown
      const waiting = yield* Effect.forkChild(client.execute(Redis.set(keyOfA, "v")))
      yield* Effect.sleep("100 millis")
      a.instead = undefined
      const since = performance.now()
      assert.isTrue(yield* Fiber.join(waiting))
      assert.isBelow(performance.now() - since, 350)
    }))

  it.live("is asked again as soon as it says that the cluster is up, though others were replaced before", () =>
    Effect.gen(function*() {
      const { a, b, cluster, others } = yield* FakeCluster.make({ replicas: true })
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      const told = { isUp: false }
      a.instead = (command) =>
        command.name === "CLUSTER" && command.args[1] === "INFO"
          ? FakeCluster.info(told.isUp ? "ok" : "fail")
          : told.isUp
          ? undefined
          : isDown(command)
      const waiting = yield* Effect.forkChild(Effect.exit(client.execute(Redis.set(keyOfA, "v"))))
      yield* Effect.sleep("600 millis")
      // The shard for which the cluster is down: the others notice a moment later that it is not any more.
      FakeCluster.replace(cluster, b, others[1]!)
      yield* Effect.sleep("600 millis")
      assert.isUndefined(waiting.pollUnsafe())
      told.isUp = true
      const since = performance.now()
      assert.deepStrictEqual(yield* Fiber.join(waiting), Exit.succeed(true))
      assert.isBelow(performance.now() - since, 350)
      assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("SET")).length, 3)
    }))

  it.live("is waited for as long by who comes later, and asked last who serves what", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = isDown
      const slots = () => a.node.commands.filter(({ args }) => args.join(" ") === "CLUSTER SLOTS").length
      const failing = Effect.gen(function*() {
        const since = performance.now()
        yield* Client.failure(client, Redis.set(keyOfA, "v"), "ClusterDownError")
        return performance.now() - since
      })
      const first = yield* Effect.forkChild(failing)
      yield* Effect.sleep("100 millis")
      const before = slots()
      yield* Effect.sleep("1400 millis")
      const second = yield* Effect.forkChild(failing)
      for (const fiber of [first, second]) {
        const time = yield* Fiber.join(fiber)
        assert.isAbove(time, 2300)
        assert.isBelow(time, 3000)
      }
      assert.strictEqual(slots(), before)
    }))

  it.live("one that serves a slot no more than before, and says that the cluster is up, is not asked for nothing", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = (command) =>
        command.name === "CLUSTER" && command.args[1] === "INFO"
          ? FakeCluster.info("ok")
          : isDown(command)
      const since = performance.now()
      yield* Client.failure(client, Redis.set(keyOfA, "v"), "ClusterDownError")
      assert.isAbove(performance.now() - since, 2300)
    }))

  it.live("one that goes on to say so is an error within three seconds, of one cluster that many wait for", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = isDown
      const before = FakeCluster.readings(cluster)
      const since = performance.now()
      yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => Client.failure(client, Redis.set(keyOfA, "v"), "ClusterDownError"),
        { concurrency: "unbounded" }
      )
      // An election takes so long.
      assert.isAbove(performance.now() - since, 2300)
      assert.isBelow(performance.now() - since, 3000)
      // One every 50 ms at the most, for all of them, and the one that was under way.
      assert.isAtMost(FakeCluster.readings(cluster) - before, 61)
    }))
})
