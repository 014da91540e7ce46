/**
 * The text of URLs for deployments.
 */
import type * as Duration from "effect/Duration"
import * as Equal from "effect/Equal"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { RedisConfigError } from "../../RedisError.ts"
import { durationFrom } from "../runtime/milliseconds.ts"
import type { ConnectionOptions, Deployment, SentinelOptions } from "./options.ts"
import { at, camelName, entries } from "./text.ts"
import type { Entry } from "./text.ts"

/** Options whose values have been read as the types of these options, or were given as such. */
export type Given = Readonly<Record<string, unknown>>

/** Whether a value is options within options. */
export const isRecord = (value: unknown): value is Given =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** The text of a URL for a deployment, which may hold a password. */
export const urlText = (deployment: Deployment): Result.Result<string, RedisConfigError> =>
  Result.gen(function*() {
    const { mode, options } = yield* checkDeployment(deployment)
    const unix = mode === "standalone" && options.path !== undefined
    const scheme = unix ? "unix" : `redis${isOn(options.tls) ? "s" : ""}${mode === "standalone" ? "" : `+${mode}`}`
    const address = unix ? yield* encodePath(options.path) : hostsText(deployment) + pathText(deployment)
    if (handedOut(options.tls)) {
      return yield* unwritable("tls.clientCertificate", "it is asked for, which no URL can say")
    }
    const query = yield* queryText(entries[unix ? "unix" : mode], yield* queried(deployment))
    return `${scheme}://${yield* identityOf(options)}${address}${query === "" ? "" : `?${query}`}`
  })

/** Whether there is TLS. */
export const isOn = (tls: SentinelOptions["tls"]): boolean => tls !== undefined && tls !== false

type Identity = Pick<ConnectionOptions, "username" | "password" | "credentials">

/** The user and the password of options, which may be given as credentials that neither change nor are asked for. */
const userOf = (options: Identity, prefix = ""): Result.Result<Omit<Identity, "credentials">, RedisConfigError> =>
  options.credentials !== undefined && !("password" in options.credentials)
    ? unwritable(`${prefix}credentials`, "they are asked for or change, which no URL can say")
    : Result.succeed(options.credentials ?? options)

const identityOf = (options: ConnectionOptions): Result.Result<string, RedisConfigError> =>
  Result.map(userOf(options), ({ password, username }) => {
    const secret = password === undefined ? "" : `:${encodeURIComponent(Redacted.value(password))}`
    return username === undefined && secret === "" ? "" : `${encodeURIComponent(username ?? "")}${secret}@`
  })

const hostsText = (deployment: Deployment): string => {
  switch (deployment.mode) {
    case "standalone":
      return hostText(deployment.options.host ?? "", deployment.options.port)
    case "sentinel":
      return deployment.options.sentinels.map(({ host, port }) => hostText(host, port)).join(",")
    case "cluster":
      return deployment.options.nodes.map(({ host, port }) => hostText(host, port)).join(",")
  }
}

const pathText = (deployment: Deployment): string => {
  const service = deployment.mode === "sentinel" ? `/${encodeURIComponent(deployment.options.service)}` : ""
  const { db } = deployment.options
  return service + (db === undefined ? "" : `/${db}`)
}

/** The options that the rest of the URL does not say. */
const queried = (deployment: Deployment): Result.Result<Given, RedisConfigError> => {
  const { options } = deployment
  const said = { username: undefined, password: undefined }
  switch (deployment.mode) {
    case "standalone":
      return Result.succeed({
        ...options,
        ...said,
        ...(deployment.options.path === undefined ? { db: undefined } : {})
      })
    case "cluster":
      return Result.succeed({ ...options, ...said, db: undefined })
    case "sentinel": {
      const { sentinelOptions: { tls: own, ...given } = {}, tls } = deployment.options
      const user = userOf(given, "sentinelOptions.")
      if (Result.isFailure(user)) return Result.fail(user.failure)
      const sentinelOptions = user.success
      const rest = { ...options, ...said, db: undefined, service: undefined }
      // The scheme is about the sentinels as well.
      if (isOn(tls) && Equal.equals(own, tls)) {
        return Result.succeed({ ...rest, sentinelOptions })
      }
      return typeof own === "object"
        ? unwritable("sentinelOptions.tls", "no URL can say other settings than those of tls")
        : Result.succeed({
          ...rest,
          // Sentinels without settings of their own have those of the data.
          sentinelOptions: {
            ...sentinelOptions,
            tls: own !== undefined && isOn(own) !== isOn(tls) ? isOn(own) : undefined
          }
        })
    }
  }
}

const queryText = (list: ReadonlyArray<Entry>, options: Given): Result.Result<string, RedisConfigError> =>
  Result.gen(function*() {
    const pairs: Array<string> = []
    for (const { path, text } of list) {
      const value = at(options, path)
      // An option with parts is written part by part, and TLS itself as the scheme.
      if (value === undefined || isRecord(value) || (path[0] === "tls" && path.length === 1)) continue
      const written = Schema.encodeUnknownResult(text.url)(plain(text.kind, value))
      if (Result.isFailure(written)) return yield* unwritable(path.join("."), `it must be ${text.expected}`)
      pairs.push(`${camelName(path)}=${encodeURIComponent(written.success)}`)
    }
    return pairs.join("&")
  })

/** Programs without types may give the options alone, or nothing. */
const checkDeployment = (given: Deployment): Result.Result<Deployment, RedisConfigError> =>
  Predicate.isObject(given) && Predicate.isObject(given.options) && (given.mode === "standalone" ||
      given.mode === "sentinel" && Array.isArray(given.options.sentinels) ||
      given.mode === "cluster" && Array.isArray(given.options.nodes))
    ? Result.succeed(given)
    : Result.fail(new RedisConfigError({ option: "deployment", detail: likeDeployment }))

const likeDeployment = "it must be like { mode: \"standalone\", options: { host, port } }, " +
  "with the mode \"sentinel\" a list of sentinels, and with \"cluster\" a list of nodes"

/** A host, in brackets when it is an IPv6 address, and a port. */
export const hostText = (host: string, port: number | undefined): string =>
  (host.includes(":") ? `[${encodeURIComponent(host).replaceAll("%3A", ":")}]` : encodeURIComponent(host)) +
  (port === undefined ? "" : `:${port}`)

/** The path of a unix socket. A URL says no other path than an absolute one. */
const encodePath = (path: string): Result.Result<string, RedisConfigError> =>
  path.startsWith("/")
    ? Result.succeed(path.split("/").map(encodeURIComponent).join("/"))
    : unwritable("path", "it is relative, which no URL can say")

/** Whether the certificate of the client is asked for. */
const handedOut = (tls: SentinelOptions["tls"]): boolean =>
  typeof tls === "object" && tls.clientCertificate !== undefined

const unwritable = (option: string, detail: string): Result.Result<never, RedisConfigError> =>
  Result.fail(new RedisConfigError({ option, detail }))

/** A value as the table knows it. */
const plain = (kind: Entry["text"]["kind"], value: unknown): unknown =>
  kind === "duration"
    // What is not a duration does not become one, and cannot be written.
    ? durationFrom(value as Duration.Input)
    : Array.isArray(value) && kind !== "list"
    ? value.join("\n")
    : value
