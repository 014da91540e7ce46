/**
 * What a cluster's client does about redirects and failures of single commands,
 * with scripted nodes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC, sibling } from "@redfx/testing/FakeCluster"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime, passing, turns } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

describe("Redirects", () => {
  inVirtualTime(
    "CLR-01: MOVED is followed at once, and what comes after it goes straight there",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
        cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
        assert.strictEqual(yield* client.execute(Redis.get(sibling(keyOfA))), `B:${sibling(keyOfA)}`)
        assert.deepStrictEqual(FakeCluster.log(a, b, c), [
          `A GET ${keyOfA}`,
          `A GET ${keyOfA}`,
          `B GET ${keyOfA}`,
          `B GET ${sibling(keyOfA)}`
        ])
      })
  )

  inVirtualTime(
    "a node that redirects name, and no topology, is used as soon as it is back",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
        a.instead = ({ name }) => name === "GET" ? FakeCluster.ask(keyOfA, x!) : undefined
        const { client } = yield* FakeCluster.client(cluster, { nodes: [a] })
        yield* x!.node.stopListening
        const read = yield* Effect.forkChild(client.execute(Redis.get(keyOfA)), { startImmediately: true })
        // It is redirected for the second time when nobody could be reached.
        yield* a.node.awaitCommand("GET", 2)
        yield* x!.node.listen
        const again = Effect.retry(client.execute(Redis.get(keyOfA)), { times: 2 })
        assert.strictEqual(yield* Effect.catch(Fiber.join(read), () => again), `X:${keyOfA}`)
      })
  )

  for (const [how, redirect] of [["MOVED", FakeCluster.moved], ["an ASK", FakeCluster.ask]] as const) {
    it.effect(`a command that has blocked before ${how} blocks for the rest of its time, and not all over again`, () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const gate = yield* Deferred.make<void>()
        const blocking = new Set(["BLPOP", "XREAD"])
        a.instead = ({ name }) =>
          blocking.has(name) ? [FakeNode.gate(gate), FakeNode.reply(redirect(keyOfA, b))] : undefined
        b.instead = ({ name }) => blocking.has(name) ? Encode.raw("_\r\n") : undefined
        const { client } = yield* FakeCluster.client(cluster)
        const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })
        const fibers = [
          yield* fork(client.execute(Redis.blpop([keyOfA], "10 seconds"))),
          yield* fork(client.execute(Redis.blpop([keyOfA], "2 seconds"))),
          yield* fork(client.execute(Redis.blpop([keyOfA], 0))),
          yield* fork(client.pipeline([Redis.xread({ [keyOfA]: "0" }, { block: "10 seconds" })]))
        ]
        yield* a.node.awaitCommand(({ command }) => blocking.has(command.name), fibers.length)
        yield* TestClock.adjust("4 seconds")
        yield* Deferred.succeed(gate, undefined)
        for (const fiber of fibers) yield* Fiber.join<unknown, unknown>(fiber)
        assert.deepStrictEqual(FakeCluster.log(b).filter((line) => !line.endsWith("ASKING")).sort(), [
          `B BLPOP ${keyOfA} 0`,
          `B BLPOP ${keyOfA} 0.001`,
          `B BLPOP ${keyOfA} 6`,
          `B XREAD BLOCK 6000 STREAMS ${keyOfA} 0`
        ])
      }))
  }

  inVirtualTime(
    "CLR-01: MOVED to a node that was not known yet has the whole topology read",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
        const { client } = yield* FakeCluster.client(cluster, { nodes: [a] })
        yield* client.execute(Redis.get(keyOfA))
        FakeCluster.replace(cluster, a, x!)
        const served = Effect.map(
          client.execute(Redis.get(keyOfA)),
          (value) => assert.strictEqual(value, `X:${keyOfA}`)
        )
        const changed = yield* Client.causing(client, "TopologyChanged", served)
        assert.include(changed.masters, x!.address)
        // Another slot of the same range.
        const other = "bar"
        assert.strictEqual(yield* client.execute(Redis.get(other)), `X:${other}`)
        assert.notInclude(FakeCluster.log(a), `A GET ${other}`)
      })
  )

  inVirtualTime(
    "CLR-02, CCF-08: every so many MOVED the whole topology is read again: 5 of them, 2 steps, 2 readings",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, { reinitializeSteps: 2 })
        yield* client.execute(Redis.get(keyOfA))
        assert.strictEqual(FakeCluster.readings(cluster), 1)
        // A answers for nothing, and CLUSTER SLOTS tells otherwise: after each reading it starts anew.
        const slots = ["b", "bar", "j", "n", "f"].map((key) => [key, FakeCluster.slotOf(key)] as const)
        assert.isTrue(slots.every(([, slot]) => slot <= 5460), "they are all A's")
        for (const [index, [key, slot]] of slots.entries()) {
          cluster.owners.set(slot, b)
          assert.strictEqual(yield* client.execute(Redis.get(key)), `B:${key}`)
          if (index % 2 === 1) {
            yield* FakeCluster.awaitReadings(a, 1 + (index + 1) / 2)
            // Adopted by the time that a command after it is answered.
            yield* client.execute(Redis.get(keyOfC))
          }
        }
        assert.strictEqual(FakeCluster.readings(cluster), 3)
      })
  )

  inVirtualTime(
    "CLR-04: ASK is followed once, with ASKING, also to a node that was not known; the slot stays where it is",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
        const { client } = yield* FakeCluster.client(cluster, { nodes: [a] })
        const gone = sibling(keyOfA, "gone")
        a.instead = ({ args }) => args[1] === gone ? FakeCluster.ask(gone, x!) : undefined
        assert.strictEqual(yield* client.execute(Redis.get(gone)), `X:${gone}`)
        assert.strictEqual(yield* client.execute(Redis.get(sibling(keyOfA))), `A:${sibling(keyOfA)}`)
        assert.strictEqual(yield* client.execute(Redis.get(gone)), `X:${gone}`)
        assert.deepStrictEqual(FakeCluster.log(a, x!), [
          `A GET ${gone}`,
          `A GET ${sibling(keyOfA)}`,
          `A GET ${gone}`,
          ...[0, 1].flatMap(() => ["X ASKING", `X GET ${gone}`])
        ])
        assert.strictEqual(FakeCluster.readings(cluster), 1)
      })
  )

  inVirtualTime("CLR-04: ASK after ASK is followed too", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) => name === "GET" ? FakeCluster.ask(keyOfA, b) : undefined
      b.instead = ({ name }) => name === "GET" ? FakeCluster.ask(keyOfA, c) : undefined
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `C:${keyOfA}`)
      assert.deepStrictEqual(FakeCluster.log(c), ["C ASKING", `C GET ${keyOfA}`])
    }))

  inVirtualTime(
    "CLR-04: a blocking command is sent with ASKING, over a connection of its own",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = ({ name }) => name === "BLPOP" ? FakeCluster.ask(keyOfA, b) : undefined
        b.instead = ({ name }) => name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : undefined
        const popped = yield* client.execute(Redis.blpop([keyOfA], 0))
        assert.deepStrictEqual(popped, { key: keyOfA, value: "v" })
        assert.deepStrictEqual(FakeCluster.log(a, b), [`A BLPOP ${keyOfA} 0`, "B ASKING", `B BLPOP ${keyOfA} 0`])
        const [asking, blpop] = b.node.commands.filter(({ command }) => ["ASKING", "BLPOP"].includes(command.name))
        assert.strictEqual(asking!.connection, blpop!.connection)
      })
  )

  inVirtualTime("ERR-29, CLR-01: a blocking command follows MOVED", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
      b.instead = ({ name }) => name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : undefined
      assert.deepStrictEqual(yield* client.execute(Redis.blpop([keyOfA], 0)), { key: keyOfA, value: "v" })
      assert.deepStrictEqual(FakeCluster.log(a, b), [`A GET ${keyOfA}`, `A BLPOP ${keyOfA} 0`, `B BLPOP ${keyOfA} 0`])
    }))

  for (
    const [what, run] of [
      ["blocking command", (client) => client.execute(Redis.blpop([keyOfA], 0))],
      ["pipeline", (client) => Effect.flatMap(client.pipeline([Redis.blpop([keyOfA], 0)]), ([outcome]) => outcome!)]
    ] as ReadonlyArray<
      readonly [string, (client: RedisClient.RedisClient["Service"]) => Effect.Effect<unknown, RedisError.RedisError>]
    >
  ) {
    inVirtualTime(
      `ERR-29: a ${what} that a server unblocks as it becomes a replica waits at the new master`,
      () =>
        Effect.gen(function*() {
          const { a, b, cluster } = yield* FakeCluster.make()
          const { client } = yield* FakeCluster.client(cluster, { nodes: [b] })
          yield* client.execute(Redis.get(keyOfA))
          let unblocked = false
          a.instead = ({ name }) => {
            if (name !== "BLPOP" || unblocked) return undefined
            unblocked = true
            FakeCluster.replace(cluster, a, b)
            const unblocking = "UNBLOCKED force unblock from blocking operation, instance state changed"
            return [FakeNode.reply(Encode.error(unblocking)), FakeNode.cut()]
          }
          b.instead = ({ name }) => name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : undefined
          assert.deepStrictEqual(yield* run(client), { key: keyOfA, value: "v" })
          assert.isTrue(unblocked)
          // Nobody waits for a redirect to tell that the master is another one: who told so before is asked last.
          yield* FakeCluster.awaitReadings(a, 1)
        })
    )
  }

  inVirtualTime(
    "the connection of one that is unblocked so is for nobody else, as the server is about to end it",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = ({ name }, { commands }) =>
          name !== "BLPOP"
            ? undefined
            : commands.some(({ name }) => name === "BLPOP")
            ? FakeNode.cut()
            : a.node.commands.filter(({ command }) => command.name === "BLPOP").length === 1
            ? Encode.error("UNBLOCKED force unblock, instance state changed")
            : Encode.bulks([keyOfA, "v"])
        assert.deepStrictEqual(yield* client.execute(Redis.blpop([keyOfA], 0)), { key: keyOfA, value: "v" })
      })
  )

  inVirtualTime("on a reserved connection such an end says that a later try may succeed", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) =>
        name === "BLPOP" ? Encode.error("UNBLOCKED force unblock, instance state changed") : undefined
      const error = yield* Effect.scoped(
        Effect.flatMap(client.reserve, (own) => Client.failure(own, Redis.blpop([keyOfA], 0), "ConnectionError"))
      )
      assert.deepInclude(error, { reason: "Demoted", delivery: "not-sent" })
      assert.isTrue(RedisError.isSafeToRetry(error))
    }))

  for (const when of ["at once", "when it is there"] as const) {
    inVirtualTime(
      `a connection whose only command is interrupted before it was sent is for the next one, ${when}`,
      () =>
        Effect.gen(function*() {
          const { a, b, cluster } = yield* FakeCluster.make()
          const { client } = yield* FakeCluster.client(cluster)
          const own = yield* client.reserve
          const first = yield* fork(own.execute(Redis.get(keyOfA)))
          yield* Fiber.interrupt(first)
          if (when !== "at once") yield* Effect.andThen(turns, turns)
          assert.strictEqual(yield* own.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
          assert.deepStrictEqual(FakeCluster.log(a, b), [`B GET ${keyOfB}`])
          // From now on it is bound.
          Client.expectTag(yield* Effect.flip(own.execute(Redis.get(keyOfA))), "ClusterUnsupportedError")
        }).pipe(Effect.scoped)
    )
  }

  for (const when of ["the connection is opened", "the body runs"] as const) {
    inVirtualTime(
      `a watch begins again on the new master when its slot moves while ${when}, and somebody learns so first`,
      () =>
        Effect.gen(function*() {
          const { a, b, cluster } = yield* FakeCluster.make()
          const { client } = yield* FakeCluster.client(cluster)
          const move = Effect.suspend(() => {
            cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
            return client.execute(Redis.get(sibling(keyOfA)))
          })
          const opened = yield* Deferred.make<void>()
          const asked = yield* Deferred.make<void>()
          yield* client.execute(Redis.get(keyOfA))
          a.instead = ({ name }) =>
            name === "HELLO" && when === "the connection is opened"
              ? [FakeNode.open(asked), FakeNode.gate(opened), FakeNode.reply(Encode.error("ERR unknown command"))]
              : name === "WATCH"
              ? cluster.owners.size === 0 ? Encode.ok : FakeCluster.moved(keyOfA, b)
              : undefined
          b.instead = ({ name }) =>
            name === "WATCH" || name === "MULTI" ? Encode.ok : name === "EXEC" ? Encode.array([]) : undefined
          const values: Array<string | undefined> = []
          const body = Effect.gen(function*() {
            if (when === "the body runs" && cluster.owners.size === 0) yield* move
            values.push(yield* Redis.get(keyOfA))
            return []
          })
          const watch = yield* Effect.forkChild(Client.on(client)(Redis.watch(keyOfA, body)))
          if (when === "the connection is opened") {
            yield* Deferred.await(asked)
            yield* move
            yield* Deferred.succeed(opened, undefined)
          }
          assert.deepStrictEqual(yield* Fiber.join(watch), [])
          assert.deepStrictEqual(values, [`B:${keyOfA}`])
        })
    )
  }

  inVirtualTime("a blocking command that somebody unblocks fails, and is not sent again", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) =>
        name === "BLPOP" ? Encode.error("UNBLOCKED client unblocked via CLIENT UNBLOCK") : undefined
      const error = yield* Client.failure(client, Redis.blpop([keyOfA], 0), "ResponseError")
      assert.strictEqual(error.code, "UNBLOCKED")
      assert.strictEqual(FakeCluster.log(a).length, 1)
    }))

  it.effect("CLR-05, ERR-30: TRYAGAIN is obeyed by the same node, at first at once", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      let refused = 0
      a.instead = ({ name }) => name === "MGET" && refused++ < 8 ? FakeCluster.tryAgain : undefined
      const { time } = yield* passing(client.execute(Redis.mget(keyOfA, sibling(keyOfA))))
      assert.isBelow(time, 45)
      assert.strictEqual(refused, 9)
    }))

  inVirtualTime("CLR-05: after an ASK it is the node asked that is tried again", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      let refused = 0
      a.instead = ({ name }) => name === "GET" ? FakeCluster.ask(keyOfA, b) : undefined
      b.instead = ({ name }) => name === "GET" && refused++ < 10 ? FakeCluster.tryAgain : undefined
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
      assert.strictEqual(FakeCluster.log(a).length, 1)
      assert.strictEqual(FakeCluster.log(b).length, 22)
    }))

  it.effect("CLR-06, ERR-25: a permanent TRYAGAIN fails after 16 tries, and about 0.4 seconds", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) => name === "GET" ? FakeCluster.tryAgain : undefined
      const { exit, time } = yield* passing(Client.failure(client, Redis.get(keyOfA), "ClusterRetriesExhaustedError"))
      const error = yield* exit
      assert.deepInclude(error, {
        command: "GET",
        slot: FakeCluster.slotOf(keyOfA),
        attempts: 16,
        delivery: "not-sent",
        readonly: true
      })
      assert.match(error.last, /^TRYAGAIN/)
      assert.notMatch(error.message, /\.\./)
      assert.strictEqual(FakeCluster.log(a).length, 16)
      assert.isAbove(time, 300)
      assert.isBelow(time, 1500)
    }))

  inVirtualTime(
    "CLR-06, ERR-29: two nodes that send a command to each other do not keep it for ever",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = ({ name }) => name === "SET" ? FakeCluster.moved(keyOfA, b) : undefined
        b.instead = ({ name }) => name === "SET" ? FakeCluster.moved(keyOfA, a) : undefined
        const error = yield* Client.failure(client, Redis.set(keyOfA, "v"), "ClusterRetriesExhaustedError")
        assert.match(error.last, /^MOVED/)
        assert.strictEqual(error.delivery, "not-sent")
        assert.strictEqual(FakeCluster.log(a, b).length, 16)
        assert.isBelow(FakeCluster.readings(cluster), 8)
      })
  )

  inVirtualTime(
    "CLR-07: a connection that is lost before anything was sent is tried again, and finds the new master",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, { nodes: [b] })
        yield* client.execute(Redis.get(keyOfA))
        yield* a.node.stopListening
        yield* Client.causing(client, "Disconnected", a.node.cutAll())
        yield* Client.causing(client, "ConnectFailed", Effect.forkScoped(client.execute(Redis.set(keyOfA, "v"))))
        FakeCluster.replace(cluster, a, b)
        assert.isTrue(yield* client.execute(Redis.set(keyOfA, "v")))
        assert.include(FakeCluster.log(b), `B SET ${keyOfA} v`)
      })
  )

  it.effect("CLR-07: a dead node without a successor fails its commands within some seconds, and no others", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: Infinity })
      yield* client.execute(Redis.get(keyOfA))
      yield* a.node.stopListening
      yield* Client.causing(client, "Disconnected", a.node.cutAll("reset"))
      const failing = yield* Effect.forkChild(
        Client.failure(client, Redis.set(keyOfA, "v"), "ClusterRetriesExhaustedError"),
        { startImmediately: true }
      )
      const started = yield* Clock.currentTimeMillis
      while (failing.pollUnsafe() === undefined) {
        assert.strictEqual(yield* client.execute(Redis.get(keyOfB)), `B:${keyOfB}`)
        yield* TestClock.adjust("20 millis")
      }
      const error = yield* Fiber.join(failing)
      assert.deepInclude(error, { attempts: 1, delivery: "not-sent", readonly: false })
      assert.match(error.message, new RegExp(`^SET failed: .* at ${a.address}\\. The command was not sent;`))
      assert.strictEqual(error.message.split("safe to retry").length, 2)
      const time = (yield* Clock.currentTimeMillis) - started
      assert.isAbove(time, 2000)
      assert.isBelow(time, 3000)
      assert.isBelow(FakeCluster.readings(cluster), 60)
    }))

  inVirtualTime("CLR-07: what may have been run is not sent again unless it only reads", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      a.instead = ({ name }) => name === "SET" || name === "GET" ? FakeNode.cut() : undefined
      const lost = yield* Client.failure(client, Redis.set(keyOfA, "v"), "ConnectionError")
      assert.deepInclude(Client.fate(lost), { delivery: "unknown", safe: false })
      assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("SET")).length, 1)
      const reading = yield* Effect.forkChild(client.execute(Redis.get(keyOfA)), { startImmediately: true })
      yield* a.node.awaitCommand("GET", 2)
      a.instead = undefined
      assert.strictEqual(yield* Fiber.join(reading), `A:${keyOfA}`)
    }))

  it.effect("CLR-08: a command that timed out is not sent again, and the topology is read", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "100 millis", nodes: [b] })
      yield* client.execute(Redis.get(keyOfA))
      a.instead = ({ name }) => name === "SET" ? FakeNode.stall() : undefined
      FakeCluster.replace(cluster, a, b)
      const timedOut = Effect.map(
        Client.failure(client, Redis.set(keyOfA, "v"), "TimeoutError"),
        (error) => assert.deepInclude(Client.fate(error), { delivery: "unknown", safe: false })
      )
      yield* (yield* passing(Client.causing(client, "TopologyChanged", timedOut))).exit
      assert.strictEqual(
        FakeCluster.log(a).filter((line) => line.includes("SET")).length,
        1
      )
      // From then on the new master is asked, though the old one still has its connection.
      assert.isTrue(yield* client.execute(Redis.set(keyOfA, "v")))
      assert.include(FakeCluster.log(b), `B SET ${keyOfA} v`)
    }))

  for (const code of ["CLUSTERDOWN", "MASTERDOWN"]) {
    inVirtualTime(
      `CLR-09, CCF-13, ERR-24, ERR-26, ERR-27: ${code} is tried three times in all, with a new topology`,
      () =>
        Effect.gen(function*() {
          const { a, cluster } = yield* FakeCluster.make()
          const { client } = yield* FakeCluster.client(cluster)
          a.instead = ({ name }) => name === "SET" ? Encode.error(`${code} not now`) : undefined
          const error = yield* Client.failure(client, Redis.set(keyOfA, "v"), "ClusterDownError")
          assert.deepInclude(error, { attempts: 3, command: "SET", code, detail: "not now" })
          assert.strictEqual(FakeCluster.log(a).length, 3)
          assert.isAtLeast(FakeCluster.readings(cluster), 3)
        })
    )
  }

  inVirtualTime("CLR-09: a cluster that is up again in time answers", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      let refused = 0
      a.instead = ({ name }) => name === "GET" && refused++ < 2 ? FakeCluster.clusterDown : undefined
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
    }))

  inVirtualTime(
    "CLR-09: redirects before it do not count as tries while the cluster is down",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        let refused = 0
        a.instead = ({ name }) => name === "GET" && refused++ < 4 ? FakeCluster.tryAgain : undefined
        cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
        let down = 0
        b.instead = ({ name }) => name === "GET" && down++ < 2 ? FakeCluster.clusterDown : undefined
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
      })
  )

  inVirtualTime("CCF-13: one try is no retry, and none is none", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      a.instead = ({ name }) => name === "GET" ? FakeCluster.clusterDown : undefined
      const once = yield* FakeCluster.client(cluster, { clusterDownRetryAttempts: 1 })
      assert.strictEqual((yield* Client.failure(once.client, Redis.get(keyOfA), "ClusterDownError")).attempts, 1)
      assert.strictEqual(FakeCluster.log(a).length, 1)
      const never = yield* FakeCluster.client(cluster, { clusterDownRetryAttempts: 0 })
      for (const command of [Redis.get(keyOfA), Redis.get(keyOfB), Redis.blpop([keyOfA], 0)]) {
        assert.strictEqual((yield* Client.failure(never.client, command, "ClusterDownError")).attempts, 0)
      }
      const [outcome] = yield* never.client.pipeline([Redis.get(keyOfB)])
      assert.strictEqual(outcome?._tag, "Failure")
      const refused = yield* Effect.flip(never.client.transaction([Redis.get(keyOfB)]))
      assert.strictEqual(refused._tag, "ClusterDownError")
      assert.strictEqual(FakeCluster.log(...cluster.nodes).length, 1)
    }))

  inVirtualTime("CLR-10: when the topology cannot be read again, that is the error", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.get(keyOfA))
      for (const node of cluster.nodes) {
        node.instead = ({ name }) =>
          name === "GET" ? FakeCluster.clusterDown : name === "CLUSTER" ? Encode.error("ERR lost my mind") : undefined
      }
      const error = yield* Client.failure(client, Redis.get(keyOfA), "ClusterConnectError")
      assert.deepStrictEqual(new Set(error.attempts.map(({ address }) => address)).size, 3)
      assert.match(error.attempts[0]!.detail, /lost my mind/)
      assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("GET")).length, 2)
    }))

  it.effect("CLR-11, ERR-31: a slot without owner is looked up once more, and then is an error", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      cluster.told = cluster.told.slice(0, 2)
      const { client } = yield* FakeCluster.client(cluster)
      const { exit, time } = yield* passing(Client.failure(client, Redis.get(keyOfC), "SlotNotCoveredError"))
      const error = yield* exit
      assert.strictEqual(error.slot, FakeCluster.slotOf(keyOfC))
      assert.isAtLeast(time, 90)
      assert.strictEqual(FakeCluster.log(...cluster.nodes).length, 0)
      assert.isAtLeast(FakeCluster.readings(cluster), 2)
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
      assert.strictEqual(a.name, "A")
    }))

  inVirtualTime("CLR-11: a slot that gets an owner meanwhile is served", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const whole = cluster.told
      cluster.told = whole.slice(0, 2)
      const { client } = yield* FakeCluster.client(cluster, { nodes: [a] })
      yield* client.execute(Redis.get(keyOfA))
      cluster.told = whole
      assert.strictEqual(yield* client.execute(Redis.get(keyOfC)), `C:${keyOfC}`)
    }))

  inVirtualTime("CLR-12: LOADING and a server that is full are not retried", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) =>
        name === "GET" ? Encode.error("LOADING Redis is loading the dataset in memory") : undefined
      yield* Client.failure(client, Redis.get(keyOfA), "BusyLoadingError")
      assert.strictEqual(FakeCluster.log(a).length, 1)
      const full = yield* FakeCluster.make()
      const other = yield* FakeCluster.client(full.cluster, { nodes: [full.b] })
      full.a.instead = () => [FakeNode.reply(Encode.error("ERR max number of clients reached")), FakeNode.cut()]
      const error = yield* Client.failure(other.client, Redis.get(keyOfA), "ConnectionError")
      assert.deepInclude(error, { reason: "MaxClients", delivery: "not-sent" })
      assert.strictEqual(full.a.node.connections.total, 1)
    }))

  inVirtualTime("CLR-13, ERR-28, ERP-05: CROSSSLOT of the server is a CrossSlotError", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) =>
        name === "GET" ? Encode.error("CROSSSLOT Keys in request don't hash to the same slot") : undefined
      assert.strictEqual((yield* Client.failure(client, Redis.get(keyOfA), "CrossSlotError")).command, "GET")
    }))

  inVirtualTime("ERP-05: on one server the same replies are errors with their code", () =>
    Effect.gen(function*() {
      const { a } = yield* FakeCluster.make()
      const client = yield* Client.make(a)
      const lines = [
        "ASK 1 127.0.0.1:1",
        "MOVED 1 127.0.0.1:1",
        "TRYAGAIN x",
        "CLUSTERDOWN x",
        "MASTERDOWN x",
        "CROSSSLOT x"
      ]
      for (const line of lines) {
        a.instead = ({ name }) => name === "GET" ? Encode.error(line) : undefined
        const error = yield* Client.failure(client, Redis.get("k"), "ResponseError")
        assert.strictEqual(`${error.code} ${error.detail}`, line)
      }
    }))

  inVirtualTime(
    "CMK-25, CKR-05: PUBLISH goes to the master of the channel's slot, whose own count it is",
    () =>
      Effect.gen(function*() {
        const { b, c, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        for (const [index, node] of [b, c].entries()) {
          node.instead = ({ name }) => name === "PUBLISH" ? Encode.integer(index + 3) : undefined
        }
        assert.strictEqual(yield* client.execute(Redis.publish(keyOfB, "m")), 3)
        assert.strictEqual(yield* client.execute(Redis.publish(keyOfC, "m")), 4)
        assert.deepStrictEqual(FakeCluster.log(b, c), [`B PUBLISH ${keyOfB} m`, `C PUBLISH ${keyOfC} m`])
      })
  )

  inVirtualTime(
    "PUBLISH goes to another master while its own is not there, and back to its own",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        for (const node of cluster.nodes) {
          node.instead = ({ name }) => name.endsWith("PUBLISH") ? Encode.integer(0) : undefined
        }
        yield* client.execute(Redis.publish(keyOfA, "before"))
        yield* a.node.stopListening
        yield* a.node.cutAll()
        yield* Client.failure(client, Redis.get(keyOfA), "ClusterRetriesExhaustedError")
        const published = Redis.publish(keyOfA, "m")
        yield* client.execute(published)
        for (const outcome of yield* client.pipeline([published, published])) assert.isTrue(Exit.isSuccess(outcome))
        assert.deepStrictEqual(FakeCluster.log(b, c).map((line) => line.slice(2)), Array(3).fill(`PUBLISH ${keyOfA} m`))
        // What is for a slot, and not for everybody, has its server.
        yield* Client.failure(client, Redis.spublish(keyOfA, "m"), "ClusterRetriesExhaustedError")
        yield* Client.failure(client, Redis.set(keyOfA, "v"), "ClusterRetriesExhaustedError")
        assert.lengthOf(FakeCluster.log(b, c), 3)
        yield* a.node.listen
        yield* client.execute(Redis.set(keyOfA, "v"))
        yield* client.execute(Redis.publish(keyOfA, "after"))
        assert.strictEqual(FakeCluster.log(a).at(-1), `A PUBLISH ${keyOfA} after`)
      })
  )

  for (const way of ["a pipeline", "single commands"]) {
    inVirtualTime(
      `the messages of a channel whose master is not there keep their order in ${way}`,
      () =>
        Effect.gen(function*() {
          const { a, b, c, cluster } = yield* FakeCluster.make()
          const { client } = yield* FakeCluster.client(cluster)
          for (const node of [b, c]) node.instead = ({ name }) => name === "PUBLISH" ? Encode.integer(0) : undefined
          yield* client.execute(Redis.get(keyOfA))
          yield* a.node.stopListening
          yield* a.node.cutAll()
          yield* Client.failure(client, Redis.get(keyOfA), "ClusterRetriesExhaustedError")
          const before = FakeCluster.log(b, c).length
          const messages = Array.from({ length: 16 }, (_, i) => String(i))
          const published = messages.map((message) => Redis.publish(keyOfA, message))
          if (way === "a pipeline") yield* client.pipeline(published)
          else {
            const each = published.map((command) => client.execute(command))
            yield* Effect.all(each, { concurrency: "unbounded" })
          }
          // One master takes them all, over one connection.
          const [taker] = [b, c].filter((node) => FakeCluster.log(node).some((line) => line.includes("PUBLISH")))
          assert.deepStrictEqual(FakeCluster.log(taker!).map((line) => line.split(" ").at(-1)), messages)
          assert.lengthOf(FakeCluster.log(b, c), before + messages.length)
        })
    )
  }

  inVirtualTime("PUBLISH goes to another master when no server has its slot", () =>
    Effect.gen(function*() {
      const { b, c, cluster } = yield* FakeCluster.make()
      cluster.told = cluster.told.slice(1)
      for (const node of [b, c]) node.instead = ({ name }) => name === "PUBLISH" ? Encode.integer(0) : undefined
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(Redis.publish(keyOfA, "m"))
      assert.lengthOf(FakeCluster.log(b, c), 1)
    }))

  inVirtualTime("a PUBLISH that may have been passed on is not sent to another master", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      a.instead = ({ name }) => name === "PUBLISH" ? FakeNode.cut() : undefined
      const error = yield* Client.failure(client, Redis.publish(keyOfA, "m"), "ConnectionError")
      assert.strictEqual(error.delivery, "unknown")
      assert.deepStrictEqual(FakeCluster.log(a, b, c), [`A PUBLISH ${keyOfA} m`])
    }))

  inVirtualTime(
    "a redirect without a host is to the host that gave it; what is no redirect is an error",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = ({ name }) => name === "GET" ? FakeCluster.moved(keyOfA, { address: `:${b.port}` }) : undefined
        cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
        const other = sibling(keyOfB)
        b.instead = ({ args }) => args[1] === other ? Encode.error("MOVED somewhere else") : undefined
        assert.strictEqual((yield* Client.failure(client, Redis.get(other), "ResponseError")).code, "MOVED")
      })
  )
})
