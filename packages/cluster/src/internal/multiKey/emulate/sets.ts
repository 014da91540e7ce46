/**
 * Runs SMOVE, SDIFFSTORE, SINTERSTORE and SUNIONSTORE for sets of several slots.
 */
import { del, rename } from "@redfx/core/commands/Generic"
import { sadd, sismember, srem } from "@redfx/core/commands/Sets"
import { wireValue } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import { forMaster } from "@redfx/core/unstable/Router"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type { Cluster } from "../../topology/cluster.ts"
import { slotOf } from "../../topology/slot.ts"
import type { Split } from "../crossSlot.ts"
import { bytesOf } from "../replies.ts"
import * as Sets from "../setOperations.ts"
import { remove, temporaryKey } from "../temporaryKeys.ts"
import { takingBack } from "./takingBack.ts"

/**
 * Runs SMOVE. The member is removed first, so of several callers that move it only one succeeds. It is put back if it
 * cannot be added, or if it was there and it is not known whether it was removed.
 */
export const smove: Split = (cluster, command) => {
  const [source, destination] = RedisCommand.keys(command)
  const part = command.parts[2]
  if (source === undefined || destination === undefined || part === undefined) return undefined
  const member = wireValue(part)
  const putBack = takingBack(command, cluster.execute(sadd(source, member)), {
    what: "member",
    where: "may be in neither set"
  })
  const give = Effect.catch(cluster.execute(sadd(destination, member)), putBack)
  const take = Effect.catch(
    cluster.execute(srem(source, member)),
    (error) =>
      "delivery" in error && error.delivery === "unknown"
        ? putBack(error)
        : Effect.fail(error)
  )
  return Effect.uninterruptible(Effect.gen(function*() {
    const isThere = yield* cluster.execute(forMaster(sismember(source, member)))
    if (!isThere || (yield* take) === 0) return 0
    yield* give
    return 1
  }))
}

/** Stores a result in a temporary set first, which then replaces the destination at once. */
const store = (operation: Sets.SetOperation): Split => (cluster, command) => {
  const [destination, ...sources] = RedisCommand.keys(command)
  if (destination === undefined) return undefined
  const read = (command: RedisCommand.Any) => cluster.execute(forMaster(RedisCommand.undecoded(command)))
  return Effect.flatMap(operation(read, sources), (members) => {
    if (members.length === 0) return Effect.as(cluster.execute(del(destination)), 0)
    const temporary = temporaryKey(slotOf(destination))
    return Effect.andThen(
      fill(cluster, temporary, members.map(bytesOf)),
      cluster.execute(rename(temporary, destination))
    )
      .pipe(
        Effect.onError(() => remove(cluster, [temporary])),
        Effect.as(members.length)
      )
  })
}

/** The number of members in one command: a longer command would keep a server from answering others. */
const chunk = 1000

const fill = (cluster: Cluster, key: string, members: ReadonlyArray<Uint8Array>): Effect.Effect<void, CommandError> =>
  Effect.forEach(
    Arr.chunksOf(members, chunk),
    (some) => cluster.execute(sadd(key, some)),
    { discard: true }
  )

export const sdiffstore = store(Sets.difference)
export const sinterstore = store(Sets.intersection)
export const sunionstore = store(Sets.union)
