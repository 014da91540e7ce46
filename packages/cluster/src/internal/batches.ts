/**
 * Pipelines: what goes to one server goes there in one write. What could not be
 * run where it was sent is sent once more, in the same order, and nothing else.
 *
 * @internal
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { atIndex, ConnectionError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { asking } from "@redfx/core/RedisRouter"
import type { Outcome } from "@redfx/core/RedisRouter"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Node } from "./nodes.ts"
import { routingKey } from "./plan.ts"
import { isForReplicas } from "./readFrom.ts"
import { askedIn, waitFor } from "./retrying.ts"
import type { Retrying } from "./retrying.ts"
import { slotOf } from "./slot.ts"
import { giveUp, hasTry, notCovered, pauseBefore, reasonOf, spend, typed, unspent } from "./tries.ts"
import type { Reason, Spent } from "./tries.ts"
import { timedOut, within } from "./wholeLimit.ts"

type Commands = ReadonlyArray<RedisCommand.Any>

/** Where commands go: nowhere when nobody serves their slot, or when the program's `readFrom` failed. */
type Place = Node | ConnectionError | undefined

/** A command by its place in the pipeline, and the node that an ASK has sent it to. */
interface Pending {
  readonly index: number
  readonly asked: Node | undefined
}

/** What is to be sent once more, and why. */
interface Failed extends Pending {
  readonly error: RedisError
  readonly reason: Reason
}

class Pipeline {
  readonly #retrying: Retrying
  readonly #commands: Commands
  readonly #nodeFor: (command: RedisCommand.Any) => Place
  /** An outcome stands from when it is known until the command is sent again. */
  readonly #outcomes: Array<Outcome | undefined>
  readonly #running = new Set<number>()

  constructor(retrying: Retrying, commands: Commands) {
    this.#retrying = retrying
    this.#commands = commands
    this.#nodeFor = firstNodes(retrying, commands)
    this.#outcomes = new Array(commands.length)
  }

  /** Settles what is known without a server; returns the rest. */
  begin(): ReadonlyArray<Pending> {
    return this.#commands.flatMap((command, index) => {
      const refusal = command.settled === undefined ? this.#retrying.refuses(command) : undefined
      const outcome = command.settled ?? (refusal === undefined ? undefined : Exit.fail(refusal))
      if (outcome === undefined) return [{ index, asked: undefined }]
      this.#settle(index, outcome)
      return []
    })
  }

  /** Sends commands to their nodes, all at once, and again what was not run. */
  send(pending: ReadonlyArray<Pending>, spent: Spent): Effect.Effect<void> {
    return Effect.suspend(() =>
      Effect.forEach(
        this.#parts(pending, spent.tries === 1),
        ([node, part]) => Effect.flatMap(this.#run(node, part), (failed) => this.#again(failed, spent)),
        { concurrency: "unbounded", discard: true }
      )
    )
  }

  /** The outcomes; of what has none, that the time was up. */
  outcomes(limit: number): ReadonlyArray<Outcome> {
    return this.#commands.map((command, index) =>
      this.#outcomes[index] ?? Exit.fail(timedOut(command, limit, this.#running.has(index)))
    )
  }

  fail(pending: ReadonlyArray<Pending>, error: RedisError): void {
    for (const { index } of pending) this.#settle(index, Exit.fail(error))
  }

  #settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = Exit.mapError(outcome, (error) => atIndex(typed(error), index))
  }

  #parts(pending: ReadonlyArray<Pending>, first: boolean): ReadonlyMap<Place, ReadonlyArray<Pending>> {
    const parts = new Map<Place, Array<Pending>>()
    for (const each of pending) {
      const command = this.#commandAt(each)
      // What failed once is asked of the master.
      const node = each.asked === undefined
        ? first ? this.#nodeFor(command) : this.#retrying.redirects.masterOf(command)
        // It may have been given up and made again during the pause.
        : this.#retrying.state.nodes.at(each.asked.endpoint)
      const part = parts.get(node)
      if (part === undefined) parts.set(node, [each])
      else part.push(each)
    }
    return parts
  }

  /** Sends commands to one node, in one write; returns those to be sent again. */
  #run(node: Place, part: ReadonlyArray<Pending>): Effect.Effect<ReadonlyArray<Failed>> {
    if (node instanceof ConnectionError) {
      this.fail(part, node)
      return Effect.succeed([])
    }
    if (node === undefined) {
      return Effect.succeed(
        part.map((each) => ({ ...each, error: notCovered(this.#commandAt(each)), reason: "uncovered" as const }))
      )
    }
    for (const { index } of part) this.#running.add(index)
    const sent = part.flatMap((each) =>
      each.asked === undefined ? [this.#commandAt(each)] : [asking, this.#commandAt(each)]
    )
    return Effect.map(this.#retrying.clientOf(node).pipeline(sent), (replies) => {
      const failed: Array<Failed> = []
      let next = 0
      for (const each of part) {
        if (each.asked !== undefined) next++
        // In range: there is one reply for each command.
        this.#take(each, replies[next++]!, failed)
      }
      return failed
    })
  }

  #take(each: Pending, outcome: Outcome, failed: Array<Failed>): void {
    this.#running.delete(each.index)
    const error = Exit.isFailure(outcome) ? outcome.cause.reasons.find(Cause.isFailReason)?.error : undefined
    const reason = error === undefined ? undefined : reasonOf(error)
    if (error === undefined || reason === undefined) this.#settle(each.index, outcome)
    else failed.push({ ...each, error, reason })
  }

  /** Sends together what was sent together before: in one slot the order is kept. */
  #again(failed: ReadonlyArray<Failed>, spent: Spent): Effect.Effect<void> {
    const { clusterDownRetryAttempts } = this.#retrying.settings
    const open = failed.filter((each) => {
      if (hasTry(spent, each.reason, clusterDownRetryAttempts)) return true
      this.#settle(each.index, Exit.fail(giveUp(this.#commandAt(each), each.error, spent)))
      return false
    })
    if (open.length === 0) return Effect.void
    const reasons = new Set(open.map(({ reason }) => reason))
    const wait = Effect.forEach(reasons, (reason) => waitFor(this.#retrying, reason, pauseBefore(spent, reason)), {
      concurrency: "unbounded",
      discard: true
    })
    return Effect.matchEffect(wait, {
      onFailure: (error) => Effect.sync(() => this.fail(open, error)),
      onSuccess: () => {
        const pending = open.map(({ asked, error, index }) => ({
          index,
          asked: askedIn(this.#retrying, error, asked)
        }))
        return this.send(pending, spend(spent, reasons))
      }
    })
  }

  #commandAt({ index }: Pending): RedisCommand.Any {
    // In range: the index was that of a command.
    return this.#commands[index]!
  }
}

/** Runs a pipeline, a part of it on each server, all at once. Order is kept in each slot. */
export const pipeline = (retrying: Retrying, commands: Commands): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.suspend(() => {
    const pipeline = new Pipeline(retrying, commands)
    const pending = pipeline.begin()
    if (pending.length === 0) return Effect.succeed(pipeline.outcomes(0))
    const sending = Effect.matchEffect(retrying.state.known, {
      onFailure: (error) => Effect.sync(() => pipeline.fail(pending, error)),
      onSuccess: () => pipeline.send(pending, unspent)
    })
    return within(retrying, pending.map(({ index }) => commands[index]!), {
      whole: Effect.map(sending, () => pipeline.outcomes(0)),
      orElse: (limit) => Effect.sync(() => pipeline.outcomes(limit))
    })
  })

/**
 * Where each command is sent first. What is read from replicas must not miss what the same pipeline writes: then the
 * slot is the master's. Else one server of a slot answers all of its reads.
 */
const firstNodes = ({ redirects }: Retrying, commands: Commands) => {
  if (!redirects.readsFromReplicas) return (command: RedisCommand.Any) => redirects.masterOf(command)
  const written = new Set(commands.filter((command) => !isForReplicas(command)).map(slotIn))
  const chosen = new Map<number | undefined, Node | undefined>()
  return (command: RedisCommand.Any): Place => {
    const slot = slotIn(command)
    if (written.has(slot)) return redirects.masterOf(command)
    const node = chosen.get(slot) ?? redirects.nodeFor(command)
    // An error names its command.
    if (!(node instanceof ConnectionError)) chosen.set(slot, node)
    return node
  }
}

const slotIn = (command: RedisCommand.Any): number | undefined => {
  const key = routingKey(command)
  return key === undefined ? undefined : slotOf(key)
}
