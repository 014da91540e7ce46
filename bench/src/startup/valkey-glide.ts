/** One command of valkey-glide in a fresh process. */
import { GlideClient } from "@valkey/valkey-glide"

const imported = performance.now()
const [port = 0] = process.argv.slice(2).map(Number)
const glide = await GlideClient.createClient({ addresses: [{ host: "127.0.0.1", port }] })
await glide.get("k")
const answered = performance.now()
globalThis.gc?.()
console.log(JSON.stringify({ imported, answered, ...process.memoryUsage() }))
process.exit()
