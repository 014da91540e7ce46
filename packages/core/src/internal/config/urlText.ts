/**
 * How the parts of a URL are written.
 */

import type * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { RedisConfigError } from "../../RedisError.ts"
import { durationFrom } from "../runtime/milliseconds.ts"
import type { Deployment, SentinelOptions } from "./options.ts"
import type { Entry } from "./text.ts"

/** Programs without types may give the options alone, or nothing. */
export const checkDeployment = (given: Deployment): Result.Result<Deployment, RedisConfigError> =>
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
export const encodePath = (path: string): Result.Result<string, RedisConfigError> =>
  path.startsWith("/")
    ? Result.succeed(path.split("/").map(encodeURIComponent).join("/"))
    : unwritable("path", "it is relative, which no URL can say")

/** Whether the certificate of the client is asked for. */
export const handedOut = (tls: SentinelOptions["tls"]): boolean =>
  typeof tls === "object" && tls.clientCertificate !== undefined

export const unwritable = (option: string, detail: string): Result.Result<never, RedisConfigError> =>
  Result.fail(new RedisConfigError({ option, detail }))

/** A value as the table knows it. */
export const plain = (kind: Entry["text"]["kind"], value: unknown): unknown =>
  kind === "duration"
    // What is not a duration does not become one, and cannot be written.
    ? durationFrom(value as Duration.Input)
    : Array.isArray(value) && kind !== "list"
    ? value.join("\n")
    : value
