/**
 * The part of Redis streams that consumers of groups use.
 */
import type { Reply } from "./reply.ts"
import { error, nilArray, ok } from "./reply.ts"
import type { State } from "./store.ts"

interface Pending {
  consumer: string
  deliveredAt: number
  deliveries: number
}

interface Group {
  last: number
  readonly pending: Map<number, Pending>
}

/** Ids are numbers here, written as `1-0`, `2-0` and so on. */
export interface StreamValue {
  readonly type: "stream"
  last: number
  readonly items: Map<number, ReadonlyArray<string>>
  readonly groups: Map<string, Group>
}

const empty = (): StreamValue => ({ type: "stream", last: 0, items: new Map(), groups: new Map() })

const idOf = (number: number): string => `${number}-0`

/** The number of an id. `5-3` stands between `5-0` and `6-0`, as no id of these servers does. */
const numberOf = (text: string): number => {
  if (text === "-") return -Infinity
  if (text === "+") return Infinity
  const exclusive = text.startsWith("(")
  const [first = "0", second = "0"] = text.replace("(", "").split("-")
  // A text that these servers do not know must not pass for an id.
  if (!/^\d+$/.test(first)) throw new Error(`no id of a stream: ${text}`)
  return Number(first) + (second === "0" ? 0 : 0.5) + (exclusive ? 0.25 : 0)
}

const entryOf = (stream: StreamValue, number: number): Reply => [idOf(number), stream.items.get(number) ?? null]

const noGroup = error("NOGROUP No such consumer group")

const groupOf = (store: State, key: string, name: string): readonly [StreamValue, Group] | undefined => {
  const stream = store.find(key, "stream")
  const group = stream?.groups.get(name)
  return stream === undefined || group === undefined ? undefined : [stream, group]
}

/** The entries for a member: those that are pending at it, or those that nobody has had. */
const readGroup = (store: State, args: ReadonlyArray<string>): Reply => {
  const words = args.map((arg) => arg.toUpperCase())
  const [, name = "", consumer = ""] = args
  const streams = words.indexOf("STREAMS")
  const [key = "", from = ""] = args.slice(streams + 1)
  const found = groupOf(store, key, name)
  if (found === undefined) return noGroup
  const [stream, group] = found
  const at = words.indexOf("COUNT")
  const limit = at === -1 || at > streams ? Infinity : Number(args[at + 1])
  const numbers = from === ">"
    ? [...stream.items.keys()].filter((number) => number > group.last).slice(0, limit)
    : [...group.pending].filter(([number, pending]) => pending.consumer === consumer && number > numberOf(from))
      .map(([number]) => number).sort((a, b) => a - b).slice(0, limit)
  if (from === ">" && numbers.length === 0) return nilArray
  for (const number of numbers) {
    const deliveries = from === ">" ? 1 : (group.pending.get(number)?.deliveries ?? 0) + 1
    group.pending.set(number, { consumer, deliveredAt: store.now(), deliveries })
    group.last = Math.max(group.last, number)
  }
  return { pairs: [[key, numbers.map((number) => entryOf(stream, number))]] }
}

const pendingOf = (store: State, [key = "", name = "", ...rest]: ReadonlyArray<string>): Reply => {
  const found = groupOf(store, key, name)
  if (found === undefined) return noGroup
  const all = [...found[1].pending].sort(([a], [b]) => a - b)
  if (rest.length === 0) {
    const counts = new Map<string, number>()
    for (const [, { consumer }] of all) counts.set(consumer, (counts.get(consumer) ?? 0) + 1)
    const ids = all.map(([number]) => idOf(number))
    return [all.length, ids[0] ?? null, ids.at(-1) ?? null, [...counts].map(([who, n]) => [who, String(n)])]
  }
  const hasIdle = rest[0]?.toUpperCase() === "IDLE"
  const idle = hasIdle ? Number(rest[1]) : 0
  const [from = "-", to = "+", limit = "100", only] = hasIdle ? rest.slice(2) : rest
  return all
    .filter(([number, { consumer, deliveredAt }]) =>
      numberOf(from) <= number && number <= numberOf(to) && (only === undefined || only === consumer) &&
      store.now() - deliveredAt >= idle
    )
    .slice(0, Number(limit))
    .map(([number, { consumer, deliveredAt, deliveries }]) => [
      idOf(number),
      consumer,
      Math.floor(store.now() - deliveredAt),
      deliveries
    ])
}

const claim = (store: State, [key = "", name = "", consumer = "", idle, ...rest]: ReadonlyArray<string>): Reply => {
  const found = groupOf(store, key, name)
  if (found === undefined) return noGroup
  const [stream, group] = found
  const words = rest.map((word) => word.toUpperCase())
  const option = (word: string): number | undefined =>
    words.includes(word) ? Number(words[words.indexOf(word) + 1]) : undefined
  const only = words.includes("JUSTID")
  const claimed = rest.filter((word) => /^\d+-\d+$/.test(word)).map(numberOf).filter((number) => {
    const pending = group.pending.get(number)
    if (pending === undefined || store.now() - pending.deliveredAt < Number(idle)) return false
    group.pending.set(number, {
      consumer,
      deliveredAt: store.now() - (option("IDLE") ?? 0),
      deliveries: option("RETRYCOUNT") ?? pending.deliveries + (only ? 0 : 1)
    })
    return true
  })
  return claimed.map((number) => only ? idOf(number) : entryOf(stream, number))
}

export const handlers: Readonly<Record<string, (store: State, args: ReadonlyArray<string>) => Reply>> = {
  XADD: (store, [key = "", , ...fields]) => {
    const stream = store.obtain(key, empty())
    stream.items.set(++stream.last, fields)
    store.touch(key)
    return idOf(stream.last)
  },
  XLEN: (store, [key = ""]) => store.find(key, "stream")?.items.size ?? 0,
  XRANGE: (store, [key = "", from = "-", to = "+"]) => {
    const stream = store.find(key, "stream")
    return stream === undefined ? [] : [...stream.items.keys()]
      .filter((number) => numberOf(from) <= number && number <= numberOf(to))
      .map((number) => entryOf(stream, number))
  },
  XGROUP: (store, [, key = "", name = "", from = "$"]) => {
    const stream = store.obtain(key, empty())
    if (stream.groups.has(name)) return error("BUSYGROUP Consumer Group name already exists")
    stream.groups.set(name, { last: from === "$" ? stream.last : numberOf(from), pending: new Map() })
    return ok
  },
  XREADGROUP: readGroup,
  XPENDING: pendingOf,
  XCLAIM: claim,
  XACK: (store, [key = "", name = "", ...ids]) => {
    const found = groupOf(store, key, name)
    return found === undefined ? 0 : ids.filter((id) => found[1].pending.delete(numberOf(id))).length
  }
}
