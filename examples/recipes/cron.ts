/**
 * Something that is done once in a while by one of several processes: the holder of a lock is the leader, and when it dies another
 * takes its place. A second lock for each turn keeps it to once, also when the leader changes in the middle.
 */
import { Redis, RedisLock } from "@redfx/core"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { run } from "../support/server.ts"

/** Held for as long as its process lives: a third of `ttl` after each extension the next is due. */
const leadership = RedisLock.make("lock:cron", { ttl: "300 millis", autoExtend: true, retryInterval: "50 millis" })

/** What is to be done; in life a report, a clean-up, an import. */
const turn = Effect.fn("turn")(function*(process: string) {
  const slot = Math.floor(Date.now() / 100)
  // Nobody else does this turn, whoever is the leader by then.
  const mine = yield* Redis.set(`cron:turn:${slot}`, process, { nx: true, ex: "1 minute" })
  if (mine) yield* Redis.rpush("cron:done", process)
})

/** One process: waits to become the leader, and is it until it dies or loses the lock; then it waits again. */
const process = (name: string) =>
  leadership.withLock(
    Effect.andThen(Console.log(`${name} leads`), Effect.repeat(turn(name), Schedule.fixed("100 millis")))
  ).pipe(
    Effect.catch((error) => Console.log(`${name} leads no more:`, error._tag)),
    Effect.repeat(Schedule.spaced("100 millis"))
  )

await run(Effect.gen(function*() {
  const first = yield* Effect.forkChild(process("process 1"))
  yield* Effect.sleep("250 millis")
  const others = yield* Effect.forEach(["process 2", "process 3"], (name) => Effect.forkChild(process(name)))
  yield* Effect.sleep("250 millis")
  yield* Fiber.interrupt(first)
  yield* Console.log("process 1 was stopped")
  yield* Effect.sleep("500 millis")
  yield* Fiber.interruptAll(others)

  const done = yield* Redis.lrange("cron:done", 0, -1)
  const by = Map.groupBy(done, (name) => name)
  yield* Console.log("turns:", Object.fromEntries([...by].map(([name, turns]) => [name, turns.length])))
}))
