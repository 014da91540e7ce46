/**
 * What others feel of one giant reply or command: how long the event loop stands
 * still, and how long GETs take meanwhile, over the same connection and over one
 * of another client of the same process. `node src/stalls.ts [--clients a,b]
 * [--rounds 5]`.
 *
 * GETs are due every two milliseconds, whatever becomes of those before, and are
 * counted from when they were due: what the loop has kept waiting shows.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import { parseArgs } from "node:util"
import { loadClient } from "./clients/index.ts"
import type { Environment } from "./environment.ts"
import { describeEnvironment } from "./environment.ts"
import { collectGarbage } from "./garbage.ts"
import { table } from "./report.ts"
import { startServer } from "./server.ts"
import type { Bind, Session } from "./session.ts"
import { explain } from "./session.ts"
import { percentile } from "./statistics.ts"

/** A reply or a command of very many elements. */
interface Giant {
  readonly name: string
  readonly bind: Bind
}

/** What a client did with one giant, in milliseconds: medians of the rounds, GETs of all rounds together. */
interface Row {
  readonly client: string
  readonly giant: string
  readonly took: number
  readonly longest: number
  readonly same: Latencies
  readonly other: Latencies
}

/** A client that failed: on a machine with too much to do its limit in time may pass. */
interface Failure {
  readonly client: string
  readonly giant: string
  readonly failed: string
}

/** What a whole run has measured. */
export interface StallsRun {
  readonly environment: Environment
  readonly rounds: number
  readonly rows: ReadonlyArray<Row | Failure>
}

interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

const text = "x".repeat(52)
const manyKeys = Array.from({ length: 100_000 }, (_, index) => `stall:key:${index}`)
const manyValues = Array.from({ length: 1_000_000 }, (_, index) => `${text}${index}`)
const manyPairs = Array.from({ length: 500_000 }, (_, index) => [`stall:pair:${index}`, `${index}`] as const)

const giants: ReadonlyArray<Giant> = [
  { name: "GET 64 bytes", bind: (operations) => () => operations.get("stall:small") },
  { name: "LRANGE 1,000,000", bind: (operations) => () => operations.lrange("stall:list", 0, -1) },
  { name: "HGETALL 500,000", bind: (operations) => () => operations.hgetall("stall:hash") },
  {
    name: "ZRANGE WITHSCORES 500,000",
    bind: ({ zrangeWithScores }) => zrangeWithScores && (() => zrangeWithScores("stall:sorted"))
  },
  { name: "MGET 100,000", bind: ({ mget }) => mget && (() => mget(manyKeys)) },
  { name: "pipeline of 100,000 GETs", bind: ({ pipeline }) => pipeline && (() => pipeline(manyKeys)) },
  { name: "KEYS, 1,000,000", bind: ({ keys }) => keys && (() => keys("stall:*")) },
  { name: "MSET 500,000", bind: ({ mset }) => mset && (() => mset(manyPairs)) },
  { name: "RPUSH 1,000,000", bind: ({ rpush }) => rpush && (() => rpush("stall:pushed", manyValues)) }
]

const fill = `
for i = 0, 999999 do redis.call("RPUSH", "stall:list", ARGV[1] .. i) end
for i = 0, 499999 do redis.call("HSET", "stall:hash", "field:" .. i, ARGV[1] .. i) end
for i = 0, 499999 do redis.call("ZADD", "stall:sorted", i, ARGV[1] .. i) end
for i = 0, 99999 do redis.call("SET", "stall:key:" .. i, ARGV[1] .. i) end
for i = 0, 899999 do redis.call("SET", "stall:rest:" .. i, "") end
redis.call("SET", "stall:small", ARGV[1] .. ARGV[1])
return 1`

// -----------------------------------------------------------------------------
// One client
// -----------------------------------------------------------------------------

const get: Bind = (operations) => () => operations.get("stall:small")

/** One GET, into a list of latencies. */
const timed = async (session: Session, due: number, into: Array<number>): Promise<void> => {
  await session.once(get)
  into.push(performance.now() - due)
}

/** Watches turns of the event loop, and has GETs sent by both sessions, until it is told to stop. */
class Watch {
  longest = 0
  readonly same: Array<number> = []
  readonly other: Array<number> = []
  readonly #gets: Array<Promise<void>> = []
  readonly #sessions: readonly [same: Session, other: Session]
  #last = performance.now()
  #due = performance.now()
  #stopped = false

  constructor(same: Session, other: Session) {
    this.#sessions = [same, other]
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    const now = performance.now()
    this.longest = Math.max(this.longest, now - this.#last)
    this.#last = now
    for (; this.#due <= now; this.#due += 2) {
      const [same, other] = this.#sessions
      this.#gets.push(timed(same, this.#due, this.same), timed(other, this.#due, this.other))
    }
    if (!this.#stopped) setImmediate(this.#turn)
  }

  async stop(): Promise<void> {
    // The turn that ends a stall has to be seen.
    await delay(5)
    this.#stopped = true
    await Promise.all(this.#gets)
  }
}

const latencies = (values: ReadonlyArray<number>): Latencies => {
  const at = (fraction: number): number => percentile(values, fraction)
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}

async function measure(client: string, giant: Giant, sessions: readonly [Session, Session], rounds: number) {
  const [session, other] = sessions
  const took: Array<number> = []
  const longest: Array<number> = []
  const gets = { same: new Array<number>(), other: new Array<number>() }
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round++) {
    collectGarbage()
    await delay(50)
    const watch = new Watch(session, other)
    const start = performance.now()
    await session.once(giant.bind)
    const duration = performance.now() - start
    await watch.stop()
    if (round === 0) continue
    took.push(duration)
    longest.push(watch.longest)
    gets.same.push(...watch.same)
    gets.other.push(...watch.other)
  }
  return {
    client,
    giant: giant.name,
    took: percentile(took, 0.5),
    longest: percentile(longest, 0.5),
    same: latencies(gets.same),
    other: latencies(gets.other)
  } satisfies Row
}

async function child(name: string, port: number, rounds: number, only: string): Promise<void> {
  const client = await loadClient(name)
  if (client === undefined) throw new Error(`No client is called ${name}.`)
  const address = { host: "127.0.0.1", port }
  const sessions = [await client.connect(address), await client.connect(address)] as const
  for (const giant of giants) {
    if (!giant.name.startsWith(only) || !sessions[0].supports(giant.bind)) continue
    try {
      process.send?.(await measure(name, giant, sessions, rounds))
    } catch (error) {
      process.send?.({ client: name, giant: giant.name, failed: explain(error) } satisfies Failure)
    }
  }
  process.exit()
}

// -----------------------------------------------------------------------------
// All clients
// -----------------------------------------------------------------------------

async function main(names: ReadonlyArray<string>, rounds: number, only: string): Promise<void> {
  const server = await startServer()
  const environment = describeEnvironment(server.version)
  const rows: Array<Row | Failure> = []
  try {
    // Patient, as the script takes some seconds.
    const redis = new (await import("ioredis")).Redis({ ...server.address })
    await redis.call("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0")
    await redis.call("EVAL", fill, "0", text)
    redis.disconnect()
    for (const name of names) {
      const { port } = server.address
      const process = fork(import.meta.filename, [
        `--child=${name}`,
        `--port=${port}`,
        `--rounds=${rounds}`,
        `--only=${only}`
      ], {
        execArgv: ["--max-old-space-size=8192"]
      })
      process.on("message", (row: Row | Failure) => rows.push(row))
      await once(process, "exit")
    }
  } finally {
    await server.stop()
  }
  const run: StallsRun = { environment, rounds, rows }
  console.log(stallsTable(rows))
  if (only !== "") return
  writeFileSync(join(import.meta.dirname, "../results/stalls.json"), `${JSON.stringify(run, undefined, 2)}\n`)
}

const figure = (milliseconds: number): string => milliseconds >= 10 ? milliseconds.toFixed(0) : milliseconds.toFixed(1)

const shown = ({ max, p50, p99, p999 }: Latencies): string => [p50, p99, p999, max].map(figure).join(" / ")

/** A table of giants, in milliseconds. */
export const stallsTable = (rows: ReadonlyArray<Row | Failure>): string =>
  table(
    ["", "Client", "took", "longest stall", "GET, same client: p50 / p99 / p99.9 / max", "GET, another client"],
    giants.flatMap(({ name }) =>
      rows.filter(({ giant }) => giant === name).map((row, index) => [
        index === 0 ? name : "",
        row.client,
        ..."failed" in row
          ? [row.failed, "", "", ""]
          : [figure(row.took), figure(row.longest), shown(row.same), shown(row.other)]
      ])
    )
  )

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      child: { type: "string" },
      port: { type: "string", default: "0" },
      clients: { type: "string", default: "redfx,ioredis,node-redis" },
      rounds: { type: "string", default: "5" },
      only: { type: "string", default: "" }
    }
  })
  if (values.child === undefined) await main(values.clients.split(","), Number(values.rounds), values.only)
  else await child(values.child, Number(values.port), Number(values.rounds), values.only)
}
