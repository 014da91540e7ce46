/**
 * What a console shows of an error.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Core from "@redfx/core"
import { Redis, RedisChannel, RedisError, RedisKeyspace, RedisStream } from "@redfx/core"
import { NodeInspectSymbol } from "effect/Inspectable"
import { inspect } from "node:util"
import { stackless } from "../../src/internal/error/stackless.ts"
import { unreadable } from "../../src/internal/pubsub/message.ts"
import { Topic } from "../../src/internal/pubsub/topic.ts"
import { notText } from "../../src/internal/reply/mismatch.ts"

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

  it("is of its class, whatever its field `name` is", () => {
    const named = { name: "lock:reports\u001b[31m", kind: "lock" } as const
    for (
      const error of [
        new RedisError.LockError({ ...named, reason: "NotAcquired" }),
        new RedisError.LockNotOwnedError(named),
        stackless(() => new RedisError.LockNotOwnedError(named))
      ]
    ) {
      const heading = `@redfx/core/RedisError/${error._tag}: ${error.message}`
      assert.strictEqual(String(error), heading)
      assert.strictEqual(inspect(error).slice(0, heading.length), heading)
      assert.notInclude(inspect(error), "\u001b")
    }
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

describe("An error in JSON", () => {
  const json = (cause: unknown): unknown =>
    JSON.parse(JSON.stringify(new RedisError.ConnectionError({ ...lost, cause }))).cause

  it("has of its cause what JSON can have, whatever hangs on that", () => {
    const certificate: Record<string, unknown> = {}
    certificate["issuerCertificate"] = certificate
    const cause = Object.assign(new Error("wrong name"), { code: "ERR_TLS", cert: certificate, port: 1, big: 1n })
    assert.deepStrictEqual(json(cause), { name: "Error", message: "wrong name", code: "ERR_TLS", port: 1 })
    assert.strictEqual(json(certificate), "[object Object]")
    assert.strictEqual(json(Object.assign(new Error("own"), { toJSON: () => certificate })), "Error: own")
    assert.deepStrictEqual(json({ line: "ERR no" }), { line: "ERR no" })
    // Whatever they do when they are asked.
    const bare = Object.create(null)
    bare.self = bare
    assert.strictEqual(json(bare), "object")
    const refusing = Object.defineProperty(new Error("no"), "code", {
      enumerable: true,
      get: () => {
        throw new Error("refused")
      }
    })
    assert.strictEqual(json(refusing), "Error: no")
    let asked = 0
    assert.deepStrictEqual(json({ toJSON: () => ++asked > 1 ? bare : { asked } }), { asked: 1 })
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.strictEqual(json(proxy), "object")
    assert.deepInclude(json(lost), { _tag: "ConnectionError", reason: "Reset" })
    assert.notInclude(JSON.stringify(lost), "cause")
  })
})

describe("A name that a stranger has chosen", () => {
  const name = "a\n\u001b[31m\u009b2J\u202e"
  const active = /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/

  it("is escaped in messages, and where a command is printed", () => {
    for (
      const error of [
        new RedisError.LockError({ name, reason: "NotHeld", kind: "lock" }),
        new RedisError.LockNotOwnedError({ name, kind: "semaphore" }),
        new RedisError.MasterNotFoundError({ service: name, attempts: [] }),
        new RedisError.ReplicaNotFoundError({ service: name, attempts: [] }),
        new RedisKeyspace.KeyspaceError({ key: name, operation: "decode", detail: "x" }),
        new RedisKeyspace.LoadTimeoutError({ key: name, milliseconds: 1 }),
        new RedisChannel.ChannelError({ channel: name, operation: "encode", detail: "x" }),
        new RedisStream.EntryError({ stream: name, id: name, operation: "decode", detail: "x" }),
        unreadable(new Topic("psubscribe", name, name), undefined, notText()),
        Redis.get(name)
      ]
    ) {
      const text = error instanceof Error ? error.message : String(error)
      assert.notMatch(text, active)
      assert.include(text, `"a\\n\\u001b[31m\\x9b2J\\u202e"`)
    }
  })

  it("is escaped where a server says it of its setting", () => {
    const error = new RedisError.KeyspaceEventsOffError({ server: "h:1", setting: name, missing: "E" })
    assert.notMatch(error.message, active)
    assert.include(error.message, "a\\n\\x1b[31m\\x9b2J\\u202eE")
  })

  it("is no name of a command, as it cannot be printed, or is too long to be", () => {
    for (const command of [Redis.send("G\u001b[2JET", "k"), Redis.send("G\u0000ET"), Redis.send("G".repeat(501))]) {
      if (command.settled?._tag !== "Failure") return assert.fail("it would be sent")
      const [error] = command.settled.cause.reasons.flatMap((reason) => reason._tag === "Fail" ? [reason.error] : [])
      assert.strictEqual(error?._tag, "DataError")
      assert.notMatch(`${String(error)} ${String(command)}`, active)
      assert.isBelow(String(error).length, 1000)
    }
  })
})
