/**
 * A master that the other nodes do not see says that the cluster is down, while another is about to take its place.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient, RedisPersistence } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, sibling } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime, pass, timed } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as EffectRedis from "effect/persistence/Redis"
import * as Stream from "effect/Stream"

const calls: Readonly<Record<string, Effect.Effect<unknown, unknown, RedisClient.RedisClient>>> = {
  "a single command": Redis.set(keyOfA, "v"),
  "a pipeline": Redis.pipeline([Redis.set(keyOfA, "v"), Redis.set(sibling(keyOfA), "v")]),
  "a blocking command": Redis.blpop([keyOfA], 1),
  "a reserved connection": Redis.withConnection(Redis.set(keyOfA, "v"))
}

const isDown = ({ name }: FakeNode.Command) => name === "SET" || name === "BLPOP" ? FakeCluster.clusterDown : undefined

/** How often somebody asked who serves what. */
const slots = ({ nodes }: FakeCluster.FakeCluster): number => nodes.reduce((sum, node) => sum + slotsOf(node), 0)
const slotsOf = ({ node }: FakeCluster.Node): number =>
  node.commands.filter(({ args }) => args.join(" ") === "CLUSTER SLOTS").length

const popping = ({ name }: FakeNode.Command) => name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : undefined

describe("A master that says that the cluster is down", () => {
  for (const [title, call] of Object.entries(calls)) {
    it.effect(`${title} finds the one in its place as soon as anybody knows of it`, () =>
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
        yield* pass(900)
        assert.isUndefined(waiting.pollUnsafe())
        // Right after a reading, from where the time until the next one is longest.
        const read = slots(cluster)
        while (slots(cluster) === read) yield* pass(5)
        FakeCluster.replace(cluster, a, replica)
        const { exit, time } = yield* timed(waiting)
        assert.isTrue(Exit.isSuccess(exit), String(exit))
        assert.isBelow(time, 250)
        assert.isBelow(FakeCluster.readings(cluster) - before, 30)
      }))
  }

  const limited: typeof calls = {
    ...calls,
    "a transaction": Redis.transaction([Redis.set(keyOfA, "v")]),
    "a fan-out": Redis.flushall()
  }
  const inTransactions: FakeNode.Handler = ({ name }) =>
    name === "MULTI" || name === "FLUSHALL"
      ? Encode.ok
      : name === "EXEC"
      ? Encode.error("EXECABORT Transaction discarded because of previous errors.")
      : undefined

  for (const [title, call] of Object.entries(limited)) {
    it.effect(`${title} is told what it has waited for when its time is up`, () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        for (const node of cluster.nodes) node.instead = inTransactions
        const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "200 millis" })
        yield* client.execute(Redis.get(keyOfA))
        a.instead = (command, connection) =>
          command.name === "FLUSHALL"
            ? FakeCluster.clusterDown
            : isDown(command) ?? inTransactions(command, connection)
        const run = Effect.flip(Effect.provideService(call, RedisClient.RedisClient, client))
        const error = yield* (yield* timed(yield* Effect.forkChild(run))).exit
        assert.propertyVal(error, "_tag", "TimeoutError")
        assert.match(String(error), /the last time: CLUSTERDOWN The cluster is down\./)
        assert.propertyVal(error, "delivery", title === "a fan-out" ? "unknown" : "not-sent")
      }))
  }

  const lost: typeof calls = {
    "a single command": Redis.get(keyOfA),
    "a pipeline": Redis.pipeline([Redis.get(keyOfA)]),
    "a reserved connection": Redis.withConnection(Redis.get(keyOfA)),
    "a fan-out": Redis.dbsize()
  }

  for (const [title, call] of Object.entries(lost)) {
    it.effect(`${title} whose time is up while it waits may have run before`, () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const answering: FakeNode.Handler = ({ name }) => name === "DBSIZE" ? Encode.integer(1) : undefined
        for (const node of cluster.nodes) node.instead = answering
        const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "200 millis" })
        yield* client.execute(Redis.get(keyOfA))
        let times = 0
        a.instead = ({ name }) =>
          name !== "GET" && name !== "DBSIZE" ? undefined : times++ === 0 ? FakeNode.cut() : FakeCluster.clusterDown
        const run = Effect.flip(Effect.provideService(call, RedisClient.RedisClient, client))
        const error = yield* (yield* timed(yield* Effect.forkChild(run))).exit
        assert.isAtLeast(times, 2)
        assert.propertyVal(error, "_tag", "TimeoutError")
        assert.propertyVal(error, "delivery", "unknown")
      }))
  }

  it.effect("one that says so for a moment is asked again before long, with the same topology", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = isDown
      const waiting = yield* Effect.forkChild(client.execute(Redis.set(keyOfA, "v")))
      yield* pass(100)
      a.instead = undefined
      const { exit, time } = yield* timed(waiting)
      assert.deepStrictEqual(exit, Exit.succeed(true))
      assert.isBelow(time, 350)
    }))

  it.effect("is asked again as soon as it says that the cluster is up, though others were replaced before", () =>
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
      const waiting = yield* Effect.forkChild(client.execute(Redis.set(keyOfA, "v")))
      yield* pass(600)
      // The shard for which the cluster is down: the others notice a moment later that it is not any more.
      FakeCluster.replace(cluster, b, others[1]!)
      yield* pass(600)
      assert.isUndefined(waiting.pollUnsafe())
      told.isUp = true
      const { exit, time } = yield* timed(waiting)
      assert.deepStrictEqual(exit, Exit.succeed(true))
      assert.isBelow(time, 350)
      assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("SET")).length, 3)
    }))

  it.effect("is waited for as long by who comes later, and asked last who serves what", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = isDown
      const failing = Effect.gen(function*() {
        const since = yield* Clock.currentTimeMillis
        yield* Client.failure(client, Redis.set(keyOfA, "v"), "ClusterDownError")
        return (yield* Clock.currentTimeMillis) - since
      })
      const first = yield* Effect.forkChild(failing)
      yield* pass(100)
      const before = slotsOf(a)
      yield* pass(1400)
      const second = yield* Effect.forkChild(failing)
      for (const fiber of [first, second]) {
        const time = yield* (yield* timed(fiber)).exit
        assert.isAbove(time, 2300)
        assert.isBelow(time, 3000)
      }
      assert.strictEqual(slotsOf(a), before)
    }))

  it.effect("one that serves a slot no more than before, and says that the cluster is up, is not asked for nothing", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = (command) =>
        command.name === "CLUSTER" && command.args[1] === "INFO"
          ? FakeCluster.info("ok")
          : isDown(command)
      const waiting = yield* Effect.forkChild(Client.failure(client, Redis.set(keyOfA, "v"), "ClusterDownError"))
      const { exit, time } = yield* timed(waiting)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.isAbove(time, 2300)
    }))

  it.effect("one that goes on to say so is an error within three seconds, of one cluster that many wait for", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = isDown
      const before = slots(cluster)
      const waiting = yield* Effect.forkChild(Effect.forEach(
        Array.from({ length: 50 }),
        () => Client.failure(client, Redis.set(keyOfA, "v"), "ClusterDownError"),
        { concurrency: "unbounded" }
      ))
      const { exit, time } = yield* timed(waiting)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      // An election takes so long.
      assert.isAbove(time, 2300)
      assert.isBelow(time, 3000)
      // One every 50 ms at the most, for all of them, and the one that was under way.
      assert.isAtMost(slots(cluster) - before, time / 50 + 1)
    }))

  inVirtualTime(
    "is an error of its own for each who waits, where nobody says any more who serves what",
    () =>
      Effect.gen(function*() {
        const { cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        yield* client.execute(Redis.get(keyOfA))
        const isRefused = new Set(["BLPOP", "CLUSTER", "SET", "SSUBSCRIBE"])
        for (const node of cluster.nodes) {
          node.instead = ({ name }) => isRefused.has(name) ? FakeCluster.clusterDown : undefined
        }
        const all: ReadonlyArray<Effect.Effect<unknown, unknown, RedisClient.RedisClient>> = [
          Redis.set(keyOfA, "v"),
          Redis.blpop(keyOfA, 1),
          Redis.withConnection(Redis.set(keyOfA, "v")),
          Stream.runDrain(Redis.ssubscribe(keyOfA))
        ]
        const failures = [...all, ...all].map((call) => Effect.flip(Client.on(client)(call)))
        const errors = yield* Effect.all(failures, { concurrency: "unbounded" })
        assert.strictEqual(new Set(errors).size, failures.length)
      })
  )
})

describe("A master that is away", () => {
  inVirtualTime(
    "keeps no script of Effect's Redis service from running where its keys are",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        yield* client.execute(Redis.get(keyOfA))
        yield* b.node.stopListening
        yield* b.node.cutAll()
        a.instead = ({ name }) => name === "EVAL" ? Encode.integer(7) : undefined
        const script = EffectRedis.script((key: string) => [key], { lua: "return 7", numberOfKeys: 1 })
        const redis = yield* Effect.provideService(RedisPersistence.make(), RedisClient.RedisClient, client)
        assert.strictEqual(yield* redis.eval(script.withReturnType<number>())(keyOfA), 7)
      })
  )
})
