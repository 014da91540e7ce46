/**
 * What a console shows of an error.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Core from "@redfx/core"
import { Redis, RedisError } from "@redfx/core"
import { NodeInspectSymbol } from "effect/Inspectable"
import { inspect } from "node:util"

const lost = new RedisError.ConnectionError({
  reason: "Reset",
  detail: "The connection was reset",
  address: "127.0.0.1:6379",
  command: "INCR",
  delivery: "unknown",
  readonly: false
})

describe("An error in a console", () => {
  it("has its message, which says what to try, and its fields", () => {
    const [text, short] = [inspect(lost), inspect([lost], { compact: 3 })]
    for (const shown of [text, short]) {
      assert.include(shown, `${lost.name}: ${lost.message}`)
      assert.match(shown, /_tag: 'ConnectionError'/)
      assert.match(shown, /delivery: 'unknown'/)
    }
    assert.match(inspect(new Error("checkout failed", { cause: lost })), /\[cause\]: .*The connection was reset at 127/)
    assert.notInclude(inspect({ a: { b: { c: lost } } }, { depth: 1 }), "reset")
  })

  it("has its stack where it has one", () => {
    // Only a caller without types gives no key.
    const { settled } = Redis.get(undefined as never)
    if (settled?._tag !== "Failure") return assert.fail("there is a key")
    const [error] = settled.cause.reasons.flatMap((reason) => reason._tag === "Fail" ? [reason.error] : [])
    assert.match(inspect(error), /DataError: GET: cannot send a key that is undefined; .*\n +at /)
  })

  it("is made by a class of redfx, whichever it is", () => {
    const classes = Object.values(Core).flatMap((module) => Object.values(module)).filter((value) =>
      typeof value === "function" && value.prototype instanceof Error
    )
    assert.isAbove(classes.length, 25)
    const printed = Reflect.get(lost, NodeInspectSymbol)
    for (const each of classes) assert.strictEqual(Reflect.get(each.prototype, NodeInspectSymbol), printed, each.name)
  })
})
