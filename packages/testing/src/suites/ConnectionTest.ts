import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { freshKey, requireCommand } from "../Suite.ts"

/** The client that waits in BLPOP. */
const blocked = Effect.repeat(
  Effect.map(
    Redis.clientList({ type: "normal" }),
    (clients) => clients.find(({ cmd, flags }) => cmd === "blpop" && flags.includes("b"))
  ),
  { schedule: Schedule.spaced("5 millis"), until: (client) => client !== undefined }
)

/** Connections, on whatever Layer of one server is given. */
export const ConnectionTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Connection", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("CON-03, CON-04: pings and echoes", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* Redis.ping(), true)
          assert.strictEqual(yield* Redis.pingMessage("é"), "é")
          assert.strictEqual(yield* Redis.echo("PONG"), "PONG")
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.echo(Uint8Array.of(0, 255))), Uint8Array.of(0, 255))
        }))

      it.effect("CON-05, CON-06, CON-11: names one connection", () =>
        Effect.gen(function*() {
          const name = freshKey("name").replaceAll(":", "-")
          const id = yield* Redis.withConnection(Effect.gen(function*() {
            assert.strictEqual(yield* Redis.clientSetname(""), true)
            assert.strictEqual(yield* Redis.clientGetname(), undefined)
            assert.strictEqual(yield* Redis.clientSetname(name), true)
            assert.strictEqual(yield* Redis.clientGetname(), name)
            const own = yield* Redis.clientId()
            const listed = (yield* Redis.clientList()).filter((one) => one.name === name)
            assert.deepStrictEqual(listed.map((one) => one.id), [own])
            return own
          }))
          assert.notStrictEqual(yield* Redis.clientId(), id)
        }))

      it.effect("CON-09, REC-02: lists clients with numbers where numbers are", () =>
        Effect.gen(function*() {
          yield* Redis.withConnection(Effect.gen(function*() {
            const id = yield* Redis.clientId()
            const own = (yield* Redis.clientList({ type: "normal" })).find((one) => one.id === id)
            assert.match(own?.addr ?? "", /^.+:\d+$/)
            assert.strictEqual(own?.db, 0)
            assert.isTrue(Number.isInteger(own?.age) && Number.isInteger(own?.qbufFree))
            assert.strictEqual(own?.multi, -1)
            assert.deepStrictEqual({ ...own?.extra }, {})
          }))
          const role = yield* Redis.role()
          const replicas = yield* Redis.clientList({ type: "replica" })
          assert.strictEqual(replicas.length, role.role === "master" ? role.replicas.length : 0)
        }))

      it.effect("REC-02: reads about itself", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "client|info")
          const own = yield* Redis.clientInfo()
          assert.strictEqual(own.cmd, "client|info")
          assert.strictEqual(own.user, "default")
          assert.deepStrictEqual((yield* Redis.clientList({ id: own.id })).map((one) => one.id), [own.id])
        }))

      it.effect("CON-07: closes a client by its address, and refuses one that is not there", () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(Redis.clientKill("127.0.0.1:1")))._tag, "ResponseError")
        }))

      it.effect("CON-07, CON-08: closes other clients", () =>
        Effect.gen(function*() {
          const popping = yield* Effect.forkChild(Effect.flip(Redis.blpop(freshKey())))
          const victim = yield* blocked
          assert.strictEqual(yield* Redis.clientKillFilter({ addr: victim!.addr, type: "pubsub" }), 0)
          assert.strictEqual(yield* Redis.clientKill(victim!.addr), true)
          assert.strictEqual((yield* Fiber.join(popping))._tag, "ConnectionError")

          const again = yield* Effect.forkChild(Effect.flip(Redis.blpop(freshKey())))
          const next = yield* blocked
          assert.strictEqual(yield* Redis.clientKillFilter({ id: next!.id, skipme: true }), 1)
          assert.strictEqual((yield* Fiber.join(again))._tag, "ConnectionError")
        }))

      it.effect("CON-10: pauses writes, and goes on", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "client|unpause")
          assert.strictEqual(yield* Redis.clientPause("10 seconds", "write"), true)
          assert.strictEqual(yield* Redis.ping(), true)
          assert.strictEqual(yield* Redis.clientUnpause(), true)
          assert.strictEqual(yield* Redis.set(freshKey(), "v"), true)
        }))

      it.effect("CON-12: unblocks a client as if its time had passed, or with an error", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* Redis.clientUnblock(2 ** 40), false)

          const popping = yield* Effect.forkChild(Redis.blpop(freshKey()))
          assert.strictEqual(yield* Redis.clientUnblock((yield* blocked)!.id), true)
          assert.strictEqual(yield* Fiber.join(popping), undefined)

          const failing = yield* Effect.forkChild(Effect.flip(Redis.blpop(freshKey())))
          assert.strictEqual(yield* Redis.clientUnblock((yield* blocked)!.id, "error"), true)
          const error = yield* Fiber.join(failing)
          assert.strictEqual(error._tag === "ResponseError" ? error.code : error._tag, "UNBLOCKED")
        }))

      it.effect("CON-01: a server without a password refuses one", () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(Redis.withConnection(Redis.auth({ password: "geheim" })))
          assert.strictEqual(error._tag, "AuthenticationError")
          assert.notInclude(JSON.stringify(error), "geheim")
        }))

      it.effect("CON-02: changes the database of a connection of its own only", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.withConnection(Effect.gen(function*() {
            assert.strictEqual(yield* Redis.select(10), true)
            yield* Redis.set(key, "v", { ex: 60 })
          }))
          assert.strictEqual(yield* Redis.get(key), undefined)
          assert.strictEqual((yield* Effect.flip(Redis.withConnection(Redis.select(1_000_000))))._tag, "ResponseError")
        }))

      it.effect("CON-13, CON-14: READONLY is for clusters, except on Valkey", () =>
        Effect.gen(function*() {
          const { redisVersion, valkeyVersion } = yield* Redis.info("server")
          const outcome = (command: ReturnType<typeof Redis.readonly>) =>
            Effect.map(
              Effect.result(command),
              (result) => result._tag === "Success" ? result.success : result.failure._tag
            )
          const refusal = valkeyVersion === undefined ? "ResponseError" : true
          yield* Redis.withConnection(Effect.gen(function*() {
            assert.strictEqual(yield* outcome(Redis.readonly()), refusal)
            // Redis 6.0 takes READWRITE anywhere.
            assert.strictEqual(yield* outcome(Redis.readwrite()), redisVersion!.startsWith("6.0.") ? true : refusal)
          }))
        }))

      it.effect("tracks keys and tells how", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "client|trackinginfo")
          yield* Redis.withConnection(Effect.gen(function*() {
            const id = yield* Redis.clientId()
            assert.strictEqual(yield* Redis.clientGetredir(), -1)
            assert.strictEqual(yield* Redis.clientTracking("on", { redirect: id, bcast: true, prefix: ["p:"] }), true)
            assert.strictEqual(yield* Redis.clientGetredir(), id)
            assert.deepStrictEqual(yield* Redis.clientTrackinginfo(), {
              flags: new Set(["on", "bcast"]),
              redirect: id,
              prefixes: ["p:"],
              extra: {}
            })
            assert.strictEqual(yield* Redis.clientTracking("off"), true)
            assert.strictEqual(yield* Redis.clientTracking("on", { redirect: id, optin: true }), true)
            assert.strictEqual(yield* Redis.clientCaching("yes"), true)
            assert.strictEqual(yield* Redis.clientTracking("off"), true)
          }))
        }))

      it.effect("greets", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "HRANDFIELD")
          const greeting = yield* Redis.withConnection(Redis.hello())
          assert.include(["redis", "valkey", "redict"], greeting.server)
          assert.include([2, 3], greeting.proto)
          assert.strictEqual(greeting.mode, "standalone")
          assert.strictEqual(greeting.role, "master")
        }))

      it.effect("sets what newer servers know of a connection", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "client|no-touch")
          yield* Redis.withConnection(Effect.gen(function*() {
            assert.strictEqual(yield* Redis.clientNoEvict("on"), true)
            assert.strictEqual(yield* Redis.clientNoTouch("on"), true)
            assert.strictEqual(yield* Redis.clientSetinfo("lib-name", "mine"), true)
            assert.strictEqual(yield* Redis.clientSetinfo("lib-ver", "1"), true)
            const own = yield* Redis.clientInfo()
            assert.deepStrictEqual([own.libName, own.libVer], ["mine", "1"])
          }))
        }))

      it.effect("what was reset or told to go is no connection for the next", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "reset")
          for (const end of [Redis.reset(), Redis.quit()]) {
            assert.strictEqual(yield* Redis.withConnection(end), true)
            assert.strictEqual(yield* Redis.withConnection(Redis.echo("next")), "next")
          }
        }))

      it.effect("takes what only Valkey has", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "client|import-source")
          yield* Redis.withConnection(Effect.gen(function*() {
            assert.strictEqual(yield* Redis.clientCapa("redirect"), true)
            assert.strictEqual(yield* Redis.clientImportSource("off"), true)
            assert.strictEqual((yield* Redis.clientInfo()).capa, "r")
          }))
        }))
    })
  })
}
