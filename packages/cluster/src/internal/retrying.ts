/**
 * What pipelines, transactions and blocking commands need to be sent again.
 *
 * @internal
 */
import type { Service } from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { RedisError } from "@redfx/core/RedisError"
import type { Outcome } from "@redfx/core/RedisRouter"
import { ErrorReply } from "@redfx/core/Resp"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ClusterSettings } from "./client.ts"
import type { Node } from "./nodes.ts"
import type { Redirects } from "./redirects.ts"
import type { State } from "./state.ts"
import { endpointOf } from "./topology.ts"
import { reasonOf } from "./tries.ts"
import type { Reason } from "./tries.ts"

/**
 * - `clock`: the client's, by which all its limits and pauses go.
 * - `clientOf`: the client of a node, with the limits of this one.
 * - `refuses`: the error that refuses a command among others.
 * - `unsent`: a transaction of which nothing is sent.
 */
export interface Retrying {
  readonly settings: ClusterSettings
  readonly clock: Clock.Clock
  readonly clientOf: (node: Node) => Service
  readonly state: State
  readonly redirects: Redirects
  readonly refuses: (command: RedisCommand.Any) => RedisError | undefined
  readonly unsent: (
    commands: ReadonlyArray<RedisCommand.Any>
  ) => Effect.Effect<ReadonlyArray<Outcome>, RedisError>
}

/** Waits before the next try, and learns meanwhile what has changed; fails when that cannot be told. */
export const waitFor = ({ clock, state }: Retrying, reason: Reason, pause: number): Effect.Effect<void, RedisError> => {
  const sleep = pause === 0 ? Effect.void : clock.sleep(Duration.millis(pause))
  switch (reason) {
    case "redirect":
      return sleep
    case "loss":
      return Effect.suspend(() => {
        state.requestRefresh(true)
        return sleep
      })
    case "down":
      return Effect.suspend(() => {
        state.requestRefresh(true)
        return state.refresh
      })
    case "uncovered":
      return Effect.suspend(() => {
        state.requestRefresh()
        return Effect.andThen(sleep, Effect.suspend(() => state.isReading ? state.refresh : Effect.void))
      })
  }
}

/** The node to send to for this once, after an ASK. TRYAGAIN is about the node that was asked before. */
export const askedIn = ({ state }: Retrying, error: RedisError, before: Node | undefined): Node | undefined => {
  if (error._tag !== "ConnectionError") return reasonOf(error) === "redirect" ? before : undefined
  const { address, cause } = error
  return cause instanceof ErrorReply && cause.code === "ASK" && address !== undefined
    ? state.follow(cause.line, endpointOf(address))?.node
    : undefined
}
