/**
 * Runs a program on a simulated deployment, in simulated time.
 */
import { RedisCluster } from "@redfx/cluster"
import { RedisConnector, RedisStandalone } from "@redfx/core"
import type { RedisClient, RedisConfig, RedisError } from "@redfx/core"
import { RedisSentinel } from "@redfx/sentinel"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import { inspect } from "node:util"
import * as Client from "../Client.ts"
import { check } from "./check.ts"
import { initial, keyOf } from "./commands.ts"
import * as Faults from "./faults.ts"
import * as Interpreter from "./interpreter.ts"
import type { Env } from "./interpreter.ts"
import type { Program } from "./program.ts"
import * as Server from "./server.ts"
import * as Sim from "./sim.ts"
import * as Store from "./store.ts"
import * as World from "./world.ts"

/** What a run came to: nothing wrong, if all is well. */
export interface Report {
  readonly wrong: ReadonlyArray<string>
  readonly log: ReadonlyArray<string>
  readonly commands: number
  readonly faults: number
  readonly interruptions: number
}

const host = "127.0.0.1"

const node = (name: string, port: number, kind: World.Node["kind"], role: World.Node["role"]): World.Node => ({
  name,
  host,
  port,
  kind,
  role,
  upAt: 0
})

const nodesOf = (deployment: World.Deployment): ReadonlyArray<World.Node> =>
  deployment === "standalone"
    ? [node("A", 7001, "data", "master")]
    : deployment === "cluster"
    ? [7001, 7002, 7003].map((port, index) => node("ABC"[index]!, port, "data", "master"))
    : [
      node("A", 7001, "data", "master"),
      node("B", 7002, "data", "replica"),
      ...[7011, 7012, 7013].map((port) => node(`S${port}`, port, "sentinel", "master"))
    ]

const makeWorld = (program: Program, sim: Sim.Sim): World.World => {
  const store = Store.make(sim.now)
  for (const [key, text] of initial) store.entries.set(key, { value: { type: "string", text }, expiresAt: undefined })
  return {
    sim,
    deployment: program.deployment,
    store,
    nodes: nodesOf(program.deployment),
    owners: new Map(),
    links: new Set(),
    waiters: [],
    faults: Faults.plan(program.faults),
    conflicts: new Set(),
    published: new Map(),
    hooks: new Set(),
    log: [],
    wrong: [],
    epoch: 1,
    commands: 0,
    connections: 0
  }
}

const optionsOf = ({ settings }: Program): RedisConfig.ConnectionOptions => ({
  protocol: settings.protocol,
  commandTimeout: settings.commandTimeout,
  pool: { shared: settings.shared, max: settings.max, acquireTimeout: "2 seconds" },
  limits: { inFlightCommands: settings.inFlight }
})

const clientOf = (
  program: Program,
  world: World.World
): Effect.Effect<RedisClient.Service, RedisError.RedisError, RedisConnector.RedisConnector | Scope.Scope> => {
  const options = optionsOf(program)
  const [first, ...others] = world.nodes.filter(({ kind }) =>
    kind === (program.deployment === "sentinel" ? "sentinel" : "data")
  )
  // Every deployment has nodes.
  const nodes = [first!, ...others] as const
  switch (program.deployment) {
    case "standalone":
      return RedisStandalone.make({ host, port: nodes[0].port, ...options })
    case "sentinel":
      return RedisSentinel.make({ sentinels: nodes, service: Server.service, ...options })
    case "cluster":
      return Effect.map(
        // More keys than one server has.
        RedisCluster.make({
          nodes,
          crossSlot: "emulate",
          protocol: options.protocol,
          commandTimeout: options.commandTimeout,
          limits: options.limits,
          pool: { shared: program.settings.shared, max: program.settings.max * 3, acquireTimeout: "2 seconds" }
        }),
        ({ client }) => client
      )
  }
}

/** Does something around the arrival of a reply. */
const arming = (world: World.World): Env["arm"] => ({ count, side }, act) => {
  let left = count
  const hook = (now: "before" | "after") => {
    if (now !== side || left-- > 0) return
    world.hooks.delete(hook)
    act()
  }
  world.hooks.add(hook)
}

const zeros = { waiting: 0, inFlight: 0 }

/** Waits until nothing is held any more; what is, in the end, is a fault. */
const settle = (env: Env): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let round = 0;; round++) {
      const { exclusive, exclusiveIdle, inFlight, waiting } = yield* env.client.stats
      if (waiting === 0 && inFlight === 0 && exclusive === exclusiveIdle) return
      if (round > 1000) {
        env.wrong.push(
          `in the end there are ${inspect({ exclusive, exclusiveIdle, inFlight, waiting })}, not ${inspect(zeros)}`
        )
        return
      }
      yield* Effect.sleep(100)
    }
  })

/** When all is well again, whatever is left of a stream is handled. */
const handleRest = (env: Env, world: World.World): Effect.Effect<void> =>
  Effect.gen(function*() {
    const stream = world.store.entries.get(keyOf(0, "stream"))?.value
    const added = stream?.type === "stream" ? [...stream.items.values()].flatMap(Store.tokensIn) : []
    if (added.length === 0) return
    const rest = Interpreter.consume(env, "last", 10_000)
    const exit = yield* Effect.exit(Client.on(env.client)(rest))
    if (Exit.isFailure(exit)) env.wrong.push(`a consumer failed when all was well: ${String(exit.cause)}`)
    for (const token of added) if (!env.handled.has(token)) env.wrong.push(`the entry ${token} was never handled`)
  })

const whole = (program: Program, world: World.World, wrong: Array<string>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const client = yield* Scope.provide(clientOf(program, world), scope)
    const env = Interpreter.make({
      client,
      seed: (key, text) =>
        Effect.sync(() => void world.store.entries.set(key, { value: { type: "string", text }, expiresAt: undefined })),
      arm: arming(world)
    })
    yield* Interpreter.runAll(env, program)
    world.faults.end()
    for (const link of Array.from(world.links)) if (link.hung) World.cut(link, true)
    yield* settle(env)
    yield* handleRest(env, world)
    yield* settle(env)
    const before = world.sim.now()
    yield* Scope.close(scope, Exit.void)
    const took = world.sim.now() - before
    if (took > 2000) env.wrong.push(`closing took ${took} ms`)
    check(env, factsOf(world))
    checkLocks(env, world)
    wrong.push(...env.wrong, ...world.wrong)
    return env.interrupted
  })

const factsOf = ({ conflicts, faults, published, store }: World.World) => {
  const queued = [0, 1, 2].flatMap((slot) => {
    const value = store.entries.get(keyOf(slot, "queue"))?.value
    return value?.type === "list" ? value.items : []
  })
  return {
    applied: store.applied,
    conflicts,
    published: published.get("feed") ?? [],
    queued: new Set(queued),
    struck: faults.struck(),
    flushed: faults.have("flush")
  }
}

/** Unless something went wrong on the way, no lock is left behind. */
const checkLocks = (env: Env, { faults, store }: World.World): void => {
  if (faults.struck() > 0) return
  for (const slot of [0, 1, 2]) {
    if (store.entries.has(keyOf(slot, "lock"))) env.wrong.push(`${keyOf(slot, "lock")} is still held by nobody`)
  }
}

/** What is still there when everything has ended. */
const checkLeft = async (world: World.World, wrong: Array<string>): Promise<void> => {
  await world.sim.drive(() => world.links.size === 0 && world.sim.timers() === 0, world.sim.now() + 400_000)
  if (world.links.size > 0) wrong.push(`${world.links.size} connections are left over`)
}

/** Simulated time after which nobody waits any more. */
const limit = 1_200_000

/** Runs a program. */
export const run = async (program: Program): Promise<Report> => {
  const sim = Sim.make(program.seed)
  const world = makeWorld(program, sim)
  const wrong: Array<string> = []
  const unhandled = (reason: unknown) => wrong.push(`unhandled rejection: ${inspect(reason)}`)
  process.on("unhandledRejection", unhandled)
  let interruptions = 0
  try {
    const context = Context.add(sim.context, RedisConnector.RedisConnector, World.connector(world, Server.serve)).pipe(
      // What goes wrong on purpose is logged by nobody.
      Context.add(References.MinimumLogLevel, "None")
    )
    const fiber = Effect.runForkWith(context)(whole(program, world, wrong))
    const ending = await sim.drive(() => fiber.pollUnsafe() !== undefined, limit)
    if (ending !== "done") wrong.push(ending === "stuck" ? "somebody waits for ever" : "somebody waits too long")
    const exit = fiber.pollUnsafe()
    if (exit !== undefined && Exit.isFailure(exit)) wrong.push(`it failed: ${String(exit.cause)}`)
    if (exit !== undefined && Exit.isSuccess(exit)) interruptions = exit.value
    if (ending === "done") await checkLeft(world, wrong)
    else fiber.interruptUnsafe()
  } finally {
    process.off("unhandledRejection", unhandled)
  }
  return { wrong, log: world.log, commands: world.commands, faults: world.faults.struck(), interruptions }
}
