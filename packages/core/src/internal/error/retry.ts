/**
 * The one judge of retrying: whether a later try may succeed, whether it can
 * apply a write twice, what an effect of several commands comes to that failed
 * in part, and how a message says so.
 *
 * An error speaks for the whole effect that failed with it. What it knows of its
 * own command is not enough then: `mayHaveWritten` says that something else of
 * the effect can have written, `partial` what that was.
 */
import { copied } from "./copy.ts"
import type { Change } from "./copy.ts"
import type { Delivery, Partial } from "./fields.ts"

// -----------------------------------------------------------------------------
// What an error says of the whole
// -----------------------------------------------------------------------------

/** The fields of an error of any class that the judgement looks at. */
export interface Fault {
  readonly _tag: string
  readonly reason?: string | undefined
  readonly permanent?: boolean | undefined
  readonly code?: string | undefined
  readonly detail?: string | undefined
  readonly causes?: ReadonlyArray<{ readonly code: string }> | undefined
  readonly command?: string | undefined
  readonly delivery?: Delivery | undefined
  readonly readonly?: boolean | undefined
  readonly mayHaveWritten?: boolean | undefined
  readonly partial?: Partial | undefined
  readonly index?: number | undefined
  readonly cause?: unknown
}

type Whole = Partial["of"]

/** The facts about an effect's other parts when one part has failed. */
export interface Others {
  readonly of?: Whole | undefined
  readonly answered: ReadonlyArray<number>
  readonly unknown: ReadonlyArray<number>
  readonly mayHaveWritten: boolean
}

/** Copies an error with other fields; fields that are `undefined` are left out. */
export const withFields = <E extends Fault>(error: E, change: Readonly<Record<string, unknown>>): E => {
  // The caller has looked whether the class has the field that it changes.
  const copy = copied(error, change as Change<E>)
  Object.defineProperty(copy, origin, { value: originOf(error) })
  const before = earlier.get(error)
  if (before !== undefined) earlier.set(copy, before)
  return copy
}

/** A field that is not enumerable, so that no copy takes it over. A WeakMap takes 1 µs more for each copy, which doubles that. */
const origin: unique symbol = Symbol("origin")

/** The error that an error was copied from, or the error itself. */
export const originOf = (error: { readonly [origin]?: object } & object): object => error[origin] ?? error

/** Whether the class of an error has a field, be it present or not. */
export const hasField = (error: Fault, field: string): boolean =>
  // Every error is made by a class with a schema.
  field in (error.constructor as unknown as { readonly fields: object }).fields

/** Adds to an error what is known of the other parts of the effect that failed with it. */
export const inPart = <E extends Fault>(
  error: E,
  { answered, mayHaveWritten, of = "command", unknown }: Others
): E => {
  const isPart = answered.length > 0 || unknown.length > 0
  if (!hasField(error, "partial") || !isPart && !mayHaveWritten) return error
  const ofOne = of === "keys" || of === "command"
  return withFields(error, {
    ...isPart ? { partial: { of, answered, unknown } } : {},
    ...mayHaveWritten ? { mayHaveWritten: true } : {},
    // The command that failed was taken apart then, and some of it was sent.
    ...ofOne && "delivery" in error ? { delivery: "unknown" } : {}
  })
}

/**
 * A part of an effect, and its outcome.
 *
 * - `indexes`: which of the caller's commands, or keys, it is. `error`: what it failed with.
 * - `sent`: whether it was for a server at all. Default `true`.
 */
export interface Part<E extends Fault = Fault> {
  readonly indexes: ReadonlyArray<number>
  readonly readonly: boolean
  readonly error: E | undefined
  readonly sent?: boolean | undefined
}

/**
 * The error of an effect with these parts, which is that of the first part that failed; `undefined` when none failed.
 */
export const failureAmong = <E extends Fault>(of: Whole, parts: ReadonlyArray<Part<E>>): E | undefined => {
  const failed = parts.find(({ error }) => error !== undefined)
  if (failed?.error === undefined) return undefined
  const done = { answered: new Array<number>(), unknown: new Array<number>() }
  let others = false
  let mayHaveWritten = false
  for (const part of parts) {
    const fate = part.sent === false ? "not-run" : fateOf(part.error)
    if (fate === "not-run") continue
    others ||= part !== failed
    mayHaveWritten ||= !part.readonly
    for (const index of part.indexes) done[fate].push(index)
  }
  // Keys of one part may stand between those of another.
  for (const indexes of Object.values(done)) indexes.sort((one, other) => one - other)
  // An error of an effect without other parts says all there is.
  return others ? inPart(failed.error, { of, ...done, mayHaveWritten }) : failed.error
}

/** The fate of a command, as its error tells it, or the lack of one. */
const fateOf = (error: Fault | undefined): "answered" | "unknown" | "not-run" =>
  error === undefined || error._tag === "DecodeError" ? "answered" : mayHaveRun(error) ? "unknown" : "not-run"

/** Whether the command that failed, or a part of it, can have been run for good. */
export const mayHaveRun = (error: Fault): boolean =>
  error._tag === "DecodeError" || error._tag === "ProtocolError" && error.delivery !== "not-sent" ||
  error.mayHaveWritten === true || error.partial !== undefined || error.delivery === "unknown"

/** The error of a command that was sent a second time after `before`, and may have run the first time. */
export const sentBefore = <E extends Fault>(error: E, before: Fault): E => {
  if (!mayRepeatWrite(before)) return error
  const mayHaveWritten = !mayRepeatWrite(error)
  // It is a copy, as several commands may have failed with the one object.
  const copy = withFields(inPart(error, { answered: [], unknown: [], mayHaveWritten }), {})
  earlier.set(copy, before)
  return copy
}

const earlier = new WeakMap<object, Fault>()

/** The error of an earlier try that may have run the command, where this one is of a later try. */
export const earlierIn = (error: Fault): Fault | undefined => earlier.get(error)

// -----------------------------------------------------------------------------
// Judging
// -----------------------------------------------------------------------------

/** The codes of error replies that pass: the server ran nothing, and may accept the same command later. */
const passing: ReadonlySet<string> = new Set([
  "LOADING",
  "OOM",
  "BUSY",
  "TRYAGAIN",
  "NOREPLICAS",
  // The server cannot save, and takes no writes until somebody has made room or rights for it.
  "MISCONF",
  "CLUSTERDOWN",
  "MASTERDOWN",
  // A blocked command was ended: by CLIENT UNBLOCK, because its server became a replica, or because its key has gone.
  "UNBLOCKED"
])

/** The reason why a server refused EXEC itself, from the detail of its reply. */
export const refusalOfExec = (detail: string): string | undefined => /because of: -?(\S.*)/.exec(detail)?.[1]

export const isRetryable = (error: Fault): boolean => {
  switch (error._tag) {
    case "ConnectionError":
      return error.reason !== "Tls" && error.reason !== "ClientClosed" && error.permanent !== true
    case "MasterNotFoundError":
    case "ReplicaNotFoundError":
      return error.permanent !== true
    case "TimeoutError":
    case "BusyLoadingError":
    case "WatchError":
    case "OutOfMemoryError":
    case "ClusterDownError":
    case "ClusterConnectError":
    case "SlotNotCoveredError":
    case "ClusterRetriesExhaustedError":
      return true
    case "ResponseError":
      return error.code !== undefined && passing.has(error.code)
    case "ExecAbortError": {
      const said = refusalOfExec(error.detail ?? "")
      const codes = [...(error.causes ?? []).map(({ code }) => code), ...said === undefined ? [] : said.split(" ", 1)]
      return codes.length > 0 && codes.every((code) => passing.has(code))
    }
    default:
      return false
  }
}

/** Whether repeating the whole effect that failed can apply a write twice. */
const mayRepeatWrite = (error: Fault): boolean => {
  if (error.mayHaveWritten === true) return true
  switch (error._tag) {
    case "ConnectionError":
    case "TimeoutError":
    case "ClusterRetriesExhaustedError":
      return error.delivery === "unknown" && error.readonly !== true
    case "WatchError":
      return error.delivery === "unknown"
    default:
      return false
  }
}

export const isSafeToRetry = (error: Fault): boolean => isRetryable(error) && !mayRepeatWrite(error)

// -----------------------------------------------------------------------------
// Saying so
// -----------------------------------------------------------------------------

/** The end of a message about a command with a `delivery`. It says whether to try again. */
export const deliveryText = (error: Fault): string => {
  // An error without a command is about nothing that could be done twice.
  if (error.command === undefined) return wholeText(error)
  const own = error.delivery === "not-sent"
    ? "The command was not sent"
    : error.readonly === true
    ? "The command only reads"
    : "The server may have run the command"
  return fateText(error, own, "it is safe to retry")
}

/**
 * The end of a message. It is `own` unless something else of the whole effect is to be told.
 *
 * - `advice`: what to do when it is safe; nothing is said when it is empty.
 * - `ownInPart`: the same of a command that was not alone.
 */
export const fateText = (error: Fault, own: string, advice: string, ownInPart = own): string => {
  const { mayHaveWritten, partial } = error
  if (partial !== undefined) {
    // With `retryOnTimeout`, an earlier try may have run the command that this try was refused.
    const ranBefore = ownInPart !== own && error.index !== undefined && partial.unknown.includes(error.index)
    return `${ranBefore ? "" : ` ${ownInPart}.`}${wholeText(error)}`
  }
  if (mayHaveWritten === true) return wholeText(error)
  const next = !isRetryable(error)
    ? ""
    : mayRepeatWrite(error)
    ? "retry only if running it twice does no harm"
    : advice
  return ` ${own}${next === "" ? "" : `; ${next}`}.`
}

/** The end of a message about the whole effect that failed, where more is to be told than about the one command. */
export const wholeText = (error: Fault): string => {
  const { mayHaveWritten = false, partial } = error
  const repeating = mayHaveWritten ? "; do not repeat the whole unless running it twice does no harm" : ""
  if (partial !== undefined && partial.answered.length + partial.unknown.length > 0) {
    const { answered, of, unknown } = partial
    return ` ${
      sentence([
        listText(answered, of, "was", "were", of === "keys" ? "done" : "answered"),
        listText(unknown, of, "may have been", "may have been", of === "keys" ? "done" : "run")
      ])
    }${repeating}.`
  }
  // A warning is only needed for an error that somebody would retry.
  return mayHaveWritten && isRetryable(error)
    ? " Something of it may have been written already; retry only if running it twice does no harm."
    : ""
}

const sentence = (parts: ReadonlyArray<string>): string => {
  const text = parts.filter((part) => part !== "").join("; ")
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** How many indexes a message lists. */
const listed = 5

const listText = (indexes: ReadonlyArray<number>, of: Whole, one: string, many: string, what: string): string => {
  if (indexes.length === 0) return ""
  const thing = of === "keys" ? "key" : of === "command" ? "step" : "command"
  const numbers = indexes.slice(0, listed).map(String)
  const more = indexes.length - numbers.length
  const last = more > 0 ? `${more} more` : numbers.length > 1 ? numbers.pop() : undefined
  const list = last === undefined ? numbers.join(", ") : `${numbers.join(", ")} and ${last}`
  const where = of === "keys" || of === "command" ? "" : ` of the ${of}`
  return `the ${thing}${indexes.length === 1 ? "" : "s"} at index ${list}${where} ${
    indexes.length === 1 ? one : many
  } ${what}`
}
