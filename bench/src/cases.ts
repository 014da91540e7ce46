/**
 * What is measured: for each case an operation, how many callers run it, how
 * often, and what the right answer is.
 */
import { isDeepStrictEqual } from "node:util"
import type { Bind, Operation, Operations } from "./session.ts"

const elements = 1000
const mebibyte = 1024 * 1024

/** A value of `size` bytes that differs for every `seed`; plain ASCII, the most common text. */
export const value = (seed: string, size: number): string => `${seed}:`.padEnd(size, "abcdefghijklmnopqrstuvwxyz012345")

const smallKeys = Array.from({ length: elements }, (_, i) => `bench:small:${i}`)
const smallValues = smallKeys.map((key) => value(key, 64))
const listValues = Array.from({ length: elements }, (_, i) => value(`element:${i}`, 64))
const hashEntries = Array.from({ length: elements }, (_, i) => [`field:${i}`, value(`value:${i}`, 64)] as const)
const hash = Object.fromEntries(hashEntries)
const large = { "1mb": value("large", mebibyte), "16mb": value("large", 16 * mebibyte) }
type LargeSize = keyof typeof large
const largeBytes = { "1mb": Buffer.from(large["1mb"]), "16mb": Buffer.from(large["16mb"]) }

/** A raw command that puts data in place before the run. */
export type Preparation = ReadonlyArray<string>

/** The data every case reads. */
export const preparations: ReadonlyArray<Preparation> = [
  ["MSET", ...smallKeys.flatMap((key, i) => [key, smallValues[i] ?? ""])],
  ["RPUSH", "bench:list", ...listValues],
  ["HSET", "bench:hash", ...hashEntries.flat()],
  ["SET", "bench:large:1mb", large["1mb"]],
  ["SET", "bench:large:16mb", large["16mb"]]
]

/** One row of the table. */
export interface Case {
  readonly name: string
  readonly title: string
  readonly callers: number
  /** Operations per sample. */
  readonly total: number
  /** Commands in one operation: what rates and CPU are divided by. */
  readonly commands: number
  readonly bind: Bind
  /** Says what is wrong with an answer, or `undefined` when it is right. */
  readonly check: (answer: unknown) => string | undefined
  /** Keeps every single duration, and reports percentiles instead of a rate. */
  readonly latency: boolean
}

const key = (caller: number): string => smallKeys[caller % elements] ?? ""

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

/** HGETALL is a record (with or without prototype) or, in valkey-glide, a list of `{ field, value }`. */
const isHash = (answer: unknown): string | undefined => {
  const entries: Array<readonly [string, unknown]> = Array.isArray(answer)
    ? answer.map((entry: { readonly field: string; readonly value: unknown }) => [entry.field, entry.value])
    : Object.entries(answer ?? {})
  return equals(hash)(Object.fromEntries(entries))
}

const get = <F>(operations: Operations<F>): Operation<F> => (caller) => operations.get(key(caller))
const set = <F>(operations: Operations<F>): Operation<F> => (caller) =>
  operations.set(key(caller), smallValues[caller % elements] ?? "")

const one = { commands: 1, latency: false }

const small = (callers: number, total: number): ReadonlyArray<Case> => [
  {
    ...one,
    name: `get-${callers}`,
    title: `GET 64 B, ${callers} ${callers === 1 ? "caller" : "callers"}`,
    callers,
    total,
    bind: get,
    check: equals(smallValues[0])
  },
  {
    ...one,
    name: `set-${callers}`,
    title: `SET 64 B, ${callers} ${callers === 1 ? "caller" : "callers"}`,
    callers,
    total,
    bind: set,
    check: isStored
  }
]

const largeCases = (size: LargeSize, total: number): ReadonlyArray<Case> => {
  const label = size === "1mb" ? "1 MB" : "16 MB"
  const target = `bench:written:${size}`
  const base = { ...one, callers: 1, total }
  return [
    {
      ...base,
      name: `get-${size}`,
      title: `GET ${label} as text`,
      bind: (operations) => () => operations.get(`bench:large:${size}`),
      check: equals(large[size])
    },
    {
      ...base,
      name: `get-${size}-bytes`,
      title: `GET ${label} as bytes`,
      bind: ({ getBytes }) => getBytes && (() => getBytes(`bench:large:${size}`)),
      check: isBytes(largeBytes[size])
    },
    {
      ...base,
      name: `set-${size}`,
      title: `SET ${label} from text`,
      bind: (operations) => () => operations.set(target, large[size]),
      check: isStored
    },
    {
      ...base,
      name: `set-${size}-bytes`,
      title: `SET ${label} from bytes`,
      bind: ({ setBytes }) => setBytes && (() => setBytes(target, largeBytes[size])),
      check: isStored
    }
  ]
}

/** Every case that runs against the server, in the order of the table. */
export const cases: ReadonlyArray<Case> = [
  ...small(1, 6_000),
  ...small(50, 60_000),
  ...small(1000, 150_000),
  {
    name: "pipeline",
    title: "Pipeline of 1000 GETs",
    callers: 1,
    total: 120,
    commands: elements,
    latency: false,
    bind: ({ pipeline }) => pipeline && (() => pipeline(smallKeys)),
    check: equals(smallValues)
  },
  {
    ...one,
    name: "lrange",
    title: "LRANGE 1000 × 64 B, 10 callers",
    callers: 10,
    total: 500,
    bind: (operations) => () => operations.lrange("bench:list", 0, -1),
    check: equals(listValues)
  },
  {
    ...one,
    name: "hgetall",
    title: "HGETALL 1000 × 64 B, 10 callers",
    callers: 10,
    total: 250,
    bind: (operations) => () => operations.hgetall("bench:hash"),
    check: isHash
  },
  {
    ...one,
    name: "mget",
    title: "MGET 1000 × 64 B, 10 callers",
    callers: 10,
    total: 250,
    bind: ({ mget }) => mget && (() => mget(smallKeys)),
    check: equals(smallValues)
  },
  ...largeCases("1mb", 60),
  ...largeCases("16mb", 4),
  {
    ...one,
    name: "latency-50",
    title: "Latency of GET 64 B, 50 callers",
    callers: 50,
    total: 25_000,
    latency: true,
    bind: get,
    check: equals(smallValues[0])
  }
]
