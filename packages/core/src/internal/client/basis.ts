/**
 * What a client stands on.
 */
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { Deadlines } from "../connection/deadlines.ts"
import type { RedisRouter } from "./router.ts"

export interface Basis {
  readonly router: RedisRouter
  readonly settings: ConnectionSettings
  readonly deadlines: Deadlines
}
