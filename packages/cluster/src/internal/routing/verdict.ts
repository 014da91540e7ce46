/**
 * Decides what an outcome means: what there is to learn from it, and what becomes of the command. The decision is made
 * here for every way of sending, and nowhere else; the senders only ask, pass on what is learned, and do what is said.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import { connectionLoss, CrossSlotError } from "@redfx/core/RedisError"
import type { CommandError, Delivery, TransactionError } from "@redfx/core/RedisError"
import { ErrorReply } from "@redfx/core/Resp"
import { isUnblocking } from "@redfx/core/unstable/Connection"
import { backOff, present } from "@redfx/core/unstable/Runtime"
import { clusterDown, saidBy } from "../topology/clusterErrors.ts"
import { isBelieved, redirectIn, refusalWords } from "./errorReplies.ts"
import type { Refused } from "./errorReplies.ts"
import { exhausted, notCovered } from "./finalErrors.ts"
import { isFull, isTurnedAway, isUnready, kindOf } from "./losses.ts"
import { isForReplicas } from "./readFrom.ts"
import { isForServer } from "./verdictModel.ts"
import type { After, Learned, News, Next, Outcome, Sent, Spent, To, Try, Verdict, Where } from "./verdictModel.ts"

/** The number of times that one command is sent at most. */
export const maxTries = 16

/**
 * The milliseconds for which commands wait for a server that is gone, from the first failure on. Commands to all
 * masters wait less, because they hold up what the others have answered.
 */
export const lossLimit = 2500
const shareLimit = 1000

const isOverdue = ({ limits: { now }, sent: { way } }: Try, since: number): boolean =>
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

const newsOf = ({ limits: { now }, sent: { way }, where: { address } }: Try, downs: number): News => {
  const time = downs === 1 || way === "master" ? shortNews : longNews
  return { _tag: "News", until: Math.ceil((now + time) / newsStep) * newsStep, of: address }
}

const pauseAfterRedirect = (tries: number): number => tries <= immediateTries ? 0 : redirectPause
const pauseAfterLoss = (tries: number): number => backOff(tries - 1, lossPauses)

/**
 * The outcome that a command's failure came from. `delivery`: that of a request, which knows better than the error. `command`: what was
 * sent, where its own reply may be the error.
 */
export const outcomeOf = (error: TransactionError, delivery?: Delivery, command?: RedisCommand.Any): Outcome => {
  switch (error._tag) {
    case "ConnectionError":
      return error.cause instanceof ErrorReply
        ? { _tag: "Refused", code: error.cause.code, line: error.cause.line, queued: false }
        : { _tag: "Lost", error, delivery: delivery ?? error.delivery }
    case "TimeoutError":
      return { _tag: "Lost", error, delivery: delivery ?? error.delivery }
    case "AuthenticationError":
      // A script may answer with these words, also after it has written.
      return error.command === command?.spec.name || error.partial !== undefined || error.mayHaveWritten === true
        ? { _tag: "Other" }
        : { _tag: "Lost", error, delivery: delivery ?? "not-sent" }
    case "ResponseError":
    case "ReadOnlyError":
    case "BusyLoadingError":
      // Where MULTI was refused, commands of the transaction have run without it.
      return error.partial !== undefined
        ? { _tag: "Other" }
        : { _tag: "Refused", code: error.code, line: `${error.code} ${error.detail}`, queued: false }
    case "ExecAbortError": {
      // The server refused one of the queued commands, and ran none.
      const cause = error.causes.find(({ code }) => refusalWords.has(code))
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

/** The meaning of the outcome of a try. */
export const judge = (each: Try, outcome: Outcome): Verdict => {
  switch (outcome._tag) {
    case "Refused":
      return refused(each, outcome)
    case "Lost":
      return lost(each, outcome)
    case "Avoided":
      return avoided(each, outcome)
    case "Uncovered":
      return uncovered(each)
    case "Other":
      return settle(each)
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
      const redirect = redirectIn(reply.line, where)
      if (redirect === undefined) return undefined
      const { isUnknown, node, slot } = redirect
      if (node === undefined) return isUnknown ? loss(`Slot ${slot} is served elsewhere`) : undefined
      const how = reply.code === "ASK" ? "is on its way" : "has moved"
      return loss(`Slot ${slot} ${how} to ${formatEndpoint(node)}`)
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

const settle = ({ spent }: Try, learn?: Learned, error?: CommandError): Verdict => ({
  learn,
  next: error === undefined ? asItIs : { _tag: "Settle", error },
  spent
})

const asItIs: Next = { _tag: "Settle", error: undefined }

/** Ends a command that was tried for too long or too often. */
const giveUp = (
  each: Try,
  learn: Learned | undefined,
  last: string,
  delivery: Delivery = "not-sent"
): Verdict => {
  const { sent: { command }, spent } = each
  return settle(each, learn, exhausted(command, spent.tries, last, spent.ran ? "unknown" : delivery))
}

/** The next try, and what the last one has come to. */
interface NextTry {
  readonly to: To
  readonly after: After
  readonly last: string
  readonly delivery?: Delivery
}

/** Sends a command again, unless its tries are used up. */
const again = (each: Try, learn: Learned | undefined, { after, delivery, last, to }: NextTry): Verdict => {
  const { spent } = each
  if (spent.tries >= maxTries) return giveUp(each, learn, last, delivery)
  const ran = delivery === "unknown"
  return {
    learn,
    next: { _tag: "Again", to, after, ran },
    spent: {
      ...spent,
      tries: spent.tries + 1,
      asked: typeof to === "object" && to.asking,
      ran: spent.ran || ran,
      last
    }
  }
}

/** Sends a command again, unless the time for a server that is not there is up. */
const againInTime = (each: Try, learn: Learned | undefined, next: NextTry): Verdict => {
  const since = each.spent.since ?? each.limits.now
  return isOverdue(each, since)
    ? giveUp(each, learn, next.last, next.delivery)
    : again(withSpent(each, { since }), learn, next)
}

/** The same try, of whose budget this is spent as well. */
const withSpent = (each: Try, spent: Partial<Spent>): Try => ({ ...each, spent: { ...each.spent, ...spent } })

/** Whether a command may go to another server, or over another connection, than the one that it was sent on. */
const isFree = ({ sent: { way } }: Try): boolean => way !== "held" && way !== "reading"

/** What the server has shown that was sent to, where it is known which one that was. */
const shown = ({ where: { address } }: Try, _tag: "Loading" | "Unready" | "Demoted" | "Down"): Learned | undefined =>
  address === undefined ? undefined : { _tag, address }

/** Whether the master can answer what a replica could not. It sends on what it has sent on before. */
const canMaster = (each: Try): boolean => {
  const { sent: { command }, spent, where: { address, master } } = each
  return isFree(each) && !isForServer(each.sent) && !spent.asked && isForReplicas(command) && master !== undefined &&
    master !== address
}

/** Sends a command to the master, which can answer what a replica cannot at the moment; `undefined` where it cannot. */
const atMaster = (each: Try, learn: Learned | undefined, last: string): Verdict | undefined =>
  canMaster(each) ? again(each, learn, { to: "owner", after: 0, last }) : undefined

// -----------------------------------------------------------------------------
// Error replies
// -----------------------------------------------------------------------------

const refused = (each: Try, reply: Refused): Verdict => {
  const { sent: { command, way }, spent, where } = each
  if (!isBelieved(command, where, reply)) return settle(each)
  switch (reply.code) {
    case "MOVED":
    case "ASK":
      return redirected(each, reply)
    case "TRYAGAIN": {
      // On a connection that is kept, each command would need an ASKING of its own, so it waits until the slot has
      // arrived.
      const after = way === "reserved" ? redirectPause : pauseAfterRedirect(spent.tries)
      return isFree(each) ? again(each, undefined, { to: "same", after, last: reply.line }) : settle(each)
    }
    case "LOADING": {
      const learn = shown(each, "Loading")
      return atMaster(each, learn, reply.line) ?? settle(each, learn)
    }
    case "READONLY":
    case "UNBLOCKED":
      return demoted(each, reply)
    case "MASTERDOWN":
      // A replica may not show what is old. It says so to each read until its link is up.
      return atMaster(each, shown(each, "Unready"), reply.line) ?? down(each, shown(each, "Down"), reply)
    case "CLUSTERDOWN": {
      const learn = shown(each, "Down")
      return atMaster(each, learn, reply.line) ?? down(each, learn, reply)
    }
    case "CROSSSLOT":
      return settle(each, undefined, new CrossSlotError({ command: command.spec.name }))
    default:
      return settle(each)
  }
}

const redirected = (each: Try, { code, line }: Refused): Verdict => {
  const { sent: { way }, spent, where } = each
  const redirect = redirectIn(line, where)
  if (redirect === undefined) return settle(each)
  const { isUnknown, node, slot } = redirect
  if (node === undefined) {
    const learn: Learned = { _tag: "MovedSomewhere" }
    return !isUnknown || !isFree(each) || isForServer(each.sent)
      ? settle(each, isUnknown ? learn : undefined)
      : againInTime(each, learn, { to: "owner", after: "topology", last: line })
  }
  const isAsk = code === "ASK"
  if (!isAsk && formatEndpoint(node) === where.address) return movedToItself(each, where.address, line)
  const learn: Learned = { _tag: isAsk ? "Asking" : "Moved", slot, node }
  if (!isFree(each) || isForServer(each.sent)) return settle(each, learn)
  return way === "reserved" && isAsk
    ? again(each, learn, { to: "owner", after: redirectPause, last: line })
    : again(each, learn, { to: { node, asking: isAsk }, after: pauseAfterRedirect(spent.tries), last: line })
}

/**
 * Takes a redirect of a server to itself: another server has the address now, or the server does not know yet what
 * others know.
 */
const movedToItself = (each: Try, address: string, line: string): Verdict => {
  const learn: Learned = { _tag: "MovedToItself", address }
  if (!isFree(each) || isForServer(each.sent)) return settle(each, learn)
  const after = each.spent.renewed ? "topology" : 0
  return againInTime(withSpent(each, { renewed: true }), learn, { to: "owner", after, last: line })
}

/** Takes a refusal of a server that is no longer a master. It has run nothing, and its successor will soon be known. */
const demoted = (each: Try, reply: Refused): Verdict => {
  if (reply.code === "UNBLOCKED" && !isUnblocking(reply)) return settle(each)
  const learn = shown(each, "Demoted")
  return isFree(each) && each.sent.way !== "node"
    ? againInTime(each, learn, { to: "owner", after: "topology", last: reply.line })
    : settle(each, learn)
}

const down = (each: Try, learn: Learned | undefined, { code, line }: Refused): Verdict => {
  const { limits: { downAttempts }, sent: { command }, spent, where: { address } } = each
  const downs = spent.downs + 1
  if (!isFree(each) || downs >= downAttempts) {
    const detail = line.slice(code.length + 1)
    const facts = { code, detail, command: command.spec.name, attempts: downs, ...present({ address }) }
    return settle(each, learn, clusterDown(facts))
  }
  return again(withSpent(each, { downs }), learn, {
    to: isForServer(each.sent) ? "same" : "owner",
    after: newsOf(each, downs),
    last: line
  })
}

// -----------------------------------------------------------------------------
// Losses
// -----------------------------------------------------------------------------

type Lost = Omit<Extract<Outcome, { readonly _tag: "Lost" }>, "_tag">

const lost = (each: Try, { delivery, error }: Lost): Verdict => {
  const { sent, spent, where } = each
  const kind = kindOf(error)
  const mayRepeat = delivery === "not-sent" || isHarmless(sent)
  if (kind === undefined) return isUnready(error) && mayRepeat ? unready(each, { delivery, error }) : settle(each)
  const learn = learnedOf(error, where.address ?? where.master)
  if (kind === "Late" || !isFree(each) || !mayRepeat) return settle(each, learn)
  const last = saidBy(error)
  if (kind === "Elsewhere") {
    return again(each, learn, { to: "owner", after: pauseAfterRedirect(spent.tries), last, delivery })
  }
  if (canMaster(each)) return again(each, learn, { to: "owner", after: 0, last, delivery })
  if (sent.way === "node") {
    return spent.tries === 1 ? again(each, learn, { to: "same", after: 0, last, delivery }) : settle(each, learn)
  }
  const after = kind === "Reset" ? pauseAfterLoss(spent.tries) : "recovery"
  return againInTime(each, learn, { to: "owner", after, last, delivery })
}

/**
 * Takes the refusal of a server that takes no connection for now. Another one is asked where one will do. The only one that can
 * answer may have been replaced, so the topology is read before its refusal counts, unless it was read a moment ago. Of one that is
 * full its caller alone knows whether to wait.
 */
const unready = (each: Try, { delivery, error }: Lost): Verdict => {
  const last = saidBy(error)
  if (canMaster(each) || isFree(each) && each.where.hasOther) {
    return again(each, shown(each, "Unready"), { to: "owner", after: 0, last, delivery })
  }
  const { sent: { way }, spent, where: { address, isCurrent } } = each
  if (address === undefined || way === "node" || !isTurnedAway(error)) return settle(each)
  const learn: Learned = { _tag: "TurnedAway", address }
  return isFree(each) && spent.tries === 1 && !isFull(error) && !isCurrent
    ? again(each, learn, { to: "owner", after: "topology", last, delivery })
    : settle(each, learn)
}

/**
 * Takes a command that was not sent, as a loss without a try. A server that only stands still may be busy with one long
 * command, so its commands wait as long as their own limits allow.
 */
const avoided = (each: Try, { delivery, error }: Lost): Verdict => {
  const { limits: { now }, sent: { way }, spent } = each
  if (!isFree(each)) return settle(each, undefined, error)
  const since = spent.since ?? now
  // The try under way does not count, as nothing was sent.
  const tries = Math.max(spent.tries - 1, 1)
  const mayWait = kindOf(error) === "Silent" && way !== "master"
  const last = saidBy(error)
  if (!mayWait && isOverdue(each, since)) return giveUp(withSpent(each, { tries }), undefined, last, delivery)
  return {
    learn: undefined,
    next: { _tag: "Again", to: "owner", after: "recovery", ran: false },
    spent: { ...spent, since, last }
  }
}

/** Waits for a pause, and for the reading under way; nothing was sent. */
const uncovered = (each: Try): Verdict => {
  const { sent: { command }, spent } = each
  const lookups = spent.lookups + 1
  const error = notCovered(command)
  if (lookups > 2 || !isFree(each)) return settle(each, undefined, error)
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
const isHarmless = ({ command: { spec }, readonly = spec.readonly }: Sent): boolean =>
  readonly || spec.capitals === "WATCH"
