/**
 * The settings of a consumer.
 */
import * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import type * as Schedule from "effect/Schedule"
import type { StreamId } from "../../commands/Streams.ts"
import * as RedisArg from "../../RedisArg.ts"
import type { CommandError, DataError } from "../../RedisError.ts"
import { count, duration, given, readOptions, someTime } from "../argument/options.ts"
import { invalid } from "../argument/refusal.ts"
import { backOffSchedule } from "../runtime/backOffSchedule.ts"

/** What settings and options have in common: who consumes what. */
interface Consumer {
  readonly stream: RedisArg.Key
  readonly group: RedisArg.Key
  readonly consumer: RedisArg.Key
  readonly createGroup?: StreamId | undefined
  readonly fields?: "text" | "bytes" | undefined
}

/**
 * What a consumer is made of, with all defaults.
 *
 * - `of`: what errors call the function that makes it.
 * - `acknowledges`: whether a handler that succeeds has acknowledged its entry itself, in one step with what came of it. Then
 *   the consumer must not do so: a server that took over in between may have the entry and not what came of it.
 */
export interface Settings extends Consumer {
  readonly of: string
  readonly acknowledges?: boolean | undefined
  readonly concurrency: number
  readonly count: number
  /** In milliseconds. */
  readonly block: number
  readonly claimIdle: Duration.Duration
  readonly claimEvery: Duration.Duration
  readonly limit: { readonly maxDeliveries: number; readonly deadLetter: RedisArg.Key } | undefined
  readonly drain: Duration.Duration
  readonly schedule: Schedule.Schedule<unknown, CommandError>
}

/** What programs give. */
interface Options extends Consumer {
  readonly concurrency?: number | undefined
  readonly count?: number | undefined
  readonly block?: RedisArg.Time | undefined
  readonly claimIdle?: Duration.Input | undefined
  readonly claimEvery?: Duration.Input | undefined
  readonly maxDeliveries?: number | undefined
  readonly deadLetter?: RedisArg.Key | undefined
  readonly drain?: Duration.Input | undefined
  readonly schedule?: Schedule.Schedule<unknown, CommandError> | undefined
}

export const settingsOf = (of: string, options: Options): Exit.Exit<Settings, DataError> =>
  readOptions(of, () => {
    const { block = "5 seconds", concurrency = 1, createGroup } = options
    for (const name of ["stream", "group", "consumer"] as const) given(name, options[name])
    // What a program without types gives for "yes".
    if (typeof createGroup === "boolean") invalid(`createGroup takes the id to begin after, such as "0" or "$"`)
    // Without a pause entries would be claimed, renewed and looked for without end.
    const idle = Duration.toMillis(someTime("claimIdle", options.claimIdle ?? "1 minute"))
    // Rounded up, as servers count whole milliseconds.
    const claimIdle = Duration.millis(Math.ceil(idle))
    return {
      ...options,
      of,
      concurrency: count("concurrency", concurrency),
      count: count("count", options.count ?? concurrency),
      block: RedisArg.blockMilliseconds(duration("block", block)).milliseconds,
      claimIdle,
      claimEvery: someTime("claimEvery", options.claimEvery ?? Duration.divideUnsafe(claimIdle, 2)),
      limit: limitOf(options),
      drain: duration("drain", options.drain ?? Duration.infinity),
      schedule: options.schedule ?? backOffSchedule
    }
  })

const limitOf = ({ deadLetter, maxDeliveries }: Options): Settings["limit"] => {
  if (maxDeliveries === undefined) return undefined
  const checked = count("maxDeliveries", maxDeliveries)
  return deadLetter === undefined ? undefined : { maxDeliveries: checked, deadLetter }
}
