/**
 * What a GET costs without a socket, beside a bare `Effect.callback` with a finalizer, which is the least that an effect
 * that waits for something can be made of. The two take turns in one process.
 *
 * `node bench/src/inprocess.ts` prints a table; with `--json` the figures, which takes the flags of `withoutCollections`.
 */
import * as Redis from "@redfx/core/Redis"
import type { RedisClient } from "@redfx/core/RedisClient"
import * as RedisStandalone from "@redfx/core/RedisStandalone"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import process from "node:process"
import { output, withoutCollections } from "./costs.ts"
import { smallKeys } from "./data.ts"
import { collectGarbage } from "./garbage.ts"
import { makeMemoryServer, storedValue } from "./memoryServer.ts"
import { pairedRounds, ratios } from "./pairs.ts"
import type { Interval } from "./statistics.ts"
import { interval, median } from "./statistics.ts"

/** What a command costs so many fibers, beside a bare callback. */
export interface InProcess {
  readonly callers: number
  /** Nanoseconds of processor time. */
  readonly bare: Interval
  readonly get: Interval
  /** How many times a callback a GET takes. */
  readonly times: Interval
  readonly bareBytes: number
  readonly getBytes: number
}

type Program = Effect.Effect<unknown, unknown, RedisClient>

/** Callbacks that are answered together in the next turn of the event loop, as replies are. */
const makeCallback = (): Program => {
  let pending: Array<(exit: Exit.Exit<string>) => void> = []
  const flush = () => {
    const all = pending
    pending = []
    const exit = Exit.succeed(storedValue)
    for (const resume of all) resume(exit)
  }
  return Effect.callback<string>((resume) => {
    if (pending.push(resume) === 1) setImmediate(flush)
    return Effect.void
  })
}

const commands = 50_000

const measure = async (): Promise<ReadonlyArray<InProcess>> => {
  const runtime = ManagedRuntime.make(
    RedisStandalone.layer({ host: "memory", port: 1, commandTimeout: "1 hour", livenessTimeout: "1 hour" }).pipe(
      Layer.provide(makeMemoryServer().connector)
    )
  )
  const callback = makeCallback()
  const ways = [() => callback, (caller: number) => Redis.get(smallKeys[caller] ?? "")] as const
  const run = (way: (caller: number) => Program, callers: number) =>
    runtime.runPromise(Effect.forEach(smallKeys.slice(0, callers), (_, caller) =>
      Effect.gen(function*() {
        for (let i = 0; i < commands / callers; i++) yield* way(caller)
      }), { concurrency: "unbounded", discard: true }))
  const sample = async (way: (caller: number) => Program, callers: number) => {
    collectGarbage()
    const [heap, cpu] = [process.memoryUsage().heapUsed, process.cpuUsage()]
    await run(way, callers)
    const { system, user } = process.cpuUsage(cpu)
    return {
      nanoseconds: (user + system) * 1000 / commands,
      bytes: (process.memoryUsage().heapUsed - heap) / commands
    }
  }
  const results: Array<InProcess> = []
  for (const callers of [50, 1000]) {
    for (const way of [...ways, ...ways]) for (let i = 0; i < 8; i++) await run(way, callers)
    // The GET is what is compared with, so that the ratio says how many times the callback it takes.
    const { base, others: [pairs = []] } = await pairedRounds(
      2,
      20,
      (index) => sample(ways[1 - index] ?? ways[0], callers)
    )
    results.push({
      callers,
      bare: interval(pairs.map(({ own }) => own.nanoseconds)),
      get: interval(base.map(({ nanoseconds }) => nanoseconds)),
      times: interval(ratios(pairs, ({ nanoseconds }) => nanoseconds)),
      bareBytes: median(pairs.map(({ own }) => own.bytes)),
      getBytes: median(base.map(({ bytes }) => bytes))
    })
  }
  return results
}

/** Measures in a process of its own, in which nothing is collected meanwhile. */
export const measureInProcess = async (): Promise<ReadonlyArray<InProcess>> =>
  // What this file prints below.
  JSON.parse(await output(process.execPath, [...withoutCollections, import.meta.filename, "--json"])) as ReadonlyArray<
    InProcess
  >

if (import.meta.main) {
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify(await measure()))
    process.exit(0)
  }
  const { inProcessTable } = await import("./report.ts")
  console.log(inProcessTable(await measureInProcess()))
}
