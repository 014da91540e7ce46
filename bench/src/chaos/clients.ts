/** The clients that go through the same faults side by side, each as its users would write it. */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import { GlideClusterClient, Logger } from "@valkey/valkey-glide"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Cluster as IoCluster, Redis as IoRedis } from "ioredis"
import { createCluster, createSentinel } from "redis"

/** Where a deployment is reached. */
export type Deployment =
  | { readonly mode: "cluster"; readonly nodes: ReadonlyArray<Address> }
  | { readonly mode: "sentinel"; readonly sentinels: ReadonlyArray<Address>; readonly service: string }

interface Address {
  readonly host: string
  readonly port: number
}

/**
 * What a caller is told when a write fails. `unknown`: it may have been applied, by the word of the client; clients that
 * do not tell leave that open, so it counts as unknown.
 */
export class WriteError {
  readonly tag: string
  readonly unknown: boolean

  constructor(tag: string, unknown: boolean) {
    this.tag = tag
    this.unknown = unknown
  }
}

/** An open client. `hincrby` rejects with a {@link WriteError}. */
export interface Session {
  readonly hincrby: (key: string, field: string) => Promise<number>
  readonly close: () => Promise<void>
}

/** A client by the name that it has on the servers. `open` is undefined where it does not know the deployment. */
export interface ChaosClient {
  readonly name: string
  readonly open: (deployment: Deployment) => Promise<Session> | undefined
}

const rejecting = (cause: unknown): never => {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined
  // A server's own error starts with a word in capitals.
  const word = /^[A-Z]{4,}(?= )/.exec(error.message)?.[0]
  throw new WriteError(word ?? code ?? error.constructor.name, word === undefined)
}

const redfxLayer = (deployment: Deployment): Layer.Layer<RedisClient.RedisClient, RedisError.RedisError> => {
  const clientName = "redfx"
  // At least one address is given.
  return deployment.mode === "cluster"
    ? NodeRedisClient.layerCluster({ nodes: deployment.nodes as [Address], clientName })
    : NodeRedisClient.layerSentinel({
      sentinels: deployment.sentinels as [Address],
      service: deployment.service,
      clientName
    })
}

const redfx: ChaosClient = {
  name: "redfx",
  open: async (deployment) => {
    const runtime = ManagedRuntime.make(redfxLayer(deployment))
    await runtime.context()
    return {
      hincrby: (key, field) =>
        runtime.runPromise(Effect.result(Redis.hincrby(key, field, 1))).then((result) => {
          if (result._tag === "Success") return result.success
          const error = result.failure
          throw new WriteError(error._tag, "delivery" in error && error.delivery === "unknown")
        }),
      close: () => runtime.dispose()
    }
  }
}

const ioredis: ChaosClient = {
  name: "ioredis",
  open: async (deployment) => {
    const redis = deployment.mode === "cluster"
      ? new IoCluster([...deployment.nodes], { redisOptions: { connectionName: "ioredis" } })
      : new IoRedis({ sentinels: [...deployment.sentinels], name: deployment.service, connectionName: "ioredis" })
    redis.on("error", () => {})
    await redis.ping()
    return {
      hincrby: (key, field) => redis.hincrby(key, field, 1).catch(rejecting),
      close: async () => redis.disconnect()
    }
  }
}

const nodeRedis: ChaosClient = {
  name: "node-redis",
  open: async (deployment) => {
    const redis = deployment.mode === "cluster"
      ? createCluster({ rootNodes: deployment.nodes.map((socket) => ({ socket })), defaults: { name: "node-redis" } })
      : createSentinel({
        name: deployment.service,
        sentinelRootNodes: [...deployment.sentinels],
        nodeClientOptions: { name: "node-redis" }
      })
    redis.on("error", () => {})
    await redis.connect()
    return {
      hincrby: (key, field) => redis.hIncrBy(key, field, 1).catch(rejecting),
      close: async () => redis.destroy()
    }
  }
}

// It writes a line for every error that it hands on anyway.
Logger.init("off")

const glide: ChaosClient = {
  name: "valkey-glide",
  open: (deployment) =>
    deployment.mode === "sentinel"
      ? undefined
      : GlideClusterClient.createClient({ addresses: [...deployment.nodes], clientName: "valkey-glide" }).then((
        client
      ) => ({
        hincrby: (key, field) => client.hincrBy(key, field, 1).catch(rejecting),
        close: async () => client.close()
      }))
}

export const own: ChaosClient = redfx
export const peers: ReadonlyArray<ChaosClient> = [ioredis, nodeRedis, glide]
