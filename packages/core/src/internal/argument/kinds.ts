/**
 * What stands where something else belongs, and what to send instead. The value itself is never shown: it may be a secret, or somebody's
 * data.
 */
import * as Effect from "effect/Effect"
import { isPromiseLike } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { isByteArray, isBytes } from "../codec/utf8.ts"
import { isDate } from "./isDate.ts"
import { isReadonlyArray } from "./isReadonlyArray.ts"

/** What it is, and what to do about it when there is more to say than what can be sent. */
export interface Kind {
  readonly is: string
  readonly instead?: string
}

/** JSON of these would be sent without a word, and would be `{}`, the date in quotes, or a name for each number. */
const objects: ReadonlyArray<readonly [has: (value: unknown) => boolean, kind: Kind]> = [
  [isDate, { is: "a Date", instead: "send text of it, such as its toISOString()" }],
  [Effect.isEffect, { is: "an Effect", instead: "run it first, as yield* does, and send what it returns" }],
  [isPromiseLike, { is: "a promise", instead: "await it first" }],
  [Redacted.isRedacted, { is: "a Redacted", instead: "send its Redacted.value" }],
  [(value) => isTagged(value, "Map"), { is: "a Map", instead: "send JSON of [...map]" }],
  [(value) => isTagged(value, "Set"), { is: "a Set", instead: "send JSON of [...set]" }],
  [(value) => isTagged(value, "ArrayBuffer"), { is: "an ArrayBuffer", instead: "send a new Uint8Array(buffer)" }],
  [ArrayBuffer.isView, {
    is: "a view of memory",
    instead: "send a new Uint8Array(view.buffer, view.byteOffset, view.byteLength)"
  }]
]

/** Also of another realm, such as a `vm` context. */
const isTagged = (value: unknown, name: string): boolean => Object.prototype.toString.call(value) === `[object ${name}]`

/** What a value is. */
export const kindOf = (value: unknown): Kind =>
  value === null || value === undefined || Number.isNaN(value)
    ? { is: String(value) }
    : typeof value === "string"
    ? { is: value.isWellFormed() ? "text" : "text with half a surrogate pair" }
    : isBytes(value)
    ? { is: "bytes" }
    : isByteArray(value)
    ? { is: "bytes whose buffer is detached, or that are none" }
    : isReadonlyArray(value)
    ? { is: "an array" }
    : objects.find(([has]) => has(value))?.[1] ?? { is: typeof value === "object" ? "an object" : `a ${typeof value}` }
