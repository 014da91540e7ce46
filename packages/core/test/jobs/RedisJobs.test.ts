import { assert, describe, it } from "@effect/vitest"
import * as Client from "@redfx/testing/Client"
import * as FakeClient from "@redfx/testing/FakeClient"
import { bulk } from "@redfx/testing/FakeClient"
import { fork } from "@redfx/testing/Fork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as Scripts from "../../src/internal/jobs/scripts.ts"
import type { RedisClient } from "../../src/RedisClient.ts"
import { ResponseError } from "../../src/RedisError.ts"
import type { CommandError, RedisError } from "../../src/RedisError.ts"
import * as RedisJobs from "../../src/RedisJobs.ts"
import * as RedisLock from "../../src/RedisLock.ts"
import type * as Resp from "../../src/Resp.ts"

const jobs = RedisJobs.make("jobs", { payload: Schema.Int })
const unreachable = FakeClient.lost("not-sent")
const reset = FakeClient.lost("unknown")

/** What a script meets at its first write; that it runs code says that it may have written. */
const unsaved = new ResponseError({ code: "MISCONF", detail: "x", command: "EVALSHA", mayHaveWritten: true })

/**
 * A server with one job, which it gives once; `due` says in how many milliseconds the next is, one look after the other, and
 * `lost` what it is begun with in vain, and `untold` what an outcome is told with in vain.
 */
const fake = Effect.fnUntraced(function*(
  due: Array<number | CommandError>,
  attempt = 1,
  lost: Array<CommandError> = [],
  untold: Array<CommandError> = []
) {
  const clock = yield* Clock.Clock
  const looked: Array<number> = []
  const settled: Array<ReadonlyArray<string>> = []
  const begins: Array<string> = []
  let given = false
  const scripts: Record<string, (args: ReadonlyArray<string>) => Resp.Value | CommandError> = {
    [Scripts.promote.sha1]: () => {
      looked.push(clock.currentTimeMillisUnsafe())
      return due.shift() ?? -1
    },
    [Scripts.forget.sha1]: () => 0,
    [Scripts.begin.sha1]: (args) => {
      begins.push(args[9]!)
      return lost.shift() ?? [attempt, "7"]
    },
    [Scripts.settle.sha1]: (args) => {
      const [id = "", entry = "", group = "", by = "", ...outcome] = args.slice(6)
      assert.strictEqual(by, begins.at(-1))
      const error = untold.shift()
      if (error !== undefined) return error
      settled.push([id, entry, group, ...outcome])
      return 1
    }
  }
  const answer = (name: string, args: ReadonlyArray<string>): Resp.Value | CommandError | undefined => {
    if (name === "EVALSHA") return scripts[args[0]!]!(args)
    if (name === "XGROUP" || name === "XGROUP CREATE") return "OK"
    if (name === "XACK") return 0
    // Nothing was left by others, and what is here is renewed.
    if (name === "XPENDING" || name === "XCLAIM") return []
    if (name !== "XREADGROUP") throw new Error(`unexpected ${name}`)
    // Nothing is pending; then there is one, and no other.
    if (args.at(-1) !== ">") return null
    if (given) return undefined
    given = true
    return [[bulk("{jobs}:ready"), [[bulk("1-1"), [bulk("id"), bulk("a")]]]]]
  }
  const service = FakeClient.make((command) => {
    const found = answer(command.spec.name, FakeClient.wordsOf(command))
    return found === undefined ? Effect.never : Effect.succeed(found)
  }, { stats: Effect.never })
  const run = <A, E, R>(effect: Effect.Effect<A, E, R>, random = 0) =>
    effect.pipe(Client.on(service), FakeClient.withChance(random))
  return { begins, looked, settled, run }
})

describe("RedisJobs.make", () => {
  it.effect("says that it needs a schema, and where it goes, before a job is added or taken", () =>
    Effect.gen(function*() {
      const { run } = yield* fake([])
      for (const payload of [undefined, String]) {
        // What types do not allow comes from programs without types.
        const jobs = RedisJobs.make("jobs", { payload: payload as never })
        for (const used of [jobs.enqueue("a"), jobs.run({ worker: "w" }, () => Effect.void)]) {
          const error = yield* Effect.flip(run(Effect.asVoid<unknown, RedisError, RedisClient>(used)))
          assert.strictEqual(error._tag, "DataError")
          assert.match(
            error.message,
            /^RedisJobs\.\w+: payload is missing or is no schema; give one, such as \{ payload: /
          )
        }
      }
    }))
})

describe("RedisJobs.run", () => {
  it.effect("looks for what is due when it is, and otherwise every pollInterval", () =>
    Effect.gen(function*() {
      const { looked, run } = yield* fake([-1, 300, 0, 5000, -1])
      const fiber = yield* fork(run(jobs.run({ worker: "w" }, () => Effect.void)))
      yield* TestClock.adjust("3500 millis")
      assert.deepStrictEqual(looked, [0, 1000, 1300, 1300, 2300, 3300])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("goes on looking after an outage", () =>
    Effect.gen(function*() {
      const { looked, run } = yield* fake([unreachable, unreachable, -1])
      const fiber = yield* fork(run(jobs.run({ worker: "w" }, () => Effect.void)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(looked.length, 3)
      yield* Fiber.interrupt(fiber)
    }))

  for (
    const [attempt, random, options, expected] of [
      [1, 0, {}, ["later", "1000"]],
      [4, 0, {}, ["later", "8000"]],
      [4, 1, {}, ["later", "10000"]],
      [9, 0, {}, ["later", "256000"]],
      [30, 0, { maxAttempts: 40 }, ["later", "3600000"]],
      [10, 0, {}, ["dead", "no"]],
      [11, 0, {}, ["dead", "its worker did not finish"]],
      [2, 0, { backoff: (attempt: number) => attempt * 10 }, ["later", "20"]],
      [2, 0, { backoff: () => undefined }, ["dead", "no"]],
      [2, 0, { backoff: () => Infinity }, ["dead", "no"]]
    ] as const
  ) {
    it.effect(`attempt ${attempt} that fails: ${expected.join(", ")}`, () =>
      Effect.gen(function*() {
        const { run, settled } = yield* fake([], attempt)
        const fiber = yield* fork(run(jobs.run({ worker: "w", ...options }, () => Effect.fail("no")), random))
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(settled, [["a", "1-1", "workers", ...expected]])
        yield* Fiber.interrupt(fiber)
      }))
  }

  it.effect("a job that could not be begun is begun again soon, by the same begin, which the server counts once", () =>
    Effect.gen(function*() {
      for (const error of [unreachable, reset]) {
        const { begins, run, settled } = yield* fake([], 1, [error])
        const fiber = yield* fork(run(jobs.run({ worker: "w", maxAttempts: 1 }, () => Effect.void)))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(begins.length, 2)
        assert.strictEqual(new Set(begins).size, 1)
        assert.deepStrictEqual(settled, [["a", "1-1", "workers", "done", ""]])
        yield* Fiber.interrupt(fiber)
      }
    }))

  it.effect("what a server refuses to begin for a while is begun later, and counts from then on", () =>
    Effect.gen(function*() {
      const { run, settled } = yield* fake([unsaved, unsaved, -1], 2, [unsaved, unsaved])
      const fiber = yield* fork(run(jobs.run({ worker: "w", maxAttempts: 2 }, () => Effect.fail("no"))))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(settled, [["a", "1-1", "workers", "dead", "no"]])
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("an outcome is told when the server is back, however long that takes, and the job is done once", () =>
    Effect.gen(function*() {
      const untold = Array.from({ length: 60 }, () => reset)
      const { begins, run, settled } = yield* fake([], 1, [], untold)
      let done = 0
      const handler = () => Effect.sync(() => done++)
      const fiber = yield* fork(run(jobs.run({ worker: "w" }, handler)))
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(untold, [])
      assert.deepStrictEqual(settled, [["a", "1-1", "workers", "done", ""]])
      assert.strictEqual(begins.length, 1)
      assert.strictEqual(done, 1)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a worker that ends while the server is away gives up telling an outcome after half a minute", () =>
    Effect.gen(function*() {
      const { run } = yield* fake([], 1, [], Array.from({ length: 1000 }, () => reset))
      const fiber = yield* fork(run(jobs.run({ worker: "w" }, () => Effect.void)))
      yield* TestClock.adjust("10 seconds")
      const ending = yield* fork(Fiber.interrupt(fiber))
      yield* TestClock.adjust("15 seconds")
      assert.isUndefined(ending.pollUnsafe())
      yield* TestClock.adjust("10 seconds")
      assert.isDefined(ending.pollUnsafe())
    }))

  it.effect("a failure of any kind is the reason of the dead letter", () =>
    Effect.gen(function*() {
      for (
        const [failure, reason] of [
          ["text", "text"],
          [new TypeError("bug"), "TypeError: bug"],
          [{ code: 7 }, "{\"code\":7}"],
          [Object.create(null), "{}"],
          [undefined, "undefined"],
          [new Error("cut within 🎉".slice(0, -1)), "Error: cut within \ufffd"]
        ]
      ) {
        const { run, settled } = yield* fake([])
        const fiber = yield* fork(run(jobs.run({ worker: "w", maxAttempts: 1 }, () => Effect.fail(failure))))
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(settled, [["a", "1-1", "workers", "dead", reason]])
        yield* Fiber.interrupt(fiber)
      }
    }))

  it.effect.each([5000, "1 hour", { jobId: "1" }, { delay: "1 second", jobId: "1" }] as const)(
    "options of another kind, %j, are refused",
    (options) =>
      Effect.gen(function*() {
        const { run } = yield* fake([])
        // What a program without types may give.
        const error = yield* Effect.flip(run(jobs.enqueue(1, options as unknown as RedisJobs.EnqueueOptions)))
        assert.deepInclude(error, { _tag: "DataError", command: "RedisJobs.enqueue" })
        assert.include(error.message, `such as { delay: "1 hour" }`)
      })
  )

  it.effect("options that are null are refused", () =>
    Effect.gen(function*() {
      const { run } = yield* fake([])
      // What a program without types may give.
      const error = yield* Effect.flip(run(jobs.enqueue(1, null as unknown as RedisJobs.EnqueueOptions)))
      assert.deepInclude(error, { _tag: "DataError", command: "RedisJobs.enqueue" })
    }))

  it.effect("what a handler has acquired and forked in its scope ends before the job counts as done", () =>
    Effect.gen(function*() {
      const { run, settled } = yield* fake([])
      const log: Array<string> = []
      const note = (what: string) => Effect.sync(() => log.push(`${what}, ${settled.length} settled`))
      const worker = jobs.run({ worker: "w" }, () =>
        Effect.andThen(
          Effect.acquireRelease(note("acquired"), () => note("released")),
          Effect.forkScoped(Effect.onInterrupt(Effect.never, () => note("child ends")), { startImmediately: true })
        ))
      const fiber = yield* fork(run(worker))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(log, ["acquired, 0 settled", "child ends, 0 settled", "released, 0 settled"])
      assert.lengthOf(settled, 1)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a handler that returns no Effect ends the worker, and the job is not settled", () =>
    Effect.gen(function*() {
      const { run, settled } = yield* fake([])
      // What a program without types may give.
      const handler = () => Promise.resolve() as unknown as Effect.Effect<void>
      const fiber = yield* fork(run(jobs.run({ worker: "w" }, handler)))
      yield* TestClock.adjust(10)
      const exit = fiber.pollUnsafe()
      assert.deepInclude(exit !== undefined && (yield* Effect.flip(exit)), { _tag: "DataError" })
      assert.deepStrictEqual(settled, [])
    }))

  it.effect("what is no Effect within a handler's own effect is a failure of the job, and of no other", () =>
    Effect.gen(function*() {
      const { run, settled } = yield* fake([])
      const promise = Promise.resolve() as unknown as Effect.Effect<void>
      const handler = () => RedisLock.make("l").withLock(promise)
      const fiber = yield* fork(run(jobs.run({ worker: "w", maxAttempts: 1 }, handler)))
      yield* TestClock.adjust(10)
      assert.isUndefined(fiber.pollUnsafe())
      const [[, , , to, reason] = []] = settled
      assert.strictEqual(to, "dead")
      assert.match(String(reason), /RedisLock\.withLock: what is to run is no Effect/)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a worker without a name, as a program without types may start it, is told that it needs one", () =>
    Effect.gen(function*() {
      const { run } = yield* fake([])
      const error = yield* Effect.flip(run(jobs.run({} as never, () => Effect.void)))
      assert.match(String(error), /RedisJobs\.run: worker is missing; give its name/)
    }))
})
