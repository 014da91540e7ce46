/**
 * How servers are asked how they are, with a clock of the test's.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { ConnectionError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import * as Semaphore from "effect/Semaphore"
import { TestClock } from "effect/testing"
import { Probes } from "../src/internal/routing/probes.ts"
import { Health } from "../src/internal/topology/health.ts"
import type { Node } from "../src/internal/topology/nodes.ts"

const pong = Effect.succeed("PONG")

/** A suspect server that takes so long for a PING, and those who ask it. */
const suspect = Effect.fnUntraced(function*(took: Duration.Input, said: Effect.Effect<unknown, CommandError> = pong) {
  const health = new Health()
  health.suspect()
  let asked = 0
  let hung = 0
  const execute = () => Effect.andThen(Effect.sync(() => void asked++), Effect.delay(said, took))
  // Nothing else of it is looked at.
  const node = {
    address: "127.0.0.1:7001",
    health,
    client: { execute },
    isOpen: Effect.succeed(false)
  } as unknown as Node
  const services = yield* Effect.context<never>()
  const probes = new Probes({
    ask: ({ client }) => client.execute(Redis.ping()),
    isOfUse: () => true,
    onAnswer: () => void health.answered(),
    onHung: () => void hung++,
    permits: Semaphore.makeUnsafe(1),
    meanwhile: () => Effect.never
  }, Effect.runForkWith(services))
  probes.start(node)
  return { asked: () => asked, hung: () => hung, health, probes, node }
})

describe("A server that is asked how it is", () => {
  it.effect("is asked again when it is suspect again before those who asked it have gone", () =>
    Effect.gen(function*() {
      const { asked, health, node, probes } = yield* suspect("400 millis")
      // The server is suspect again in the same turn in which its answer comes.
      const { answered } = health
      health.answered = () => {
        health.answered = answered
        const was = answered.call(health)
        queueMicrotask(() => {
          health.suspect()
          probes.start(node)
        })
        return was
      }
      const restsPassed = Effect.gen(function*() {
        for (let turn = 0; turn < 100; turn++) yield* Effect.yieldNow
      })
      for (const questions of [1, 2]) {
        yield* restsPassed
        assert.strictEqual(asked(), questions)
        yield* TestClock.adjust("400 millis")
      }
      yield* restsPassed
      assert.isTrue(health.isHealthy)
    }).pipe(Effect.provideService(MaxOpsBeforeYield, 3)))

  it.effect("is sound as soon as it answers", () =>
    Effect.gen(function*() {
      const { asked, health } = yield* suspect("400 millis")
      yield* TestClock.adjust("400 millis")
      assert.isTrue(health.isHealthy)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(asked(), 1)
    }))

  it.effect("is down after half a second, and sound when its answer comes after all", () =>
    Effect.gen(function*() {
      const { asked, health } = yield* suspect("800 millis")
      yield* TestClock.adjust("500 millis")
      assert.isDefined(health.downWith)
      yield* TestClock.adjust("300 millis")
      assert.isTrue(health.isHealthy)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(asked(), 1)
    }))

  it.effect("is asked once a second as long as it does not answer", () =>
    Effect.gen(function*() {
      const { asked, health } = yield* suspect("1 hour")
      yield* TestClock.adjust("4500 millis")
      assert.isDefined(health.downWith)
      assert.strictEqual(asked(), 5)
    }))

  it.effect("is not down when it has no room, as its PINGs wait for dials, but when it is silent for long", () =>
    Effect.gen(function*() {
      const full = new ConnectionError({ reason: "MaxClients", detail: "full", delivery: "not-sent", readonly: true })
      const { hung, node, probes } = yield* suspect("900 millis", Effect.fail(full))
      probes.excuse(node)
      // It says so again and again.
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(hung(), 0)
      const silent = yield* suspect("1 hour")
      silent.probes.excuse(silent.node)
      yield* TestClock.adjust("3400 millis")
      assert.isUndefined(silent.health.downWith)
      yield* TestClock.adjust("200 millis")
      assert.isDefined(silent.health.downWith)
      assert.strictEqual(silent.hung(), 1)
    }))

  /** How many of twenty silent servers are asked within 100 ms, and half a second later. */
  const twenty = (isOpen: boolean) =>
    Effect.gen(function*() {
      let asked = 0
      // Nobody of them ever answers.
      const execute = () => Effect.andThen(Effect.sync(() => void asked++), Effect.never)
      const services = yield* Effect.context<never>()
      const probes = new Probes({
        ask: ({ client }) => client.execute(Redis.ping()),
        isOfUse: () => true,
        onAnswer: () => {},
        onHung: () => {},
        permits: Semaphore.makeUnsafe(4),
        meanwhile: () => Effect.never
      }, Effect.runForkWith(services))
      for (let port = 1; port <= 20; port++) {
        const health = new Health()
        health.suspect()
        // Nothing else of it is looked at.
        const node = { address: `127.0.0.1:${port}`, health, client: { execute }, isOpen: Effect.succeed(isOpen) }
        probes.start(node as unknown as Node)
      }
      yield* TestClock.adjust("100 millis")
      const first = asked
      yield* TestClock.adjust("500 millis")
      return [first, asked]
    })

  it.effect("is one of so many at a time that have to be dialled, the PING itself included", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* twenty(false), [4, 8])
    }))

  it.effect("is asked at once where there is a connection", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* twenty(true), [20, 20])
    }))
})
