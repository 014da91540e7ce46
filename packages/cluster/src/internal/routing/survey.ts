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

/** The milliseconds after which a server that gave no answer is asked again at the soonest. */
const pause = 1000

/** - `value`: `undefined` when nothing is known. `at`: when it was asked for. */
interface Answer<out A> {
  readonly value: A | undefined
  readonly at: number
}

/**
 * - `holds`: the milliseconds for which an answer is not asked for again.
 * - `lasts`: whether an answer is known until there is another one, also where the server gives none meanwhile.
 */
interface Question<out A> {
  readonly ask: (node: Node) => Effect.Effect<A, unknown>
  readonly holds: number
  readonly lasts: boolean
}

export class Survey<out A> {
  readonly #clock: Clock.Clock
  readonly #question: Question<A>
  readonly #known = new WeakMap<Node, Answer<A>>()
  #isAsking = false
  /** The servers that are asked after those that are being asked. */
  #next: ReadonlyArray<Node> | undefined = undefined

  constructor(clock: Clock.Clock, question: Question<A>) {
    this.#clock = clock
    this.#question = question
  }

  /** What is known of a server. */
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
      const at = elapsed(this.#clock)
      const known = this.#known.get(node)
      const { ask, lasts } = this.#question
      const holds = known?.value === undefined ? pause : this.#question.holds
      if (!node.health.isHealthy || known !== undefined && at - known.at < holds) return Effect.void
      const knowing = (value: A | undefined) => Effect.sync(() => void this.#known.set(node, { value, at }))
      const unanswered = () => knowing(lasts ? known?.value : undefined)
      const answered = Effect.matchEffect(ask(node), { onFailure: unanswered, onSuccess: knowing })
      return withTimeout(answered, { limit, orElse: unanswered })
    })
  }
}

/** The milliseconds that servers take to answer. The topology may be read twenty times a second. */
export const latencies = (clock: Clock.Clock): Survey<number> =>
  new Survey(clock, {
    ask: (node) =>
      Effect.suspend(() => {
        const started = elapsed(clock)
        return Effect.map(node.client.execute(ping()), () => elapsed(clock) - started)
      }),
    holds: 1000,
    lasts: false
  })

/**
 * The availability zones that servers are in, as whoever runs them has told them; empty where nobody has. The text is searched,
 * because `Redis.info` reads a zone named 01 as a number.
 */
export const zones = (clock: Clock.Clock): Survey<string> =>
  new Survey(clock, {
    ask: (node) =>
      Effect.map(
        node.client.execute(RedisCommand.send("INFO", "server")),
        (text) => typeof text === "string" ? /^availability_zone:(.*?)\r?$/m.exec(text)?.[1] ?? "" : ""
      ),
    holds: 30_000,
    lasts: true
  })
