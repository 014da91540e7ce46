import { assert, describe, it } from "@effect/vitest"
import * as FakeClient from "@redfx/testing/FakeClient"
import { fork } from "@redfx/testing/Fork"
import { rested } from "@redfx/testing/Resting"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { LockNotOwnedError, ProtocolError } from "../../src/RedisError.ts"
import * as RedisLeader from "../../src/RedisLeader.ts"
import { fake } from "./fakeLocks.ts"

const name = "leader"
const unreachable = FakeClient.lost("not-sent")

const candidate = (id: string) => RedisLeader.make(name, { id, ttl: "10 seconds", retryInterval: "1 second" })

/** Leads for ever, and notes when it begins and ends. */
const reign = (log: Array<string>, id: string) => ({ fencingToken }: RedisLeader.Term) =>
  Effect.onExit(
    Effect.andThen(Effect.sync(() => log.push(`${id} ${fencingToken}`)), Effect.never),
    () => Effect.sync(() => log.push(`${id} ends`))
  )

describe("RedisLeader", () => {
  it.effect("one leads, as long as it lives; who resigns is followed by another at its next look", () =>
    Effect.gen(function*() {
      const { run, runElsewhere, store } = yield* fake()
      const log: Array<string> = []
      const first = yield* fork(run(candidate("a").run(reign(log, "a"))))
      const second = yield* fork(runElsewhere(candidate("b").run(reign(log, "b"))))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["a 1"])
      assert.strictEqual(yield* run(candidate("c").leader), "a")
      yield* Fiber.interrupt(first)
      assert.isUndefined(yield* run(candidate("c").leader))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(log, ["a 1", "a ends", "b 2"])
      yield* Fiber.interrupt(second)
      assert.isUndefined(store.get(name))
    }))

  it.effect("who resigns is followed by another candidate of its client at once", () =>
    Effect.gen(function*() {
      const { run } = yield* fake()
      const log: Array<string> = []
      const first = yield* fork(run(candidate("a").run(reign(log, "a"))))
      const second = yield* fork(run(candidate("b").run(reign(log, "b"))))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interrupt(first)
      yield* rested
      assert.deepStrictEqual(log, ["a 1", "a ends", "b 2"])
      yield* Fiber.interrupt(second)
    }))

  it.effect("a leader that cannot reach the server stops before its lease is over, and leads again later", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const log: Array<string> = []
      const fiber = yield* fork(run(candidate("a").run(reign(log, "a"))))
      store.outage = unreachable
      yield* TestClock.adjust("9499 millis")
      assert.deepStrictEqual(log, ["a 1"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(log, ["a 1", "a ends"])
      assert.isDefined(store.get(name))
      yield* TestClock.adjust("1 minute")
      store.outage = undefined
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(log, ["a 1", "a ends", "a 2"])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a leader whose lock was taken ends, and the new one is not disturbed", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const log: Array<string> = []
      const fiber = yield* fork(run(candidate("a").run(reign(log, "a"))))
      store.put(name, "thief 1", 30_000)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(log, ["a 1", "a ends"])
      assert.strictEqual(yield* run(candidate("c").leader), "thief")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(store.get(name)?.value, "thief 1")
    }))

  it.effect("ends as its effect does, whatever that fails with, and resigns", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      assert.strictEqual(yield* run(candidate("a").run(Effect.succeed(1))), 1)
      // Its own errors are not taken for those of leading.
      for (const error of [unreachable, new LockNotOwnedError({ name, kind: "lock" }), "other"]) {
        assert.strictEqual(yield* Effect.flip(run(candidate("a").run(Effect.fail(error)))), error)
        assert.isUndefined(store.get(name))
      }
      assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(run(candidate("a").run(Effect.interrupt)))))
      const exit = yield* Effect.exit(run(candidate("a").run(Effect.die("bug"))))
      assert.isTrue(Exit.hasDies(exit))
      assert.isUndefined(store.get(name))
    }))

  it.effect("what the effect came to stands, also when resigning fails", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const effect = Effect.sync(() => {
        store.outage = unreachable
        return "done"
      })
      assert.strictEqual(yield* run(candidate("a").run(effect)), "done")
    }))

  it.effect("campaigns on through an outage, and fails where no later try can help", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const log: Array<string> = []
      store.outage = unreachable
      const fiber = yield* fork(run(candidate("a").run(reign(log, "a"))))
      yield* TestClock.adjust("1 minute")
      store.outage = undefined
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(log, ["a 1"])
      yield* Fiber.interrupt(fiber)
      store.outage = new ProtocolError({ detail: "no Redis" })
      assert.strictEqual(yield* Effect.flip(run(candidate("a").run(Effect.void))), store.outage)
    }))

  it.effect("as a Layer it leads in the background, until the Layer is closed", () =>
    Effect.gen(function*() {
      const { run, store } = yield* fake()
      const log: Array<string> = []
      const scope = yield* Scope.make()
      yield* run(Layer.buildWithScope(candidate("a").layer(reign(log, "a")), scope))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["a 1"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, ["a 1", "a ends"])
      assert.isUndefined(store.get(name))
    }))

  it.effect("a leader that is interrupted keeps its lease until what it acquired is released", () =>
    Effect.gen(function*() {
      const { run, runElsewhere } = yield* fake()
      const log: Array<string> = []
      const slow = Effect.acquireRelease(
        Effect.void,
        () => Effect.andThen(Effect.sleep("1 minute"), Effect.sync(() => log.push("a released")))
      )
      const first = yield* fork(run(candidate("a").run(Effect.andThen(slow, Effect.never))))
      const second = yield* fork(runElsewhere(candidate("b").run(reign(log, "b"))))
      yield* TestClock.adjust(1)
      const interrupted = yield* fork(Fiber.interrupt(first))
      yield* TestClock.adjust("62 seconds")
      yield* Fiber.join(interrupted)
      assert.deepStrictEqual(log, ["a released", "b 2"])
      yield* Fiber.interrupt(second)
    }))

  for (const background of [true, false]) {
    it.effect(`what a term has acquired and forked ends with the term${background ? ", as a Layer too" : ""}`, () =>
      Effect.gen(function*() {
        const { run, store } = yield* fake()
        const log: Array<string> = []
        const note = (what: string) => Effect.sync(() => log.push(what))
        const effect = ({ fencingToken: term }: RedisLeader.Term) =>
          Effect.gen(function*() {
            yield* Effect.acquireRelease(note(`acquired ${term}`), () => note(`released ${term}`))
            yield* Effect.forkScoped(Effect.onInterrupt(Effect.never, () => note(`child ${term} ends`)))
            return yield* Effect.onInterrupt(Effect.never, () => note(`${term} ends`))
          })
        const leader = candidate("a")
        const scope = yield* Scope.make()
        yield* background
          ? run(Layer.buildWithScope(leader.layer(effect), scope))
          : Scope.provide(Effect.forkScoped(run(leader.run(effect))), scope)
        yield* TestClock.adjust(1)
        store.outage = unreachable
        yield* TestClock.adjust("11 seconds")
        assert.deepStrictEqual(log, ["acquired 1", "1 ends", "child 1 ends", "released 1"])
        store.outage = undefined
        yield* TestClock.adjust("2 seconds")
        log.length = 0
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(log, ["2 ends", "child 2 ends", "released 2"])
      }))
  }
})
