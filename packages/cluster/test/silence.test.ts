/**
 * A master that was silent, and is back when its connections end.
 */
import { assert, describe } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Subscriber from "@redfx/testing/Subscriber"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"

/** A master that has been silent for so long that nothing is sent to it any more. */
const silenced = Effect.gen(function*() {
  const { a, cluster } = yield* FakeCluster.make()
  const { client } = yield* FakeCluster.client(cluster, { refreshInterval: "1 hour" })
  yield* client.execute(Redis.get(keyOfA))
  a.instead = () => FakeNode.stall()
  yield* Effect.forkChild(Effect.exit(client.execute(Redis.set(keyOfA, "v"))), { startImmediately: true })
  // After a second of silence, and half a one without an answer to PING.
  yield* Effect.sleep("2100 millis")
  return { a, client }
})

describe("A server that stands still", () => {
  inVirtualTime(
    "says Lost to a subscriber who alone uses it within two seconds, and another takes its place",
    () =>
      Effect.gen(function*() {
        const { cluster } = yield* FakeCluster.make()
        for (const node of cluster.nodes) {
          node.instead = ({ args, name }) =>
            name === "SUBSCRIBE"
              ? Encode.push([Encode.bulk("subscribe"), Encode.bulk(args[1] ?? ""), Encode.integer(1)])
              : undefined
        }
        const { client } = yield* FakeCluster.client(cluster, { refreshInterval: "1 hour" })
        const subscription = yield* client.pubSub.open({ events: true })
        yield* subscription.subscribe("news")
        const subscriber = yield* Subscriber.consume(subscription.messages)
        const told = (tag: string) => subscriber.until((elements) => elements.some(({ _tag }) => _tag === tag))
        const used = cluster.nodes.find(({ node }) =>
          node.commands.some(({ command }) => command.name === "SUBSCRIBE")
        )!
        used.instead = () => FakeNode.stall()
        const since = yield* Clock.currentTimeMillis
        yield* told("Lost")
        assert.isBelow((yield* Clock.currentTimeMillis) - since, 3500)
        // Any other server will do, before the connection itself is given up.
        yield* told("Restored")
        assert.isBelow((yield* Clock.currentTimeMillis) - since, 5000)
      })
  )
})

/** A master that stands still while it owes answers to as many blocking commands as there is room for. */
const standingStill = Effect.gen(function*() {
  const { a, b, cluster } = yield* FakeCluster.make()
  // Three shared ones leave room for two others.
  const pool = { max: 5, acquireTimeout: "Infinity" } as const
  const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { commandTimeout: "30 seconds", pool })
  const pop = (key: string) =>
    Effect.forkChild(Effect.result(client.execute(Redis.blpop([key], 40))), { startImmediately: true })
  a.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
  b.instead = ({ name }) => name === "BLPOP" ? Encode.bulks([keyOfB, "v"]) : undefined
  const owed = [yield* pop(keyOfA), yield* pop(keyOfA)]
  yield* a.node.awaitCommand("BLPOP", 2)
  a.instead = () => FakeNode.stall()
  yield* Effect.forkChild(Effect.exit(client.execute(Redis.get(keyOfA))), { startImmediately: true })
  return { a, client, nodes, owed, pop, since: yield* Clock.currentTimeMillis }
})

describe("What blocks on a master that stands still", () => {
  inVirtualTime("takes no room from what goes to other masters, once it is down", () =>
    Effect.gen(function*() {
      const { client, owed, pop, since } = yield* standingStill
      const popped = yield* pop(keyOfB)
      assert.deepStrictEqual(yield* Fiber.join(popped), Result.succeed({ key: keyOfB, value: "v" }))
      assert.isBelow((yield* Clock.currentTimeMillis) - since, 3500)
      assert.deepInclude(yield* client.stats, { exclusive: 3, exclusiveIdle: 1 })
      // What it owes may be answered yet.
      assert.deepStrictEqual(owed.map((fiber) => fiber.pollUnsafe()), [undefined, undefined])
    }))

  inVirtualTime(
    "has no more room there than before, and who waits for some is told that it is down",
    () =>
      Effect.gen(function*() {
        const { a, client, nodes } = yield* standingStill
        const error = yield* Client.failure(client.withTimeout("4 seconds"), Redis.blpop([keyOfA], 0.1), "TimeoutError")
        assert.strictEqual(error.delivery, "not-sent")
        assert.match(error.message, /did not answer a PING/)
        const opened = a.node.connections.total
        const own = yield* nodes.clientOf(a.address)
        yield* Client.failure(own.withTimeout("1 second"), Redis.blpop([keyOfA], 0.1), "TimeoutError")
        assert.strictEqual(a.node.connections.total, opened)
      })
  )
})

describe("A master that was silent", () => {
  for (const since of [0, 150, 300]) {
    inVirtualTime(
      `is used again at once when its connections end and it answers, ${since} ms later than sooner`,
      () =>
        Effect.gen(function*() {
          const { a, client } = yield* silenced
          yield* Effect.sleep(since)
          const waiting = yield* Effect.forkChild(client.execute(Redis.set(keyOfA, "w")), { startImmediately: true })
          yield* Effect.sleep("20 millis")
          a.instead = undefined
          const back = yield* Clock.currentTimeMillis
          yield* a.node.cutAll()
          assert.isTrue(yield* Fiber.join(waiting))
          // Without the question at once, one of the three waits for the next one, 130 ms.
          assert.isBelow((yield* Clock.currentTimeMillis) - back, 100)
        })
    )
  }

  inVirtualTime("is asked as seldom as before when it ends every connection", () =>
    Effect.gen(function*() {
      const { a, client } = yield* silenced
      a.instead = () => [FakeNode.cut()]
      yield* a.node.cutAll()
      const before = a.node.connections.total
      const waiting = yield* Effect.forkChild(Effect.exit(client.execute(Redis.set(keyOfA, "w"))))
      yield* Effect.sleep("2 seconds")
      assert.isBelow(a.node.connections.total - before, 12)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(waiting)))
    }))
})
