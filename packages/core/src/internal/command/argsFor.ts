/**
 * Commands without a decoder, as programs without types may define them. They are refused, as reading their reply would be a defect.
 */
import * as Predicate from "effect/Predicate"
import { InvalidArgument } from "../argument/refusal.ts"
import { callerOf } from "../error/place.ts"
import type { Reply } from "../reply/reply.ts"

/** Whether there is a decoder. */
export const isReply = (value: unknown): value is Reply<unknown, unknown, unknown> =>
  Predicate.hasProperty(value, "decode") && typeof value.decode === "function"

/** Why a command is refused that has no decoder of its reply. */
export const refusalFor = (reply: unknown): InvalidArgument | undefined =>
  isReply(reply) ? undefined : new InvalidArgument(noDecoder, callerOf(refusalFor))

const noDecoder = "has no decoder of its reply; give one, such as RedisReply.text"

/** What makes the arguments of a command. What is wrong with them is told before a decoder is missed. */
export const argsFor = <Parameters extends ReadonlyArray<unknown>, A>(
  reply: unknown,
  args: (...parameters: Parameters) => A
): (...parameters: Parameters) => A => {
  const refusal = refusalFor(reply)
  return refusal === undefined ? args : (...parameters) => {
    args(...parameters)
    throw refusal
  }
}
