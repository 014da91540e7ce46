/**
 * Which of the sentinels' answers count.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Discovery from "../src/internal/discovery.ts"

const sentinels = [26379, 26380, 26381].map((port) => ({ name: `s:${port}`, address: { host: "s", port } }))

const groupThatKnows = (epoch: number): Discovery.Group => ({
  // The parts that are asked once the answers are there.
  sentinels: { inOrder: sentinels, prefer: () => {}, learn: () => Effect.void } as never,
  listening: undefined as never,
  minOtherSentinels: 0,
  locate: Result.succeed,
  latest: new Map([["m", { epoch, era: 0 }]])
})

const answers = (epoch: number, since: number): Discovery.Answers =>
  new Map(
    sentinels.map((sentinel) => [sentinel, { epoch, since, address: { host: "a", port: 1 }, failingOver: false }])
  )

describe("masterAmong", () => {
  it.effect("believes that failovers are counted anew when most say so who were asked since the last one", () =>
    Effect.gen(function*() {
      const found = yield* Discovery.masterAmong(groupThatKnows(2), "m", answers(1, 2))
      assert.strictEqual(found.epoch, 1)
      assert.strictEqual(found.era, 1)
    }))

  it.effect("believes nobody who was asked before the last failover was heard of, however many they are", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Discovery.masterAmong(groupThatKnows(2), "m", answers(1, 1)))
      assert.strictEqual(error._tag, "MasterNotFoundError")
    }))
})
