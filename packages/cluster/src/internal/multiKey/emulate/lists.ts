/**
 * Runs RPOPLPUSH, BRPOPLPUSH, LMOVE and BLMOVE for lists of two slots.
 *
 * The element goes to a temporary list in the slot of the source first, which
 * the command itself does: at any moment a server has it, whatever becomes of
 * the connection or of the fiber.
 */
import { lpush, lrange, rpush } from "@redfx/core/commands/Lists"
import * as RedisArg from "@redfx/core/RedisArg"
import type { Key, Part } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import { forMaster } from "@redfx/core/unstable/Router"
import * as Effect from "effect/Effect"
import type { Cluster } from "../../topology/cluster.ts"
import { slotOf } from "../../topology/slot.ts"
import { wordAt, wordOf } from "../arguments.ts"
import type { Split } from "../crossSlot.ts"
import { bytesOf } from "../replies.ts"
import { remove, temporaryKey } from "../temporaryKeys.ts"
import { takingBack } from "./takingBack.ts"

/** A move of one element; `from` and `to` add elements to the end of the list that it leaves, or goes to. */
interface Move {
  readonly source: Key
  readonly destination: Key
  readonly temporary: string
  readonly from: typeof lpush
  readonly to: typeof lpush
}

export const move: Split = (cluster, command) => {
  const [source, destination] = RedisCommand.keys(command)
  if (source === undefined || destination === undefined) return undefined
  const named = command.spec.capitals.endsWith("LMOVE")
  const self: Move = {
    source,
    destination,
    temporary: temporaryKey(slotOf(source)),
    from: named && wordAt(command, 2) === "LEFT" ? lpush : rpush,
    to: named && wordAt(command, 3) === "RIGHT" ? rpush : lpush
  }
  return Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      // The command may have been run, whatever its outcome says.
      Effect.onError(restore(cluster.execute(taking(command, self))), () => Effect.ignore(putBack(cluster, self))),
      (element) => (element === null ? Effect.succeed(null) : give(cluster, command, self, element))
    )
  )
}

/** The command itself, with the temporary list for its destination. */
const taking = (command: RedisCommand.Any, { source, temporary }: Move): RedisCommand.RedisCommand<Resp.Value> =>
  RedisCommand.undecoded(
    RedisCommand.withParts(command, [
      RedisArg.key(source),
      RedisArg.key(temporary),
      ...blocking(command, command.parts.slice(2))
    ])
  )

/**
 * The arguments of a command that blocks, with its limit marked as one. A command that was sent by name only does not
 * mark it, and without its own decoder nothing else would show that it blocks.
 */
const blocking = (command: RedisCommand.Any, parts: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  const limit = parts.at(-1)
  if (!command.spec.traits.has("blocking") || limit === undefined || limit instanceof RedisArg.BlockArg) return parts
  const seconds = Number(wordOf(limit))
  return [...parts.slice(0, -1), new RedisArg.BlockArg(seconds, seconds > 0 ? seconds * 1000 : Infinity)]
}

/** Adds the element to its destination; if that fails, it goes back to where it was. */
const give = (
  cluster: Cluster,
  command: RedisCommand.Any,
  self: Move,
  element: Resp.Value
): Effect.Effect<Resp.Value, CommandError> =>
  Effect.matchEffect(cluster.execute(self.to(self.destination, bytesOf(element))), {
    onSuccess: () => Effect.as(remove(cluster, [self.temporary]), element),
    onFailure: takingBack(command, putBack(cluster, self), {
      what: "element",
      where: `is in the list "${self.temporary}"`
    })
  })

/** Moves what is in the temporary list back to the source. */
const putBack = (cluster: Cluster, { from, source, temporary }: Move): Effect.Effect<void, CommandError> =>
  Effect.flatMap(
    cluster.execute(forMaster(RedisCommand.asBytes(lrange(temporary, 0, -1)))),
    (taken) =>
      taken.length === 0
        ? Effect.void
        : Effect.andThen(cluster.execute(from(source, taken)), remove(cluster, [temporary]))
  )
