/**
 * Chooses the server of a shard that answers a command which only reads.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ConnectionError } from "@redfx/core/RedisError"
import { isContinued, isForMaster } from "@redfx/core/unstable/Router"
import type { Random } from "effect/Random"
import type { Node } from "../topology/nodes.ts"
import { anyHealthy } from "./anyOf.ts"
import type { ReadFrom } from "./settings.ts"

/** The servers of a slot. */
export interface Route {
  readonly master: Node
  readonly replicas: ReadonlyArray<Node>
}

/**
 * Chooses the server for a command that only reads, or the error of a command for which the program could not choose
 * one.
 */
export type Reader = (route: Route, command: RedisCommand.Any) => Node | ConnectionError

/**
 * The reader that an option stands for; `undefined` means the master.
 *
 * - `latency`: the milliseconds that a node took to answer last, `undefined` when it did not answer.
 */
export const readerOf = (
  readFrom: ReadFrom,
  latency: (node: Node) => number | undefined,
  random: Random
): Reader | undefined => {
  if (typeof readFrom === "function") return chosenBy(readFrom)
  switch (readFrom) {
    case "master":
      return undefined
    case "any":
      return ({ master, replicas }) =>
        replicas.length === 0 ? master : anyHealthy(random, [master, ...replicas]) ?? master
    case "preferReplica":
      return ({ master, replicas }) => anyHealthy(random, replicas) ?? master
    case "nearest":
      return ({ master, replicas }) => {
        let nearest = master
        for (const replica of replicas) {
          if (isNearer(replica, nearest, latency)) nearest = replica
        }
        return nearest
      }
  }
}

const isNearer = (one: Node, other: Node, latency: (node: Node) => number | undefined): boolean =>
  one.health.isHealthy && (!other.health.isHealthy || (latency(one) ?? Infinity) < (latency(other) ?? Infinity))

const chosenBy =
  (choose: Extract<ReadFrom, (...args: never) => unknown>): Reader => ({ master, replicas: all }, command) => {
    const replicas = all.filter(({ health }) => health.isHealthy)
    try {
      const chosen = choose({
        master: master.endpoint,
        replicas: replicas.map((replica) => replica.endpoint),
        command: command.spec.name
      })
      return [master, ...replicas].find(({ endpoint }) =>
        endpoint.host === chosen.host && endpoint.port === chosen.port
      ) ?? master
    } catch (defect) {
      return new ConnectionError({
        reason: "Other",
        detail: "The program's readFrom failed to choose a server",
        command: command.spec.name,
        delivery: "not-sent",
        readonly: command.spec.readonly,
        cause: defect
      })
    }
  }

/** Whether any server of the shard may answer a command. */
export const isForReplicas = (command: RedisCommand.Any): boolean =>
  command.spec.readonly && !isForMaster(command) && !isContinued(command)
