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
 * - `together`: whether it answers all writes of a turn at once, as where it runs only when the client does not.
 */
const makeServer = (
  reply: Uint8Array,
  pieces: (commands: number) => number,
  { broken = Infinity, together = false } = {}
) => {
  const writes: Array<number> = []
  /** What was answered in this turn. */
  const answered: Array<Uint8Array> = []
  const answer = (text: string, give: (piece: Uint8Array) => void): void => {
    const commands = text.split("LRANGE").length - 1
    if (commands > 0) writes.push(commands)
    const handshake = commands > 0 ? 0 : text.split("*").length - 1
    const replies = Buffer.concat([
      ...Array.from({ length: handshake }, () => Buffer.from("+OK\r\n")),
      ...Array.from({ length: commands }, () => reply)
    ])
    if (!together) { for (const piece of cut(replies, pieces(Math.max(1, commands)))) give(piece) }
    else if (answered.push(replies) === 1) setImmediate(() => give(Buffer.concat(answered.splice(0))))
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
const fibers = (
  client: RedisClient.RedisClient["Service"],
  callers: number,
  { key = "list", rounds = 20 }: { readonly key?: string | Uint8Array; readonly rounds?: number } = {}
) =>
  Effect.forEach(
    Array.from({ length: callers }),
    () =>
      Effect.gen(function*() {
        for (let round = 0; round < rounds; round++) {
          assert.deepStrictEqual(yield* client.execute(Redis.lrange(key, 0, -1)), elements)
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
const writesOf = (
  ask: typeof fibers,
  callers: number,
  pieces: (commands: number) => number,
  { together, ...given }: Parameters<typeof fibers>[2] & { readonly together?: boolean } = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const { connector, writes } = makeServer(reply, pieces, { together })
    yield* ask(yield* Effect.provide(RedisStandalone.make(options), connector), callers, given)
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

  it.live("leaves by halves however many callers there are", () =>
    Effect.gen(function*() {
      const writes = yield* writesOf(fibers, 4000, () => 1, { rounds: 3 })
      assert.deepStrictEqual(writes, [4000, 2000, 2000, 2000, 2000])
    }))

  it.live("leaves together where both halves are answered at once, and by halves now and then", () =>
    Effect.gen(function*() {
      const writes = yield* writesOf(fibers, 10, () => 1, { rounds: 1000, together: true })
      const wholes = writes.filter((commands) => commands === 10).length
      assert.isAtLeast(wholes, 950)
      assert.deepStrictEqual(
        writes.filter((commands) => commands !== 10),
        Array.from({ length: 2 * (1000 - wholes) }, () => 5)
      )
      assert.isAbove(writes.lastIndexOf(5), 500)
    }))

  it.live("leaves together where commands are large", () =>
    Effect.gen(function*() {
      const writes = yield* writesOf(fibers, 10, () => 1, { key: new Uint8Array(10_240) })
      assert.deepStrictEqual(writes, Array.from({ length: rounds }, () => 10))
    }))

  for (const kind of ["fibers", "promises"]) {
    it.live(`may be lost with the connection, and the answers that have come are not: 10 ${kind}`, () =>
      Effect.gen(function*() {
        const { connector } = makeServer(reply, () => 1, { broken: 1 })
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
