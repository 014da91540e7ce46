/** valkey-glide, with its defaults. It is native, and there on some platforms only. */
import { GlideClusterClient, Logger } from "@valkey/valkey-glide"
import { single } from "./clients.ts"
import type { ChaosClient } from "./clients.ts"
import { fateOf } from "./peers.ts"

// It writes a line for every error that it hands on anyway.
Logger.init("off")

export const glide: ChaosClient = {
  name: "valkey-glide",
  open: (deployment, connectionName) =>
    deployment.mode !== "cluster"
      ? undefined
      : GlideClusterClient.createClient({ addresses: [...deployment.nodes], clientName: connectionName }).then((
        client
      ) => ({
        callers: [single("valkey-glide", (key, field) => client.hincrBy(key, field, 1), fateOf)],
        close: async () => client.close()
      }))
}
