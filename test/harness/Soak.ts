/**
 * Many commands over connections that are cut and stalled, from callers that go away at any moment, with a ledger of
 * what each caller was told.
 */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisCommand, RedisError } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Amounts from "./Amounts.ts"
import * as Chance from "./Chance.ts"
import * as Chaos from "./Chaos.ts"

/**
 * `commands`: how many at the least, and until `enough` has happened. `fibers`: how many at a time. `seed`: of the choices
 * that callers make.
 */
export interface SoakOptions {
  readonly commands: number
  readonly enough: (report: SoakReport) => Amounts.Amounts
  readonly fibers: number
  readonly seed: number
}

/** The counts of what callers were told, and what is wrong with it, which is nothing if all is well. */
export interface SoakReport {
  readonly answered: number
  readonly failed: number
  readonly interrupted: number
  readonly cuts: number
  readonly milliseconds: number
  readonly wrong: ReadonlyArray<string>
}

/** What a caller knows about its write. */
export type Fate = "acknowledged" | "not-sent" | "unknown"

interface State {
  readonly random: () => number
  readonly wrong: Array<string>
  readonly ledger: Map<string, Fate>
  readonly count: { answered: number; failed: number; interrupted: number }
  left: number
  token: number
}

const ledgerKey = "ledger"
const expectedErrors = new Set(["ConnectionError", "TimeoutError"])

/** The reason why a caller has no answer: its own interruption, or an error that must tell the fate of the command. */
const fateOf = (state: State, exit: Exit.Exit<unknown, RedisError.RedisError>): Fate => {
  if (Exit.isSuccess(exit)) {
    state.count.answered++
    return "acknowledged"
  }
  const reason = exit.cause.reasons[0]
  if (reason?._tag !== "Fail") {
    state.count.interrupted++
    if (reason?._tag !== "Interrupt") state.wrong.push(`a defect: ${String(exit.cause)}`)
    return "unknown"
  }
  state.count.failed++
  if (!expectedErrors.has(reason.error._tag)) state.wrong.push(String(reason.error))
  return "delivery" in reason.error ? reason.error.delivery : "unknown"
}

const expectValue = (state: State, what: string, actual: unknown, expected: unknown): void => {
  if (actual !== expected) state.wrong.push(`${what}: ${String(actual)} instead of ${String(expected)}`)
}

const echo = (text: string): RedisCommand.RedisCommand<unknown> => Redis.send("ECHO", text)

/** Reads, and checks that the answer is the caller's own. */
const askOne = (state: State, client: RedisClient.RedisClient["Service"]) =>
  Effect.suspend(() => {
    const token = `t${state.token++}`
    return Effect.map(Chance.impatient(state.random, client.execute(echo(token))), (exit) => {
      fateOf(state, exit)
      if (Exit.isSuccess(exit)) expectValue(state, "ECHO", exit.value, token)
    })
  })

/** Writes. A write must be applied once when it was acknowledged, and never when it was not sent. */
const writeOne = (state: State, client: RedisClient.RedisClient["Service"]) =>
  Effect.suspend(() => {
    const token = `w${state.token++}`
    return Effect.map(
      Chance.impatient(state.random, client.execute(Redis.send("HINCRBY", ledgerKey, token, 1))),
      (exit) => {
        state.ledger.set(token, fateOf(state, exit))
        if (Exit.isSuccess(exit)) expectValue(state, "HINCRBY", exit.value, 1)
      }
    )
  })

/** Runs a pipeline of reads and writes, each of which has an outcome of its own. */
const runPipeline = (state: State, client: RedisClient.RedisClient["Service"]) =>
  Effect.suspend(() => {
    const tokens = Array.from({ length: 2 + Math.floor(state.random() * 10) }, () => `p${state.token++}`)
    state.left -= tokens.length - 1
    const commands = tokens.map((token, i) => i % 2 === 0 ? echo(token) : Redis.send("HINCRBY", ledgerKey, token, 1))
    return Effect.map(Chance.impatient(state.random, client.pipeline(commands)), (exit) => {
      tokens.forEach((token, i) => {
        const outcome = Exit.isSuccess(exit) ? exit.value[i]! : exit
        const fate = fateOf(state, outcome)
        if (i % 2 === 1) state.ledger.set(token, fate)
        if (Exit.isSuccess(exit) && Exit.isSuccess(outcome)) {
          expectValue(state, "pipeline", (outcome as Exit.Success<unknown>).value, i % 2 === 0 ? token : 1)
        }
      })
    })
  })

const caller = (
  state: State,
  clients: ReadonlyArray<RedisClient.RedisClient["Service"]>,
  isOver: () => boolean
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const client = clients[Math.floor(state.random() * clients.length)]!
    const choice = state.random()
    state.left--
    return choice < 0.5 ? askOne(state, client) : choice < 0.9 ? writeOne(state, client) : runPipeline(state, client)
  }).pipe(Effect.repeat({ until: isOver }), Effect.asVoid)

/** How many commands are answered between two cuts, each of which may fail as many as there are callers. */
const peace = 400

/** Cuts connections again and again, and now and then stalls all of them. */
const trouble = (state: State, chaos: Chaos.Chaos): Effect.Effect<never> =>
  Effect.forever(Effect.gen(function*() {
    const { answered } = state.count
    yield* Effect.sleep(2 + state.random() * 40)
    yield* until(Effect.sync(() => state.count.answered), (now) => now >= answered + peace)
    yield* Chance.cut(state.random, chaos)
  }))

const checkLedger = (state: State, applied: ReadonlyMap<string, string>): void => {
  for (const [token, fate] of state.ledger) {
    const times = applied.get(token)
    if (times !== undefined && times !== "1") state.wrong.push(`${token} was applied ${times} times`)
    if (fate === "acknowledged" && times === undefined) state.wrong.push(`${token} was acknowledged and is lost`)
    if (fate === "not-sent" && times !== undefined) state.wrong.push(`${token} was not sent and is applied`)
  }
}

/** Runs the soak on a server of its own. */
export const run = Effect.fnUntraced(function*(options: SoakOptions) {
  const state: State = {
    random: Chance.generator(options.seed),
    wrong: [],
    ledger: new Map(),
    count: { answered: 0, failed: 0, interrupted: 0 },
    left: options.commands,
    token: 0
  }
  const unhandled = (reason: unknown) => state.wrong.push(`unhandled rejection: ${String(reason)}`)
  process.on("unhandledRejection", unhandled)
  yield* Effect.addFinalizer(() => Effect.sync(() => process.off("unhandledRejection", unhandled)))

  const server = yield* RedisServer.make()
  const chaos = yield* Chaos.make(server)
  const clients = [
    yield* Client.make(chaos),
    yield* Client.make(chaos, { commandTimeout: "20 millis", limits: { inFlightCommands: 50 } }),
    yield* Client.make(chaos, { pool: { shared: 3 }, protocol: 2, commandTimeout: "1 second" })
  ]
  const started = performance.now()
  const troubling = yield* Effect.forkChild(trouble(state, chaos))
  const report = (): SoakReport => ({
    ...state.count,
    cuts: chaos.cuts(),
    milliseconds: Math.round(performance.now() - started),
    wrong: state.wrong
  })
  const amounts = (): Amounts.Amounts => ({
    commands: [options.commands - state.left, options.commands],
    ...options.enough(report())
  })
  const isOver = () => state.left <= 0 && Amounts.areReached(amounts())
  const callers = yield* Effect.forkChild(
    Effect.all(Array.from({ length: options.fibers }, () => caller(state, clients, isOver)), {
      concurrency: "unbounded"
    })
  )
  yield* Amounts.reached(Effect.sync(amounts))
  yield* Fiber.interrupt(troubling)
  chaos.resume()
  // The test itself has a limit for callers that hang.
  yield* Fiber.join(callers)
  const { milliseconds } = report()
  const outside = yield* Client.make(server)
  const fields = yield* outside.execute(Redis.hgetall(ledgerKey))
  checkLedger(state, new Map(Object.entries(fields)))
  return { ...report(), milliseconds }
}, Effect.scoped)
