/** What a client has to do to go through the faults, and redfx with its single writes. */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"

/** Where a deployment is reached. */
export type Deployment =
  | { readonly mode: "standalone"; readonly address: Address }
  | { readonly mode: "cluster"; readonly nodes: ReadonlyArray<Address> }
  | { readonly mode: "sentinel"; readonly sentinels: ReadonlyArray<Address>; readonly service: string }

interface Address {
  readonly host: string
  readonly port: number
}

/**
 * What a caller was told of a write. `unknown`: it may have been applied, by the word of the client; clients that do not
 * tell leave that open, so it counts as unknown. `refused`: it was not applied, by the word of the client.
 */
export interface Fate {
  readonly fate: "acknowledged" | "unknown" | "refused"
  readonly tag?: string | undefined
}

/** One write: a token under a key, and what the caller was told. `place`: the one of the keys of the run. */
export interface Written extends Fate {
  readonly place: string
  readonly key: string
  readonly token: string
}

/**
 * One kind of use of a client. `write` uses a token at a place and never rejects. `applied` says how often each write is
 * found afterwards; without it, each token is a field of the hash at its key, which counts.
 */
export interface Caller {
  readonly label: string | undefined
  readonly write: (place: string, token: string) => Promise<ReadonlyArray<Written>>
  readonly applied?: ((written: ReadonlyArray<Written>) => Promise<ReadonlyArray<number>>) | undefined
}

/** An open client. */
export interface Session {
  readonly callers: ReadonlyArray<Caller>
  readonly close: () => Promise<void>
}

/**
 * `open`: with this name on the servers, which some clients add to. Undefined where it does not know the deployment.
 */
export interface ChaosClient {
  readonly name: string
  readonly open: (deployment: Deployment, connectionName: string) => Promise<Session> | undefined
}

/** The key at a place: in the slot of the place, and of its client and use alone. */
export const keyAt = (place: string, user: string): string => `{${place}}:${user}`

/** A caller of single writes: `hincrby` resolves when it was acknowledged, and `fateOf` tells what a rejection means. */
export const single = (
  name: string,
  hincrby: (key: string, field: string) => Promise<unknown>,
  fateOf: (error: unknown) => Fate
): Caller => ({
  label: undefined,
  write: async (place, token) => {
    const key = keyAt(place, name)
    const fate = await hincrby(key, token).then((): Fate => ({ fate: "acknowledged" }), fateOf)
    return [{ place, key, token, ...fate }]
  }
})

// -----------------------------------------------------------------------------
// redfx
// -----------------------------------------------------------------------------

const name = "redfx"

export const layerOf = (
  deployment: Deployment,
  clientName: string,
  options: { readonly masterWait?: Duration.Input } = {}
): Layer.Layer<RedisClient.RedisClient, RedisError.RedisError> =>
  // At least one address is given.
  deployment.mode === "standalone"
    ? NodeRedisClient.layer({ ...deployment.address, clientName })
    : deployment.mode === "cluster"
    ? NodeRedisClient.layerCluster({ nodes: deployment.nodes as [Address], clientName })
    : NodeRedisClient.layerSentinel({
      sentinels: deployment.sentinels as [Address],
      service: deployment.service,
      clientName,
      ...options
    })

/** What an error of redfx tells: of a whole of several parts also whether others of them ran. */
export const fateOfError = (error: RedisError.RedisError): Fate => {
  const isPartial = "partial" in error && error.partial !== undefined
  const isOpen = isPartial || ("delivery" in error && error.delivery === "unknown")
  return { fate: isOpen ? "unknown" : "refused", tag: error._tag }
}

/** What an outcome of redfx tells. A defect tells nothing, and must not be. */
export const fateOfExit = (exit: Exit.Exit<unknown, RedisError.RedisError>): Fate => {
  if (Exit.isSuccess(exit)) return { fate: "acknowledged" }
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  return failure === undefined
    ? { fate: "unknown", tag: `Defect: ${Cause.pretty(exit.cause)}` }
    : fateOfError(failure.error)
}

/** Runs with the client, which can fail to open too. */
export type Run = <A, E>(
  effect: Effect.Effect<A, E, RedisClient.RedisClient>
) => Promise<Exit.Exit<A, E | RedisError.RedisError>>

/** Opens redfx for some kinds of use, all of one client. */
const openRedfx = async (
  deployment: Deployment,
  connectionName: string,
  uses: (run: Run) => Promise<ReadonlyArray<Caller>>,
  options: Parameters<typeof layerOf>[2] = {}
): Promise<Session> => {
  const runtime = ManagedRuntime.make(layerOf(deployment, connectionName, options))
  await runtime.context()
  return { callers: await uses(runtime.runPromiseExit), close: () => runtime.dispose() }
}

const singleWrites = (run: Run, user = name): Caller => ({
  label: undefined,
  write: async (place, token) => {
    const key = keyAt(place, user)
    return [{ place, key, token, ...fateOfExit(await run(Redis.hincrby(key, token, 1))) }]
  }
})

export const own: ChaosClient = {
  name,
  open: (deployment, connectionName) => openRedfx(deployment, connectionName, async (run) => [singleWrites(run)])
}

const waitingName = "redfx+masterWait"

/** redfx as a client of sentinels that waits for a master where others are told that there is none. */
export const waiting: ChaosClient = {
  name: waitingName,
  open: (deployment, connectionName) =>
    deployment.mode === "sentinel"
      ? openRedfx(deployment, connectionName, async (run) => [singleWrites(run, waitingName)], {
        masterWait: "5 seconds"
      })
      : undefined
}

/** redfx with other uses beside its single writes. */
export const ownWith = (
  uses: (run: Run, mode: Deployment["mode"]) => Promise<ReadonlyArray<Caller>>
): ChaosClient => ({
  name,
  open: (deployment, connectionName) =>
    openRedfx(deployment, connectionName, async (run) => [singleWrites(run), ...await uses(run, deployment.mode)])
})
