/**
 * Decodes the reply to a command.
 */
import * as Exit from "effect/Exit"
import { DecodeError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import type * as Resp from "../../Resp.ts"
import type { Reader } from "../codec/gather.ts"
import { present } from "../error/present.ts"
import { stackless } from "../error/stackless.ts"

/** What becomes of text that is not valid UTF-8, as the option of that name says. */
export type TextDecoding = "strict" | "replace"

/** The parts of a command that decoding needs. */
export interface Readable {
  readonly spec: { readonly name: string }
  readonly reply: RedisReply.Reply<unknown, unknown, unknown>
  readonly view: RedisReply.View
}

export const decode = (
  command: Readable,
  value: Resp.Value,
  textDecoding: TextDecoding = "strict",
  index?: number
): Exit.Exit<unknown, DecodeError> => {
  try {
    return Exit.succeed(decodeOrThrow(command, value, textDecoding))
  } catch (error) {
    return undecodable(command, error, index)
  }
}

/** Like {@link decode}, for callers that have no use for an `Exit`. What it throws is for {@link undecodable}. */
export const decodeOrThrow = (command: Readable, value: Resp.Value, textDecoding: TextDecoding): unknown =>
  command.reply.decode(value, viewOf(command, textDecoding))

/** The outcome of a command whose decoder threw an error. */
export const undecodable = (command: Readable, error: unknown, index?: number): Exit.Exit<never, DecodeError> => {
  if (!(error instanceof RedisReply.Mismatch)) return Exit.die(error)
  return Exit.fail(stackless(() =>
    new DecodeError({
      command: command.spec.name,
      detail: error.detail,
      ...present({ index, integer: error.integer })
    })
  ))
}

const viewOf = ({ view }: Readable, textDecoding: TextDecoding): RedisReply.View =>
  textDecoding === "replace" && view.blob === "text" ? { ...view, blob: "replace" } : view

/** The reader of a reply that comes in parts; `undefined` when the reply is read as a whole. */
export const reader = (command: Readable, textDecoding: TextDecoding): Reader | undefined =>
  command.reply.reader?.(viewOf(command, textDecoding))
