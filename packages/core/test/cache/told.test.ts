/**
 * What servers tell of: every change that another client can make to a key, on a real server.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient, RedisCommand } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

type Connected = RedisClient.RedisClient["Service"]
type Cached = RedisCommand.CacheableCommand<unknown, unknown, unknown>
type Change = (other: Connected) => Effect.Effect<unknown, unknown>

/** Commands by their names; the words of one are divided by spaces. */
const lines = (...all: ReadonlyArray<string>): Change => (other) =>
  Effect.forEach(all, (line) => {
    const [name = "", ...args] = line.split(" ")
    return other.execute(Redis.send(name, ...args))
  }, { discard: true })

const text: Cached = Redis.asBytes(Redis.get("k"))
const list: Cached = Redis.lrange("k", 0, -1)
const size: Cached = Redis.scard("k")
const members: Cached = Redis.zrangeWithScores("k", 0, -1)
const field: Cached = Redis.hget("k", "f")
const entries: Cached = Redis.xrange("k")

/** What is read before and after, what there is at first, and what others do. */
const rows: ReadonlyArray<readonly [read: Cached, before: string, changes: ReadonlyArray<string>]> = [
  [text, "", ["SET k 2", "SETEX k 9 2", "MSET j 1 k 2", "SETNX k 1", "PFADD k 1", "INCR k"]],
  [
    text,
    "SET k 1",
    [
      "SET k 2",
      "APPEND k 2",
      "SETRANGE k 1 a",
      "SETBIT k 2 0",
      "BITFIELD k SET u8 0 77",
      "INCRBYFLOAT k 1",
      "GETSET k 2"
    ]
  ],
  [text, "SET k 1", ["DEL k", "UNLINK k", "GETDEL k", "PEXPIRE k 0", "EXPIREAT k 1", "MOVE k 1", "RENAME k j"]],
  [text, "SET k 1", ["FLUSHDB", "FLUSHALL", "FLUSHALL ASYNC"]],
  [text, "SET k 1", ["EVAL redis.call('set',KEYS[1],'7') 1 k", "EVAL redis.call('set','k','7') 0"]],
  [text, "SET j 2", ["RENAME j k", "RENAMENX j k", "COPY j k", "BITOP OR k j"]],
  [list, "RPUSH k 3 1", [
    "LPUSH k 1",
    "LSET k 0 1",
    "LTRIM k 0 0",
    "LREM k 0 1",
    "LINSERT k BEFORE 1 0",
    "RPOPLPUSH k k"
  ]],
  [list, "RPUSH k 3 1", ["LPOP k", "BLPOP k 1", "LMOVE k j LEFT LEFT", "BRPOPLPUSH k j 1", "LMPOP 1 k LEFT"]],
  [list, "RPUSH j 3 1", ["SORT j STORE k", "LMOVE j k LEFT LEFT", "RPOPLPUSH j k"]],
  [size, "SADD k 1 2", [
    "SADD k 3",
    "SREM k 1",
    "SPOP k",
    "SPOP k 9",
    "SMOVE k j 1",
    "SINTERSTORE k j",
    "SUNIONSTORE k j"
  ]],
  [size, "SADD j 1 2", ["SMOVE j k 1", "SINTERSTORE k j", "SDIFFSTORE k j"]],
  [members, "ZADD k 1 a 2 b", [
    "ZADD k 5 a",
    "ZINCRBY k 1 a",
    "ZREM k a",
    "ZPOPMIN k",
    "ZREMRANGEBYRANK k 0 0",
    "ZMPOP 1 k MIN"
  ]],
  [members, "GEOADD j 1 1 a", ["ZUNIONSTORE k 1 j", "ZRANGESTORE k j 0 -1", "GEORADIUS j 1 1 9 km STORE k"]],
  [field, "HSET k f 1 g 2", [
    "HSET k f 3",
    "HINCRBY k f 1",
    "HDEL k f",
    "HGETDEL k FIELDS 1 f",
    "HSETEX k FIELDS 1 f 9"
  ]],
  [field, "HSET k f 1 g 2", ["HPEXPIRE k 0 FIELDS 1 f"]],
  [entries, "XADD k 1-1 f v", ["XADD k 2-1 f v", "XDEL k 1-1", "XTRIM k MAXLEN 0"]]
]

const library = `#!lua name=told
redis.register_function("change", function(keys) return redis.call("SET", keys[1], "3") end)`

/** Changes of what holds `1` at first that take more than a command. */
const others: ReadonlyArray<readonly [what: string, change: Change]> = [
  ["a transaction", (other) => other.transaction([Redis.incr("k"), Redis.incr("k")])],
  [
    "a function",
    (other) => Effect.andThen(other.execute(Redis.functionLoad(library)), other.execute(Redis.fcall("change", ["k"])))
  ],
  ["RESTORE", (other) =>
    Effect.flatMap(
      Effect.andThen(other.execute(Redis.set("j", "2")), other.execute(Redis.dump("j"))),
      (dumped) => other.execute(Redis.restore("k", 0, dumped!, { replace: true }))
    )],
  [
    "a key that was in another database",
    (other) =>
      Effect.scoped(
        Effect.flatMap(other.reserve, (own) =>
          Effect.andThen(other.execute(Redis.del("k")), lines("SELECT 1", "SET k 9", "MOVE k 0")(own)))
      )
  ],
  ["the end of its time", (other) => Effect.andThen(lines("PEXPIRE k 20")(other), Effect.sleep(30))],
  ["eviction", (other) =>
    Effect.ensuring(
      Effect.andThen(
        lines("CONFIG SET maxmemory-policy allkeys-random", "CONFIG SET maxmemory 1")(other),
        Effect.exit(lines("SET j 1")(other))
      ),
      Effect.ignore(lines("CONFIG SET maxmemory 0")(other))
    )],
  // The server gives up what it knows of a key, and says that the key has changed.
  ["a change when the server remembers one key", (other) =>
    Effect.gen(function*() {
      yield* lines("CONFIG SET tracking-table-max-keys 1")(other)
      yield* Effect.sleep(250)
      yield* lines("SET k 2", "CONFIG SET tracking-table-max-keys 1000000")(other)
    })]
]

describe("A server tells of what another client does:", () => {
  const check = Effect.fnUntraced(function*(client: Connected, other: Connected, read: Cached, change: Change) {
    const cached = Redis.cached(read, { ttl: "1 hour" })
    const before = yield* client.execute(cached)
    const { hits } = yield* client.cache!.stats
    yield* client.execute(cached)
    assert.strictEqual((yield* client.cache!.stats).hits, hits + 1)
    const done = yield* Effect.exit(change(other))
    // What the server says of it comes before its answer to a PING.
    yield* client.execute(Redis.ping())
    const [after, actual] = [yield* client.execute(cached), yield* client.execute(Redis.uncached(read))]
    return { done: Exit.isSuccess(done), before, after, actual }
  })

  it.live("every command that changes a key", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const [client, other] = [yield* Client.make(server), yield* Client.make(server)]
      let checked = 0
      for (const [read, before, changes] of rows) {
        for (const change of changes) {
          yield* lines("FLUSHALL", ...before === "" ? [] : [before])(other)
          yield* client.execute(Redis.ping())
          const result = yield* check(client, other, read, lines(change))
          // Older servers do not have all of them.
          if (!result.done) continue
          checked++
          assert.deepStrictEqual(result.after, result.actual, change)
          assert.notDeepEqual(result.actual, result.before, change)
        }
      }
      assert.isAtLeast(checked, 50)
    }))

  for (const [what, change] of others) {
    it.live(what, (context) =>
      Effect.gen(function*() {
        const server = yield* RedisServer.make()
        const [client, other] = [yield* Client.make(server), yield* Client.make(server)]
        yield* client.execute(Redis.set("k", "1"))
        const { actual, after, before, done } = yield* check(client, other, text, change)
        if (!done) return context.skip("the server does not have it")
        assert.deepStrictEqual(after, actual)
        assert.notDeepEqual(actual, before)
      }))
  }

  it.live("but not of SWAPDB", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const [client, other] = [yield* Client.make(server), yield* Client.make(server)]
      yield* client.execute(Redis.set("k", "1"))
      const { actual, after } = yield* check(client, other, text, lines("SWAPDB 0 1"))
      assert.deepStrictEqual([after, actual], [Uint8Array.of(0x31), undefined])
    }))
})
