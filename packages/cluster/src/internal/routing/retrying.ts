/**
 * The means by which effects are sent again: pipelines, transactions, blocking commands, and commands to one server.
 */
import type { RedisClient } from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError, Delivery, TransactionError } from "@redfx/core/RedisError"
import { failureOf } from "@redfx/core/unstable/Connection"
import { earlierIn, sentBefore } from "@redfx/core/unstable/Request"
import { errorOf } from "@redfx/core/unstable/Runtime"
import type * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { typed } from "../topology/clusterErrors.ts"
import type { Node } from "../topology/nodes.ts"
import type { Redirects } from "./redirects.ts"
import type { ClusterSettings } from "./settings.ts"
import type { State } from "./state.ts"
import { outcomeOf } from "./verdict.ts"
import type { Outcome, Sent, Spent, To, Verdict } from "./verdictModel.ts"

/**
 * - `clock`: the client's, by which all its limits and pauses go. `clientOf`: the client of a node, with the limits of this
 *   one.
 * - `refuses`: the error that refuses a command among others. `refusesWrite`: that of one that may write, on a client that
 *   only reads.
 */
export interface Retrying {
  readonly settings: ClusterSettings
  readonly clock: Clock.Clock
  readonly clientOf: (node: Node) => RedisClient["Service"]
  readonly state: State
  readonly redirects: Redirects
  readonly refuses: (command: RedisCommand.Any) => CommandError | undefined
  readonly refusesWrite: (command: RedisCommand.Any) => CommandError | undefined
}

/** The same means with the limit that `withTimeout` has given a client, if it has. */
export const within = (retrying: Retrying, limit: Duration.Duration | undefined): Retrying => {
  if (limit === undefined) return retrying
  const { connection, ...settings } = retrying.settings
  return {
    ...retrying,
    settings: { ...settings, connection: { ...connection, commandTimeout: limit } },
    clientOf: (node) => node.client.withTimeout(limit)
  }
}

/**
 * The verdict on an error, or on a server that is down. `node` is the server that the command was sent to, unless the
 * error names one.
 */
export const judged = (
  { state }: Pick<Retrying, "state">,
  sent: Sent,
  { error, isAvoided = false, node, spent }: {
    readonly error: TransactionError
    readonly isAvoided?: boolean
    readonly node: Node | undefined
    readonly spent: Spent
  }
): Verdict => {
  const address = ("address" in error ? error.address : undefined) ?? node?.address
  const outcome: Outcome = isAvoided
    // A server is avoided because of an earlier command.
    ? { _tag: "Avoided", error: error as CommandError, delivery: "not-sent" }
    : outcomeOf(error, undefined, sent.command)
  // With `retryOnTimeout` the client of the server may have sent it once before.
  const before = (isAvoided ? undefined : earlierIn(error)) ?? spent.before
  return state.judge(sent, address, outcome, before === undefined ? spent : { ...spent, ran: true, before })
}

/** An error that settles an operation, with what an earlier try of it may have done. */
export const settledBy = <E extends TransactionError>({ before }: Spent, error: E): E =>
  before === undefined ? error : sentBefore(error, before)

/** Whether a server can have run what was tried before. */
export const deliveryIn = ({ ran }: Spent): Delivery => ran ? "unknown" : "not-sent"

/**
 * What a try has come to: its value; or where the next one goes, the budget that is left for it, and the error for when it
 * is not made after all.
 */
type Tried<A, E> =
  | { readonly value: A }
  | { readonly to: To; readonly spent: Spent; readonly error: E | CommandError }

/**
 * Tries once, and waits as the verdict says before the next try. Fails when there is to be none.
 *
 * - `node`: the server that is tried; `undefined` when there is none. `avoided`: why nothing is sent to it, if so.
 * - `waits`: takes what is spent before the waiting begins.
 */
export const tryOnce = Effect.fnUntraced(function*<A, E extends TransactionError>(
  retrying: Retrying,
  sent: Sent,
  once: Effect.Effect<A, E | CommandError>,
  { avoided, node, spent, waits }: {
    readonly node: Node | undefined
    readonly avoided: CommandError | undefined
    readonly spent: Spent
    readonly waits: (spent: Spent) => void
  }
): Effect.fn.Return<Tried<A, E>, E | CommandError> {
  const exit = yield* Effect.exit(avoided === undefined ? once : Effect.fail(avoided))
  if (Exit.isSuccess(exit)) return { value: exit.value }
  const error = errorOf(exit.cause)
  if (error === undefined) return yield* Effect.failCause(exit.cause)
  const verdict = judged(retrying, sent, { error, isAvoided: avoided !== undefined, node, spent })
  if (verdict.next._tag === "Settle") {
    return yield* Effect.fail(settledBy(verdict.spent, verdict.next.error ?? typed(error)))
  }
  waits(verdict.spent)
  const { command: { spec: { name } }, readonly = sent.command.spec.readonly } = sent
  yield* Effect.mapError(
    retrying.state.wait(verdict.next.after),
    (error) => settledBy(verdict.spent, failureOf(error, { name, readonly }, deliveryIn(verdict.spent)))
  )
  return { to: verdict.next.to, spent: verdict.spent, error: settledBy(verdict.spent, typed(error)) }
})

/** A server that is sent to this time; `undefined` means the owner of the slot. */
export interface Target {
  readonly node: Node
  readonly asking: boolean
}

/** The server, as the target of what is not asked of it ahead of its slot. */
export const owned = (node: Node | undefined): Target | undefined => node && { node, asking: false }

/** The target that a verdict names. `before` is the server that the command was sent to. */
export const targetOf = ({ state }: Retrying, to: To, before: Target | undefined): Target | undefined =>
  to === "owner" ? undefined : to === "same" ? before : { node: state.nodes.named(to.node), asking: to.asking }
