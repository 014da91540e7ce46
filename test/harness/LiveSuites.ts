/**
 * Runs every live suite on a deployment.
 */
import { afterAll, beforeAll, beforeEach, describe } from "@effect/vitest"
import type { RedisClient, RedisError } from "@redfx/core"
import { exclusion } from "@redfx/testing/exclusions"
import type { Deployment } from "@redfx/testing/exclusions"
import { beginTest } from "@redfx/testing/Suite"
import { suites } from "@redfx/testing/suites/all"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

export type Client = Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>

/**
 * Registers the tests of all suites, but for those that do not apply. `start` gives their client; it is run once for all of
 * them, as each test has keys of its own, on a cluster in a slot of their own.
 */
export const runSuites = (
  title: string,
  deployment: Deployment,
  start: Effect.Effect<Client, unknown, Scope.Scope>
): void => {
  describe(title, () => {
    const scope = Scope.makeUnsafe()
    let started: Client | undefined
    beforeAll(async () => {
      started = await Effect.runPromise(Scope.provide(start, scope))
    })
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    beforeEach((context) => {
      const reason = exclusion(context.task.name, deployment)
      if (reason !== undefined) context.skip(reason)
      beginTest()
    })

    // Suites build their Layer in hooks of their own, which run after the one above.
    const client = Layer.unwrap(Effect.sync(() => started!))
    for (const suite of suites) suite(client)
  })
}
