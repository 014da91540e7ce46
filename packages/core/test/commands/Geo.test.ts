import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const nil = ["$-1\r\n", "_\r\n"]
const palermo = { longitude: 13.361389, latitude: 38.115556, member: "Palermo" }
const names = "*2\r\n$7\r\nPalermo\r\n$7\r\nCatania\r\n"
const cataniaNear = "*1\r\n*4\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n:3479447370796909\r\n*2\r\n"
const everything = [
  `${cataniaNear}$18\r\n15.087267458438873\r\n$17\r\n37.50266842333162\r\n`,
  `${cataniaNear},15.087267458438873\r\n,37.50266842333162\r\n`
]
const coordinates = { longitude: 15.087267458438873, latitude: 37.50266842333162 }
const found = [{ member: "Catania", distance: 56.4413, hash: 3479447370796909, coordinates }]
const all = { withdist: true, withhash: true, withcoord: true } as const
const center = { fromlonlat: { longitude: 15, latitude: 37 }, byradius: { radius: 200, unit: "km" } } as const

commandTable("Geo", [
  [
    "GEO-01, CNV-02: adds members",
    Redis.geoadd("k", [palermo, { longitude: 15, latitude: 37, member: 1 }]),
    "GEOADD k 13.361389 38.115556 Palermo 15 37 1",
    ":2\r\n",
    2
  ],
  [
    "adds under a condition",
    Redis.geoadd("k", [palermo], { xx: true, ch: true }),
    "GEOADD k XX CH 13.361389 38.115556 Palermo",
    ":1\r\n",
    1
  ],
  [
    "GEO-02, CNV-04: measures a distance",
    Redis.geodist("k", "a", "b"),
    "GEODIST k a b",
    "$11\r\n166274.1516\r\n",
    166274.1516
  ],
  [
    "GEO-02: measures in kilometres",
    Redis.geodist("k", "a", "b", "km"),
    "GEODIST k a b km",
    "$8\r\n166.2742\r\n",
    166.2742
  ],
  ["GEO-02, CNV-04: no distance to a missing member", Redis.geodist("k", "a", "b"), "GEODIST k a b", nil, undefined],
  [
    "GEO-03, CNV-17: reads geohashes",
    Redis.geohash("k", "a", "b"),
    "GEOHASH k a b",
    ["*2\r\n$11\r\nsqc8b49rny0\r\n$-1\r\n", "*2\r\n$11\r\nsqc8b49rny0\r\n_\r\n"],
    ["sqc8b49rny0", undefined]
  ],
  [
    "GEO-04, CNV-26: reads positions",
    Redis.geopos("k", ["a", "b"]),
    "GEOPOS k a b",
    [
      "*2\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*-1\r\n",
      "*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n"
    ],
    [{ longitude: 13.361389338970184, latitude: 38.1155563954963 }, undefined]
  ],
  ["GEO-05, CNV-27: searches in metres", Redis.georadius("k", 15, 37, 200), "GEORADIUS k 15 37 200 m", names, [
    "Palermo",
    "Catania"
  ]],
  [
    "GEO-05: orders and limits a search",
    Redis.georadius("k", 15, 37, 200, { unit: "mi", count: 2, any: true, sort: "desc" }),
    "GEORADIUS k 15 37 200 mi COUNT 2 ANY DESC",
    names,
    ["Palermo", "Catania"]
  ],
  [
    "searches without writing",
    Redis.georadiusRo("k", 15, 37, 200, { unit: "ft", sort: "asc" }),
    "GEORADIUS_RO k 15 37 200 ft ASC",
    names,
    ["Palermo", "Catania"]
  ],
  [
    "searches without writing, with everything",
    Redis.georadiusRoWith("k", 15, 37, 200, all),
    "GEORADIUS_RO k 15 37 200 m WITHCOORD WITHDIST WITHHASH",
    everything,
    found
  ],
  [
    "GEO-05, CNV-27: stores what is found",
    Redis.georadiusStore("k", 15, 37, 200, { store: "d", unit: "km", count: 1 }),
    "GEORADIUS k 15 37 200 km COUNT 1 STORE d",
    ":1\r\n",
    1
  ],
  [
    "GEO-05, CNV-27: stores nothing from a missing key, which Redis 6 answers with an empty array",
    Redis.georadiusStore("k", 15, 37, 200, { storedist: "d" }),
    "GEORADIUS k 15 37 200 m STOREDIST d",
    [":0\r\n", "*0\r\n"],
    0
  ],
  [
    "GEO-05, CNV-27: reads distance, hash and position in this order",
    Redis.georadiusWith("k", 15, 37, 200, { ...all, unit: "km" }),
    "GEORADIUS k 15 37 200 km WITHCOORD WITHDIST WITHHASH",
    everything,
    found
  ],
  [
    "GEO-05: reads the distance alone",
    Redis.georadiusWith("k", 15, 37, 200, { withdist: true }),
    "GEORADIUS k 15 37 200 m WITHDIST",
    "*1\r\n*2\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n",
    [{ member: "Catania", distance: 56.4413, hash: undefined, coordinates: undefined }]
  ],
  [
    "GEO-05: reads the hash alone",
    Redis.georadiusWith("k", 15, 37, 200, { withhash: true }),
    "GEORADIUS k 15 37 200 m WITHHASH",
    "*1\r\n*2\r\n$7\r\nCatania\r\n:3479447370796909\r\n",
    [{ member: "Catania", distance: undefined, hash: 3479447370796909, coordinates: undefined }]
  ],
  [
    "GEO-05: reads members when nothing else is asked for",
    Redis.georadiusWith("k", 15, 37, 200, {}),
    "GEORADIUS k 15 37 200 m",
    "*1\r\n$7\r\nCatania\r\n",
    [{ member: "Catania", distance: undefined, hash: undefined, coordinates: undefined }]
  ],
  [
    "GEO-06, CNV-27: searches around a member",
    Redis.georadiusbymember("k", "a", 2.5, { unit: "km" }),
    "GEORADIUSBYMEMBER k a 2.5 km",
    names,
    ["Palermo", "Catania"]
  ],
  [
    "searches around a member without writing",
    Redis.georadiusbymemberRo("k", "a", 2),
    "GEORADIUSBYMEMBER_RO k a 2 m",
    "*0\r\n",
    []
  ],
  [
    "searches around a member without writing, with everything",
    Redis.georadiusbymemberRoWith("k", "a", 2, all),
    "GEORADIUSBYMEMBER_RO k a 2 m WITHCOORD WITHDIST WITHHASH",
    everything,
    found
  ],
  [
    "GEO-06: stores what is found around a member",
    Redis.georadiusbymemberStore("k", "a", 2, { storedist: "d", sort: "asc" }),
    "GEORADIUSBYMEMBER k a 2 m ASC STOREDIST d",
    ":2\r\n",
    2
  ],
  [
    "GEO-06, CNV-27: searches around a member with everything",
    Redis.georadiusbymemberWith("k", "a", 2, all),
    "GEORADIUSBYMEMBER k a 2 m WITHCOORD WITHDIST WITHHASH",
    everything,
    found
  ],
  [
    "searches a circle",
    Redis.geosearch("k", { ...center, count: 2, any: true, sort: "asc" }),
    "GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km COUNT 2 ANY ASC",
    names,
    ["Palermo", "Catania"]
  ],
  [
    "searches a box around a member",
    Redis.geosearch("k", { frommember: "a", bybox: { width: 10, height: 20 } }),
    "GEOSEARCH k FROMMEMBER a BYBOX 10 20 m",
    "*0\r\n",
    []
  ],
  [
    "searches a polygon",
    Redis.geosearch("k", {
      bypolygon: [{ longitude: 1, latitude: 2 }, { longitude: 3, latitude: 4 }, { longitude: 5, latitude: 6 }]
    }),
    "GEOSEARCH k BYPOLYGON 3 1 2 3 4 5 6",
    "*0\r\n",
    []
  ],
  [
    "stores distances of what is found",
    Redis.geosearchstore("d", "k", { ...center, storedist: true }),
    "GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST",
    ":2\r\n",
    2
  ],
  [
    "searches with everything",
    Redis.geosearchWith("k", { ...center, ...all }),
    "GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km WITHCOORD WITHDIST WITHHASH",
    everything,
    found
  ]
])

answeredTable("Geo", [
  ["GEO-03: asks for no geohashes", Redis.geohash("k"), []],
  ["GEO-04: asks for no positions", Redis.geopos("k"), []]
])

const badUnit = "\"league\" is not a unit: m, km, mi or ft"
const badSort = "\"up\" is not an order: asc or desc"

refusedTable("Geo", [
  ["GEO-01: refuses to add nothing", Redis.geoadd("k", []), "needs at least one position"],
  [
    "GEO-01: says how positions are given to whoever gives them one by one",
    // @ts-expect-error the types hold it already
    Redis.geoadd("k", 13.4, 52.5, "Berlin"),
    "takes its positions as an array, such as [{ longitude: 13.4, latitude: 52.5, member: \"Berlin\" }]"
  ],
  // @ts-expect-error the types hold it already
  ["GEO-02: refuses another unit", Redis.geodist("k", "a", "b", "league"), badUnit],
  // @ts-expect-error the types hold it already
  ["GEO-05: refuses another unit", Redis.georadius("k", 1, 2, 3, { unit: "league" }), badUnit],
  // @ts-expect-error the types hold it already
  ["GEO-05: refuses another order", Redis.georadius("k", 1, 2, 3, { sort: "up" }), badSort],
  // @ts-expect-error the types hold it already
  ["GEO-06: refuses another unit", Redis.georadiusbymember("k", "a", 3, { unit: "league" }), badUnit],
  [
    "GEO-05: refuses two destinations",
    // @ts-expect-error the types hold it already
    Redis.georadiusStore("k", 1, 2, 3, { store: "a", storedist: "b" }),
    "takes either store or storedist"
  ]
])

it("GEO-05: reads members as bytes and hashes as bigints in their views", () => {
  const member = new TextEncoder().encode("Catania")
  for (const reply of everything) {
    const [bytes] = decoded(Redis.asBytes(Redis.geosearchWith("k", { ...center, ...all })), reply) as typeof found
    assert.deepStrictEqual(bytes?.member, member as never)
    const [big] = decoded(Redis.asBigInt(Redis.geosearchWith("k", { ...center, ...all })), reply) as typeof found
    assert.strictEqual(big?.hash, 3479447370796909n as never)
  }
})

it("marks the keys of searches that store", () => {
  assert.deepStrictEqual(RedisCommand.keys(Redis.georadiusStore("k", 1, 2, 3, { store: "d" })), ["k", "d"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.geosearchstore("d", "k", center)), ["d", "k"])
})
