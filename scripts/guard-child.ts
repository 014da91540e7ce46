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
import * as RedisPromise from "@redfx/core/RedisPromise"
import * as RedisReply from "@redfx/core/RedisReply"
import * as RedisStandalone from "@redfx/core/RedisStandalone"
import * as RespDecoder from "@redfx/core/RespDecoder"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Session } from "node:inspector/promises"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import { makeMemoryServer, storedValue as value } from "../bench/src/memoryServer.ts"

/** What a command costs. */
export interface Figures {
  readonly getBytes: number
  readonly setBytes: number
  readonly pipelinedBytes: number
  readonly promisedBytes: number
  readonly writes: number
  readonly reads: number
  readonly pendingBytes: number
  readonly discarded: number
  readonly tenured: number
  readonly majors: number
}

/** The line after which V8's trace counts. */
export type Ready = "ready"

/** What is measured, each in a process of its own. */
export type Part = "get" | "set" | "pipeline" | "promise" | "turns" | "pending" | "shapes" | "replies" | "bytes"

const keys = Array.from({ length: 1000 }, (_, index) => `guard:${index}`)

const server = makeMemoryServer()

const client = RedisStandalone.layer({
  host: "memory",
  port: 1,
  commandTimeout: "1 hour",
  livenessTimeout: "1 hour"
}).pipe(Layer.provide(server.connector))

const runtime = ManagedRuntime.make(client)

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

/** So many callers of promises that each get something so often. */
const promises = (count: number, times: number): Program => {
  const redis = RedisPromise.make(client)
  const caller = async (key: string) => {
    for (let i = 0; i < times; i++) await redis.get(key)
  }
  return Effect.promise(() => Promise.all(keys.slice(0, count).map(caller)))
}

const commands = 50_000
const programs = {
  get: fibers(1000, 50, get),
  set: fibers(1000, 50, set),
  pipeline: Effect.repeat(Effect.suspend(() => Redis.pipeline(keys.map((key) => Redis.get(key)))), { times: 49 }),
  promise: promises(1000, 50),
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
  const { reads, writes } = server.counts
  await runtime.runPromise(programs.get)
  return {
    writes: (server.counts.writes - writes) * 1000 / commands,
    reads: (server.counts.reads - reads) * 1000 / commands
  }
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
  server.holding = true
  const waiting = await kept(() => Effect.never)
  return await kept(get) - waiting
}

/** A reply of RESP3 with what replies are made of: pairs, a map, a set. */
const collection = Buffer.from(
  `*102\r\n${"*2\r\n$6\r\nmember\r\n,1.5\r\n".repeat(100)}%1\r\n+a\r\n:1\r\n~1\r\n:1\r\n`
)
const scored = Redis.zrangeWithScores("guard:0", 0, -1).reply
const entries = Redis.xrange("guard:0").reply
const scores = Buffer.from(`*100\r\n${"*2\r\n$6\r\nmember\r\n,1.5\r\n".repeat(100)}`)
const stream = Buffer.from(`*100\r\n${"*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n".repeat(100)}`)

const decode = (chunk: Uint8Array, reply: RedisReply.Reply<unknown, unknown, unknown>): void => {
  for (const value of new RespDecoder.RespDecoder().push(chunk)) reply.decode(value, RedisReply.textView)
}

/**
 * Runs everything until it is compiled, and says between which lines of V8's trace the collection comes that must not throw
 * the code away.
 */
const shapes = async (): Promise<Partial<Figures>> => {
  for (let i = 0; i < 20; i++) {
    for (const program of [programs.get, programs.set, programs.pipeline]) await runtime.runPromise(program)
    for (let j = 0; j < 200; j++) {
      new RespDecoder.RespDecoder().push(collection)
      decode(scores, scored)
      decode(stream, entries)
    }
  }
  console.log("ready" satisfies Ready)
  await collect()
  return {}
}

/** Large replies of records, pairs and entries: what stands before the elements, an element, and the command. */
const large = [
  ["*1000\r\n", "*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n", Redis.xrange("guard:0")],
  ["*1000\r\n", "*2\r\n$6\r\nmember\r\n,1.5\r\n", Redis.zrangeWithScores("guard:0", 0, -1)],
  ["%1000\r\n", "$5\r\nfield\r\n$5\r\nvalue\r\n", Redis.asBytes(Redis.hgetall("guard:0"))],
  ["*1000\r\n", "*2\r\n$5\r\nfield\r\n$5\r\nvalue\r\n", Redis.hrandfieldWithValues("guard:0", 1000)],
  [
    "*1000\r\n",
    "*2\r\n$6\r\nmember\r\n*2\r\n,1.5\r\n,1.5\r\n",
    Redis.geosearchWith("guard:0", {
      fromlonlat: { longitude: 1, latitude: 1 },
      byradius: { radius: 1 },
      withcoord: true
    })
  ]
] as const

/** Reads large replies, of which many are in use at a time. */
const replies = async (): Promise<Partial<Figures>> => {
  // What the modules have made until now does live long.
  await collect()
  console.log("ready" satisfies Ready)
  for (const [head, element, { reply, view }] of large) {
    const chunk = Buffer.from(head + element.repeat(1000))
    const inUse: Array<unknown> = []
    for (let i = 0; i < 600; i++) {
      for (const value of new RespDecoder.RespDecoder().push(chunk)) inUse[i % 20] = reply.decode(value, view)
    }
  }
  return {}
}

/** Reads a gigabyte of values as bytes, of which few are in use at a time. */
const bytes = async (): Promise<Partial<Figures>> => {
  await collect()
  console.log("ready" satisfies Ready)
  const { reply, view } = Redis.asBytes(Redis.get("guard:0"))
  const chunk = Buffer.from(`$${32 * 1024}\r\n${"x".repeat(32 * 1024)}\r\n`)
  // A program holds some memory outside of V8's heap, too.
  const inUse: Array<unknown> = [Buffer.alloc(8 * 1024 * 1024)]
  for (let i = 0; i < 32 * 1024; i++) {
    for (const value of new RespDecoder.RespDecoder().push(chunk)) inUse[i % 20 + 1] = reply.decode(value, view)
    // V8 frees memory between the turns of the event loop.
    if (i % 100 === 0) await delay(0)
  }
  return {}
}

const measure: { readonly [K in Part]: () => Promise<Partial<Figures>> } = {
  get: async () => ({ getBytes: await allocated(programs.get) }),
  set: async () => ({ setBytes: await allocated(programs.set) }),
  pipeline: async () => ({ pipelinedBytes: await allocated(programs.pipeline) }),
  promise: async () => ({ promisedBytes: await allocated(programs.promise) }),
  replies,
  bytes,
  turns,
  pending: async () => ({ pendingBytes: await pendingBytes() }),
  shapes
}

// One of the programs, if any: guard.ts names it.
const sampled = valueOf("--sample")
if (sampled !== undefined) {
  await sample(programs[sampled as keyof typeof programs])
} else {
  // One of them: guard.ts names it.
  const part = valueOf("--part") as Part
  console.log(JSON.stringify(await measure[part]()))
}
process.exit()
