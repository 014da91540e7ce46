/** Samples of one case, in pairs with redfx, and what they say. */
import type { Case } from "./cases.ts"
import type { Pair } from "./pairs.ts"
import { pairedRounds, ratios } from "./pairs.ts"
import type { Sample } from "./participant-child.ts"
import type { Participant } from "./participant.ts"
import type { Interval } from "./statistics.ts"
import { interval, percentile } from "./statistics.ts"

/** Whether others are compared with this client. */
export const isSubject = (client: string): boolean => client === "redfx" || client === "redfx-promise"

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

/**
 * Runs every client by 1000 callers for `milliseconds`, twice in turn. The
 * compiler of V8 needs some 500 000 commands before a client is as fast as it
 * gets; what all commands of a client share is compiled here, before any case.
 */
export async function warmUp(participants: ReadonlyArray<Participant>, milliseconds: number): Promise<void> {
  for (const participant of [...participants, ...participants]) await participant.warmUp({ milliseconds })
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
  const { name } = item
  const lacking: Array<string> = []
  const wrong: Array<{ client: string; reason: string }> = []
  const able: Array<Able> = []
  for (const participant of participants) {
    const fault = await participant.fault({ name })
    if (fault === "lacking") lacking.push(participant.name)
    else if (fault !== undefined) wrong.push({ client: participant.name, ...fault })
    else {
      const total = await participant.totalFor({ name, milliseconds: item.milliseconds * options.scale })
      able.push({ participant, total })
    }
  }
  const { latency, title } = item
  return { name, title, latency, results: await measureAll(name, able, options.rounds), lacking, wrong }
}

/** A participant that can take part, and how many operations a sample of it has. */
interface Able {
  readonly participant: Participant
  readonly total: number
}

async function measureAll(
  name: string,
  able: ReadonlyArray<Able>,
  rounds: number
): Promise<ReadonlyArray<Result>> {
  const [first, ...rest] = able.toSorted((one, other) =>
    Number(isSubject(other.participant.name)) - Number(isSubject(one.participant.name))
  )
  if (first === undefined) return []
  const { base, others } = await pairedRounds(1 + rest.length, rounds, (index) => {
    const { participant, total } = rest[index - 1] ?? first
    return participant.sample({ name, total })
  })
  return [
    summarise(first.participant.name, base),
    ...rest.map(({ participant }, index) => {
      const pairs = others[index] ?? []
      return summarise(participant.name, pairs.map(({ own }) => own), pairs)
    })
  ]
}
