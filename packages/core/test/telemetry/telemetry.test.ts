/**
 * Spans and metrics, on a real server.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  Redis,
  RedisClient,
  RedisJobs,
  RedisKeyspace,
  RedisLeader,
  RedisLock,
  RedisPersistence,
  RedisScript,
  RedisSemaphore,
  RedisStream,
  RedisTelemetry
} from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import { freshKey, until } from "@redfx/testing/Suite"
import * as Traced from "@redfx/testing/Traced"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { PersistedQueue, RateLimiter } from "effect/persistence"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"

const server = RedisServer.layer()

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
)

/** What a client runs: by the name of its script, where it has one, and with the annotations of logs where it runs. */
const noted = Effect.map(RedisClient.RedisClient, (client) => {
  const told: Array<{ readonly name: string; readonly annotations: Readonly<Record<string, unknown>> }> = []
  const noting = RedisClient.decorated(client, (client) => ({
    execute: (command) =>
      Effect.withFiber((fiber) => {
        const annotations = fiber.getRef(References.CurrentLogAnnotations)
        told.push({ name: command.spec.procedure ?? command.spec.operation, annotations })
        return client.execute(command)
      })
  }))
  const times = (name: string, count: number) =>
    until(Effect.sync(() => told.filter((each) => each.name === name).length), (found) => found >= count)
  return { told, times, noting: Effect.provideService(RedisClient.RedisClient, noting) }
})

/** The spans below the one of this name, however deep, in the order in which they began. */
const below = (spans: ReadonlyArray<Tracer.NativeSpan>, name: string): ReadonlyArray<Tracer.NativeSpan> => {
  const isBelow = ({ parent }: Tracer.AnySpan & { readonly parent?: Option.Option<Tracer.AnySpan> }): boolean =>
    parent?._tag === "Some" && (parent.value._tag === "Span" && parent.value.name === name || isBelow(parent.value))
  return spans.filter(isBelow)
}

const namesBelow = (spans: ReadonlyArray<Tracer.NativeSpan>, name: string) =>
  below(spans, name).map((span) => span.name)

/** The same by the names of their scripts, where they have one. */
const proceduresBelow = (spans: ReadonlyArray<Tracer.NativeSpan>, name: string) =>
  below(spans, name).map((span) => attributesOf(span)["db.stored_procedure.name"] ?? span.name)

const attributesOf = (span: Tracer.NativeSpan | undefined) => Object.fromEntries(span?.attributes ?? [])

it.layer(server, { excludeTestServices: true })("Telemetry", (it) => {
  describe("spans", () => {
    it.effect("a command has a span with the conventions' names, under the caller's span", () =>
      Effect.gen(function*() {
        const { port } = yield* RedisServer.RedisServer
        const { spans, tracer } = Traced.make()
        yield* Redis.set(freshKey(), "secret-value").pipe(Effect.withSpan("caller"), tracer)
        const [parent, span] = spans
        assert.strictEqual(span?.name, "SET")
        assert.strictEqual(span?.kind, "client")
        assert.deepStrictEqual(attributesOf(span), {
          "db.system.name": "redis",
          "db.operation.name": "SET",
          "db.namespace": "0",
          "server.address": "127.0.0.1",
          "server.port": port
        })
        assert.strictEqual(span?.parent._tag === "Some" ? span.parent.value : undefined, parent)
        assert.strictEqual(span?.status._tag, "Ended")
        assert.notInclude(JSON.stringify(attributesOf(span)), "secret")
      }).pipe(Effect.provide(client)))

    it.effect("a failure is told by its type and by the server's code", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const key = freshKey()
        yield* tracer(Effect.flip(Effect.andThen(Redis.set(key, "text"), Redis.lpush(key, "a"))))
        const span = spans.find(({ name }) => name === "LPUSH")
        assert.strictEqual(attributesOf(span)["error.type"], "WrongTypeError")
        assert.strictEqual(attributesOf(span)["db.response.status_code"], "WRONGTYPE")
        assert.isTrue(span?.status._tag === "Ended" && Exit.isFailure(span.status.exit))
      }).pipe(Effect.provide(client)))

    it.effect("a pipeline and a transaction have one span each, which says how many commands there are", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const key = freshKey()
        yield* tracer(Redis.pipeline([Redis.get(key), Redis.get(key)]))
        yield* tracer(Redis.pipeline([Redis.get(key)]))
        yield* tracer(Redis.transaction({ set: Redis.set(key, "1"), incr: Redis.incr(key) }))
        assert.deepStrictEqual(
          spans.map((span) => [span.name, attributesOf(span)["db.operation.batch.size"]]),
          [["PIPELINE GET", 2], ["PIPELINE GET", undefined], ["MULTI", 2]]
        )
      }).pipe(Effect.provide(client)))

    it.effect("a pipeline or a transaction that fails its caller has a span of that failure", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const key = freshKey()
        yield* Redis.set(key, "text")
        const commands = [Redis.get(key), Redis.incr(key), Redis.lpush(key, "a")] as const
        yield* tracer(Effect.flip(Redis.pipeline(commands)))
        yield* tracer(Effect.flip(Redis.transaction(commands)))
        yield* tracer(Effect.flip(Redis.watch(key, Effect.succeed(commands))))
        const failed = spans.filter((span) => span.status._tag === "Ended" && Exit.isFailure(span.status.exit))
        assert.deepStrictEqual(
          failed.map((
            span
          ) => [span.name, attributesOf(span)["error.type"], attributesOf(span)["db.response.status_code"]]),
          [["PIPELINE", "ResponseError", "ERR"], ["MULTI", "ResponseError", "ERR"], ["MULTI", "ResponseError", "ERR"]]
        )
      }).pipe(Effect.provide(client)))

    it.effect("what does not fail its caller is no failure, and what is empty has no span", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const key = freshKey()
        yield* Redis.set(key, "text")
        yield* tracer(Redis.pipelineSettled([Redis.get(key), Redis.incr(key)]))
        yield* tracer(Redis.transactionSettled([Redis.get(key), Redis.incr(key)]))
        assert.deepStrictEqual(
          spans.map((span) => [span.name, span.status._tag === "Ended" && Exit.isSuccess(span.status.exit)]),
          [["PIPELINE", true], ["MULTI", true]]
        )
        spans.length = 0
        yield* tracer(Effect.all([Redis.pipeline([]), Redis.pipelineSettled({}), Redis.transaction([])]))
        assert.strictEqual(spans.length, 0)
      }).pipe(Effect.provide(client)))

    it.effect("a command on another client has a span as well, and a script one with its loading", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const script = RedisScript.make({ lua: `return 42 -- ${freshKey()}`, keys: () => [], result: Schema.Int })
        yield* tracer(Redis.via(RedisClient.RedisClient)(Redis.ping()))
        yield* tracer(script())
        assert.deepStrictEqual(spans.map(({ name }) => name), ["PING", "EVALSHA"])
      }).pipe(Effect.provide(client)))

    it.effect("a lock has spans of its acquiring and of its release", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        yield* tracer(RedisLock.make(freshKey(), { ttl: "5 seconds" }).withLock(Redis.ping()))
        yield* tracer(RedisSemaphore.make(freshKey(), { permits: 1, ttl: "5 seconds" }).withPermit(Redis.ping()))
        assert.deepStrictEqual(spans.map(({ name }) => name), ["SET", "PING", "EVALSHA", "EVALSHA", "PING", "EVALSHA"])
      }).pipe(Effect.provide(client)))

    it.effect("what is sent by a name from anywhere is `_OTHER`, and by one that a function has is that one", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const names = Array.from({ length: 50 }, (_, i) => `INVENTED${i}`)
        yield* tracer(Effect.gen(function*() {
          for (const name of names) yield* Effect.flip(Redis.send(name, "x"))
          yield* Redis.pipelineSettled(names.slice(0, 1).map((name) => Redis.send(name)))
          yield* Redis.send("get", freshKey())
          yield* Redis.send("client", "id")
        }))
        const seen = spans.flatMap((span) => [span.name, String(attributesOf(span)["db.operation.name"])])
        assert.deepStrictEqual([...new Set(seen)], ["_OTHER", "PIPELINE _OTHER", "GET", "CLIENT ID"])
      }).pipe(Effect.provide(client)))

    it.effect("a script and a function are told by their names", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const script = RedisScript.make({ name: "theScript", lua: "return 42", keys: () => [], result: Schema.Int })
        const unnamed = RedisScript.make({ lua: "return 43", keys: () => [], result: Schema.Int })
        yield* tracer(Effect.all([script(), unnamed(), Redis.ping()]))
        assert.deepStrictEqual(spans.map((span) => attributesOf(span)["db.stored_procedure.name"]), [
          "theScript",
          unnamed.sha1,
          undefined
        ])
      }).pipe(Effect.provide(client)))

    it.effect("each entry that a consumer handles has a span, above those of its handler, with what became of it", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const stream = freshKey()
        const good = yield* Redis.xadd(stream, { n: "1" })
        const bad = yield* Redis.xadd(stream, { n: "2" })
        const done = yield* Deferred.make<void>()
        const consumer = yield* RedisStream.consume(
          { stream, group: "g", consumer: "c", createGroup: "0" },
          ({ fields }) =>
            fields["n"] === "1"
              ? Redis.ping()
              : Effect.andThen(Deferred.succeed(done, undefined), Effect.fail({ _tag: "Bad" }))
        ).pipe(tracer, Effect.forkChild)
        yield* Deferred.await(done)
        yield* Fiber.interrupt(consumer)
        const [first, second] = spans.filter(({ name }) => name === "process")
        assert.strictEqual(first?.kind, "consumer")
        assert.deepStrictEqual(attributesOf(first), {
          "messaging.system": "redis",
          "messaging.operation.name": "process",
          "messaging.operation.type": "process",
          "messaging.message.id": good,
          "messaging.destination.name": stream,
          "messaging.consumer.group.name": "g",
          "messaging.client.id": "c",
          "redfx.message.deliveries": 1
        })
        const below = spans.find(({ name }) => name === "PING")
        assert.strictEqual(below?.parent._tag === "Some" ? below.parent.value : undefined, first)
        assert.deepInclude(attributesOf(second), { "messaging.message.id": bad, "error.type": "Bad" })
        assert.isTrue(second?.status._tag === "Ended" && Exit.isFailure(second.status.exit))
      }).pipe(Effect.provide(client)))

    it.effect("each attempt of a job has a span that fails with it, and nothing else of a worker has one", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const name = freshKey()
        const jobs = RedisJobs.make(name, { payload: Schema.String })
        yield* jobs.enqueue("good", { id: "good" })
        yield* jobs.enqueue("bad", { id: "bad" })
        const worker = yield* jobs.run(
          { worker: "w", maxAttempts: 1 },
          ({ payload }) => payload === "good" ? Redis.ping() : Effect.fail({ _tag: "Bad" })
        ).pipe(Effect.withSpan("worker"), tracer, Effect.forkChild)
        yield* until(jobs.counts, ({ dead }) => dead === 1)
        yield* Fiber.interrupt(worker)
        assert.deepStrictEqual(namesBelow(spans, "worker"), ["process", "PING", "process"])
        const [good, bad] = spans.filter((span) => span.name === "process")
        assert.deepStrictEqual(attributesOf(good), {
          "messaging.system": "redis",
          "messaging.operation.name": "process",
          "messaging.operation.type": "process",
          "messaging.message.id": "good",
          "messaging.destination.name": name,
          "messaging.consumer.group.name": "workers",
          "messaging.client.id": "w",
          "redfx.message.deliveries": 1
        })
        assert.isTrue(good?.status._tag === "Ended" && Exit.isSuccess(good.status.exit))
        assert.deepInclude(attributesOf(bad), { "messaging.message.id": "bad", "error.type": "Bad" })
        assert.isTrue(bad?.status._tag === "Ended" && Exit.isFailure(bad.status.exit))
      }).pipe(Effect.provide(client)))

    it.effect("who would lead, and what renews a lock, has no spans of what they ask again and again", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const { noting, times } = yield* noted
        const traced = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) =>
          effect.pipe(Effect.withSpan(name), tracer, noting)

        // It is renewed after a third of that.
        const lock = RedisLock.make(freshKey(), { ttl: "1500 millis", autoExtend: true })
        yield* traced("lock", Effect.scoped(Effect.andThen(lock.scoped, times("RedisLock.extend", 1))))
        assert.deepStrictEqual(namesBelow(spans, "lock"), ["SET", "EVALSHA"])

        const leader = RedisLeader.make(freshKey(), { retryInterval: "1 millis" })
        const candidate = yield* leader.run(Effect.gen(function*() {
          const candidate = yield* Effect.forkDetach(traced("candidate", leader.run(Redis.ping())))
          yield* times("RedisLock.acquire", 3)
          return candidate
        }))
        yield* Fiber.join(candidate)
        assert.deepStrictEqual(namesBelow(spans, "candidate"), ["PING"])
      }).pipe(Effect.provide(client)))

    it.effect("a watch has spans of what it watches, reads and commits", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const key = freshKey()
        yield* Redis.watch(key, Effect.map(Redis.get(key), () => [Redis.set(key, "1")])).pipe(
          Effect.withSpan("caller"),
          tracer
        )
        assert.deepStrictEqual(namesBelow(spans, "caller"), ["WATCH", "GET", "MULTI SET"])
      }).pipe(Effect.provide(client)))

    it.effect("what a cache asks, loads and stores is under the span of who asks, and not of who made it", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const prefix = freshKey()
        yield* Effect.gen(function*() {
          const cache = yield* RedisKeyspace.makeCache({
            key: `${prefix}:*`,
            value: Schema.String,
            ttl: "1 minute",
            load: () => Effect.as(Redis.ping(), Option.some("value"))
          }).pipe(Effect.withSpan("maker"))
          yield* Effect.withSpan(cache.getOrLoad("1"), "first")
          yield* Effect.withSpan(cache.getOrLoad("1"), "second")
          yield* Effect.withSpan(Effect.all([cache.get("1"), cache.set("1", "other"), cache.del("1")]), "others")
        }).pipe(tracer, Effect.scoped)
        assert.deepStrictEqual(proceduresBelow(spans, "maker"), [])
        assert.deepStrictEqual(proceduresBelow(spans, "first"), ["RedisKeyspace.look", "PING", "RedisKeyspace.store"])
        assert.deepStrictEqual(proceduresBelow(spans, "second"), ["RedisKeyspace.look"])
        assert.deepStrictEqual(proceduresBelow(spans, "others"), ["RedisKeyspace.look", "RedisKeyspace.put", "DEL"])
      }).pipe(Effect.provide(client)))

    it.effect("Effect's stores have spans of what their callers ask for, and none of what they look for meanwhile", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        const { noting, told } = yield* noted
        const limited = Effect.flatMap(
          RateLimiter.RateLimiter,
          (limiter) => limiter.consume({ key: freshKey(), limit: 10, window: "1 minute" })
        )
        const queued = Effect.gen(function*() {
          const queue = yield* PersistedQueue.make({ name: freshKey(), schema: Schema.String })
          const asked = told.length
          const taken = yield* Effect.forkChild(Effect.withSpan(queue.take(() => Redis.ping()), "take"))
          yield* until(Effect.sync(() => told.length), (length) => length > asked + 3)
          yield* Effect.withSpan(queue.offer("element"), "offer")
          yield* Fiber.join(taken)
        })
        yield* Effect.andThen(limited.pipe(Effect.withSpan("limited")), queued).pipe(
          Effect.annotateLogs("request", "1"),
          Effect.provide([
            Layer.provide(RateLimiter.layer, RedisPersistence.layerRateLimiterStore()),
            Layer.provide(PersistedQueue.layer, RedisPersistence.layerQueueStore({ pollInterval: "1 millis" }))
          ]),
          Effect.withSpan("program"),
          tracer,
          noting
        )
        assert.deepStrictEqual(namesBelow(spans, "limited"), ["EVALSHA"])
        assert.deepStrictEqual(namesBelow(spans, "offer"), ["RPUSH"])
        assert.deepStrictEqual(namesBelow(spans, "take"), ["PING"])
        const ofCommands = spans.filter(({ kind }) => kind === "client")
        assert.deepStrictEqual(ofCommands.map(({ name }) => name), ["EVALSHA", "RPUSH", "PING"])
        // What the queue does for all is not done in the name of who came first. He settles what he took.
        const [, offered, handled, , ...others] = told.filter(({ annotations }) => "request" in annotations)
        assert.deepStrictEqual([offered?.name, handled?.name, others], ["RPUSH", "PING", []])
      }).pipe(Effect.provide(client)))

    it.effect("without a tracer, or with tracing switched off, there are none", () =>
      Effect.gen(function*() {
        const { spans, tracer } = Traced.make()
        yield* tracer(Effect.withTracerEnabled(Redis.ping(), false))
        yield* Redis.ping()
        assert.strictEqual(spans.length, 0)
      }).pipe(Effect.provide(client)))
  })

  describe("metrics", () => {
    const registry = Effect.provideService(Metric.MetricRegistry, new Map())

    it.effect("connections and what happens to them are counted", () =>
      Effect.gen(function*() {
        yield* Redis.ping()
        yield* Redis.blpop(freshKey(), 0.01)
        assert.deepInclude(yield* metric("redfx.client.events", { event: "Connected" }), { count: 2 })
        const reads = (state: string, value: number) =>
          Effect.repeat(metric("db.client.connection.count", { "db.client.connection.state": state }), {
            until: (found) => found !== undefined && "value" in found && found.value === value,
            schedule: Schedule.spaced("5 millis")
          })
        yield* Effect.all([reads("used", 1), reads("idle", 1)])
      }).pipe(
        Effect.provide(RedisTelemetry.layer({ interval: "10 millis" }).pipe(Layer.provideMerge(client))),
        registry
      ))

    it.effect("connections are 0 when the Layer has ended, those of subscriptions included before", () =>
      Effect.gen(function*() {
        const used = metric("db.client.connection.count", { "db.client.connection.state": "used" })
        yield* Effect.gen(function*() {
          yield* Redis.ping()
          yield* Effect.forkChild(Stream.runDrain(Redis.subscribe("a")))
          yield* Effect.repeat(used, {
            until: (found) => found !== undefined && "value" in found && found.value === 2,
            schedule: Schedule.spaced("5 millis")
          })
        }).pipe(
          Effect.scoped,
          Effect.provide(RedisTelemetry.layer({ interval: "10 millis" }).pipe(Layer.provideMerge(client)))
        )
        const gauges = (yield* Metric.snapshot).filter(({ id }) => id !== "redfx.client.events")
        assert.deepStrictEqual(gauges.map(({ state }) => "value" in state ? Number(state.value) : state), [0, 0, 0, 0])
      }).pipe(registry))

    it.effect("of two clients that print alike the gauges are the sum, until one of them ends", () =>
      Effect.gen(function*() {
        // Each has a client of its own.
        const made = () =>
          Layer.build(Layer.fresh(RedisTelemetry.layer({ interval: "10 millis" }).pipe(Layer.provideMerge(client))))
        const used = (value: number) =>
          until(
            metric("db.client.connection.count", { "db.client.connection.state": "used" }),
            (found) => found !== undefined && "value" in found && found.value === value
          )
        yield* Effect.provide(Redis.ping(), yield* made())
        yield* used(1)
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Effect.provide(Redis.ping(), yield* made())
          yield* used(2)
          // What each reads the next times changes nothing.
          yield* Effect.sleep("50 millis")
          yield* used(2)
        }))
        yield* used(1)
      }).pipe(Effect.scoped, registry))

    it.effect("what the cache holds, and what became of reads, is counted when it is used", () =>
      Effect.gen(function*() {
        const key = freshKey()
        const read = Redis.cached(Redis.get(key), { ttl: "1 minute" })
        yield* read
        yield* read
        const reads = (id: string, attributes: Record<string, string>, found: object) =>
          until(
            metric(id, attributes),
            (state) =>
              state !== undefined && Object.entries(found).every(([name, value]) => state[name as never] === value)
          )
        yield* reads("redfx.cache.reads", { result: "hit" }, { count: 1 })
        yield* reads("redfx.cache.reads", { result: "miss" }, { count: 1 })
        yield* reads("redfx.cache.entries", {}, { value: 1 })
        yield* Redis.set(key, "v")
        yield* reads("redfx.cache.removals", { reason: "invalidation" }, { count: 1 })
        yield* reads("redfx.cache.entries", {}, { value: 0 })
        yield* read
        // It may change any key. Of FLUSHALL some servers tell before they answer, which clears for another reason.
        yield* Redis.send("SET", freshKey(), "v")
        yield* reads("redfx.cache.clears", { reason: "Written" }, { count: 1 })
      }).pipe(
        Effect.provide(RedisTelemetry.layer({ interval: "10 millis" }).pipe(Layer.provideMerge(client))),
        registry
      ))

    it.effect("durations are in a histogram, by the name of the command and the type of its error", () =>
      Effect.gen(function*() {
        const key = freshKey()
        yield* Redis.set(key, "text")
        yield* Redis.get(key)
        yield* Redis.get(key)
        yield* Effect.flip(Redis.lpush(key, "a"))
        yield* Redis.pipeline([Redis.get(key), Redis.get(key)])
        yield* Effect.flip(Redis.send("INVENTED1"))
        yield* Effect.flip(Redis.send("INVENTED2"))
        assert.deepInclude(yield* metric("db.client.operation.duration", { "db.operation.name": "_OTHER" }), {
          count: 2
        })
        const ofGet = yield* metric("db.client.operation.duration", { "db.operation.name": "GET" })
        assert.deepInclude(ofGet, { count: 2 })
        const failed = yield* metric("db.client.operation.duration", { "error.type": "WrongTypeError" })
        assert.deepInclude(failed, { count: 1 })
        const pipelines = yield* metric("db.client.operation.duration", { "db.operation.name": "PIPELINE" })
        assert.deepInclude(pipelines, { count: 1 })
        yield* Effect.flip(Redis.pipeline([Redis.get(key), Redis.lpush(key, "a")]))
        yield* Effect.flip(Redis.transaction([Redis.get(key), Redis.lpush(key, "a")]))
        yield* Redis.pipeline([])
        for (const operation of ["PIPELINE", "MULTI"]) {
          const failures = yield* metric("db.client.operation.duration", {
            "db.operation.name": operation,
            "error.type": "WrongTypeError"
          })
          assert.deepInclude(failures, { count: 1 })
        }
        assert.deepInclude(yield* metric("db.client.operation.duration", { "db.operation.name": "PIPELINE" }), {
          count: 1
        })
      }).pipe(Effect.provide(RedisTelemetry.layerTimed.pipe(Layer.provide(client))), registry))
  })
})

/** The state of a metric with these attributes, among others. */
const metric = (id: string, attributes: Readonly<Record<string, string>>) =>
  Effect.map(
    Metric.snapshot,
    (all) =>
      all.find((each) =>
        each.id === id && Object.entries(attributes).every(([name, value]) => each.attributes?.[name] === value)
      )?.state
  )
