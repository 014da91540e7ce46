/**
 * Client-side caches side by side: hits, misses that a thousand callers wait
 * for, invalidations, and the memory of an answer. `node src/caching.ts`.
 *
 * Rounds are paired, one client after the other. The figures are processor time
 * of this process, which varies less than the time of day on a machine that
 * others use too; invalidations are by the time of day, as the server has its
 * part in them.
 */
import { Redis, RedisCache } from "@redfx/core"
import type { RedisClient, RedisCommand } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { performance } from "node:perf_hooks"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import { BasicClientSideCache, createClient } from "redis"
import { value } from "./data.ts"
import { collectGarbage } from "./garbage.ts"
import { startServer } from "./server.ts"
import type { Address } from "./session.ts"

/**
 * A client with a cache.
 *
 * - `hits`, `hashes`: reads of one key, one after the other. `read`: reads of several keys at once.
 * - `clear`: drops what is kept. `size`: how many answers are.
 */
interface Caching {
  readonly name: string
  readonly hits: (count: number) => Promise<void>
  readonly hashes: (count: number) => Promise<void>
  readonly read: (keys: ReadonlyArray<string>) => Promise<void>
  readonly clear: () => Promise<void>
  readonly size: () => Promise<number>
  readonly close: () => Promise<void>
}

const ttl = "1 hour"
const hashKey = "bench:cache:hash"
const keys = Array.from({ length: 20_000 }, (_, i) => `bench:cache:${i}`)
const thousand = keys.slice(0, 1000)
const same = thousand.map(() => "bench:cache:0")

const redfx = async (address: Address): Promise<Caching> => {
  const scope = await Effect.runPromise(Scope.make())
  const options = { maxEntries: 1_000_000, maxBytes: 2 ** 30, commands: "marked" } as const
  const layer = RedisCache.layer(options).pipe(Layer.provide(NodeRedisClient.layer(address)))
  const context = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  const run = <A, E>(effect: Effect.Effect<A, E, RedisClient.RedisClient>): Promise<A> =>
    Effect.runPromise(Effect.provideContext(effect, context))
  const times = (count: number, command: () => RedisCommand.Any) =>
    run(Effect.gen(function*() {
      for (let i = 0; i < count; i++) yield* command()
    }))
  const get = (key: string) => Redis.cached(Redis.get(key), { ttl })
  return {
    name: "redfx",
    hits: (count) => times(count, () => get("bench:cache:0")),
    hashes: (count) => times(count, () => Redis.cached(Redis.hgetall(hashKey), { ttl })),
    read: (keys) => run(Effect.forEach(keys, get, { concurrency: "unbounded", discard: true })),
    clear: () => run(RedisCache.clear),
    size: () => run(Effect.map(RedisCache.stats, ({ entries }) => entries)),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** node-redis fails what has waited for 5 seconds, which on a busy machine would be all of a round. */
const patient = { commandOptions: { timeout: 0 } }

const nodeRedis = async (address: Address): Promise<Caching> => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: "LRU" })
  const client = createClient({ socket: address, RESP: 3, clientSideCache: cache, ...patient })
  client.on("error", () => {})
  await client.connect()
  return {
    name: "node-redis",
    hits: async (count) => {
      for (let i = 0; i < count; i++) await client.get("bench:cache:0")
    },
    hashes: async (count) => {
      for (let i = 0; i < count; i++) await client.hGetAll(hashKey)
    },
    read: async (keys) => {
      await Promise.all(keys.map((key) => client.get(key)))
    },
    clear: () => Promise.resolve(cache.clear(false)),
    size: () => Promise.resolve(cache.size()),
    close: () => client.close()
  }
}

type Writer = (commands: ReadonlyArray<ReadonlyArray<string>>) => Promise<unknown>

/** What a thing costs: nanoseconds of this process, unless it says something else. */
interface Row {
  readonly title: string
  readonly measure: (caching: Caching, write: Writer) => Promise<number>
}

/** Nanoseconds of processor time for each of so many. */
const cpu = async (count: number, run: () => Promise<void>): Promise<number> => {
  const before = process.cpuUsage()
  await run()
  const { system, user } = process.cpuUsage(before)
  return (user + system) * 1000 / count
}

const misses = (keys: ReadonlyArray<string>) => async (caching: Caching): Promise<number> => {
  const rounds = 20
  let sum = 0
  for (let round = 0; round < rounds; round++) {
    await caching.clear()
    sum += await cpu(keys.length, () => caching.read(keys))
  }
  return sum / rounds
}

const rows: ReadonlyArray<Row> = [
  {
    title: "GET 64 B, hit, ns",
    measure: async (caching) => {
      await caching.read(same)
      return cpu(200_000, () => caching.hits(200_000))
    }
  },
  {
    title: "HGETALL 10 fields, hit, ns",
    measure: async (caching) => {
      await caching.hashes(1)
      return cpu(100_000, () => caching.hashes(100_000))
    }
  },
  { title: "GET, miss, 1000 callers of 1000 keys, ns each", measure: misses(thousand) },
  { title: "GET, miss, 1000 callers of one key, ns each", measure: misses(same) },
  {
    title: "invalidations a second",
    measure: async (caching, write) => {
      await caching.clear()
      await caching.read(keys)
      const started = performance.now()
      for (let from = 0; from < keys.length; from += 1000) {
        await write(keys.slice(from, from + 1000).map((key) => ["SET", key, value(key, 64)]))
      }
      while (await caching.size() > 0) await delay(1)
      return keys.length / (performance.now() - started) * 1000
    }
  },
  {
    title: "bytes of memory an answer of 64 B",
    measure: async (caching) => {
      await caching.clear()
      await caching.read(same)
      collectGarbage()
      const before = process.memoryUsage()
      await caching.read(keys)
      await delay(50)
      collectGarbage()
      const after = process.memoryUsage()
      const grown = after.heapUsed + after.external - before.heapUsed - before.external
      return grown / await caching.size()
    }
  }
]

const median = (figures: ReadonlyArray<number>): number => figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0

const rounds = 7
const server = await startServer()
const writer = createClient({ socket: server.address, ...patient })
await writer.connect()
const write: Writer = (commands) => Promise.all(commands.map((command) => writer.sendCommand([...command])))
await write(keys.map((key) => ["SET", key, value(key, 64)]))
await write([["HSET", hashKey, ...Array.from({ length: 10 }, (_, i) => [`field:${i}`, `value:${i}`]).flat()]])
const clients = [await redfx(server.address), await nodeRedis(server.address)]
console.log(`${server.version}, Node.js ${process.version}, medians of ${rounds} rounds\n`)
console.log(`| ${["", ...clients.map(({ name }) => name)].join(" | ")} |`)
console.log(`| ${["---", ...clients.map(() => "---:")].join(" | ")} |`)
for (const { measure, title } of rows) {
  const figures = clients.map((): Array<number> => [])
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, client] of clients.entries()) {
      const figure = await measure(client, write)
      if (round > 0) figures[index]?.push(figure)
    }
  }
  console.log(`| ${[title, ...figures.map((all) => Math.round(median(all)).toLocaleString("en"))].join(" | ")} |`)
}
for (const client of clients) await client.close()
await writer.close()
await server.stop()
