/**
 * Tests commands without a server: one row says what is sent, what comes back
 * and what that decodes to.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCommand } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import { RespEncoder } from "@redfx/core/RespEncoder"
import * as Exit from "effect/Exit"

/**
 * - `title`: what the row shows, with the ids of the required rows it proves.
 * - `wire`: the arguments as sent, joined by one space (text arguments with spaces or none in double quotes).
 * - `replies`: the bytes of the reply; a second one when RESP3 differs. All must decode to `value`.
 */
export type Row = readonly [
  title: string,
  command: RedisCommand.Any,
  wire: string,
  replies: string | ReadonlyArray<string>,
  value: unknown
]

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The arguments of a command as they are sent. */
export const wire = (command: RedisCommand.Any): string => {
  const writer = new RespEncoder()
  RedisCommand.encodeInto(command, writer)
  const chunks = writer.takeBytes()
  const request = new RespDecoder()
  const values = chunks.flatMap((chunk) => [...request.push(chunk)])
  assert.strictEqual(values.length, 1, "one command is one array")
  // A command is an array of bulk strings.
  return (values[0] as ReadonlyArray<{ bytes(): Uint8Array }>)
    .map((part) => decoder.decode(part.bytes()))
    .map((text) => text === "" || /[\s"]/.test(text) ? JSON.stringify(text) : text)
    .join(" ")
}

/** What a reply decodes to. */
export const decoded = (command: RedisCommand.Any, reply: string): unknown => {
  const values = new RespDecoder().push(encoder.encode(reply))
  assert.strictEqual(values.length, 1, `one reply in ${JSON.stringify(reply)}`)
  const exit = RedisCommand.decode(command, values[0]!)
  return Exit.isSuccess(exit) ? exit.value : exit
}

/** One test a row. */
export const commandTable = (group: string, rows: ReadonlyArray<Row>): void => {
  describe(group, () => {
    for (const [title, command, expected, replies, value] of rows) {
      it(title, () => {
        assert.strictEqual(wire(command), expected)
        for (const reply of typeof replies === "string" ? [replies] : replies) {
          assert.deepStrictEqual(decoded(command, reply), value)
        }
      })
    }
  })
}
