/**
 * Values of strangers that are nested so deeply that a schema which refers to itself fills the stack.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisChannel, RedisKeyspace, RedisScript } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

interface Tree {
  readonly in: Tree | number
}

const Tree: Schema.Codec<Tree> = Schema.Struct({
  in: Schema.Union([Schema.Number, Schema.suspend((): Schema.Codec<Tree> => Tree)])
})

const deep = 50_000
const text = `${"{\"in\":".repeat(deep)}1${"}".repeat(deep)}`
const why = "it is nested too deeply for its schema"

const trees = RedisKeyspace.make({ key: "tree:*", value: Tree })

describe("A value that is nested too deeply for its schema", () => {
  it.live("fails its reader, and nothing else", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "GET" ? Encode.bulk(args[1] === "tree:1" ? text : `{"in":1}`) : undefined
      )
      const run = Client.on(yield* Client.make(node))
      const [error, other] = yield* Effect.all([run(Effect.flip(trees.get("1"))), run(trees.get("2"))], {
        concurrency: "unbounded"
      })
      assert(error._tag === "KeyspaceError")
      assert.strictEqual(error.detail, why)
      assert.deepStrictEqual(yield* Effect.fromOption(other), { in: 1 })
    }).pipe(Effect.scoped))

  it.live("is not written", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const run = Client.on(yield* Client.make(node))
      const error = yield* run(Effect.flip(trees.set("1", JSON.parse(text))))
      assert(error._tag === "KeyspaceError")
      assert.deepStrictEqual([error.operation, error.detail], ["encode", why])
    }).pipe(Effect.scoped))

  it.effect("is the DecodeError of a script", () =>
    Effect.gen(function*() {
      const grow = RedisScript.make({
        name: "grow",
        lua: "return 1",
        keys: (key: string) => [key],
        result: Schema.fromJsonString(Tree)
      })
      const node = yield* FakeNode.make(({ name }) => name.startsWith("EVAL") ? Encode.bulk(text) : undefined)
      const error = yield* Client.failure(yield* Client.make(node), grow("k"), "DecodeError")
      assert.include(error.detail, why)
    }).pipe(Effect.scoped))

  it.live("is left out of a channel, whose later messages come", () =>
    Effect.gen(function*() {
      const channel = RedisChannel.make("trees", { value: Tree })
      const told: Array<string> = []
      const node = yield* FakeNode.make(({ name }) =>
        name === "SUBSCRIBE"
          ? Encode.concat(
            Encode.push([Encode.bulk("subscribe"), Encode.bulk("trees"), Encode.integer(1)]),
            ...[text, `{"in":2}`].map((message) => Encode.push(["message", "trees", message].map(Encode.bulk)))
          )
          : undefined
      )
      const misfits = ({ message }: Error) => Effect.sync(() => void told.push(message))
      const messages = Stream.runCollect(Stream.take(channel.subscribe({ misfits }), 1))
      const received = yield* Client.on(yield* Client.make(node))(messages)
      assert.deepStrictEqual(received, [{ in: 2 }])
      assert.strictEqual(told.length, 1)
      assert.include(told[0], why)
    }).pipe(Effect.scoped))
})

it.live("What a schema throws otherwise stays a defect", () =>
  Effect.gen(function*() {
    const broken = RedisKeyspace.make({
      key: "broken:*",
      value: Schema.String.pipe(Schema.check(Schema.makeFilter(() => {
        throw new Error("a bug")
      })))
    })
    const node = yield* FakeNode.make(({ name }) => name === "GET" ? Encode.bulk(`"v"`) : undefined)
    const exit = yield* Client.on(yield* Client.make(node))(Effect.exit(broken.get("1")))
    assert(Exit.isFailure(exit))
    assert.include(String(Cause.squash(exit.cause)), "a bug")
  }).pipe(Effect.scoped))
