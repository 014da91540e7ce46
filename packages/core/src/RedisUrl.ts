/**
 * URLs that say where Redis is and how to connect to it.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { secretText } from "./internal/argument/secretText.ts"
import { counterpart } from "./internal/config/names.ts"
import type {
  ClusterOptions,
  ConnectionOptions,
  Deployment,
  NodeAddress,
  SentinelOptions
} from "./internal/config/options.ts"
import { assemble, camelName, entries, snakeName } from "./internal/config/text.ts"
import type { Entry } from "./internal/config/text.ts"
import { isOn, isRecord, urlText } from "./internal/config/urlText.ts"
import type { Given } from "./internal/config/urlText.ts"
import type { TlsOptions } from "./RedisConnector.ts"
import { InvalidUrlError } from "./RedisError.ts"
import type { RedisConfigError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The options of {@link parse}. Besides its own it takes every option of a client; these apply where the URL says nothing.
 *
 * @category options
 * @since 0.1.0
 */
export interface ParseOptions extends
  // The further options of a cluster's pool are left out in the other modes.
  Omit<ConnectionOptions, "pool">,
  // With sentinels, fewer choices of `readFrom` are possible than on a cluster.
  Partial<Omit<SentinelOptions, keyof ConnectionOptions | "readFrom" | "tls">>,
  Partial<Omit<ClusterOptions, keyof ConnectionOptions | "tls">>,
  Partial<Pick<ClusterOptions, "pool">>
{
  /**
   * What a URL is for whose scheme does not say it. Default `"standalone"`. With `"cluster"` the host of
   * `redis://host:7000` is the first node to ask.
   */
  readonly mode?: Deployment["mode"] | undefined
  /** Whether username, password, host and path are percent-encoded. Default `true`. */
  readonly decodeComponents?: boolean | undefined
  /**
   * `"required"` refuses a URL that would connect without TLS, except over a unix socket. It also refuses a URL that
   * decides whom TLS trusts: `tls_verify`, `tls_checkHostname`, `tls_ca`, `tls_servername`, `sentinelTls`. Then only the
   * options that are given here decide that, and they must not turn the verification off. Default: such URLs are taken.
   */
  readonly tlsVerification?: "required" | undefined
  /** The host of a URL without one. Default `"localhost"`. */
  readonly host?: string | undefined
  /** The port of a URL without one. Default 6379. */
  readonly port?: number | undefined
  /** Whether connections use TLS, and how. A URL with `rediss://` uses TLS without it. */
  readonly tls?: SentinelOptions["tls"]
}

// -----------------------------------------------------------------------------
// Parsing
// -----------------------------------------------------------------------------

/**
 * Reads the options of a client from a URL.
 *
 * **Details**
 *
 * - `redis://[[username]:[password]@][host][:port][/db]`: one server. Default `localhost`, port 6379.
 * - `rediss://…`: the same over TLS. `valkey` and `valkeys` mean the same as `redis` and `rediss`, here and below.
 * - `unix://[[username]:[password]@]/path/to.sock`, `redis+unix://…`: one server, by its unix socket.
 * - `redis+sentinel://[…@]host[:port],host[:port]/service[/db]`, `rediss+sentinel://…`: sentinels, port 26379 by
 *   default, and the name of the master they watch. Username and password are those of master and replicas.
 * - `redis+cluster://[…@]host[:port],host[:port][/db]`, `rediss+cluster://…`: some nodes of a cluster, port 6379 by
 *   default.
 *
 * The query may hold every option that text can give, as `commandTimeout` or `command_timeout`, the parts of others as
 * `pool_max`, `poolMax` or `pool.max`, and by the names that redis-py has for them (`socket_timeout`,
 * `max_connections`, `ssl_cert_reqs` …). `tls_*` options need TLS. `sentinelUsername`, `sentinelPassword` and
 * `sentinelTls` are for the sentinels; `rediss+sentinel` means TLS with them too.
 *
 * - The query goes before the rest of the URL, that before the options given here. The database is that of the query,
 *   else of the path, else of the options; a path that is not an integer names none (`redis://localhost/abc`), as in redis-py.
 * - Of a name that is repeated the first value counts. An empty value counts as absent. A plus sign is a space.
 * - Bare numbers in times are seconds; other units are spelled out (`500%20millis`).
 * - `0`, `F`, `FALSE`, `N`, `NO` in any case are false, anything else is true.
 * - A value that cannot be read and a name that is not an option of this mode are errors, never ignored: a
 *   misspelt option would otherwise silently not apply.
 * - Username, password, host and path are percent-decoded. Characters with a meaning in URLs (`@ : / ? # ,`) must be encoded.
 *
 * `InvalidUrlError` shows the URL without anything that may be a credential.
 *
 * A URL is configuration: it says which files are read, whom TLS trusts and where credentials go. It must never come from
 * a user of the program. See `tlsVerification` for one whose author may not decide on TLS.
 *
 * **Example** (A sentinel deployment)
 *
 * ```ts
 * import { RedisUrl } from "@redfx/core"
 *
 * export const deployment = RedisUrl.parse("redis+sentinel://h1:26379,h2:26379/mymaster/0?socket_timeout=2.5")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (
  url: string | Redacted.Redacted<string>,
  options: ParseOptions = {}
): Result.Result<Deployment, InvalidUrlError> => {
  const text = typeof url === "string" ? url : secretText(url)
  if (text === undefined) {
    return Result.fail(
      new InvalidUrlError({
        url: "<redacted>",
        detail: "it is neither text nor Redacted text. When it comes from a variable of the environment: is that set?"
      })
    )
  }
  try {
    return Result.succeed(deploymentOf(split(text), options))
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    return Result.fail(new InvalidUrlError({ url: redact(text), detail: error.detail }))
  }
}

/** Thrown while a URL is read. Its text quotes no part of the URL that may be secret. */
class Invalid {
  readonly detail: string

  constructor(detail: string) {
    this.detail = detail
  }
}

const invalid = (detail: string): never => {
  throw new Invalid(detail)
}

interface Parts {
  readonly tls: boolean
  readonly mode: Deployment["mode"] | "unix" | undefined
  readonly userinfo: string
  readonly hosts: string
  /** Without the slash before it. */
  readonly path: string
  readonly query: string
}

const schemes =
  "use redis://, rediss:// or unix://, valkey:// or valkeys://, or one of these with +sentinel or +cluster"

const split = (url: string): Parts => {
  const [, scheme, rest = ""] = /^([a-z+.-]+):\/\/(.*)$/is.exec(url.trim()) ?? []
  if (scheme === undefined) return invalid(`it has no scheme; ${schemes}`)
  const [, base, suffix] =
    /^(redis|rediss|valkey|valkeys|unix)(?:\+(sentinel|cluster|unix))?$/.exec(scheme.toLowerCase()) ??
      invalid(`its scheme is not known; ${schemes}`)
  if (rest.includes("#")) return invalid("it has a fragment; write # as %23")
  const tls = base === "rediss" || base === "valkeys"
  const mode = suffix ?? (base === "unix" ? "unix" : undefined)
  if (base === "unix" && suffix !== undefined || suffix === "unix" && tls) {
    return invalid(`its scheme is not known; ${schemes}`)
  }
  const question = rest.indexOf("?")
  const address = question < 0 ? rest : rest.slice(0, question)
  const slash = address.indexOf("/")
  const authority = slash < 0 ? address : address.slice(0, slash)
  const sign = authority.lastIndexOf("@")
  // Most likely the rest of a password, which must not be taken for names that messages quote.
  if (question >= 0 && rest.includes("@", question)) {
    return invalid("it has an @ behind its ?; write @ as %40, and in a password ? as %3F and / as %2F")
  }
  return {
    tls,
    // The expression above allows for no other.
    mode: mode as Parts["mode"],
    userinfo: sign < 0 ? "" : authority.slice(0, sign),
    hosts: authority.slice(sign + 1),
    path: slash < 0 ? "" : address.slice(slash + 1),
    query: question < 0 ? "" : rest.slice(question + 1)
  }
}

type Decode = (text: string) => string

const deploymentOf = (parts: Parts, options: ParseOptions): Deployment => {
  const mode = parts.mode ?? options.mode ?? "standalone"
  if (mode === "unix" && options.mode !== undefined && options.mode !== "standalone") {
    return invalid(`a unix socket is one server, and no ${options.mode}`)
  }
  const decode = options.decodeComponents === false ? (text: string) => text : decodeComponent
  const secure = parts.tls || (options.tls !== undefined && options.tls !== false)
  const address = { ...userinfoOf(parts.userinfo, decode), ...addressOf(mode, parts, decode) }
  const query = queryOf(parts.query, mode, secure)
  const said = merge(address, query)
  const given = merge(defaultsFor(mode, options, "username" in said || "password" in said), said)
  const deployment = complete(mode, parts, given)
  if (options.tlsVerification !== undefined && mode !== "unix") insist(deployment, query)
  return deployment
}

/** Options that only the program may set when it insists on verification. */
const trusting = ["verify", "checkHostname", "ca", "servername"]

/** Refuses a URL that would connect without TLS that verifies, or that decides whom TLS trusts. */
const insist = ({ options }: Deployment, query: Given): void => {
  const inQuery = isRecord(query["tls"]) ? query["tls"] : {}
  const own = trusting.find((name) => name in inQuery)
  if (own !== undefined) return invalid(`tls.${own}: the program decides whom TLS trusts, and no URL`)
  const sentinel = "sentinelOptions" in options ? options.sentinelOptions?.tls ?? options.tls : options.tls
  for (const tls of [options.tls, sentinel]) {
    const { checkHostname, verify }: TlsOptions = typeof tls === "object" ? tls : {}
    if (!isOn(tls)) return invalid("the program asks for TLS: write rediss://, and no sentinelTls=false")
    if (verify === "none" || checkHostname === false) return invalid("tls: the program asks for its verification")
  }
}

/** Options of a mode, seen as of the type of that mode: each was read by the table of the mode's options. */
const complete = (mode: Mode, parts: Parts, given: Given): Deployment => {
  const { tls } = given
  if (parts.tls && tls === false) return invalid("tls: its scheme says that there is TLS")
  switch (mode) {
    case "unix":
    case "standalone":
      return { mode: "standalone", options: given }
    case "sentinel": {
      if (given["service"] === undefined) return invalid("it names no service: write /service after the hosts")
      const sentinels = nodesOf(given["sentinels"])
      const own = {
        ...(parts.tls ? { tls } : {}),
        ...(isRecord(given["sentinelOptions"]) ? given["sentinelOptions"] : {})
      }
      const sentinelOptions = Object.keys(own).length === 0 ? {} : { sentinelOptions: own }
      return { mode, options: { ...given, sentinels, ...sentinelOptions } as SentinelOptions }
    }
    case "cluster": {
      return { mode, options: { ...given, nodes: nodesOf(given["nodes"]) } }
    }
  }
}

type Mode = Exclude<Parts["mode"], undefined>

const nodesOf = (nodes: unknown): readonly [NodeAddress, ...Array<NodeAddress>] =>
  // Given by the type of the option, or read by `hostsOf`.
  Array.isArray(nodes) && nodes.length > 0 ? nodes as [NodeAddress] : invalid("it names no host")

/** What stands between the scheme and the query, but for the credentials. */
const addressOf = (mode: Mode, parts: Parts, decode: Decode): Given => {
  const { hosts, path } = parts
  const tls = parts.tls ? { tls: true } : {}
  switch (mode) {
    case "unix":
      return hosts !== ""
        ? invalid("a unix socket has no host: write three slashes before its path")
        : path === ""
        ? invalid("it has no path of a unix socket")
        : { path: decode(`/${path}`) }
    case "standalone":
      return hosts.includes(",")
        ? invalid("it has several hosts, but neither +sentinel nor +cluster in its scheme")
        : { ...hostOf(hosts, decode), ...databaseOf(decode(path)), ...tls }
    case "sentinel": {
      const [service = "", ...rest] = path.split("/").map(decode)
      const named = service === "" ? {} : { service }
      return {
        ...(hosts === "" ? {} : { sentinels: hostsOf(hosts, 26379, decode) }),
        ...named,
        ...databaseOf(rest.join("/")),
        ...tls
      }
    }
    case "cluster":
      return { ...(hosts === "" ? {} : { nodes: hostsOf(hosts, 6379, decode) }), ...databaseOf(decode(path)), ...tls }
  }
}

const databaseOf = (path: string): Given => {
  const digits = withoutSlashes(path)
  return /^\d{1,15}$/.test(digits) ? { db: Number(digits) } : {}
}

/** Without the slashes around it. An expression for those at the end would begin anew at each slash. */
const withoutSlashes = (path: string): string => {
  let start = 0
  let end = path.length
  while (start < end && path[start] === "/") start++
  while (end > start && path[end - 1] === "/") end--
  return path.slice(start, end)
}

const userinfoOf = (userinfo: string, decode: Decode): Given => {
  const colon = userinfo.indexOf(":")
  const username = decode(colon < 0 ? userinfo : userinfo.slice(0, colon))
  const password = colon < 0 ? "" : decode(userinfo.slice(colon + 1))
  return {
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password: Redacted.make(password) })
  }
}

const hostsOf = (hosts: string, port: number, decode: Decode): ReadonlyArray<NodeAddress> =>
  hosts.split(",").map((text) => {
    const found = hostOf(text, decode)
    return found.host === undefined
      ? invalid("one of its hosts is empty")
      : { host: found.host, port: found.port ?? port }
  })

const hostOf = (text: string, decode: Decode): { readonly host?: string; readonly port?: number } => {
  const [, v6, name = "", digits = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text) ??
    invalid("its host cannot be read; an IPv6 address stands in brackets")
  const port = Number(digits)
  if (digits !== "" && !(/^\d{1,5}$/.test(digits) && port >= 1 && port <= 65535)) {
    return invalid("its port is no integer between 1 and 65535; an IPv6 address stands in brackets")
  }
  if (v6 === "") return invalid("its host cannot be read; an IPv6 address stands in brackets")
  const host = decode(v6 ?? name)
  return { ...(host === "" ? {} : { host }), ...(digits === "" ? {} : { port }) }
}

const decodeComponent = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return invalid("its percent-encoding is broken; write % as %25")
  }
}

// -----------------------------------------------------------------------------
// Options in the query
// -----------------------------------------------------------------------------

interface Named {
  readonly entry: Entry
  readonly read: (text: string) => Result.Result<unknown, unknown>
}

/** By every name that an option may have in a query. */
const byName = (list: ReadonlyArray<Entry>): ReadonlyMap<string, Named> =>
  new Map(list.flatMap((entry) => {
    const { path, text } = entry
    const own = [camelName(path), snakeName(path), path.join(".")].map((name) => [name, text.url] as const)
    return [...own, ...text.names].map(([name, url]) =>
      [name, { entry, read: Schema.decodeUnknownResult(url) }] as const
    )
  }))

const known = new Map<Mode, ReturnType<typeof byName>>()

/** The options of a mode, of which the first URL has the schemas compiled. */
const knownIn = (mode: Mode): ReturnType<typeof byName> => {
  const found = known.get(mode) ?? byName(entries[mode])
  known.set(mode, found)
  return found
}

const clientOf = {
  unix: "client over a unix socket",
  standalone: "client of one server",
  sentinel: "client by way of sentinels",
  cluster: "client of a cluster"
}

const queryOf = (query: string, mode: Mode, secure: boolean): Given => {
  const values = new Map<string, readonly [path: Entry["path"], value: unknown]>()
  for (const pair of query.split("&")) {
    if (pair === "") continue
    const [name, text] = pairOf(pair)
    // A password with an unencoded ampersand leaves a part of itself without an equals sign.
    const shown = pair.includes("=") && /^[\w.-]{1,40}$/.test(name) ? name : "one of its options"
    const { entry, read } = knownIn(mode).get(name) ??
      invalid(`${shown} is no option of a ${clientOf[mode]}${advice(name)}`)
    const key = entry.path.join(".")
    if (text === "" || values.has(key)) continue
    const value = read(text)
    if (Result.isFailure(value)) return invalid(`${name}: it must be ${entry.text.expected}`)
    values.set(key, [entry.path, value.success])
  }
  const options = assemble(values.values()) ?? invalid("two of its options contradict each other")
  return typeof options["tls"] === "object" && !secure && values.get("tls")?.[1] !== true
    ? invalid("it has options of TLS, but no TLS: write rediss://")
    : options
}

/** What to write in the place of an option that another client has. */
const advice = (name: string): string => {
  const here = counterpart(name)
  return here === undefined ? "" : `; ${here}`
}

/** A name and its value; a plus sign is a space there, as in forms. */
const pairOf = (pair: string): readonly [name: string, text: string] => {
  const equals = pair.indexOf("=")
  const [name, text] = equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)]
  return [decodeComponent(name.replaceAll("+", " ")), decodeComponent(text.replaceAll("+", " "))]
}

// -----------------------------------------------------------------------------
// Options from elsewhere
// -----------------------------------------------------------------------------

/** The given options that a mode has a use for. `credentials` are none of them when the URL names a user itself. */
const defaultsFor = (mode: Mode, options: ParseOptions, identified: boolean): Given => {
  const foreign = new Set(["mode", "decodeComponents", "tlsVerification", ...identified ? ["credentials"] : []])
  const own = new Set(entries[mode].map(({ path }) => path[0]))
  for (const { path: [name] } of [...entries.sentinel, ...entries.cluster]) if (!own.has(name)) foreign.add(name)
  if (mode !== "standalone") foreign.add("host").add("port")
  if (mode !== "sentinel") foreign.add("sentinels")
  if (mode !== "cluster") foreign.add("nodes")
  const given = Object.entries(options).filter(([name, value]) => value !== undefined && !foreign.has(name))
  return Object.fromEntries(given.map(([name, value]) => [name, name === "pool" ? poolOf(mode, value) : value]))
}

/** The options of a pool that a mode has a use for. */
const poolOf = (mode: Mode, pool: unknown): unknown => {
  if (mode === "cluster" || !isRecord(pool)) return pool
  const { perNode: _, ...rest } = pool
  return rest
}

/** Merges options part by part, the second before the first; a plain `tls: true` does not undo its settings. */
const merge = (base: Given, over: Given): Given => {
  const out: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(over)) {
    const before = out[name]
    out[name] = isRecord(before) && isRecord(value)
      ? { ...before, ...value }
      : isRecord(before) && value === true
      ? before
      : value
  }
  return out
}

// -----------------------------------------------------------------------------
// Printing
// -----------------------------------------------------------------------------

/**
 * Returns the URL without anything that may be a credential, for messages and logs.
 *
 * **Details**
 *
 * What stands before an `@` is left out. So are the values in the query, except those of options that are numbers, times or choices.
 * A URL with an `@` behind a `?`, or with a fragment, is shown by its scheme alone, and text that is no URL is not shown.
 *
 * @category formatting
 * @since 0.1.0
 */
export const redact = (url: string): string => {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(String(url).trim()) ?? []
  if (scheme === "") return "<redacted>"
  // Unencoded signs in a password must not make a part of it visible. Behind a question mark it may be one of the query.
  const sign = rest.lastIndexOf("@")
  if (rest.slice(0, Math.max(sign, 0)).includes("?") || rest.includes("#", sign + 1)) return `${scheme}<redacted>`
  const [address = "", ...queries] = rest.slice(sign + 1).split("?")
  const shown = isAddress(address) ? address : "<redacted>"
  const query = queries.join("?").split("&").map(redactPair).join("&")
  return `${scheme}${sign < 0 ? "" : "<redacted>@"}${shown}${queries.length === 0 ? "" : `?${query}`}`
}

/** Whether text is only hosts and a path: a password whose `@host` was forgotten looks like a port. */
const isAddress = (text: string): boolean => {
  const slash = text.indexOf("/")
  const hosts = slash < 0 ? text : text.slice(0, slash)
  // One by one: an expression for all of them takes time exponential in their number.
  return (slash < 0 || !text.includes(":", slash)) &&
    hosts.split(",").every((host) => /^(?:\[[^\]]*\]|[^:[\]]*)(?::\d{0,5})?$/.test(host))
}

const redactPair = (pair: string): string => {
  const equals = pair.indexOf("=")
  const name = pair.slice(0, Math.max(equals, 0))
  const kind = (knownIn("sentinel").get(name) ?? knownIn("cluster").get(name))?.entry.text.kind
  return kind !== undefined && kind !== "secret" && kind !== "text" && kind !== "list"
    ? pair
    : /^[\w.-]{1,40}$/.test(name)
    ? `${name}=<redacted>`
    : "<redacted>"
}

/**
 * Writes a URL that {@link parse} reads as the same deployment. It is redacted, as it may hold a password.
 *
 * **Details**
 *
 * Fails with `RedisConfigError` for options that have no text: `credentials` that are an Effect or a Stream, a
 * `tls.clientCertificate`, a relative `path`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (deployment: Deployment): Result.Result<Redacted.Redacted<string>, RedisConfigError> =>
  Result.map(urlText(deployment), (text) => Redacted.make(text))
