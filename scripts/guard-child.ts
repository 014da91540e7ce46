/**
 * Measures what a command costs over a connector in memory, for `guard.ts`, and
 * prints the figures as JSON. Run it with the flags that stand there: a collection
 * in between would falsify the figures.
 *
 * - `--part get`: what to measure, a {@link Part}.
 * - `--sample get`: prints instead which functions allocate, in bytes a command.
 * - `--hold`: keeps the commands pending until the process is ended.
 */
import * as Redis from "@redfx/core/Redis"
import type { RedisClient } from "@redfx/core/RedisClient"
import * as RedisConnector from "@redfx/core/RedisConnector"
import * as RedisStandalone from "@redfx/core/RedisStandalone"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Socket from "effect/socket/Socket"
import { Session } from "node:inspector/promises"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"

/** What a command costs. */
export interface Figures {
  readonly getBytes: number
  readonly setBytes: number
  readonly pipelinedBytes: number
  readonly writes: number
  readonly reads: number
  readonly pendingBytes: number
}

/** What is measured, each in a process of its own. */
export type Part = "get" | "set" | "pipeline" | "turns" | "pending"

const value = "x".repeat(64)
const keys = Array.from({ length: 1000 }, (_, index) => `guard:${index}`)

// -----------------------------------------------------------------------------
// A server in memory
// -----------------------------------------------------------------------------

const ofGet = Buffer.from(`$64\r\n${value}\r\n`)
const ofSet = Buffer.from("+OK\r\n")
const ofHello = Buffer.from(
  "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n"
)

/** How often the client has written, and how often it was given something to read. */
const counts = { writes: 0, reads: 0 }
/** Whether the server keeps its answers back. */
let holding = false

/** What Node reads at once. */
const readSize = 64 * 1024

type Batch = readonly [Uint8Array, ...Array<Uint8Array>]

/** The two ends of a connection. It allocates nothing for a command, but a buffer for the replies to a write. */
const socket = (): Socket.Socket => {
  let inbox: Array<Uint8Array> = []
  let waiting: ((batch: Effect.Effect<Batch>) => void) | undefined = undefined
  const handOver = () => {
    const resume = waiting
    if (resume === undefined || inbox.length === 0) return
    const all = Buffer.concat(inbox)
    waiting = undefined
    inbox = all.length > readSize ? [all.subarray(readSize)] : []
    counts.reads++
    resume(Effect.succeed([all.subarray(0, readSize)]))
  }
  const answer = (chunk: Uint8Array) => {
    const replies = holding ? undefined : repliesTo(chunk)
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
          counts.writes++
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

const runtime = ManagedRuntime.make(
  RedisStandalone.layer({ host: "memory", port: 1, commandTimeout: "1 hour", livenessTimeout: "1 hour" }).pipe(
    Layer.provide(Layer.succeed(RedisConnector.RedisConnector)({ socket: () => Effect.sync(socket) }))
  )
)

// -----------------------------------------------------------------------------
// Measuring
// -----------------------------------------------------------------------------

type Program = Effect.Effect<unknown, unknown, RedisClient>

/** So many fibers that each run something so often. */
const fibers = (count: number, times: number, program: (fiber: number) => Program): Program =>
  Effect.forEach(
    keys.slice(0, count),
    (_, fiber) =>
      Effect.gen(function*() {
        for (let i = 0; i < times; i++) yield* program(fiber)
      }),
    { concurrency: "unbounded", discard: true }
  )

// In range: there are as many keys as fibers at the most.
const get = (fiber: number): Program => Redis.get(keys[fiber]!)
const set = (fiber: number): Program => Redis.set(keys[fiber]!, value)
const nothing = (): Program => Effect.void

const commands = 50_000
const programs = {
  get: fibers(1000, 50, get),
  set: fibers(1000, 50, set),
  pipeline: Effect.repeat(Effect.suspend(() => Redis.pipeline(keys.map((key) => Redis.get(key)))), { times: 49 }),
  nothing: fibers(1000, 50, nothing)
} satisfies Record<string, Program>

/** What it allocates, in bytes a command: the median of several rounds, as in one of them something may be collected. */
const allocated = async (program: Program): Promise<number> => {
  for (let i = 0; i < 12; i++) await runtime.runPromise(program)
  const rounds: Array<number> = []
  for (let i = 0; i < 7; i++) {
    await collect()
    const before = process.memoryUsage().heapUsed
    await runtime.runPromise(program)
    rounds.push((process.memoryUsage().heapUsed - before) / commands)
  }
  // In range: there is a round.
  return rounds.sort((a, b) => a - b)[rounds.length >> 1]!
}

/** Collects until there is nothing left to collect. */
const collect = async (): Promise<void> => {
  const gc: unknown = Reflect.get(globalThis, "gc")
  if (typeof gc !== "function") throw new Error("To be run with the flags that guard.ts has")
  for (let i = 0; i < 3; i++) {
    Reflect.apply(gc, undefined, [])
    await delay(10)
  }
}

/** Writes and reads for a thousand commands, given by as many fibers again and again. */
const turns = async (): Promise<Pick<Figures, "writes" | "reads">> => {
  await runtime.runPromise(programs.get)
  const { reads, writes } = counts
  await runtime.runPromise(programs.get)
  return { writes: (counts.writes - writes) * 1000 / commands, reads: (counts.reads - reads) * 1000 / commands }
}

/** Bytes that so many fibers keep alive that wait for something. */
const kept = async (program: (fiber: number) => Program): Promise<number> => {
  const count = 20_000
  await collect()
  const before = process.memoryUsage().heapUsed
  const fiber = runtime.runFork(
    Effect.forEach(Array.from({ length: count }), (_, index) => program(index % keys.length), {
      concurrency: "unbounded",
      discard: true
    })
  )
  await delay(50)
  await collect()
  const bytes = (process.memoryUsage().heapUsed - before) / count
  if (process.argv.includes("--hold")) await new Promise(() => {})
  fiber.interruptUnsafe()
  await collect()
  return bytes
}

/** Prints which functions allocate. */
const sample = async (program: Program): Promise<void> => {
  for (let i = 0; i < 12; i++) await runtime.runPromise(program)
  await collect()
  const session = new Session()
  session.connect()
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: 512,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true
  })
  await runtime.runPromise(program)
  const { profile } = await session.post("HeapProfiler.stopSampling")
  const bytes = new Map<string, number>()
  const add = ({ callFrame, children, selfSize }: typeof profile.head): void => {
    const place = `${callFrame.functionName} ${callFrame.url.split("/").slice(-3).join("/")}:${
      callFrame.lineNumber + 1
    }`
    bytes.set(place, (bytes.get(place) ?? 0) + selfSize)
    for (const child of children) add(child)
  }
  add(profile.head)
  for (const [place, size] of [...bytes].sort((a, b) => b[1] - a[1]).slice(0, 25)) {
    console.log(`${(size / commands).toFixed(0).padStart(5)}  ${place}`)
  }
}

const valueOf = (option: string): string | undefined => {
  const at = process.argv.indexOf(option)
  return at < 0 ? undefined : process.argv[at + 1]
}

const pendingBytes = async (): Promise<number> => {
  holding = true
  const waiting = await kept(() => Effect.never)
  return await kept(get) - waiting
}

const measure: { readonly [K in Part]: () => Promise<Partial<Figures>> } = {
  get: async () => ({ getBytes: await allocated(programs.get) }),
  set: async () => ({ setBytes: await allocated(programs.set) }),
  pipeline: async () => ({ pipelinedBytes: await allocated(programs.pipeline) }),
  turns,
  pending: async () => ({ pendingBytes: await pendingBytes() })
}

const sampled = valueOf("--sample")
if (sampled !== undefined) {
  await sample(sampled === "set" ? programs.set : sampled === "pipeline" ? programs.pipeline : programs.get)
} else {
  // One of them: guard.ts names it.
  const part = valueOf("--part") as Part
  console.log(JSON.stringify(await measure[part]()))
}
process.exit()
