/**
 * The health of the servers of the cluster, judged by what they answer and what they owe, and by probes where that
 * shows nothing.
 */
import type { CommandError } from "@redfx/core/RedisError"
import { Listeners } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"

/**
 * - `healthy`: nothing is known against it.
 * - `suspect`: it is silent, or its connection was lost: commands that can go elsewhere do.
 * - `down`: it cannot be reached, or does not answer a probe either: nothing is sent there.
 */
type Condition = "healthy" | "suspect" | "down"

/** The health of one server. */
export class Health {
  #condition: Condition = "healthy"
  #error: CommandError | undefined = undefined
  readonly #failures = new Listeners<CommandError>()

  get isHealthy(): boolean {
    return this.#condition === "healthy"
  }

  /** The reason why nothing is sent to the server; `undefined` unless it is down. */
  get downWith(): CommandError | undefined {
    return this.#condition === "down" ? this.#error : undefined
  }

  /** Takes note that the server may be gone. */
  suspect(): void {
    if (this.#condition === "healthy") this.#condition = "suspect"
  }

  /** Takes note that the server is down. */
  fail(error: CommandError): void {
    const wasDown = this.#condition === "down"
    this.#condition = "down"
    this.#error = error
    if (!wasDown) this.#failures.tell(error)
  }

  /** Fails when the server is found to be down from now on. */
  readonly untilDown: Effect.Effect<never, CommandError> = Effect.flip(this.#failures.next)

  /** Takes note of an answer of the server; returns whether the server was not healthy before. */
  answered(): boolean {
    if (this.#condition === "healthy") return false
    this.#condition = "healthy"
    this.#error = undefined
    return true
  }
}
