/**
 * One fault again and again, through which the same clients go on: whether each recovery is as fast as the first, and
 * whether connections and readings become more and more.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ChaosClient } from "./clients.ts"
import type { Fault, Struck } from "./faults.ts"
import { places } from "./ledger.ts"
import type { Balance } from "./ledger.ts"
import { observe } from "./observe.ts"
import { beginAll, close, passed, reader, recovered, recoveryOf } from "./run.ts"
import type { Measure, Running } from "./run.ts"

/** What one use of a client went through. Of each turn the recovery, and of its whole client what it had by then. */
export interface SeriesRow extends Balance {
  readonly fault: string
  readonly client: string
  readonly recoveries: ReadonlyArray<number>
  readonly errors: ReadonlyMap<string, number>
  readonly readings: ReadonlyArray<number>
  readonly connections: ReadonlyArray<number>
}

/** Readings so far and open connections, of each client, when a turn is over. */
type Counts = ReadonlyMap<Running, { readonly readings: number; readonly connections: number }>

/** How long clients go on after each turn, when the servers are in order again. */
const settleTime = 1000

const rowsOf = Effect.fnUntraced(function*(
  { client, ledgers }: Running,
  { fault, hash, measure, struck, title }: {
    readonly fault: Fault
    readonly measure: Measure
    readonly title: string
    readonly struck: ReadonlyArray<Struck>
    readonly hash: (key: string) => Promise<Readonly<Record<string, string>>>
  },
  counts: ReadonlyArray<{ readonly readings: number; readonly connections: number }>
) {
  const rows: Array<SeriesRow> = []
  for (const { label, ledger } of ledgers) {
    // Before the recoveries: it tells which of the acknowledged writes were lost.
    const balance = yield* Effect.promise(() => ledger.balance(hash))
    rows.push({
      fault: title,
      client: label === undefined ? client.name : `${client.name}: ${label}`,
      recoveries: struck.flatMap((one) => recoveryOf(ledger, one, measure) ?? []),
      errors: ledger.errors,
      readings: fault.field.deployment().mode === "cluster"
        ? counts.map(({ readings }, turn) => readings - (counts[turn - 1]?.readings ?? 0))
        : [],
      connections: counts.map(({ connections }) => connections),
      ...balance
    })
  }
  return rows
})

/** Has a fault strike so often while clients write. */
export const series = Effect.fnUntraced(function*(
  fault: Fault,
  clients: ReadonlyArray<ChaosClient>,
  turns: number,
  measure = passed
): Effect.fn.Return<ReadonlyArray<SeriesRow>, unknown, Scope.Scope> {
  const { deployment, observers } = fault.field
  const seen = yield* observe(observers)
  const { ledgers, running } = yield* beginAll(clients, deployment)
  yield* Effect.sleep(settleTime)
  const struck: Array<Struck> = []
  const counts: Array<Counts> = []
  for (let turn = 0; turn < turns; turn++) {
    yield* Effect.scoped(Effect.gen(function*() {
      const one = yield* fault.run(places[0] ?? "", places)
      struck.push(one)
      yield* recovered(ledgers, one)
    }))
    yield* Effect.sleep(settleTime)
    counts.push(
      new Map(running.map((one) => [one, {
        readings: seen.readings(one.connectionName),
        connections: seen.open(one.connectionName)
      }]))
    )
  }
  yield* Effect.promise(() => Promise.all(ledgers.map((ledger) => ledger.stop())))
  const { close: closeReader, hash } = reader(deployment())
  const title = `${deployment().mode}: ${fault.title}, ${turns} times in a row`
  const rows: Array<SeriesRow> = []
  for (const one of running) {
    const own = counts.flatMap((each) => each.get(one) ?? [])
    rows.push(...yield* rowsOf(one, { fault, hash, measure, struck, title }, own))
    yield* Effect.promise(() => close(one.session))
  }
  yield* Effect.promise(closeReader)
  return rows
})
