/**
 * What HIMPORT keeps on a connection stays with whoever has the connection.
 */
import { assert, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Effect from "effect/Effect"

/** A server of which every connection has lists of fields of its own. */
const importing = Effect.gen(function*() {
  const known = new Map<number, Set<string>>()
  const node = yield* FakeNode.make(({ args, name }, { index }) => {
    if (name !== "HIMPORT") return undefined
    const [, subcommand = "", first = "", second = ""] = args
    const own = known.get(index) ?? new Set()
    known.set(index, own)
    if (subcommand === "PREPARE") own.add(first)
    return subcommand === "PREPARE" || own.has(second) ? "+OK\r\n" : "-ERR no such fieldset\r\n"
  })
  return { node, on: Client.on(yield* Client.make(node)) }
})

it.live("a list of fields is not prepared on a connection that others share", () =>
  Effect.gen(function*() {
    const { node, on } = yield* importing
    const commands = [
      Redis.himportPrepare("u", "f"),
      Redis.himportDiscard("u"),
      Redis.himportDiscardall(),
      Redis.himportSet("k", "u", "v"),
      Redis.send("HIMPORT PREPARE", "u", "f"),
      Redis.send("himport", "set", "k", "u", "v")
    ]
    for (const command of commands) {
      const error = yield* Effect.flip(on(command))
      assert.strictEqual(error._tag, "DataError")
      assert.include(error.message, "Redis.withConnection")
    }
    const piped = yield* Effect.flip(
      on(Redis.pipeline([Redis.himportPrepare("u", "f"), Redis.himportSet("k", "u", 1)]))
    )
    assert.strictEqual(piped._tag, "DataError")
    assert.deepStrictEqual(node.commands.filter(({ command }) => command.name === "HIMPORT"), [])
  }).pipe(Effect.scoped))

it.live("a list of fields is there for its holder, and for nobody after", () =>
  Effect.gen(function*() {
    const { on } = yield* importing
    const load = Redis.withConnection(Effect.gen(function*() {
      assert.isTrue(yield* Redis.himportPrepare("u", "name"))
      return yield* Redis.pipeline([Redis.himportSet("user:1", "u", "Ada"), Redis.himportSet("user:2", "u", "Bob")])
    }))
    assert.deepStrictEqual(yield* on(load), [true, true])
    const error = yield* Effect.flip(on(Redis.withConnection(Redis.himportSet("user:3", "u", "Eve"))))
    assert.strictEqual(error._tag === "ResponseError" ? error.detail : error._tag, "no such fieldset")
  }).pipe(Effect.scoped))
