/**
 * The errors of commands that have no try left, or no time.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterRetriesExhaustedError, SlotNotCoveredError, TimeoutError } from "@redfx/core/RedisError"
import type { Delivery } from "@redfx/core/RedisError"
import { present, stackless } from "@redfx/core/unstable/Runtime"
import { slotIn } from "./plan.ts"
import type { Spent } from "./verdictModel.ts"

export const exhausted = (
  command: RedisCommand.Any,
  attempts: number,
  last: string,
  delivery: Delivery
): ClusterRetriesExhaustedError =>
  stackless(() =>
    new ClusterRetriesExhaustedError({
      command: command.spec.name,
      attempts,
      last,
      delivery,
      readonly: command.spec.readonly,
      ...present({ slot: slotIn(command) })
    })
  )

export const notCovered = (command: RedisCommand.Any): SlotNotCoveredError =>
  stackless(() => new SlotNotCoveredError(present({ slot: slotIn(command) })))

/** The error of an operation that has run out of time. `running`: the server that owes the answer, where one does. */
export const timedOut = (
  { name, readonly }: Pick<RedisCommand.Spec, "name" | "readonly">,
  limit: number,
  { last, ran }: Pick<Spent, "last" | "ran">,
  running?: string
): TimeoutError => {
  const mayHaveRun = running !== undefined || ran
  return stackless(() =>
    new TimeoutError({
      phase: mayHaveRun ? "read" : "write",
      milliseconds: limit,
      command: name,
      delivery: mayHaveRun ? "unknown" : "not-sent",
      readonly,
      ...present({ address: running, detail: running === undefined && last ? `the last time: ${last}` : undefined })
    })
  )
}
