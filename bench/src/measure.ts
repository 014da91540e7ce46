/** Samples of one case, in pairs with redfx, and what they say. */
import { performance } from "node:perf_hooks"
import type { Case } from "./cases.ts"
import { collectYoung } from "./garbage.ts"
import type { Pair } from "./pairs.ts"
import { pairedRounds, ratios } from "./pairs.ts"
import type { Bind, Session } from "./session.ts"
import { explain, perCaller } from "./session.ts"
import type { Interval } from "./statistics.ts"
import { interval, percentile } from "./statistics.ts"

/** Whether others are compared with this client. */
export const isSubject = (client: string): boolean => client === "redfx" || client === "redfx-promise"

/** A client connected for the run. */
export interface Participant {
  readonly name: string
  readonly session: Session
}

/** How redfx does beside a client, by the pairs of the two. More than 1 is in favour of redfx. */
export interface Comparison {
  /** How many times its rate the rate of redfx is. */
  readonly rate: Interval
  /** How many times the processor time of redfx it takes. */
  readonly cpu: Interval
}

/** What one client did in one case. */
export interface Result {
  readonly client: string
  /** Commands per second. */
  readonly rate: Interval
  /** Processor time of the whole process, all threads and garbage collection, in microseconds per command. */
  readonly cpu: Interval
  /** In milliseconds; only where the case asks for them. */
  readonly latency?: { readonly p50: Interval; readonly p99: Interval; readonly p999: Interval } | undefined
  /** Absent for redfx itself, or whoever else is compared with. */
  readonly beside?: Comparison | undefined
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

async function sample(session: Session, item: Case, total: number): Promise<Sample> {
  // Nobody pays for what the client before has left behind.
  collectYoung()
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const latencies = await item.load.run(session, total)
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const commands = perCaller(item.callers, total) * item.callers * item.commands
  return { rate: commands / seconds, cpu: (cpu.user + cpu.system) / commands, latencies: latencies ?? undefined }
}

/** How many operations take `milliseconds`, found by running more and more of them: that warms up as well. */
async function totalFor(session: Session, item: Case, milliseconds: number): Promise<number> {
  for (let total = item.callers;;) {
    const start = performance.now()
    await item.load.run(session, total)
    const scale = milliseconds / (performance.now() - start)
    // Four times as many at most: the first ones are the slowest.
    total = Math.max(item.callers, Math.round(total * Math.min(4, scale)))
    if (scale < 2) return total
  }
}

function summarise(client: string, samples: ReadonlyArray<Sample>, pairs?: ReadonlyArray<Pair<Sample>>): Result {
  const latencies = samples.flatMap((each) => each.latencies ?? [])
  const at = (fraction: number): Interval => interval(latencies.map((values) => percentile(values, fraction)))
  return {
    client,
    rate: interval(samples.map(({ rate }) => rate)),
    cpu: interval(samples.map(({ cpu }) => cpu)),
    ...latencies.length === 0 ? {} : { latency: { p50: at(0.5), p99: at(0.99), p999: at(0.999) } },
    ...pairs === undefined ? {} : {
      beside: {
        rate: interval(ratios(pairs, ({ rate }) => rate)),
        cpu: interval(ratios(pairs, ({ cpu }) => 1 / cpu))
      }
    }
  }
}

/** The reason why a client is not measured, if there is one: its answer is wrong, or it fails. */
async function fault(session: Session, item: Case): Promise<string | undefined> {
  try {
    return item.check(await item.load.once(session))
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
  /** Multiplies the length of a sample. */
  readonly scale: number
}

/** Measures one case with every participant that can take part and answers correctly. */
export async function measureCase(
  item: Case,
  participants: ReadonlyArray<Participant>,
  options: MeasureOptions
): Promise<CaseResult> {
  const lacking = participants.filter(({ session }) => !item.load.supports(session))
  const wrong: Array<{ client: string; reason: string }> = []
  const able: Array<{ readonly name: string; readonly session: Session; readonly total: number }> = []
  for (const participant of participants) {
    if (lacking.includes(participant)) continue
    const reason = await fault(participant.session, item)
    if (reason === undefined) {
      able.push({ ...participant, total: await totalFor(participant.session, item, item.milliseconds * options.scale) })
    } else wrong.push({ client: participant.name, reason })
  }
  return {
    name: item.name,
    title: item.title,
    latency: item.latency,
    results: await measureAll(item, able, options.rounds),
    lacking: lacking.map(({ name }) => name),
    wrong
  }
}

async function measureAll(
  item: Case,
  able: ReadonlyArray<Participant & { readonly total: number }>,
  rounds: number
): Promise<ReadonlyArray<Result>> {
  const [first, ...rest] = able.toSorted((one, other) => Number(isSubject(other.name)) - Number(isSubject(one.name)))
  if (first === undefined) return []
  const { base, others } = await pairedRounds(1 + rest.length, rounds, (index) => {
    const { session, total } = rest[index - 1] ?? first
    return sample(session, item, total)
  })
  return [
    summarise(first.name, base),
    ...rest.map(({ name }, index) => {
      const pairs = others[index] ?? []
      return summarise(name, pairs.map(({ own }) => own), pairs)
    })
  ]
}
