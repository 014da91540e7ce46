/**
 * Asks masters that have said that the cluster is down whether it still is, once for all commands that wait for them.
 */
import { clusterInfo } from "@redfx/core/commands/Cluster"
import type { CommandError } from "@redfx/core/RedisError"
import * as Effect from "effect/Effect"
import { unlessLate } from "../topology/discovery.ts"
import type { Node } from "../topology/nodes.ts"

/** The milliseconds between two rounds of questions, and those for which an answer is waited for. */
const pause = 100
const limit = 500

type Waiter = (outcome: Effect.Effect<void, CommandError>) => void

export class DownMasters {
  readonly #find: (address: string) => Node | undefined
  readonly #fork: (effect: Effect.Effect<void>) => void
  /** The commands that wait, and the server that each waits for; `undefined` means any. */
  readonly #waiting = new Map<Waiter, string | undefined>()
  /** The masters that commands wait for, and whether each has said that the whole cluster is down. */
  readonly #said = new Map<string, boolean>()
  #asking = false

  constructor(find: (address: string) => Node | undefined, fork: (effect: Effect.Effect<void>) => void) {
    this.#find = find
    this.#fork = fork
  }

  get isAwaited(): boolean {
    return this.#waiting.size > 0
  }

  /** Suspends until a master says that the cluster is up again, or is no longer a master. */
  until(address: string | undefined): Effect.Effect<void, CommandError> {
    return Effect.callback((resume) => {
      this.#waiting.set(resume, address)
      if (address !== undefined && !this.#said.has(address)) this.#said.set(address, false)
      if (!this.#asking) this.#ask()
      return Effect.sync(() => this.#leave(resume, address))
    })
  }

  /** Forgets a command. The word of a server that nobody waits for any more is of no use. */
  #leave(waiter: Waiter, address: string | undefined): void {
    this.#waiting.delete(waiter)
    if (address === undefined) return
    for (const other of this.#waiting.values()) if (other === address) return
    this.#said.delete(address)
  }

  /** Takes a new topology: nobody waits for a server that is not a master any more. */
  retain(isMaster: (address: string) => boolean): void {
    this.#tell((address) => address === undefined || !isMaster(address), Effect.void)
  }

  /** Ends all waiting, because no server can be asked any more. */
  end(outcome: Effect.Effect<void, CommandError>): void {
    this.#tell(() => true, outcome)
  }

  #tell(concerns: (address: string | undefined) => boolean, outcome: Effect.Effect<void, CommandError>): void {
    for (const [waiter, address] of Array.from(this.#waiting)) {
      if (!concerns(address)) continue
      this.#waiting.delete(waiter)
      if (address !== undefined) this.#said.delete(address)
      waiter(outcome)
    }
  }

  #ask(): void {
    this.#asking = true
    this.#fork(Effect.gen({ self: this }, function*() {
      while (this.isAwaited) {
        yield* Effect.forEach(
          Array.from(this.#said.keys()),
          (address) =>
            Effect.map(this.#isUp(address), (isUp) => {
              if (isUp) this.#tell((other) => other === address, Effect.void)
            }),
          // All are asked at once, so that a server that does not answer holds nobody else up.
          { concurrency: "unbounded", discard: true }
        )
        yield* Effect.sleep(pause)
      }
      this.#said.clear()
      this.#asking = false
    }))
  }

  /**
   * Whether a master says that the cluster is up again. A master that has always said that the cluster is up refuses
   * one slot, and its word about the cluster says nothing about that.
   */
  #isUp(address: string): Effect.Effect<boolean> {
    const node = this.#find(address)
    if (node === undefined) return Effect.succeed(false)
    return Effect.map(unlessLate(node.client.execute(clusterInfo()), limit), (info) => {
      if (info?.clusterState === "fail" && this.#said.has(address)) this.#said.set(address, true)
      return info?.clusterState === "ok" && this.#said.get(address) === true
    })
  }
}
