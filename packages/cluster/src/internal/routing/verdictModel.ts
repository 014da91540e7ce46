/**
 * What is judged, and what a verdict says.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import type { CommandError, Delivery } from "@redfx/core/RedisError"
import type { Translation } from "@redfx/core/unstable/Options"
import type { Fault } from "@redfx/core/unstable/Request"

/**
 * The ways in which a command is sent.
 *
 * - `single`, `batch`, `exclusive`: to the owner of its slot: alone, in a pipeline, on a connection of its own.
 * - `reserved`: the first command on a connection that its user keeps, `held`: one after others.
 * - `master`: to this master or its successor, `node`: to this server, for what it is.
 * - `subscription`: for messages, to the owner of its slot or to any server. `reading`: asking for the topology.
 */
export type Way =
  | "single"
  | "batch"
  | "exclusive"
  | "reserved"
  | "held"
  | "master"
  | "node"
  | "subscription"
  | "reading"

/**
 * The thing that was sent. Where several commands run together, it is one of them that has a key.
 *
 * - `readonly`: whether all that was sent only reads. Default: whether the command does.
 */
export interface Sent {
  readonly way: Way
  readonly command: RedisCommand.Any
  readonly readonly?: boolean
}

/** Whether it is for a server, and not for a slot. */
export const isForServer = ({ way }: Sent): boolean => way === "node" || way === "master"

/**
 * The server that it was sent to.
 *
 * - `address`: the server, `undefined` where nobody knows which one it was.
 * - `master`: the owner of the slot, as far as that is known. For a command without a key that server, if it is a master.
 * - `hasOther`: whether another server will do, and nothing is known against it.
 * - `isCurrent`: whether the topology was read since the server began not to let this client in, and not long ago.
 * - `atPort`: the only server of the cluster at a port, if there is one.
 * - `follows`: whether a redirect to a server is followed.
 */
export interface Where {
  readonly address: string | undefined
  readonly master: string | undefined
  readonly hasOther: boolean
  readonly isCurrent: boolean
  readonly translate: Translation
  readonly atPort: (port: number) => NodeAddress | undefined
  readonly follows: (address: NodeAddress) => boolean
}

/**
 * The outcome of what was sent.
 *
 * - `Refused`: an error reply; `queued` when it kept a transaction from being run at all.
 * - `Lost`: no reply. `Avoided`: not sent, as its server is down. `Uncovered`: not sent, as no server has its slot.
 * - `Other`: everything that does not concern servers.
 */
export type Outcome =
  | { readonly _tag: "Refused"; readonly code: string; readonly line: string; readonly queued: boolean }
  | { readonly _tag: "Lost"; readonly error: CommandError; readonly delivery: Delivery }
  | { readonly _tag: "Avoided"; readonly error: CommandError; readonly delivery: Delivery }
  | { readonly _tag: "Uncovered" | "Other" }

/**
 * The part that is spent of the one budget of a command, or of several that are sent together.
 *
 * - `tries`: how often it was sent. `downs`: how often the cluster was down for it. `lookups`: how often it waited as no
 *   server had its slot.
 * - `since`: when it found no server for the first time, in milliseconds of the clock.
 * - `renewed`: whether a new connection was tried to a server that names itself. `asked`: whether this try goes to the server that
 *   an ASK has named. `ran`: whether a try may have been run.
 * - `before`: what a try came to which may have written, and after which the client of the server sent it once more.
 * - `last`: the reason why it waits, or is sent again.
 */
export interface Spent {
  readonly tries: number
  readonly downs: number
  readonly lookups: number
  readonly since: number | undefined
  readonly renewed: boolean
  readonly asked: boolean
  readonly ran: boolean
  readonly before: Fault | undefined
  readonly last: string | undefined
}

/** The budget before the first try has failed. */
export const unspent: Spent = {
  tries: 1,
  downs: 0,
  lookups: 0,
  since: undefined,
  renewed: false,
  asked: false,
  ran: false,
  before: undefined,
  last: undefined
}

/** - `now`: milliseconds of the clock. `downAttempts`: the tries in all while the cluster says that it is down. */
interface Limits {
  readonly now: number
  readonly downAttempts: number
}

/** One try: what was sent, and where; the budget with it; and the limits. */
export interface Try {
  readonly sent: Sent
  readonly where: Where
  readonly spent: Spent
  readonly limits: Limits
}

/**
 * What there is to learn, about the server at `address`, or about a slot.
 *
 * - `Unreachable`: could not be opened. `Silent`: owes an answer for too long. `Reset`: its connection was lost. `Late`: a
 *   command's time was up. `TurnedAway`: did not let the client in. `Loading`, `Unready`, `Demoted`, `Down`: as it says itself.
 * - `Moved`: the owner of a slot. `Asking`: its next owner. `MovedToItself`: the server names itself for a slot that it
 *   does not serve, as one behind an old connection. `MovedSomewhere`: to a server whose address it does not know.
 */
export type Learned =
  | { readonly _tag: "Unreachable" | "Silent"; readonly address: string; readonly error: CommandError }
  | {
    readonly _tag: "Reset" | "Late" | "Loading" | "Unready" | "TurnedAway" | "Demoted" | "Down"
    readonly address: string
  }
  | { readonly _tag: "Moved" | "Asking"; readonly slot: number; readonly node: NodeAddress }
  | { readonly _tag: "MovedToItself"; readonly address: string }
  | { readonly _tag: "MovedSomewhere" | "Uncovered" }

/** The owner of the slot, the same server as before, or this one. */
export type To = "owner" | "same" | { readonly node: NodeAddress; readonly asking: boolean }

/**
 * The event to wait for: a number of milliseconds; the next reading of the topology; the reading under way, if there is
 * one; the return or the replacement of the server; or that the cluster is up again, for a limited time.
 */
export type After = number | "topology" | "reading" | "recovery" | News

/** - `until`: milliseconds of the clock. `of`: the server that says that the cluster is down. */
export interface News {
  readonly _tag: "News"
  readonly until: number
  readonly of: string | undefined
}

/** The name of an event, by which those that wait for the same one wait together. */
export const nameOf = (after: After): string => typeof after === "object" ? `${after.until} ${after.of}` : `${after}`

/**
 * - `Settle`: with this error, or the outcome as it is.
 * - `Again`: `ran`, when it may have been run already.
 */
export type Next =
  | { readonly _tag: "Settle"; readonly error: CommandError | undefined }
  | { readonly _tag: "Again"; readonly to: To; readonly after: After; readonly ran: boolean }

/** - `spent`: the budget after this outcome. */
export interface Verdict {
  readonly learn: Learned | undefined
  readonly next: Next
  readonly spent: Spent
}
