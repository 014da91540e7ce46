/**
 * What the errors of connections say of a server.
 */
import type { CommandError } from "@redfx/core/RedisError"
import { isWithoutData } from "@redfx/core/unstable/Connection"

type Kind = "Unreachable" | "Silent" | "Reset" | "Late" | "Elsewhere"

/** The kind of a loss; `undefined` for one that comes from this client or its options, or says that the server is there. */
export const kindOf = (error: CommandError): Kind | undefined => {
  if (error._tag === "TimeoutError") return error.phase === "connect" ? "Unreachable" : "Late"
  return error._tag === "ConnectionError" && !isWithoutData(error) ? kinds.get(error.reason) : undefined
}

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["Refused", "Unreachable"],
  ["Dns", "Unreachable"],
  ["HealthCheck", "Silent"],
  ["Closed", "Reset"],
  ["Reset", "Reset"],
  ["Other", "Reset"],
  ["Demoted", "Elsewhere"]
])

/** Whether a server has no room for one more connection. */
export const isFull = (error: CommandError): boolean =>
  error._tag === "ConnectionError" && error.reason === "MaxClients"

/**
 * Whether a server does not let this client in, as others may: it has no room, or another certificate, other users or another
 * address than the options are for. A right that the user lacks for the handshake is lacking on all servers, and has to be told.
 */
export const isTurnedAway = (error: CommandError): boolean =>
  error._tag === "AuthenticationError" || error._tag === "ConnectionError" && turnedAway.has(error.reason)

const turnedAway: ReadonlySet<string> = new Set(["MaxClients", "NotAccepted", "Tls"])

/** Whether a server is there and takes no connection for now: it turns this client away, or is a replica without data. */
export const isUnready = (error: CommandError): boolean => isTurnedAway(error) || isWithoutData(error)
