/** One command of node-redis in a fresh process. */
import { createClient } from "redis"

const imported = performance.now()
const [port = 0] = process.argv.slice(2).map(Number)
const redis = createClient({ socket: { host: "127.0.0.1", port } })
await redis.connect()
await redis.get("k")
const answered = performance.now()
globalThis.gc?.()
console.log(JSON.stringify({ imported, answered, ...process.memoryUsage() }))
process.exit()
