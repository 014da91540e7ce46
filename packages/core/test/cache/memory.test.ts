/**
 * What a cache counts, held against the memory that it takes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCache } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { used } from "@redfx/testing/Memory"
import * as Effect from "effect/Effect"

const times = <A>(count: number, make: (index: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, i) => make(i))

/** Each reads what `count` of its kind read, and nothing else. */
const kinds: ReadonlyArray<readonly [what: string, count: number, read: (index: number) => RedisCommand.Any]> = [
  ["short texts", 10_000, (i) => Redis.get(`text:${i}`)],
  ["nothing", 10_000, (i) => Redis.get(`none:${i}`)],
  ["nothing of many keys", 100, (i) => Redis.mget(times(100, (j) => `none:${i}:${j}`))],
  ["many keys", 100, (i) => Redis.mget(times(100, (j) => `text:${i * 100 + j}`))],
  ["lists", 200, (i) => Redis.lrange(`list:${i}`, 0, -1)],
  ["hashes", 200, (i) => Redis.hgetall(`hash:${i}`)],
  ["long texts", 200, (i) => Redis.get(`long:${i}`)],
  [
    "names that are no text",
    5000,
    (i) => Redis.get(Uint8Array.from({ length: 200 }, (_, at) => at < 2 ? i >> 8 * at : 0xff))
  ]
]

describe("Memory of a cache", () => {
  it.live("is about what the cache counts, and not much more, whatever is kept", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const writer = yield* Client.make(server)
      const elements = times(500, (i) => `element ${i}`)
      yield* writer.pipeline([
        ...times(10_000, (i) => Redis.set(`text:${i}`, `value ${i}`)),
        ...times(200, (i) => Redis.rpush(`list:${i}`, elements)),
        ...times(
          200,
          (i) => Redis.hset(`hash:${i}`, Object.fromEntries(elements.map((element) => [element, element])))
        ),
        ...times(200, (i) => Redis.set(`long:${i}`, "x".repeat(50_000)))
      ])
      for (const [what, count, read] of kinds) {
        const measured = Effect.scoped(Effect.gen(function*() {
          const client = yield* RedisCache.make(yield* Client.make(server, { commandTimeout: Infinity }), {
            maxEntries: 20_000,
            maxBytes: 1e9
          })
          yield* client.execute(Redis.get("first"))
          const before = yield* used
          // The second time each is decoded from the cache, which keeps what it was decoded to.
          for (const _ of times(2, (i) => i)) {
            yield* Effect.forEach(times(count, read), (command) => client.execute(command), {
              concurrency: 100,
              discard: true
            })
          }
          const taken = ((yield* used) - before) * 1e6
          const { bytes, entries } = yield* Client.on(client)(RedisCache.stats)
          assert.strictEqual(entries, count + 1, what)
          return { bytes, taken }
        }))
        // Meanwhile something else of the process may have become free, or come up; that does not happen each time.
        const right = ({ bytes, taken }: Effect.Success<typeof measured>) => 0.5 * bytes < taken && taken < 1.3 * bytes
        const { bytes, taken } = yield* Effect.repeat(measured, { times: 3, until: right })
        assert.isBelow(taken, 1.3 * bytes, what)
        assert.isAbove(taken, 0.5 * bytes, what)
      }
    }))
})
