import type { RedisCommand, RedisReply } from "@redfx/core"
import { Redis, RedisSearch as Search } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

type Success<C extends RedisCommand.Any> = RedisCommand.Success<C>
type Fields = Readonly<Record<string, string | undefined>>
type Pairs = ReadonlyArray<readonly [Uint8Array, Uint8Array | undefined]>

describe("Search", () => {
  it("types documents in each view", () => {
    const search = Search.ftSearch("i", "q")
    expectTypeOf<Success<typeof search>["documents"][number]["id"]>().toEqualTypeOf<string>()
    expectTypeOf<Success<typeof search>["documents"][number]["fields"]>().toEqualTypeOf<Fields>()
    const bytes = Redis.asBytes(search)
    expectTypeOf<Success<typeof bytes>["documents"][number]["id"]>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<Success<typeof bytes>["documents"][number]["fields"]>().toEqualTypeOf<Pairs>()
    const scored = Redis.asBytes(Search.ftSearchWithscores("i", "q"))
    expectTypeOf<Success<typeof scored>["documents"][number]["id"]>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<Success<typeof scored>["documents"][number]["score"]>().toEqualTypeOf<number>()
    const ids = Redis.asBytes(Search.ftSearchNocontent("i", "q"))
    expectTypeOf<Success<typeof ids>["documents"]>().toEqualTypeOf<ReadonlyArray<Uint8Array>>()
  })

  it("types a view of a view as both", () => {
    const both = Redis.asBytes(Redis.asBigInt(Search.ftSearch("i", "q")))
    expectTypeOf<Success<typeof both>>().toEqualTypeOf<Search.FtFound<Search.FtDocumentBytes>>()
  })

  it("types rows in each view", () => {
    type Rows = ReadonlyArray<Readonly<Record<string, RedisReply.Raw>>>
    type InBytes = ReadonlyArray<ReadonlyArray<readonly [Uint8Array, RedisReply.Raw]>>
    const aggregate = Search.ftAggregate("i", "q")
    expectTypeOf<Success<typeof aggregate>["rows"]>().toEqualTypeOf<Rows>()
    const bytes = Redis.asBytes(aggregate)
    expectTypeOf<Success<typeof bytes>["rows"]>().toEqualTypeOf<InBytes>()
    const part = Redis.asBytes(Search.ftCursorRead("i", 1))
    expectTypeOf<Success<typeof part>["rows"]>().toEqualTypeOf<InBytes>()
    expectTypeOf<Success<typeof part>["cursor"]>().toEqualTypeOf<number>()
  })

  it("types words in the bytes view", () => {
    const spelling = Redis.asBytes(Search.ftSpellcheck("i", "q"))
    expectTypeOf<Success<typeof spelling>>().toEqualTypeOf<ReadonlyArray<Search.FtMisspelled<Uint8Array>>>()
    const suggestions = Redis.asBytes(Search.ftSugget("k", "p"))
    expectTypeOf<Success<typeof suggestions>>().toEqualTypeOf<ReadonlyArray<Uint8Array>>()
    const scored = Redis.asBytes(Search.ftSuggetWithscores("k", "p"))
    expectTypeOf<Success<typeof scored>[number]["suggestion"]>().toEqualTypeOf<Uint8Array>()
    const synonyms = Redis.asBytes(Search.ftSyndump("i"))
    expectTypeOf<Success<typeof synonyms>>()
      .toEqualTypeOf<ReadonlyArray<readonly [Uint8Array, ReadonlyArray<Uint8Array>]>>()
    const terms = Redis.asBytes(Search.ftDictdump("d"))
    expectTypeOf<Success<typeof terms>>().toEqualTypeOf<ReadonlyArray<Uint8Array>>()
    const tags = Redis.asBytes(Search.ftTagvals("i", "f"))
    expectTypeOf<Success<typeof tags>>().toEqualTypeOf<ReadonlyArray<Uint8Array>>()
    const indexes = Redis.asBytes(Search.ftList())
    expectTypeOf<Success<typeof indexes>>().toEqualTypeOf<ReadonlyArray<Uint8Array>>()
  })

  it("types what was asked for of each document", () => {
    const told = Search.ftSearchWith("i", "q", { withscores: true, explainscore: true, withpayloads: true })
    type Document = Success<typeof told>["documents"][number]
    expectTypeOf<Document["score"]>().toEqualTypeOf<number>()
    expectTypeOf<Document["explanation"]>().toEqualTypeOf<Search.FtExplanation>()
    expectTypeOf<Document["payload"]>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Document["fields"]>().toEqualTypeOf<Fields>()
    const bytes = Redis.asBytes(Search.ftSearchWith("i", "q", { withsortkeys: true, nocontent: true }))
    expectTypeOf<Success<typeof bytes>["documents"][number]["sortkey"]>().toEqualTypeOf<Uint8Array | undefined>()
    // @ts-expect-error Nothing of the fields was asked for.
    void ({} as Success<typeof bytes>["documents"][number]).fields
    const nocontent: boolean = Math.random() > 0.5
    const either = Search.ftSearchWith("i", "q", { nocontent })
    expectTypeOf<Success<typeof either>["documents"][number]["fields"]>().toEqualTypeOf<Fields | undefined>()
    const options: Search.FtTell = { nocontent }
    const any = Search.ftSearchWith("i", "q", options)
    expectTypeOf<Success<typeof any>["documents"][number]["fields"]>().toEqualTypeOf<Fields | undefined>()
    const all = Search.ftSearchWith("i", "q", { nocontent: false, withscores: true })
    expectTypeOf<Success<typeof all>["documents"][number]["fields"]>().toEqualTypeOf<Fields>()
  })

  it("types what an index is made of", () => {
    const info = Search.ftInfo("i")
    expectTypeOf<Success<typeof info>>().toEqualTypeOf<Search.FtInfo>()
    expectTypeOf<Search.FtInfo["attributes"][number]["flags"]>().toEqualTypeOf<ReadonlyArray<string>>()
    const bytes = Redis.asBytes(info)
    expectTypeOf<Success<typeof bytes>["attributes"][number]["identifier"]>().toEqualTypeOf<Uint8Array>()
  })

  it("types what a profile is of", () => {
    const profile = Search.ftProfile(Search.ftSearchNocontent("i", "q"))
    expectTypeOf<Success<typeof profile>["results"]>().toEqualTypeOf<Search.FtFound<string>>()
    const bytes = Redis.asBytes(profile)
    expectTypeOf<Success<typeof bytes>["results"]>().toEqualTypeOf<Search.FtFound<Uint8Array>>()
    const ofBytes = Search.ftProfile(Redis.asBytes(Search.ftSearchNocontent("i", "q")))
    expectTypeOf<Success<typeof ofBytes>>().toEqualTypeOf<Search.FtProfiled<Search.FtFound<Uint8Array>>>()
    // @ts-expect-error A cursor has no profile.
    void Search.ftProfile(Search.ftAggregateWithcursor("i", "q"))
    // @ts-expect-error It is no search.
    void Search.ftProfile(Redis.get("k"))
  })

  it("refuses options that do not go together", () => {
    // @ts-expect-error What is not searched cannot be searched for as missing.
    void Search.ftCreate("i", [{ name: "t", type: "text", noindex: true, indexmissing: true }])
    // @ts-expect-error Vectors are always searched.
    void Search.ftCreate("i", [{ name: "v", type: "vector", algorithm: "flat", attributes: {}, noindex: true }])
    // @ts-expect-error There is no score to explain.
    void Search.ftSearchWith("i", "q", { explainscore: true })
    const both = { knn: { k: 1 }, range: { radius: 1 } }
    expectTypeOf({ field: "@v" as const, vector: "$v" as const, ...both }).not.toExtend<Search.FtHybridVector>()
    expectTypeOf({ method: "linear" as const, alpha: 1 }).not.toExtend<Search.FtHybridCombine>()
    expectTypeOf({ method: "linear" as const, alpha: 1, beta: 2 }).toExtend<Search.FtHybridCombine>()
    expectTypeOf({ method: "rrf" as const, alpha: 1 }).not.toExtend<Search.FtHybridCombine>()
    const search = { query: "q" }
    // @ts-expect-error A vector is a parameter.
    void Search.ftHybrid("i", { search, vsim: { field: "@v", vector: "v" }, params: {} })
  })
})
