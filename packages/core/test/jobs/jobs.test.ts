/**
 * Jobs on real servers that are short of memory, refuse commands, or come back empty: none is lost.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisArg, RedisClient, RedisJobs } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeClient from "@redfx/testing/FakeClient"
import * as Logged from "@redfx/testing/Logged"
import { freshKey, until } from "@redfx/testing/Suite"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scripts from "../../src/internal/jobs/scripts.ts"

const quick = { pollInterval: "10 millis", claimIdle: "50 millis", backoff: () => 1 } as const

const queue = () => RedisJobs.make(freshKey("jobs"), { payload: Schema.String })

/** A worker that is at the job "a" until `gate` opens, and then handles others. `lines`: what it logs. */
const atJob = Effect.fnUntraced(function*(jobs: ReturnType<typeof queue>) {
  const { capture, lines } = Logged.make()
  const gate = yield* Deferred.make<void>()
  const handled = yield* Queue.unbounded<string>()
  const worker = yield* jobs.run(
    { ...quick, claimIdle: "1 hour", worker: "one" },
    ({ id }) => Effect.andThen(Queue.offer(handled, id), Deferred.await(gate))
  ).pipe(capture, Effect.forkChild)
  yield* jobs.enqueue("a", { id: "a" })
  assert.strictEqual(yield* Queue.take(handled), "a")
  return { gate, handled, lines, worker }
})

const runs = (command: RedisCommand.RedisCommand<unknown, unknown, unknown>, { sha1 }: { readonly sha1: string }) =>
  command.parts.some((part) => RedisArg.wireValue(part) === sha1)

/** What a script or a worker of jobs may send that changes something. */
const writes = ["xadd", "xack", "xdel", "hset", "hdel", "zadd", "zrem", "xclaim"]

describe("Jobs", () => {
  layer(Client.live(3), { excludeTestServices: true })((it) => {
    it.effect.each(writes)("are not lost by a worker without the right to %s", (command) =>
      Effect.gen(function*() {
        const jobs = queue()
        const password = Redacted.make("secret")
        yield* Redis.send("ACL", "SETUSER", "limited", "reset", "on", ">secret", "~*", "+@all", `-${command}`)
        const { host, port } = yield* RedisServer.RedisServer
        const limited = yield* Client.make({ host, port }, { username: "limited", password })
        const handled = yield* Queue.unbounded<string>()
        const handler = ({ payload }: RedisJobs.Job<string>) =>
          Effect.andThen(
            Queue.offer(handled, payload),
            payload === "fails" ? Effect.fail("no") : Effect.void
          )
        const run = (worker: string) => jobs.run({ ...quick, worker, maxAttempts: 2 }, handler)
        yield* jobs.enqueue("delayed", { id: "delayed", delay: "1 millis" })
        yield* jobs.enqueue("ready", { id: "ready" })
        yield* jobs.enqueue("fails", { id: "fails" })
        yield* Client.on(limited)(run("limited")).pipe(Effect.timeoutOption("150 millis"), Effect.ignore)
        const worker = yield* Effect.forkChild(run("free"))
        yield* until(jobs.counts, ({ delayed, ready, running }) => delayed + ready + running === 0)
        assert.includeMembers(yield* Queue.takeAll(handled), ["delayed", "ready", "fails"])
        assert.include((yield* jobs.deadLetters()).map(({ id }) => id), "fails")
        yield* Fiber.interrupt(worker)
      }))

    it.effect("a worker that starts forgets those that are gone, but none that has a job", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const ready = `${jobs.name}:ready`
        const workers = Redis.xinfoConsumers(ready, "workers")
        const named = Effect.map(workers, (list) => list.map(({ name }) => name).sort())
        const idle = until(workers, (list) => list.every(({ idle }) => Duration.toMillis(idle) >= 50))
        const handled = yield* Queue.unbounded<string>()
        const start = (worker: string) =>
          Effect.forkChild(jobs.run({ ...quick, worker }, ({ payload }) => Queue.offer(handled, payload)))
        for (const worker of ["first", "second"]) {
          yield* jobs.enqueue(worker)
          const fiber = yield* start(worker)
          assert.strictEqual(yield* Queue.take(handled), worker)
          yield* until(jobs.counts, ({ running }) => running === 0)
          yield* Fiber.interrupt(fiber)
          // Until the server knows that nobody waits any more, it would give the next job to that worker.
          yield* until(Redis.info("clients"), ({ blockedClients }) => blockedClients === 0)
        }
        yield* jobs.enqueue("held")
        yield* Redis.xreadgroup("workers", "busy", { [ready]: ">" })
        yield* idle
        yield* Scripts.forget(jobs.name, 50)
        assert.deepStrictEqual(yield* named, ["busy"])

        // The one that had a job is forgotten when that is taken over.
        const third = yield* start("third")
        assert.strictEqual(yield* Queue.take(handled), "held")
        yield* until(jobs.counts, ({ running }) => running === 0)
        yield* Fiber.interrupt(third)
        yield* idle
        const fourth = yield* start("fourth")
        yield* until(named, (names) => !names.includes("busy") && !names.includes("third"))
        yield* Fiber.interrupt(fourth)
      }))

    it.effect("are done, tried again and given up while the server has no memory for new ones", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const attempts: Array<string> = []
        yield* jobs.enqueue("delayed", { delay: "1 millis" })
        yield* jobs.enqueue("ready")
        yield* jobs.enqueue("fails", { id: "fails" })
        // The group can only be made while there is memory.
        yield* Redis.xgroupCreate(`${jobs.name}:ready`, "workers", "0")
        yield* Redis.configSet({ "maxmemory": "1" })
        // Redis 6 says it in the text of a script's error.
        assert.match((yield* Effect.flip(jobs.enqueue("new", { id: "new" }))).message, /used memory/)
        assert.isUndefined(yield* jobs.status("new"))
        const worker = yield* Effect.forkChild(
          jobs.run({ ...quick, worker: "w", maxAttempts: 2 }, ({ attempt, payload }) =>
            Effect.andThen(
              Effect.sync(() => attempts.push(`${payload} ${attempt}`)),
              payload === "fails" ? Effect.fail("no") : Effect.void
            ))
        )
        yield* until(jobs.counts, ({ delayed, ready, running }) => delayed + ready + running === 0)
        assert.sameMembers(attempts, ["delayed 1", "ready 1", "fails 1", "fails 2"])
        assert.deepStrictEqual((yield* jobs.deadLetters()).map(({ id, reason }) => [id, reason]), [["fails", "no"]])
        yield* Fiber.interrupt(worker)
      }).pipe(Effect.ensuring(Effect.orDie(Redis.configSet({ "maxmemory": "0" })))))

    it.effect("have all their attempts where the answer to a begin was lost", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const client = yield* RedisClient.RedisClient
        let lost = 0
        const execute: typeof client.execute = (command) =>
          Effect.tap(client.execute(command), () =>
            runs(command, Scripts.begin) && lost++ < 2
              ? Effect.fail(FakeClient.lost("unknown"))
              : Effect.void)
        const attempts = yield* Queue.unbounded<number>()
        yield* jobs.enqueue("fails")
        const worker = yield* Effect.forkChild(
          Client.on({ ...client, execute })(
            jobs.run({ ...quick, claimIdle: "1 minute", worker: "w", maxAttempts: 2 }, ({ attempt }) =>
              Effect.andThen(Queue.offer(attempts, attempt), Effect.fail(`no ${attempt}`)))
          )
        )
        yield* until(jobs.counts, ({ dead }) =>
          dead === 1)
        assert.deepStrictEqual(yield* Queue.takeAll(attempts), [1, 2])
        assert.deepInclude((yield* jobs.deadLetters())[0], { attempts: 2, reason: "no 2" })
        yield* Fiber.interrupt(worker)
      }))

    it.effect("are not ended, behind a failover that lost the begin, by one whom another has followed", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const ready = `${jobs.name}:ready`
        yield* jobs.enqueue("x", { id: "a" })
        yield* Redis.xgroupCreate(ready, "workers", "0")
        const [entry] = yield* Redis.xrange(ready, "-", "+")
        const before = yield* Redis.hget(`${jobs.name}:jobs`, "a")
        const begin = (by: string) => Scripts.begin(jobs.name, "a", entry!.id, by)
        assert.deepStrictEqual(yield* begin("first"), [1, "\"x\""])
        // What the server that takes over has not heard of.
        yield* Redis.hset(`${jobs.name}:jobs`, { a: before! })
        assert.deepStrictEqual(yield* begin("second"), [1, "\"x\""])
        const settle = (by: string) => Scripts.settle(jobs.name, "a", entry!.id, by, { to: "done" })
        assert.strictEqual(yield* settle("first"), "overtaken")
        assert.deepInclude(yield* jobs.status("a"), { attempts: 1 })
        // Where nobody is at it, what was done counts.
        yield* Redis.hset(`${jobs.name}:jobs`, { a: before! })
        assert.strictEqual(yield* settle("first"), "settled")
        assert.strictEqual(yield* settle("first"), "gone")
        assert.isUndefined(yield* jobs.status("a"))
      }))

    it.effect("that another worker has taken over and done are told of, and not those whose answer was lost", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const ready = `${jobs.name}:ready`
        const { capture, lines } = Logged.make()
        const client = yield* RedisClient.RedisClient
        let lost = 0
        const losing = RedisClient.decorated(client, (client) => ({
          execute: (command) =>
            runs(command, Scripts.settle)
              ? Effect.tap(client.execute(command), () =>
                lost++ === 1
                  ? Effect.fail(FakeClient.lost("unknown"))
                  : Effect.void)
              : client.execute(command)
        }))
        const gate = yield* Deferred.make<void>()
        const handled = yield* Queue.unbounded<string>()
        const worker = yield* jobs.run(
          { ...quick, claimIdle: "1 hour", worker: "slow" },
          ({ payload }) =>
            Effect.andThen(
              Queue.offer(handled, payload),
              Deferred.await(gate)
            )
        ).pipe(
          Client.on(losing),
          capture,
          Effect.forkChild
        )
        yield* jobs.enqueue("first", { id: "a" })
        assert.strictEqual(yield* Queue.take(handled), "first")
        const [entry] = yield* Redis.xrange(ready, "-", "+")
        assert.deepStrictEqual(yield* Scripts.begin(jobs.name, "a", entry!.id, "other"), [2, "\"first\""])
        assert.strictEqual(yield* Scripts.settle(jobs.name, "a", entry!.id, "other", { to: "done" }), "settled")
        yield* jobs.enqueue("second")
        yield* jobs.enqueue("third")
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Queue.take(handled), "second")
        assert.strictEqual(yield* Queue.take(handled), "third")
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], `attempt 1 of job a took too long, and was taken over`)
        yield* Fiber.interrupt(worker)
      }))

    it.effect("that are cancelled while a worker is at them are not said to be taken over", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const ready = `${jobs.name}:ready`
        const { gate, handled, lines, worker } = yield* atJob(jobs)
        const { messageId } = (yield* Redis.xpendingRange(ready, "workers", "-", "+", 1))[0]!
        assert.isTrue(yield* jobs.cancel("a"))
        assert.deepInclude(yield* jobs.counts, { ready: 0, running: 1 })
        // So workers keep others from taking over what they are at.
        yield* Redis.xclaimJustid(ready, "workers", "one", 0, [messageId])
        yield* jobs.enqueue("b", { id: "b" })
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Queue.take(handled), "b")
        yield* until(jobs.counts, ({ ready, running }) => ready + running === 0)
        assert.deepStrictEqual(lines, [])
        assert.strictEqual(yield* Redis.xlen(ready), 0)
        yield* Fiber.interrupt(worker)
      }))

    it.effect("whose queue is deleted while a worker is at them are said to be that, or to be taken over", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const { gate, lines, worker } = yield* atJob(jobs)
        yield* Redis.del(["ready", "jobs", "delayed", "dead"].map((suffix) => `${jobs.name}:${suffix}`))
        yield* Deferred.succeed(gate, undefined)
        yield* until(Effect.sync(() => lines.join()), (lines) => lines.includes("attempt 1 of job a"))
        assert.include(lines.join(), "taken over and ended, or its queue was deleted meanwhile")
        yield* Fiber.interrupt(worker)
      }))

    it.effect("are done again, or tried again, behind a failover that lost what they came to", () =>
      Effect.gen(function*() {
        for (const outcome of [Effect.void, Effect.fail("no")]) {
          const jobs = queue()
          const keys = [`${jobs.name}:ready`, `${jobs.name}:jobs`]
          const client = yield* RedisClient.RedisClient
          const on = Client.on(client)
          let lost = 0
          // The server that takes over has heard of nothing since the job was begun.
          const execute: typeof client.execute = (command) =>
            !runs(command, Scripts.settle) || lost++ > 0 ? client.execute(command) : on(Effect.gen(function*() {
              const before = yield* Effect.forEach(keys, (key) => Redis.dump(key))
              const settled = yield* client.execute(command)
              yield* Effect.orDie(Redis.transaction([
                Redis.del(`${jobs.name}:delayed`),
                ...keys.map((key, index) => Redis.restore(key, 0, before[index]!, { replace: true }))
              ]))
              return settled
            }))
          const attempts: Array<number> = []
          yield* jobs.enqueue("x", { id: "a" })
          const worker = yield* Effect.forkChild(
            Client.on({ ...client, execute })(
              jobs.run(
                { ...quick, worker: "w" },
                ({ attempt }) => Effect.suspend(() => attempts.push(attempt) === 1 ? outcome : Effect.void)
              )
            )
          )
          // It is gone for a moment before it comes back.
          yield* until(jobs.status("a"), (status) => status === undefined && attempts.length > 1)
          assert.deepStrictEqual(attempts, [1, 2])
          assert.deepStrictEqual(yield* jobs.counts, { ready: 0, running: 0, delayed: 0, dead: 0 })
          yield* Fiber.interrupt(worker)
        }
      }))

    // As they were written before there were begins.
    it.effect.each(["mail", "a b c", ":x y", "", "a\nb c"].map((text) => JSON.stringify(text)))(
      "of an older version have their payload: %j",
      (payload) =>
        Effect.gen(function*() {
          const jobs = queue()
          const [ready, hash, delayed] = [`${jobs.name}:ready`, `${jobs.name}:jobs`, `${jobs.name}:delayed`]
          const entry = yield* Redis.xadd(ready, { id: "begun" })
          yield* Redis.hset(hash, { begun: `1 ${entry} ${payload}`, due: `0 - ${payload}`, gone: `3 - ${payload}` })
          yield* Redis.zadd(delayed, { due: 1, gone: 1e15 })
          assert.deepInclude(yield* jobs.status("begun"), { attempts: 1 })
          assert.deepInclude(yield* jobs.status("gone"), { attempts: 3 })
          assert.isTrue(yield* jobs.cancel("gone"))
          const seen: Array<readonly [string, number, string]> = []
          const worker = yield* Effect.forkChild(
            jobs.run({ ...quick, worker: "w", maxAttempts: 3 }, ({ attempt, id, payload }) =>
              Effect.andThen(
                Effect.sync(() => seen.push([id, attempt, payload])),
                Effect.fail("no")
              ))
          )
          yield* until(jobs.counts, ({ dead }) => dead === 2)
          const text: string = JSON.parse(payload)
          assert.sameDeepMembers(seen, [
            ["begun", 2, text],
            ["begun", 3, text],
            ["due", 1, text],
            ["due", 2, text],
            ["due", 3, text]
          ])
          assert.strictEqual(yield* Redis.hlen(hash), 0)
          yield* Fiber.interrupt(worker)
        })
    )

    it.effect("are done whatever another program has made up beside them", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const [ready, hash, delayed] = [`${jobs.name}:ready`, `${jobs.name}:jobs`, `${jobs.name}:delayed`]
        yield* Redis.xadd(ready, { name: "x" })
        yield* Redis.zadd(delayed, { nobody: 1, never: Infinity, always: -Infinity })
        yield* Redis.hset(hash, { made: "x", never: `0 - "never"` })
        assert.isUndefined(yield* jobs.status("made"))
        assert.strictEqual(yield* jobs.enqueue("made", { id: "made" }), "made")
        assert.isUndefined(yield* jobs.enqueue("made", { id: "made" }))
        assert.isAbove(Duration.toMillis((yield* jobs.status("never"))?.dueIn ?? 0), 1e15)
        const handled = yield* Queue.unbounded<string>()
        const worker = yield* Effect.forkChild(
          jobs.run({ ...quick, worker: "w" }, ({ payload }) => Queue.offer(handled, payload))
        )
        assert.strictEqual(yield* Queue.take(handled), "made")
        // The times of the others are looked at again and again.
        yield* jobs.enqueue("later", { delay: "50 millis" })
        assert.strictEqual(yield* Queue.take(handled), "later")
        yield* until(jobs.counts, ({ ready, running }) => ready + running === 0)
        yield* Fiber.interrupt(worker)
      }))

    it.effect("that come after the server has come back empty are done by the workers that there were", () =>
      Effect.gen(function*() {
        const jobs = queue()
        const handled = yield* Queue.unbounded<string>()
        const worker = yield* Effect.forkChild(
          jobs.run({ ...quick, worker: "w" }, ({ payload }) => Queue.offer(handled, payload))
        )
        yield* jobs.enqueue("before")
        assert.strictEqual(yield* Queue.take(handled), "before")
        const server = yield* RedisServer.RedisServer
        yield* server.kill()
        yield* server.restart
        yield* until(Effect.exit(jobs.enqueue("after", { id: "after" })), Exit.isSuccess)
        assert.strictEqual(yield* Queue.take(handled), "after")
        yield* Redis.flushall()
        yield* jobs.enqueue("at last")
        assert.strictEqual(yield* Queue.take(handled), "at last")
        yield* Fiber.interrupt(worker)
      }))
  })
})
