/**
 * Plans commands that are not simply sent to the owner of one slot: those
 * without a key, and those with keys of several slots.
 */
import { KeyArg } from "@redfx/core/RedisArg"
import type { Key } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { CrossSlotError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import * as Effect from "effect/Effect"
import * as Keyless from "../keyless/keyless.ts"
import { otherDatabase } from "../keyless/rules.ts"
import { splits } from "../multiKey/crossSlot.ts"
import { emulations } from "../multiKey/emulate/emulation.ts"
import type { Cluster } from "../topology/cluster.ts"
import { slotOf } from "../topology/slot.ts"

/** The facts, besides the command, that a plan depends on. */
export interface PlanOptions {
  readonly crossSlot: "split" | "emulate" | "reject"
  readonly connection: { readonly textDecoding: "strict" | "replace" }
}

/**
 * The effect of a command that is not for one server. The result is `undefined` for a command that is, which goes to
 * the server of {@link routingKey}, or to any master without such a key.
 */
export const plan = (
  cluster: Cluster,
  options: PlanOptions,
  command: RedisCommand.Any
): Effect.Effect<unknown, CommandError> | undefined => {
  const spread = spreadOf(command)
  if (spread === "one") return isMove(command) ? Effect.fail(Keyless.unsupported(command, otherDatabase)) : undefined
  if (command.settled !== undefined) return undefined
  const reply = spread === "none" ? Keyless.keyless(cluster, command) : acrossSlots(cluster, options, command)
  return reply === undefined
    ? undefined
    : Effect.flatMap(reply, (value) => RedisCommand.decode(command, value, options.connection.textDecoding))
}

/** The key by whose slot a command is routed; `undefined` when it has none. */
export const routingKey = (command: RedisCommand.Any): Key | undefined =>
  RedisCommand.firstKey(command) ?? (command.settled === undefined ? Keyless.untypedKey(command) : undefined)

/** The slot by which a command is routed; `undefined` when it has no key. */
export const slotIn = (command: RedisCommand.Any): number | undefined => {
  const key = routingKey(command)
  return key === undefined ? undefined : slotOf(key)
}

/**
 * The error that refuses a command in a pipeline or a transaction, `undefined` for one that is for the server of one
 * slot. Commands that are split when they run alone are refused here, where a command must remain one.
 */
export const refusalInBatch = (command: RedisCommand.Any): CommandError | undefined => {
  const spread = spreadOf(command)
  if (spread === "one") return isMove(command) ? Keyless.unsupported(command, otherDatabase) : undefined
  if (command.settled !== undefined) return undefined
  if (spread === "none") return Keyless.refusalInBatch(command)
  return crossSlotError(command, splits.has(command.spec.capitals) ? notSplit : undefined)
}

/** The error that refuses a command whose keys are in several slots where it cannot be split. */
export const refusalOfSeveralSlots = (command: RedisCommand.Any): CrossSlotError | undefined =>
  spreadOf(command) === "several" ? crossSlotError(command) : undefined

/**
 * The number of slots that the keys are in. It is counted for every command: a loop over the arguments, and no hash for
 * a single key.
 */
const spreadOf = ({ parts }: RedisCommand.Any): "none" | "one" | "several" => {
  let first: Key | undefined
  let slot = -1
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (!(part instanceof KeyArg)) continue
    if (first === undefined) {
      first = part.value
      continue
    }
    if (slot < 0) slot = slotOf(first)
    if (slotOf(part.value) !== slot) return "several"
  }
  return first === undefined ? "none" : "one"
}

const acrossSlots = (
  cluster: Cluster,
  { crossSlot }: PlanOptions,
  command: RedisCommand.Any
): Effect.Effect<Resp.Value, CommandError> => {
  if (crossSlot === "reject") return Effect.fail(crossSlotError(command))
  const { capitals } = command.spec
  const split = splits.get(capitals)?.(cluster, command)
  if (split !== undefined) return split
  const emulated = emulations.get(capitals)?.(cluster, command)
  if (emulated === undefined) return Effect.fail(crossSlotError(command))
  return crossSlot === "emulate" ? emulated : Effect.fail(crossSlotError(command, notEmulated))
}

/** redis-py-cluster emulates by default, so that its users do not expect to be refused. */
const notEmulated = "Give them a common {hash tag}, or set crossSlot to \"emulate\", which is not atomic"

const notSplit = "In pipelines and transactions no command is split: run it by itself, or give them a common {hash tag}"

const crossSlotError = ({ spec }: RedisCommand.Any, detail?: string): CrossSlotError =>
  new CrossSlotError({ command: spec.name, ...(detail === undefined ? {} : { detail }) })

/** Whether a command is MOVE, the only command with a key that cannot be run in a cluster. */
const isMove = ({ spec }: RedisCommand.Any): boolean => spec.capitals === "MOVE"
