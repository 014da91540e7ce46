import type { RedisCommand, RedisError } from "@redfx/core"
import { Redis, RedisTimeSeries as TimeSeries } from "@redfx/core"
import type * as Result from "effect/Result"
import { describe, expectTypeOf, it } from "vitest"

type Success<C extends RedisCommand.Any> = RedisCommand.Success<C>
type Labels = Readonly<Record<string, string | undefined>>
type Pairs = ReadonlyArray<readonly [Uint8Array, Uint8Array | undefined]>

describe("TimeSeries", () => {
  it("types series in each view", () => {
    const range = TimeSeries.tsMrange("-", "+", ["a=b"])
    expectTypeOf<Success<typeof range>>().toEqualTypeOf<ReadonlyArray<TimeSeries.TsSeries>>()
    expectTypeOf<Success<typeof range>[number]["key"]>().toEqualTypeOf<string>()
    expectTypeOf<Success<typeof range>[number]["labels"]>().toEqualTypeOf<Labels>()
    const bytes = Redis.asBytes(range)
    expectTypeOf<Success<typeof bytes>[number]["key"]>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<Success<typeof bytes>[number]["labels"]>().toEqualTypeOf<Pairs>()
    expectTypeOf<Success<typeof bytes>[number]["samples"]>().toEqualTypeOf<ReadonlyArray<TimeSeries.TsSample>>()
    const both = Redis.asBigInt(Redis.asBytes(TimeSeries.tsMrevrange("-", "+", ["a=b"])))
    expectTypeOf<Success<typeof both>>()
      .toEqualTypeOf<ReadonlyArray<TimeSeries.TsSeriesBytes<TimeSeries.TsSample<bigint>>>>()
  })

  it("types the times of samples in the bigint view", () => {
    const last = Redis.asBigInt(TimeSeries.tsGet("k"))
    expectTypeOf<Success<typeof last>>().toEqualTypeOf<TimeSeries.TsSample<bigint> | undefined>()
    const range = Redis.asBigInt(TimeSeries.tsRange("k", "-", "+"))
    expectTypeOf<Success<typeof range>>().toEqualTypeOf<ReadonlyArray<TimeSeries.TsSample<bigint>>>()
    const rows = Redis.asBigInt(TimeSeries.tsNrange(["k"], "-", "+"))
    expectTypeOf<Success<typeof rows>>().toEqualTypeOf<ReadonlyArray<TimeSeries.TsSampleValues<bigint>>>()
    const all = Redis.asBigInt(TimeSeries.tsMrange("-", "+", ["a=b"]))
    expectTypeOf<Success<typeof all>[number]["samples"]>().toEqualTypeOf<ReadonlyArray<TimeSeries.TsSample<bigint>>>()
  })

  it("types what becomes of each sample", () => {
    const added = TimeSeries.tsMadd({ key: "k", timestamp: 1, value: 2 })
    expectTypeOf<Success<typeof added>>().toEqualTypeOf<ReadonlyArray<Result.Result<number, RedisError.CommandError>>>()
    const exact = Redis.asBigInt(added)
    expectTypeOf<Success<typeof exact>>().toEqualTypeOf<ReadonlyArray<Result.Result<bigint, RedisError.CommandError>>>()
  })

  it("types groups", () => {
    const groups = TimeSeries.tsMrangeGroupby("-", "+", ["a=b"], { label: "a", reduce: "max" })
    expectTypeOf<Success<typeof groups>[number]["sources"]>().toEqualTypeOf<ReadonlyArray<string> | undefined>()
    const bytes = Redis.asBytes(groups)
    expectTypeOf<Success<typeof bytes>[number]["sources"]>().toEqualTypeOf<ReadonlyArray<Uint8Array> | undefined>()
  })

  it("refuses options that do not go together", () => {
    // @ts-expect-error Groups are never empty.
    void TimeSeries.tsMrangeGroupby("-", "+", ["a=b"], { label: "a", reduce: "max" }, { excludeempty: true })
    // @ts-expect-error Of one series there is always a reply.
    void TimeSeries.tsRange("k", "-", "+", { excludeempty: true })
    // @ts-expect-error All labels, or some.
    void TimeSeries.tsMrange("-", "+", ["a=b"], { withlabels: true, selectedLabels: ["a"] })
    // @ts-expect-error The time to wait is needed.
    void TimeSeries.tsRead("k", "$", { block: { minCount: 1 } })
    const several = { types: ["min"], bucketDuration: 1 } as const
    // @ts-expect-error Samples are either put together in one way or in several.
    void TimeSeries.tsRangeAggregations("k", "-", "+", several, { aggregation: undefined })
  })

  it("types the last samples in each view", () => {
    const last = TimeSeries.tsMget(["a=b"])
    expectTypeOf<Success<typeof last>[number]["key"]>().toEqualTypeOf<string>()
    expectTypeOf<Success<typeof last>[number]["labels"]>().toEqualTypeOf<Labels>()
    const bytes = Redis.asBytes(last)
    expectTypeOf<Success<typeof bytes>[number]["key"]>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<Success<typeof bytes>[number]["labels"]>().toEqualTypeOf<Pairs>()
    expectTypeOf<Success<typeof bytes>[number]["sample"]>().toEqualTypeOf<TimeSeries.TsSample | undefined>()
  })

  it("types what a series is made of in the bytes view", () => {
    const info = Redis.asBytes(TimeSeries.tsInfo("k"))
    expectTypeOf<Success<typeof info>["labels"]>().toEqualTypeOf<Pairs>()
    expectTypeOf<Success<typeof info>["sourceKey"]>().toEqualTypeOf<Uint8Array | undefined>()
    expectTypeOf<Success<typeof info>["rules"][number]["key"]>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<Success<typeof info>["rules"][number]["aggregator"]>().toEqualTypeOf<string>()
    const keys = Redis.asBytes(TimeSeries.tsQueryindex("a=b"))
    expectTypeOf<Success<typeof keys>>().toEqualTypeOf<ReadonlyArray<Uint8Array>>()
  })
})
