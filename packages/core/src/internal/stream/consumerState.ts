/**
 * What the fibers of one consumer share, and how they run commands.
 */
import * as Effect from "effect/Effect"
import type * as Queue from "effect/Queue"
import * as Groups from "../../commands/StreamGroups.ts"
import type * as RedisArg from "../../RedisArg.ts"
import type { RedisClient } from "../../RedisClient.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import { isRetryable } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import { forMaster } from "../client/forMaster.ts"
import { quoted } from "../error/printable.ts"
import type { Listeners } from "../runtime/listeners.ts"
import type { Received } from "./reading.ts"
import type { Settings } from "./settings.ts"
import type { Silence } from "./silence.ts"

/** An entry that was obtained, and how often it was delivered by then. */
export interface Obtained extends Received {
  readonly deliveries: number
}

/** Passes entries that were received on, with the number of deliveries of each. */
export type Take = (
  entries: ReadonlyArray<Received>,
  deliveriesOf: (entry: Received, index: number) => number
) => Effect.Effect<void>

/** The state that the fibers of one consumer share. */
export interface State {
  readonly settings: Settings
  readonly client: RedisClient["Service"]
  readonly queue: Queue.Queue<Obtained>
  readonly held: Map<string, { readonly stage: "waiting" | "handled"; readonly deliveries: number }>
  /** Told each time that an entry leaves `held`. */
  readonly released: Listeners
  readonly silence: Silence
  /** Whether the consumer was told to end, so that it waits and retries no more. */
  ending: boolean
}

/** How many pending entries one command looks at or renews. */
export const pageSize = 500

/** What is pending, which consumers act on, so that an old answer would be a wrong one. */
export const pendingRange = (...of: Parameters<typeof Groups.xpendingRange>) =>
  forMaster(RedisCommand.asBytes(Groups.xpendingRange(...of)))

/** Runs a command until it succeeds, or fails with an error that no retry can fix. */
export const persevere = <A>(
  state: State,
  command: RedisCommand.RedisCommand<A>
): Effect.Effect<A, CommandError> => persevering(state, state.client.execute(command))

export const persevering = <A>(state: State, effect: Effect.Effect<A, CommandError>): Effect.Effect<A, CommandError> =>
  Effect.retry(effect, {
    schedule: state.settings.schedule,
    while: (error) => isRetryable(error) && !state.ending
  })

/** A key in messages. */
export const keyText = (key: RedisArg.Key): string => typeof key === "string" ? quoted(key) : `of ${key.length} bytes`

/** In the view in which the consumer reads fields. */
export const inView = <A>(settings: Settings, command: RedisCommand.RedisCommand<A, A>) =>
  settings.fields === "bytes" ? RedisCommand.asBytes(command) : command
