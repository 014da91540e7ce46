/**
 * Runs a program to its end, waits until all is quiet, and closes the client.
 */
import { RedisCluster } from "@redfx/cluster"
import { RedisConnector, RedisStandalone } from "@redfx/core"
import type { RedisClient, RedisConfig, RedisError } from "@redfx/core"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { inspect } from "node:util"
import { check, demotions } from "./check.ts"
import type { Facts } from "./check.ts"
import * as Interpreter from "./interpreter.ts"
import type { Env } from "./interpreter.ts"
import type { Program } from "./program.ts"

/** The result of a run, with nothing wrong if all is well. `log` lists what happened to it. */
export interface Report {
  readonly wrong: ReadonlyArray<string>
  readonly log: ReadonlyArray<string>
  readonly commands: number
  readonly faults: number
  readonly interruptions: number
}

export const service = "mymaster"

/**
 * The surroundings of a run.
 *
 * - `addresses`: of the servers, or of the sentinels. `natMap`: of what these tell. `clientName`: of connections.
 * - `calm`: from now on nothing else goes wrong. `well`: when what has gone wrong is over, in milliseconds.
 * - `entries`: tokens of what was added to the stream that is consumed.
 * - `facts`: what was done; asked for when the client is closed. `held`: locks that somebody holds then. `immortal`: keys
 *   that were to have a time to live, and have none.
 * - `connector`: of one more client, if that has one of its own.
 * - `pause`: between two looks at what is to come about, in milliseconds. `late`: how much later than its
 *   limit something may come because the machine is busy. `between`: the milliseconds that the machine has given from one moment to
 *   another.
 */
export interface Stage extends Pick<Env, "arm" | "base" | "now" | "seed"> {
  readonly addresses: readonly [RedisConfig.NodeAddress, ...Array<RedisConfig.NodeAddress>]
  readonly natMap: RedisConfig.NatMap | undefined
  readonly clientName: string | undefined
  readonly calm: Effect.Effect<void>
  readonly well: () => number
  readonly entries: Effect.Effect<ReadonlyArray<string>>
  readonly facts: Effect.Effect<
    Omit<Facts, "again" | "between" | "closed" | "commandTimeout" | "demoting" | "isFar" | "late" | "roomy">
  >
  readonly held: Effect.Effect<ReadonlyArray<string>>
  readonly immortal: Effect.Effect<ReadonlyArray<string>>
  readonly connector: (() => RedisConnector.RedisConnector["Service"]) | undefined
  readonly pause: number
  readonly late: number
  readonly between: Facts["between"]
}

const optionsOf = ({ settings }: Program, clientName: string | undefined): RedisConfig.ConnectionOptions => ({
  clientName,
  protocol: settings.protocol,
  commandTimeout: settings.commandTimeout,
  retryOnTimeout: settings.retryOnTimeout,
  pool: { shared: settings.shared, max: settings.max, acquireTimeout: "2 seconds" },
  limits: { inFlightCommands: settings.inFlight }
})

const clientOf = (
  program: Program,
  { addresses, clientName, natMap }: Stage
): Effect.Effect<
  RedisClient.RedisClient["Service"],
  RedisError.RedisError,
  RedisConnector.RedisConnector | Scope.Scope
> => {
  const options = optionsOf(program, clientName)
  switch (program.deployment) {
    case "standalone":
      return RedisStandalone.make({ ...addresses[0], ...options })
    case "sentinel":
      return RedisSentinel.make({
        sentinels: addresses,
        service,
        natMap,
        readFrom: program.settings.replicas ? "preferReplica" : "master",
        ...options
      })
    case "cluster":
      return Effect.map(
        // There are more keys than one server has.
        RedisCluster.make({
          nodes: addresses,
          natMap,
          crossSlot: "emulate",
          readFrom: program.settings.replicas ? "preferReplica" : "master",
          ...options,
          pool: { shared: program.settings.shared, max: program.settings.max * 3, acquireTimeout: "2 seconds" }
        }),
        ({ client }) => client
      )
  }
}

const zeros = { waiting: 0, inFlight: 0 }

/** Waits until nothing is held any more. What is still held in the end is a fault. */
const settle = (env: Env, pause: number): Effect.Effect<void> =>
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
      yield* Effect.sleep(pause)
    }
  })

/** The milliseconds that handling one more entry may take when all is well. */
const entryLimit = 10_000

/** Handles what is left of a stream, one entry after the other, when all is well again. */
const handleRest = (env: Env, { between, entries, now, pause, well }: Stage): Effect.Effect<void> =>
  Effect.gen(function*() {
    const added = yield* entries
    const missing = () => added.filter((token) => !env.handled.has(token))
    if (missing().length === 0) return
    let since = now()
    let left = missing().length
    const goesOn = () => {
      const before = left
      left = missing().length
      since = left < before ? now() : Math.max(since, well())
      return left > 0 && between(since, now()) < entryLimit
    }
    const until = Effect.repeat(Effect.sleep(pause), { while: goesOn })
    const rest = Effect.raceFirst(Interpreter.consume(env, "last", Infinity), until)
    const exit = yield* Effect.exit(Client.on(env.client)(rest))
    if (Exit.isFailure(exit)) env.wrong.push(`a consumer failed when all was well: ${String(exit.cause)}`)
    for (const token of missing()) env.wrong.push(`the entry ${token} was never handled`)
  })

/** The size of a pool with more connections than a program can use at a time. */
const roomyPool = 50

/** The codes by which a server says that it is no master, so that the connection ends. */
const demotingOf = (deployment: Program["deployment"]): ReadonlySet<string> =>
  new Set(deployment === "sentinel" ? ["READONLY", "MASTERDOWN"] : ["READONLY"])

/** The milliseconds that closing a client may take, and those that callers may take to find out. */
const closeLimit = 2000
const findOutLimit = 3000

/** Closes the client, which nobody can hold up. */
const close = (env: Env, scope: Scope.Closeable, stage: Stage): Effect.Effect<void> =>
  Effect.gen(function*() {
    const before = stage.now()
    yield* Scope.close(scope, Exit.void)
    const took = stage.between(before, stage.now())
    if (took > closeLimit) env.wrong.push(`closing took ${took} ms`)
  })

/** Runs everything to its end, and yields whether the client was closed before that. */
const runAll = (env: Env, program: Program, scope: Scope.Closeable, stage: Stage): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const { closeAt } = program.settings
    const running = yield* Effect.forkChild(Interpreter.runAll(env, program))
    const first = yield* Effect.raceFirst(
      Effect.as(Fiber.await(running), "ended" as const),
      closeAt === undefined ? Effect.never : Effect.as(Effect.sleep(closeAt), "closed" as const)
    )
    if (first === "closed") {
      yield* close(env, scope, stage)
      const late = yield* Effect.timeoutOption(Fiber.await(running), findOutLimit)
      if (Option.isNone(late)) env.wrong.push("somebody goes on after the client was closed")
      yield* stage.calm
      yield* Fiber.interrupt(running)
      return true
    }
    yield* stage.calm
    yield* settle(env, stage.pause)
    yield* handleRest(env, stage)
    yield* settle(env, stage.pause)
    yield* close(env, scope, stage)
    return false
  })

/** Runs a program, judges it, and yields what is wrong. */
export const run = Effect.fnUntraced(function*(program: Program, stage: Stage): Effect.fn.Return<
  { readonly wrong: ReadonlyArray<string>; readonly interruptions: number },
  RedisError.RedisError,
  RedisConnector.RedisConnector
> {
  const scope = yield* Scope.make()
  const client = yield* Scope.provide(clientOf(program, stage), scope)
  const { arm, base, between, late, now, seed } = stage
  // The client's default limit applies without the option.
  const { commandTimeout = 5000, far: isFar, max, retryOnTimeout: again } = program.settings
  const connector = yield* RedisConnector.RedisConnector
  const another = Effect.suspend(() =>
    Effect.provideService(
      clientOf(program, stage),
      RedisConnector.RedisConnector,
      stage.connector === undefined ? connector : stage.connector()
    )
  )
  const env = Interpreter.make({ again, another, arm, base, client, commandTimeout, now, seed })
  const closed = yield* runAll(env, program, scope, stage)
  const facts = yield* stage.facts
  const demoting = demotingOf(program.deployment)
  check(env, { ...facts, between, closed, isFar, late, commandTimeout, again, demoting, roomy: max >= roomyPool })
  // Unless a fault struck on the way, or a limit ended, no lock is left behind.
  if (facts.struck === 0 && demotions(env, { demoting }) === 0 && !isFar && !closed) {
    for (const name of yield* stage.held) env.wrong.push(`${name} is held by nobody`)
  }
  for (const key of yield* stage.immortal) env.wrong.push(`${key} lives for ever`)
  return { wrong: env.wrong, interruptions: env.interrupted }
})
