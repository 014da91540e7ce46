/**
 * The doubt which server is the master: how often the sentinels are still to be asked.
 */
import { Listeners } from "@redfx/core/unstable/Runtime"
import type * as Effect from "effect/Effect"

/**
 * The number of times in a row that the sentinels are asked before a doubt is given up, because an announcement will
 * follow.
 */
const mostLooks = 50

/** The number of times in a row that they are asked about changes that they notice within a second. */
const fewLooks = 10

export class Doubt {
  #looks = 0
  #heard = false
  /** Told when there is more or less doubt. */
  readonly #changes = new Listeners()

  /** Has the sentinels asked again and again, until it is settled which server is the master. */
  raise(): void {
    this.#looks = mostLooks
    this.#changes.tell()
  }

  /** Takes note of an announcement, and has the sentinels asked without a pause. */
  hear(looks: number = mostLooks): void {
    this.#looks = Math.max(this.#looks, looks)
    this.#heard = true
    this.#changes.tell()
  }

  /** Takes note that there may be another master, which the sentinels notice soon. */
  expectAnother(): void {
    this.hear(fewLooks)
  }

  /** Settles the doubt, unless something was announced since the sentinels were asked. */
  settle(): void {
    if (!this.#heard) this.#looks = 0
    this.#changes.tell()
  }

  /** Counts one round of questions; returns whether there is another. */
  takeLook(): boolean {
    this.#heard = false
    return this.#looks > 0 && this.#looks-- > 0
  }

  /** Suspends until there is a reason to ask the sentinels. */
  readonly raised: Effect.Effect<void> = this.#changes.until(() => this.#looks > 0)

  /** Suspends until there is a reason to skip the next pause, or no reason to go on. */
  readonly settledOrHeard: Effect.Effect<void> = this.#changes.until(() => this.#heard || this.#looks === 0)
}
