/**
 * Who answers commands that only read, with scripted masters and replicas.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient, RedisReply, RedisScript } from "@redfx/core"
import type { RedisCommand, RedisError } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC, sibling } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { until } from "@redfx/testing/Suite"
import * as VirtualTime from "@redfx/testing/VirtualTime"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

/** A, B and C with their replicas D, E and F. */
const withReplicas = FakeCluster.make({ replicas: true })

/** How many commands on a key each node was asked. */
const counts = (...nodes: ReadonlyArray<FakeCluster.Node>) => nodes.map((node) => FakeCluster.log(node).length)

const times = (count: number, effect: () => Effect.Effect<unknown, RedisError.RedisError>) =>
  Effect.forEach(Array.from({ length: count }), effect, { concurrency: "unbounded", discard: true })

describe("readFrom", () => {
  inVirtualTime(
    "CRR-02, CCF-12: any server of the slot, at random; replicas get READONLY once a connection",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster, others: [d] } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "any" })
        yield* times(200, () => client.execute(Redis.get(keyOfA)))
        const [master, replica] = counts(a, d!)
        assert.strictEqual(master! + replica!, 200)
        assert.isAbove(Math.min(master!, replica!), 60)
        assert.strictEqual(d!.node.commands.filter(({ command }) => command.name === "READONLY").length, 1)
        assert.strictEqual(d!.node.connections.total, 1)
        assert.deepStrictEqual(counts(b), [0])
      })
  )

  inVirtualTime("the Random of who makes the client decides where at random is", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster, others: [d] } = yield* withReplicas
      for (const [drawn, reader, master] of [[0, a, a], [0.99, d!, c]] as const) {
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "any" }).pipe(
          Effect.provideService(Random.Random, { nextDoubleUnsafe: () => drawn, nextIntUnsafe: () => 0 })
        )
        for (const node of [a, b, c, d!]) node.node.commands.length = 0
        yield* times(10, () => client.execute(Redis.get(keyOfA)))
        assert.strictEqual(FakeCluster.log(reader).length, 10)
        yield* times(10, () => client.execute(Redis.echo("any")))
        assert.strictEqual(FakeCluster.log(master).filter((line) => line.includes("ECHO")).length, 10)
      }
    }))

  inVirtualTime(
    "what an emulated command reads is read from masters, and once more when a connection was lost",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster, others: [d] } = yield* withReplicas
        let cuts = 0
        a.instead = ({ name }) =>
          name === "PTTL"
            ? Encode.integer(-1)
            : name !== "DUMP"
            ? undefined
            : cuts++ === 0
            ? FakeNode.cut("reset")
            : Encode.bulk("v")
        b.instead = ({ name }) => name === "RESTORE" ? Encode.ok : undefined
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica", crossSlot: "emulate" })
        assert.isTrue(yield* client.execute(Redis.copy(keyOfA, keyOfB)))
        assert.deepStrictEqual(FakeCluster.log(a).filter((line) => line.includes("DUMP")), [
          `A DUMP ${keyOfA}`,
          `A DUMP ${keyOfA}`
        ])
        assert.deepStrictEqual(counts(d!), [0])
        a.instead = ({ name }) => name === "DUMP" ? Encode.error("ERR no") : undefined
        b.instead = undefined
        assert.notProperty(yield* Effect.flip(client.execute(Redis.copy(keyOfA, keyOfB))), "mayHaveWritten")
      })
  )

  inVirtualTime(
    "CRR-01, CRR-02: what may write goes to the master, also when it reads at other times",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* withReplicas
        a.instead = ({ name }) => keyed.has(name) ? Encode.integer(1) : undefined
        const keyed = new Set(["SET", "INCR", "GETEX", "GEORADIUS", "SORT", "EVAL", "XREADGROUP", "PFCOUNT"])
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
        const commands: ReadonlyArray<RedisCommand.Any> = [
          Redis.set(keyOfA, "v"),
          Redis.incr(keyOfA),
          Redis.getex(keyOfA, { ex: 1 }),
          Redis.send("GEORADIUS", keyOfA, 0, 0, 1, "m", "STORE", sibling(keyOfA)),
          Redis.send("EVAL", "return 1", 1, keyOfA)
        ]
        yield* Effect.forEach(commands, (command) => Effect.exit(client.execute(command)))
        assert.deepStrictEqual(counts(a, d!), [commands.length, 0])
      })
  )

  inVirtualTime(
    "CRR-01: questions to servers go where they went before: TIME and INFO to a master, PING to all",
    () =>
      Effect.gen(function*() {
        const { cluster, others } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
        for (const { node } of cluster.nodes) assert.strictEqual(node.commands.length, 0)
        cluster.nodes.forEach((node) => {
          node.instead = ({ name }) =>
            name === "TIME" ? Encode.bulks(["1", "2"]) : name === "ECHO" ? Encode.bulk("e") : undefined
        })
        for (let i = 0; i < 5; i++) {
          yield* client.execute(Redis.time())
          yield* client.pipeline([Redis.get(keyOfA), Redis.echo("e"), Redis.time()])
        }
        const asked = (node: FakeCluster.Node, of: string) =>
          node.node.commands.filter(({ command }) => command.name === of).length
        for (const replica of others) assert.deepStrictEqual([asked(replica, "TIME"), asked(replica, "ECHO")], [0, 0])
        assert.isTrue(yield* client.execute(Redis.ping()))
        for (const node of cluster.nodes) assert.isAtLeast(asked(node, "PING"), 1)
      })
  )

  inVirtualTime(
    "CRR-01: commands that only read go to replicas, those that go on elsewhere do not",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
        for (const node of [a, d!]) {
          node.instead = ({ name }) =>
            ["HELLO", "CLIENT", "READONLY", "CLUSTER"].includes(name) ? undefined : Encode.error("ERR answered")
        }
        const reading: ReadonlyArray<RedisCommand.Any> = [
          Redis.bitcount(keyOfA),
          Redis.exists(keyOfA),
          Redis.geohash(keyOfA, "m"),
          Redis.get(keyOfA),
          Redis.hgetall(keyOfA),
          Redis.lrange(keyOfA, 0, 1),
          Redis.mget(keyOfA, sibling(keyOfA)),
          Redis.pttl(keyOfA),
          Redis.scard(keyOfA),
          Redis.sinter(keyOfA, sibling(keyOfA)),
          Redis.strlen(keyOfA),
          Redis.zscore(keyOfA, "m")
        ]
        yield* Client.outcomes(client, reading)
        assert.deepStrictEqual(counts(a, d!), [0, reading.length])
        const continued: ReadonlyArray<RedisCommand.Any> = [
          Redis.hscan(keyOfA, "0"),
          Redis.sscan(keyOfA, "0"),
          Redis.zscan(keyOfA, "0")
        ]
        yield* Client.outcomes(client, continued)
        assert.deepStrictEqual(counts(a, d!), [continued.length, reading.length])
      })
  )

  inVirtualTime("the master, where nothing else is said", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d] } = yield* withReplicas
      const { client } = yield* FakeCluster.client(cluster)
      yield* times(20, () => client.execute(Redis.get(keyOfA)))
      assert.deepStrictEqual(counts(a, d!), [20, 0])
      assert.notInclude(a.node.commands.map(({ command }) => command.name), "READONLY")
    }))

  inVirtualTime("a replica if there is one", () =>
    Effect.gen(function*() {
      const { a, b, cluster, others: [d] } = yield* withReplicas
      cluster.told = cluster.told.map((range) => range.master === b ? { ...range, replicas: [] } : range)
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      yield* times(20, () => client.execute(Redis.get(keyOfA)))
      yield* times(20, () => client.execute(Redis.get(keyOfB)))
      assert.deepStrictEqual(counts(a, d!, b), [0, 20, 20])
    }))

  it.effect("the one that answers fastest", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d] } = yield* withReplicas
      const delay = yield* VirtualTime.delay
      a.instead = ({ name }) => name === "PING" ? [delay("500 millis"), FakeNode.reply("+PONG\r\n")] : undefined
      const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { readFrom: "nearest" })
      yield* nodes.refresh
      for (const { node } of cluster.nodes) yield* node.awaitCommand("PING")
      // The answer of A comes after its reply to the PING.
      yield* VirtualTime.passing(client.execute(Redis.set(keyOfA, "v")))
      yield* times(20, () => client.execute(Redis.get(keyOfA)))
      assert.deepStrictEqual(counts(d!), [21])
    }))

  inVirtualTime(
    "a replica in the program's zone, else the master if it is there, else any replica",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster, others: [d, e, f] } = yield* withReplicas
        const zones = new Map([[a, "here"], [b, "here"], [c, "there"], [d!, "here"], [e!, "there"], [f!, "02"]])
        for (const server of cluster.nodes) {
          server.instead = ({ args, name }) => {
            if (name !== "INFO") return undefined
            assert.deepStrictEqual(args, ["INFO", "server"])
            return Encode.bulk(`# Server\r\navailability_zone:${zones.get(server)}\r\n`)
          }
        }
        const readOnce = (zone: string) =>
          Effect.scoped(Effect.gen(function*() {
            const { client, cluster: nodes } = yield* FakeCluster.client(cluster, { readFrom: { zone } })
            yield* nodes.refresh
            yield* VirtualTime.passing(Effect.sleep("1 second"))
            for (const { node } of cluster.nodes) node.commands.length = 0
            for (const key of [keyOfA, keyOfB, keyOfC]) yield* client.execute(Redis.get(key))
            return counts(a, b, c, d!, e!, f!)
          }))
        assert.deepStrictEqual(yield* readOnce("here"), [0, 1, 0, 1, 0, 1])
        assert.deepStrictEqual(yield* readOnce("there"), [0, 0, 1, 1, 1, 0])
        assert.deepStrictEqual(yield* readOnce("02"), [0, 0, 0, 1, 1, 1])
      })
  )

  inVirtualTime(
    "the master in the program's zone, where the limit lets it be asked or there is a connection to it",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* withReplicas
        for (const server of cluster.nodes) {
          const zone = [a, b, c].includes(server) ? "here" : "there"
          server.instead = ({ name }) => name === "INFO" ? Encode.bulk(`availability_zone:${zone}\r\n`) : undefined
        }
        const read = (perNode: boolean, writes: ReadonlyArray<string>) =>
          Effect.scoped(Effect.gen(function*() {
            const options = { readFrom: { zone: "here" }, pool: { max: 2, perNode } }
            const { client, cluster: nodes } = yield* FakeCluster.client(cluster, options)
            for (const key of writes) yield* client.execute(Redis.set(key, "v"))
            yield* nodes.refresh
            yield* Effect.sleep("1 second")
            for (const { node } of cluster.nodes) node.commands.length = 0
            for (const key of [keyOfA, keyOfB, keyOfC]) yield* client.execute(Redis.get(key))
            return counts(a, b, c)
          }))
        assert.deepStrictEqual(yield* read(true, []), [1, 1, 1])
        assert.deepStrictEqual(yield* read(false, []), [1, 0, 0])
        assert.deepStrictEqual(yield* read(false, [keyOfB]), [1, 1, 0])
      })
  )

  inVirtualTime(
    "the one that a function of the program chooses; one that it invents is the master",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster, others: [d] } = yield* withReplicas
        const asked: Array<string> = []
        const { client } = yield* FakeCluster.client(cluster, {
          readFrom: ({ command, master, replicas }) => {
            asked.push(`${command} ${master.port} ${replicas.map(({ port }) => port).join()}`)
            return master.port === a.port ? replicas[0]! : { host: "nowhere", port: 1 }
          }
        })
        yield* client.execute(Redis.get(keyOfA))
        yield* client.execute(Redis.get(keyOfB))
        yield* client.execute(Redis.set(keyOfA, "v"))
        assert.deepStrictEqual(FakeCluster.log(a, b, d!), [`A SET ${keyOfA} v`, `B GET ${keyOfB}`, `D GET ${keyOfA}`])
        assert.deepStrictEqual(asked, [`GET ${a.port} ${d!.port}`, `GET ${b.port} ${cluster.nodes[4]!.port}`])
      })
  )

  inVirtualTime(
    "a function that breaks costs its own command, also of those that waited for the topology with it",
    () =>
      Effect.gen(function*() {
        const { cluster } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, {
          readFrom: ({ command, master }) => {
            if (command === "STRLEN") throw new Error("broken")
            return master
          }
        })
        const [broken, whole] = yield* Client.outcomes(client, [Redis.strlen(keyOfA), Redis.get(keyOfA)])
        assert.isTrue(Exit.isFailure(broken!))
        assert.deepStrictEqual(whole, Exit.succeed(`A:${keyOfA}`))
      })
  )

  inVirtualTime(
    "a function that breaks fails commands, pipelines and split commands with the same error",
    () =>
      Effect.gen(function*() {
        const { cluster } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, {
          readFrom: ({ command, master }) => {
            if (command !== "GET") throw new Error("broken")
            return master
          }
        })
        const piped = [Redis.strlen(keyOfA), Redis.ttl(keyOfA), Redis.get(keyOfB)]
        const [first, second, third] = yield* client.pipeline(piped)
        assert.deepStrictEqual(third, Exit.succeed(`B:${keyOfB}`))
        const errors = [
          ["STRLEN", yield* Effect.flip(client.execute(Redis.strlen(keyOfA)))],
          ["STRLEN", yield* Effect.flip(first!)],
          ["TTL", yield* Effect.flip(second!)],
          ["MGET", yield* Effect.flip(client.execute(Redis.mget(keyOfA, keyOfB)))]
        ] as const
        for (const [command, error] of errors) {
          const { detail, reason } = Client.expectTag(error, "ConnectionError")
          assert.deepStrictEqual([detail, reason], ["The program's readFrom failed to choose a server", "Other"])
          assert.deepInclude(Client.fate(error), { command, delivery: "not-sent", readonly: true })
        }
      })
  )

  inVirtualTime("CLR-03: after MOVED the master is asked, whatever readFrom says", () =>
    Effect.gen(function*() {
      const { a, b, cluster, others: [d, e] } = yield* withReplicas
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      yield* client.execute(Redis.get(keyOfA))
      cluster.owners.set(FakeCluster.slotOf(keyOfA), b)
      d!.master = undefined
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `B:${keyOfA}`)
      assert.deepStrictEqual(counts(a, b, d!, e!), [0, 1, 2, 0])
      // The next one may go to the replica of the new master.
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `E:${keyOfA}`)
    }))

  inVirtualTime("the master answers for a replica that is gone, loading or cut off", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d] } = yield* withReplicas
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      for (const line of ["LOADING Redis is loading", "MASTERDOWN Link with MASTER is down", "CLUSTERDOWN x"]) {
        d!.instead = ({ name }) => name === "GET" ? Encode.error(line) : undefined
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
      }
      d!.instead = ({ name }) => name === "GET" ? FakeNode.cut() : undefined
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
      yield* d!.node.stopListening
      yield* d!.node.cutAll()
      assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `A:${keyOfA}`)
      assert.deepStrictEqual(counts(a), [5])
    }))
})

describe("Pipelines that read", () => {
  inVirtualTime(
    "CRR-03: one pipeline reads from replicas when it is given a client that does; others do not",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster)
        const reading = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
        const pipeline = Redis.pipeline([Redis.get(keyOfA), Redis.get(sibling(keyOfA))])
        assert.deepStrictEqual(yield* Client.on(client)(pipeline), [`A:${keyOfA}`, `A:${sibling(keyOfA)}`])
        const fromReplica = Effect.provideService(pipeline, RedisClient.RedisClient, reading.client)
        assert.deepStrictEqual(yield* Client.on(client)(fromReplica), [`D:${keyOfA}`, `D:${sibling(keyOfA)}`])
        assert.deepStrictEqual(yield* Client.on(client)(pipeline), [`A:${keyOfA}`, `A:${sibling(keyOfA)}`])
        assert.deepStrictEqual(counts(a, d!), [4, 2])
      })
  )

  inVirtualTime("CPL-03: what a pipeline reads is not older than what it writes", () =>
    Effect.gen(function*() {
      const { cluster } = yield* withReplicas
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      const values = yield* Client.on(client)(
        Redis.pipeline([Redis.get(keyOfA), Redis.set(keyOfA, "v"), Redis.get(keyOfA), Redis.get(keyOfB)])
      )
      assert.deepStrictEqual(values, [`A:${keyOfA}`, true, `A:${keyOfA}`, `E:${keyOfB}`])
    }))
})

describe("A replica that may not show old data, while its link is down", () => {
  inVirtualTime(
    "is not asked for each read, nor the topology, and is read from again when its link is up",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
        const down = Encode.error("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")
        d!.instead = ({ name }) => ["GET", "PING"].includes(name) ? down : undefined
        const read = Effect.delay(client.execute(Redis.get(keyOfA)), "50 millis")
        const values = yield* Effect.replicateEffect(read, 100)
        assert.deepStrictEqual([...new Set(values)], [`A:${keyOfA}`])
        assert.strictEqual(d!.node.commands.filter(({ command }) => command.name === "GET").length, 1)
        assert.isAtMost(FakeCluster.readings(cluster), 3)
        assert.strictEqual(counts(a)[0], 100)
        d!.instead = undefined
        yield* Effect.repeat(read, { until: (value) => value === `D:${keyOfA}` })
      })
  )
})

describe("A replica without room for one more connection", () => {
  inVirtualTime("costs no read, and is read from again when it has room", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d] } = yield* withReplicas
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica", nodes: [a] })
      d!.instead = () => [FakeNode.reply(Encode.error("ERR max number of clients reached")), FakeNode.cut()]
      const read = client.execute(Redis.get(keyOfA))
      assert.strictEqual(yield* read, `A:${keyOfA}`)
      assert.isAbove(d!.node.connections.total, 0)
      d!.instead = undefined
      yield* until(read, (answer) => answer === `D:${keyOfA}`)
    }))
})

describe("The connections of a client that reads from replicas", () => {
  inVirtualTime("are heard of by who listens to one node", () =>
    Effect.gen(function*() {
      const { cluster, others: [d] } = yield* withReplicas
      const { client, cluster: servers } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      yield* client.execute(Redis.get(keyOfB))
      const node = yield* servers.clientOf(d!.address)
      const told: Array<string> = []
      const each = Stream.runForEach(node.events, ({ _tag }) => Effect.sync(() => void told.push(_tag)))
      yield* Effect.forkScoped(each, { startImmediately: true })
      yield* client.execute(Redis.get(keyOfA))
      yield* d!.node.cutAll()
      yield* until(Effect.sync(() => told), () => told.includes("Disconnected"))
      assert.deepStrictEqual(told.slice(0, 2), ["Connected", "Disconnected"])
    }))

  inVirtualTime(
    "that are for the former role of a server are closed when what is under way on them has come",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica", nodes: [a] })
        const gate = yield* Deferred.make<void>()
        d!.instead = ({ name }) => name === "HGET" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk("x"))] : undefined
        const slow = yield* Effect.forkChild(client.execute(Redis.hget(keyOfA, "f")), { startImmediately: true })
        yield* d!.node.awaitCommand("HGET")
        FakeCluster.replace(cluster, a, d!)
        d!.master = undefined
        yield* client.execute(Redis.set(keyOfA, "v"))
        const reading = () =>
          d!.node.connections.live.some(({ commands }) => commands.some(({ name }) => name === "HGET"))
        assert.isTrue(reading())
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Fiber.join(slow), "x")
        yield* until(Effect.sync(reading), (open) => !open)
      })
  )

  inVirtualTime("are as many as pool.min says where the client only reads", () =>
    Effect.gen(function*() {
      const { cluster } = yield* withReplicas
      const { client } = yield* FakeCluster.client(cluster, { readOnly: true, pool: { min: 3, max: 20 } })
      for (const node of cluster.nodes) {
        node.instead = ({ name }) => name === "XREAD" ? Encode.raw("$-1\r\n") : undefined
      }
      yield* client.execute(Redis.xread({ [keyOfA]: "0" }, { block: "50 millis" }))
      const most = () => Math.max(...cluster.nodes.map(({ node }) => node.connections.live.length))
      yield* until(Effect.sync(most), (connections) => connections >= 3)
    }))
})

describe("A master that becomes a replica", () => {
  inVirtualTime(
    "is sent nothing for a master over a connection with READONLY, so scripts find its successor",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* withReplicas
        const shard = [a, d!] as const
        // After READONLY a replica runs a script, up to its first write.
        for (const node of shard) {
          node.instead = ({ name }, { commands }) =>
            name !== "EVAL" && name !== "EVALSHA"
              ? undefined
              : node.master === undefined
              ? Encode.bulk(node.name)
              : commands.some(({ name }) => name === "READONLY")
              ? Encode.error("READONLY You can't write against a read only replica. script: f, on @user_script:1.")
              : FakeCluster.moved(keyOfA, node.master)
        }
        const { client, cluster: servers } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
        const write = RedisScript.make({
          lua: "return redis.call('SET', KEYS[1], 1)",
          keys: (key: string) => [key],
          result: RedisReply.text
        })
        const reads = Effect.all([client.execute(Redis.get(keyOfA)), client.execute(write(keyOfA))])
        assert.deepStrictEqual(yield* reads, [`D:${keyOfA}`, "A"])
        const failOver = (master: FakeCluster.Node, replica: FakeCluster.Node) => {
          master.master = undefined
          replica.master = master
          cluster.told = cluster.told.map((range) =>
            shard.includes(range.master) ? { ...range, master, replicas: [replica] } : range
          )
        }
        // The second one comes before the topology is read again, which names the new master as a replica.
        for (const [master, replica] of [[d!, a], [a, d!]] as const) {
          failOver(master, replica)
          assert.strictEqual(yield* client.execute(write(keyOfA)), master.name)
        }
        for (const [master, replica] of [[d!, a], [a, d!]] as const) {
          failOver(master, replica)
          assert.strictEqual(yield* client.execute(write(keyOfA)), master.name)
          yield* servers.refresh
          assert.deepStrictEqual(yield* reads, [`${replica.name}:${keyOfA}`, master.name])
          // Connections for the other role are closed.
          yield* Effect.forEach(shard, ({ node }) => node.awaitOpen(1))
        }
      })
  )
})

describe("readOnly", () => {
  inVirtualTime(
    "CRR-04, CCF-07: READONLY on every connection, reads on any server, scans on the master",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, { readOnly: true })
        yield* times(60, () => client.execute(Redis.get(keyOfA)))
        assert.isAbove(Math.min(...counts(a, d!)), 5)
        for (const { node } of [a, d!]) {
          for (const { commands } of node.connections.all) {
            assert.include(commands.map(({ name }) => name), "READONLY")
          }
        }
        const before = counts(d!)
        a.instead = ({ name }) => name.endsWith("SCAN") ? Encode.array([Encode.bulk("0"), Encode.array([])]) : undefined
        yield* times(20, () => client.execute(Redis.hscan(keyOfA, "0")))
        assert.deepStrictEqual(counts(d!), before)
      })
  )

  inVirtualTime(
    "CRR-04, ESC-07: what may write is refused on single servers and on each one as well",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* withReplicas
        const { cluster: nodes } = yield* FakeCluster.client(cluster, { readOnly: true })
        const write = Redis.set(keyOfA, "v")
        const read = Redis.get(keyOfA)
        const client = yield* nodes.clientOf(a.address)
        const refused = [
          nodes.perNode(write),
          nodes.perNode(Redis.flushall(), { nodes: "all" }),
          RedisCluster.onNode(a.address, write).pipe(Effect.provideService(RedisCluster.RedisCluster, nodes)),
          client.execute(write),
          client.transaction([read, write]),
          Effect.scoped(Effect.flatMap(client.reserve, (own) => own.execute(write)))
        ]
        for (const effect of refused) {
          Client.expectTag(
            yield* Effect.flip(effect as Effect.Effect<unknown, RedisError.RedisError>),
            "ClusterUnsupportedError"
          )
        }
        const outcomes = yield* client.pipeline([write, read, write, read])
        assert.deepStrictEqual(outcomes.map(Exit.isSuccess), [false, true, false, true])
        assert.strictEqual(yield* client.execute(read), `A:${keyOfA}`)
        assert.notInclude(FakeCluster.log(...cluster.nodes).join(), "SET")
        assert.notInclude(FakeCluster.log(...cluster.nodes).join(), "FLUSHALL")
      })
  )

  inVirtualTime(
    "CRR-04: what may write is refused, in pipelines and transactions too; what has no key is not",
    () =>
      Effect.gen(function*() {
        const { cluster } = yield* withReplicas
        const { client } = yield* FakeCluster.client(cluster, { readOnly: true })
        const writing: ReadonlyArray<RedisCommand.Any> = [
          Redis.set(keyOfA, "v"),
          Redis.flushall(),
          Redis.send("GETDEL", keyOfA),
          Redis.blpop([keyOfA], 0)
        ]
        for (const command of writing) yield* Client.failure(client, command, "ClusterUnsupportedError")
        const [read, written] = yield* client.pipeline([Redis.get(keyOfA), Redis.set(keyOfA, "v")])
        assert.isTrue(Exit.isSuccess(read!))
        assert.isTrue(Exit.isFailure(written!))
        const refused = yield* Effect.flip(client.transaction([Redis.get(keyOfA), Redis.set(keyOfA, "v")]))
        assert.strictEqual(refused._tag, "ClusterUnsupportedError")
        const reserved = yield* Effect.scoped(
          Effect.flatMap(client.reserve, (own) => Effect.flip(own.execute(Redis.set(keyOfA, "v"))))
        )
        assert.strictEqual(reserved._tag, "ClusterUnsupportedError")
        assert.isTrue(yield* client.execute(Redis.ping()))
        assert.notInclude(FakeCluster.log(...cluster.nodes).join(), "SET")
      })
  )
})
