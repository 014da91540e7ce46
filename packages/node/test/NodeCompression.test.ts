import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisKeyspace } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import * as zlib from "node:zlib"
import { isWhole } from "../src/internal/zstdFrame.ts"
import * as NodeCompression from "../src/NodeCompression.ts"
import * as RedisServer from "../src/RedisServer.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const long = bytes("a text that repeats itself; ".repeat(200))
// Runtimes of today; an older one has no Zstandard.
const algorithms = (["gzip", "brotli", "zstd"] as const).filter((one) => one !== "zstd" || "zstdCompress" in zlib)

describe("NodeCompression", () => {
  it.effect("gives back what it was given, in fewer bytes where these are many", () =>
    Effect.gen(function*() {
      for (const algorithm of algorithms) {
        const codec = NodeCompression.make({ algorithm })
        for (
          const given of [
            new Uint8Array(0),
            bytes("{}"),
            new Uint8Array([0]),
            long,
            crypto.getRandomValues(new Uint8Array(5000))
          ]
        ) {
          const encoded = yield* codec.encode(given)
          assert.deepStrictEqual(yield* codec.decode(encoded), given)
          assert.isAtMost(encoded.length, given.length + 1)
        }
        const encoded = yield* codec.encode(long)
        assert.isBelow(encoded.length, long.length / 20)
        assert.strictEqual(encoded[0], ["", "gzip", "brotli", "zstd"].indexOf(algorithm))
      }
    }))

  it.effect("reads what was written by every algorithm, and what was written without", () =>
    Effect.gen(function*() {
      const codec = NodeCompression.make()
      for (const algorithm of algorithms) {
        const encoded = yield* NodeCompression.make({ algorithm }).encode(long)
        assert.deepStrictEqual(yield* codec.decode(encoded), long)
      }
      assert.deepStrictEqual(yield* codec.decode(bytes(`{"a":1}`)), bytes(`{"a":1}`))
    }))

  it.effect("what has few bytes is plain, behind one that says so", () =>
    Effect.gen(function*() {
      const codec = NodeCompression.make({ threshold: 10 })
      assert.deepStrictEqual(yield* codec.encode(bytes("123456789")), bytes("\u0000123456789"))
      assert.notStrictEqual((yield* codec.encode(bytes("1".repeat(100))))[0], 0)
    }))

  it.effect("refuses what is too large after decompression", () =>
    Effect.gen(function*() {
      const bomb = new Uint8Array(10_000_000)
      for (const algorithm of algorithms) {
        const encoded = yield* NodeCompression.make({ algorithm }).encode(bomb)
        assert.isBelow(encoded.length, 20_000)
        const error = yield* Effect.flip(NodeCompression.make({ maxSize: 1_000_000 }).decode(encoded))
        assert.deepInclude(error, { _tag: "CodecError", operation: "decode", detail: "it is larger than it may be" })
        assert.strictEqual((yield* NodeCompression.make({ maxSize: 10_000_000 }).decode(encoded)).length, 10_000_000)
      }
    }))

  it.effect("writes nothing that it would not read", () =>
    Effect.gen(function*() {
      for (const algorithm of algorithms) {
        const codec = NodeCompression.make({ algorithm, maxSize: 5000 })
        const error = yield* Effect.flip(codec.encode(new Uint8Array(5001)))
        assert.deepInclude(error, { _tag: "CodecError", operation: "encode", detail: "it is larger than it may be" })
        const largest = new Uint8Array(5000)
        assert.deepStrictEqual(yield* Effect.flatMap(codec.encode(largest), codec.decode), largest)
      }
    }))

  it.effect("refuses what is damaged, cut at every place", () =>
    Effect.gen(function*() {
      for (const algorithm of algorithms) {
        const codec = NodeCompression.make({ algorithm, threshold: 0 })
        // Of one block and of several: a runtime may give back those that are whole.
        const large = yield* codec.encode(bytes(randomBytes(150_000).toString("hex")))
        for (let end = 1; end < large.length; end += 9973) {
          const error = yield* Effect.flip(codec.decode(large.subarray(0, end)))
          assert.strictEqual(error._tag, "CodecError", `${algorithm}, ${end} of ${large.length}`)
        }
        const encoded = yield* codec.encode(long)
        for (let end = 1; end < encoded.length; end++) {
          const error = yield* Effect.flip(codec.decode(encoded.subarray(0, end)))
          assert.strictEqual(error._tag, "CodecError", `${algorithm}, ${end} of ${encoded.length}`)
        }
        assert.strictEqual(
          (yield* Effect.flip(codec.decode(bytes(String.fromCharCode(encoded[0]!) + "xyz"))))._tag,
          "CodecError"
        )
      }
    }))

  // Node.js 22 needs it, where nothing else tells that a frame is cut off.
  it("knows by its blocks whether a frame of Zstandard is whole", () => {
    for (const length of [0, 1, 255, 256, 70_000, 1_000_000]) {
      for (const data of [new Uint8Array(length), randomBytes(length)]) {
        for (const checksum of [0, 1]) {
          for (const pledgedSrcSize of [undefined, length]) {
            const params = { [zlib.constants.ZSTD_c_checksumFlag]: checksum }
            const frame = zlib.zstdCompressSync(data, {
              params,
              ...(pledgedSrcSize === undefined ? {} : { pledgedSrcSize })
            })
            assert.isTrue(isWhole(frame), `${length}`)
            for (let end = frame.length - 1; end >= 0; end -= 1 + (end >> 4)) {
              assert.isFalse(isWhole(frame.subarray(0, end)), `${end} of ${length}`)
            }
          }
        }
      }
    }
  })

  it.live("keyspaces take it, and read what they wrote without it", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make())
      const options = { key: "page:*", value: Schema.String } as const
      const body = "line\n".repeat(1000)
      yield* Effect.gen(function*() {
        const plain = RedisKeyspace.make(options)
        const pages = RedisKeyspace.make({ ...options, codec: NodeCompression.make({ maxSize: 1_000_000 }) })
        yield* plain.set("old", body)
        yield* pages.set("new", body)
        assert.isBelow(yield* Redis.strlen("page:new"), 100)
        assert.deepStrictEqual(yield* pages.getMany(["old", "new", "none"]), [
          Option.some(body),
          Option.some(body),
          Option.none()
        ])
        assert.strictEqual(yield* pages.update("new", (current) => `${Option.getOrThrow(current)}!`), `${body}!`)
        assert.deepStrictEqual(yield* pages.get("new"), Option.some(`${body}!`))
        yield* Redis.set("page:bad", new Uint8Array([1, 2, 3]))
        assert.deepInclude(yield* Effect.flip(pages.get("bad")), { _tag: "KeyspaceError", operation: "decode" })
        yield* RedisKeyspace.make({ ...options, codec: NodeCompression.make() }).set("bad", "x".repeat(2_000_000))
        assert.include((yield* Effect.flip(pages.get("bad"))).message, "larger than it may be")
        const cache = yield* RedisKeyspace.makeCache({
          ...options,
          key: "cache:*",
          codec: NodeCompression.make(),
          ttl: "1 minute",
          load: () => Effect.succeedSome(body)
        })
        yield* cache.getOrLoad("1")
        assert.deepStrictEqual(yield* cache.getOrLoad("1"), Option.some(body))
        assert.isBelow(yield* Redis.hstrlen("cache:1", "value"), 100)
      }).pipe(Client.on(client))
    }))
})
