/** Samples of one case: every client once per round, in an order that rotates, after a warm-up. */
import { performance } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Case } from "./cases.ts"
import type { Bind, Session } from "./session.ts"
import { explain, perCaller } from "./session.ts"

/** A client connected for the run. */
export interface Participant {
  readonly name: string
  readonly session: Session
}

/** Median and extremes of a figure over the rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** What one client did in one case. */
export interface Result {
  readonly client: string
  /** Commands per second. */
  readonly rate: Spread
  /** Processor time of the whole process, all threads and garbage collection, in microseconds per command. */
  readonly cpu: Spread
  /** In milliseconds; only where the case asks for them. */
  readonly latency?: { readonly p50: Spread; readonly p99: Spread; readonly p999: Spread } | undefined
}

/** What every client did in one case. */
export interface CaseResult {
  readonly name: string
  readonly title: string
  readonly latency: boolean
  readonly results: ReadonlyArray<Result>
  /** Clients without this operation. */
  readonly lacking: ReadonlyArray<string>
  /** Clients that gave a wrong answer or failed, with the reason: they are not measured. */
  readonly wrong: ReadonlyArray<{ readonly client: string; readonly reason: string }>
}

interface Sample {
  readonly rate: number
  readonly cpu: number
  readonly latencies: Float64Array | undefined
}

const garbageCollector = (): () => void => {
  setFlagsFromString("--expose-gc")
  // Each collection ages compiled code, and what others' turns have aged away would be compiled again in every sample:
  // that made all clients two to four times as slow as in a program that uses one of them.
  setFlagsFromString("--no-flush-bytecode")
  const collect: unknown = runInNewContext("gc")
  if (typeof collect !== "function") throw new Error("This Node.js does not expose its garbage collector.")
  return () => void collect()
}

/** Collects all garbage now. */
export const collectGarbage: () => void = garbageCollector()

/** Sorts `values` and returns the value at `fraction`, by the nearest rank. */
export const percentile = (values: Float64Array, fraction: number): number =>
  values.sort()[Math.max(0, Math.ceil(values.length * fraction) - 1)] ?? Number.NaN

/** Median, least and greatest of some figures. */
export function spread(figures: ReadonlyArray<number>): Spread {
  const sorted = Float64Array.from(figures).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}

async function sample(session: Session, item: Case, total: number): Promise<Sample> {
  // Nobody pays for garbage that the client before left behind.
  collectGarbage()
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  let latencies: Float64Array | undefined
  if (item.latency) latencies = await session.runTimed(item.bind, item.callers, total)
  else await session.run(item.bind, item.callers, total)
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const commands = perCaller(item.callers, total) * item.callers * item.commands
  return { rate: commands / seconds, cpu: (cpu.user + cpu.system) / commands, latencies }
}

function summarise(client: string, samples: ReadonlyArray<Sample>): Result {
  const latencies = samples.flatMap((each) => each.latencies ?? [])
  const at = (fraction: number): Spread => spread(latencies.map((values) => percentile(values, fraction)))
  return {
    client,
    rate: spread(samples.map((each) => each.rate)),
    cpu: spread(samples.map((each) => each.cpu)),
    ...latencies.length === 0 ? {} : { latency: { p50: at(0.5), p99: at(0.99), p999: at(0.999) } }
  }
}

/** The reason why a client is not measured, if there is one: its answer is wrong, or it fails. */
async function fault(session: Session, item: Case): Promise<string | undefined> {
  try {
    return item.check(await session.once(item.bind))
  } catch (error) {
    return explain(error)
  }
}

const smallRead: Bind = (operations) => () => operations.get("bench:small:0")

/**
 * Runs every client by 1000 callers for `milliseconds`, twice in turn. The
 * compiler of V8 needs some 500 000 commands before a client is as fast as it
 * gets; what all commands of a client share is compiled here, before any case.
 */
export async function warmUp(participants: ReadonlyArray<Participant>, milliseconds: number): Promise<void> {
  for (const { session } of [...participants, ...participants]) {
    const end = performance.now() + milliseconds
    while (performance.now() < end) await session.run(smallRead, 1000, 20_000)
  }
}

/** Options of {@link measureCase}. */
export interface MeasureOptions {
  readonly rounds: number
  /** Multiplies the operations of a sample. */
  readonly scale: number
}

/** Measures one case with every participant that can take part and answers correctly. */
export async function measureCase(
  item: Case,
  participants: ReadonlyArray<Participant>,
  options: MeasureOptions
): Promise<CaseResult> {
  const lacking = participants.filter(({ session }) => !session.supports(item.bind))
  const wrong: Array<{ client: string; reason: string }> = []
  const samples = new Map<string, Array<Sample>>()
  const able: Array<Participant> = []
  for (const participant of participants) {
    if (lacking.includes(participant)) continue
    const reason = await fault(participant.session, item)
    if (reason === undefined) able.push(participant)
    else wrong.push({ client: participant.name, reason })
  }
  const total = Math.max(1, Math.ceil(item.total * options.scale))
  for (const { session } of able) await sample(session, item, Math.ceil(total / 2))
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < able.length; turn++) {
      const participant = able[(round + turn) % able.length]
      if (participant === undefined) continue
      const taken = samples.get(participant.name) ?? []
      taken.push(await sample(participant.session, item, total))
      samples.set(participant.name, taken)
    }
  }
  return {
    name: item.name,
    title: item.title,
    latency: item.latency,
    results: able.map(({ name }) => summarise(name, samples.get(name) ?? [])),
    lacking: lacking.map(({ name }) => name),
    wrong
  }
}
