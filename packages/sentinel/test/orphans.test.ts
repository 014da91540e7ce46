/**
 * A server that was made the master in a failover that came to nothing: one sentinel alone knew of it, and died. The others
 * choose for themselves, and what such a server has acknowledged until then is lost.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { pass, turns } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

const getK = Redis.get("k")
const setK = Redis.set("k", "v")

const down = "master,s_down,o_down"

const die = ({ node }: Fake.Sentinel) => Effect.andThen(node.stopListening, node.cutAll())

/** Three sentinels that have seen the master go down after failover 3, and a client that has used it. */
const begin = Effect.gen(function*() {
  const { master, replicas: [next, other], sentinels } = yield* Fake.make({ sentinels: 3, replicas: 2 })
  const [leader, second, third] = sentinels
  if (next === undefined || other === undefined || second === undefined || third === undefined) {
    return yield* Effect.die("there are as many")
  }
  for (const sentinel of sentinels) sentinel.master = { port: master.port, epoch: 3 }
  const client = yield* Fake.client(sentinels, { recheckInterval: "1 hour" })
  yield* client.execute(setK)
  for (const sentinel of sentinels) yield* sentinel.node.awaitCommand("SUBSCRIBE", 2)
  yield* turns
  yield* master.node.stopListening
  for (const sentinel of sentinels) sentinel.master = { port: master.port, epoch: 3, flags: down }
  const names = (server: Fake.Data) => `127.0.0.1:${server.port}`
  return { client, leader, master, names, next, other, others: [second, third] as const }
})

/** The leader makes a replica the master, and has not seen yet that it is one. */
const promote = (
  { client, leader, master, next }: Effect.Success<typeof begin>
) =>
  Effect.gen(function*() {
    leader.master = { port: master.port, epoch: 3, flags: `${down},failover_in_progress` }
    yield* Fake.choose(leader, next, master)
    yield* next.node.awaitCommand("ROLE")
    // The first answer may be from before, or from after.
    const promoted = Effect.sync(() => {
      next.role = "master"
    })
    yield* Client.causing(
      client,
      "MasterChanged",
      Effect.andThen(promoted, Effect.andThen(turns, TestClock.adjust("50 millis")))
    )
    yield* client.execute(setK)
  })

describe("A failover that comes to nothing", () => {
  it.effect("the server that was chosen is left at once when the sentinel that chose it dies", () =>
    Effect.gen(function*() {
      const group = yield* begin
      const { client, leader, master, names, next, other, others } = group
      yield* promote(group)
      const left = yield* Client.causing(client, "MasterChanged", die(leader))
      assert.deepStrictEqual([left.previous, left.address], [names(next), names(master)])
      yield* next.node.awaitOpen(0)
      // It still says that it is the master; nobody but a dead sentinel has said so.
      const written = next.node.commands.filter(({ command }) => command.name === "SET").length
      const waiting = yield* Effect.forkChild(Effect.exit(client.execute(setK)))
      yield* turns
      assert.strictEqual(next.node.commands.filter(({ command }) => command.name === "SET").length, written)
      for (const sentinel of others) sentinel.master = { port: other.port, epoch: 5 }
      other.role = "master"
      yield* Client.causing(client, "MasterChanged", Fake.announce(others[0], master, other))
      yield* Fiber.join(waiting)
      yield* client.execute(setK)
      assert.isAbove(other.node.commands.filter(({ command }) => command.name === "SET").length, 0)
    }))

  it.effect("it is left when that sentinel says that it has given up", () =>
    Effect.gen(function*() {
      const group = yield* begin
      const { client, leader, master, names, next } = group
      yield* promote(group)
      leader.master = { port: master.port, epoch: 3, flags: down }
      const left = yield* Client.causing(client, "MasterChanged", TestClock.adjust("100 millis"))
      assert.deepStrictEqual([left.previous, left.address], [names(next), names(master)])
    }))

  it.effect("it is left when that sentinel does not answer for a second, and not before", () =>
    Effect.gen(function*() {
      const group = yield* begin
      const { client, leader, next } = group
      yield* promote(group)
      leader.instead = () => FakeNode.stall()
      yield* pass(500)
      yield* client.execute(setK)
      assert.strictEqual(next.node.connections.open, 1)
      for (let time = 0; time < 1500 && next.node.connections.open > 0; time += 50) yield* pass(50)
      yield* next.node.awaitOpen(0)
    }))

  it.effect("it is not used at all when that sentinel has died before it becomes the master", () =>
    Effect.gen(function*() {
      const { client, leader, master, next } = yield* begin
      leader.master = { port: master.port, epoch: 3, flags: `${down},failover_in_progress` }
      yield* Fake.choose(leader, next, master)
      yield* next.node.awaitCommand("ROLE")
      yield* die(leader)
      yield* turns
      next.role = "master"
      const writing = yield* Effect.forkChild(Effect.exit(client.execute(setK)))
      yield* turns
      yield* TestClock.adjust("50 millis")
      yield* turns
      yield* TestClock.adjust("50 millis")
      yield* turns
      yield* Fiber.interrupt(writing)
      assert.notInclude(Fake.names(next), "SET")
    }))

  it.effect("one that a single sentinel has numbered is left when it dies, and followed again when it comes back", () =>
    Effect.gen(function*() {
      const { client, leader, master, next } = yield* begin
      yield* client.execute(getK)
      next.role = "master"
      leader.master = { port: next.port, epoch: 4 }
      yield* Client.causing(client, "MasterChanged", Fake.announce(leader, master, next))
      yield* client.execute(setK)
      yield* Client.causing(client, "MasterChanged", die(leader))
      yield* next.node.awaitOpen(0)
      yield* leader.node.listen
      yield* Client.causing(client, "MasterChanged", TestClock.adjust("200 millis"))
      yield* client.execute(setK)
    }))

  it.effect("one that others know of by now stays when the first one dies", () =>
    Effect.gen(function*() {
      const { client, leader, master, next, others } = yield* begin
      next.role = "master"
      leader.master = { port: next.port, epoch: 4 }
      yield* Client.causing(client, "MasterChanged", Fake.announce(leader, master, next))
      others[0].master = { port: next.port, epoch: 4 }
      yield* TestClock.adjust("100 millis")
      yield* turns
      yield* die(leader)
      yield* pass(2000)
      yield* client.execute(setK)
      assert.strictEqual(next.node.connections.total, 2)
    }))
})
