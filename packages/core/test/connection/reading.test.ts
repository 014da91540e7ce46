/**
 * What a connection keeps of what it has read.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisStandalone } from "@redfx/core"
import { used } from "@redfx/testing/Memory"
import * as MemorySocket from "@redfx/testing/MemorySocket"
import * as Effect from "effect/Effect"

const megabytes = 16

/** Answers ECHO with a list that takes many megabytes, and each command of the handshake with `OK`. */
const answerTo = (text: string): Uint8Array =>
  text.includes("ECHO")
    ? Buffer.from(`*2\r\n$1\r\na\r\n$${megabytes * 1e6}\r\n${"x".repeat(megabytes * 1e6)}\r\n`)
    : Buffer.from("+OK\r\n".repeat(text.split("*").length - 1))

const connector = MemorySocket.layer((written, give) => Effect.sync(() => give(answerTo(MemorySocket.textOf(written)))))

describe("A connection", () => {
  it.live("keeps nothing of what has come when all of it is given", () =>
    Effect.gen(function*() {
      const options = { host: "memory", protocol: 2, clientInfo: false } as const
      const client = yield* Effect.provide(RedisStandalone.make(options), connector)
      const before = yield* used
      assert.isTrue(yield* Effect.map(client.execute(Redis.send("ECHO")), Array.isArray))
      assert.isBelow(yield* used, before + megabytes / 2)
    }).pipe(Effect.scoped))
})
