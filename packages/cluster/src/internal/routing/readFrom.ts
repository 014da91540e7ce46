/**
 * Chooses the server of a shard that answers a command which only reads.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ConnectionError } from "@redfx/core/RedisError"
import { isContinued, isForMaster } from "@redfx/core/unstable/Router"
import type * as Clock from "effect/Clock"
import type { Random } from "effect/Random"
import type { Node } from "../topology/nodes.ts"
import { anyHealthy } from "./anyOf.ts"
import type { ReadFrom } from "./settings.ts"
import { latencies, zones } from "./survey.ts"
import type { Survey } from "./survey.ts"

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
 * What an option stands for.
 *
 * - `reader`: `undefined` means the master.
 * - `survey`: what it needs to know of the servers.
 */
export interface Reading {
  readonly reader: Reader | undefined
  readonly survey?: Survey<unknown>
}

export const readingOf = (readFrom: ReadFrom, clock: Clock.Clock, random: Random): Reading => {
  if (typeof readFrom === "function") return { reader: chosenBy(readFrom) }
  if (typeof readFrom === "object") {
    const survey = zones(clock)
    return { survey, reader: inZone((node) => survey.of(node) === readFrom.zone, random) }
  }
  switch (readFrom) {
    case "master":
      return { reader: undefined }
    case "any":
      return {
        reader: ({ master, replicas }) =>
          replicas.length === 0 ? master : anyHealthy(random, [master, ...replicas]) ?? master
      }
    case "preferReplica":
      return { reader: ({ master, replicas }) => anyHealthy(random, replicas) ?? master }
    case "nearest": {
      const survey = latencies(clock)
      return { survey, reader: nearest(survey.of) }
    }
  }
}

/** A replica of the zone, else the master if it is in the zone, else any replica. */
const inZone = (isNear: (node: Node) => boolean, random: Random): Reader => ({ master, replicas }) =>
  anyHealthy(random, replicas.filter(isNear)) ??
    (master.health.isHealthy && isNear(master) ? master : anyHealthy(random, replicas) ?? master)

/** - `latency`: the milliseconds that a node took to answer last, `undefined` when it did not answer. */
const nearest = (latency: (node: Node) => number | undefined): Reader => ({ master, replicas }) => {
  let nearest = master
  for (const replica of replicas) {
    if (isNearer(replica, nearest, latency)) nearest = replica
  }
  return nearest
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
