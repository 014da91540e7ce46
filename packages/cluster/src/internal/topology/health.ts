/**
 * How the servers of the cluster are: seen from what they answer and what they
 * owe, and found out by asking where that tells nothing.
 */
import type { RedisError } from "@redfx/core/RedisError"
import type { RedisConnection } from "@redfx/core/unstable/Connection"
import * as Effect from "effect/Effect"

/**
 * - `healthy`: nothing is known against it.
 * - `suspect`: it is silent, or was lost: who can go elsewhere does.
 * - `down`: it cannot be reached, or does not answer a probe either: nothing is sent there.
 */
type Condition = "healthy" | "suspect" | "down"

/** Milliseconds between two looks at what servers owe. */
const interval = 200

/** Looks without an answer after which a server is suspect at the soonest, and how much longer than usual that must be. */
const patience = 5
const factor = 3

/** How much of the longest time that an answer took lately is left after a look. */
const decay = 0.995

/** The health of one server. */
export class Health {
  #condition: Condition = "healthy"
  #error: RedisError | undefined = undefined
  readonly #waiting = new Set<(error: RedisError) => void>()
  /** Its open connections, and how many are being opened. */
  readonly connections = new Set<RedisConnection>()
  dialling = 0
  /** In looks: for how long it has owed an answer, and how long it took to answer at the most, of late. */
  #silent = 0
  #usual = 0
  #received = 0

  get isHealthy(): boolean {
    return this.#condition === "healthy"
  }

  /** Why nothing is sent there, `undefined` unless it is down. */
  get downWith(): RedisError | undefined {
    return this.#condition === "down" ? this.#error : undefined
  }

  /** It may not be there any more. */
  suspect(): void {
    if (this.#condition === "healthy") this.#condition = "suspect"
  }

  /** It is down. */
  fail(error: RedisError): void {
    const wasDown = this.#condition === "down"
    this.#condition = "down"
    this.#error = error
    if (wasDown) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const tell of waiting) tell(error)
  }

  /** Fails when it is found to be down from now on. */
  readonly untilDown: Effect.Effect<never, RedisError> = Effect.callback((resume) => {
    const tell = (error: RedisError) => resume(Effect.fail(error))
    this.#waiting.add(tell)
    return Effect.sync(() => this.#waiting.delete(tell))
  })

  /** Returns whether that is news. */
  answered(): boolean {
    if (this.#condition === "healthy") return false
    this.#condition = "healthy"
    this.#error = undefined
    this.#silent = 0
    return true
  }

  /** Looks at what it owes; returns what that says. */
  look(most: number): "answered" | "silent" | undefined {
    let received = 0
    let owes = this.dialling > 0
    for (const { exchange } of this.connections) {
      received += exchange.received
      // What may be held back is not late.
      owes ||= exchange.heldBack === 0
    }
    const hasAnswered = received > this.#received
    this.#received = received
    // It began after the look before the first one that found it silent.
    if (hasAnswered) this.#usual = Math.max(this.#usual * decay, this.#silent === 0 ? 0 : this.#silent + 1)
    this.#silent = owes && !hasAnswered ? this.#silent + 1 : 0
    if (hasAnswered) return "answered"
    return this.#silent >= Math.min(Math.max(patience, this.#usual * factor), most / interval) ? "silent" : undefined
  }
}

export interface WatchOptions<N> {
  /** The servers that are in use. */
  readonly nodes: () => ReadonlyArray<N>
  /** Milliseconds of silence after which a server is suspect whatever it usually takes. */
  readonly most: number
  readonly onAnswer: (node: N) => void
  readonly onSilence: (node: N) => void
}

/** Looks at all servers as long as it runs. Counts looks, so that a clock that is set, or a busy client, blames nobody. */
export const watch = <N extends { readonly health: Health }>(
  { most, nodes, onAnswer, onSilence }: WatchOptions<N>
): Effect.Effect<never> =>
  Effect.forever(
    Effect.andThen(
      Effect.sleep(interval),
      Effect.sync(() => {
        for (const node of nodes()) {
          const { health } = node
          const seen = health.look(most)
          if (seen === "answered" && !health.isHealthy) onAnswer(node)
          else if (seen === "silent" && health.isHealthy) onSilence(node)
        }
      })
    ),
    { disableYield: true }
  )
