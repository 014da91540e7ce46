import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Net from "node:net"
import { freshKey, requireCommand } from "../Suite.ts"

/** A connection to the server of the client, on the loopback interface, that has subscribed in the scope. */
const subscribed = Effect.fnUntraced(function*(command: string, ...channels: ReadonlyArray<string>) {
  const { port } = yield* Redis.configGet("port")
  yield* Effect.acquireRelease(
    Effect.callback<Net.Socket>((resume) => {
      const socket = Net.connect({ host: "127.0.0.1", port: Number(port) })
      let received = ""
      socket.on("data", (chunk) => {
        received += chunk.toString("latin1")
        // One array confirms each channel.
        if (received.split("*3\r\n").length > channels.length) resume(Effect.succeed(socket))
      })
      socket.write(`${command} ${channels.join(" ")}\r\n`)
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
})

/** The commands of pub/sub that do not subscribe, on whatever Layer of one server is given. */
export const PubSubCommandsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("PubSub commands", () => {
    layer(client)((it) => {
      it.effect("PSC-01: counts who got a message", () =>
        Effect.gen(function*() {
          const channel = freshKey("channel")
          assert.strictEqual(yield* Redis.publish(channel, "m"), 0)
          yield* subscribed("SUBSCRIBE", channel)
          yield* subscribed("PSUBSCRIBE", `${channel}*`)
          assert.strictEqual(yield* Redis.publish(channel, Uint8Array.of(0, 255)), 2)
        }))

      it.effect("PSC-02, PSC-04: tells of channels and their subscribers", () =>
        Effect.gen(function*() {
          const channel = freshKey("channel")
          const [a, b, c] = [`${channel}:a`, `${channel}:b`, `${channel}:c`]
          yield* subscribed("SUBSCRIBE", a, b)
          yield* subscribed("SUBSCRIBE", b)
          assert.sameMembers([...yield* Redis.pubsubChannels(`${channel}:*`)], [a, b])
          assert.includeMembers([...yield* Redis.pubsubChannels()], [a, b])
          assert.deepStrictEqual(yield* Redis.pubsubNumsub(b, c, a), [
            { channel: b, subscribers: 2 },
            { channel: c, subscribers: 0 },
            { channel: a, subscribers: 1 }
          ])
          assert.deepStrictEqual(yield* Redis.pubsubNumsub(), [])
        }))

      it.effect("PSC-03: counts patterns", () =>
        Effect.gen(function*() {
          const before = yield* Redis.pubsubNumpat()
          yield* subscribed("PSUBSCRIBE", `${freshKey("channel")}*`, `${freshKey("channel")}*`)
          assert.strictEqual(yield* Redis.pubsubNumpat(), before + 2)
        }))

      it.effect("publishes to shard channels, and tells of them", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "SPUBLISH")
          const channel = freshKey("channel")
          assert.strictEqual(yield* Redis.spublish(channel, "m"), 0)
          yield* subscribed("SSUBSCRIBE", channel)
          assert.strictEqual(yield* Redis.spublish(channel, "m"), 1)
          assert.deepStrictEqual(yield* Redis.pubsubShardchannels(`${channel}*`), [channel])
          assert.include([...yield* Redis.pubsubShardchannels()], channel)
          assert.deepStrictEqual(yield* Redis.pubsubShardnumsub(channel), [{ channel, subscribers: 1 }])
          assert.deepStrictEqual(yield* Redis.pubsubNumsub(channel), [{ channel, subscribers: 0 }])
          assert.deepStrictEqual(yield* Redis.pubsubShardnumsub([]), [])
        }))
    })
  })
}
