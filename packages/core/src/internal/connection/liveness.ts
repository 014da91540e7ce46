/**
 * Watches whether a server that owes an answer is still there.
 *
 * Nothing distinguishes a server that hangs from one that is busy with a long
 * command: neither answers, on this connection or on another. So there are two steps.
 * A silence that is longer than usual is told to the listener, which may look
 * elsewhere; it costs nobody anything. Only one that is longer than
 * `livenessTimeout` ends the connection, unless a PING is answered.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { Listener, RedisConnection } from "./model.ts"
import { watchSilence } from "./silence.ts"
import type { SlowReply } from "./slowReply.ts"

/** How often a connection that owes an answer is looked at, in milliseconds. */
const tick = 250

/** The shortest silence that means anything, in milliseconds. */
const shortestSilence = 1000

/** The factor by which a silence must exceed the usual one to count as unusual. */
const unusual = 4

/** The factor that an earlier long silence keeps at each later one that is shorter. */
const forgetting = 0.9

export class Liveness {
  /** For how many milliseconds the server has owed an answer and sent nothing, at the last look. */
  silence = 0
  #resume: (() => void) | undefined = undefined

  /** Looks again soon, after something was written. */
  wake(): void {
    const resume = this.#resume
    if (resume === undefined) return
    this.#resume = undefined
    resume()
  }

  /** Watches a connection until it is closed; to be run in a fiber. */
  watch(
    connection: RedisConnection,
    settings: ConnectionSettings,
    { slowReply, onSilence }: { readonly onSilence: Listener["onSilence"]; readonly slowReply: SlowReply }
  ): Effect.Effect<void> {
    const { exchange } = connection
    const limit = Duration.toMillis(settings.livenessTimeout)
    const owed = this.#owed(connection)
    return Effect.gen({ self: this }, function*() {
      let usual = 0
      while (!exchange.closed) {
        yield* owed
        let suspect = false
        yield* watchSilence(connection, {
          every: tick,
          limit,
          while: () => mayEnd(exchange),
          onLook: (silence, over) => {
            slowReply.look(tick)
            this.silence = over ? 0 : silence
            if (over) {
              usual = Math.max(usual * forgetting, silence)
              if (suspect) onSilence?.(suspect = false)
            } else if (!suspect && silence >= Math.min(Math.max(shortestSilence, usual * unusual), limit)) {
              onSilence?.(suspect = true)
              // A connection that is leaving has waited long enough for its last answers.
              exchange.hasten()
            }
          }
        })
        if (suspect && !exchange.closed) onSilence?.(false)
      }
    })
  }

  /** Suspends until the server owes an answer that it may not hold back for ever. */
  #owed({ exchange }: RedisConnection): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (exchange.closed || mayEnd(exchange)) return resume(Effect.void)
      this.#resume = () => resume(Effect.void)
    })
  }
}

/** The number of looks that a silence of `livenessTimeout` takes, where nothing is owed. */
const looks = 4

/**
 * Watches a connection over which a server reports changes of keys, in a fiber. Answers are kept as long as the server
 * says nothing, and while nobody writes, only this watch shows that the server is gone. A silence is noticed late by a
 * look at the most, because nobody may read an old answer for much longer than `livenessTimeout`.
 */
export const listening = (
  connection: RedisConnection,
  { livenessTimeout }: ConnectionSettings
): Effect.Effect<void> => {
  if (!Duration.isFinite(livenessTimeout)) return Effect.void
  const limit = Duration.toMillis(livenessTimeout)
  return watchSilence(connection, { every: limit / looks, limit })
}

/** Whether the server owes an answer that it may not hold back for ever. */
const mayEnd = (exchange: RedisConnection["exchange"]): boolean => {
  const heldBack = exchange.heldBack(0)
  return heldBack !== undefined && heldBack !== Infinity
}
