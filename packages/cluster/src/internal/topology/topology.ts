/**
 * The servers of each slot: read from CLUSTER SLOTS, checked, and never changed.
 */
import type { clusterSlots } from "@redfx/core/commands/Cluster"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { ConnectionError } from "@redfx/core/RedisError"
import { isHost, isPort } from "@redfx/core/unstable/Options"
import type { Translation } from "@redfx/core/unstable/Options"
import * as Result from "effect/Result"
import { slotCount } from "./slot.ts"

/** A master and its replicas, by their addresses as `host:port`. */
export interface Shard {
  readonly master: string
  readonly replicas: ReadonlyArray<string>
}

/**
 * - `ids`: the names that the servers have among each other, wherever they are, with their addresses as far as those are told.
 * - `owners`: for each slot the shard that serves it.
 * - `covered`: the number of slots that are served.
 */
export interface Topology {
  readonly shards: ReadonlyArray<Shard>
  readonly ids: ReadonlyMap<string, string | undefined>
  readonly owners: ReadonlyArray<Shard | undefined>
  readonly covered: number
}

/** The addresses of all servers: of each master, and then of its replicas. */
export const addressesOf = ({ shards }: Topology): ReadonlyArray<string> =>
  shards.flatMap(({ master, replicas }) => [master, ...replicas])

type Ranges = RedisCommand.Success<ReturnType<typeof clusterSlots>>
type RangeNode = Ranges[number]["master"]

/** The endpoint behind an address that this client has formatted. */
export const endpointOf = (address: string): NodeAddress => {
  const endpoint = parseAddress(address, undefined)
  if (endpoint === undefined) throw new Error(`${address} was written by this client and is no address`)
  return endpoint
}

/**
 * The address that a redirect names. Without a host it is on the host of `asked`, which sent the redirect. The host is
 * `?` when the server does not know it.
 */
export const parseAddress = (text: string, asked: string | undefined): NodeAddress | undefined => {
  const colon = text.lastIndexOf(":")
  const port = Number(text.slice(colon + 1))
  const host = text.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, "$1")
  if (colon < 0 || !isPort(port)) return undefined
  if (!isHost(host)) return undefined
  if (host !== "") return { host, port }
  return asked === undefined ? undefined : { host: endpointOf(asked).host, port }
}

/** More servers than a cluster can have: its makers name 1,000 as the limit. */
const mostServers = 1024

/** More entries than all slots can need: each slot by itself, with seven replicas. */
const mostEntries = 8 * slotCount

/** What is wrong with the report of a node. `untranslated`: set when `natMap` had no valid address for a server that it named. */
export interface Misreport {
  readonly detail: string
  readonly untranslated?: ConnectionError
}

const misreport = (detail: string) => Result.fail<Misreport>({ detail })

/** The topology that a node reports, in which some slots are served. */
export const fromSlots = (
  ranges: Ranges,
  asked: NodeAddress,
  translate: Translation
): Result.Result<Topology, Misreport> => {
  const owners: Array<Shard | undefined> = new Array(slotCount).fill(undefined)
  const shards = new Map<string, Shard>()
  const servers = new Set<string>()
  const ids = new Map<string, string | undefined>()
  const untranslated: Array<ConnectionError> = []
  let isNameless = false
  const addressAt = (host: string, port: number): string | undefined => {
    if (host === "?" || !isPort(port) || !isHost(host)) return undefined
    const translated = translate({ host: host === "" ? asked.host : host, port })
    if (Result.isSuccess(translated)) return formatEndpoint(translated.success)
    untranslated.push(translated.failure)
    return undefined
  }
  const addressOf = (node: RangeNode): string | undefined => {
    const host = hostOf(node)
    isNameless ||= host === "?"
    const address = addressAt(host, node.port)
    if (node.id) ids.set(node.id, address)
    return address
  }
  let covered = 0
  const entries = ranges.reduce((sum, { replicas }) => sum + 1 + replicas.length, 0)
  if (entries > mostEntries) return misreport(`it tells of ${entries} servers of slots, which no cluster has`)
  for (const { end, master, replicas, start } of ranges) {
    if (!(start >= 0 && start <= end && end < slotCount)) return misreport(`it names slots ${start} to ${end}`)
    const address = addressOf(master)
    if (address === undefined) continue
    const shard = shards.get(address) ?? {
      master: address,
      // Every server lists the replicas in an order of its own, so they are sorted.
      replicas: replicas.map(addressOf).filter((replica) => replica !== undefined).sort()
    }
    shards.set(address, shard)
    servers.add(address)
    for (const replica of shard.replicas) servers.add(replica)
    if (servers.size > mostServers) return misreport(`it names more than ${mostServers} servers, which no cluster has`)
    for (let slot = start; slot <= end; slot++) {
      if (owners[slot] !== undefined) return misreport(`it names two masters of slot ${slot}`)
      covered++
      owners[slot] = shard
    }
  }
  const [error] = untranslated
  if (error !== undefined) return Result.fail({ detail: error.detail, untranslated: error })
  if (covered === 0) return misreport(isNameless ? nameless : "it knows of no node that serves slots")
  return Result.succeed({ shards: [...shards.values()], ids, owners, covered })
}

/** The name that the others have for the server at an address, where they have told. */
export const idOf = ({ ids }: Topology, address: string): string | undefined =>
  Array.from(ids).find(([, told]) => told === address)?.[0]

/**
 * The host of a node. A node that must be called by its name and has none is listed as `?`, with its address beside.
 */
const hostOf = ({ host, metadata }: RangeNode): string => {
  if (host !== "?") return host
  const { ip } = metadata
  return typeof ip === "string" && ip !== "" ? ip : "?"
}

const nameless = "it names its nodes \"?\", as it does not know their names: " +
  "set cluster-announce-hostname on each, or cluster-preferred-endpoint-type ip"

/** Whether two topologies are of different clusters, whatever addresses they have in common: they name none of the same servers. */
export const isForeign = (a: Topology, b: Topology): boolean =>
  a.ids.size > 0 && b.ids.size > 0 && !Array.from(b.ids.keys()).some((id) => a.ids.has(id))

/** Whether two topologies are the same. */
export const isSame = (a: Topology, b: Topology): boolean => {
  // Slots come in long ranges of one shard, so each pair of shards is compared once.
  const compared = new Map<Shard | undefined, Shard | undefined>()
  return a.covered === b.covered && a.shards.length === b.shards.length && a.owners.every((shard, slot) => {
    const other = b.owners[slot]
    if (compared.has(shard)) return compared.get(shard) === other
    compared.set(shard, other)
    return shard?.master === other?.master && shard?.replicas.join() === other?.replicas.join()
  })
}
