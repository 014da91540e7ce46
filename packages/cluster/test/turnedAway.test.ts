/**
 * Servers that do not let the client in, as those whose users, or whose certificates, are not yet what the others' are: what another
 * server can do costs nothing, and the rest says why at once.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"

const refuse = (...nodes: ReadonlyArray<FakeCluster.Node>): void => {
  for (const node of nodes) {
    node.instead = ({ name }) =>
      name === "HELLO" ? Encode.error("WRONGPASS invalid username-password pair or user is disabled.") : undefined
  }
}

const getA = Redis.get(keyOfA)

/** A client that `d`, a replica, has refused for nine seconds. */
const longRefused = Effect.gen(function*() {
  const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
  assert.isDefined(d)
  const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica", nodes: [a] })
  refuse(d)
  yield* client.execute(getA)
  yield* Effect.sleep("9 seconds")
  return { client, d, nodes }
})

describe("A server that refuses the client's credentials", () => {
  for (const readFrom of ["preferReplica", "any", "nearest"] as const) {
    inVirtualTime(
      `costs no read as a replica, with readFrom ${readFrom}, and is read from when it takes them`,
      () =>
        Effect.gen(function*() {
          const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
          const { client } = yield* FakeCluster.client(cluster, { readFrom, nodes: [a] })
          refuse(d!)
          const read = Effect.all([client.execute(getA), Effect.flatMap(client.pipeline([getA]), ([one]) => one!)])
          const values = yield* Effect.replicateEffect(Effect.delay(read, "50 millis"), 40)
          assert.deepStrictEqual([...new Set(values.flat())], [`A:${keyOfA}`])
          // It is asked again now and then, and not for each read.
          assert.isAtMost(d!.node.connections.total, 8)
          // Which of the two is nearer is anybody's guess.
          if (readFrom === "nearest") return
          d!.instead = undefined
          yield* Effect.repeat(Effect.delay(read, "50 millis"), { until: (values) => values.includes(`D:${keyOfA}`) })
        })
    )
  }

  inVirtualTime(
    "is asked less and less often while nothing is sent, and at once when it hangs after it has let the client in",
    () =>
      Effect.gen(function*() {
        const { client, d, nodes } = yield* longRefused
        assert.isAtMost(d.node.connections.total, 6)
        // It is asked again in some seconds.
        d.instead = undefined
        yield* (yield* nodes.clientOf(d.address)).execute(Redis.ping())
        assert.strictEqual(yield* client.execute(getA), `D:${keyOfA}`)
        d.instead = () => FakeNode.stall()
        const [time, value] = yield* Effect.timed(client.execute(getA))
        assert.strictEqual(value, `A:${keyOfA}`)
        assert.isBelow(Duration.toMillis(time), 3000)
      })
  )

  inVirtualTime(
    "is back soon when it was gone meanwhile, however often it has refused them before",
    () =>
      Effect.gen(function*() {
        const { client, d, nodes } = yield* longRefused
        yield* d.node.stopListening
        yield* Effect.flip((yield* nodes.clientOf(d.address)).execute(Redis.ping()))
        d.instead = undefined
        yield* d.node.listen
        const back = Effect.repeat(Effect.delay(client.execute(getA), "50 millis"), {
          until: (value) => value === `D:${keyOfA}`
        })
        const [time] = yield* Effect.timed(back)
        assert.isBelow(Duration.toMillis(time), 2000)
      })
  )

  inVirtualTime("is told to who reads where the master refuses them as well", () =>
    Effect.gen(function*() {
      const { a, b, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica", nodes: [b] })
      refuse(a, d!)
      yield* Client.failure(client, getA, "AuthenticationError")
      assert.strictEqual(a.node.connections.total, 1)
    }))

  inVirtualTime(
    "is told to each command after the first by the dial that it has waited for",
    () =>
      Effect.gen(function*() {
        const { a, c, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster, { nodes: [c] })
        refuse(a)
        yield* Client.failure(client, getA, "AuthenticationError")
        const before = a.node.connections.total
        for (let i = 0; i < 12; i++) yield* Client.failure(client, getA, "AuthenticationError")
        assert.strictEqual(a.node.connections.total - before, 12)
      })
  )

  inVirtualTime("is no server whose script only says so, alone or in a pipeline", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica", nodes: [a] })
      d!.instead = ({ name }) => name === "EVAL_RO" ? Encode.error("NOAUTH made up") : undefined
      const script = Redis.evalRo("return redis.error_reply('NOAUTH made up')", [keyOfA], [])
      yield* Client.failure(client, script, "AuthenticationError")
      const [outcome] = yield* client.pipeline([script])
      assert.isTrue(Exit.isFailure(outcome!))
      assert.strictEqual(yield* client.execute(getA), `D:${keyOfA}`)
      assert.isFalse(FakeCluster.log(a, d!).some((line) => line.startsWith("A EVAL_RO") || line === "D PING"))
    }))

  inVirtualTime("may have been replaced: who needs it finds the one in its place", () =>
    Effect.gen(function*() {
      type Client = RedisClient.RedisClient["Service"]
      const answers: FakeNode.Handler = ({ name }) =>
        name === "BLPOP" ? Encode.bulks([keyOfA, "v"]) : name === "DBSIZE" ? Encode.integer(1) : undefined
      for (
        const [run, expected] of [
          [(client: Client) => client.execute(getA), `X:${keyOfA}`],
          [(client: Client) => Effect.flatMap(client.pipeline([getA]), ([one]) => one!), `X:${keyOfA}`],
          [(client: Client) => client.execute(Redis.blpop(keyOfA, 1)), { key: keyOfA, value: "v" }],
          [(client: Client) => client.execute(Redis.dbsize()), 3]
        ] as const
      ) {
        const { a, c, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
        for (const node of cluster.nodes) node.instead = answers
        const { client, cluster: servers } = yield* FakeCluster.client(cluster, { nodes: [c] })
        yield* servers.refresh
        refuse(a)
        FakeCluster.replace(cluster, a, x!)
        assert.deepStrictEqual(yield* run(client), expected)
      }
    }))

  inVirtualTime(
    "may have been replaced also where it refused them once long ago, and a topology was read a moment ago",
    () =>
      Effect.gen(function*() {
        const { a, c, cluster, others: [x] } = yield* FakeCluster.make({ extra: 1 })
        assert.isDefined(x)
        const { client, cluster: servers } = yield* FakeCluster.client(cluster, { nodes: [c] })
        yield* servers.refresh
        refuse(a)
        yield* Client.failure(client, getA, "AuthenticationError")
        yield* Effect.sleep("5 seconds")
        yield* servers.refresh
        FakeCluster.replace(cluster, a, x)
        assert.strictEqual(yield* client.execute(getA), `X:${keyOfA}`)
      })
  )

  inVirtualTime("leaves what any server does to the others, as long as there is one", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { nodes: [c] })
      refuse(a, b)
      c.instead = ({ name }) => name === "TIME" ? Encode.bulks(["1", "2"]) : undefined
      yield* Effect.replicateEffect(client.execute(Redis.time()), 20)
      refuse(c)
      yield* c.node.cutAll()
      yield* Client.failure(client, Redis.time(), "AuthenticationError")
    }))

  inVirtualTime("leaves the messages of its channels to another, until it takes them", () =>
    Effect.gen(function*() {
      const { a, c, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { nodes: [c] })
      const takes: FakeNode.Handler = ({ name }) => name === "PUBLISH" ? Encode.integer(0) : undefined
      for (const node of cluster.nodes) node.instead = takes
      refuse(a)
      const publish = Redis.publish(keyOfA, "m")
      for (let i = 0; i < 3; i++) {
        yield* client.execute(publish)
        for (const outcome of yield* client.pipeline([publish, publish])) assert.isTrue(Exit.isSuccess(outcome))
      }
      // What is for a slot, and not for everybody, has its server.
      yield* Client.failure(client, Redis.spublish(keyOfA, "m"), "AuthenticationError")
      const published = () => FakeCluster.log(a).includes(`A PUBLISH ${keyOfA} m`)
      assert.isFalse(published())
      a.instead = takes
      yield* Effect.repeat(Effect.delay(client.execute(publish), "50 millis"), { until: published })
    }))

  inVirtualTime("leaves subscriptions to the others", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster, others } = yield* FakeCluster.make({ replicas: true })
      c.instead = ({ args: [, channel = ""], name }) =>
        name === "SUBSCRIBE"
          ? Encode.push([Encode.bulk("subscribe"), Encode.bulk(channel), Encode.integer(1)])
          : undefined
      refuse(a, b, ...others)
      const subscribed = Effect.gen(function*() {
        const { client } = yield* FakeCluster.client(cluster, { nodes: [c] })
        const head = Stream.runHead(Redis.subscribe("news", { events: true }))
        yield* Effect.provideService(head, RedisClient.RedisClient, client)
      })
      yield* Effect.replicateEffect(Effect.scoped(subscribed), 5)
    }))
})
