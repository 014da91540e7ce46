/**
 * Decides what an outcome says of the master, in one place for all ways of sending: these differ in how they send, and
 * not in what a reply or a loss means.
 */
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type { ErrorReply } from "@redfx/core/Resp"
import { demotionBy, isUnblocking } from "@redfx/core/unstable/Connection"
import { demoted } from "./failures.ts"

/** What the server of a connection has to be. */
export type Role = "master" | "replica"

/**
 * Something that happened on a connection, or instead of one.
 *
 * - `Refused`: an error reply. `Lost`: the connection has ended. `NotOpened`: it could not be opened.
 * - `Silent`: the server owes an answer for longer than usual. `Answered`: it no longer does. `Opened`: the server has
 *   said itself what it is. `NotReplica`: a connection to a replica could not be opened, perhaps as the server is not one.
 */
export type Observation =
  | { readonly _tag: "Refused"; readonly error: ErrorReply }
  | { readonly _tag: "Lost" | "NotOpened" | "NotReplica"; readonly error: CommandError }
  | { readonly _tag: "Silent" | "Answered" | "Opened" }

/**
 * The consequences of an observation.
 *
 * - `learn`: whether to doubt that the server is the master, so that the sentinels are asked until that is settled, or to
 *   trust that it is; or that there may be another master, which the sentinels say soon. For a replica it says whether the replica
 *   is asleep, so that it is left when the sentinels say that it is down, or awake.
 * - `loss`: the loss of the connection, which then ends when it has the answers to what was sent before.
 */
export interface Verdict {
  readonly learn?: "doubt" | "trust" | "another" | "asleep" | "awake" | undefined
  readonly loss?: CommandError | undefined
}

/** The meaning of an observation on a server, for a client of `role`. */
export const verdict = (seen: Observation, role: Role, address: string): Verdict => {
  if (seen._tag === "Refused") return ofRefusal(seen.error, role, address)
  if (seen._tag === "NotReplica") {
    const isMaster = seen.error._tag === "ConnectionError" && seen.error.reason === "Demoted"
    return isMaster ? { learn: "another" } : {}
  }
  // What happens on a replica says nothing about the master.
  if (role === "replica") return ofReplica(seen)
  switch (seen._tag) {
    case "Lost":
      return isOwnDoing(seen.error) ? {} : { learn: "doubt" }
    case "NotOpened":
      return isSettled(seen.error) ? {} : { learn: "doubt" }
    case "Silent":
      return { learn: "doubt" }
    case "Answered":
    case "Opened":
      return { learn: "trust" }
  }
}

const ofReplica = (seen: Observation): Verdict => {
  switch (seen._tag) {
    case "Silent":
      return { learn: "asleep" }
    case "Answered":
      return { learn: "awake" }
    default:
      return {}
  }
}

const ofRefusal = (error: ErrorReply, role: Role, address: string): Verdict => {
  if (role === "master") {
    const isDemotion = error.code === "MASTERDOWN" || demotionBy(error, address) !== undefined
    if (isDemotion) return { learn: "doubt", loss: demoted(address) }
    // The server has restarted, so the sentinels may have chosen another by then.
    return error.code === "LOADING" ? { learn: "doubt" } : {}
  }
  if (isUnblocking(error)) {
    return { learn: "doubt", loss: connectionLoss("Closed", "The replica follows another master now", address) }
  }
  // A refused write shows that the server is a replica, as it should be. What it says of reads will hold for a while.
  const unreadable = refusedReads.get(error.code)
  return unreadable === undefined ? {} : { loss: connectionLoss("Closed", unreadable, address) }
}

/** What a replica refuses all reads with, and what that means. */
const refusedReads: ReadonlyMap<string, string> = new Map([
  ["LOADING", "The server is loading its data"],
  ["MASTERDOWN", "The replica may not show old data while the link to its master is down"]
])

/** Whether this client has ended the connection itself, which says nothing about the server. */
const isOwnDoing = (error: CommandError): boolean =>
  error._tag === "ConnectionError" && (error.reason === "ClientClosed" || error.reason === "Demoted")

/** Whether an error is one that the sentinels can do nothing about. */
const isSettled = (error: CommandError): boolean =>
  error._tag === "AuthenticationError" ||
  error._tag === "ConnectionError" && (error.reason === "ClientClosed" || error.reason === "Tls")
