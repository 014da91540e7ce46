/**
 * Runs programs on real servers, behind a proxy that ends and stalls connections.
 */
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisStandalone } from "@redfx/core"
import type { RedisClient, RedisConfig } from "@redfx/core"
import { NodeRedisConnector, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Pace from "@redfx/testing/Pace"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import { inspect } from "node:util"
import { initial, isOfKeyspace, keyOf } from "./commands.ts"
import type { Env } from "./interpreter.ts"
import * as Journal from "./journal.ts"
import type { Event, Program } from "./program.ts"
import * as Proxy from "./proxy.ts"
import * as Store from "./store.ts"
import * as Trial from "./trial.ts"
import type { Deployment } from "./world.ts"

type Server = RedisServer.RedisServer["Service"]

/**
 * Servers, and how to reach them: by the proxy, and past it.
 *
 * - `outside`: a client of the deployment, `direct` of each server with data. `move`: gives a slot to another server.
 */
interface Site {
  readonly deployment: Deployment
  readonly addresses: Trial.Stage["addresses"]
  readonly natMap: RedisConfig.NatMap | undefined
  readonly cutter: Proxy.Cutter
  readonly journal: Journal.Journal
  readonly outside: RedisClient.RedisClient["Service"]
  readonly direct: ReadonlyArray<RedisClient.RedisClient["Service"]>
  readonly move: (slot: number) => Effect.Effect<void>
  runs: number
}

const connected = Effect.provide(NodeRedisConnector.layer)

/** The servers of a deployment that hold data; addresses to ask, if these are others. */
const start = Effect.fnUntraced(function*(deployment: Deployment) {
  if (deployment === "standalone") return { data: [yield* RedisServer.make()], asked: undefined, cluster: undefined }
  if (deployment === "sentinel") {
    const servers = yield* RedisSentinelServers.make({ service: Trial.service, sentinels: 1, replicas: 0 })
    return { data: servers.servers, asked: servers.addresses, cluster: undefined }
  }
  const cluster = yield* RedisClusterServers.make()
  return { data: cluster.nodes, asked: undefined, cluster }
})

const clientOutside = (
  deployment: Deployment,
  [first, ...others]: ReadonlyArray<Server>
): Effect.Effect<RedisClient.RedisClient["Service"], unknown, Scope.Scope> =>
  // Every deployment has servers.
  deployment === "cluster"
    ? connected(Effect.map(RedisCluster.make({ nodes: [first!, ...others] }), ({ client }) => client))
    : connected(RedisStandalone.make({ host: first!.host, port: first!.port }))

/** Starts servers, for as long as the scope is open. */
const open = Effect.fnUntraced(function*(deployment: Deployment) {
  const { asked, cluster, data } = yield* start(deployment)
  const cutter = Proxy.make()
  const journal = Journal.make()
  const proxied = new Map<number, number>()
  for (const server of data) {
    proxied.set(server.port, yield* cutter.listen(server))
    yield* journal.follow(server)
  }
  const natMap = ({ host, port }: RedisConfig.NodeAddress) => ({ host, port: proxied.get(port) ?? port })
  const [first, ...others] = (asked ?? data).map(({ host, port }) =>
    asked === undefined ? natMap({ host, port }) : { host, port }
  )
  const site: Site = {
    deployment,
    addresses: [first!, ...others],
    natMap: deployment === "standalone" ? undefined : natMap,
    cutter,
    journal,
    outside: yield* clientOutside(deployment, data),
    direct: yield* Effect.forEach(data, (server) => Client.make(server)),
    move: (slot) =>
      cluster === undefined
        ? Effect.void
        : Effect.ignore(Effect.flatMap(cluster.owner(slot), (owner) =>
          cluster.moveSlot(slot, data[(data.indexOf(owner) + 1) % data.length]!))),
    runs: 0
  }
  return site
})

// -----------------------------------------------------------------------------
// What happens to servers
// -----------------------------------------------------------------------------

const name = "ledger"

/** The ids of the connections of programs. */
const ids = (client: RedisClient.RedisClient["Service"]): Effect.Effect<ReadonlyArray<string>> =>
  Effect.orDie(Effect.map(
    client.execute(Redis.send("CLIENT LIST")),
    (text) => [...String(text).matchAll(/id=(\d+) .*name=ledger /g)].map(([, id = ""]) => id)
  ))

const happen = (site: Site, { kind, which }: Event): Effect.Effect<unknown> => {
  const each = (act: (client: RedisClient.RedisClient["Service"]) => Effect.Effect<unknown, unknown>) =>
    Effect.ignore(Effect.forEach(site.direct, act))
  switch (kind) {
    case "kill":
      return each((client) =>
        Effect.flatMap(ids(client), (all) => {
          const id = all[which % Math.max(all.length, 1)]
          return id === undefined ? Effect.void : Effect.ignore(client.execute(Redis.send("CLIENT KILL", "ID", id)))
        })
      )
    case "unblock":
      return each((client) =>
        Effect.flatMap(
          ids(client),
          (all) => Effect.forEach(all, (id) => Effect.ignore(client.execute(Redis.send("CLIENT UNBLOCK", id, "ERROR"))))
        )
      )
    case "flush":
      return each((client) => client.pipeline([Redis.send("SCRIPT FLUSH"), Redis.send("FUNCTION FLUSH")]))
    case "pause":
      return each((client) => client.execute(Redis.send("CLIENT PAUSE", 40)))
    case "move":
      // A slot that is half moved would be nobody's.
      return Effect.uninterruptible(site.move(RedisCluster.slotOf(keyOf(which % 3, ""))))
  }
}

// -----------------------------------------------------------------------------
// Running programs
// -----------------------------------------------------------------------------

const arming = ({ cutter: { hooks } }: Site): Env["arm"] => ({ count, side }, act) => {
  let left = count
  const hook = (now: "before" | "after") => {
    if (now !== side || left-- > 0) return
    hooks.delete(hook)
    act()
  }
  hooks.add(hook)
}

/** Waits until the servers have dropped the program's connections, and have reported all that they did. */
const quiet = Effect.fnUntraced(function*({ direct, journal }: Site, mark: string) {
  for (let round = 0; (yield* Effect.forEach(direct, ids)).some((all) => all.length > 0); round++) {
    if (round > 400) return yield* Effect.die(new Error("connections are left over"))
    yield* Effect.sleep(5)
  }
  yield* Effect.orDie(Effect.forEach(direct, (client) => client.execute(Redis.send("ECHO", mark))))
  yield* journal.seen(mark, direct.length)
})

const slots = [0, 1, 2]

/** The milliseconds by which something may be late on a busy machine. */
const late = 1000

const factsOf = Effect.fnUntraced(function*(site: Site, program: Program, events: () => number) {
  const { cutter, deployment, journal, outside, runs } = site
  yield* quiet(site, `mark${runs}`)
  const queued = yield* Effect.orDie(
    Effect.forEach(slots, (slot) => outside.execute(Redis.lrange(keyOf(slot, "queue"), 0, -1)))
  )
  return {
    applied: journal.applied,
    conflicts: undefined,
    published: deployment === "cluster" ? undefined : journal.published,
    queued: new Set(queued.flat()),
    struck: cutter.struck() + events(),
    // The proxy holds nothing back for longer, and the machine is busy.
    inTurns: () => 0,
    lag: late,
    unasked: false,
    flushed: program.events.some(({ kind }) => kind === "flush")
  }
})

const stageOf = (
  site: Site,
  program: Program,
  events: () => number,
  calm: Effect.Effect<unknown>,
  { between }: Pace.Pace
): Trial.Stage => {
  const { addresses, cutter, natMap, outside } = site
  const { execute } = outside
  return {
    addresses,
    natMap,
    clientName: name,
    base: site.runs * 1000,
    seed: (key, text) => Effect.orDie(Effect.asVoid(execute(Redis.set(key, text)))),
    arm: arming(site),
    calm: Effect.andThen(calm, Effect.sync(cutter.end)),
    well: () => 0,
    entries: Effect.orDie(Effect.map(
      execute(Redis.xrange(keyOf(0, "stream"), "-", "+")),
      (entries) => Store.tokensIn(entries.flatMap(({ fields }) => Object.values(fields)))
    )),
    facts: factsOf(site, program, events),
    held: Effect.orDie(Effect.filter(
      slots.map((slot) => keyOf(slot, "lock")),
      (key) => Effect.map(execute(Redis.exists(key)), (count) => count > 0)
    )),
    immortal: Effect.orDie(Effect.map(
      Effect.forEach(
        site.direct,
        (client) =>
          Effect.flatMap(
            client.execute(Redis.keys("*")),
            (keys) =>
              Effect.filter([...keys].filter(isOfKeyspace), (key) =>
                Effect.map(outside.execute(Redis.send("PTTL", key)), (left) => left === -1))
          )
      ),
      (each) => each.flat()
    )),
    connector: undefined,
    pause: 5,
    late,
    between,
    now: () => performance.now()
  }
}

/** The time that a program may take, which is longer than a connection may stay silent. */
const limit = "60 seconds"

const run = Effect.fnUntraced(function*(site: Site, program: Program, pace: Pace.Pace): Effect.fn.Return<Trial.Report> {
  const { cutter, direct, journal, outside } = site
  site.runs++
  yield* Effect.orDie(Effect.forEach(direct, (client) => client.execute(Redis.flushall())))
  yield* Effect.orDie(Effect.forEach(initial, ([key, text]) => outside.execute(Redis.set(key, text))))
  journal.applied.clear()
  journal.published.length = 0
  journal.commands = 0
  cutter.hooks.clear()
  cutter.begin(program.cuts)
  const log: Array<string> = []
  const troubles = yield* Effect.forkChild(Effect.forEach(
    program.events,
    (event) =>
      Effect.delay(
        Effect.suspend(() => {
          log.push(event.kind)
          return happen(site, event)
        }),
        event.at
      ),
    { concurrency: "unbounded" }
  ))
  const stage = stageOf(site, program, () => log.length, Fiber.interrupt(troubles), pace)
  const exit = yield* connected(Trial.run(program, stage)).pipe(
    Effect.timeoutOption(limit),
    Effect.exit
  )
  const counts = { log, commands: journal.commands, faults: cutter.struck() + log.length }
  if (Exit.isFailure(exit)) return { ...counts, wrong: [`it failed: ${String(exit.cause)}`], interruptions: 0 }
  return exit.value._tag === "None"
    ? { ...counts, wrong: ["somebody waits too long"], interruptions: 0 }
    : { ...counts, ...exit.value.value }
})

/** Real servers that run programs one after the other, until they are closed. */
export interface Lane {
  readonly run: (program: Program) => Promise<Trial.Report>
  readonly close: () => Promise<void>
}

/** Starts servers. */
export const lane = async (deployment: Deployment): Promise<Lane> => {
  const scope = Effect.runSync(Scope.make())
  const quietly = Effect.provideService(References.MinimumLogLevel, "None")
  const site = await Effect.runPromise(Scope.provide(open(deployment), scope))
  return {
    run: async (program) => {
      const unhandled: Array<string> = []
      const note = (reason: unknown) => unhandled.push(`unhandled rejection: ${inspect(reason)}`)
      process.on("unhandledRejection", note)
      try {
        const report = await Effect.runPromise(
          quietly(Effect.scoped(Effect.flatMap(Pace.watch, (pace) => run(site, program, pace))))
        )
        return { ...report, wrong: [...report.wrong, ...unhandled] }
      } finally {
        process.off("unhandledRejection", note)
      }
    },
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
