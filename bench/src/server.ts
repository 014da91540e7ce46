/** Real servers for the length of a program: on spare loopback ports, without persistence. */
import { RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { spawnSync } from "node:child_process"
import process from "node:process"
import { findRedisServer } from "../../scripts/redis-server.ts"
import type { Address, Endpoint } from "./session.ts"

/** A server of our own. */
export interface Server {
  readonly address: Address
  /** Where the same server speaks TLS. */
  readonly secure: Endpoint
  /** What the executable says about itself, such as `Redis server v=7.0.15`. */
  readonly version: string
  /** Stops the server's process from running (SIGSTOP): it accepts and answers nothing. */
  readonly stall: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Something of Effect's that lives in a scope, and what closes the scope. A signal closes it too. */
export async function acquire<A, E>(
  resource: Effect.Effect<A, E, Scope.Scope>
): Promise<{ readonly acquired: A; readonly release: () => Promise<void> }> {
  const scope = Scope.makeUnsafe()
  const acquired = await Effect.runPromise(Scope.provide(resource, scope))
  const release = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void release().finally(() => process.exit(130)))
  }
  return { acquired, release }
}

/** What the executable says about itself. */
export const serverVersion = (): string => {
  const banner = spawnSync(findRedisServer(), ["--version"], { encoding: "utf8" }).stdout
  return banner.split(" sha=")[0]?.trim() ?? banner.trim()
}

/** Starts a server and waits until it answers. */
export async function startServer(): Promise<Server> {
  const { acquired, release } = await acquire(Effect.gen(function*() {
    const { ca, server } = yield* Certificates.make
    return yield* RedisServer.make({
      binary: findRedisServer(),
      tls: { ca, ...server },
      // A client that sends a million GETs and reads nothing must not be cut off by the server.
      config: { "client-query-buffer-limit": "2gb", "client-output-buffer-limit": "pubsub 0 0 0" }
    })
  }))
  const { host, pause, port, resume, tls } = acquired
  if (tls === undefined) throw new Error("The server speaks no TLS.")
  return {
    address: { host, port },
    secure: { host, port: tls.port, tls: { ca: tls.ca } },
    version: serverVersion(),
    stall: () => Effect.runPromise(pause),
    resume: () => Effect.runPromise(resume),
    stop: release
  }
}
