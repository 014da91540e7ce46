/**
 * What a fiber finds changed when it goes on after a rest, which it may take between any two steps.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Redis from "@redfx/core/Redis"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import type { CommandError } from "@redfx/core/RedisError"
import { ErrorReply } from "@redfx/core/Resp"
import type { Request } from "@redfx/core/unstable/Request"
import type { RedisRouter } from "@redfx/core/unstable/Router"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"
import type { Redirects } from "../src/internal/routing/redirects.ts"
import { reserve } from "../src/internal/routing/reservation.ts"
import { State } from "../src/internal/routing/state.ts"
import type { StateOptions } from "../src/internal/routing/state.ts"
import { Subscribers } from "../src/internal/routing/subscribers.ts"
import { unspent } from "../src/internal/routing/verdictModel.ts"
import { Health } from "../src/internal/topology/health.ts"
import type { Nodes } from "../src/internal/topology/nodes.ts"
import { endpointOf } from "../src/internal/topology/topology.ts"

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
          pool: { router: { reserve: () => Effect.succeed({ submit }) } }
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

describe("A reserved connection whose caller goes away as it is taken", () => {
  it.effect("is the one that the next caller gets, or is given back", () =>
    Effect.gen(function*() {
      for (let after = 0; after < 60; after++) {
        let taken = 0
        const opened = Effect.as(
          Effect.acquireRelease(Effect.sync(() => ++taken), () => Effect.sync(() => --taken)),
          { exclusive: () => Effect.void }
        )
        const node = { address: "n1", health: new Health(), pool: { router: { reserve: () => opened } } }
        // Nothing else of them is looked at.
        const state = { known: Effect.void, topology: undefined } as unknown as State
        const redirects = { masterOf: () => node } as unknown as Redirects
        const router = yield* reserve(state, redirects, {} as RedisRouter)
        const exclusive = Effect.scoped(router.exclusive([Redis.blpop(["k"], 0)], undefined))
        const fiber = yield* Effect.forkChild(exclusive, { startImmediately: true })
        yield* turns(after)
        yield* Fiber.interrupt(fiber)
        yield* exclusive
        assert.strictEqual(taken, 1, `after ${after} turns`)
      }
    }).pipe(Effect.scoped, Effect.provideService(MaxOpsBeforeYield, 3)))
})

describe("A reserved connection that is left for one to another server", () => {
  it.effect("is used by nobody afterwards, whenever that happens", () =>
    Effect.gen(function*() {
      for (let after = 0; after < 30; after++) {
        const used: Array<boolean> = []
        const sent: Array<Request> = []
        const opened = Effect.map(
          Effect.acquireRelease(
            Effect.sync(() => ({ isOpen: true })),
            (connection) => Effect.sync(() => void (connection.isOpen = false))
          ),
          (connection) => {
            const use = Effect.sync(() => void used.push(connection.isOpen))
            const submit = (request: Request) => {
              sent.push(request)
              used.push(connection.isOpen)
            }
            return { submit, exclusive: () => use }
          }
        )
        const node = { address: "n1", health: new Health(), pool: { router: { reserve: () => opened } } }
        // Nothing else of them is looked at.
        const state = {
          known: Effect.void,
          topology: undefined,
          judge: () => ({ next: { _tag: "Again", to: "owner", after: 0, ran: false }, spent: unspent }),
          wait: () => Effect.void
        } as unknown as State
        const redirects = { masterOf: () => node } as unknown as Redirects
        const router = yield* reserve(state, redirects, {} as RedisRouter)
        const request = { leading: Redis.incr("k"), renew: () => {} } as unknown as Request
        router.submit(request)
        yield* turns(60)
        const exclusive = router.exclusive([Redis.blpop(["k"], 0)], undefined)
        yield* Effect.forkChild(exclusive, { startImmediately: true })
        yield* turns(after)
        request.redirector?.onRefusal(request, new ErrorReply("MOVED 1 n2"), "n1")
        yield* turns(90)
        assert.isFalse(used.includes(false), `after ${after} turns: ${used.join()}`)
        assert.isAtLeast(used.length, 2)
      }
    }).pipe(Effect.scoped, Effect.provideService(MaxOpsBeforeYield, 3)))
})

describe("A server that has just learned of a change", () => {
  it.effect("is asked for it, wherever the fiber rests that reads the topology meanwhile", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context()
      for (let after = 0; after < 60; after++) {
        let isChanged = false
        const answers: Record<string, () => unknown> = {
          // The change comes as soon as the server has answered.
          "CLUSTER SLOTS": () => {
            const master = { host: "h", port: isChanged ? 2 : 1, id: "id", metadata: {} }
            isChanged = true
            return [{ start: 0, end: 16_383, master, replicas: [] }]
          },
          "CLUSTER INFO": () => ({ clusterState: "ok", clusterCurrentEpoch: 1 })
        }
        const nodeAt = ({ host, port }: NodeAddress) => ({
          address: `${host}:${port}`,
          endpoint: { host, port },
          health: new Health(),
          isOpen: Effect.succeed(true),
          isIdle: Effect.succeed(true),
          client: { execute: ({ spec }: RedisCommand.Any) => Effect.sync(answers[spec.name]!) }
        })
        // Nothing else of them is looked at.
        const atAddress = (address: string) => nodeAt(endpointOf(address))
        const nodes = { at: nodeAt, atAddress, retain: () => {} } as unknown as Nodes
        const options = {
          translate: Result.succeed,
          startNodes: [{ host: "h", port: 1 }],
          most: 50,
          onEvent: () => {}
        } as unknown as StateOptions
        const clock = yield* Clock.Clock
        const state = new State(nodes, options, clock, (effect) => void Effect.runForkWith(context)(effect))
        yield* Effect.forkChild(state.refresh, { startImmediately: true })
        while (!isChanged) yield* Effect.yieldNow
        yield* turns(after)
        const learning = yield* Effect.forkChild(state.learnFrom("h:1"), { startImmediately: true })
        while (learning.pollUnsafe() === undefined) {
          yield* turns(30)
          yield* TestClock.adjust("50 millis")
        }
        assert.deepStrictEqual(state.topology?.shards.map(({ master }) => master), ["h:2"], `after ${after} turns`)
      }
    }).pipe(Effect.provideService(MaxOpsBeforeYield, 3)))
})

describe("A connection of subscribers", () => {
  const shards = (...masters: ReadonlyArray<string>) => ({
    shards: masters.map((master) => ({ master, replicas: master === "h:2" ? ["h:1"] : [] })),
    ids: new Map()
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
          nodes: { find: () => node },
          topology: shards("h:1"),
          masters: [node]
        } as unknown as State
        const subscribers = new Subscribers(state, Context.empty() as never, () => {})
        yield* subscribers.connect("h:1", {})
        assert.deepStrictEqual(closed, [...expected])
      }).pipe(Effect.scoped))
  }
})
