/**
 * Decides what an outcome means: what there is to learn from it, and what becomes of the command. The decision is made
 * here for every way of sending, and nowhere else; the senders only ask, pass on what is learned, and do what is said.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import { connectionLoss, CrossSlotError } from "@redfx/core/RedisError"
import type { CommandError, Delivery, TransactionError } from "@redfx/core/RedisError"
import { ErrorReply } from "@redfx/core/Resp"
import { backOff } from "@redfx/core/unstable/Runtime"
import { downAfter, saidBy } from "../topology/clusterErrors.ts"
import { isBelieved, isUnblocking, targetOf, told } from "./errorReplies.ts"
import type { Refused } from "./errorReplies.ts"
import { exhausted, notCovered } from "./finalErrors.ts"
import { isFull, kindOf } from "./losses.ts"
import { isForReplicas } from "./readFrom.ts"
import type { After, Learned, Limits, News, Next, Outcome, Sent, Spent, To, Verdict, Where } from "./verdictModel.ts"

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
