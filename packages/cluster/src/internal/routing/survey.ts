/**
 * What is asked of every server, such as how long it takes to answer: one survey of all at a time, however often it is asked for.
 */
import { ping } from "@redfx/core/commands/Connection"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { elapsed, withTimeout } from "@redfx/core/unstable/Runtime"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Node } from "../topology/nodes.ts"

/** The number of servers that are asked at the same time. */
const together = 4

/** The milliseconds for which an answer is waited for: a server that takes longer is one that does not answer. */
const limit = 1000

interface Answer<out A> {
  readonly value: A
  readonly at: number
}

export class Survey<out A> {
  readonly #clock: Clock.Clock
  readonly #question: (node: Node) => Effect.Effect<A, unknown>
  readonly #holds: number
  readonly #known = new WeakMap<Node, Answer<A>>()
  #isAsking = false
  /** The servers that are asked after those that are being asked. */
  #next: ReadonlyArray<Node> | undefined = undefined

  /** Asks a question, the answers to which hold for so many milliseconds. */
  constructor(clock: Clock.Clock, question: (node: Node) => Effect.Effect<A, unknown>, holds: number) {
    this.#clock = clock
    this.#question = question
    this.#holds = holds
  }

  /** What a server answered last; `undefined` when it did not answer. */
  readonly of = (node: Node): A | undefined => this.#known.get(node)?.value

  /** Asks these servers, or has them asked after those that are being asked. */
  ask(nodes: ReadonlyArray<Node>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#next = nodes
      if (this.#isAsking) return Effect.void
      this.#isAsking = true
      return Effect.ensuring(
        Effect.whileLoop({
          // In the step that finds none left, or those that come before the next step would never be asked.
          while: () => this.#isAsking = this.#next !== undefined,
          body: () => this.#askNext(),
          step: () => {}
        }),
        Effect.sync(() => {
          this.#isAsking = false
        })
      )
    })
  }

  #askNext(): Effect.Effect<void> {
    const nodes = this.#next ?? []
    this.#next = undefined
    return Effect.forEach(nodes, (node) => this.#askOne(node), { concurrency: together, discard: true })
  }

  /** A server that is suspect or down is asked by others whether it is back. */
  #askOne(node: Node): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { at = -Infinity } = this.#known.get(node) ?? {}
      if (!node.health.isHealthy || elapsed(this.#clock) - at < this.#holds) return Effect.void
      const unknown = () => Effect.sync(() => void this.#known.delete(node))
      const answered = Effect.matchEffect(this.#question(node), {
        onFailure: unknown,
        onSuccess: (value) => Effect.sync(() => void this.#known.set(node, { value, at: elapsed(this.#clock) }))
      })
      return withTimeout(answered, { limit, orElse: unknown })
    })
  }
}

/** The milliseconds that servers take to answer. The topology may be read twenty times a second. */
export const latencies = (clock: Clock.Clock): Survey<number> =>
  new Survey(clock, (node) =>
    Effect.suspend(() => {
      const started = elapsed(clock)
      return Effect.map(node.client.execute(ping()), () => elapsed(clock) - started)
    }), 1000)

/**
 * The availability zones that servers are in, as whoever runs them has told them; empty where nobody has. The text is searched,
 * because `Redis.info` reads a zone named 01 as a number.
 */
export const zones = (clock: Clock.Clock): Survey<string> =>
  new Survey(clock, (node) =>
    Effect.map(
      node.client.execute(RedisCommand.send("INFO", "server")),
      (text) => typeof text === "string" ? /^availability_zone:(.*?)\r?$/m.exec(text)?.[1] ?? "" : ""
    ), 30_000)
