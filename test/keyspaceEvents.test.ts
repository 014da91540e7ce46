/**
 * Events of keys on real servers: one server, by way of sentinels, on a cluster.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient, RedisError, RedisStandalone } from "@redfx/core"
import type { RedisConfig, RedisKeyspaceEvents } from "@redfx/core"
import {
  NodeRedisClient,
  NodeRedisConnector,
  RedisClusterServers,
  RedisSentinelServers,
  RedisServer
} from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Pace from "@redfx/testing/Pace"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { consume } from "@redfx/testing/Subscriber"
import { inVirtualTime, turns } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const config = { "notify-keyspace-events": "KEA" }
const addressOf = ({ host, port }: { readonly host: string; readonly port: number }) => `${host}:${port}`

const clusterOf = (
  servers: RedisClusterServers.RedisClusterServers["Service"],
  options: Partial<RedisConfig.ClusterOptions> = {}
) => Effect.provide(RedisCluster.make({ nodes: servers.addresses, ...options }), NodeRedisConnector.layer)

const standalone = (server: RedisServer.RedisServer["Service"], options: RedisConfig.StandaloneOptions = {}) =>
  Effect.provide(
    RedisStandalone.make({ host: server.host, port: server.port, ...options } as RedisConfig.StandaloneOptions),
    NodeRedisConnector.layer
  )

/** Consumes the events of a client. */
const listen = <const O extends RedisKeyspaceEvents.Options>(client: RedisClient.RedisClient["Service"], options: O) =>
  consume(Stream.provideService(Redis.keyspaceEvents(options), RedisClient.RedisClient, client))

type Seen = RedisKeyspaceEvents.Element<{ readonly events: true }>

/** An element in a word. */
const brief = (element: Seen): string => {
  switch (element._tag) {
    case "KeyEvent":
      return `${element.event} ${element.key}@${element.database}`
    case "Lost":
      return `Lost ${element.reason} ${element.server}`
    default:
      return `${element._tag} ${element.server}`
  }
}

const count = (elements: ReadonlyArray<Seen>, start: string) =>
  elements.filter((element) => brief(element).startsWith(start)).length

/** The servers whose events may be missing after these elements. */
const open = (elements: ReadonlyArray<Seen>): ReadonlySet<string | undefined> => {
  const lost = new Set<string | undefined>()
  for (const element of elements) {
    if (element._tag === "Lost") lost.add(element.server)
    if (element._tag === "Restored") lost.delete(element.server)
  }
  return lost
}

/** Ends the connection the first time, and answers the second. */
const endsOnce = () => {
  let ended = false
  return () => {
    if (ended) return Encode.bulks(["notify-keyspace-events", "AKE"])
    ended = true
    return FakeNode.cut()
  }
}

/** What is written again until it is acknowledged. */
const insisting = <A, R>(effect: Effect.Effect<A, RedisError.RedisError, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), while: RedisError.isRetryable })

const using = <A, E>(
  client: RedisClient.RedisClient["Service"],
  effect: Effect.Effect<A, E, RedisClient.RedisClient | Scope.Scope>
) => Effect.provideService(effect, RedisClient.RedisClient, client)

describe("Keyspace events of one server", () => {
  it.live("are those that were asked for: by name, by key, by database", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ config })
      const client = yield* standalone(server)
      const other = yield* standalone(server, { db: 3 })
      const options = {
        all: {},
        sets: { names: "set" },
        users: { match: "user:*" },
        everywhere: { match: "user:*", database: "all" },
        third: { database: 3, names: ["set", "incrby"] }
      } as const
      const streams = {
        all: yield* listen(client, { events: true, ...options.all }),
        sets: yield* listen(client, { events: true, ...options.sets }),
        users: yield* listen(client, { events: true, ...options.users }),
        everywhere: yield* listen(client, { events: true, ...options.everywhere }),
        third: yield* listen(client, { events: true, ...options.third }),
        own: yield* listen(other, { events: true })
      }
      yield* streams.all.until((elements) => elements.length === 1)
      yield* streams.everywhere.until((elements) => elements.length === 10)
      yield* streams.third.until((elements) => elements.length === 2)
      for (const name of ["sets", "users", "own"] as const) {
        yield* streams[name].until((elements) => elements.length === 1)
      }
      yield* client.execute(Redis.set("user:1", "v"))
      yield* client.execute(Redis.incr("n"))
      yield* client.execute(Redis.set("a__:user:2", "v"))
      yield* other.execute(Redis.set("user:3", "v"))
      yield* other.execute(Redis.incr("n"))
      yield* other.execute(Redis.del("user:3"))
      yield* client.execute(Redis.del("user:1"))
      yield* streams.all.until((elements) => elements.some((element) => brief(element).startsWith("del")))
      yield* streams.everywhere.until((elements) => count(elements, "del") === 2)
      yield* streams.own.until((elements) => count(elements, "del") === 1)
      const seen = (name: keyof typeof streams) =>
        (streams[name].elements as ReadonlyArray<Seen>).filter(({ _tag }) => _tag === "KeyEvent").map(brief)
      assert.deepStrictEqual(seen("all"), ["set user:1@0", "incrby n@0", "set a__:user:2@0", "del user:1@0"])
      assert.deepStrictEqual(seen("sets"), ["set user:1@0", "set a__:user:2@0"])
      assert.deepStrictEqual(seen("users"), ["set user:1@0", "del user:1@0"])
      // A key with the end of a channel's number in it is no key of another database.
      assert.deepStrictEqual(seen("everywhere"), ["set user:1@0", "set user:3@3", "del user:3@3", "del user:1@0"])
      assert.deepStrictEqual(seen("third"), ["set user:3@3", "incrby n@3"])
      assert.deepStrictEqual(seen("own"), ["set user:3@3", "incrby n@3", "del user:3@3"])
      assert.deepStrictEqual(streams.all.elements.slice(0, 1).map(brief), [`Subscribed ${addressOf(server)}`])
    }))

  it.live("have keys of any bytes, which fail as text", () =>
    Effect.gen(function*() {
      const client = yield* standalone(yield* RedisServer.make({ config }))
      const key = Uint8Array.of(0xff, 0, 0x5f, 0x5f, 0x3a, 0xc3)
      const match = Uint8Array.of(0xff, 0x2a)
      const byEvent = yield* listen(client, { payload: "bytes", events: true })
      const byKey = yield* listen(client, { payload: "bytes", match, events: true })
      const text = yield* listen(client, { events: true })
      for (const stream of [byEvent, byKey, text]) yield* stream.until((elements) => elements.length === 1)
      yield* client.execute(Redis.set(key, "v"))
      for (const stream of [byEvent, byKey]) {
        yield* stream.until((elements) => elements.length === 2)
        assert.deepStrictEqual(stream.elements[1], { _tag: "KeyEvent", event: "set", key, database: 0 })
      }
      assert.strictEqual((yield* Effect.flip(text.end))._tag, "DecodeError")
    }))

  it.live("are a plain error where the server does not tell of them, and turned on by nobody", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* standalone(server)
      const failure = (options: RedisKeyspaceEvents.Options) =>
        Effect.map(
          Effect.flip(
            Stream.runDrain(Stream.provideService(Redis.keyspaceEvents(options), RedisClient.RedisClient, client))
          ),
          (error) => Client.expectTag(error, "KeyspaceEventsOffError")
        )
      assert.deepInclude(yield* failure({}), { setting: "", missing: "EA", server: addressOf(server) })
      const set = (value: string) => client.execute(Redis.configSet({ "notify-keyspace-events": value }))
      assert.strictEqual(
        (yield* client.execute(Redis.configGet("notify-keyspace-events")))["notify-keyspace-events"],
        ""
      )
      yield* set("Ex")
      assert.deepInclude(yield* failure({ names: ["expired", "set", "del"] }), { setting: "xE", missing: "$g" })
      assert.deepInclude(yield* failure({ match: "k" }), { missing: "K" })
      yield* set("K")
      assert.deepInclude(yield* failure({ match: "k" }), { setting: "K", missing: "A" })
      const mistakes = [{ database: -1 }, { names: [] }, { names: "" }, { database: 0.5 }]
      for (const options of mistakes) {
        const stream = Stream.provideService(Redis.keyspaceEvents(options), RedisClient.RedisClient, client)
        assert.deepInclude(yield* Effect.flip(Stream.runDrain(stream)), {
          _tag: "DataError",
          command: "Redis.keyspaceEvents"
        })
      }
      yield* set("Ex")
      const stream = yield* listen(client, { names: ["expired"], events: true })
      yield* stream.until((elements) => elements.length === 1)
      yield* client.execute(Redis.set("k", "v", { px: 1 }))
      yield* stream.until((elements) => elements.some(({ _tag }) => _tag === "KeyEvent"))
    }))

  it.live("of a server that does not say whether it tells of them are yielded all the same", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({
        config,
        acl: ["user default on nopass ~* +@all", "user app on >secret ~* +@all -config"]
      })
      // Redis 6.0 knows nothing of channels there.
      yield* Effect.ignore((yield* standalone(server)).execute(Redis.send("ACL", "SETUSER", "app", "allchannels")))
      const client = yield* standalone(server, { username: "app", password: Redacted.make("secret") })
      const stream = yield* listen(client, { events: true })
      yield* stream.until((elements) => elements.length === 2)
      yield* client.execute(Redis.set("k", "v"))
      yield* stream.until((elements) => elements.length === 3)
      assert.deepStrictEqual(stream.elements.map(brief), [
        `Subscribed ${addressOf(server)}`,
        `SettingUnknown ${addressOf(server)}`,
        "set k@0"
      ])
      const unknown = stream.elements[1]!
      assert.strictEqual(unknown._tag === "SettingUnknown" && unknown.error?._tag, "NoPermissionError")
    }))

  it.live("are a failure when the server comes back without telling of them", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* standalone(server)
      yield* client.execute(Redis.configSet({ "notify-keyspace-events": "KEA" }))
      const stream = yield* listen(client, { events: true })
      yield* stream.until((elements) => elements.length === 1)
      yield* server.kill()
      yield* stream.until((elements) => count(elements, "Lost") === 1)
      yield* server.restart
      const error = Client.expectTag(yield* Effect.flip(stream.end), "KeyspaceEventsOffError")
      assert.deepInclude(error, { setting: "", missing: "EA" })
    }))
})

describe("What a server says of its keyspace events", () => {
  /** A server that confirms subscriptions, tells of an event after each, and answers CONFIG GET as it is told. */
  const telling = (config: () => FakeNode.Reply | undefined): FakeNode.Handler => ({ args, name }, connection) => {
    if (name === "CONFIG") return config()
    if (name !== "PSUBSCRIBE") return undefined
    const push = (...items: ReadonlyArray<string | number>) =>
      (connection.protocol === 3 ? Encode.push : Encode.array)(
        items.map((item) => typeof item === "number" ? Encode.integer(item) : Encode.bulk(item))
      )
    const events = [push("psubscribe", args[1]!, 1), push("pmessage", args[1]!, "__keyevent@0__:set", "k")]
    return Encode.concat(...events, push("pmessage", args[1]!, "__keyevent@x__:set", "published by somebody"))
  }

  const answers = {
    "that it does not know the command": [() => () => Encode.error("ERR unknown command 'CONFIG'"), "ResponseError"],
    "that it has no such setting": [() => () => Encode.array([]), undefined],
    "nothing": [() => () => FakeNode.stall(), "TimeoutError"],
    "nothing at first, as its connection ends": [endsOnce, "none"]
  } as const
  for (const [title, [config, expected]] of Object.entries(answers)) {
    for (const protocol of [2, 3] as const) {
      inVirtualTime(`${title} (RESP${protocol})`, () =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(telling(config()))
          const client = yield* Client.make(node, { protocol, commandTimeout: "300 millis" })
          const stream = yield* listen(client, { events: true })
          const isDone = (elements: ReadonlyArray<Seen>) => elements.length === (expected === "none" ? 2 : 3)
          const elements = yield* stream.until(isDone)
          const tags = ["Subscribed", ...expected === "none" ? [] : ["SettingUnknown"], "KeyEvent"]
          assert.sameMembers(elements.map(({ _tag }) => _tag), tags)
          const unknown = elements.find(({ _tag }) => _tag === "SettingUnknown")
          assert.strictEqual(unknown?._tag === "SettingUnknown" ? unknown.error?._tag : "none", expected)
        }))
    }
  }

  inVirtualTime("holds up what is there already for a second at most", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(telling(() => FakeNode.stall()))
      const client = yield* Effect.provide(
        RedisStandalone.make({ host: node.host, port: node.port }),
        NodeRedisConnector.layer
      )
      const since = yield* Clock.currentTimeMillis
      const stream = yield* listen(client, {})
      yield* stream.until((elements) => elements.length === 1)
      assert.isBelow((yield* Clock.currentTimeMillis) - since, 2500)
    }))

  it.live("is by the letters that it goes by itself", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ config: { "maxmemory-policy": "allkeys-random" } })
      const client = yield* standalone(server)
      const set = (value: string) => client.execute(Redis.configSet({ "notify-keyspace-events": value }))
      const seen = new Map<string, string>()
      for (const letter of "$abcdefghijklmnopqrstuvwxyz") {
        // Each server knows some of them.
        if ((yield* Effect.result(set(`KE${letter}`)))._tag === "Failure") continue
        const stream = yield* listen(client, { match: "*", events: true })
        yield* stream.until((elements) => elements.length > 0)
        yield* client.execute(Redis.flushall())
        yield* client.execute(Redis.set("short", "v", { px: 1 }))
        yield* Effect.sleep("20 millis")
        yield* client.execute(Redis.get("short"))
        yield* client.pipeline(everything)
        // What the server has told by then it has sent before it answers this, and it has arrived.
        yield* client.execute(Redis.ping())
        yield* turns
        yield* stream.stop
        for (const element of stream.elements) {
          if (element._tag !== "KeyEvent") continue
          const { event } = element
          assert.strictEqual(seen.get(event) ?? letter, letter, `${event} is told of by two letters`)
          seen.set(event, letter)
        }
      }
      assert.isAbove(seen.size, 45)
      for (const [name, letter] of seen) {
        yield* set(letter === "g" ? "KEs" : "KEg")
        const events = Redis.keyspaceEvents({ names: name, events: true })
        const error = yield* Effect.flip(
          Effect.as(Stream.runHead(Stream.provideService(events, RedisClient.RedisClient, client)), name)
        )
        assert.deepInclude(Client.expectTag(error, "KeyspaceEventsOffError"), { missing: letter }, name)
      }
    }))
})

/** Of every event that can be had at will one at least. */
const everything = [
  "SET s v",
  "SET s2 v",
  "APPEND s w",
  "INCR n",
  "INCRBYFLOAT n 1.5",
  "SETRANGE s 1 x",
  "SETBIT b 1 1",
  "PFADD p a",
  "GET none",
  "SET o v",
  "SET o w",
  "SADD o2 a",
  "SET o2 v",
  "EXPIRE s 100",
  "PERSIST s",
  "RENAME s2 s3",
  "COPY s3 s4",
  "MOVE s4 1",
  "DEL s3",
  "UNLINK s",
  "RPUSH l a b c d e",
  "LPUSH l z",
  "LPOP l",
  "RPOP l",
  "LSET l 0 y",
  "LINSERT l BEFORE y x",
  "LREM l 1 x",
  "LTRIM l 0 1",
  "SORT l ALPHA STORE sorted",
  "SADD set a b c",
  "SADD set2 a",
  "SREM set c",
  "SPOP set",
  "SADD set a b",
  "SINTERSTORE si set set2",
  "SUNIONSTORE su set set2",
  "SDIFFSTORE sd set set2",
  "HSET h f v g w",
  "HINCRBY h n 1",
  "HINCRBYFLOAT h n 1.5",
  "HDEL h g",
  "HEXPIRE h 100 FIELDS 1 f",
  "HPERSIST h FIELDS 1 f",
  "ZADD z 1 a 2 b 3 c 4 d 5 e",
  "ZINCRBY z 1 a",
  "ZREM z a",
  "ZPOPMIN z",
  "ZPOPMAX z",
  "ZADD z2 1 c 2 d 3 e",
  "ZRANGESTORE zr z2 0 1",
  "ZUNIONSTORE zu 2 z z2",
  "ZINTERSTORE zi 2 z z2",
  "ZDIFFSTORE zd 2 z2 z",
  "ZREMRANGEBYSCORE zu 0 1",
  "ZADD zu 1 p 1 q",
  "ZREMRANGEBYRANK zu 0 0",
  "ZADD zl 0 a 0 b",
  "ZREMRANGEBYLEX zl [a [a",
  "GEOADD geo 1 1 a",
  "GEOSEARCHSTORE gs geo FROMMEMBER a BYRADIUS 1 km",
  "GEORADIUS geo 1 1 1 km STORE gr",
  "XADD x 1-1 f v",
  "XADD x 2-1 f v",
  "XDEL x 1-1",
  "XGROUP CREATE x g 0",
  "XGROUP SETID x g 0",
  "XGROUP CREATECONSUMER x g c",
  "XGROUP DELCONSUMER x g c",
  "XGROUP DESTROY x g",
  "XSETID x 9-1",
  "XTRIM x MAXLEN 0",
  "CONFIG SET maxmemory 1",
  "SET big v",
  "CONFIG SET maxmemory 0"
].map((line) => {
  const [name, ...args] = line.split(" ")
  return Redis.send(name!, ...args)
})

describe("Keyspace events by way of sentinels", () => {
  it.live("come from the new master after a failover, with a gap between", () =>
    Effect.gen(function*() {
      const servers = yield* RedisSentinelServers.make({ config })
      const { addresses: sentinels, service } = servers
      yield* Effect.gen(function*() {
        const client = yield* RedisClient.RedisClient
        const stream = yield* listen(client, { events: true, names: ["set"] })
        yield* stream.until((elements) => elements.length === 1)
        yield* Redis.set("before", "v")
        yield* stream.until((elements) => count(elements, "set before") === 1)
        yield* Effect.flatMap(servers.master, (master) => master.kill())
        yield* stream.until((elements) => count(elements, "Restored") > 0)
        yield* insisting(Redis.set("after", "v"))
        yield* stream.until((elements) => count(elements, "set after") > 0)
        const name = `sentinel ${service}, master`
        // A server that has no time to say what it reports does not say that in time.
        const told = stream.elements.filter(({ _tag }) => _tag !== "SettingUnknown")
        assert.deepStrictEqual(told.slice(0, 4).map(brief), [
          `Subscribed ${name}`,
          "set before@0",
          `Lost Disconnected ${name}`,
          `Restored ${name}`
        ])
        assert.strictEqual(open(stream.elements).size, 0)
      }).pipe(Effect.provide(NodeRedisClient.layerSentinel({ sentinels, service })))
    }))
})

describe("Keyspace events of a cluster", () => {
  /** Of the first master, at first. */
  const slots = Array.from({ length: 100 }, (_, slot) => slot)
  const keys = (name: string) => Array.from({ length: 60 }, (_, i) => `${name}:${i}`)
  const setAll = (client: RedisClient.RedisClient["Service"], name: string) =>
    Effect.forEach(keys(name), (key) => using(client, insisting(Redis.set(key, "v"))), {
      concurrency: 10,
      discard: true
    })
  const heard = (elements: ReadonlyArray<Seen>, name: string) =>
    new Set(
      elements.flatMap((element) =>
        element._tag === "KeyEvent" && element.key.startsWith(`${name}:`) ? [element.key] : []
      )
    ).size

  it.live("come from all masters, from one that has taken over, and from one that is the master again", () =>
    Effect.gen(function*() {
      const servers = yield* RedisClusterServers.make({ config, replicas: 1, requireFullCoverage: false })
      // So long that only what happens has the topology read.
      const { client, cluster } = yield* clusterOf(servers, { refreshInterval: "1 hour" })
      const stream = yield* listen(client, { events: true, names: ["set", "expired"], match: "*" })
      yield* stream.until((elements) => count(elements, "Subscribed") === 3)
      yield* setAll(client, "first")
      yield* stream.until((elements) => heard(elements, "first") === 60)
      assert.strictEqual(open(stream.elements).size, 0)
      const [master] = servers.nodes
      const [replica] = yield* servers.replicasOf(master!)
      yield* master!.kill()
      yield* stream.until((elements) => open(elements).has(addressOf(master!)))
      const isBack = (elements: ReadonlyArray<Seen>) =>
        count(elements, `Restored ${addressOf(replica!)}`) > 0 && open(elements).size === 0
      yield* stream.until(isBack)
      yield* setAll(client, "second")
      yield* stream.until((elements) => heard(elements, "second") === 60)
      const gaps = stream.elements.map(brief).filter((text) => /^(Lost|Restored)/.test(text))
      assert.deepStrictEqual(gaps, [
        `Lost Disconnected ${addressOf(master!)}`,
        // At no time there is no gap.
        `Lost Moved ${addressOf(replica!)}`,
        `Restored ${addressOf(master!)}`,
        `Restored ${addressOf(replica!)}`
      ])
      assert.strictEqual((yield* cluster.nodes).filter(({ role }) => role === "master").length, 3)
      // What was the master is a replica, and nobody listens to it.
      yield* master!.restart
      yield* servers.settled
      yield* servers.failover(master!)
      yield* cluster.refresh
      yield* stream.until((elements) =>
        count(elements, `Restored ${addressOf(master!)}`) === 2 && open(elements).size === 0
      )
      yield* setAll(client, "third")
      yield* stream.until((elements) => heard(elements, "third") === 60)
    }))

  it.live("of the others are not held up by a master that hangs and is replaced", () =>
    Effect.gen(function*() {
      const servers = yield* RedisClusterServers.make({ config, replicas: 1, requireFullCoverage: false })
      const { client } = yield* clusterOf(servers, { refreshInterval: "1 hour" })
      const stream = yield* listen(client, { events: true, names: ["set"] })
      yield* stream.until((elements) => count(elements, "Subscribed") === 3)
      const [master] = servers.nodes
      const [replica] = yield* servers.replicasOf(master!)
      const pace = yield* Pace.watch
      yield* master!.pause
      yield* stream.until((elements) => count(elements, `Lost Moved ${addressOf(replica!)}`) > 0)
      const since = performance.now()
      yield* stream.until((elements) => open(elements).size === 0)
      // The time for a command is five seconds.
      assert.isBelow(pace.between(since, performance.now()), 2000)
      yield* setAll(client, "first")
      yield* stream.until((elements) => heard(elements, "first") === 60)
      assert.strictEqual(count(stream.elements, "SettingUnknown"), 0)
    }))

  it.live("are heard of a server that is added, without a command that says so", () =>
    Effect.gen(function*() {
      const servers = yield* RedisClusterServers.make({ config, masters: 3 })
      const added = yield* RedisServer.make({
        clusterEnabled: true,
        config: { ...config, "cluster-node-timeout": "1000" }
      })
      const { client } = yield* clusterOf(servers, { refreshInterval: "200 millis" })
      const direct = yield* standalone(added)
      const stream = yield* listen(client, { events: true })
      yield* stream.until((elements) => count(elements, "Subscribed") === 3)
      const writer = yield* clusterOf(servers)
      const before = yield* standalone(servers.nodes[0]!)
      const [id, other] = yield* Effect.all([direct, before].map((client) => client.execute(Redis.clusterMyid())))
      yield* before.execute(Redis.send("CLUSTER", "MEET", added.host, String(added.port)))
      const setSlots = (client: RedisClient.RedisClient["Service"], ...state: ReadonlyArray<string>) =>
        Effect.forEach(slots, (slot) => client.execute(Redis.send("CLUSTER", "SETSLOT", String(slot), ...state)), {
          concurrency: 10,
          discard: true
        })
      // Slots that are imported are its own by a later epoch, which the others believe. It has to have heard from all of them:
      // one that knows no more than their names takes an epoch that one of them has, loses the slots again and is a replica.
      const schedule = Schedule.spaced("200 millis")
      yield* Effect.repeat(direct.execute(Redis.clusterInfo()), {
        until: (info) => info.clusterSlotsAssigned === 16_384,
        schedule
      })
      yield* setSlots(direct, "IMPORTING", other!)
      yield* setSlots(direct, "NODE", id!)
      yield* Effect.retry(setSlots(before, "NODE", id!), { schedule, times: 100 })
      yield* stream.until((elements) => count(elements, `Restored ${addressOf(added)}`) > 0)
      assert.include(stream.elements.map(brief), `Lost Moved ${addressOf(added)}`)
      assert.strictEqual(open(stream.elements).size, 0)
      const key = Array.from({ length: 100_000 }, (_, i) => `k:${i}`).find((key) => RedisCluster.slotOf(key) < 100)!
      yield* using(writer.client, insisting(Redis.set(key, "v")))
      yield* stream.until((elements) => elements.map(brief).includes(`set ${key}@0`))
    }))

  it.live("fail plainly when one master alone does not tell of them", () =>
    Effect.gen(function*() {
      const servers = yield* RedisClusterServers.make({ config })
      const { client, cluster } = yield* clusterOf(servers)
      const [, , last] = servers.nodes
      const node = yield* cluster.clientOf(addressOf(last!))
      yield* node.execute(Redis.configSet({ "notify-keyspace-events": "" }))
      const stream = yield* listen(client, { events: true })
      const error = Client.expectTag(yield* Effect.flip(stream.end), "KeyspaceEventsOffError")
      assert.deepInclude(error, { server: addressOf(last!), setting: "", missing: "EA" })
      // Nothing is left behind, and on one server alone the others can still be listened to.
      const other = yield* listen(yield* cluster.clientOf(addressOf(servers.nodes[0]!)), { events: true })
      yield* other.until((elements) => elements.length === 1)
      yield* other.stop
      yield* Effect.repeat(client.stats, {
        until: ({ subscribers }) => subscribers === 0,
        schedule: Schedule.spaced("100 millis")
      })
    }))
})
