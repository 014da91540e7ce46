/**
 * Runs an operation of a client in simulated time, has one fiber rest at one of its steps, and lets something happen
 * meanwhile. Whatever that is, everybody learns what became of what he asked for, and nothing is left.
 */
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient, RedisConnector, RedisStandalone } from "@redfx/core"
import type { RedisConfig, RedisError } from "@redfx/core"
import { RedisSentinel } from "@redfx/sentinel"
import type { Command } from "@redfx/testing/RequestParser"
import { resting } from "@redfx/testing/Resting"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import * as Sim from "../ledger/sim.ts"
import { serve } from "../ledger/strikes.ts"
import * as Topology from "../ledger/topology.ts"
import { service } from "../ledger/trial.ts"
import * as World from "../ledger/world.ts"

/**
 * What happens while a fiber rests.
 *
 * - `rest`: nothing. `interrupt`: the caller goes away. `rival`: another caller does the same.
 * - `cut`: all connections are lost. `hang`: none of them does anything any more. `close`: the client is closed.
 * - `failover`, `demote`: another server takes over, where there is one, and the one before cuts its clients or refuses their writes.
 */
export const disturbances = ["rest", "interrupt", "rival", "cut", "hang", "close", "failover", "demote"] as const
export type Disturbance = typeof disturbances[number]

type Client = RedisClient.RedisClient["Service"]
type Needs = RedisClient.RedisClient | RedisConnector.RedisConnector | Scope.Scope

/**
 * The surroundings of an operation.
 *
 * - `client`: what it runs on. `connect`: makes one more, with more options. `other`: one that nothing happens to.
 * - `wrong`: takes what is wrong.
 */
export interface Stage {
  readonly world: World.World
  readonly client: Client
  readonly other: Client
  readonly connect: (
    options: RedisConfig.ConnectionOptions
  ) => Effect.Effect<Client, RedisError.RedisError, RedisConnector.RedisConnector | Scope.Scope>
  readonly wrong: Array<string>
}

/**
 * Something that a program does with a client, and what holds afterwards.
 *
 * - `before`: runs first, with nothing happening meanwhile: it opens the connections that the operation finds open.
 * - `run`: gives the same each time if nothing is lost, unless it `varies` with when something happens.
 */
export interface Operation {
  readonly name: string
  readonly deployment: World.Deployment
  readonly options?: RedisConfig.ConnectionOptions
  readonly before?: Effect.Effect<unknown, unknown, Needs>
  readonly run: (stage: Stage) => Effect.Effect<unknown, unknown, Needs>
  readonly varies?: boolean
  readonly after?: (stage: Stage) => void
}

/** The result of a run: its steps, its outcome as text, and the milliseconds that it took. */
export interface Result {
  readonly steps: number
  readonly outcome: string
  readonly time: number
  readonly wrong: ReadonlyArray<string>
}

const clientOf = (world: World.World, given: RedisConfig.ConnectionOptions = {}) => {
  const options = { clientInfo: false, ...given }
  const [first, ...others] = World.addressesOf(world)
  switch (world.deployment) {
    case "standalone":
      return RedisStandalone.make({ host: first.host, port: first.port, ...options })
    case "sentinel":
      return RedisSentinel.make({ sentinels: [first, ...others], service, ...options })
    case "cluster":
      return Effect.map(RedisCluster.make({ nodes: [first, ...others], ...options }), ({ client }) => client)
  }
}

/** The milliseconds for which a fiber rests, and those that it may be late by for that. */
const rest = 20
const lateness = 1000

/** The milliseconds after which nobody waits any more. */
const patience = 100_000

const textOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? inspect(exit.value) : exit.cause.reasons.map((reason) => inspect(reason)).join()

/** What loses nothing to those who are still there. */
const lossless: ReadonlySet<Disturbance> = new Set(["rest", "interrupt", "rival"])

/** Whether the caller of an operation was told what may come of it. */
const judged = (
  { varies = false }: Operation,
  disturbance: Disturbance,
  exit: Exit.Exit<unknown, unknown>,
  usual: Result
): boolean => {
  if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) return false
  const isInterrupted = Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)
  if (isInterrupted) return disturbance === "interrupt"
  return !lossless.has(disturbance) && Exit.isFailure(exit) || varies || textOf(exit) === usual.outcome
}

/** A command of the slot that another server takes over. */
const ofK: Command = { name: "SET", args: ["SET", "k", "1"], bytes: [] }

/** Waits until nothing is held any more. */
const settle = (client: Client, wrong: Array<string>): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let round = 0;; round++) {
      const { exclusive, exclusiveIdle, inFlight, waiting } = yield* client.stats
      if (waiting === 0 && inFlight === 0 && exclusive === exclusiveIdle) return
      if (round > 100) {
        return void wrong.push(`in the end there are ${inspect({ exclusive, exclusiveIdle, inFlight, waiting })}`)
      }
      yield* Effect.sleep(100)
    }
  })

/** Uses a client once more, on a connection that callers share and on one of its own. */
const useAgain = (client: Client, lost: boolean): Effect.Effect<unknown, RedisError.RedisError> =>
  Effect.retry(
    Effect.andThen(
      client.execute(Redis.get("k")),
      Effect.scoped(Effect.flatMap(client.reserve, (reserved) => reserved.execute(Redis.get("k"))))
    ),
    // What was lost is found to be lost by those who use it.
    { times: lost ? 3 : 0 }
  )

/** A scheduler that counts steps while it is armed, and has the fiber rest that makes the step of a number. */
const makeSteps = (sim: Sim.Sim, step: number) => {
  const steps = { armed: false, count: 0, act: () => {} }
  const scheduler = resting(
    () => steps.armed && ++steps.count === step,
    (goOn) => {
      setImmediate(() => steps.act())
      sim.after(rest, goOn)
    },
    Context.get(sim.context, Scheduler.Scheduler)
  )
  return { steps, scheduler }
}

/** Counts the fibers that have not ended. */
const makeFibers = () => {
  const fibers = { live: 0 }
  const service: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => void fibers.live++,
    recordFiberEnd: () => void fibers.live--
  }
  return { fibers, service }
}

/** Runs an operation; `step` is the one at which a fiber rests, and `usual` how it ends if none does. */
export const run = async (
  operation: Operation,
  disturbance: Disturbance,
  step: number,
  usual: Result | undefined
): Promise<Result> => {
  const sim = Sim.make(1)
  const world = World.make(sim, { deployment: operation.deployment, latencies: [1] })
  const wrong: Array<string> = []
  const { scheduler, steps } = makeSteps(sim, step)
  const { fibers, service } = makeFibers()
  const own = { told: { epoch: 1, at: 0 } }
  const context = sim.context.pipe(
    Context.add(RedisConnector.RedisConnector, World.connector(world, serve, own)),
    Context.add(References.MinimumLogLevel, "None"),
    Context.add(Metric.FiberRuntimeMetrics, service)
  )
  const onSteps = Context.add(context, Scheduler.Scheduler, scheduler)
  let result = { outcome: "", time: 0 }
  /** The connections of which the client has told that they were opened, and not that they have ended. */
  let opened = 0

  const main = Effect.gen(function*() {
    const [scope, otherScope] = [yield* Scope.make(), yield* Scope.make()]
    const make = Scope.provide(clientOf(world, operation.options), scope)
    const client = yield* Effect.provideService(make, Scheduler.Scheduler, scheduler)
    const other = yield* Scope.provide(clientOf(world), otherScope).pipe(
      Effect.provideService(RedisConnector.RedisConnector, World.connector(world, serve))
    )
    const connect = (options: RedisConfig.ConnectionOptions) => clientOf(world, { ...operation.options, ...options })
    const stage: Stage = { world, client, other, connect, wrong }
    yield* Effect.forkDetach(
      Stream.runForEach(client.events, ({ _tag }) =>
        Effect.sync(() => {
          if (_tag === "Connected") opened++
          if (_tag === "Disconnected") opened--
        })),
      { startImmediately: true }
    )
    const withClient = Effect.provideService(RedisClient.RedisClient, client)
    yield* Effect.scoped(withClient(operation.before ?? Effect.void))
    yield* other.execute(Redis.get("k"))

    const begin = () => ({
      since: sim.now(),
      fiber: Effect.runForkWith(onSteps)(Effect.scoped(withClient(operation.run(stage))))
    })
    const begun: Array<ReturnType<typeof begin>> = []
    let closing: Fiber.Fiber<void> | undefined = undefined
    steps.act = () => {
      const links = [...world.links].filter(({ client }) => client === own)
      if (disturbance === "interrupt") begun[0]?.fiber.interruptUnsafe()
      if (disturbance === "rival") begun.push(begin())
      if (disturbance === "cut") { for (const link of links) World.cut(link, true) }
      if (disturbance === "hang") { for (const link of links) link.hung = true }
      if (disturbance === "failover" || disturbance === "demote") Topology.failOver(world, ofK, disturbance)
      if (disturbance === "close") closing = Effect.runForkWith(context)(Scope.close(scope, Exit.void))
    }
    steps.armed = true
    begun.push(begin())
    for (const { fiber, since } of begun) {
      const exit = Option.getOrUndefined(yield* Effect.timeoutOption(Fiber.await(fiber), patience))
      if (exit === undefined) {
        fiber.interruptUnsafe()
        wrong.push("somebody waits for ever")
        continue
      }
      result = { outcome: textOf(exit), time: sim.now() - since }
      if (usual === undefined) {
        if (Exit.isFailure(exit)) wrong.push(`it was told ${result.outcome}`)
        continue
      }
      if (!judged(operation, disturbance, exit, usual)) {
        wrong.push(`it was told ${result.outcome}, not ${usual.outcome}`)
      }
      const isLate = result.time > usual.time + rest + lateness
      if (isLate && disturbance !== "hang") wrong.push(`it took ${result.time} ms, not ${usual.time}`)
    }
    yield* settle(client, wrong)
    yield* Effect.sleep(rest + lateness)
    steps.armed = false
    for (const link of world.links) if (link.hung) World.cut(link, true)
    if (closing === undefined) {
      const again = yield* Effect.exit(useAgain(client, !lossless.has(disturbance)))
      if (Exit.isFailure(again)) wrong.push(`the client is of no use any more: ${textOf(again)}`)
      yield* Effect.sleep(rest + lateness)
      const { exclusive, shared, subscribers } = yield* client.stats
      const counted = exclusive + shared + subscribers
      const count = [...world.links].filter(({ client, node }) => client === own && node.kind === "data").length
      if (count !== counted) wrong.push(`the client counts ${counted} connections, and has ${count}`)
      operation.after?.(stage)
    }
    const closed = sim.now()
    if (closing !== undefined) yield* Fiber.await(closing)
    yield* Scope.close(scope, Exit.void)
    if (sim.now() > closed + lateness) wrong.push(`closing took ${sim.now() - closed} ms`)
    yield* Scope.close(otherScope, Exit.void)
  })

  const unhandled = (reason: unknown) => wrong.push(`unhandled: ${inspect(reason)}`)
  process.on("unhandledRejection", unhandled)
  const { random } = Math
  Math.random = sim.random
  try {
    const fiber = Effect.runForkWith(context)(main)
    const ending = await sim.drive(() => fiber.pollUnsafe() !== undefined, 10 * patience)
    const exit = fiber.pollUnsafe()
    if (exit === undefined) wrong.push(`everything is ${ending}`)
    else if (Exit.isFailure(exit)) wrong.push(`it failed: ${textOf(exit)}`)
    await sim.drive(() => world.links.size === 0 && sim.timers() === 0 && fibers.live === 0, sim.now() + patience)
    const left = { connections: world.links.size, timers: sim.timers(), fibers: fibers.live }
    if (opened !== 0) wrong.push(`the client tells of ${opened} connections more than of ends`)
    if (Object.values(left).some((count) => count > 0)) wrong.push(`in the end there are ${inspect(left)}`)
  } finally {
    Math.random = random
    process.off("unhandledRejection", unhandled)
  }
  return { ...result, steps: steps.count, wrong }
}
