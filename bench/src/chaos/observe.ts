/** What servers see of each client meanwhile: its connections, and how often it asks for the topology. */
import { Redis } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Observer } from "./faults.ts"
import { monitor } from "./probe.ts"

interface Seen {
  /** The most connections at a time, over all servers together. */
  readonly connections: (connectionName: string) => number
  /** The connections at the moment. */
  readonly open: (connectionName: string) => number
  /** How often CLUSTER SLOTS, SHARDS and NODES were asked. */
  readonly readings: (connectionName: string) => number
}

/** MONITOR writes `1700000000.123456 [0 127.0.0.1:50000] "CLUSTER" "SLOTS"`. */
const readings = /\[\d+ ([\d.:]+)\] "cluster" "(?:slots|shards|nodes)"/gi

/** How connections are named, of which some live too shortly to be found in a list. */
const namings = /\[\d+ ([\d.:]+)\] "(?:client" "setname"|hello".* "setname") "([^"]+)"/gi

/** Looks at the servers until the scope closes; one that is down or stands still is left out meanwhile. */
export const observe = Effect.fnUntraced(function*(servers: ReadonlyArray<Observer>) {
  const names = new Map<string, string>()
  const asked = new Map<string, number>()
  const open = new Map<Observer, ReadonlyMap<string, number>>()
  const most = new Map<string, number>()
  // The same port of a client can lead to two servers.
  const at = ({ port }: Observer, address: string): string => `${port}<${address}`

  // Some clients name some of their connections anew, and then alike for all.
  const named = (key: string, name: string): string => {
    const first = names.get(key) ?? name
    if (first !== "") names.set(key, first)
    return first
  }

  const list = (server: Observer) =>
    Effect.map(Redis.clientList(), (clients) => {
      const counts = new Map<string, number>()
      for (const { addr, name } of clients) {
        const first = named(at(server, addr), name)
        if (first !== "") counts.set(first, (counts.get(first) ?? 0) + 1)
      }
      open.set(server, counts)
      const seen = new Set([...open.values()].flatMap((each) => [...each.keys()]))
      for (const name of seen) {
        const all = [...open.values()].reduce((sum, each) => sum + (each.get(name) ?? 0), 0)
        most.set(name, Math.max(most.get(name) ?? 0, all))
      }
    }).pipe(
      Effect.tapError(() => Effect.sync(() => open.delete(server))),
      Effect.ignore,
      Effect.repeat(Schedule.spaced("100 millis"))
    )

  const read = (server: Observer) => (lines: string): void => {
    for (const [, address = "", name = ""] of lines.matchAll(namings)) named(at(server, address), name)
    for (const [, address = ""] of lines.matchAll(readings)) {
      asked.set(at(server, address), (asked.get(at(server, address)) ?? 0) + 1)
    }
  }

  for (const server of servers) {
    const { host, port } = server
    const layer = NodeRedisClient.layer({ host, port, commandTimeout: "1 second", clientName: "chaos" })
    yield* Effect.forkScoped(Effect.provide(list(server), layer))
    // Sentinels do not know MONITOR.
    if (server.role === "server") yield* monitor(server, read(server))
  }
  const sum = (counts: ReadonlyMap<string, number>, client: string, nameOf: (key: string) => string | undefined) =>
    [...counts].reduce((sum, [key, count]) => sum + (nameOf(key)?.includes(client) === true ? count : 0), 0)
  const seen: Seen = {
    open: (client) => [...open.values()].reduce((total, counts) => total + sum(counts, client, (name) => name), 0),
    connections: (client) => sum(most, client, (name) => name),
    readings: (client) => sum(asked, client, (key) => names.get(key))
  }
  return seen
})
