/**
 * Encodes commands as bytes.
 */
import * as RedisArg from "../../RedisArg.ts"
import { DataError } from "../../RedisError.ts"
import type { RespEncoder } from "../../RespEncoder.ts"
import { unreadable } from "../argument/unreadable.ts"
import { encodeUtf8 } from "../codec/utf8.ts"
import type { CommandImpl } from "./impl.ts"
import type { Script, Spec } from "./spec.ts"

/** The parts of a command that encoding needs. */
export interface Sendable {
  readonly spec: Spec
  readonly parts: ReadonlyArray<RedisArg.Part>
}

export const encodeInto = (command: Sendable, encoder: RespEncoder, withText?: Script): DataError | undefined => {
  const parts = command.parts
  encoder.mark()
  try {
    // Every command is an instance of the class that has this field.
    const { unsent } = command as CommandImpl
    if (unsent !== undefined) throw unsent
    encoder.check(command.spec.words.length + parts.length)
    encoder.raw((withText?.withText ?? command.spec).head(parts.length))
    if (withText !== undefined) encoder.argument(withText.lua)
    for (let i = withText === undefined ? 0 : 1; i < parts.length; i++) {
      const part = parts[i]!
      encoder.argument(typeof part === "string" ? part : RedisArg.wireValue(part))
    }
    encoder.check(0)
    return undefined
  } catch (error) {
    encoder.rollback()
    encoder.raw(refused)
    return new DataError({ command: command.spec.called, detail: unreadable(error).detail })
  }
}

/**
 * GET without a key. Every server answers it with an error, and it has no effect but that a transaction around it runs
 * nothing.
 */
const refused = encodeUtf8("*1\r\n$3\r\nGET\r\n")

export const unsendable = (command: Sendable): DataError | undefined => {
  try {
    RedisArg.flatten(command.parts)
    return undefined
  } catch (error) {
    return new DataError({ command: command.spec.called, detail: unreadable(error).detail })
  }
}
