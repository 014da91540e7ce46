/**
 * What the live suites share: keys of their own, and skipping what a server
 * does not have.
 */
import { Redis, RedisArg } from "@redfx/core"
import * as Effect from "effect/Effect"

let count = 0
let group = 0

/** A key that no other test uses. Those of one test are in one slot of a cluster, where {@link beginTest} is called. */
export const freshKey = (name = "key"): string => `${name}:{${process.pid}.${group}}:${++count}`

/** The beginning of keys that no other test uses, which on a cluster are in any slot. */
export const freshPrefix = (): string => `prefix.${process.pid}.${++count}:`

/** Gives the keys from now on another slot than those before. */
export const beginTest = (): void => {
  group++
}

/** Skips where scripts have no cjson, as on servers that were built without it: those of Effect's queue need it. */
export const requireCjson = (context: Skippable) =>
  Effect.matchEffect(Redis.send("EVAL", "return cjson.encode({})", 1, RedisArg.key(freshKey())), {
    onFailure: (error) =>
      // Anything else must not pass for a server without it.
      error._tag === "ResponseError" && error.message.includes("script")
        ? Effect.sync(() => context.skip("the server's scripts have no cjson"))
        : Effect.fail(error),
    onSuccess: () => Effect.void
  })

interface Skippable {
  readonly skip: (reason?: string) => void
}

/** Skips the rest of the test when the server does not know the command. */
export const requireCommand = (context: Skippable, name: string) =>
  Effect.map(Redis.send("COMMAND", "INFO", name), (reply) => {
    if (!Array.isArray(reply) || reply[0] === undefined) context.skip(`the server has no ${name}`)
  })
