/**
 * One program, configured by a URL and by the environment, with credentials that change while it runs.
 */
import { Redis } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { findRedisServer } from "../scripts/redis-server.ts"

const whoami = Effect.gen(function*() {
  const { db, name, user } = yield* Redis.clientInfo()
  return `user ${user}, database ${db}, named ${name === "" ? "nothing" : name}`
})

const byUrl = Effect.gen(function*() {
  const { host, port } = yield* RedisServer.RedisServer
  const url = Redacted.make(`redis://ada:lovelace@${host}:${port}/2?client_name=by-url`)
  yield* Console.log("by a URL:", yield* Effect.provide(whoami, NodeRedisClient.layerUrl(url)))
})

const byEnvironment = Effect.gen(function*() {
  const { host, port } = yield* RedisServer.RedisServer
  // What the process has in its environment otherwise.
  const env = { REDIS_URL: `redis://${host}:${port}`, REDIS_USERNAME: "ada", REDIS_PASSWORD: "lovelace", REDIS_DB: "3" }
  const found = yield* Effect.provide(whoami, NodeRedisClient.layerConfig()).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
  )
  yield* Console.log("by the environment:", found)
})

const changing = Effect.gen(function*() {
  const { host, port } = yield* RedisServer.RedisServer
  const token = yield* SubscriptionRef.make<RedisConfig.Credentials>({
    username: "ada",
    password: Redacted.make("lovelace")
  })
  const program = Effect.gen(function*() {
    yield* Console.log("before:", yield* whoami)
    yield* SubscriptionRef.set(token, { username: "grace", password: Redacted.make("hopper") })
    const id = yield* Redis.clientId()
    yield* Effect.repeat(Redis.aclWhoami(), { until: (name) => name === "grace" })
    yield* Console.log("after, on the same connection:", id === (yield* Redis.clientId()), yield* whoami)
  })
  yield* Effect.provide(program, NodeRedisClient.layer({ host, port, credentials: SubscriptionRef.changes(token) }))
})

const acl = ["user ada on >lovelace ~* +@all", "user grace on >hopper ~* +@all"]

await Effect.runPromise(
  Effect.all([byUrl, byEnvironment, changing], { discard: true }).pipe(
    Effect.provide(RedisServer.layer({ binary: findRedisServer(), acl }))
  )
)
