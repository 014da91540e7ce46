/** What is done to a master with replicas under sentinels. */
import { Redis } from "@redfx/core"
import { RedisSentinelServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { afterwards, on } from "./faults.ts"
import type { Fault, Field, Server } from "./faults.ts"
import { takesWrites } from "./probe.ts"

type Group = RedisSentinelServers.RedisSentinelServers["Service"]

/** One by which another server becomes the master. */
const failover = (
  group: Group,
  field: Field,
  title: string,
  strike: (victim: Server) => Effect.Effect<unknown, unknown, Scope.Scope>,
  after: (victim: Server) => Effect.Effect<unknown, unknown> = () => Effect.void
): Fault => ({
  title,
  field,
  run: Effect.fnUntraced(function*() {
    yield* group.settled
    const victim = yield* group.master
    const others = group.servers.filter((server) => server !== victim)
    const at = performance.now()
    yield* afterwards(Effect.andThen(after(victim), group.settled))
    yield* Effect.forkScoped(strike(victim), { startImmediately: true })
    const open = yield* Effect.raceAll(others.map((server) => takesWrites(server, "probe")))
    return { at, open, concerns: () => true }
  })
})

/** Sentinels die and come back, one at a time, while the master is lost. */
const flapping = (group: Group): Effect.Effect<never, unknown> =>
  Effect.forever(Effect.forEach(group.sentinels, (sentinel) =>
    Effect.gen(function*() {
      yield* sentinel.kill()
      yield* Effect.sleep("300 millis")
      yield* sentinel.restart
      yield* Effect.sleep("500 millis")
    })))

/** The sentinel that makes another server the master, as soon as one does. */
const leaderOf = (group: Group): Effect.Effect<Server> =>
  Effect.raceAllFirst(group.sentinels.map((sentinel) =>
    on(sentinel)(
      Redis.sentinelMaster(group.service).pipe(
        Effect.repeat({
          until: ({ flags }) => flags.has("failover_in_progress"),
          schedule: Schedule.spaced("5 millis")
        }),
        Effect.retry(Schedule.spaced("5 millis")),
        Effect.as(sentinel)
      )
    ).pipe(Effect.orDie)
  ))

/**
 * The sentinel that leads the failover dies when the server that it has chosen takes writes, before any other knows of that,
 * and stays away until the others have chosen again.
 */
const leaderless = (group: Group, field: Field): Fault => ({
  title: "the sentinel that leads the failover is killed in the middle of it",
  field,
  run: Effect.fnUntraced(function*() {
    yield* group.settled
    const victim = yield* group.master
    const others = group.servers.filter((server) => server !== victim)
    const at = performance.now()
    const leading = yield* Effect.forkScoped(leaderOf(group), { startImmediately: true })
    yield* victim.kill()
    const leader = yield* Fiber.join(leading)
    yield* afterwards(Effect.andThen(Effect.andThen(victim.restart, leader.restart), group.settled))
    yield* Effect.raceAll(others.map((server) => takesWrites(server, "probe")))
    yield* leader.kill()
    yield* group.settled
    const open = yield* takesWrites(yield* group.master, "probe")
    return { at, open, concerns: () => true }
  })
})

/** Every server and every sentinel is restarted in good order, the master after it was failed over. */
const rolling = (group: Group, field: Field): Fault => ({
  title: "rolling restart of all servers and sentinels",
  field,
  run: Effect.fnUntraced(function*() {
    yield* group.settled
    const at = performance.now()
    const first = yield* group.master
    for (const replica of group.servers.filter((server) => server !== first)) {
      yield* Effect.andThen(replica.restart, group.settled)
    }
    yield* group.failover
    yield* Effect.andThen(first.restart, group.settled)
    for (const sentinel of group.sentinels) yield* Effect.andThen(sentinel.restart, group.settled)
    return { at, open: undefined, concerns: () => true }
  })
})

/** The faults of a master with two replicas under three sentinels. */
export const make = Effect.gen(function*() {
  const group = yield* RedisSentinelServers.make({ replicas: 2 })
  const [sentinel] = group.sentinels
  if (sentinel === undefined) return yield* Effect.die("a group without sentinels")
  const field: Field = {
    deployment: () => ({ mode: "sentinel", sentinels: group.addresses, service: group.service }),
    observers: [
      ...group.servers.map(({ host, port }) => ({ host, port, role: "server" as const })),
      ...group.sentinels.map(({ host, port }) => ({ host, port, role: "sentinel" as const }))
    ]
  }
  const fault = (title: string, strike: Parameters<typeof failover>[3], after?: Parameters<typeof failover>[4]) =>
    failover(group, field, title, strike, after)
  return [
    fault("kill -9 of the master", (victim) => victim.kill(), (victim) => victim.restart),
    fault("SIGSTOP of the master", (victim) => victim.pause, (victim) => victim.resume),
    fault("SENTINEL FAILOVER", () => on(sentinel)(Redis.send("SENTINEL FAILOVER", group.service))),
    fault(
      "master and a sentinel hang together",
      (victim) => Effect.andThen(sentinel.pause, victim.pause),
      (victim) => Effect.andThen(sentinel.resume, victim.resume)
    ),
    fault(
      "kill -9 of the master while sentinels flap",
      (victim) => Effect.andThen(Effect.forkScoped(flapping(group)), victim.kill()),
      (victim) =>
        Effect.andThen(
          victim.restart,
          Effect.forEach(group.sentinels, (each) =>
            Effect.flatMap(each.pid, (pid) => pid === undefined ? each.restart : Effect.void))
        )
    ),
    leaderless(group, field),
    rolling(group, field)
  ]
})
