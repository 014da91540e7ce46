/**
 * The settings of a client of a cluster.
 */
import * as RedisConfig from "@redfx/core/RedisConfig"
import type { RedisConfigError } from "@redfx/core/RedisError"
import * as Options from "@redfx/core/unstable/Options"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Options, checked, with every default filled in. */
export type ClusterSettings = Effect.Success<ReturnType<typeof settingsOf>>

/** Which servers answer commands that only read, or the program's choice. */
export type ReadFrom = NonNullable<RedisConfig.ClusterOptions["readFrom"]>

export const settingsOf = Effect.fnUntraced(function*(options: RedisConfig.ClusterOptions) {
  yield* Options.options(options, "{ nodes: [{ host, port }] }")
  const startNodes = yield* Options.addresses("nodes", options.nodes, 7000)
  const discovery = yield* Options.choice("discovery", options.discovery ?? "lazy", ["lazy", "eager"])
  const connect = yield* Options.choice("connect", options.connect ?? "lazy", ["lazy", "eager"])
  const perNode = typeof options.pool === "object" ? options.pool?.perNode : undefined
  const limitPerNode = yield* Options.boolean("pool.perNode", perNode, false)
  const read = yield* RedisConfig.settings(
    { ...options, connect: discovery === "eager" ? discovery : connect },
    { spare: limitPerNode ? 1 : 0, given: startNodes }
  )
  const refreshInterval = yield* Options.duration("refreshInterval", options.refreshInterval, Duration.minutes(1))
  const readOnly = yield* Options.boolean("readOnly", options.readOnly, false)
  const { readFrom = readOnly ? "any" : "master" } = options
  const connection: RedisConfig.ConnectionSettings = { ...read, readonly: readOnly || readFrom !== "master" }
  const retries = options.clusterDownRetryAttempts ?? 3
  return {
    connection,
    limitPerNode,
    startNodes,
    translate: Options.checkedTranslation(yield* RedisConfig.translation(options.natMap)),
    crossSlot: yield* Options.choice("crossSlot", options.crossSlot ?? "split", ["split", "emulate", "reject"]),
    readFrom: yield* readFromOf(readFrom),
    readOnly,
    reinitializeSteps: yield* Options.integer("reinitializeSteps", options.reinitializeSteps ?? 25, 1),
    clusterDownRetryAttempts: yield* Options.integer("clusterDownRetryAttempts", retries, 0),
    skipFullCoverageCheck: yield* Options.boolean("skipFullCoverageCheck", options.skipFullCoverageCheck, false),
    followCluster: yield* Options.boolean("followCluster", options.followCluster, false),
    refreshInterval
  }
})

const readFromOf = (readFrom: ReadFrom): Effect.Effect<ReadFrom, RedisConfigError> =>
  typeof readFrom === "function"
    ? Effect.succeed(readFrom)
    : typeof readFrom === "object" && readFrom !== null
    ? zoneOf(readFrom)
    : Options.choice("readFrom", readFrom, ["master", "preferReplica", "any", "nearest"])

const zoneOf = ({ zone }: RedisConfig.ReadFromZone): Effect.Effect<RedisConfig.ReadFromZone, RedisConfigError> =>
  zone === ""
    ? Options.invalid("readFrom.zone", "it is empty; give the availability zone in which the program runs")
    : Effect.map(Options.text("readFrom.zone", zone), (zone) => ({ zone }))
