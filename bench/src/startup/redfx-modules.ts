/** The same with the modules that are needed, rather than everything that the packages have. */
import { get } from "@redfx/core/commands/Strings"
import * as RedisStandalone from "@redfx/core/RedisStandalone"
import * as NodeRedisConnector from "@redfx/node/NodeRedisConnector"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"

const imported = performance.now()
const [port = 0] = process.argv.slice(2).map(Number)
const runtime = ManagedRuntime.make(
  Layer.provide(RedisStandalone.layer({ host: "127.0.0.1", port }), NodeRedisConnector.layer)
)
await runtime.runPromise(get("k"))
const answered = performance.now()
globalThis.gc?.()
console.log(JSON.stringify({ imported, answered, ...process.memoryUsage() }))
process.exit()
