/**
 * Programs that compute, and let nothing else happen meanwhile.
 */
import type { RedisConnector } from "@redfx/core"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import process from "node:process"

/** Connects to a server, and ends when that has answered. */
const ask = `const socket = net.connect(process.argv[1], process.argv[2], () => socket.write("PING\\r\\n"))
socket.once("data", () => socket.destroy())`

/** Blocks the event loop for some milliseconds. */
export const spin = (milliseconds: number): void => {
  const until = performance.now() + milliseconds
  while (performance.now() < until) { /* computes */ }
}

/** Blocks the event loop until the server has answered what was sent to it before, however long that takes, and for a while. */
export const block = ({ host = "", port }: RedisConnector.Endpoint, milliseconds = 0): void => {
  const until = performance.now() + milliseconds
  execFileSync(process.execPath, ["-e", ask, String(port), host], { timeout: 120_000 })
  spin(until - performance.now())
}

/**
 * A clock that stands still but for the time that a test lets pass, in which its program computes: whoever sleeps until
 * then finds out when the loop next looks at its timers, and that is before it looks at its sockets.
 */
export const computing = Effect.sync(() => {
  let now = 0
  const sleeping = new Set<{ readonly until: number; readonly wake: () => void }>()
  const wake = () => {
    for (const sleeper of [...sleeping].sort((a, b) => a.until - b.until)) {
      if (sleeper.until <= now && sleeping.delete(sleeper)) sleeper.wake()
    }
  }
  const nanos = () => BigInt(Math.round(now * 1e6))
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback((resume) => {
        const sleeper = { until: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleeping.add(sleeper)
        return Effect.sync(() => sleeping.delete(sleeper))
      })
  }
  return {
    clock,
    /** Computes at once; what it returns ends when those who slept until then have found out. */
    compute: (milliseconds: number): Promise<void> => {
      now += milliseconds
      const found = new Promise<void>((resume) =>
        setTimeout(() => {
          wake()
          resume()
        })
      )
      // Until that timer is due.
      spin(2)
      return found
    },
    /** How often something took longer. */
    blocks: 0
  }
})

export type Computing = Effect.Success<typeof computing>
