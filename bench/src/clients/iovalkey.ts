/** iovalkey, the fork of ioredis, with its defaults. Not part of the default run: its code is ioredis's. */
import { Redis } from "iovalkey"
import type { Client } from "../session.ts"
import { promiseSession } from "../session.ts"
import { optionsOf, severalKeys, singleKey } from "./ioredis.ts"

export const client: Client = {
  name: "iovalkey",
  package: "iovalkey",
  connect: async (address) => {
    const redis = new Redis({ ...optionsOf(address), lazyConnect: true })
    await redis.connect()
    return promiseSession({ ...singleKey(redis), ...severalKeys(redis) }, async () => {
      await redis.quit()
    })
  }
}
