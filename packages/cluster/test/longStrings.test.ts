/**
 * Long strings in the replies to commands of many kinds, over both versions of the protocol and with every kind of client: each
 * is right to its last byte and the caller's own, whatever comes in between, and though the memory of the socket is used again.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  Redis,
  RedisArg,
  RedisCache,
  RedisCommand,
  RedisConnector,
  RedisKeyValueStore,
  RedisPrefix,
  RedisReply,
  RedisScript,
  RedisStandalone
} from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient, NodeRedisConnector, RedisClusterServers, RedisServer } from "@redfx/node"
import { freshKey } from "@redfx/testing/Suite"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as Socket from "effect/socket/Socket"

type Failure = RedisError.RedisError | KeyValueStore.KeyValueStoreError
type Check = Effect.Effect<void, Failure, RedisClient.RedisClient>
type Checks = Record<string, Check>

/** A repeatable series of numbers below a limit. */
const series = (seed: number) => {
  let state = seed
  return (limit: number): number => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    return (state >> 8) % limit
  }
}

// -----------------------------------------------------------------------------
// Values
// -----------------------------------------------------------------------------

/** What a server holds under keys of one slot: a text, in values of all types, and bytes that are no text. */
interface Stored {
  readonly key: (name: string) => string
  readonly text: string
  readonly bytes: Uint8Array
  /** DUMP of the bytes. */
  readonly dump: Uint8Array
}

/** Most cuts are within a character. Some characters are easily lost. */
const textOf = (length: number) => "é€😀\ufffd\ufeffx".repeat(Math.ceil(length / 16))
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13 + length) & 0xff)

const store = (tag: string, length: number) =>
  Effect.gen(function*() {
    const name = freshKey()
    const key = (each: string) => `{${tag}}${name}:${each}`
    const text = textOf(length)
    const bytes = bytesOf(length)
    yield* Redis.set(key("text"), text)
    yield* Redis.set(key("bytes"), bytes)
    yield* Redis.hset(key("hash"), { short: "1", text, last: "2" })
    yield* Redis.rpush(key("list"), ["head", text, "middle", text])
    yield* Redis.sadd(key("set"), [text, "other"])
    yield* Redis.zadd(key("zset"), { [text]: 1, other: 2 })
    yield* Redis.xadd(key("stream"), { a: text, b: "short" })
    const dump = yield* Redis.dump(key("bytes"))
    assert(dump !== undefined)
    return { key, text, bytes, dump } satisfies Stored
  })

const isText = (value: unknown, expected: string) => assert.isTrue(value === expected, "another text")

/** Also destroys them, as their owner may. */
const isBytes = (value: unknown, expected: Uint8Array) => {
  assert.isTrue(value instanceof Uint8Array && Buffer.from(expected).equals(value), "other bytes")
  if (value instanceof Uint8Array) value.fill(0x2a)
}

const isRefused = (exit: Exit.Exit<unknown, RedisError.RedisError>) =>
  assert.isTrue(exit._tag === "Failure" && String(exit.cause).includes("DecodeError"))

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

const ofStrings = ({ bytes, dump, key, text }: Stored): Checks => {
  const [t, b] = [key("text"), key("bytes")]
  return {
    get: Effect.map(Redis.get(t), (value) => isText(value, text)),
    getAsBytes: Effect.map(Redis.asBytes(Redis.get(b)), (value) => isBytes(value, bytes)),
    textAsBytes: Effect.map(Redis.asBytes(Redis.get(t)), (value) => isBytes(value, Buffer.from(text))),
    noText: Effect.map(Effect.exit(Redis.get(b)), (exit) => {
      if (Exit.isFailure(exit)) isRefused(exit)
      // The client replaces what is invalid.
      else isText(exit.value, new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes))
    }),
    mget: Effect.map(Redis.mget([t, key("none"), t]), (values) => {
      isText(values[0], text)
      assert.isUndefined(values[1])
      isText(values[2], text)
    }),
    dump: Effect.map(Redis.dump(b), (value) => isBytes(value, dump)),
    restore: Effect.gen(function*() {
      const copy = key(freshKey())
      yield* Redis.restore(copy, "1 minute", dump)
      isBytes(yield* Redis.asBytes(Redis.getdel(copy)), bytes)
    }),
    getex: Effect.map(Redis.getex(t, { persist: true }), (value) => isText(value, text)),
    setGet: Effect.map(Redis.setGet(t, text), (value) => isText(value, text)),
    getset: Effect.map(Redis.getset(t, text), (value) => isText(value, text)),
    getrange: Effect.map(Redis.asBytes(Redis.getrange(b, 1, -2)), (value) => isBytes(value, bytes.subarray(1, -1))),
    cached: Effect.map(Redis.cached(Redis.get(t), { ttl: "1 minute" }), (value) => isText(value, text)),
    cachedBytes: Effect.map(
      Redis.cached(Redis.asBytes(Redis.get(b)), { ttl: "1 minute" }),
      (value) => isBytes(value, bytes)
    ),
    interrupted: Effect.asVoid(Effect.timeoutOption(Redis.get(t), "1 millis"))
  }
}

const ofCollections = ({ bytes, key, text }: Stored): Checks => ({
  hget: Effect.map(Redis.hget(key("hash"), "text"), (value) => isText(value, text)),
  hmget: Effect.map(Redis.hmget(key("hash"), ["none", "text", "short"]), ([none, value, short]) => {
    assert.isUndefined(none)
    isText(value, text)
    assert.strictEqual(short, "1")
  }),
  hgetall: Effect.map(Redis.hgetall(key("hash")), (record) => {
    isText(record.text, text)
    assert.strictEqual(record.last, "2")
  }),
  lrange: Effect.map(Redis.lrange(key("list"), 0, -1), (items) => {
    assert.strictEqual(items.length, 4)
    isText(items[1], text)
    assert.strictEqual(items[2], "middle")
    isText(items[3], text)
  }),
  smembers: Effect.map(
    Redis.smembers(key("set")),
    (members) => assert.isTrue(members.has(text) && members.has("other"))
  ),
  sscan: Effect.map(Redis.sscan(key("set")), ({ members }) => assert.isTrue(members.includes(text))),
  zrange: Effect.map(Redis.zrange(key("zset"), 0, -1), (members) => isText(members[0], text)),
  xrange: Effect.map(Redis.xrange(key("stream")), ([entry]) => isText(entry?.fields.a, text)),
  popped: Effect.gen(function*() {
    const own = key(freshKey())
    yield* Redis.rpush(own, [bytes, text])
    isBytes(yield* Redis.asBytes(Redis.lpop(own)), bytes)
    isText((yield* Redis.blpop(own, "1 second"))?.value, text)
  })
})

const script = { keys: (key: string) => [key], args: () => [] }
const value = RedisScript.make({
  ...script,
  name: "value",
  lua: "return redis.call('GET', KEYS[1])",
  result: RedisReply.blob
})
const values = RedisScript.make({
  ...script,
  name: "values",
  lua: "return {redis.call('GET', KEYS[1])}",
  result: Schema.Array(Schema.String)
})

class Thrown {}

const ofOtherKinds = ({ bytes, key, text }: Stored): Checks => {
  const [t, b] = [key("text"), key("bytes")]
  const throwing = RedisReply.map(RedisReply.blob, (): string => {
    throw new Thrown()
  })
  return {
    send: Effect.map(Redis.send("GET", RedisArg.key(t)), (value) => isText(value, text)),
    eval: Effect.map(
      RedisCommand.withReply(
        Redis.eval("return {1, {redis.call('GET', KEYS[1]), 'x'}}", [t]),
        RedisReply.tuple(RedisReply.integer, RedisReply.array(RedisReply.blob))
      ),
      ([, [value]]) => isText(value, text)
    ),
    evalAsBytes: Effect.map(
      Redis.asBytes(Redis.eval("return redis.call('GET', KEYS[1])", [b])),
      (value) => isBytes(value, bytes)
    ),
    script: Effect.map(value(t), (value) => isText(value, text)),
    scriptAsBytes: Effect.map(Redis.asBytes(value(b)), (value) => isBytes(value, bytes)),
    schema: Effect.map(values(t), ([value]) => isText(value, text)),
    tuple: Effect.map(
      RedisCommand.withReply(Redis.lrange(key("list"), 0, 1), RedisReply.tuple(RedisReply.text, RedisReply.bytes)),
      ([head, value]) => {
        assert.strictEqual(head, "head")
        isBytes(value, Buffer.from(text))
      }
    ),
    own: Effect.map(
      RedisCommand.withReply(Redis.get(b), RedisReply.make((value, view) => RedisReply.bytes.decode(value, view))),
      (value) => isBytes(value, bytes)
    ),
    throwing: Effect.map(
      Effect.exit(RedisCommand.withReply(Redis.get(t), throwing)),
      (exit) => assert.isTrue(exit._tag === "Failure" && Cause.squash(exit.cause) instanceof Thrown)
    ),
    ofAnotherKind: Effect.map(
      Effect.exit(RedisCommand.withReply(Redis.get(t), RedisReply.array(RedisReply.blob))),
      isRefused
    )
  }
}

const ofMany = ({ bytes, key, text }: Stored): Checks => {
  const [t, b] = [key("text"), key("bytes")]
  return {
    pipeline: Effect.map(
      Redis.pipeline([
        Redis.get(t),
        Redis.asBytes(Redis.get(b)),
        Redis.strlen(t),
        value(t),
        Redis.lrange(key("list"), 0, 1)
      ]),
      ([one, two, length, three, list]) => {
        isText(one, text)
        isBytes(two, bytes)
        assert.strictEqual(length, Buffer.byteLength(text))
        isText(three, text)
        isText(list[1], text)
      }
    ),
    transaction: Effect.map(
      Redis.transaction([Redis.asBytes(Redis.get(b)), Redis.get(t), Redis.hgetall(key("hash"))]),
      ([one, two, record]) => {
        isBytes(one, bytes)
        isText(two, text)
        isText(record.text, text)
      }
    ),
    watch: Effect.map(
      Redis.watch(
        key("watched"),
        Effect.map(Redis.get(t), (value) => {
          isText(value, text)
          return [Redis.get(t), Redis.asBytes(Redis.get(b))] as const
        })
      ),
      ([one, two]) => {
        isText(one, text)
        isBytes(two, bytes)
      }
    ),
    store: Effect.provide(
      Effect.gen(function*() {
        const store = yield* KeyValueStore.KeyValueStore
        const name = freshKey()
        yield* store.set(name, text)
        isText(yield* store.get(name), text)
        yield* store.set(name, bytes)
        isBytes(yield* store.getUint8Array(name), bytes)
        yield* store.remove(name)
      }),
      RedisKeyValueStore.layer({ prefix: key("store:") })
    )
  }
}

const named = (name: string, check: Check): Check =>
  Effect.catchCause(check, (cause) => Effect.die(new Error(`${name}: ${Cause.pretty(cause)}`)))

const lengths = [65_536, 150_000, 400_000]

/** What a server before Redis 6.2 does not have. */
const younger: ReadonlyArray<string> = ["getex", "restore", "setGet"]

/** Runs all checks on values of some lengths, in a random order and many at once. */
const checkAll = (without: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const next = series(7)
    const getex = yield* Redis.send("COMMAND", "INFO", "GETEX")
    const isOld = !Array.isArray(getex) || getex[0] === undefined
    const checks: Array<readonly [number, Check]> = []
    for (const [i, tag] of ["a", "b", "c"].entries()) {
      const stored = yield* store(tag, lengths[i]!)
      const own = { ...ofStrings(stored), ...ofCollections(stored), ...ofOtherKinds(stored), ...ofMany(stored) }
      for (const [name, check] of Object.entries(own)) {
        if (without.includes(name) || isOld && younger.includes(name)) continue
        checks.push([next(1000), named(name, check)])
      }
    }
    checks.sort(([one], [other]) => one - other)
    yield* Effect.forEach(checks, ([, check]) => Effect.repeat(check, { times: 1 }), { concurrency: 16, discard: true })
  })

// -----------------------------------------------------------------------------
// Clients
// -----------------------------------------------------------------------------

let released = 0

/** Cuts what comes anywhere, and writes to each chunk that is given back, as sockets do. */
class CuttingReader implements RedisConnector.Reader {
  readonly pull: Socket.Reader["pull"]
  readonly upgrade: Socket.Reader["upgrade"]
  readonly #next = series(99)
  readonly #handed = new WeakSet<Uint8Array>()

  constructor(reader: Socket.Reader) {
    this.upgrade = reader.upgrade
    this.pull = Effect.map(reader.pull, ([first, ...others]) => {
      const [cut, ...rest] = [first, ...others].flatMap((chunk) => this.#cut(chunk as Uint8Array))
      assert(cut !== undefined)
      return [cut, ...rest]
    })
  }

  #cut(chunk: Uint8Array): Array<Uint8Array> {
    const pieces: Array<Uint8Array> = []
    for (let at = 0; at < chunk.length;) {
      const piece = Uint8Array.from(chunk.subarray(at, at += 1 + this.#next(this.#next(3) === 0 ? 4 : 30_000)))
      pieces.push(piece)
      this.#handed.add(piece)
    }
    return pieces
  }

  release(chunk: Uint8Array): void {
    assert.isTrue(this.#handed.has(chunk))
    released++
    chunk.fill(0x2a)
  }
}

const cutting = Layer.effect(
  RedisConnector.RedisConnector,
  Effect.map(RedisConnector.RedisConnector, ({ socket }) => ({
    socket: (endpoint: RedisConnector.Endpoint, options: RedisConnector.ConnectOptions) =>
      Effect.map(
        socket(endpoint, options),
        ({ reader, writer }) => Socket.make({ reader: Effect.map(reader, (own) => new CuttingReader(own)), writer })
      )
  }))
).pipe(Layer.provide(NodeRedisConnector.layer))

const cache = ["cached", "cachedBytes"]

describe("Long strings in replies of many kinds", () => {
  for (const protocol of [2, 3] as const) {
    // Client-side caching needs RESP3.
    const without = protocol === 2 ? cache : []

    it.live(
      `of one server over RESP${protocol}, cut anywhere by a socket that uses its memory again`,
      () =>
        Effect.gen(function*() {
          const { host, path, port } = yield* RedisServer.make({ unixSocket: true })
          released = 0
          const client = (options: { readonly textDecoding?: "replace" } = {}) =>
            RedisStandalone.layer({ host, port, protocol, ...options }).pipe(Layer.provide(cutting))
          const clients = [
            client(),
            client({ textDecoding: "replace" }),
            RedisPrefix.layer("p:").pipe(Layer.provide(client())),
            NodeRedisClient.layer({ path, protocol }),
            ...(protocol === 3 ? [RedisCache.layer({ ttl: "1 minute" }).pipe(Layer.provide(client()))] : [])
          ]
          for (const client of clients) yield* Effect.provide(checkAll(without), client, { local: true })
          assert.isAbove(released, 1000)
        }).pipe(Effect.scoped)
    )

    it.live(`of a cluster over RESP${protocol}`, () =>
      Effect.gen(function*() {
        const { addresses } = yield* RedisClusterServers.make()
        yield* Effect.provide(
          Effect.gen(function*() {
            yield* checkAll(without)
            const names = ["a", "b", "c"].map((tag) => `{${tag}}${freshKey()}`)
            yield* Effect.forEach(names, (name, i) => Redis.set(name, bytesOf(lengths[i]!)))
            const several = yield* Redis.asBytes(Redis.mget(names))
            for (const [i, length] of lengths.entries()) isBytes(several[i], bytesOf(length))
          }),
          NodeRedisClient.layerCluster({ nodes: addresses, protocol })
        )
      }).pipe(Effect.scoped))
  }
})
