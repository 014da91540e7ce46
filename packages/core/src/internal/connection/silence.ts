/**
 * Silence, then a PING, then the end of the connection: what is done about a server that says nothing.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { CommandError } from "../../RedisError.ts"
import { connectionLoss } from "../error/events.ts"
import type { RedisConnection } from "./model.ts"

/**
 * How the silence of a server is judged. All times are in milliseconds.
 *
 * - `every`: the time between two looks. `limit`: the silence after which the server is sent a PING.
 * - `while`: whether the watch goes on. Without it, it goes on until the connection is closed.
 * - `deaf`: whether the client does not read, so that nothing can arrive.
 * - `onLook`: told at each look how long the silence is by now, or was when it is over.
 * - `probe`: the PING. Default: that of the connection.
 */
export interface SilenceOptions {
  readonly every: number
  readonly limit: number
  readonly while?: (() => boolean) | undefined
  readonly deaf?: (() => boolean) | undefined
  readonly onLook?: ((silence: number, over: boolean) => void) | undefined
  readonly probe?: Effect.Effect<unknown, unknown> | undefined
}

/**
 * Watches a connection, and closes it when nothing arrives for too long and a PING is not answered either.
 *
 * The watch counts looks and does not measure time: a clock that jumps, or a program that stands still, is not the
 * server's silence. Neither is the time for which the server may hold back its next answer.
 */
export const watchSilence = (connection: RedisConnection, options: SilenceOptions): Effect.Effect<void> => {
  const { address, exchange, probe } = connection
  const { deaf = () => false, every, limit, onLook } = options
  return Effect.gen(function*() {
    let { handed, received } = exchange
    let silent = 0
    let taking = 0
    let silence = 0
    while (!exchange.closed && options.while?.() !== false) {
      yield* Effect.sleep(every)
      if (exchange.received !== received || deaf()) {
        onLook?.(silence, true)
        received = exchange.received
        silent = silence = taking = 0
        continue
      }
      silent += every
      if (exchange.handed !== handed) {
        handed = exchange.handed
        taking = silent
      }
      silence = silent - (exchange.heldBack(taking) ?? 0)
      onLook?.(silence, false)
      if (silence < limit) continue
      const answer = yield* Effect.exit(options.probe ?? probe)
      // Anything shows life, also the reply to a command that was sent before the PING.
      if (Exit.isFailure(answer) && exchange.received === received && !deaf()) {
        exchange.close(saidNothing(limit, address))
      }
    }
  })
}

/** The loss of a connection by silence, of so many milliseconds. */
export const saidNothing = (milliseconds: number, address: string): CommandError =>
  connectionLoss(
    "HealthCheck",
    `The server said nothing for ${Duration.format(Duration.millis(milliseconds))} and did not answer a PING either`,
    address
  )
