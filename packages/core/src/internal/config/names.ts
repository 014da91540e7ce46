/**
 * The names that options have. The compiler knows them, but programs are also written without it, and a name that is
 * none would silently not apply: another server would be asked, without the password or without TLS.
 */
import * as Effect from "effect/Effect"
import type { TlsOptions } from "../../RedisConnector.ts"
import type { RedisConfigError } from "../../RedisError.ts"
import { invalid } from "./checks.ts"
import type { AddressOptions, ClusterOptions, ClusterPoolOptions, LimitOptions, SentinelOptions } from "./options.ts"

type Names<Options> = { readonly [Name in keyof Options]-?: 1 }

const tls: Names<TlsOptions> = {
  ca: 1,
  cert: 1,
  key: 1,
  passphrase: 1,
  servername: 1,
  verify: 1,
  checkHostname: 1
}

const pool: Names<ClusterPoolOptions> = { shared: 1, max: 1, min: 1, idleTimeout: 1, acquireTimeout: 1, perNode: 1 }

const limits: Names<LimitOptions> = {
  inFlightCommands: 1,
  inFlightBytes: 1,
  replyDepth: 1,
  bulkLength: 1,
  aggregateLength: 1,
  lineLength: 1,
  replyBytes: 1,
  replyElements: 1,
  argumentBytes: 1,
  argumentCount: 1
}

/** Those of every deployment: which of them one takes is checked where its options are read. */
const options: Names<AddressOptions & SentinelOptions & ClusterOptions> = {
  host: 1,
  port: 1,
  path: 1,
  tls: 1,
  db: 1,
  username: 1,
  password: 1,
  credentials: 1,
  clientName: 1,
  clientInfo: 1,
  protocol: 1,
  connect: 1,
  connectTimeout: 1,
  commandTimeout: 1,
  retryOnTimeout: 1,
  livenessTimeout: 1,
  healthCheckInterval: 1,
  closeTimeout: 1,
  keepAlive: 1,
  keepAliveInitialDelay: 1,
  textDecoding: 1,
  pool: 1,
  limits: 1,
  sentinels: 1,
  service: 1,
  role: 1,
  readFrom: 1,
  minOtherSentinels: 1,
  checkConnection: 1,
  recheckInterval: 1,
  masterWait: 1,
  natMap: 1,
  accept: 1,
  sentinelOptions: 1,
  nodes: 1,
  crossSlot: 1,
  readOnly: 1,
  discovery: 1,
  reinitializeSteps: 1,
  clusterDownRetryAttempts: 1,
  skipFullCoverageCheck: 1,
  followCluster: 1,
  refreshInterval: 1
}

/** What the options of other clients are here, where a client without them would go somewhere else. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ["url", "; NodeRedisClient.layerUrl takes a URL"],
  ["socket", "; host, port, path and tls are options themselves"],
  ["database", "; it is called db"],
  ["keyPrefix", "; RedisPrefix.layer puts a prefix before keys"],
  ["rejectUnauthorized", "; it is called verify"]
])

/** The names that a misspelt one may stand for: its first letter is mostly right. */
const alike = (unknown: string, names: Readonly<Record<string, 1>>): string => {
  const first = unknown.slice(0, 1).toLowerCase()
  const found = Object.keys(names).filter((name) => name.startsWith(first))
  return found.length === 0 ? "" : `; with this letter begin ${found.join(", ")}`
}

/** Refuses names that no option has. */
export const checkNames = (given: object): Effect.Effect<void, RedisConfigError> =>
  Effect.andThen(
    checkIn(given, "", options),
    Effect.forEach([["pool", pool], ["limits", limits], ["tls", tls]] as const, ([part, names]) => {
      const inside: unknown = Reflect.get(given, part)
      return typeof inside === "object" && inside !== null ? checkIn(inside, `${part}.`, names) : Effect.void
    }, { discard: true })
  )

const checkIn = (given: object, prefix: string, names: Readonly<Record<string, 1>>) => {
  // An option that is `undefined` is one that is not given.
  const unknown = Object.entries(given).find(([name, value]) => value !== undefined && !Object.hasOwn(names, name))?.[0]
  if (unknown === undefined) return Effect.void
  return invalid(`${prefix}${unknown}`, `there is no such option${elsewhere.get(unknown) ?? alike(unknown, names)}`)
}
