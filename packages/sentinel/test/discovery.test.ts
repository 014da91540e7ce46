/**
 * Which sentinels are asked, which of their answers count, and what they get to see.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import { computing } from "@redfx/testing/Block"
import * as Client from "@redfx/testing/Client"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Uncaught from "@redfx/testing/Uncaught"
import { turns } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"

const { service } = Fake

/** An address where nothing listens. */
const nobody = Effect.gen(function*() {
  const node = yield* FakeNode.make()
  yield* node.stopListening
  return { host: node.host, port: node.port }
})

describe("Discovery", () => {
  it.effect("ENT-09, SEN-01: a group and its clients do no I/O before they are asked", () =>
    Effect.gen(function*() {
      const { master, replicas, sentinel } = yield* Fake.make({ replicas: 1 })
      const layers = Layer.mergeAll(
        RedisSentinel.layerClient({ sentinels: [sentinel], service }),
        RedisSentinel.layerReplica({ sentinels: [sentinel], service })
      )
      yield* Effect.gen(function*() {
        yield* RedisSentinel.RedisSentinel
        yield* RedisSentinel.RedisReplica
        for (const { node } of [master, ...replicas, sentinel]) assert.strictEqual(node.connections.total, 0)
        assert.strictEqual(yield* Redis.get("k"), String(master.port))
      }).pipe(Effect.provide(Layer.provide(layers, NodeRedisConnector.layer)))
    }))

  it.effect("SEN-01: when no sentinel can be reached the Layer is built, and the first command says so", () =>
    Effect.gen(function*() {
      const client = yield* Fake.client([yield* nobody])
      const error = yield* Client.failure(client, Redis.get("k"), "MasterNotFoundError")
      assert.match(error.attempts[0]?.detail ?? "", /refused/)
    }))

  it.effect("SEN-02, SEN-03, SCF-01: tells where the master and the replicas are", () =>
    Effect.gen(function*() {
      const { master, replicas, sentinel } = yield* Fake.make({ replicas: 2 })
      const layer = Layer.provide(RedisSentinel.layer({ sentinels: [sentinel] }), NodeRedisConnector.layer)
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(yield* RedisSentinel.discoverMaster(service), { host: "127.0.0.1", port: master.port })
        assert.deepStrictEqual(
          yield* RedisSentinel.discoverReplicas(service),
          replicas.map(({ port }) => ({ host: "127.0.0.1", port }))
        )
      }).pipe(Effect.provide(layer))
      assert.strictEqual(master.node.connections.total, 0)
    }))

  it.effect("SEN-18: asks all at once; one that hangs holds up the others a little, once, and is waited for again later", () =>
    Effect.gen(function*() {
      const { master, sentinels: [stalled, last] } = yield* Fake.make({ sentinels: 2 })
      const gate = yield* Deferred.make<void>()
      stalled.instead = ({ name }) => name === "SENTINEL" ? FakeNode.gate(gate) : undefined
      const group = yield* Fake.group([yield* nobody, stalled, last])
      const found = yield* Effect.forkChild(group.discoverMaster(service))
      yield* stalled.node.awaitCommand("SENTINEL")
      yield* Fake.awaitAsked(last, "MASTER")
      yield* turns
      assert.isUndefined(found.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(found)).port, master.port)
      assert.match(group.toString(), new RegExp(`^RedisSentinel\\(127.0.0.1:${last.port}, `))
      // No time passes any more, and no questions pile up.
      yield* TestClock.adjust("1 milli")
      for (let i = 0; i < 5; i++) assert.strictEqual((yield* group.discoverMaster(service)).port, master.port)
      assert.strictEqual(stalled.node.commands.filter(({ command }) => command.name === "SENTINEL").length, 1)
    }))

  it.effect("what came of a question is told to all who wait for it, whatever an observer of one of them throws", () =>
    Effect.gen(function*() {
      const uncaught = yield* Uncaught.collected
      const { sentinel } = yield* Fake.make()
      const gate = yield* Deferred.make<void>()
      sentinel.instead = ({ name }) => name === "SENTINEL" ? [FakeNode.gate(gate), FakeNode.cut()] : undefined
      const group = yield* Fake.group([sentinel])
      // Those who come later join a question that is overdue.
      yield* Effect.forkChild(group.discoverMaster(service))
      yield* sentinel.node.awaitCommand("SENTINEL")
      yield* TestClock.adjust("1 second")
      Effect.runCallback(group.discoverMaster(service), {
        onExit: () => {
          throw new Error("thrown by an observer")
        }
      })
      const other = yield* Effect.forkChild(Effect.flip(group.discoverMaster(service)), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(other))._tag, "MasterNotFoundError")
      assert.deepStrictEqual(yield* uncaught, ["Error: thrown by an observer"])
    }))

  it.effect("SEN-18: when none has answered, each has the time that the options give it", () =>
    Effect.gen(function*() {
      const { sentinel } = yield* Fake.make()
      sentinel.instead = ({ name }) => name === "SENTINEL" ? FakeNode.stall() : undefined
      const group = yield* Fake.group([sentinel])
      const found = yield* Effect.forkChild(Effect.flip(group.discoverMaster(service)))
      yield* sentinel.node.awaitCommand("SENTINEL")
      yield* TestClock.adjust("1900 millis")
      assert.isUndefined(found.pollUnsafe())
      yield* TestClock.adjust("400 millis")
      assert.match((yield* Fiber.join(found)).message, /No answer within 2000 ms/)
    }))

  it.effect("SEN-18, SCF-03: a sentinel may take no longer than the options' commandTimeout", () =>
    Effect.gen(function*() {
      const { sentinels: [stalled, last] } = yield* Fake.make({ sentinels: 2 })
      stalled.instead = () => FakeNode.stall()
      const group = yield* Fake.group([stalled, last], { commandTimeout: "160 millis" })
      const found = yield* Effect.forkChild(group.discoverMaster(service))
      yield* stalled.node.awaitCommand("HELLO")
      yield* TestClock.adjust("200 millis")
      yield* Fiber.join(found)
    }))

  it.effect("one connection to a sentinel is used for all questions, and closed with the scope", () =>
    Effect.gen(function*() {
      const { sentinel } = yield* Fake.make({ replicas: 1 })
      yield* Effect.scoped(Effect.gen(function*() {
        const group = yield* Fake.group([sentinel])
        for (let i = 0; i < 3; i++) yield* group.discoverMaster(service)
        yield* Effect.all(Array.from({ length: 20 }, () => group.discoverReplicas(service)), { concurrency: 20 })
        assert.strictEqual(sentinel.node.connections.total, 1)
        yield* sentinel.node.cutAll()
        yield* sentinel.node.awaitOpen(0)
        yield* group.discoverMaster(service)
        assert.strictEqual(sentinel.node.connections.open, 1)
      }))
      yield* sentinel.node.awaitOpen(0)
    }))

  it.live("who waits for an answer when the group is closed is told so, and not to try again", () =>
    Effect.gen(function*() {
      const { sentinel } = yield* Fake.make()
      sentinel.instead = ({ name }) => name === "SENTINEL" ? FakeNode.stall() : undefined
      const scope = yield* Scope.make()
      const group = yield* Scope.provide(Fake.group([sentinel]), scope)
      const asking = yield* Effect.forkChild(Effect.flip(group.discoverMaster(service)))
      yield* sentinel.node.awaitCommand("SENTINEL")
      yield* Scope.close(scope, Exit.void)
      const error = yield* Fiber.join(asking)
      assert.match(error.message, /The client was closed/)
      assert.isFalse(RedisError.isRetryable(error))
    }))

  for (
    const [title, described, detail] of [
      ["is no master", { flags: "slave" }, /slave/],
      ["is down for this sentinel", { flags: "master,s_down" }, /s_down/],
      ["is down for enough of them", { flags: "master,o_down" }, /o_down/],
      ["is known to few sentinels", { otherSentinels: 1 }, /It knows 1 other sentinels, fewer than 2/]
    ] as const
  ) {
    it.effect(`SEN-19, SCF-02: a master that ${title} does not count, and the next sentinel is asked`, () =>
      Effect.gen(function*() {
        const { master, sentinels: [first, last] } = yield* Fake.make({ sentinels: 2 })
        first.master = { port: 1, ...described }
        const group = yield* Fake.group([first, last], { minOtherSentinels: 2 })
        assert.strictEqual((yield* group.discoverMaster(service)).port, master.port)
        last.master = first.master
        const error = yield* Effect.flip(group.discoverMaster(service))
        assert.strictEqual(error._tag, "MasterNotFoundError")
        assert.deepStrictEqual(error.attempts.map(({ address }) => address), [
          `127.0.0.1:${last.port}`,
          `127.0.0.1:${first.port}`
        ])
        for (const attempt of error.attempts) assert.match(attempt.detail, detail)
        assert.match(error.message, /^No master found for "mymaster"; 127\.0\.0\.1:/)
      }))
  }

  it.effect("SEN-20, ERR-19, ERR-20: an unknown service is not found, by either client", () =>
    Effect.gen(function*() {
      const { sentinel } = yield* Fake.make()
      sentinel.master = undefined
      const address = `127.0.0.1:${sentinel.port}`
      const master = yield* Client.failure(yield* Fake.client([sentinel]), Redis.get("k"), "MasterNotFoundError")
      assert.deepStrictEqual([master.service, master.attempts], [
        service,
        [{
          address,
          detail:
            "ERR No such master with that name; the option service is the name in its \"sentinel monitor\", often mymaster"
        }]
      ])
      const client = yield* Fake.client([sentinel], { role: "replica" })
      const replica = yield* Client.failure(client, Redis.get("k"), "ReplicaNotFoundError")
      assert.strictEqual(replica.service, service)
      // The sentinel was asked for a replica and for the master, and said the same.
      assert.deepStrictEqual(replica.attempts, master.attempts)
    }))

  it.effect("SEN-27: that no server is found is a connection error to callers, and safe to retry", () =>
    Effect.gen(function*() {
      const errors: ReadonlyArray<RedisError.ConnectionLikeError> = [
        new RedisError.MasterNotFoundError({ service, attempts: [] }),
        new RedisError.ReplicaNotFoundError({ service, attempts: [] })
      ]
      for (const error of errors) {
        assert.isTrue(RedisError.isRetryable(error))
        assert.isTrue(RedisError.isSafeToRetry(error))
      }
      const { sentinel } = yield* Fake.make()
      sentinel.master = undefined
      const client = yield* Fake.client([sentinel])
      const caught = client.execute(Redis.get("k")).pipe(
        Effect.catchTags({
          ConnectionError: () => Effect.succeed("connection"),
          MasterNotFoundError: () => Effect.succeed("connection")
        })
      )
      assert.strictEqual(yield* caught, "connection")
    }))

  it.effect("SEN-21: replicas that are down are left out, and the first sentinel that knows others counts", () =>
    Effect.gen(function*() {
      const { sentinels: [first, second, third] } = yield* Fake.make({ sentinels: 3 })
      first.instead = ({ name }) => name === "SENTINEL" ? FakeNode.cut() : undefined
      second.replicas = [{ port: 1, flags: "slave,s_down" }, { port: 2, flags: "slave,o_down" }]
      third.replicas = [{ port: 3 }, { port: 4, flags: "slave,s_down,disconnected" }, { port: 5 }]
      const group = yield* Fake.group([first, second, third])
      assert.deepStrictEqual((yield* group.discoverReplicas(service)).map(({ port }) => port), [3, 5])
      third.replicas = []
      assert.deepStrictEqual(yield* group.discoverReplicas(service), [])
    }))

  it.effect("the one that knows of the latest failover is believed, whatever the order, and though it may know no master", () =>
    Effect.gen(function*() {
      const { sentinels: [behind, informed, silent] } = yield* Fake.make({ sentinels: 3 })
      behind.master = { port: 1, epoch: 3 }
      informed.master = { port: 2, epoch: 4 }
      silent.instead = ({ name }) => name === "SENTINEL" ? FakeNode.cut() : undefined
      const group = yield* Fake.group([behind, informed, silent])
      for (let i = 0; i < 3; i++) assert.strictEqual((yield* group.discoverMaster(service)).port, 2)
      informed.master = { port: 2, epoch: 4, flags: "master,s_down" }
      const error = yield* Effect.flip(group.discoverMaster(service))
      assert.match(error.message, /It has missed the last failover/)
      // Nor when the one that is ahead is gone: the others know by then what it knew.
      informed.instead = silent.instead
      assert.strictEqual((yield* Effect.flip(group.discoverMaster(service)))._tag, "MasterNotFoundError")
      silent.instead = undefined
      silent.master = { port: 5, epoch: 5 }
      assert.strictEqual((yield* group.discoverMaster(service)).port, 5)
    }))

  it.live("the one that knows of the latest failover is believed if its answer is there when the program goes on", () =>
    Effect.gen(function*() {
      const { sentinels: [behind, informed] } = yield* Fake.make({ sentinels: 2 })
      const { clock, compute } = yield* computing
      behind.master = { port: 1, epoch: 3 }
      informed.master = { port: 2, epoch: 4 }
      const group = yield* Effect.provideService(Fake.group([behind, informed]), Clock.Clock, clock)
      const found = Effect.provideService(group.discoverMaster(service), Clock.Clock, clock)
      assert.strictEqual((yield* found).port, 2)
      behind.master = { port: 3, epoch: 5 }
      const gate = yield* Deferred.make<void>()
      const state = { name: service, ip: "127.0.0.1", port: "6", runid: "x", flags: "master" }
      const fields = { ...state, "num-other-sentinels": "2", "config-epoch": "6" }
      informed.instead = ({ args: [, question] }) =>
        question === "MASTER"
          ? [
            FakeNode.gate(gate),
            FakeNode.reply(Encode.bulks(Object.entries(fields).flat())),
            { _tag: "Wait", until: Effect.promise(() => compute(150)) }
          ]
          : undefined
      const fiber = yield* Effect.forkChild(found, { startImmediately: true })
      yield* Fake.awaitAsked(behind, "MASTER", 2)
      yield* turns
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(fiber)).port, 6)
    }))

  it.effect("sentinels that were set up anew are believed when most of them know nothing of earlier failovers", () =>
    Effect.gen(function*() {
      const { sentinels } = yield* Fake.make({ sentinels: 3 })
      const [first, second, third] = sentinels
      for (const sentinel of sentinels) sentinel.master = { port: 7, epoch: 7 }
      const group = yield* Fake.group(sentinels)
      assert.strictEqual((yield* group.discoverMaster(service)).port, 7)
      for (const sentinel of sentinels) sentinel.master = { port: 1, epoch: 1 }
      second.instead = third.instead = ({ name }) => name === "SENTINEL" ? FakeNode.cut() : undefined
      assert.strictEqual((yield* Effect.flip(group.discoverMaster(service)))._tag, "MasterNotFoundError")
      second.instead = undefined
      assert.strictEqual((yield* group.discoverMaster(service)).port, 1)
      // From there on failovers are counted anew.
      first.master = { port: 2, epoch: 2 }
      assert.strictEqual((yield* group.discoverMaster(service)).port, 2)
    }))

  it.effect("in a failover the promoted replica is the master before the state says so", () =>
    Effect.gen(function*() {
      const { sentinel } = yield* Fake.make()
      sentinel.master = { port: 1, flags: "master,o_down,failover_in_progress" }
      const group = yield* Fake.group([sentinel])
      assert.strictEqual((yield* Effect.flip(group.discoverMaster(service)))._tag, "MasterNotFoundError")
      sentinel.promoted = 2
      assert.strictEqual((yield* group.discoverMaster(service)).port, 2)
    }))
})

describe("The list of sentinels", () => {
  it.effect("grows by those that others know, which are asked when the given ones are gone, and these again later", () =>
    Effect.gen(function*() {
      const { master, sentinels: [given, other] } = yield* Fake.make({ sentinels: 2 })
      given.sentinels = [{ port: other.port }]
      other.sentinels = [{ port: given.port, flags: "sentinel,s_down" }]
      const group = yield* Fake.group([given])
      yield* group.discoverMaster(service)
      yield* Fake.awaitAsked(given, "SENTINELS")
      // The list is read while the next question is answered.
      yield* group.discoverMaster(service)
      yield* given.node.stopListening
      yield* given.node.cutAll()
      yield* given.node.awaitOpen(0)
      assert.strictEqual((yield* group.discoverMaster(service)).port, master.port)
      assert.strictEqual(Fake.asked(other), 1)
      yield* other.node.stopListening
      yield* other.node.cutAll()
      yield* other.node.awaitOpen(0)
      const error = yield* Effect.flip(group.discoverMaster(service))
      assert.deepStrictEqual(error.attempts.map(({ address }) => address), [
        `127.0.0.1:${other.port}`,
        `127.0.0.1:${given.port}`
      ])
      yield* given.node.listen
      assert.strictEqual((yield* group.discoverMaster(service)).port, master.port)
    }))

  it.effect("forgets those that are not known any more, but none that were given", () =>
    Effect.gen(function*() {
      const { sentinels: [given, other] } = yield* Fake.make({ sentinels: 2 })
      const group = yield* Fake.group([given])
      given.sentinels = [{ port: other.port }]
      yield* group.discoverMaster(service)
      yield* Fake.awaitAsked(given, "SENTINELS")
      yield* group.discoverMaster(service)
      assert.strictEqual(group.toString(), `RedisSentinel(127.0.0.1:${given.port}, 127.0.0.1:${other.port})`)
      given.sentinels = []
      // Nobody asks for the others again and again.
      yield* TestClock.adjust("9 seconds")
      yield* group.discoverMaster(service)
      assert.strictEqual(Fake.asked(given, "SENTINELS"), 1)
      yield* TestClock.adjust("1 second")
      yield* group.discoverMaster(service)
      yield* Fake.awaitAsked(given, "SENTINELS", 2)
      yield* group.discoverMaster(service)
      assert.strictEqual(group.toString(), `RedisSentinel(127.0.0.1:${given.port})`)
    }))

  it.effect("natMap: addresses that sentinels tell are translated, given ones are not", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinels: [given, other] } = yield* Fake.make({ sentinels: 2, replicas: 1 })
      const away = 10_000
      const inside = (port: number) => ({ host: "10.0.0.1", port: port + away })
      given.master = inside(master.port)
      given.replicas = [inside(replica.port)]
      given.sentinels = [inside(other.port)]
      const group = yield* Fake.group([given], {
        natMap: ({ host, port }) => host === "10.0.0.1" ? { host: "127.0.0.1", port: port - away } : { host, port: 1 }
      })
      assert.deepStrictEqual(yield* group.discoverMaster(service), { host: "127.0.0.1", port: master.port })
      assert.deepStrictEqual(yield* group.discoverReplicas(service), [{ host: "127.0.0.1", port: replica.port }])
      yield* Fake.awaitAsked(given, "SENTINELS")
      yield* group.discoverMaster(service)
      assert.strictEqual(group.toString(), `RedisSentinel(127.0.0.1:${given.port}, 127.0.0.1:${other.port})`)
      const rules = [{
        from: { host: "10.0.0.1", port: master.port + away },
        to: { host: "127.0.0.1", port: master.port }
      }]
      const client = yield* Fake.client([given], { natMap: rules })
      assert.strictEqual(yield* client.execute(Redis.get("k")), String(master.port))
    }))

  const broken: ReadonlyArray<readonly [string, RedisConfig.NatMap, RegExp]> = [
    ["throws", () => {
      throw new Error("broken")
    }, /: Error: broken$/],
    ["names no port", ({ host }) => ({ host, port: 0 }), /it returned the host 127\.0\.0\.1 and the port 0$/],
    [
      "names no host that can be one",
      ({ port }) => ({ host: "a b", port }),
      /it returned the host a b and the port \d+$/
    ],
    // Not by their types, but programs need not be typed.
    [
      "names no host",
      ({ port }) => ({ host: undefined as never, port }),
      /it returned the host undefined and the port \d+$/
    ],
    ["names nothing", () => undefined as never, /: TypeError: /]
  ]

  it.effect.each(broken)(
    "natMap: one that %s is named as what is wrong, and no sentinel is blamed",
    ([, natMap, what]) =>
      Effect.gen(function*() {
        const { master, replicas: [replica], sentinels: [given] } = yield* Fake.make({ replicas: 1 })
        const group = yield* Fake.group([given], { natMap })
        const client = yield* Fake.client([given], { natMap })
        const reader = yield* Fake.client([given], { natMap, role: "replica" })
        const details = (error: { readonly attempts: ReadonlyArray<{ readonly detail: string }> }) =>
          error.attempts.map(({ detail }) => detail)
        const named = `without a usable address: The program's natMap failed for 127.0.0.1:`
        for (
          const [detail] of [
            details(yield* Effect.flip(group.discoverMaster(service))),
            details(yield* Client.failure(client, Redis.get("k"), "MasterNotFoundError"))
          ]
        ) {
          assert.include(detail, `It names a master ${named}${master.port}`)
          assert.match(detail ?? "", what)
        }
        const [detail] = details(yield* Client.failure(reader, Redis.get("k"), "ReplicaNotFoundError"))
        assert.include(detail, `It names a replica ${named}${replica.port}`)
        assert.deepStrictEqual(yield* group.discoverReplicas(service), [])
        assert.strictEqual(master.node.connections.total, 0)
      })
  )
})

describe("Credentials", () => {
  const dataPassword = Redacted.make("data-secret")
  const sentinelPassword = Redacted.make("sentinel-secret")

  /** A sentinel and a master, each with a password of its own or without. */
  const guarded = Effect.fnUntraced(function*(passwords: { readonly sentinel?: string; readonly data?: string }) {
    const sentinel = yield* Fake.makeSentinel({ handshake: { password: passwords.sentinel } })
    const master = yield* Fake.makeData("master", { handshake: { password: passwords.data } })
    sentinel.master = { port: master.port }
    return { sentinel, master }
  })

  const seen = ({ node }: { readonly node: FakeNode.FakeNode }) => JSON.stringify(node.commands.map(({ args }) => args))

  it.effect("SEN-12, SCF-03: sentinels and servers have their own, and neither sees the other's", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* guarded({ sentinel: "sentinel-secret", data: "data-secret" })
      const client = yield* Fake.client([sentinel], {
        username: "default",
        password: dataPassword,
        sentinelOptions: { password: sentinelPassword }
      })
      assert.strictEqual(yield* client.execute(Redis.get("k")), String(master.port))
      yield* sentinel.node.awaitCommand("SUBSCRIBE")
      assert.include(seen(sentinel), "sentinel-secret")
      assert.notInclude(seen(sentinel), "data-secret")
      assert.include(seen(master), "data-secret")
      assert.notInclude(seen(master), "sentinel-secret")
      assert.notInclude(String(client), "secret")
    }))

  it.effect("SEN-13: without options of their own sentinels get no credentials at all", () =>
    Effect.gen(function*() {
      for (const own of [{ password: dataPassword }, { credentials: { username: "u", password: dataPassword } }]) {
        const { master, sentinel } = yield* guarded({})
        master.instead = ({ name }) => name === "HELLO" ? "%1\r\n$5\r\nproto\r\n:3\r\n" : undefined
        const client = yield* Fake.client([sentinel], own)
        yield* client.execute(Redis.get("k"))
        assert.include(seen(master), "data-secret")
        assert.notMatch(seen(sentinel), /AUTH|data-secret/)
      }
    }))

  it.effect("SEN-14: a sentinel that refuses us is skipped; when all do, each one's refusal is told", () =>
    Effect.gen(function*() {
      const { master, sentinel: open } = yield* guarded({})
      const make = Fake.makeSentinel({ handshake: { password: "sentinel-secret" } })
      const closed = [yield* make, yield* make] as const
      const [first, second] = closed
      const group = yield* Fake.group([first, second, open])
      assert.strictEqual((yield* group.discoverMaster(service)).port, master.port)
      for (const password of [undefined, Redacted.make("wrong-secret")]) {
        const client = yield* Fake.client([first, second], { sentinelOptions: { password } })
        const error = yield* Client.failure(client, Redis.get("k"), "MasterNotFoundError")
        assert.deepStrictEqual(
          error.attempts.map(({ address }) => address),
          closed.map(({ port }) => `127.0.0.1:${port}`)
        )
        // All sentinels will say the same to these credentials the next time.
        assert.isFalse(RedisError.isRetryable(error))
        assert.notInclude(error.message, "retry")
        const refusal = password === undefined
          ? /^Authentication failed: NOAUTH /
          : /^Authentication failed: WRONGPASS /
        for (const { detail } of error.attempts) assert.match(detail, refusal)
        assert.notInclude(error.message, "secret")
      }
    }))

  it.effect("a sentinel that may come back is a reason to retry, whatever the others say", () =>
    Effect.gen(function*() {
      const locked = yield* Fake.makeSentinel({ handshake: { password: "sentinel-secret" } })
      const down = yield* Fake.makeSentinel()
      yield* down.node.stopListening
      for (const role of ["master", "replica"] as const) {
        const refused = yield* Fake.client([locked], { role })
        assert.isFalse(RedisError.isRetryable(yield* Effect.flip(refused.execute(Redis.get("k")))), role)
        const client = yield* Fake.client([locked, down], { role })
        const error = yield* Effect.flip(client.execute(Redis.get("k")))
        assert.isTrue(RedisError.isSafeToRetry(error), role)
      }
    }))

  it.effect("SEN-15: a wrong password of the servers is an AuthenticationError, for both roles", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* guarded({ data: "data-secret" })
      sentinel.replicas = [{ port: master.port }]
      for (const role of ["master", "replica"] as const) {
        for (const password of [undefined, Redacted.make("wrong")]) {
          const client = yield* Fake.client([sentinel], { role, password })
          const error = yield* Client.failure(client, Redis.get("k"), "AuthenticationError")
          assert.strictEqual(error.code, password === undefined ? "NOAUTH" : "WRONGPASS")
        }
      }
    }))
})

describe("Options", () => {
  it.effect("SEN-16, SCF-05: db and time limits hold for the connections to servers", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      const client = yield* Fake.client([sentinel], { db: 3, clientName: "me", commandTimeout: "160 millis" })
      yield* client.execute(Redis.get("k"))
      const greeting = (node: FakeNode.FakeNode) => node.commands.map(({ args }) => args.join(" "))
      assert.include(greeting(master.node), "SELECT 3")
      assert.include(greeting(master.node), "CLIENT SETNAME me")
      assert.notInclude(greeting(sentinel.node), "SELECT 3")
      assert.notInclude(greeting(sentinel.node), "CLIENT SETNAME me")
      master.instead = ({ name }) => name === "GET" ? FakeNode.stall() : undefined
      const late = yield* Effect.forkChild(Client.failure(client, Redis.get("k"), "TimeoutError"))
      yield* master.node.awaitCommand("GET", 2)
      yield* TestClock.adjust("200 millis")
      assert.strictEqual((yield* Fiber.join(late)).milliseconds, 160)
    }))

  it.effect("SEN-17, SCF-04, SCF-06: those of a client override those of the group, one by one", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* Fake.make()
      master.instead = ({ name }) => name === "HELLO" ? "%1\r\n$5\r\nproto\r\n:3\r\n" : undefined
      const group = yield* Fake.group([sentinel], {
        db: 3,
        clientName: "group",
        username: "user",
        password: Redacted.make("group-secret")
      })
      const greeting = Effect.fnUntraced(function*(options: RedisSentinel.ClientOptions) {
        const before = master.node.commands.length
        const client = yield* group.client(options)
        yield* client.execute(Redis.get("k"))
        return master.node.commands.slice(before).map(({ args }) => args.join(" ")).filter((text) =>
          /SETNAME|SELECT|HELLO/.test(text)
        )
      })
      assert.deepStrictEqual(yield* greeting({ service }), [
        "HELLO 3 AUTH user group-secret",
        "CLIENT SETNAME group",
        "SELECT 3"
      ])
      const own = { service, db: 4, clientName: undefined, password: Redacted.make("own-secret") }
      assert.deepStrictEqual(yield* greeting(own), ["HELLO 3 AUTH user own-secret", "CLIENT SETNAME group", "SELECT 4"])
      const credentials = { password: Redacted.make("other-secret") }
      assert.deepStrictEqual(yield* greeting({ service, db: 0, credentials }), [
        "HELLO 3 AUTH default other-secret",
        "CLIENT SETNAME group"
      ])
    }))

  it.effect("ENT-16: a client prints its service, its role and its sentinels", () =>
    Effect.gen(function*() {
      const { sentinels } = yield* Fake.make({ sentinels: 2 })
      const asking = `asking ${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(", ")}`
      const password = Redacted.make("secret")
      const client = yield* Fake.client(sentinels, { password, db: 2 })
      assert.strictEqual(String(client), `RedisClient(sentinel mymaster, master, ${asking}, db 2)`)
      const replica = yield* Fake.client(sentinels, { password, role: "replica" })
      assert.strictEqual(String(replica), `RedisClient(sentinel mymaster, replica, ${asking}, db 0)`)
    }))

  const sentinels = [{ host: "h", port: 1 }] as const
  for (
    const [option, options] of [
      // What types would not allow comes from files and URLs.
      ["sentinels", { sentinels: [] as unknown as typeof sentinels, service }],
      ["sentinels[0].port", { sentinels: [{ host: "h", port: 0 }], service }],
      ["sentinels[0].host", { sentinels: [{ host: "redis://:secret@h", port: 1 }], service }],
      ["service", { sentinels, service: "" }],
      ["role", { sentinels, service, role: "slave" as unknown as "replica" }],
      ["readFrom", { sentinels, service, readFrom: "any" as unknown as "master" }],
      ["minOtherSentinels", { sentinels, service, minOtherSentinels: -1 }],
      ["recheckInterval", { sentinels, service, recheckInterval: 0 }],
      ["masterWait", { sentinels, service, masterWait: -1 }],
      ["natMap[0]", { sentinels, service, natMap: [{ from: {}, to: {} }] }],
      ["sentinelOptions.tls", { sentinels, service, sentinelOptions: { tls: { cert: "c" } } }],
      ["db", { sentinels, service, db: -1 }]
    ] as const
  ) {
    it.effect(`fails the Layer for ${option} that cannot be`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Effect.provide(RedisSentinel.make(options), NodeRedisConnector.layer))
        assert.strictEqual(Client.expectTag(error, "RedisConfigError").option, option)
      }))
  }
})
