/**
 * Measures how long servers take to answer: one measurement of all at a time, however often it is asked for.
 */
import { ping } from "@redfx/core/commands/Connection"
import { elapsed, withTimeout } from "@redfx/core/unstable/Runtime"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Node } from "../topology/nodes.ts"

/** The number of servers that are measured at the same time. */
const together = 4

/** The milliseconds for which an answer is waited for: a server that takes longer is not near. */
const limit = 1000

/** The milliseconds for which a latency holds: the topology may be read twenty times a second. */
const fresh = 1000

interface Latency {
  readonly milliseconds: number
  readonly at: number
}

export class Latencies {
  readonly #clock: Clock.Clock
  readonly #known = new WeakMap<Node, Latency>()
  #isMeasuring = false
  /** The servers that are measured after those that are being measured. */
  #next: ReadonlyArray<Node> | undefined = undefined

  constructor(clock: Clock.Clock) {
    this.#clock = clock
  }

  /** The milliseconds that a server took to answer when it was measured last; `undefined` when it did not answer. */
  readonly of = (node: Node): number | undefined => this.#known.get(node)?.milliseconds

  /** Measures these servers, or has them measured after those that are being measured. */
  measure(nodes: ReadonlyArray<Node>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#next = nodes
      if (this.#isMeasuring) return Effect.void
      this.#isMeasuring = true
      return Effect.ensuring(
        Effect.whileLoop({
          // In the step that finds none left, or those that come before the next step would never be measured.
          while: () => this.#isMeasuring = this.#next !== undefined,
          body: () => this.#measureNext(),
          step: () => {}
        }),
        Effect.sync(() => {
          this.#isMeasuring = false
        })
      )
    })
  }

  #measureNext(): Effect.Effect<void> {
    const nodes = this.#next ?? []
    this.#next = undefined
    return Effect.forEach(nodes, (node) => this.#ask(node), { concurrency: together, discard: true })
  }

  /** A server that is suspect or down is asked by others whether it is back. */
  #ask(node: Node): Effect.Effect<void> {
    return Effect.suspend(() => {
      const started = elapsed(this.#clock)
      const { at = -Infinity } = this.#known.get(node) ?? {}
      if (!node.health.isHealthy || started - at < fresh) return Effect.void
      const unknown = () => Effect.sync(() => void this.#known.delete(node))
      const answered = Effect.matchEffect(node.client.execute(ping()), {
        onFailure: unknown,
        onSuccess: () =>
          Effect.sync(() => {
            const at = elapsed(this.#clock)
            this.#known.set(node, { milliseconds: at - started, at })
          })
      })
      return withTimeout(answered, { limit, orElse: unknown })
    })
  }
}
