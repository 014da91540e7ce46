/**
 * Tests what becomes of names that are not valid UTF-8, without a server.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCommand } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import * as Exit from "effect/Exit"
import { inspect } from "node:util"

/** A byte that no UTF-8 has, in a reply of {@link Row}. */
export const invalid = "\xff"

/**
 * - `command`: what reads the replies.
 * - `replies`: a reply each, of one byte a character; {@link invalid} stands in it in one place.
 */
export type Row = readonly [title: string, command: RedisCommand.Any, replies: ReadonlyArray<string>]

/** One test a row: text is refused or replaced, bytes are the server's. */
export const invalidTextTable = (group: string, rows: ReadonlyArray<Row>): void => {
  describe(`${group}: what is not valid UTF-8`, () => {
    for (const [title, command, replies] of rows) {
      it(`is a DecodeError as text, and read as bytes: ${title}`, () => {
        for (const reply of replies) {
          const [value] = new RespDecoder().push(Uint8Array.from(reply, (character) => character.charCodeAt(0)))
          assert.isDefined(value)
          const refused = RedisCommand.decode(command, value)
          assert.include(inspect(refused, { depth: 5 }), "not valid UTF-8")
          assert.isTrue(Exit.isFailure(refused))
          assert.deepStrictEqual(found(RedisCommand.decode(command, value, "replace")), ["\ufffd"])
          assert.deepStrictEqual(found(RedisCommand.decode(RedisCommand.asBytes(command), value)), [
            Uint8Array.of(0xff)
          ])
        }
      })
    }
  })
}

/** What stands in a result where the server sent {@link invalid}. */
const found = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<unknown> => {
  if (Exit.isFailure(exit)) return assert.fail(inspect(exit, { depth: 5 }))
  return leaves(exit.value).filter((leaf) => leaf instanceof Uint8Array ? leaf.includes(0xff) : leaf === "\ufffd")
}

const leaves = (value: unknown): ReadonlyArray<unknown> => {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return [value]
  if (value instanceof Set || Array.isArray(value)) return [...value].flatMap(leaves)
  return Object.entries(value).flat().flatMap(leaves)
}
