/**
 * Clusters of many scripted servers, many of which hang at the same time: nobody waits for one after the other.
 */
import { assert, describe } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisError } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Subscriber from "@redfx/testing/Subscriber"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Stream from "effect/Stream"

const slots = 16_384

/** So many masters, each with a part of the slots, and their replicas on request. */
const make = Effect.fnUntraced(function*(count: number, { replicas = false }: { readonly replicas?: boolean } = {}) {
  const named = (letter: string) =>
    Effect.forEach(
      Array.from({ length: count }, (_, index) => `${letter}${index}`),
      (name) => FakeCluster.makeNode(name, () => cluster, { handshake: { mode: "cluster" } })
    )
  const masters: ReadonlyArray<FakeCluster.Node> = yield* named("m")
  const copies: ReadonlyArray<FakeCluster.Node> = replicas ? yield* named("r") : []
  copies.forEach((copy, index) => copy.master = masters[index])
  const cluster: FakeCluster.FakeCluster = {
    nodes: [...masters, ...copies],
    told: masters.map((master, index) => ({
      start: Math.ceil(slots * index / count),
      end: Math.ceil(slots * (index + 1) / count) - 1,
      master,
      replicas: copies.slice(index, index + 1)
    })),
    owners: new Map(),
    fullCoverage: false
  }
  return { cluster, masters, copies }
})

/** A key of each range. */
const keysOf = ({ told }: FakeCluster.FakeCluster): ReadonlyArray<string> =>
  told.map(({ end, start }) => {
    for (let i = 0;; i++) {
      const slot = FakeCluster.slotOf(`k${i}`)
      if (start <= slot && slot <= end) return `k${i}`
    }
  })

/** The milliseconds that an effect takes, of the time of the test. */
const timeOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const began = yield* Clock.currentTimeMillis
    yield* effect
    return (yield* Clock.currentTimeMillis) - began
  })

/** The error of an outcome. */
const errorOf = (outcome: Exit.Exit<unknown, RedisError.RedisError>) => Effect.runSync(Effect.flip(outcome))

describe("Many servers", () => {
  inVirtualTime(
    "that hang are found out at the same time, and the reads that they owe are read from their masters",
    () =>
      Effect.gen(function*() {
        const { cluster, copies } = yield* make(20, { replicas: true })
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
        const reads = Effect.forEach(keysOf(cluster), (key) => client.execute(Redis.get(key)), {
          concurrency: "unbounded"
        })
        const before = yield* reads
        assert.isTrue(before.every((value) => value?.startsWith("r")))
        for (const copy of copies) copy.instead = () => FakeNode.stall()
        // About a second of silence, and half a second for a PING.
        assert.isBelow(yield* timeOf(reads), 2500)
      })
  )

  inVirtualTime("of the options that do not answer do not hold up the one that does", () =>
    Effect.gen(function*() {
      const { cluster, masters } = yield* make(60)
      for (const master of masters.slice(0, -1)) master.instead = () => FakeNode.stall()
      const { client } = yield* FakeCluster.client(cluster)
      const [last = ""] = keysOf(cluster).slice(-1)
      assert.isBelow(yield* timeOf(client.execute(Redis.get(last))), 2000)
    }))

  for (const count of [1, 40]) {
    inVirtualTime(
      `of which ${count} hang keep nobody for long from what the others know, although there are connections to all`,
      () =>
        Effect.gen(function*() {
          const { cluster, masters } = yield* make(count + 1)
          const { client, cluster: nodes } = yield* FakeCluster.client(cluster)
          const [first = ""] = keysOf(cluster)
          yield* nodes.perNode(Redis.ping())
          for (const master of masters.slice(0, count)) master.instead = () => FakeNode.stall()
          cluster.told = masters.slice(count).map((master) => ({ start: 0, end: slots - 1, master }))
          yield* Effect.forkChild(nodes.perNode(Redis.ping()))
          // About a second of silence, and half a second for a PING.
          assert.isBelow(yield* timeOf(client.execute(Redis.get(first))), 2500)
        })
    )
  }

  inVirtualTime("that are only slow are not all asked", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const slow = {
        _tag: "Wait",
        until: Effect.provideService(Effect.sleep("2 seconds"), Clock.Clock, clock)
      } as const
      const { cluster, masters } = yield* make(30)
      for (const master of masters) {
        master.instead = ({ name }) =>
          name === "CLUSTER" ? [slow, FakeNode.reply(FakeCluster.slots(cluster.told))] : undefined
      }
      const { cluster: nodes } = yield* FakeCluster.client(cluster)
      yield* nodes.refresh
      // One every 300 ms.
      assert.isAtMost(FakeCluster.readings(cluster), 8)
    }))

  inVirtualTime(
    "that say that the cluster is down are waited for once by all commands of a pipeline",
    () =>
      Effect.gen(function*() {
        const clock = yield* Clock.Clock
        let sleeps = 0
        const counting = Object.create(clock, {
          sleep: {
            value: (duration: Parameters<Clock.Clock["sleep"]>[0]) => {
              sleeps++
              return clock.sleep(duration)
            }
          }
        }) as Clock.Clock
        const { cluster, masters } = yield* make(3)
        const { client } = yield* Effect.provideService(FakeCluster.client(cluster), Clock.Clock, counting)
        yield* client.execute(Redis.get("k"))
        for (const master of masters) {
          master.instead = ({ name }) => name === "GET" ? FakeCluster.clusterDown : undefined
        }
        sleeps = 0
        const outcomes = yield* client.pipeline(Array.from({ length: 500 }, (_, i) => Redis.get(`k${i}`)))
        assert.isTrue(outcomes.every((outcome) => errorOf(outcome)._tag === "ClusterDownError"))
        // The readings and the questions of 2.5 seconds sleep as well.
        assert.isBelow(sleeps, 500)
      })
  )

  inVirtualTime(
    "are named by the errors of what they owe, and the commands by their indexes",
    () =>
      Effect.gen(function*() {
        const { cluster, masters: [, hanging] } = yield* make(3)
        assert.isDefined(hanging)
        const { client } = yield* FakeCluster.client(cluster, { commandTimeout: "300 millis" })
        const keys = keysOf(cluster)
        yield* Effect.forEach(keys, (key) => client.execute(Redis.get(key)))
        hanging.instead = () => FakeNode.stall()
        const late = { _tag: "TimeoutError", phase: "read", address: hanging.address } as const
        const [first, second, third] = yield* Client.on(client)(
          Redis.pipelineSettled(keys.map((key) => Redis.get(key)))
        )
        assert(first !== undefined && second !== undefined && third !== undefined)
        assert.isTrue(Result.isSuccess(first) && Result.isSuccess(third) && Result.isFailure(second))
        assert.deepInclude(yield* Effect.flip(Effect.fromResult(second)), { ...late, index: 1 })
        assert.deepInclude(yield* Effect.flip(client.execute(Redis.get(keys[1] ?? ""))), late)
        assert.deepInclude(yield* Effect.flip(client.execute(Redis.dbsize())), late)
      })
  )

  inVirtualTime(
    "are named by cached reads too, and not by a command that was sent on and has not been written",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, {
          commandTimeout: "400 millis",
          limits: { inFlightCommands: 1 }
        })
        yield* client.execute(Redis.get(FakeCluster.keyOfA))
        yield* client.execute(Redis.get(FakeCluster.keyOfB))
        b.instead = ({ name }) => name === "GET" ? FakeNode.stall() : undefined
        const late = { _tag: "TimeoutError", phase: "read", address: b.address } as const
        const cached = Redis.cached(Redis.get(FakeCluster.keyOfB), { ttl: "1 minute" })
        assert.deepInclude(yield* Effect.flip(client.execute(cached)), late)
        yield* Effect.forkChild(Effect.exit(client.execute(Redis.get(FakeCluster.keyOfB))), { startImmediately: true })
        a.instead = ({ name }) => name === "GET" ? FakeCluster.moved(FakeCluster.keyOfA, b) : undefined
        const error = yield* Effect.flip(client.execute(Redis.get(FakeCluster.keyOfA)))
        assert.strictEqual(error._tag, "TimeoutError")
        assert.notProperty(error, "address")
      })
  )

  inVirtualTime(
    "give up shard channels one after the other: the topology is read twenty times a second all the same",
    () =>
      Effect.gen(function*() {
        const { cluster, masters } = yield* make(2)
        const [from, to] = masters
        assert.isDefined(from)
        assert.isDefined(to)
        const pushed = (verb: string, channel: string) =>
          Encode.push([Encode.bulk(verb), Encode.bulk(channel), Encode.integer(1)])
        for (const master of masters) {
          master.instead = ({ args: [, ...channels], name }) =>
            name === "SSUBSCRIBE"
              ? Encode.concat(...channels.map((channel) => pushed("ssubscribe", channel)))
              : undefined
        }
        const { client, cluster: nodes } = yield* FakeCluster.client(cluster)
        yield* nodes.refresh
        const channels = Array.from({ length: 400 }, (_, i) => `c${i}`).filter((channel) =>
          FakeCluster.slotOf(channel) < slots / 2
        ).slice(0, 100)
        const subscription = yield* client.pubSub.open({})
        yield* Subscriber.consume(subscription.messages as Stream.Stream<never>)
        yield* subscription.ssubscribe(...channels as [string, ...Array<string>])
        const { connection } = yield* from.node.awaitCommand("SSUBSCRIBE")
        const before = FakeCluster.readings(cluster)
        for (const channel of channels) {
          cluster.told = FakeCluster.withOwner(cluster.told, channel, to)
          yield* from.node.push(connection, pushed("sunsubscribe", channel))
          yield* Effect.sleep("10 millis")
        }
        yield* to.node.awaitCommand(({ args }) => args.includes(channels.at(-1) ?? ""))
        // In a second.
        assert.isAtMost(FakeCluster.readings(cluster) - before, 24)
      })
  )
})
