import { assert, describe, it } from "@effect/vitest"
import { RedisConnector } from "@redfx/core"
import * as MemorySocket from "@redfx/testing/MemorySocket"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const connector = MemorySocket.layer((written, give) =>
  Effect.sync(() => give(Buffer.from(MemorySocket.textOf(written))))
)

const options: RedisConnector.ConnectOptions = {
  tls: undefined,
  connectTimeout: Duration.seconds(1),
  keepAlive: false,
  keepAliveInitialDelay: Duration.seconds(1)
}

/** A socket that gives back what it is given. */
const open = Effect.gen(function*() {
  const { socket } = yield* RedisConnector.RedisConnector
  const { reader, writer } = yield* socket({ host: "memory", port: 1 }, options)
  const { writeAll } = yield* writer
  const { pull } = yield* reader
  return {
    send: (text: string) => writeAll([text]),
    read: Effect.map(pull, MemorySocket.textOf)
  }
})

describe("A socket in memory", () => {
  it.effect("gives what was for itself, and not for another one of its connector", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* open, yield* open]
      yield* two.send("b")
      yield* one.send("a")
      assert.deepStrictEqual([yield* one.read, yield* two.read], ["a", "b"])
    }).pipe(Effect.scoped, Effect.provide(connector)))

  it.effect("keeps what comes after a reader was interrupted for the next one", () =>
    Effect.gen(function*() {
      const { read, send } = yield* open
      const reading = yield* Effect.forkChild(read, { startImmediately: true })
      yield* Fiber.interrupt(reading)
      yield* send("a")
      // It arrives while nobody reads.
      yield* Effect.promise(() => new Promise((resolve) => void setImmediate(resolve)))
      assert.strictEqual(yield* read, "a")
    }).pipe(Effect.scoped, Effect.provide(connector)))
})
