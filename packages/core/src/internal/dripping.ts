/**
 * Watching for a reply that comes so slowly that its caller has given up: it
 * holds up everybody behind it, and shows life all the while.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RedisError } from "../RedisError.ts"
import { connectionLoss } from "./failure.ts"

/** Where replies come from. */
interface Connection {
  readonly address: string
  readonly exchange: {
    readonly closed: boolean
    readonly abandoned: boolean
    readonly replies: number
    readonly close: (failure: RedisError) => void
  }
}

/** Looks in a `commandTimeout`. */
const looks = 4

/**
 * Closes a connection when a part of a reply has come that nobody waits for any more, and the rest does not come within
 * one more `commandTimeout`. Looks are counted rather than time: a program that stands still is no fault of the server's.
 *
 * - `between`: whether no reply has come in part.
 */
export const watch = (
  { address, exchange }: Connection,
  commandTimeout: Duration.Duration,
  between: () => boolean
): Effect.Effect<void> =>
  Effect.gen(function*() {
    let replies = exchange.replies
    let dripping = 0
    while (!exchange.closed) {
      yield* Effect.sleep(Duration.toMillis(commandTimeout) / looks)
      dripping = exchange.abandoned && !between() && exchange.replies === replies ? dripping + 1 : 0
      replies = exchange.replies
      if (dripping > looks) exchange.close(connectionLoss("HealthCheck", tooSlow(commandTimeout), address))
    }
  })

const tooSlow = (commandTimeout: Duration.Duration): string =>
  `A reply came so slowly that its caller had given up, and did not end within ${
    Duration.format(commandTimeout)
  } more either`
