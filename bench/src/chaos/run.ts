/** One fault, gone through by clients side by side, and what it looked like from the place of each. */
import { Redis, RedisError } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { layerOf } from "./clients.ts"
import type { ChaosClient, Deployment, Session } from "./clients.ts"
import type { Fault, Struck } from "./faults.ts"
import { places, start, until } from "./ledger.ts"
import type { Acknowledged, Balance, Ledger } from "./ledger.ts"
import { observe } from "./observe.ts"

/** What one use of a client went through in one fault. `recovery`, `gap`: milliseconds. */
export interface Row extends Balance {
  readonly fault: string
  readonly client: string
  /** Since a server took the write again; `Infinity`: not within 15 s. */
  readonly recovery: number | undefined
  readonly gap: number
  readonly errors: ReadonlyMap<string, number>
  /** Of topologies, by the whole client. `undefined`: it was not looked for. */
  readonly readings: number | undefined
  readonly connections: number
}

/** Whether a write shows that its client has found who takes writes now, and not who did before. */
const isRecovered = (
  { begun, ended, lost, place }: Acknowledged,
  { at, concerns, open = at }: Struck
): boolean => !lost && concerns(place) && ended > open && begun > at

/** The milliseconds between two times of `performance.now()`; a test counts those alone that the machine gave it. */
export type Measure = (from: number, to: number) => number

export const passed: Measure = (from, to) => to - from

/** Milliseconds from when a server took the write again; `Infinity`: never. */
export const recoveryOf = ({ acknowledged }: Ledger, struck: Struck, measure: Measure): number | undefined => {
  if (struck.open === undefined) return undefined
  const first = acknowledged.find((write) => isRecovered(write, struck))
  return first === undefined ? Infinity : measure(struck.open, first.ended)
}

/** The longest time in which nothing that was struck was acknowledged, from a second before on. */
const gapOf = ({ acknowledged }: Ledger, { at, concerns }: Struck, end: number): number => {
  const times = acknowledged.flatMap(({ ended, place }) => concerns(place) && ended > at - 1000 ? [ended] : [])
  times.push(end)
  return times.reduce((longest, time, index) => Math.max(longest, time - (times[index - 1] ?? at)), 0)
}

/** Reads hashes by a client of its own; what it cannot read would look like a loss. */
export const reader = (deployment: Deployment) => {
  const runtime = ManagedRuntime.make(layerOf(deployment, "chaos"))
  // Servers that were just put in order may not be ready for reads.
  const patient = Effect.retry({ schedule: Schedule.spaced("200 millis"), times: 100, while: RedisError.isRetryable })
  const found = new Map<string, Promise<Readonly<Record<string, string>>>>()
  return {
    hash: (key: string) => {
      const reading = found.get(key) ?? runtime.runPromise(patient(Redis.hgetall(key)))
      found.set(key, reading)
      return reading
    },
    close: () => runtime.dispose()
  }
}

/** A client that is being used. */
export interface Running {
  readonly client: ChaosClient
  readonly connectionName: string
  readonly session: Session
  readonly ledgers: ReadonlyArray<{ readonly label: string | undefined; readonly ledger: Ledger }>
}

/** How many write at a time: singly, and in each of the other ways. */
const singles = 10
const others = 3

let opened = 0

/** Opens a client and has callers use it; `undefined` where it does not know the deployment. */
const begin = async (client: ChaosClient, deployment: Deployment): Promise<Running | undefined> => {
  // Of this run alone: some clients close their connections long after they were told to.
  const connectionName = `${client.name}.${opened++}.`
  const session = await client.open(deployment, connectionName)
  return session === undefined ? undefined : {
    client,
    connectionName,
    session,
    ledgers: session.callers.map((caller) => ({
      label: caller.label,
      ledger: start(caller, caller.label === undefined ? singles : others)
    }))
  }
}

/** Opens all clients that know the deployment, one after the other, and has callers use them. */
export const beginAll = Effect.fnUntraced(function*(
  clients: ReadonlyArray<ChaosClient>,
  deployment: () => Deployment
): Effect.fn.Return<{ readonly running: ReadonlyArray<Running>; readonly ledgers: ReadonlyArray<Ledger> }> {
  const running: Array<Running> = []
  for (const client of clients) {
    const one = yield* Effect.promise(() => begin(client, deployment()))
    if (one !== undefined) running.push(one)
  }
  return { running, ledgers: running.flatMap(({ ledgers }) => ledgers.map(({ ledger }) => ledger)) }
})

/** Waits until all have found who takes writes now, or have had the time for it. */
export const recovered = (ledgers: ReadonlyArray<Ledger>, struck: Struck): Effect.Effect<unknown> =>
  Effect.promise(() =>
    Promise.all(ledgers.map((ledger) => ledger.until((write) => isRecovered(write, struck), recoveryLimit)))
  )

/** How long clients may take to recover, how long they go on after that, and how long they may take to close. */
const recoveryLimit = 15_000
const settleTime = 1500
const closeLimit = 3000

export const close = (session: Session): Promise<void> =>
  Promise.race([session.close(), new Promise<void>((done) => setTimeout(done, closeLimit).unref())])

/** Has a fault strike while clients write, and goes on until so many writes of each were acknowledged. */
export const strike = Effect.fnUntraced(function*(
  fault: Fault,
  clients: ReadonlyArray<ChaosClient>,
  { least = 0, measure = passed }: { readonly least?: number; readonly measure?: Measure } = {}
): Effect.fn.Return<ReadonlyArray<Row>, unknown, Scope.Scope> {
  const { deployment, observers } = fault.field
  const seen = yield* observe(observers)
  const { ledgers, running } = yield* beginAll(clients, deployment)
  yield* Effect.sleep(1000)
  const struck = yield* fault.run(places[0] ?? "", places)
  yield* recovered(ledgers, struck)
  yield* Effect.sleep(settleTime)
  yield* Effect.promise(() =>
    Promise.all(ledgers.map(({ acknowledged }) => until(() => acknowledged.length >= least, Infinity)))
  )
  const end = performance.now()
  yield* Effect.promise(() => Promise.all(ledgers.map((ledger) => ledger.stop())))
  const { close: closeReader, hash } = reader(deployment())
  const { mode } = deployment()
  const rows: Array<Row> = []
  for (const { client, connectionName, ledgers, session } of running) {
    for (const { label, ledger } of ledgers) {
      // Before the recovery: it tells which of the acknowledged writes were lost.
      const balance = yield* Effect.promise(() => ledger.balance(hash))
      rows.push({
        fault: `${mode}: ${fault.title}`,
        client: label === undefined ? client.name : `${client.name}: ${label}`,
        recovery: recoveryOf(ledger, struck, measure),
        gap: gapOf(ledger, struck, end),
        errors: ledger.errors,
        readings: mode === "cluster" ? seen.readings(connectionName) : undefined,
        connections: seen.connections(connectionName),
        ...balance
      })
    }
    yield* Effect.promise(() => close(session))
  }
  yield* Effect.promise(closeReader)
  return rows
})

/** What must never be: a write of redfx that was applied twice, or though it was refused, or that hangs. */
export const wrong = <R extends Balance & { readonly client: string }>(rows: ReadonlyArray<R>): ReadonlyArray<R> =>
  rows.filter(({ client, doubled, hanging, refusedApplied }) =>
    client.startsWith("redfx") && doubled + refusedApplied + hanging > 0
  )
