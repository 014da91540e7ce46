import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisKeyspace } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Pace from "../Pace.ts"
import { freshKey, until } from "../Suite.ts"

const Value = Schema.Struct({ n: Schema.Int })
type Value = typeof Value.Type
type Options<E> = Partial<RedisKeyspace.CacheOptions<string, Value, E>>
type Load<E = never> = RedisKeyspace.CacheOptions<string, Value, E>["load"]

/** As many caches of one kind as there are programs. */
const programs = <E = never>(count: number, load: Load<E>, options: Options<E> = {}) => {
  const key = `${freshKey("cache")}:*` as const
  const make = RedisKeyspace.makeCache({ value: Value, ttl: "1 minute", jitter: 0, early: 0, ...options, load, key })
  return Effect.all(Array.from({ length: count }, () => make))
}

const program = <E = never>(load: Load<E>, options: Options<E> = {}) =>
  // As many as were asked for.
  Effect.map(programs(1, load, options), ([cache]) => cache!)

/** A load that takes so long, and returns how many there were. */
const counting = (milliseconds: number) => {
  const loads = { begun: 0, ended: 0 }
  const load = () =>
    Effect.suspend(() => Effect.as(Effect.sleep(milliseconds), some(++loads.begun))).pipe(
      Effect.ensuring(Effect.sync(() => loads.ended++))
    )
  return { loads, load }
}

const some = (n: number) => Option.some({ n })

const untilSo = (condition: () => boolean) => until(Effect.sync(condition), (isSo) => isSo)

/** Caches of keyspaces, on whatever Layer is given. */
export const KeyspaceCacheTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Caches of keyspaces", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("loads what is not there, once for a thousand fibers, and then no more", () =>
        Effect.gen(function*() {
          const { load, loads } = counting(50)
          const cache = yield* program(load)
          assert.deepStrictEqual(yield* cache.get("1"), Option.none())
          const all = yield* Effect.all(Array.from({ length: 1000 }, () => cache.getOrLoad("1")), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(new Set(all.map((value) => Option.getOrThrow(value).n)), new Set([1]))
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(1))
          assert.deepStrictEqual(yield* cache.get("1"), some(1))
          assert.strictEqual(loads.begun, 1)
          assert.deepStrictEqual(yield* cache.getOrLoad("2"), some(2))
        }))

      it.effect("fifty programs that wait for a load all have it soon after, from one load", () =>
        Effect.gen(function*() {
          const pace = yield* Pace.watch
          const { load, loads } = counting(100)
          let loadedAt = 0
          const caches = yield* programs(
            50,
            () => Effect.tap(load(), () => Effect.sync(() => loadedAt = performance.now()))
          )
          const looks = Effect.all(caches.map((cache) => cache.get("none")), { concurrency: "unbounded" })
          yield* looks
          const lookedAt = performance.now()
          yield* looks
          const startedAt = performance.now()
          const look = pace.between(lookedAt, startedAt)
          const all = yield* Effect.all(
            caches.map((cache) => Effect.map(cache.getOrLoad("1"), (value) => ({ value, at: performance.now() }))),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(all.map(({ value }) => value), all.map(() => some(1)))
          assert.strictEqual(loads.begun, 1)
          // A quarter of the load, and what the machine makes of it: a few looks of all. One after the other they would wait for
          // seconds.
          const late = pace.between(loadedAt, Math.max(...all.map(({ at }) => at)))
          assert.isBelow(late, (loadedAt - startedAt) / 4 + 300 + 5 * look)
        }))

      it.effect("an entry that another program has made up fails and holds up nobody, and is loaded anew where it is none", () =>
        Effect.gen(function*() {
          const cache = yield* program(() => Effect.succeed(some(1)), { loadTimeout: "1 hour" })
          const later = Date.now() + 3_600_000
          const stored = { version: "v", value: `{"n":5}`, fresh: later, until: later, took: 1 }
          const forms = [
            [5, stored],
            [5, { ...stored, fresh: "x" }],
            [5, { ...stored, took: "x" }],
            [5, { ...stored, lease: "x", leased: "x" }],
            [1, { ...stored, until: "x" }],
            [1, { ...stored, until: "inf" }],
            [1, { ...stored, until: "1e308" }],
            [1, { ...stored, until: "9e14" }],
            [1, { ...stored, value: "{", version: Uint8Array.of(0xff) }],
            [1, { lease: "x", leased: "1e300" }],
            [1, { lease: "x", leased: "9e14" }],
            [1, { lease: "x", leased: later + 3_600_000 }],
            [1, { name: "x" }]
          ] as const
          for (const [index, [n, entry]] of forms.entries()) {
            yield* Redis.hset(yield* cache.keyOf(String(index)), entry)
            assert.deepStrictEqual(yield* cache.getOrLoad(String(index)), some(n), JSON.stringify(entry))
          }
        }))

      it.effect("remembers for a time of its own that there is nothing", () =>
        Effect.gen(function*() {
          let loads = 0
          const load = () => Effect.sync(() => (loads++, Option.none()))
          const cache = yield* program(load, { absentTtl: "1 minute" })
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), Option.none())
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), Option.none())
          assert.strictEqual(loads, 1)
          const brief = yield* program(load, { absentTtl: "20 millis" })
          assert.deepStrictEqual(yield* brief.getOrLoad("1"), Option.none())
          yield* Effect.sleep(30)
          assert.deepStrictEqual(yield* brief.getOrLoad("1"), Option.none())
          assert.strictEqual(loads, 3)
          const forgetful = yield* program(load, { absentTtl: "0 millis" })
          yield* forgetful.getOrLoad("1")
          yield* forgetful.getOrLoad("1")
          assert.strictEqual(loads, 5)
          assert.strictEqual(yield* Redis.exists(yield* forgetful.keyOf("1")), 0)
        }))

      it.effect("each value lives as long as it says, a part less at random", () =>
        Effect.gen(function*() {
          const load = (id: string) => Effect.succeed(some(Number(id)))
          const cache = yield* program(load, { ttl: ({ n }) => `${n} seconds`, jitter: 0.5, stale: "1 hour" })
          for (const n of [10, 100, 1000]) {
            yield* cache.getOrLoad(String(n))
            const left = yield* Redis.pttl(yield* cache.keyOf(String(n)))
            assert.isAtMost(left, n * 1000 + 3_600_000)
            assert.isAbove(left, n * 500 + 3_600_000 - 5000)
          }
          yield* cache.set("7", { n: 7 }, { ttl: "1 minute" })
          assert.isAtMost(yield* Redis.pttl(yield* cache.keyOf("7")), 3_660_000)
        }))

      it.effect("a value for which there is no time is loaded each time, and not stored", () =>
        Effect.gen(function*() {
          let loads = 0
          const load = () => Effect.sync(() => some(++loads))
          const cache = yield* program(load, { ttl: () => "0 seconds", stale: "1 hour" })
          yield* cache.getOrLoad("1")
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(2))
          assert.deepStrictEqual(yield* cache.get("1"), Option.none())
          assert.strictEqual((yield* Effect.flip(cache.set("1", { n: 3 })))._tag, "DataError")
        }))

      it.effect("answers what is stale at once, while one fiber of one program loads it anew", () =>
        Effect.gen(function*() {
          const held = yield* Deferred.make<void>()
          let loads = 0
          const load = () =>
            Effect.suspend(() => Effect.as(++loads === 1 ? Effect.void : Deferred.await(held), some(loads)))
          const caches = yield* programs(5, load, { ttl: "50 millis", stale: "1 minute" })
          yield* caches[0]!.getOrLoad("1")
          yield* Effect.sleep(60)
          // All are answered while the load is not over.
          const asks = caches.flatMap((cache) => Array.from({ length: 20 }, () => cache.getOrLoad("1")))
          const all = yield* Effect.all(asks, { concurrency: "unbounded" })
          assert.deepStrictEqual(all, all.map(() => some(1)))
          yield* untilSo(() => loads === 2)
          yield* Deferred.succeed(held, undefined)
          yield* until(caches[0]!.get("1"), (value) => Option.getOrThrow(value).n === 2)
          assert.strictEqual(loads, 2)
        }))

      it.effect("a stale value survives loads that fail, which are tried once a second", () =>
        Effect.gen(function*() {
          let loads = 0
          const load = () => Effect.suspend(() => ++loads === 1 ? Effect.succeed(some(1)) : Effect.fail("down"))
          const cache = yield* program<string>(load, { ttl: "20 millis", stale: "1 minute" })
          yield* cache.getOrLoad("1")
          yield* Effect.sleep(30)
          const startedAt = performance.now()
          for (let i = 0; i < 20; i++) {
            assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(1))
            yield* Effect.sleep(5)
          }
          assert.isAtLeast(loads, 2)
          assert.isAtMost(loads, 2 + Math.floor((performance.now() - startedAt) / 1000))
        }))

      it.effect("a fresh value is loaded anew early, the more probably the longer its load takes", () =>
        Effect.gen(function*() {
          const { load, loads } = counting(50)
          const cache = yield* program(load, { ttl: "10 seconds", early: 1e6 })
          yield* cache.getOrLoad("1")
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(1))
          yield* untilSo(() => loads.ended === 2)
        }))

      it.effect("a load that fails fails for those who wait in its program, and others load", () =>
        Effect.gen(function*() {
          let loads = 0
          const load = () =>
            Effect.suspend(() => {
              const failing = ++loads === 1
              return Effect.andThen(Effect.sleep(50), failing ? Effect.fail("no") : Effect.succeed(some(2)))
            })
          const [one, two] = yield* programs<string>(2, load)
          const first = yield* Effect.forkChild(
            Effect.all(Array.from({ length: 10 }, () => Effect.flip(one!.getOrLoad("1"))), { concurrency: "unbounded" })
          )
          yield* untilSo(() => loads === 1)
          assert.deepStrictEqual(yield* two!.getOrLoad("1"), some(2))
          assert.deepStrictEqual(new Set(yield* Fiber.join(first)), new Set(["no"]))
          assert.deepStrictEqual(yield* one!.getOrLoad("1"), some(2))
          assert.strictEqual(loads, 2)
        }))

      it.effect("a load that dies is told as well, and another follows at once", () =>
        Effect.gen(function*() {
          let loads = 0
          const load = () => Effect.suspend(() => ++loads === 1 ? Effect.die("bug") : Effect.succeed(some(2)))
          const pace = yield* Pace.watch
          const cache = yield* program(load)
          assert.isTrue(Exit.hasDies(yield* Effect.exit(cache.getOrLoad("1"))))
          const startedAt = performance.now()
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(2))
          assert.isBelow(pace.between(startedAt, performance.now()), 1000)
        }))

      it.effect("a load that hangs is given up, also where it cannot be interrupted, and another program loads", () =>
        Effect.gen(function*() {
          let loads = 0
          const hung = yield* Deferred.make<void>()
          const load = () =>
            Effect.suspend(() =>
              ++loads === 1
                ? Effect.uninterruptible(Effect.as(Deferred.await(hung), some(1)))
                : Effect.succeed(some(2))
            )
          const pace = yield* Pace.watch
          const [one, two] = yield* programs(2, load, { loadTimeout: "200 millis" })
          const startedAt = performance.now()
          const waiting = yield* Effect.forkChild(Effect.flip(one!.getOrLoad("1")))
          yield* untilSo(() => loads === 1)
          // The machine may keep any load for longer than it may take.
          const loading = Effect.eventually(two!.getOrLoad("1"))
          assert.deepStrictEqual(yield* loading, some(2))
          assert.isAtLeast(performance.now() - startedAt, 190)
          assert.deepInclude(yield* Fiber.join(waiting), { _tag: "LoadTimeoutError", milliseconds: 200 })
          assert.isBelow(pace.between(startedAt, performance.now()), 1500)
          while (Option.isNone(yield* two!.get("1"))) yield* loading
          yield* Deferred.succeed(hung, undefined)
          // Enough for what it would write if it still could.
          yield* Effect.sleep("200 millis")
          assert.deepStrictEqual(yield* two!.get("1"), some(2))
        }))

      it.effect("a load goes on while anybody waits, and ends when all have gone; then others load at once", () =>
        Effect.gen(function*() {
          const pace = yield* Pace.watch
          const { load, loads } = counting(300)
          const [one, two] = yield* programs(2, load)
          const ask = Effect.forkChild(one!.getOrLoad("1"), { startImmediately: true })
          const [first, second] = [yield* ask, yield* ask]
          yield* untilSo(() => loads.begun === 1)
          yield* Fiber.interrupt(first)
          assert.strictEqual(loads.ended, 0)
          assert.deepStrictEqual(yield* Fiber.join(second), some(1))
          yield* one!.del("1")
          const [third, fourth] = [yield* ask, yield* ask]
          yield* untilSo(() => loads.begun === 2)
          yield* Fiber.interrupt(third)
          yield* Fiber.interrupt(fourth)
          yield* untilSo(() => loads.ended === 2)
          const startedAt = performance.now()
          assert.deepStrictEqual(yield* two!.getOrLoad("1"), some(3))
          assert.isBelow(pace.between(startedAt, performance.now()), 900)
        }))

      it.effect("what is set or deleted while it is loaded wins over the load", () =>
        Effect.gen(function*() {
          const held = yield* Deferred.make<void>()
          let loads = 0
          const load = () =>
            Effect.suspend(() => {
              const n = ++loads
              return Effect.as(n % 2 === 1 ? Deferred.await(held) : Effect.void, some(n))
            })
          const [one, two] = yield* programs(2, load)
          const set = yield* Effect.forkChild(one!.getOrLoad("set"))
          yield* untilSo(() => loads === 1)
          yield* two!.set("set", { n: 100 })
          loads++
          const deleted = yield* Effect.forkChild(one!.getOrLoad("deleted"))
          yield* untilSo(() => loads === 3)
          yield* two!.del("deleted")
          // This one asks after it was deleted, and must not get what was loaded before.
          const late = yield* Effect.forkChild(one!.getOrLoad("deleted"), { startImmediately: true })
          yield* Deferred.succeed(held, undefined)
          assert.deepStrictEqual(yield* Fiber.join(set), some(1))
          assert.deepStrictEqual(yield* one!.get("set"), some(100))
          assert.deepStrictEqual(yield* Fiber.join(deleted), some(3))
          assert.deepStrictEqual(yield* Fiber.join(late), some(4))
          assert.deepStrictEqual(yield* one!.get("deleted"), some(4))
        }))

      it.effect("whatever else replaces the key ends a load as well", () =>
        Effect.gen(function*() {
          const held = yield* Deferred.make<void>()
          let loads = 0
          const cache = yield* program(() =>
            Effect.as(Effect.andThen(Effect.sync(() => loads++), Deferred.await(held)), some(1))
          )
          const key = yield* cache.keyOf("1")
          const waiting = yield* Effect.forkChild(cache.getOrLoad("1"))
          yield* untilSo(() => loads === 1)
          yield* Redis.set(key, "something else")
          yield* Deferred.succeed(held, undefined)
          assert.deepStrictEqual(yield* Fiber.join(waiting), some(1))
          assert.strictEqual(yield* Redis.get(key), "something else")
          assert.strictEqual((yield* Effect.flip(cache.getOrLoad("1")))._tag, "WrongTypeError")
          yield* cache.set("1", { n: 2 })
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(2))
        }))

      it.effect("what does not fit the schema any more is loaded anew", () =>
        Effect.gen(function*() {
          const cache = yield* program(() => Effect.succeed(some(1)))
          const key = yield* cache.keyOf("1")
          yield* cache.set("1", { n: 2 })
          yield* Redis.hset(key, { value: `{"n":"two"}` })
          assert.strictEqual((yield* Effect.flip(cache.get("1")))._tag, "KeyspaceError")
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(1))
          assert.deepStrictEqual(yield* cache.get("1"), some(1))
        }))

      it.effect("a value that somebody else stored is taken for one whatever it has for a version", () =>
        Effect.gen(function*() {
          const cache = yield* program(() => Effect.succeed(some(1)))
          const key = yield* cache.keyOf("1")
          yield* cache.set("1", { n: 2 })
          yield* Redis.hset(key, { version: "é".repeat(200_000) })
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(2))
        }))

      it.effect("a program that died while it loaded is waited for until its lease ends", () =>
        Effect.gen(function*() {
          const pace = yield* Pace.watch
          const { load } = counting(1)
          const cache = yield* program(load, { loadTimeout: "30 seconds" })
          const key = yield* cache.keyOf("1")
          const startedAt = performance.now()
          // What such a program leaves behind.
          const { microseconds, seconds } = yield* Redis.time()
          yield* Redis.hset(key, { lease: "dead", leased: seconds * 1000 + Math.ceil(microseconds / 1000) + 300 })
          assert.deepStrictEqual(yield* cache.getOrLoad("1"), some(1))
          assert.isAtLeast(performance.now() - startedAt, 250)
          assert.isBelow(pace.between(startedAt, performance.now()), 2000)
        }))

      it.effect("a lease is waited for no longer than one lasts that this program takes, also where the server's clock was set back", () =>
        Effect.gen(function*() {
          const cache = yield* program(() => Effect.succeed(some(1)))
          const key = yield* cache.keyOf("1")
          yield* Redis.hset(key, { lease: "another", leased: Date.now() + 9_000 })
          const waiting = yield* Effect.forkChild(cache.getOrLoad("1"), { startImmediately: true })
          yield* Effect.sleep(30)
          assert.isUndefined(waiting.pollUnsafe())
          yield* Redis.hset(key, { leased: Date.now() + 3_600_000 })
          assert.deepStrictEqual(yield* Fiber.join(waiting), some(1))
          assert.deepStrictEqual(yield* cache.get("1"), some(1))
        }))

      it.effect("the end of the cache ends what it loads, and gives the lease back", () =>
        Effect.gen(function*() {
          const { load, loads } = counting(5000)
          const scope = yield* Scope.make()
          const cache = yield* Scope.provide(program(load), scope)
          const waiting = yield* Effect.forkChild(cache.getOrLoad("1"))
          yield* untilSo(() => loads.begun === 1)
          yield* Scope.close(scope, Exit.void)
          assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting)))
          assert.strictEqual(loads.ended, 1)
          const key = yield* cache.keyOf("1")
          yield* until(Redis.exists(key), (count) => count === 0)
        }))
    })
  })
}
