/**
 * The same command to each server of a cluster, with scripted nodes.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient, RedisError, RedisLock } from "@redfx/core"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { waiting } from "@redfx/testing/Resting"
import * as Traced from "@redfx/testing/Traced"
import { inVirtualTime, turns } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

describe("A command to each server, which one of them refuses", () => {
  inVirtualTime(
    "CLR-14: is run by the others all the same, and the error says that it may have written",
    () =>
      Effect.gen(function*() {
        const { b, cluster } = yield* FakeCluster.make()
        for (const node of cluster.nodes) {
          node.instead = ({ name }) => name === "FLUSHALL" ? Encode.ok : undefined
        }
        const { cluster: nodes } = yield* FakeCluster.client(cluster)
        const flushed = () => FakeCluster.log(...cluster.nodes).filter((line) => line.endsWith("FLUSHALL")).sort()
        for (const line of ["ERR no", "MOVED 1 127.0.0.1:1"]) {
          b.instead = ({ name }) => name === "FLUSHALL" ? Encode.error(line) : undefined
          const before = flushed().length
          const error = yield* Effect.flip(nodes.perNode(Redis.flushall()))
          assert.deepInclude(error, { mayHaveWritten: true })
          assert.isFalse(RedisError.isSafeToRetry(error))
          assert.strictEqual(flushed().length, before + 3)
        }
        const read = yield* Effect.flip(nodes.perNode(Redis.memoryUsage("k")))
        assert.notProperty(read, "mayHaveWritten")
      })
  )
})

describe("A command to each server", () => {
  inVirtualTime(
    "has one span, with what became of it",
    () =>
      Effect.gen(function*() {
        const { b, cluster } = yield* FakeCluster.make()
        for (const node of cluster.nodes) node.instead = ({ name }) => name === "DBSIZE" ? Encode.integer(1) : undefined
        const { cluster: service } = yield* FakeCluster.client(cluster)
        const { spans, tracer } = Traced.make()
        const asked = RedisCluster.perNode(Redis.dbsize()).pipe(
          Effect.provideService(RedisCluster.RedisCluster, service),
          tracer
        )
        yield* asked
        b.instead = ({ name }) => name === "DBSIZE" ? Encode.error("ERR no") : undefined
        yield* Effect.flip(asked)
        assert.deepStrictEqual(spans.map(({ attributes, name }) => [name, attributes.get("error.type")]), [
          ["DBSIZE", undefined],
          ["DBSIZE", "ResponseError"]
        ])
      })
  )
})

describe("A client of one server", () => {
  inVirtualTime(
    "is the same for all callers, so that those who wait for a lock stand in one line",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        // Somebody else has the lock.
        a.instead = ({ name }) => name === "SET" ? Encode.nil : undefined
        const { cluster: service } = yield* FakeCluster.client(cluster)
        const lock = RedisLock.make(FakeCluster.keyOfA, { retryInterval: "10 minutes", waitTimeout: "300 millis" })
        yield* (yield* service.clientOf(a.address)).execute(Redis.ping())
        const caller = RedisCluster.onNode(a.address, lock.withLock(Effect.void)).pipe(
          Effect.provideService(RedisCluster.RedisCluster, service)
        )
        const errors = yield* Effect.forEach(Array.from({ length: 10 }), () => Effect.flip(caller), {
          concurrency: "unbounded"
        })
        for (const error of errors) assert.deepInclude(error, { _tag: "LockError", reason: "NotAcquired" })
        assert.lengthOf(FakeCluster.log(a).filter((line) => line.startsWith("A SET")), 1)
      })
  )
})

describe("Events of one server", () => {
  it.effect("tell of its connections from the moment on at which somebody listens", () =>
    Effect.gen(function*() {
      const { b, cluster } = yield* FakeCluster.make()
      const { cluster: service } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      const client = yield* service.clientOf(b.address)
      const seen: Array<string> = []
      const listen = Stream.runForEach(client.events, (event) => Effect.sync(() => seen.push(event._tag)))
      // The listener does nothing more in later turns than it has in the first.
      const { goOn, scheduler } = waiting()
      yield* fork(Effect.provideService(listen, Scheduler.Scheduler, scheduler))
      yield* client.execute(Redis.get(FakeCluster.keyOfB))
      goOn()
      yield* turns
      assert.deepStrictEqual(seen, ["Connected"])
    }))
})

describe("A command to each server, which one of them does not answer", () => {
  it.effect("has the limit that it was given, also when its answers are merged", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      for (const node of cluster.nodes) node.instead = ({ name }) => name === "DBSIZE" ? Encode.integer(1) : undefined
      const made = yield* FakeCluster.client(cluster, { commandTimeout: "1 minute" })
      const merged = RedisCluster.withMerge(made, Redis.dbsize, (sizes) => Math.max(...sizes.values()))
      assert.strictEqual(yield* merged.withTimeout("200 millis").execute(Redis.dbsize()), 1)
      a.instead = ({ name }) => name === "DBSIZE" ? FakeNode.stall() : undefined
      const calls = [
        Effect.provideService(
          Redis.withTimeout(made.cluster.perNode(Redis.dbsize()), "200 millis"),
          RedisClient.RedisClient,
          made.client
        ),
        merged.withTimeout("200 millis").execute(Redis.dbsize())
      ]
      const fibers = yield* Effect.forEach(
        calls,
        (call: Effect.Effect<unknown, RedisError.RedisError>) =>
          Effect.forkChild(Effect.flip(call), { startImmediately: true })
      )
      yield* a.node.awaitCommand("DBSIZE", 3)
      yield* TestClock.adjust("220 millis")
      for (const fiber of fibers) {
        assert.deepInclude(yield* Fiber.join(fiber), { _tag: "TimeoutError", command: "DBSIZE", milliseconds: 200 })
      }
    }))
})
