import { assert, it } from "@effect/vitest"
import { RedisCommand, RedisTimeSeries as TimeSeries } from "@redfx/core"
import { invalid, invalidTextTable } from "../invalidText.ts"
import { refusedTable } from "../settled.ts"
import { commandTable } from "../table.ts"

const ok = "+OK\r\n"
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const flat = (...items: ReadonlyArray<string>): string => `*${items.length}\r\n${items.join("")}`
const map = (...items: ReadonlyArray<string>): string => `%${items.length / 2}\r\n${items.join("")}`
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
const grouped = [
  flat(
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
]
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
    TimeSeries.tsMadd({ key: "a", timestamp: 1, value: 2 }, { key: "b", timestamp: "*", value: 3 }),
    "TS.MADD a 1 2 b * 3",
    "*2\r\n:1\r\n:9\r\n",
    [1, 9]
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
    "reads all in groups",
    TimeSeries.tsMrangeGroupby("-", "+", ["room=a"], { label: "room", reduce: "max" }),
    "TS.MRANGE - + FILTER room=a GROUPBY room REDUCE max",
    grouped,
    [{ key: "room=a", labels: plain({ room: "a", __reducer__: "max", __source__: "k,l" }), samples }]
  ],
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
    "reads all in groups",
    RedisCommand.asBytes(TimeSeries.tsMrangeGroupby("-", "+", ["room=a"], { label: "room", reduce: "max" })),
    "TS.MRANGE - + FILTER room=a GROUPBY room REDUCE max",
    grouped,
    [{
      key: bytes("room=a"),
      labels: [
        [bytes("room"), bytes("a")],
        [bytes("__reducer__"), bytes("max")],
        [bytes("__source__"), bytes("k,l")]
      ],
      samples
    }]
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
  ["no samples", TimeSeries.tsMadd(), "needs at least one sample"]
])

it("routes by keys", () => {
  assert.deepStrictEqual(RedisCommand.keys(TimeSeries.tsCreaterule("a", "b", { type: "avg", bucketDuration: 1 })), [
    "a",
    "b"
  ])
  assert.deepStrictEqual(RedisCommand.keys(TimeSeries.tsMadd({ key: "a", timestamp: 1, value: 2 })), ["a"])
})
