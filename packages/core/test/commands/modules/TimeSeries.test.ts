import { assert, it } from "@effect/vitest"
import { RedisCommand, RedisError, RedisTimeSeries as TimeSeries } from "@redfx/core"
import { array as flat, bulk, map } from "@redfx/testing/ReplyText"
import * as Result from "effect/Result"
import { invalid, invalidTextTable } from "../invalidText.ts"
import { refusedTable } from "../settled.ts"
import { commandTable, decoded } from "../table.ts"

const ok = "+OK\r\n"
const plain = (fields: object): object => Object.assign(Object.create(null), fields)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const when = new Date(1700000000123)

const ranges = ["*2\r\n*2\r\n:1\r\n+1.5\r\n*2\r\n:2\r\n+nan\r\n", "*2\r\n*2\r\n:1\r\n,1.5\r\n*2\r\n:2\r\n,nan\r\n"]
const samples = [{ timestamp: 1, value: 1.5 }, { timestamp: 2, value: NaN }]
const series = [
  flat(flat(bulk("k"), flat(flat(bulk("room"), bulk("a")), flat(bulk("none"), "$-1\r\n")), ranges[0]!)),
  map(
    bulk("k"),
    flat(map(bulk("room"), bulk("a"), bulk("none"), "_\r\n"), map(bulk("aggregators"), flat()), ranges[1]!)
  )
]
const all = [{ key: "k", labels: plain({ room: "a", none: undefined }), samples }]
const grouped = flat(
  flat(
    bulk("room=a"),
    flat(
      flat(bulk("room"), bulk("a")),
      flat(bulk("__reducer__"), bulk("max")),
      flat(bulk("__source__"), bulk("k,l"))
    ),
    ranges[0]!
  )
)
const groupedInMaps = map(
  bulk("room=a"),
  flat(
    map(bulk("room"), bulk("a")),
    map(bulk("reducers"), flat(bulk("max"))),
    map(bulk("sources"), flat(bulk("k"), bulk("l"))),
    ranges[1]!
  )
)
const several = ["*1\r\n*3\r\n:1\r\n+1.5\r\n+NaN\r\n", "*1\r\n*3\r\n:1\r\n,1.5\r\n,nan\r\n"]
const severalSamples = [{ timestamp: 1, values: [1.5, NaN] }]
const severalSeries = [
  flat(flat(bulk("k"), flat(), several[0]!)),
  map(bulk("k"), flat(map(), map(bulk("aggregators"), flat(bulk("min"), bulk("max"))), several[1]!))
]
const rows = ["*1\r\n*2\r\n:1\r\n*2\r\n+1.5\r\n+NaN\r\n", "*1\r\n*2\r\n:1\r\n*2\r\n,1.5\r\n,nan\r\n"]
const infoOf = (form: typeof map, labels: string, rules: string): string =>
  form(
    bulk("totalSamples"),
    ":3\r\n",
    bulk("memoryUsage"),
    ":4239\r\n",
    bulk("firstTimestamp"),
    ":1\r\n",
    bulk("lastTimestamp"),
    ":9\r\n",
    bulk("retentionTime"),
    ":60000\r\n",
    bulk("chunkCount"),
    ":1\r\n",
    bulk("chunkSize"),
    ":4096\r\n",
    bulk("chunkType"),
    "+compressed\r\n",
    bulk("duplicatePolicy"),
    form === flat ? "$-1\r\n" : "_\r\n",
    bulk("labels"),
    labels,
    bulk("sourceKey"),
    form === flat ? "$-1\r\n" : "_\r\n",
    bulk("newField"),
    bulk("x"),
    bulk("rules"),
    rules,
    bulk("ignoreMaxTimeDiff"),
    ":0\r\n",
    bulk("ignoreMaxValDiff"),
    form === flat ? "$1\r\n0\r\n" : ",0\r\n"
  )
const infos = [
  infoOf(flat, flat(flat(bulk("a"), bulk("1"))), flat(flat(bulk("d"), ":60000\r\n", "+AVG\r\n", ":0\r\n"))),
  infoOf(map, map(bulk("a"), bulk("1")), map(bulk("d"), flat(":60000\r\n", "+AVG\r\n", ":0\r\n")))
]
const last = [
  flat(flat(bulk("k"), flat(flat(bulk("room"), bulk("a"))), "*2\r\n:1\r\n+2\r\n"), flat(bulk("l"), flat(), flat())),
  map(bulk("k"), flat(map(bulk("room"), bulk("a")), "*2\r\n:1\r\n,2\r\n"), bulk("l"), flat(map(), flat()))
]
const inBytes = [{
  key: bytes("k"),
  labels: [[bytes("room"), bytes("a")], [bytes("none"), undefined]],
  samples
}]

commandTable("TimeSeries", [
  ["adds", TimeSeries.tsAdd("k", "*", 1.5), "TS.ADD k * 1.5", ":1700000000123\r\n", 1700000000123],
  [
    "adds to a series that it makes",
    TimeSeries.tsAdd("k", when, 1, {
      retention: "1 minute",
      encoding: "uncompressed",
      chunkSize: 128,
      duplicatePolicy: "last",
      onDuplicate: "sum",
      ignore: { maxTimeDiff: 5, maxValDiff: 0.5 },
      labels: { a: "b" }
    }),
    "TS.ADD k 1700000000123 1 RETENTION 60000 ENCODING UNCOMPRESSED CHUNK_SIZE 128 DUPLICATE_POLICY LAST ON_DUPLICATE SUM IGNORE 5 0.5 LABELS a b",
    ":1\r\n",
    1
  ],
  ["alters", TimeSeries.tsAlter("k", { retention: 0 }), "TS.ALTER k RETENTION 0", ok, true],
  ["makes", TimeSeries.tsCreate("k", { labels: { a: "1", b: "2" } }), "TS.CREATE k LABELS a 1 b 2", ok, true],
  [
    "makes a rule",
    TimeSeries.tsCreaterule("a", "b", { type: "avg", bucketDuration: "1 minute", align: 5 }),
    "TS.CREATERULE a b AGGREGATION avg 60000 5",
    ok,
    true
  ],
  ["subtracts", TimeSeries.tsDecrby("k", 2), "TS.DECRBY k 2", ":1\r\n", 1],
  ["deletes", TimeSeries.tsDel("k", 1, when), "TS.DEL k 1 1700000000123", ":4\r\n", 4],
  ["deletes a rule", TimeSeries.tsDeleterule("a", "b"), "TS.DELETERULE a b", ok, true],
  ["gets the last", TimeSeries.tsGet("k"), "TS.GET k", ["*2\r\n:1\r\n+2\r\n", "*2\r\n:1\r\n,2\r\n"], {
    timestamp: 1,
    value: 2
  }],
  ["gets none", TimeSeries.tsGet("k", { latest: true }), "TS.GET k LATEST", "*0\r\n", undefined],
  ["adds up", TimeSeries.tsIncrby("k", 2, { timestamp: 7 }), "TS.INCRBY k 2 TIMESTAMP 7", ":7\r\n", 7],
  [
    "describes",
    TimeSeries.tsInfo("k"),
    "TS.INFO k",
    infos,
    {
      totalSamples: 3,
      memoryUsage: 4239,
      firstTimestamp: 1,
      lastTimestamp: 9,
      retentionTime: 60000,
      chunkCount: 1,
      chunkSize: 4096,
      chunkType: "compressed",
      duplicatePolicy: undefined,
      labels: plain({ a: "1" }),
      sourceKey: undefined,
      rules: [{ key: "d", bucketDuration: 60000, aggregator: "AVG", alignment: 0 }],
      ignoreMaxTimeDiff: 0,
      ignoreMaxValDiff: 0,
      extra: { newField: "x" }
    }
  ],
  [
    "adds several",
    TimeSeries.tsMadd({ key: "a", timestamp: 1, value: 2 }, { key: "b", timestamp: "*", value: NaN }),
    "TS.MADD a 1 2 b * NaN",
    "*2\r\n:1\r\n:9\r\n",
    [Result.succeed(1), Result.succeed(9)]
  ],
  [
    "gets the last of all",
    TimeSeries.tsMget(["room=a"], { selectedLabels: ["room"], latest: true }),
    "TS.MGET LATEST SELECTED_LABELS room FILTER room=a",
    last,
    [
      { key: "k", labels: plain({ room: "a" }), sample: { timestamp: 1, value: 2 } },
      { key: "l", labels: plain({}), sample: undefined }
    ]
  ],
  [
    "reads all",
    TimeSeries.tsMrange("-", "+", ["room=a", "x!="], { withlabels: true, count: 9 }),
    "TS.MRANGE - + WITHLABELS COUNT 9 FILTER room=a x!=",
    series,
    all
  ],
  [
    "reads all in groups, whose sources RESP2 servers do not tell",
    TimeSeries.tsMrangeGroupby("-", "+", ["room=a"], { label: "room", reduce: "max" }, { withlabels: true }),
    "TS.MRANGE - + WITHLABELS FILTER room=a GROUPBY room REDUCE max",
    grouped,
    [{ key: "room=a", labels: plain({ room: "a" }), sources: undefined, samples }]
  ],
  [
    "reads all without those that have no samples",
    TimeSeries.tsMrange("-", "+", ["room=a"], {
      aggregation: { type: "sum", bucketDuration: 10 },
      excludeempty: true
    }),
    "TS.MRANGE - + AGGREGATION sum 10 EXCLUDEEMPTY FILTER room=a",
    series,
    all
  ],
  [
    "reads all by several aggregators",
    TimeSeries.tsMrangeAggregations("-", "+", ["room=a"], { types: ["min", "max"], bucketDuration: 10 }, { count: 5 }),
    "TS.MRANGE - + COUNT 5 AGGREGATION min,max 10 FILTER room=a",
    severalSeries,
    [{ key: "k", labels: plain({}), samples: severalSamples }]
  ],
  [
    "reads all by several aggregators, backwards",
    TimeSeries.tsMrevrangeAggregations("-", "+", ["room=a"], { types: ["min"], bucketDuration: 10, empty: true }, {
      excludeempty: true,
      selectedLabels: ["room"]
    }),
    "TS.MREVRANGE - + SELECTED_LABELS room AGGREGATION min 10 EMPTY EXCLUDEEMPTY FILTER room=a",
    severalSeries,
    [{ key: "k", labels: plain({}), samples: severalSamples }]
  ],
  [
    "reads several keys side by side",
    TimeSeries.tsNrange(["k", "l"], "-", "+", { count: 5 }),
    "TS.NRANGE 2 k l - + COUNT 5",
    rows,
    severalSamples
  ],
  [
    "reads several keys side by side, backwards, by aggregators",
    TimeSeries.tsNrevrange(["k", "l"], 1, 2, {
      aggregation: { types: [["avg", "max"], "sum"], bucketDuration: 10, align: "start" }
    }),
    "TS.NREVRANGE 2 k l 1 2 ALIGN start AGGREGATION avg,max sum 10",
    rows,
    severalSamples
  ],
  [
    "lists labels",
    TimeSeries.tsQuerylabels(),
    "TS.QUERYLABELS LABELS",
    [flat(bulk("a")), "~1\r\n$1\r\na\r\n"],
    new Set(["a"])
  ],
  [
    "lists labels of some",
    TimeSeries.tsQuerylabels(["room=a"]),
    "TS.QUERYLABELS LABELS FILTER room=a",
    "~0\r\n",
    new Set()
  ],
  [
    "lists values of a label",
    TimeSeries.tsQuerylabelsValues("type", ["room=a"]),
    "TS.QUERYLABELS VALUES type FILTER room=a",
    [flat(bulk("a")), "~1\r\n$1\r\na\r\n"],
    new Set(["a"])
  ],
  [
    "reads by several aggregators",
    TimeSeries.tsRangeAggregations("k", "-", "+", { types: ["min", "max"], bucketDuration: 10 }),
    "TS.RANGE k - + AGGREGATION min,max 10",
    several,
    severalSamples
  ],
  [
    "reads by several aggregators, backwards",
    TimeSeries.tsRevrangeAggregations("k", "-", "+", { types: ["min", "max"], bucketDuration: 10 }, { latest: true }),
    "TS.REVRANGE k - + LATEST AGGREGATION min,max 10",
    several,
    severalSamples
  ],
  ["reads on", TimeSeries.tsRead("k", 5, { maxCount: 2 }), "TS.READ k 5 MAX_COUNT 2", ranges, samples],
  [
    "waits for samples",
    TimeSeries.tsRead("k", "$", { block: { timeout: "5 seconds" } }),
    "TS.READ k $ BLOCK 5000 1",
    "*0\r\n",
    []
  ],
  [
    "adds what is no number",
    TimeSeries.tsAdd("k", 9007199254740993n, NaN),
    "TS.ADD k 9007199254740993 NaN",
    ":1\r\n",
    1
  ],
  [
    "empty lists of labels and times are left out",
    TimeSeries.tsMrange("-", "+", ["a=b"], {
      filterByTs: [],
      selectedLabels: []
    }),
    "TS.MRANGE - + FILTER a=b",
    series,
    all
  ],
  ["deletes all", TimeSeries.tsDel("k", "-", "+"), "TS.DEL k - +", ":4\r\n", 4],
  ["reads all backwards", TimeSeries.tsMrevrange(1, 2, ["a=b"]), "TS.MREVRANGE 1 2 FILTER a=b", series, all],
  [
    "reads all backwards in groups",
    TimeSeries.tsMrevrangeGroupby(1, 2, ["a=b"], { label: "a", reduce: "std.p" }, { selectedLabels: ["a"] }),
    "TS.MREVRANGE 1 2 SELECTED_LABELS a FILTER a=b GROUPBY a REDUCE std.p",
    "*0\r\n",
    []
  ],
  ["finds keys", TimeSeries.tsQueryindex("a=b"), "TS.QUERYINDEX a=b", ["*1\r\n$1\r\nk\r\n", "~1\r\n$1\r\nk\r\n"], [
    "k"
  ]],
  [
    "reads",
    TimeSeries.tsRange("k", when, "+", {
      latest: true,
      filterByTs: [1, when],
      filterByValue: { min: -1, max: 1 },
      count: 5,
      aggregation: { type: "twa", bucketDuration: 10, align: "start", buckettimestamp: "mid", empty: true }
    }),
    "TS.RANGE k 1700000000123 + LATEST FILTER_BY_TS 1 1700000000123 FILTER_BY_VALUE -1 1 COUNT 5 ALIGN start AGGREGATION twa 10 BUCKETTIMESTAMP mid EMPTY",
    ranges,
    samples
  ],
  ["reads backwards", TimeSeries.tsRevrange("k", "-", "+"), "TS.REVRANGE k - +", ranges, samples]
])

commandTable("TimeSeries, in the bytes view", [
  [
    "describes",
    RedisCommand.asBytes(TimeSeries.tsInfo("k")),
    "TS.INFO k",
    infos,
    {
      totalSamples: 3,
      memoryUsage: 4239,
      firstTimestamp: 1,
      lastTimestamp: 9,
      retentionTime: 60000,
      chunkCount: 1,
      chunkSize: 4096,
      chunkType: "compressed",
      duplicatePolicy: undefined,
      labels: [[bytes("a"), bytes("1")]],
      sourceKey: undefined,
      rules: [{ key: bytes("d"), bucketDuration: 60000, aggregator: "AVG", alignment: 0 }],
      ignoreMaxTimeDiff: 0,
      ignoreMaxValDiff: 0,
      extra: { newField: bytes("x") }
    }
  ],
  [
    "gets the last of all",
    RedisCommand.asBytes(TimeSeries.tsMget(["room=a"])),
    "TS.MGET FILTER room=a",
    last,
    [
      { key: bytes("k"), labels: [[bytes("room"), bytes("a")]], sample: { timestamp: 1, value: 2 } },
      { key: bytes("l"), labels: [], sample: undefined }
    ]
  ],
  [
    "reads all",
    RedisCommand.asBytes(TimeSeries.tsMrange("-", "+", ["room=a"])),
    "TS.MRANGE - + FILTER room=a",
    series,
    inBytes
  ],
  [
    "reads all backwards",
    RedisCommand.asBytes(TimeSeries.tsMrevrange(1, 2, ["a=b"])),
    "TS.MREVRANGE 1 2 FILTER a=b",
    series,
    inBytes
  ],
  [
    "finds keys",
    RedisCommand.asBytes(TimeSeries.tsQueryindex("a=b")),
    "TS.QUERYINDEX a=b",
    ["*1\r\n$1\r\nk\r\n", "~1\r\n$1\r\nk\r\n"],
    [bytes("k")]
  ]
])

commandTable("TimeSeries, in the bigint view", [
  [
    "adds",
    RedisCommand.asBigInt(TimeSeries.tsAdd("k", "*", 1)),
    "TS.ADD k * 1",
    ":9007199254740993\r\n",
    9007199254740993n
  ],
  ["gets the last", RedisCommand.asBigInt(TimeSeries.tsGet("k")), "TS.GET k", "*2\r\n:9007199254740993\r\n,2\r\n", {
    timestamp: 9007199254740993n,
    value: 2
  }],
  ["reads", RedisCommand.asBigInt(TimeSeries.tsRange("k", "-", "+")), "TS.RANGE k - +", ranges, [
    { timestamp: 1n, value: 1.5 },
    { timestamp: 2n, value: NaN }
  ]],
  [
    "reads all",
    RedisCommand.asBigInt(TimeSeries.tsMrange("-", "+", ["a=b"])),
    "TS.MRANGE - + FILTER a=b",
    series,
    [{
      key: "k",
      labels: plain({ room: "a", none: undefined }),
      samples: [{ timestamp: 1n, value: 1.5 }, { timestamp: 2n, value: NaN }]
    }]
  ],
  [
    "reads several keys side by side",
    RedisCommand.asBigInt(TimeSeries.tsNrange(["k", "l"], "-", "+")),
    "TS.NRANGE 2 k l - +",
    rows,
    [{ timestamp: 1n, values: [1.5, NaN] }]
  ]
])

it("tells the sources of groups, as RESP3 servers do", () => {
  const command = TimeSeries.tsMrangeGroupby("-", "+", ["a=b"], { label: "room", reduce: "max" })
  assert.deepStrictEqual(decoded(command, groupedInMaps), [
    { key: "room=a", labels: plain({ room: "a" }), sources: ["k", "l"], samples }
  ])
  const inBytes = { key: bytes("room=a"), labels: [[bytes("room"), bytes("a")]], sources: [bytes("k"), bytes("l")] }
  assert.deepStrictEqual(decoded(RedisCommand.asBytes(command), groupedInMaps), [{ ...inBytes, samples }])
  assert.deepStrictEqual(decoded(RedisCommand.asBigInt(RedisCommand.asBytes(command)), groupedInMaps), [
    { ...inBytes, samples: [{ timestamp: 1n, value: 1.5 }, { timestamp: 2n, value: NaN }] }
  ])
})

it("tells what became of each sample, in the server's words", () => {
  const command = TimeSeries.tsMadd({ key: "a", timestamp: 1, value: 2 }, { key: "b", timestamp: 2, value: 3 })
  const error = "-ERR TSDB: the key is not a TSDB key\r\n"
  // The type of what a reply decodes to is that of the command.
  const [one, two] = decoded(command, flat(":1\r\n", error)) as RedisCommand.Success<typeof command>
  assert.deepStrictEqual(one, Result.succeed(1))
  assert.isTrue(two !== undefined && Result.isFailure(two))
  if (two === undefined || Result.isSuccess(two)) return
  assert.instanceOf(two.failure, RedisError.ResponseError)
  assert.include(two.failure.message, "TSDB: the key is not a TSDB key (TS.MADD)")
})

it("has a connection of its own while it waits", () => {
  assert.isTrue(RedisCommand.needsOwnConnection(TimeSeries.tsRead("k", "$", { block: { timeout: 5 } })))
  assert.isFalse(RedisCommand.needsOwnConnection(TimeSeries.tsRead("k", 5)))
  assert.isTrue(RedisCommand.needsOwnConnection(RedisCommand.send("TS.READ", "k", "$", "BLOCK", 0, 1)))
})

it("is not repeated where the start would be another", () => {
  for (const from of ["$", "+"] as const) assert.isFalse(TimeSeries.tsRead("k", from).spec.readonly)
  for (const from of ["-", 5, 5n, when] as const) assert.isTrue(TimeSeries.tsRead("k", from).spec.readonly)
})

/** A series of an invalid key, and two with an invalid label, as RESP2 and RESP3 servers tell them. */
const invalidSeries = (samples: string): ReadonlyArray<readonly [string, ReadonlyArray<string>]> => [
  ["a key", [flat(flat(bulk(invalid), flat(), samples)), map(bulk(invalid), flat(map(), samples))]],
  ["the name of a label", [
    flat(flat(bulk("k"), flat(flat(bulk(invalid), bulk("a"))), samples)),
    map(bulk("k"), flat(map(bulk(invalid), bulk("a")), samples))
  ]],
  ["the value of a label", [
    flat(flat(bulk("k"), flat(flat(bulk("a"), bulk(invalid))), samples)),
    map(bulk("k"), flat(map(bulk("a"), bulk(invalid)), samples))
  ]]
]

invalidTextTable("TimeSeries", [
  ...[
    TimeSeries.tsMget(["a=b"]),
    TimeSeries.tsMrange("-", "+", ["a=b"]),
    TimeSeries.tsMrevrange("-", "+", ["a=b"]),
    TimeSeries.tsMrangeGroupby("-", "+", ["a=b"], { label: "a", reduce: "max" })
  ].flatMap((command) =>
    invalidSeries(flat()).map(([title, replies]) => [`${title} in ${command.spec.name}`, command, replies] as const)
  ),
  ["a key that is found", TimeSeries.tsQueryindex("a=b"), [flat(bulk(invalid))]],
  ["a label of one series", TimeSeries.tsInfo("k"), [
    infoOf(flat, flat(flat(bulk(invalid), bulk("1"))), flat()),
    infoOf(map, map(bulk(invalid), bulk("1")), map())
  ]],
  ["the key of a rule", TimeSeries.tsInfo("k"), [
    infoOf(flat, flat(), flat(flat(bulk(invalid), ":1\r\n", "+AVG\r\n", ":0\r\n"))),
    infoOf(map, map(), map(bulk(invalid), flat(":1\r\n", "+AVG\r\n", ":0\r\n")))
  ]],
  ["the key of a source", TimeSeries.tsInfo("k"), [
    infoOf(map, map(), map()).replace(`${bulk("sourceKey")}_\r\n`, `${bulk("sourceKey")}${bulk(invalid)}`)
  ]]
])

refusedTable("TimeSeries", [
  ["no filters", TimeSeries.tsMget([]), "needs at least one filter"],
  ["no samples", TimeSeries.tsMadd(), "needs at least one sample"],
  ["no filters, where there may be none", TimeSeries.tsQuerylabels([]), "needs at least one filter"],
  [
    "no aggregators",
    TimeSeries.tsRangeAggregations("k", "-", "+", { types: [], bucketDuration: 1 }),
    "needs at least one aggregator"
  ],
  [
    "fewer aggregators than keys",
    TimeSeries.tsNrange(["k", "l"], "-", "+", { aggregation: { types: ["avg"], bucketDuration: 1 } }),
    "needs an aggregator for each of the 2 keys, and has 1"
  ],
  ["no keys", TimeSeries.tsNrange([], "-", "+"), "needs at least one key"]
])

it("routes by keys", () => {
  assert.deepStrictEqual(RedisCommand.keys(TimeSeries.tsCreaterule("a", "b", { type: "avg", bucketDuration: 1 })), [
    "a",
    "b"
  ])
  assert.deepStrictEqual(RedisCommand.keys(TimeSeries.tsNrange(["a", "b"], "-", "+")), ["a", "b"])
  assert.deepStrictEqual(RedisCommand.keys(TimeSeries.tsMadd({ key: "a", timestamp: 1, value: 2 })), ["a"])
})
