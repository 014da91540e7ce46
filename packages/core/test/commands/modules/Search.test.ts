import { assert, it } from "@effect/vitest"
import { RedisCommand, RedisSearch as Search } from "@redfx/core"
import { array as flat, bulk, map } from "@redfx/testing/ReplyText"
import { invalid, invalidTextTable } from "../invalidText.ts"
import { refusedTable } from "../settled.ts"
import { commandTable, decoded } from "../table.ts"

const ok = "+OK\r\n"
const plain = (fields: object): object => Object.assign(Object.create(null), fields)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const fields = [bulk("title"), bulk("hello")]
const summary = (...results: ReadonlyArray<string>): string =>
  map(bulk("total_results"), ":7\r\n", bulk("results"), flat(...results))
const result = (...more: ReadonlyArray<string>): string =>
  map(bulk("id"), bulk("doc:1"), ...more, bulk("values"), flat())
const grouped = [
  flat(":7\r\n", flat(bulk("city"), bulk("a"), bulk("n"), bulk("2"), bulk("names"), flat(bulk("x")))),
  summary(
    map(
      bulk("extra_attributes"),
      map(bulk("city"), bulk("a"), bulk("n"), bulk("2"), bulk("names"), flat(bulk("x"))),
      bulk("values"),
      flat()
    )
  )
]
const rows = { total: 7, rows: [plain({ city: "a", n: "2", names: ["x"] })], warnings: [], extra: {} }
const pairsOfRows = {
  total: 7,
  rows: [[[bytes("city"), bytes("a")], [bytes("n"), bytes("2")], [bytes("names"), [bytes("x")]]]],
  warnings: [],
  extra: {}
}
const profiles = ([two, three]: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [inTurn = "", named = ""] = profileReplies()
  return [flat(two ?? "", inTurn), map(bulk("Results"), three ?? "", bulk("Profile"), named)]
}
const profileReplies = (): ReadonlyArray<string> => {
  const shard = (form: typeof map, time: (number: string) => string): string =>
    form(
      bulk("Total profile time"),
      time("1.5"),
      bulk("Warning"),
      "+None\r\n",
      bulk("Iterators profile"),
      form(
        bulk("Type"),
        bulk("UNION"),
        bulk("Child iterators"),
        flat(
          form(bulk("Type"), bulk("TEXT"), bulk("Term"), bulk("a"), bulk("Counter"), ":3\r\n", bulk("Size"), ":4\r\n")
        ),
        bulk("Number of reading operations"),
        ":9\r\n"
      ),
      bulk("Result processors profile"),
      flat(form(bulk("Type"), bulk("Index"), bulk("Time"), time("0.5"), bulk("Results processed"), ":3\r\n"))
    )
  return [
    flat(bulk("Shards"), flat(shard(flat, bulk)), bulk("Coordinator"), flat()),
    map(bulk("Shards"), flat(shard(map, (number) => `,${number}\r\n`)), bulk("Coordinator"), map())
  ]
}
const profileOf = (term: unknown): object => ({
  shards: [{
    totalProfileTime: 1.5,
    parsingTime: undefined,
    pipelineCreationTime: undefined,
    totalGilTime: undefined,
    warnings: [],
    iteratorsProfile: {
      type: "UNION",
      queryType: undefined,
      term: undefined,
      time: undefined,
      counter: 9,
      size: undefined,
      childIterators: [{
        type: "TEXT",
        queryType: undefined,
        term,
        time: undefined,
        counter: 3,
        size: 4,
        childIterators: [],
        extra: {}
      }],
      extra: {}
    },
    resultProcessorsProfile: [{ type: "Index", time: 0.5, counter: 3, extra: {} }],
    extra: {}
  }],
  coordinator: {}
})
const profile = profileOf("a")
const profileOfBytes = profileOf(bytes("a"))
const hybridParts = (form: typeof map): ReadonlyArray<string> => [
  bulk("total_results"),
  ":1\r\n",
  bulk("results"),
  flat(form(bulk("__key"), bulk("k"), bulk("__score"), bulk("0.5"))),
  bulk("warnings"),
  flat(),
  bulk("execution_time"),
  form === map ? ",1.5\r\n" : bulk("1.5")
]
const hybrid = [flat, map].map((form) => form(...hybridParts(form)))
const profiledHybrid = [
  flat(...hybridParts(flat), profileReplies()[0] ?? ""),
  map(...hybridParts(map), bulk("Profile"), profileReplies()[1] ?? "")
]
const hybridRows = {
  total: 1,
  rows: [plain({ __key: "k", __score: "0.5" })],
  warnings: [],
  executionTime: 1.5,
  extra: {}
}
const searched = [
  flat(":7\r\n", bulk("doc:1"), flat(...fields)),
  summary(result(bulk("extra_attributes"), map(...fields)))
]
const scored = [
  flat(":7\r\n", bulk("doc:1"), bulk("0.5"), flat(...fields)),
  summary(result(bulk("score"), ",0.5\r\n", bulk("extra_attributes"), map(...fields)))
]
const misspelled = [
  flat(flat(bulk("TERM"), bulk("helo"), flat(flat(bulk("0.5"), bulk("hello")), flat(bulk("0.25"), bulk("help"))))),
  map(bulk("results"), map(bulk("helo"), flat(map(bulk("hello"), ",0.5\r\n"), map(bulk("help"), ",0.25\r\n"))))
]
const synonyms = [
  flat(bulk("boy"), flat(bulk("g1"), bulk("g2"))),
  map(bulk("boy"), flat(bulk("g1"), bulk("g2")))
]
const suggested = ["*2\r\n$5\r\nhello\r\n$3\r\n0.5\r\n", "*2\r\n$5\r\nhello\r\n,0.5\r\n"]
const pairsOfFields = [[bytes("title"), bytes("hello")]]

commandTable("Search", [
  ["aggregates", Search.ftAggregate("i", "*"), "FT.AGGREGATE i *", grouped, rows],
  [
    "aggregates by steps",
    Search.ftAggregate("i", "@a:$x", [
      { load: ["@a", "@b"] },
      {
        groupby: ["@city"],
        reduce: [{ function: "COUNT", as: "n" }, { function: "TOLIST", args: ["@name"], as: "names" }]
      },
      { apply: "@n * 2", as: "m" },
      { filter: "@m > 3" },
      { sortby: [{ field: "@m", order: "desc" }, { field: "@n" }], max: 9 },
      { limit: { offset: 0, count: 5 } }
    ], { verbatim: true, timeout: "1 second", addscores: true, params: { x: "y" }, dialect: 2 }),
    "FT.AGGREGATE i @a:$x VERBATIM TIMEOUT 1000 ADDSCORES LOAD 2 @a @b GROUPBY 1 @city REDUCE COUNT 0 AS n " +
    "REDUCE TOLIST 1 @name AS names APPLY \"@n * 2\" AS m FILTER \"@m > 3\" SORTBY 4 @m DESC @n ASC MAX 9 LIMIT 0 5 PARAMS 2 x y DIALECT 2",
    grouped,
    rows
  ],
  [
    "aggregates a part at a time",
    Search.ftAggregateWithcursor("i", "*", [{ load: "*" }], { count: 10, maxidle: 500 }),
    "FT.AGGREGATE i * LOAD * WITHCURSOR COUNT 10 MAXIDLE 500",
    grouped.map((part) => flat(part, ":42\r\n")),
    { ...rows, cursor: 42 }
  ],
  ["names", Search.ftAliasadd("a", "i"), "FT.ALIASADD a i", ok, true],
  ["takes a name away", Search.ftAliasdel("a"), "FT.ALIASDEL a", ok, true],
  ["moves a name", Search.ftAliasupdate("a", "i"), "FT.ALIASUPDATE a i", ok, true],
  [
    "alters",
    Search.ftAlter("i", [{ name: "t", type: "text" }], { skipinitialscan: true }),
    "FT.ALTER i SKIPINITIALSCAN SCHEMA ADD t TEXT",
    ok,
    true
  ],
  ["reads settings", Search.ftConfigGet("TIMEOUT"), "FT.CONFIG GET TIMEOUT", [
    flat(flat(bulk("TIMEOUT"), bulk("500"))),
    map(bulk("TIMEOUT"), bulk("500"))
  ], plain({ TIMEOUT: "500" })],
  ["changes a setting", Search.ftConfigSet("TIMEOUT", 42), "FT.CONFIG SET TIMEOUT 42", ok, true],
  [
    "makes an index",
    Search.ftCreate("i", [
      { name: "$.t", as: "t", type: "text", weight: 2, nostem: true, sortable: "unf", noindex: true },
      { name: "g", type: "tag", separator: ";", casesensitive: true, indexmissing: true, indexempty: true },
      { name: "n", type: "numeric", sortable: true },
      { name: "s", type: "geoshape", coordSystem: "flat" },
      { name: "v", type: "vector", algorithm: "hnsw", attributes: { TYPE: "FLOAT32", DIM: 2, DISTANCE_METRIC: "L2" } }
    ], {
      on: "json",
      prefix: ["a:", "b:"],
      language: "german",
      score: 0.5,
      temporary: "1 minute",
      stopwords: [],
      nohl: true
    }),
    "FT.CREATE i ON JSON PREFIX 2 a: b: LANGUAGE german SCORE 0.5 TEMPORARY 60 NOHL STOPWORDS 0 SCHEMA " +
    "$.t AS t TEXT NOSTEM WEIGHT 2 SORTABLE UNF NOINDEX g TAG SEPARATOR ; CASESENSITIVE INDEXEMPTY INDEXMISSING " +
    "n NUMERIC SORTABLE s GEOSHAPE FLAT v VECTOR HNSW 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2",
    ok,
    true
  ],
  ["deletes a cursor", Search.ftCursorDel("i", 42), "FT.CURSOR DEL i 42", ok, true],
  [
    "reads on",
    Search.ftCursorRead("i", 42, 5),
    "FT.CURSOR READ i 42 COUNT 5",
    grouped.map((part) => flat(part, ":0\r\n")),
    { ...rows, cursor: 0 }
  ],
  ["adds terms", Search.ftDictadd("d", "a", "b"), "FT.DICTADD d a b", ":2\r\n", 2],
  ["deletes terms", Search.ftDictdel("d", ["a"]), "FT.DICTDEL d a", ":1\r\n", 1],
  ["lists terms", Search.ftDictdump("d"), "FT.DICTDUMP d", ["*1\r\n$1\r\na\r\n", "~1\r\n$1\r\na\r\n"], new Set(["a"])],
  ["drops", Search.ftDropindex("i", { dd: true }), "FT.DROPINDEX i DD", ok, true],
  [
    "explains",
    Search.ftExplain("i", "$p", { params: { p: "a" }, dialect: 2 }),
    "FT.EXPLAIN i $p PARAMS 2 p a DIALECT 2",
    bulk("a"),
    "a"
  ],
  ["explains without parameters", Search.ftExplain("i", "a", { params: {} }), "FT.EXPLAIN i a", bulk("a"), "a"],
  ["explains by lines", Search.ftExplaincli("i", "a"), "FT.EXPLAINCLI i a", "*1\r\n$1\r\na\r\n", ["a"]],
  ["lists indexes", Search.ftList(), "FT._LIST", ["*1\r\n$1\r\ni\r\n", "~1\r\n$1\r\ni\r\n"], ["i"]],
  [
    "profiles a search",
    Search.ftProfile(Search.ftSearchNocontent("i", "a", { limit: { offset: 0, count: 1 } }), { limited: true }),
    "FT.PROFILE i SEARCH LIMITED QUERY a NOCONTENT LIMIT 0 1",
    profiles([flat(":7\r\n", bulk("doc:1")), summary(result())]),
    { results: { total: 7, documents: ["doc:1"], warnings: [], extra: {} }, profile }
  ],
  [
    "profiles an aggregation",
    Search.ftProfile(Search.ftAggregate("i", "*", [{ groupby: ["@city"] }])),
    "FT.PROFILE i AGGREGATE QUERY * GROUPBY 1 @city",
    profiles(grouped),
    { results: rows, profile }
  ],
  [
    "profiles a hybrid search, in the bytes view of the search and the text view of the profile",
    Search.ftProfile(RedisCommand.asBytes(Search.ftHybrid("i", {
      search: { query: "a" },
      vsim: { field: "@v", vector: "$v" },
      params: { v: "x" }
    }))),
    "FT.PROFILE i HYBRID QUERY SEARCH a VSIM @v $v PARAMS 2 v x",
    profiledHybrid,
    {
      results: { ...hybridRows, rows: [[[bytes("__key"), bytes("k")], [bytes("__score"), bytes("0.5")]]] },
      profile
    }
  ],
  [
    "profiles a search, in the bytes view of the profile",
    RedisCommand.asBytes(Search.ftProfile(Search.ftSearchNocontent("i", "a"))),
    "FT.PROFILE i SEARCH QUERY a NOCONTENT",
    profiles([flat(":7\r\n", bulk("doc:1")), summary(result())]),
    { results: { total: 7, documents: [bytes("doc:1")], warnings: [], extra: {} }, profile: profileOfBytes }
  ],
  [
    "tells more of what it finds",
    Search.ftSearchWith("i", "a", { withscores: true, withpayloads: true, withsortkeys: true }, {
      filter: [{ field: "n", min: "(5", max: Infinity }],
      geofilter: [{ field: "g", longitude: 1.5, latitude: 2, radius: 3, unit: "km" }],
      payload: "p",
      sortby: { field: "n" }
    }),
    "FT.SEARCH i a FILTER n (5 inf GEOFILTER g 1.5 2 3 km WITHSCORES WITHPAYLOADS WITHSORTKEYS PAYLOAD p SORTBY n",
    [
      flat(":7\r\n", bulk("doc:1"), bulk("0.5"), "$-1\r\n", bulk("#1"), flat(...fields)),
      summary(
        result(
          bulk("score"),
          ",0.5\r\n",
          bulk("payload"),
          "_\r\n",
          bulk("sortkey"),
          bulk("#1"),
          bulk("extra_attributes"),
          map(...fields)
        )
      )
    ],
    {
      total: 7,
      documents: [{ id: "doc:1", fields: plain({ title: "hello" }), score: 0.5, payload: undefined, sortkey: "#1" }],
      warnings: [],
      extra: {}
    }
  ],
  [
    "explains scores",
    Search.ftSearchWith("i", "a", { withscores: true, explainscore: true, nocontent: true }),
    "FT.SEARCH i a WITHSCORES EXPLAINSCORE NOCONTENT",
    [
      flat(
        ":7\r\n",
        bulk("doc:1"),
        flat(bulk("0.5"), flat(bulk("sum"), flat(bulk("a"), flat(bulk("b"), flat())))),
        bulk("doc:2"),
        flat(bulk("1"), bulk("c"))
      ),
      summary(
        map(
          bulk("id"),
          bulk("doc:1"),
          bulk("score"),
          flat(",0.5\r\n", flat(bulk("sum"), flat(bulk("a"), flat(bulk("b"), flat()))))
        ),
        map(bulk("id"), bulk("doc:2"), bulk("score"), flat(",1\r\n", bulk("c")))
      )
    ],
    {
      total: 7,
      documents: [
        {
          id: "doc:1",
          score: 0.5,
          explanation: { text: "sum", parts: [{ text: "a", parts: [] }, { text: "b", parts: [] }] }
        },
        { id: "doc:2", score: 1, explanation: { text: "c", parts: [] } }
      ],
      warnings: [],
      extra: {}
    }
  ],
  [
    "counts rows that RESP2 servers have not counted",
    Search.ftAggregate("i", "*"),
    "FT.AGGREGATE i *",
    [flat(":1\r\n", flat(), flat()), map(bulk("total_results"), ":2\r\n", bulk("results"), flat(map(), map()))],
    { total: 2, rows: [plain({}), plain({})], warnings: [], extra: {} }
  ],
  [
    "lists other names",
    Search.ftAliaslist("i"),
    "FT.ALIASLIST i",
    [flat(bulk("a")), "~1\r\n$1\r\na\r\n"],
    new Set(["a"])
  ],
  [
    "finds by text and vector",
    Search.ftHybrid("i", {
      search: { query: "a", scorer: "TFIDF", yieldScoreAs: "s" },
      vsim: {
        field: "@v",
        vector: "$v",
        knn: { k: 5, efRuntime: 9, shardKRatio: 0.5 },
        filter: "@t:{x}",
        yieldScoreAs: "d"
      },
      combine: { method: "rrf", constant: 60, window: 20, yieldScoreAs: "c" },
      params: { v: "x" },
      steps: [{ load: ["@__key"] }, { filter: "@d < 1" }, { limit: { offset: 0, count: 5 } }],
      timeout: "1 second"
    }),
    "FT.HYBRID i SEARCH a SCORER TFIDF YIELD_SCORE_AS s VSIM @v $v KNN 6 K 5 EF_RUNTIME 9 SHARD_K_RATIO 0.5 FILTER @t:{x} YIELD_SCORE_AS d " +
    "COMBINE RRF 6 CONSTANT 60 WINDOW 20 YIELD_SCORE_AS c PARAMS 2 v x LOAD 1 @__key FILTER \"@d < 1\" LIMIT 0 5 TIMEOUT 1000",
    hybrid,
    hybridRows
  ],
  [
    "finds by text and vector, in other ways",
    Search.ftHybrid("i", {
      search: { query: "a" },
      vsim: { field: "@v", vector: "$v", range: { radius: 0.5, epsilon: 0.01 } },
      combine: { method: "linear", alpha: 0.7, beta: 0.3 },
      params: { v: "x" },
      nosort: true
    }),
    "FT.HYBRID i SEARCH a VSIM @v $v RANGE 4 RADIUS 0.5 EPSILON 0.01 COMBINE LINEAR 4 ALPHA 0.7 BETA 0.3 PARAMS 2 v x NOSORT",
    hybrid,
    hybridRows
  ],
  [
    "combines by rank without options, which is the default and has no words",
    Search.ftHybrid("i", {
      search: { query: "a" },
      vsim: { field: "@v", vector: "$v" },
      combine: { method: "rrf" },
      params: { v: "x" }
    }),
    "FT.HYBRID i SEARCH a VSIM @v $v PARAMS 2 v x",
    hybrid,
    hybridRows
  ],
  [
    "suggests with scores and payloads",
    Search.ftSuggetWithpayloads("k", "he", { max: 2 }),
    "FT.SUGGET k he MAX 2 WITHSCORES WITHPAYLOADS",
    [
      flat(bulk("help"), bulk("2.5"), bulk("p"), bulk("hello"), bulk("0.5"), "$-1\r\n"),
      flat(bulk("help"), ",2.5\r\n", bulk("p"), bulk("hello"), ",0.5\r\n", "_\r\n")
    ],
    [{ suggestion: "help", score: 2.5, payload: "p" }, { suggestion: "hello", score: 0.5, payload: undefined }]
  ],
  [
    "makes an index of all documents",
    Search.ftCreate("i", [{ name: "t", type: "tag" }], { on: "hash", indexall: "enable" }),
    "FT.CREATE i ON HASH INDEXALL ENABLE SCHEMA t TAG",
    ok,
    true
  ],
  [
    "searches",
    Search.ftSearch("i", "hello"),
    "FT.SEARCH i hello",
    searched,
    { total: 7, documents: [{ id: "doc:1", fields: plain({ title: "hello" }) }], warnings: [], extra: {} }
  ],
  [
    "searches for no field of what it finds",
    Search.ftSearch("i", "hello", { return: [] }),
    "FT.SEARCH i hello RETURN 0",
    [
      flat(":7\r\n", bulk("doc:1"), bulk("doc:2")),
      summary(result(), map(bulk("id"), bulk("doc:2"), bulk("values"), flat()))
    ],
    {
      total: 7,
      documents: [{ id: "doc:1", fields: plain({}) }, { id: "doc:2", fields: plain({}) }],
      warnings: [],
      extra: {}
    }
  ],
  [
    "searches for scores alone",
    Search.ftSearchWithscores("i", "hello", { return: [] }),
    "FT.SEARCH i hello WITHSCORES RETURN 0",
    [
      flat(":7\r\n", bulk("doc:1"), bulk("0.5"), bulk("doc:2"), bulk("0.25")),
      summary(
        result(bulk("score"), ",0.5\r\n"),
        map(bulk("id"), bulk("doc:2"), bulk("score"), ",0.25\r\n", bulk("values"), flat())
      )
    ],
    {
      total: 7,
      documents: [{ id: "doc:1", score: 0.5, fields: plain({}) }, { id: "doc:2", score: 0.25, fields: plain({}) }],
      warnings: [],
      extra: {}
    }
  ],
  [
    "finds what was deleted meanwhile",
    Search.ftSearch("i", "hello"),
    "FT.SEARCH i hello",
    [flat(":7\r\n", bulk("doc:1"), "$-1\r\n"), summary(result())],
    { total: 7, documents: [{ id: "doc:1", fields: plain({}) }], warnings: [], extra: {} }
  ],
  [
    "searches with everything",
    Search.ftSearch("i", "q", {
      verbatim: true,
      nostopwords: true,
      inkeys: ["k"],
      infields: ["f", "g"],
      return: ["f", { field: "$.g", as: "g" }],
      summarize: { fields: ["f"], frags: 2, len: 5, separator: "-" },
      highlight: { fields: ["f"], tags: ["<", ">"] },
      slop: 1,
      timeout: 5,
      inorder: true,
      language: "german",
      expander: "e",
      scorer: "s",
      sortby: { field: "f", order: "desc" },
      limit: { offset: 5, count: 2 },
      params: { p: 1 },
      dialect: 3
    }),
    "FT.SEARCH i q VERBATIM NOSTOPWORDS INKEYS 1 k INFIELDS 2 f g RETURN 4 f $.g AS g SUMMARIZE FIELDS 1 f FRAGS 2 LEN 5 SEPARATOR - " +
    "HIGHLIGHT FIELDS 1 f TAGS < > SLOP 1 TIMEOUT 5 INORDER LANGUAGE german EXPANDER e SCORER s SORTBY f DESC LIMIT 5 2 PARAMS 2 p 1 DIALECT 3",
    "*1\r\n:0\r\n",
    { total: 0, documents: [], warnings: [], extra: {} }
  ],
  ["searches for keys", Search.ftSearchNocontent("i", "a"), "FT.SEARCH i a NOCONTENT", [
    flat(":7\r\n", bulk("doc:1")),
    summary(result())
  ], { total: 7, documents: ["doc:1"], warnings: [], extra: {} }],
  [
    "searches with scores",
    Search.ftSearchWithscores("i", "a"),
    "FT.SEARCH i a WITHSCORES",
    scored,
    { total: 7, documents: [{ id: "doc:1", score: 0.5, fields: plain({ title: "hello" }) }], warnings: [], extra: {} }
  ],
  [
    "checks spelling",
    Search.ftSpellcheck("i", "helo", { distance: 2, include: ["d"], exclude: ["e"], dialect: 2 }),
    "FT.SPELLCHECK i helo DISTANCE 2 TERMS INCLUDE d TERMS EXCLUDE e DIALECT 2",
    misspelled,
    [{ term: "helo", suggestions: [{ suggestion: "hello", score: 0.5 }, { suggestion: "help", score: 0.25 }] }]
  ],
  [
    "adds a suggestion",
    Search.ftSugadd("k", "hello", 1, { incr: true, payload: "p" }),
    "FT.SUGADD k hello 1 INCR PAYLOAD p",
    ":1\r\n",
    1
  ],
  ["deletes a suggestion", Search.ftSugdel("k", "hello"), "FT.SUGDEL k hello", ":1\r\n", true],
  [
    "suggests",
    Search.ftSugget("k", "he", { fuzzy: true, max: 3 }),
    "FT.SUGGET k he FUZZY MAX 3",
    "*1\r\n$5\r\nhello\r\n",
    ["hello"]
  ],
  ["suggests nothing", Search.ftSugget("k", "he"), "FT.SUGGET k he", ["$-1\r\n", "_\r\n"], []],
  ["suggests with scores", Search.ftSuggetWithscores("k", "he"), "FT.SUGGET k he WITHSCORES", suggested, [{
    suggestion: "hello",
    score: 0.5
  }]],
  ["counts suggestions", Search.ftSuglen("k"), "FT.SUGLEN k", ":2\r\n", 2],
  ["lists synonyms", Search.ftSyndump("i"), "FT.SYNDUMP i", synonyms, plain({ boy: ["g1", "g2"] })],
  [
    "adds synonyms",
    Search.ftSynupdate("i", "g1", ["boy", "lad"], { skipinitialscan: true }),
    "FT.SYNUPDATE i g1 SKIPINITIALSCAN boy lad",
    ok,
    true
  ],
  [
    "lists tags",
    Search.ftTagvals("i", "f"),
    "FT.TAGVALS i f",
    ["*1\r\n$1\r\na\r\n", "~1\r\n$1\r\na\r\n"],
    new Set(["a"])
  ]
])

commandTable("Search, in the bytes view", [
  [
    "searches",
    RedisCommand.asBytes(Search.ftSearch("i", "hello")),
    "FT.SEARCH i hello",
    searched,
    { total: 7, documents: [{ id: bytes("doc:1"), fields: pairsOfFields }], warnings: [], extra: {} }
  ],
  [
    "finds what was deleted meanwhile",
    RedisCommand.asBytes(Search.ftSearch("i", "hello")),
    "FT.SEARCH i hello",
    [flat(":7\r\n", bulk("doc:1"), "$-1\r\n"), summary(result())],
    { total: 7, documents: [{ id: bytes("doc:1"), fields: [] }], warnings: [], extra: {} }
  ],
  [
    "searches for keys",
    RedisCommand.asBytes(Search.ftSearchNocontent("i", "a")),
    "FT.SEARCH i a NOCONTENT",
    [flat(":7\r\n", bulk("doc:1")), summary(result())],
    { total: 7, documents: [bytes("doc:1")], warnings: [], extra: {} }
  ],
  [
    "searches with scores",
    RedisCommand.asBytes(Search.ftSearchWithscores("i", "a")),
    "FT.SEARCH i a WITHSCORES",
    scored,
    { total: 7, documents: [{ id: bytes("doc:1"), score: 0.5, fields: pairsOfFields }], warnings: [], extra: {} }
  ],
  ["aggregates", RedisCommand.asBytes(Search.ftAggregate("i", "*")), "FT.AGGREGATE i *", grouped, pairsOfRows],
  [
    "aggregates a part at a time",
    RedisCommand.asBytes(Search.ftAggregateWithcursor("i", "*")),
    "FT.AGGREGATE i * WITHCURSOR",
    grouped.map((part) => flat(part, ":42\r\n")),
    { ...pairsOfRows, cursor: 42 }
  ],
  [
    "reads on",
    RedisCommand.asBytes(Search.ftCursorRead("i", 42)),
    "FT.CURSOR READ i 42",
    grouped.map((part) => flat(part, ":0\r\n")),
    { ...pairsOfRows, cursor: 0 }
  ],
  [
    "checks spelling",
    RedisCommand.asBytes(Search.ftSpellcheck("i", "helo")),
    "FT.SPELLCHECK i helo",
    misspelled,
    [{
      term: bytes("helo"),
      suggestions: [{ suggestion: bytes("hello"), score: 0.5 }, { suggestion: bytes("help"), score: 0.25 }]
    }]
  ],
  [
    "suggests",
    RedisCommand.asBytes(Search.ftSugget("k", "he")),
    "FT.SUGGET k he",
    "*1\r\n$5\r\nhello\r\n",
    [bytes("hello")]
  ],
  [
    "suggests with scores",
    RedisCommand.asBytes(Search.ftSuggetWithscores("k", "he")),
    "FT.SUGGET k he WITHSCORES",
    suggested,
    [{ suggestion: bytes("hello"), score: 0.5 }]
  ],
  [
    "lists synonyms",
    RedisCommand.asBytes(Search.ftSyndump("i")),
    "FT.SYNDUMP i",
    synonyms,
    [[bytes("boy"), [bytes("g1"), bytes("g2")]]]
  ],
  [
    "lists terms",
    RedisCommand.asBytes(Search.ftDictdump("d")),
    "FT.DICTDUMP d",
    ["*1\r\n$1\r\na\r\n", "~1\r\n$1\r\na\r\n"],
    [bytes("a")]
  ],
  [
    "lists tags",
    RedisCommand.asBytes(Search.ftTagvals("i", "f")),
    "FT.TAGVALS i f",
    ["*1\r\n$1\r\na\r\n", "~1\r\n$1\r\na\r\n"],
    [bytes("a")]
  ],
  [
    "lists indexes",
    RedisCommand.asBytes(Search.ftList()),
    "FT._LIST",
    ["*1\r\n$1\r\ni\r\n", "~1\r\n$1\r\ni\r\n"],
    [bytes("i")]
  ]
])

const id = bulk(invalid)
const invalidRows = (content: string, mapped: string): ReadonlyArray<string> => [
  flat(":1\r\n", content),
  summary(map(bulk("extra_attributes"), mapped, bulk("values"), flat()))
]
const invalidName = invalidRows(flat(bulk(invalid), bulk("a")), map(bulk(invalid), bulk("a")))
const invalidValue = invalidRows(flat(bulk("a"), bulk(invalid)), map(bulk("a"), bulk(invalid)))

invalidTextTable("Search", [
  ["the id of a document", Search.ftSearch("i", "q"), [
    flat(":1\r\n", id, flat(...fields)),
    summary(map(bulk("id"), id, bulk("extra_attributes"), map(...fields)))
  ]],
  ["the name of a field", Search.ftSearch("i", "q"), [
    flat(":1\r\n", bulk("d"), flat(bulk(invalid), bulk("a"))),
    summary(map(bulk("id"), bulk("d"), bulk("extra_attributes"), map(bulk(invalid), bulk("a"))))
  ]],
  ["the value of a field", Search.ftSearch("i", "q"), [
    flat(":1\r\n", bulk("d"), flat(bulk("a"), bulk(invalid))),
    summary(map(bulk("id"), bulk("d"), bulk("extra_attributes"), map(bulk("a"), bulk(invalid))))
  ]],
  ["the id of a document without content", Search.ftSearchNocontent("i", "q"), [
    flat(":1\r\n", id),
    summary(map(bulk("id"), id))
  ]],
  ["the id of a document with a score", Search.ftSearchWithscores("i", "q"), [
    flat(":1\r\n", id, bulk("1"), flat(...fields)),
    summary(map(bulk("id"), id, bulk("score"), ",1\r\n", bulk("extra_attributes"), map(...fields)))
  ]],
  ["a name in a row", Search.ftAggregate("i", "q"), invalidName],
  ["a value in a row", Search.ftAggregate("i", "q"), invalidValue],
  ["a name in a row of a part", Search.ftCursorRead("i", 1), invalidName.map((part) => flat(part, ":0\r\n"))],
  ["a term", Search.ftSpellcheck("i", "q"), [
    flat(flat(bulk("TERM"), bulk(invalid), flat())),
    map(bulk("results"), map(bulk(invalid), flat()))
  ]],
  ["what a term may stand for", Search.ftSpellcheck("i", "q"), [
    flat(flat(bulk("TERM"), bulk("a"), flat(flat(bulk("0.5"), bulk(invalid))))),
    map(bulk("results"), map(bulk("a"), flat(map(bulk(invalid), ",0.5\r\n"))))
  ]],
  ["a suggestion", Search.ftSugget("k", "he"), [flat(bulk(invalid))]],
  ["a suggestion with a score", Search.ftSuggetWithscores("k", "he"), [flat(bulk(invalid), bulk("0.5"))]],
  ["a term with synonyms", Search.ftSyndump("i"), [flat(bulk(invalid), flat()), map(bulk(invalid), flat())]],
  ["the id of synonyms", Search.ftSyndump("i"), [flat(bulk("a"), flat(id)), map(bulk("a"), flat(id))]],
  ["a term of a dictionary", Search.ftDictdump("d"), [flat(bulk(invalid))]],
  ["a tag", Search.ftTagvals("i", "f"), [flat(bulk(invalid))]],
  ["the name of an index", Search.ftList(), [flat(bulk(invalid))]]
])

refusedTable("Search", [
  [
    "a profile of what is no search",
    Search.ftProfile(Search.ftList() as never),
    "needs a search, an aggregation or a hybrid search"
  ],
  [
    "a profile of a search that cannot be sent",
    Search.ftProfile(Search.ftSearch("i", null as never)),
    "cannot send null; send text, bytes, a number or a bigint (argument 2)"
  ],
  ["no fields", Search.ftCreate("i", []), "needs at least one field"],
  ["no terms", Search.ftDictadd("d"), "needs at least one term"]
])

it("routes suggestions by their key, indexes by none", () => {
  assert.deepStrictEqual(RedisCommand.keys(Search.ftSuglen("k")), ["k"])
  assert.deepStrictEqual(RedisCommand.keys(Search.ftSearch("i", "q", { inkeys: ["k"] })), [])
})

it("keeps what only RESP3 servers tell besides", () => {
  const warned = map(
    bulk("attributes"),
    flat(),
    bulk("total_results"),
    ":0\r\n",
    bulk("format"),
    bulk("STRING"),
    bulk("results"),
    flat(),
    bulk("warning"),
    flat(bulk("Timeout limit was reached")),
    bulk("new"),
    ":1\r\n"
  )
  const more = { warnings: ["Timeout limit was reached"], extra: { new: 1 } }
  assert.deepStrictEqual(decoded(Search.ftSearch("i", "hello"), warned), { total: 0, documents: [], ...more })
  assert.deepStrictEqual(decoded(Search.ftAggregate("i", "*"), warned), { total: 0, rows: [], ...more })
})

it("reads rows of documents that were deleted meanwhile, or have expired", () => {
  const inTurn = flat(":2\r\n", "$-1\r\n", flat(bulk("city"), bulk("a")))
  const gone = map(bulk("extra_attributes"), "_\r\n", bulk("values"), flat())
  const other = map(bulk("extra_attributes"), map(bulk("city"), bulk("a")), bulk("values"), flat())
  const mapped = map(bulk("total_results"), ":2\r\n", bulk("results"), flat(gone, other))
  const some = { total: 2, rows: [plain({}), plain({ city: "a" })], warnings: [], extra: {} }
  for (const reply of [inTurn, mapped]) {
    assert.deepStrictEqual(decoded(Search.ftAggregate("i", "*"), reply), some)
  }
  const cursor = decoded(Search.ftAggregateWithcursor("i", "*"), flat(inTurn, ":5\r\n"))
  assert.deepStrictEqual(cursor, { ...some, cursor: 5 })
  const query = { search: { query: "a" }, vsim: { field: "@v", vector: "$v" }, params: { v: "x" } } as const
  assert.deepStrictEqual(
    decoded(
      Search.ftHybrid("i", query),
      flat(
        bulk("total_results"),
        ":2\r\n",
        bulk("results"),
        flat(flat("$-1\r\n"), flat(bulk("city"), bulk("a"))),
        bulk("execution_time"),
        bulk("0.5")
      )
    ),
    { ...some, executionTime: 0.5 }
  )
})

it("a profile without a coordinator has a record of no names, as one with it has of its names", () => {
  const results = flat(":7\r\n", bulk("doc:1"))
  for (const profile of [flat(bulk("Shards"), flat()), map(bulk("Shards"), flat(), bulk("Coordinator"), map())]) {
    const command = Search.ftProfile(Search.ftSearchNocontent("i", "a"))
    // What the command promises.
    const read = decoded(command, flat(results, profile)) as RedisCommand.Success<typeof command>
    assert.isNull(Object.getPrototypeOf(read.profile.coordinator))
  }
})

it("refuses documents that are cut off, or of which some have no content", () => {
  for (
    const reply of [
      flat(":2\r\n", bulk("a"), flat(...fields), bulk("b"), bulk("c")),
      flat(":2\r\n", bulk("a"), bulk("b"), flat(...fields))
    ]
  ) {
    assert.include(JSON.stringify(decoded(Search.ftSearch("i", "q"), reply)), "DecodeError")
  }
  const scoreless = flat(":2\r\n", bulk("a"), bulk("1"), flat(...fields), bulk("b"))
  assert.include(JSON.stringify(decoded(Search.ftSearchWithscores("i", "q"), scoreless)), "DecodeError")
})

it("names no view for a total beyond ±(2⁵³−1), which is a number in every view", () => {
  const exit = JSON.stringify(decoded(RedisCommand.asBigInt(Search.ftSearch("i", "q")), flat(":9007199254740993\r\n")))
  assert.include(exit, "the integer 9007199254740993 is beyond ±(2⁵³−1)")
  assert.notInclude(exit, "asBigInt")
})

it("does not repeat what moves a cursor", () => {
  assert.isFalse(Search.ftCursorRead.spec.readonly)
  assert.isTrue(Search.ftAggregate.spec.readonly)
  assert.isTrue(Search.ftConfigGet.spec.readonly)
})
