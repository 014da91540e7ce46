/**
 * Encodes commands as bytes.
 */
import * as RedisArg from "../../RedisArg.ts"
import type { DataError } from "../../RedisError.ts"
import type { RespEncoder } from "../../RespEncoder.ts"
import { numberText } from "../../RespEncoder.ts"
import { dataError, unreadable } from "../argument/unreadable.ts"
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
    const from = withText === undefined ? 0 : 1
    if (parts.length - from < MANY) encodeEach(parts, from, parts.length, encoder)
    else encodeMany(parts, from, encoder)
    encoder.check(0)
    return undefined
  } catch (error) {
    encoder.rollback()
    encoder.raw(refused)
    return dataError(command.spec.called, refusalIn(error))
  }
}

/**
 * From so many arguments on, short ones are joined and written by one native call: MGET of 1000 takes 25 µs and not 46, HSET of 1000
 * fields 66 and not 93, MGET of 10 0.32 and not 0.46, and of 4 the same.
 */
const MANY = 6

/** A text grows to this length: 16 KB are hardly faster. After one that turns out not to be ASCII no other is made. */
const TEXT = 4096

/** Arguments of this length and more are written by themselves. */
const LONG = 256

/** What stands between two arguments, by the length of the second. */
const BETWEEN = Array.from({ length: LONG }, (_, length) => `\r\n$${length}\r\n`)

const encodeMany = (parts: ReadonlyArray<RedisArg.Part>, from: number, encoder: RespEncoder): void => {
  for (let at = from; at < parts.length;) {
    const first = at
    let text = ""
    for (; at < parts.length && text.length < TEXT; at++) {
      const value = valueOf(parts[at]!)
      const word = typeof value === "string" ? value : typeof value === "number" ? numberText(value) : undefined
      if (word === undefined || word.length >= LONG) break
      text += (text === "" ? `$${word.length}\r\n` : BETWEEN[word.length]!) + word
    }
    if (at - first < MANY) {
      at = Math.max(at, first + 1)
      encodeEach(parts, first, at, encoder)
    } else if (!encoder.ascii(text + "\r\n")) {
      return encodeEach(parts, first, parts.length, encoder)
    }
  }
}

const encodeEach = (parts: ReadonlyArray<RedisArg.Part>, from: number, to: number, encoder: RespEncoder): void => {
  for (let i = from; i < to; i++) encoder.argument(valueOf(parts[i]!))
}

const valueOf = (part: RedisArg.Part): RedisArg.Value => typeof part === "string" ? part : RedisArg.wireValue(part)

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
    return dataError(command.spec.called, refusalIn(error))
  }
}

/** A command that was refused when it was made knows where that was. */
const refusalIn = (error: unknown): RedisArg.InvalidArgument =>
  error instanceof RedisArg.InvalidArgument ? error : unreadable(error, refusalIn)
