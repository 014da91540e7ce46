/** What servers see of each client meanwhile: its connections, and how often it asks for the topology. */
import { Redis } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Server } from "./faults.ts"

interface Seen {
  /** The most connections at a time, over all servers together. */
  readonly connections: (name: string) => number
  /** How often CLUSTER SLOTS, SHARDS and NODES were asked. */
  readonly readings: (name: string) => number
}

const readings: ReadonlySet<string> = new Set(["SLOTS", "SHARDS", "NODES"])

/** Looks at the servers until the scope closes; one that is down or stands still is left out meanwhile. */
export const observe = Effect.fnUntraced(function*(servers: ReadonlyArray<Server>) {
  const names = new Map<string, string>()
  const asked = new Map<string, number>()
  const open = new Map<Server, ReadonlyMap<string, number>>()
  const most = new Map<string, number>()

  const list = (server: Server) =>
    Effect.map(Redis.clientList(), (clients) => {
      const counts = new Map<string, number>()
      for (const { addr, name } of clients) {
        names.set(addr, name)
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
      open.set(server, counts)
      for (const name of counts.keys()) {
        const all = [...open.values()].reduce((sum, each) => sum + (each.get(name) ?? 0), 0)
        most.set(name, Math.max(most.get(name) ?? 0, all))
      }
    }).pipe(
      Effect.tapError(() => Effect.sync(() => open.delete(server))),
      Effect.ignore,
      Effect.repeat(Schedule.spaced("100 millis"))
    )

  const commands = Stream.runForEach(
    Redis.monitor({ onFull: "dropOldest" }),
    ({ args, clientAddress, clientPort }) =>
      Effect.sync(() => {
        if (args[0]?.toUpperCase() !== "CLUSTER" || !readings.has(args[1]?.toUpperCase() ?? "")) return
        const name = `${clientAddress}:${clientPort}`
        asked.set(name, (asked.get(name) ?? 0) + 1)
      })
  ).pipe(Effect.retry(Schedule.spaced("200 millis")), Effect.ignore)

  for (const server of servers) {
    const layer = NodeRedisClient.layer({
      host: server.host,
      port: server.port,
      commandTimeout: "1 second",
      clientName: "chaos"
    })
    yield* Effect.forkScoped(Effect.provide(Effect.all([list(server), commands], { concurrency: 2 }), layer))
  }
  const seen: Seen = {
    connections: (name) => most.get(name) ?? 0,
    readings: (name) => [...asked].reduce((sum, [address, count]) => sum + (names.get(address) === name ? count : 0), 0)
  }
  return seen
})
