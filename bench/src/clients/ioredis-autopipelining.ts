/** ioredis with `enableAutoPipelining`: the commands of one turn of the event loop leave in one pipeline. */
import type { Client } from "../session.ts"
import { makeIoredis } from "./ioredis.ts"

export const client: Client = makeIoredis("ioredis-autopipelining", true)
