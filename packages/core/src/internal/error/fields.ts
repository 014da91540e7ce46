/**
 * The fields that errors of commands have in common, and how their messages name a command.
 */
import * as Schema from "effect/Schema"
import { present } from "./present.ts"

/**
 * Whether the server can have run the command: `"not-sent"`, certainly not, as
 * no byte of it was given to a socket; `"unknown"`, it may have.
 *
 * @category models
 * @since 0.1.0
 */
export const Delivery = Schema.Literals(["not-sent", "unknown"])

/**
 * @category models
 * @since 0.1.0
 */
export type Delivery = typeof Delivery.Type

/**
 * What is known of an effect that failed in part.
 *
 * **Details**
 *
 * - `of`: what its parts are. The commands of a `"pipeline"` or a `"transaction"`; the `"keys"` of one command that a
 *   cluster has split; the steps of one `"command"`.
 * - `answered`: the indexes, from 0, of those that the server has run and answered. `unknown`: of those that it may have
 *   run. All others were not run.
 *
 * @category models
 * @since 0.1.0
 */
export const Partial = Schema.Struct({
  of: Schema.Literals(["pipeline", "transaction", "keys", "command"]),
  answered: Schema.Array(Schema.Number),
  unknown: Schema.Array(Schema.Number)
})

/**
 * @category models
 * @since 0.1.0
 */
export type Partial = typeof Partial.Type

export const command = Schema.String
export const address = Schema.optionalKey(Schema.String)
export const index = Schema.optionalKey(Schema.Number)
export const readonly = Schema.Boolean

export const at = (address: string | undefined): string => address === undefined ? "" : ` at ${address}`
interface Origin {
  readonly command: string
  readonly address?: string
  readonly index?: number
  readonly partial?: Partial
}
/**
 * Names a command by the index that `index` and `partial` have for it, the whole that it is part of, and the server.
 */
export const origin = ({ address, command, index, partial }: Origin): string => {
  if (index === undefined) return `${command}${at(address)}`
  const whole = partial?.of === "pipeline" || partial?.of === "transaction" ? ` of the ${partial.of}` : ""
  return `${command} at index ${index}${whole}${address === undefined ? "" : `, at ${address}`}`
}
/** Names a command like {@link origin}, in an error that says the server by itself. */
export const originAlone = ({ index, partial }: Pick<Origin, "index" | "partial">, command: string): string =>
  origin({ command, ...present({ index, partial }) })
export const capitalized = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
/**
 * The words of a server in the middle of a sentence, without the full stop that they end with now and then. {@link
 * full} is for the end of a sentence.
 */
export const clipped = (text: string): string => {
  let end = text.length
  while (text.charCodeAt(end - 1) === 46) end--
  return text.slice(0, end)
}
export const full = (text: string): string => /[.?!]$/.test(text) ? text : `${text}.`
/** A sentence that follows another. Without it the first one gets no full stop. */
export const stopped = (next: string): string => next === "" ? "" : `.${next}`

/** The fields that every error has with which a command may fail. */
export const marks = {
  mayHaveWritten: Schema.optionalKey(Schema.Boolean),
  partial: Schema.optionalKey(Partial)
}

/** The fields of every error that is made of a server's error reply. */
export const reply = { code: Schema.String, detail: Schema.String, command, address, index, ...marks }

/** The answers of the servers that were asked. */
export const Attempts = Schema.Array(Schema.Struct({ address: Schema.String, detail: Schema.String }))
export const attempted = (attempts: typeof Attempts.Type): string =>
  attempts.map((attempt) => `; ${attempt.address}: ${attempt.detail}`).join("")
