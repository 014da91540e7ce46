/**
 * How the parts of a URL are written.
 */

import * as Result from "effect/Result"
import { RedisConfigError } from "../../RedisError.ts"

/** A host, in brackets when it is an IPv6 address, and a port. */
export const hostText = (host: string, port: number | undefined): string =>
  (host.includes(":") ? `[${encodeURIComponent(host).replaceAll("%3A", ":")}]` : encodeURIComponent(host)) +
  (port === undefined ? "" : `:${port}`)

/** The path of a unix socket. A URL says no other path than an absolute one. */
export const encodePath = (path: string): Result.Result<string, RedisConfigError> =>
  path.startsWith("/")
    ? Result.succeed(path.split("/").map(encodeURIComponent).join("/"))
    : Result.fail(new RedisConfigError({ option: "path", detail: "it is relative, which no URL can say" }))
