/**
 * Effects that wait for something outside of Effect: by the internals of Effect,
 * and in the public way, which is taken where these are not as expected.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisError } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Uncaught from "@redfx/testing/Uncaught"
import { passing } from "@redfx/testing/VirtualTime"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import process from "node:process"
import { Suspension } from "../../src/internal/runtime/suspension.ts"

/** One that counts what is asked of it. */
class Counted extends Suspension<string, string> {
  readonly #all: Array<Counted>
  readonly #atOnce: Exit.Exit<string, string> | undefined
  abandoned = 0

  constructor(all: Array<Counted>, atOnce?: Exit.Exit<string, string>) {
    super()
    this.#all = all
    this.#atOnce = atOnce
  }

  protected begin(): void {
    this.#all.push(this)
    if (this.#atOnce !== undefined) this.hand(this.#atOnce)
  }

  protected abandon(): void {
    this.abandoned++
  }

  protected again(): Counted {
    return new Counted(...this.made)
  }

  protected get made(): ConstructorParameters<typeof Counted> {
    return [this.#all, this.#atOnce]
  }

  protected hand(exit: Exit.Exit<string, string>): void {
    this.settle(exit)
  }

  finish(exit: Exit.Exit<string, string>): void {
    this.hand(exit)
  }
}

/** Makes fibers wait in another way than expected, as another version of Effect might. */
const withOtherFibers = <A>(body: () => A): A => {
  const prototype: object = Object.getPrototypeOf(Effect.runFork(Effect.void))
  const original: unknown = Reflect.get(prototype, "yieldWith")
  assert(typeof original === "function")
  const other = function(this: unknown, value: unknown): unknown {
    return Reflect.apply(original, this, [
      typeof value === "function" ? () => Reflect.apply(value, undefined, []) : value
    ])
  }
  Reflect.set(prototype, "yieldWith", other)
  try {
    return body()
  } finally {
    Reflect.set(prototype, "yieldWith", original)
  }
}

/** One that hands values over without an `Exit`. */
class Handing extends Counted {
  protected override hand(exit: Exit.Exit<string, string>): void {
    if (Exit.isSuccess(exit)) this.succeed(exit.value)
    else super.hand(exit)
  }

  protected override again(): Counted {
    return new Handing(...this.made)
  }
}

/** What an effect has thrown in a task of its own, where nothing can catch it. */
const uncaught = (body: () => void): Effect.Effect<unknown> =>
  Effect.callback((resume) => {
    const others = process.listeners("uncaughtException")
    process.removeAllListeners("uncaughtException")
    process.once("uncaughtException", (thrown) => {
      for (const other of others) process.on("uncaughtException", other)
      resume(Effect.succeed(thrown))
    })
    body()
  })

/** Runs what is done in one turn. */
const runFork = Effect.runForkWith(Context.make(Scheduler.PreventSchedulerYield, true))

const behaves = (Made: typeof Counted): void => {
  it.effect("what an observer of the one who waits throws is not thrown at the one who brings the outcome", () =>
    Effect.gen(function*() {
      const all: Array<Counted> = []
      const thrown = new Error("of an observer")
      const throwing = () => {
        throw thrown
      }
      for (const exit of [Exit.succeed("a"), Exit.fail("b")]) {
        Effect.runCallback(new Made(all), { onExit: throwing })
        assert.strictEqual(yield* uncaught(() => all.pop()?.finish(exit)), thrown)
        const begun = new Made(all)
        Suspension.start(begun, throwing)
        assert.strictEqual(yield* uncaught(() => begun.finish(exit)), thrown)
      }
      assert.deepStrictEqual(all.map(({ settled }) => settled), [true, true])
    }))

  it("has the outcome that comes later, also a failure", () => {
    const all: Array<Counted> = []
    for (const exit of [Exit.succeed("a"), Exit.fail("b"), Exit.die("c")]) {
      const fiber = runFork(new Made(all))
      assert.isUndefined(fiber.pollUnsafe())
      const begun = all.pop()
      assert.isFalse(begun?.settled)
      begun?.finish(exit)
      assert.deepStrictEqual(fiber.pollUnsafe(), exit)
      assert.isTrue(begun?.settled)
      assert.strictEqual(begun?.abandoned, 0)
    }
  })

  it("has the outcome that is there at once, also when its own beginning runs others", () => {
    const all: Array<Counted> = []
    assert.deepStrictEqual(Effect.runSyncExit(new Made(all, Exit.succeed("a"))), Exit.succeed("a"))
    assert.deepStrictEqual(Effect.runSyncExit(new Made(all, Exit.fail("b"))), Exit.fail("b"))
    class Nesting extends Made {
      protected override begin(): void {
        this.finish(Exit.succeed("outer"))
        assert.deepStrictEqual(Effect.runSyncExit(new Made(all, Exit.succeed("inner"))), Exit.succeed("inner"))
      }
    }
    assert.deepStrictEqual(Effect.runSyncExit(new Nesting(all)), Exit.succeed("outer"))
  })

  it("is given up once when its fiber is interrupted, and an outcome after that is nobody's", () => {
    const all: Array<Counted> = []
    const seen: Array<string> = []
    const fiber = runFork(
      Effect.onExit(new Made(all), (exit) => Effect.sync(() => seen.push(exit._tag)))
    )
    fiber.interruptUnsafe()
    const exit = fiber.pollUnsafe()
    assert.isTrue(exit !== undefined && Exit.hasInterrupts(exit))
    all[0]?.finish(Exit.succeed("late"))
    assert.strictEqual(all[0]?.abandoned, 1)
    assert.isTrue(all[0]?.settled)
    assert.deepStrictEqual(seen, ["Failure"])
  })

  it("is not given up where its fiber cannot be interrupted, which is interrupted after the outcome", () => {
    const all: Array<Counted> = []
    const seen: Array<string> = []
    const waiting = Effect.uninterruptible(Effect.tap(new Made(all), (value) => Effect.sync(() => seen.push(value))))
    const fiber = runFork(Effect.andThen(waiting, Effect.sync(() => seen.push("after"))))
    fiber.interruptUnsafe()
    assert.isUndefined(fiber.pollUnsafe())
    all[0]?.finish(Exit.succeed("a"))
    const exit = fiber.pollUnsafe()
    assert.isTrue(exit !== undefined && Exit.hasInterrupts(exit))
    assert.deepStrictEqual(seen, ["a"])
    assert.strictEqual(all[0]?.abandoned, 0)
  })

  it("can be begun without a fiber: once, and not as another effect; and is given up by who began it", () => {
    const all: Array<Counted> = []
    const seen: Array<unknown> = []
    for (const exit of [Exit.succeed("a"), Exit.fail("b"), Exit.die("c")]) {
      const effect = new Made(all)
      assert.strictEqual<unknown>(Suspension.start(effect, (given) => seen.push(given)), effect)
      assert.isUndefined(Suspension.start(effect, (given) => seen.push(given)))
      effect.finish(exit)
      effect.finish(Exit.succeed("once more"))
    }
    assert.deepStrictEqual(seen.splice(0), [Exit.succeed("a"), Exit.fail("b"), Exit.die("c")])
    assert.isTrue(Suspension.start(new Made(all, Exit.succeed("at once")), (given) => seen.push(given))?.settled)
    assert.deepStrictEqual(seen.splice(0), [Exit.succeed("at once")])
    class Throwing extends Made {
      protected override begin(): void {
        throw new Error("no beginning")
      }
    }
    assert.isTrue(Suspension.start(new Throwing(all), (given) => seen.push(given))?.settled)
    assert.deepStrictEqual(seen.splice(0), [Exit.die(new Error("no beginning"))])
    // What types do not allow comes from clients of somebody's own.
    const none = [undefined, null, 1].map((value) => value as unknown as Effect.Effect<unknown>)
    for (const other of [Effect.succeed("a"), Effect.asVoid(new Made(all)), Effect.fail("b"), ...none]) {
      assert.isUndefined(Suspension.start<unknown, unknown>(other, (given) => seen.push(given)))
    }
    assert.deepStrictEqual(seen, [])
    const given = new Made(all)
    Suspension.start(given, (exit) => seen.push(exit))?.cancel()
    given.finish(Exit.succeed("late"))
    assert.deepStrictEqual([seen.length, given.abandoned], [0, 1])
  })

  it("runs each time that it is run, also by several fibers at once", () => {
    const all: Array<Counted> = []
    const effect = new Made(all)
    const twice = runFork(Effect.zip(effect, effect))
    const other = runFork(effect)
    assert.strictEqual(all.length, 2)
    all[0]?.finish(Exit.succeed("a"))
    assert.strictEqual(all.length, 3)
    all[2]?.finish(Exit.succeed("b"))
    all[1]?.finish(Exit.succeed("c"))
    assert.deepStrictEqual(twice.pollUnsafe(), Exit.succeed(["a", "b"]))
    assert.deepStrictEqual(other.pollUnsafe(), Exit.succeed("c"))
  })

  it.effect("a fiber that lets others run before it takes its outcome has its own", () =>
    Effect.gen(function*() {
      const all: Array<Counted> = []
      let told = false
      const yielding = new Scheduler.MixedScheduler()
      yielding.shouldYield = () => {
        const now = told
        told = false
        return now
      }
      const effect = new Made(all)
      const first = yield* Effect.forkChild(Effect.provideService(effect, Scheduler.Scheduler, yielding), {
        startImmediately: true
      })
      const second = yield* Effect.forkChild(effect, { startImmediately: true })
      told = true
      all[0]?.finish(Exit.succeed("a"))
      assert.isUndefined(first.pollUnsafe())
      // The same effect is run again, and others have their outcomes meanwhile.
      const third = yield* Effect.forkChild(effect, { startImmediately: true })
      all[1]?.finish(Exit.succeed("b"))
      all[2]?.finish(Exit.succeed("c"))
      assert.deepStrictEqual(yield* Fiber.joinAll([second, third, first]), ["b", "c", "a"])
      assert.strictEqual(all.length, 3)
    }))

  it.effect("an outcome that comes between an interruption and its effect is nobody's", () =>
    Effect.gen(function*() {
      const all: Array<Counted> = []
      // Has a fiber yield before its next step when it is told to, and then the interruption waits.
      let told = false
      const yielding = new Scheduler.MixedScheduler()
      yielding.shouldYield = () => {
        const now = told
        told = false
        return now
      }
      const fiber = yield* Effect.forkChild(
        Effect.provideService(new Made(all), Scheduler.Scheduler, yielding),
        { startImmediately: true }
      )
      assert.strictEqual(all.length, 1)
      told = true
      fiber.interruptUnsafe()
      assert.isFalse(all[0]?.settled)
      all[0]?.finish(Exit.succeed("late"))
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
    }))

  it.effect("so commands have their own replies, are interrupted, and fail with what befell them", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "GET" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk(args[1]!))] : undefined
      )
      const client = yield* Client.make(node)
      const get = client.execute(Redis.get("a"))
      const [first, second, third] = yield* Effect.forEach(
        [get, client.execute(Redis.get("b")), get],
        (each) => Effect.forkChild(each, { startImmediately: true })
      )
      assert(first !== undefined && second !== undefined && third !== undefined)
      yield* node.awaitCommand("GET")
      yield* Fiber.interrupt(second)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.joinAll([first, third]), ["a", "a"])
      assert.deepStrictEqual(yield* client.pipeline([Redis.get("x"), Redis.get("y")]), [
        Exit.succeed("x"),
        Exit.succeed("y")
      ])
    }))

  const befalls = {
    "is answered": () => Encode.bulk("value"),
    "is late": () => FakeNode.stall(),
    "has lost its connection": () => FakeNode.cut()
  }
  for (const [what, reply] of Object.entries(befalls)) {
    it.effect(`what an observer of a command throws that ${what} harms nobody else`, () =>
      Effect.gen(function*() {
        const uncaught = yield* Uncaught.collected
        const node = yield* FakeNode.make(({ name }) => name === "GET" ? reply() : undefined)
        const client = yield* Client.make(node, { commandTimeout: "200 millis" })
        yield* client.execute(Redis.ping())
        const get = client.execute(Redis.get("k"))
        const told: Array<string> = []
        const tell = (who: string) => ({
          onExit: (exit: Exit.Exit<unknown, RedisError.CommandError>) => {
            told.push(
              `${who} ${Exit.match(exit, { onSuccess: String, onFailure: ({ reasons: [reason] }) => reason?._tag })}`
            )
          }
        })
        const one = tell("one")
        Effect.runCallback(get, {
          onExit: (exit) => {
            one.onExit(exit)
            throw new Error("thrown by an observer")
          }
        })
        Effect.runCallback(get, tell("two"))
        // The limit of who comes later holds as well.
        const { exit: later } = yield* passing(get)
        const outcome = Exit.isSuccess(later) ? later.value : "Fail"
        assert.deepStrictEqual(told, [`one ${outcome}`, `two ${outcome}`])
        assert.deepStrictEqual(yield* uncaught, ["Error: thrown by an observer"])
        assert.isTrue(what !== "is answered" || node.connections.total === 1)
      }))
  }
}

describe("A suspension by the internals of Effect", () => {
  it("is what this version of Effect allows", () => {
    assert.isTrue(Suspension.tryOwnWay())
    assert.isTrue(Object.hasOwn(Suspension.prototype, "~effect/Effect/evaluate"))
  })
  describe("that is settled", () => behaves(Counted))
  describe("that hands values over", () => behaves(Handing))
})

describe("A suspension where fibers wait in another way", () => {
  it("goes the public way", () => {
    assert.isFalse(withOtherFibers(() => Suspension.tryOwnWay()))
    assert.isFalse(Object.hasOwn(Suspension.prototype, "~effect/Effect/evaluate"))
  })
  describe("that is settled", () => behaves(Counted))
  describe("that hands values over", () => behaves(Handing))
})
