/**
 * Tests commands that are settled before anything is sent: refused arguments,
 * and nothing to send.
 */
import { assert, describe, it } from "@effect/vitest"
import type { RedisCommand } from "@redfx/core"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

/** What a refused command fails with: the tag and the detail. */
export const refusal = (command: RedisCommand.Any): string => {
  const settled = command.settled
  if (settled === undefined || Exit.isSuccess(settled)) return "not refused"
  const error = Option.getOrUndefined(Cause.findErrorOption(settled.cause))
  return error?._tag === "DataError" ? `DataError: ${error.detail}` : String(error?._tag)
}

/** One test a row: the command fails with a `DataError` of this text and is not sent. */
export const refusedTable = (
  group: string,
  rows: ReadonlyArray<readonly [title: string, command: RedisCommand.Any, detail: string]>
): void => {
  describe(`${group}, refused`, () => {
    for (const [title, command, detail] of rows) {
      it(title, () => {
        assert.strictEqual(refusal(command), `DataError: ${detail}`)
      })
    }
  })
}

/** One test a row: the command succeeds with this value and is not sent. */
export const answeredTable = (
  group: string,
  rows: ReadonlyArray<readonly [title: string, command: RedisCommand.Any, value: unknown]>
): void => {
  describe(`${group}, without a round trip`, () => {
    for (const [title, command, value] of rows) {
      it(title, () => {
        assert.deepStrictEqual(command.settled, Exit.succeed(value))
      })
    }
  })
}
