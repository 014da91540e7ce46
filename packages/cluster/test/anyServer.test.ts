/**
 * Subscriptions that any server of the cluster will do for: when they stay with theirs, and what they are told when they go to
 * another one.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Subscriber from "@redfx/testing/Subscriber"
import { delay, inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

const message = (data: string): Uint8Array =>
  Encode.push([Encode.bulk("message"), Encode.bulk("news"), Encode.bulk(data)])

const confirmed = Encode.push([Encode.bulk("subscribe"), Encode.bulk("news"), Encode.integer(1)])

const confirming: FakeNode.Handler = ({ name }) => name === "SUBSCRIBE" ? confirmed : undefined

const isAsking = ({ args }: { readonly args: ReadonlyArray<string> }) => args.join(" ") === "CLUSTER NODES"

/** A subscription on one of three masters, of which another takes the place. */
const start = Effect.gen(function*() {
  const { a, b, c, cluster } = yield* FakeCluster.make()
  const all = [a, b, c]
  for (const node of all) node.instead = confirming
  const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { nodes: [a], refreshInterval: "1 hour" })
  yield* nodes.refresh
  const subscriber = yield* Subscriber.consume(
    Stream.provideService(Redis.subscribe("news", { events: true }), RedisClient.RedisClient, client)
  )
  yield* subscriber.until((elements) => elements.length === 1)
  const received = ({ node }: FakeCluster.Node) => node.commands.findLast(({ command }) => command.name === "SUBSCRIBE")
  // It is subscribed to on one of them.
  const served = all.find((node) => received(node) !== undefined)!
  const { connection } = received(served)!
  const others = all.filter((node) => node !== served)
  return {
    client,
    cluster,
    connection,
    nodes,
    served,
    others,
    subscriber,
    elements: () => subscriber.elements.map(Subscriber.brief),
    push: (data: string) => served.node.push(connection, message(data)),
    cut: served.node.cut(connection),
    /** A write that the server never answers. It counts as down meanwhile, as it answers no PING behind the write. */
    writeInVain: Effect.gen(function*() {
      const key = FakeCluster.keys[all.indexOf(served)]!
      const late = yield* Effect.forkChild(Effect.exit(client.execute(Redis.set(key, "v"))), { startImmediately: true })
      yield* Effect.sleep("4 seconds")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(late)))
    }),
    asked: () => others.flatMap(({ node }) => node.commands.filter(({ command }) => isAsking(command))).length,
    /** The next master has the slots of the server, which CLUSTER SLOTS leaves out. */
    leaveOut: Effect.suspend(() => {
      FakeCluster.replace(cluster, served, others[0]!)
      return nodes.refresh
    })
  }
})

describe("A subscription on any server", () => {
  inVirtualTime(
    "stays with a server that the topology leaves out, as long as the cluster knows it",
    () =>
      Effect.gen(function*() {
        const { asked, cluster, elements, leaveOut, nodes, push, served, subscriber } = yield* start
        cluster.hidden = [served]
        const before = served.node.connections.total
        yield* leaveOut
        yield* Effect.replicateEffect(nodes.refresh, 3)
        // However often the topology is read, it is asked once a second.
        assert.strictEqual(asked(), 1)
        assert.isAtMost(served.node.connections.total - before, 1)
        yield* Effect.sleep("1 second")
        yield* push("1")
        yield* subscriber.until((elements) => elements.length > 1)
        assert.deepStrictEqual(elements(), ["Subscribed news", "news=1"])
        // It is asked for as long as the topology leaves it out.
        cluster.hidden = []
        yield* nodes.refresh
        yield* subscriber.until((elements) => elements.length === 4)
        assert.strictEqual(asked(), 3)
        assert.deepStrictEqual(elements().slice(2), ["Lost news", "Restored news"])
        assert.deepInclude(subscriber.elements[2], { reason: "Disconnected" })
      })
  )

  for (
    const [what, answer] of [
      ["does not know it", undefined],
      ["holds it for failed", (id: string) => Encode.bulk(`${id} 127.0.0.1:1@2 master,fail - 0 0 1 disconnected\n`)],
      ["does not reach it", (id: string) => Encode.bulk(`${id} 127.0.0.1:1@2 master,fail? - 0 0 1 disconnected\n`)],
      ["may not tell", () => Encode.error("NOPERM User default has no permissions to run the 'cluster|nodes' command")]
    ] as const
  ) {
    inVirtualTime(
      `leaves a server that the topology leaves out, when the one that is asked ${what}`,
      () =>
        Effect.gen(function*() {
          const { asked, elements, leaveOut, others, served, subscriber } = yield* start
          for (const node of others) {
            node.instead = (command, connection) =>
              isAsking(command) && answer !== undefined ? answer(`id-${served.name}`) : confirming(command, connection)
          }
          yield* leaveOut
          yield* subscriber.until((elements) => elements.length === 3)
          assert.strictEqual(asked(), 1)
          assert.deepStrictEqual(elements(), ["Subscribed news", "Lost news", "Restored news"])
        })
    )
  }

  inVirtualTime(
    "leaves a server that the topology leaves out, when that one has forgotten the others",
    () =>
      Effect.gen(function*() {
        const { asked, cluster, elements, leaveOut, served, subscriber } = yield* start
        cluster.hidden = [served]
        served.instead = (command, connection) =>
          isAsking(command)
            ? Encode.bulk(`id-${served.name} ${served.host}:${served.port}@1 myself,master - 0 0 1 connected\n`)
            : confirming(command, connection)
        yield* leaveOut
        yield* subscriber.until((elements) => elements.length === 3)
        assert.strictEqual(asked(), 1)
        assert.deepStrictEqual(elements(), ["Subscribed news", "Lost news", "Restored news"])
      })
  )

  inVirtualTime(
    "stays with a server that answers there, although it answers nothing behind a write",
    () =>
      Effect.gen(function*() {
        const { elements, push, served, subscriber, writeInVain } = yield* start
        served.instead = ({ name }) => name === "SET" ? FakeNode.stall() : undefined
        yield* writeInVain
        yield* push("1")
        yield* subscriber.until((elements) => elements.length > 1)
        assert.deepStrictEqual(elements(), ["Subscribed news", "news=1"])
        // It may hang altogether later.
        served.instead = () => FakeNode.stall()
        yield* subscriber.until((elements) => elements.length === 4)
        assert.deepStrictEqual(elements().slice(2), ["Lost news", "Restored news"])
      })
  )

  inVirtualTime(
    "stays with a server far away while that one has yet to answer a PING of half a second ago",
    () =>
      Effect.gen(function*() {
        const { connection, elements, push, served, subscriber, writeInVain } = yield* start
        const far = (yield* delay)("400 millis")
        served.instead = ({ name }, { index }) =>
          name === "SET"
            ? FakeNode.stall()
            : name === "PING" && index === connection
            ? [far, FakeNode.reply(Encode.simple("PONG"))]
            : undefined
        // That PING goes out each second; the server is found to hang 2.1 seconds after one.
        yield* served.node.awaitCommand("PING")
        yield* Effect.sleep("600 millis")
        yield* writeInVain
        yield* push("1")
        yield* subscriber.until((elements) => elements.length > 1)
        assert.deepStrictEqual(elements(), ["Subscribed news", "news=1"])
      })
  )

  inVirtualTime("goes to another server once a dial has found its own to be down", () =>
    Effect.gen(function*() {
      const { elements, served, subscriber } = yield* start
      yield* served.node.stopListening
      yield* served.node.cutAll()
      yield* subscriber.until((elements) => elements.length > 2)
      assert.deepStrictEqual(elements(), ["Subscribed news", "Lost news", "Restored news"])
      // The first of the servers that are not known to be down is chosen each time.
    }).pipe(Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0, nextIntUnsafe: () => 0 })))

  inVirtualTime(
    "is told again only after a Lost, by another server that gets messages later",
    () =>
      Effect.gen(function*() {
        const { cut, elements, others, push, served, subscriber } = yield* start
        yield* push("1")
        yield* push("2")
        yield* subscriber.until((elements) => elements.length === 3)
        for (const node of others) {
          node.instead = ({ name }) =>
            name === "SUBSCRIBE" ? Encode.concat(confirmed, message("2"), message("3")) : undefined
        }
        yield* served.node.stopListening
        yield* cut
        yield* subscriber.until((elements) => elements.length === 7)
        assert.deepStrictEqual(elements(), [
          "Subscribed news",
          "news=1",
          "news=2",
          "Lost news",
          "Restored news",
          "news=2",
          "news=3"
        ])
      })
  )
})
