import { assert, describe, it } from "@effect/vitest"
import * as FakeClient from "@redfx/testing/FakeClient"
import { fork } from "@redfx/testing/Fork"
import * as Logged from "@redfx/testing/Logged"
import { rested } from "@redfx/testing/Resting"
import { turns } from "@redfx/testing/VirtualTime"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { AsyncLocalStorage } from "node:async_hooks"
import * as Scripts from "../../src/internal/lock/scripts.ts"
import { undone } from "../../src/internal/lock/undoing.ts"
import type { RedisClient } from "../../src/RedisClient.ts"
import { ConnectionError, DecodeError, ProtocolError } from "../../src/RedisError.ts"
import type { RedisError } from "../../src/RedisError.ts"
import * as RedisLock from "../../src/RedisLock.ts"
import { fake } from "./fakeLocks.ts"
import type { Store } from "./fakeLocks.ts"

const name = "lock"
const owner = (store: Store) => store.get(name)?.value

const lost = FakeClient.lost("unknown")
const refused = new ConnectionError({ reason: "Refused", detail: "refused", delivery: "not-sent", readonly: false })

/** Waits for a lock that somebody else has for 350 ms, with tries each 100. After the one at 300 the next is too late. */
const givenUpAt300 = Effect.fnUntraced(function*({ run }: Effect.Success<ReturnType<typeof fake>>) {
  const fiber = yield* fork(run(RedisLock.make(name, { waitTimeout: "350 millis" }).acquire))
  yield* TestClock.adjust("299 millis")
  assert.isUndefined(fiber.pollUnsafe())
  yield* TestClock.adjust("1 millis")
  assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(undefined))
})

const errorsOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isFailReason).map((reason) => reason.error) : []

// -----------------------------------------------------------------------------
// Tests
// -----------------------------------------------------------------------------

describe("RedisLock", () => {
  it.effect("LCK-01: making a lock sends nothing", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      RedisLock.make(name, { ttl: "5 seconds" })
      assert.deepStrictEqual(store.log, [])
      yield* run(RedisLock.make(name).locked)
      assert.deepStrictEqual(store.log, ["EXISTS lock"])
    }))

  it.effect("LCK-02, LCK-08: acquiring is one SET with NX and the life in milliseconds", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      for (
        const [ttl, px] of [
          ["1.5 seconds", " PX 1500"],
          ["200 micros", " PX 1"],
          ["Infinity", ""],
          [Duration.days(1e300), ""],
          [undefined, ""]
        ] as const
      ) {
        const handle = yield* run(RedisLock.make(name, { ttl, token: "mine" }).tryAcquire)
        const [sent] = store.log.splice(0)
        assert.include([`SET lock mine NX${px}`, `SET lock mine${px} NX`], sent)
        yield* handle!.release
        store.log.length = 0
      }
    }))

  it.effect("LCK-07, LCK-08, NCO-02: the token is in the handle, another one each time unless it is given", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const lock = RedisLock.make(name)
      const first = yield* run(lock.acquire)
      assert.strictEqual(owner(store), first?.token)
      yield* first!.release
      const second = yield* run(lock.acquire)
      assert.strictEqual(owner(store), second?.token)
      assert.notStrictEqual(first?.token, second?.token)
      assert.isFalse(yield* first!.owned)
      assert.isTrue(yield* second!.owned)
    }))

  it.effect("LCK-03: tries every retryInterval, every 100 ms by default", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 0)
      for (const [retryInterval, pause] of [[undefined, 100], ["30 millis", 30]] as const) {
        store.log.length = 0
        const fiber = yield* fork(run(RedisLock.make(name, { retryInterval }).acquire))
        assert.strictEqual(store.log.length, 1)
        yield* TestClock.adjust(pause - 1)
        assert.strictEqual(store.log.length, 1)
        yield* TestClock.adjust(1)
        assert.strictEqual(store.log.length, 2)
        yield* TestClock.adjust(pause * 10)
        assert.strictEqual(store.log.length, 12)
        yield* Fiber.interrupt(fiber)
      }
    }))

  it.effect("LCK-04: 350 ms with tries every 100 are given up at 300, after four tries", () =>
    Effect.gen(function*() {
      const locks = yield* fake()
      locks.store.put(name, "theirs", 0)
      yield* givenUpAt300(locks)
      assert.strictEqual(locks.store.log.length, 4)
    }))

  it.effect("LCK-04: a try at the limit itself is made", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 0)
      const fiber = yield* fork(run(RedisLock.make(name, { waitTimeout: "300 millis" }).acquire))
      yield* TestClock.adjust("300 millis")
      assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(undefined))
      assert.strictEqual(store.log.length, 4)
      store.log.length = 0
      assert.isUndefined(yield* run(RedisLock.make(name, { waitTimeout: 99 }).acquire))
      assert.strictEqual(store.log.length, 1)
    }))

  it.effect("LCK-04: without a limit it waits on, and has the lock with the next try after it is free", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 60_050)
      const fiber = yield* fork(run(RedisLock.make(name).acquire))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(fiber))?.token, owner(store))
    }))

  it.effect("those who wait come up to a quarter of the interval later than it, each at its own time", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 0)
      for (const [random, pause] of [[0, 100], [0.48, 112], [0.999, 125]] as const) {
        store.log.length = 0
        const lock = RedisLock.make(name, { waitTimeout: "350 millis" })
        const fiber = yield* fork(run(lock.acquire, random))
        yield* TestClock.adjust(pause - 1)
        assert.strictEqual(store.log.length, 1)
        yield* TestClock.adjust(1)
        assert.strictEqual(store.log.length, 2)
        yield* TestClock.adjust("350 millis")
        // Never later than it may wait.
        assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(undefined))
      }
    }))

  it.effect("callers of one client are served in their order, and one of them tries", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const lock = RedisLock.make(name)
      const entered: Array<number> = []
      const held = yield* run(lock.acquire)
      for (let i = 0; i < 200; i++) {
        yield* fork(run(lock.withLock(Effect.andThen(Effect.sync(() => entered.push(i)), Effect.sleep(1)))))
      }
      store.log.length = 0
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(store.log.length, 100)
      yield* held!.release
      yield* rested
      assert.deepStrictEqual(entered, [0])
      store.log.length = 0
      yield* TestClock.adjust(200)
      assert.deepStrictEqual(entered, Array.from({ length: 200 }, (_, i) => i))
      // Each releases, and the next takes it then.
      assert.strictEqual(store.log.length, 399)
    }))

  it.effect("what a client hands on among its callers is free for a pause after ten, and then goes on", () =>
    Effect.gen(function*() {
      const { run, runElsewhere, store } = yield* fake()
      const lock = RedisLock.make(name)
      const entered: Array<number> = []
      for (let i = 0; i < 400; i++) {
        yield* fork(run(lock.withLock(Effect.andThen(Effect.sync(() => entered.push(i)), Effect.sleep(10)))))
      }
      // It is handed on for ten pauses from the first time on.
      yield* TestClock.adjust(1010)
      assert.strictEqual(entered.length, 102)
      yield* TestClock.adjust(10)
      assert.isUndefined(owner(store))
      yield* TestClock.adjust(90)
      assert.isUndefined(owner(store))
      const elsewhere = yield* runElsewhere(lock.tryAcquire)
      assert.isDefined(elsewhere)
      yield* TestClock.adjust(1000)
      assert.strictEqual(entered.length, 102)
      yield* elsewhere.release
      yield* TestClock.adjust(100)
      assert.isAbove(entered.length, 102)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(entered, Array.from({ length: 400 }, (_, i) => i))
    }))

  it.effect("what was held for long is handed on at once as well", () =>
    Effect.gen(function*() {
      const { run } = yield* fake()
      const lock = RedisLock.make(name)
      const first = yield* run(lock.acquire)
      const second = yield* fork(run(lock.acquire))
      yield* TestClock.adjust("5 seconds")
      yield* first!.release
      // No time passes meanwhile.
      assert.isDefined(yield* Fiber.join(second))
    }))

  it.effect("who looks more often does not stand behind one who looks seldom", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 0)
      yield* fork(run(RedisLock.make(name, { retryInterval: "4 seconds" }).acquire))
      const quick = yield* fork(run(
        RedisLock.make(name, { retryInterval: "20 millis", waitTimeout: "3 seconds" }).acquire
      ))
      assert.isUndefined(quick.pollUnsafe())
      store.entries.delete(name)
      yield* TestClock.adjust(25)
      assert.strictEqual((yield* Fiber.join(quick))?.token, owner(store))
    }))

  it.effect("who waits behind others is given up when somebody asks too late for him", () =>
    Effect.gen(function*() {
      const locks = yield* fake()
      const { run, store } = locks
      store.put(name, "theirs", 0)
      yield* fork(run(RedisLock.make(name).acquire))
      store.log.length = 0
      yield* givenUpAt300(locks)
      assert.strictEqual(store.log.length, 3)
    }))

  it.effect("what an attempt had taken that was interrupted is the next one's at once", () =>
    Effect.gen(function*() {
      let answers = false
      const { run, store } = yield* fake((command) => command === "SET" && !answers ? Effect.never : Effect.void)
      const lock = RedisLock.make(name, { retryInterval: "1 hour" })
      const first = yield* fork(run(lock.acquire))
      const second = yield* fork(run(lock.acquire))
      answers = true
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* Fiber.join(second))?.token, owner(store))
    }))

  it.effect("the last try is made when the time is over, where the pause would end later by chance", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 0)
      const fiber = yield* fork(run(RedisLock.make(name, { waitTimeout: "110 millis" }).acquire, 0.999))
      yield* TestClock.adjust(109)
      assert.strictEqual(store.log.length, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(store.log.length, 2)
      assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(undefined))
    }))

  it.effect("tryAcquire tries whoever waits", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 50)
      const lock = RedisLock.make(name)
      yield* fork(run(lock.acquire))
      yield* TestClock.adjust(50)
      assert.isDefined(yield* run(lock.tryAcquire))
    }))

  it.effect.each([0, "-1 second"] as const)(
    "with a retryInterval of %s it tries once a millisecond",
    (retryInterval) =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        store.put(name, "theirs", 0)
        const fiber = yield* fork(run(RedisLock.make(name, { retryInterval }).acquire))
        yield* TestClock.adjust(10)
        assert.strictEqual(store.log.length, 11)
        yield* Fiber.interrupt(fiber)
        assert.isUndefined(yield* run(RedisLock.make(name, { retryInterval }).tryAcquire))
      })
  )

  it.effect.each([30_000, "30 seconds", { timeout: 30 }, { autoExtend: true, timeout: 30 }] as const)(
    "options in another spelling, %j, are refused, and take no lock without an end",
    (options) =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        // As programs without types may do.
        const lock = RedisLock.make(name, options as unknown as RedisLock.LockOptions)
        const error = yield* Effect.flip(run(lock.tryAcquire))
        assert.deepInclude(error, { _tag: "DataError", command: "RedisLock.make" })
        assert.include(error.message, `such as { ttl: "30 seconds" }`)
        assert.isUndefined(owner(store))
      })
  )

  it.effect("LCK-05: tryAcquire tries once", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 0)
      assert.isUndefined(yield* run(RedisLock.make(name).tryAcquire))
      assert.strictEqual(store.log.length, 1)
    }))

  it.effect("LCK-09: scoped use that cannot acquire in time is LockError, and the body does not run", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 0)
      const lock = RedisLock.make(name, { waitTimeout: 0 })
      const inside = Effect.die("inside")
      const errors = [
        yield* Effect.flip(run(lock.withLock(inside))),
        yield* Effect.flip(Effect.scoped(run(Effect.andThen(lock.scoped, inside))))
      ]
      for (const error of errors) {
        assert.deepInclude(error, { _tag: "LockError", reason: "NotAcquired", kind: "lock" })
        assert.include(error.message, "Unable to acquire")
        // It would lead through redfx alone.
        assert.notMatch(error.stack ?? "", /\n\s+at /)
      }
      assert.strictEqual(owner(store), "theirs")
    }))

  it.effect("LCK-10: who is late does not release the lock of the next", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const lock = RedisLock.make(name, { ttl: "5 seconds" })
      const a = yield* run(lock.acquire)
      const waiting = yield* fork(run(RedisLock.make(name, { ttl: "5 seconds" }).acquire))
      yield* TestClock.adjust("4900 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      const b = yield* Fiber.join(waiting)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* Effect.flip(a!.release), { _tag: "LockNotOwnedError", kind: "lock" })
      assert.isTrue(yield* b!.owned)
      assert.strictEqual(owner(store), b?.token)
      yield* b!.release
      assert.isFalse(yield* b!.locked)
    }))

  it.effect("LCK-12: releasing twice is LockError, also when the first time failed", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      for (const outage of [undefined, lost, refused]) {
        const handle = yield* run(RedisLock.make(name).acquire)
        store.outage = outage
        yield* Effect.ignore(handle!.release)
        // What tries once more that nobody has to wait for it has found the server away.
        yield* rested
        store.outage = undefined
        const sent = store.log.length
        for (const again of [handle!.release, handle!.extend("1 millis"), handle!.reacquire]) {
          const error = yield* Effect.flip(again)
          assert.strictEqual(error._tag === "LockError" && error.reason, "NotHeld")
        }
        assert.strictEqual(store.log.length, sent, "nothing is asked of the server")
        assert.isFalse(yield* handle!.owned)
        store.entries.clear()
      }
    }))

  it.effect("a lock that could not be released is free soon after the outage, unless others may have its token", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      for (const token of [undefined, "mine"]) {
        for (const outage of [lost, refused]) {
          const handle = (yield* run(RedisLock.make(name, { token }).acquire))!
          store.outage = outage
          assert.strictEqual(yield* Effect.flip(handle.release), outage)
          yield* TestClock.adjust("1 minute")
          store.outage = undefined
          yield* TestClock.adjust("10 seconds")
          assert.strictEqual(owner(store), token)
          store.entries.clear()
        }
      }
    }))

  it.effect("LCK-13: locked is about anybody, owned about this handle", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const lock = RedisLock.make(name, { ttl: "1 second" })
      assert.isFalse(yield* run(lock.locked))
      const handle = yield* run(lock.acquire)
      assert.isTrue(yield* run(lock.locked))
      assert.isTrue(yield* handle!.owned)
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* handle!.owned)
      store.put(name, "theirs", 0)
      assert.isTrue(yield* handle!.locked)
      assert.isFalse(yield* handle!.owned)
    }))

  it.effect("LCK-14, LCK-15: extend adds or replaces, reacquire starts over", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const handle = (yield* run(RedisLock.make(name, { ttl: "10 seconds" }).acquire))!
      yield* TestClock.adjust("4 seconds")
      yield* handle.extend("3 seconds")
      assert.strictEqual(store.timeLeft(name), 9000)
      yield* handle.extend("2 seconds", { replace: true })
      assert.strictEqual(store.timeLeft(name), 2000)
      yield* handle.reacquire
      assert.strictEqual(store.timeLeft(name), 10_000)
    }))

  it.effect("to extend by nothing or less, or without end, is refused, and the lock stays what it is", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const handle = (yield* run(RedisLock.make(name, { ttl: "10 seconds" }).acquire))!
      store.log.length = 0
      for (const time of ["0 millis", "-5 seconds", "Infinity", Duration.days(1e300)] as const) {
        for (const replace of [true, false]) {
          const error = yield* Effect.flip(handle.extend(time, { replace }))
          assert.deepInclude(error, { _tag: "DataError", command: "LockHandle.extend" })
        }
      }
      assert.deepStrictEqual(store.log, [])
      assert.strictEqual(store.timeLeft(name), 10_000)
    }))

  it.effect("a release is given up when the lock is over by itself, and tried for a second at least", () =>
    Effect.gen(function*() {
      for (
        const [act, left] of [
          [() => Effect.void, 10_000],
          // Limits are told in whole milliseconds.
          [() => Effect.asVoid(TestClock.adjust(0.25)), 10_000],
          [(handle: RedisLock.LockHandle) => handle.extend("5 seconds"), 15_000],
          [(handle: RedisLock.LockHandle) => handle.extend("2 seconds", { replace: true }), 2000],
          [() => Effect.asVoid(TestClock.adjust("9500 millis")), 1000],
          [() => Effect.asVoid(TestClock.adjust("1 minute")), 1000]
        ] as const
      ) {
        const { run, store } = yield* fake()
        const handle = (yield* run(RedisLock.make(name, { ttl: "10 seconds" }).acquire))!
        yield* act(handle)
        store.outage = "silent"
        const release = yield* fork(Effect.exit(handle.release))
        yield* TestClock.adjust(left - 1)
        assert.isUndefined(release.pollUnsafe())
        yield* TestClock.adjust(1)
        const error = errorsOf(yield* Fiber.join(release))[0] as RedisError
        assert.deepInclude(error, { _tag: "TimeoutError", delivery: "unknown", milliseconds: left })
      }
    }))

  it.effect("a section that is interrupted while the server hangs is left when its lock is over", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const section = RedisLock.make(name, { ttl: "3 seconds" }).withLock(
        Effect.andThen(Effect.sync(() => store.outage = "silent"), Effect.never)
      )
      const { capture, lines } = Logged.make()
      const fiber = yield* fork(run(section).pipe(capture))
      const interrupting = yield* fork(Fiber.interrupt(fiber))
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(interrupting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(interrupting.pollUnsafe())
      assert.strictEqual(lines.length, 1)
    }))

  it.effect("LCK-14, LCK-15: not owned is LockNotOwnedError, a lock without ttl LockError", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const handle = (yield* run(RedisLock.make(name, { ttl: "10 seconds" }).acquire))!
      store.put(name, "theirs", 500)
      for (
        const change of [handle.extend("1 second"), handle.extend("1 second", { replace: true }), handle.reacquire]
      ) {
        assert.strictEqual((yield* Effect.flip(change))._tag, "LockNotOwnedError")
      }
      assert.strictEqual(store.timeLeft(name), 500)
      store.entries.clear()
      const endless = (yield* run(RedisLock.make(name).acquire))!
      for (const change of [endless.extend("1 second"), endless.reacquire]) {
        const error = yield* Effect.flip(change)
        assert.strictEqual(error._tag === "LockError" && error.reason, "NoTimeout")
      }
      assert.strictEqual(store.timeLeft(name), Infinity)
    }))

  it.effect("LCK-16: is not re-entrant, not even with the same token", () =>
    Effect.gen(function*() {
      const { run } = yield* fake()
      const lock = RedisLock.make(name, { token: "mine", waitTimeout: "1 second" })
      const nested = yield* fork(run(Effect.exit(lock.withLock(lock.withLock(Effect.void)))))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(errorsOf(yield* Fiber.join(nested)).length, 1)
      assert.isUndefined(yield* run(Effect.andThen(lock.acquire, lock.tryAcquire)))
    }))

  it.effect("LCK-17: releases after success, failure, a defect and interruption", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const lock = RedisLock.make(name, { ttl: "5 seconds" })
      const held = Effect.map(lock.locked, (locked) => assert.isTrue(locked))
      assert.strictEqual(yield* run(lock.withLock(Effect.as(held, 7))), 7)
      assert.isUndefined(owner(store))
      assert.deepStrictEqual(
        errorsOf(yield* Effect.exit(run(lock.withLock(Effect.andThen(held, Effect.fail("body")))))),
        ["body"]
      )
      assert.isUndefined(owner(store))
      assert.isTrue(Exit.hasDies(yield* Effect.exit(run(lock.withLock(Effect.die("body"))))))
      assert.isUndefined(owner(store))
      const fiber = yield* fork(run(lock.withLock(Effect.andThen(held, Effect.never))))
      assert.isDefined(owner(store))
      yield* Fiber.interrupt(fiber)
      assert.isUndefined(owner(store))
    }))

  it.effect("LCK-17: a release that fails does not mask what the body failed with, and is logged", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const { capture, lines } = Logged.make()
      const lock = RedisLock.make(name)
      const breaks = Effect.sync(() => {
        store.outage = lost
      })
      const failed = yield* Effect.exit(capture(run(lock.withLock(Effect.andThen(breaks, Effect.fail("body"))))))
      assert.deepStrictEqual(errorsOf(failed), ["body"])
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "Warn The lock \"lock\" could not be released")
      store.outage = undefined
      store.entries.clear()
      const fiber = yield* fork(capture(run(lock.withLock(Effect.andThen(breaks, Effect.never)))))
      yield* Fiber.interrupt(fiber)
      const interrupted = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(interrupted) && Cause.hasInterruptsOnly(interrupted.cause))
      assert.strictEqual(lines.length, 2)
    }))

  it.effect("LCK-17: after success it is the failure: the lock had expired under the body", () =>
    Effect.gen(function*() {
      const { run } = yield* fake()
      const lock = RedisLock.make(name, { ttl: "1 second" })
      const fiber = yield* fork(run(Effect.flip(lock.withLock(Effect.sleep("2 seconds")))))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "LockNotOwnedError")
    }))

  it.effect("LCK-17: a body that released the lock itself is not blamed for it", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const lock = RedisLock.make(name)
      yield* run(lock.withLock((handle) => handle.release))
      assert.strictEqual(store.log.filter((line) => line.startsWith("EVALSHA")).length, 1)
    }))

  it.effect("LCK-17: scoped releases with its scope", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const scope = yield* Scope.make()
      const handle = yield* run(Scope.provide(RedisLock.make(name).scoped, scope))
      assert.strictEqual(owner(store), handle.token)
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(owner(store))
    }))

  it.effect("an attempt that is interrupted leaves no lock behind", () =>
    Effect.gen(function*() {
      // The server has run SET, and the answer is on its way.
      const answered = yield* Deferred.make<void>()
      const { run, store } = yield* fake((name) => name === "SET" ? Deferred.await(answered) : Effect.void)
      const lock = RedisLock.make(name)
      for (const attempt of [lock.tryAcquire, lock.acquire, lock.withLock(Effect.void), Effect.scoped(lock.scoped)]) {
        const fiber = yield* fork(run(Effect.asVoid(attempt)))
        assert.isDefined(owner(store))
        yield* fork(Fiber.interrupt(fiber))
        assert.isUndefined(owner(store))
      }
    }))

  it.effect("LCK-16: with a given token, an attempt that is interrupted does not free the lock of who has the same", () =>
    Effect.gen(function*() {
      const gate = { closed: false, open: yield* Deferred.make<void>() }
      const { run, store } = yield* fake(() => gate.closed ? Deferred.await(gate.open) : Effect.void)
      const lock = RedisLock.make(name, { token: "mine" })
      const holder = (yield* run(lock.acquire))!
      gate.closed = true
      const fiber = yield* fork(run(lock.withLock(Effect.void)))
      const interruption = yield* fork(Fiber.interrupt(fiber))
      yield* Deferred.succeed(gate.open, undefined)
      yield* Fiber.join(interruption)
      assert.strictEqual(owner(store), "mine")
      assert.isTrue(yield* holder.owned)
      // Free by then, the lock is taken and given back.
      yield* holder.release
      const opening = gate.open = yield* Deferred.make<void>()
      const second = yield* fork(run(lock.withLock(Effect.void)))
      assert.strictEqual(owner(store), "mine")
      const end = yield* fork(Fiber.interrupt(second))
      yield* Deferred.succeed(opening, undefined)
      yield* Fiber.join(end)
      assert.isUndefined(owner(store))
    }))

  it.effect("waiting is interrupted at once", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      store.put(name, "theirs", 0)
      const fiber = yield* fork(run(RedisLock.make(name).withLock(Effect.void)))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(owner(store), "theirs")
    }))

  it.effect("an attempt whose answer is lost is undone; one that was not sent is not", () =>
    Effect.gen(function*() {
      const decoded = new DecodeError({ command: "SET", detail: "no status" })
      const garbled = new ProtocolError({ detail: "no RESP" })
      for (
        const [error, commands] of [
          [lost, ["SET", "EVALSHA"]],
          [decoded, ["SET", "EVALSHA"]],
          [garbled, ["SET", "EVALSHA"]],
          [refused, ["SET"]]
        ] as const
      ) {
        const { run, store } = yield* fake((name) =>
          name === "SET" ? Effect.fail(error) as Effect.Effect<never> : Effect.void
        )
        assert.strictEqual(yield* Effect.flip(run(RedisLock.make(name).acquire)), error)
        yield* Effect.yieldNow
        assert.deepStrictEqual(store.log.map((line) => line.split(" ")[0]), [...commands])
        assert.strictEqual(owner(store) === undefined, error !== refused)
      }
    }))

  it.effect("however many attempts and releases are to be undone, one pipeline at a time is sent for all, until each is answered", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake((name) =>
        name === "SET" ? Effect.fail(lost) as Effect.Effect<never> : Effect.void
      )
      const released = yield* run(RedisLock.make("released", { fencing: true }).acquire)
      store.refused.set("EVALSHA", lost)
      yield* Effect.flip(released!.release)
      for (let i = 1; i < 1000; i++) yield* Effect.flip(run(RedisLock.make(`lock ${i}`).acquire))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(store.entries.size, 1001)
      assert.deepStrictEqual(new Set(store.pipelines), new Set([1000]))
      assert.isBelow(store.pipelines.length, 40)
      store.refused.clear()
      yield* TestClock.adjust("5 seconds")
      yield* turns
      assert.deepStrictEqual([...store.entries.keys()], ["{released}:fence"])
      const sent = store.pipelines.length
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(store.pipelines.length, sent)
      // What comes later is seen to as well.
      store.refused.set("EVALSHA", lost)
      yield* Effect.flip(run(RedisLock.make(name).acquire))
      store.refused.clear()
      yield* TestClock.adjust("1 second")
      assert.isUndefined(owner(store))
    }))

  it.effect("what is undone for all keeps nothing of the caller who came first", () =>
    Effect.gen(function*() {
      const storage = new AsyncLocalStorage<string>()
      const stores: Array<string | undefined> = []
      // Nothing else is used of it.
      const client: Partial<RedisClient["Service"]> = {
        execute: () => Effect.fail(lost),
        pipeline: (commands) =>
          Effect.sync(() => {
            stores.push(storage.getStore())
            return commands.map(() => Exit.succeed(true))
          })
      }
      const undo = { release: Scripts.release(name, "token"), until: Infinity }
      const clock = yield* Clock.Clock
      const undoing = Effect.provideService(undone(client as RedisClient["Service"], undo), Clock.Clock, clock)
      storage.run("a request", () => Effect.runFork(undoing))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(stores, [undefined])
    }))

  it.effect("a lock with a life is not undone any more when it is over by itself", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake((name) =>
        name === "SET" ? Effect.fail(lost) as Effect.Effect<never> : Effect.void
      )
      store.refused.set("EVALSHA", lost)
      yield* Effect.flip(run(RedisLock.make(name, { ttl: "2 seconds" }).acquire))
      yield* TestClock.adjust("10 seconds")
      const sent = store.pipelines.length
      yield* TestClock.adjust("1 minute")
      assert.isAbove(sent, 1)
      assert.strictEqual(store.pipelines.length, sent)
    }))

  describe("fencing", () => {
    it.effect("each holder has a higher token than all before", () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        const lock = RedisLock.make(name, { fencing: true, ttl: "1 second" })
        const first = yield* run(lock.tryAcquire)
        assert.isUndefined(yield* run(lock.tryAcquire))
        yield* TestClock.adjust("1 second")
        const second = yield* run(lock.tryAcquire)
        assert.deepStrictEqual([first?.fencingToken, second?.fencingToken], [1, 2])
        assert.strictEqual(store.timeLeft(name), 1000)
        assert.strictEqual(store.timeLeft("{lock}:fence"), Infinity)
        const plain = yield* run(RedisLock.make("plain").tryAcquire)
        assert.isUndefined(plain?.fencingToken)
      }))

    it("LCK-18: the counter is in the hash slot of the lock", () => {
      assert.strictEqual(Scripts.counterOf("lock").value, "{lock}:fence")
      assert.strictEqual(Scripts.counterOf("lock:{user:1}:mail").value, "lock:{user:1}:mail:fence")
      assert.strictEqual(Scripts.counterOf("a{b").value, "{a{b}:fence")
    })

    it.effect("LCK-18: a name for which there is no such key is refused", () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        for (const bad of ["a}b", "{}a", ""]) {
          const error = yield* Effect.flip(run(RedisLock.make(bad, { fencing: true }).tryAcquire))
          assert.strictEqual(error._tag, "DataError")
        }
        assert.deepStrictEqual(store.log, [])
      }))
  })

  describe("an answer that comes late, as the server stood still", () => {
    const late = (name: string, milliseconds: number, once = true) => {
      let isFirst = true
      return fake((command) => {
        if (command !== name || !isFirst && once) return Effect.void
        isFirst = false
        return Effect.sleep(milliseconds)
      })
    }

    it.effect("a lock that is over by then is not held, but taken again", () =>
      Effect.gen(function*() {
        for (const token of [undefined, "mine"]) {
          const { run, store } = yield* late("SET", 3000)
          const lock = RedisLock.make(name, { ttl: "2 seconds", retryInterval: "1 second", token })
          const entered: Array<number | undefined> = []
          const body = Effect.andThen(Effect.sync(() => entered.push(store.timeLeft(name))), Effect.never)
          const fiber = yield* fork(run(lock.withLock(body)))
          yield* TestClock.adjust("3999 millis")
          assert.deepStrictEqual(entered, [])
          yield* TestClock.adjust("1 millis")
          assert.deepStrictEqual(entered, [2000])
          yield* Fiber.interrupt(fiber)
          assert.isUndefined(owner(store))
        }
      }))

    it.effect("a lock that somebody else has by then is left to them", () =>
      Effect.gen(function*() {
        const { run, store } = yield* late("SET", 3000)
        const lock = RedisLock.make(name, { ttl: "2 seconds", waitTimeout: 0 })
        const fiber = yield* fork(run(Effect.flip(lock.withLock(Effect.die("entered")))))
        yield* TestClock.adjust("2500 millis")
        store.put(name, "theirs", 0)
        yield* TestClock.adjust("500 millis")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "LockError")
        assert.strictEqual(owner(store), "theirs")
      }))

    it.effect("a lock that is still there by then is renewed before it is held, with its fencing token", () =>
      Effect.gen(function*() {
        const { run, store } = yield* late("EVALSHA", 3000)
        const lock = RedisLock.make(name, { ttl: "2 seconds", fencing: true })
        const fiber = yield* fork(run(lock.acquire))
        yield* TestClock.adjust("2999 millis")
        // The server has run late what it answered late.
        store.put(name, store.log[0]!.split(" ")[5]!, 500)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(store.timeLeft(name), 2000)
        const handle = yield* Fiber.join(fiber)
        assert.strictEqual(handle?.fencingToken, 1)
      }))

    it.effect("with autoExtend a body begins with time to extend its lock, and goes on where later answers are fast", () =>
      Effect.gen(function*() {
        for (
          const latencies of [[400], [600], [900], [970], [1100, 10, 1100], [600, 900], [600, 940], [600, 970]]
        ) {
          let [entered, sent] = [0, 0]
          const { run } = yield* fake(() => Effect.sleep(latencies[sent++] ?? 4))
          const lock = RedisLock.make(name, { ttl: "1 second", autoExtend: true })
          const fiber = yield* fork(run(lock.withLock(Effect.andThen(Effect.sync(() => entered++), Effect.never))))
          yield* TestClock.adjust("1 minute")
          assert.isUndefined(fiber.pollUnsafe(), `answers after ${latencies}`)
          assert.strictEqual(entered, 1)
          yield* fork(Fiber.interrupt(fiber))
          // Its release is answered.
          yield* TestClock.adjust("1 second")
        }
      }))

    describe("whose renewal is not answered", () => {
      const tokens = [undefined, "mine"]
      /** `SET` is answered after some time, and what comes then never. */
      const hanging = (milliseconds: number) => {
        let sent = 0
        return fake(() => [Effect.sleep(milliseconds), Effect.never][sent++] ?? Effect.void)
      }

      it.effect("is given back by who is interrupted, at once", () =>
        Effect.gen(function*() {
          for (const token of tokens) {
            for (const act of ["withLock", "tryAcquire"] as const) {
              const { run, store } = yield* hanging(1500)
              const lock = RedisLock.make(name, { ttl: "2 seconds", token })
              const fiber = yield* fork(
                run(act === "withLock" ? lock.withLock(Effect.die("entered")) : lock.tryAcquire)
              )
              yield* TestClock.adjust("1500 millis")
              assert.strictEqual(store.timeLeft(name), 2000)
              yield* fork(Fiber.interrupt(fiber))
              assert.isUndefined(owner(store))
            }
          }
        }))

      it.effect("is given back when the time to wait is over and it may be over, too", () =>
        Effect.gen(function*() {
          for (const token of tokens) {
            const { run, store } = yield* hanging(1500)
            const lock = RedisLock.make(name, { ttl: "2 seconds", waitTimeout: "2500 millis", token })
            const fiber = yield* fork(run(lock.acquire))
            yield* TestClock.adjust("2499 millis")
            assert.isUndefined(fiber.pollUnsafe())
            yield* TestClock.adjust("1 millis")
            assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(undefined))
            assert.isUndefined(owner(store))
          }
        }))

      it.effect("is held when the time to wait is over and it is not", () =>
        Effect.gen(function*() {
          for (const token of tokens) {
            for (const [waitTimeout, at] of [["7 seconds", 7000], [0, 6000]] as const) {
              const { run } = yield* hanging(6000)
              const fiber = yield* fork(run(RedisLock.make(name, { ttl: "10 seconds", waitTimeout, token }).acquire))
              yield* TestClock.adjust(at - 1)
              assert.isUndefined(fiber.pollUnsafe())
              yield* TestClock.adjust(1)
              assert.isDefined(yield* Fiber.join(fiber))
            }
          }
        }))
    })

    it.effect("autoExtend renews sooner where its last answer took long", () =>
      Effect.gen(function*() {
        const { run, store } = yield* late("EVALSHA", 1700)
        const lock = RedisLock.make(name, { ttl: "3 seconds", autoExtend: true })
        const fiber = yield* fork(run(lock.withLock(Effect.never)))
        yield* TestClock.adjust("2700 millis")
        assert.strictEqual(store.timeLeft(name), 1300)
        yield* TestClock.adjust("500 millis")
        assert.isAbove(store.timeLeft(name)!, 2900)
        yield* Fiber.interrupt(fiber)
      }))
  })

  describe("autoExtend", () => {
    it.effect("keeps the lock as long as the body runs, and not longer", () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        const lock = RedisLock.make(name, { ttl: "3 seconds", autoExtend: true })
        const fiber = yield* fork(run(lock.withLock(Effect.sleep("1 minute"))))
        for (let second = 1; second < 60; second++) {
          yield* TestClock.adjust("1 second")
          assert.strictEqual(store.timeLeft(name), 3000, `second ${second}`)
        }
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        assert.isUndefined(owner(store))
        const sent = store.log.length
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(store.log.length, sent)
      }))

    it.effect("does not shorten what the body has extended itself", () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        const lock = RedisLock.make(name, { ttl: "3 seconds", autoExtend: true })
        const body = (handle: RedisLock.LockHandle) => Effect.andThen(handle.extend("1 minute"), Effect.never)
        const fiber = yield* fork(run(lock.withLock(body)))
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(store.timeLeft(name), 53_000)
        yield* Fiber.interrupt(fiber)
        assert.isUndefined(owner(store))
      }))

    it.effect("a lock that somebody else has by now interrupts the body and is LockNotOwnedError", () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        const lock = RedisLock.make(name, { ttl: "3 seconds", autoExtend: true })
        let interrupted = false
        const body = Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            interrupted = true
          }))
        const fiber = yield* fork(run(Effect.flip(lock.withLock(body))))
        store.put(name, "theirs", 0)
        yield* TestClock.adjust("999 millis")
        assert.isFalse(interrupted)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "LockNotOwnedError")
        assert.isTrue(interrupted)
        assert.strictEqual(owner(store), "theirs")
      }))

    it.effect("an outage shorter than the lock's life is ridden through", () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        const lock = RedisLock.make(name, { ttl: "3 seconds", autoExtend: true })
        const fiber = yield* fork(run(lock.withLock(Effect.never)))
        store.outage = refused
        yield* TestClock.adjust("2500 millis")
        store.outage = undefined
        yield* TestClock.adjust("300 millis")
        assert.isAbove(store.timeLeft(name)!, 2600)
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }))

    it.effect("an outage as long as the lock's life ends the body, a twentieth of it before it may have expired and not earlier", () =>
      Effect.gen(function*() {
        for (const outage of [refused, "silent"] as const) {
          const { run, store } = yield* fake()
          const lock = RedisLock.make(name, { ttl: "3 seconds", autoExtend: true })
          const fiber = yield* fork(run(Effect.flip(lock.withLock(Effect.never))))
          store.outage = outage
          yield* TestClock.adjust("2849 millis")
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assert.strictEqual((yield* Fiber.join(fiber))._tag, "LockNotOwnedError")
        }
      }))

    it.effect("a life that the body made shorter is extended in time, too", () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        const lock = RedisLock.make(name, { ttl: "30 seconds", autoExtend: true })
        const fiber = yield* fork(
          run(lock.withLock((handle) => Effect.andThen(handle.extend("900 millis", { replace: true }), Effect.never)))
        )
        yield* TestClock.adjust("284 millis")
        assert.strictEqual(store.timeLeft(name), 616, "it is not undone at once")
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(store.timeLeft(name), 30_000)
        yield* TestClock.adjust("1 minute")
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }))

    it.effect("a body whose lock may have a shorter life ends with that life, whatever is under way", () =>
      Effect.gen(function*() {
        for (const before of [0, 10_500]) {
          const shorten = yield* Deferred.make<void>()
          const { run, store } = yield* fake()
          const lock = RedisLock.make(name, { ttl: "30 seconds", autoExtend: true })
          const fiber = yield* fork(
            run(
              Effect.flip(
                lock.withLock((handle) =>
                  Effect.andThen(Deferred.await(shorten), handle.extend("1 second", { replace: true }))
                )
              )
            )
          )
          store.outage = "silent"
          yield* TestClock.adjust(before)
          yield* Deferred.succeed(shorten, undefined)
          yield* TestClock.adjust("949 millis")
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(((yield* Fiber.join(fiber)) as RedisError)._tag, "LockNotOwnedError")
        }
      }))

    it.effect("what a server that stood still has renewed after the loss is given back, unless others may have its token", () =>
      Effect.gen(function*() {
        for (const token of [undefined, "mine"]) {
          const { run, store } = yield* fake()
          const scope = yield* Scope.make()
          const lock = RedisLock.make(name, { ttl: "4 seconds", autoExtend: true, token })
          const other = RedisLock.make("other", { ttl: "4 seconds", autoExtend: true, token })
          const held = yield* fork(run(Effect.flip(lock.withLock(Effect.never))))
          const loss = yield* fork(Effect.flip((yield* run(Scope.provide(other.scoped, scope))).lost))
          yield* TestClock.adjust("1 second")
          store.outage = "still"
          yield* TestClock.adjust("2800 millis")
          assert.strictEqual((yield* Fiber.join(held))._tag, "LockNotOwnedError")
          assert.strictEqual((yield* Fiber.join(loss))._tag, "LockNotOwnedError")
          yield* Scope.close(scope, Exit.void)
          yield* TestClock.adjust("100 millis")
          store.goesOn()
          assert.strictEqual(owner(store), token)
          assert.strictEqual(store.get("other")?.value, token)
        }
      }))

    it.effect("scoped tells of the loss by `lost`", () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        const scope = yield* Scope.make()
        const lock = RedisLock.make(name, { ttl: "3 seconds", autoExtend: true })
        const handle = yield* run(Scope.provide(lock.scoped, scope))
        yield* TestClock.adjust("10 seconds")
        assert.isTrue(yield* handle.owned)
        const loss = yield* fork(Effect.flip(handle.lost))
        store.entries.clear()
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(loss))._tag, "LockNotOwnedError")
        const sent = store.log.length
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(store.log.length, sent, "there is nothing to release")
      }))
  })
})
