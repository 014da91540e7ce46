/**
 * Scans while their server is lost, on a scripted server.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** A server with three pages, of one key each. */
const paged: FakeNode.Handler = ({ args: [, cursor], name }) =>
  name === "SCAN"
    ? Encode.array([Encode.bulk(cursor === "2" ? "0" : String(Number(cursor) + 1)), Encode.bulks([`key${cursor}`])])
    : undefined

/** The cursors that were asked for when something befalls the server after the second key. */
const cursors = (
  befall: (node: FakeNode.FakeNode) => Effect.Effect<unknown>,
  options: RedisConfig.ConnectionOptions = {}
) =>
  Effect.gen(function*() {
    const node = yield* FakeNode.make(paged)
    const client = yield* Client.make(node, options)
    // All connections are open before the scan begins.
    yield* Effect.forEach([1, 2, 3, 4], () => client.execute(Redis.ping()), { concurrency: "unbounded" })
    let seen = 0
    yield* Redis.scanStream().pipe(
      Stream.tap(() => ++seen === 2 ? befall(node) : Effect.void),
      Stream.runDrain,
      Effect.provideService(RedisClient.RedisClient, client)
    )
    return node.commands.filter(({ command }) => command.name === "SCAN").map(({ args }) => args[1])
  })

describe("A scan", () => {
  inVirtualTime(
    "begins again when its server was away for a while, as it may have started anew",
    () =>
      Effect.gen(function*() {
        const asked = yield* cursors((node) =>
          Effect.gen(function*() {
            yield* node.stopListening
            yield* node.cutAll()
            yield* Effect.sleep("100 millis")
            yield* node.listen
          })
        )
        // The third page shows that the server was away.
        assert.deepStrictEqual(asked, ["0", "1", "2", "0", "1", "2"])
      })
  )

  inVirtualTime(
    "goes on when its server is still there, as another connection to it shows",
    () =>
      Effect.gen(function*() {
        for (const lost of [0, 1]) {
          const asked = yield* cursors(
            (node) => Effect.andThen(node.cut(lost), Effect.sleep("100 millis")),
            { pool: { shared: 2 } }
          )
          assert.deepStrictEqual(asked, ["0", "1", "2"])
        }
      })
  )
})
