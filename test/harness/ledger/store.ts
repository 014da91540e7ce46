/**
 * The data of a simulated deployment: a subset of Redis's commands, which counts for each write how often it was
 * applied.
 *
 * A write carries its token, `w` and two numbers, somewhere among its arguments.
 */
import type { Reply } from "./reply.ts"
import { error, isError, ok } from "./reply.ts"
import * as StreamStore from "./streamStore.ts"

/** The value of a key. */
type Value =
  | { readonly type: "string"; text: string }
  | { readonly type: "hash"; readonly fields: Map<string, string> }
  | { readonly type: "list"; readonly items: Array<string> }
  | { readonly type: "set"; readonly members: Set<string> }
  | { readonly type: "zset"; readonly scores: Map<string, number> }
  | StreamStore.StreamValue

interface Entry {
  readonly value: Value
  expiresAt: number | undefined
}

/** Runs a command of a script. */
export type Call = (name: string, ...args: ReadonlyArray<string>) => Reply

/**
 * - `applied`: how often the write of each token was run. `versions`: of keys, for who watches them.
 */
export interface Store {
  readonly entries: Map<string, Entry>
  readonly applied: Map<string, number>
  readonly versions: Map<string, number>
  readonly now: () => number
  readonly call: Call
  readonly touch: (key: string) => void
  /** Counts writes. */
  readonly apply: (tokens: ReadonlyArray<string>) => void
}

const tokenPattern = /w\d+\.\d+/g

/** The tokens in what a command carries. */
export const tokensIn = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.flatMap((arg) => arg.length > 200 ? [] : arg.match(tokenPattern) ?? [])

const wrongType = error("WRONGTYPE Operation against a key holding the wrong kind of value")
const notInteger = error("ERR value is not an integer or out of range")

type Handler = (store: State, args: ReadonlyArray<string>) => Reply

export interface State extends Store {
  readonly find: <T extends Value["type"]>(key: string, type: T) => Extract<Value, { type: T }> | undefined
  readonly obtain: <T extends Value["type"]>(
    key: string,
    empty: Extract<Value, { type: T }>
  ) => Extract<Value, { type: T }>
  readonly remove: (key: string) => boolean
}

/** Thrown where a key holds a value of another type. */
class WrongType extends Error {}

const live = (store: Store, key: string): Entry | undefined => {
  const entry = store.entries.get(key)
  if (entry?.expiresAt === undefined || entry.expiresAt > store.now()) return entry
  store.entries.delete(key)
  return undefined
}

const optionsOf = (args: ReadonlyArray<string>) => args.map((arg) => arg.toUpperCase())

const setString: Handler = (store, [key = "", text = "", ...rest]) => {
  const options = optionsOf(rest)
  const there = live(store, key) !== undefined
  if ((options.includes("NX") && there) || (options.includes("XX") && !there)) return null
  const time = (name: string, unit: number) =>
    options.includes(name) ? store.now() + Number(rest[options.indexOf(name) + 1]) * unit : undefined
  store.entries.set(key, { value: { type: "string", text }, expiresAt: time("PX", 1) ?? time("EX", 1000) })
  store.touch(key)
  return ok
}

const add = (store: State, key: string, by: number): Reply => {
  const value = store.obtain(key, { type: "string", text: "0" })
  if (!/^-?\d+$/.test(value.text)) return notInteger
  value.text = String(Number(value.text) + by)
  store.touch(key)
  return Number(value.text)
}

const push = (store: State, [key = "", ...items]: ReadonlyArray<string>, left: boolean): Reply => {
  const list = store.obtain(key, { type: "list", items: [] })
  if (left) list.items.unshift(...items.toReversed())
  else list.items.push(...items)
  store.touch(key)
  return list.items.length
}

const pop: Handler = (store, [key = ""]) => {
  const list = store.find(key, "list")
  const item = list?.items.shift()
  if (item === undefined) return null
  if (list?.items.length === 0) store.remove(key)
  store.touch(key)
  return item
}

const rank = (store: State, key: string, member: string, scoreOf: (before: number | undefined) => number): number => {
  const { scores } = store.obtain(key, { type: "zset", scores: new Map() })
  const score = scoreOf(scores.get(member))
  scores.set(member, score)
  store.touch(key)
  return score
}

const count = (keys: ReadonlyArray<string>, act: (key: string) => boolean): Reply =>
  keys.filter((key) => act(key)).length

const expire: Handler = (store, [key = "", milliseconds = ""]) => {
  const entry = live(store, key)
  if (entry === undefined) return 0
  entry.expiresAt = store.now() + Number(milliseconds)
  store.touch(key)
  return 1
}

const left: Handler = (store, [key = ""]) => {
  const entry = live(store, key)
  return entry === undefined ? -2 : entry.expiresAt === undefined ? -1 : Math.ceil(entry.expiresAt - store.now())
}

const handlers: Readonly<Record<string, Handler>> = {
  GET: (store, [key = ""]) => store.find(key, "string")?.text ?? null,
  SET: setString,
  APPEND: (store, [key = "", text = ""]) => {
    const value = store.obtain(key, { type: "string", text: "" })
    value.text += text
    store.touch(key)
    return value.text.length
  },
  INCR: (store, [key = ""]) => add(store, key, 1),
  DECR: (store, [key = ""]) => add(store, key, -1),
  INCRBY: (store, [key = "", by]) => add(store, key, Number(by)),
  MGET: (store, keys) => keys.map((key) => store.find(key, "string")?.text ?? null),
  MSET: (store, pairs) => {
    for (let i = 0; i < pairs.length; i += 2) setString(store, [pairs[i]!, pairs[i + 1]!])
    return ok
  },
  DEL: (store, keys) => count(keys, store.remove),
  UNLINK: (store, keys) => count(keys, store.remove),
  EXISTS: (store, keys) => count(keys, (key) => live(store, key) !== undefined),
  TOUCH: (store, keys) => count(keys, (key) => live(store, key) !== undefined),
  PEXPIRE: expire,
  PTTL: left,
  TYPE: (store, [key = ""]) => ({ simple: live(store, key)?.value.type ?? "none" }),
  DUMP: (store, [key = ""]) => {
    const entry = live(store, key)
    return entry === undefined ? null : JSON.stringify(entry.value)
  },
  RESTORE: (store, [key = "", milliseconds, payload = "", ...rest]) => {
    if (live(store, key) !== undefined && !optionsOf(rest).includes("REPLACE")) {
      return error("BUSYKEY Target key name already exists.")
    }
    const ttl = Number(milliseconds)
    store.entries.set(key, { value: JSON.parse(payload), expiresAt: ttl === 0 ? undefined : store.now() + ttl })
    store.touch(key)
    return ok
  },
  RENAME: (store, [from = "", to = ""]) => {
    const entry = live(store, from)
    if (entry === undefined) return error("ERR no such key")
    store.remove(from)
    store.entries.set(to, entry)
    store.touch(to)
    return ok
  },
  HSET: (store, [key = "", ...pairs]) => {
    const { fields } = store.obtain(key, { type: "hash", fields: new Map() })
    const before = fields.size
    for (let i = 0; i < pairs.length; i += 2) fields.set(pairs[i]!, pairs[i + 1]!)
    store.touch(key)
    return fields.size - before
  },
  HINCRBY: (store, [key = "", field = "", by]) => {
    const { fields } = store.obtain(key, { type: "hash", fields: new Map() })
    const sum = Number(fields.get(field) ?? 0) + Number(by)
    fields.set(field, String(sum))
    store.touch(key)
    return sum
  },
  HGET: (store, [key = "", field = ""]) => store.find(key, "hash")?.fields.get(field) ?? null,
  HGETALL: (store, [key = ""]) => ({ pairs: [...(store.find(key, "hash")?.fields ?? [])] }),
  RPUSH: (store, args) => push(store, args, false),
  LPUSH: (store, args) => push(store, args, true),
  LPOP: pop,
  LLEN: (store, [key = ""]) => store.find(key, "list")?.items.length ?? 0,
  LRANGE: (store, [key = ""]) => store.find(key, "list")?.items.slice() ?? [],
  SADD: (store, [key = "", ...members]) => {
    const set = store.obtain(key, { type: "set", members: new Set() }).members
    const before = set.size
    for (const member of members) set.add(member)
    store.touch(key)
    return set.size - before
  },
  ZADD: (store, [key = "", score, member = ""]) => {
    const before = store.find(key, "zset")?.scores.has(member) === true
    rank(store, key, member, () => Number(score))
    return before ? 0 : 1
  },
  // The result is text, as in scripts and in the older protocol.
  ZINCRBY: (store, [key = "", by, member = ""]) =>
    String(rank(store, key, member, (before = 0) => before + Number(by))),
  SMEMBERS: (store, [key = ""]) => [...(store.find(key, "set")?.members ?? [])],
  ...StreamStore.handlers
}

const reads = new Set([
  "GET",
  "MGET",
  "EXISTS",
  "TOUCH",
  "PTTL",
  "TYPE",
  "DUMP",
  "HGET",
  "HGETALL",
  "LLEN",
  "LRANGE",
  "SMEMBERS",
  "XPENDING",
  "XRANGE",
  "XLEN"
])

/** Whether a command changes nothing. */
export const isRead = (name: string): boolean => reads.has(name)

/** Whether there is such a command. */
export const isKnown = (name: string): boolean => name in handlers

const methods = (store: Store): Pick<State, "find" | "obtain" | "remove"> => ({
  find: <T extends Value["type"]>(key: string, type: T) => {
    const value = live(store, key)?.value
    if (value !== undefined && value.type !== type) throw new WrongType()
    return value as Extract<Value, { type: T }> | undefined
  },
  obtain: <T extends Value["type"]>(key: string, empty: Extract<Value, { type: T }>) => {
    const value = live(store, key)?.value
    if (value !== undefined && value.type !== empty.type) throw new WrongType()
    if (value === undefined) store.entries.set(key, { value: empty, expiresAt: undefined })
    return (value ?? empty) as Extract<Value, { type: T }>
  },
  remove: (key) => {
    const there = live(store, key) !== undefined
    store.entries.delete(key)
    if (there) store.touch(key)
    return there
  }
})

/** An empty store. */
export const make = (now: () => number): Store => {
  const store: Store = {
    entries: new Map(),
    applied: new Map(),
    versions: new Map(),
    now,
    apply: (tokens) => {
      for (const token of tokens) store.applied.set(token, (store.applied.get(token) ?? 0) + 1)
    },
    touch: (key) => void store.versions.set(key, (store.versions.get(key) ?? 0) + 1),
    call: (name, ...args) => {
      const handler = handlers[name]
      if (handler === undefined) return error(`ERR unknown command '${name}', with args beginning with: `)
      try {
        const reply = handler(state, args)
        if (!reads.has(name) && !isError(reply)) {
          // A key alone is no token: the name of a counter must not count as a write.
          store.apply(tokensIn(name === "SET" ? args.slice(1) : args))
        }
        return reply
      } catch (cause) {
        if (cause instanceof WrongType) return wrongType
        throw cause
      }
    }
  }
  const state: State = { ...store, ...methods(store) }
  return store
}
