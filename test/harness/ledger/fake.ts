/**
 * Runs a program on a simulated deployment, in simulated time.
 */
import { RedisConnector } from "@redfx/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as References from "effect/References"
import { inspect } from "node:util"
import type { Facts } from "./check.ts"
import { initial, isOfKeyspace, keyOf } from "./commands.ts"
import * as Faults from "./faults.ts"
import type { Env } from "./interpreter.ts"
import type { Program, Settings } from "./program.ts"
import * as Sim from "./sim.ts"
import * as Store from "./store.ts"
import { serve } from "./strikes.ts"
import * as Trial from "./trial.ts"
import * as World from "./world.ts"

const makeWorld = ({ deployment, faults, settings }: Program, sim: Sim.Sim): World.World => {
  const { commandTimeout, far, replicas, scripts } = settings
  const world = World.make(sim, {
    deployment,
    readsReplicas: replicas,
    latencies: World.latenciesOf(far ? commandTimeout ?? 100 : undefined),
    keptScripts: scripts,
    faults: Faults.plan(faults)
  })
  for (const [key, text] of initial) {
    world.store.entries.set(key, { value: { type: "string", text }, expiresAt: undefined })
  }
  return world
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

/** The milliseconds that the commands took which arrived in a span of time, where only so many go per round trip. */
const inTurns = ({ arrivals }: World.World, { inFlight = Infinity }: Settings): Facts["inTurns"] => (from, until) =>
  arrivals.filter(({ at }) => from <= at && at <= until)
    .reduce((sum, { latency }) => sum + 2 * latency / inFlight, 0)

const factsOf = (world: World.World, { settings }: Program) => {
  const { conflicts, faults, latencies, published, store } = world
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
    inTurns: inTurns(world, settings),
    lag: Math.max(...latencies) + faults.stalled(),
    unasked: faults.hidFunctions(),
    flushed: faults.have("flush")
  }
}

const stageOf = (program: Program, world: World.World): Trial.Stage => {
  const { sim, store } = world
  return {
    addresses: World.addressesOf(world),
    seed: (key, text) =>
      Effect.sync(() => void store.entries.set(key, { value: { type: "string", text }, expiresAt: undefined })),
    arm: arming(world),
    base: 0,
    natMap: undefined,
    clientName: undefined,
    calm: Effect.sync(() => {
      world.faults.end()
      for (const link of Array.from(world.links)) if (link.hung) World.cut(link, true)
    }),
    well: world.faults.over,
    entries: Effect.sync(() => {
      const stream = store.entries.get(keyOf(0, "stream"))?.value
      return stream?.type === "stream" ? [...stream.items.values()].flatMap(Store.tokensIn) : []
    }),
    // The commands that servers have yet to run count as well.
    facts: Effect.map(
      Effect.repeat(Effect.sleep(100), { while: () => world.links.size > 0, times: 100 }),
      () => factsOf(world, program)
    ),
    held: Effect.sync(() => [0, 1, 2].map((slot) => keyOf(slot, "lock")).filter((key) => store.entries.has(key))),
    immortal: Effect.sync(() =>
      [...store.entries].flatMap(([key, { expiresAt }]) => expiresAt === undefined && isOfKeyspace(key) ? [key] : [])
    ),
    connector: () => World.connector(world, serve),
    pause: 100,
    late: 5,
    between: (from, until) => until - from,
    now: sim.now
  }
}

/** Checks what is still there when everything has ended. */
const checkLeft = async (world: World.World, wrong: Array<string>): Promise<void> => {
  await world.sim.drive(() => world.links.size === 0 && world.sim.timers() === 0, world.sim.now() + 400_000)
  if (world.sim.timers() > 0) wrong.push(`${world.sim.timers()} timers are left over`)
  if (world.links.size > 0) wrong.push(`${world.links.size} connections are left over`)
}

/** The simulated milliseconds after which nobody waits any more. */
const limit = 1_200_000

/** Runs a program. */
export const run = async (program: Program): Promise<Trial.Report> => {
  const sim = Sim.make(program.seed)
  const world = makeWorld(program, sim)
  const wrong: Array<string> = []
  const unhandled = (reason: unknown) => wrong.push(`unhandled rejection: ${inspect(reason)}`)
  process.on("unhandledRejection", unhandled)
  const { random } = Math
  // The library also makes choices without an Effect. With this, the same program still takes the same course.
  Math.random = sim.random
  let interruptions = 0
  try {
    const context = Context.add(sim.context, RedisConnector.RedisConnector, World.connector(world, serve)).pipe(
      // Nobody logs what goes wrong on purpose.
      Context.add(References.MinimumLogLevel, "None")
    )
    const fiber = Effect.runForkWith(context)(Trial.run(program, stageOf(program, world)))
    const ending = await sim.drive(() => fiber.pollUnsafe() !== undefined, limit)
    if (ending !== "done") wrong.push(ending === "stuck" ? "somebody waits for ever" : "somebody waits too long")
    const exit = fiber.pollUnsafe()
    if (exit !== undefined && Exit.isFailure(exit)) wrong.push(`it failed: ${String(exit.cause)}`)
    if (exit !== undefined && Exit.isSuccess(exit)) {
      interruptions = exit.value.interruptions
      wrong.push(...exit.value.wrong)
    }
    if (ending === "done") await checkLeft(world, wrong)
    else fiber.interruptUnsafe()
  } finally {
    Math.random = random
    process.off("unhandledRejection", unhandled)
  }
  wrong.push(...world.wrong)
  return { wrong, log: world.log, commands: world.commands, faults: world.faults.struck(), interruptions }
}
