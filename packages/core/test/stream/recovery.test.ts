/**
 * How soon consumers and workers are back when their server is: as soon as commands are, and without a busy loop meanwhile.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient, RedisJobs, RedisLeader, RedisStream } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { BusyLoadingError, ConnectionError, MasterNotFoundError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeClient from "@redfx/testing/FakeClient"
import * as Pace from "@redfx/testing/Pace"
import { until } from "@redfx/testing/Suite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { backOffSchedule } from "../../src/internal/runtime/backOffSchedule.ts"

/** The client, and how many commands were tried. */
const counting = (client: RedisClient.RedisClient["Service"]) => {
  const count = { tries: 0 }
  const service: RedisClient.RedisClient["Service"] = {
    ...client,
    execute: (command) =>
      Effect.suspend(() => {
        count.tries++
        return client.execute(command)
      })
  }
  return { count, service }
}

/** How much is tried in a second; it is looked at for so many milliseconds. */
const triesPerSecond = (count: { tries: number }, milliseconds: number) =>
  Effect.suspend(() => {
    const since = performance.now()
    count.tries = 0
    return Effect.map(Effect.sleep(milliseconds), () => count.tries * 1000 / (performance.now() - since))
  })

/** Ends the server, and starts it again after 1.5 seconds, three times; tells what was late, and what was tried meanwhile. */
const outages = Effect.fnUntraced(function*(
  use: (arrived: Queue.Queue<number>) => Effect.Effect<never, unknown, RedisClient.RedisClient>,
  add: (client: RedisClient.RedisClient["Service"]) => Effect.Effect<unknown, unknown>
) {
  const server = yield* RedisServer.make({ config: { appendonly: "yes", appendfsync: "always" } })
  const { count, service } = counting(yield* Client.make(server))
  const outside = yield* Client.make(server)
  const arrived = yield* Queue.unbounded<number>()
  yield* Effect.forkChild(Effect.provideService(use(arrived), RedisClient.RedisClient, service))
  yield* add(outside)
  yield* Queue.take(arrived)
  const pace = yield* Pace.watch
  const late: Array<number> = []
  const tries: Array<number> = []
  for (let i = 0; i < 3; i++) {
    yield* server.kill()
    tries.push(1.5 * (yield* triesPerSecond(count, 1500)))
    yield* server.restart
    yield* Effect.eventually(add(outside))
    const added = performance.now()
    late.push(pace.between(added, yield* Queue.take(arrived)))
  }
  return { late, tries }
})

describe("A consumer whose group is gone", () => {
  const losses: ReadonlyArray<readonly [string, RedisCommand.RedisCommand<unknown> | undefined]> = [
    ["as its stream was deleted", Redis.del("s")],
    ["as it was destroyed", Redis.xgroupDestroy("s", "g")],
    ["as the server has come back empty", undefined]
  ]

  for (const [why, loss] of losses) {
    it.live(`makes it anew with createGroup, and fails without, ${why}`, () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.make()
        const on = Client.on(yield* Client.make(server))
        const arrived = yield* Queue.unbounded<string>()
        const consume = (createGroup?: "0") =>
          RedisStream.consume(
            { stream: "s", group: "g", consumer: createGroup ?? "none", createGroup, count: 1 },
            ({ fields }) => Queue.offer(arrived, fields["n"] ?? "")
          )
        const consumer = yield* Effect.forkChild(on(consume("0")))
        yield* on(Redis.xadd("s", { n: "before" }))
        assert.strictEqual(yield* Queue.take(arrived), "before")
        const without = yield* Effect.forkChild(Effect.flip(on(consume())))
        // Both wait on connections of their own.
        yield* until(on(Redis.xinfoConsumers("s", "g")), (consumers) => consumers.length === 2)
        yield* until(on(Redis.info("clients")), ({ fields }) => fields["blocked_clients"] === 2)
        if (loss === undefined) {
          yield* server.kill()
          yield* server.restart
        } else yield* on(loss)
        yield* Effect.eventually(on(Redis.xadd("s", { n: "after" })))
        // What is in the stream still comes again.
        assert.strictEqual(yield* until(Queue.take(arrived), (n) => n !== "before"), "after")
        assert.isUndefined(consumer.pollUnsafe())
        // It may come back when the other one has made the group.
        if (loss !== undefined) {
          assert.strictEqual(Client.expectTag(yield* Fiber.join(without), "ResponseError").code, "NOGROUP")
        }
      }))
  }
})

describe("After a restart of the server", () => {
  it.live("a consumer of a stream is back as soon as commands are", () =>
    Effect.gen(function*() {
      const { late, tries } = yield* outages(
        (arrived) =>
          RedisStream.consume(
            { stream: "s", group: "g", consumer: "c", createGroup: "0" },
            () => Queue.offer(arrived, performance.now())
          ),
        (client) => client.execute(Redis.xadd("s", { n: 1 }))
      )
      assert.isBelow(Math.max(...late), 500)
      assert.isBelow(Math.max(...tries), 150)
    }))

  it.live("a worker of a queue is back as soon as commands are", () =>
    Effect.gen(function*() {
      const queue = RedisJobs.make("q", { payload: Schema.Int })
      const { late, tries } = yield* outages(
        (arrived) => queue.run({ worker: "w" }, () => Queue.offer(arrived, performance.now())),
        (client) => Client.on(client)(queue.enqueue(1))
      )
      assert.isBelow(Math.max(...late), 500)
      assert.isBelow(Math.max(...tries), 150)
    }))
})

describe("While the server cannot save", () => {
  it.live(
    "consumers, workers and those who lead or campaign wait, and go on once it can",
    () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.make({ config: { save: "3600 1000000" } })
        const outside = yield* Client.make(server)
        const queue = RedisJobs.make("q", { payload: Schema.Int })
        const leader = RedisLeader.make("leader", { ttl: "1 second", retryInterval: "100 millis" })
        const found = yield* Queue.unbounded<string>()
        const until = (refuses: boolean) =>
          Effect.eventually(
            Effect.filterOrFail(
              Effect.delay(Effect.result(outside.execute(Redis.set("k", "v"))), "20 millis"),
              (result) =>
                refuses === (Result.isFailure(result) && "code" in result.failure && result.failure.code === "MISCONF")
            )
          )
        /** Takes until a term has begun and all these have come. Where the machine stands still for as long as a lease, others follow. */
        const heard = Effect.fnUntraced(function*(...expected: ReadonlyArray<string>) {
          const terms: Array<string> = []
          const others: Array<string> = []
          while (terms.length === 0 || others.length < expected.length) {
            const one = yield* Queue.take(found)
            ;(one.startsWith("term") ? terms : others).push(one)
          }
          assert.sameMembers(others, [...expected])
        })
        const consume = (stream: string) =>
          RedisStream.consume(
            { stream, group: "g", consumer: "c", createGroup: "0", block: "100 millis" },
            () => Queue.offer(found, "entry")
          )
        const terms: Array<number> = []
        const lead = leader.run(({ fencingToken }) => {
          terms.push(fencingToken)
          return Effect.andThen(Queue.offer(found, `term ${terms.length}`), Effect.never)
        })
        const client = yield* Client.make(server)
        const start = <A, E>(effect: Effect.Effect<A, E, RedisClient.RedisClient>) =>
          Effect.forkChild(Client.on(client)(effect))
        const before = [
          yield* start(lead),
          yield* start(consume("s")),
          yield* start(queue.run({ worker: "w" }, () => Queue.offer(found, "job")))
        ]
        yield* outside.execute(Redis.xadd("s", { n: 1 }))
        yield* Client.on(outside)(queue.enqueue(1))
        yield* heard("entry", "job")
        // What is in the place of the file cannot be replaced by it.
        const file = join(server.directory, "dump.rdb")
        yield* Effect.sync(() => mkdirSync(join(file, "in the way"), { recursive: true }))
        yield* outside.execute(Redis.bgsave())
        yield* until(true)
        const meanwhile = [yield* start(consume("t")), yield* start(lead)]
        // The lease is over by then, and all have tried to write.
        yield* Effect.sleep(1500)
        // Nobody begins a term before it can be written down.
        yield* Queue.clear(found)
        yield* Effect.sync(() => rmSync(file, { recursive: true }))
        yield* outside.execute(Redis.bgsave())
        yield* until(false)
        yield* outside.execute(Redis.xadd("s", { n: 1 }))
        yield* outside.execute(Redis.xadd("t", { n: 1 }))
        yield* Client.on(outside)(queue.enqueue(2))
        yield* heard("entry", "entry", "job")
        assert.isTrue(terms.every((term, index) => index === 0 || term > terms[index - 1]!))
        for (const fiber of [...before, ...meanwhile]) assert.isUndefined(fiber.pollUnsafe())
      })
  )
})

describe("While there is no server", () => {
  const nobody = { host: "127.0.0.1", port: 1 }
  const layers = [
    ["of one server", NodeRedisClient.layer(nobody)],
    ["by Sentinel", NodeRedisClient.layerSentinel({ sentinels: [nobody], service: "m" })],
    ["of a cluster", NodeRedisClient.layerCluster({ nodes: [nobody] })]
  ] as const
  it.live.each(layers)(
    "a consumer tries a few times a second, for as long as there is none: %s",
    ([, layer]) =>
      Effect.gen(function*() {
        const { count, service } = counting(yield* RedisClient.RedisClient)
        const consuming = yield* Effect.forkChild(
          Effect.provideService(
            RedisStream.consume({ stream: "s", group: "g", consumer: "c" }, () => Effect.void),
            RedisClient.RedisClient,
            service
          )
        )
        yield* Effect.sleep(1000)
        assert.isBelow(yield* triesPerSecond(count, 2000), 50)
        assert.isUndefined(consuming.pollUnsafe())
      }).pipe(Effect.provide(layer))
  )
})

describe("The pause before the next try", () => {
  const lost = (delivery: "not-sent" | "unknown", reason: ConnectionError["reason"] = "Refused") =>
    new ConnectionError({ reason, detail: "gone", delivery, readonly: false })

  /** The pauses after so many of an error in a row, without chance. */
  const pauses = (error: CommandError, times: number) =>
    Effect.gen(function*() {
      const step = yield* Schedule.toStep(backOffSchedule)
      const found: Array<number> = []
      for (let i = 0; i < times; i++) found.push(Duration.toMillis((yield* step(0, error))[1]))
      return found
    }).pipe(FakeClient.withChance(1))

  it.effect("is that of the client, where no server was reached", () =>
    Effect.gen(function*() {
      const unreached = [lost("not-sent"), new MasterNotFoundError({ service: "m", attempts: [] })]
      for (const error of unreached) assert.deepStrictEqual(yield* pauses(error, 5), [10, 10, 10, 10, 10])
    }))

  it.effect("grows where one was reached, or a limit has to be waited for", () =>
    Effect.gen(function*() {
      for (const error of [lost("unknown", "Closed"), lost("not-sent", "PoolExhausted")]) {
        assert.deepStrictEqual(yield* pauses(error, 8), [50, 100, 200, 400, 800, 1600, 2000, 2000])
      }
      const busy = new BusyLoadingError({ code: "LOADING", detail: "loads", command: "GET" })
      assert.deepStrictEqual(yield* pauses(busy, 4), [50, 100, 100, 100])
    }))
})
