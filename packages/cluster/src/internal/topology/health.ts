/**
 * The health of the servers of the cluster, judged by what they answer and what they owe, and by probes where that
 * shows nothing.
 */
import type { CommandError } from "@redfx/core/RedisError"
import { Listeners, Once } from "@redfx/core/unstable/Runtime"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/**
 * - `healthy`: nothing is known against it.
 * - `suspect`: it is silent, its connection was lost, or it takes none: commands that can go elsewhere do.
 * - `down`: it cannot be reached, or does not answer a probe either: nothing is sent there.
 */
type Condition = "healthy" | "suspect" | "down"

/** The milliseconds for which what was learned counts as of the moment: readings that are asked for again and again come as often. */
export const lately = 2000

/** The health of one server. While another server has its address, it is down, whatever that one answers. */
export class Health {
  #condition: Condition = "healthy"
  #error: CommandError | undefined = undefined
  #isUnready = false
  #stranger: CommandError | undefined = undefined
  /** When it began not to let this client in, and when it did that last. */
  #turnedAway: { readonly since: number; readonly last: number } | undefined = undefined
  /** The next time that nobody need wait for it any longer. */
  #fall = new Once<never, CommandError>()
  /** Told when another server is found to have its address. */
  readonly takenOver = new Listeners<CommandError>()

  get isHealthy(): boolean {
    return this.#condition === "healthy" && this.#stranger === undefined
  }

  /** The reason why nothing is sent to the server; `undefined` unless it is down. */
  get downWith(): CommandError | undefined {
    return this.#stranger ?? (this.#condition === "down" ? this.#error : undefined)
  }

  /** The reason why nothing at all is sent to its address: another server has it; `undefined` otherwise. */
  get estranged(): CommandError | undefined {
    return this.#stranger
  }

  /** Whether the server takes what was sent to it: it is not down, and has not refused the last connection. */
  get takesConnections(): boolean {
    return this.downWith === undefined && !this.#isUnready
  }

  /** The time since which the server has not let this client in. A refusal of long ago says nothing of what it does now. */
  turnedAwaySince(now: number): number | undefined {
    const refused = this.#turnedAway
    return refused !== undefined && now - refused.last < lately ? refused.since : undefined
  }

  /** Takes note that the server may be gone. */
  suspect(): void {
    if (this.#condition === "healthy") this.#condition = "suspect"
  }

  /** Takes note that the server is there, and takes no connection. */
  refuse(): void {
    this.suspect()
    this.#isUnready = true
  }

  /** Takes note that the server does not let this client in. */
  turnAway(now: number): void {
    this.#turnedAway = { since: this.turnedAwaySince(now) ?? now, last: now }
  }

  /** Takes note that the server is down. */
  fail(error: CommandError): void {
    const wasDown = this.downWith !== undefined
    this.#condition = "down"
    this.#error = error
    if (!wasDown) this.endDials(error)
  }

  /** Takes note that another server has its address. */
  estrange(error: CommandError): void {
    const wasDown = this.downWith !== undefined
    this.#stranger = error
    this.takenOver.tell(error)
    if (!wasDown) this.endDials(error)
  }

  /** Fails what waits for a connection to the server. */
  endDials(error: CommandError): void {
    const fall = this.#fall
    this.#fall = new Once()
    fall.end(Exit.fail(error))
  }

  /** Takes note that the server has its address again. It is not known to answer. */
  recognize(): void {
    if (this.#stranger === undefined) return
    this.#stranger = undefined
    this.suspect()
  }

  /** Fails when the server is found to be down, or its dials are ended, after this was asked for, also before it is waited for. */
  get untilDown(): Effect.Effect<never, CommandError> {
    return this.#fall.outcome
  }

  /** Takes note of an answer of the server; returns whether it is healthy by that, and was not before. */
  answered(): boolean {
    this.#turnedAway = undefined
    if (this.#condition === "healthy") return false
    this.#condition = "healthy"
    this.#error = undefined
    this.#isUnready = false
    return this.#stranger === undefined
  }
}
