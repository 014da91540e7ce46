import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { RedisSentinelServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import { codeOf, isAlive, on } from "./harness/servers.ts"

describe("RedisSentinelServers", { concurrent: true }, () => {
  it.effect("starts what knows each other, also under a test's clock, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const [all, pids] = yield* Effect.scoped(Effect.gen(function*() {
        const { addresses, sentinels, servers, service } = yield* RedisSentinelServers.make({ replicas: 2 })
        const [master, ...replicas] = servers
        assert.isDefined(master)
        assert.strictEqual(service, "mymaster")
        assert.deepStrictEqual(addresses.map(({ port }) => port), sentinels.map(({ port }) => port))
        for (const sentinel of sentinels) {
          const [state, slaves, others] = yield* on(sentinel)(Redis.pipeline([
            Redis.sentinelMaster(service),
            Redis.sentinelSlaves(service),
            Redis.sentinelSentinels(service)
          ]))
          assert.deepStrictEqual([state.ip, state.port, state.quorum], [master.host, master.port, 2])
          assert.sameMembers(slaves.map(({ port }) => port), replicas.map(({ port }) => port))
          const otherPorts = sentinels.filter((other) => other !== sentinel).map(({ port }) => port)
          assert.sameMembers(others.map(({ port }) => port), otherPorts)
        }
        for (const replica of replicas) {
          const role = yield* on(replica)(Redis.role())
          assert.deepInclude(role, { role: "slave", port: master.port, state: "connected" })
        }
        const all = [...servers, ...sentinels]
        return [all, yield* Effect.forEach(all, ({ pid }) => pid)] as const
      }))
      assert.strictEqual(new Set(pids).size, 6)
      assert.deepStrictEqual(pids.filter(isAlive), [])
      assert.deepStrictEqual(all.filter(({ directory }) => Fs.existsSync(directory)), [])
    }))

  it.live("fails over in good order, and back, with passwords everywhere", () =>
    Effect.gen(function*() {
      const password = Redacted.make("of the \"data\"")
      const sentinelPassword = Redacted.make("of-sentinels")
      const deployment = yield* RedisSentinelServers.make({ password, sentinelPassword })
      const [first, second] = deployment.servers
      assert.isDefined(first)
      assert.isDefined(second)
      assert.strictEqual(yield* deployment.master, first)
      yield* deployment.failover
      assert.strictEqual(yield* deployment.master, second)
      assert.deepInclude(yield* on(first, password)(Redis.role()), { role: "slave", port: second.port })
      for (const sentinel of deployment.sentinels) {
        const named = yield* on(sentinel, sentinelPassword)(Redis.sentinelGetMasterAddrByName("mymaster"))
        assert.strictEqual(named?.port, second.port)
        assert.strictEqual(yield* codeOf(on(sentinel)(Redis.sentinelMasters())), "NOAUTH")
      }
      assert.strictEqual(yield* codeOf(on(first)(Redis.ping())), "NOAUTH")
      yield* deployment.failover
      assert.strictEqual(yield* deployment.master, first)
    }))

  it.live("puts a replica in the place of a master that was killed, and takes that one back", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make({ replicas: 2 })
      const [killed, ...replicas] = deployment.servers
      assert.isDefined(killed)
      yield* killed.kill()
      const promoted = yield* deployment.master
      assert.include(replicas, promoted)
      yield* deployment.settled
      const other = replicas.find((replica) => replica !== promoted)
      assert.isDefined(other)
      assert.deepInclude(yield* on(other)(Redis.role()), { role: "slave", port: promoted.port })
      yield* killed.restart
      yield* deployment.settled
      assert.strictEqual(yield* deployment.master, promoted)
      assert.deepInclude(yield* on(killed)(Redis.role()), { role: "slave", port: promoted.port })
    }))

  it.live("puts a replica in the place of a master that says nothing, which is no master when it is back", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make()
      const [paused, replica] = deployment.servers
      assert.isDefined(paused)
      assert.isDefined(replica)
      yield* paused.pause
      assert.strictEqual(yield* deployment.master, replica)
      yield* paused.resume
      yield* deployment.settled
      assert.deepInclude(yield* on(paused)(Redis.role()), { role: "slave", port: replica.port })
    }))

  it.live("knows the master without Sentinels, which find together again after a restart", () =>
    Effect.gen(function*() {
      const { master, sentinels, servers, settled } = yield* RedisSentinelServers.make()
      yield* Effect.forEach(sentinels, (sentinel) => sentinel.kill())
      assert.strictEqual(yield* master, servers[0])
      yield* Effect.forEach(sentinels, (sentinel) => sentinel.restart)
      yield* settled
      assert.strictEqual(yield* master, servers[0])
    }))

  it.live("settles with a Sentinel that stood still, which judges the others again soon", (context) =>
    Effect.gen(function*() {
      const { sentinels, settled } = yield* RedisSentinelServers.make()
      const [paused, killed] = sentinels
      assert.isDefined(paused)
      assert.isDefined(killed)
      const hasty = yield* Effect.exit(on(paused)(Redis.sentinelDebug()))
      if (hasty._tag === "Failure") return context.skip("before Redis 7.0 it takes a Sentinel half a minute")
      yield* paused.pause
      // After two seconds a Sentinel finds, when it runs again, that it cannot trust its clock.
      yield* Effect.sleep("2500 millis")
      yield* paused.resume
      yield* Effect.repeat(paused.log, { until: (log) => log.includes("+tilt") })
      yield* killed.kill()
      yield* settled
    }))

  it.live("says what is missing when it does not settle", () =>
    Effect.gen(function*() {
      const { servers, settled } = yield* RedisSentinelServers.make({ replicas: 0, settleTimeout: "4 seconds" })
      const [master] = servers
      assert.isDefined(master)
      yield* master.kill()
      const error = yield* Effect.flip(settled)
      assert.strictEqual(error.reason, "Timeout")
      assert.match(error.message, new RegExp(`4000 ms: .*master 127.0.0.1:${master.port} is not up`))
      const none = yield* Effect.flip(RedisSentinelServers.make({ sentinels: 0 }))
      assert.strictEqual(none.reason, "Other")
    }))

  it.live("takes a name, a quorum, times and directives, as a Layer", () =>
    Effect.gen(function*() {
      const { sentinels, servers, service } = yield* RedisSentinelServers.RedisSentinelServers
      const [sentinel] = sentinels
      assert.isDefined(sentinel)
      assert.strictEqual(sentinels.length, 1)
      assert.strictEqual(servers.length, 2)
      const state = yield* on(sentinel)(Redis.sentinelMaster(service))
      assert.deepInclude(state, {
        name: "service",
        quorum: 1,
        downAfterMilliseconds: 2000,
        failoverTimeout: 7000,
        parallelSyncs: 3
      })
    }).pipe(Effect.provide(RedisSentinelServers.layer({
      sentinels: 1,
      service: "service",
      downAfter: "2 seconds",
      failoverTimeout: "7 seconds",
      sentinelOptions: { config: { sentinel: "parallel-syncs service 3" } }
    }))))
})
