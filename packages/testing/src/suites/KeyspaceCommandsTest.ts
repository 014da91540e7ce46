import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisKeyspace } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { freshKey, requireCommand } from "../Suite.ts"

const User = Schema.Struct({ name: Schema.String, born: Schema.Date })
const ada = { name: "Ada", born: new Date("1815-12-10") }
const bob = { name: "Bob", born: new Date(0) }

const keysOf = () => ({ one: `${freshKey()}:*`, other: `${freshKey()}:*`, plain: freshKey() }) as const

/** The commands of keyspaces in pipelines and transactions, on whatever Layer is given. */
export const KeyspaceCommandsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Commands of keyspaces", () => {
    layer(client)((it) => {
      it.effect("stand beside other commands in a pipeline, a transaction and what a watch commits", () =>
        Effect.gen(function*() {
          const { one, plain } = keysOf()
          const { commands, ...users } = RedisKeyspace.make({ key: one, value: User, ttl: "1 hour" })
          const { n, set, user } = yield* Redis.pipeline({
            set: commands.set("1", ada),
            user: commands.get("1"),
            n: Redis.incr(plain)
          })
          assert.deepStrictEqual({ n, set, user }, { n: 1, set: true, user: Option.some(ada) })
          const left = Option.getOrThrow(yield* users.ttl("1"))
          assert.isTrue(Duration.isLessThanOrEqualTo(left, Duration.hours(1)))
          assert.deepStrictEqual(
            yield* Redis.transaction([
              commands.set("2", bob, { ttl: "Infinity" }),
              Redis.incr(plain),
              commands.get("2"),
              commands.get("3"),
              commands.has("1"),
              commands.del("1", "3"),
              commands.has("1")
            ]),
            [true, 2, Option.some(bob), Option.none(), true, 1, false]
          )
          const renamed = yield* Redis.watch(
            yield* users.keyOf("2"),
            Effect.gen(function*() {
              const before = Option.getOrThrow(yield* commands.get("2"))
              return { set: commands.set("2", { ...before, name: "Rob" }), n: Redis.incr(plain) }
            })
          )
          assert.deepStrictEqual(renamed, { set: true, n: 3 })
          assert.deepStrictEqual(yield* users.get("2"), Option.some({ ...bob, name: "Rob" }))
        }))

      it.effect("read and delete, and read and let live on", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "GETEX")
          const { one } = keysOf()
          const { commands, ...values } = RedisKeyspace.make({ key: one, value: Schema.Int, ttl: "1 hour" })
          yield* values.set("1", 1, { ttl: "Infinity" })
          assert.deepStrictEqual(
            yield* Redis.pipeline([
              commands.getex("1"),
              commands.getex("1", { ttl: "Infinity" }),
              commands.getdel("1")
            ]),
            [Option.some(1), Option.some(1), Option.some(1)]
          )
          assert.deepStrictEqual(yield* Redis.pipeline([commands.getex("1"), commands.getdel("1")]), [
            Option.none(),
            Option.none()
          ])
        }))

      it.effect("read hashes, and count in a window that the first increment opens", () =>
        Effect.gen(function*() {
          const { one, other, plain } = keysOf()
          const sessions = RedisKeyspace.makeHash({
            key: one,
            value: Schema.Struct({ visits: Schema.FiniteFromString })
          })
          const counters = RedisKeyspace.makeCounter({ key: other, ttl: "1 hour" })
          const endless = RedisKeyspace.makeCounter({ key: `${plain}:*` })
          yield* sessions.set("1", { visits: 3 })
          const { increment } = counters.commands
          assert.deepStrictEqual(
            yield* Redis.transaction([
              sessions.commands.get("1"),
              sessions.commands.get("2"),
              increment("1"),
              increment("1", 5),
              counters.commands.get("1"),
              endless.commands.increment("1", -2)
            ]),
            [Option.some({ visits: 3 }), Option.none(), 1, 6, Option.some(6), -2]
          )
          assert.isTrue(
            Duration.isLessThanOrEqualTo(Option.getOrThrow(yield* counters.ttl("1")), Duration.hours(1))
          )
          yield* counters.expire("1", "1 minute")
          assert.strictEqual(yield* increment("1"), 7)
          assert.isTrue(
            Duration.isLessThanOrEqualTo(Option.getOrThrow(yield* counters.ttl("1")), Duration.minutes(1))
          )
          // What is no counter keeps what it is, and has no end.
          yield* Redis.rpush(yield* counters.keyOf("list"), "a")
          assert.strictEqual((yield* Effect.flip(increment("list")))._tag, "WrongTypeError")
          assert.deepStrictEqual(yield* counters.ttl("list"), Option.some(Duration.infinity))
          assert.strictEqual((yield* Effect.flip(increment("2", 0.5)))._tag, "DataError")
        }))

      it.effect("keep sets and sorted sets, which live on from each write", () =>
        Effect.gen(function*() {
          const { one, other } = keysOf()
          const sets = RedisKeyspace.makeSet({ key: one, value: Schema.FiniteFromString, ttl: "1 hour" }).commands
          const sorted =
            RedisKeyspace.makeSortedSet({ key: other, value: Schema.FiniteFromString, ttl: "1 hour" }).commands
          assert.deepStrictEqual(
            yield* Redis.pipeline([
              sets.add("1", 1, 2),
              sets.contains("1", 2),
              sets.size("1"),
              sets.remove("1", 2, 3),
              sets.get("1"),
              sets.get("2")
            ]),
            [2, true, 2, 1, Option.some([1]), Option.none()]
          )
          assert.deepStrictEqual(
            yield* Redis.transaction([
              sorted.add("1", 10, 1),
              sorted.add("1", 10, 1),
              sorted.increment("1", 20, 2.5),
              sorted.score("1", 20),
              sorted.score("1", 30),
              sorted.rank("1", 20),
              sorted.rank("1", 20, { rev: true }),
              sorted.rank("1", 30)
            ]),
            [true, false, 2.5, Option.some(2.5), Option.none(), Option.some(1), Option.some(0), Option.none()]
          )
          const [low, high] = [{ member: 10, score: 1 }, { member: 20, score: 2.5 }]
          assert.deepStrictEqual(
            yield* Redis.transaction([
              sorted.range("1", 0, -1),
              sorted.range("1", 0, 0, { rev: true }),
              sorted.get("1"),
              sorted.size("1"),
              sorted.remove("1", 10, 30)
            ]),
            [[low, high], [high], Option.some([low, high]), 2, 1]
          )
          assert.isAbove(yield* Redis.pttl(one.replace("*", "1")), 0)
          assert.isAbove(yield* Redis.pttl(other.replace("*", "1")), 0)
        }))

      it.effect("replace hashes, sets and sorted sets in one step, whatever was there, however many members", () =>
        Effect.gen(function*() {
          const { one, other, plain } = keysOf()
          const ttl = "1 hour"
          const hashes = RedisKeyspace.makeHash({
            key: one,
            ttl,
            value: Schema.Struct({ a: Schema.String, b: Schema.optionalKey(Schema.String) })
          })
          const sets = RedisKeyspace.makeSet({ key: other, value: Schema.FiniteFromString })
          const sorted = RedisKeyspace.makeSortedSet({ key: `${plain}:*`, value: Schema.FiniteFromString, ttl })
          const many = Array.from({ length: 9000 }, (_, index) => index)
          const ranked = many.map((member) => ({ member, score: member }))
          yield* hashes.set("1", { a: "old", b: "old" })
          yield* Redis.set(yield* sets.keyOf("1"), "no set")
          assert.deepStrictEqual(
            yield* Redis.transaction([
              hashes.commands.set("1", { a: "new" }),
              hashes.commands.get("1"),
              sets.commands.set("1", many),
              sets.commands.size("1"),
              sorted.commands.set("1", ranked, { ttl: "Infinity" }),
              sorted.commands.range("1", -1, -1),
              sorted.commands.set("2", [])
            ]),
            [true, Option.some({ a: "new" }), true, 9000, true, [{ member: 8999, score: 8999 }], true]
          )
          assert.isAbove(yield* Redis.pttl(yield* hashes.keyOf("1")), 0)
          assert.strictEqual(yield* Redis.pttl(yield* sorted.keyOf("1")), -1)
          assert.deepStrictEqual(yield* Redis.pipeline([sets.commands.set("1", []), sets.commands.has("1")]), [
            true,
            false
          ])
          const unsent = yield* Effect.flip(sorted.commands.set("1", [{ member: 1, score: NaN }]))
          assert.strictEqual(unsent._tag, "DataError")
          assert.strictEqual(yield* sorted.size("1"), 9000)
        }))

      it.effect("say which key does not fit, by the errors of commands, and the others run", () =>
        Effect.gen(function*() {
          const { one, plain } = keysOf()
          const { commands } = RedisKeyspace.make({ key: one, value: User })
          const key = one.replace("*", "1")
          yield* Redis.set(key, `{"name":1,"born":"1815-12-10T00:00:00.000Z"}`)
          // What types do not allow comes from programs without types.
          const wrong = commands.set("2", { name: "Eve" } as never)
          const [misfit, unsent, n] = yield* Redis.pipelineSettled([commands.get("1"), wrong, Redis.incr(plain)])
          assert.deepStrictEqual(n, Result.succeed(1))
          assert(Result.isFailure(misfit) && misfit.failure._tag === "DecodeError")
          assert.include(misfit.failure.message, `what is stored at "${key}": Expected string`)
          assert.notInclude(misfit.failure.message, "1815")
          assert(Result.isFailure(unsent) && unsent.failure._tag === "DataError")
          assert.include(
            unsent.failure.message,
            `the value for "${one.replace("*", "2")}" cannot be written: Missing key`
          )
          const failure = yield* Effect.flip(Redis.transaction([Redis.incr(plain), wrong]))
          assert.strictEqual(failure._tag, "DataError")
          assert.strictEqual(yield* Redis.get(plain), "1")
        }))
    })
  })
}
