/**
 * The names that options have. The compiler knows them, but programs are also written without it, and a misspelt name would
 * silently not apply: another server would be asked, without the password or without TLS.
 */
import * as Effect from "effect/Effect"
import type { TlsOptions } from "../../RedisConnector.ts"
import type { RedisConfigError } from "../../RedisError.ts"
import { invalid, record } from "./checks.ts"
import type { AddressOptions, ClusterOptions, ClusterPoolOptions, LimitOptions, SentinelOptions } from "./options.ts"

type Names<Options> = { readonly [Name in keyof Options]-?: 1 }

const tls: Names<TlsOptions> = {
  ca: 1,
  cert: 1,
  key: 1,
  passphrase: 1,
  clientCertificate: 1,
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

/** The options of all deployments together. Which of them a deployment takes is checked where its options are read. */
const known: Names<AddressOptions & SentinelOptions & ClusterOptions> = {
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

/**
 * An option of other clients.
 *
 * - `advice`: what it is here.
 * - `beside`: the options beside which it says nothing new. An option that lacks this changes neither which server is asked nor
 *   how safely. In an object, which several clients may share, that is no mistake; in a URL it is.
 * - `usual`: the value that asks for nothing but what a client does without it.
 */
interface Elsewhere {
  readonly advice: string
  readonly beside?: ReadonlyArray<string>
  readonly usual?: unknown
}

const address = ["host", "port", "path", "nodes", "sentinels"]

const utf8 = "text is always UTF-8, and Redis.asBytes gives the bytes"

/** The options of other clients, of which a client would know nothing. */
const elsewhere: ReadonlyMap<string, Elsewhere> = new Map<string, Elsewhere>([
  ["url", { advice: "NodeRedisClient.layerUrl takes a URL", beside: address }],
  ["socket", { advice: "host, port, path and tls are options themselves", beside: address }],
  ["database", { advice: "it is called db", beside: ["db"], usual: 0 }],
  ["rootNodes", { advice: "it is called nodes, a list of { host, port }", beside: ["nodes"] }],
  ["sentinelRootNodes", { advice: "it is called sentinels, a list of { host, port }", beside: ["sentinels"] }],
  ["keyPrefix", { advice: "RedisPrefix.layer puts a prefix before keys", beside: [], usual: "" }],
  ["rejectUnauthorized", { advice: "it is called verify", beside: ["verify"], usual: true }],
  ["unix_socket_path", { advice: "it is called path, and is unix:///path as a URL", beside: address }],
  ["startup_nodes", { advice: "it is called nodes, a list of { host, port }", beside: ["nodes"] }],
  ["host_port_remap", { advice: "it is called natMap, and is given in code", beside: ["natMap"] }],
  ["ssl", { advice: "it is called tls", beside: ["tls"], usual: false }],
  ["decode_responses", { advice: "replies are text, and Redis.asBytes gives bytes" }],
  ["encoding", { advice: utf8 }],
  ["charset", { advice: utf8 }],
  ["errors", { advice: "it is called textDecoding" }],
  ["socket_keepalive_options", { advice: "it is called keepAliveInitialDelay" }],
  ["single_connection_client", { advice: "it is called pool, which is single" }]
])

/** What an option of another client is here, if that is known. */
export const counterpart = (name: string): string | undefined => elsewhere.get(name)?.advice

/**
 * The option that a misspelt name stands for: it differs in letters being large or small, in underscores, by one letter, or
 * by two that changed places. An option that is given as well was not misspelt.
 */
const meant = (unknown: string, given: object, names: Readonly<Record<string, 1>>): string | undefined => {
  const letters = unknown.toLowerCase().replaceAll("_", "")
  return Object.keys(names).find((name) => !(name in given) && isAlike(letters, name.toLowerCase()))
}

const isAlike = (one: string, other: string): boolean => {
  if (one === other) return true
  let same = 0
  while (same < one.length && one[same] === other[same]) same++
  const [a, b] = [one.slice(same), other.slice(same)]
  return a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1) ||
    (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2))
}

/** The options of a client: an object whose names are those of options. `such`: what they are like. */
export const options = <A extends object>(given: A, such: string): Effect.Effect<A, RedisConfigError> =>
  Effect.tap(record("options", given, `an object, such as ${such} (layerUrl takes a URL)`), checkNames)

/**
 * Refuses names that no option has, where they are misspelt or those of other clients. Others do no harm: options may be
 * a part of what a program knows of its servers.
 */
const checkNames = (given: object): Effect.Effect<void, RedisConfigError> =>
  Effect.andThen(
    checkIn(given, "", known),
    Effect.forEach([["pool", pool], ["limits", limits], ["tls", tls]] as const, ([part, names]) => {
      const inside: unknown = Reflect.get(given, part)
      return typeof inside === "object" && inside !== null ? checkIn(inside, `${part}.`, names) : Effect.void
    }, { discard: true })
  )

const adviceFor = (name: string, given: object, names: Readonly<Record<string, 1>>, prefix: string) => {
  const other = elsewhere.get(name)
  if (other !== undefined) {
    return other.beside?.some((each) => each in given) === false ? other.advice : undefined
  }
  const near = meant(name, given, names)
  return near === undefined ? undefined : `${prefix}${near} is meant`
}

const checkIn = (given: object, prefix: string, names: Readonly<Record<string, 1>>) => {
  for (const [name, value] of Object.entries(given)) {
    // An option that is `undefined` is one that is not given.
    if (value === undefined || value === elsewhere.get(name)?.usual || Object.hasOwn(names, name)) continue
    const advice = adviceFor(name, given, names, prefix)
    if (advice !== undefined) return invalid(`${prefix}${name}`, `there is no such option; ${advice}`)
  }
  return Effect.void
}
