/**
 * What connections go by.
 */
import type * as Duration from "effect/Duration"
import type { TlsOptions } from "../../RedisConnector.ts"
import type { Keepers } from "../tracking/tracking.ts"
import type { CredentialsSource, NodeAddress } from "./options.ts"

/**
 * Options with every default filled in.
 *
 * - `readonly`: whether connections may read from the replicas of a cluster (READONLY).
 * - `accept`: whether an address may be connected to; all may without.
 * - `optionPrefix`: what stands before the names of these options in the program's own, such as `sentinelOptions.`; `undefined`
 *   when nothing does.
 * - `keepers`: the caches of the clients that have these connections.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionSettings {
  readonly db: number
  readonly readonly: boolean
  readonly credentials: CredentialsSource | undefined
  readonly accept: ((address: NodeAddress) => boolean) | undefined
  readonly optionPrefix: string | undefined
  readonly clientName: string | undefined
  readonly clientInfo: boolean
  readonly protocol: "auto" | 2 | 3
  readonly eager: boolean
  readonly tls: TlsOptions | undefined
  readonly connectTimeout: Duration.Duration
  readonly commandTimeout: Duration.Duration
  readonly retryOnTimeout: boolean
  readonly livenessTimeout: Duration.Duration
  readonly healthCheckInterval: Duration.Duration
  readonly closeTimeout: Duration.Duration
  readonly keepAlive: boolean
  readonly keepAliveInitialDelay: Duration.Duration
  readonly textDecoding: "strict" | "replace"
  readonly pool: {
    readonly shared: number
    readonly max: number
    readonly min: number
    readonly idleTimeout: Duration.Duration
    readonly acquireTimeout: Duration.Duration
  }
  readonly limits: {
    readonly inFlightCommands: number
    readonly inFlightBytes: number
    readonly replyDepth: number | undefined
    readonly bulkLength: number | undefined
    readonly aggregateLength: number | undefined
    readonly replyBytes: number | undefined
    readonly replyElements: number | undefined
    readonly argumentBytes: number
    readonly argumentCount: number
    readonly lineLength: number | undefined
  }
  readonly keepers: Keepers
}
