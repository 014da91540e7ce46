/**
 * Asks servers who serves what, one after the other until one knows.
 *
 * @internal
 */
import { clusterSlots } from "@redfx/core/commands/Cluster"
import { configGet } from "@redfx/core/commands/Config"
import { AuthenticationError, ClusterConnectError, ConnectionError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { within } from "@redfx/core/RedisRouter"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Node } from "./nodes.ts"
import { slotCount } from "./slot.ts"
import { fromSlots } from "./topology.ts"
import type { Topology, Translation } from "./topology.ts"
import { saidBy } from "./tries.ts"

export interface DiscoveryOptions {
  readonly translate: Translation
  readonly skipFullCoverageCheck: boolean
  readonly nodesOf: (topology: Topology) => ReadonlyArray<Node>
}

/** What is known, and from whom. */
export interface Discovered {
  readonly topology: Topology
  readonly source: Node
}

/** After how long without an answer the next server is asked as well. */
const patience = "300 millis"

/** For how many milliseconds a server is asked, beyond its own limits: one that stands still must not hold up the others. */
const askLimit = 10_000

/** For how many milliseconds a server is asked whether all slots must be served, before it counts as one that is not there. */
const requirementLimit = 2000

/**
 * Why a server could not tell, or why no other need be asked.
 *
 * - `untranslated`: set when the program could not say where a server is that this one named.
 */
interface Failure {
  readonly address: string
  readonly error: RedisError | undefined
  readonly detail: string
  readonly final: boolean
  readonly untranslated?: ConnectionError
}

/** What the first of these servers to know says. */
export const discover = Effect.fnUntraced(function*(
  candidates: ReadonlyArray<Node>,
  options: DiscoveryOptions
): Effect.fn.Return<Discovered, RedisError> {
  const failures: Array<Failure> = []
  const from = (index: number): Effect.Effect<Discovered, Failure> => {
    const candidate = candidates[index]
    if (candidate === undefined) return Effect.fail({ address: "", error: undefined, detail: "", final: true })
    const failed = Deferred.makeUnsafe<boolean>()
    const asking = Effect.tapError(ask(candidate, options), (failure) => {
      failures.push(failure)
      return Deferred.succeed(failed, failure.final)
    })
    const next = Effect.flatMap(
      Effect.raceFirst(Effect.as(Effect.sleep(patience), false), Deferred.await(failed)),
      (final) => final ? Effect.never : from(index + 1)
    )
    return Effect.race(asking, Effect.raceFirst(next, untilFinal(failed)))
  }
  return yield* Effect.mapError(from(0), () => explain(failures))
})

/** Fails when nobody else need be asked. */
const untilFinal = (failed: Deferred.Deferred<boolean>): Effect.Effect<never, Failure> =>
  Effect.flatMap(
    Deferred.await(failed),
    (final) => final ? Effect.fail({ address: "", error: undefined, detail: "", final }) : Effect.never
  )

const explain = (failures: ReadonlyArray<Failure>): RedisError => {
  const untranslated = failures.find(({ untranslated }) => untranslated !== undefined)?.untranslated
  if (untranslated !== undefined) return untranslated
  const refusal = failures.map(({ error }) => error).find((error) => error instanceof AuthenticationError)
  // Where nobody said anything else, the others cannot be expected to know what these do not.
  return refusal !== undefined && failures.every(({ error }) => error === undefined || isDumb(error))
    ? refusal
    : new ClusterConnectError({ attempts: failures.map(({ address, detail }) => ({ address, detail })) })
}

/** Whether a server let nobody in, or was not there. */
const isDumb = (error: RedisError): boolean => error instanceof AuthenticationError || "delivery" in error

const ask = (node: Node, options: DiscoveryOptions): Effect.Effect<Discovered, Failure> => {
  const failure = (detail: string, error?: RedisError): Failure => ({
    address: node.address,
    error,
    detail,
    final: error?._tag === "ResponseError" && /cluster support disabled/i.test(error.detail)
  })
  const asked = Effect.gen(function*() {
    const ranges = yield* Effect.mapError(
      node.client.execute(clusterSlots()),
      (error) => failure(saidBy(error), error)
    )
    const topology = fromSlots(ranges, node.endpoint, options.translate)
    if (typeof topology === "string") return yield* Effect.fail(failure(topology))
    if (topology instanceof ConnectionError) {
      return yield* Effect.fail<Failure>({ ...failure(topology.detail, topology), untranslated: topology })
    }
    if (topology.covered === 0) return yield* Effect.fail(failure("it knows of no node that serves slots"))
    if (topology.covered < slotCount && !options.skipFullCoverageCheck && (yield* needsAll(topology, options))) {
      return yield* Effect.fail(
        failure(`all slots must be covered and only ${topology.covered} of ${slotCount} are`)
      )
    }
    return { topology, source: node }
  })
  return within(asked, { limit: askLimit, orElse: () => Effect.fail(failure("it did not answer in time")) })
}

const requirement = "cluster-require-full-coverage"

const requirementOf = (node: Node) =>
  within(node.client.execute(configGet(requirement)), {
    limit: requirementLimit,
    orElse: () => Effect.succeed(undefined)
  })

/** Whether any node refuses to serve unless all slots are served. One that cannot be reached does not say so. */
const needsAll = (topology: Topology, { nodesOf }: DiscoveryOptions): Effect.Effect<boolean, Failure> =>
  Effect.map(
    Effect.forEach(
      nodesOf(topology),
      (node) =>
        Effect.matchEffect(requirementOf(node), {
          onSuccess: (config) => Effect.succeed(config?.[requirement] === "yes"),
          onFailure: (error) =>
            "delivery" in error ? Effect.succeed(false) : Effect.fail<Failure>({
              address: node.address,
              error,
              detail: `${saidBy(error)}. Set skipFullCoverageCheck where CONFIG is not allowed.`,
              final: false
            })
        }),
      { concurrency: "unbounded" }
    ),
    (answers) => answers.some((required) => required)
  )
