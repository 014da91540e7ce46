/**
 * Runs RENAME, RENAMENX, COPY and MSETNX for keys of several slots.
 */
import { pttl } from "@redfx/core/commands/Expiration"
import { del, dump, exists, restore } from "@redfx/core/commands/Generic"
import type { RestoreOptions } from "@redfx/core/commands/Generic"
import { mset } from "@redfx/core/commands/Strings"
import type { Key } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { ResponseError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import { forMaster } from "@redfx/core/unstable/Router"
import * as Effect from "effect/Effect"
import type { Cluster } from "../../topology/cluster.ts"
import { wordOf } from "../arguments.ts"
import { splits } from "../crossSlot.ts"
import type { Split } from "../crossSlot.ts"
import { afterWriting, fanOut } from "../fanOut.ts"
import { bySlot } from "../setOperations.ts"

/** The value of a key, and its time to live in milliseconds; 0 means no limit. */
interface Contents {
  readonly payload: Uint8Array
  readonly milliseconds: number
}

/** Reads a key of any type; `undefined` when it does not exist. */
const read = (cluster: Cluster, key: Key): Effect.Effect<Contents | undefined, CommandError> =>
  Effect.map(
    // Both are asked for at the same time: the less time passes between them, the less of the time to live is lost.
    Effect.all([cluster.execute(forMaster(dump(key))), cluster.execute(forMaster(pttl(key)))], { concurrency: 2 }),
    ([payload, milliseconds]) =>
      payload === undefined || milliseconds === -2
        ? undefined
        // A rest of less than a millisecond is 0, which RESTORE would take for no limit.
        : { payload, milliseconds: milliseconds === -1 ? 0 : Math.max(milliseconds, 1) }
  )

/** Writes a value that was read to a key; `false` when the key exists and is not to be replaced. */
const write = (
  cluster: Cluster,
  key: Key,
  { milliseconds, payload }: Contents,
  options: Pick<RestoreOptions, "replace">
): Effect.Effect<boolean, CommandError> =>
  Effect.as(cluster.execute(restore(key, milliseconds, payload, options)), true).pipe(
    Effect.catchIf(
      (error) => error._tag === "ResponseError" && error.code === "BUSYKEY",
      () => Effect.succeed(false)
    )
  )

const noSuchKey = ({ spec }: RedisCommand.Any) =>
  new ResponseError({ code: "ERR", detail: "no such key", command: spec.name })

/**
 * Moves a key. The source is there until the destination is. Returns `false` when the destination exists and is not to
 * be replaced.
 */
const moveKey = (
  cluster: Cluster,
  command: RedisCommand.Any,
  options: Pick<RestoreOptions, "replace">
): Effect.Effect<boolean, CommandError> => {
  const [source, destination] = RedisCommand.keys(command)
  if (source === undefined || destination === undefined) return Effect.fail(noSuchKey(command))
  return Effect.flatMap(read(cluster, source), (contents) => {
    if (contents === undefined) return Effect.fail(noSuchKey(command))
    return Effect.uninterruptible(
      Effect.flatMap(
        write(cluster, destination, contents, options),
        (written) =>
          written ? Effect.as(Effect.mapError(cluster.execute(del(source)), afterWriting), true) : Effect.succeed(false)
      )
    )
  })
}

export const rename: Split = (cluster, command) => Effect.as(moveKey(cluster, command, { replace: true }), "OK")

export const renamenx: Split = (cluster, command) => Effect.map(moveKey(cluster, command, { replace: false }), Number)

export const copy: Split = (cluster, command) => {
  const [source, destination] = RedisCommand.keys(command)
  const words = command.parts.slice(2).map(wordOf)
  // The values that are written here go to the client's own database.
  if (source === undefined || destination === undefined || words.includes("DB")) return undefined
  return Effect.flatMap(
    read(cluster, source),
    (contents) =>
      contents === undefined
        ? Effect.succeed(0)
        : Effect.map(write(cluster, destination, contents, { replace: words.includes("REPLACE") }), Number)
  )
}

/** Runs MSETNX. A key that exists counts whatever it holds, an empty string too. */
export const msetnx: Split = (cluster, command) => {
  // MSETNX and MSET have the same arguments.
  const write = splits.get("MSET")?.(cluster, RedisCommand.withParts(mset({ "": "" }), command.parts))
  return write && Effect.flatMap(
    fanOut(bySlot(RedisCommand.keys(command)).map((keys) => cluster.execute(forMaster(exists(keys)))), {
      readonly: true
    }),
    (counts) => counts.every((count) => count === 0) ? Effect.as(write, 1) : Effect.succeed(0)
  )
}
