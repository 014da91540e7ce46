/**
 * What arrives for a consumer whose fiber rests between any two steps, and what is kept for one that never comes.
 */
import { assert, describe, it } from "@effect/vitest"
import { fork } from "@redfx/testing/Fork"
import { used } from "@redfx/testing/Memory"
import { turns } from "@redfx/testing/VirtualTime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import { Mailbox } from "../../src/internal/pubsub/mailbox.ts"
import type { Element } from "../../src/internal/pubsub/mailbox.ts"
import { PubSubOverflowError } from "../../src/RedisError.ts"

const message: Element = { _tag: "Message", kind: "message", channel: "c", pattern: undefined, data: "d" }

const overflow = new PubSubOverflowError({ capacity: 1 })

/** What a consumer is told, each with how that is done, as soon as it waits or rests. */
const told: ReadonlyArray<readonly [string, (mailbox: Mailbox) => void, Exit.Exit<unknown, unknown>]> = [
  ["a message", (mailbox) => {
    mailbox.offer(message)
    if (mailbox.idle) mailbox.wake()
  }, Exit.succeed([message])],
  ["a failure", (mailbox) => mailbox.fail(overflow), Exit.fail(overflow)],
  ["the end", (mailbox) => mailbox.finish(), Exit.failCause(Cause.fail(Cause.Done()))]
]

describe("A mailbox", () => {
  for (const [what, tell, expected] of told) {
    it.effect(`tells ${what} to a consumer at whatever step its fiber rests meanwhile`, () =>
      Effect.gen(function*() {
        for (let steps = 3; steps < 12; steps++) {
          const mailbox = new Mailbox({
            capacity: 1,
            capacityBytes: 1,
            onFull: "fail",
            events: false,
            channels: () => [],
            onRoom: () => {}
          })
          const taking = yield* fork(Effect.provideService(mailbox.take, MaxOpsBeforeYield, steps))
          tell(mailbox)
          yield* turns
          assert.deepStrictEqual(taking.pollUnsafe(), expected, `${steps} steps`)
        }
      }))
  }

  for (const capacity of [16_384, Number.MAX_SAFE_INTEGER]) {
    it.effect(`keeps no memory of messages that were dropped, with a capacity of ${capacity}`, () =>
      Effect.gen(function*() {
        const mailbox = new Mailbox({
          capacity,
          capacityBytes: 1_000_000,
          onFull: "dropOldest",
          events: false,
          channels: () => [],
          onRoom: () => {}
        })
        const before = yield* used
        for (let i = 0; i < 1000; i++) mailbox.offer({ ...message, data: new Uint8Array(100_000) })
        assert.isBelow((yield* used) - before, 3)
        const long = { ...message, data: new Uint8Array(100_000) }
        for (let i = 0; i < 1_000_000; i++) mailbox.offer(long)
        assert.isBelow((yield* used) - before, 3)
        assert.strictEqual((yield* mailbox.take).length, 10)
      }))
  }
})
