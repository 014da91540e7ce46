/**
 * The configuration file of a server, written from options.
 */
import * as Redacted from "effect/Redacted"
import * as Builtin from "./builtin.ts"
import type { RedisServerOptions } from "./serverOptions.ts"

/** Options whose password is known. */
export type Settled<Options> = Omit<Options, "password"> & { readonly password: Redacted.Redacted<string> | undefined }

export type SettledOptions = Settled<RedisServerOptions>

/** Generates a password when the option is `"random"`. */
export const settled = <Options extends Pick<RedisServerOptions, "password">>(options: Options): Settled<Options> => {
  // Programs without types may give `null`.
  const { password } = options ?? {} as Options
  return {
    ...options,
    password: password === "random" ? Redacted.make(Builtin.crypto().randomBytes(24).toString("hex")) : password
  }
}

/** Where a server listens and keeps its files. */
export interface Location {
  readonly host: string
  readonly port: number
  readonly tlsPort: number | undefined
  readonly directory: string
  readonly path: string | undefined
}

/** Quotes an argument as the configuration parser of Redis reads it. */
export const quote = (text: string): string =>
  `"${
    Array.from(text, (char) => {
      const code = char.charCodeAt(0)
      return code < 32
        ? `\\x${code.toString(16).padStart(2, "0")}`
        : char === "\\" || char === "\""
        ? `\\${char}`
        : char
    }).join("")
  }"`

const persistence = {
  none: ["save \"\"", "appendonly no"],
  rdb: ["save 900 1", "appendonly no"],
  // Each write is on disk before its reply is sent, so that a killed server comes back with all that it acknowledged.
  aof: ["save \"\"", "appendonly yes", "appendfsync always"]
}

const tlsLines = (options: SettledOptions, location: Location): ReadonlyArray<string> =>
  options.tls === undefined || location.tlsPort === undefined ? [] : [
    `tls-port ${location.tlsPort}`,
    "tls-cert-file tls-cert.pem",
    "tls-key-file tls-key.pem",
    "tls-ca-cert-file tls-ca.pem",
    `tls-auth-clients ${options.tls.clientCertificate === "required" ? "yes" : "no"}`
  ]

/** The text of the configuration file. Directives of `options.config` come last, so that they win. */
export const render = (options: SettledOptions, location: Location): string =>
  [
    `bind ${location.host}`,
    `port ${location.port}`,
    "daemonize no",
    "logfile \"\"",
    `dir ${quote(location.directory)}`,
    ...(location.path === undefined ? [] : [`unixsocket ${quote(location.path)}`]),
    ...persistence[options.persistence ?? "none"],
    ...(options.clusterEnabled === true ? ["cluster-enabled yes", "cluster-config-file nodes.conf"] : []),
    ...tlsLines(options, location),
    ...(options.password === undefined ? [] : [`requirepass ${quote(Redacted.value(options.password))}`]),
    ...(options.acl ?? []),
    ...Object.entries(options.config ?? {}).flatMap(([name, value]) =>
      (typeof value === "string" ? [value] : value).map((value) => `${name} ${value}`)
    ),
    ""
  ].join("\n")

/**
 * What is told of a password that programs without types give as text, or of a directive of `options.config` with which nobody
 * could reach the server; `undefined` when there is neither.
 */
export const refusal = (
  { config = {}, password }: SettledOptions,
  { host }: Pick<Location, "host">
): string | undefined => {
  if (password !== undefined && !Redacted.isRedacted(password)) {
    return "password must be a Redacted, such as Redacted.make(text), or \"random\""
  }
  for (const [name, value] of Object.entries(config)) {
    const instead = chosen.get(name.toLowerCase())
    const isDefault = name.toLowerCase() === "daemonize" && String(value).toLowerCase() === "no"
    if (instead !== undefined && !isDefault) return `config cannot have ${name}: ${instead}`
    const addresses = [value].flat().at(-1)?.split(/\s+/).map((address) => address.replace(/^-/, "")) ?? []
    if (
      name.toLowerCase() === "bind" &&
      !addresses.some((address) => [host, "localhost", "0.0.0.0", "*"].includes(address))
    ) {
      return `config cannot have bind without ${host}: the server is waited for there; give it too, as in "${host} ::1"`
    }
  }
  return undefined
}

/** The directives that are chosen here, and where to find what was chosen. */
const chosen: ReadonlyMap<string, string> = new Map([
  ["port", "a port that is free is chosen, which `port` of the server says"],
  ["tls-port", "a port that is free is chosen with the option tls, which `tls` of the server says"],
  ["daemonize", "the server is a child of this process, and is ended with its scope"]
])

/** The strings that must not be shown, because a server that refuses its configuration prints the line. */
export const secrets = (options: SettledOptions): ReadonlyArray<string> =>
  [
    ...(options.password === undefined
      ? []
      : [Redacted.value(options.password), quote(Redacted.value(options.password))]),
    ...(options.acl ?? []).flatMap((line) =>
      line.split(/\s+/).filter((word) => /^[><#!]./.test(word)).map((word) => word.slice(1))
    ),
    ...Object.entries(options.config ?? {}).flatMap(([name, value]) => {
      const values = typeof value === "string" ? [value] : value
      if (name === "sentinel") return values.flatMap((line) => /^auth-pass \S+ (.+)$/.exec(line)?.[1] ?? [])
      return /pass|auth/.test(name) ? values : []
    })
  ].filter((secret) => secret.length > 0)
