/**
 * The settings of a client of a cluster.
 */
import type { ClusterOptions, ConnectionSettings, NodeAddress } from "@redfx/core/RedisConfig"
import type * as Duration from "effect/Duration"
import type { Translation } from "../topology/topology.ts"

/** Which servers answer commands that only read, or the program's choice. */
export type ReadFrom = NonNullable<ClusterOptions["readFrom"]>

/** Options with every default filled in. */
export interface ClusterSettings {
  readonly connection: ConnectionSettings
  readonly limitPerNode: boolean
  readonly startNodes: ReadonlyArray<NodeAddress>
  readonly translate: Translation
  readonly crossSlot: "split" | "emulate" | "reject"
  readonly readFrom: ReadFrom
  readonly readOnly: boolean
  readonly reinitializeSteps: number
  readonly clusterDownRetryAttempts: number
  readonly skipFullCoverageCheck: boolean
  readonly followCluster: boolean
  readonly refreshInterval: Duration.Duration
}
