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
})
