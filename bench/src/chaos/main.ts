/**
 * Does to real clusters and sentinel groups what happens to them in the world, while clients write to them side by side,
 * and prints what became of it as a table.
 */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import process from "node:process"
import { parseArgs } from "node:util"
import type { ChaosClient, Deployment } from "./clients.ts"
import { own, peers } from "./clients.ts"
import type { Fault, Struck } from "./faults.ts"
import { onCluster, onSentinel } from "./faults.ts"
import { keys, start } from "./ledger.ts"
import type { Acknowledged, Balance, Ledger } from "./ledger.ts"
import { observe } from "./observe.ts"

const usage = `Usage: node scripts/chaos.ts [options]

  --peers             ioredis, node-redis and valkey-glide beside redfx
  --fault a,b         only the faults whose titles contain one of these
  --deployment name   only "cluster" or only "sentinel"
  --repeat n          how often each fault strikes (default 3)
  --output file       writes the table as Markdown
`

/** What one client went through in one fault. `recovery`, `gap`: milliseconds. */
interface Row extends Balance {
  readonly fault: string
  readonly client: string
  readonly recovery: number | undefined
  readonly gap: number
  readonly errors: ReadonlyMap<string, number>
  readonly readings: number
  readonly connections: number
}

/** The first acknowledged write to what was struck that began after it, later than another server took writes. */
const recoveryOf = ({ acknowledged }: Ledger, struck: Struck): number | undefined => {
  if (struck.promoted === undefined) return undefined
  const first = acknowledged.find((write) => isRecovered(write, struck))
  return first === undefined ? Infinity : Math.max(0, first.ended - struck.promoted)
}

/** Whether a write shows that its client has found the server that took the place of the one that was struck. */
const isRecovered = ({ begun, ended, key }: Acknowledged, { at, concerns, promoted = at }: Struck): boolean =>
  concerns(plain(key)) && ended > promoted && begun > at

/** The longest time in which nothing that was struck was acknowledged, from a second before on. */
const gapOf = ({ acknowledged }: Ledger, { at, concerns }: Struck, end: number): number => {
  const times = acknowledged.flatMap(({ ended, key }) => concerns(plain(key)) && ended > at - 1000 ? [ended] : [])
  times.push(end)
  return times.reduce((longest, time, i) => Math.max(longest, time - (times[i - 1] ?? at)), 0)
}

/** A key without the name of the client before it. */
const plain = (key: string): string => key.slice(key.indexOf(":") + 1)

const layerOf = (deployment: Deployment): Layer.Layer<RedisClient.RedisClient, RedisError.RedisError> =>
  // At least one address is given.
  deployment.mode === "cluster"
    ? NodeRedisClient.layerCluster({ nodes: deployment.nodes as [Address], clientName: "chaos" })
    : NodeRedisClient.layerSentinel({
      sentinels: deployment.sentinels as [Address],
      service: deployment.service,
      clientName: "chaos"
    })
type Address = Extract<Deployment, { mode: "cluster" }>["nodes"][number]

interface Running {
  readonly client: ChaosClient
  readonly ledger: Ledger
  readonly close: () => Promise<void>
}

/** Opens a client and has ten callers write to it, each key under the client's own name. */
const begin = async (client: ChaosClient, deployment: Deployment): Promise<Running | undefined> => {
  const session = await client.open(deployment)
  if (session === undefined) return undefined
  return { client, ledger: start(client.name, session, 10), close: () => session.close() }
}

/** How long clients may take to recover, and how long they go on after that. */
const recoveryLimit = 15_000
const settleTime = 1500

const strike = Effect.fnUntraced(function*(
  fault: Fault,
  clients: ReadonlyArray<ChaosClient>
): Effect.fn.Return<ReadonlyArray<Row>, unknown, Scope.Scope> {
  const { deployment, observers } = fault.field
  const seen = yield* Effect.orDie(observe(observers))
  const running: Array<Running> = []
  for (const client of clients) {
    const one = yield* Effect.promise(() => begin(client, deployment))
    if (one !== undefined) running.push(one)
  }
  yield* Effect.sleep(1000)
  const sample = keys[0] ?? ""
  const owned = clients.flatMap(({ name }) => keys.map((key) => `${name}:${key}`))
  // Each client has keys of its own, so what was struck is told by the whole key.
  const struck = yield* fault.run(`${clients[0]?.name}:${sample}`, owned)
  const mine = (name: string): Struck => ({ ...struck, concerns: (key) => struck.concerns(`${name}:${key}`) })
  yield* Effect.promise(() =>
    Promise.all(
      running.map(({ client, ledger }) => ledger.until((write) => isRecovered(write, mine(client.name)), recoveryLimit))
    )
  )
  yield* Effect.sleep(settleTime)
  const end = performance.now()
  yield* Effect.promise(() => Promise.all(running.map(({ ledger }) => ledger.stop())))
  const rows: Array<Row> = []
  for (const { client, close, ledger } of running) {
    const hash = (key: string) => Effect.runPromise(Effect.provide(Redis.hgetall(key), layerOf(deployment)))
    rows.push({
      fault: `${fault.mode}, ${fault.title}`,
      client: client.name,
      recovery: recoveryOf(ledger, mine(client.name)),
      gap: gapOf(ledger, mine(client.name), end),
      errors: ledger.errors,
      readings: seen.readings(client.name),
      connections: seen.connections(client.name),
      ...yield* Effect.promise(() => ledger.balance(hash))
    })
    yield* Effect.promise(() => Promise.race([close(), new Promise<void>((done) => setTimeout(done, 3000).unref())]))
  }
  return rows
})

// -----------------------------------------------------------------------------
// The table
// -----------------------------------------------------------------------------

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
const most = (values: ReadonlyArray<number>): number => Math.max(...values)
const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)
const whole = (value: number): string => Number.isFinite(value) ? String(Math.round(value)) : "never"

const heads = [
  "fault",
  "client",
  "recovery ms: median, most",
  "gap ms",
  "acknowledged",
  "errors",
  "unknown, applied",
  "lost",
  "doubled",
  "readings",
  "connections"
]

const lineOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const recoveries = rows.flatMap(({ recovery }) => recovery === undefined ? [] : [recovery])
  const errors = new Map<string, number>()
  for (const row of rows) for (const [tag, count] of row.errors) errors.set(tag, (errors.get(tag) ?? 0) + count)
  const of = (key: keyof Balance) => sum(rows.map((row) => row[key]))
  return [
    rows[0]?.fault ?? "",
    rows[0]?.client ?? "",
    recoveries.length === 0 ? "" : `${whole(median(recoveries))}, ${whole(most(recoveries))}`,
    whole(median(rows.map(({ gap }) => gap))),
    String(of("acknowledged")),
    [...errors].map(([tag, count]) => `${count} ${tag}`).join(", ") || "0",
    `${of("unknown")}, ${of("unknownApplied")}`,
    String(of("lost")),
    String(of("doubled")),
    whole(median(rows.map(({ readings }) => readings))),
    String(most(rows.map(({ connections }) => connections)))
  ]
}

const table = (rows: ReadonlyArray<Row>): string => {
  const groups = Map.groupBy(rows, ({ client, fault }) => `${fault}\n${client}`)
  const lines = [...groups.values()].map(lineOf)
  return [heads, heads.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n")
}

/** What must never be: a write of redfx lost by the client's doing, applied twice, or applied though it was refused. */
const wrong = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  rows.filter((row) => row.client === own.name && row.doubled + row.refusedApplied > 0)

/** Runs with the arguments of the command line. */
export const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peers: { type: "boolean", default: false },
      fault: { type: "string", default: "" },
      deployment: { type: "string" },
      repeat: { type: "string", default: "3" },
      output: { type: "string" },
      help: { type: "boolean", default: false }
    }
  })
  if (values.help) return console.log(usage)
  const clients = values.peers ? [own, ...peers] : [own]
  const wanted = values.fault.split(",")
  const rows: Array<Row> = []
  for (const [mode, faults] of [["cluster", onCluster], ["sentinel", onSentinel]] as const) {
    if (values.deployment !== undefined && values.deployment !== mode) continue
    await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      for (const fault of yield* faults) {
        if (!wanted.some((text) => fault.title.includes(text))) continue
        for (let turn = 0; turn < Number(values.repeat); turn++) {
          const some = yield* Effect.scoped(strike(fault, clients))
          rows.push(...some)
          for (const row of some) console.log(lineOf([row]).join(" | "))
        }
      }
    })))
  }
  const text = table(rows)
  console.log(`\n${text}`)
  if (values.output !== undefined) writeFileSync(values.output, `${text}\n`)
  for (const row of wrong(rows)) console.error(`wrong: ${lineOf([row]).join(" | ")}`)
  process.exitCode = wrong(rows).length === 0 ? 0 : 1
}
