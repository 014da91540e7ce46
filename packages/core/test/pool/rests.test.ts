/**
 * Connections whose fibers rest between any two steps, while servers and users go on.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisError, RedisPool } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import * as Scope from "effect/Scope"

/** After so many steps a fiber lets others, and the sockets, go on. */
const resting = (steps: number) => Effect.provideService(MaxOpsBeforeYield, steps)

describe("A connection that is opened by a fiber that rests", () => {
  inVirtualTime("keeps nothing of the pool's limit when it is lost meanwhile", () =>
    Effect.gen(function*() {
      for (let steps = 3; steps < 12; steps++) {
        const node = yield* FakeNode.make(({ name }, { index }) =>
          name === "HELLO" && index === 0 ? FakeNode.cutAfter("%0\r\n") : undefined
        )
        const client = yield* resting(steps)(Client.make(node, { clientInfo: false, pool: { max: 2 } }))
        const ping = Effect.scoped(Effect.flatMap(client.reserve, (reserved) => reserved.execute(Redis.ping())))
        yield* Effect.exit(ping)
        assert.strictEqual(yield* Effect.retry(ping, { times: 3 }), true, `${steps} steps`)
      }
    }))
})

describe("A pool that is retired", () => {
  inVirtualTime("while a connection of it is being opened takes nothing any more", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "HELLO" ? [FakeNode.gate(gate), FakeNode.reply("%0\r\n")] : undefined
      )
      const pool = yield* Effect.provide(RedisPool.make({ host: node.host, port: node.port }), NodeRedisConnector.layer)
      const client = yield* pool.client
      const ping = Effect.flip(client.execute(Redis.ping()))
      const waiting = yield* fork(ping)
      yield* node.awaitCommand("HELLO")
      const unsent = { permanent: false, delivery: "not-sent", readonly: false } as const
      yield* pool.retire(new RedisError.ConnectionError({ reason: "Closed", detail: "retired", ...unsent }))
      assert.deepInclude(yield* Fiber.join(waiting), { detail: "retired" })
      yield* Deferred.succeed(gate, undefined)
      yield* node.awaitOpen(0)
      assert.deepInclude(yield* ping, { detail: "retired" })
    }))

  inVirtualTime("tells a caller who begins meanwhile, wherever its fiber rests", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => undefined)
      for (let turns = 0; turns < 60; turns++) {
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(Client.make(node, { clientInfo: false, pool: { max: 2 } }), scope)
        // The one connection that callers have alone is in use, so that the other has to wait.
        yield* Scope.provide(client.reserve, scope)
        const waiting = yield* fork(resting(3)(Effect.flip(Effect.scoped(client.reserve))))
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        const began = yield* Clock.currentTimeMillis
        yield* Scope.close(scope, Exit.void)
        assert.deepInclude(yield* Fiber.join(waiting), { reason: "ClientClosed" }, `after ${turns} turns`)
        assert.isBelow((yield* Clock.currentTimeMillis) - began, 5000)
      }
    }))
})

describe("A caller who asks for a connection as the last one is given back", () => {
  inVirtualTime("gets it, wherever its fiber rests", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => undefined)
      const client = yield* Client.make(node, { clientInfo: false, pool: { max: 2 } })
      for (const steps of [3, 4]) {
        for (let turns = 0; turns < 60; turns++) {
          const scope = yield* Scope.make()
          yield* Scope.provide(client.reserve, scope)
          const waiting = yield* fork(resting(steps)(Effect.exit(Effect.scoped(client.reserve))))
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
          yield* Scope.close(scope, Exit.void)
          assert.isTrue(Exit.isSuccess(yield* Fiber.join(waiting)), `after ${turns} turns of ${steps} steps`)
        }
      }
    }))
})
