/**
 * What errors say: plain sentences that end once, numbers that are those of the fields, and advice that helps.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisConfig, RedisError } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"

const message = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.message)

describe("Messages", () => {
  it.effect("end with one full stop, also where the server's or a question ends with its own", () =>
    Effect.gen(function*() {
      const codes = ["ERR", "WRONGPASS", "WRONGTYPE", "NOSCRIPT", "NOPERM", "OOM", "LOADING", "BUSY", "MASTERDOWN"]
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "GET" ? Encode.error(`${args[1]} it cannot be done.`) : undefined
      )
      const client = yield* Client.make(node)
      for (const code of codes) {
        const text = yield* message(client.execute(Redis.get(code)))
        assert.notMatch(text, /\.\.|\. \(|[?!]\./, text)
        assert.include(text, "it cannot be done")
      }
      const timeout = new RedisError.TimeoutError({
        phase: "connect",
        milliseconds: 5,
        detail: "does the server speak TLS on this port?",
        delivery: "not-sent",
        readonly: false
      })
      assert.include(timeout.message, "on this port?")
      assert.notInclude(timeout.message, "?.")
      const attempts = [{ address: "127.0.0.1:1", detail: "does the server speak TLS on this port?" }]
      for (
        const { message } of [
          new RedisError.MasterNotFoundError({ service: "mymaster", attempts }),
          new RedisError.ReplicaNotFoundError({ service: "mymaster", attempts }),
          new RedisError.ClusterConnectError({ attempts })
        ]
      ) {
        assert.match(message, /on this port\? [A-Z]/)
      }
    }))

  it.effect("name a command by the number that the fields have for it", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "SET" ? Encode.ok : Encode.error("ERR no"))
      const on = Client.on(yield* Client.make(node))
      const error = yield* on(Effect.flip(Redis.pipeline([Redis.set("a", 1), Redis.append("a", "b")])))
      assert.isTrue("index" in error && error.index === 1 && "partial" in error && error.partial?.answered[0] === 0)
      assert.match(
        error.message,
        /^ERR no \(APPEND at index 1 of the pipeline, at 127\.0\.0\.1:\d+\)\. The command at index 0 of the pipeline was answered;/
      )
    }))

  it.effect("say that a transaction is one", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "MULTI"
          ? Encode.ok
          : name === "EXEC"
          ? `*2\r\n+OK\r\n-ERR no\r\n`
          : ["SET", "APPEND"].includes(name)
          ? "+QUEUED\r\n"
          : undefined
      )
      const on = Client.on(yield* Client.make(node))
      const text = yield* on(message(Redis.transaction([Redis.set("a", 1), Redis.append("a", "b")])))
      assert.match(text, /APPEND at index 1 of the transaction/)
      assert.notInclude(text, "pipeline")
    }))

  it.effect("say of what a connection is shared for what to use instead", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* FakeNode.make())
      const advice = {
        MULTI: "Use Redis.transaction.",
        exec: "Use Redis.transaction.",
        WATCH: "Use Redis.watch.",
        MONITOR: "Use Redis.monitor.",
        SELECT: "Use the option db, or run it inside Redis.withConnection.",
        RESET: "Run it inside Redis.withConnection."
      }
      for (const [name, expected] of Object.entries(advice)) {
        assert.include(yield* message(client.execute(Redis.send(name))), expected)
      }
    }))

  it.effect("name the variable that is missing, with the program's prefix", () =>
    Effect.gen(function*() {
      const read = (prefix: string, env: Record<string, string>) =>
        message(Effect.provideService(
          Config.nested(RedisConfig.config, prefix),
          ConfigProvider.ConfigProvider,
          ConfigProvider.fromEnv({ env })
        ))
      assert.include(yield* read("REDIS", { REDIS_MODE: "cluster" }), "REDIS_NODES is missing")
      assert.include(yield* read("REDIS", { REDIS_CLUSTER: "true" }), "REDIS_NODES is missing")
      assert.include(yield* read("CACHE", { CACHE_MODE: "sentinel" }), "CACHE_SENTINELS is missing")
      const withoutService = { CACHE_MODE: "sentinel", CACHE_SENTINELS: "h" }
      assert.include(yield* read("CACHE", withoutService), "CACHE_SERVICE is missing")
    }))

  it("do not call safe to retry what will be refused again", () => {
    const permanent = new RedisError.ConnectionError({
      reason: "Handshake",
      detail: "The server refused SELECT",
      permanent: true,
      delivery: "not-sent",
      readonly: false,
      command: "GET"
    })
    const closed = new RedisError.ConnectionError({
      reason: "ClientClosed",
      detail: "The client was closed",
      delivery: "not-sent",
      readonly: true,
      command: "GET"
    })
    for (const { message } of [permanent, closed]) assert.notInclude(message, "retry")
  })
})
