/** One command of redfx in a fresh process. */
import { Redis } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import { ManagedRuntime } from "effect"

const imported = performance.now()
const [port = 0] = process.argv.slice(2).map(Number)
const runtime = ManagedRuntime.make(NodeRedisClient.layer({ host: "127.0.0.1", port }))
await runtime.runPromise(Redis.get("k"))
const answered = performance.now()
globalThis.gc?.()
console.log(JSON.stringify({ imported, answered, ...process.memoryUsage() }))
process.exit()
