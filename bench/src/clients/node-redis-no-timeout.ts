/** node-redis without its timeout per command: the fastest it can be set up. */
import type { Client } from "../session.ts"
import { makeNodeRedis } from "./node-redis.ts"

export const client: Client = makeNodeRedis("node-redis-no-timeout", 0)
