/**
 * The errors on the way to a server that sentinels name.
 */
import { connectionLoss, isRetryable } from "@redfx/core/RedisError"
import type { CommandError, ConnectionError } from "@redfx/core/RedisError"
import { excerpt } from "@redfx/core/unstable/Runtime"

/** The error that ends connections to a server that is no longer the master. */
export const demoted = (address: string): ConnectionError =>
  connectionLoss("Demoted", "The previous master is now a replica", address)

/** A server that was asked in vain, and the reason. `permanent` says whether it will refuse the next time as well. */
export interface Attempt {
  readonly address: string
  readonly detail: string
  readonly permanent?: boolean
}

/** The attempt that an error ended, as one of those that the final error lists. */
export const attemptOf = (address: string, error: CommandError): Attempt => ({
  address,
  detail: detailOf(error),
  permanent: isPermanent(error)
})

/** The attempt that an error of a sentinel ended, with what helps where the program's options are the fault. */
export const attemptOfSentinel = (address: string, error: CommandError): Attempt => {
  const detail = detailOf(error)
  if (error._tag === "AuthenticationError") {
    return { address, detail: `${detail}; look at the credentials in sentinelOptions`, permanent: true }
  }
  if (error._tag === "NoPermissionError") {
    return { address, detail: `${detail}; the user of sentinels needs the right to ${error.command}`, permanent: true }
  }
  if (error._tag === "ResponseError" && /^unknown command/i.test(error.detail)) {
    return { address, detail: `It is no sentinel (${detail}); their usual port is 26379`, permanent: true }
  }
  if (error._tag === "ResponseError" && /^no such master/i.test(error.detail)) {
    // It may be told of the service a moment later.
    return { address, detail: `${detail}; the option service is the name in its "sentinel monitor", often mymaster` }
  }
  return { address, detail, permanent: isPermanent(error) }
}

/**
 * Whether a server would be of no use the next time either: the fault is one of options or of rights. An error reply of any
 * other kind may be another the next time, as of a sentinel that is told of the service a moment later.
 */
export const isPermanent = (error: CommandError): boolean => error._tag !== "ResponseError" && !isRetryable(error)

/**
 * The attempts as an error lists them, and whether all of them would end in the same way the next time. What a server was
 * asked twice, and answered alike, is listed once.
 */
export const attempted = (
  attempts: ReadonlyArray<Attempt>
): { readonly attempts: ReadonlyArray<Attempt>; readonly permanent?: boolean } => {
  const listed = new Map(attempts.map(({ address, detail }) => {
    const shown = { address, detail: excerpt(detail) }
    return [`${address} ${shown.detail}`, shown]
  }))
  return {
    attempts: [...listed.values()],
    ...attempts.length > 0 && attempts.every(({ permanent }) => permanent === true) ? { permanent: true } : {}
  }
}

/** The reason why a server was of no use, without what a caller's command adds to it. */
const detailOf = (error: CommandError): string => {
  switch (error._tag) {
    case "AuthenticationError":
      return `Authentication failed: ${error.code} ${error.detail}`
    case "TimeoutError":
      return `No answer within ${error.milliseconds} ms${error.detail === undefined ? "" : `; ${error.detail}`}`
    case "ConnectionError":
      return error.detail
    case "ResponseError":
    case "NoPermissionError":
    case "BusyLoadingError":
      return `${error.code} ${error.detail}`
    default:
      return error.message
  }
}
