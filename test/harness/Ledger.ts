/**
 * Callers that write unique tokens through a failover, and what they were told of each.
 */
import { Redis, RedisError } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type { Fate } from "./Soak.ts"

/** The errors to be expected in a failover, each of which says whether the command was run. */
const expected: ReadonlySet<string> = new Set(["ConnectionError", "MasterNotFoundError", "TimeoutError"])

/**
 * - `callers`: how many write at a time. `keys`: what they write to, in turn.
 * - `errors`: what may go wrong besides lost connections; where they do not say otherwise, nothing was run then.
 * - `durable`: whether everything acknowledged must be there, as where no server is lost.
 */
interface LedgerOptions {
  readonly callers?: number | undefined
  readonly keys?: ReadonlyArray<string> | undefined
  readonly errors?: ReadonlyArray<RedisError.RedisError["_tag"]> | undefined
  readonly durable?: boolean | undefined
}

interface State {
  readonly keys: ReadonlyArray<string>
  readonly expected: ReadonlySet<string>
  readonly fates: Map<string, Fate>
  readonly wrong: Array<string>
  readonly waiting: Set<() => void>
  token: number
  acknowledged: number
  stopped: boolean
}

const fateOf = (state: State, error: RedisError.RedisError): Fate => {
  if (!state.expected.has(error._tag)) state.wrong.push(String(error))
  return "delivery" in error ? error.delivery : "not-sent"
}

/** Writes one token after the other. Half of the callers retry while it is safe, half make one try. */
const caller = (state: State, client: RedisClient.RedisClient["Service"], index: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const key = state.keys[state.token % state.keys.length] ?? ""
    const token = `t${state.token++}`
    const once = client.execute(Redis.hincrby(key, token, 1))
    const write = index % 2 === 0
      ? Effect.retry(once, { schedule: Schedule.spaced("10 millis"), while: RedisError.isSafeToRetry })
      : Effect.tapError(once, () => Effect.sleep("10 millis"))
    return Effect.map(Effect.result(write), (result) => {
      state.fates.set(token, result._tag === "Success" ? "acknowledged" : fateOf(state, result.failure))
      if (result._tag === "Failure") return
      state.acknowledged++
      for (const wake of state.waiting) wake()
      if (result.success !== 1) state.wrong.push(`${token} was answered with ${result.success}`)
    })
  }).pipe(Effect.repeat({ while: () => !state.stopped }), Effect.asVoid)

const untilAcknowledged = (state: State, goal: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const wake = () => {
      if (state.acknowledged < goal) return
      state.waiting.delete(wake)
      resume(Effect.void)
    }
    state.waiting.add(wake)
    wake()
    return Effect.sync(() => state.waiting.delete(wake))
  })

/** The differences between what callers were told and what is on the server. */
const check = (state: State, applied: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  for (const [token, fate] of state.fates) {
    const times = applied[token]
    if (times !== undefined && times !== "1") state.wrong.push(`${token} was applied ${times} times`)
    if (fate === "not-sent" && times !== undefined) state.wrong.push(`${token} was not sent and is applied`)
  }
  return state.wrong
}

/**
 * Starts callers. `acknowledged` waits for so many more acknowledged writes; `stop` ends the callers and returns what
 * is wrong. Unless all writes must be durable, only those that were acknowledged after the last change have to be on
 * the server, because a master acknowledges before its replicas have the write.
 */
export const start = Effect.fnUntraced(function*(
  client: RedisClient.RedisClient["Service"],
  { callers = 8, durable = false, errors = [], keys = ["ledger"] }: LedgerOptions = {}
) {
  const state: State = {
    keys,
    expected: new Set([...expected, ...errors]),
    fates: new Map(),
    wrong: [],
    waiting: new Set(),
    token: 0,
    acknowledged: 0,
    stopped: false
  }
  const running = yield* Effect.forkScoped(
    Effect.all(Array.from({ length: callers }, (_, index) => caller(state, client, index)), {
      concurrency: "unbounded"
    })
  )
  const acknowledgedSince = (before: ReadonlySet<string>) =>
    new Set([...state.fates].flatMap(([token, fate]) => fate === "acknowledged" && !before.has(token) ? [token] : []))
  let kept: ReadonlySet<string> = new Set()
  return {
    acknowledged: (count: number) =>
      Effect.suspend(() => {
        const before = new Set(state.fates.keys())
        return Effect.map(untilAcknowledged(state, state.acknowledged + count), () => {
          kept = acknowledgedSince(before)
        })
      }),
    stop: Effect.gen(function*() {
      state.stopped = true
      const exit = yield* Effect.exit(Fiber.join(running))
      if (Exit.isFailure(exit)) state.wrong.push(String(exit.cause))
      const hashes = yield* Effect.forEach(keys, (key) => client.execute(Redis.hgetall(key)))
      const applied: Readonly<Record<string, string>> = Object.assign({}, ...hashes)
      for (const token of durable ? acknowledgedSince(new Set()) : kept) {
        if (applied[token] === undefined) state.wrong.push(`${token} was acknowledged and is lost`)
      }
      return check(state, applied)
    })
  }
})
