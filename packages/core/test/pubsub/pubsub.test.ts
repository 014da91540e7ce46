/**
 * Subscriptions on a scripted server: what is sent, and what becomes of them when things go wrong.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import type { RedisConfig, RedisError, RedisPubSub } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { brief, consume } from "@redfx/testing/Subscriber"
import { pass } from "@redfx/testing/VirtualTime"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"

/** Out-of-band data, as the protocol of the connection has it. */
const frame = (connection: FakeNode.Connection, ...items: ReadonlyArray<string | number>): Uint8Array => {
  const encoded = items.map((item) => typeof item === "number" ? Encode.integer(item) : Encode.bulk(item))
  return connection.protocol === 3 ? Encode.push(encoded) : Encode.array(encoded)
}

const isSubscription = (name: string) => /^[PS]?(UN)?SUBSCRIBE$/.test(name)

/** Confirms every subscription. */
const confirming: FakeNode.Handler = ({ args, name }, connection) =>
  isSubscription(name)
    ? Encode.concat(...args.slice(1).map((channel, index) => frame(connection, name.toLowerCase(), channel, index + 1)))
    : undefined

/** The subscription commands that came over a connection, or over all. */
const sent = (node: FakeNode.FakeNode, connection?: number) =>
  node.commands.filter((received) =>
    isSubscription(received.command.name) && (connection ?? received.connection) === received.connection
  ).map(({ args }) => args.join(" "))

const publish = (node: FakeNode.FakeNode, connection: number, channel: string, ...messages: ReadonlyArray<string>) =>
  node.push(
    connection,
    Encode.concat(...messages.map((message) => frame(node.connections.all[connection]!, "message", channel, message)))
  )

const start = Effect.fnUntraced(function*(
  handler: FakeNode.Handler = confirming,
  options: RedisConfig.ConnectionOptions = {}
) {
  const node = yield* FakeNode.make(handler)
  const client = yield* Client.make(node, options)
  const provide = Effect.provideContext(Context.make(RedisClient.RedisClient, client))
  /** Consumes a subscription. */
  const subscribe = <A, E>(
    stream: Stream.Stream<A, E, RedisClient.RedisClient>,
    pace?: (element: A) => Effect.Effect<unknown>
  ) => consume(Stream.provideService(stream, RedisClient.RedisClient, client), pace)
  const handle = <const O extends RedisPubSub.Options = {}>(options?: O) =>
    Effect.provideService(Redis.pubsub(options), RedisClient.RedisClient, client)
  return { node, client, provide, subscribe, handle }
})

const events = { events: true } as const

for (const protocol of [2, 3] as const) {
  describe(`Subscriptions, RESP${protocol}`, () => {
    const begin = (handler?: FakeNode.Handler, options?: RedisConfig.ConnectionOptions) =>
      start(handler, { protocol, ...options })

    it.effect("all subscriptions share a connection: the first subscribes, the last unsubscribes, and it is closed", () =>
      Effect.gen(function*() {
        const { client, node, subscribe } = yield* begin()
        const first = yield* subscribe(Redis.subscribe("a", events))
        yield* first.until((elements) => elements.length === 1)
        const second = yield* subscribe(Redis.subscribe(["a", "b"], events))
        yield* second.until((elements) => elements.length === 2)
        assert.deepStrictEqual(sent(node), ["SUBSCRIBE a", "SUBSCRIBE b"])
        yield* publish(node, 0, "a", "1")
        for (const each of [first, second]) yield* each.until((elements) => elements.map(brief).includes("a=1"))
        yield* first.stop
        yield* publish(node, 0, "a", "2")
        yield* second.until((elements) => elements.map(brief).includes("a=2"))
        assert.deepStrictEqual(sent(node), ["SUBSCRIBE a", "SUBSCRIBE b"])
        yield* second.stop
        yield* node.awaitCommand("UNSUBSCRIBE")
        assert.deepStrictEqual(sent(node).slice(2), ["UNSUBSCRIBE a b"])
        // Within a second it is there for who subscribes again.
        const third = yield* subscribe(Redis.subscribe("c", events))
        yield* third.until((elements) => elements.length === 1)
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual([node.connections.total, node.connections.open], [1, 1])
        yield* third.stop
        yield* Client.causing(client, "Disconnected", TestClock.adjust("1 second"))
        yield* node.awaitOpen(0)
      }))

    it.live("a message after a loss comes after what restores the subscription, and one cut in the middle never", () =>
      Effect.gen(function*() {
        const { node, subscribe } = yield* begin((command, connection) => {
          const reply = confirming(command, connection) as Uint8Array | undefined
          // The first message is in the same packet as the confirmation.
          return reply !== undefined && connection.index > 0 && command.name === "SUBSCRIBE"
            ? Encode.concat(reply, frame(connection, "message", "a", "after"))
            : reply
        })
        const stream = yield* subscribe(Redis.subscribe(["a", "b"], events))
        yield* stream.until((elements) => elements.length === 2)
        yield* publish(node, 0, "a", "before")
        const half = frame(node.connections.all[0]!, "message", "a", "half of a message")
        yield* node.push(0, half.subarray(0, half.length - 9))
        yield* node.cut(0)
        yield* stream.until((elements) => elements.map(brief).includes("a=after"))
        assert.deepStrictEqual(stream.elements.map(brief), [
          "Subscribed a",
          "Subscribed b",
          "a=before",
          "Lost a,b",
          "Restored a,b",
          "a=after"
        ])
        assert.deepStrictEqual(sent(node, 1), ["SUBSCRIBE a b"])
      }))

    it.live("messages before bytes that are no RESP are yielded, also when nothing comes after", () =>
      Effect.gen(function*() {
        const { node, subscribe } = yield* begin()
        const witness = yield* subscribe(Redis.subscribe("a", events))
        const stream = yield* subscribe(Redis.subscribe("a"))
        yield* witness.until((elements) => elements.length === 1)
        yield* node.stopListening
        yield* node.push(0, Encode.concat(frame(node.connections.all[0]!, "message", "a", "1"), Encode.raw("what\r\n")))
        yield* stream.until((elements) => elements.length === 1)
        yield* witness.until((elements) => elements.length === 3)
        const lost = witness.elements[2]!
        assert.strictEqual(lost._tag === "Lost" && lost.error?._tag, "ProtocolError")
      }))

    it.live("a server that is away for long is a gap, however often it is dialled", () =>
      Effect.gen(function*() {
        const { client, node, subscribe } = yield* begin()
        const stream = yield* subscribe(Redis.psubscribe("p*", events))
        yield* stream.until((elements) => elements.length === 1)
        yield* node.stopListening
        yield* Client.causing(client, "ConnectFailed", node.cutAll())
        // Who subscribes now learns of the failure; who has subscribed does not.
        const refused = yield* Effect.flip(Stream.runDrain(Redis.subscribe("new"))).pipe(
          Effect.provideService(RedisClient.RedisClient, client)
        )
        const { command, reason } = Client.expectTag(refused, "ConnectionError")
        assert.deepStrictEqual({ command, reason }, { command: "SUBSCRIBE", reason: "Refused" })
        yield* node.listen
        yield* stream.until((elements) => elements.length === 3)
        assert.deepStrictEqual(stream.elements.map(brief), ["Subscribed p*", "Lost p*", "Restored p*"])
        assert.deepStrictEqual(sent(node, 1), ["PSUBSCRIBE p*"])
      }))

    it.live("a refused subscription fails with what the server says, and leaves nothing behind", () =>
      Effect.gen(function*() {
        const { client, node, subscribe } = yield* begin((command, connection) =>
          command.args.includes("secret")
            ? Encode.error("NOPERM No permissions to access a channel")
            : confirming(command, connection)
        )
        const fine = yield* subscribe(Redis.subscribe("a", events))
        yield* fine.until((elements) => elements.length === 1)
        const error = yield* Effect.flip(Stream.runDrain(Redis.subscribe(["b", "secret"]))).pipe(
          Effect.provideService(RedisClient.RedisClient, client)
        )
        assert.strictEqual(Client.expectTag(error, "NoPermissionError").command, "SUBSCRIBE")
        yield* node.awaitCommand("UNSUBSCRIBE")
        assert.deepStrictEqual(sent(node), [
          "SUBSCRIBE a",
          "SUBSCRIBE b secret",
          "SUBSCRIBE b",
          "SUBSCRIBE secret",
          "UNSUBSCRIBE b"
        ])
        yield* publish(node, 0, "a", "1")
        yield* fine.until((elements) => elements.map(brief).includes("a=1"))
      }))

    it.live("a subscription that is refused after a loss fails, and the others go on", () =>
      Effect.gen(function*() {
        const { node, subscribe } = yield* begin((command, connection) =>
          connection.index > 0 && command.args.includes("secret")
            ? Encode.error("NOPERM No permissions to access a channel")
            : confirming(command, connection)
        )
        const fine = yield* subscribe(Redis.subscribe("a", events))
        const doomed = yield* subscribe(Redis.subscribe(["b", "secret"], events))
        yield* fine.until((elements) => elements.length === 1)
        yield* doomed.until((elements) => elements.length === 2)
        yield* node.cut(0, "reset")
        assert.strictEqual((yield* Effect.flip(doomed.end))._tag, "NoPermissionError")
        yield* fine.until((elements) => elements.length === 3)
        yield* publish(node, 1, "a", "1")
        yield* fine.until((elements) => elements.length === 4)
        assert.deepStrictEqual(fine.elements.map(brief), ["Subscribed a", "Lost a", "Restored a", "a=1"])
        yield* node.awaitCommand("UNSUBSCRIBE")
        assert.deepStrictEqual(sent(node, 1).at(-1), "UNSUBSCRIBE b")
        const alone = yield* subscribe(Redis.subscribe("later", events))
        yield* alone.until((elements) => elements.length === 1)
        node.setHandler((command, connection) =>
          command.args.includes("later") ? Encode.error("NOPERM No permissions") : confirming(command, connection)
        )
        yield* node.cut(1, "reset")
        assert.strictEqual((yield* Effect.flip(alone.end))._tag, "NoPermissionError")
        for (const { elements } of [doomed, alone]) {
          assert.notInclude(elements.map(({ _tag }) => _tag), "Restored", "it does not hear everything again")
        }
      }))

    it.live("PUB-14: a shard channel that the server gives up is subscribed to again", () =>
      Effect.gen(function*() {
        const { node, subscribe } = yield* begin()
        const stream = yield* subscribe(Redis.ssubscribe("s", events))
        yield* stream.until((elements) => elements.length === 1)
        yield* node.push(0, frame(node.connections.all[0]!, "sunsubscribe", "s", 0))
        yield* stream.until((elements) => elements.length === 3)
        const lost = stream.elements[1]!
        assert.deepStrictEqual(lost._tag === "Lost" && lost.reason, "Moved")
        assert.deepStrictEqual(stream.elements.map(brief), ["Subscribed s", "Lost s", "Restored s"])
        assert.deepStrictEqual(sent(node), ["SSUBSCRIBE s", "SSUBSCRIBE s"])
      }))

    it.live("PUB-02, PUB-03, PUB-06, PUB-12: a handle adds and removes, each when confirmed, and ends with the last", () =>
      Effect.gen(function*() {
        const { handle, node } = yield* begin()
        const subscription = yield* handle(events)
        const { psubscribe, punsubscribe, ssubscribe, subscribe, subscribed, sunsubscribe, unsubscribe } = subscription
        assert.isFalse(yield* subscribed)
        assert.strictEqual(node.connections.total, 0)
        const stream = yield* consume(subscription.messages)
        yield* subscribe("a", "b")
        yield* psubscribe(["p*"])
        yield* ssubscribe("s")
        yield* subscribe("a")
        assert.isTrue(yield* subscribed)
        yield* unsubscribe("b", "never")
        assert.deepStrictEqual(sent(node), ["SUBSCRIBE a b", "PSUBSCRIBE p*", "SSUBSCRIBE s", "UNSUBSCRIBE b"])
        yield* publish(node, 0, "b", "no")
        yield* publish(node, 0, "a", "yes")
        yield* stream.until((elements) => elements.map(brief).includes("a=yes"))
        yield* unsubscribe()
        yield* punsubscribe()
        assert.isTrue(yield* subscribed)
        yield* sunsubscribe()
        assert.isFalse(yield* subscribed)
        yield* stream.end
        assert.deepStrictEqual(stream.elements.map(brief), [
          "Subscribed a",
          "Subscribed b",
          "Subscribed p*",
          "Subscribed s",
          "a=yes"
        ])
        yield* subscribe("c")
        const again = yield* consume(subscription.messages)
        yield* publish(node, 0, "c", "1")
        yield* again.until((elements) => elements.map(brief).includes("c=1"))
      }))

    /** Answers every PING but those that come while it is mute. */
    const muting = () => {
      const state = { mute: false, owed: 0 }
      const handler: FakeNode.Handler = (command, connection) => {
        if (command.name !== "PING" || !state.mute) return confirming(command, connection)
        state.owed++
        return []
      }
      return { handler, state }
    }
    const pong = (connection: FakeNode.Connection) =>
      connection.protocol === 3 ? Encode.simple("PONG") : Encode.array([Encode.bulk("pong"), Encode.bulk("")])
    const lossIn = (element: RedisPubSub.Event | RedisPubSub.Message | undefined) =>
      element?._tag === "Lost" && element.error?._tag === "ConnectionError" ? element.error.reason : undefined

    it.effect("a server that stops is told of within two seconds, though nobody sends anything; one that is busy is not", () =>
      Effect.gen(function*() {
        const { handler, state } = muting()
        const { node, subscribe } = yield* begin(handler)
        const stream = yield* subscribe(Redis.subscribe(["a", "b"], events))
        yield* stream.until((elements) => elements.length === 2)
        /** Stops the server where it has just said something. */
        const stop = Effect.gen(function*() {
          yield* publish(node, 0, "a", "x")
          const { length } = stream.elements
          yield* stream.until((elements) => elements.length > length)
          state.mute = true
        })
        yield* stop
        yield* pass(1250)
        state.mute = false
        assert.isAbove(state.owed, 0)
        const resumed = pong(node.connections.all[0]!)
        yield* node.push(0, resumed)
        // What is usual is forgotten by and by.
        yield* pass(20_000)
        assert.deepStrictEqual(stream.elements.slice(2).map(brief), ["a=x"])
        yield* stop
        const { length } = stream.elements
        yield* pass(2000)
        assert.deepStrictEqual(stream.elements.slice(length).map(lossIn), ["HealthCheck"])
        // It was busy after all: what was published meanwhile is there, over the same connection.
        state.mute = false
        yield* publish(node, 0, "b", "late")
        yield* node.push(0, pong(node.connections.all[0]!))
        yield* pass(1000)
        assert.deepStrictEqual(stream.elements.slice(length + 1).map(brief), ["b=late", "Restored a,b"])
        assert.strictEqual(node.connections.total, 1)
        assert.deepStrictEqual(sent(node), ["SUBSCRIBE a b"])
      }))

    it.effect("CFG-26: one that says nothing more is replaced; its loss is told once", () =>
      Effect.gen(function*() {
        const { handler, state } = muting()
        const { node, subscribe } = yield* begin(handler, {
          healthCheckInterval: "10 seconds",
          livenessTimeout: "1 hour",
          connectTimeout: "2 seconds"
        })
        const stream = yield* subscribe(Redis.subscribe("a", events))
        yield* stream.until((elements) => elements.length === 1)
        state.mute = true
        yield* pass(9000)
        assert.deepStrictEqual(stream.elements.slice(1).map(lossIn), ["HealthCheck"])
        assert.strictEqual(node.connections.total, 1)
        yield* pass(4000)
        yield* stream.until((elements) => elements.length === 3)
        assert.strictEqual(brief(stream.elements[2]!), "Restored a")
        assert.strictEqual(node.connections.total, 2)
      }))

    it.effect("an idle connection costs a PING every 750 ms, and stays", () =>
      Effect.gen(function*() {
        const { node, subscribe } = yield* begin()
        const stream = yield* subscribe(Redis.subscribe("a", events))
        yield* stream.until((elements) => elements.length === 1)
        yield* pass(60_000)
        const pings = node.commands.filter(({ command }) => command.name === "PING").length
        assert.isAtLeast(pings, 40)
        assert.isAtMost(pings, 80)
        assert.strictEqual(stream.elements.length, 1)
        assert.strictEqual(node.connections.total, 1)
      }))

    it.effect("a confirmation that does not come within commandTimeout fails the subscription", () =>
      Effect.gen(function*() {
        const { node, subscribe } = yield* begin(({ name }) => name === "SUBSCRIBE" ? [] : undefined, {
          commandTimeout: "3 seconds"
        })
        const stream = yield* subscribe(Redis.subscribe("a"))
        yield* node.awaitCommand("SUBSCRIBE")
        yield* TestClock.adjust("3 seconds")
        const error = Client.expectTag(yield* Effect.flip(stream.end), "TimeoutError")
        assert.deepInclude(error, { command: "SUBSCRIBE", milliseconds: 3000 })
        yield* node.awaitCommand("UNSUBSCRIBE")
      }))

    it.live("closing the client ends subscriptions, those under way too, and leaves nothing open", () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make((command, connection) =>
          command.args.includes("slow") ? [] : confirming(command, connection)
        )
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(Client.make(node, { protocol }), scope)
        const run = <A, E>(stream: Stream.Stream<A, E, RedisClient.RedisClient>) =>
          consume(Stream.provideService(stream, RedisClient.RedisClient, client))
        const streams = [
          yield* run(Redis.subscribe("a", events)),
          yield* run(Redis.subscribe("b", { events: true, buffer: { onFull: "suspend" } }))
        ]
        for (const stream of streams) yield* stream.until((elements) => elements.length === 1)
        streams.push(yield* run(Redis.subscribe("slow", events)))
        yield* node.awaitCommand(({ args }) => args.includes("slow"))
        assert.strictEqual(node.connections.open, 2)
        yield* Scope.close(scope, Exit.void)
        const late = yield* run(Redis.subscribe("late"))
        for (const stream of [...streams, late]) {
          const error = Client.expectTag(yield* Effect.flip(stream.end), "ConnectionError")
          assert.strictEqual(error.reason, "ClientClosed")
        }
        yield* node.awaitOpen(0)
      }))

    it.live("PUB-11: a ping goes over the connection of the messages", () =>
      Effect.gen(function*() {
        const { handle, node } = yield* begin(({ args, name }, connection) =>
          name === "PING" && protocol === 2
            ? frame(connection, "pong", args[1] ?? "")
            : confirming({ args, name } as FakeNode.Command, connection)
        )
        const subscription = yield* handle()
        yield* subscription.subscribe("a")
        assert.strictEqual(yield* subscription.ping(), "PONG")
        assert.strictEqual(yield* subscription.ping("are you there"), "are you there")
        assert.deepStrictEqual(
          node.commands.filter(({ command }) => command.name === "PING").map(({ connection }) => connection),
          [0, 0]
        )
      }))
  })
}

describe("Subscriptions", () => {
  it.live(
    "suspend: reading stops while there is no room, for this subscription alone, and nothing is missing",
    () =>
      Effect.gen(function*() {
        const { node, subscribe } = yield* start()
        const gate = yield* Deferred.make<void>()
        const slow = yield* subscribe(
          Redis.subscribe("a", { events: true, buffer: { capacity: 10, onFull: "suspend" } }),
          (element) => element._tag === "Message" ? Deferred.await(gate) : Effect.void
        )
        yield* slow.until((elements) => elements.length === 1)
        const fast = yield* subscribe(Redis.subscribe("a", events))
        yield* fast.until((elements) => elements.length === 1)
        assert.strictEqual(node.connections.open, 2)
        const count = 50_000
        const padding = "x".repeat(1000)
        yield* publish(node, 0, "a", ...Array.from({ length: count }, (_, index) => `${index} ${padding}`))
        yield* publish(node, 1, "a", "quick")
        yield* fast.until((elements) => elements.length === 2)
        // The server cannot get rid of what it has written: the rest waits there, however often it is looked at.
        const socket = node.connections.all[0]!.socket
        const waiting = yield* settled(() => socket.writableLength)
        assert.isAbove(waiting, 10 * 1024 * 1024)
        yield* Deferred.succeed(gate, undefined)
        yield* slow.until((elements) => elements.length === count + 1)
        assert.deepStrictEqual(
          slow.elements.slice(1).map((element) => element._tag === "Message" && Number(element.data.split(" ")[0])),
          Array.from({ length: count }, (_, index) => index)
        )
      })
  )

  it.live("suspend: a handle can unsubscribe while there is no room", () =>
    Effect.gen(function*() {
      const { handle, node } = yield* start()
      const subscription = yield* handle({ buffer: { capacity: 2, onFull: "suspend" } })
      yield* subscription.subscribe("a", "b")
      yield* publish(node, 0, "a", ...Array.from({ length: 10_000 }, (_, index) => `${index} ${"x".repeat(1000)}`))
      yield* settled(() => node.connections.all[0]!.socket.writableLength)
      yield* subscription.unsubscribe("a")
      assert.deepStrictEqual(sent(node), ["SUBSCRIBE a b", "UNSUBSCRIBE a"])
    }))

  it.live("fail: a consumer that does not keep up gets what was kept, and an error", () =>
    Effect.gen(function*() {
      const { node, subscribe } = yield* start()
      const gate = yield* Deferred.make<void>()
      const slow = yield* subscribe(
        Redis.subscribe("a", { buffer: { capacity: 3 } }),
        () => Deferred.await(gate)
      )
      const witness = yield* subscribe(Redis.subscribe("a", events))
      yield* witness.until((elements) => elements.length === 1)
      yield* publish(node, 0, "a", "0")
      yield* slow.until((elements) => elements.length === 1)
      yield* publish(node, 0, "a", "1", "2", "3", "4", "5")
      yield* witness.until((elements) => elements.length === 7)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(Client.expectTag(yield* Effect.flip(slow.end), "PubSubOverflowError").capacity, 3)
      assert.deepStrictEqual(slow.elements.map(brief), ["a=0", "a=1", "a=2", "a=3"])
    }))

  for (
    const { expected, onFull } of [
      { onFull: "dropOldest" as const, expected: ["a=0", "Lost a", "Restored a", "a=3", "a=4"] },
      { onFull: "dropNewest" as const, expected: ["a=0", "a=1", "a=2", "Lost a", "Restored a"] }
    ]
  ) {
    it.live(`${onFull}: a consumer that does not keep up sees where messages are missing, and how many`, () =>
      Effect.gen(function*() {
        const { node, subscribe } = yield* start()
        const gate = yield* Deferred.make<void>()
        const slow = yield* subscribe(
          Redis.subscribe("a", { events: true, buffer: { capacity: 2, onFull } }),
          (element) => element._tag === "Message" ? Deferred.await(gate) : Effect.void
        )
        const witness = yield* subscribe(Redis.subscribe("a", events))
        yield* witness.until((elements) => elements.length === 1)
        yield* publish(node, 0, "a", "0")
        yield* slow.until((elements) => elements.length === 2)
        yield* publish(node, 0, "a", "1", "2", "3", "4")
        yield* witness.until((elements) => elements.length === 6)
        yield* Deferred.succeed(gate, undefined)
        yield* slow.until((elements) => elements.length === 6)
        assert.deepStrictEqual(slow.elements.slice(1).map(brief), expected)
        const lost = slow.elements.find((element) => element._tag === "Lost")
        assert.deepInclude(lost, { reason: "Overflow", dropped: 2 })
      }))
  }

  it.live("who is interrupted before the connection is open leaves no subscription", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { node, subscribe } = yield* start((command, connection) =>
        command.name === "HELLO" ? undefined : command.name === "CLIENT" ?
          [FakeNode.gate(gate), FakeNode.reply(Encode.ok)]
          : confirming(command, connection)
      )
      const gone = yield* subscribe(Redis.subscribe("gone"))
      yield* node.awaitCommand("CLIENT")
      yield* gone.stop
      const stays = yield* subscribe(Redis.subscribe("stays", events))
      yield* Deferred.succeed(gate, undefined)
      yield* stays.until((elements) => elements.length === 1)
      assert.deepStrictEqual(sent(node), ["SUBSCRIBE stays"])
    }))

  it.effect("what cannot be is refused before anything is opened", () =>
    Effect.gen(function*() {
      const { client, node } = yield* start()
      const refused: ReadonlyArray<Stream.Stream<unknown, RedisError.RedisError, RedisClient.RedisClient>> = [
        Redis.subscribe([]),
        // Other clients take listeners, which would be left out in silence.
        Redis.subscribe("a", (() => assert.fail("a listener was called")) as never),
        Redis.psubscribe("a", (() => assert.fail("a listener was called")) as never),
        Redis.subscribe("a", { buffer: { capacity: 0 } }),
        Redis.subscribe("a", { buffer: { capacity: 1.5 } }),
        Redis.subscribe("a", { buffer: { capacityBytes: 0 } }),
        Redis.subscribe("a", { buffer: { capacityBytes: Infinity } }),
        // These belong into `buffer`, and come from programs without types.
        Redis.subscribe("a", { events: true, onFull: "suspend" as never }),
        Redis.subscribe("a", { capacityBytes: 10 as never }),
        Redis.keyspaceEvents({ match: "k:*", capacity: 10 as never })
      ]
      for (const stream of refused) {
        const error = yield* Effect.flip(
          Stream.runDrain(Stream.provideService(stream, RedisClient.RedisClient, client))
        )
        assert.strictEqual(error._tag, "DataError")
      }
      assert.strictEqual(node.connections.total, 0)
    }))

  it.live("a pattern of keys may be as long as any argument", () =>
    Effect.gen(function*() {
      const { node, subscribe } = yield* start()
      yield* subscribe(Redis.keyspaceEvents({ match: new Uint8Array(200_000).fill(97) }))
      yield* node.awaitCommand("PSUBSCRIBE")
      assert.deepStrictEqual(sent(node), [`PSUBSCRIBE __keyspace@0__:${"a".repeat(200_000)}`])
    }))

  it.live("PUB-13: commands have a connection of their own, and go on when that of the messages is lost", () =>
    Effect.gen(function*() {
      const { client, node, subscribe } = yield* start((command, connection) =>
        command.name === "GET" ? Encode.bulk("v") : confirming(command, connection)
      )
      const stream = yield* subscribe(Redis.subscribe("a", events))
      yield* stream.until((elements) => elements.length === 1)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "v")
      const pending = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 100 }), () => client.execute(Redis.get("k")))
      )
      yield* node.cut(0, "reset")
      yield* stream.until((elements) => elements.length === 3)
      assert.strictEqual((yield* Fiber.join(pending)).length, 100)
    }))
})

/** The value when it is the same for a while: many turns of the event loop. */
const settled = (read: () => number): Effect.Effect<number> =>
  Effect.promise(async () => {
    let value = read()
    for (let same = 0; same < 50;) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      const next = read()
      same = next === value ? same + 1 : 0
      value = next
    }
    return value
  })
