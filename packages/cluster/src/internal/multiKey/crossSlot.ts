/**
 * Commands with keys of several slots that lose nothing by being split into a
 * part for each slot. Their replies become one as a single server would give it.
 */
import { KeyArg } from "@redfx/core/RedisArg"
import type { Part } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { DecodeError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import * as Effect from "effect/Effect"
import type { Cluster } from "../topology/cluster.ts"
import { slotOf } from "../topology/slot.ts"
import { firstKeyIndex, wordOf } from "./arguments.ts"
import { fanOutCommands } from "./fanOut.ts"
import { least, succeeded, sum } from "./merge.ts"
import type { Merge } from "./merge.ts"
import { elementsIn } from "./replies.ts"
import * as Sets from "./setOperations.ts"

/** The effect of a command whose keys are in several slots; `undefined` when the command cannot be split. */
export type Split = (
  cluster: Cluster,
  command: RedisCommand.Any
) => Effect.Effect<Resp.Value, CommandError> | undefined

/**
 * The arguments of a command that has the same form for each of its keys.
 *
 * - `head`: before the first key. `units`: for each key the key and what belongs to it. `tail`: after the last one.
 */
interface Units {
  readonly head: ReadonlyArray<Part>
  readonly units: ReadonlyArray<ReadonlyArray<Part>>
  readonly tail: ReadonlyArray<Part>
}

/** Reads arguments of which `size` belong to each key; `undefined` when they have another form. */
const unitsOf = ({ parts }: RedisCommand.Any, size: number): Units | undefined => {
  const from = firstKeyIndex(parts)
  const count = parts.filter((part) => part instanceof KeyArg).length
  const units = Array.from({ length: count }, (_, i) => parts.slice(from + i * size, from + (i + 1) * size))
  return units.every((unit) => unit.length === size && unit[0] instanceof KeyArg)
    ? { head: parts.slice(0, from), units, tail: parts.slice(from + count * size) }
    : undefined
}

/** Makes one reply of the replies of parts. `positions` are the indexes in the whole of the keys of each part. */
type Assemble = (
  replies: ReadonlyArray<Resp.Value>,
  positions: ReadonlyArray<ReadonlyArray<number>>,
  command: RedisCommand.Any
) => Resp.Value | DecodeError

/** One element for each key, in the order of the keys. A part that is no array is the whole, which the decoder refuses. */
const inOrder: Assemble = (replies, positions, { spec: { name } }) => {
  const out: Array<Resp.Value> = []
  for (const [part, indexes] of positions.entries()) {
    const reply = replies[part] ?? null
    const values = elementsIn(reply)
    if (values === undefined) return reply
    if (values.length !== indexes.length) {
      return new DecodeError({ command: name, detail: `expected ${indexes.length} elements, got ${values.length}` })
    }
    indexes.forEach((index, i) => {
      out[index] = values[i] ?? null
    })
  }
  return out
}

const merged = (merge: Merge): Assemble => (replies, _, command) => merge(replies, command)

/** Splits a command of which `size` arguments belong to each key. */
const byKey = (size: number, assemble: Assemble): Split => (cluster, command) => {
  const layout = unitsOf(command, size)
  if (layout === undefined) return undefined
  // A unit begins with its key, so this is one.
  const slots = layout.units.map(([key]) => slotOf((key as KeyArg).value))
  const positions = [...Map.groupBy(slots.keys(), (position) => slots[position]).values()]
  const raw = RedisCommand.undecoded(command)
  const parts = positions.map((indexes) => RedisCommand.withParts(raw, argumentsOf(layout, indexes)))
  return Effect.flatMap(fanOutCommands(cluster, parts, positions), (replies) => {
    const whole = assemble(replies, positions, command)
    return whole instanceof DecodeError ? Effect.fail(whole) : Effect.succeed(whole)
  })
}

/** The arguments for some of the keys. Before the first key stands nothing, or the number of keys. */
const argumentsOf = ({ head, tail, units }: Units, indexes: ReadonlyArray<number>): ReadonlyArray<Part> => [
  ...(head.length === 0 ? [] : [indexes.length]),
  ...indexes.flatMap((index) => units[index] ?? []),
  ...tail
]

const membersBy = (operation: Sets.SetOperation, cluster: Cluster, command: RedisCommand.Any) =>
  operation((read) => cluster.execute(RedisCommand.undecoded(read)), RedisCommand.keys(command))

const ofSets = (operation: Sets.SetOperation): Split => (cluster, command) => membersBy(operation, cluster, command)

/**
 * Counts the members of sets, for which the members themselves are needed. So a count that may be an estimate on one
 * server is exact here.
 */
const sizeOf = (operation: Sets.SetOperation): Split => (cluster, command) => {
  const tail = unitsOf(command, 1)?.tail.map(wordOf) ?? []
  const limit = tail.includes("LIMIT") ? Number(tail[tail.indexOf("LIMIT") + 1]) : 0
  return Effect.map(
    membersBy(operation, cluster, command),
    ({ length }) => (limit > 0 ? Math.min(length, limit) : length)
  )
}

/** Runs MSETEX, which is all or nothing where it has a condition on all keys. */
const msetex: Split = (cluster, command) =>
  unitsOf(command, 2)?.tail.some((part) => conditions.has(wordOf(part))) === true
    ? undefined
    : byKey(2, merged(least))(cluster, command)

const conditions: ReadonlySet<string> = new Set(["NX", "XX"])

/** The commands that can be split, by name. */
export const splits: ReadonlyMap<string, Split> = new Map([
  ["DEL", byKey(1, merged(sum))],
  ["EXISTS", byKey(1, merged(sum))],
  ["TOUCH", byKey(1, merged(sum))],
  ["UNLINK", byKey(1, merged(sum))],
  ["MGET", byKey(1, inOrder)],
  ["JSON.MGET", byKey(1, inOrder)],
  ["MSET", byKey(2, merged(succeeded))],
  ["MSETEX", msetex],
  ["JSON.MSET", byKey(3, merged(succeeded))],
  ["TS.MADD", byKey(3, inOrder)],
  ["SDIFF", ofSets(Sets.difference)],
  ["SDIFFCARD", sizeOf(Sets.difference)],
  ["SINTER", ofSets(Sets.intersection)],
  ["SINTERCARD", sizeOf(Sets.intersection)],
  ["SUNION", ofSets(Sets.union)],
  ["SUNIONCARD", sizeOf(Sets.union)]
])
