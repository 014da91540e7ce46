/** The sum: what callers were told of each write, beside what is on the servers. */
import { Redis, RedisError } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { keyAt } from "../../bench/src/chaos/clients.ts"
import { balanceOf } from "../../bench/src/chaos/ledger.ts"
import type { Balance } from "../../bench/src/chaos/ledger.ts"
import { whole } from "./meter.ts"
import { places } from "./writers.ts"
import type { Book } from "./writers.ts"

/** What became of the writes of one client on one deployment. `applied`: how many are found on the servers. */
export interface Sum extends Balance {
  readonly title: string
  readonly client: string
  readonly applied: number
}

/** How often each write was applied: by id, for each place. */
export type Counters = ReadonlyMap<string, Readonly<Record<string, string>>>

/** Reads the counters of a client's writes. What cannot be read would look like a loss, so it is tried for long. */
export const readCounters = (
  client: string
): Effect.Effect<Counters, RedisError.RedisError, RedisClient.RedisClient> =>
  Effect.forEach(
    places,
    (place) =>
      Redis.hgetall(keyAt(place, client)).pipe(
        Effect.retry({ schedule: Schedule.spaced("200 millis"), times: 50, while: RedisError.isRetryable }),
        Effect.map((counters) => [place, counters] as const)
      ),
    { concurrency: 10 }
  ).pipe(Effect.map((entries) => new Map(entries)))

/** Looks every write of a book up among the counters. */
export const sumOf = (title: string, book: Book, counters: Counters): Sum => {
  const times = book.told.map(({ id, place }) => Number(counters.get(place)?.[id] ?? 0))
  const balance = balanceOf(book.told, times, book.open)
  return { title, client: book.client, applied: times.filter((count) => count > 0).length, ...balance }
}

/** Whether every write went as its caller was told; losses are the servers' own. */
export const isSound = ({ doubled, hanging, refusedApplied }: Sum): boolean => doubled + refusedApplied + hanging === 0

const heads = ["acknowledged", "unknown", "(ran)", "applied", "doubled", "lost"]

const cellsOf = (sum: Sum) =>
  [sum.acknowledged, sum.unknown, sum.unknownApplied, sum.applied, sum.doubled, sum.lost].map(whole)

/** What must not be, and is told only where it is. */
const faultsOf = ({ client, hanging, refusedApplied, title }: Sum): ReadonlyArray<string> => [
  ...hanging === 0 ? [] : [`${title}, ${client}: ${whole(hanging)} writes were never answered`],
  ...refusedApplied === 0 ? [] : [`${title}, ${client}: ${whole(refusedApplied)} writes ran that were refused`]
]

const explanation = `Every write has a counter of its own on the servers, which are asked in the end.
  unknown  its caller was told that it may have run; (ran): it is there
  applied  acknowledged - lost + (ran)
  doubled  counted more than once: it was sent again though it had run
  lost     acknowledged by a master that died before its replicas had it`

/** The table of all sums, and what it means. */
export const table = (sums: ReadonlyArray<Sum>): string => {
  const row = (name: string, client: string, cells: ReadonlyArray<string>) =>
    `${name.padEnd(12)}${client.padEnd(11)}${
      cells.map((cell, index) => cell.padStart(Math.max(9, (heads[index]?.length ?? 0) + 1))).join("")
    }`
  const lines = sums.map((sum, index) =>
    row(sums[index - 1]?.title === sum.title ? "" : sum.title, sum.client, cellsOf(sum))
  )
  return [row("", "", heads), ...lines, ...sums.flatMap(faultsOf), "", explanation].join("\n")
}
