/** The peers of redfx, each with its defaults, as its users would write it. */
import { Cluster as IoCluster, Redis as IoRedis } from "ioredis"
import { createClient, createCluster, createSentinel } from "redis"
import { single } from "./clients.ts"
import type { ChaosClient, Fate } from "./clients.ts"

/** A server's own error starts with a word in capitals, and says that nothing was applied. Others leave that open. */
export const fateOf = (cause: unknown): Fate => {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined
  const word = /^[A-Z]{4,}(?= )/.exec(error.message)?.[0]
  return { fate: word === undefined ? "unknown" : "refused", tag: word ?? code ?? error.constructor.name }
}

const ioredis: ChaosClient = {
  name: "ioredis",
  open: async (deployment, connectionName) => {
    const redis = deployment.mode === "standalone"
      ? new IoRedis({ ...deployment.address, connectionName })
      : deployment.mode === "cluster"
      ? new IoCluster([...deployment.nodes], { redisOptions: { connectionName } })
      : new IoRedis({ sentinels: [...deployment.sentinels], name: deployment.service, connectionName })
    redis.on("error", () => {})
    await redis.ping()
    return {
      callers: [single("ioredis", (key, field) => redis.hincrby(key, field, 1), fateOf)],
      close: async () => redis.disconnect()
    }
  }
}

const nodeRedis: ChaosClient = {
  name: "node-redis",
  open: async (deployment, connectionName) => {
    const redis = deployment.mode === "standalone"
      ? createClient({ socket: deployment.address, name: connectionName })
      : deployment.mode === "cluster"
      ? createCluster({ rootNodes: deployment.nodes.map((socket) => ({ socket })), defaults: { name: connectionName } })
      : createSentinel({
        name: deployment.service,
        sentinelRootNodes: [...deployment.sentinels],
        nodeClientOptions: { name: connectionName }
      })
    redis.on("error", () => {})
    await redis.connect()
    return {
      callers: [single("node-redis", (key, field) => redis.hIncrBy(key, field, 1), fateOf)],
      close: async () => redis.destroy()
    }
  }
}

export const peers: ReadonlyArray<ChaosClient> = [ioredis, nodeRedis]
