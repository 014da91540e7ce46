/**
 * Ends a connection over a reply that comes so slowly that its caller has given up. Such a reply holds up everybody
 * behind it, and shows life all the while.
 */
import * as Duration from "effect/Duration"
import { connectionLoss } from "../error/events.ts"
import type { RedisConnection } from "./model.ts"

/**
 * Closes a connection when a part of a reply has come that nobody waits for any more, and the rest does not come within
 * one more `commandTimeout`.
 *
 * - `between`: whether no reply has come in part.
 */
export class SlowReply {
  readonly #connection: RedisConnection
  readonly #limit: number
  readonly #between: () => boolean
  #replies = 0
  #milliseconds = 0

  constructor(connection: RedisConnection, limit: number, between: () => boolean) {
    this.#connection = connection
    this.#limit = limit
    this.#between = between
  }

  /** Looks at the connection. It is called while an answer is owed, every `tick` milliseconds. */
  look(tick: number): void {
    const { address, exchange } = this.#connection
    const goesOn = exchange.abandoned && !this.#between() && exchange.replies === this.#replies
    this.#milliseconds = goesOn ? this.#milliseconds + tick : 0
    this.#replies = exchange.replies
    if (this.#milliseconds >= this.#limit) exchange.close(connectionLoss("HealthCheck", tooSlow(this.#limit), address))
  }
}

const tooSlow = (limit: number): string =>
  `A reply came so slowly that its caller had given up, and did not end within ${
    Duration.format(Duration.millis(limit))
  } more either`
