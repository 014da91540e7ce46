/**
 * How servers are measured, with a clock of the test's.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import { TestClock } from "effect/testing"
import { latencies as latenciesOf, zones as zonesOf } from "../src/internal/routing/survey.ts"
import { Health } from "../src/internal/topology/health.ts"
import type { Node } from "../src/internal/topology/nodes.ts"

/** A server that takes so long for a PING. */
const server = (took: Duration.Input) => {
  let asked = 0
  const execute = () => Effect.delay(Effect.sync(() => void asked++), took)
  // Nothing else of it is looked at.
  return { node: { health: new Health(), client: { execute } } as unknown as Node, asked: () => asked }
}

const make = Effect.map(Clock.Clock, (clock) => latenciesOf(clock))

describe("Latencies", () => {
  it.effect("are known of servers that answer within a second", () =>
    Effect.gen(function*() {
      const latencies = yield* make
      const [near, far, hanging, down] = [server("20 millis"), server("200 millis"), server("1 hour"), server(0)]
      down.node.health.suspect()
      const all = [near, far, hanging, down].map(({ node }) => node)
      yield* Effect.forkChild(latencies.ask(all), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(all.map(latencies.of), [20, 200, undefined, undefined])
      assert.strictEqual(down.asked(), 0)
    }))

  it.effect("are measured once more, however often that is asked for while it is done", () =>
    Effect.gen(function*() {
      const latencies = yield* make
      const hanging = server("1 hour")
      let asked = 0
      const { execute } = hanging.node.client
      // The arguments are those of the original.
      const counted = { execute: (...args: Parameters<typeof execute>) => (asked++, execute(...args)) }
      const node = { ...hanging.node, client: counted } as unknown as Node
      for (let reading = 0; reading < 100; reading++) {
        yield* Effect.forkChild(latencies.ask([node]), { startImmediately: true })
      }
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(asked, 2)
    }))

  it.effect("are asked for once a second where a server refuses to answer", () =>
    Effect.gen(function*() {
      const latencies = yield* make
      let asked = 0
      const execute = () => Effect.andThen(Effect.sync(() => void asked++), Effect.fail("NOPERM"))
      const node = { ...server(0).node, client: { execute } } as unknown as Node
      for (let reading = 0; reading < 40; reading++) {
        yield* Effect.forkChild(latencies.ask([node]), { startImmediately: true })
        yield* TestClock.adjust("50 millis")
      }
      assert.strictEqual(asked, 2)
    }))

  it.effect("are measured whenever that is asked for, also between the last measurement and the end of it", () =>
    Effect.gen(function*() {
      const latencies = yield* make
      for (let turns = 0; turns < 20; turns++) {
        const [first, second] = [server(0), server(0)]
        yield* Effect.forkChild(latencies.ask([first.node]), { startImmediately: true })
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        yield* Effect.forkChild(latencies.ask([second.node]), { startImmediately: true })
        for (let turn = 0; turn < 60; turn++) yield* Effect.yieldNow
        assert.strictEqual(second.asked(), 1, `after ${turns} turns`)
      }
    }).pipe(Effect.provideService(MaxOpsBeforeYield, 3)))

  it.effect("hold for a second", () =>
    Effect.gen(function*() {
      const latencies = yield* make
      const { asked, node } = server(0)
      for (let reading = 0; reading < 10; reading++) {
        yield* Effect.forkChild(latencies.ask([node]), { startImmediately: true })
        yield* TestClock.adjust("200 millis")
      }
      assert.strictEqual(asked(), 2)
    }))
})

describe("A zone", () => {
  it.effect("is known until the server tells another one, also while it is too busy to tell", () =>
    Effect.gen(function*() {
      const zones = zonesOf(yield* Clock.Clock)
      let told: Effect.Effect<string, string> = Effect.never
      const node = { ...server(0).node, client: { execute: () => told } } as unknown as Node
      const asked = Effect.fnUntraced(function*(answer: Effect.Effect<string, string>) {
        told = answer
        yield* Effect.forkChild(zones.ask([node]), { startImmediately: true })
        yield* TestClock.adjust("31 seconds")
        return zones.of(node)
      })
      assert.isUndefined(yield* asked(Effect.fail("BUSY")))
      assert.strictEqual(yield* asked(Effect.succeed("availability_zone:here\r\n")), "here")
      assert.strictEqual(yield* asked(Effect.fail("BUSY")), "here")
      assert.strictEqual(yield* asked(Effect.never), "here")
      assert.strictEqual(yield* asked(Effect.succeed("availability_zone:there\r\n")), "there")
    }))
})
