/**
 * Finds out whether servers that are suspect or down are back, by asking them
 * again and again until they answer.
 */
import { ping } from "@redfx/core/commands/Connection"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import { withTimeout } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Semaphore from "effect/Semaphore"
import type { Node } from "../topology/nodes.ts"
import { learnedOf } from "./verdict.ts"

/** For how many milliseconds a server may leave a PING unanswered, and how many there are until the next one. */
const limit = 500
const pause = 500

export interface ProbesOptions {
  /** Whether the answer is of use to anybody. */
  readonly isOfUse: (node: Node) => boolean
  readonly onAnswer: (node: Node) => void
  /** Called once when a server is found that accepts connections, or bytes, and answers nothing. */
  readonly onHung: (node: Node, error: CommandError) => void
  /** How many servers are asked at the same time. */
  readonly permits: Semaphore.Semaphore
  /** One server that is being asked. */
  readonly meanwhile: (node: Node) => Effect.Effect<never>
}

export class Probes {
  readonly #options: ProbesOptions
  readonly #fork: (effect: Effect.Effect<void>) => void
  readonly #running = new Set<Node>()
  /** Those that were silent the last time they were asked, and what has them asked again at once. */
  readonly #silent = new Map<Node, () => void>()

  constructor(options: ProbesOptions, fork: (effect: Effect.Effect<void>) => void) {
    this.#options = options
    this.#fork = fork
  }

  /** Asks a server until it is healthy, one question at a time however often this is called. */
  start(node: Node): void {
    if (this.#running.has(node)) return
    this.#running.add(node)
    const done = Effect.sync(() => this.#running.delete(node))
    this.#fork(Effect.ensuring(Effect.raceFirst(this.#run(node), this.#options.meanwhile(node)), done))
  }

  /** A connection has ended: a server that was silent is back, or gone; it is asked once without a pause. */
  hurry(node: Node): void {
    this.#silent.get(node)?.()
  }

  /** The pause after silence. */
  #untilHurried(node: Node): Effect.Effect<void> {
    const hurried = Effect.callback<void>((resume) => {
      this.#silent.set(node, () => resume(Effect.void))
      return Effect.sync(() => this.#silent.delete(node))
    })
    return Effect.raceFirst(Effect.sleep(pause), hurried)
  }

  #run(node: Node): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      let wasSilent = false
      while (!node.health.isHealthy && this.#options.isOfUse(node)) {
        const answer = yield* this.#options.permits.withPermit(Effect.result(
          withTimeout(Effect.as(node.client.execute(ping()), true), { limit, orElse: () => Effect.succeed(false) })
        ))
        if (Result.isSuccess(answer)) {
          if (answer.success) return this.#options.onAnswer(node)
          this.#onSilence(node)
          yield* this.#untilHurried(node)
          wasSilent = true
          continue
        }
        if (
          answer.failure._tag !== "BusyLoadingError" && learnedOf(answer.failure, node.address) === undefined
        ) {
          // A refusal is an answer, too: not every user may send PING.
          return this.#options.onAnswer(node)
        }
        if (!wasSilent) yield* Effect.sleep(pause)
        wasSilent = false
      }
    })
  }

  #onSilence(node: Node): void {
    if (node.health.downWith !== undefined) return
    const error = connectionLoss(
      "HealthCheck",
      "The server owes answers and did not answer a PING either",
      node.address
    )
    node.health.fail(error)
    if (this.#options.isOfUse(node)) this.#options.onHung(node, error)
  }
}
