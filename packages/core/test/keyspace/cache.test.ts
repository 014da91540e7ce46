import { assert, describe, it } from "@effect/vitest"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeClient from "@redfx/testing/FakeClient"
import { bulk, lost } from "@redfx/testing/FakeClient"
import { fork } from "@redfx/testing/Fork"
import { until } from "@redfx/testing/Suite"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import { configSet } from "../../src/commands/Config.ts"
import { ping } from "../../src/commands/Connection.ts"
import * as RedisCache from "../../src/RedisCache.ts"
import * as RedisCommand from "../../src/RedisCommand.ts"
import type { CommandError } from "../../src/RedisError.ts"
import * as RedisKeyspace from "../../src/RedisKeyspace.ts"
import type * as Resp from "../../src/Resp.ts"

const key = "cached:*"
const value = Schema.Int
const missing = [0, 0, 1, null, null]
const elsewhere = [0, 0, 2, null, null]
const nothing = [0, 0, 0, null, null]
const known = (n: number) => [0, 1, 0, bulk("v"), bulk(String(n))]

/** A client whose server answers as told, the last of the answers for ever, and what it was asked when. */
const fake = Effect.fnUntraced(function*(answers: Array<Resp.Value | CommandError>) {
  const clock = yield* Clock.Clock
  const asked: Array<string> = []
  const service = FakeClient.make((command) =>
    Effect.sync(() => {
      const script = command.spec.script?.name.split(".").at(-1)
      asked.push(`${script} ${clock.currentTimeMillisUnsafe()}`)
      if (script === "release") return 1
      return (answers.length > 1 ? answers.shift() : undefined) ?? answers[0]!
    })
  )
  return { asked, service }
})

describe("Caches of keyspaces", () => {
  it.effect("a load that hangs is interrupted in time, its lease is given back, and who waits is told", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([missing])
      let interrupted = false
      const load = () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted = true))
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load, ttl: "1 minute", loadTimeout: "3 seconds" })
      )
      const waiting = yield* fork(Effect.flip(cache.getOrLoad("1")))
      yield* TestClock.adjust(2999)
      assert.isFalse(interrupted)
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(waiting)
      assert.isTrue(interrupted)
      assert.strictEqual(error.message, `Loading the value for "cached:1" took longer than 3000 ms, and was given up.`)
      yield* Effect.yieldNow
      assert.deepStrictEqual(asked, ["look 0", "release 3000"])
    }))

  it.effect("what a load has acquired is released with the load, and not with the cache", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([missing, 1])
      const log: Array<string> = []
      const note = (what: string) => Effect.sync(() => log.push(`${what} after ${asked.join()}`))
      const load = () => Effect.as(Effect.acquireRelease(note("acquired"), () => note("released")), Option.some(1))
      const cache = yield* Client.on(service)(RedisKeyspace.makeCache({ key, value, load, ttl: "1 minute" }))
      yield* cache.getOrLoad("1")
      assert.deepStrictEqual(log, ["acquired after look 0", "released after look 0"])
    }))

  it.effect("the lease is given back when the answer cannot be read with which the server may have given it", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([7])
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load: () => Effect.die("not this"), ttl: "1 minute" })
      )
      assert.strictEqual((yield* Effect.flip(cache.getOrLoad("1")))._tag, "DecodeError")
      yield* Effect.yieldNow
      assert.deepStrictEqual(asked, ["look 0", "release 0"])
    }))

  it.effect("who waits for another program looks again after a quarter of the time that it has waited", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([...Array.from({ length: 10 }, () => elsewhere), known(7)])
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load: () => Effect.die("not this"), ttl: "1 minute" })
      )
      const waiting = yield* fork(cache.getOrLoad("1"))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(waiting), Option.some(7))
      const times = asked.map((line) => Number(line.split(" ")[1]))
      for (const [index, time] of times.slice(1, -1).entries()) {
        assert.isAtMost(time - times[index]!, Math.max(Math.ceil(times[index]! / 4), 5))
      }
      assert.isAbove(times.at(-1)!, 40)
    }))

  it.effect("a thousand that wait for another program make it look once each time", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([elsewhere, elsewhere, elsewhere, known(7)])
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load: () => Effect.die("not this"), ttl: "1 minute" })
      )
      const waiting = yield* Effect.forEach(Array.from({ length: 1000 }), () => fork(cache.getOrLoad("1")))
      assert.deepStrictEqual(asked, ["look 0"])
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(asked, ["look 0", "look 5", "look 10"])
      yield* TestClock.adjust(10)
      for (const fiber of waiting) assert.deepStrictEqual(yield* Fiber.join(fiber), Option.some(7))
      assert.deepStrictEqual(asked, ["look 0", "look 5", "look 10", "look 15"])
    }))

  it.effect("a thousand that wait for another program that loads no more look and load once", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([elsewhere, nothing, elsewhere, nothing, missing, 1])
      let loads = 0
      const load = () => Effect.sync(() => Option.some(++loads))
      const cache = yield* Client.on(service)(RedisKeyspace.makeCache({ key, value, load, ttl: "1 minute" }))
      const waiting = yield* Effect.forEach(Array.from({ length: 1000 }), () => fork(cache.getOrLoad("1")))
      yield* TestClock.adjust(100)
      for (const fiber of waiting) assert.deepStrictEqual(yield* Fiber.join(fiber), Option.some(1))
      assert.deepStrictEqual(asked, ["look 0", "look 5", "look 5", "look 10", "look 10", "store 10"])
    }))

  it.effect("a thousand that wait for another program hear once that the server is gone, or load once if they are told to", () =>
    Effect.gen(function*() {
      for (const onRedisFailure of ["fail", "load"] as const) {
        const { asked, service } = yield* fake([elsewhere, lost("not-sent")])
        let loads = 0
        const load = () => Effect.sync(() => Option.some(++loads))
        const cache = yield* Client.on(service)(
          RedisKeyspace.makeCache({ key, value, load, ttl: "1 minute", onRedisFailure })
        )
        const waiting = yield* Effect.forEach(
          Array.from({ length: 1000 }),
          () => fork(Effect.exit(cache.getOrLoad("1")))
        )
        yield* TestClock.adjust(100)
        const exits = new Set(yield* Effect.forEach(waiting, (fiber) => Fiber.join(fiber)))
        assert.isTrue([...exits].every((exit) => Exit.isSuccess(exit) === (onRedisFailure === "load")))
        assert.strictEqual(loads, onRedisFailure === "load" ? 1 : 0)
        assert.strictEqual(asked.length, 3)
      }
    }))

  it.effect("who asked when a value was seen already looks again, as it may have been deleted before that", () =>
    Effect.gen(function*() {
      const seen = yield* Deferred.make<void>()
      const answers = [elsewhere, known(1), known(2)]
      let looks = 0
      const service = FakeClient.make(() => {
        const answer = Effect.succeed(answers[looks++]!)
        return looks === 2 ? Effect.andThen(Deferred.await(seen), answer) : answer
      })
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load: () => Effect.die("not this"), ttl: "1 minute" })
      )
      const early = yield* fork(cache.getOrLoad("1"))
      yield* TestClock.adjust(5)
      const late = yield* fork(cache.getOrLoad("1"))
      yield* Deferred.succeed(seen, undefined)
      assert.deepStrictEqual(yield* Fiber.join(early), Option.some(1))
      assert.deepStrictEqual(yield* Fiber.join(late), Option.some(2))
    }))

  it.live("fifty that wait for another program cost a server no look each when the value is there", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const [begun, ready] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const load = () =>
        Effect.as(Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(ready)), Option.some(1))
      const programs = yield* Effect.forEach(
        [1, 2],
        () =>
          Effect.flatMap(
            Client.make(server),
            (client) =>
              Client.on(client)(RedisKeyspace.makeCache({ key, value, load, ttl: "1 minute", jitter: 0, early: 0 }))
          )
      )
      const admin = yield* Client.make(server)
      const scripts = Effect.map(
        admin.execute(RedisCommand.send("INFO", "commandstats")),
        (text) =>
          Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(text))?.[1] ?? 0) +
          Number(/cmdstat_eval:calls=(\d+)/.exec(String(text))?.[1] ?? 0)
      )
      const first = yield* fork(programs[0]!.getOrLoad("1"))
      yield* Deferred.await(begun)
      const unasked = yield* scripts
      // A pause between two looks ends when the test says so.
      const clock = yield* TestClock.make()
      const waiting = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => fork(Effect.provideService(programs[1]!.getOrLoad("1"), Clock.Clock, clock))
      )
      const look = Effect.andThen(clock.adjust("5 millis"), scripts)
      // Each of them has looked for itself, and then one for all.
      yield* until(look, (count) => count > unasked + 52)
      yield* Deferred.succeed(ready, undefined)
      assert.deepStrictEqual(yield* Fiber.join(first), Option.some(1))
      const before = yield* scripts
      yield* until(look, () => waiting.every((fiber) => fiber.pollUnsafe() !== undefined))
      for (const fiber of waiting) assert.deepStrictEqual(yield* Fiber.join(fiber), Option.some(1))
      // One, and what may have been on its way when the value came.
      assert.isAtMost((yield* scripts) - before, 2)
    }))

  it.effect("a look whose answer is lost is undone, and one that was not sent is not", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([lost("unknown"), lost("not-sent"), nothing])
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load: () => Effect.succeedNone, ttl: "1 minute" })
      )
      assert.strictEqual((yield* Effect.flip(cache.getOrLoad("1")))._tag, "ConnectionError")
      assert.deepStrictEqual(asked, ["look 0", "release 0"])
      assert.strictEqual((yield* Effect.flip(cache.getOrLoad("1")))._tag, "ConnectionError")
      assert.deepStrictEqual(asked, ["look 0", "release 0", "look 0"])
    }))

  it.effect("a look that is interrupted is undone", () =>
    Effect.gen(function*() {
      const undone = yield* Deferred.make<void>()
      const service = FakeClient.make((command) =>
        command.spec.script?.name === "RedisKeyspace.release"
          ? Effect.as(Deferred.succeed(undone, undefined), 1)
          : Effect.never
      )
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load: () => Effect.succeedNone, ttl: "1 minute" })
      )
      const asking = yield* fork(cache.getOrLoad("1"))
      yield* Fiber.interrupt(asking)
      yield* Deferred.await(undone)
    }))

  it.effect("without Redis it loads, if it is told to, once for all who wait", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([lost("not-sent")])
      let loads = 0
      const load = () => Effect.suspend(() => Effect.as(Effect.sleep(100), Option.some(++loads)))
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load, ttl: "1 minute", onRedisFailure: "load" })
      )
      const waiting = yield* Effect.forEach(Array.from({ length: 100 }), () => fork(cache.getOrLoad("1")))
      yield* TestClock.adjust(100)
      for (const fiber of waiting) assert.deepStrictEqual(yield* Fiber.join(fiber), Option.some(1))
      assert.isTrue(asked.every((line) => line.startsWith("look")))
    }))

  it.effect("without Redis it loads also with a local tier", () =>
    Effect.gen(function*() {
      const { service } = yield* fake([nothing, lost("not-sent")])
      const load = () => Effect.succeed(Option.some(1))
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load, ttl: "1 minute", local: "1 minute", onRedisFailure: "load" })
      )
      // From here on it knows the time of the server, and looks here first.
      yield* cache.get("1")
      assert.deepStrictEqual(yield* cache.getOrLoad("1"), Option.some(1))
      assert.deepStrictEqual(yield* cache.getOrLoad("1"), Option.some(1))
    }))

  it.effect("what was loaded is answered, though it cannot be stored", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([missing, lost("unknown")])
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load: () => Effect.succeed(Option.some(1)), ttl: "1 minute" })
      )
      assert.deepStrictEqual(yield* cache.getOrLoad("1"), Option.some(1))
      assert.deepStrictEqual(asked, ["look 0", "store 0", "release 0"])
    }))

  it.effect("a value that does not fit its schema is told to who waits, and gives the lease back", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* fake([missing])
      const cache = yield* Client.on(service)(
        RedisKeyspace.makeCache({ key, value, load: () => Effect.succeed(Option.some(1.5)), ttl: "1 minute" })
      )
      assert.deepInclude(yield* Effect.flip(cache.getOrLoad("1")), { _tag: "KeyspaceError", operation: "encode" })
      yield* Effect.yieldNow
      assert.deepStrictEqual(asked, ["look 0", "release 0"])
    }))

  it.live("what is known is answered, and renewed later, while the server has no memory for a lease", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server)
      let loads = 0
      const cache = yield* Client.on(client)(RedisKeyspace.makeCache({
        key,
        value,
        load: () => Effect.sync(() => Option.some(++loads)),
        ttl: "20 millis",
        stale: "1 hour",
        jitter: 0,
        early: 0
      }))
      const answers = (n: number) =>
        Effect.map(cache.getOrLoad("1"), (found) => assert.deepStrictEqual(found, Option.some(n)))
      yield* answers(1)
      yield* Effect.sleep(30)
      yield* client.execute(configSet({ maxmemory: "1" }))
      for (let i = 0; i < 3; i++) yield* answers(1)
      assert.strictEqual((yield* Effect.flip(cache.getOrLoad("2")))._tag, "OutOfMemoryError")
      assert.strictEqual((yield* Effect.flip(cache.set("3", 3)))._tag, "OutOfMemoryError")
      assert.strictEqual(loads, 1)
      yield* client.execute(configSet({ maxmemory: "0" }))
      assert.deepStrictEqual(yield* cache.get("3"), Option.none())
      yield* answers(1)
      yield* until(cache.get("1"), (found) => Option.getOrUndefined(found) === 2)
    }))

  it.live("with a local tier a value is read once, until it ends or somebody changes it", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const [client, other] = [yield* Client.make(server), yield* Client.make(server)]
      let loads = 0
      const options = {
        key,
        value,
        load: () => Effect.sync(() => Option.some(++loads)),
        ttl: "1 minute",
        jitter: 0,
        early: 0
      } as const
      const near = yield* Client.on(client)(RedisKeyspace.makeCache({ ...options, local: "1 minute" }))
      const far = yield* Client.on(other)(RedisKeyspace.makeCache(options))
      yield* near.getOrLoad("1")
      for (let i = 0; i < 50; i++) assert.deepStrictEqual(yield* near.getOrLoad("1"), Option.some(1))
      const { hits } = yield* Client.on(client)(RedisCache.stats)
      assert.isAtLeast(hits, 48)
      yield* near.set("1", 70)
      assert.deepStrictEqual(yield* near.getOrLoad("1"), Option.some(70))
      yield* far.set("1", 80)
      // The server has told of it before it answers this.
      yield* client.execute(ping())
      assert.deepStrictEqual(yield* near.getOrLoad("1"), Option.some(80))
      const brief = yield* Client.on(client)(
        RedisKeyspace.makeCache({ ...options, ttl: "1 second", local: "1 minute" })
      )
      const first = yield* brief.getOrLoad("2")
      const second = yield* until(
        brief.getOrLoad("2"),
        (found) => Option.getOrThrow(found) !== Option.getOrThrow(first)
      )
      assert.deepStrictEqual([first, second], [Option.some(2), Option.some(3)])
    }))
})
