/** One command of Effect's own Redis over node-redis in a fresh process. */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redis from "effect/persistence/Redis"

const imported = performance.now()
const [port = 0] = process.argv.slice(2).map(Number)
const runtime = ManagedRuntime.make(NodeRedis.layer({ socket: { host: "127.0.0.1", port } }))
await runtime.runPromise(Effect.flatMap(Redis.Redis, (redis) => redis.send("GET", "k")))
const answered = performance.now()
globalThis.gc?.()
console.log(JSON.stringify({ imported, answered, ...process.memoryUsage() }))
process.exit()
