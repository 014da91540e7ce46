/**
 * Pipelines and transactions: what goes to one server goes there in one write;
 * what could not be run where it was sent is sent once more, by itself.
 *
 * @internal
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import {
  atIndex,
  ClusterDownError,
  ClusterUnsupportedError,
  CrossSlotError,
  isSafeToRetry,
  SlotNotCoveredError
} from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import type { Outcome } from "@redfx/core/RedisRouter"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Node } from "./nodes.ts"
import { refusalInBatch, routingKey } from "./plan.ts"
import { exhausted, isOutage, maxTries } from "./redirects.ts"
import type { Redirects } from "./redirects.ts"
import { slotOf } from "./slot.ts"
import type { State } from "./state.ts"

const slotIn = (command: RedisCommand.Any): number | undefined => {
  const key = RedisCommand.firstKey(command) ?? routingKey(command)
  return key === undefined ? undefined : slotOf(key)
}

const notCovered = (command: RedisCommand.Any) => new SlotNotCoveredError({ slot: slotIn(command) ?? 0 })

/** Runs one command by itself, with all redirects. */
type Execute = (command: RedisCommand.Any) => Effect.Effect<unknown, RedisError>

type Commands = ReadonlyArray<RedisCommand.Any>

/** Commands of one server and where they stand in the pipeline. */
interface Part {
  readonly commands: Array<RedisCommand.Any>
  readonly positions: Array<number>
}

// -----------------------------------------------------------------------------
// Pipelines
// -----------------------------------------------------------------------------

/** Runs a pipeline, a part of it on each server, all at once. Order is kept on each server. */
export const pipeline = Effect.fnUntraced(function*(
  state: State,
  redirects: Redirects,
  execute: Execute,
  commands: Commands
): Effect.fn.Return<ReadonlyArray<Outcome>> {
  const known = yield* Effect.exit(state.known)
  if (Exit.isFailure(known)) return commands.map((command) => command.settled ?? known)
  const outcomes = new Array<Outcome>(commands.length)
  const parts = new Map<Node, Part>()
  commands.forEach((command, index) => {
    const refusal = command.settled === undefined ? refusalInBatch(command) : undefined
    const node = refusal === undefined ? redirects.nodeFor(command) : undefined
    if (command.settled !== undefined) outcomes[index] = placed(command.settled, index)
    else if (refusal !== undefined) outcomes[index] = Exit.fail(atIndex(refusal, index))
    else if (node === undefined) outcomes[index] = Exit.fail(notCovered(command))
    else add(parts, node, command, index)
  })
  yield* Effect.forEach(parts, ([node, part]) => runPart(node, part, outcomes), {
    concurrency: "unbounded",
    discard: true
  })
  yield* repeat(execute, commands, outcomes)
  return outcomes
})

const add = (parts: Map<Node, Part>, node: Node, command: RedisCommand.Any, index: number): void => {
  const part = parts.get(node)
  if (part === undefined) parts.set(node, { commands: [command], positions: [index] })
  else {
    part.commands.push(command)
    part.positions.push(index)
  }
}

const runPart = (node: Node, { commands, positions }: Part, outcomes: Array<Outcome>): Effect.Effect<void> =>
  Effect.map(node.client.pipeline(commands), (results) => {
    results.forEach((outcome, i) => {
      // In range: there is one outcome a command.
      const index = positions[i]!
      outcomes[index] = placed(outcome, index)
    })
  })

/** Runs once more what was not run where it was sent: one by one in each slot, all slots at once. */
const repeat = (execute: Execute, commands: Commands, outcomes: Array<Outcome>): Effect.Effect<void> => {
  const bySlot = new Map<number, Array<number>>()
  commands.forEach((command, index) => {
    const error = errorIn(outcomes[index])
    if (error === undefined) return
    if (!isRepeatable(error)) {
      outcomes[index] = Exit.fail(atIndex(typed(error), index))
      return
    }
    const slot = slotIn(command) ?? -1
    bySlot.set(slot, [...bySlot.get(slot) ?? [], index])
  })
  if (bySlot.size === 0) return Effect.void
  return Effect.forEach(bySlot.values(), (indices) =>
    Effect.forEach(indices, (index) =>
      // In range: the indices are those of commands.
      Effect.map(Effect.exit(execute(commands[index]!)), (outcome) => {
        outcomes[index] = placed(outcome, index)
      }), { discard: true }), { concurrency: "unbounded", discard: true })
}

const placed = (outcome: Outcome, index: number): Outcome => Exit.mapError(outcome, (error) => atIndex(error, index))

const errorIn = (outcome: Outcome | undefined): RedisError | undefined =>
  outcome === undefined || Exit.isSuccess(outcome) ? undefined : outcome.cause.reasons.find(Cause.isFailReason)?.error

/** Whether it is certain that nothing was run, or repeating does no harm, and another try may do. */
const isRepeatable = (error: RedisError): boolean =>
  error._tag === "ResponseError"
    ? passing.has(error.code)
    : error._tag === "SlotNotCoveredError" || isMoved(error) || isSafeOutage(error)

const passing: ReadonlySet<string> = new Set(["TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN"])

const isMoved = (error: RedisError): boolean => error._tag === "ConnectionError" && error.reason === "Demoted"

const isSafeOutage = (error: RedisError): boolean => isOutage(error) && isSafeToRetry(error)

/** The cluster's own errors, which a single server's client does not know. */
const typed = (error: RedisError): RedisError => {
  if (error._tag !== "ResponseError") return error
  switch (error.code) {
    case "CLUSTERDOWN":
    case "MASTERDOWN":
      return new ClusterDownError({ code: error.code, detail: error.detail, command: error.command, attempts: 1 })
    case "CROSSSLOT":
      return new CrossSlotError({ command: error.command })
    default:
      return error
  }
}

// -----------------------------------------------------------------------------
// Transactions and commands that need a connection of their own
// -----------------------------------------------------------------------------

/** The pause before what cannot be run at the moment is tried again. */
const pause = "50 millis"

/** How often a command follows its slot at once. */
const immediateTries = 3

/** Runs something on the server of a command's slot, again where that has moved or failed and nothing was run. */
export const following = Effect.fnUntraced(function*<A>(
  state: State,
  redirects: Redirects,
  command: RedisCommand.Any,
  run: (node: Node) => Effect.Effect<A, RedisError>
): Effect.fn.Return<A, RedisError> {
  for (let tries = 1; true; tries++) {
    yield* state.known
    const node = redirects.masterOf(command)
    const attempt = yield* Effect.exit(node === undefined ? Effect.fail(notCovered(command)) : run(node))
    if (Exit.isSuccess(attempt)) return attempt.value
    const error = errorIn(attempt)
    if (error === undefined || !isRepeatable(error)) {
      return yield* Effect.mapError(attempt, typed)
    }
    if (tries === maxTries) return yield* Effect.fail(exhausted(command, error.message, "not-sent"))
    if (isMoved(error) && tries <= immediateTries) continue
    state.requestRefresh()
    yield* Effect.sleep(pause)
  }
})

/** Runs a transaction on the server of its one slot. */
export const transaction = (
  state: State,
  redirects: Redirects,
  commands: Commands
): Effect.Effect<ReadonlyArray<Outcome>, RedisError> => {
  const sent = commands.filter((command) => command.settled === undefined)
  const refusal = sent.map(refusalInBatch).find((error) => error !== undefined) ?? differentSlots(sent)
  if (refusal !== undefined) return Effect.fail(refusal)
  // Without anything to send any server does.
  const leading = sent.find((command) => RedisCommand.firstKey(command) !== undefined) ?? sent[0] ?? nothing
  return following(state, redirects, leading, (node) => node.client.transaction(commands))
}

const nothing = RedisCommand.send("PING")

const differentSlots = (commands: Commands): ClusterUnsupportedError | undefined => {
  const slots = new Set(commands.map(slotIn).filter((slot) => slot !== undefined))
  return slots.size < 2 ? undefined : new ClusterUnsupportedError({
    command: "MULTI",
    detail: "a transaction is run by one server, and the keys of this one lie in different hash slots. " +
      "Give them a common {hash tag}"
  })
}
