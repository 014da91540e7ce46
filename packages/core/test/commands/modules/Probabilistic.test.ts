import { assert, it } from "@effect/vitest"
import { RedisBloom as Bloom, RedisCommand, RedisError } from "@redfx/core"
import { array as flat, bulk, map } from "@redfx/testing/ReplyText"
import * as Result from "effect/Result"
import { refusedTable } from "../settled.ts"
import { commandTable, decoded } from "../table.ts"

const ok = "+OK\r\n"
const yes = [":1\r\n", "#t\r\n"]
const no = [":0\r\n", "#f\r\n"]
const some = ["*2\r\n:1\r\n:0\r\n", "*2\r\n#t\r\n#f\r\n"]
const numbers = (form: typeof map, fields: Readonly<Record<string, number>>): string =>
  form(...Object.entries(fields).flatMap(([name, value]) => [`+${name}\r\n`, `:${value}\r\n`]))
const both = (fields: Readonly<Record<string, number>>): ReadonlyArray<string> => [
  numbers(flat, fields),
  numbers(map, fields)
]
const doubles = [flat(bulk("1.5"), bulk("nan"), bulk("inf")), flat(",1.5\r\n", ",nan\r\n", ",inf\r\n")]

const done = (...values: ReadonlyArray<unknown>): ReadonlyArray<Result.Result<unknown>> => values.map(Result.succeed)

commandTable("Bloom filters", [
  ["adds", Bloom.bfAdd("k", "a"), "BF.ADD k a", yes, true],
  ["counts", Bloom.bfCard("k"), "BF.CARD k", ":3\r\n", 3],
  ["looks for an item", Bloom.bfExists("k", "a"), "BF.EXISTS k a", no, false],
  [
    "describes",
    Bloom.bfInfo("k"),
    "BF.INFO k",
    both({
      Capacity: 100,
      Size: 240,
      "Number of filters": 1,
      "Number of items inserted": 2,
      "Expansion rate": 2,
      "New number": 5
    }),
    {
      capacity: 100,
      size: 240,
      numberOfFilters: 1,
      numberOfItemsInserted: 2,
      expansionRate: 2,
      extra: { "New number": 5 }
    }
  ],
  [
    "describes what does not grow",
    Bloom.bfInfo("k"),
    "BF.INFO k",
    [flat(
      "+Capacity\r\n",
      ":1\r\n",
      "+Size\r\n",
      ":2\r\n",
      "+Number of filters\r\n",
      ":1\r\n",
      "+Number of items inserted\r\n",
      ":0\r\n",
      "+Expansion rate\r\n",
      "$-1\r\n"
    )],
    { capacity: 1, size: 2, numberOfFilters: 1, numberOfItemsInserted: 0, expansionRate: undefined, extra: {} }
  ],
  ["tells one number", Bloom.bfInfoField("k", "filters"), "BF.INFO k FILTERS", [
    "*1\r\n:3\r\n",
    "%1\r\n+Number of filters\r\n:3\r\n"
  ], 3],
  ["tells that a filter does not grow", Bloom.bfInfoField("k", "expansion"), "BF.INFO k EXPANSION", [
    "*1\r\n$-1\r\n",
    "%1\r\n+Expansion rate\r\n_\r\n"
  ], undefined],
  ["inserts", Bloom.bfInsert("k", ["a", "b"]), "BF.INSERT k ITEMS a b", some, done(true, false)],
  [
    "inserts into a filter that it makes",
    Bloom.bfInsert("k", ["a"], { capacity: 10, error: 0.01, expansion: 4 }),
    "BF.INSERT k CAPACITY 10 ERROR 0.01 EXPANSION 4 ITEMS a",
    "*1\r\n:1\r\n",
    done(true)
  ],
  [
    "inserts into what exists",
    Bloom.bfInsert("k", ["a"], { nocreate: true, nonscaling: true }),
    "BF.INSERT k NONSCALING NOCREATE ITEMS a",
    "*1\r\n:1\r\n",
    done(true)
  ],
  ["restores", Bloom.bfLoadchunk("k", 1, Uint8Array.of(97)), "BF.LOADCHUNK k 1 a", ok, true],
  ["adds several", Bloom.bfMadd("k", "a", "b"), "BF.MADD k a b", some, done(true, false)],
  ["looks for several", Bloom.bfMexists("k", ["a", "b"]), "BF.MEXISTS k a b", some, [true, false]],
  ["makes", Bloom.bfReserve("k", 0.01, 100), "BF.RESERVE k 0.01 100", ok, true],
  [
    "makes what grows",
    Bloom.bfReserve("k", 0.01, 100, { expansion: 3 }),
    "BF.RESERVE k 0.01 100 EXPANSION 3",
    ok,
    true
  ],
  ["dumps", Bloom.bfScandump("k", 0), "BF.SCANDUMP k 0", "*2\r\n:1\r\n$1\r\na\r\n", {
    iterator: 1,
    data: Uint8Array.of(97)
  }],
  ["dumps to the end", Bloom.bfScandump("k", 1), "BF.SCANDUMP k 1", ["*2\r\n:0\r\n$-1\r\n", "*2\r\n:0\r\n$0\r\n\r\n"], {
    iterator: 0,
    data: new Uint8Array()
  }]
])

commandTable("Cuckoo filters", [
  ["adds", Bloom.cfAdd("k", "a"), "CF.ADD k a", yes, true],
  ["adds what is new", Bloom.cfAddnx("k", "a"), "CF.ADDNX k a", no, false],
  ["counts", Bloom.cfCount("k", "a"), "CF.COUNT k a", ":2\r\n", 2],
  ["deletes", Bloom.cfDel("k", "a"), "CF.DEL k a", yes, true],
  ["looks for an item", Bloom.cfExists("k", "a"), "CF.EXISTS k a", no, false],
  [
    "describes",
    Bloom.cfInfo("k"),
    "CF.INFO k",
    both({
      Size: 1080,
      "Number of buckets": 512,
      "Number of filters": 1,
      "Number of items inserted": 3,
      "Number of items deleted": 1,
      "Bucket size": 2,
      "Expansion rate": 1,
      "Max iterations": 20,
      "New number": 5
    }),
    {
      size: 1080,
      numberOfBuckets: 512,
      numberOfFilters: 1,
      numberOfItemsInserted: 3,
      numberOfItemsDeleted: 1,
      bucketSize: 2,
      expansionRate: 1,
      maxIterations: 20,
      extra: { "New number": 5 }
    }
  ],
  ["inserts", Bloom.cfInsert("k", ["a"], { capacity: 9 }), "CF.INSERT k CAPACITY 9 ITEMS a", [
    "*1\r\n:1\r\n",
    "*1\r\n#t\r\n"
  ], done(1)],
  [
    "inserts until there is no room",
    Bloom.cfInsert("k", ["a", "b"]),
    "CF.INSERT k ITEMS a b",
    ["*2\r\n:1\r\n:-1\r\n", "*2\r\n#t\r\n#f\r\n"],
    done(1, -1)
  ],
  [
    "inserts what is new, until there is no room",
    Bloom.cfInsertnx("k", ["a", "b", "c"], { nocreate: true }),
    "CF.INSERTNX k NOCREATE ITEMS a b c",
    ["*3\r\n:1\r\n:0\r\n:-1\r\n", "*3\r\n#t\r\n#f\r\n:-1\r\n"],
    done(1, 0, -1)
  ],
  ["compacts", Bloom.cfCompact("k"), "CF.COMPACT k", ok, true],
  ["restores", Bloom.cfLoadchunk("k", 1n, Uint8Array.of(97)), "CF.LOADCHUNK k 1 a", ok, true],
  ["looks for several", Bloom.cfMexists("k", "a", "b"), "CF.MEXISTS k a b", some, [true, false]],
  ["makes", Bloom.cfReserve("k", 100), "CF.RESERVE k 100", ok, true],
  [
    "makes as said",
    Bloom.cfReserve("k", 100, { bucketsize: 4, maxiterations: 9, expansion: 0 }),
    "CF.RESERVE k 100 BUCKETSIZE 4 MAXITERATIONS 9 EXPANSION 0",
    ok,
    true
  ],
  ["dumps", Bloom.cfScandump("k", 0), "CF.SCANDUMP k 0", "*2\r\n:1\r\n$1\r\na\r\n", {
    iterator: 1,
    data: Uint8Array.of(97)
  }]
])

commandTable("Count-Min sketches", [
  ["counts", Bloom.cmsIncrby("k", [["b", 1], ["2", 2]]), "CMS.INCRBY k b 1 2 2", "*2\r\n:1\r\n:2\r\n", done(1, 2)],
  ["describes", Bloom.cmsInfo("k"), "CMS.INFO k", both({ width: 2000, depth: 7, count: 3, new: 5 }), {
    width: 2000,
    depth: 7,
    count: 3,
    extra: { new: 5 }
  }],
  ["makes by size", Bloom.cmsInitbydim("k", 2000, 7), "CMS.INITBYDIM k 2000 7", ok, true],
  ["makes by probability", Bloom.cmsInitbyprob("k", 0.001, 0.01), "CMS.INITBYPROB k 0.001 0.01", ok, true],
  ["merges", Bloom.cmsMerge("d", [{ key: "a" }, { key: "b" }]), "CMS.MERGE d 2 a b", ok, true],
  [
    "merges by weight",
    Bloom.cmsMerge("d", [{ key: "a", weight: 3 }, { key: "b" }]),
    "CMS.MERGE d 2 a b WEIGHTS 3 1",
    ok,
    true
  ],
  ["estimates", Bloom.cmsQuery("k", "a", "b"), "CMS.QUERY k a b", "*2\r\n:5\r\n:0\r\n", [5, 0]]
])

const topk = ["+k\r\n", ":5\r\n", "+width\r\n", ":8\r\n", "+depth\r\n", ":7\r\n", "+new\r\n", ":5\r\n"]
const dropped = ["*2\r\n$1\r\nx\r\n$-1\r\n", "*2\r\n$1\r\nx\r\n_\r\n"]

commandTable("Top-K sketches", [
  ["counts", Bloom.topkAdd("k", "a", "b"), "TOPK.ADD k a b", dropped, ["x", undefined]],
  ["estimates", Bloom.topkCount("k", "a"), "TOPK.COUNT k a", "*1\r\n:4\r\n", [4]],
  [
    "counts several times",
    Bloom.topkIncrby("k", [["b", 2], ["2", 3]]),
    "TOPK.INCRBY k b 2 2 3",
    dropped,
    done("x", undefined)
  ],
  [
    "describes",
    Bloom.topkInfo("k"),
    "TOPK.INFO k",
    [
      flat(...topk, "+decay\r\n", bulk("0.9")),
      map(...topk, "+decay\r\n", ",0.9\r\n")
    ],
    { k: 5, width: 8, depth: 7, decay: 0.9, extra: { new: 5 } }
  ],
  ["lists", Bloom.topkList("k"), "TOPK.LIST k", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", ["a", "b"]],
  [
    "lists with counts",
    Bloom.topkListWithcount("k"),
    "TOPK.LIST k WITHCOUNT",
    "*4\r\n$1\r\na\r\n:4\r\n$1\r\nb\r\n:2\r\n",
    [{ item: "a", count: 4 }, { item: "b", count: 2 }]
  ],
  ["looks for items", Bloom.topkQuery("k", "a", "b"), "TOPK.QUERY k a b", some, [true, false]],
  ["makes", Bloom.topkReserve("k", 5), "TOPK.RESERVE k 5", ok, true],
  ["makes as said", Bloom.topkReserve("k", 5, { width: 9, depth: 3, decay: 0.5 }), "TOPK.RESERVE k 5 9 3 0.5", ok, true]
])

const digest = {
  Compression: 100,
  Capacity: 610,
  "Merged nodes": 3,
  "Unmerged nodes": 2,
  "Merged weight": 120,
  "Unmerged weight": 1000,
  Observations: 1120,
  "Total compressions": 1,
  "Memory usage": 9768,
  "New number": 5
}

commandTable("t-digests", [
  ["adds", Bloom.tdigestAdd("k", 1.5, -2), "TDIGEST.ADD k 1.5 -2", ok, true],
  ["finds values by rank", Bloom.tdigestByrank("k", 0, 1, 9), "TDIGEST.BYRANK k 0 1 9", doubles, [1.5, NaN, Infinity]],
  ["finds values from the end", Bloom.tdigestByrevrank("k", [9]), "TDIGEST.BYREVRANK k 9", [
    "*1\r\n$4\r\n-inf\r\n",
    "*1\r\n,-inf\r\n"
  ], [-Infinity]],
  ["tells parts", Bloom.tdigestCdf("k", 1, 2, 3), "TDIGEST.CDF k 1 2 3", doubles, [1.5, NaN, Infinity]],
  ["makes", Bloom.tdigestCreate("k"), "TDIGEST.CREATE k", ok, true],
  ["makes as exact as said", Bloom.tdigestCreate("k", 200), "TDIGEST.CREATE k COMPRESSION 200", ok, true],
  [
    "describes",
    Bloom.tdigestInfo("k"),
    "TDIGEST.INFO k",
    both(digest),
    {
      compression: 100,
      capacity: 610,
      mergedNodes: 3,
      unmergedNodes: 2,
      mergedWeight: 120,
      unmergedWeight: 1000,
      observations: 1120,
      totalCompressions: 1,
      memoryUsage: 9768,
      extra: { "New number": 5 }
    }
  ],
  ["tells the greatest", Bloom.tdigestMax("k"), "TDIGEST.MAX k", ["$1\r\n5\r\n", ",5\r\n"], 5],
  [
    "merges",
    Bloom.tdigestMerge("d", ["a", "b"], { compression: 50, override: true }),
    "TDIGEST.MERGE d 2 a b COMPRESSION 50 OVERRIDE",
    ok,
    true
  ],
  ["tells the least", Bloom.tdigestMin("k"), "TDIGEST.MIN k", ["$3\r\nnan\r\n", ",nan\r\n"], NaN],
  ["finds values by part", Bloom.tdigestQuantile("k", 0.1, 0.5, 0.9), "TDIGEST.QUANTILE k 0.1 0.5 0.9", doubles, [
    1.5,
    NaN,
    Infinity
  ]],
  ["ranks", Bloom.tdigestRank("k", 1, 2), "TDIGEST.RANK k 1 2", "*2\r\n:-1\r\n:4\r\n", [-1, 4]],
  ["empties", Bloom.tdigestReset("k"), "TDIGEST.RESET k", ok, true],
  ["ranks from the end", Bloom.tdigestRevrank("k", 1), "TDIGEST.REVRANK k 1", "*1\r\n:-2\r\n", [-2]],
  ["tells the mean", Bloom.tdigestTrimmedMean("k", 0.1, 0.9), "TDIGEST.TRIMMED_MEAN k 0.1 0.9", [
    "$3\r\n9.5\r\n",
    ",9.5\r\n"
  ], 9.5]
])

refusedTable("Probabilistic", [
  ["no items to insert", Bloom.bfInsert("k", []), "needs at least one item"],
  ["no items to add", Bloom.bfMadd("k"), "needs at least one item"],
  ["no sources", Bloom.tdigestMerge("d", []), "needs at least one key"],
  ["nothing to count", Bloom.cmsIncrby("k", []), "needs at least one pair"]
])

it("routes merges by all keys", () => {
  assert.deepStrictEqual(RedisCommand.keys(Bloom.tdigestMerge("d", ["a", "b"])), ["d", "a", "b"])
  assert.deepStrictEqual(RedisCommand.keys(Bloom.cmsMerge("d", [{ key: "a" }])), ["d", "a"])
})

it("tells what became of each item, in the server's words", () => {
  const error = "-ERR non scaling filter is full\r\n"
  const commands: ReadonlyArray<readonly [RedisCommand.Any, first: string, value: unknown]> = [
    [Bloom.bfInsert("k", ["a", "b"]), ":1\r\n", true],
    [Bloom.bfMadd("k", "a", "b"), "#f\r\n", false],
    [Bloom.cfInsert("k", ["a", "b"]), "#t\r\n", 1],
    [Bloom.cfInsertnx("k", ["a", "b"]), ":0\r\n", 0],
    [Bloom.cmsIncrby("k", [["a", 1], ["b", 1]]), ":7\r\n", 7],
    [RedisCommand.asBigInt(Bloom.cmsIncrby("k", [["a", 1], ["b", 1]])), ":7\r\n", 7n],
    [Bloom.topkIncrby("k", [["a", 1], ["b", 1]]), "$1\r\nx\r\n", "x"],
    [RedisCommand.asBytes(Bloom.topkIncrby("k", [["a", 1], ["b", 1]])), "$1\r\nx\r\n", Uint8Array.of(120)]
  ]
  for (const [command, first, value] of commands) {
    // The type of what a reply decodes to is that of the command.
    const [one, two] = decoded(command, flat(first, error)) as ReadonlyArray<
      Result.Result<unknown, RedisError.RedisError>
    >
    assert.deepStrictEqual(one, Result.succeed(value))
    assert.isTrue(two !== undefined && Result.isFailure(two))
    if (two === undefined || Result.isSuccess(two)) return
    assert.instanceOf(two.failure, RedisError.ResponseError)
    assert.include(two.failure.message, "non scaling filter is full")
    assert.include(two.failure.message, command.spec.name)
  }
})
