/**
 * Users of sentinels and of servers who lack a right: what works without it works, and the rest says which right it is.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector, RedisSentinelServers } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { serversAreBefore, until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"

/** Users of the sentinels. */
const ofSentinels = {
  needed: "-@all +sentinel|master +sentinel|get-master-addr-by-name +sentinel|replicas +sentinel|sentinels +subscribe",
  "without SENTINEL MASTER": "+@all -sentinel|master",
  "without SENTINEL GET-MASTER-ADDR-BY-NAME": "+@all -sentinel|get-master-addr-by-name",
  "without SENTINEL REPLICAS": "+@all -sentinel|replicas",
  "without SENTINEL SENTINELS": "+@all -sentinel|sentinels",
  "without SUBSCRIBE": "+@all -subscribe",
  "without channels": "+@all resetchannels",
  "without SENTINEL": "+@all -sentinel"
} as const

/** Users of the servers. */
const ofData = {
  "with GET and SET alone": "-@all +get +set",
  "without ROLE and INFO": "+@all -role -info",
  "without HELLO, CLIENT and PING": "+@all -hello -client -ping"
} as const

const password = Redacted.make("pw")
const userName = (name: string) => name.replaceAll(" ", "-")
const lines = (users: Readonly<Record<string, string>>) =>
  Object.entries(users).map(([name, rules]) => `user ${userName(name)} on >pw ~* &* ${rules}`)

const servers = RedisSentinelServers.layer({
  replicas: 1,
  acl: lines(ofData),
  sentinelOptions: { acl: lines(ofSentinels) }
})

const clientOf = (options: Partial<RedisConfig.SentinelOptions>) =>
  Effect.gen(function*() {
    const { addresses, service } = yield* RedisSentinelServers.RedisSentinelServers
    return yield* Effect.provide(
      RedisSentinel.make({ sentinels: addresses, service, ...options }),
      NodeRedisConnector.layer
    )
  })

const as = (name: keyof typeof ofSentinels, role: "master" | "replica" = "master") =>
  clientOf({ role, recheckInterval: "1 second", sentinelOptions: { username: userName(name), password } })

const roleOf = (client: Effect.Success<ReturnType<typeof as>>) =>
  Effect.map(client.execute(Redis.role()), ({ role }) => role)

// Before that there are neither rights to channels nor users of sentinels.
describe.skipIf(serversAreBefore(6, 2))("A user", () => {
  layer(servers, { excludeTestServices: true })((it) => {
    for (const name of Object.keys(ofData) as ReadonlyArray<keyof typeof ofData>) {
      it.effect(`of the servers ${name} reads and writes, also where connections are checked`, () =>
        Effect.gen(function*() {
          const own = { username: userName(name), password, checkConnection: true }
          const writer = yield* clientOf(own)
          yield* writer.execute(Redis.set(name, "v"))
          const reader = yield* clientOf({ ...own, role: "replica" })
          assert.strictEqual(yield* until(reader.execute(Redis.get(name)), (value) => value !== undefined), "v")
          assert.strictEqual((yield* Effect.flip(reader.execute(Redis.set(name, "w"))))._tag, "ReadOnlyError")
        }))
    }

    for (
      const name of [
        "needed",
        "without SENTINEL GET-MASTER-ADDR-BY-NAME",
        "without SENTINEL SENTINELS",
        "without SUBSCRIBE",
        "without channels"
      ] as const
    ) {
      it.effect(`of sentinels ${name} finds master and replicas`, () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* roleOf(yield* as(name)), "master")
          assert.strictEqual(yield* roleOf(yield* as(name, "replica")), "slave")
        }))
    }

    it.effect("of sentinels without SENTINEL REPLICAS has the master to read from", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* roleOf(yield* as("without SENTINEL REPLICAS", "replica")), "master")
      }))

    for (const [name, right] of [["without SENTINEL MASTER", "MASTER"], ["without SENTINEL", "MASTER"]] as const) {
      it.effect(`of sentinels ${name} is told which right it takes, and not to try again`, () =>
        Effect.gen(function*() {
          const error = yield* Client.failure(yield* as(name), Redis.get("k"), "MasterNotFoundError")
          assert.strictEqual(error.attempts.length, 3)
          for (const { detail } of error.attempts) {
            assert.match(detail, new RegExp(`^NOPERM .*; the user of sentinels needs the right to SENTINEL ${right}$`))
          }
          assert.isFalse(RedisError.isRetryable(error))
          assert.notInclude(error.message, "retry")
        }))
    }

    for (const name of ["without SUBSCRIBE", "without channels"] as const) {
      it.effect(`of sentinels ${name} is told so by an event, as failovers are noticed late then`, () =>
        Effect.gen(function*() {
          const client = yield* as(name)
          const event = yield* Client.causing(client, "ConnectFailed", client.execute(Redis.get("k")))
          const error = Client.expectTag(event.error, "NoPermissionError")
          assert.strictEqual(error.command, "SUBSCRIBE")
          assert.strictEqual(event.address, error.address)
        }))
    }

    it.effect("of sentinels without SUBSCRIBE or addresses is brought over a failover as well", () =>
      Effect.gen(function*() {
        const { failover, master } = yield* RedisSentinelServers.RedisSentinelServers
        const names = ["needed", "without SENTINEL GET-MASTER-ADDR-BY-NAME", "without SUBSCRIBE"] as const
        const clients = yield* Effect.forEach(names, (name) => as(name))
        const changes = yield* Effect.forEach(clients, (client) => {
          const seen: Array<string> = []
          const look = Stream.runForEach(
            client.events,
            (event) => Effect.sync(() => event._tag === "MasterChanged" ? seen.push(event.address) : 0)
          )
          return Effect.as(Effect.forkScoped(look, { startImmediately: true }), seen)
        })
        for (const client of clients) yield* client.execute(Redis.get("k"))
        yield* failover
        const { port } = yield* master
        for (const client of clients) {
          const now = Effect.map(
            Effect.orElseSucceed(client.execute(Redis.configGet("port")), () => undefined),
            (all) => all?.["port"]
          )
          yield* until(now, (found) => found === String(port))
        }
        // None of them has gone back to the server that was deposed.
        assert.deepStrictEqual(changes, names.map(() => [`127.0.0.1:${port}`]))
      }))
  })
})

describe("A sentinel that makes another server the master, and does not say which,", () => {
  it.effect("is not taken to mean the server that it deposes, whose number is that of the failover already", () =>
    Effect.gen(function*() {
      const { master, sentinels } = yield* Fake.make({ sentinels: 2 })
      const [leader, other] = sentinels
      leader.master = { port: master.port, flags: "master,failover_in_progress", epoch: 2 }
      leader.instead = ({ args }) =>
        args[1] === "GET-MASTER-ADDR-BY-NAME" ? Encode.error("NOPERM no permission") : undefined
      if (other !== undefined) other.master = { port: master.port, epoch: 1 }
      const client = yield* Fake.client(sentinels)
      const error = yield* Client.failure(client, Redis.set("k", "v"), "MasterNotFoundError")
      assert.match(
        error.message,
        /does not say which: NOPERM no permission; the user of sentinels needs the right to SENTINEL GET-MASTER-ADDR-BY-NAME/
      )
      // It is over with the failover.
      assert.isTrue(RedisError.isSafeToRetry(error))
      assert.strictEqual(master.node.connections.total, 0)
    }))
})
