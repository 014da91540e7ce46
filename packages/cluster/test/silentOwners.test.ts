/**
 * Shard channels whose slot another server has by now, while their own server says nothing of it: on scripted nodes,
 * and on real ones.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient } from "@redfx/core"
import { NodeRedisConnector, RedisClusterServers } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfC, sibling } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Subscriber from "@redfx/testing/Subscriber"
import { requireCommand } from "@redfx/testing/Suite"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

/** A key of another slot of the first node. */
const another = "f"

const push = (verb: string, channel: string, ...rest: ReadonlyArray<Uint8Array>): Uint8Array =>
  Encode.push([Encode.bulk(verb), Encode.bulk(channel), ...rest])

const confirmation = (verb: string, channel: string): Uint8Array => push(verb, channel, Encode.integer(1))

const message = (channel: string, data: string): Uint8Array => push("smessage", channel, Encode.bulk(data))

/** Confirms subscriptions. */
const confirming: FakeNode.Handler = ({ args: [, ...channels], name }) =>
  name.endsWith("SUBSCRIBE")
    ? Encode.concat(...channels.map((channel) => confirmation(name.toLowerCase(), channel)))
    : undefined

/**
 * What a node knows: the ranges, and the epoch of what it claims itself. `undefined`: it says nothing of epochs. `before`:
 * answers that come before all others.
 */
interface View {
  ranges: ReadonlyArray<FakeCluster.Range>
  epoch: number | undefined
  before: FakeNode.Handler
}

/** Nodes with views of their own. The client reads the topology from the third one unless it has a reason not to. */
const start = Effect.gen(function*() {
  const { a, b, c, cluster } = yield* FakeCluster.make()
  const nodes = [a, b, c]
  const views = new Map(nodes.map((node, index): [FakeCluster.Node, View] => [
    node,
    { ranges: cluster.told, epoch: index + 1, before: () => undefined }
  ]))
  for (const node of nodes) {
    node.instead = (command, connection) => {
      const { before, epoch, ranges } = views.get(node)!
      const first = before(command, connection)
      if (first !== undefined) return first
      if (command.name !== "CLUSTER") return confirming(command, connection)
      if (command.args[1] === "SLOTS") return FakeCluster.slots(ranges)
      return epoch === undefined ? Encode.error("NOPERM") : FakeCluster.info("ok", epoch, epoch)
    }
  }
  const { client, cluster: admin } = yield* FakeCluster.client(cluster, { nodes: [c], followCluster: false })
  yield* admin.refresh
  const provided = Stream.provideService(RedisClient.RedisClient, client)
  return {
    a,
    b,
    c,
    client,
    refresh: admin.refresh,
    view: (node: FakeCluster.Node) => views.get(node)!,
    consume: <A, E>(stream: Stream.Stream<A, E, RedisClient.RedisClient>) => Subscriber.consume(provided(stream)),
    /** Gives the slot of the channel to a node, as these others see it. The node itself knows. */
    give: (owner: FakeCluster.Node, epoch: number | undefined, ...others: ReadonlyArray<FakeCluster.Node>) => {
      cluster.owners.set(FakeCluster.slotOf(keyOfA), owner)
      views.get(owner)!.epoch = epoch
      for (const node of [owner, ...others]) {
        views.get(node)!.ranges = FakeCluster.withOwner(cluster.told, keyOfA, owner)
      }
    }
  }
})

const events = (channels: string | readonly [string, ...Array<string>]) => Redis.ssubscribe(channels, { events: true })

/** What a node was asked for, by name, with the first names of channels. */
const asked = ({ node }: FakeCluster.Node, name: string): ReadonlyArray<string> =>
  node.commands.filter(({ command }) => command.name === name).map(({ args }) => args[1]!)

/** The connection of a node that somebody subscribed on last. */
const connectionOf = ({ node }: FakeCluster.Node): number =>
  node.commands.findLast(({ command }) => command.name === "SSUBSCRIBE")!.connection

const say = (node: FakeCluster.Node, channel: string, data: string) =>
  node.node.push(connectionOf(node), message(channel, data))

/** Waits for some elements. */
const count = (tag: string, many = 1) => (elements: ReadonlyArray<{ readonly _tag: string }>): boolean =>
  elements.filter(({ _tag }) => _tag === tag).length >= many

const oneGap = [`Subscribed ${keyOfA}`, `Lost ${keyOfA}`, `Restored ${keyOfA}`]

describe("A shard channel whose server does not say that another has its slot", () => {
  for (const epoch of [9, undefined]) {
    const title = epoch === undefined ? ", also when servers say nothing of their epochs" : ""
    inVirtualTime(`moves with a gap, and comes from one server at a time${title}`, () =>
      Effect.gen(function*() {
        const { a, b, c, consume, give, refresh, view } = yield* start
        const subscriber = yield* consume(events(keyOfA))
        yield* subscriber.until(count("Subscribed"))
        yield* say(a, keyOfA, "before")
        yield* subscriber.until(count("Message"))
        const gate = yield* Deferred.make<void>()
        view(b).before = (command, connection) =>
          command.name === "SSUBSCRIBE"
            ? [FakeNode.gate(gate), FakeNode.reply(confirming(command, connection) as Uint8Array)]
            : undefined
        give(b, epoch, c)
        yield* refresh
        yield* subscriber.until(count("Lost"))
        yield* b.node.awaitCommand("SSUBSCRIBE")
        yield* say(a, keyOfA, "both")
        yield* Deferred.succeed(gate, undefined)
        yield* subscriber.until(count("Restored"))
        yield* say(a, keyOfA, "old")
        yield* say(b, keyOfA, "both")
        yield* say(b, keyOfA, "new")
        yield* subscriber.until(count("Message", 3))
        assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [
          `Subscribed ${keyOfA}`,
          `${keyOfA}=before`,
          `Lost ${keyOfA}`,
          `Restored ${keyOfA}`,
          `${keyOfA}=both`,
          `${keyOfA}=new`
        ])
        assert.deepInclude(subscriber.elements[2], { reason: "Moved", server: a.address })
        assert.deepInclude(subscriber.elements[3], { server: b.address })
        assert.deepStrictEqual([asked(a, "SUNSUBSCRIBE"), asked(b, "SSUBSCRIBE")], [[keyOfA], [keyOfA]])
      }))
  }

  inVirtualTime(
    "moves as soon as it is confirmed, when it was asked for before the slot moved",
    () =>
      Effect.gen(function*() {
        const { a, b, c, consume, give, refresh, view } = yield* start
        const gate = yield* Deferred.make<void>()
        view(a).before = (command, connection) =>
          command.name === "SSUBSCRIBE"
            ? [FakeNode.gate(gate), FakeNode.reply(confirming(command, connection) as Uint8Array)]
            : undefined
        const subscriber = yield* consume(events(keyOfA))
        yield* a.node.awaitCommand("SSUBSCRIBE")
        give(b, 9, c)
        yield* refresh
        yield* Deferred.succeed(gate, undefined)
        yield* subscriber.until(count("Restored"))
        assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), oneGap)
        assert.deepInclude(subscriber.elements[2], { server: b.address })
      })
  )

  inVirtualTime("has one gap when its server says so after all, whoever is first", () =>
    Effect.gen(function*() {
      const { a, b, c, consume, give, refresh, view } = yield* start
      const subscriber = yield* consume(events([keyOfA, another]))
      yield* subscriber.until(count("Subscribed", 2))
      // As a server that gives the slot up at the moment at which it is asked to unsubscribe.
      view(a).before = ({ name }) =>
        name === "SUNSUBSCRIBE"
          ? Encode.concat(confirmation("sunsubscribe", keyOfA), FakeCluster.moved(keyOfA, b))
          : undefined
      const connection = connectionOf(a)
      give(b, 9, c)
      yield* refresh
      yield* subscriber.until(count("Restored"))
      give(a, 10, b)
      yield* b.node.push(connectionOf(b), confirmation("sunsubscribe", keyOfA))
      yield* refresh
      yield* subscriber.until(count("Restored", 2))
      yield* a.node.push(connection, message(another, "still"))
      yield* subscriber.until(count("Message"))
      yield* Effect.sleep("100 millis")
      assert.deepStrictEqual(subscriber.elements.slice(2).map(Subscriber.brief), [
        ...oneGap.slice(1),
        ...oneGap.slice(1),
        `${another}=still`
      ])
      assert.strictEqual(connectionOf(a), connection)
    }))

  inVirtualTime(
    "stays where it is when a topology is older than what its server knows, and the topology is put right",
    () =>
      Effect.gen(function*() {
        const { a, b, c, client, consume, give, refresh, view } = yield* start
        const old = view(c).ranges
        give(b, 9, c)
        yield* refresh
        const subscriber = yield* consume(events(keyOfA))
        yield* subscriber.until(count("Subscribed"))
        // The third node has not heard of it yet, and the first one is cut off.
        for (let round = 0; round < 3; round++) {
          view(c).ranges = old
          yield* refresh
          yield* Effect.sleep("300 millis")
          // A command of the slot goes to the server of the channel, as the first one would take it.
          assert.strictEqual(yield* client.execute(Redis.get(sibling(keyOfA, round))), `B:${sibling(keyOfA, round)}`)
        }
        yield* say(b, keyOfA, "new")
        yield* subscriber.until(count("Message"))
        assert.deepStrictEqual(subscriber.elements.map(({ _tag }) => _tag), ["Subscribed", "Message"])
        assert.deepStrictEqual([asked(a, "SSUBSCRIBE"), asked(a, "GET")], [[], []])
      })
  )

  inVirtualTime(
    "stays where it is when the server that a topology names says that it has not got the slot",
    () =>
      Effect.gen(function*() {
        const { a, b, c, consume, give, refresh, view } = yield* start
        const old = view(c).ranges
        give(b, 9, a, c)
        yield* refresh
        const subscriber = yield* consume(events(keyOfA))
        yield* subscriber.until(count("Subscribed"))
        // It has got other slots since.
        view(a).epoch = 10
        view(c).ranges = old
        yield* refresh
        yield* Effect.sleep("300 millis")
        assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), oneGap.slice(0, 1))
        assert.deepStrictEqual(asked(a, "SSUBSCRIBE"), [])
      })
  )

  inVirtualTime(
    "is read no faster than its consumer takes it, also where it has moved to",
    () =>
      Effect.gen(function*() {
        const { a, b, c, client, give, refresh } = yield* start
        const subscription = yield* client.pubSub.open({ events: true, buffer: { capacity: 4, onFull: "suspend" } })
        yield* subscription.ssubscribe(keyOfA)
        give(b, 9, c)
        yield* refresh
        yield* a.node.awaitCommand("SUNSUBSCRIBE")
        // It is asked after the confirmation.
        yield* b.node.awaitCommand("ROLE")
        const [data, many] = ["x".repeat(1 << 20), 40]
        for (let index = 0; index < many; index++) yield* say(b, keyOfA, data)
        const { socket } = b.node.connections.all[connectionOf(b)]!
        yield* Effect.sleep("500 millis")
        assert.isAbove(socket.writableLength, data.length * many / 2)
        const subscriber = yield* Subscriber.consume(subscription.messages)
        yield* subscriber.until(count("Message", many))
        assert.strictEqual(socket.writableLength, 0)
      })
  )

  inVirtualTime("goes back when the slot does", () =>
    Effect.gen(function*() {
      const { a, b, c, consume, give, refresh } = yield* start
      const subscriber = yield* consume(events(keyOfA))
      yield* subscriber.until(count("Subscribed"))
      give(b, 9, c)
      yield* refresh
      yield* subscriber.until(count("Restored"))
      give(a, 10, c)
      yield* refresh
      yield* subscriber.until(count("Restored", 2))
      yield* say(b, keyOfA, "old")
      yield* say(a, keyOfA, "new")
      yield* subscriber.until(count("Message"))
      assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [
        ...oneGap,
        ...oneGap.slice(1),
        `${keyOfA}=new`
      ])
      assert.deepStrictEqual(subscriber.elements.slice(1, 5).map((element) => "server" in element && element.server), [
        a.address,
        b.address,
        b.address,
        a.address
      ])
    }))

  inVirtualTime(
    "moves with thousands of others of its slot, and leaves those of other slots alone",
    () =>
      Effect.gen(function*() {
        const { a, b, c, consume, give, refresh } = yield* start
        const channels = Array.from({ length: 5000 }, (_, index) => sibling(keyOfA, index))
        const subscriber = yield* consume(events([keyOfA, ...channels, another, keyOfC]))
        yield* subscriber.until(count("Subscribed", 5003))
        give(b, 9, c)
        yield* refresh
        yield* subscriber.until(count("Restored"))
        yield* say(b, channels.at(-1)!, "new")
        yield* say(a, another, "still")
        yield* subscriber.until(count("Message", 2))
        const [lost, restored, ...rest] = subscriber.elements.slice(5003)
        assert.isTrue(lost?._tag === "Lost" && restored?._tag === "Restored")
        for (const event of [lost, restored]) {
          assert.deepStrictEqual(
            new Set(event?._tag === "Lost" || event?._tag === "Restored" ? event.channels : []),
            new Set([keyOfA, ...channels])
          )
        }
        assert.sameMembers(rest.map(Subscriber.brief), [`${channels.at(-1)}=new`, `${another}=still`])
        assert.strictEqual(asked(a, "SUNSUBSCRIBE").length, 6)
      })
  )

  for (
    const [when, node, name] of [
      ["its servers are asked", "a", "CLUSTER"],
      ["the new server has not confirmed it", "b", "SSUBSCRIBE"]
    ] as const
  ) {
    inVirtualTime(`is given up while ${when}, and may be wanted again`, () =>
      Effect.gen(function*() {
        const { b, c, consume, give, refresh, view, ...others } = yield* start
        const asking = { ...others, b }[node]
        const [subscriber, other] = [yield* consume(events(keyOfA)), yield* consume(events(another))]
        yield* subscriber.until(count("Subscribed"))
        yield* other.until(count("Subscribed"))
        const gate = yield* Deferred.make<void>()
        view(asking).before = (command, connection) =>
          command.name === name
            ? [
              FakeNode.gate(gate),
              FakeNode.reply(confirming(command, connection) as Uint8Array ?? FakeCluster.info("ok", 1, 1))
            ]
            : undefined
        give(b, 9, c)
        const before = asked(asking, name).length
        yield* refresh
        yield* asking.node.awaitCommand(name, before + 1)
        const stopped = yield* Effect.forkChild(subscriber.stop, { startImmediately: true })
        yield* Effect.sleep("50 millis")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(stopped)
        view(asking).before = () => undefined
        const again = yield* consume(events(keyOfA))
        yield* again.until(count("Subscribed"))
        yield* say(b, keyOfA, "new")
        yield* again.until(count("Message"))
        assert.deepStrictEqual(again.elements.map(Subscriber.brief), [`Subscribed ${keyOfA}`, `${keyOfA}=new`])
        assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), oneGap.slice(0, node === "a" ? 1 : 2))
        assert.deepStrictEqual(other.elements.map(Subscriber.brief), [`Subscribed ${another}`])
      }))
  }
})

describe("A shard channel of a master that is cut off from the bus", () => {
  it.live(
    "moves with its slot on real servers, and misses nothing that is not told",
    (context) =>
      Effect.gen(function*() {
        const servers = yield* RedisClusterServers.make({ requireFullCoverage: false, nodeTimeout: "15 seconds" })
        const [a, b, c] = yield* Effect.forEach(servers.nodes, (server) => Client.make(server))
        const send = (node: typeof a, ...words: [string, ...Array<string>]) => node!.execute(Redis.send(...words))
        yield* Client.on(c!)(requireCommand(context, "SSUBSCRIBE"))
        const idOf = (node: typeof a) => Effect.map(send(node, "CLUSTER", "MYID"), String)
        const ids = { a: yield* idOf(a), b: yield* idOf(b), c: yield* idOf(c) }
        const { client, cluster } = yield* Effect.provide(
          RedisCluster.make({ nodes: [servers.addresses[2]!], refreshInterval: "300 millis" }),
          NodeRedisConnector.layer
        )
        yield* cluster.refresh
        const subscriber = yield* Subscriber.consume(
          Stream.provideService(events(keyOfA), RedisClient.RedisClient, client)
        )
        yield* subscriber.until(count("Subscribed"))
        // From now on it listens to nobody, while the others go on naming it as a master.
        for (const id of [ids.b, ids.c]) yield* send(a, "CLUSTER", "FORGET", id)
        const slot = String(FakeCluster.slotOf(keyOfA))
        yield* send(b, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids.a)
        yield* send(b, "CLUSTER", "SETSLOT", slot, "NODE", ids.b)
        yield* subscriber.until(count("Restored"))
        yield* send(b, "SPUBLISH", keyOfA, "new")
        yield* subscriber.until(count("Message"))
        // The old one still takes the slot for its own.
        assert.strictEqual(yield* send(a, "SPUBLISH", keyOfA, "old"), 0)
        assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [...oneGap, `${keyOfA}=new`])
      })
  )
})
