/**
 * Whatever call meets a failure, the client of a cluster learns from it; with
 * scripted nodes.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import type { RedisError } from "@redfx/core"
import { Redis, RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC, sibling } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as VirtualTime from "@redfx/testing/VirtualTime"
import { inVirtualTime, pass, passing, timed } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

type Call = Effect.Effect<unknown, unknown, RedisClient.RedisClient | RedisCluster.RedisCluster>

/** The ways in which a program uses the server of `keyOfA`. */
const reads: Readonly<Record<string, Call>> = {
  "a single command": Redis.get(keyOfA),
  "a pipeline": Redis.pipeline([Redis.get(keyOfA), Redis.get(sibling(keyOfA))]),
  "a transaction": Redis.transaction([Redis.get(keyOfA)]),
  "a split command": Redis.mget(keyOfA, keyOfB),
  "a blocking command": Redis.blpop([keyOfA], 1),
  "a reserved connection": Redis.withConnection(Redis.get(keyOfA)),
  "a watch": Redis.watch(keyOfA, Effect.succeed([Redis.get(keyOfA)])),
  "a fan-out": Redis.dbsize(),
  "perNode": RedisCluster.perNode(Redis.dbsize()),
  "one server": Effect.flatMap(
    RedisCluster.RedisCluster,
    (cluster) =>
      Effect.flatMap(cluster.nodeOf(keyOfA), (address) => RedisCluster.onNode(address ?? "", Redis.get(keyOfA)))
  )
}

const writes: Readonly<Record<string, Call>> = {
  "a single command": Redis.set(keyOfA, "v"),
  "a pipeline": Redis.pipeline([Redis.set(keyOfA, "v")]),
  "a transaction": Redis.transaction([Redis.set(keyOfA, "v")]),
  "a split command": Redis.mset({ [keyOfA]: "v", [keyOfB]: "v" }),
  "a blocking command": Redis.blpop([keyOfA], 1),
  "a reserved connection": Redis.withConnection(Redis.set(keyOfA, "v")),
  "a fan-out": Redis.scriptFlush(),
  "perNode": RedisCluster.perNode(Redis.scriptFlush())
}

/** What nodes answer to commands that they do not know otherwise. */
const answering = ({ name }: FakeNode.Command, connection: FakeNode.Connection) => {
  if (name === "MULTI" || name === "SCRIPT" || name === "MSET" || name === "UNWATCH") return Encode.ok
  if (name === "EXEC") return Encode.array([Encode.ok])
  if (name === "DBSIZE") return Encode.integer(1)
  if (name === "MGET") return Encode.bulks(["v"])
  if (name === "BLPOP") return Encode.bulks([keyOfA, "v"])
  return connection.commands.at(-1)?.name === "MULTI" ? Encode.simple("QUEUED") : undefined
}

const using = new Set([
  "GET",
  "SET",
  "MGET",
  "MSET",
  "EXEC",
  "BLPOP",
  "DBSIZE",
  "SCRIPT",
  "WATCH"
])

const start = Effect.fnUntraced(function*(options: Parameters<typeof FakeCluster.client>[1] = {}) {
  const made = yield* FakeCluster.make({ replicas: true })
  const { cluster } = made
  for (const node of cluster.nodes) node.instead = answering
  const { client, cluster: nodes } = yield* FakeCluster.client(cluster, options)
  const run = <A, E>(effect: Effect.Effect<A, E, RedisClient.RedisClient | RedisCluster.RedisCluster>) =>
    effect.pipe(
      Effect.provideService(RedisClient.RedisClient, client),
      Effect.provideService(RedisCluster.RedisCluster, nodes)
    )
  yield* nodes.refresh
  return { ...made, client, nodes, run }
})

describe("A server that does not answer", () => {
  for (const [name, call] of Object.entries(reads)) {
    it.effect(`${name} has the topology read, as its time is up`, () =>
      Effect.gen(function*() {
        const { a, b, client, cluster, nodes, run } = yield* start({
          commandTimeout: "100 millis",
          refreshInterval: "1 hour"
        })
        yield* passing(run(call))
        yield* passing(nodes.refresh)
        a.instead = (command, connection) => using.has(command.name) ? FakeNode.stall() : answering(command, connection)
        FakeCluster.replace(cluster, a, b)
        const { exit, time } = yield* passing(Client.causing(client, "TopologyChanged", Effect.exit(run(call))))
        assert.strictEqual(exit._tag, "Success", String(exit))
        assert.isBelow(time, 2000)
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), b.address)
      }))
  }
})

describe("A server that is gone", () => {
  for (const [name, call] of Object.entries({ ...reads, ...writes })) {
    if (name === "one server") continue
    it.effect(`${name} goes to the one that has taken its place`, () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d], run } = yield* start({ refreshInterval: "1 hour" })
        yield* run(call)
        yield* a.node.stopListening
        yield* a.node.cutAll("reset")
        yield* pass(30)
        const pending = yield* Effect.forkChild(run(call), { startImmediately: true })
        yield* pass(300)
        assert.isUndefined(pending.pollUnsafe())
        FakeCluster.replace(cluster, a, d!)
        const { exit, time } = yield* timed(pending)
        assert.strictEqual(exit._tag, "Success", String(exit))
        assert.isBelow(time, 400)
      }))
  }

  it.effect("costs reads from replicas nothing, be it the replica that is gone", () =>
    Effect.gen(function*() {
      const { others: [d], run } = yield* start({ readFrom: "preferReplica" })
      yield* run(Redis.get(keyOfA))
      yield* d!.node.stopListening
      yield* d!.node.cutAll("reset")
      for (let i = 0; i < 20; i++) {
        const { exit, time } = yield* passing(run(Redis.get(keyOfA)))
        assert.strictEqual(exit._tag, "Success", String(exit))
        assert.isBelow(time, 100)
      }
    }))
})

describe("A replica that stands still", () => {
  it.effect("is not read from any more, and what it owes is read elsewhere", () =>
    Effect.gen(function*() {
      const { a, others: [d], run } = yield* start({ readFrom: "preferReplica" })
      yield* run(Redis.get(keyOfA))
      d!.instead = () => FakeNode.stall()
      const { exit, time } = yield* passing(run(Redis.get(keyOfA)))
      assert.deepStrictEqual(exit, Exit.succeed(`A:${keyOfA}`))
      assert.isBelow(time, 2500)
      const asked = FakeCluster.log(a).length
      let taken = 0
      for (let i = 0; i < 10; i++) taken += (yield* passing(run(Redis.get(keyOfA)))).time
      assert.isBelow(taken, 200)
      assert.strictEqual(FakeCluster.log(a).length, asked + 10)
    }))
})

describe("A master that stands still", () => {
  it.effect("what it owes waits for another in its place like what was not sent, and is given up then", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d], run } = yield* start({ refreshInterval: "1 hour" })
      a.instead = () => FakeNode.stall()
      const pending = yield* Effect.forkChild(Effect.result(run(Redis.set(keyOfA, "v"))), { startImmediately: true })
      // It is down after a second of silence and a PING that was not answered.
      yield* pass(2000)
      const before = FakeCluster.readings(cluster)
      yield* pass(2000)
      assert.isAbove(FakeCluster.readings(cluster) - before, 8)
      FakeCluster.replace(cluster, a, d!)
      const { time } = yield* timed(pending)
      const result = yield* Fiber.join(pending)
      assert.isBelow(time, 400)
      assert.strictEqual(result._tag === "Failure" && result.failure._tag, "ConnectionError")
    }))
})

describe("A server that is slow as a rule", () => {
  it.effect("is not suspect for what it always takes", () =>
    Effect.gen(function*() {
      const { a, cluster, run } = yield* start({ refreshInterval: "1 hour" })
      const delay = yield* VirtualTime.delay
      const takes = (milliseconds: number): FakeNode.Handler => (command, connection) =>
        command.name === "GET"
          ? [delay(milliseconds), FakeNode.reply(Encode.bulk("v"))]
          : answering(command, connection)
      a.instead = takes(900)
      yield* passing(run(Redis.get(keyOfA)))
      a.instead = takes(1400)
      const before = FakeCluster.readings(cluster)
      const { exit } = yield* passing(run(Redis.get(keyOfA)))
      assert.deepStrictEqual(exit, Exit.succeed("v"))
      assert.strictEqual(FakeCluster.readings(cluster), before)
    }))
})

describe("What servers say of themselves means the same", () => {
  const codes = {
    READONLY: "READONLY You can't write against a read only replica.",
    MASTERDOWN: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    CLUSTERDOWN: "CLUSTERDOWN The cluster is down",
    TRYAGAIN: "TRYAGAIN Multiple keys request during rehashing of slot"
  }
  for (const [code, line] of Object.entries(codes)) {
    for (const [name, call] of Object.entries(writes)) {
      inVirtualTime(`${code}, once, to ${name}: it is sent again`, () =>
        Effect.gen(function*() {
          const { a, run } = yield* start()
          let refused = 0
          a.instead = (command, connection) =>
            using.has(command.name) && refused++ === 0 ? Encode.error(line) : answering(command, connection)
          yield* run(call)
          assert.isAtLeast(refused, 2)
        }))
    }
  }

  for (const [name, call] of Object.entries(writes)) {
    inVirtualTime(`LOADING, to ${name}: is the caller's to wait for`, () =>
      Effect.gen(function*() {
        const { a, run } = yield* start()
        a.instead = (command, connection) =>
          using.has(command.name)
            ? Encode.error("LOADING Redis is loading the dataset in memory")
            : answering(command, connection)
        const error = yield* Effect.flip(run(call))
        assert.strictEqual((error as RedisError.RedisError)._tag, "BusyLoadingError", String(error))
      }))
  }

  inVirtualTime("READONLY of a master that is none any more is followed as not sent", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d], run } = yield* start()
      a.instead = (command, connection) =>
        command.name === "SET"
          ? Encode.error("READONLY You can't write against a read only replica.")
          : answering(command, connection)
      FakeCluster.replace(cluster, a, d!)
      yield* run(Redis.set(keyOfA, "v"))
      assert.strictEqual(FakeCluster.log(a).filter((line) => line.includes("SET")).length, 1)
      assert.strictEqual(FakeCluster.log(d!).filter((line) => line.includes("SET")).length, 1)
    }))

  inVirtualTime("code that makes up errors is run once", () =>
    Effect.gen(function*() {
      const { a, b, run } = yield* start()
      const made = [
        "TRYAGAIN later",
        "CLUSTERDOWN of mine",
        "READONLY of mine",
        "LOADING of mine",
        `MOVED 1 ${b.address}`,
        `MOVED ${FakeCluster.slotOf(keyOfA)} ${a.address}`
      ]
      for (const line of made) {
        const calls: ReadonlyArray<Call> = [
          Redis.eval("…", [keyOfA]),
          Redis.pipeline([Redis.eval("…", [keyOfA])]),
          Redis.withConnection(Redis.eval("…", [keyOfA]))
        ]
        for (const call of calls) {
          let times = 0
          a.instead = (command, connection) => {
            if (command.name !== "EVAL") return answering(command, connection)
            times++
            return Encode.error(line)
          }
          yield* Effect.flip(run(call))
          assert.strictEqual(times, 1, line)
        }
      }
    }))
})

describe("MOVED", () => {
  inVirtualTime("to the server that answered opens a new connection, once", () =>
    Effect.gen(function*() {
      const { a, b, client, cluster, run } = yield* start()
      yield* run(Redis.get(keyOfA))
      const old = a.node.connections.total
      a.instead = (command, connection) =>
        command.name === "GET" && connection.index < old
          ? FakeCluster.moved(keyOfA, a)
          : answering(command, connection)
      const asked = b.node.commands.length
      const outcomes = yield* Client.outcomes(client, Array.from({ length: 100 }, () => Redis.get(keyOfA)))
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Success"))
      assert.strictEqual(a.node.connections.total, old + 1)
      yield* Effect.sleep("300 millis")
      assert.isAbove(
        [...cluster.nodes].filter((node) => node !== a).reduce((sum, { node }) => sum + node.commands.length, 0),
        asked
      )
      a.instead = ({ name }) => name === "GET" ? FakeCluster.moved(keyOfA, a) : undefined
      yield* Client.failure(client, Redis.get(keyOfA), "ClusterRetriesExhaustedError")
      assert.isAtMost(a.node.connections.total, old + 2)
    }))

  inVirtualTime("to a server whose name nobody knows has the topology read", () =>
    Effect.gen(function*() {
      const { a, b, cluster, run } = yield* start()
      a.instead = (command, connection) =>
        command.name === "GET"
          ? Encode.error(`MOVED ${FakeCluster.slotOf(keyOfA)} ?:${b.port}`)
          : answering(command, connection)
      FakeCluster.replace(cluster, a, b)
      assert.strictEqual(yield* run(Redis.get(keyOfA)), `B:${keyOfA}`)
    }))
})

describe("A connection of one's own", () => {
  inVirtualTime(
    "is dialled again when it ends before the server says anything, also for a write",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        let cuts = 0
        a.instead = ({ name }) => name === "HELLO" && cuts++ < 2 ? FakeNode.cut("reset") : undefined
        const { client } = yield* FakeCluster.client(cluster, { nodes: [b] })
        const run = Redis.withConnection(Redis.set(keyOfA, "v"))
        yield* Effect.provideService(run, RedisClient.RedisClient, client)
        assert.isAtLeast(cuts, 3)
        assert.deepStrictEqual(FakeCluster.log(a), [`A SET ${keyOfA} v`])
      })
  )

  inVirtualTime(
    "to one server teaches the client of the cluster what that server says of itself",
    () =>
      Effect.gen(function*() {
        const { a, client, cluster, nodes, others: [d] } = yield* start({ refreshInterval: "1 hour" })
        a.instead = (command, connection) =>
          command.name === "SET"
            ? Encode.error("READONLY You can't write against a read only replica.")
            : answering(command, connection)
        const own = yield* nodes.clientOf(a.address)
        FakeCluster.replace(cluster, a, d!)
        const write = Effect.flatMap(own.reserve, (reserved) => reserved.execute(Redis.set(keyOfA, "v")))
        yield* Client.causing(client, "TopologyChanged", Effect.flip(Effect.scoped(write)))
        assert.strictEqual(yield* nodes.nodeOf(keyOfA), d!.address)
      })
  )

  inVirtualTime(
    "to a server that has lost the slot is demoted, and a watch is run again",
    () =>
      Effect.gen(function*() {
        const { a, cluster, nodes, others: [d], run } = yield* start()
        const failover = Effect.suspend(() => {
          FakeCluster.replace(cluster, a, d!)
          return nodes.refresh
        })
        let runs = 0
        yield* run(Redis.watch(
          keyOfA,
          Effect.gen(function*() {
            yield* Redis.get(keyOfA)
            if (runs++ === 0) yield* failover
            return [Redis.get(keyOfA)]
          })
        ))
        assert.strictEqual(runs, 2)
        const back = Effect.suspend(() => {
          FakeCluster.replace(cluster, d!, a)
          return nodes.refresh
        })
        const held = yield* Effect.flip(
          run(Redis.withConnection(Effect.andThen(Redis.get(keyOfA), Effect.andThen(back, Redis.incr(keyOfA)))))
        )
        assert.deepInclude(Client.expectTag(held, "ConnectionError"), {
          reason: "Demoted",
          delivery: "not-sent",
          command: "INCR"
        })
        // A key that never was there is the program's mistake.
        const mistake = yield* Effect.flip(
          run(Redis.withConnection(Effect.andThen(Redis.get(keyOfA), Redis.get(keyOfC))))
        )
        assert.strictEqual(mistake._tag, "ClusterUnsupportedError")
      })
  )
})
