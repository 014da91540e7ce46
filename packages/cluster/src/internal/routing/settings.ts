/**
 * The settings of a client of a cluster.
 */
import type { ClusterOptions, ConnectionSettings, NodeAddress } from "@redfx/core/RedisConfig"
import type * as Duration from "effect/Duration"
import type { Translation } from "../topology/topology.ts"

/** Options with every default filled in. */
export interface ClusterSettings {
  readonly connection: ConnectionSettings
  readonly limitPerNode: boolean
  readonly startNodes: ReadonlyArray<NodeAddress>
  readonly translate: Translation
  readonly crossSlot: "split" | "emulate" | "reject"
  readonly readFrom: ClusterOptions["readFrom"]
  readonly readOnly: boolean
  readonly reinitializeSteps: number
  readonly clusterDownRetryAttempts: number
  readonly skipFullCoverageCheck: boolean
  readonly followCluster: boolean
  readonly refreshInterval: Duration.Duration
}
