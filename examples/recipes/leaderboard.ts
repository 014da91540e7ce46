/**
 * A leaderboard: scores in a sorted set, the best, a player's rank and neighbours, and one board for each week.
 */
import { Redis } from "@redfx/core"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { run } from "../support/server.ts"

const board = (week: string) => `board:{${week}}`

/** Adds to a score and keeps the board for a month, in one transaction. */
const win = (week: string, player: string, points: number) =>
  Redis.transaction({
    score: Redis.zincrby(board(week), points, player),
    kept: Redis.expire(board(week), "31 days")
  })

const best = (week: string, count: number) => Redis.zrangeWithScores(board(week), 0, count - 1, { rev: true })

/** A player, and who is right above and below; `undefined` for who has not played. */
const around = Effect.fn("around")(function*(week: string, player: string) {
  const rank = yield* Redis.zrevrank(board(week), player)
  if (rank === undefined) return undefined
  const first = Math.max(0, rank - 1)
  const neighbours = yield* Redis.zrangeWithScores(board(week), first, rank + 1, { rev: true })
  return { rank: rank + 1, neighbours }
})

await run(Effect.gen(function*() {
  const players = ["ada", "alan", "barbara", "donald", "edsger", "grace"]
  yield* Effect.forEach(players, (player, index) => win("2026-48", player, (index + 1) * 10), {
    concurrency: "unbounded"
  })
  yield* win("2026-48", "ada", 35)
  yield* Console.log("the best three:", yield* best("2026-48", 3))
  yield* Console.log("around ada:", yield* around("2026-48", "ada"))
  yield* Console.log("who has not played:", yield* around("2026-48", "nobody"))
}))
