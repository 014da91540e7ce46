import type { RedisCommand } from "@redfx/core"
import { Redis, RedisTimeSeries as TimeSeries } from "@redfx/core"
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
    expectTypeOf<Success<typeof both>>().toEqualTypeOf<ReadonlyArray<TimeSeries.TsSeriesBytes>>()
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
