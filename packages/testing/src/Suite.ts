/**
 * What the live suites share: keys of their own, and skipping what a server
 * does not have.
 */
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"

let count = 0
let group = 0

/** A key that no other test uses. Those of one test are in one slot of a cluster, where {@link beginTest} is called. */
export const freshKey = (name = "key"): string => `${name}:{${process.pid}.${group}}:${++count}`

/** Gives the keys from now on another slot than those before. */
export const beginTest = (): void => {
  group++
}

interface Skippable {
  readonly skip: (reason?: string) => void
}

/** Skips the rest of the test when the server does not know the command. */
export const requireCommand = (context: Skippable, name: string) =>
  Effect.map(Redis.send("COMMAND", "INFO", name), (reply) => {
    if (!Array.isArray(reply) || reply[0] === undefined) context.skip(`the server has no ${name}`)
  })
