import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisKeyValueStore } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type * as Layer from "effect/Layer"
import { KeyValueStore, Persistence } from "effect/persistence"
import { freshPrefix } from "../Suite.ts"

const utf8 = new TextEncoder()

/** A store of its own, which is empty. */
const fresh = Effect.suspend(() => RedisKeyValueStore.make({ prefix: freshPrefix() }))

/** Effect's `KeyValueStore`, on whatever Layer is given: what holds for every store of Effect, and what this one adds. */
export const KeyValueStoreTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Effect's KeyValueStore", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("has one entry of a key, which is what was set last", () =>
        Effect.gen(function*() {
          const store = yield* fresh
          assert.isUndefined(yield* store.get("key"))
          assert.isTrue(yield* store.isEmpty)
          yield* store.set("key", "value")
          assert.strictEqual(yield* store.get("key"), "value")
          assert.strictEqual(yield* store.size, 1)
          yield* store.set("key", "another")
          assert.strictEqual(yield* store.get("key"), "another")
          assert.strictEqual(yield* store.size, 1)
          assert.isTrue(yield* store.has("key"))
          assert.isFalse(yield* store.has("none"))
          assert.isFalse(yield* store.isEmpty)
        }))

      it.effect("gives bytes as they were, and as text in Base64", () =>
        Effect.gen(function*() {
          const store = yield* fresh
          const all = [Uint8Array.of(0, 42, 255, 128), Uint8Array.of(255, 1), utf8.encode("text"), new Uint8Array(0)]
          for (const bytes of all) {
            yield* store.set("bytes", bytes)
            assert.strictEqual(yield* store.get("bytes"), Base64.encode(bytes))
            assert.deepStrictEqual(yield* store.getUint8Array("bytes"), bytes)
          }
          const large = new Uint8Array(1_000_000).fill(7)
          yield* store.set("bytes", large)
          assert.isTrue(Buffer.from(large).equals((yield* store.getUint8Array("bytes")) ?? new Uint8Array(0)))
        }))

      it.effect("gives text as it was, and as bytes in UTF-8", () =>
        Effect.gen(function*() {
          const store = yield* fresh
          // Of whatever kind its first byte is.
          const starts = Array.from({ length: 130 }, (_, code) => String.fromCodePoint(code))
          for (const text of ["Zm9v", "grün ключ 👋", "\uffff", "", ...starts]) {
            yield* store.set("text", text)
            assert.strictEqual(yield* store.get("text"), text)
            assert.deepStrictEqual(yield* store.getUint8Array("text"), utf8.encode(text))
          }
        }))

      it.effect("removes one entry, all, or those that begin alike, and nothing else", () =>
        Effect.gen(function*() {
          const prefix = freshPrefix()
          const store = yield* RedisKeyValueStore.make({ prefix })
          // To a pattern these would be much else.
          const wild = yield* RedisKeyValueStore.make({ prefix: `${prefix}*[a-z]?` })
          const names = Array.from({ length: 300 }, (_, index) => `name ${index}`)
          yield* Effect.forEach(names, (name) => store.set(name, name), { concurrency: "unbounded" })
          yield* wild.set("a", "1")
          assert.strictEqual(yield* wild.size, 1)
          yield* wild.clear
          assert.isTrue(yield* wild.isEmpty)
          assert.sameMembers([...(yield* store.keys)], names)
          assert.strictEqual(yield* store.size, 300)
          yield* store.remove("name 7")
          yield* store.remove("none")
          assert.isUndefined(yield* store.get("name 7"))
          yield* store.clearPrefix("name 1")
          assert.sameMembers(
            [...(yield* store.keys)],
            names.filter((name) => name !== "name 7" && !name.startsWith("name 1"))
          )
          yield* Redis.set(prefix.slice(0, -1), "not of the store")
          yield* store.clear
          assert.strictEqual(yield* store.size, 0)
          assert.isUndefined(yield* store.get("name 2"))
          assert.strictEqual(yield* Redis.get(prefix.slice(0, -1)), "not of the store")
        }))

      it.effect("modifies what is there", () =>
        Effect.gen(function*() {
          const store = yield* fresh
          assert.isUndefined(yield* store.modify("text", (text) => `${text}!`))
          assert.isFalse(yield* store.has("text"))
          yield* store.set("text", "hello")
          assert.strictEqual(yield* store.modify("text", (text) => `${text}!`), "hello!")
          assert.strictEqual(yield* store.get("text"), "hello!")
          yield* store.set("bytes", Uint8Array.of(255, 1))
          const reversed = yield* store.modifyUint8Array("bytes", (bytes) => bytes.toReversed())
          assert.deepStrictEqual(reversed, Uint8Array.of(1, 255))
          assert.deepStrictEqual(yield* store.getUint8Array("bytes"), Uint8Array.of(1, 255))
        }))

      it.effect("loses no modification of many at once", () =>
        Effect.gen(function*() {
          const store = yield* fresh
          yield* store.set("n", "0")
          const next = store.modify("n", (n) => String(Number(n) + 1))
          const seen = yield* Effect.replicateEffect(next, 20, { concurrency: 4 })
          assert.deepStrictEqual(
            seen.map(Number).toSorted((a, b) => a - b),
            Array.from({ length: 20 }, (_, index) => index + 1)
          )
          assert.strictEqual(yield* store.get("n"), "20")
        }))

      it.effect("says what failed, of which key, and why", () =>
        Effect.gen(function*() {
          const prefix = freshPrefix()
          const store = yield* RedisKeyValueStore.make({ prefix })
          yield* Redis.sadd(`${prefix}set`, ["a"])
          const wrongs = [
            ["get", store.get("set")],
            ["getUint8Array", store.getUint8Array("set")],
            ["modify", store.modify("set", (value) => value)]
          ] as const
          for (const [method, wrong] of wrongs) {
            const error = yield* Effect.flip<unknown, KeyValueStore.KeyValueStoreError, never>(wrong)
            assert.deepInclude(error, { _tag: "KeyValueStoreError", method, key: "set" })
            assert.strictEqual((error.cause as RedisError.RedisError)._tag, "WrongTypeError")
          }
        }))

      it.effect("refuses as text what somebody else has stored and is none, and leaves it as it is", () =>
        Effect.gen(function*() {
          const prefix = freshPrefix()
          const store = yield* RedisKeyValueStore.make({ prefix })
          const bytes = Uint8Array.of(0xc3, 0x28, 0x41)
          yield* Redis.set(`${prefix}k`, bytes)
          for (const wrong of [store.get("k"), store.modify("k", (value) => `${value}!`)]) {
            const { cause, key } = yield* Effect.flip<unknown, KeyValueStore.KeyValueStoreError, never>(wrong)
            assert.deepStrictEqual([key, (cause as RedisError.RedisError)._tag], ["k", "DecodeError"])
          }
          assert.deepStrictEqual(yield* store.getUint8Array("k"), bytes)
        }))

      it.effect("counts and clears what somebody else has stored under a key that is no text, and refuses to name it", () =>
        Effect.gen(function*() {
          const prefix = freshPrefix()
          const store = yield* RedisKeyValueStore.make({ prefix })
          const foreign = Uint8Array.of(...utf8.encode(prefix), 0xff)
          yield* Redis.set(foreign, "v")
          assert.isFalse(yield* store.isEmpty)
          yield* store.set("k", "v")
          assert.strictEqual(yield* store.size, 2)
          const { cause } = yield* Effect.flip(store.keys)
          assert.strictEqual((cause as RedisError.RedisError)._tag, "DecodeError")
          yield* store.clear
          assert.strictEqual(yield* Redis.exists(foreign), 0)
          assert.isTrue(yield* store.isEmpty)
        }))

      it.effect("is what Effect's prefixed views and its Persistence can stand on", () =>
        Effect.gen(function*() {
          const store = yield* fresh
          const view = KeyValueStore.prefix(store, "view:")
          yield* store.set("a", "1")
          yield* view.set("a", "2")
          assert.deepStrictEqual(yield* view.keys, ["a"])
          yield* view.clear
          assert.deepStrictEqual(yield* store.keys, ["a"])
          yield* Effect.gen(function*() {
            const { make } = yield* Persistence.BackingPersistence
            const backing = yield* make("store")
            yield* backing.set("a", { b: 1 }, undefined)
            assert.deepStrictEqual(yield* backing.get("a"), { b: 1 })
          }).pipe(
            Effect.scoped,
            Effect.provide(Persistence.layerBackingKvs),
            Effect.provideService(KeyValueStore.KeyValueStore, store)
          )
        }))
    })
  })
}
