/**
 * What a fiber finds changed when it goes on after a rest, which it may take between any two steps.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Redis from "@redfx/core/Redis"
import type { CommandError } from "@redfx/core/RedisError"
import type { Request } from "@redfx/core/unstable/Request"
import type { RedisRouter } from "@redfx/core/unstable/Router"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import type { Redirects } from "../src/internal/routing/redirects.ts"
import { reserve } from "../src/internal/routing/reservation.ts"
import type { State } from "../src/internal/routing/state.ts"
import { Subscribers } from "../src/internal/routing/subscribers.ts"
import { Health } from "../src/internal/topology/health.ts"

const turns = Effect.fnUntraced(function*(count: number) {
  for (let turn = 0; turn < count; turn++) yield* Effect.yieldNow
})

describe("A reserved connection", () => {
  it.effect("takes commands in the order in which they came, whenever they come while it is taken", () =>
    Effect.gen(function*() {
      for (let after = 0; after < 30; after++) {
        const sent: Array<Request> = []
        const submit = (request: Request) => void sent.push(request)
        const node = {
          address: "n1",
          health: new Health(),
          pool: { router: { reserve: Effect.succeed({ submit }) } }
        }
        // Nothing else of them is looked at.
        const state = { known: Effect.void, topology: undefined } as unknown as State
        const redirects = { masterOf: () => node } as unknown as Redirects
        const router = yield* reserve(state, redirects, {} as RedisRouter)
        const [first, second] = [Redis.incr("k"), Redis.decr("k")].map((leading) => ({ leading }) as unknown as Request)
        router.submit(first!)
        yield* turns(after)
        router.submit(second!)
        yield* turns(60)
        assert.deepStrictEqual(sent.map(({ leading }) => leading.spec.name), ["INCR", "DECR"], `after ${after} turns`)
      }
    }).pipe(Effect.scoped, Effect.provideService(MaxOpsBeforeYield, 3)))
})

describe("A connection of subscribers", () => {
  const shards = (...masters: ReadonlyArray<string>) => ({
    shards: masters.map((master) => ({ master, replicas: master === "h:2" ? ["h:1"] : [] }))
  })
  for (
    const [what, masters, hangs, expected] of [
      ["is kept when its server is what it was", ["h:1"], false, []],
      ["ends when its server was left out meanwhile", ["h:3"], false, ["Closed"]],
      ["ends when its server became a replica meanwhile", ["h:2"], false, ["Demoted"]],
      ["ends when its server was found to hang meanwhile", ["h:1"], true, ["hangs"]]
    ] as const
  ) {
    it.effect(what, () =>
      Effect.gen(function*() {
        const closed: Array<string> = []
        const close = (error: CommandError) => void closed.push("reason" in error ? error.reason : error._tag)
        const health = new Health()
        const opening = Effect.sync(() => {
          const topology = shards(...masters)
          Object.assign(state, { topology })
          subscribers.retain(topology as never)
          // Nothing else of the error is looked at.
          const error = { reason: "hangs" } as unknown as CommandError
          if (hangs) {
            health.fail(error)
            subscribers.onHung({ address: "h:1", error })
          }
          return { address: "h:1", close }
        })
        const node = { address: "h:1", health, dialer: { open: () => opening } }
        // Nothing else of it is looked at.
        const state = {
          followers: new Set(),
          known: Effect.void,
          topology: shards("h:1"),
          masters: [node]
        } as unknown as State
        const subscribers = new Subscribers(state, Context.empty() as never, () => {})
        yield* subscribers.connect("h:1", {})
        assert.deepStrictEqual(closed, [...expected])
      }).pipe(Effect.scoped))
  }
})
