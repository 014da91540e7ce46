/**
 * Keys in the slot of another key, for as long as an emulated command takes.
 */
import { del } from "@redfx/core/commands/Generic"
import { isRetryable } from "@redfx/core/RedisError"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { Cluster } from "../topology/cluster.ts"
import { slotOf } from "../topology/slot.ts"

/** A new key in a slot, with a name that nobody else will use. */
export const temporaryKey = (slot: number): string => `redfx:temporary:{${tagOf(slot)}}:${SecureRandom.uuidV4Unsafe()}`

const tags = new Map<number, string>()

/** A hash tag of a slot: the first number that hashes to it, found in about 0.5 ms. */
const tagOf = (slot: number): string => {
  let tag = tags.get(slot)
  for (let number = 0; tag === undefined; number++) {
    if (slotOf(String(number)) === slot) tag = String(number)
  }
  tags.set(slot, tag)
  return tag
}

/** Removes temporary keys, with retries where they may help, because deleting twice does no harm. */
export const remove = (cluster: Cluster, keys: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.ignore(
    Effect.retry(cluster.execute(del(keys)), { times: 2, while: isRetryable })
  )
