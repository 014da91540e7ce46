/**
 * Shard channels whose slot goes to another server while something else happens, on scripted nodes.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Subscriber from "@redfx/testing/Subscriber"
import { until } from "@redfx/testing/Suite"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

const confirmation = (verb: string, channel: string): Uint8Array =>
  Encode.push([Encode.bulk(verb), Encode.bulk(channel), Encode.integer(1)])

/** Confirms subscriptions. */
const confirming: FakeNode.Handler = ({ args: [, ...channels], name }) =>
  name.endsWith("SUBSCRIBE")
    ? Encode.concat(...channels.map((channel) => confirmation(name.toLowerCase(), channel)))
    : undefined

/** The connection of a node that somebody subscribed on last. */
const subscribed = ({ node }: FakeCluster.Node, name: string) =>
  Effect.map(node.awaitCommand(name), () => node.commands.findLast(({ command }) => command.name === name)!.connection)

const start = Effect.gen(function*() {
  const { a, b, c, cluster } = yield* FakeCluster.make()
  for (const node of [a, b, c]) node.instead = confirming
  const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [c] })
  yield* nodes.refresh
  const consume = <A, E>(stream: Stream.Stream<A, E, RedisClient.RedisClient>) =>
    Subscriber.consume(Stream.provideService(stream, RedisClient.RedisClient, client))
  return { a, b, c, client, cluster, nodes, consume }
})

/** A channel whose slot A has, and a client that reads the topology as rarely as it ever does: it brought nothing new. */
const settled = Effect.gen(function*() {
  const started = yield* start
  const subscriber = yield* started.consume(Redis.ssubscribe(keyOfA, { events: true }))
  const connection = yield* subscribed(started.a, "SSUBSCRIBE")
  yield* subscriber.until((elements) => elements.length === 1)
  yield* Effect.replicateEffect(started.nodes.refresh, 6, { discard: true })
  return { ...started, giveUp: started.a.node.push(connection, confirmation("sunsubscribe", keyOfA)) }
})

describe("A shard channel", () => {
  inVirtualTime(
    "that moves does not wait for a reading of the topology that only pauses",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster, giveUp, nodes } = yield* settled
        // This one has at least half a second to wait.
        yield* Effect.forkChild(nodes.refresh, { startImmediately: true })
        yield* Effect.sleep("20 millis")
        FakeCluster.replace(cluster, a, b)
        const since = yield* Clock.currentTimeMillis
        yield* giveUp
        yield* b.node.awaitCommand("SSUBSCRIBE")
        assert.isBelow((yield* Clock.currentTimeMillis) - since, 300)
      })
  )

  inVirtualTime(
    "that moves before any server knows where to has the topology read more often again",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster, giveUp, nodes } = yield* settled
        const before = FakeCluster.readings(cluster)
        yield* giveUp
        yield* a.node.awaitCommand("SSUBSCRIBE", 2)
        assert.strictEqual(FakeCluster.readings(cluster), before + 1)
        FakeCluster.replace(cluster, a, b)
        const since = yield* Clock.currentTimeMillis
        yield* nodes.refresh
        assert.isBelow((yield* Clock.currentTimeMillis) - since, 300)
      })
  )

  inVirtualTime("that moves takes along who has asked for it in vain where it was", () =>
    Effect.gen(function*() {
      const { a, b, c, client, cluster, consume } = yield* start
      const first = yield* consume(Redis.ssubscribe(keyOfA, { events: true }))
      const connection = yield* subscribed(a, "SSUBSCRIBE")
      yield* first.until((elements) => elements.length === 1)
      // Nobody says where the slot is until the gate opens.
      const gate = yield* Deferred.make<void>()
      FakeCluster.replace(cluster, a, b)
      const told = FakeCluster.slots(cluster.told)
      for (const node of [a, b, c]) {
        node.instead = (command, connection) =>
          command.name === "CLUSTER"
            ? [FakeNode.gate(gate), FakeNode.reply(told)]
            : confirming(command, connection)
      }
      yield* a.node.push(connection, confirmation("sunsubscribe", keyOfA))
      yield* first.until((elements) => elements.length === 2)
      yield* a.node.cut(connection)
      yield* a.node.awaitCommand("CLUSTER")
      const subscription = yield* client.pubSub.open({ events: true })
      const second = yield* consume(subscription.messages)
      const joined = yield* Effect.forkChild(subscription.ssubscribe(keyOfA), { startImmediately: true })
      yield* Effect.sleep("50 millis")
      yield* Deferred.succeed(gate, undefined)
      yield* first.until((elements) => elements.length === 3)
      yield* Effect.timeout(Fiber.join(joined), "2 seconds")
      yield* second.until((elements) => elements.length === 1)
      assert.deepStrictEqual(second.elements.map(Subscriber.brief), [`Subscribed ${keyOfA}`])
      assert.deepInclude(second.elements[0], { server: b.address })
      assert.deepStrictEqual(first.elements.map(Subscriber.brief), [
        `Subscribed ${keyOfA}`,
        `Lost ${keyOfA}`,
        `Restored ${keyOfA}`
      ])
    }))

  inVirtualTime("whose master is gone is not waited for when nobody wants it any more", () =>
    Effect.gen(function*() {
      const { a, b, client, cluster, consume, nodes } = yield* start
      const subscriber = yield* consume(Redis.ssubscribe(keyOfA, { events: true }))
      yield* subscriber.until((elements) => elements.length === 1)
      yield* a.node.stopListening
      yield* a.node.cutAll()
      yield* subscriber.until((elements) => elements.length === 2)
      const before = FakeCluster.readings(cluster)
      yield* until(Effect.sync(() => FakeCluster.readings(cluster)), (readings) => readings > before)
      yield* subscriber.stop
      yield* Effect.sleep("2500 millis")
      const after = FakeCluster.readings(cluster)
      yield* Effect.sleep("1500 millis")
      // A server that is down is looked for every half second, and its failure is a reason to read; without an end of the
      // wait there are 18 readings.
      assert.isAtMost(FakeCluster.readings(cluster) - after, 4)
      // Who wants it again gets it where it is by then.
      FakeCluster.replace(cluster, a, b)
      yield* nodes.refresh
      const subscription = yield* client.pubSub.open({ events: true })
      yield* subscription.ssubscribe(keyOfA)
    }))
})
