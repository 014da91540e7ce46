/**
 * What may be sent once more, how often, and after which pauses: the same for
 * single commands, pipelines and transactions.
 *
 * @internal
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import {
  ClusterDownError,
  ClusterRetriesExhaustedError,
  CrossSlotError,
  isSafeToRetry,
  SlotNotCoveredError
} from "@redfx/core/RedisError"
import type { Delivery, RedisError } from "@redfx/core/RedisError"
import { routingKey } from "./plan.ts"
import { slotOf } from "./slot.ts"

/** How often one command is sent at the most: over redirects, retries and lost connections. */
export const maxTries = 16

/** How often redirects and TRYAGAIN are obeyed at once, and the pause after that. */
const immediateTries = 8
export const redirectPause = 50

/** Pauses after the loss of a connection: doubled from the shortest to the longest. */
const shortestPause = 20
const longestPause = 250

/** The pause before a slot without owner is looked up once more. */
export const uncoveredPause = 100

/** Milliseconds before what was redirected is sent again, after so many tries. */
export const pauseAfterRedirect = (tries: number): number => tries <= immediateTries ? 0 : redirectPause

/** Milliseconds before what was lost with its connection is sent again, after so many tries. */
export const pauseAfterLoss = (tries: number): number => Math.min(shortestPause * 2 ** (tries - 1), longestPause)

/**
 * Why another try may do better, where nothing was run or running it twice does no harm.
 *
 * - `redirect`: it belongs elsewhere, or the same server takes it a little later. `down`: the cluster does not serve.
 * - `uncovered`: nobody serves the slot. `loss`: the server is gone or was not reached; another may take its place.
 */
export type Reason = "redirect" | "down" | "uncovered" | "loss"

/** Why a command that failed may be sent again, `undefined` when it must not be. */
export const reasonOf = (error: RedisError): Reason | undefined => {
  switch (error._tag) {
    case "ResponseError":
      return reasonOfCode(error.code)
    case "ExecAbortError":
      // The server refused one of the queued commands, and ran none.
      return error.causes.map(({ code }) => reasonOfCode(code)).find((reason) => reason !== undefined)
    case "SlotNotCoveredError":
      return "uncovered"
    default:
      return isRedirect(error) ? "redirect" : isOutage(error) && isSafeToRetry(error) ? "loss" : undefined
  }
}

const reasonOfCode = (code: string): Reason | undefined =>
  code === "TRYAGAIN" ? "redirect" : code === "CLUSTERDOWN" || code === "MASTERDOWN" ? "down" : undefined

const isRedirect = (error: RedisError): boolean => error._tag === "ConnectionError" && error.reason === "Demoted"

/** Whether a server is gone or was not reached, as after it failed. */
export const isOutage = (error: RedisError): boolean =>
  error._tag === "TimeoutError"
    ? error.phase === "connect"
    : error._tag === "ConnectionError" && outages.has(error.reason)

const outages: ReadonlySet<string> = new Set(["Refused", "Closed", "Reset", "Dns", "HealthCheck", "Other"])

/** What has been spent of the tries of one command, or of several that are sent together. */
export interface Spent {
  readonly tries: number
  readonly downs: number
  readonly uncovered: boolean
}

/** Before the first try has failed. */
export const unspent: Spent = { tries: 1, downs: 0, uncovered: false }

/** After one more failure. */
export const spend = (spent: Spent, reasons: ReadonlySet<Reason>): Spent => ({
  tries: spent.tries + 1,
  downs: spent.downs + (reasons.has("down") ? 1 : 0),
  uncovered: spent.uncovered || reasons.has("uncovered")
})

/** Whether there is a try left after a failure. `downAttempts`: the tries in all while the cluster says it is down. */
export const hasTry = (spent: Spent, reason: Reason, downAttempts: number): boolean =>
  spent.tries < maxTries &&
  (reason !== "down" || spent.downs + 1 < downAttempts) &&
  (reason !== "uncovered" || !spent.uncovered)

/** Milliseconds before the next try. */
export const pauseBefore = (spent: Spent, reason: Reason): number => {
  switch (reason) {
    case "redirect":
      return pauseAfterRedirect(spent.tries)
    case "loss":
      return pauseAfterLoss(spent.tries)
    case "uncovered":
      return uncoveredPause
    case "down":
      return 0
  }
}

/** The error of what has no try left. */
export const giveUp = (command: RedisCommand.Any, error: RedisError, spent: Spent): RedisError =>
  spent.tries >= maxTries
    ? exhausted(command, saidBy(error), "delivery" in error ? error.delivery : "not-sent")
    : typed(error, spent.downs + 1)

/** What went wrong, without what that means to the command: this is told of all tries together. */
export const saidBy = (error: RedisError): string => {
  const at = "address" in error && error.address !== undefined ? ` at ${error.address}` : ""
  switch (error._tag) {
    case "ConnectionError":
      return `${error.detail}${at}`
    case "TimeoutError":
      return `no answer${at} within ${error.milliseconds} ms`
    default:
      return error.message.replace(/\.$/, "")
  }
}

export const exhausted = (
  command: RedisCommand.Any,
  last: string,
  delivery: Delivery
): ClusterRetriesExhaustedError => {
  const key = routingKey(command)
  return new ClusterRetriesExhaustedError({
    command: command.spec.name,
    attempts: maxTries,
    last,
    delivery,
    readonly: command.spec.readonly,
    ...(key === undefined ? {} : { slot: slotOf(key) })
  })
}

export const notCovered = (command: RedisCommand.Any): SlotNotCoveredError => {
  const key = routingKey(command)
  return new SlotNotCoveredError({ slot: key === undefined ? 0 : slotOf(key) })
}

/** The cluster's own errors, which a single server's client does not know. */
export const typed = (error: RedisError, attempts = 1): RedisError => {
  if (error._tag !== "ResponseError") return error
  const { address, code, command, detail, index } = error
  const place = {
    ...(address === undefined ? {} : { address }),
    ...(index === undefined ? {} : { index })
  }
  switch (code) {
    case "CLUSTERDOWN":
    case "MASTERDOWN":
      return new ClusterDownError({ code, detail, command, attempts, ...place })
    case "CROSSSLOT":
      return new CrossSlotError({ command, ...(index === undefined ? {} : { index }) })
    default:
      return error
  }
}
