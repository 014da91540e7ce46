/**
 * HOTKEYS: the keys that cost most. Redis measures between a start and a stop, Valkey all the time once it is
 * configured.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * The options of {@link hotkeysStart}.
 *
 * @category server
 * @since 0.1.0
 */
export interface HotkeysStartOptions {
  /** What to measure: processor time, network bytes, or both. */
  readonly metrics: ReadonlyArray<"cpu" | "net">
  /** How many keys to keep for each metric. */
  readonly count?: number | undefined
  /** After which time to stop; a bare number is seconds. */
  readonly duration?: Arg.Time | undefined
  /** Look at one of this many commands. */
  readonly sample?: number | undefined
  /** In a cluster, look only at keys in these slots. */
  readonly slots?: ReadonlyArray<number> | undefined
}

const costs = Reply.nullable(Reply.pairs(Reply.blob, Reply.integer))

const measurement = Reply.struct({
  trackingActive: Reply.boolean,
  sampleRatio: Reply.integer,
  selectedSlots: Reply.array(Reply.array(Reply.integer)),
  sampledCommandsSelectedSlotsUs: Reply.nullable(Reply.integer),
  allCommandsSelectedSlotsUs: Reply.nullable(Reply.integer),
  allCommandsAllSlotsUs: Reply.integer,
  netBytesSampledCommandsSelectedSlots: Reply.nullable(Reply.integer),
  netBytesAllCommandsSelectedSlots: Reply.nullable(Reply.integer),
  netBytesAllCommandsAllSlots: Reply.integer,
  collectionStartTimeUnixMs: Reply.integer,
  collectionDurationMs: Reply.integer,
  totalCpuTimeUserMs: Reply.nullable(Reply.integer),
  totalCpuTimeSysMs: Reply.nullable(Reply.integer),
  totalNetBytes: Reply.nullable(Reply.integer),
  byCpuTimeUs: costs,
  byNetBytes: costs
})

const onlyElement = <A, B, I>(reply: Reply.Reply<A, B, I>): Reply.Reply<A, B, I> =>
  Reply.make((value, view) => {
    const [first] = Reply.array(reply).decode(value, view)
    return first ?? Reply.mismatch("an array of 1", value)
  })

const rates = Reply.array(Reply.struct({ key: Reply.blob, db: Reply.integer, qps: Reply.integer }))

/**
 * Returns the measurement so far, `undefined` when none was started.
 *
 * `selectedSlots` has the first and the last slot of each range, or the one slot. The costs that name selected slots are
 * `undefined` without the option `slots`, and those of sampled commands without `sample` as well. The name of each time
 * ends in its unit. `byCpuTimeUs` and `byNetBytes` are keys with their costs, the costliest first; each is `undefined`
 * when it was not asked for. O(K). Since Redis 8.6.0; Valkey measures something else, see
 * {@link hotkeysGetRates}.
 *
 * @category server
 * @since 0.1.0
 */
export const hotkeysGet = define("HOTKEYS GET", () => [], Reply.nullable(onlyElement(measurement)), "readonly")

/**
 * Returns the keys that were used most in the last window of time, the most used first; none while the server is not
 * configured to track them (`hotkeys-top-k`).
 *
 * - `db`: the database of the key. `qps`: how often the key was used per second, estimated from samples.
 *
 * O(N). Since Valkey 9.2.0, according to its documentation (not tested against a server). Redis measures something
 * else, see {@link hotkeysGet}.
 *
 * @category server
 * @since 0.1.0
 */
export const hotkeysGetRates = define("HOTKEYS GET", () => [], rates, "readonly")

/**
 * Discards the measurement; returns `true`.
 *
 * On Redis it fails with `ResponseError` while a measurement runs. O(1). Since Redis 8.6.0 and Valkey 9.2.0.
 *
 * @category server
 * @since 0.1.0
 */
export const hotkeysReset = define("HOTKEYS RESET", () => [], Reply.ok)

/**
 * Starts measuring; returns `true`.
 *
 * Fails with `DataError` when no metrics are given. O(1). Since Redis 8.6.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const hotkeysStart = define(
  "HOTKEYS START",
  (options: HotkeysStartOptions) => {
    const { count, duration, metrics, sample, slots = [] } = options
    return [
      new Arg.List(["METRICS", metrics.length, ...Arg.some([metrics], "needs at least one metric").map(Arg.token)]),
      Arg.option("COUNT", count),
      Arg.option("DURATION", duration === undefined ? undefined : Arg.seconds(duration)),
      Arg.option("SAMPLE", sample),
      slots.length === 0 ? Arg.none : new Arg.List(["SLOTS", slots.length, ...slots])
    ]
  },
  Reply.ok
)

/**
 * Stops measuring; returns `true`, `false` when nothing was being measured.
 *
 * O(1). Since Redis 8.6.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const hotkeysStop = define("HOTKEYS STOP", () => [], Reply.ok)
