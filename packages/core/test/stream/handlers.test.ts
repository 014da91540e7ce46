/**
 * What handlers of entries are given, on a real server.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisStream } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

describe("A handler of RedisStream.consume", () => {
  it.live("has a scope of its own, which closes before its entry is acknowledged", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make())
      const log: Array<string> = []
      const pending = Effect.map(Effect.orDie(client.execute(Redis.xpending("s", "g"))), ({ pending }) => pending)
      const note = (what: string) => Effect.map(pending, (count) => log.push(`${what}, ${count} pending`))
      yield* client.execute(Redis.xadd("s", { n: "1" }))
      const consumer = RedisStream.consume({ stream: "s", group: "g", consumer: "c", createGroup: "0" }, () =>
        Effect.andThen(
          Effect.acquireRelease(note("acquired"), () =>
            note("released")),
          Effect.forkScoped(Effect.onInterrupt(Effect.never, () => note("child ends")), { startImmediately: true })
        ))
      const fiber = yield* Effect.forkChild(Client.on(client)(consumer))
      yield* until(
        Effect.sync(() =>
          log.length
        ),
        (length) => length > 0
      )
      yield* until(pending, (count) => count === 0)
      assert.deepStrictEqual(log, ["acquired, 1 pending", "child ends, 1 pending", "released, 1 pending"])
      yield* Fiber.interrupt(fiber)
    }))
})
