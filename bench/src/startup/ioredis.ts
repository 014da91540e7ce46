/** One command of ioredis in a fresh process. */
import { Redis } from "ioredis"

const imported = performance.now()
const [port = 0] = process.argv.slice(2).map(Number)
const redis = new Redis({ host: "127.0.0.1", port })
await redis.get("k")
const answered = performance.now()
globalThis.gc?.()
console.log(JSON.stringify({ imported, answered, ...process.memoryUsage() }))
process.exit()
