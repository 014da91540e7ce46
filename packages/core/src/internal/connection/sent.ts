/**
 * What is known of an effect that was given up.
 */
import type { Delivery } from "../../RedisError.ts"
import { Request } from "./request.ts"

/** Whether a server may have run what was given up: a request knows, and of other effects nothing is known. */
export const deliveryOf = (effect: unknown): Delivery => effect instanceof Request ? effect.delivery : "unknown"
