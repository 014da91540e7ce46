import { assert, describe, it } from "@effect/vitest"
import type { ConnectOptions, Endpoint, Reader, Writer } from "@redfx/core/RedisConnector"
import * as Certificates from "@redfx/testing/Certificates"
import { restingAt } from "@redfx/testing/Resting"
import { until } from "@redfx/testing/Suite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { Scheduler } from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"
import { createHash } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { dial } from "../src/internal/dial.ts"
import type { Inbox } from "../src/internal/inbox.ts"
import * as InboxSocket from "../src/internal/inboxSocket.ts"

const host = "127.0.0.1"

const defaults: ConnectOptions = {
  tls: undefined,
  connectTimeout: Duration.seconds(5),
  keepAlive: true,
  keepAliveInitialDelay: Duration.seconds(30)
}

/** What a server sends, from a byte on: any byte that stands where another should be shows. */
const bytesOf = (seed: number, from: number, length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = (seed * 31 + (from + i) * 7 + ((from + i) >> 8) * 13) & 0xff
  return bytes
}

/** Small replies, long ones, and lengths about the limits at which memory is handed over. */
const lengths = [1, 71, 8191, 8192, 8193, 20_000, 32_768, 65_535, 65_536, 65_537, 200_000]

/** A repeatable series of numbers below a limit. */
const series = (seed: number) => {
  let state = seed
  return (limit: number): number => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    return state % limit
  }
}

/** Sends pieces of any lengths, some of them together and some in turns of their own, and ends. */
const sendPieces = async (socket: Net.Socket, seed: number, pieces: number): Promise<void> => {
  const next = series(seed)
  let sent = 0
  for (let i = 0; i < pieces; i++) {
    const length = lengths[next(lengths.length)] ?? 1
    if (!socket.write(bytesOf(seed, sent, length))) await new Promise((resolve) => socket.once("drain", resolve))
    sent += length
    if (next(3) > 0) await new Promise((resolve) => setImmediate(resolve))
  }
  socket.end()
}

const listen = (certificates: Certificates.Certificates | undefined, onConnection: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
      const sockets: Array<Net.Socket> = []
      const accept = (socket: Net.Socket) => {
        sockets.push(socket)
        socket.on("error", () => {})
        onConnection(socket)
      }
      const server = certificates === undefined
        ? Net.createServer(accept)
        : Tls.createServer({ cert: certificates.server.cert, key: Redacted.value(certificates.server.key) }, accept)
      server.listen({ port: 0, host }, () =>
        resume(Effect.succeed({
          // It listens on TCP.
          port: (server.address() as Net.AddressInfo).port,
          close: () => {
            for (const socket of sockets) socket.destroy()
            server.close()
          }
        })))
    }),
    ({ close }) => Effect.sync(close)
  )

/** How Node.js reads, and how the runtimes do whose sockets do not know `onread`. */
const ways = {
  "into memory of its own": (inbox: Inbox, endpoint: Endpoint, options: ConnectOptions, lookup?: Net.LookupFunction) =>
    dial(endpoint, options, { onread: inbox.onread, lookup }),
  "as a stream": (inbox: Inbox, endpoint: Endpoint, options: ConnectOptions, lookup?: Net.LookupFunction) =>
    Effect.tap(dial(endpoint, options, { lookup }), (socket) => Effect.sync(() => inbox.listen(socket)))
}
type Way = keyof typeof ways

const readerOf = (
  way: Way,
  endpoint: Endpoint,
  options: Partial<ConnectOptions> = {},
  lookup?: Net.LookupFunction,
  onSocket?: (socket: Net.Socket) => void
): Effect.Effect<Reader, Socket.SocketError, Scope.Scope> =>
  InboxSocket.make((inbox) =>
    Effect.tap(
      ways[way](inbox, endpoint, { ...defaults, ...options }, lookup),
      (socket) => Effect.sync(() => onSocket?.(socket))
    )
  ).reader

const pullOf = (...args: Parameters<typeof readerOf>): Effect.Effect<Reader["pull"], Socket.SocketError, Scope.Scope> =>
  Effect.map(readerOf(...args), ({ pull }) => pull)

/** Everything that comes, kept as it came until the end, and how it ended. */
const all = (pull: Socket.Reader["pull"]) =>
  Effect.gen(function*() {
    const chunks: Array<Uint8Array> = []
    const end = yield* Effect.flip(Effect.forever(Effect.map(pull, (came) => {
      for (const chunk of came) {
        assert.isTrue(chunk instanceof Uint8Array)
        chunks.push(chunk as Uint8Array)
      }
    })))
    return { bytes: Buffer.concat(chunks), end }
  })

const assertSent = (seed: number, bytes: Buffer): void => {
  assert.isTrue(bytes.equals(bytesOf(seed, 0, bytes.length)), `other bytes of ${seed} came than were sent`)
}

describe.each(Object.keys(ways) as Array<Way>)("a socket that is read %s", (way) => {
  for (const secure of [false, true]) {
    const over = secure ? "TLS" : "TCP"

    it.live(
      `over ${over} brings all bytes in their order to many sockets at once, whatever comes together`,
      () =>
        Effect.gen(function*() {
          const certificates = yield* Certificates.make
          let seeds = 0
          const sent = new Map<number, number>()
          const server = yield* listen(secure ? certificates : undefined, (socket) => {
            // The seed is the first byte, so that a client knows what it should get.
            socket.once("data", ([seed = 0]: Buffer) => void sendPieces(socket, seed, 40).then(() => sent.set(seed, 1)))
          })
          const options = secure ? { tls: { ca: certificates.ca } } : {}
          yield* Effect.forEach(Array.from({ length: 6 }, () => ++seeds), (seed) =>
            Effect.scoped(Effect.gen(function*() {
              let own: Net.Socket | undefined
              const pull = yield* pullOf(way, { host, port: server.port }, options, undefined, (socket) => own = socket)
              own?.write(Uint8Array.of(seed))
              const { bytes, end } = yield* all(pull)
              assert.isAbove(bytes.length, 1_000_000)
              assertSent(seed, bytes)
              assert.isTrue(end.reason._tag === "SocketCloseError" && end.reason.code === 1000)
            })), { concurrency: "unbounded", discard: true })
          assert.strictEqual(sent.size, 6)
        })
    )

    it.live(`over ${over} says that it is done when nobody reads the memory any more that it was given`, () =>
      Effect.gen(function*() {
        const certificates = yield* Certificates.make
        const came = createHash("sha256")
        let length = 0
        const server = yield* listen(secure ? certificates : undefined, (socket) => {
          socket.on("data", (bytes: Buffer) => {
            came.update(bytes)
            length += bytes.length
            // A peer that reads so slowly that the system takes a part of what is written, or nothing.
            socket.pause()
            setTimeout(() => socket.resume(), length < 4_000_000 ? 2 : 0)
          })
        })
        const options = secure ? { tls: { ca: certificates.ca } } : {}
        const socket = InboxSocket.make((inbox) =>
          ways[way](inbox, { host, port: server.port }, { ...defaults, ...options })
        )
        yield* socket.reader
        const writer: Writer = yield* socket.writer
        const sent = createHash("sha256")
        let total = 0
        let memory = new Uint8Array(60_000)
        let again = 0
        let other = 0
        for (let i = 0; i < 2000; i++) {
          if (writer.done?.() === true) again++
          else {
            other++
            memory = new Uint8Array(60_000)
          }
          const chunk = memory.subarray(0, 1 + i * 7919 % 12_000).fill(i)
          sent.update(chunk)
          total += chunk.length
          yield* writer.writeAll([chunk])
        }
        yield* Effect.sleep(10).pipe(Effect.repeat({ until: () => length === total }))
        assert.strictEqual(came.digest("hex"), sent.digest("hex"))
        assert.isAbove(again, 0)
        assert.isAbove(other, 0)
      }).pipe(Effect.scoped))

    it.live(`over ${over} reads also when the first address of a name refuses`, () =>
      Effect.gen(function*() {
        const certificates = yield* Certificates.make
        const server = yield* listen(secure ? certificates : undefined, (socket) => void sendPieces(socket, 3, 20))
        const pull = yield* pullOf(
          way,
          { host: "redis.test", port: server.port },
          secure ? { tls: { ca: certificates.ca } } : {},
          (_host, _options, done) =>
            done(null, ["127.0.0.2", host].map((address) => ({ address, family: Net.isIP(address) })))
        )
        const { bytes } = yield* all(pull)
        assert.isAbove(bytes.length, 100_000)
        assertSent(3, bytes)
      }))

    it.live(`over ${over} reads no further than its bound while nobody takes what came`, () =>
      Effect.gen(function*() {
        const certificates = yield* Certificates.make
        const total = 32 << 20
        const server = yield* listen(secure ? certificates : undefined, (socket) => {
          socket.end(Buffer.alloc(total, 7))
        })
        let own: Net.Socket | undefined
        const pull = yield* pullOf(
          way,
          { host, port: server.port },
          secure ? { tls: { ca: certificates.ca } } : {},
          undefined,
          (socket) => own = socket
        )
        let before = -1
        // It has stopped when nothing more was read in a while.
        while (own === undefined || own.bytesRead === 0 || before !== own.bytesRead) {
          before = own?.bytesRead ?? 0
          yield* Effect.sleep("100 millis")
        }
        assert.isAbove(before, 0)
        assert.isAtMost(before, 512 * 1024)
        const { bytes } = yield* all(pull)
        assert.strictEqual(bytes.length, total)
        assert.isTrue(bytes.every((byte) => byte === 7))
      }))
  }

  it.live("loses nothing when those who wait for bytes are interrupted", () =>
    Effect.gen(function*() {
      const server = yield* listen(undefined, (socket) => void sendPieces(socket, 5, 80))
      const pull = yield* pullOf(way, { host, port: server.port }, {})
      const chunks: Array<Uint8Array> = []
      const take = Effect.map(pull, (came) => void chunks.push(...came.filter((chunk) => typeof chunk !== "string")))
      for (;;) {
        const waiting = yield* Effect.forkChild(take, { startImmediately: true })
        yield* Effect.yieldNow
        yield* Fiber.interrupt(waiting)
        const exit = yield* Effect.exit(take)
        if (exit._tag === "Failure") break
      }
      assertSent(5, Buffer.concat(chunks))
      assert.isAbove(Buffer.concat(chunks).length, 1_000_000)
    }))

  it.live("is at its end when the peer has hung up before the fiber that dials goes on", () =>
    Effect.gen(function*() {
      const ended = yield* listen(undefined, (socket) => socket.once("data", () => socket.end()))
      const reset = yield* listen(undefined, (socket) => socket.once("data", () => socket.resetAndDestroy()))
      const hungUp = (socket: Net.Socket) =>
        Effect.andThen(
          Effect.sync(() => socket.write("go on")),
          until(Effect.sync(() => socket.closed), (isClosed) => isClosed)
        )
      for (const [{ port }, code] of [[ended, 1000], [reset, 1006]] as const) {
        const { reader, writer } = InboxSocket.make((inbox) =>
          Effect.tap(ways[way](inbox, { host, port }, defaults), hungUp)
        )
        const { pull } = yield* reader
        const { reason } = yield* Effect.flip(pull)
        assert.isTrue(reason._tag === "SocketCloseError" && reason.code === code)
        assert.strictEqual((yield* Effect.flip((yield* writer).write("late"))).reason._tag, "SocketWriteError")
      }
    }))

  it.live("goes on to write where the fiber rested until the socket had taken everything", () =>
    Effect.gen(function*() {
      let received = 0
      const { port } = yield* listen(undefined, (socket) => socket.on("data", ({ length }) => received += length))
      const { reader, writer } = InboxSocket.make((inbox) => ways[way](inbox, { host, port }, defaults))
      yield* reader
      const { writeAll } = yield* writer
      const steps = 10
      for (let step = 1; step <= steps; step++) {
        yield* Effect.provideService(writeAll([new Uint8Array(3_000_000)]), Scheduler, restingAt(step, 20))
      }
      yield* until(Effect.sync(() => received), (count) => count === steps * 3_000_000)
    }))

  it.live("brings what came before the peer hung up, also with a reset, and says how it has ended", () =>
    Effect.gen(function*() {
      const ended = yield* listen(undefined, (socket) => socket.end("last words"))
      const reset = yield* listen(undefined, (socket) => {
        socket.write("last words")
        // It has come when the client says that.
        socket.once("data", () => socket.resetAndDestroy())
      })
      const first = yield* pullOf(way, { host, port: ended.port }, {})
      let own: Net.Socket | undefined
      const second = yield* pullOf(way, { host, port: reset.port }, {}, undefined, (socket) => own = socket)
      yield* until(Effect.sync(() => own?.bytesRead), (length) => length === 10)
      own?.write("go on")
      yield* until(Effect.sync(() => own?.destroyed), (isReset) => isReset === true)
      const hungUp = yield* all(first)
      assert.strictEqual(hungUp.bytes.toString(), "last words")
      assert.strictEqual(hungUp.end.reason._tag, "SocketCloseError")
      const wasReset = yield* all(second)
      assert.strictEqual(wasReset.bytes.toString(), "last words")
      assert.strictEqual(wasReset.end.reason._tag, "SocketReadError")
    }))
})

describe("the memory of a socket", () => {
  it.live("reads into memory again that is given back in time, and never into what somebody keeps", () =>
    Effect.gen(function*() {
      const server = yield* listen(undefined, (socket) => void sendPieces(socket, 9, 200))
      const { pull, release } = yield* readerOf("into memory of its own", { host, port: server.port }, {})
      const next = series(11)
      const kept: Array<{ readonly chunk: Uint8Array; readonly from: number }> = []
      let late: Uint8Array | undefined
      let from = 0
      const end = yield* Effect.flip(Effect.forever(
        Effect.map(pull, (came) => {
          for (const chunk of came) {
            assert.isTrue(chunk instanceof Uint8Array)
            if (typeof chunk === "string") continue
            assert.isTrue(bytesOf(9, from, chunk.length).equals(chunk), `other bytes came at ${from}`)
            // It is too late for what came before: that memory is given back already, or it is kept.
            if (late !== undefined) release?.(late)
            late = undefined
            switch (next(4)) {
              case 0: {
                kept.push({ chunk, from })
                late = next(2) === 0 ? chunk : undefined
                break
              }
              default:
                release?.(chunk)
            }
            from += chunk.length
          }
        }),
        { disableYield: true }
      ))
      assert.strictEqual(end.reason._tag, "SocketCloseError")
      for (const { chunk, from } of kept) assert.isTrue(bytesOf(9, from, chunk.length).equals(chunk), `${from} changed`)
      assert.isAbove(kept.length, 20)
    }))

  it.live("reads many megabytes into little memory when all of it is given back", () =>
    Effect.gen(function*() {
      const total = 32 << 20
      const server = yield* listen(undefined, (socket) => void socket.end(Buffer.alloc(total, 7)))
      const { pull, release } = yield* readerOf("into memory of its own", { host, port: server.port }, {})
      const memories = new Set<ArrayBufferLike>()
      let long = 0
      yield* Effect.flip(Effect.forever(
        Effect.map(pull, (came) => {
          for (const chunk of came) {
            if (typeof chunk === "string" || chunk.length < 8192) continue
            long += chunk.length
            memories.add(chunk.buffer)
            release?.(chunk)
          }
        }),
        { disableYield: true }
      ))
      assert.isAbove(long, total / 2)
      assert.isBelow(memories.size * 64 * 1024, total / 4)
    }))
})
