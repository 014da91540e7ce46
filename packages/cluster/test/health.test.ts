/**
 * What is known of the health of one server.
 */
import { assert, describe, it } from "@effect/vitest"
import { connectionLoss } from "@redfx/core/RedisError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Health } from "../src/internal/topology/health.ts"

const lost = (detail: string) => connectionLoss("Closed", detail, "test:1")

describe("Health", () => {
  it.effect("a server that is found to be down fails who waits for that, also while his fiber rests", () =>
    Effect.gen(function*() {
      const health = new Health()
      const waiting = yield* Effect.forkChild(Effect.flip(health.untilDown))
      // The fiber has not begun.
      health.fail(lost("first"))
      assert.deepStrictEqual(yield* Fiber.join(waiting), lost("first"))
      // What was found before fails nobody: servers that are down are dialled as well.
      const later = yield* Effect.forkChild(Effect.flip(health.untilDown), { startImmediately: true })
      health.fail(lost("second"))
      assert.isUndefined(later.pollUnsafe())
      health.answered()
      health.estrange(lost("third"))
      assert.deepStrictEqual(yield* Fiber.join(later), lost("third"))
    }))
})
