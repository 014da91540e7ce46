/**
 * Runs PFCOUNT and PFMERGE for keys of several slots: the other keys are copied to the slot of the first key, where the
 * command itself runs.
 */
import { get, set } from "@redfx/core/commands/Strings"
import * as RedisArg from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import { forMaster } from "@redfx/core/unstable/Router"
import * as Effect from "effect/Effect"
import type { Cluster } from "../../topology/cluster.ts"
import { slotOf } from "../../topology/slot.ts"
import type { Split } from "../crossSlot.ts"
import { fanOut } from "../fanOut.ts"
import { remove, temporaryKey } from "../temporaryKeys.ts"

/** The milliseconds that a copy lives when nobody can remove it, as after a crash. */
const lifetime = 60_000

export const onCopies: Split = (cluster, command) => {
  const keys = RedisCommand.keys(command)
  if (keys[0] === undefined || keys.length !== command.parts.length) return undefined
  const slot = slotOf(keys[0])
  const near = keys.filter((key) => slotOf(key) === slot)
  const far = keys.filter((key) => slotOf(key) !== slot)
  return Effect.flatMap(
    fanOut(far.map((key) => cluster.execute(forMaster(RedisCommand.asBytes(get(key))))), { readonly: true }),
    (values) => {
      // A key that does not exist is an empty HyperLogLog, and adds nothing.
      const copies = values.flatMap((bytes) => bytes === undefined ? [] : [{ key: temporaryKey(slot), bytes }])
      const copied = copies.map(({ key }) => key)
      const whole = RedisCommand.withParts(command, [...near, ...copied].map(RedisArg.key))
      const run = cluster.execute(forMaster(RedisCommand.undecoded(whole)))
      return copies.length === 0 ? run : Effect.ensuring(
        Effect.andThen(put(cluster, copies), run),
        remove(cluster, copied)
      )
    }
  )
}

const put = (
  cluster: Cluster,
  copies: ReadonlyArray<{ readonly key: string; readonly bytes: Uint8Array }>
): Effect.Effect<unknown, CommandError> =>
  // Repeating the copies does no harm.
  fanOut(copies.map(({ bytes, key }) => cluster.execute(set(key, bytes, { px: lifetime }))), { readonly: true })
