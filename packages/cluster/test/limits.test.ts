/**
 * `Redis.withTimeout` around what goes to servers past the client; with scripted nodes.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient } from "@redfx/core"
import type { RedisError } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { turns } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

/** The two services of a program. */
interface Services {
  readonly client: RedisClient.RedisClient["Service"]
  readonly cluster: RedisCluster.RedisCluster["Service"]
}

type Call = (
  services: Services,
  address: string
) => Effect.Effect<unknown, unknown, RedisClient.RedisClient | RedisCluster.RedisCluster>

const sum = (sizes: ReadonlyMap<string, number>) => [...sizes.values()].reduce((total, size) => total + size, 0)
const merging = (services: Services) => RedisCluster.withMerge(services, Redis.dbsize, sum)

const own = "900 millis"
const limited = Redis.withTimeout("200 millis")

const limitedCalls: Readonly<Record<string, Call>> = {
  "a fan-out": () => limited(Redis.dbsize()),
  "perNode": () => limited(RedisCluster.perNode(Redis.dbsize())),
  "perNode of the service": ({ cluster }) => limited(cluster.perNode(Redis.dbsize())),
  "perNode on a reserved connection": () => limited(Redis.withConnection(RedisCluster.perNode(Redis.dbsize()))),
  "onNode": (_, address) => limited(RedisCluster.onNode(address, Redis.dbsize())),
  "onNode around it": (_, address) => RedisCluster.onNode(address, limited(Redis.dbsize())),
  "onNode within onNode": (_, address) =>
    limited(RedisCluster.onNode(address, RedisCluster.onNode(address, Redis.dbsize()))),
  "a reserved connection of one server": (_, address) =>
    limited(RedisCluster.onNode(address, Redis.withConnection(Redis.dbsize()))),
  "the client of one server": ({ cluster }, address) =>
    limited(Effect.flatMap(cluster.clientOf(address), (client) => client.execute(Redis.dbsize()))),
  "withMerge": (services) => Client.on(merging(services))(limited(Redis.dbsize())),
  "withMerge with another timeout": (services) => merging(services).withTimeout(200).execute(Redis.dbsize()),
  "withMerge of a client with another timeout": ({ client, cluster }) =>
    merging({ client: client.withTimeout(200), cluster }).execute(Redis.dbsize())
}

const otherCalls: Readonly<Record<string, Call>> = {
  "perNode": () => RedisCluster.perNode(Redis.dbsize()),
  "onNode": (_, address) => RedisCluster.onNode(address, Redis.dbsize()),
  // As that of every client that is at hand.
  "withMerge of a client from outside": (services) => limited(merging(services).execute(Redis.dbsize()))
}

/** The milliseconds after which a call gives up a server that does not answer. */
const limitOf = Effect.fnUntraced(function*(call: Call) {
  const { a, cluster: servers } = yield* FakeCluster.make()
  for (const node of servers.nodes) node.instead = ({ name }) => name === "DBSIZE" ? Encode.integer(1) : undefined
  a.instead = ({ name }) => name === "DBSIZE" ? FakeNode.stall() : undefined
  const services = yield* FakeCluster.client(servers, { commandTimeout: own })
  yield* services.cluster.refresh
  const fiber = yield* call(services, a.address).pipe(
    Effect.provideService(RedisClient.RedisClient, services.client),
    Effect.provideService(RedisCluster.RedisCluster, services.cluster),
    Effect.flip,
    Effect.forkChild({ startImmediately: true })
  )
  yield* a.node.awaitCommand("DBSIZE")
  yield* turns
  yield* TestClock.adjust("1 second")
  // Nothing but commands fails here.
  return Client.expectTag((yield* Fiber.join(fiber)) as RedisError.RedisError, "TimeoutError").milliseconds
})

describe("The limit of Redis.withTimeout", () => {
  for (const [name, call] of Object.entries(limitedCalls)) {
    it.effect(`holds for ${name}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* limitOf(call), 200)
      }))
  }
})

describe("The client's own limit", () => {
  for (const [name, call] of Object.entries(otherCalls)) {
    it.effect(`holds for ${name}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* limitOf(call), 900)
      }))
  }
})
