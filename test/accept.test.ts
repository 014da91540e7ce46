/**
 * Where credentials go: servers name other servers, and a client need not
 * believe them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as FakeSentinel from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

const credentials = { username: "app", password: Redacted.make("secret") } as const
const handshake = { username: "app", password: "secret" }

/** An internal service to which a client must never present itself. */
const makeVictim = FakeNode.make()

/** Its command fails as the address was not accepted, and nothing has come to the victim. */
const assertRefused = Effect.fnUntraced(function*(
  client: RedisClient.RedisClient["Service"],
  victim: FakeNode.FakeNode
) {
  const error = yield* Client.failure(client, Redis.get(FakeCluster.keyOfA), "ConnectionError")
  assert.deepStrictEqual([error.reason, error.delivery], ["NotAccepted", "not-sent"])
  assert.isFalse(RedisError.isRetryable(error))
  assert.include(error.message, `127.0.0.1:${victim.port}`)
  assert.strictEqual(victim.connections.total, 0)
})

describe("A cluster", () => {
  /** What options name, and no other port. */
  const accept = () => false

  it.live("is not followed by MOVED or ASK to an address that is not accepted", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make({ handshake })
      const victim = yield* makeVictim
      const { client } = yield* FakeCluster.client(cluster, { ...credentials, accept })
      for (const redirect of [FakeCluster.moved, FakeCluster.ask]) {
        for (const node of [a, b, c]) {
          node.instead = ({ args, name }) =>
            name === "GET" ? redirect(args[1]!, { address: `127.0.0.1:${victim.port}` }) : undefined
        }
        yield* assertRefused(client, victim)
      }
      for (const node of [a, b, c]) node.instead = undefined
      assert.strictEqual(yield* client.execute(Redis.get(FakeCluster.keyOfB)), `B:${FakeCluster.keyOfB}`)
    }).pipe(Effect.scoped))

  it.live("is not believed where it names an owner that is not accepted", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make({ handshake })
      const victim = yield* makeVictim
      FakeCluster.replace(cluster, a, { ...a, host: victim.host, port: victim.port })
      const { client } = yield* FakeCluster.client(cluster, { ...credentials, accept, commandTimeout: "3 seconds" })
      yield* assertRefused(client, victim)
      assert.strictEqual(yield* client.execute(Redis.get(FakeCluster.keyOfB)), `B:${FakeCluster.keyOfB}`)
    }).pipe(Effect.scoped))

  it.live("is used as ever where a function accepts, also one that throws for others", () =>
    Effect.gen(function*() {
      const { a, cluster } = yield* FakeCluster.make({ handshake })
      const { client } = yield* FakeCluster.client(cluster, {
        ...credentials,
        nodes: [{ host: a.host, port: a.port }],
        accept: ({ port }) => {
          if (cluster.nodes.some((node) => node.port === port)) return true
          throw new Error("what is that?")
        }
      })
      for (const [index, key] of FakeCluster.keys.entries()) {
        assert.strictEqual(yield* client.execute(Redis.get(key)), `${"ABC"[index]}:${key}`)
      }
    }).pipe(Effect.scoped))
})

describe("Sentinels", () => {
  const accepting = (...ports: ReadonlyArray<number>) => ({ port }: { readonly port: number }) => ports.includes(port)

  it.live("that name a master that is not accepted are not followed", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* FakeSentinel.make()
      const victim = yield* makeVictim
      sentinel.master = { port: victim.port }
      const client = yield* FakeSentinel.client([sentinel], { ...credentials, accept: accepting(master.port) })
      yield* assertRefused(client, victim)
    }).pipe(Effect.scoped))

  it.live("are learned from others only where they are accepted", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* FakeSentinel.make()
      const victim = yield* makeVictim
      const friend = yield* FakeSentinel.makeSentinel()
      friend.master = { port: master.port }
      sentinel.sentinels = [{ port: victim.port }, { port: friend.port }]
      const client = yield* FakeSentinel.client([sentinel], { accept: accepting(master.port, friend.port) })
      assert.strictEqual(yield* client.execute(Redis.get("k")), String(master.port))
      yield* friend.node.awaitConnections(1)
      assert.strictEqual(victim.connections.total, 0)
    }).pipe(Effect.scoped))
})
