/** What is done to a deployment, in general. */
import type { RedisClient } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import type { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Deployment } from "./clients.ts"

export type Server = RedisServer.RedisServer["Service"]

/** A server that is looked at from outside. */
export interface Observer {
  readonly host: string
  readonly port: number
  readonly role: "server" | "sentinel"
}

/**
 * What happened: when the fault struck, from when on the servers would take a write again to what it struck, if there
 * was a time when they did not, and which places that is about.
 */
export interface Struck {
  readonly at: number
  readonly open: number | undefined
  readonly concerns: (place: string) => boolean
}

/** A deployment under fire. Its addresses can change. */
export interface Field {
  readonly deployment: () => Deployment
  readonly observers: ReadonlyArray<Observer>
}

/**
 * `run` strikes and undoes it when the scope closes; `sample` is a place to choose a victim by. `missing`: why the
 * servers cannot have this fault, if they cannot.
 */
export interface Fault {
  readonly title: string
  readonly field: Field
  readonly missing?: string | undefined
  readonly run: (sample: string, places: ReadonlyArray<string>) => Effect.Effect<Struck, unknown, Scope.Scope>
}

/** Runs commands on one server, over a connection of their own. */
export const on = (server: Server) => <A, E>(commands: Effect.Effect<A, E, RedisClient.RedisClient>) =>
  Effect.provide(commands, NodeRedisClient.layer({ host: server.host, port: server.port, clientName: "chaos" }))

/** A key to probe a place with, in its slot. */
export const probeAt = (place: string): string => `{${place}}:probe`

/** What must come back to order when a fault is over, or the next one would strike something else. */
export const afterwards = <E>(effect: Effect.Effect<unknown, E>) => Effect.addFinalizer(() => Effect.orDie(effect))
