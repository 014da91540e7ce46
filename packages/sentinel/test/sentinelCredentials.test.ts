/**
 * Credentials of sentinels that change while a program runs.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector, RedisSentinelServers } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import { serversAreBefore } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"

const getK = Redis.get("k")

describe("sentinelOptions.credentials", () => {
  // Before that sentinels have no users.
  it.live.skipIf(serversAreBefore(6, 2))(
    "are asked for whenever a sentinel is connected to, so that a password can be replaced",
    () =>
      Effect.gen(function*() {
        const passwords = [Redacted.make("first-secret"), Redacted.make("second-secret")] as const
        const { addresses, sentinels, service } = yield* RedisSentinelServers.make({ sentinelPassword: passwords[0] })
        const make = (sentinelOptions: RedisConfig.SentinelOptions["sentinelOptions"]) =>
          RedisSentinel.makeGroup({ sentinels: addresses, sentinelOptions })
        let current = passwords[0]
        const rotating = yield* make({ credentials: Effect.sync(() => ({ password: current })) })
        const fixed = yield* make({ password: passwords[0] })
        const before = yield* rotating.discoverMaster(service)
        yield* Effect.forEach(sentinels, (sentinel) =>
          Effect.scoped(Effect.gen(function*() {
            const admin = yield* Client.make(sentinel, { password: passwords[0] })
            yield* admin.execute(
              Redis.aclSetuser("default", { resetpass: true, enabled: true, passwords: { add: ["second-secret"] } })
            )
            yield* Effect.exit(admin.execute(Redis.clientKillFilter({ type: "normal", skipme: false })))
          })))
        const error = yield* Effect.flip(fixed.discoverMaster(service))
        assert.isFalse(RedisError.isRetryable(error))
        assert.strictEqual(error.attempts.length, 3)
        assert.notMatch(inspect(error, { depth: 9 }) + JSON.stringify(error) + String(error), /secret/)
        current = passwords[1]
        assert.deepStrictEqual(yield* rotating.discoverMaster(service), before)
      }).pipe(Effect.provide(NodeRedisConnector.layer))
  )

  it.live("are not those of the data, and are told with the name of the option when they cannot be", () =>
    Effect.gen(function*() {
      const sentinel = yield* Fake.makeSentinel({ handshake: { password: "sentinel-secret" } })
      const master = yield* Fake.makeData("master", { handshake: { password: "data-secret" } })
      sentinel.master = { port: master.port }
      const password = Redacted.make("sentinel-secret")
      const data = { credentials: { password: Redacted.make("data-secret") } }
      const client = yield* Fake.client([sentinel], { ...data, sentinelOptions: { credentials: { password } } })
      assert.strictEqual(yield* client.execute(getK), String(master.port))
      const error = yield* Effect.flip(
        Fake.client([sentinel], { sentinelOptions: { password, credentials: { password } } })
      )
      assert.strictEqual(error._tag === "RedisConfigError" ? error.option : error._tag, "sentinelOptions.credentials")
    }))
})
