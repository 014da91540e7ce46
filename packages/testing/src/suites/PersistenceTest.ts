import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisPersistence } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Persistable, PersistedCache, Persistence } from "effect/persistence"
import * as Schema from "effect/Schema"
import { freshPrefix } from "../Suite.ts"

class User extends Schema.Class<User>("User")({ id: Schema.Number, name: Schema.String }) {}

class GetUser extends Persistable.Class<{ readonly payload: { readonly id: number } }>()("GetUser", {
  primaryKey: ({ id }) => `user:${id}`,
  success: User,
  error: Schema.String
}) {}

class Names extends Context.Service<Names, { readonly name: string }>()("Names") {}

const ada = new User({ id: 1, name: "Ada" })
const bob = new User({ id: 2, name: "Bob" })
const [one, two, three] = [new GetUser({ id: 1 }), new GetUser({ id: 2 }), new GetUser({ id: 3 })]

const backing = (storeId: string) => Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make(storeId))

/** Effect's `Persistence` and `PersistedCache`, on whatever Layer is given. */
export const PersistenceTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  const layers = Layer.provideMerge(
    Layer.mergeAll(RedisPersistence.layerPersistence, RedisPersistence.layerBackingPersistence),
    client
  )
  describe("Effect's Persistence", () => {
    layer(layers, { excludeTestServices: true })((it) => {
      it.effect("keeps results of every kind, one and many, until they are removed", () =>
        Effect.gen(function*() {
          const { make } = yield* Persistence.Persistence
          const store = yield* make({ storeId: freshPrefix() })
          assert.isUndefined(yield* store.get(one))
          yield* store.set(one, Exit.succeed(ada))
          yield* store.setMany([[two, Exit.succeed(bob)], [three, Exit.fail("no such user")]])
          assert.deepStrictEqual(yield* store.get(one), Exit.succeed(ada))
          assert.deepStrictEqual(yield* store.getMany([three, new GetUser({ id: 9 }), two]), [
            Exit.fail("no such user"),
            undefined,
            Exit.succeed(bob)
          ])
          yield* store.remove(one)
          assert.isUndefined(yield* store.get(one))
        }))

      it.effect("keeps many at once in many slots, each for its own time", () =>
        Effect.gen(function*() {
          const storeId = freshPrefix().slice(0, -1)
          const { make } = yield* Persistence.Persistence
          const store = yield* make({
            storeId,
            timeToLive: (_exit, key) => key === one ? "60 millis" : key === two ? Duration.infinity : "1 minute"
          })
          const more = Array.from({ length: 200 }, (_, index) => new GetUser({ id: 10 + index }))
          const all = [one, two, ...more]
          yield* store.setMany(all.map((key) => [key, Exit.succeed(ada)] as const))
          assert.deepStrictEqual(yield* store.getMany(more), more.map(() => Exit.succeed(ada)))
          assert.strictEqual(yield* Redis.pttl(`${storeId}:user:2`), -1)
          const left = yield* Redis.pttl(`${storeId}:user:10`)
          assert.isAbove(left, 30_000)
          assert.isAtMost(left, 60_000)
          yield* Effect.sleep(70)
          assert.isUndefined(yield* store.get(one))
          assert.deepStrictEqual(yield* store.get(two), Exit.succeed(ada))
        }))

      it.effect("clears a store and no other, whatever the names", () =>
        Effect.gen(function*() {
          const name = freshPrefix().slice(0, -1)
          const [store, ...others] = yield* Effect.forEach(
            [`${name}[ab]*`, `${name}a`, `${name}[ab]*:b`, name],
            backing
          )
          for (const each of [store!, ...others]) {
            yield* each.setMany(Arr.makeBy(40, (index) => [`${index}`, { index }, undefined] as const))
          }
          yield* store!.clear
          yield* store!.clear
          assert.isUndefined(yield* store!.get("1"))
          for (const other of others) assert.deepStrictEqual(yield* other.get("1"), { index: 1 })
          assert.strictEqual(yield* Redis.exists(`${name}[ab]*%3Ab:1`), 1)
        }))

      it.effect("has the keys and values of Effect's own store", () =>
        Effect.gen(function*() {
          const name = freshPrefix().slice(0, -1)
          const theirs = yield* backing(name).pipe(
            Effect.provide(Layer.provide(Persistence.layerBackingRedis, RedisPersistence.layer))
          )
          const ours = yield* backing(name)
          yield* theirs.set("a%:b", { from: "Effect" }, Duration.minutes(1))
          assert.deepStrictEqual(yield* ours.get("a%:b"), { from: "Effect" })
          yield* ours.set("a%:b", { from: "redfx" }, undefined)
          assert.deepStrictEqual(yield* theirs.get("a%:b"), { from: "redfx" })
        }))

      it.effect("says what cannot be read or written", () =>
        Effect.gen(function*() {
          const name = freshPrefix().slice(0, -1)
          const store = yield* backing(name)
          yield* Redis.set(`${name}:text`, "no JSON")
          yield* Redis.sadd(`${name}:set`, ["a"])
          yield* Redis.set(`${name}:bytes`, Uint8Array.of(0xff))
          assert.strictEqual((yield* Effect.flip(store.get("bytes")))._tag, "PersistenceError")
          const unread = yield* Effect.flip(store.get("text"))
          assert.strictEqual(unread._tag, "PersistenceError")
          // What JSON.parse says shows the value.
          assert.isUndefined(unread.cause)
          assert.strictEqual(unread.message, `what "${name}:text" has is no JSON`)
          assert.strictEqual((yield* Effect.flip(store.set("n", { n: 1n }, undefined)))._tag, "PersistenceError")
          const wrong = yield* Effect.flip(store.get("set"))
          assert.strictEqual((wrong.cause as { readonly _tag: string })._tag, "WrongTypeError")
          yield* store.set("good", { a: 1 }, undefined)
          assert.deepStrictEqual(yield* store.getMany(["text", "good", "set", "bytes"]), [
            undefined,
            { a: 1 },
            undefined,
            undefined
          ])
        }))

      it.effect("a PersistedCache looks up once, for all who share the store, also what fails", () =>
        Effect.gen(function*() {
          const storeId = freshPrefix()
          const store = yield* (yield* Persistence.Persistence).make({ storeId })
          let lookups = 0
          const cache = PersistedCache.make(
            ({ id }: GetUser) => {
              lookups++
              return id < 0 ? Effect.fail("no such user") : Effect.succeed(new User({ id, name: "Ada" }))
            },
            { storeId, timeToLive: () => "1 minute" }
          )
          const first = yield* cache
          assert.deepStrictEqual(yield* first.get(one), ada)
          assert.deepStrictEqual(yield* store.get(one), Exit.succeed(ada))
          assert.deepStrictEqual(yield* first.get(one), ada)
          const second = yield* cache
          assert.deepStrictEqual(yield* second.get(one), ada)
          assert.strictEqual(lookups, 1)
          const none = new GetUser({ id: -1 })
          assert.strictEqual(yield* Effect.flip(first.get(none)), "no such user")
          assert.strictEqual(yield* Effect.flip(second.get(none)), "no such user")
          assert.strictEqual(lookups, 2)
          yield* second.invalidate(one)
          assert.isUndefined(yield* store.get(one))
          assert.deepStrictEqual(yield* second.get(one), ada)
          assert.strictEqual(lookups, 3)
        }))

      it.effect("a PersistedCache can take the services of its lookup when it is asked", () =>
        Effect.gen(function*() {
          const cache = yield* PersistedCache.make(
            ({ id }: GetUser) => Effect.map(Names, ({ name }) => new User({ id, name })),
            { storeId: freshPrefix(), timeToLive: () => "1 minute", requireServicesAt: "lookup" }
          )
          const asked = (key: GetUser, name: string) =>
            Effect.map(Effect.provideService(cache.get(key), Names, { name }), (user) => user.name)
          assert.strictEqual(yield* asked(one, "first"), "first")
          assert.strictEqual(yield* asked(two, "second"), "second")
          assert.strictEqual(yield* asked(one, "third"), "first")
        }))
    })
  })
}
