/**
 * The way back to replicas from the master, which stands in for them while there is none.
 */
import { assert, describe } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const getK = Redis.get("k")

/** A deployment whose only replica is not there, and a client that reads from the master instead. */
const standingIn = Effect.fnUntraced(function*(options: Parameters<typeof Fake.client>[1]) {
  const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
  if (replica === undefined) return yield* Effect.die(new Error("there is one"))
  yield* replica.node.stopListening
  const client = yield* Fake.client([sentinel], { recheckInterval: "1 second", ...options })
  const read = client.execute(getK)
  assert.strictEqual(yield* read, String(master.port))
  /** Reads until the replica answers. */
  const readAtReplica = Effect.repeat(Effect.delay(read, "20 millis"), {
    until: (value) => value === String(replica.port)
  })
  return { client, master, read, readAtReplica, replica }
})

describe("A client of replicas that reads from the master", () => {
  for (
    const options of [{ role: "replica" }, { role: "replica", pool: { shared: 2 } }, {
      readFrom: "preferReplica"
    }] as const
  ) {
    inVirtualTime(
      `goes back to a replica that is there again, and no read fails: ${JSON.stringify(options)}`,
      () =>
        Effect.gen(function*() {
          const { master, read, readAtReplica, replica } = yield* standingIn(options)
          yield* Effect.sleep("3 seconds")
          assert.strictEqual(yield* read, String(master.port))
          const reading = yield* Effect.forkChild(Effect.forever(Effect.andThen(read, Effect.sleep("1 millis"))))
          yield* replica.node.listen
          yield* readAtReplica
          yield* Effect.sleep("2 seconds")
          for (let i = 0; i < 4; i++) assert.strictEqual(yield* read, String(replica.port))
          assert.isUndefined(reading.pollUnsafe())
          yield* Fiber.interrupt(reading)
        })
    )
  }

  inVirtualTime(
    "has the answers that the master owes, and goes on there with a connection that it has alone",
    () =>
      Effect.gen(function*() {
        const { client, master, readAtReplica, replica } = yield* standingIn({ role: "replica" })
        const gate = yield* Deferred.make<void>()
        master.instead = ({ args }) =>
          args[1] === "slow" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk("slow"))] : undefined
        const values = yield* Client.on(client)(Redis.withConnection(Effect.gen(function*() {
          const before = yield* getK
          const slow = yield* Effect.forkChild(client.execute(Redis.get("slow")))
          yield* master.node.awaitCommand(({ args }) => args[1] === "slow")
          yield* replica.node.listen
          yield* Effect.sleep("3 seconds")
          yield* Deferred.succeed(gate, undefined)
          const answer = yield* Fiber.join(slow)
          yield* readAtReplica
          return [before, answer, yield* getK]
        })))
        assert.deepStrictEqual(values, [String(master.port), "slow", String(master.port)])
      })
  )

  inVirtualTime(
    "has the answers that the master owes, also when one of them takes long after another has come",
    () =>
      Effect.gen(function*() {
        const { client, master, readAtReplica, replica } = yield* standingIn({
          role: "replica",
          commandTimeout: "1 minute",
          livenessTimeout: "1 minute"
        })
        const [first, second] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        master.instead = ({ args: [, key] }) =>
          key === "first"
            ? [FakeNode.gate(first), FakeNode.reply(Encode.bulk("first"))]
            : key === "second"
            ? [FakeNode.gate(second), FakeNode.reply(Encode.bulk("second"))]
            : undefined
        const read = (key: string) => Effect.forkChild(client.execute(Redis.get(key)))
        const owed = [yield* read("first"), yield* read("second")]
        yield* master.node.awaitCommand(({ args }) => args[1] === "first")
        yield* replica.node.listen
        yield* Effect.sleep("1200 millis")
        yield* Deferred.succeed(first, undefined)
        yield* Effect.sleep("9 seconds")
        yield* Deferred.succeed(second, undefined)
        assert.deepStrictEqual(yield* Effect.forEach(owed, Fiber.join), ["first", "second"])
        yield* readAtReplica
      })
  )

  inVirtualTime(
    "hands nobody the connections to the master that callers have had alone, and keeps as many as before",
    () =>
      Effect.gen(function*() {
        const { client, master, readAtReplica, replica } = yield* standingIn({ role: "replica", pool: { min: 2 } })
        const alone = Client.on(client)(Redis.withConnection(Effect.andThen(Effect.sleep("1 millis"), getK)))
        assert.strictEqual(yield* alone, String(master.port))
        const reading = yield* Effect.forkChild(Effect.forever(alone))
        yield* replica.node.listen
        yield* readAtReplica
        yield* Effect.sleep("1 second")
        assert.isUndefined(reading.pollUnsafe())
        yield* Fiber.interrupt(reading)
        const values = yield* Effect.all([alone, alone, alone], { concurrency: "unbounded" })
        assert.deepStrictEqual([...new Set(values)], [String(replica.port)])
        assert.strictEqual(master.node.connections.open, 0)
        assert.isAtLeast((yield* client.stats).exclusive, 2)
      })
  )

  inVirtualTime(
    "hands nobody a connection to the master that was checked when a replica came back",
    () =>
      Effect.gen(function*() {
        const { client, master, replica } = yield* standingIn({ role: "replica", healthCheckInterval: "10 millis" })
        const alone = Client.on(client)(Redis.withConnection(getK))
        assert.strictEqual(yield* alone, String(master.port))
        yield* Effect.sleep("20 millis")
        const gate = yield* Deferred.make<void>()
        master.instead = ({ name }) =>
          name === "PING" ? [FakeNode.gate(gate), FakeNode.reply(Encode.simple("PONG"))] : undefined
        const checked = yield* Effect.forkChild(alone)
        const pings = master.node.commands.filter(({ command }) => command.name === "PING").length
        yield* master.node.awaitCommand("PING", pings + 1)
        yield* replica.node.listen
        yield* Effect.sleep("2 seconds")
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Fiber.join(checked), String(replica.port))
      })
  )

  inVirtualTime(
    "goes to the replica that is there, past those that never answer, and reads wait for none of these",
    () =>
      Effect.gen(function*() {
        const { master, replicas: [replica, ...silent], sentinel } = yield* Fake.make({ replicas: 4 })
        yield* replica.node.stopListening
        for (const each of silent) each.instead = () => []
        const client = yield* Fake.client([sentinel], {
          recheckInterval: "1 second",
          role: "replica",
          connectTimeout: "1 second",
          commandTimeout: "5 seconds"
        })
        const read = client.execute(getK)
        assert.strictEqual(yield* read, String(master.port))
        const slow: Array<Duration.Duration> = []
        const timed = Effect.map(Effect.timed(read), ([time]) => {
          if (Duration.toMillis(time) > 500) slow.push(time)
        })
        const reading = yield* Effect.forkChild(Effect.forever(Effect.andThen(timed, Effect.sleep("20 millis"))))
        yield* replica.node.listen
        yield* Effect.sleep("8 seconds")
        assert.strictEqual(yield* read, String(replica.port))
        assert.deepStrictEqual(slow, [])
        yield* Fiber.interrupt(reading)
      })
  )

  inVirtualTime("goes on looking for a replica after a natMap that throws", () =>
    Effect.gen(function*() {
      let thrown = 0
      let throws = false
      const { readAtReplica, replica } = yield* standingIn({
        role: "replica",
        natMap: (address) => {
          if (!throws) return address
          thrown++
          throw new Error("natMap")
        }
      })
      throws = true
      yield* Effect.sleep("3 seconds")
      assert.isAbove(thrown, 0)
      throws = false
      yield* replica.node.listen
      yield* readAtReplica
    }))

  inVirtualTime(
    "asks a replica without data over one connection, which is opened again when it was lost",
    () =>
      Effect.gen(function*() {
        const { readAtReplica, replica } = yield* standingIn({
          role: "replica",
          recheckInterval: "200 millis",
          connectTimeout: "200 millis"
        })
        const { connections } = replica.node
        const roles = () => Fake.names(replica).filter((name) => name === "ROLE").length
        Object.assign(replica, { state: "handshake", offset: 1 })
        yield* replica.node.listen
        yield* Effect.sleep("2 seconds")
        assert.isAbove(roles(), 4)
        assert.deepStrictEqual([connections.total, connections.open], [1, 1])
        yield* replica.node.cutAll()
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual([connections.total, connections.open], [2, 1])
        // One that does not answer is given up.
        replica.instead = () => []
        yield* Effect.sleep("2 seconds")
        replica.instead = undefined
        yield* Effect.sleep("1 second")
        const before = connections.total
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual([connections.total, connections.open], [before, 1])
        Object.assign(replica, { state: "connected", offset: 100 })
        yield* readAtReplica
        yield* replica.node.awaitOpen(1)
      })
  )

  inVirtualTime("stays there while a replica has no data, or loads it", () =>
    Effect.gen(function*() {
      const { master, read, readAtReplica, replica } = yield* standingIn({ role: "replica" })
      yield* replica.node.listen
      Object.assign(replica, { state: "handshake", offset: 1 })
      yield* Effect.sleep("5 seconds")
      Object.assign(replica, { state: "connected", offset: 100 })
      replica.instead = ({ name }) => name === "PING" ? Encode.error("LOADING Redis is loading") : undefined
      yield* Effect.sleep("5 seconds")
      assert.strictEqual(yield* read, String(master.port))
      assert.strictEqual(master.node.connections.total, 1)
      replica.instead = undefined
      yield* readAtReplica
    }))
})

describe("A client of replicas that reads from one without data, as nothing else is there", () => {
  inVirtualTime(
    "goes to the master when that is there again, although the replica is still without",
    () =>
      Effect.gen(function*() {
        const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
        Object.assign(replica, { state: "connect", offset: 1 })
        yield* master.node.stopListening
        const client = yield* Fake.client([sentinel], { recheckInterval: "1 second", role: "replica" })
        const read = client.execute(getK)
        assert.strictEqual(yield* read, String(replica.port))
        yield* Effect.sleep("3 seconds")
        assert.strictEqual(yield* read, String(replica.port))
        yield* master.node.listen
        replica.state = "sync"
        yield* Effect.sleep("5 seconds")
        assert.strictEqual(yield* read, String(master.port))
      })
  )
})
