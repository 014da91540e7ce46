/**
 * What is known of an effect that was given up.
 */
import type { Delivery } from "../../RedisError.ts"
import { Request } from "./request.ts"

/** Whether a server may have run an effect that was given up. A request knows; any other effect may have been run. */
export const deliveryOf = (effect: unknown): Delivery => effect instanceof Request ? effect.delivery : "unknown"
