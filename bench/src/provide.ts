/**
 * What it costs to run a command from a program of promises: with `RedisPromise`, with a `ManagedRuntime`, and with the
 * Layer provided anew for each call, by one caller and by fifty. Prints microseconds a call, the median of the rounds, and
 * the ratio to the first row of the same round.
 */
import { Redis, RedisPromise } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import { Effect, ManagedRuntime } from "effect"

const rounds = 15
/** Enough for a round of some ten milliseconds at least. */
const calls = 10_000
const callsOfLayers = 500

const main = Effect.gen(function*() {
  const { host, port } = yield* RedisServer.make()
  const layer = NodeRedisClient.layer({ host, port })
  const runtime = ManagedRuntime.make(layer)
  const promises = RedisPromise.make(layer)
  const ways: ReadonlyArray<readonly [name: string, calls: number, call: () => Promise<unknown>]> = [
    ["ManagedRuntime", calls, () => runtime.runPromise(Redis.get("k"))],
    ["RedisPromise", calls, () => promises.get("k")],
    ["a Layer for each call", callsOfLayers, () => Effect.runPromise(Effect.provide(Redis.get("k"), layer))]
  ]
  yield* Effect.promise(async () => {
    for (const callers of [1, 50]) {
      const times = ways.map((): Array<number> => [])
      for (let round = 0; round <= rounds; round++) {
        for (const [index, [, calls, call]] of ways.entries()) {
          const time = await microseconds(call, calls, callers)
          // The first round is for the compiler.
          if (round > 0) times[index]?.push(time)
        }
      }
      print(callers, ways.map(([name]) => name), times)
    }
    await Promise.all([runtime.dispose(), promises.close()])
  })
})

async function microseconds(call: () => Promise<unknown>, calls: number, callers: number): Promise<number> {
  const started = performance.now()
  for (let done = 0; done < calls; done += callers) await Promise.all(Array.from({ length: callers }, call))
  return (performance.now() - started) * 1000 / calls
}

function print(callers: number, names: ReadonlyArray<string>, times: ReadonlyArray<ReadonlyArray<number>>): void {
  const [base = []] = times
  for (const [index, name] of names.entries()) {
    const own = times[index] ?? []
    const ratio = median(own.map((time, round) => time / (base[round] ?? NaN)))
    console.log(`${callers} callers, ${name}: ${median(own).toFixed(1)} µs a call, ${ratio.toFixed(2)} ×`)
  }
}

function median(values: ReadonlyArray<number>): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

await Effect.runPromise(Effect.scoped(main))
