/**
 * Which servers a client of sentinels is connected to, and what becomes of its connections when the roles change.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError, RedisLeader, RedisLock, RedisSearch, RedisStream } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { waiting } from "@redfx/testing/Resting"
import { turns } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"

const { service } = Fake
const getK = Redis.get("k")
const setK = Redis.set("k", "v")

/** A page without elements, and a cursor that goes on. */
const scanned = ({ name }: FakeNode.Command) =>
  name.includes("SCAN") ? Encode.array([Encode.bulk("1"), Encode.array([])]) : undefined

describe("A client of the master", () => {
  it.effect("SEN-05, ENT-10: keeps its connection, and asks sentinels only when it opens one", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      const client = yield* Fake.client([sentinel])
      yield* client.execute(getK)
      // Who listens for failovers asks once more, as there may have been one before.
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      for (let i = 0; i < 20; i++) yield* client.execute(setK)
      assert.strictEqual(master.node.connections.total, 1)
      assert.strictEqual(Fake.asked(sentinel), 2)
      yield* Effect.exit(client.execute(Redis.blpop("k", 1)))
      assert.strictEqual(master.node.connections.total, 2)
      assert.strictEqual(Fake.asked(sentinel), 3)
    }))

  it.effect("SEN-06: after a loss it asks again, and connects to whoever is the master then", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel])
      yield* client.execute(getK)
      yield* Fake.failOver([sentinel], master, next)
      yield* Client.causing(client, "Disconnected", master.node.cutAll())
      assert.strictEqual(yield* client.execute(getK), String(next.port))
    }))

  it.effect("a server that is no master is not used, and who named it is asked last from then on", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinels: [wrong, right] } = yield* Fake.make({ sentinels: 2, replicas: 1 })
      wrong.master = { port: replica.port }
      const client = yield* Fake.client([wrong, right])
      const [error, { retryAfter }] = yield* Effect.gen(function*() {
        const failing = yield* Effect.forkChild(Client.failure(client, setK, "ConnectionError"))
        const event = yield* Client.causing(client, "ConnectFailed", Fiber.join(failing))
        return [yield* Fiber.join(failing), event] as const
      })
      assert.deepStrictEqual([error.reason, error.delivery], ["Demoted", "not-sent"])
      assert.isTrue(RedisError.isSafeToRetry(error))
      assert.deepStrictEqual(Fake.names(replica), ["ROLE"])
      yield* replica.node.awaitOpen(0)
      const again = yield* Effect.forkChild(client.execute(getK))
      yield* TestClock.adjust(retryAfter)
      assert.strictEqual(yield* Fiber.join(again), String(master.port))
    }))

  it.effect("who may not ask for the role has to believe the sentinels", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      master.instead = ({ name }) => name === "ROLE" ? Encode.error("NOPERM this user has no permissions") : undefined
      const client = yield* Fake.client([sentinel])
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))

  it.effect("a server that does not tell its role in time fails commands, and does not hang them", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      master.instead = ({ name }) => name === "ROLE" ? FakeNode.stall() : undefined
      const client = yield* Fake.client([sentinel], { connectTimeout: "1 second" })
      const failing = yield* Effect.forkChild(Client.failure(client, setK, "TimeoutError"))
      yield* master.node.awaitCommand("ROLE")
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(failing)
      assert.deepStrictEqual([error.phase, error.delivery], ["connect", "not-sent"])
      yield* master.node.awaitOpen(0)
    }))

  it.effect("connect: \"eager\" connects while the Layer is built, and fails it", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      yield* Fake.client([sentinel], { connect: "eager" })
      assert.strictEqual(master.node.connections.open, 1)
      sentinel.master = undefined
      const error = yield* Effect.flip(Fake.client([sentinel], { connect: "eager" }))
      assert.strictEqual(error._tag, "MasterNotFoundError")
    }))

  it.effect("SEN-26, SCF-08: checkConnection sends a PING first, and refuses who does not answer with PONG", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      const client = yield* Fake.client([sentinel], { checkConnection: true })
      yield* client.execute(getK)
      assert.deepStrictEqual(Fake.names(master), ["ROLE", "PING", "GET"])
      const plain = yield* Fake.client([sentinel])
      yield* plain.execute(getK)
      assert.deepStrictEqual(Fake.names(master).slice(3), ["ROLE", "GET"])
      master.instead = ({ name }) => name === "PING" ? Encode.simple("PANG") : undefined
      const other = yield* Fake.client([sentinel], { checkConnection: true })
      assert.strictEqual((yield* Client.failure(other, getK, "ConnectionError")).reason, "HealthCheck")
    }))

  it.effect("closing it closes every connection, to servers and to sentinels", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      yield* Effect.scoped(Effect.gen(function*() {
        const client = yield* Fake.client([sentinel])
        yield* client.execute(getK)
        yield* sentinel.node.awaitCommand("SUBSCRIBE")
        assert.strictEqual(sentinel.node.connections.open, 2)
      }))
      yield* master.node.awaitOpen(0)
      yield* sentinel.node.awaitOpen(0)
    }))
})

describe("A client of replicas", () => {
  /** The server that each new connection of a client is to. */
  const dialled = (client: Effect.Success<ReturnType<typeof Fake.client>>, nodes: ReadonlyArray<Fake.Data>) =>
    Effect.gen(function*() {
      const port = yield* client.execute(getK)
      const node = nodes.find((node) => String(node.port) === port)
      if (node === undefined) return assert.fail(`nobody is ${String(port)}`)
      yield* Client.causing(client, "Disconnected", node.node.cutAll())
      return nodes.indexOf(node)
    })

  it.effect("SEN-22: begins with any replica, and takes the next one for each new connection", () =>
    Effect.gen(function*() {
      const { master, replicas, sentinel } = yield* Fake.make({ replicas: 3 })
      const first = new Set<number>()
      for (let i = 0; i < 60 && first.size < 3; i++) {
        const client = yield* Fake.client([sentinel], { role: "replica" })
        first.add(yield* dialled(client, replicas))
      }
      assert.strictEqual(first.size, 3)
      const client = yield* Fake.client([sentinel], { role: "replica" })
      const order = [yield* dialled(client, replicas)]
      for (let i = 1; i < 6; i++) order.push(yield* dialled(client, replicas))
      assert.deepStrictEqual(order, order.map((_, i) => ((order[0] ?? 0) + i) % 3))
      assert.strictEqual(master.node.connections.total, 0)
    }))

  it.effect("SEN-22: skips a replica that refuses, and one that is none", () =>
    Effect.gen(function*() {
      const { replicas, sentinel } = yield* Fake.make({ replicas: 3 })
      const [refusing, promoted, good] = replicas
      yield* refusing.node.stopListening
      promoted.role = "master"
      for (let i = 0; i < 6; i++) {
        const client = yield* Fake.client([sentinel], { role: "replica" })
        assert.strictEqual(yield* client.execute(getK), String(good.port))
      }
      assert.strictEqual(promoted.node.connections.open, 0)
    }))

  it.effect("SEN-22, ERR-20: falls back to the master; without one it is ReplicaNotFoundError, which tells all", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      yield* replica.node.stopListening
      const client = yield* Fake.client([sentinel], { role: "replica" })
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      yield* master.node.stopListening
      const other = yield* Fake.client([sentinel], { role: "replica" })
      const error = yield* Client.failure(other, getK, "ReplicaNotFoundError")
      assert.deepStrictEqual(error.attempts.map(({ address }) => address), [
        `127.0.0.1:${replica.port}`,
        `127.0.0.1:${master.port}`
      ])
      for (const { detail } of error.attempts) assert.match(detail, /refused/)
    }))

  it.effect("pages of a scan come from one replica, however many connections are shared", () =>
    Effect.gen(function*() {
      const { replicas, sentinel } = yield* Fake.make({ replicas: 3 })
      for (const replica of replicas) replica.instead = scanned
      const client = yield* Fake.client([sentinel], { role: "replica", pool: { shared: 3 } })
      for (let i = 0; i < 6; i++) yield* client.execute(getK)
      for (let i = 0; i < 6; i++) yield* client.execute(Redis.hscan("h", "1"))
      for (let i = 0; i < 6; i++) yield* client.execute(Redis.scan("1"))
      const scans = replicas.map((replica) => Fake.names(replica).filter((name) => name.includes("SCAN")).length)
      assert.sameMembers(scans, [12, 0, 0])
    }))

  it.effect("a cursor of a search is made and read on one replica, however many connections are shared", () =>
    Effect.gen(function*() {
      const { replicas, sentinel } = yield* Fake.make({ replicas: 3 })
      const page = Encode.array([Encode.array([Encode.integer(0)]), Encode.integer(7)])
      for (const replica of replicas) replica.instead = ({ name }) => name.startsWith("FT.") ? page : undefined
      const client = yield* Fake.client([sentinel], { role: "replica", pool: { shared: 3 } })
      for (let i = 0; i < 6; i++) yield* client.execute(getK)
      for (let i = 0; i < 6; i++) yield* client.execute(RedisSearch.ftAggregateWithcursor("i", "*"))
      for (let i = 0; i < 6; i++) yield* client.execute(RedisSearch.ftCursorRead("i", 7))
      const parts = replicas.map((replica) => Fake.names(replica).filter((name) => name.startsWith("FT.")).length)
      assert.sameMembers(parts, [12, 0, 0])
    }))

  it.effect("SEN-24: a refused write is ReadOnlyError, and the connection is kept", () =>
    Effect.gen(function*() {
      const { replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { role: "replica" })
      yield* Client.failure(client, setK, "ReadOnlyError")
      assert.strictEqual(yield* client.execute(getK), String(replica.port))
      assert.strictEqual(replica.node.connections.total, 1)
    }))

  it.effect("ENT-11: both clients live in one program, each under its own tag", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const options = { sentinels: [sentinel], service } as const
      const onReplica = Redis.via(RedisSentinel.RedisReplica)
      const layers = Layer.merge(NodeRedisClient.layerSentinel(options), NodeRedisClient.layerReplica(options))
      const answers = yield* Effect.provide(Effect.all([getK, onReplica(getK)]), layers)
      assert.deepStrictEqual(answers, [String(master.port), String(replica.port)])
    }))
})

describe("readFrom: \"preferReplica\"", () => {
  it.effect("single commands that only read keys go to a replica, everything else to the master", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { readFrom: "preferReplica" })
      assert.strictEqual(yield* client.execute(getK), String(replica.port))
      assert.strictEqual(yield* client.execute(setK), true)
      yield* client.execute(Redis.ping())
      assert.deepStrictEqual(yield* client.pipeline([getK, getK]), [
        Exit.succeed(String(master.port)),
        Exit.succeed(String(master.port))
      ])
      replica.instead = ({ name }) => name === "XREAD" ? Encode.nil3 : undefined
      master.instead = scanned
      yield* client.execute(Redis.sscan("s", "1"))
      yield* client.execute(Redis.xread({ s: "0" }, { block: 1 }))
      assert.deepStrictEqual(Fake.names(master), ["ROLE", "SET", "PING", "GET", "GET", "SSCAN"])
      assert.deepStrictEqual(Fake.names(replica), ["ROLE", "PING", "GET", "ROLE", "PING", "XREAD"])
      const { exclusive, shared } = yield* client.stats
      assert.deepStrictEqual([shared, exclusive], [2, 1])
    }))

  it.effect("who has a lock or leads is the master's to say: a replica may not have heard that another has taken it", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const on = Client.on(yield* Fake.client([sentinel], { readFrom: "preferReplica" }))
      const lock = RedisLock.make("lock", { token: "ours" })
      const handle = (yield* on(lock.acquire))!
      const holding = (token: string, count: number): FakeNode.Handler => ({ name }) =>
        name === "GET" ? Encode.bulk(token) : name === "EXISTS" ? Encode.integer(count) : undefined
      master.instead = holding("theirs 1", 1)
      replica.instead = holding("ours", 0)
      assert.isFalse(yield* handle.owned)
      assert.isTrue(yield* handle.locked)
      assert.isTrue(yield* on(lock.locked))
      assert.strictEqual(yield* on(RedisLeader.make("lock").leader), "theirs")
    }))

  it.effect("what a consumer goes by is the master's: a replica may not have heard how often an entry was delivered", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { readFrom: "preferReplica" })
      const pending = (deliveries: number) =>
        Encode.array([
          Encode.array([Encode.bulk("1-1"), Encode.bulk("c"), Encode.integer(0), Encode.integer(deliveries)])
        ])
      const entry = Encode.array([Encode.bulk("1-1"), Encode.bulks(["n", "1"])])
      let isGiven = false
      const stream: FakeNode.Handler = ({ args, name }) => {
        if (name === "XGROUP") return Encode.ok
        if (name === "XPENDING") return pending(3)
        if (name === "XACK" || name === "EVAL" || name === "EVALSHA") return Encode.integer(1)
        if (name !== "XREADGROUP") return undefined
        if (args.at(-1) === ">") return FakeNode.stall()
        if (isGiven) return Encode.nil3
        isGiven = true
        return Encode.map([[Encode.bulk("s"), Encode.array([entry])]])
      }
      master.instead = stream
      replica.instead = ({ name }) => name === "XPENDING" ? pending(1) : undefined
      const handled = yield* Deferred.make<number>()
      const consumer = yield* Effect.forkChild(
        Client.on(client)(
          RedisStream.consume(
            { stream: "s", group: "g", consumer: "c", createGroup: "0", maxDeliveries: 5, deadLetter: "d" },
            ({ deliveries }) => Deferred.succeed(handled, deliveries)
          )
        )
      )
      assert.strictEqual(yield* Deferred.await(handled), 3)
      assert.notInclude(Fake.names(replica), "XPENDING")
      yield* Fiber.interrupt(consumer)
    }))

  it.effect("reads fall back to the master while there is no replica, and writes never go to one", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { readFrom: "preferReplica" })
      yield* replica.node.stopListening
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      assert.strictEqual(yield* client.execute(setK), true)
      yield* master.node.awaitConnections(2)
    }))

  it.effect("events tell of both kinds of connections, in their order, from the moment on at which somebody listens", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { readFrom: "preferReplica" })
      const seen: Array<string> = []
      const listen = Stream.runForEach(client.events, (event) =>
        Effect.sync(() => {
          if (event._tag === "Connected") seen.push(event.address)
        }))
      // The listener does nothing more in later turns than it has in the first.
      const { goOn, scheduler } = waiting()
      yield* fork(Effect.provideService(listen, Scheduler.Scheduler, scheduler))
      yield* client.execute(getK)
      yield* client.execute(setK)
      goOn()
      yield* turns
      assert.deepStrictEqual(seen, [replica, master].map(({ port }) => `127.0.0.1:${port}`))
    }))

  it.effect("after a failover reads go to the replicas that there are then", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { readFrom: "preferReplica" })
      yield* client.execute(setK)
      assert.strictEqual(yield* client.execute(getK), String(next.port))
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      yield* Fake.failOver([sentinel], master, next)
      sentinel.replicas = [{ port: master.port }]
      yield* Client.causing(client, "MasterChanged", Fake.announce(sentinel, master, next))
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      assert.strictEqual(yield* client.execute(setK), true)
    }))

  it.effect("a replica that turns out to be the master has the sentinels asked, which have not told", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { readFrom: "preferReplica", recheckInterval: "1 hour" })
      yield* client.execute(setK)
      assert.strictEqual(yield* client.execute(getK), String(next.port))
      yield* sentinel.node.awaitCommand("SUBSCRIBE", 2)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      // The sentinel still lists it as a replica.
      next.role = "master"
      yield* Client.causing(client, "Disconnected", next.node.cutAll())
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      yield* turns
      sentinel.master = { port: next.port }
      const { address } = yield* Client.causing(client, "MasterChanged", TestClock.adjust("100 millis"))
      assert.strictEqual(address, `127.0.0.1:${next.port}`)
    }))
})

describe("A master that was demoted", () => {
  it.effect("SEN-23: refuses a write: that fails as not sent, the connection is dropped, the next command asks again", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel])
      yield* client.execute(setK)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      yield* Fake.failOver([sentinel], master, next)
      const exits = yield* Client.outcomes(client, [getK, setK, getK])
      const [before, refused, after] = exits
      // The replies of one read reach their callers, also those behind the refusal.
      assert.deepStrictEqual([before, after], [Exit.succeed(String(master.port)), Exit.succeed(String(master.port))])
      const error = Client.expectTag(yield* Effect.flip(refused ?? Effect.die("no outcome")), "ConnectionError")
      assert.deepStrictEqual([error.reason, error.command, error.delivery], ["Demoted", "SET", "not-sent"])
      assert.match(error.message, /^The previous master is now a replica at 127\.0\.0\.1:/)
      assert.isTrue(RedisError.isSafeToRetry(error))
      yield* master.node.awaitOpen(0)
      assert.strictEqual(yield* client.execute(getK), String(next.port))
      assert.strictEqual(yield* client.execute(setK), true)
    }))

  it.effect("SEN-23: in a pipeline the refused commands alone fail; a transaction fails as not sent", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      const client = yield* Fake.client([sentinel])
      yield* client.execute(setK)
      master.role = "slave"
      const [read, written] = yield* client.pipeline([getK, setK])
      assert.deepStrictEqual(read, Exit.succeed(String(master.port)))
      const error = Client.expectTag(yield* Effect.flip(written ?? Effect.die("no outcome")), "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery], ["Demoted", "not-sent"])
    }))

  it.effect("TRX-11, SEN-23: a transaction that it refuses fails as not sent", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      const client = yield* Fake.client([sentinel])
      yield* client.execute(getK)
      const answers: Record<string, Uint8Array> = {
        MULTI: Encode.ok,
        SET: Encode.error("READONLY You can't write against a read only replica."),
        EXEC: Encode.error("EXECABORT Transaction discarded because of previous errors.")
      }
      master.instead = ({ name }) => answers[name]
      const error = Client.expectTag(yield* Effect.flip(client.transaction([setK])), "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery], ["Demoted", "not-sent"])
      assert.isTrue(RedisError.isSafeToRetry(error))
    }))

  for (
    const [what, line] of [
      [
        "that ends what blocks on it",
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
      ],
      [
        "that has lost its own master",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
      ]
    ] as const
  ) {
    it.effect(`SEN-23: a server ${what} is as good as demoted`, () =>
      Effect.gen(function*() {
        const { master, sentinel } = yield* Fake.make()
        const client = yield* Fake.client([sentinel])
        master.instead = ({ name }) => name === "BLPOP" ? Encode.error(line) : undefined
        const error = yield* Client.failure(client, Redis.blpop("k", 0), "ConnectionError")
        assert.deepStrictEqual([error.reason, error.delivery], ["Demoted", "not-sent"])
        yield* master.node.awaitOpen(0)
      }))
  }

  it.effect("SEN-25: a sentinel tells of it: every connection to it is closed at once, those that block too", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      master.instead = ({ args, name }) => name === "BLPOP" || args[1] === "slow" ? FakeNode.stall() : undefined
      const client = yield* Fake.client([sentinel])
      const blocked = yield* Effect.forkChild(Client.failure(client, Redis.blpop("k", 0), "ConnectionError"))
      const slow = yield* Effect.forkChild(Client.failure(client, Redis.set("slow", "v"), "ConnectionError"))
      const subscription = yield* client.pubSub.open({})
      yield* subscription.subscribe("news")
      yield* master.node.awaitCommand("BLPOP")
      yield* master.node.awaitCommand("SET")
      yield* Fake.awaitAsked(sentinel, "MASTER", 4)
      yield* Fake.failOver([sentinel], master, next)
      const event = yield* Client.causing(client, "MasterChanged", Fake.announce(sentinel, master, next))
      assert.deepStrictEqual(event, {
        _tag: "MasterChanged",
        service,
        address: `127.0.0.1:${next.port}`,
        previous: `127.0.0.1:${master.port}`
      })
      for (const fiber of [blocked, slow]) {
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual([error.reason, error.delivery], ["Demoted", "unknown"])
      }
      yield* master.node.awaitOpen(0)
      // Connections that brought nothing are followed by a pause. The subscription goes on where the master is now.
      yield* TestClock.adjust("1 second")
      yield* next.node.awaitCommand("SUBSCRIBE")
      assert.strictEqual(yield* client.execute(getK), String(next.port))
    }))

  it.effect("a subscription that was not confirmed goes on where the master is, as often as another becomes it", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const silent = ({ name }: FakeNode.Command) => name === "SUBSCRIBE" ? FakeNode.stall() : undefined
      for (const server of [master, next]) server.instead = silent
      const client = yield* Fake.client([sentinel])
      const subscription = yield* client.pubSub.open({ events: true })
      const subscribing = yield* Effect.forkChild(Effect.exit(subscription.subscribe("news")))
      yield* master.node.awaitCommand("SUBSCRIBE")
      yield* sentinel.node.awaitCommand("SUBSCRIBE", 2)
      const turn = Effect.fnUntraced(function*(from: Fake.Data, to: Fake.Data, count: number) {
        yield* Fake.failOver([sentinel], from, to)
        yield* Client.causing(client, "MasterChanged", Fake.announce(sentinel, from, to))
        yield* from.node.awaitOpen(0)
        yield* TestClock.adjust("1 second")
        yield* Effect.raceFirst(
          to.node.awaitCommand("SUBSCRIBE", count),
          Effect.map(Fiber.join(subscribing), (ended) => assert.deepStrictEqual(ended, Exit.void))
        )
      })
      yield* turn(master, next, 1)
      master.instead = undefined
      yield* turn(next, master, 2)
      assert.deepStrictEqual(yield* Fiber.join(subscribing), Exit.void)
      const first = yield* Stream.runHead(subscription.messages)
      assert.deepStrictEqual(Option.map(first, ({ _tag }) => _tag), Option.some("Subscribed"))
      // What is lost while the master stays is told, as before.
      master.instead = silent
      const failing = yield* Effect.forkChild(Effect.flip(subscription.subscribe("other")))
      yield* master.node.awaitCommand("SUBSCRIBE", 3)
      yield* master.node.cutAll()
      assert.strictEqual(Client.expectTag(yield* Fiber.join(failing), "ConnectionError").reason, "Closed")
    }))

  it.effect("SEN-25: opening a connection elsewhere closes those to the master before", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel])
      yield* client.execute(getK)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      yield* Fake.failOver([sentinel], master, next)
      next.instead = ({ name }) => name === "BLPOP" ? Encode.nil : undefined
      yield* Client.causing(client, "MasterChanged", client.execute(Redis.blpop("k", 1)))
      yield* master.node.awaitOpen(0)
    }))

  it.effect("what a sentinel tells of other services, or of what is known already, changes nothing", () =>
    Effect.gen(function*() {
      const { master, replicas: [other], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel])
      yield* client.execute(getK)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      yield* Fake.announce(sentinel, master, other, "another")
      yield* Fake.announce(sentinel, other, master)
      // From somewhere to somewhere: the sentinels are asked, and name the same master as ever.
      yield* Fake.announce(sentinel, other, other)
      yield* Fake.awaitAsked(sentinel, "MASTER", 3)
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      assert.strictEqual(master.node.connections.total, 1)
    }))

  it.effect("is found out by asking again, every ten seconds while there is a connection", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel])
      yield* client.execute(getK)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      yield* TestClock.adjust("10 seconds")
      yield* Fake.awaitAsked(sentinel, "MASTER", 3)
      yield* Fake.failOver([sentinel], master, next)
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(master.node.connections.open, 1)
      yield* Client.causing(client, "MasterChanged", TestClock.adjust("1 second"))
      yield* master.node.awaitOpen(0)
      assert.strictEqual(Fake.asked(sentinel), 4)
      // Nothing is open any more, so nobody asks.
      yield* next.node.awaitOpen(0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(Fake.asked(sentinel), 4)
    }))

  it.effect("asking again believes no sentinel that names a server which is no master", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { recheckInterval: "1 second" })
      yield* client.execute(getK)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      sentinel.master = { port: replica.port }
      yield* TestClock.adjust("1 second")
      yield* replica.node.awaitCommand("ROLE")
      yield* replica.node.awaitOpen(0)
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      assert.strictEqual(master.node.connections.total, 1)
    }))

  it.effect("every sentinel is listened to: one that hangs, and one that is lost, make nobody deaf", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinels } = yield* Fake.make({ sentinels: 3, replicas: 1 })
      const [hung, lost, third] = sentinels
      const client = yield* Fake.client(sentinels, { recheckInterval: "1 hour" })
      yield* client.execute(getK)
      for (const { node } of sentinels) yield* node.awaitCommand("SUBSCRIBE", 2)
      yield* Fake.awaitAsked(third, "MASTER", 2)
      hung.instead = () => FakeNode.stall()
      yield* lost.node.stopListening
      yield* lost.node.cutAll()
      yield* Fake.failOver([third], master, next)
      const told = yield* Effect.forkChild(
        Client.causing(client, "MasterChanged", Fake.announce(third, master, next)),
        { startImmediately: true }
      )
      yield* Fake.awaitAsked(third, "MASTER", 3)
      // So long the hung one is waited for, once.
      yield* turns
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(told)
      assert.strictEqual(yield* client.execute(getK), String(next.port))
    }))

  it.effect("clients of a group share two connections to each sentinel", () =>
    Effect.gen(function*() {
      const { sentinels } = yield* Fake.make({ sentinels: 2 })
      const group = yield* Fake.group(sentinels)
      for (let i = 0; i < 4; i++) yield* (yield* group.client({ service })).execute(getK)
      for (const { node } of sentinels) {
        yield* node.awaitCommand("SUBSCRIBE", 2)
        assert.strictEqual(node.connections.total, 2)
      }
    }))

  it.effect("a replica that is chosen is used as soon as it is the master, which the sentinels say later", () =>
    Effect.gen(function*() {
      const { master, replicas: [next, other], sentinel } = yield* Fake.make({ replicas: 2 })
      const client = yield* Fake.client([sentinel], { recheckInterval: "1 hour" })
      yield* client.execute(getK)
      yield* sentinel.node.awaitCommand("SUBSCRIBE", 2)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      yield* turns
      sentinel.master = { port: master.port, flags: "master,s_down,o_down,failover_in_progress", epoch: 3 }
      yield* Fake.choose(sentinel, next, master)
      yield* next.node.awaitCommand("ROLE")
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      yield* turns
      next.role = "master"
      yield* turns
      yield* Client.causing(client, "MasterChanged", TestClock.adjust("50 millis"))
      assert.strictEqual(yield* client.execute(getK), String(next.port))
      yield* master.node.awaitOpen(0)
      // The sentinels number it later; an answer from before it does not lead back.
      yield* TestClock.adjust("1 second")
      sentinel.master = { port: master.port, epoch: 3 }
      assert.strictEqual(yield* client.execute(getK), String(next.port))
      sentinel.master = { port: other.port, epoch: 4 }
      other.role = "master"
      yield* Client.causing(client, "MasterChanged", Fake.announce(sentinel, next, other))
      assert.strictEqual(yield* client.execute(getK), String(other.port))
    }))

  it.effect("one whose handshake ends late gets nothing, also when it was the first that was asked for", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const gate = yield* Deferred.make<void>()
      sentinel.master = { port: master.port, epoch: 1 }
      master.instead = ({ name }) =>
        name === "ROLE"
          ? [FakeNode.gate(gate), FakeNode.reply("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")]
          : undefined
      next.role = "master"
      next.instead = ({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined
      const client = yield* Fake.client([sentinel])
      const written = yield* Effect.forkChild(client.execute(setK), { startImmediately: true })
      yield* master.node.awaitCommand("ROLE")
      sentinel.master = { port: next.port, epoch: 2 }
      const popped = yield* Effect.forkChild(client.execute(Redis.blpop("k", 0)), { startImmediately: true })
      yield* next.node.awaitCommand("BLPOP")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(written), true)
      assert.notInclude(Fake.names(master), "SET")
      assert.include(Fake.names(next), "SET")
      assert.isUndefined(popped.pollUnsafe())
    }))

  it.effect("that hangs is doubted after a second of silence, and the sentinels are asked until one names another", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { recheckInterval: "1 hour" })
      yield* client.execute(getK)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      master.instead = ({ name }) => name === "GET" ? FakeNode.stall() : undefined
      const stalled = yield* Effect.forkChild(Client.failure(client, getK, "ConnectionError"))
      yield* master.node.awaitCommand("GET", 2)
      yield* TestClock.adjust("900 millis")
      assert.strictEqual(Fake.asked(sentinel), 2)
      yield* TestClock.adjust("400 millis")
      yield* Fake.awaitAsked(sentinel, "MASTER", 3)
      yield* Fake.failOver([sentinel], master, next)
      // Nobody announces it.
      yield* turns
      yield* Client.causing(client, "MasterChanged", TestClock.adjust("100 millis"))
      const error = yield* Fiber.join(stalled)
      assert.deepStrictEqual([error.reason, error.delivery], ["Demoted", "unknown"])
      assert.strictEqual(yield* client.execute(getK), String(next.port))
    }))

  it.effect("a sentinel that refuses listeners is not asked again in a storm", () =>
    Effect.gen(function*() {
      const { sentinel } = yield* Fake.make()
      sentinel.instead = ({ name }) => name === "SUBSCRIBE" ? Encode.error("NOPERM not for you") : undefined
      const client = yield* Fake.client([sentinel], { recheckInterval: "1 hour" })
      yield* client.execute(getK)
      const subscribed = () => sentinel.node.commands.filter(({ command }) => command.name === "SUBSCRIBE").length
      for (let listener = 1; listener <= 4; listener++) {
        yield* sentinel.node.awaitCommand("SUBSCRIBE", listener)
        yield* sentinel.node.awaitOpen(1)
        yield* TestClock.adjust("40 millis")
        assert.strictEqual(subscribed(), listener)
        // The longest that this pause can be, and less than it and the next one together.
        yield* TestClock.adjust(50 * 2 ** listener - 40)
      }
    }))

  it.effect("a replica that has become the master is given up by a client of replicas", () =>
    Effect.gen(function*() {
      const { master, replicas: [promoted], sentinel } = yield* Fake.make({ replicas: 1 })
      const client = yield* Fake.client([sentinel], { role: "replica" })
      assert.strictEqual(yield* client.execute(getK), String(promoted.port))
      yield* Fake.awaitAsked(sentinel, "MASTER", 1)
      yield* Client.causing(
        client,
        "MasterChanged",
        Effect.gen(function*() {
          yield* Fake.failOver([sentinel], master, promoted)
          sentinel.replicas = [{ port: master.port }]
          yield* Fake.announce(sentinel, master, promoted)
        })
      )
      yield* promoted.node.awaitOpen(0)
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))

  it.effect("a connection that was under way to the master before is not used after the change", () =>
    Effect.gen(function*() {
      const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
      const gate = yield* Deferred.make<void>()
      const client = yield* Fake.client([sentinel])
      yield* client.execute(getK)
      yield* Fake.awaitAsked(sentinel, "MASTER", 2)
      master.instead = ({ name }, connection) =>
        name === "ROLE" && connection.index > 0
          ? [FakeNode.gate(gate), FakeNode.reply("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")]
          : undefined
      next.instead = ({ name }) => name === "BLPOP" ? Encode.nil3 : undefined
      const popped = yield* Effect.forkChild(client.execute(Redis.blpop("k", 0)))
      yield* master.node.awaitCommand("ROLE", 2)
      sentinel.master = { port: next.port }
      next.role = "master"
      yield* Client.causing(client, "MasterChanged", Fake.announce(sentinel, master, next))
      // Nothing was sent, so nobody has to know of it.
      assert.isUndefined(yield* Fiber.join(popped))
      yield* Deferred.succeed(gate, undefined)
      yield* master.node.awaitOpen(0)
      assert.notInclude(Fake.names(master), "BLPOP")
    }))
})

describe("Events", () => {
  it.effect("tell of the servers that connections are to, and of none that was not used", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* Fake.make({ replicas: 1 })
      sentinel.master = { port: replica.port }
      const client = yield* Fake.client([sentinel])
      const events = yield* client.events.pipe(
        Stream.take(3),
        Stream.runCollect,
        Effect.forkScoped({ startImmediately: true })
      )
      yield* Client.failure(client, Redis.blpop("k", 1), "ConnectionError")
      sentinel.master = { port: master.port }
      master.instead = ({ name }) => name === "BLPOP" ? Encode.nil : undefined
      const popped = yield* Effect.forkChild(client.execute(Redis.blpop("k", 1)))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(popped)
      yield* Client.causing(client, "Disconnected", master.node.cutAll())
      assert.deepStrictEqual(
        (yield* Fiber.join(events)).map((event) => [event._tag, "address" in event ? event.address : ""]),
        [
          ["ConnectFailed", `127.0.0.1:${replica.port}`],
          ["Connected", `127.0.0.1:${master.port}`],
          ["Disconnected", `127.0.0.1:${master.port}`]
        ]
      )
    }))
})
