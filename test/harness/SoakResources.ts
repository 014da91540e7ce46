/**
 * Measures what a process holds: memory, fibers, sockets, timers, and connections as the servers see them.
 */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Metric from "effect/Metric"
import process from "node:process"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { outsiders, patiently } from "./SoakDeployment.ts"

/** `heap`: megabytes in use after a collection of garbage. */
export interface Held {
  readonly heap: number
  readonly fibers: number
  readonly sockets: number
  readonly timers: number
}

/** Counts the fibers that were started and have not ended. */
export const fiberCounter = () => {
  let running = 0
  const service: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => void running++,
    recordFiberEnd: () => void running--
  }
  return { service, running: () => running }
}

const collect = (): void => {
  setFlagsFromString("--expose-gc")
  // Every context that is made from now on has this global.
  const gc: unknown = runInNewContext("gc")
  if (typeof gc === "function") gc()
}

/** Measures what is held now, after each server was asked something, so that there is a connection to each. */
export const held = (probes: ReadonlyArray<RedisClient.RedisClient["Service"]>, fibers: () => number) =>
  Effect.gen(function*() {
    yield* Effect.forEach(probes, (probe) => patiently(probe.execute(Redis.ping())), { discard: true })
    // Whatever has just ended is gone after a moment.
    yield* Effect.sleep(200)
    collect()
    const active = process.getActiveResourcesInfo()
    return {
      heap: Math.round(process.memoryUsage().heapUsed / 2 ** 18) / 4,
      fibers: fibers(),
      sockets: active.filter((name) => name === "TCPSocketWrap" || name === "TCPConnectWrap").length,
      timers: active.filter((name) => name === "Timeout").length
    } satisfies Held
  })

/**
 * The resources that there are more of than before. A heap may be somewhat larger, because what is remembered has
 * limits.
 */
export const grown = (before: Held, now: Held): ReadonlyArray<string> =>
  (["fibers", "sockets", "timers"] as const).filter((name) => now[name] > before[name])

/** The connections of a server, without those of other servers and of the observer. */
export const clientIds = (
  probe: RedisClient.RedisClient["Service"]
): Effect.Effect<ReadonlyArray<number>, RedisError.RedisError> =>
  Effect.map(probe.execute(Redis.send("CLIENT LIST")), (list) =>
    String(list).split("\n").flatMap((line) => {
      const fact = (name: string) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? ""
      const isServer = /[MS]/.test(fact("flags")) || fact("name").startsWith("sentinel-")
      return line === "" || isServer || outsiders.has(fact("name")) ? [] : [Number(fact("id"))]
    }))
