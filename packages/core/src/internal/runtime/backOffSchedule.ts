/**
 * The back-off of loops that retry. It is apart from the pauses of connections, which a bundle has without schedules.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { backOff, jitter } from "./backOff.ts"

/** The least of an error that tells whether it reached a server. */
interface Failed {
  readonly _tag: string
  readonly delivery?: "not-sent" | "unknown" | undefined
  readonly reason?: string | undefined
}

/**
 * The milliseconds before the next try where the server was not reached. The next command then waits for the next dial,
 * as all commands do, and the client says when that is. So the loop is back when they are, and needs no more pause than
 * one that ends it from becoming busy where the client, for once, fails at once.
 */
const unreached = 10

/** The longest pause while a server loads its data, which it soon has. */
const loading = 100

const pauseAfter = (error: Failed, failures: number): number =>
  isUnreached(error)
    ? unreached
    : backOff(failures, { shortest: 50, longest: error._tag === "BusyLoadingError" ? loading : 2000 })

const isUnreached = ({ _tag, delivery, reason }: Failed): boolean =>
  _tag === "MasterNotFoundError" || _tag === "ReplicaNotFoundError" ||
  // A pool without room fails at once, and has to be waited for.
  delivery === "not-sent" && reason?.startsWith("Pool") !== true

/**
 * The schedule of a loop that retries for as long as it takes: soon at first, then at growing intervals of up to 2 seconds; where
 * the server is away, as soon as there is a connection again.
 */
export const backOffSchedule: Schedule.Schedule<void, Failed> = Schedule.fromStep(
  Effect.sync(() => {
    let failures = 0
    return (_now: number, error: Failed) =>
      Effect.map(jitter, (jitter): [void, Duration.Duration] => [
        undefined,
        Duration.millis(pauseAfter(error, isUnreached(error) ? failures : failures++) * jitter)
      ])
  })
)
