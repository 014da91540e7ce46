/**
 * What is measured: for each case what is run, how long a sample of it takes, and
 * what the right answer is. The most telling cases come first, in tables and charts too.
 */
import { isDeepStrictEqual } from "node:util"
import type { LargeSize } from "./data.ts"
import {
  elements,
  entries,
  hashEntries,
  large,
  largeBytes,
  listValues,
  scored,
  smallKeys,
  smallValues
} from "./data.ts"
import { message } from "./receiver.ts"
import type { Bind, Operation, Operations, Session } from "./session.ts"

/** What a session is made to do. */
export interface Load {
  readonly supports: (session: Session) => boolean
  /** Does it once, for its answer. */
  readonly once: (session: Session) => Promise<unknown>
  /** Does it `total` times. Where every duration is kept it returns them, in milliseconds. */
  readonly run: (session: Session, total: number) => Promise<Float64Array | void>
}

/** Where a case is run besides the one server: on a cluster, over TLS, and by clients of promises alone. */
export type Place = "cluster" | "tls" | "promises"

/** One row of the table. */
export interface Case {
  readonly name: string
  readonly title: string
  readonly load: Load
  /** How many are run at once: a total is a multiple of it. */
  readonly callers: number
  /** Commands in one operation: what rates and costs are divided by. */
  readonly commands: number
  /** How long a sample should take. Many short ones say more than a few long ones on a machine that others use. */
  readonly milliseconds: number
  /** Says what is wrong with an answer, or `undefined` when it is right. */
  readonly check: (answer: unknown) => string | undefined
  /** Keeps every single duration, and reports percentiles besides the rate. */
  readonly latency: boolean
  readonly places: ReadonlyArray<Place>
  /** How many operations the measurement of bytes and system calls takes; `undefined`: it leaves this case out. */
  readonly costs: number | undefined
}

const key = (caller: number): string => smallKeys[caller % elements] ?? ""

// -----------------------------------------------------------------------------
// Right answers
// -----------------------------------------------------------------------------

const equals = (expected: unknown) => (answer: unknown): string | undefined =>
  isDeepStrictEqual(answer, expected) ? undefined : `unexpected answer ${describe(answer)}`

const describe = (answer: unknown): string => {
  const text = typeof answer === "string" ? answer : JSON.stringify(answer) ?? String(answer)
  return text.length > 60 ? `${text.slice(0, 60)}… (${text.length} characters)` : text
}

/** A success of SET: `"OK"`, or `true` where the client gives `OK` a boolean. */
const isStored = (answer: unknown): string | undefined =>
  answer === "OK" || answer === true ? undefined : `unexpected answer ${describe(answer)}`

const isBytes = (expected: Buffer) => (answer: unknown): string | undefined =>
  answer instanceof Uint8Array && expected.equals(answer) ? undefined : "not the expected bytes"

/** All values in an answer, whatever they are wrapped in, as text. */
const leaves = (answer: unknown): ReadonlyArray<string> =>
  typeof answer === "object" && answer !== null ? Object.values(answer).flatMap(leaves) : [String(answer)]

/** Members with scores, which clients wrap in objects of their own: all values are there, in any order. */
const isScored = (answer: unknown): string | undefined =>
  equals(scored.flat().map(String).toSorted())(leaves(answer).toSorted())

/** HGETALL is a record (with or without prototype) or, in valkey-glide, a list of `{ field, value }`. */
const isHash = (answer: unknown): string | undefined => {
  const entries: Array<readonly [string, unknown]> = Array.isArray(answer)
    ? answer.map((entry: { readonly field: string; readonly value: unknown }) => [entry.field, entry.value])
    : Object.entries(answer ?? {})
  return equals(Object.fromEntries(hashEntries))(Object.fromEntries(entries))
}

/** Entries of a stream are wrapped in still more ways: ids and values are looked for in their order. */
const isStream = (answer: unknown): string | undefined => {
  const text = JSON.stringify(answer)
  const found = (pattern: RegExp): ReadonlyArray<string> => [...text.matchAll(pattern)].map(([, word = ""]) => word)
  return equals(entries.map(([id]) => id))(found(/"(\d+-0)"/g))
    ?? equals(entries.map(([, , value]) => value))(found(/"(entry:[^"]*)"/g))
}

// -----------------------------------------------------------------------------
// Loads
// -----------------------------------------------------------------------------

const ofCallers = (callers: number, bind: Bind) => ({
  callers,
  load: {
    supports: (session: Session) => session.supports(bind),
    once: (session: Session) => session.once(bind),
    run: (session: Session, total: number) => session.run(bind, callers, total)
  }
})

const timed = (callers: number, bind: Bind) => {
  const untimed = ofCallers(callers, bind)
  const run = (session: Session, total: number) => session.runTimed(bind, callers, total)
  return { ...untimed, load: { ...untimed.load, run } }
}

const received = async (session: Session, count: number): Promise<string | undefined> => session.receive?.(count)

const messages: Load = {
  supports: ({ receive }) => receive !== undefined,
  once: (session) => received(session, 1),
  run: async (session, total) => void await received(session, total)
}

const get = <F>(operations: Operations<F>): Operation<F> => (caller) => operations.get(key(caller))
const set = <F>(operations: Operations<F>): Operation<F> => (caller) =>
  operations.set(key(caller), smallValues[caller % elements] ?? "")

// -----------------------------------------------------------------------------
// Cases
// -----------------------------------------------------------------------------

const usual = { commands: 1, milliseconds: 70, latency: false }
const everywhere: ReadonlyArray<Place> = ["cluster", "tls", "promises"]
const besidesTls: ReadonlyArray<Place> = ["cluster", "promises"]
const onCluster: ReadonlyArray<Place> = ["cluster"]

const by = (callers: number): string => callers === 1 ? "1 caller" : `${callers} callers`

const gets = (callers: number): Case => ({
  ...usual,
  ...ofCallers(callers, get),
  name: `get-${callers}`,
  title: `GET 64 B, ${by(callers)}`,
  check: equals(smallValues[0]),
  places: everywhere,
  costs: callers === 1 ? undefined : 20_000
})

const sets = (callers: number): Case => ({
  ...usual,
  ...ofCallers(callers, set),
  name: `set-${callers}`,
  title: `SET 64 B, ${by(callers)}`,
  check: isStored,
  places: besidesTls,
  costs: callers === 1000 ? 20_000 : undefined
})

/** A collection of 1000 elements of 64 bytes, read whole by ten callers. */
const collection = (
  name: string,
  command: string,
  bind: Bind,
  check: Case["check"]
): Case => ({
  ...usual,
  ...ofCallers(10, bind),
  name,
  title: `${command} 1000 × 64 B, 10 callers`,
  check,
  places: besidesTls,
  // More of them make so many bytes of buffers that V8 collects all garbage meanwhile.
  costs: 100
})

/** How values of a size are measured: kilobytes by ten callers, megabytes by one, and on a cluster too. */
const largeSizes: {
  readonly [S in LargeSize]: { readonly label: string; readonly callers: number; readonly milliseconds: number }
} = {
  "4kb": { label: "4 KB", callers: 10, milliseconds: 70 },
  "32kb": { label: "32 KB", callers: 10, milliseconds: 70 },
  "1mb": { label: "1 MB", callers: 1, milliseconds: 70 },
  "16mb": { label: "16 MB", callers: 1, milliseconds: 120 }
}

const largeCases = (size: LargeSize): ReadonlyArray<Case> => {
  const { callers, label, milliseconds } = largeSizes[size]
  const of = callers === 1 ? "" : `, ${by(callers)}`
  const target = `bench:written:${size}`
  const places = callers === 1 ? onCluster : []
  const base = { ...usual, milliseconds, costs: undefined, places }
  return [
    {
      ...base,
      ...ofCallers(callers, (operations) => () => operations.get(`bench:large:${size}`)),
      name: `get-${size}`,
      title: `GET ${label} as text${of}`,
      check: equals(large[size]),
      places: size === "1mb" ? ["cluster", "tls"] : places
    },
    {
      ...base,
      ...ofCallers(callers, ({ getBytes }) => getBytes && (() => getBytes(`bench:large:${size}`))),
      name: `get-${size}-bytes`,
      title: `GET ${label} as bytes${of}`,
      check: isBytes(largeBytes[size])
    },
    {
      ...base,
      ...ofCallers(callers, (operations) => () => operations.set(target, large[size])),
      name: `set-${size}`,
      title: `SET ${label} from text${of}`,
      check: isStored
    },
    {
      ...base,
      ...ofCallers(callers, ({ setBytes }) => setBytes && (() => setBytes(target, largeBytes[size]))),
      name: `set-${size}-bytes`,
      title: `SET ${label} from bytes${of}`,
      check: isStored
    }
  ]
}

/** Every case that runs against a server, in the order of the table. */
export const cases: ReadonlyArray<Case> = [
  gets(1000),
  gets(50),
  {
    ...usual,
    ...ofCallers(1, ({ pipeline }) => pipeline && (() => pipeline(smallKeys))),
    name: "pipeline",
    title: "Pipeline of 1000 GETs",
    commands: elements,
    check: equals(smallValues),
    places: besidesTls,
    costs: 30
  },
  sets(1000),
  sets(50),
  collection("lrange", "LRANGE", (operations) => () => operations.lrange("bench:list", 0, -1), equals(listValues)),
  collection("hgetall", "HGETALL", (operations) => () => operations.hgetall("bench:hash"), isHash),
  collection("mget", "MGET", ({ mget }) => mget && (() => mget(smallKeys)), equals(smallValues)),
  collection(
    "zrange",
    "ZRANGE WITHSCORES",
    (operations) => () => operations.zrangeWithScores("bench:scored"),
    isScored
  ),
  collection("xrange", "XRANGE", (operations) => () => operations.xrange("bench:stream"), isStream),
  {
    ...usual,
    name: "messages",
    title: "Messages of 64 B to a subscriber",
    callers: 1,
    load: messages,
    check: equals(message),
    places: [],
    costs: 20_000
  },
  gets(1),
  sets(1),
  ...largeCases("4kb"),
  ...largeCases("32kb"),
  ...largeCases("1mb"),
  ...largeCases("16mb"),
  {
    ...usual,
    ...timed(50, get),
    name: "latency-50",
    title: "Latency of GET 64 B, 50 callers",
    milliseconds: 200,
    check: equals(smallValues[0]),
    latency: true,
    places: [],
    costs: undefined
  }
]

/** The cases of a place: those of the one server without one. */
export const casesOf = (place: Place | undefined): ReadonlyArray<Case> =>
  place === undefined ? cases : cases.filter(({ places }) => places.includes(place)).map((item) => ({
    ...item,
    name: `${place}-${item.name}`,
    title: place === "tls" ? `TLS: ${item.title}` : item.title
  }))
