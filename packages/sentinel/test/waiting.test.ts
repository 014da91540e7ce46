/**
 * `masterWait`: what was not sent waits for a master in place of one that is gone.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { pass } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

const getK = Redis.get("k")
const masterWait = "2 seconds"

/** A client whose master has just been lost, and which the sentinel takes for down. */
const bereft = Effect.gen(function*() {
  const { master, replicas: [next], sentinel } = yield* Fake.make({ replicas: 1 })
  if (next === undefined) return yield* Effect.die("there is one")
  const client = yield* Fake.client([sentinel], { masterWait, recheckInterval: "1 hour" })
  yield* client.execute(getK)
  sentinel.master = { port: master.port, flags: "master,s_down,o_down", epoch: 1 }
  yield* master.node.stopListening
  yield* Client.causing(client, "Disconnected", master.node.cutAll())
  return { client, master, next, sentinel }
})

describe("masterWait", () => {
  it.effect("commands of every kind wait, and go out at the new master", () =>
    Effect.gen(function*() {
      const { client, next, sentinel } = yield* bereft
      next.instead = ({ name }) => name === "BLPOP" ? Encode.nil3 : undefined
      const on = Client.on(client)
      const waiting = yield* Effect.forkChild(Effect.all([
        client.execute(getK),
        client.execute(Redis.set("k", "v")),
        on(Redis.pipeline([getK, Redis.set("n", "v")])),
        client.execute(Redis.blpop("k", 1)),
        on(Redis.withConnection(getK))
      ], { concurrency: "unbounded" }))
      yield* pass(1500)
      assert.isUndefined(waiting.pollUnsafe())
      next.role = "master"
      sentinel.master = { port: next.port, epoch: 2 }
      yield* pass(400)
      const port = String(next.port)
      assert.deepStrictEqual(yield* Fiber.join(waiting), [port, true, [port, true], undefined, port])
    }))

  it.effect("they fail as not sent, and with what was wrong, when there is none in time", () =>
    Effect.gen(function*() {
      const { client, sentinel } = yield* bereft
      const waiting = yield* Effect.forkChild(Client.failure(client, getK, "MasterNotFoundError"))
      yield* pass(1900)
      assert.isUndefined(waiting.pollUnsafe())
      yield* pass(500)
      assert.match((yield* Fiber.join(waiting)).message, /s_down/)
      // The next one has a time of its own.
      const next = yield* Effect.forkChild(Effect.exit(client.execute(getK)))
      yield* pass(1500)
      assert.isUndefined(next.pollUnsafe())
      yield* pass(1500)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(next)))
      assert.isBelow(Fake.asked(sentinel), 150)
    }))

  it.effect("a command waits no longer than its own limit", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      const client = yield* Fake.client([sentinel], { masterWait, commandTimeout: "400 millis" })
      yield* client.execute(getK)
      yield* master.node.stopListening
      yield* Client.causing(client, "Disconnected", master.node.cutAll())
      const waiting = yield* Effect.forkChild(Client.failure(client, getK, "TimeoutError"))
      yield* pass(600)
      assert.strictEqual((yield* Fiber.join(waiting)).delivery, "not-sent")
    }))

  it.effect("without a master before it fails at once", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      yield* master.node.stopListening
      const client = yield* Fake.client([sentinel], { masterWait })
      yield* Client.failure(client, getK, "ConnectionError")
    }))

  it.effect("what waiting does not help fails at once", () =>
    Effect.gen(function*() {
      const { client, next, sentinel } = yield* bereft
      next.role = "master"
      sentinel.master = { port: next.port, epoch: 2 }
      next.instead = ({ name }) => name === "ROLE" ? Encode.error("NOAUTH Authentication required.") : undefined
      yield* Client.failure(client, getK, "AuthenticationError")
    }))
})
