/**
 * Masters that say that the cluster is down: whether they still say so is asked of one of them at a time, for all who wait.
 */
import { clusterInfo } from "@redfx/core/commands/Cluster"
import { within } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"
import type { Node } from "../topology/nodes.ts"

/** Milliseconds between two rounds of questions, and for which an answer is waited for. */
const pause = 100
const limit = 500

export interface DownsOptions {
  /** Whether anybody waits for one of them to be up. */
  readonly isAwaited: () => boolean
  readonly find: (address: string) => Node | undefined
  /** Called when one of them says that the cluster is up again. */
  readonly onUp: () => void
}

export class Downs {
  readonly #options: DownsOptions
  readonly #fork: (effect: Effect.Effect<void>) => void
  /** By their addresses, and whether they have said it of the cluster as a whole. */
  readonly #said = new Map<string, boolean>()
  #asking = false

  constructor(options: DownsOptions, fork: (effect: Effect.Effect<void>) => void) {
    this.#options = options
    this.#fork = fork
  }

  /** A master has refused a command, as the cluster is down. */
  add(address: string): void {
    if (!this.#said.has(address)) this.#said.set(address, false)
  }

  /** Forgets those that are no masters any more; returns whether there were any, or nobody is known to be down. */
  retain(isMaster: (address: string) => boolean): boolean {
    const before = this.#said.size
    for (const address of this.#said.keys()) if (!isMaster(address)) this.#said.delete(address)
    return before === 0 || this.#said.size < before
  }

  /** Asks them as long as anybody waits. */
  ask(): void {
    if (this.#asking) return
    this.#asking = true
    this.#fork(Effect.gen({ self: this }, function*() {
      while (this.#options.isAwaited()) {
        let isUp = false
        for (const address of Array.from(this.#said.keys())) isUp = (yield* this.#isUp(address)) || isUp
        if (isUp) this.#options.onUp()
        yield* Effect.sleep(pause)
      }
      this.#said.clear()
      this.#asking = false
    }))
  }

  /**
   * Whether one says something else than before. One that has said from the beginning that the cluster is up does not serve
   * a slot, of which that tells nothing.
   */
  #isUp(address: string): Effect.Effect<boolean> {
    const node = this.#options.find(address)
    if (node === undefined) return Effect.succeed(false)
    const asked = within(Effect.map(node.client.execute(clusterInfo()), ({ clusterState }) => clusterState), {
      limit,
      orElse: () => Effect.succeed(undefined)
    })
    return Effect.map(Effect.catch(asked, () => Effect.succeed(undefined)), (state) => {
      if (state === "fail") this.#said.set(address, true)
      return state === "ok" && this.#said.get(address) === true && this.#said.delete(address)
    })
  }
}
