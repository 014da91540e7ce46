/**
 * SCAN over all masters, one after the other.
 *
 * What counts as done are slots, not servers: when a master is
 * replaced, or slots move, they are scanned from the start on their new master.
 * So they are on a master that has started anew.
 * Elements may come again then. None is left out, unless its slot comes back to
 * a master or is on its way while that one is scanned. The cursor says which
 * slots are done, so nothing is kept between pages.
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import { DataError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import { asText } from "@redfx/core/unstable/Request"
import * as Effect from "effect/Effect"
import { bulk, elements, textOf } from "../multiKey/replies.ts"
import { startsOf } from "../topology/cluster.ts"
import type { Cluster, ClusterNode } from "../topology/cluster.ts"
import { slotCount } from "../topology/slot.ts"

/**
 * Where a scan stands. As text it is `cursor@address~life/claimed/done`; `0` alone before the first page and after the
 * last.
 *
 * - `cursor`: the server's own, or `end`. `address`: the master that is being scanned, empty between two of them. `life`: what the
 *   client counts of its starts, as each has another order.
 * - `claimed`: the slots that the master is scanned for, which it had when its scan began; others may have come to it
 *   later, behind the cursor. `done`: the slots that were scanned before. Both as `0-5460,7000`.
 */
interface Position {
  readonly cursor: string
  readonly address: string
  readonly life: number
  readonly claimed: string
  readonly done: string
}

/** The cursor after the last page of a master, which is asked next whether it still has its slots: that page has no keys. */
const end = "end"

const start: Position = { cursor: "0", address: "", life: 1, claimed: "", done: "" }

/** Runs SCAN with a cursor of the whole cluster. */
export const scan = (cluster: Cluster, command: RedisCommand.Any): Effect.Effect<Resp.Value, CommandError> => {
  const position = parse(command)
  if (position === undefined) return Effect.fail(notACursor(command))
  return Effect.flatMap(cluster.masters, () => {
    const here = resume(cluster, position, command) ?? begin(cluster, position.done)
    if (here === undefined) return Effect.succeed([bulk("0"), []])
    return here.cursor === end
      ? Effect.map(cluster.confirm(here.node), () => [bulk(afterLast(cluster, here)), []])
      : page(cluster, command, here)
  })
}

const notACursor = ({ spec }: RedisCommand.Any) =>
  new DataError({ command: spec.name, detail: "a scan of a cluster begins at 0 and goes on with the cursor it gave" })

interface NodePosition extends Position {
  readonly node: ClusterNode
}

/** The master that is being scanned, if it still serves any slot for which it is. */
const resume = (cluster: Cluster, position: Position, command: RedisCommand.Any): NodePosition | undefined => {
  for (const slot of slotsIn(position.claimed)) {
    const node = cluster.ofSlot(slot)
    if (node?.address !== position.address) continue
    return { ...position, node, cursor: startsOf(node, command) === position.life ? position.cursor : "0" }
  }
  return undefined
}

/** The start on the master of the first slot that is not done; `undefined` when all slots are done. */
const begin = (cluster: Cluster, done: string): NodePosition | undefined => {
  const isDone = new Set(slotsIn(done))
  const open = allSlots().filter((slot) => !isDone.has(slot) && cluster.ofSlot(slot) !== undefined)
  const node = open[0] === undefined ? undefined : cluster.ofSlot(open[0])
  if (node === undefined) return undefined
  const claimed = open.filter((slot) => cluster.ofSlot(slot)?.address === node.address)
  return { ...start, address: node.address, claimed: rangesOf(claimed), done, node }
}

const page = (
  cluster: Cluster,
  command: RedisCommand.Any,
  here: NodePosition
): Effect.Effect<Resp.Value, CommandError> => {
  const own = RedisCommand.withParts(command, [here.cursor, ...command.parts.slice(1)])
  const before = startsOf(here.node, command)
  return Effect.map(cluster.onNode(here.node, RedisCommand.undecoded(own)), (reply) => {
    const [first, ...found] = elements(reply)
    const life = startsOf(here.node, command)
    const next = textOf(first)
    // A master that has started anew meanwhile has answered a cursor of its life before.
    const cursor = life !== before ? "0" : next === "0" ? end : next
    return [bulk(print({ ...here, life, cursor })), ...found]
  })
}

/** The position after a master that was scanned to its end and asked for its slots. */
const afterLast = (cluster: Cluster, here: NodePosition): string => {
  // A slot that has moved meanwhile took its unscanned keys along.
  const scanned = [...slotsIn(here.claimed)].filter((slot) => cluster.ofSlot(slot)?.address === here.address)
  const done = rangesOf([...slotsIn(here.done), ...scanned].toSorted((a, b) => a - b))
  return begin(cluster, done) === undefined ? "0" : print({ ...start, done })
}

// -----------------------------------------------------------------------------
// Cursors as text
// -----------------------------------------------------------------------------

const print = ({ address, claimed, cursor, done, life }: Position): string =>
  `${cursor}@${address}~${life}/${claimed}/${done}`

const parse = ({ parts: [part] }: RedisCommand.Any): Position | undefined => {
  const text = part === undefined ? "" : asText(part)
  if (text === "0") return start
  const [, cursor, address, life, claimed, done] = /^(\d+|end)@([^/~]*)~(\d+)\/([\d,-]*)\/([\d,-]*)$/.exec(text) ?? []
  return cursor === undefined || address === undefined || claimed === undefined || done === undefined
    ? undefined
    : { cursor, address, life: Number(life), claimed, done }
}

const allSlots = (): ReadonlyArray<number> => Array.from({ length: slotCount }, (_, slot) => slot)

/** Slots as ranges: `0-5460,7000`. */
const rangesOf = (slots: ReadonlyArray<number>): string => {
  const ranges: Array<string> = []
  for (let i = 0; i < slots.length;) {
    let end = i
    while (slots[end + 1] === slots[end]! + 1) end++
    ranges.push(end === i ? `${slots[i]}` : `${slots[i]}-${slots[end]}`)
    i = end + 1
  }
  return ranges.join()
}

function* slotsIn(ranges: string): Generator<number> {
  for (const range of ranges === "" ? [] : ranges.split(",")) {
    const [first = 0, last = first] = range.split("-").map(Number)
    for (let slot = first; slot <= Math.min(last, slotCount - 1); slot++) yield slot
  }
}
