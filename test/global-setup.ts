/**
 * Runs once before all test files: makes sure that there is a Redis server and
 * hands its path to the tests.
 */
import process from "node:process"
import type { TestProject } from "vitest/node"
import { findRedisServer } from "../scripts/redis-server.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** The path of the Redis server that tests start. */
    readonly redisServer: string
  }
}

/** Provides `redisServer` for `inject`, and `$REDIS_SERVER` for whatever reads the environment. */
export default function setup(project: TestProject): void {
  const server = findRedisServer()
  process.env["REDIS_SERVER"] = server
  project.provide("redisServer", server)
}
