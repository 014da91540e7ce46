/**
 * What is done to the network of a master with replicas under sentinels: every server and every sentinel announces a proxy in
 * the place of itself, and dials from a loopback address of its own, so that any pair of them can be cut off.
 */
import { Redis } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { afterwards, on } from "./faults.ts"
import type { Fault, Field, Server } from "./faults.ts"
import { takesWrites } from "./probe.ts"
import * as Proxy from "./proxy.ts"

/** A server or a sentinel behind a proxy; `source`: where it dials from. */
interface Place {
  readonly server: Server
  readonly front: Proxy.Proxy
  readonly source: string
}

interface Group {
  readonly servers: ReadonlyArray<Place>
  readonly sentinels: ReadonlyArray<Place>
}

const service = "mymaster"

/** Where clients dial from. */
const isClient: Proxy.From = (address) => address === "127.0.0.1"

/** Sentinels ask and tell much more often than usual, in milliseconds. */
const haste = { "info-period": 1000, "ping-period": 300, "publish-period": 500, "ask-period": 200 }

const startServer = Effect.fnUntraced(function*(index: number, master?: Place) {
  const source = `127.0.0.${31 + index}`
  const server = yield* RedisServer.make({
    config: { "bind-source-addr": source, "repl-diskless-sync-delay": "0" }
  })
  const front = yield* Proxy.make(server.host, server.port)
  yield* on(server)(Effect.gen(function*() {
    yield* Redis.configSet({ "replica-announce-ip": front.host, "replica-announce-port": front.port })
    // Told to its master when it connects, and so before that.
    if (master !== undefined) yield* Redis.replicaof(master.front.host, master.front.port)
    yield* Redis.configRewrite()
  }))
  return { server, front, source }
})

const startSentinel = Effect.fnUntraced(function*(index: number, master: Place) {
  const source = `127.0.0.${41 + index}`
  const server = yield* RedisServer.make({
    sentinel: true,
    config: {
      "bind-source-addr": source,
      sentinel: [
        `monitor ${service} ${master.front.host} ${master.front.port} 2`,
        `down-after-milliseconds ${service} 800`,
        `failover-timeout ${service} 3000`
      ]
    }
  })
  const front = yield* Proxy.make(server.host, server.port)
  yield* on(server)(Effect.all([
    Redis.sentinelConfigSet({ "announce-ip": front.host }),
    Redis.sentinelConfigSet({ "announce-port": front.port }),
    Redis.sentinelDebugSet(haste)
  ]))
  return { server, front, source }
})

/** The port of the master as a sentinel sees it, once it sees everybody else too. */
const portSeenBy = ({ server }: Place, { sentinels, servers }: Group) =>
  on(server)(Effect.gen(function*() {
    const master = yield* Redis.sentinelMaster(service)
    const replicas = yield* Redis.sentinelSlaves(service)
    const others = yield* Redis.sentinelSentinels(service)
    const known = (states: typeof replicas, places: ReadonlyArray<Place>) =>
      places.every(({ front }) =>
        front.port === master.port ||
        states.some((state) => state.port === front.port && !state.isSdown && !state.isDisconnected)
      )
    const isSound = [...master.flags].join() === "master" && known(replicas, servers) &&
      replicas.every(({ isSdown, masterLinkStatus }) => isSdown || masterLinkStatus === "ok") &&
      known(others, sentinels.filter((other) => other.server !== server))
    return isSound ? master.port : undefined
  }))

const lookAt = Effect.fnUntraced(function*(group: Group) {
  const ports = new Set(yield* Effect.forEach(group.sentinels, (each) => portSeenBy(each, group)))
  const [port, ...others] = ports
  const roles = yield* Effect.forEach(group.servers, ({ server }) => on(server)(Redis.role()))
  const place = group.servers.find(({ front }) => front.port === port)
  const masters = group.servers.filter((_, index) => roles[index]?.role === "master")
  return others.length === 0 && masters.length === 1 && masters[0] === place ? place : undefined
})

/** The master, as soon as everybody sees everybody, and the same one. */
const settled = (group: Group): Effect.Effect<Place, unknown> =>
  lookAt(group).pipe(
    Effect.orElseSucceed(() => undefined),
    Effect.repeat({ until: (place) => place !== undefined, schedule: Schedule.spaced("100 millis") }),
    Effect.timeout("40 seconds"),
    Effect.flatMap((place) => place === undefined ? Effect.fail("nobody is the master") : Effect.succeed(place))
  )

const healAll = ({ sentinels, servers }: Group) =>
  Effect.forEach([...servers, ...sentinels], ({ front }) => front.heal, { discard: true })

/** Nothing gets through from one to the other, whoever dials. */
const cutBetween = (one: Place, other: Place) =>
  Effect.andThen(
    one.front.swallow((address) => address === other.source),
    other.front.swallow((address) => address === one.source)
  )

const cutOff = (place: Place, others: ReadonlyArray<Place>) =>
  Effect.forEach(others.filter((other) => other !== place), (other) => cutBetween(place, other), { discard: true })

/** One by which another server becomes the master. */
const failover = (
  group: Group,
  field: Field,
  title: string,
  strike: (victim: Place) => Effect.Effect<unknown, unknown, Scope.Scope>,
  after: (victim: Place) => Effect.Effect<unknown, unknown> = () => Effect.void
): Fault => ({
  title,
  field,
  run: Effect.fnUntraced(function*() {
    const victim = yield* settled(group)
    const others = group.servers.filter((place) => place !== victim)
    const at = performance.now()
    yield* afterwards(Effect.andThen(Effect.andThen(healAll(group), after(victim)), settled(group)))
    yield* Effect.forkScoped(strike(victim), { startImmediately: true })
    const open = yield* Effect.raceAll(others.map(({ server }) => takesWrites(server, "probe")))
    return { at, open, concerns: () => true }
  })
})

/** Clients alone are cut off from the master, for three seconds; it stays the master. */
const cutting = (
  group: Group,
  field: Field,
  title: string,
  cut: (proxy: Proxy.Proxy) => Effect.Effect<void>
): Fault => ({
  title,
  field,
  run: Effect.fnUntraced(function*() {
    const { front } = yield* settled(group)
    const at = performance.now()
    yield* cut(front)
    yield* Effect.sleep("3 seconds")
    yield* front.heal
    const open = yield* takesWrites(front, "probe")
    yield* afterwards(settled(group))
    return { at, open, concerns: () => true }
  })
})

/** The faults of a master with two replicas under three sentinels that all reach each other by proxies. */
export const make = Effect.gen(function*() {
  const master = yield* startServer(0)
  const replicas = yield* Effect.forEach([1, 2], (index) => startServer(index, master))
  const sentinels = yield* Effect.forEach([0, 1, 2], (index) => startSentinel(index, master))
  const group: Group = { servers: [master, ...replicas], sentinels }
  yield* settled(group)
  const all = [...group.servers, ...sentinels]
  const field: Field = {
    deployment: () => ({
      mode: "sentinel",
      sentinels: sentinels.map(({ front: { host, port } }) => ({ host, port })),
      service
    }),
    observers: all.map(({ server: { host, port } }, index) => ({
      host,
      port,
      role: index < group.servers.length ? "server" as const : "sentinel" as const
    }))
  }
  const [first, second] = sentinels
  if (first === undefined || second === undefined) return yield* Effect.die("a group without sentinels")
  const fault = (title: string, strike: Parameters<typeof failover>[3], after?: Parameters<typeof failover>[4]) =>
    failover(group, field, title, strike, after)
  return [
    // A reset of what the master has dialled, too, would have the replicas begin anew.
    cutting(group, field, "clients cut off from the master for 3 s: silence", (front) => front.swallow(isClient)),
    fault(
      "the master cut off from everybody",
      (victim) => Effect.andThen(victim.front.swallow(() => true), cutOff(victim, all))
    ),
    fault("the master cut off from replicas and sentinels only", (victim) => cutOff(victim, all)),
    fault(
      "a sentinel cut off from all but clients, then kill -9 of the master",
      (victim) => Effect.andThen(cutOff(first, all), Effect.delay(victim.server.kill(), "500 millis")),
      (victim) => victim.server.restart
    ),
    fault(
      "clients cut off from two sentinels, then kill -9 of the master",
      (victim) =>
        Effect.andThen(
          Effect.forEach([first, second], ({ front }) => front.swallow(isClient)),
          Effect.delay(victim.server.kill(), "500 millis")
        ),
      (victim) => victim.server.restart
    )
  ]
})
