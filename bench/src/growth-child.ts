/**
 * One size of one dimension in a process of its own; prints what an operation costs as JSON.
 *
 * Arguments: dimension, size, ports. To be run with the flags of `withoutCollections`.
 */
import { Redis, RedisStandalone } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { once } from "node:events"
import { connect } from "node:net"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import { smallKeys } from "./data.ts"
import { collectGarbage } from "./garbage.ts"
import type { Dimension } from "./growth.ts"
import { makeMemoryServer } from "./memoryServer.ts"
import { encode, untilSubscribed } from "./raw.ts"
import { message } from "./receiver.ts"
import { median } from "./statistics.ts"

/** What an operation costs: a command, or a message that is received. */
export interface Sample {
  /** A second. */
  readonly rate: number
  /** Microseconds of processor time of the client's process. */
  readonly cpu: number
  /** Bytes allocated on the heap. */
  readonly bytes: number
  /** Bytes that are kept for each of what grows while it is there. */
  readonly kept: number
}

type Runtime = ManagedRuntime.ManagedRuntime<RedisClient.RedisClient, RedisError.RedisError>

const host = "127.0.0.1"

const memory = async (): Promise<number> => {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await delay(10)
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** What an operation costs when `run` does `operations` of them: the median of several times, after as many for the compiler. */
async function cost(operations: number, run: () => Promise<unknown>): Promise<Omit<Sample, "kept">> {
  const samples: Array<Omit<Sample, "kept">> = []
  for (let i = 0; i < 6; i++) await run()
  for (let i = 0; i < 5; i++) {
    collectGarbage()
    const [heap, cpu, start] = [process.memoryUsage().heapUsed, process.cpuUsage(), performance.now()]
    await run()
    const seconds = (performance.now() - start) / 1000
    const { system, user } = process.cpuUsage(cpu)
    samples.push({
      rate: operations / seconds,
      cpu: (user + system) / operations,
      bytes: (process.memoryUsage().heapUsed - heap) / operations
    })
  }
  return {
    rate: median(samples.map(({ rate }) => rate)),
    cpu: median(samples.map(({ cpu }) => cpu)),
    bytes: median(samples.map(({ bytes }) => bytes))
  }
}

const get = (fiber: number) => Redis.get(smallKeys[fiber % smallKeys.length] ?? "")

/** So many fibers that run GET again and again, all together at least as often as it takes to measure. */
const load = (fibers: number) => {
  const each = Math.max(1, Math.ceil((fibers === 1 ? 3_000 : 30_000) / fibers))
  const program = Effect.forEach(
    Array.from({ length: fibers }, (_, index) => index),
    (fiber) =>
      Effect.gen(function*() {
        for (let i = 0; i < each; i++) yield* get(fiber)
      }),
    { concurrency: "unbounded", discard: true }
  )
  return { program, operations: each * fibers }
}

const makeRuntime = (layer: Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>): Runtime =>
  ManagedRuntime.make(layer)

/** Fibers share one connection; what is kept is that of a fiber whose command waits for its answer. */
async function fibers(size: number, port: number): Promise<Sample> {
  const runtime = makeRuntime(NodeRedisClient.layer({ host, port }))
  const { operations, program } = load(size)
  const costs = await cost(operations, () => runtime.runPromise(program))
  const server = makeMemoryServer()
  const silent = makeRuntime(Layer.provide(RedisStandalone.layer({ host, port }), server.connector))
  await silent.runPromise(get(0))
  server.holding = true
  const idle = await memory()
  silent.runFork(program)
  await delay(50)
  return { ...costs, kept: (await memory() - idle) / size }
}

/** 1000 fibers over so many connections, on one server or on the nodes of a cluster. */
async function connections(size: number, make: () => Runtime): Promise<Sample> {
  // Loads the code, so that it is not counted below.
  const other = make()
  await other.runPromise(get(0))
  await other.dispose()
  const before = await memory()
  const runtime = make()
  const { operations, program } = load(1000)
  await runtime.runPromise(program)
  const kept = (await memory() - before) / size
  return { ...await cost(operations, () => runtime.runPromise(program)), kept }
}

const window = 1000

/** Messages to so many channels in turn, of which one stream has all, or each has its own. */
async function channels(size: number, port: number, areSeparate: boolean): Promise<Sample> {
  const runtime = makeRuntime(NodeRedisClient.layer({ host, port }))
  await runtime.runPromise(Redis.ping())
  const names = Array.from({ length: size }, (_, index) => `bench:channel:${process.pid}:${index}`)
  let left = 0
  let arrived = (): void => {}
  const consume = (channels: ReadonlyArray<string>) =>
    Stream.runForEachArray(Redis.subscribe(channels), (all) =>
      Effect.sync(() => {
        left -= all.length
        if (left === 0) arrived()
      }))
  const subscriber = areSeparate
    ? Effect.forEach(names, (name) => consume([name]), { concurrency: "unbounded", discard: true })
    : consume(names)
  const before = await memory()
  void runtime.runPromise(subscriber).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
  await untilSubscribed({ host, port }, names.at(-1) ?? "")
  await delay(50)
  const kept = (await memory() - before) / size
  const publisher = connect(port, host)
  await once(publisher, "connect")
  publisher.write(encode(["CLIENT", "REPLY", "OFF"]))
  // Over all channels, in steps that meet every one of them in the end.
  let at = 0
  const publish = () => {
    const commands: Array<Buffer> = []
    for (let i = 0; i < window; i++) commands.push(encode(["PUBLISH", names[at++ % size] ?? "", message]))
    return Buffer.concat(commands)
  }
  const windows = Array.from({ length: 10 }, publish)
  const run = async () => {
    for (const bytes of windows) {
      const { promise, resolve } = Promise.withResolvers<void>()
      left = window
      arrived = resolve
      publisher.write(bytes)
      await promise
    }
  }
  return { ...await cost(windows.length * window, run), kept }
}

async function measure(dimension: Dimension, size: number, ports: ReadonlyArray<number>): Promise<Sample> {
  const [port = 0, ...others] = ports
  switch (dimension) {
    case "fibers":
      return fibers(size, port)
    case "connections":
      return connections(
        size,
        () => makeRuntime(NodeRedisClient.layer({ host, port, pool: { shared: size, max: size + 1 } }))
      )
    case "nodes": {
      const nodes = [{ host, port }, ...others.map((port) => ({ host, port }))] as const
      return connections(size, () => makeRuntime(NodeRedisClient.layerCluster({ nodes })))
    }
    case "channels":
    case "streams":
      return channels(size, port, dimension === "streams")
  }
}

const [dimension = "", size = "", ...ports] = process.argv.slice(2)
// `growth.ts` passes one of its own.
console.log(JSON.stringify(await measure(dimension as Dimension, Number(size), ports.map(Number))))
process.exit()
