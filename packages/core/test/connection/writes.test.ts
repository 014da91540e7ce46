/**
 * How often a connection writes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisConnector, RedisStandalone } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Socket from "effect/socket/Socket"

type Chunks = readonly [Uint8Array, ...Array<Uint8Array>]

/** Cuts bytes into so many pieces, so that only the last ends where a reply does. */
const cut = (bytes: Uint8Array, pieces: number): ReadonlyArray<Uint8Array> => {
  const size = Math.floor(bytes.length / pieces) + 1
  return Array.from({ length: pieces }, (_, index) => bytes.slice(index * size, (index + 1) * size))
}

/**
 * A server in memory. What it answers to one write comes in a piece for each command, each in a task of its own, and all within one
 * turn of the event loop.
 */
const makeServer = (reply: Uint8Array) => {
  const counts = { commands: 0, writes: 0 }
  const arrived: Array<Uint8Array> = []
  let waiting: ((chunks: Effect.Effect<Chunks>) => void) | undefined = undefined
  const handOver = (): void => {
    const resume = waiting
    const piece = arrived[0]
    if (resume === undefined || piece === undefined) return
    waiting = undefined
    arrived.shift()
    resume(Effect.succeed([piece]))
  }
  const answer = (chunks: ReadonlyArray<Uint8Array | string>): void => {
    const text = chunks.map((chunk) => typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()).join("")
    const commands = text.split("LRANGE").length - 1
    if (commands > 0) counts.writes++
    counts.commands += commands
    const handshake = commands > 0 ? 0 : text.split("*").length - 1
    const replies = Buffer.concat([
      ...Array.from({ length: handshake }, () => Buffer.from("+OK\r\n")),
      ...Array.from({ length: commands }, () => reply)
    ])
    for (const piece of cut(replies, Math.max(1, commands))) {
      arrived.push(piece)
      setImmediate(handOver)
    }
  }
  const socket = Socket.make({
    reader: Effect.succeed({
      pull: Effect.callback<Chunks>((resume) => {
        waiting = resume
      }),
      upgrade: () => Effect.void
    }),
    writer: Effect.succeed({
      write: () => Effect.void,
      writeAll: (chunks) => Effect.sync(() => answer(chunks))
    })
  })
  const connector = Layer.succeed(RedisConnector.RedisConnector)({ socket: () => Effect.succeed(socket) })
  return { connector, counts }
}

describe("What callers send while a reply is on its way", () => {
  for (const callers of [1, 10]) {
    it.live(`leaves in one write a turn of the event loop, with ${callers} callers`, () =>
      Effect.gen(function*() {
        const rounds = 20
        const elements = Array.from({ length: 5 }, (_, index) => `element ${index}`)
        const { connector, counts } = makeServer(
          Buffer.from(`*5\r\n${elements.map((element) => `$9\r\n${element}\r\n`).join("")}`)
        )
        const client = yield* Effect.provide(
          RedisStandalone.make({ host: "memory", protocol: 2, clientInfo: false }),
          connector
        )
        const once = client.execute(Redis.lrange("list", 0, -1))
        yield* Effect.forEach(
          Array.from({ length: callers }),
          () =>
            Effect.gen(function*() {
              for (let round = 0; round < rounds; round++) assert.deepStrictEqual(yield* once, elements)
            }),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(counts, { commands: callers * rounds, writes: rounds })
      }).pipe(Effect.scoped))
  }
})
