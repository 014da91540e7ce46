/**
 * The commands without a key that no general rule covers. Redis calls such a request policy "special".
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterUnsupportedError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { wordAt } from "../multiKey/arguments.ts"
import { sortedByFirst, sum } from "../multiKey/merge.ts"
import type { Cluster, ClusterNode } from "../topology/cluster.ts"
import { mergedFrom } from "./onEach.ts"

/** Runs a command. The reply is as one server would give it. */
export type Run = (cluster: Cluster, command: RedisCommand.Any) => Effect.Effect<Resp.Value, CommandError>

/** Runs RANDOMKEY on a random master, and on another one as long as those that were asked have no key. */
export const randomKey: Run = (cluster, command) => {
  const raw = RedisCommand.undecoded(command)
  const ask = ([node, ...others]: ReadonlyArray<ClusterNode>): Effect.Effect<Resp.Value, CommandError> =>
    node === undefined
      ? Effect.succeed(null)
      : Effect.flatMap(cluster.onNode(node, raw), (key) => (key === null ? ask(others) : Effect.succeed(key)))
  return Effect.flatMap(Effect.flatMap(cluster.masters, Random.shuffle), ask)
}

/** Runs CLIENT KILL with one argument, which is an address, or with filters. */
export const kill: Run = (cluster, command) => {
  if (command.parts.length === 1) return killAddress(cluster, command)
  const filters = command.parts.map((_, index) => index % 2 === 0 ? wordAt(command, index) : "")
  if (filters.includes("ID")) {
    const detail = "every server counts its clients by itself, so the same id is another client on each. " +
      "Run it on one of them with RedisCluster.onNode"
    return Effect.fail(new ClusterUnsupportedError({ command: command.spec.name, detail }))
  }
  return mergedFrom(cluster, "nodes", command, sum)
}

/** Kills a client by its address. The client is on one server at most, and the servers that do not know it refuse. */
const killAddress: Run = (cluster, command) => {
  const raw = RedisCommand.undecoded(command)
  return Effect.gen(function*() {
    const nodes = yield* cluster.nodes
    const results = yield* Effect.forEach(nodes, (node) => Effect.result(cluster.onNode(node, raw)), {
      concurrency: "unbounded"
    })
    const done = results.find(Result.isSuccess)
    if (done !== undefined) return done.success
    const failures = results.filter(Result.isFailure).map(({ failure }) => failure)
    // A server that could not be asked says more than one that does not know the client.
    const failure = failures.find(({ _tag }) => _tag !== "ResponseError") ?? failures[0]
    return failure === undefined ? null : yield* Effect.fail(failure)
  })
}

/** Runs CLUSTER SLOT-STATS of a range, for which each master reports its own slots. */
export const slotStats: Run = (cluster, command) =>
  wordAt(command, 0) === "SLOTSRANGE"
    ? mergedFrom(cluster, "masters", command, sortedByFirst)
    : Effect.fail(
      new ClusterUnsupportedError({
        command: command.spec.name,
        detail: "each server orders its own slots. Ask them all with RedisCluster.perNode"
      })
    )
