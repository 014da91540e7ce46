/**
 * Checks masters that were replaced.
 */
import { ping } from "@redfx/core/commands/Connection"
import { connectionLoss } from "@redfx/core/RedisError"
import * as Effect from "effect/Effect"
import type { Node } from "../topology/nodes.ts"
import { unlessLate } from "../topology/unlessLate.ts"

/** The milliseconds for which a replaced master may leave a PING unanswered, before its commands are given up. */
const replacedLimit = 2000

/**
 * Fails the commands that a replaced master owes answers to, unless it still answers. A master that hangs, or is cut
 * off, would hold its callers up as long as its connections last.
 */
export const checkReplaced = (node: Node): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (yield* node.isIdle) return
    const answer = node.health.downWith === undefined
      ? yield* unlessLate(node.client.execute(ping()), replacedLimit)
      : undefined
    if (answer !== undefined) return
    const detail = "The master was replaced, and does not answer"
    yield* node.pool.disconnect({ inUse: true, reason: connectionLoss("HealthCheck", detail, node.address) })
  })
