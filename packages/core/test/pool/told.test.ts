/**
 * What a client tells of its connections.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisConfig } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Connection from "@redfx/core/unstable/Connection"
import { NodeRedisConnector } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { clientOf, makeFrom } from "../../src/internal/client/pool.ts"

describe("A connection", () => {
  const uses: Record<string, Effect.Effect<unknown, unknown, RedisClient.RedisClient>> = {
    "of commands": Redis.get("k"),
    "of subscriptions": Stream.runDrain(Redis.subscribe("news")),
    "of a feed": Stream.runDrain(Redis.monitor())
  }
  for (const [name, use] of Object.entries(uses)) {
    inVirtualTime(
      `${name} that is told of when its fiber is interrupted is also told of when it ends`,
      () =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(() => undefined)
          const settings = yield* RedisConfig.settings({})
          const told: Array<string> = []
          const opened = yield* Deferred.make<void>()
          const scope = yield* Scope.make()
          const dialer = Connection.dialerAt({ host: node.host, port: node.port }, settings)
          const pool = yield* makeFrom(dialer, settings, ({ _tag }) => {
            told.push(_tag)
            if (_tag !== "Connected") return
            Fiber.getCurrent()?.interruptUnsafe()
            Deferred.doneUnsafe(opened, Exit.void)
          }).pipe(Scope.provide(scope), Effect.provide(NodeRedisConnector.layer))
          const client = yield* Scope.provide(clientOf(pool.router, settings), scope)
          const using = yield* fork(Client.on(client)(use))
          yield* Deferred.await(opened)
          yield* Scope.close(scope, Exit.void)
          yield* Fiber.await(using)
          assert.deepStrictEqual(told, ["Connected", "Disconnected"])
        })
    )
  }
})
