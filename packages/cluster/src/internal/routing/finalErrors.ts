/**
 * The errors of commands that have no try left.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterRetriesExhaustedError, SlotNotCoveredError } from "@redfx/core/RedisError"
import type { Delivery } from "@redfx/core/RedisError"
import { slotOf } from "../topology/slot.ts"
import { routingKey } from "./plan.ts"

export const exhausted = (
  command: RedisCommand.Any,
  attempts: number,
  last: string,
  delivery: Delivery
): ClusterRetriesExhaustedError => {
  const key = routingKey(command)
  return new ClusterRetriesExhaustedError({
    command: command.spec.name,
    attempts,
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
