/**
 * What the live suites share: keys of their own, and skipping what a server
 * does not have.
 */
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"

let count = 0

/** A key that no other test uses. */
export const freshKey = (name = "key"): string => `${name}:${process.pid}:${++count}`

interface Skippable {
  readonly skip: (reason?: string) => void
}

/** Skips the rest of the test when the server does not know the command. */
export const requireCommand = (context: Skippable, name: string) =>
  Effect.map(Redis.send("COMMAND", "INFO", name), (reply) => {
    if (!Array.isArray(reply) || reply[0] === undefined) context.skip(`the server has no ${name}`)
  })
