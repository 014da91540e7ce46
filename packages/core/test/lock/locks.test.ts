/**
 * Locks on real servers: one holder at a time, whatever becomes of holders, clients and servers.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Redis, RedisClient, RedisLeader, RedisLock, RedisSemaphore } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { freshKey, until } from "@redfx/testing/Suite"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

const tagOf = <A, E extends { readonly _tag: string }>(exit: Exit.Exit<A, E>): string | undefined =>
  Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error._tag : undefined

/** What of a lock is on the server. */
const stored = (name: string) => Effect.all({ token: Redis.get(name), ttl: Redis.pttl(name) })

/** Enters a room that is for one at a time, and notes who meets somebody there. */
const visit = (room: string, violations: Array<number>) =>
  Effect.gen(function*() {
    const inside = yield* Redis.incr(room)
    if (inside !== 1) violations.push(inside)
    yield* Effect.yieldNow
    yield* Redis.incr(`${room}:visits`)
    yield* Redis.decr(room)
  })

const life = 60_000

/**
 * A lock that outlives every delay of a test, and a clock for its holder.
 *
 * - `held`: runs the holder on that clock. `part`: lets a sixth of the life pass there.
 */
const longLived = Effect.fnUntraced(function*(name: string) {
  const clock = yield* TestClock.make()
  return {
    clock,
    lock: RedisLock.make(name, { ttl: "60 seconds", autoExtend: true }),
    held: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.forkChild(Effect.provideService(effect, Clock.Clock, clock), { startImmediately: true }),
    part: clock.adjust(life / 6)
  }
})

for (const protocol of [2, 3] as const) {
  describe(`Locks, RESP${protocol}`, () => {
    layer(Client.live(protocol), { excludeTestServices: true })((it) => {
      it.effect("LCK-02, LCK-08, LCK-11: holds the token for its life, and deletes it", () =>
        Effect.gen(function*() {
          const name = freshKey("lock")
          const handle = (yield* RedisLock.make(name, { ttl: "10 minutes" }).acquire)!
          const { token, ttl } = yield* stored(name)
          assert.strictEqual(token, handle.token)
          assert.isAbove(ttl, 9 * 60_000)
          assert.isAtMost(ttl, 10 * 60_000)
          yield* handle.release
          assert.isUndefined(yield* Redis.get(name))
          const endless = (yield* RedisLock.make(name, { token: "mine" }).acquire)!
          assert.deepStrictEqual(yield* stored(name), { token: "mine", ttl: -1 })
          yield* endless.release
        }))

      it.effect("holds nothing for what is no Effect", () =>
        Effect.gen(function*() {
          const lock = RedisLock.make(freshKey("lock"))
          const permits = RedisSemaphore.make(freshKey("permits"), { permits: 1, ttl: "1 hour" })
          const leader = RedisLeader.make(freshKey("leader"), { ttl: "1 hour" })
          // As programs without types may do.
          const returning = (() => Promise.resolve()) as unknown as () => Effect.Effect<void>
          const promise = Promise.resolve() as unknown as Effect.Effect<void>
          for (const what of [returning, promise]) {
            for (const run of [lock.withLock(what), permits.withPermit(what), leader.run(what)]) {
              const { message } = Client.expectTag(yield* Effect.flip(run), "DataError")
              assert.include(message, "Effect.promise makes one")
              // A function that returns a promise has begun.
              if (what === returning) assert.notInclude(message, "Nothing was sent")
            }
            assert.isFalse(yield* lock.locked)
            assert.strictEqual(yield* permits.available, 1)
            assert.isUndefined(yield* leader.leader)
          }
          // What is wrong whoever leads is told before it is this one's turn.
          yield* Redis.set(leader.name, "another")
          Client.expectTag(yield* Effect.flip(leader.run(promise)), "DataError")
          // A service's class is an effect, and a function as well.
          const held = lock.withLock(RedisClient.RedisClient)
          assert.strictEqual(yield* held, yield* RedisClient.RedisClient)
        }))

      it.effect("with retryOnTimeout who runs out of time neither waits for himself nor leaves the lock behind", () =>
        Effect.gen(function*() {
          const server = yield* RedisServer.RedisServer
          const client = yield* Client.make(server, {
            protocol,
            commandTimeout: "600 millis",
            retryOnTimeout: true
          })
          const run = Client.on(client)
          const locks = [false, true].map((fencing) => {
            const name = freshKey("lock")
            return { name, fencing, lock: RedisLock.make(name, { waitTimeout: "3 seconds", fencing }) }
          })
          // Dials, and loads the scripts.
          for (const { fencing } of locks) {
            yield* Client.on(client.withTimeout(Infinity))(
              RedisLock.make(freshKey("lock"), { fencing }).withLock(Effect.void)
            )
          }
          yield* server.pause
          // The server goes on in the middle of the second try, by the clock that the limits go by: a PING is sent twice, too.
          yield* Effect.exit(client.withTimeout("450 millis").execute(Redis.ping())).pipe(
            Effect.andThen(server.resume),
            Effect.forkChild({ startImmediately: true })
          )
          const exits = yield* Effect.forEach(locks, ({ lock }) => run(Effect.exit(lock.acquire)), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(exits.map(tagOf), ["TimeoutError", "TimeoutError"])
          // Whatever was written meanwhile has been run by then.
          yield* Effect.sleep("1500 millis")
          for (const { lock, name } of locks) {
            yield* until(Redis.exists(name), (count) => count === 0)
            yield* run(lock.withLock(Effect.void))
          }
        }))

      it.effect("LCK-10: who is late does not release the lock of the next", () =>
        Effect.gen(function*() {
          const name = freshKey("lock")
          const lock = RedisLock.make(name, { ttl: "300 millis", retryInterval: "10 millis" })
          const other = yield* Client.another
          const startedAt = performance.now()
          const a = (yield* lock.acquire)!
          const b =
            (yield* Client.on(other)(RedisLock.make(name, { ttl: "1 minute", retryInterval: "10 millis" }).acquire))!
          assert.isAbove(performance.now() - startedAt, 290, "B waited for the end of A's life")
          assert.strictEqual((yield* Effect.flip(a.release))._tag, "LockNotOwnedError")
          assert.strictEqual((yield* Effect.flip(a.release))._tag, "LockError")
          assert.isTrue(yield* b.owned)
          assert.strictEqual(yield* Redis.get(name), b.token)
          yield* b.release
        }))

      it.effect("LCK-11: releases and extends only what holds its token", () =>
        Effect.gen(function*() {
          const name = freshKey("lock")
          for (const change of ["release", "extend", "reacquire"] as const) {
            const handle = (yield* RedisLock.make(name, { ttl: "10 minutes" }).acquire)!
            yield* Redis.set(name, "theirs", { px: 60_000 })
            const error = yield* Effect.flip(change === "extend" ? handle.extend("1 hour") : handle[change])
            assert.strictEqual(error._tag, "LockNotOwnedError")
            const { token, ttl } = yield* stored(name)
            assert.strictEqual(token, "theirs")
            assert.isAtMost(ttl, 60_000)
            yield* Redis.del(name)
          }
        }))

      it.effect("LCK-14, LCK-15: extends by adding or replacing, and starts over", () =>
        Effect.gen(function*() {
          const name = freshKey("lock")
          const handle = (yield* RedisLock.make(name, { ttl: "10 minutes" }).acquire)!
          const minutesAre = (expected: number) =>
            Effect.map(Redis.pttl(name), (ttl) => assert.approximately(ttl / 60_000, expected, 1))
          yield* handle.extend("20 minutes")
          yield* minutesAre(30)
          yield* handle.extend("5 minutes", { replace: true })
          yield* minutesAre(5)
          yield* handle.reacquire
          yield* minutesAre(10)
          yield* Redis.persist(name)
          assert.strictEqual((yield* Effect.flip(handle.extend("1 millis")))._tag, "LockNotOwnedError")
          yield* handle.release
          const endless = (yield* RedisLock.make(name).acquire)!
          assert.strictEqual((yield* Effect.flip(endless.extend("1 second")))._tag, "LockError")
          yield* endless.release
        }))

      it.effect("LCK-13, LCK-16: two clients see the same lock; it is not re-entrant", () =>
        Effect.gen(function*() {
          const lock = RedisLock.make(freshKey("lock"), { ttl: "10 seconds" })
          const other = Client.on(yield* Client.another)
          const handle = (yield* lock.acquire)!
          assert.isTrue(yield* other(lock.locked))
          assert.isUndefined(yield* other(lock.tryAcquire))
          assert.isUndefined(yield* lock.tryAcquire)
          assert.isTrue(yield* handle.owned)
          yield* handle.release
          assert.isFalse(yield* other(lock.locked))
        }))

      it.effect.each([false, true])(
        "never two holders: two clients, twenty fibers, two hundred visits, fencing: %s",
        (fencing) =>
          Effect.gen(function*() {
            const [name, room] = [freshKey("lock"), freshKey("room")]
            const lock = RedisLock.make(name, { ttl: "10 seconds", retryInterval: "1 millis", fencing })
            const clients = [yield* RedisClient.RedisClient, yield* Client.another]
            const violations: Array<number> = []
            yield* Effect.forEach(Array.from({ length: 20 }), (_, fiber) =>
              Effect.replicateEffect(lock.withLock(visit(room, violations)), 10, { discard: true }).pipe(
                Client.on(clients[fiber % 2]!)
              ), { concurrency: "unbounded", discard: true })
            assert.deepStrictEqual(violations, [])
            assert.strictEqual(yield* Redis.get(`${room}:visits`), "200")
            assert.strictEqual(yield* Redis.get(room), "0")
            assert.isFalse(yield* lock.locked)
          })
      )

      it.effect("never two holders, and no lock left behind, while fibers are interrupted at any moment", () =>
        Effect.gen(function*() {
          const [name, room] = [freshKey("lock"), freshKey("room")]
          // Without a life, a lock that is left behind stays.
          const lock = RedisLock.make(name, { retryInterval: "1 millis", waitTimeout: "10 seconds" })
          const clients = [yield* RedisClient.RedisClient, yield* Client.another]
          const violations: Array<number> = []
          let entered = 0
          let left = 0
          const body = Effect.acquireUseRelease(
            Effect.sync(() => {
              entered++
              if (entered - left !== 1) violations.push(entered - left)
            }),
            () => Redis.incr(room),
            () =>
              Effect.sync(() => {
                left++
              })
          )
          for (let round = 0; round < 300; round++) {
            const fibers = yield* Effect.forEach(
              [0, 1, 2],
              (i) => Effect.forkChild(Client.on(clients[i % 2]!)(lock.withLock(body)), { startImmediately: true })
            )
            // Some rounds within the tick, some while commands are in flight.
            if (round % 3 === 1) yield* Effect.replicateEffect(Effect.yieldNow, round % 7, { discard: true })
            if (round % 3 === 2) yield* Redis.ping()
            yield* Effect.forEach(fibers, (fiber) => Fiber.interrupt(fiber), {
              concurrency: "unbounded",
              discard: true
            })
          }
          assert.deepStrictEqual(violations, [])
          assert.isAbove(entered, 0, "some came in")
          yield* until(lock.locked, (locked) => !locked)
          yield* lock.withLock(Effect.void)
        }))

      it.effect("no lock is left behind by who is interrupted on a connection of his own", () =>
        Effect.gen(function*() {
          const names = Array.from({ length: 60 }, () => freshKey("lock"))
          for (const [round, name] of names.entries()) {
            const fiber = yield* Effect.forkChild(
              Redis.withConnection(RedisLock.make(name).withLock(Effect.never)),
              { startImmediately: true }
            )
            // Some while the connection is waited for, some while the attempt is in flight, some later.
            yield* Effect.sleep(round / 16)
            yield* Fiber.interrupt(fiber)
          }
          yield* Redis.ping()
          assert.strictEqual(yield* Redis.exists(names), 0)
        }))

      it.effect("fencing tokens rise from holder to holder, also when locks expire", () =>
        Effect.gen(function*() {
          const name = freshKey("lock").replaceAll(/[{}]/g, "")
          const lock = RedisLock.make(name, { ttl: "5 millis", retryInterval: "1 millis", fencing: true })
          const clients = [yield* RedisClient.RedisClient, yield* Client.another]
          const tokens: Array<number> = []
          for (let i = 0; i < 20; i++) {
            const handle = (yield* Client.on(clients[i % 2]!)(lock.acquire))!
            tokens.push(handle.fencingToken!)
            if (i % 3 === 0) yield* Effect.ignore(handle.release)
          }
          // A lock that was over before its answer came has taken a number, too.
          assert.deepStrictEqual(tokens, Array.from(new Set(tokens)).sort((one, other) => one - other))
          assert.strictEqual(yield* Redis.get(`{${name}}:fence`), String(tokens.at(-1)))
          const holder = (yield* RedisLock.make(name, { fencing: true }).acquire)!
          assert.isUndefined(yield* lock.tryAcquire)
          assert.isTrue(yield* holder.owned)
          assert.strictEqual(
            yield* Redis.get(`{${name}}:fence`),
            String(holder.fencingToken),
            "who gets no lock gets no number"
          )
          assert.strictEqual(yield* Redis.ttl(`{${name}}:fence`), -1, "it never expires")
        }))

      it.effect("fencing tokens rise also when the counter is lost, or is ahead of the server's clock", () =>
        Effect.gen(function*() {
          const name = freshKey("lock").replaceAll(/[{}]/g, "")
          const lock = RedisLock.make(name, { ttl: "10 seconds", fencing: true })
          const next = Effect.map(Effect.scoped(lock.scoped), ({ fencingToken }) => fencingToken!)
          const tokens = [yield* next, yield* next]
          const { microseconds, seconds } = yield* Redis.time()
          // What a failover leaves that has lost the last writes, and an eviction.
          yield* Redis.set(`{${name}}:fence`, tokens[0]!)
          tokens.push(yield* next)
          yield* Redis.del(`{${name}}:fence`)
          tokens.push(yield* next)
          assert.isAtLeast(tokens[2]!, seconds * 1_000_000 + microseconds)
          // What a server leaves whose clock was ahead by an hour.
          const ahead = tokens[3]! + 3_600_000_000
          yield* Redis.set(`{${name}}:fence`, ahead)
          tokens.push(yield* next, yield* next)
          assert.deepStrictEqual(tokens.slice(4), [ahead + 1, ahead + 2])
          assert.deepStrictEqual(tokens, tokens.toSorted((one, other) => one - other))
          assert.strictEqual(new Set(tokens).size, tokens.length)
          assert.isTrue(tokens.every(Number.isSafeInteger))
        }))

      it.effect("autoExtend keeps others out for many lives, and frees the lock at the end", () =>
        Effect.gen(function*() {
          const name = freshKey("lock")
          const { held, lock, part } = yield* longLived(name)
          const done = yield* Deferred.make<void>()
          const inside = yield* Deferred.make<string>()
          const holder = yield* held(
            lock.withLock((handle) => Effect.andThen(Deferred.succeed(inside, handle.token), Deferred.await(done)))
          )
          const token = yield* Deferred.await(inside)
          const other = Client.on(yield* Client.another)
          for (let third = 0; third < 15; third++) {
            // The server's clock cannot be moved: the life that passes on the holder's is taken from the key.
            assert.isTrue(yield* Redis.pexpire(name, life * 2 / 3))
            yield* until(Effect.andThen(part, Redis.pttl(name)), (ttl) => ttl > life * 2 / 3)
            assert.isUndefined(yield* other(lock.tryAcquire))
          }
          assert.strictEqual(yield* Redis.get(name), token)
          yield* Deferred.succeed(done, undefined)
          yield* Fiber.join(holder)
          assert.isUndefined(yield* Redis.get(name))
        }))

      it.effect("autoExtend: taking the lock away interrupts the holder", () =>
        Effect.gen(function*() {
          const name = freshKey("lock")
          const { clock, held, lock, part } = yield* longLived(name)
          const holder = yield* held(Effect.exit(lock.withLock(Effect.never)))
          yield* until(lock.locked, Boolean)
          yield* Redis.set(name, "theirs")
          yield* until(
            Effect.andThen(part, Effect.as(Redis.ping(), holder)),
            (fiber) => fiber.pollUnsafe() !== undefined
          )
          assert.strictEqual(tagOf(yield* Fiber.join(holder)), "LockNotOwnedError")
          assert.isBelow(clock.currentTimeMillisUnsafe(), life, "the server has said so")
          assert.strictEqual(yield* Redis.get(name), "theirs")
        }))

      it.effect("autoExtend: that the lock is lost is told to all who wait for it, whatever an observer of one throws", () =>
        Effect.gen(function*() {
          const uncaught = yield* Uncaught.collected
          const name = freshKey("lock")
          const { held, lock, part } = yield* longLived(name)
          const told: Array<string> = []
          const holder = yield* held(Effect.exit(lock.withLock(({ lost }) =>
            Effect.sync(() => {
              Effect.runCallback(lost, {
                onExit: () => {
                  throw new Error("thrown by an observer")
                }
              })
              Effect.runCallback(lost, { onExit: (exit) => void told.push(tagOf(exit) ?? "") })
            }).pipe(Effect.andThen(Effect.never))
          )))
          yield* until(lock.locked, Boolean)
          yield* Redis.del(name)
          yield* until(
            Effect.andThen(part, Effect.as(Redis.ping(), holder)),
            (fiber) => fiber.pollUnsafe() !== undefined
          )
          assert.strictEqual(tagOf(yield* Fiber.join(holder)), "LockNotOwnedError")
          assert.deepStrictEqual(told, ["LockNotOwnedError"])
          assert.deepStrictEqual(yield* uncaught, ["Error: thrown by an observer"])
        }))

      it.effect("LCK-17: the server is killed under holders: nobody hangs, bodies' failures stand, and others get in", () =>
        Effect.gen(function*() {
          const server = yield* RedisServer.RedisServer
          const names = [freshKey("lock"), freshKey("lock"), freshKey("lock"), freshKey("lock")] as const
          const lock = (name: string, autoExtend = false) =>
            RedisLock.make(name, { ttl: "1 second", retryInterval: "10 millis", autoExtend })
          const gone = yield* Deferred.make<void>()
          const fork = <A, E, R>(held: Effect.Effect<A, E, R>) =>
            Effect.forkChild(Effect.exit(held), { startImmediately: true })
          const succeeding = yield* fork(lock(names[0]).withLock(Deferred.await(gone)))
          const failing = yield* fork(
            lock(names[1]).withLock(Effect.andThen(Deferred.await(gone), Effect.fail({ _tag: "Body" as const })))
          )
          const endless = yield* fork(lock(names[2], true).withLock(Effect.never))
          const handle = (yield* lock(names[3]).acquire)!
          for (const name of names) yield* until(lock(name).locked, Boolean)
          yield* server.kill()
          yield* Deferred.succeed(gone, undefined)
          assert.strictEqual(tagOf(yield* Fiber.join(succeeding)), "ConnectionError")
          assert.strictEqual(tagOf(yield* Fiber.join(failing)), "Body")
          assert.strictEqual(tagOf(yield* Fiber.join(endless)), "LockNotOwnedError", "the lock may have expired")
          yield* server.restart
          yield* until(Effect.exit(Redis.ping()), Exit.isSuccess)
          const next = (yield* lock(names[3]).acquire)!
          assert.isFalse(yield* handle.owned)
          assert.strictEqual((yield* Effect.flip(handle.release))._tag, "LockNotOwnedError")
          assert.isTrue(yield* next.owned)
        }))
    })
  })
}

describe("On a server that says nothing", () => {
  it.live("an attempt that was not written when it was interrupted is not undone", () =>
    Effect.gen(function*() {
      // A server that takes connections and says nothing.
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const client = yield* Client.make(node)
      const fibers = yield* Effect.forEach(
        Array.from({ length: 100 }, () => RedisLock.make(freshKey("lock")).acquire),
        (attempt) => fork(Client.on(client)(attempt))
      )
      assert.strictEqual((yield* client.stats).waiting, 100)
      yield* Fiber.interruptAll(fibers)
      assert.strictEqual((yield* client.stats).waiting, 0)
    }))
})

describe("On a server that takes no writes", () => {
  it.live("it is told how many permits are free, and whether one is held", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const on = Client.on(yield* Client.make(server))
      const short = RedisSemaphore.make("s", { permits: 3, ttl: "20 millis" })
      const semaphore = RedisSemaphore.make("s", { permits: 3, ttl: "1 minute" })
      const over = (yield* on(short.acquire))!
      const permit = (yield* on(semaphore.acquire))!
      yield* on(Redis.configSet({ "min-replicas-to-write": "1" }))
      yield* until(on(semaphore.available), (free) => free === 2)
      assert.deepStrictEqual([yield* permit.owned, yield* over.owned], [true, false])
    }).pipe(Effect.scoped))
})

describe("Of a semaphore whose options are wrong", () => {
  it.effect("nothing is told but what is wrong with them, and nothing is sent", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const on = Client.on(yield* Client.make(node))
      const missing = undefined as unknown as RedisSemaphore.SemaphoreOptions
      const ttl = "1 second"
      for (const options of [{ permits: 0, ttl }, { permits: 1.5, ttl }, missing] as const) {
        const { available } = RedisSemaphore.make("s", options)
        const error = Client.expectTag(yield* Effect.flip(on(available)), "DataError")
        assert.match(error.message, /^RedisSemaphore.make: permits is .*, and must be a whole number from 1 on/)
      }
      assert.strictEqual(node.connections.total, 0)
    }))
})

describe("On a node of a cluster", () => {
  it.live("LCK-18: a lock and its counter are in one slot, whatever the name looks like", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ clusterEnabled: true })
      const client = Client.on(yield* Client.make(server))
      yield* client(Redis.send("CLUSTER", "ADDSLOTS", ...Array.from({ length: 16384 }, (_, slot) => slot)))
      yield* until(client(Redis.send("CLUSTER", "INFO")), (info) => String(info).includes("cluster_state:ok"))
      for (const name of ["lock", "lock:{user:1}:mail", "a{b", "{a}}b", "x{y{z"]) {
        const lock = RedisLock.make(name, { ttl: "10 seconds", fencing: true })
        const handle = yield* client(Effect.scoped(lock.scoped))
        assert.isDefined(handle.fencingToken, name)
        assert.isFalse(yield* client(lock.locked))
      }
    }).pipe(Effect.scoped))
})
