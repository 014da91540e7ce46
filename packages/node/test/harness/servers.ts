/**
 * What the tests of several servers share.
 */
import { assert } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import type { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import process from "node:process"

/** Runs commands on one server. */
export const on =
  ({ host, port }: RedisServer.RedisServer["Service"], password?: Redacted.Redacted<string>) =>
  <A, E>(commands: Effect.Effect<A, E, RedisClient.RedisClient>) =>
    Effect.provide(commands, NodeRedisClient.layer({ host, port, password }))

/** The code of the error that a command is answered with. */
export const codeOf = <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<string, A, R> =>
  Effect.map(Effect.flip(command), (error) => {
    if (typeof error === "object" && error !== null && "code" in error) return String(error.code)
    return assert.fail(`not answered with an error: ${String(error)}`)
  })

export const isAlive = (pid: number | undefined): boolean => {
  if (pid === undefined) return false
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
