/**
 * What has to stay in order where a client has several shared connections.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisCommand, RedisLock, RedisReply } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const names = Array.from({ length: 12 }, (_, i) => `lock ${i}`)

/** A server that answers SET when it is told to, and takes every script for a release that went well. */
const locking = Effect.gen(function*() {
  const gate = yield* Deferred.make<void>()
  const node = yield* FakeNode.make(({ name }) =>
    name === "SET"
      ? [FakeNode.gate(gate), FakeNode.reply("+OK\r\n")]
      : name.startsWith("EVAL")
      ? ":1\r\n"
      : undefined
  )
  return { node, answer: Deferred.succeed(gate, undefined) }
})

/** The same of one node of a cluster, to which the slot of all locks has moved; and their names. */
const lockingCluster = Effect.gen(function*() {
  const { a, b, cluster } = yield* FakeCluster.make()
  const gate = yield* Deferred.make<void>()
  const own = names.map((name) => FakeCluster.sibling(FakeCluster.keyOfA, name))
  cluster.owners.set(FakeCluster.slotOf(FakeCluster.keyOfA), b)
  a.instead = ({ name }) => name.startsWith("EVAL") ? FakeCluster.moved(FakeCluster.keyOfA, b) : undefined
  b.instead = ({ name }) =>
    name === "SET"
      ? [FakeNode.gate(gate), FakeNode.reply("+OK\r\n")]
      : name.startsWith("EVAL")
      ? ":1\r\n"
      : undefined
  const { client } = yield* FakeCluster.client(cluster, { pool: { shared: 3 } })
  return { client, names: own, node: b.node, answer: Deferred.succeed(gate, undefined) }
})

/** For each lock the connections of its attempt and of what came after it, in order of arrival. */
const ways = (node: FakeNode.FakeNode, locks: ReadonlyArray<string> = names) =>
  locks.map((name) =>
    node.commands.filter(({ args }) => args.includes(name)).map(({ args, connection }) =>
      [args[0], connection] as const
    )
  )

describe("With several shared connections", () => {
  it.live("what undoes an interrupted attempt to take a lock comes behind it, on the same connection", () =>
    Effect.gen(function*() {
      const { answer, node } = yield* locking
      const client = yield* Client.make(node, { pool: { shared: 3 } })
      for (const name of names) {
        const attempt = yield* RedisLock.make(name).acquire.pipe(Client.on(client), Effect.forkChild)
        yield* node.awaitCommand(({ args }) => args[0] === "SET" && args[1] === name)
        yield* Fiber.interrupt(attempt)
      }
      yield* answer
      yield* node.awaitCommand(({ command }) => command.name.startsWith("EVAL"), names.length)
      for (const way of ways(node)) {
        assert.deepStrictEqual(way.map(([name]) => name === "SET"), [true, false])
        assert.strictEqual(way[0]![1], way[1]![1])
      }
      assert.isAbove(new Set(ways(node).map(([first]) => first![1])).size, 1, "locks do not all share one")
    }))

  it.live("in a cluster, too, also when the attempt was redirected", () =>
    Effect.gen(function*() {
      const { answer, client, names: locks, node } = yield* lockingCluster
      for (const name of locks) {
        const attempt = yield* RedisLock.make(name).acquire.pipe(Client.on(client), Effect.forkChild)
        yield* node.awaitCommand(({ args }) => args[0] === "SET" && args[1] === name)
        yield* Fiber.interrupt(attempt)
      }
      yield* answer
      yield* node.awaitCommand(({ command }) => command.name.startsWith("EVAL"), locks.length)
      for (const way of ways(node, locks)) {
        assert.deepStrictEqual(way.map(([name]) => name === "SET"), [true, false])
        assert.strictEqual(way[0]![1], way[1]![1])
      }
      assert.isAbove(new Set(ways(node, locks).map(([first]) => first![1])).size, 1)
    }))

  inVirtualTime(
    "what undoes an attempt that took too long comes behind it, on the same connection",
    () =>
      Effect.gen(function*() {
        const { answer, node } = yield* locking
        const client = yield* Client.make(node, { pool: { shared: 3 }, commandTimeout: "50 millis" })
        yield* Effect.forEach(names, (name) => Effect.flip(RedisLock.make(name).acquire).pipe(Client.on(client)), {
          concurrency: "unbounded"
        })
        yield* answer
        yield* node.awaitCommand(({ command }) => command.name.startsWith("EVAL"), names.length)
        for (const way of ways(node)) assert.strictEqual(new Set(way.map(([, connection]) => connection)).size, 1)
      })
  )

  it.live("an undoing is tried until the server answers", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let cuts = 3
      const node = yield* FakeNode.make(({ name }) =>
        name === "SET"
          ? FakeNode.gate(gate)
          : !name.startsWith("EVAL")
          ? undefined
          : cuts-- > 0
          ? FakeNode.cut()
          : ":1\r\n"
      )
      const client = yield* Client.make(node)
      const attempt = yield* RedisLock.make("l").acquire.pipe(Client.on(client), Effect.forkChild)
      yield* node.awaitCommand("SET")
      yield* Fiber.interrupt(attempt)
      yield* node.cutAll()
      yield* node.awaitCommand(({ command }) => command.name.startsWith("EVAL"), 4)
    }))

  it.live("commands about their own connection are about one and the same", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server, { pool: { shared: 3 } })
      const pings = Effect.forEach([1, 2], () => client.execute(Redis.ping()))
      const ids = new Set<unknown>()
      for (const name of ["a", "b", "c"]) {
        yield* client.execute(Redis.clientSetname(name))
        yield* pings
        assert.strictEqual(yield* client.execute(Redis.clientGetname()), name)
        yield* client.execute(Redis.ping())
        ids.add(yield* client.execute(Redis.clientId())).add(yield* client.execute(Redis.send("CLIENT", "id")))
      }
      assert.strictEqual(ids.size, 1)
    }))

  it.live("definitions that say so keep their order for each key", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "APPEND" ? ":1\r\n" : undefined)
      const client = yield* Client.make(node, { pool: { shared: 3 } })
      const append = RedisCommand.define(
        "APPEND",
        (key: RedisArg.Key) => [RedisArg.key(key), "v"],
        RedisReply.integer,
        "ordered"
      )
      for (const key of ["k", new TextEncoder().encode("k"), "k"]) {
        yield* client.execute(append(key))
        yield* client.execute(Redis.ping())
      }
      const sent = node.commands.filter(({ args }) => args[0] === "APPEND")
      assert.strictEqual(new Set(sent.map(({ connection }) => connection)).size, 1)
    }))
})
