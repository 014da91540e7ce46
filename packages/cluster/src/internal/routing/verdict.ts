/**
 * Decides what an outcome means: what there is to learn from it, and what becomes of the command. The decision is made
 * here for every way of sending, and nowhere else; the senders only ask, pass on what is learned, and do what is said.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import { ConnectionError, connectionLoss, CrossSlotError } from "@redfx/core/RedisError"
import type { CommandError, Delivery, TransactionError } from "@redfx/core/RedisError"
import { ErrorReply } from "@redfx/core/Resp"
import type { Fault } from "@redfx/core/unstable/Request"
import { backOff } from "@redfx/core/unstable/Runtime"
import { downAfter, saidBy } from "../topology/clusterErrors.ts"
import { slotCount, slotOf } from "../topology/slot.ts"
import { parseAddress } from "../topology/topology.ts"
import type { Translation } from "../topology/topology.ts"
import { exhausted, notCovered } from "./finalErrors.ts"
import { isFull, kindOf } from "./losses.ts"
import { routingKey } from "./plan.ts"
import { isForReplicas } from "./readFrom.ts"

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
 * The thing that was sent. Of several commands that run together, it is one with a key.
 *
 * - `readonly`: whether all that was sent only reads. Default: whether the command does.
 */
export interface Sent {
  readonly way: Way
  readonly command: RedisCommand.Any
  readonly readonly?: boolean
}

/**
 * The server that it was sent to.
 *
 * - `address`: the server, `undefined` where nobody knows which one it was.
 * - `master`: the owner of the slot, as far as that is known. For a command without a key that server, if it is a master.
 * - `atPort`: the only server of the cluster at a port, if there is one.
 * - `follows`: whether a redirect to a server is followed.
 */
export interface Where {
  readonly address: string | undefined
  readonly master: string | undefined
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
 * - `renewed`: whether a new connection was tried to a server that names itself. `ran`: whether a try may have been run.
 * - `before`: what a try came to which may have written, and after which the client of the server sent it once more.
 * - `last`: the reason why it waits, or is sent again.
 */
export interface Spent {
  readonly tries: number
  readonly downs: number
  readonly lookups: number
  readonly since: number | undefined
  readonly renewed: boolean
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
  ran: false,
  before: undefined,
  last: undefined
}

/** - `now`: milliseconds of the clock. `downAttempts`: the tries in all while the cluster says that it is down. */
export interface Limits {
  readonly now: number
  readonly downAttempts: number
}

/**
 * What there is to learn, about the server at `address`, or about a slot.
 *
 * - `Unreachable`: could not be opened. `Silent`: owes an answer for too long. `Reset`: its connection was lost. `Late`: a
 *   command's time was up. `Loading`, `Full`, `Demoted`, `Down`: as it says itself.
 * - `Moved`: the owner of a slot. `Asking`: its next owner. `MovedToItself`: the server names itself for a slot that it
 *   does not serve, as one behind an old connection. `MovedSomewhere`: to a server whose address it does not know.
 */
export type Learned =
  | { readonly _tag: "Unreachable" | "Silent"; readonly address: string; readonly error: CommandError }
  | { readonly _tag: "Reset" | "Late" | "Loading" | "Full" | "Demoted" | "Down"; readonly address: string }
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
type Next =
  | { readonly _tag: "Settle"; readonly error: CommandError | undefined }
  | { readonly _tag: "Again"; readonly to: To; readonly after: After; readonly ran: boolean }

/** - `spent`: the budget after this outcome. */
export interface Verdict {
  readonly learn: Learned | undefined
  readonly next: Next
  readonly spent: Spent
}

/** The number of times that one command is sent at most. */
export const maxTries = 16

/**
 * The milliseconds for which commands wait for a server that is gone, from the first failure on. Commands to all
 * masters wait less, because they hold up what the others have answered.
 */
export const lossLimit = 2500
const shareLimit = 1000

const isOverdue = ({ way }: Sent, since: number, now: number): boolean =>
  now - since >= (way === "master" ? shareLimit : lossLimit)

/** The number of redirects and TRYAGAINs that are obeyed at once, and the pause after each further one. */
const immediateTries = 8
const redirectPause = 50

/** The pauses after the loss of a connection. */
const lossPauses = { shortest: 20, longest: 250 }

/** The pause before a slot without owner is looked up again. */
const uncoveredPause = 100

/**
 * The milliseconds for which news are waited for while the cluster says that it is down: few at first, and then as many
 * as for a server that is gone. Commands to all masters wait few each time.
 */
const shortNews = 250
const longNews = lossLimit - shortNews

/** The milliseconds within which commands run out of time together, so that they go out together. */
const newsStep = 50

const newsOf = ({ way }: Sent, of: string | undefined, downs: number, now: number): News => {
  const time = downs === 1 || way === "master" ? shortNews : longNews
  return { _tag: "News", until: Math.ceil((now + time) / newsStep) * newsStep, of }
}

const pauseAfterRedirect = (tries: number): number => tries <= immediateTries ? 0 : redirectPause
const pauseAfterLoss = (tries: number): number => backOff(tries - 1, lossPauses)

/** The outcome that a command's failure came from. */
export const outcomeOf = (error: TransactionError): Outcome => {
  switch (error._tag) {
    case "ConnectionError":
      return error.cause instanceof ErrorReply
        ? { _tag: "Refused", code: error.cause.code, line: error.cause.line, queued: false }
        : { _tag: "Lost", error, delivery: error.delivery }
    case "TimeoutError":
      return { _tag: "Lost", error, delivery: error.delivery }
    case "ResponseError":
    case "ReadOnlyError":
    case "BusyLoadingError":
      return { _tag: "Refused", code: error.code, line: `${error.code} ${error.detail}`, queued: false }
    case "ExecAbortError": {
      // The server refused one of the queued commands, and ran none.
      const cause = error.causes.find(({ code }) => told.has(code))
      return cause === undefined
        ? { _tag: "Other" }
        : { _tag: "Refused", code: cause.code, line: `${cause.code} ${cause.detail}`, queued: true }
    }
    case "SlotNotCoveredError":
      return { _tag: "Uncovered" }
    default:
      return { _tag: "Other" }
  }
}

/** The meaning of an outcome. */
export const judge = (sent: Sent, where: Where, outcome: Outcome, spent: Spent, limits: Limits): Verdict => {
  switch (outcome._tag) {
    case "Refused":
      return refused(sent, where, outcome, spent, limits)
    case "Lost":
      return lost(sent, where, outcome, spent, limits)
    case "Avoided":
      return avoided(sent, outcome, spent, limits)
    case "Uncovered":
      return uncovered(sent, spent)
    case "Other":
      return { learn: undefined, next: asItIs, spent }
  }
}

/**
 * The loss that an error reply means which no redirect follows, where it means more than its text: the command belongs
 * on another server, and was not run.
 */
export const demotion = (command: RedisCommand.Any, where: Where, reply: ErrorReply): CommandError | undefined => {
  if (!isBelieved(command, where, { code: reply.code, line: reply.line, queued: false })) return undefined
  const loss = (detail: string) => connectionLoss("Demoted", detail, where.address, reply)
  switch (reply.code) {
    case "MOVED":
    case "ASK": {
      const target = targetOf(reply.line, where)
      return target?.node === undefined
        ? target?.isUnknown === true ? loss(`Slot ${target.slot} is served elsewhere`) : undefined
        : loss(
          `Slot ${target.slot} ${reply.code === "ASK" ? "is on its way" : "has moved"} to ${
            formatEndpoint(target.node)
          }`
        )
    }
    case "READONLY":
      // A server that is known to be a replica was asked as one.
      return where.address === where.master ? loss("The server is a replica, which takes no writes") : undefined
    case "UNBLOCKED":
      // A server that becomes a replica unblocks its waiting clients; nothing was run for them.
      return isUnblocking(reply) ? loss("The previous master is now a replica") : undefined
    default:
      return undefined
  }
}

const isUnblocking = ({ line }: { readonly line: string }): boolean => line.includes("instance state changed")

// -----------------------------------------------------------------------------
// Next
// -----------------------------------------------------------------------------

const asItIs: Next = { _tag: "Settle", error: undefined }

const settle = (spent: Spent, learn?: Learned, error?: CommandError): Verdict => ({
  learn,
  next: error === undefined ? asItIs : { _tag: "Settle", error },
  spent
})

/** Ends a command that was tried for too long or too often. */
const giveUp = (
  { command }: Sent,
  spent: Spent,
  learn: Learned | undefined,
  last: string,
  delivery: Delivery = "not-sent"
): Verdict => settle(spent, learn, exhausted(command, spent.tries, last, spent.ran ? "unknown" : delivery))

/** The next try, and what the last one has come to. */
interface NextTry {
  readonly to: To
  readonly after: After
  readonly last: string
  readonly delivery?: Delivery
}

/** Sends a command again, unless its tries are used up. */
const again = (
  sent: Sent,
  spent: Spent,
  learn: Learned | undefined,
  next: NextTry
): Verdict => {
  const { after, delivery, last, to } = next
  if (spent.tries >= maxTries) return giveUp(sent, spent, learn, last, delivery)
  const ran = delivery === "unknown"
  return {
    learn,
    next: { _tag: "Again", to, after, ran },
    spent: { ...spent, tries: spent.tries + 1, ran: spent.ran || ran, last }
  }
}

/** Sends a command again, unless the time for a server that is not there is up. */
const againInTime = (
  sent: Sent,
  spent: Spent,
  learn: Learned | undefined,
  { now }: Limits,
  next: NextTry
): Verdict => {
  const since = spent.since ?? now
  return isOverdue(sent, since, now)
    ? giveUp(sent, spent, learn, next.last, next.delivery)
    : again(sent, { ...spent, since }, learn, next)
}

/** Whether a command may go to another server, or over another connection, than the one that it was sent on. */
const isFree = ({ way }: Sent): boolean => way !== "held" && way !== "reading"

/** Whether a command is for a server, not for a slot. */
const isForServer = ({ way }: Sent): boolean => way === "node" || way === "master"

const addressed = (address: string | undefined, learned: (address: string) => Learned): Learned | undefined =>
  address === undefined ? undefined : learned(address)

// -----------------------------------------------------------------------------
// Error replies
// -----------------------------------------------------------------------------

type Refused = Omit<Extract<Outcome, { readonly _tag: "Refused" }>, "_tag">

const refused = (sent: Sent, where: Where, reply: Refused, spent: Spent, limits: Limits): Verdict => {
  if (!isBelieved(sent.command, where, reply)) return settle(spent)
  switch (reply.code) {
    case "MOVED":
    case "ASK":
      return redirected(sent, where, reply, spent, limits)
    case "TRYAGAIN": {
      // On a connection that is kept, each command would need an ASKING of its own, so it waits until the slot has
      // arrived.
      const after = sent.way === "reserved" ? redirectPause : pauseAfterRedirect(spent.tries)
      return isFree(sent) ? again(sent, spent, undefined, { to: "same", after, last: reply.line }) : settle(spent)
    }
    case "LOADING":
      return atMaster(sent, where, reply, spent) ??
        settle(spent, addressed(where.address, (address) => ({ _tag: "Loading", address })))
    case "READONLY":
    case "UNBLOCKED":
      return demoted(sent, where, reply, spent, limits)
    case "CLUSTERDOWN":
    case "MASTERDOWN":
      return atMaster(sent, where, reply, spent) ?? down(sent, where, reply, spent, limits)
    case "CROSSSLOT":
      return settle(spent, undefined, new CrossSlotError({ command: sent.command.spec.name }))
    default:
      return settle(spent)
  }
}

const redirected = (sent: Sent, where: Where, { code, line }: Refused, spent: Spent, limits: Limits): Verdict => {
  const target = targetOf(line, where)
  if (target === undefined) return settle(spent)
  const { node, slot } = target
  if (node === undefined) {
    const learn: Learned = { _tag: "MovedSomewhere" }
    return !target.isUnknown || !isFree(sent) || isForServer(sent)
      ? settle(spent, target.isUnknown ? learn : undefined)
      : againInTime(sent, spent, learn, limits, { to: "owner", after: "topology", last: line })
  }
  const isAsk = code === "ASK"
  if (!isAsk && formatEndpoint(node) === where.address) return movedToItself(sent, where.address, line, spent, limits)
  const learn: Learned = { _tag: isAsk ? "Asking" : "Moved", slot, node }
  if (!isFree(sent) || isForServer(sent)) return settle(spent, learn)
  if (sent.way === "reserved" && isAsk) {
    return again(sent, spent, learn, { to: "owner", after: redirectPause, last: line })
  }
  return again(sent, spent, learn, { to: { node, asking: isAsk }, after: pauseAfterRedirect(spent.tries), last: line })
}

/**
 * Takes a redirect of a server to itself: another server has the address now, or the server does not know yet what
 * others know.
 */
const movedToItself = (sent: Sent, address: string, line: string, spent: Spent, limits: Limits): Verdict => {
  const learn: Learned = { _tag: "MovedToItself", address }
  if (!isFree(sent) || isForServer(sent)) return settle(spent, learn)
  return againInTime(sent, { ...spent, renewed: true }, learn, limits, {
    to: "owner",
    after: spent.renewed ? "topology" : 0,
    last: line
  })
}

/** Sends a command to the master, which can answer what a replica cannot at the moment. */
const atMaster = (sent: Sent, where: Where, { code, line }: Refused, spent: Spent): Verdict | undefined =>
  canAnother(sent, where)
    ? again(
      sent,
      spent,
      addressed(where.address, (address) => ({ _tag: code === "LOADING" ? "Loading" : "Down", address })),
      {
        to: "owner",
        after: 0,
        last: line
      }
    )
    : undefined

const canAnother = (sent: Sent, where: Where): boolean =>
  isFree(sent) && !isForServer(sent) && isForReplicas(sent.command) && where.master !== undefined &&
  where.master !== where.address

/** Takes a refusal of a server that is no longer a master. It has run nothing, and its successor will soon be known. */
const demoted = (sent: Sent, where: Where, reply: Refused, spent: Spent, limits: Limits): Verdict => {
  if (reply.code === "UNBLOCKED" && !isUnblocking(reply)) return settle(spent)
  const learn = addressed(where.address, (address) => ({ _tag: "Demoted", address }))
  if (!isFree(sent) || sent.way === "node") return settle(spent, learn)
  return againInTime(sent, spent, learn, limits, { to: "owner", after: "topology", last: reply.line })
}

const down = (sent: Sent, where: Where, { code, line }: Refused, spent: Spent, limits: Limits): Verdict => {
  const { downAttempts, now } = limits
  const learn = addressed(where.address, (address) => ({ _tag: "Down", address }))
  const downs = spent.downs + 1
  const isLast = !isFree(sent) || downs >= downAttempts
  if (isLast) {
    return settle(spent, learn, downAfter(sent.command, code, line.slice(code.length + 1), downs, where.address))
  }
  return again(sent, { ...spent, downs }, learn, {
    to: isForServer(sent) ? "same" : "owner",
    after: newsOf(sent, where.address, downs, now),
    last: line
  })
}

/**
 * The words in which servers refuse a command before it runs. A script would have to say exactly the same on purpose.
 */
const told: ReadonlyMap<string, RegExp> = new Map([
  ["MOVED", /^MOVED \d+ \S+$/],
  ["ASK", /^ASK \d+ \S+$/],
  ["TRYAGAIN", /^TRYAGAIN Multiple keys request during rehashing of slot$/],
  ["CLUSTERDOWN", /^CLUSTERDOWN (The cluster is down\b|Hash slot not served$)/],
  ["MASTERDOWN", /^MASTERDOWN Link with (MASTER|PRIMARY) is down and replica-serve-stale-data is set to 'no'\.$/],
  ["LOADING", /^LOADING \w+ is loading the dataset in memory$/],
  ["CROSSSLOT", /^CROSSSLOT Keys in request don't hash to the same slot$/],
  ["READONLY", /^READONLY You can't write against a read only replica\.$/]
])

/**
 * Whether an error reply shows that nothing was run. Code on the server can write first and then answer with any error
 * that it likes.
 */
const isBelieved = (command: RedisCommand.Any, where: Where, { code, line, queued }: Refused): boolean => {
  if (queued || !command.spec.runsCode) return true
  const words = told.get(code)
  if (words === undefined) return code !== "UNBLOCKED"
  if (!words.test(line)) return false
  if (code !== "MOVED" && code !== "ASK") return true
  const key = routingKey(command)
  const target = targetOf(line, where)
  return key !== undefined && target !== undefined && target.slot === slotOf(key) &&
    (target.node === undefined || formatEndpoint(target.node) !== where.address)
}

/**
 * The address that a redirect names. `isUnknown` says that the topology has to tell it: the server does not know it, or has
 * named too many.
 */
const targetOf = (
  line: string,
  { address, atPort, follows, translate }: Where
): { readonly slot: number; readonly node: NodeAddress | undefined; readonly isUnknown: boolean } | undefined => {
  const [code, slotText = "", addressText = ""] = line.split(" ")
  const slot = Number(slotText)
  if (!/^\d+$/.test(slotText) || slot >= slotCount) return undefined
  const told = parseAddress(addressText, address)
  if (told === undefined) return undefined
  // The topology says nothing about an ASK. An ASK that is followed to a wrong server comes back as MOVED.
  if (told.host === "?") return { slot, node: code === "ASK" ? atPort(told.port) : undefined, isUnknown: true }
  const node = translate(told)
  // A redirect to an address that the program cannot translate cannot be followed, so the command fails with it.
  if (node instanceof ConnectionError) return { slot, node: undefined, isUnknown: false }
  return follows(node) ? { slot, node, isUnknown: false } : { slot, node: undefined, isUnknown: true }
}

// -----------------------------------------------------------------------------
// Losses
// -----------------------------------------------------------------------------

type Lost = Omit<Extract<Outcome, { readonly _tag: "Lost" }>, "_tag">

const lost = (sent: Sent, where: Where, { delivery, error }: Lost, spent: Spent, limits: Limits): Verdict => {
  const kind = kindOf(error)
  if (kind === undefined) return isFull(error) ? full(sent, where, error, spent) : settle(spent)
  const learn = learnedOf(error, where.address ?? where.master)
  const mayRepeat = delivery === "not-sent" || isHarmless(sent)
  if (kind === "Late" || !isFree(sent) || !mayRepeat) return settle(spent, learn)
  const last = saidBy(error)
  if (kind === "Elsewhere") {
    return again(sent, spent, learn, { to: "owner", after: pauseAfterRedirect(spent.tries), last, delivery })
  }
  if (canAnother(sent, where)) return again(sent, spent, learn, { to: "owner", after: 0, last, delivery })
  if (sent.way === "node") {
    return spent.tries === 1
      ? again(sent, spent, learn, { to: "same", after: 0, last, delivery })
      : settle(spent, learn)
  }
  const after = kind === "Reset" ? pauseAfterLoss(spent.tries) : "recovery"
  return againInTime(sent, spent, learn, limits, { to: "owner", after, last, delivery })
}

/** Takes the refusal of a server that has no room. Of a master only its caller knows whether to wait. */
const full = (sent: Sent, where: Where, error: CommandError, spent: Spent): Verdict =>
  canAnother(sent, where)
    ? again(sent, spent, addressed(where.address, (address) => ({ _tag: "Full", address })), {
      to: "owner",
      after: 0,
      last: saidBy(error)
    })
    : settle(spent)

/**
 * Takes a command that was not sent, as a loss without a try. A server that only stands still may be busy with one long
 * command, so its commands wait as long as their own limits allow.
 */
const avoided = (sent: Sent, { delivery, error }: Lost, spent: Spent, { now }: Limits): Verdict => {
  if (!isFree(sent)) return settle(spent, undefined, error)
  const since = spent.since ?? now
  // The try under way does not count, as nothing was sent.
  const tries = Math.max(spent.tries - 1, 1)
  const mayWait = kindOf(error) === "Silent" && sent.way !== "master"
  const last = saidBy(error)
  if (!mayWait && isOverdue(sent, since, now)) return giveUp(sent, { ...spent, tries }, undefined, last, delivery)
  return {
    learn: undefined,
    next: { _tag: "Again", to: "owner", after: "recovery", ran: false },
    spent: { ...spent, since, last }
  }
}

/** Waits for a pause, and for the reading under way; nothing was sent. */
const uncovered = (sent: Sent, spent: Spent): Verdict => {
  const lookups = spent.lookups + 1
  const error = notCovered(sent.command)
  if (lookups > 2 || !isFree(sent)) return settle(spent, undefined, error)
  return {
    learn: lookups === 1 ? { _tag: "Uncovered" } : undefined,
    next: { _tag: "Again", to: "owner", after: lookups === 1 ? uncoveredPause : "reading", ran: false },
    spent: { ...spent, lookups, last: saidBy(error) }
  }
}

/** What there is to learn of a server from a lost connection, or from one that could not be opened. */
export const learnedOf = (error: CommandError, address: string | undefined): Learned | undefined => {
  const kind = kindOf(error)
  if (kind === undefined || kind === "Elsewhere" || address === undefined) return undefined
  return kind === "Unreachable" || kind === "Silent" ? { _tag: kind, address, error } : { _tag: kind, address }
}

/** Whether repeating a command does no harm. Watching again on a new connection is watching once. */
const isHarmless = ({ command: { spec }, readonly = spec.readonly }: Sent): boolean => readonly || spec.name === "WATCH"
