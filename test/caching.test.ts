/**
 * Answers that a client keeps, on real servers: what comes from the cache, and
 * what drops it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCache } from "@redfx/core"
import type { RedisClient, RedisConfig } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Client from "./harness/Client.ts"

const server = RedisServer.layer()
const made = (options: RedisConfig.ConnectionOptions = {}) =>
  Effect.flatMap(RedisServer.RedisServer, (server) => Client.make(server, options))

/** How often the server has run a command. */
const callsOf = (client: RedisClient.Service, name: string) =>
  Effect.map(
    client.execute(Redis.info("commandstats")),
    (info) => {
      const stats = Object.entries(info).flatMap(([, section]) => Object.entries(section as Record<string, unknown>))
      return String(stats.find(([key]) => key === `cmdstat_${name}`)?.[1] ?? "")
    }
  )

const hits = (client: RedisClient.Service) =>
  Effect.map(Client.on(client)(RedisCache.stats), ({ hits, joined, misses }) => ({ hits, joined, misses }))

const ttl = "1 minute"
const cachedGet = (key: string) => Redis.cached(Redis.get(key), { ttl })

describe("Caching", () => {
  it.layer(server)((it) => {
    it.effect("a read is answered once by the server, then by the cache", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* client.execute(Redis.set("a", "1"))
        for (let i = 0; i < 3; i++) assert.strictEqual(yield* client.execute(cachedGet("a")), "1")
        assert.deepStrictEqual(yield* hits(client), { hits: 2, joined: 0, misses: 1 })
      }))

    it.effect("another client's write is seen", () =>
      Effect.gen(function*() {
        const client = yield* made()
        const other = yield* made()
        yield* client.execute(Redis.set("b", "1"))
        yield* client.execute(cachedGet("b"))
        yield* other.execute(Redis.set("b", "2"))
        yield* client.execute(Redis.ping())
        assert.strictEqual(yield* client.execute(cachedGet("b")), "2")
      }))

    it.effect("own writes are seen at once, whatever connection they went over", () =>
      Effect.gen(function*() {
        const client = yield* made({ pool: { shared: 3 } })
        for (let i = 0; i < 200; i++) {
          yield* client.execute(Redis.set("c", i))
          for (let j = 0; j < 4; j++) assert.strictEqual(yield* client.execute(cachedGet("c")), String(i))
        }
      }))

    it.effect("many callers of what is missing make one request", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* client.execute(Redis.set("d", "1"))
        const values = yield* Effect.all(Array.from({ length: 1000 }, () => client.execute(cachedGet("d"))), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(new Set(values), new Set(["1"]))
        assert.deepStrictEqual(yield* hits(client), { hits: 0, joined: 999, misses: 1 })
      }))
  })
})
void callsOf
void Fiber
void Stream
