/**
 * Endless reading of streams on real servers, under trouble.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient, RedisError, RedisStream } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeClient from "@redfx/testing/FakeClient"
import { fork } from "@redfx/testing/Fork"
import * as Logged from "@redfx/testing/Logged"
import { restingAt } from "@redfx/testing/Resting"
import { until } from "@redfx/testing/Suite"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import { Scheduler } from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"

const real = Effect.fnUntraced(function*(
  options: RedisConfig.ConnectionOptions = {},
  server: Parameters<typeof RedisServer.make>[0] = {}
) {
  const running = yield* RedisServer.make(server)
  return {
    server: running,
    client: yield* Client.make(running, options),
    outside: yield* Client.make(running)
  }
})

const add = (client: RedisClient.RedisClient["Service"], stream: string, from: number, to: number) =>
  client.pipeline(Array.from({ length: to - from }, (_, i) => Redis.xadd(stream, { n: from + i })))

/** Makes a stream `s` of so many entries, and a group `g` that has seen none of them. */
const group = (client: RedisClient.RedisClient["Service"], entries: number) =>
  Effect.andThen(client.execute(Redis.xgroupCreate("s", "g", "0", { mkstream: true })), add(client, "s", 0, entries))

/** What a client fails with that loses answers. */
const lost = FakeClient.lost("unknown")

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

const pendingOf = (client: RedisClient.RedisClient["Service"], stream = "s", group = "g") =>
  Effect.map(client.execute(Redis.xpending(stream, group)), ({ pending }) => pending)

/** Ends every connection of the server but the asker's own. */
const kill = Redis.send("CLIENT KILL", "TYPE", "normal", "SKIPME", "yes")
const killAll = (client: RedisClient.RedisClient["Service"]) => client.execute(kill)

const blockedClients = (client: RedisClient.RedisClient["Service"]) =>
  Effect.map(
    client.execute(Redis.send("INFO", "clients")),
    (info) => Number(/blocked_clients:(\d+)/.exec(String(info))?.[1])
  )

describe("RedisStream.read", () => {
  for (const protocol of [2, 3] as const) {
    it.live(`XST-20: gives what there is and what is added, of several streams, over RESP${protocol}`, () =>
      Effect.gen(function*() {
        const { client, outside } = yield* real({ protocol })
        yield* add(outside, "a", 0, 3)
        const reading = yield* RedisStream.read({ a: "0", b: "0" }, { count: 2 }).pipe(
          Stream.map(({ entry, stream }) => `${stream}${entry.fields["n"]}`),
          Stream.take(5),
          Stream.runCollect,
          Client.on(client),
          Effect.forkChild({ startImmediately: true })
        )
        yield* until(blockedClients(outside), (count) => count === 1)
        yield* add(outside, "b", 3, 4)
        yield* until(blockedClients(outside), (count) => count === 1)
        yield* add(outside, "a", 4, 5)
        assert.deepStrictEqual(yield* Fiber.join(reading), ["a0", "a1", "a2", "b3", "a4"])
      }))
  }

  it.live("XST-20: \"$\" is what is added after the start, \"+\" the last entry and what follows", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* add(outside, "s", 0, 3)
      const read = (id: string) =>
        RedisStream.read({ s: id }, { block: "20 millis" }).pipe(
          Stream.map(({ entry }) => Number(entry.fields["n"])),
          Stream.take(2),
          Stream.runCollect,
          Client.on(client),
          Effect.forkChild({ startImmediately: true })
        )
      const [added, last] = [yield* read("$"), yield* read("+")]
      yield* until(blockedClients(outside), (count) => count === 2)
      yield* add(outside, "s", 3, 5)
      assert.deepStrictEqual(yield* Fiber.join(added), [3, 4])
      assert.deepStrictEqual(yield* Fiber.join(last), [2, 3])
    }))

  it.live("XST-20: goes on after the last id seen when its connections are killed", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const total = 300
      const reading = yield* RedisStream.read([["s", "$"]], { count: 7, block: "1 second" }).pipe(
        Stream.map(({ entry }) => Number(entry.fields["n"])),
        Stream.take(total),
        Stream.runCollect,
        Client.on(client),
        Effect.forkChild({ startImmediately: true })
      )
      yield* until(blockedClients(outside), (count) => count === 1)
      for (const from of numbers(0, 10)) {
        yield* add(outside, "s", from * 30, from * 30 + 30)
        yield* killAll(outside)
      }
      assert.deepStrictEqual(yield* Fiber.join(reading), numbers(0, total))
    }))

  it.live("gives bytes, also of the key", () =>
    Effect.gen(function*() {
      const { client } = yield* real()
      const key = Uint8Array.of(0xff, 1)
      const value = Uint8Array.of(0xfe, 0)
      yield* client.execute(Redis.xadd(key, [["f", value], ["f", "v"]], { id: "1-0" }))
      const [element] = yield* RedisStream.read([[key, 0]], { fields: "bytes" }).pipe(
        Stream.take(1),
        Stream.runCollect,
        Client.on(client)
      )
      const f = new TextEncoder().encode("f")
      assert.strictEqual(element?.stream, key)
      assert.deepStrictEqual(element?.entry, { id: "1-0", fields: [[f, value], [f, new TextEncoder().encode("v")]] })
    }))

  it.live("fails with what no later try can mend", () =>
    Effect.gen(function*() {
      const { client } = yield* real()
      yield* client.execute(Redis.set("text", "v"))
      const error = yield* RedisStream.read({ text: "$" }).pipe(Stream.runDrain, Client.on(client), Effect.flip)
      assert.strictEqual(error._tag, "WrongTypeError")
    }))
})

describe("RedisStream.readGroup", () => {
  it.live("XST-20: gives what is pending, then what is new, and what a lost connection took with it", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 4)
      // Delivered to this consumer, which then went away.
      yield* outside.execute(Redis.xreadgroup("g", "c", { s: ">" }, { count: 2 }))
      const seen = yield* Queue.unbounded<number>()
      yield* RedisStream.readGroup({ group: "g", consumer: "c" }, "s", { count: 3 }).pipe(
        Stream.runForEach(({ entry }) => Queue.offer(seen, Number(entry.fields["n"]))),
        Client.on(client),
        Effect.forkChild({ startImmediately: true })
      )
      assert.deepStrictEqual(yield* Queue.takeN(seen, 4), [0, 1, 2, 3])
      yield* until(blockedClients(outside), (count) => count === 1)
      // What the server gives to this name while it is away counts as its own. It is back soon, so that is done at once.
      yield* outside.transaction([kill, Redis.xadd("s", { n: 4 }), Redis.xreadgroup("g", "c", { s: ">" })])
      yield* add(outside, "s", 5, 6)
      assert.deepStrictEqual(yield* Queue.takeN(seen, 2), [4, 5])
      assert.strictEqual(yield* pendingOf(outside), 6)
    }))
})

const options = { stream: "s", group: "g", consumer: "c", createGroup: "0", block: "200 millis" } as const

describe("RedisStream.consume", () => {
  it.live("handles entries beside each other and acknowledges each after its handler has succeeded", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const started = yield* Queue.unbounded<number>()
      const gate = yield* Deferred.make<void>()
      yield* add(outside, "s", 0, 8)
      yield* RedisStream.consume({ ...options, concurrency: 3 }, (entry) => {
        assert.strictEqual(entry.deliveries, 1)
        return Effect.andThen(Queue.offer(started, Number(entry.fields["n"])), Deferred.await(gate))
      }).pipe(Client.on(client), Effect.forkChild)
      assert.deepStrictEqual(yield* Queue.takeN(started, 3), [0, 1, 2])
      // No more are taken than there are handlers for.
      assert.strictEqual(yield* pendingOf(outside), 3)
      assert.strictEqual(yield* Queue.size(started), 0)
      yield* Deferred.succeed(gate, undefined)
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.deepStrictEqual(new Set(yield* Queue.takeN(started, 5)), new Set(numbers(3, 8)))
    }))

  it.live("delivers an entry again whose handler failed, and moves it to the dead letters in the end", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const attempts: Array<number> = []
      const bad = yield* outside.execute(Redis.xadd("s", [["n", "bad"], ["n", "twice"], ["b", Uint8Array.of(0x7f)]]))
      yield* add(outside, "s", 1, 3)
      yield* RedisStream.consume(
        {
          ...options,
          fields: "bytes",
          claimIdle: "60 millis",
          claimEvery: "10 millis",
          maxDeliveries: 3,
          deadLetter: "dead"
        },
        (entry) => {
          if (entry.id !== bad) return Effect.void
          attempts.push(entry.deliveries)
          const failure = new RangeError(attempts.length === 2 ? "no good yet" : "no good")
          return Effect.tryPromise(() => Promise.reject(failure))
        }
      ).pipe(Client.on(client), Effect.forkChild)
      const [letter] = yield* until(outside.execute(Redis.asBytes(Redis.xrange("dead"))), (dead) => dead.length === 1)
      assert.deepStrictEqual(attempts, [1, 2, 3])
      assert.deepStrictEqual(letter?.fields.map((pair) => pair.map((part) => new TextDecoder().decode(part))), [
        ["n", "bad"],
        ["n", "twice"],
        ["b", "\x7f"],
        ["dead-letter:stream", "s"],
        ["dead-letter:id", bad],
        ["dead-letter:group", "g"],
        ["dead-letter:consumer", "c"],
        ["dead-letter:deliveries", "3"],
        ["dead-letter:reason", "RangeError: no good"]
      ])
      // The others may be acknowledged later.
      yield* until(pendingOf(outside), (pending) => pending === 0)
    }))

  it.live("moves an entry of more fields than a script can pass on at once in several letters", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const fields = Array.from({ length: 7001 }, (_, index) => [`f${index}`, `v${index}`] as const)
      const big = yield* outside.execute(Redis.xadd("s", fields))
      yield* RedisStream.consume(
        { ...options, maxDeliveries: 1, deadLetter: "dead" },
        () => Effect.fail("no")
      ).pipe(Client.on(client), Effect.forkChild)
      const letters = yield* until(outside.execute(Redis.xrange("dead")), (dead) => dead.length > 0)
      assert.deepStrictEqual(letters.map(({ fields }) => fields["dead-letter:part"]), ["1/3", "2/3", "3/3"])
      for (const { fields } of letters) assert.strictEqual(fields["dead-letter:id"], big)
      assert.deepStrictEqual(
        letters.flatMap(({ fields }) => Object.entries(fields).filter(([name]) => !name.startsWith("dead-letter:"))),
        fields.map(([name, value]): [string, string] => [name, value])
      )
      assert.strictEqual(yield* pendingOf(outside), 0)
    }))

  it.live("takes over the entries of a consumer that is gone, also one that never acknowledged any", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 1200)
      yield* outside.execute(Redis.xreadgroup("g", "gone", { s: ">" }, { count: 1150 }))
      const handled = new Map<string, number>()
      yield* RedisStream.consume(
        { ...options, claimIdle: "50 millis", concurrency: 20 },
        (entry) => Effect.sync(() => handled.set(entry.fields["n"]!, entry.deliveries))
      ).pipe(Client.on(client), Effect.forkChild)
      yield* until(pendingOf(outside), (pending) => pending === 0 && handled.size === 1200)
      assert.strictEqual(handled.get("0"), 2)
      assert.strictEqual(handled.get("1149"), 2)
      assert.strictEqual(handled.get("1150"), 1)
    }))

  it.live("buries what kills its consumers again and again", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 1)
      for (const consumer of ["first", "second"]) {
        yield* outside.execute(Redis.xreadgroup("g", consumer, { s: ">" }))
        const [entry] = yield* outside.execute(Redis.xrange("s"))
        yield* outside.execute(Redis.xclaim("s", "g", consumer, 0, [entry!.id]))
      }
      yield* RedisStream.consume(
        { ...options, claimIdle: "20 millis", maxDeliveries: 3, deadLetter: "dead" },
        () => Effect.die(new Error("must not run"))
      ).pipe(Client.on(client), Effect.forkChild)
      const [letter] = yield* until(outside.execute(Redis.xrange("dead")), (dead) => dead.length === 1)
      assert.strictEqual(letter?.fields["dead-letter:reason"], "its consumer did not acknowledge it")
      assert.strictEqual(yield* pendingOf(outside), 0)
    }))

  it.live("keeps an entry whose handler takes longer than others wait before they take over", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const clock = yield* TestClock.make()
      const gate = yield* Deferred.make<void>()
      const handled: Array<string> = []
      const consume = (consumer: string) =>
        RedisStream.consume({ ...options, consumer, claimIdle: "60 seconds", claimEvery: "10 seconds" }, (entry) => {
          handled.push(`${consumer}:${entry.fields["n"]}`)
          return entry.fields["n"] === "0" ? Deferred.await(gate) : Effect.void
        }).pipe(Client.on(client), Effect.provideService(Clock.Clock, clock), Effect.forkChild)
      yield* add(outside, "s", 0, 1)
      yield* consume("slow")
      yield* until(Effect.sync(() => handled.length), (count) => count === 1)
      yield* consume("eager")
      const oldest = Effect.map(outside.execute(Redis.xpendingRange("s", "g", "-", "+", 1)), ([entry]) => entry!)
      const { messageId } = yield* oldest
      const idle = Effect.map(oldest, ({ timeSinceDelivered }) => Duration.toMillis(timeSinceDelivered))
      for (const n of numbers(1, 20)) {
        // The server's clock cannot be moved: the time that passes for the consumers is put on the entry.
        yield* outside.execute(Redis.xclaimJustid("s", "g", "slow", 0, [messageId], { idle: "40 seconds" }))
        yield* until(Effect.andThen(clock.adjust("10 seconds"), idle), (idle) => idle < 40_000)
        yield* add(outside, "s", n, n + 1)
        yield* until(Effect.sync(() => handled.length), (count) => count === n + 1)
      }
      yield* Deferred.succeed(gate, undefined)
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.deepStrictEqual(handled.filter((entry) => entry.endsWith(":0")), ["slow:0"])
    }))

  it.live("lets running handlers finish when it is interrupted, and leaves the rest pending", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const gate = yield* Deferred.make<void>()
      const started = yield* Queue.unbounded<string>()
      yield* add(outside, "s", 0, 10)
      const consuming = yield* RedisStream.consume(
        { ...options, concurrency: 2, count: 4 },
        (entry) => Effect.andThen(Queue.offer(started, entry.fields["n"]!), Deferred.await(gate))
      ).pipe(Client.on(client), Effect.forkChild)
      yield* Queue.takeN(started, 2)
      yield* until(pendingOf(outside), (pending) => pending === 4)
      const closing = yield* Effect.forkChild(Fiber.interrupt(consuming), { startImmediately: true })
      yield* add(outside, "s", 10, 11)
      assert.isUndefined(closing.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(closing)
      assert.strictEqual(yield* Queue.size(started), 0)
      assert.strictEqual(yield* pendingOf(outside), 2)
    }))

  it.live("interrupts running handlers when told to, which is no failure of theirs", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const started = yield* Queue.unbounded<string>()
      let interrupted = 0
      yield* add(outside, "s", 0, 3)
      const consuming = yield* RedisStream.consume(
        { ...options, concurrency: 2, count: 3, drain: "20 millis", maxDeliveries: 1, deadLetter: "dead" },
        (entry) =>
          Effect.andThen(Queue.offer(started, entry.id), Effect.never).pipe(
            Effect.onInterrupt(() => Effect.sync(() => interrupted++))
          )
      ).pipe(Client.on(client), Effect.forkChild)
      yield* Queue.takeN(started, 2)
      yield* until(pendingOf(outside), (pending) => pending === 3)
      yield* Fiber.interrupt(consuming)
      assert.strictEqual(interrupted, 2)
      assert.strictEqual(yield* pendingOf(outside), 3)
      assert.strictEqual(yield* outside.execute(Redis.xlen("dead")), 0)
    }))

  it.live("takes up what it left when it starts again under the same name", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* add(outside, "s", 0, 3)
      const started = yield* Queue.unbounded<string>()
      const first = yield* RedisStream.consume({ ...options, count: 3, drain: 0 }, (entry) =>
        Effect.andThen(Queue.offer(started, entry.id), Effect.never)).pipe(Client.on(client), Effect.forkChild)
      yield* Queue.take(started)
      yield* until(pendingOf(outside), (pending) =>
        pending === 3)
      yield* Fiber.interrupt(first)
      const again: Array<number> = []
      yield* RedisStream.consume(options, (entry) => Effect.sync(() => again.push(entry.deliveries))).pipe(
        Client.on(client),
        Effect.forkChild
      )
      yield* until(pendingOf(outside), (pending) => pending === 0)
      // A handler had the first one; the others were read ahead, and no handler has seen them.
      assert.deepStrictEqual(again, [2, 1, 1])
    }))

  it.live("what was read ahead and seen by no handler does not count, however often consumers end in good order", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* add(outside, "s", 0, 20)
      const limits = { maxDeliveries: 3, deadLetter: "dead" } as const
      const seen = new Set<string>()
      for (const consumer of ["a", "a", "b", "c", "c"]) {
        const started = yield* Deferred.make<void>()
        const consuming = yield* RedisStream.consume(
          { ...options, ...limits, consumer, count: 20, claimIdle: "1 minute" },
          (entry) => {
            seen.add(entry.id)
            return Effect.andThen(Deferred.succeed(started, undefined), Effect.sleep(5))
          }
        ).pipe(Client.on(client), Effect.forkChild)
        // What the one before has given back is claimable at once, and its count is what it was.
        yield* Deferred.await(started)
        yield* Fiber.interrupt(consuming)
        const pending = yield* outside.execute(Redis.xpendingRange("s", "g", "-", "+", 20))
        assert.deepStrictEqual(pending.filter(({ timesDelivered }) => timesDelivered > 0), [])
      }
      yield* RedisStream.consume({ ...options, ...limits, count: 20 }, (entry) => Effect.sync(() => seen.add(entry.id)))
        .pipe(Client.on(client), Effect.forkChild)
      yield* until(Effect.sync(() => seen.size), (size) => size === 20)
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.strictEqual(yield* outside.execute(Redis.xlen("dead")), 0)
    }))

  it.live("buries what killed a consumer of the same name as often as allowed, without giving it to a handler", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 1)
      yield* outside.execute(Redis.xreadgroup("g", "c", { s: ">" }))
      // Each life of the consumer begins with what is pending at it, and ends with its process.
      yield* outside.execute(Redis.xreadgroup("g", "c", { s: "0" }))
      yield* outside.execute(Redis.xreadgroup("g", "c", { s: "0" }))
      yield* add(outside, "s", 1, 2)
      const handled: Array<string> = []
      yield* RedisStream.consume(
        { ...options, maxDeliveries: 3, deadLetter: "dead" },
        (entry) => Effect.sync(() => handled.push(entry.fields["n"]!))
      ).pipe(Client.on(client), Effect.forkChild)
      const [letter] = yield* until(outside.execute(Redis.xrange("dead")), (dead) => dead.length === 1)
      assert.deepInclude(letter?.fields, {
        n: "0",
        "dead-letter:deliveries": "3",
        "dead-letter:reason": "its consumer did not acknowledge it"
      })
      yield* until(pendingOf(outside), (pending) => pending === 0 && handled.length > 0)
      assert.deepStrictEqual(handled, ["1"])
    }))

  it.live("an entry whose dead letter cannot be written stays pending, and is moved when it can", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* outside.execute(Redis.rpush("dead", "an older queue"))
      yield* add(outside, "s", 0, 1)
      let handled = 0
      yield* RedisStream.consume(
        { ...options, claimIdle: "40 millis", maxDeliveries: 2, deadLetter: "dead" },
        () => Effect.fail(++handled)
      ).pipe(Client.on(client), Effect.forkChild)
      yield* until(Effect.sync(() => handled), (count) => count === 2)
      // It is looked at again and again, and no handler gets it any more.
      yield* Effect.sleep(300)
      assert.strictEqual(yield* pendingOf(outside), 1)
      assert.deepStrictEqual(yield* outside.execute(Redis.lrange("dead", 0, -1)), ["an older queue"])
      yield* outside.execute(Redis.del("dead"))
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.strictEqual(yield* outside.execute(Redis.xlen("dead")), 1)
      assert.strictEqual(handled, 2)
    }))

  it.live("an entry that was deleted while it was pending is acknowledged, once", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 3)
      const entries = yield* outside.execute(Redis.xrange("s"))
      yield* outside.execute(Redis.xreadgroup("g", "gone", { s: ">" }))
      yield* outside.execute(Redis.xdel("s", entries[1]!.id))
      const handled: Array<string | undefined> = []
      yield* RedisStream.consume(
        { ...options, claimIdle: "30 millis" },
        (entry) => Effect.sync(() => handled.push(entry.fields["n"]))
      ).pipe(Client.on(client), Effect.forkChild)
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.deepStrictEqual(handled, ["0", "2"])
    }))

  it.live("holds no more than it has handlers for, of what is new and of what others left together", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 6)
      yield* outside.execute(Redis.xreadgroup("g", "gone", { s: ">" }, { count: 3 }))
      const held: Array<number> = []
      const handled = new Set<string>()
      yield* RedisStream.consume({ ...options, claimIdle: "30 millis" }, (entry) =>
        Effect.gen(function*() {
          yield* Effect.sleep(40)
          const pending = yield* outside.execute(Redis.xpendingRange("s", "g", "-", "+", 10, { consumer: "c" }))
          held.push(pending.length)
          handled.add(entry.id)
        })).pipe(Client.on(client), Effect.forkChild)
      yield* until(pendingOf(outside), (pending) => pending === 0 && handled.size === 6)
      assert.deepStrictEqual(new Set(held), new Set([1]))
    }))

  it.live("asks only for what is idle: nothing of what a busy consumer holds is looked through", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const version = /redis_version:(\d+)\.(\d+)/.exec(String(yield* outside.execute(Redis.send("INFO", "server"))))
      yield* group(outside, 5000)
      yield* outside.execute(Redis.xreadgroup("g", "busy", { s: ">" }))
      yield* outside.execute(Redis.configResetstat())
      yield* RedisStream.consume(
        { ...options, block: 0, claimIdle: "1 minute", claimEvery: "100 millis" },
        () => Effect.void
      ).pipe(Client.on(client), Effect.forkChild)
      const calls = Effect.map(outside.execute(Redis.send("INFO", "commandstats")), (text) => ({
        reads: Number(/cmdstat_xreadgroup:calls=(\d+)/.exec(String(text))?.[1] ?? 0),
        sweeps: Number(/cmdstat_xpending:calls=(\d+)/.exec(String(text))?.[1] ?? 0)
      }))
      const { reads, sweeps } = yield* until(calls, ({ reads }) => reads >= 6)
      // Servers before 6.2 have to list all of it, ten pages for each look.
      const old = Number(version?.[1]) < 6 || (version?.[1] === "6" && version[2] === "0")
      if (!old) {
        assert.isAbove(sweeps, 0)
        assert.isAtMost(sweeps, reads + 2)
      }
    }))

  it.live("ends with a handler that returns no Effect", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* add(outside, "s", 0, 1)
      // As a program without types may do.
      const handler = (() => Promise.resolve()) as unknown as () => Effect.Effect<void>
      const error = yield* RedisStream.consume(options, handler).pipe(Client.on(client), Effect.flip)
      assert.include(Client.expectTag(error, "DataError").message, "no function that returned one")
      assert.strictEqual(yield* pendingOf(outside), 1)
    }))

  it.live("ends where it may not renew what it has, which others would take over and handle as well", () =>
    Effect.gen(function*() {
      const { outside, server } = yield* real()
      yield* add(outside, "s", 0, 1)
      yield* outside.execute(
        Redis.send("ACL", "SETUSER", "limited", "reset", "on", ">secret", "~*", "+@all", "-xclaim")
      )
      const limited = yield* Client.make(server, { username: "limited", password: Redacted.make("secret") })
      const error = yield* RedisStream.consume({ ...options, claimIdle: "300 millis", drain: 0 }, () => Effect.never)
        .pipe(
          Client.on(limited),
          Effect.flip
        )
      assert.match(Client.expectTag(error, "NoPermissionError").message, /xclaim/)
    }))

  it.live.each(["eval", "evalsha"])(
    "fails at its start where it may not write dead letters, as for want of %s",
    (right) =>
      Effect.gen(function*() {
        const { outside, server } = yield* real()
        yield* outside.execute(
          Redis.send("ACL", "SETUSER", "limited", "reset", "on", ">secret", "~*", "+@all", `-${right}`)
        )
        const limited = yield* Client.make(server, { username: "limited", password: Redacted.make("secret") })
        const error = yield* RedisStream.consume(
          { ...options, maxDeliveries: 2, deadLetter: "dead" },
          () => Effect.void
        ).pipe(Client.on(limited), Effect.flip)
        assert.include(Client.expectTag(error, "NoPermissionError").message, `'${right}'`)
      })
  )

  it.live("fails at its start where it may not acknowledge, before anything is handled", () =>
    Effect.gen(function*() {
      const { outside, server } = yield* real()
      yield* add(outside, "s", 0, 1)
      yield* outside.execute(Redis.send("ACL", "SETUSER", "limited", "reset", "on", ">secret", "~*", "+@all", "-xack"))
      const limited = yield* Client.make(server, { username: "limited", password: Redacted.make("secret") })
      const error = yield* RedisStream.consume(options, () => Effect.die("handled")).pipe(
        Client.on(limited),
        Effect.flip
      )
      assert.match(Client.expectTag(error, "NoPermissionError").message, /xack/)
      assert.strictEqual(yield* pendingOf(outside), 0)
    }))

  it.live("says at once when there is no connection for it: fails where nobody waits, else warns", () =>
    Effect.gen(function*() {
      const failing = yield* real({ pool: { max: 2, acquireTimeout: 0 } })
      const one = (client: RedisClient.RedisClient["Service"], consumer: string) =>
        RedisStream.consume({ ...options, consumer, block: "1 minute" }, () => Effect.void).pipe(Client.on(client))
      yield* Effect.forkChild(one(failing.client, "a"))
      yield* until(blockedClients(failing.outside), (count) => count === 1)
      assert.strictEqual(
        Client.expectTag(yield* Effect.flip(one(failing.client, "b")), "ConnectionError").reason,
        "PoolExhausted"
      )

      const waiting = yield* real({ pool: { max: 2 } })
      const { capture, lines } = Logged.make()
      yield* Effect.forkChild(one(waiting.client, "a"))
      yield* until(blockedClients(waiting.outside), (count) => count === 1)
      yield* one(waiting.client, "b").pipe(capture, Effect.forkChild)
      yield* until(Effect.sync(() => lines), (lines) => lines.some((line) => /"b" waits for a connection/.test(line)))
    }))

  it.live("reads again what a lost connection took with it", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const handled: Array<string> = []
      yield* RedisStream.consume(
        { ...options, block: "5 seconds", claimIdle: Infinity },
        ({ deliveries, fields }) => Effect.sync(() => handled.push(`${fields["n"]}:${deliveries}`))
      ).pipe(Client.on(client), Effect.forkChild)
      yield* add(outside, "s", 0, 1)
      yield* until(Effect.sync(() => handled.length), (count) => count === 1)
      yield* until(blockedClients(outside), (count) => count === 1)
      // What the server gives to this name while its connection breaks is what a reply was to bring.
      yield* Client.on(outside)(Redis.transaction([
        Redis.send("CLIENT KILL", "TYPE", "normal", "SKIPME", "yes"),
        Redis.xadd("s", { n: "1" }),
        Redis.xreadgroup("g", "c", { s: ">" })
      ]))
      yield* until(pendingOf(outside), (pending) => pending === 0)
      yield* add(outside, "s", 2, 3)
      yield* until(Effect.sync(() => handled.length), (count) => count === 3)
      assert.deepStrictEqual(handled, ["0:1", "1:1", "2:1"])
    }))

  it.live("ends in time when the server is away; what could not be acknowledged stays pending", () =>
    Effect.gen(function*() {
      const { client, outside, server } = yield* real({}, { persistence: "aof" })
      const gate = yield* Deferred.make<void>()
      const started = yield* Deferred.make<void>()
      yield* add(outside, "s", 0, 1)
      const consuming = yield* RedisStream.consume(
        options,
        () => Effect.andThen(Deferred.succeed(started, undefined), Deferred.await(gate))
      ).pipe(Client.on(client), Effect.forkChild)
      yield* Deferred.await(started)
      yield* server.kill()
      const closing = yield* Effect.forkChild(Fiber.interrupt(consuming), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(closing)
      yield* server.restart
      assert.strictEqual(yield* pendingOf(outside), 1)
    }))

  it.live("a delivery whose answer was lost is none, here and for those who come after", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      let losses = 3
      const losing: RedisClient.RedisClient["Service"] = {
        ...client,
        execute: (command) =>
          Effect.tap(client.execute(command), (found) =>
            command.spec.name === "XREADGROUP" && Array.isArray(found) && found.length > 0 && losses-- > 0
              ? Effect.fail(lost)
              : Effect.void)
      }
      const handled: Array<readonly [string | undefined, number]> = []
      const consuming = (maxDeliveries: number) =>
        RedisStream.consume(
          { ...options, count: 2, claimIdle: "40 millis", maxDeliveries, deadLetter: "dead" },
          (entry) =>
            Effect.andThen(
              Effect.sync(() =>
                handled.push([entry.fields["n"], entry.deliveries])
              ),
              entry.fields["n"] === "fails" ? Effect.fail("no") : Effect.void
            )
        ).pipe(Client.on(losing), Effect.forkChild)
      const first = yield* consuming(1)
      yield* outside.execute(Redis.xadd("s", { n: "1" }))
      // There is no group to ask about before the consumer has made it.
      yield* until(Effect.sync(() => handled.length), (count) => count > 0)
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.deepStrictEqual(handled.splice(0), [["1", 1]])
      assert.strictEqual(yield* outside.execute(Redis.xlen("dead")), 0)
      yield* Fiber.interrupt(first)
      // The server would deliver the next entry to who has gone, as long as it does not know that.
      yield* until(blockedClients(outside), (blocked) => blocked === 0)
      losses = 2
      yield* consuming(2)
      yield* outside.execute(Redis.xadd("s", { n: "fails" }))
      yield* until(outside.execute(Redis.xlen("dead")), (length) => length === 1)
      assert.deepStrictEqual(handled, [["fails", 1], ["fails", 2]])
    }))

  it.live("an entry whose claim was answered in vain is handled at once, and counts as delivered once", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 3)
      yield* outside.execute(Redis.xreadgroup("g", "gone", { s: ">" }))
      let losses = 2
      const losing = RedisClient.decorated(client, (client) => ({
        execute: (command) =>
          Effect.tap(
            client.execute(command),
            () =>
              command.spec.name === "XCLAIM" && !FakeClient.wordsOf(command).includes("JUSTID") && losses-- > 0
                ? Effect.fail(lost)
                : Effect.void
          )
      }))
      const handled: Array<readonly [string | undefined, number]> = []
      const consuming = yield* RedisStream.consume(
        { ...options, count: 3, claimIdle: "200 millis", maxDeliveries: 2, deadLetter: "dead" },
        (entry) => Effect.sync(() => handled.push([entry.fields["n"], entry.deliveries]))
      ).pipe(Client.on(losing), Effect.forkChild)
      yield* until(pendingOf(outside), (pending) => pending === 0)
      yield* Fiber.interrupt(consuming)
      assert.deepStrictEqual(handled, [["0", 2], ["1", 2], ["2", 2]])
      assert.isBelow(losses, 1)
      assert.strictEqual(yield* outside.execute(Redis.xlen("dead")), 0)
    }))

  it.live("a delivery whose answer was lost is none of the entries that it did not have", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 3)
      // What the consumer left the last time.
      yield* outside.execute(Redis.xreadgroup(options.group, options.consumer, { s: ">" }))
      let losses = 2
      const losing = RedisClient.decorated(client, (client) => ({
        execute: (command) =>
          Effect.tap(client.execute(command), () =>
            command.spec.name === "XREADGROUP" && losses-- > 0 ? Effect.fail(lost) : Effect.void)
      }))
      const handled: Array<readonly [string | undefined, number]> = []
      yield* RedisStream.consume(
        options,
        (entry) =>
          Effect.sync(() => handled.push([entry.fields["n"], entry.deliveries]))
      ).pipe(Client.on(losing), Effect.forkChild)
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.deepStrictEqual(handled, [["0", 2], ["1", 2], ["2", 2]])
    }))

  it.live("a claim whose answer takes longer than claimIdle is made in parts, and counts once", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 3)
      yield* outside.execute(Redis.xreadgroup("g", "gone", { s: ">" }))
      const late = RedisClient.decorated(client, (client) => ({
        execute: (command) =>
          Effect.tap(
            client.execute(command),
            (found) =>
              command.spec.name === "XCLAIM" && !FakeClient.wordsOf(command).includes("JUSTID") &&
                (found as { readonly entries: ReadonlyArray<unknown> }).entries.length > 1
                ? Effect.delay(Effect.fail(lost), "300 millis")
                : Effect.void
          )
      }))
      const handled: Array<readonly [string | undefined, number]> = []
      yield* RedisStream.consume(
        { ...options, count: 3, claimIdle: "200 millis" },
        (entry) => Effect.sync(() => handled.push([entry.fields["n"], entry.deliveries]))
      ).pipe(Client.on(late), Effect.forkChild)
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.deepStrictEqual(handled, [["0", 2], ["1", 2], ["2", 2]])
    }))

  it.live("an entry that was taken over and is being handled is not delivered again by what ends the reading", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 1)
      yield* outside.execute(Redis.xreadgroup("g", "gone", { s: ">" }))
      const entries = outside.execute(Redis.xpendingRange("s", "g", "-", "+", 1))
      const ids = (yield* entries).map(({ messageId }) => messageId)
      yield* outside.execute(Redis.xclaimJustid("s", "g", "gone", 0, ids, { idle: "2 minutes" }))
      const handled: Array<number> = []
      yield* RedisStream.consume(
        { ...options, count: 2, block: "1 minute", drain: 0 },
        ({ deliveries }) => Effect.andThen(Effect.sync(() => handled.push(deliveries)), Effect.never)
      ).pipe(Client.on(client), Effect.forkChild)
      yield* until(Effect.sync(() => handled.length), (count) => count > 0)
      for (let time = 0; time < 2; time++) {
        yield* until(blockedClients(outside), (blocked) => blocked === 1)
        yield* unblocking["is told to by CLIENT UNBLOCK"](outside)
      }
      yield* until(blockedClients(outside), (blocked) => blocked === 1)
      assert.deepStrictEqual(handled, [2])
      assert.deepStrictEqual((yield* entries).map(({ timesDelivered }) => timesDelivered), [2])
    }))

  it.live("an entry that is no text spoils no other and becomes a dead letter as it is", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* outside.execute(Redis.xadd("s", { n: "0" }))
      yield* outside.execute(Redis.xadd("s", { n: Uint8Array.of(0xff) }))
      yield* outside.execute(Redis.xadd("s", { n: "2" }))
      const handled: Array<string | undefined> = []
      yield* RedisStream.consume(
        { ...options, count: 3, maxDeliveries: 1, deadLetter: "dead" },
        (entry) => Effect.sync(() => handled.push(entry.fields["n"]))
      ).pipe(Client.on(client), Effect.forkChild)
      const [letter] = yield* until(outside.execute(Redis.asBytes(Redis.xrange("dead"))), (dead) => dead.length === 1)
      assert.deepStrictEqual(letter?.fields[0]?.[1], Uint8Array.of(0xff))
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.deepStrictEqual(handled, ["0", "2"])
    }))

  it.live("a failure whose words are cut in the middle of a character is the reason of a dead letter", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* outside.execute(Redis.xadd("s", { n: "0" }))
      yield* RedisStream.consume(
        { ...options, maxDeliveries: 1, deadLetter: "dead" },
        () => Effect.fail("cut within 🎉".slice(0, -1))
      ).pipe(Client.on(client), Effect.forkChild)
      const [letter] = yield* until(outside.execute(Redis.xrange("dead")), (dead) => dead.length === 1)
      assert.strictEqual(letter?.fields["dead-letter:reason"], "cut within \ufffd")
    }))

  it.live("fails without a group, and for options that cannot be", () =>
    Effect.gen(function*() {
      const { client } = yield* real()
      const consume = (
        changed: Partial<
          Pick<
            RedisStream.ConsumeOptions,
            "consumer" | "createGroup" | "concurrency" | "claimIdle" | "claimEvery" | "block"
          >
        >
      ) => RedisStream.consume({ ...options, ...changed }, () => Effect.void).pipe(Client.on(client), Effect.flip)
      const missing = yield* RedisStream.consume(
        { stream: "s", group: "none", consumer: "c" },
        () => Effect.void
      ).pipe(Client.on(client), Effect.flip)
      assert.strictEqual(Client.expectTag(missing, "ResponseError").code, "NOGROUP")
      assert.strictEqual((yield* consume({ concurrency: 0 }))._tag, "DataError")
      for (const none of [0, "-1 second"] as const) {
        assert.strictEqual((yield* consume({ claimIdle: none }))._tag, "DataError")
        assert.strictEqual((yield* consume({ claimEvery: none }))._tag, "DataError")
      }
      assert.strictEqual((yield* consume({ concurrency: 1.5 }))._tag, "DataError")
      // As programs without types may give them.
      assert.match(String(yield* consume({ consumer: undefined as never })), /consumer is missing; give its name/)
      assert.match(String(yield* consume({ createGroup: true as never })), /createGroup takes the id to begin after/)
      assert.strictEqual((yield* consume({ block: -1 }))._tag, "DataError")
    }))

  it.live("finds room for the next entry at whatever step one of its fibers rests while a handler ends", () =>
    Effect.gen(function*() {
      const { client } = yield* real({ pool: { max: 20 } })
      // An entry takes fewer steps. Two follow each other between a look at the room and the wait for it.
      yield* Effect.forEach(
        Array.from({ length: 75 }, (_, index) => 200 + 2 * index),
        (step) =>
          Effect.gen(function*() {
            const stream = `s${step}`
            yield* client.execute(Redis.xgroupCreate(stream, "g", "0", { mkstream: true }))
            yield* add(client, stream, 0, 3)
            let handled = 0
            yield* RedisStream.consume(
              { stream, group: "g", consumer: "c", concurrency: 1, count: 1 },
              () => Effect.andThen(Effect.sleep(20), Effect.sync(() => void handled++))
            ).pipe(
              Client.on(client),
              Effect.provideService(Scheduler, restingAt(step, 200)),
              Effect.raceFirst(until(Effect.sync(() => handled), (count) => count === 3))
            )
          }),
        { concurrency: 15, discard: true }
      )
    }))
})

/** Consumers that come and go until every entry is acknowledged; counts how often each entry was handled. */
const crowd = Effect.fnUntraced(
  function*(client: RedisClient.RedisClient["Service"], total: number, trouble: Effect.Effect<unknown>) {
    const handled = new Map<string, number>()
    // However slow the machine is, something comes about between two troubles, and in each life.
    const progress = Effect.suspend(() => {
      const { size } = handled
      return until(Effect.sync(() => handled.size), (now) => now > size || now >= total)
    })
    let lives = 0
    const consumer = (name: string) =>
      Effect.forever(Effect.suspend(() => {
        lives++
        return RedisStream.consume(
          {
            ...options,
            consumer: name,
            concurrency: 5,
            claimIdle: "300 millis",
            claimEvery: "50 millis",
            drain: lives % 2 === 0 ? 0 : "1 second"
          },
          (entry) => Effect.delay(Effect.sync(() => handled.set(entry.id, (handled.get(entry.id) ?? 0) + 1)), 2)
        ).pipe(
          Client.on(client),
          Effect.raceFirst(Effect.all([progress, Effect.sleep(40 + (lives * 37) % 200)], { concurrency: 2 }))
        )
      }))
    const consumers = yield* Effect.forkChild(
      Effect.all(["a", "b", "c", "d"].map(consumer), { concurrency: "unbounded", discard: true })
    )
    const troubling = yield* Effect.forkChild(Effect.forever(Effect.andThen(trouble, progress)))
    yield* until(Effect.sync(() => handled.size), (size) => size >= total)
    yield* Fiber.interrupt(troubling)
    return { consumers, handled, lives: () => lives }
  }
)

/** Every way in which a server ends what blocks with UNBLOCKED; it has run nothing then. */
const unblocking = {
  "becomes a replica for a moment": (outside: RedisClient.RedisClient["Service"]) =>
    // In one write, so that nobody is told READONLY in between.
    outside.pipeline([Redis.send("REPLICAOF", "127.0.0.1", 1), Redis.send("REPLICAOF", "NO", "ONE")]),
  "is told to by CLIENT UNBLOCK": (outside: RedisClient.RedisClient["Service"]) =>
    Effect.gen(function*() {
      const clients = String(yield* outside.execute(Redis.send("CLIENT LIST")))
      const blocked = clients.split("\n").filter((line) => / flags=b /.test(line))
      yield* outside.pipeline(
        blocked.map((line) => Redis.send("CLIENT UNBLOCK", /^id=(\d+)/.exec(line)?.[1] ?? "", "ERROR"))
      )
    })
}

describe("what takes too long together", () => {
  const length = (found: unknown): number =>
    Array.isArray(found)
      ? found.reduce((sum: number, item) => sum + (Array.isArray(item) ? length(item[1]) : 1), 0)
      : 0

  /** A client that gets no more than so many entries within its limit, and how many were asked for. */
  const slow = (client: RedisClient.RedisClient["Service"], most = () => 3) => {
    const asked: Array<number> = []
    const late = new RedisError.TimeoutError({ phase: "read", milliseconds: 1, delivery: "unknown", readonly: false })
    const service = RedisClient.decorated(client, (client) => ({
      execute: (command) => {
        const words = FakeClient.wordsOf(command)
        if (command.spec.name.startsWith("XREAD")) asked.push(Number(words[words.indexOf("COUNT") + 1]))
        return Effect.tap(client.execute(command), (found) => length(found) > most() ? Effect.fail(late) : Effect.void)
      }
    }))
    return { asked, service }
  }

  const readers: ReadonlyArray<
    readonly [
      string,
      (note: (n: string | undefined) => void) => Effect.Effect<unknown, unknown, RedisClient.RedisClient>
    ]
  > = [
    [
      "consume",
      (note) => RedisStream.consume({ ...options, count: 12 }, ({ fields }) => Effect.sync(() => note(fields["n"])))
    ],
    ["read", (note) =>
      Stream.runForEach(
        RedisStream.read({ s: "0" }, { block: "200 millis", count: 12 }),
        ({ entry }) => Effect.sync(() => note(entry.fields["n"]))
      )],
    ["readGroup", (note) =>
      Stream.runForEach(
        RedisStream.readGroup({ group: "g", consumer: "c" }, "s", { block: "200 millis", count: 12 }),
        ({ entry }) => Effect.sync(() => note(entry.fields["n"]))
      )]
  ]
  it.live.each(readers)(
    "is read in parts by RedisStream.%s, until there is no more",
    ([, reader]) =>
      Effect.gen(function*() {
        const { client, outside } = yield* real()
        yield* group(outside, 12)
        const { asked, service } = slow(client)
        const found: Array<number> = []
        yield* reader((n) => found.push(Number(n))).pipe(Client.on(service), Effect.forkChild)
        yield* until(Effect.sync(() => found.length), (length) => length === 12)
        assert.deepStrictEqual(found, numbers(0, 12))
        assert.isAtMost(Math.min(...asked), 3)
        // What comes next may be less.
        yield* until(Effect.sync(() => asked.at(-1)), (count) => count === 12)
      })
  )

  it.live.each(readers)(
    "and is one entry alone is told by RedisStream.%s, once however often it is asked for",
    ([, reader]) =>
      Effect.gen(function*() {
        const { client, outside } = yield* real()
        yield* group(outside, 1)
        let most = 0
        const { asked, service } = slow(client, () => most)
        const { capture, lines } = Logged.make()
        const found: Array<number> = []
        yield* reader((n) => found.push(Number(n))).pipe(
          Client.on(service),
          capture,
          Effect.forkChild
        )
        const alone = () => asked.filter((count) => count === 1).length
        yield* until(Effect.sync(alone), (count) => count >= 3)
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], "too large for commandTimeout")
        most = 3
        yield* until(Effect.sync(() => found.length), (length) => length === 1)
        assert.strictEqual(lines.length, 1)
      })
  )

  it.live("and is one entry that another consumer left is told, too", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 1)
      yield* outside.execute(Redis.xreadgroup("g", "gone", { s: ">" }))
      const late = new RedisError.TimeoutError({ phase: "read", milliseconds: 1, delivery: "unknown", readonly: false })
      let claims = 0
      const service = RedisClient.decorated(client, (client) => ({
        execute: (command) =>
          command.spec.name === "XCLAIM" && !FakeClient.wordsOf(command).includes("JUSTID")
            ? Effect.tap(client.execute(command), () => ++claims < 5 ? Effect.fail(late) : Effect.void)
            : client.execute(command)
      }))
      const { capture, lines } = Logged.make()
      yield* RedisStream.consume({ ...options, claimIdle: "200 millis" }, () => Effect.void).pipe(
        Client.on(service),
        capture,
        Effect.forkChild
      )
      yield* until(pendingOf(outside), (pending) => pending === 0)
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "too large for commandTimeout")
    }))
})

describe("what blocks", () => {
  it.live("a consumer within Redis.withConnection that ends in the midst of a read acknowledges what is handled by then", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* group(outside, 1)
      const gate = yield* Deferred.make<void>()
      const consumer = yield* RedisStream.consume(
        { stream: "s", group: "g", consumer: "c", concurrency: 2, block: "500 millis" },
        () => Deferred.await(gate)
      ).pipe(Redis.withConnection, Client.on(client), fork)
      yield* until(pendingOf(outside), (count) => count === 1)
      yield* until(blockedClients(outside), (count) => count === 1)
      const ending = yield* fork(Fiber.interrupt(consumer))
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(ending)
      assert.strictEqual(yield* pendingOf(outside), 0)
    }))

  for (const [how, unblock] of Object.entries(unblocking)) {
    it.live(`is retried safely, and readers and consumers go on, when the server ${how}`, () =>
      Effect.gen(function*() {
        const { client, outside } = yield* real()
        const on = Client.on(client)
        const seen: Array<string> = []
        const see = (name: string) => Effect.sync(() => void seen.push(name))
        const popping = yield* fork(Effect.flip(on(Redis.blpop("q", 0))))
        const patient = yield* fork(on(Effect.retry(Redis.blpop("p", 0), { while: RedisError.isSafeToRetry })))
        yield* fork(on(Stream.runForEach(RedisStream.read({ s: "$" }), () => see("read"))))
        yield* fork(on(RedisStream.consume({ ...options, block: "1 minute" }, () => see("consume"))))
        yield* until(blockedClients(outside), (blocked) => blocked === 4)
        yield* unblock(outside)
        const error = yield* Fiber.join(popping)
        assert.isTrue(RedisError.isRetryable(error), error.message)
        assert.isTrue(RedisError.isSafeToRetry(error), error.message)
        yield* until(blockedClients(outside), (blocked) => blocked === 3)
        yield* add(outside, "s", 0, 1)
        yield* outside.execute(Redis.lpush("p", "element"))
        assert.deepStrictEqual(yield* Fiber.join(patient), { key: "p", value: "element" })
        yield* until(Effect.sync(() => seen.length), (length) => length === 2)
        assert.sameMembers(seen, ["read", "consume"])
      }))
  }
})

describe("RedisStream.consume under trouble", () => {
  it.live(
    "handles every entry at least once while consumers are interrupted and connections are killed",
    () =>
      Effect.gen(function*() {
        const { client, outside } = yield* real()
        const total = 2000
        yield* add(outside, "s", 0, total)
        let kills = 0
        const trouble = Effect.delay(Effect.andThen(Effect.ignore(killAll(outside)), Effect.sync(() => kills++)), 37)
        const { consumers, handled, lives } = yield* crowd(client, total, trouble)
        yield* until(pendingOf(outside), (pending) => pending === 0)
        assert.isNull(consumers.pollUnsafe() ?? null)
        yield* Fiber.interrupt(consumers)
        assert.strictEqual(handled.size, total)
        assert.isAbove(lives(), 8)
        assert.isAbove(kills, 3)
        const [group] = yield* outside.execute(Redis.xinfoGroups("s"))
        const [last] = yield* outside.execute(Redis.xrevrange("s", "+", "-", { count: 1 }))
        assert.deepInclude(group, { pending: 0, lastDeliveredId: last!.id })
      })
  )

  it.live(
    "handles every entry at least once while the server is killed and started again",
    () =>
      Effect.gen(function*() {
        const { client, outside, server } = yield* real({}, { persistence: "aof" })
        const total = 1500
        yield* add(outside, "s", 0, total)
        let restarts = 0
        const trouble = Effect.gen(function*() {
          yield* Effect.sleep(150)
          yield* server.kill()
          yield* Effect.orDie(server.restart)
          restarts++
        })
        const { consumers, handled } = yield* crowd(client, total, Effect.uninterruptible(trouble))
        yield* until(Effect.orElseSucceed(pendingOf(outside), () => -1), (pending) => pending === 0)
        yield* Fiber.interrupt(consumers)
        assert.strictEqual(handled.size, total)
        assert.isAbove(restarts, 1)
      })
  )
})
