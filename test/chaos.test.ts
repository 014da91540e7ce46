/** The short form of `node scripts/chaos.ts`: redfx alone, in all its ways at once. */
import { assert, describe, it } from "@effect/vitest"
import * as Pace from "@redfx/testing/Pace"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { activities } from "../bench/src/chaos/activities.ts"
import { own, ownWith } from "../bench/src/chaos/clients.ts"
import * as Cluster from "../bench/src/chaos/cluster.ts"
import type { Fault } from "../bench/src/chaos/faults.ts"
import { strike, wrong } from "../bench/src/chaos/run.ts"
import type { Row } from "../bench/src/chaos/run.ts"
import * as Sentinel from "../bench/src/chaos/sentinel.ts"
import { series } from "../bench/src/chaos/series.ts"
import { lineOf } from "../bench/src/chaos/table.ts"

/** In milliseconds since another server took writes. It is much less on a machine that has nothing else to do. */
const recoveryLimit = 2000

/** How many writes of each are acknowledged at the least. */
const least = 51

/** What waits by itself for longer: for a lock that the lost master kept, for an element that another took. */
const waiting = /locks|blocking pops/

const late = (rows: ReadonlyArray<Row>) =>
  rows.filter(({ client, recovery }) => !waiting.test(client) && !(Number(recovery) < recoveryLimit))

/** An error that a caller cannot help but see, as the connection or the master is gone, or an election takes too long. */
const expected: ReadonlySet<string> = new Set([
  "ClusterDownError",
  "ClusterRetriesExhaustedError",
  "ConnectionError",
  "LockError",
  "LockNotOwnedError",
  "MasterNotFoundError",
  "TimeoutError",
  "WatchError"
])

const withstands = Effect.fnUntraced(function*<E>(
  make: Effect.Effect<ReadonlyArray<Fault>, E, Scope.Scope>,
  titles: ReadonlyArray<string>
) {
  const faults = yield* make
  const { between } = yield* Pace.watch
  for (const title of titles) {
    const fault = faults.find((fault) => fault.title === title)
    assert.isDefined(fault, title)
    const rows = yield* Effect.scoped(strike(fault, [ownWith(activities)], { least, measure: between }))
    assert.strictEqual(rows.length, 11)
    assert.deepStrictEqual(wrong(rows).map((row) => lineOf([row]).join(" | ")), [])
    assert.deepStrictEqual(late(rows).map((row) => lineOf([row]).join(" | ")), [])
    for (const { client, errors } of rows) {
      assert.deepStrictEqual([...errors.keys()].filter((tag) => !expected.has(tag)), [], client)
    }
  }
}, Effect.scoped)

/** Three masters, one after the other. Milliseconds from when another server takes writes until the client's first one. */
const keepsUp = Effect.fnUntraced(function*<E>(
  make: Effect.Effect<ReadonlyArray<Fault>, E, Scope.Scope>,
  title: string
) {
  const fault = (yield* make).find((fault) => fault.title === title)
  const { between } = yield* Pace.watch
  assert.isDefined(fault, title)
  const [row, ...others] = yield* Effect.scoped(series(fault, [own], 3, between))
  assert.isDefined(row)
  assert.strictEqual(others.length, 0)
  const { connections, doubled, hanging, readings, recoveries, refusedApplied } = row
  assert.strictEqual(doubled + hanging + refusedApplied, 0)
  assert.strictEqual(recoveries.length, 3)
  assert.isAtMost(recoveries.toSorted((a, b) => a - b)[1]!, 200, recoveries.join())
  assert.isAtMost(Math.max(...recoveries), 400, recoveries.join())
  // Two servers may just have been asked how they are; a connection for each master lost would be three more.
  assert.isAtMost(connections.at(-1)!, connections[0]! + 2, connections.join())
  // How many there are depends on how long the election takes.
  for (const count of readings) assert.isAtMost(count, 2 * Math.max(readings[0]!, 40), readings.join())
}, Effect.scoped)

describe("Chaos", () => {
  it.live(
    "a cluster loses masters in a row: each time writes go on at once, and nothing grows",
    () => keepsUp(Cluster.make, "kill -9 of a master")
  )

  it.live(
    "a group under sentinels loses masters in a row: the same",
    () => keepsUp(Sentinel.make, "kill -9 of the master")
  )

  it.live(
    "a cluster loses a master and fails over by hand: nothing is doubled, applied though refused, or late to go on",
    () => withstands(Cluster.make, ["kill -9 of a master", "CLUSTER FAILOVER"])
  )

  it.live(
    "a master under sentinels is lost, and fails over by hand: the same",
    () => withstands(Sentinel.make, ["kill -9 of the master", "SENTINEL FAILOVER"])
  )
})
