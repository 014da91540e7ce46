/** A server in memory: what a client costs without a socket, and without anybody else in the way. */
import * as RedisConnector from "@redfx/core/RedisConnector"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Socket from "effect/socket/Socket"

/** The value of every key. */
export const storedValue = "x".repeat(64)

const ofGet = Buffer.from(`$64\r\n${storedValue}\r\n`)
const ofSet = Buffer.from("+OK\r\n")
const ofHello = Buffer.from(
  "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n"
)

/** A server in memory. */
export interface MemoryServer {
  readonly connector: Layer.Layer<RedisConnector.RedisConnector>
  /** How often the client has written, and how often it was given something to read. */
  readonly counts: { writes: number; reads: number }
  /** Whether it keeps its answers back. */
  holding: boolean
}

/** What Node reads at once. */
const readSize = 64 * 1024

type Batch = readonly [Uint8Array, ...Array<Uint8Array>]

/** Makes a server that answers GET with {@link storedValue}, HELLO as Redis does, and everything else with OK. */
export const makeMemoryServer = (): MemoryServer => {
  const server: MemoryServer = {
    connector: Layer.succeed(RedisConnector.RedisConnector)({ socket: () => Effect.sync(() => socket(server)) }),
    counts: { writes: 0, reads: 0 },
    holding: false
  }
  return server
}

/** The two ends of a connection. It allocates nothing for a command, but a buffer for the replies to a write. */
const socket = (server: MemoryServer): Socket.Socket => {
  let inbox: Array<Uint8Array> = []
  let waiting: ((batch: Effect.Effect<Batch>) => void) | undefined = undefined
  const handOver = () => {
    const resume = waiting
    if (resume === undefined || inbox.length === 0) return
    const all = Buffer.concat(inbox)
    waiting = undefined
    inbox = all.length > readSize ? [all.subarray(readSize)] : []
    server.counts.reads++
    resume(Effect.succeed([all.subarray(0, readSize)]))
  }
  const answer = (chunk: Uint8Array) => {
    const replies = server.holding ? undefined : repliesTo(chunk)
    if (replies === undefined) return
    inbox.push(replies)
    setImmediate(handOver)
  }
  const pull = Effect.callback<Batch>((resume) => {
    waiting = resume
    handOver()
  })
  const bytes = (chunk: Uint8Array | string) => typeof chunk === "string" ? Buffer.from(chunk) : chunk
  return Socket.make({
    reader: Effect.succeed({ pull, upgrade: () => Effect.void }),
    writer: Effect.succeed({
      write: (chunk) =>
        Effect.sync(() => chunk instanceof Uint8Array || typeof chunk === "string" ? answer(bytes(chunk)) : undefined),
      writeAll: (chunks) =>
        Effect.sync(() => {
          server.counts.writes++
          // A command may lie in two chunks, but not in two writes.
          answer(chunks.length === 1 ? bytes(chunks[0]) : Buffer.concat(chunks.map(bytes)))
        })
    })
  })
}

/** The replies to whole commands, found by their lengths. */
const repliesTo = (chunk: Uint8Array): Uint8Array => {
  const replies: Array<Buffer> = replyLists
  replies.length = 0
  let at = 0
  const number = (): number => {
    let result = 0
    for (at++; at < chunk.length && chunk[at] !== 0x0d; at++) result = result * 10 + chunk[at]! - 0x30
    at += 2
    return result
  }
  while (at < chunk.length) {
    const words = number()
    for (let word = 0; word < words; word++) {
      const length = number()
      if (word === 0) replies.push(chunk[at] === 0x47 ? ofGet : chunk[at] === 0x48 ? ofHello : ofSet)
      at += length + 2
    }
  }
  return Buffer.concat(replies)
}

const replyLists: Array<Buffer> = []
