/** redfx and its peers as the demo uses them: a write with an id, tried again where its client says that it did not run. */
import type { RedisError } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { fateOfExit, keyAt, layerOf } from "../../bench/src/chaos/clients.ts"
import type { ChaosClient, Deployment, Fate } from "../../bench/src/chaos/clients.ts"
import { close } from "../../bench/src/chaos/run.ts"
import { write } from "./program.ts"

/** Writes an id at a place, and says what its caller is told in the end; `onError` hears of every failure on the way. */
export type Write = (place: string, id: string, onError: (tag: string) => void) => Effect.Effect<Fate>

export interface Client {
  readonly name: string
  readonly open: (deployment: Deployment) => Effect.Effect<Write, RedisError.RedisError, Scope.Scope>
}

export const redfx: Client = {
  name: "redfx",
  open: (deployment) =>
    Effect.map(
      Layer.build(layerOf(deployment, "demo")),
      (context): Write => (place, id, onError) =>
        write(keyAt(place, "redfx"), id, onError).pipe(Effect.exit, Effect.map(fateOfExit), Effect.provide(context))
    )
}

const fromPeer = (peer: ChaosClient): Client => ({
  name: peer.name,
  open: Effect.fnUntraced(function*(deployment) {
    const session = yield* Effect.acquireRelease(
      Effect.promise(async () => peer.open(deployment, "demo")),
      (session) => Effect.promise(async () => session && close(session))
    )
    const caller = session?.callers[0]
    if (caller === undefined) return yield* Effect.die(`${peer.name} does not know this deployment`)
    return (place, id, onError) =>
      Effect.promise(() => caller.write(place, id)).pipe(
        Effect.map(([written]): Fate => written ?? { fate: "unknown" }),
        Effect.tap(({ fate, tag = "Error" }) => Effect.sync(() => fate === "acknowledged" || onError(tag))),
        Effect.repeat({ schedule: Schedule.spaced("50 millis"), until: ({ fate }) => fate !== "refused" })
      )
  })
})

/** ioredis and node-redis. They are loaded only when they are wanted. */
export const peers: Effect.Effect<ReadonlyArray<Client>> = Effect.promise(() =>
  import("../../bench/src/chaos/peers.ts").then(({ peers }) => peers.map(fromPeer))
)
