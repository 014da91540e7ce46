/**
 * The SENTINEL commands on a Sentinel that watches a master and its replica, over both versions of the protocol.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import { requireCommand, until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

interface Server {
  readonly host: string
  readonly port: number
}

/** The commands of an effect go to one server. */
const at = ({ host, port }: Server, protocol: 2 | 3) => Effect.provide(NodeRedisClient.layer({ host, port, protocol }))

/** Like `requireCommand`; Sentinels before Redis 6.2.0 cannot even tell which commands they know. */
const requireSubcommand = (context: Parameters<typeof requireCommand>[0], name: string) =>
  Effect.catchTag(
    requireCommand(context, name),
    "ResponseError",
    () => Effect.sync(() => context.skip(`the Sentinel does not tell of ${name}`))
  )

const sentinel = RedisServer.make({ sentinel: true })

/** A Sentinel and a master that it watches as `service`. */
const watched = Effect.fnUntraced(function*(protocol: 2 | 3) {
  const [master, watcher] = yield* Effect.all([RedisServer.make(), sentinel], { concurrency: 2 })
  const on = at(watcher, protocol)
  assert.strictEqual(yield* on(Redis.sentinelMonitor("service", master.host, master.port, 1)), true)
  return { master, on }
})

for (const protocol of [2, 3] as const) {
  describe(`Sentinel commands, RESP${protocol}`, { concurrent: true }, () => {
    it.live("SCC-02, SCC-03, SCC-04, SCC-05, REC-11: watches a master", () =>
      Effect.gen(function*() {
        const { master, on } = yield* watched(protocol)
        const { host, port } = master
        assert.deepStrictEqual(yield* on(Redis.sentinelGetMasterAddrByName("service")), { host, port })
        assert.strictEqual(yield* on(Redis.sentinelGetMasterAddrByName("nothing")), undefined)
        const state = yield* on(Redis.sentinelMaster("service"))
        assert.deepStrictEqual([state.name, state.ip, state.port, state.quorum], ["service", host, port, 1])
        assert.deepStrictEqual([state.isMaster, state.isSlave, state.isSdown], [true, false, false])
        assert.strictEqual(state.flags.has("master"), true)
        assert.strictEqual(state.downAfterMilliseconds, 30_000)
        assert.strictEqual(state.roleReported, "master")
        assert.deepStrictEqual(Object.keys(state.extra), [])
        const masters = yield* on(Redis.sentinelMasters())
        assert.deepStrictEqual([...masters.keys()], ["service"])
        assert.strictEqual(masters.get("service")?.port, port)
        assert.strictEqual((yield* Effect.flip(on(Redis.sentinelMaster("nothing"))))._tag, "ResponseError")
        const again = yield* Effect.flip(on(Redis.sentinelMonitor("service", host, port, 1)))
        assert.strictEqual(again._tag, "ResponseError")
      }))

    it.live("SCC-06, SCC-08: changes a service, and ends watching it", () =>
      Effect.gen(function*() {
        const { on } = yield* watched(protocol)
        const changes = { "down-after-milliseconds": 1234, "auth-pass": Redacted.make("secret"), quorum: "2" }
        assert.strictEqual(yield* on(Redis.sentinelSet("service", changes)), true)
        const state = yield* on(Redis.sentinelMaster("service"))
        assert.deepStrictEqual([state.downAfterMilliseconds, state.quorum], [1234, 2])
        assert.strictEqual((yield* Effect.flip(on(Redis.sentinelSet("service", { none: 1 }))))._tag, "ResponseError")
        assert.strictEqual(yield* on(Redis.sentinelRemove("service")), true)
        assert.strictEqual((yield* on(Redis.sentinelMasters())).size, 0)
        assert.strictEqual((yield* Effect.flip(on(Redis.sentinelRemove("service"))))._tag, "ResponseError")
      }))

    it.live("SCC-07, SCC-09, REC-11: tells of replicas and other Sentinels", () =>
      Effect.gen(function*() {
        const { master, on } = yield* watched(protocol)
        assert.deepStrictEqual(yield* on(Redis.sentinelSentinels("service")), [])
        assert.deepStrictEqual(yield* on(Redis.sentinelSlaves("service")), [])
        const replica = yield* RedisServer.make({ config: { replicaof: `${master.host} ${master.port}` } })
        const online = (list: ReadonlyArray<{ readonly masterLinkStatus?: string }>) =>
          list[0]?.masterLinkStatus === "ok"
        // The Sentinel hears of it when it next asks the master, within ten seconds.
        const [state] = yield* until(on(Redis.sentinelReplicas("service")), online)
        assert.deepStrictEqual([state?.ip, state?.port], [replica.host, replica.port])
        assert.deepStrictEqual([state?.isSlave, state?.isMaster], [true, false])
        assert.deepStrictEqual([state?.masterHost, state?.masterPort], [master.host, master.port])
        assert.deepStrictEqual((yield* on(Redis.sentinelSlaves("service"))).map(({ port }) => port), [replica.port])
        assert.strictEqual(yield* on(Redis.sentinelFailover("service")), true)
        yield* until(on(Redis.sentinelGetMasterAddrByName("service")), (found) => found?.port === replica.port)
      }))

    it.live("checks the quorum, votes, and remembers what INFO said", () =>
      Effect.gen(function*() {
        const { master, on } = yield* watched(protocol)
        assert.include(yield* on(Redis.sentinelCkquorum("service")), "OK 1 usable Sentinels")
        assert.deepStrictEqual(yield* on(Redis.sentinelIsMasterDownByAddr(master.host, master.port, 0)), {
          down: false,
          leader: "*",
          leaderEpoch: 0
        })
        const cache = yield* until(
          on(Redis.sentinelInfoCache("service")),
          (cache) => cache["service"]?.[0]?.info !== undefined
        )
        assert.include(cache["service"]?.[0]?.info, `tcp_port:${master.port}`)
        const error = yield* Effect.flip(on(Redis.sentinelFailover("service")))
        assert.strictEqual(error._tag === "ResponseError" ? error.code : error._tag, "NOGOODSLAVE")
        assert.strictEqual(yield* on(Redis.sentinelReset("serv*")), 1)
        assert.strictEqual(yield* on(Redis.sentinelReset("other*")), 0)
        assert.deepStrictEqual(yield* on(Redis.sentinelPendingScripts()), [])
        assert.strictEqual(yield* on(Redis.sentinelFlushconfig()), true)
      }))

    it.live("crashes after an election when told to", () =>
      Effect.gen(function*() {
        const on = at(yield* sentinel, protocol)
        assert.strictEqual(yield* on(Redis.sentinelSimulateFailure("crash-after-election")), true)
      }))

    it.live("has settings of its own", (context) =>
      Effect.gen(function*() {
        const on = at(yield* sentinel, protocol)
        yield* on(requireSubcommand(context, "SENTINEL|CONFIG"))
        assert.match(yield* on(Redis.sentinelMyid()), /^[0-9a-f]{40}$/)
        assert.strictEqual(yield* on(Redis.sentinelConfigSet({ "announce-port": 1234 })), true)
        const settings = yield* on(Redis.sentinelConfigGet("announce-port"))
        assert.deepStrictEqual({ ...settings }, { "announce-port": "1234" })
        assert.include(Object.keys(yield* on(Redis.sentinelConfigGet())), "resolve-hostnames")
      }))

    it.live("has intervals of its own", (context) =>
      Effect.gen(function*() {
        const on = at(yield* sentinel, protocol)
        yield* on(requireSubcommand(context, "SENTINEL|DEBUG"))
        assert.strictEqual(yield* on(Redis.sentinelDebugSet({ "info-period": "2 seconds" })), true)
        assert.strictEqual((yield* on(Redis.sentinelDebug()))["INFO-PERIOD"], 2000)
      }))

    it.live("speaks of primaries, on Valkey", (context) =>
      Effect.gen(function*() {
        const { master, on } = yield* watched(protocol)
        const { host, port } = master
        yield* on(requireSubcommand(context, "SENTINEL|PRIMARIES"))
        assert.deepStrictEqual(yield* on(Redis.sentinelGetPrimaryAddrByName("service")), { host, port })
        assert.strictEqual((yield* on(Redis.sentinelPrimary("service"))).port, port)
        assert.deepStrictEqual([...(yield* on(Redis.sentinelPrimaries())).keys()], ["service"])
        assert.strictEqual((yield* on(Redis.sentinelIsPrimaryDownByAddr(host, port, 0))).down, false)
      }))
  })
}
