/**
 * Shapes of scripts that take the token of a holder. Each returns whether it did what it is for.
 *
 * All are `ordered`: where connections are shared, what undoes an attempt comes after the attempt.
 */
import * as RedisReply from "../../RedisReply.ts"
import * as RedisScript from "../../RedisScript.ts"

/** A script of the name and the token. */
export const byToken = (script: string, lua: string) =>
  RedisScript.make({
    name: script,
    lua,
    keys: (name: string, _token: string) => [name],
    args: (_name, token) => [token],
    result: RedisReply.boolean,
    ordered: true
  })

/** To `add` to the time that is left, to `replace` it, or to make it `atLeast` so long. */
export type ExtendMode = "add" | "replace" | "atLeast"

/** A script that changes the time to live. */
export const extending = (script: string, lua: string) =>
  RedisScript.make({
    name: script,
    lua,
    keys: (name: string, _token: string, _milliseconds: number, _mode: ExtendMode) => [name],
    args: (_name, token, milliseconds, mode) => [token, milliseconds, mode],
    result: RedisReply.boolean,
    ordered: true
  })
