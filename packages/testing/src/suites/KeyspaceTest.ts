import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisKeyspace } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { freshKey, requireCommand } from "../Suite.ts"

const User = Schema.Struct({ name: Schema.String, born: Schema.Date, tags: Schema.Array(Schema.String) })
const ada = { name: "Ada", born: new Date("1815-12-10"), tags: ["a", "b"] }
const bob = { name: "Bob ключ", born: new Date(0), tags: [] }

const encoder = new TextEncoder()

const members = Array.from({ length: 300 }, (_, index) => index)

/** Whether a key lives for at most so long, and nearly so. */
const assertLives = (found: Option.Option<Duration.Duration>, milliseconds: number): void => {
  const left = Duration.toMillis(Option.getOrThrow(found))
  assert.isAtMost(left, milliseconds)
  assert.isAbove(left, milliseconds / 2)
}

/** Keyspaces, on whatever Layer is given. */
export const KeyspaceTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Keyspaces", () => {
    layer(client)((it) => {
      it.effect("stores values as JSON, and reads what it stored", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const users = RedisKeyspace.make({ key: `${prefix}:*`, value: User })
          assert.deepStrictEqual(yield* users.get("1"), Option.none())
          assert.isFalse(yield* users.has("1"))
          yield* users.set("1", ada)
          yield* users.set("2", bob)
          assert.deepStrictEqual(yield* users.get("1"), Option.some(ada))
          assert.strictEqual(
            yield* Redis.get(`${prefix}:1`),
            `{"name":"Ada","born":"1815-12-10T00:00:00.000Z","tags":["a","b"]}`
          )
          assert.deepStrictEqual(yield* users.getMany(["2", "none", "1"]), [
            Option.some(bob),
            Option.none(),
            Option.some(ada)
          ])
          assert.deepStrictEqual(yield* users.getMany([]), [])
          assert.deepStrictEqual(yield* users.ttl("1"), Option.some(Duration.infinity))
          assert.deepStrictEqual(yield* users.ttl("none"), Option.none())
          assert.isTrue(yield* users.expire("1", "1 hour"))
          assert.isTrue(yield* users.expire("1", "Infinity"))
          assert.deepStrictEqual(yield* users.ttl("1"), Option.some(Duration.infinity))
          assert.isTrue(yield* users.expire("1", Duration.infinity))
          assert.isFalse(yield* users.expire("none", Duration.infinity))
          assert.strictEqual(yield* users.del("1", "none"), 1)
          assert.isTrue(yield* users.has("2"))
          assert.strictEqual(yield* users.del(), 0)
        }))

      it.effect("reads several by name, and what is not there as something else", () =>
        Effect.gen(function*() {
          const users = RedisKeyspace.make({ key: `${freshKey()}:*`, value: User })
          yield* users.setMany([["1", ada], ["2", bob]])
          const found = yield* users.getMany({ first: "1", none: "3", ["__proto__"]: "2" })
          assert.deepStrictEqual(Object.entries(found), [
            ["first", Option.some(ada)],
            ["none", Option.none()],
            ["__proto__", Option.some(bob)]
          ])
          const ids: { [name: string]: string } = { first: "1", second: "2" }
          const read = users.getMany(ids)
          delete ids["first"]
          assert.deepStrictEqual(Object.entries(yield* read), [["first", Option.some(ada)], [
            "second",
            Option.some(bob)
          ]])
          assert.deepStrictEqual(yield* users.getOrElse("1", () => undefined), ada)
          assert.strictEqual(yield* users.getOrElse("3", () => "nobody"), "nobody")
          assert.isFalse(yield* users.has("3"))
        }))

      it.effect("each write may have a time to live of its own", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const options = { key: `${prefix}:*`, ttl: "1 hour" } as const
          const one = { ttl: "1 minute" } as const
          const values = RedisKeyspace.make({ ...options, value: Schema.Int })
          const hashes = RedisKeyspace.makeHash({ ...options, value: Schema.Struct({ a: Schema.String }) })
          const counters = RedisKeyspace.makeCounter(options)
          const sets = RedisKeyspace.makeSet({ ...options, value: Schema.String })
          const sorted = RedisKeyspace.makeSortedSet({ ...options, value: Schema.String })
          yield* values.set("v", 1, one)
          yield* hashes.set("h", { a: "b" }, one)
          yield* counters.set("c", 1, one)
          yield* sets.set("s", ["a"], one)
          yield* sorted.set("z", [{ member: "a", score: 1 }], one)
          for (const id of ["v", "h", "c", "s", "z"]) assertLives(yield* values.ttl(id), 60_000)
          yield* values.set("v", 1)
          assertLives(yield* values.ttl("v"), 3_600_000)
          // Longer than any server counts is without end, as it is of a lock.
          yield* values.setMany([["u", 1]], { ttl: Duration.days(1e12) })
          assert.deepStrictEqual(yield* values.ttl("u"), Option.some(Duration.infinity))
          // Less than a millisecond is one: the value is not there for ever.
          yield* values.setMany([["u", 1]], { ttl: "1 nano" })
          assert.notDeepEqual(yield* values.ttl("u"), Option.some(Duration.infinity))
          yield* values.setMany([["v", 1], ["w", 2]], { ttl: "Infinity" })
          assert.deepStrictEqual(yield* values.ttl("w"), Option.some(Duration.infinity))
          assert.deepStrictEqual(yield* values.getMany(["v", "w"]), [Option.some(1), Option.some(2)])
        }))

      it.effect("reads and deletes, reads and lets live on", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "GETEX")
          const values = RedisKeyspace.make({ key: `${freshKey()}:*`, value: Schema.Int, ttl: "1 hour" })
          yield* values.set("a", 1, { ttl: "Infinity" })
          assert.deepStrictEqual(yield* values.getex("a"), Option.some(1))
          assertLives(yield* values.ttl("a"), 3_600_000)
          yield* values.getex("a", { ttl: "1 minute" })
          assertLives(yield* values.ttl("a"), 60_000)
          yield* values.getex("a", { ttl: "Infinity" })
          assert.deepStrictEqual(yield* values.ttl("a"), Option.some(Duration.infinity))
          assert.deepStrictEqual(yield* values.getdel("a"), Option.some(1))
          assert.deepStrictEqual([yield* values.getdel("a"), yield* values.getex("a")], [Option.none(), Option.none()])
        }))

      it.effect("updates without losing any of many that come at once", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const values = RedisKeyspace.make({
            key: `${prefix}:*`,
            value: Schema.Struct({ count: Schema.Int }),
            ttl: "1 hour"
          })
          const increment = values.update("a", (current) => ({
            count: Option.match(current, { onNone: () => 0, onSome: ({ count }) => count }) + 1
          }))
          const sums = yield* Effect.all(Array.from({ length: 10 }, () => increment), { concurrency: "unbounded" })
          assert.deepStrictEqual(sums.map(({ count }) => count).sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
          assertLives(yield* values.ttl("a"), 3_600_000)
          const refused = yield* Effect.flip(values.update("a", () => ({ count: 0.5 })))
          assert.deepInclude(refused, { _tag: "KeyspaceError", operation: "encode" })
          assert.deepStrictEqual(yield* values.get("a"), Option.some({ count: 10 }))
          yield* Redis.set(`${prefix}:b`, "{")
          const misfit = yield* Effect.flip(values.update("b", () => ({ count: 1 })))
          assert.deepInclude(misfit, { _tag: "KeyspaceError", operation: "decode" })
        }))

      it.effect("updates hashes, sets and sorted sets as a whole, and loses none of many that come at once", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const counts = RedisKeyspace.makeHash({
            key: `${prefix}:*`,
            value: Schema.Struct({ count: Schema.FiniteFromString, by: Schema.optionalKey(Schema.String) }),
            ttl: "1 hour"
          })
          yield* counts.set("a", { count: 0, by: "nobody" })
          const increment = counts.update("a", (current) => ({ count: (Option.getOrThrow(current)).count + 1 }))
          const sums = yield* Effect.all(Array.from({ length: 10 }, () => increment), { concurrency: "unbounded" })
          assert.deepStrictEqual(sums.map(({ count }) => count).sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
          // All fields were replaced.
          assert.deepStrictEqual(yield* counts.get("a"), Option.some({ count: 10 }))
          assertLives(yield* counts.ttl("a"), 3_600_000)
          assert.deepStrictEqual(yield* counts.update("b", Option.getOrElse(() => ({ count: 5 }))), { count: 5 })
          yield* counts.update("b", () => ({ count: 6 }), { ttl: "Infinity" })
          assert.deepStrictEqual(yield* counts.ttl("b"), Option.some(Duration.infinity))
          const sets = RedisKeyspace.makeSet({ key: `${prefix}:set:*`, value: Schema.String })
          const add = (member: string) =>
            sets.update("a", (current) => [...Option.getOrElse(current, () => []), member])
          yield* Effect.forEach(["a", "b", "c"], add, { concurrency: "unbounded" })
          assert.deepStrictEqual([...Option.getOrThrow(yield* sets.get("a"))].sort(), ["a", "b", "c"])
          assert.deepStrictEqual(yield* sets.update("a", () => []), [])
          assert.isFalse(yield* sets.has("a"))
          yield* Redis.set(`${prefix}:c`, "text")
          assert.strictEqual((yield* Effect.flip(counts.update("c", () => ({ count: 1 }))))._tag, "WrongTypeError")
          assert.strictEqual(yield* Redis.get(`${prefix}:c`), "text")
        }))

      it.effect("tells a time to live with which a copy is restored, with and without a limit", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const counts = RedisKeyspace.make({ key: `{${prefix}}:*`, value: Schema.Int })
          yield* counts.set("1", 7)
          for (const limit of [Duration.infinity, Duration.minutes(1)]) {
            yield* counts.expire("1", limit)
            const dump = (yield* Redis.dump(`{${prefix}}:1`))!
            const left = Option.getOrThrow(yield* counts.ttl("1"))
            yield* Redis.restore(`{${prefix}}:2`, left, dump, { replace: true })
            assert.strictEqual(Duration.isFinite(Option.getOrThrow(yield* counts.ttl("2"))), Duration.isFinite(limit))
            assert.deepStrictEqual(yield* counts.get("2"), Option.some(7))
          }
        }))

      it.effect("finds what there is, by ids that need not be text", () =>
        Effect.gen(function*() {
          const prefix = `${freshKey()}[a]?`
          const counts = RedisKeyspace.make({
            key: (id) => `${prefix}:${id}:count`,
            id: Schema.FiniteFromString,
            value: Schema.Int
          })
          yield* Effect.forEach(members, (id) => counts.set(id, id * 2), { concurrency: "unbounded" })
          // Neighbours, and another type under a name that would fit.
          yield* Redis.set(`${prefix.replace("?", "x")}:1:count`, "no")
          yield* Redis.set(`${prefix}:1:other`, "no")
          yield* Redis.sadd(`${prefix}:set:count`, "no")
          const found = new Map(yield* Stream.runCollect(counts.scan))
          assert.deepStrictEqual(found, new Map(members.map((id) => [id, id * 2])))
          assert.deepStrictEqual(new Set(yield* Stream.runCollect(counts.ids)), new Set(members))
          assert.deepStrictEqual(
            yield* Stream.runCollect(Stream.take(counts.scan, 1)).pipe(Effect.map((all) => all.length)),
            1
          )
        }))

      it.effect("says which key holds something else", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const users = RedisKeyspace.make({ key: `${prefix}:*`, value: User })
          for (const text of ["no JSON", `{"name":"s3cret"}`, "null"]) {
            yield* Redis.set(`${prefix}:1`, text)
            const reads = [
              Effect.asVoid(users.get("1")),
              Effect.asVoid(users.getMany(["2", "1"])),
              Stream.runDrain(users.scan)
            ]
            for (const read of reads) {
              const error = yield* Effect.flip(read)
              assert.deepInclude(error, { _tag: "KeyspaceError", key: `${prefix}:1`, operation: "decode" })
              assert.notInclude(String(error), "s3cret")
            }
          }
          yield* Redis.del(`${prefix}:1`)
          yield* Redis.sadd(`${prefix}:1`, "m")
          assert.strictEqual((yield* Effect.flip(users.get("1")))._tag, "WrongTypeError")
        }))

      it.effect("sends nothing that its schema refuses", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const positive = RedisKeyspace.make({ key: `${prefix}:*`, value: Schema.Int.check(Schema.isGreaterThan(0)) })
          const error = yield* Effect.flip(positive.set("1", -1))
          assert.deepInclude(error, { _tag: "KeyspaceError", operation: "encode" })
          assert.isFalse(yield* positive.has("1"))
          const ids = RedisKeyspace.make({
            key: `${prefix}:*`,
            id: Schema.String.check(Schema.isPattern(/^\d+$/)),
            value: Schema.Int
          })
          assert.strictEqual((yield* Effect.flip(ids.get("x")))._tag, "KeyspaceError")
        }))

      it.effect("lets values live for as long as it says, from each write on", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const values = RedisKeyspace.make({ key: `${prefix}:v:*`, value: Schema.Int, ttl: "1 hour" })
          const hashes = RedisKeyspace.makeHash({
            key: `${prefix}:h:*`,
            value: Schema.Struct({ a: Schema.String }),
            ttl: "1 hour"
          })
          const sets = RedisKeyspace.makeSet({ key: `${prefix}:s:*`, value: Schema.String, ttl: "1 hour" })
          const sorted = RedisKeyspace.makeSortedSet({ key: `${prefix}:z:*`, value: Schema.String, ttl: "1 hour" })
          yield* values.set("1", 1)
          yield* hashes.set("1", { a: "1" })
          yield* sets.add("1", "a")
          yield* sorted.add("1", "a", 1)
          for (const keyspace of [values, hashes, sets, sorted]) {
            assertLives(yield* keyspace.ttl("1"), 3_600_000)
            assert.isTrue(yield* keyspace.expire("1", "1 minute"))
            assertLives(yield* keyspace.ttl("1"), 60_000)
            assert.isFalse(yield* keyspace.expire("none", "1 minute"))
          }
          yield* values.set("1", 1)
          yield* hashes.set("1", { a: "1" })
          yield* sets.set("1", ["a"])
          yield* sorted.increment("1", "a", 1)
          for (const keyspace of [values, hashes, sets, sorted]) assertLives(yield* keyspace.ttl("1"), 3_600_000)
        }))

      it.effect("stores records as hashes, replacing all fields", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const sessions = RedisKeyspace.makeHash({
            key: `${prefix}:*`,
            value: Schema.Struct({
              user: Schema.String,
              visits: Schema.FiniteFromString,
              note: Schema.optionalKey(Schema.String)
            })
          })
          assert.deepStrictEqual(yield* sessions.get("1"), Option.none())
          yield* sessions.set("1", { user: "ada", visits: 3, note: "n" })
          assert.deepStrictEqual({ ...(yield* Redis.hgetall(`${prefix}:1`)) }, { user: "ada", visits: "3", note: "n" })
          yield* sessions.set("1", { user: "ada", visits: 4 })
          assert.deepStrictEqual(yield* sessions.get("1"), Option.some({ user: "ada", visits: 4 }))
          assert.deepStrictEqual(yield* sessions.getMany(["none", "1"]), [
            Option.none(),
            Option.some({ user: "ada", visits: 4 })
          ])
          assert.deepStrictEqual(yield* Stream.runCollect(sessions.scan), [["1", { user: "ada", visits: 4 }]])
          yield* Redis.hset(`${prefix}:1`, "visits", "many")
          assert.strictEqual((yield* Effect.flip(sessions.get("1")))._tag, "KeyspaceError")
          const empty = RedisKeyspace.makeHash({
            key: `${prefix}:*`,
            value: Schema.Struct({ a: Schema.optionalKey(Schema.String) })
          })
          assert.strictEqual((yield* Effect.flip(empty.set("1", {})))._tag, "KeyspaceError")
        }))

      it.effect("counts, in a window that the first increment opens", () =>
        Effect.gen(function*() {
          const counters = RedisKeyspace.makeCounter({ key: `${freshKey()}:*`, ttl: "1 hour" })
          assert.deepStrictEqual(yield* counters.get("1"), Option.none())
          assert.strictEqual(yield* counters.increment("1"), 1)
          assertLives(yield* counters.ttl("1"), 3_600_000)
          yield* counters.expire("1", "1 minute")
          assert.strictEqual(yield* counters.increment("1", 4), 5)
          assert.strictEqual(yield* counters.increment("1", -2), 3)
          assertLives(yield* counters.ttl("1"), 60_000)
          assert.deepStrictEqual(yield* counters.get("1"), Option.some(3))
          yield* counters.set("2", 7)
          assert.deepStrictEqual(yield* counters.getMany(["1", "2", "3"]), [
            Option.some(3),
            Option.some(7),
            Option.none()
          ])
          const forever = RedisKeyspace.makeCounter({ key: `${freshKey()}:*` })
          assert.strictEqual(yield* forever.increment("1"), 1)
          assert.deepStrictEqual(yield* forever.ttl("1"), Option.some(Duration.infinity))
          assert.strictEqual((yield* Effect.flip(forever.set("1", 0.5)))._tag, "KeyspaceError")
        }))

      it.effect("keeps sets of values", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const sets = RedisKeyspace.makeSet({ key: `${prefix}:*`, value: Schema.FiniteFromString })
          assert.deepStrictEqual(yield* sets.get("1"), Option.none())
          assert.strictEqual(yield* sets.size("1"), 0)
          assert.strictEqual(yield* sets.add("1", 1, 2, 2), 2)
          assert.strictEqual(yield* sets.add("1"), 0)
          assert.deepStrictEqual(Option.map(yield* sets.get("1"), (all) => new Set(all)), Option.some(new Set([1, 2])))
          assert.isTrue(yield* sets.contains("1", 2))
          assert.isFalse(yield* sets.contains("1", 3))
          assert.strictEqual(yield* sets.remove("1", 2, 3), 1)
          yield* sets.set("1", members)
          assert.strictEqual(yield* sets.size("1"), members.length)
          assert.deepStrictEqual(new Set(yield* Stream.runCollect(sets.members("1"))), new Set(members))
          yield* sets.set("1", [])
          assert.isFalse(yield* sets.has("1"))
          yield* Redis.sadd(`${prefix}:1`, "many")
          assert.strictEqual((yield* Effect.flip(sets.get("1")))._tag, "KeyspaceError")
        }))

      it.effect("keeps sorted sets of values", () =>
        Effect.gen(function*() {
          const sorted = RedisKeyspace.makeSortedSet({ key: `${freshKey()}:*`, value: Schema.FiniteFromString })
          assert.deepStrictEqual(yield* sorted.get("1"), Option.none())
          assert.isTrue(yield* sorted.add("1", 10, 1.5))
          assert.isFalse(yield* sorted.add("1", 10, 2))
          assert.strictEqual(yield* sorted.increment("1", 20, 1), 1)
          const [low, high] = [{ member: 20, score: 1 }, { member: 10, score: 2 }]
          assert.deepStrictEqual(yield* sorted.get("1"), Option.some([low, high]))
          assert.deepStrictEqual(yield* sorted.range("1", 0, 0, { rev: true }), [high])
          assert.deepStrictEqual(yield* sorted.range("1", -1, -1), [high])
          assert.deepStrictEqual(yield* sorted.score("1", 20), Option.some(1))
          assert.deepStrictEqual(yield* sorted.score("1", 30), Option.none())
          assert.deepStrictEqual(yield* sorted.rank("1", 20), Option.some(0))
          assert.deepStrictEqual(yield* sorted.rank("1", 20, { rev: true }), Option.some(1))
          assert.deepStrictEqual(yield* sorted.rank("1", 30), Option.none())
          assert.strictEqual(yield* sorted.remove("1", 20, 30), 1)
          assert.strictEqual(yield* sorted.size("1"), 1)
          yield* sorted.set("1", [low])
          assert.deepStrictEqual(yield* Stream.runCollect(sorted.scan), [["1", [low]]])
          yield* sorted.set("1", [])
          assert.isFalse(yield* sorted.has("1"))
        }))

      it.effect("a write that fails changes nothing of what is there, nor how long it lives", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const options = { key: `${prefix}:*`, value: Schema.String, ttl: "1 hour" } as const
          const sets = RedisKeyspace.makeSet(options)
          const sorted = RedisKeyspace.makeSortedSet(options)
          const counters = RedisKeyspace.makeCounter(options)
          yield* Redis.rpush(`${prefix}:list`, "a", "b")
          yield* Redis.set(`${prefix}:text`, "no number")
          for (const id of ["list", "text"]) {
            const writes = [
              Effect.asVoid(sets.add(id, "m")),
              Effect.asVoid(sorted.add(id, "m", 1)),
              Effect.asVoid(sorted.increment(id, "m", 1)),
              Effect.asVoid(counters.increment(id))
            ]
            for (const [index, write] of writes.entries()) {
              const error = yield* Effect.flip(write)
              assert.strictEqual(error._tag, id === "text" && index === 3 ? "ResponseError" : "WrongTypeError")
              assert.strictEqual(yield* Redis.pttl(`${prefix}:${id}`), -1)
            }
          }
          assert.deepStrictEqual(yield* Redis.lrange(`${prefix}:list`, 0, -1), ["a", "b"])
          for (const by of [1.5, NaN, Infinity, 2 ** 60]) {
            assert.strictEqual((yield* Effect.flip(counters.increment("new", by)))._tag, "KeyspaceError")
          }
          assert.strictEqual((yield* Effect.flip(sorted.add("new", "m", NaN)))._tag, "DataError")
          assert.isFalse(yield* counters.has("new"))
        }))

      it.effect("adds any number of values with a ttl, and counts them", () =>
        Effect.gen(function*() {
          const sets = RedisKeyspace.makeSet({ key: `${freshKey()}:*`, value: Schema.FiniteFromString, ttl: "1 hour" })
          const many = Array.from({ length: 9000 }, (_, index) => index)
          yield* sets.add("1", 3, 4)
          assert.strictEqual(yield* sets.add("1", ...many), 8998)
          assert.strictEqual(yield* sets.size("1"), 9000)
          assert.strictEqual(yield* sets.add("1"), 0)
          assertLives(yield* sets.ttl("1"), 3_600_000)
        }))

      it.effect("reads several as it reads one, and fails where something else is stored", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          for (
            const keyspace of [
              RedisKeyspace.make({ key: `${prefix}:*`, value: Schema.Int }),
              RedisKeyspace.makeCounter({ key: `${prefix}:*` })
            ]
          ) {
            yield* keyspace.set("1", 1)
            yield* Redis.del(`${prefix}:2`)
            yield* Redis.sadd(`${prefix}:2`, "m")
            assert.strictEqual((yield* Effect.flip(keyspace.getMany(["1", "2"])))._tag, "WrongTypeError")
          }
        }))

      it.effect("a counter is what INCR takes for one, and is exact", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const counters = RedisKeyspace.makeCounter({ key: `${prefix}:*` })
          for (const text of ["", " 1", "1 ", "01", "+1", "-0", "1e3", "0x10", "1.0", "9007199254740993", "NaN"]) {
            yield* Redis.set(`${prefix}:1`, text)
            assert.strictEqual((yield* Effect.flip(counters.get("1")))._tag, "KeyspaceError", JSON.stringify(text))
          }
          for (const number of [0, -1, 10, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
            yield* Redis.set(`${prefix}:1`, number)
            assert.deepStrictEqual(yield* counters.get("1"), Option.some(number))
            yield* counters.set("2", number)
            assert.strictEqual(yield* Redis.get(`${prefix}:2`), String(number))
          }
        }))

      it.effect("leaves out what does not fit when told to, and tells of it", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const told: Array<string> = []
          const tell = (error: RedisKeyspace.KeyspaceError) => Effect.sync(() => void told.push(error.key))
          const options = { key: `${prefix}:*`, id: Schema.FiniteFromString, value: Schema.Int } as const
          yield* Redis.mset({ [`${prefix}:1`]: "1", [`${prefix}:2`]: "no JSON", [`${prefix}:x`]: "3" })
          const failing = RedisKeyspace.make(options)
          assert.strictEqual((yield* Effect.flip(Stream.runDrain(failing.scan)))._tag, "KeyspaceError")
          assert.strictEqual((yield* Effect.flip(Stream.runDrain(failing.ids)))._tag, "KeyspaceError")
          for (const misfits of ["skip", tell] as const) {
            const keyspace = RedisKeyspace.make({ ...options, misfits })
            assert.deepStrictEqual(new Map(yield* Stream.runCollect(keyspace.scan)), new Map([[1, 1]]))
            assert.deepStrictEqual(new Set(yield* Stream.runCollect(keyspace.ids)), new Set([1, 2]))
            // A caller that asks for one learns of it, whatever scans do.
            assert.strictEqual((yield* Effect.flip(keyspace.get(2)))._tag, "KeyspaceError")
          }
          assert.deepStrictEqual(told.toSorted(), [`${prefix}:2`, `${prefix}:x`, `${prefix}:x`])
          const sets = RedisKeyspace.makeSet({ key: `${prefix}:*`, value: Schema.FiniteFromString, misfits: "skip" })
          yield* Redis.sadd(`${prefix}:s`, "1", "many")
          assert.deepStrictEqual(yield* Stream.runCollect(sets.members("s")), [1])
        }))

      it.effect("what is no text does not fit, be it a value, a member or the name of a key", () =>
        Effect.gen(function*() {
          const prefix = freshKey()
          const noText = Uint8Array.of(255)
          const told: Array<string> = []
          const misfits = (error: RedisKeyspace.KeyspaceError) => Effect.sync(() => void told.push(error.key))
          const of = (kind: string) => ({ key: (id: string) => `${prefix}:${kind}:${id}`, misfits })
          const texts = RedisKeyspace.make({ ...of("s"), value: Schema.String })
          const hashes = RedisKeyspace.makeHash({ ...of("h"), value: Schema.Struct({ a: Schema.String }) })
          const sets = RedisKeyspace.makeSet({ ...of("m"), value: Schema.String })
          const sorted = RedisKeyspace.makeSortedSet({ ...of("z"), value: Schema.String })
          yield* texts.set("1", "v")
          yield* hashes.set("1", { a: "v" })
          yield* Redis.set(`${prefix}:s:2`, noText)
          yield* Redis.hset(`${prefix}:h:2`, [["a", noText]])
          yield* Redis.sadd(`${prefix}:m:2`, "v", noText)
          yield* Redis.zadd(`${prefix}:z:2`, [[noText, 1]])
          const refused: ReadonlyArray<Effect.Effect<unknown, unknown, RedisClient.RedisClient>> = [
            texts.get("2"),
            texts.getMany(["1", "2"]),
            texts.update("2", () => "v"),
            hashes.get("2"),
            sets.get("2"),
            sorted.get("2"),
            sorted.range("2", 0, -1)
          ]
          for (const each of refused) {
            const error = yield* Effect.flip(each)
            assert.instanceOf(error, RedisKeyspace.KeyspaceError)
            assert.match(error.key, /:2$/)
            assert.strictEqual(error.operation, "decode")
          }
          assert.deepStrictEqual(new Map(yield* Stream.runCollect(hashes.scan)), new Map([["1", { a: "v" }]]))
          assert.deepStrictEqual(yield* Stream.runCollect(sets.members("2")), ["v"])
          const name = encoder.encode(`${prefix}:s:`)
          yield* Redis.set(Uint8Array.of(...name, 255), "\"v\"")
          assert.deepStrictEqual(new Map(yield* Stream.runCollect(texts.scan)), new Map([["1", "v"]]))
          assert.deepStrictEqual(new Set(yield* Stream.runCollect(texts.ids)), new Set(["1", "2"]))
          const keys = ["h:2", "m:2", "s:2", "s:\ufffd"].map((key) => `${prefix}:${key}`)
          assert.deepStrictEqual([...new Set(told)].toSorted(), keys)
          const failing = RedisKeyspace.make({ ...of("s"), value: Schema.String, misfits: "fail" })
          assert.strictEqual((yield* Effect.flip(Stream.runDrain(failing.ids)))._tag, "KeyspaceError")
          yield* Redis.del(Uint8Array.of(...name, 255))
        }))

      it.effect("cannot be scanned when keys do not contain their ids", () =>
        Effect.gen(function*() {
          for (const key of [(id: string) => `k:${id.length}`, (id: string) => `${id}:${id}`]) {
            const error = yield* Effect.flip(Stream.runDrain(RedisKeyspace.make({ key, value: Schema.Int }).ids))
            assert.strictEqual(error._tag, "KeyspaceError")
          }
        }))
    })
  })
}
