/**
 * A large import: batches in pipelines, a few at a time, in constant memory, with progress; it goes on over a lost connection, and
 * may be run again as a whole. `node examples/recipes/bulk-import.ts 1000000` imports a million keys.
 */
import { Redis, RedisError } from "@redfx/core"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { run } from "../support/server.ts"

const total = Number(process.argv[2] ?? 50_000)

/** What is imported; in life the lines of a file, the rows of a table. */
const rows = Stream.map(Stream.range(1, total), (id) => [`product:${id}`, `{"id":${id},"price":${id % 100}}`] as const)

/** `SET` may be repeated: a batch of which only a part is known to have run is sent again. */
const write = (batch: ReadonlyArray<readonly [key: string, value: string]>) =>
  Redis.pipeline(batch.map(([key, value]) => Redis.set(key, value))).pipe(
    Effect.retry({ schedule: Schedule.exponential("50 millis"), times: 10, while: RedisError.isRetryable })
  )

await run(Effect.gen(function*() {
  const started = performance.now()
  const done = yield* Ref.make(0)
  const progress = Effect.flatMap(Ref.get(done), (count) => {
    const seconds = (performance.now() - started) / 1000
    return Console.log(`${count} of ${total} keys, ${Math.round(count / seconds)} a second`)
  })
  yield* rows.pipe(
    Stream.grouped(1000),
    Stream.mapEffect((batch) => Effect.andThen(write(batch), Ref.update(done, (count) => count + batch.length)), {
      concurrency: 4
    }),
    Stream.runDrain,
    Effect.raceFirst(Effect.repeat(Effect.delay(progress, "1 second"), Schedule.forever))
  )
  yield* progress
  yield* Console.log("the server has", yield* Redis.dbsize(), "keys")
}))
