/**
 * How often a connection writes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient, RedisPromise, RedisStandalone } from "@redfx/core"
import * as MemorySocket from "@redfx/testing/MemorySocket"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Socket from "effect/socket/Socket"

/** Cuts bytes into so many pieces, so that only the last ends where a reply does. */
const cut = (bytes: Uint8Array, pieces: number): ReadonlyArray<Uint8Array> => {
  const size = Math.floor(bytes.length / pieces) + 1
  return Array.from({ length: pieces }, (_, index) => bytes.slice(index * size, (index + 1) * size))
}

/**
 * A server in memory. What it answers to one write comes in pieces, each in a task of its own, and all within one turn of the event
 * loop. `writes` are the numbers of commands that came in one.
 *
 * - `broken`: the number of writes after which the socket takes no more.
 */
const makeServer = (reply: Uint8Array, pieces: (commands: number) => number, broken = Infinity) => {
  const writes: Array<number> = []
  const answer = (text: string, give: (piece: Uint8Array) => void): void => {
    const commands = text.split("LRANGE").length - 1
    if (commands > 0) writes.push(commands)
    const handshake = commands > 0 ? 0 : text.split("*").length - 1
    const replies = Buffer.concat([
      ...Array.from({ length: handshake }, () => Buffer.from("+OK\r\n")),
      ...Array.from({ length: commands }, () => reply)
    ])
    for (const piece of cut(replies, pieces(Math.max(1, commands)))) give(piece)
  }
  const connector = MemorySocket.layer((written, give) =>
    writes.length < broken
      ? Effect.sync(() => answer(MemorySocket.textOf(written), give))
      : Effect.fail(brokenPipe)
  )
  return { connector, writes }
}

const brokenPipe = new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause: new Error("broken pipe") }) })

const rounds = 20
const elements = Array.from({ length: 5 }, (_, index) => `element ${index}`)
const reply = Buffer.from(`*5\r\n${elements.map((element) => `$9\r\n${element}\r\n`).join("")}`)

/** Callers who ask again as soon as they are answered. */
const fibers = (client: RedisClient.RedisClient["Service"], callers: number) =>
  Effect.forEach(
    Array.from({ length: callers }),
    () =>
      Effect.gen(function*() {
        for (let round = 0; round < rounds; round++) {
          assert.deepStrictEqual(yield* client.execute(Redis.lrange("list", 0, -1)), elements)
        }
      }),
    { concurrency: "unbounded", discard: true }
  )

/** The same with promises, which go on in a task of their own. */
const promises: typeof fibers = (client, callers) =>
  Effect.promise(async () => {
    const redis = RedisPromise.make(Layer.succeed(RedisClient.RedisClient)(client))
    await Promise.all(Array.from({ length: callers }, async () => {
      for (let round = 0; round < rounds; round++) {
        assert.deepStrictEqual(await redis.lrange("list", 0, -1), elements)
      }
    }))
    await redis.close()
  })

/** How many commands leave in each write. */
const writesOf = (ask: typeof fibers, callers: number, pieces: (commands: number) => number) =>
  Effect.scoped(Effect.gen(function*() {
    const { connector, writes } = makeServer(reply, pieces)
    yield* ask(yield* Effect.provide(RedisStandalone.make(options), connector), callers)
    return writes
  }))

const options = { host: "memory", protocol: 2, clientInfo: false } as const

describe("What callers send", () => {
  for (const [kind, ask] of Object.entries({ fibers, promises })) {
    for (const callers of [1, 2, 3, 10]) {
      it.live(`leaves when half of what was in flight is answered, also within a chunk: ${callers} ${kind}`, () =>
        Effect.gen(function*() {
          const writes = yield* writesOf(ask, callers, () => 1)
          const halves = [Math.ceil(callers / 2), Math.floor(callers / 2)].filter((count) => count > 0)
          assert.deepStrictEqual(writes, [callers, ...Array.from({ length: rounds - 1 }, () => halves).flat()])
        }))

      it.live(`leaves in few writes while a reply is on its way: ${callers} ${kind}`, () =>
        Effect.gen(function*() {
          const writes = yield* writesOf(ask, callers, (commands) => commands)
          // Who has got the last answer of a half with a promise asks too late to leave with that half.
          const most = ask === promises ? 3 : 2
          assert.isAtMost(writes.length, callers === 1 ? rounds : most * rounds)
          assert.strictEqual(writes.reduce((sum, commands) => sum + commands, 0), callers * rounds)
        }))
    }
  }

  for (const kind of ["fibers", "promises"]) {
    it.live(`may be lost with the connection, and the answers that have come are not: 10 ${kind}`, () =>
      Effect.gen(function*() {
        const { connector } = makeServer(reply, () => 1, 1)
        const client = yield* Effect.provide(RedisStandalone.make(options), connector)
        // It is not repeated, and answered like any other.
        const ask = client.execute(Redis.send("INCR", "LRANGE"))
        const first = kind === "fibers" ? ask : Effect.promise(() => Effect.runPromise(ask))
        const askTwice = Effect.tap(first, () => Effect.forkScoped(Effect.exit(ask), { startImmediately: true }))
        const answers = yield* Effect.forEach(Array.from({ length: 10 }), () => Effect.exit(askTwice), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(answers, Array.from({ length: 10 }, () => Exit.succeed(elements)))
      }).pipe(Effect.scoped))
  }
})
