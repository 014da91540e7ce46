/**
 * Runs commands without a key by the table of rules.
 */
import type { Key } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterUnsupportedError, CrossSlotError, DataError, SlotNotCoveredError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import { asKey } from "@redfx/core/unstable/Request"
import * as Effect from "effect/Effect"
import { numberAt } from "../multiKey/arguments.ts"
import type { Cluster } from "../topology/cluster.ts"
import { slotCount, slotOf } from "../topology/slot.ts"
import { mergedFrom, onMastersAndReplicas } from "./onEach.ts"
import { ruleOf } from "./rules.ts"
import type { Rule } from "./rules.ts"
import { untypedKeys } from "./untypedKeys.ts"

/** The key that routes a command without typed keys; `undefined` when it goes anywhere, or to many servers. */
export const untypedKey = (command: RedisCommand.Any): Key | undefined => {
  const rule = ruleOf(command.spec.capitals)
  if (rule === undefined) return untypedKeys(command)[0]
  const first = command.parts[0]
  return rule.to === "key" && first !== undefined ? asKey(first) : undefined
}

/** Whether any master takes a command, although a key says which one comes first. */
export const isForAny = ({ spec }: RedisCommand.Any): boolean => {
  const rule = ruleOf(spec.capitals)
  return rule?.to === "key" && rule.orAny === true
}

/** The error that refuses a command without typed keys, whatever it is part of. */
const refusal = (command: RedisCommand.Any): CommandError | undefined => {
  const rule = ruleOf(command.spec.capitals)
  if (rule?.to === "none") return unsupported(command, rule.instead)
  if (rule !== undefined) return undefined
  const slots = new Set(untypedKeys(command).map(slotOf))
  return slots.size === 0
    ? unsupported(
      command,
      "it has no key, by which its server would be found. Give it one, or run it with RedisCluster.onNode"
    )
    : slots.size > 1
    ? new CrossSlotError({ command: command.spec.name })
    : undefined
}

/** The error that refuses a command without typed keys in a pipeline or a transaction. */
export const refusalInBatch = (command: RedisCommand.Any): CommandError | undefined => {
  const refused = refusal(command)
  if (refused !== undefined || untypedKey(command) !== undefined) return refused
  return unsupported(
    command,
    "it is not for the server of one slot. Run it by itself, outside of pipelines and transactions"
  )
}

export const unsupported = (command: RedisCommand.Any, detail: string): ClusterUnsupportedError =>
  new ClusterUnsupportedError({ command: command.spec.name, detail })

/**
 * Runs a command without typed keys on several servers, with the reply that a single server would give; `undefined` when
 * one server runs it: that of its key, or any.
 */
export const keyless = (
  cluster: Cluster,
  command: RedisCommand.Any
): Effect.Effect<Resp.Value, CommandError> | undefined => {
  const refused = refusal(command)
  if (refused !== undefined) return Effect.fail(refused)
  const rule = ruleOf(command.spec.capitals)
  return rule === undefined ? undefined : byRule(cluster, command, rule)
}

const byRule = (
  cluster: Cluster,
  command: RedisCommand.Any,
  rule: Rule
): Effect.Effect<Resp.Value, CommandError> | undefined => {
  switch (rule.to) {
    case "any":
    case "key":
    case "none":
      return undefined
    case "slot":
      return onSlot(cluster, command)
    case "special":
      return rule.run(cluster, command)
    case "reachable":
      return Effect.map(onMastersAndReplicas(cluster, command), (replies) => rule.merge(replies, command))
    case "masters":
    case "nodes":
      return mergedFrom(cluster, rule.to, command, rule.merge)
  }
}

/** Runs a command on the master of the slot whose number is the first argument. */
const onSlot = (cluster: Cluster, command: RedisCommand.Any): Effect.Effect<Resp.Value, CommandError> => {
  const slot = numberAt(command, 0)
  if (slot === undefined || slot < 0 || slot >= slotCount) {
    return Effect.fail(
      new DataError({ command: command.spec.name, detail: `needs the number of a slot, 0 to ${slotCount - 1}` })
    )
  }
  return Effect.flatMap(cluster.masters, () => {
    const node = cluster.ofSlot(slot)
    return node === undefined
      ? Effect.fail(new SlotNotCoveredError({ slot }))
      : cluster.onNode(node, RedisCommand.undecoded(command))
  })
}
