/**
 * Jobs: with a delay, tried again after a pause, and given up in the end.
 */
import { RedisJobs } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { findRedisServer } from "../scripts/redis-server.ts"

const mails = RedisJobs.make("mails", { payload: Schema.Struct({ to: Schema.String }) })

const program = Effect.gen(function*() {
  yield* mails.enqueue({ to: "ada" })
  yield* mails.enqueue({ to: "bob" }, { delay: "100 millis" })
  yield* mails.enqueue({ to: "nobody" }, { id: "nobody" })
  yield* Console.log("the same once more:", yield* mails.enqueue({ to: "nobody" }, { id: "nobody" }))
  yield* Console.log(yield* mails.counts)

  const worker = yield* Effect.forkChild(
    mails.run(
      { worker: "w1", maxAttempts: 3, pollInterval: "20 millis", backoff: () => "20 millis" },
      ({ attempt, payload: { to } }) =>
        to === "nobody" ? Effect.fail("no such address") : Console.log("mail to", to, "at attempt", attempt)
    )
  )
  for (let counts = yield* mails.counts; counts.dead < 1 || counts.delayed > 0; counts = yield* mails.counts) {
    yield* Effect.sleep("20 millis")
  }
  for (const { attempts, id, reason } of yield* mails.deadLetters()) {
    yield* Console.log("given up:", id, "after", attempts, "attempts:", reason)
  }
  yield* Fiber.interrupt(worker)
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

await Effect.runPromise(Effect.provide(program, client))
