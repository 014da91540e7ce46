/**
 * The demo: one program on one server, under Sentinel and on a Cluster; then masters are killed under its writes, and in the
 * end every write is accounted for.
 *
 *     --peers   ioredis and node-redis beside redfx
 *     --short   half as many kills
 *     --live    draws the live meter even where the output is no terminal
 */
import { NodeRuntime } from "@effect/platform-node"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import process from "node:process"
import { parseArgs } from "node:util"
import { findRedisServer } from "../scripts/redis-server.ts"
import { run } from "./demo/run.ts"

const { values: options } = parseArgs({
  options: {
    peers: { type: "boolean", default: false },
    short: { type: "boolean", default: false },
    live: { type: "boolean", default: false }
  }
})

// A terminal that is closed, and a pager that is left, end the demo as Ctrl-C does: with all its servers.
const stop = () => process.kill(process.pid, "SIGTERM")
process.once("SIGHUP", stop)
process.stdout.once("error", stop)

/** Why the demo cannot be shown, or did not show what it should. */
class DemoError extends Data.TaggedError("DemoError")<{ readonly message: string }> {}

const messageOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

const main = Effect.gen(function*() {
  const binary = yield* Effect.try({
    try: findRedisServer,
    catch: (cause) => new DemoError({ message: messageOf(cause) })
  })
  const isSound = yield* run({ ...options, binary })
  if (!isSound) {
    return yield* new DemoError({ message: "A write of redfx did not go as its caller was told: see the sum." })
  }
})

NodeRuntime.runMain(Effect.tapError(main, ({ message }) => Console.error(message)), {
  disableErrorReporting: true,
  // A peer that keeps on dialling must not keep the process.
  teardown: (exit) => Runtime.defaultTeardown(exit, (code) => process.exit(code))
})
