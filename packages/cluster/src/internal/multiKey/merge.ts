/**
 * Merges the replies of several servers to one command, before the reply is decoded. So one merge does for every view
 * and both protocols.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type * as Resp from "@redfx/core/Resp"
import { numberAt } from "./arguments.ts"
import { blobOf, bulk, bytesOf, elements, elementsIn, identity, isInteger, sum as total, textOf } from "./replies.ts"

/** Merges the replies to a command: one for each server or part that it went to. */
export type Merge = (replies: ReadonlyArray<Resp.Value>, command: RedisCommand.Any) => Resp.Value

/** The first reply, where all are the same. */
export const same: Merge = (replies) => replies[0] ?? null

/** The status of success if all replies are that, else another reply. */
export const succeeded: Merge = (replies) =>
  replies.find((reply) => !successes.has(textOf(reply))) ?? replies[0] ?? null

const successes: ReadonlySet<string> = new Set(["OK", "PONG"])

/** A merge of replies of one kind. Another reply is the whole, and is refused by the decoder, as it would be by itself. */
const ofKind = <A extends Resp.Value>(
  isOne: (reply: Resp.Value) => reply is A,
  merge: (replies: ReadonlyArray<A>, command: RedisCommand.Any) => Resp.Value
): Merge =>
(replies, command) => replies.every(isOne) ? merge(replies, command) : replies.find((reply) => !isOne(reply)) ?? null

/** The sum of integers. */
export const sum: Merge = ofKind(isInteger, total)

/** The least of integers. */
export const least: Merge = ofKind(isInteger, (all) => all.reduce((a, b) => (b < a ? b : a), Infinity))

/** The greatest of integers. */
export const greatest: Merge = ofKind(isInteger, (all) => all.reduce((a, b) => (b > a ? b : a), 0))

const ofArrays = (merge: Merge): Merge => ofKind((reply): reply is Resp.Value => elementsIn(reply) !== undefined, merge)

/** The elements of all arrays; equal elements are there once. */
export const union: Merge = ofArrays((replies) => distinct(replies.flatMap(elements)))

const distinct = (values: ReadonlyArray<Resp.Value>): ReadonlyArray<Resp.Value> => [
  ...new Map(values.map((value) => [identity(value), value])).values()
]

/** A merge of arrays, element by element. Where one lacks an element it stands there itself, and is refused. */
const ofEach = (mergeAt: (index: number) => Merge): Merge =>
  ofArrays((replies, command) =>
    Array.from(
      { length: Math.max(...replies.map((reply) => elements(reply).length)) },
      (_, i) => mergeAt(i)(replies.map((reply) => at(reply, i)), command)
    )
  )

const at = (reply: Resp.Value, index: number): Resp.Value => {
  const element = elements(reply)[index]
  return element === undefined ? reply : element
}

/** Numbers 0 or 1 by index; 1 where all replies have 1. */
export const everywhere: Merge = ofEach(() => least)

/** Texts of lines, one text after the other. */
export const lines: Merge = ofKind((reply): reply is Resp.Value => blobOf(reply) !== undefined, (replies) => {
  const texts = replies.map(bytesOf)
  const out = new Uint8Array(texts.reduce((length, text) => length + text.length, 0))
  texts.reduce((offset, text) => {
    out.set(text, offset)
    return offset + text.length
  }, 0)
  return bulk(out)
})

/** Names and integers in turn, with the same names in the same order in all replies. The integers are summed. */
export const sumByName: Merge = ofEach((index) => index % 2 === 0 ? same : sum)

/**
 * Entries of a log whose second field is a time, newest first. A count in the command holds for the whole, and each
 * server gave as many entries of its own.
 */
export const newestFirst: Merge = ofArrays((replies, command) => {
  const entries = replies.flatMap(elements).toSorted((a, b) => fieldOf(b, 1) - fieldOf(a, 1))
  const count = numberAt(command, 0)
  return count === undefined || count < 0 ? entries : entries.slice(0, count)
})

/** Entries sorted by the number in their first field. */
export const sortedByFirst: Merge = ofArrays((replies) =>
  replies.flatMap(elements).toSorted((a, b) => fieldOf(a, 0) - fieldOf(b, 0))
)

const fieldOf = (entry: Resp.Value, index: number): number => Number(elements(entry)[index] ?? 0)

/** The libraries that every server has. */
export const commonLibraries: Merge = ofArrays((replies) => {
  const [mine, ...others] = replies.map((reply) => elements(reply))
  const names = others.map((libraries) => new Set(libraries.map(libraryName)))
  return (mine ?? []).filter((library) => names.every((known) => known.has(libraryName(library))))
})

const libraryName = (library: Resp.Value): string => {
  const fields = elements(library)
  return identity(fields[fields.findIndex((field, i) => i % 2 === 0 && textOf(field) === "library_name") + 1] ?? null)
}
