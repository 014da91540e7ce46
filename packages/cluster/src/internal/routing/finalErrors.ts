/**
 * The errors of commands that have no try left, or no time.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterRetriesExhaustedError, SlotNotCoveredError, TimeoutError } from "@redfx/core/RedisError"
import type { Delivery } from "@redfx/core/RedisError"
import { present, stackless } from "@redfx/core/unstable/Runtime"
import { slotIn } from "./plan.ts"

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

/**
 * The error of an operation that has run out of time.
 *
 * - `sent`: whether a server can have run it. `last`: the reason why it is not under way, where that is known. `address`:
 *   the server that owes the answer.
 */
export const timedOut = (
  { name, readonly }: Pick<RedisCommand.Spec, "name" | "readonly">,
  limit: number,
  sent: boolean,
  last: string | undefined,
  address?: string
): TimeoutError =>
  stackless(() =>
    new TimeoutError({
      phase: sent ? "read" : "write",
      milliseconds: limit,
      command: name,
      delivery: sent ? "unknown" : "not-sent",
      readonly,
      ...present({ address, detail: last && `the last time: ${last}` })
    })
  )
