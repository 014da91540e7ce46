import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisJobs } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { freshKey, until } from "../Suite.ts"

const Payload = Schema.Struct({ n: Schema.Int, when: Schema.Date })
const when = new Date("2026-01-02T03:04:05.678Z")
const quick: Pick<RedisJobs.WorkerOptions, "pollInterval" | "backoff"> = {
  pollInterval: "10 millis",
  backoff: () => "10 millis"
}

/** A test whose counts are never those expected fails by its time limit. */
const untilCounts = <A>(jobs: RedisJobs.RedisJobs<A>, expected: Partial<RedisJobs.Counts>) =>
  until(jobs.counts, Equal.equals({ ready: 0, running: 0, delayed: 0, dead: 0, ...expected }))

/** What is stored of jobs that are over. */
const keysLeft = (name: string) => Effect.all({ ready: Redis.xlen(`${name}:ready`), jobs: Redis.hlen(`${name}:jobs`) })

/** Queues of jobs, on whatever Layer is given. */
export const JobsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Jobs", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("are handled with what was given, and leave nothing behind", () =>
        Effect.gen(function*() {
          const name = freshKey("jobs")
          const jobs = RedisJobs.make(name, { payload: Payload })
          const handled = yield* Queue.unbounded<RedisJobs.Job<typeof Payload.Type>>()
          const first = yield* jobs.enqueue({ n: 1, when })
          const worker = yield* Effect.forkChild(
            jobs.run({ ...quick, worker: "w" }, (job) => Queue.offer(handled, job))
          )
          assert.deepStrictEqual(yield* Queue.take(handled), { id: first!, payload: { n: 1, when }, attempt: 1 })
          yield* jobs.enqueue({ n: 2, when }, { id: "two" })
          assert.deepInclude(yield* Queue.take(handled), { id: "two", attempt: 1 })
          yield* untilCounts(jobs, {})
          assert.deepStrictEqual(yield* keysLeft(name), { ready: 0, jobs: 0 })
          yield* Fiber.interrupt(worker)
        }))

      it.effect("wait for their time, each for its own", () =>
        Effect.gen(function*() {
          const jobs = RedisJobs.make(freshKey("jobs"), { payload: Schema.String })
          const handled = yield* Queue.unbounded<readonly [string, number]>()
          const startedAt = performance.now()
          const now = Date.now()
          yield* jobs.enqueue("later", { delay: "300 millis" })
          yield* jobs.enqueue("never", { at: new Date(now + 3_600_000), id: "never" })
          yield* jobs.enqueue("past", { at: 0 })
          // A time, as it does not matter how long the jobs before took to be stored. It may be over by now.
          yield* jobs.enqueue("sooner", { at: new Date(now + 100) })
          const worker = yield* Effect.forkChild(
            jobs.run({ ...quick, worker: "w" }, ({ payload }) =>
              Queue.offer(handled, [payload, performance.now() - startedAt]))
          )
          const found = yield* Queue.takeN(handled, 3)
          assert.deepStrictEqual(
            found.map(([payload]) =>
              payload
            ),
            ["past", "sooner", "later"]
          )
          assert.isAtLeast(found[1]![1], 99)
          assert.isAtLeast(found[2]![1], 299)
          const { attempts, dueIn } = (yield* jobs.status("never"))!
          assert.strictEqual(attempts, 0)
          assert.approximately(Duration.toMinutes(dueIn!), 60, 0.5)
          yield* untilCounts(jobs, { delayed: 1 })
          yield* Fiber.interrupt(worker)
        }))

      it.effect("are tried again after a pause, and are dead letters in the end", () =>
        Effect.gen(function*() {
          const jobs = RedisJobs.make(freshKey("jobs"), { payload: Schema.String })
          const attempts = yield* Queue.unbounded<readonly [string, number]>()
          const options = {
            ...quick,
            worker: "w",
            concurrency: 5,
            maxAttempts: 3,
            backoff: (attempt: number, cause: Cause.Cause<string>) =>
              String(Cause.squash(cause)).includes("hopeless") ? undefined : attempt * 20
          }
          yield* jobs.enqueue("fails", { id: "a" })
          yield* jobs.enqueue("hopeless", { id: "b" })
          yield* jobs.enqueue("second", { id: "c" })
          const worker = yield* Effect.forkChild(jobs.run(options, ({ attempt, payload }) =>
            Effect.andThen(
              Queue.offer(attempts, [payload, attempt]),
              payload === "second" && attempt === 2
                ? Effect.void
                : payload === "hopeless"
                ? Effect.die(new Error(`${payload} ${attempt}`))
                : Effect.fail(`${payload} ${attempt}`)
            )))
          yield* untilCounts(jobs, { dead: 2 })
          const seen = (yield* Queue.takeN(attempts, 6)).map(([payload, attempt]) => `${payload} ${attempt}`)
          assert.sameMembers(seen, ["fails 1", "fails 2", "fails 3", "hopeless 1", "second 1", "second 2"])
          const letters = yield* jobs.deadLetters()
          assert.sameDeepMembers(letters.map(({ letter: _, ...rest }) => rest), [
            { id: "a", payload: "\"fails\"", attempts: 3, reason: "fails 3" },
            { id: "b", payload: "\"hopeless\"", attempts: 1, reason: "Error: hopeless 1" }
          ])
          const [letter] = letters
          assert.isTrue(yield* jobs.revive(letter!.letter))
          assert.isFalse(yield* jobs.revive(letter!.letter))
          yield* untilCounts(jobs, { dead: 2 })
          yield* Fiber.interrupt(worker)
        }))

      it.effect("all that were given up are read in pages, also while they are revived", () =>
        Effect.gen(function*() {
          const jobs = RedisJobs.make(freshKey("jobs"), { payload: Schema.Int })
          const ids = Array.from({ length: 103 }, (_, n) => `job-${n}`)
          yield* Effect.forEach(ids, (id, n) => jobs.enqueue(n, { id }), { concurrency: "unbounded" })
          const worker = yield* Effect.forkChild(
            jobs.run({ ...quick, worker: "w", concurrency: 50, maxAttempts: 1 }, () => Effect.fail("no"))
          )
          yield* untilCounts(jobs, { dead: 103 })
          yield* Fiber.interrupt(worker)
          const letters = yield* Stream.runCollect(jobs.deadLettersStream)
          assert.deepStrictEqual(letters, yield* jobs.deadLetters(1000))
          assert.deepStrictEqual(letters.map(({ id }) => id).sort(), ids.sort())
          // Each fails again before the next is looked at, and is then the newest.
          const again = yield* Effect.forkChild(
            jobs.run({ ...quick, worker: "w", maxAttempts: 1 }, () => Effect.fail("again"))
          )
          let revived = 0
          yield* Stream.runForEach(jobs.deadLettersStream, ({ letter }) =>
            Effect.gen(function*() {
              assert.isTrue(yield* jobs.revive(letter))
              revived++
              yield* untilCounts(jobs, { dead: 103 })
            }))
          assert.strictEqual(revived, 103)
          assert.deepStrictEqual(
            new Set((yield* jobs.deadLetters(1000)).map(({ reason }) => reason)),
            new Set(["again"])
          )
          yield* Fiber.interrupt(again)
          assert.deepStrictEqual(
            yield* Stream.runCollect(RedisJobs.make(freshKey("none"), { payload: Schema.Int }).deadLettersStream),
            []
          )
        }))

      it.effect("of one id there is one, until it is done or cancelled", () =>
        Effect.gen(function*() {
          const name = freshKey("jobs")
          const jobs = RedisJobs.make(name, { payload: Schema.String })
          assert.strictEqual(yield* jobs.enqueue("x", { id: "a", delay: "1 hour" }), "a")
          assert.isUndefined(yield* jobs.enqueue("x", { id: "a" }))
          assert.isTrue(yield* jobs.cancel("a"))
          assert.isFalse(yield* jobs.cancel("a"))
          assert.isUndefined(yield* jobs.status("a"))
          assert.strictEqual(yield* jobs.enqueue("x", { id: "a" }), "a")
          assert.deepStrictEqual(yield* jobs.status("a"), { attempts: 0, dueIn: undefined })
          assert.isTrue(yield* jobs.cancel("a"))
          assert.deepStrictEqual(yield* keysLeft(name), { ready: 0, jobs: 0 })
        }))

      it.effect("a job that is cancelled while it runs is not tried again", () =>
        Effect.gen(function*() {
          const name = freshKey("jobs")
          const jobs = RedisJobs.make(name, { payload: Schema.String })
          const begun = yield* Queue.unbounded<string>()
          const gate = yield* Queue.unbounded<string>()
          yield* jobs.enqueue("x", { id: "a" })
          const worker = yield* Effect.forkChild(jobs.run({ ...quick, worker: "w" }, ({ id }) =>
            Effect.andThen(Queue.offer(begun, id), Effect.flatMap(Queue.take(gate), Effect.fail))))
          yield* Queue.take(begun)
          yield* untilCounts(jobs, { running: 1 })
          assert.isTrue(yield* jobs.cancel("a"))
          yield* Queue.offer(gate, "fails")
          yield* untilCounts(jobs, {})
          assert.deepStrictEqual(yield* keysLeft(name), { ready: 0, jobs: 0 })
          yield* Fiber.interrupt(worker)
        }))

      it.effect("a job whose worker died is begun by another, and is given up when it kills each", () =>
        Effect.gen(function*() {
          const jobs = RedisJobs.make(freshKey("jobs"), { payload: Schema.String })
          const begun = yield* Queue.unbounded<number>()
          yield* jobs.enqueue("x", { id: "a" })
          for (let attempt = 1; attempt <= 2; attempt++) {
            const doomed = yield* Effect.forkChild(
              jobs.run(
                { ...quick, worker: `doomed-${attempt}`, claimIdle: "50 millis", drain: 0 },
                (job) => Effect.andThen(Queue.offer(begun, job.attempt), Effect.never)
              )
            )
            assert.strictEqual(yield* Queue.take(begun), attempt)
            yield* Fiber.interrupt(doomed)
          }
          const worker = yield* Effect.forkChild(
            jobs.run({ ...quick, worker: "w", claimIdle: "50 millis", maxAttempts: 2 }, () => Effect.die("not begun"))
          )
          yield* untilCounts(jobs, { dead: 1 })
          assert.deepInclude((yield* jobs.deadLetters())[0], { id: "a", reason: "its worker did not finish" })
          yield* Fiber.interrupt(worker)
        }))

      it.effect("what an attempt comes to that was overtaken counts for nothing", () =>
        Effect.gen(function*() {
          const name = freshKey("jobs")
          const jobs = RedisJobs.make(name, { payload: Schema.String })
          const begun = yield* Queue.unbounded<number>()
          const gates = [yield* Queue.unbounded<string>(), yield* Queue.unbounded<string>()] as const
          yield* jobs.enqueue("x", { id: "a" })
          // Its worker renews nothing: what a process does that stood still.
          const slow = yield* Effect.forkChild(
            jobs.run({ ...quick, worker: "slow", claimIdle: "1 hour" }, ({ attempt }) =>
              Effect.andThen(Queue.offer(begun, attempt), Queue.take(gates[0])))
          )
          assert.strictEqual(yield* Queue.take(begun), 1)
          yield* Effect.sleep(60)
          const fast = yield* Effect.forkChild(
            jobs.run({ ...quick, worker: "fast", claimIdle: "50 millis" }, ({ attempt }) =>
              Effect.andThen(Queue.offer(begun, attempt), Queue.take(gates[1])))
          )
          assert.strictEqual(yield* Queue.take(begun), 2)
          yield* Queue.offer(gates[0], "late")
          yield* Effect.sleep(50)
          // It is with the other still, which would lose it if it died now.
          assert.deepStrictEqual(yield* jobs.counts, { ready: 0, running: 1, delayed: 0, dead: 0 })
          assert.strictEqual((yield* jobs.status("a"))?.attempts, 2)
          yield* Queue.offer(gates[1], "done")
          yield* untilCounts(jobs, {})
          yield* Fiber.interruptAll([slow, fast])
        }))

      it.effect("several workers share what is due, and nothing is done twice", () =>
        Effect.gen(function*() {
          const jobs = RedisJobs.make(freshKey("jobs"), { payload: Schema.Int })
          const handled = yield* Queue.unbounded<number>()
          const all = Array.from({ length: 300 }, (_, n) => n)
          yield* Effect.forEach(all, (n) => jobs.enqueue(n, { delay: Duration.millis(n % 3 * 20) }), {
            concurrency: "unbounded"
          })
          const workers = yield* Effect.forEach([1, 2, 3], (worker) =>
            Effect.forkChild(jobs.run({ ...quick, worker: `w${worker}`, concurrency: 5 }, ({ payload }) =>
              Queue.offer(handled, payload))))
          yield* untilCounts(jobs, {})
          const found = yield* Queue.takeAll(handled)
          assert.deepStrictEqual(
            [...found].sort((a, b) =>
              a - b
            ),
            all
          )
          yield* Fiber.interruptAll(workers)
        }))

      it.effect("what does not fit is refused, or a dead letter at once", () =>
        Effect.gen(function*() {
          const name = freshKey("jobs")
          const jobs = RedisJobs.make(name, { payload: Schema.Int })
          assert.strictEqual((yield* Effect.flip(jobs.enqueue(1.5)))._tag, "DataError")
          assert.strictEqual((yield* Effect.flip(jobs.enqueue(1, { delay: Duration.infinity })))._tag, "DataError")
          for (const delay of [Duration.days(1e15), Duration.days(1e300)]) {
            assert.strictEqual((yield* Effect.flip(jobs.enqueue(1, { delay })))._tag, "DataError")
          }
          const misnamed = RedisJobs.make("a}b", { payload: Schema.Int })
          const wrong = [
            misnamed.enqueue(1),
            misnamed.counts,
            misnamed.deadLetters(),
            misnamed.run({ worker: "w" }, () => Effect.void),
            jobs.run({ worker: "w", maxAttempts: 0 }, () => Effect.void),
            jobs.run({ worker: "w", pollInterval: 0 }, () => Effect.void),
            jobs.run({ worker: "w", claimIdle: 0 }, () => Effect.void)
          ]
          for (const effect of wrong) {
            assert.deepInclude(yield* Effect.flip(Effect.asVoid<unknown, unknown, RedisClient.RedisClient>(effect)), {
              _tag: "DataError"
            })
          }
          yield* RedisJobs.make(name, { payload: Schema.String }).enqueue("text")
          const worker = yield* Effect.forkChild(jobs.run({ ...quick, worker: "w" }, () => Effect.die("not begun")))
          yield* untilCounts(jobs, { dead: 1 })
          assert.deepInclude((yield* jobs.deadLetters())[0], { payload: "\"text\"", attempts: 1 })
          yield* Fiber.interrupt(worker)
        }))
    })
  })
}
