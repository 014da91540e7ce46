/**
 * How soon a client of a real cluster works again after a master was killed, or
 * stands still, in every way in which a program can use it.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient } from "@redfx/core"
import { NodeRedisConnector, RedisClusterServers } from "@redfx/node"
import type { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Pace from "@redfx/testing/Pace"
import * as Subscriber from "@redfx/testing/Subscriber"
import { requireCommand } from "@redfx/testing/Suite"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"

type Server = RedisServer.RedisServer["Service"]

// One cluster for all tests, of which each leaves it as sound as it was.
const scope = Scope.makeUnsafe()
let servers: RedisClusterServers.RedisClusterServers["Service"]
beforeAll(async () => {
  const make = RedisClusterServers.make({ replicas: 1, requireFullCoverage: false })
  servers = await Effect.runPromise(Scope.provide(make, scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const key = "n"

/** A client with the default options, which nothing but its own attention has the topology read. */
const start = Effect.map(
  Effect.provide(
    Effect.suspend(() => RedisCluster.make({ nodes: servers.addresses, refreshInterval: "1 hour" })),
    NodeRedisConnector.layer
  ),
  ({ client, cluster }) => {
    const context = Context.add(Context.make(RedisClient.RedisClient, client), RedisCluster.RedisCluster, cluster)
    return <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideContext(effect, context)
  }
)

type Call = Effect.Effect<unknown, unknown, RedisClient.RedisClient | RedisCluster.RedisCluster>

const calls: Readonly<Record<string, Call>> = {
  "a command": Redis.set(key, "1"),
  "a pipeline": Redis.pipeline([Redis.set(key, "1"), Redis.get(key)]),
  "a transaction": Redis.transaction([Redis.set(key, "1")]),
  "a split command": Redis.mset({ [key]: "1", a: "1", b: "1", c: "1" }),
  "a reserved connection": Redis.withConnection(Redis.set(key, "1")),
  "a watch": Redis.watch(key, Effect.succeed([Redis.set(key, "1")])),
  "a fan-out": Redis.dbsize(),
  "perNode": RedisCluster.perNode(Redis.dbsize())
}

/** Waits until the replica of the server takes writes; the time of the first one that it took. */
const promoted = (server: Server) =>
  Effect.gen(function*() {
    const [replica] = yield* servers.replicasOf(server)
    const direct = yield* Client.make(replica!)
    const write = Effect.exit(direct.execute(Redis.set(key, "direct")))
    return Effect.gen(function*() {
      while (Exit.isFailure(yield* write)) yield* Effect.sleep("10 millis")
      return performance.now()
    })
  })

/** When each call succeeds for the first time of those that begin after this. */
const untilServed = (
  run: (call: Call) => Effect.Effect<unknown, unknown>,
  names: ReadonlyArray<string> = Object.keys(calls)
) =>
  Effect.forEach(names, (name) =>
    Effect.gen(function*() {
      while (Exit.isFailure(yield* Effect.exit(run(calls[name]!)))) yield* Effect.sleep("5 millis")
      return [name, performance.now()] as const
    }), { concurrency: "unbounded" })

describe("A master that is killed", () => {
  it.live("writes are acknowledged at once when its replica takes them", () =>
    Effect.gen(function*() {
      const pace = yield* Pace.watch
      const run = yield* start
      const times: Array<number> = []
      for (let turn = 0; turn < 3; turn++) {
        yield* servers.settled
        const master = yield* servers.owner(key)
        const accepted = yield* promoted(master)
        yield* run(Redis.set(key, "0"))
        yield* master.kill()
        const served = yield* Effect.forkChild(untilServed(run, ["a command"]), { startImmediately: true })
        const since = yield* accepted
        for (const [, at] of yield* Fiber.join(served)) times.push(pace.between(since, at))
        yield* master.restart
      }
      yield* servers.settled
      assert.isBelow(times.toSorted((a, b) => a - b)[1]!, 200, times.join())
      assert.isBelow(Math.max(...times), 400, times.join())
    }))

  it.live("every other way of sending is served as soon as a command", () =>
    Effect.gen(function*() {
      const pace = yield* Pace.watch
      const run = yield* start
      yield* servers.settled
      for (const call of Object.values(calls)) yield* run(call)
      const master = yield* servers.owner(key)
      const accepted = yield* promoted(master)
      yield* master.kill()
      const served = yield* Effect.forkChild(untilServed(run), { startImmediately: true })
      const since = yield* accepted
      for (const [name, at] of yield* Fiber.join(served)) assert.isBelow(pace.between(since, at), 600, name)
      yield* master.restart
      yield* servers.settled
    }))

  for (const [name, call] of Object.entries(calls)) {
    it.live(`${name} alone finds the one in its place`, () =>
      Effect.gen(function*() {
        const pace = yield* Pace.watch
        const run = yield* start
        yield* servers.settled
        yield* run(call)
        const master = yield* servers.owner(key)
        const accepted = yield* promoted(master)
        yield* master.kill()
        const served = yield* Effect.forkChild(untilServed(run, [name]), { startImmediately: true })
        const since = yield* accepted
        for (const [, at] of yield* Fiber.join(served)) assert.isBelow(pace.between(since, at), 600)
        yield* master.restart
        yield* servers.settled
      }))
  }
})

describe("A master that stands still", () => {
  it.live("is noticed within two seconds: all ways of sending go on with its replica, and a subscriber is told", (context) =>
    Effect.gen(function*() {
      const pace = yield* Pace.watch
      const run = yield* start
      yield* servers.settled
      yield* run(requireCommand(context, "SSUBSCRIBE"))
      for (const call of Object.values(calls)) yield* run(call)
      const master = yield* servers.owner(key)
      const accepted = yield* promoted(master)
      const subscriber = yield* run(Subscriber.consume(Redis.ssubscribe(key, { events: true })))
      yield* subscriber.until((elements) => elements.length === 1)
      yield* master.pause
      const paused = performance.now()
      const served = yield* Effect.forkChild(untilServed(run), { startImmediately: true })
      yield* subscriber.until((elements) => elements.some(({ _tag }) => _tag === "Lost"))
      assert.isBelow(pace.between(paused, performance.now()), 2500)
      const since = yield* accepted
      // What was under way when it was replaced is given up first.
      for (const [name, at] of yield* Fiber.join(served)) assert.isBelow(pace.between(since, at), 2500, name)
      yield* master.resume
      yield* servers.settled
    }))
})
