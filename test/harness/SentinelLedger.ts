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

const key = "ledger"

/** What goes wrong in a failover, and says whether the command was run. */
const expected: ReadonlySet<string> = new Set(["ConnectionError", "MasterNotFoundError", "TimeoutError"])

interface State {
  readonly fates: Map<string, Fate>
  readonly wrong: Array<string>
  readonly waiting: Set<() => void>
  token: number
  acknowledged: number
  stopped: boolean
}

const fateOf = (state: State, error: RedisError.RedisError): Fate => {
  if (!expected.has(error._tag)) state.wrong.push(String(error))
  return "delivery" in error ? error.delivery : "not-sent"
}

/** Writes one token after the other: half of the callers retry while it is safe, half leave it at one try. */
const caller = (state: State, client: RedisClient.Service, index: number): Effect.Effect<void> =>
  Effect.suspend(() => {
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

/** What does not fit between what callers were told and what is on the server. */
const check = (state: State, applied: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  for (const [token, fate] of state.fates) {
    const times = applied[token]
    if (times !== undefined && times !== "1") state.wrong.push(`${token} was applied ${times} times`)
    if (fate === "not-sent" && times !== undefined) state.wrong.push(`${token} was not sent and is applied`)
  }
  return state.wrong
}

/**
 * Starts callers. `acknowledged`: waits for so many more acknowledged writes. `stop`: ends the callers and returns what
 * is wrong. That a write is on the server is only asked of those that were acknowledged after the last change: a master
 * acknowledges before its replicas have the write.
 */
export const start = Effect.fnUntraced(function*(client: RedisClient.Service, callers = 8) {
  const state: State = {
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
  let kept = new Set<string>()
  return {
    acknowledged: (count: number) =>
      Effect.suspend(() => {
        const goal = state.acknowledged + count
        const before = new Set(state.fates.keys())
        return Effect.map(untilAcknowledged(state, goal), () => {
          kept = new Set(
            [...state.fates].flatMap(([token, fate]) => fate === "acknowledged" && !before.has(token) ? [token] : [])
          )
        })
      }),
    stop: Effect.gen(function*() {
      state.stopped = true
      const exit = yield* Effect.exit(Fiber.join(running))
      if (Exit.isFailure(exit)) state.wrong.push(String(exit.cause))
      const applied = yield* client.execute(Redis.hgetall(key))
      for (const token of kept) {
        if (applied[token] === undefined) state.wrong.push(`${token} was acknowledged by the new master and is lost`)
      }
      return check(state, applied)
    })
  }
})
