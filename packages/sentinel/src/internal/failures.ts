/**
 * The errors on the way to a server that sentinels name.
 */
import { connectionLoss, TimeoutError } from "@redfx/core/RedisError"
import type { CommandError, ConnectionError } from "@redfx/core/RedisError"
import * as Duration from "effect/Duration"

/** The error that ends connections to a server that is no longer the master. */
export const demoted = (address: string): ConnectionError =>
  connectionLoss("Demoted", "The previous master is now a replica", address)

export const clientClosed: ConnectionError = connectionLoss("ClientClosed", "The client was closed")

/** The error of a connection that took too long to open. */
export const openedTooLate = (limit: Duration.Duration, address: string): TimeoutError =>
  new TimeoutError({
    phase: "connect",
    milliseconds: Duration.toMillis(limit),
    address,
    delivery: "not-sent",
    readonly: false
  })

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

/** Whether a server does not accept these credentials. */
export const isPermanent = (error: CommandError): boolean =>
  error._tag === "AuthenticationError" || error._tag === "NoPermissionError" ||
  "permanent" in error && error.permanent === true

/** The attempts as an error lists them, and whether all of them would end in the same way the next time. */
export const attempted = (
  attempts: ReadonlyArray<Attempt>
): { readonly attempts: ReadonlyArray<Attempt>; readonly permanent?: boolean } => ({
  attempts: attempts.map(({ address, detail }) => ({ address, detail })),
  ...attempts.length > 0 && attempts.every(({ permanent }) => permanent === true) ? { permanent: true } : {}
})

/** The reason why a server was of no use, without what a caller's command adds to it. */
export const detailOf = (error: CommandError): string => {
  switch (error._tag) {
    case "AuthenticationError":
      return `Authentication failed: ${error.code} ${error.detail}`
    case "TimeoutError":
      return `No answer within ${error.milliseconds} ms`
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
