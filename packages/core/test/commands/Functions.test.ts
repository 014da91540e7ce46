import { Redis } from "@redfx/core"
import { bulk } from "@redfx/testing/ReplyText"
import { commandTable } from "./table.ts"

const ok = "+OK\r\n"
const nil = ["$-1\r\n", "_\r\n"]
const code = "#!lua name=l1\nredis.register_function('f1', function() return 1 end)"
const payload = Uint8Array.of(0xf5, 0, 13, 10, 0xff)

const libraries = (aggregate: "*" | "%", set: "*" | "~", nil: string, withCode: string): string => {
  const fields = (count: number) => `${aggregate}${aggregate === "*" ? count * 2 : count}\r\n`
  return [
    "*1\r\n",
    fields(withCode === "" ? 4 : 5),
    bulk("new_field") + bulk("x") + bulk("library_name") + bulk("l1") + bulk("engine") + bulk("LUA") +
    bulk("functions") + "*2\r\n",
    fields(3) + bulk("name") + bulk("f1") + bulk("description") + bulk("d") + bulk("flags") +
    `${set}1\r\n+no-writes\r\n`,
    fields(4) + bulk("new_field") + ":1\r\n" + bulk("name") + bulk("f2") + bulk("description") + nil + bulk("flags") +
    `${set}0\r\n`,
    withCode
  ].join("")
}

const functions = [
  { name: "f1", description: "d", flags: new Set(["no-writes"]), extra: {} },
  { name: "f2", description: undefined, flags: new Set(), extra: { new_field: 1 } }
]

const engines = (aggregate: (count: number) => string): string =>
  bulk("engines") + aggregate(1) + bulk("LUA") + aggregate(3) + bulk("new_count") + ":3\r\n" +
  bulk("libraries_count") + ":1\r\n" + bulk("functions_count") + ":2\r\n"
const flat = (count: number): string => `*${count * 2}\r\n`
const map = (count: number): string => `%${count}\r\n`
const running = (aggregate: (count: number) => string): string =>
  bulk("running_script") + aggregate(4) + bulk("new_field") + bulk("x") + bulk("name") + bulk("slow") +
  bulk("command") +
  "*5\r\n" + bulk("fcall") + bulk("slow") + bulk("0") + bulk("x") + bulk("y") + bulk("duration_ms") + ":5001\r\n"
const loaded = Object.assign(Object.create(null), {
  LUA: { librariesCount: 1, functionsCount: 2, extra: { new_count: 3 } }
})

commandTable("Functions", [
  ["calls a function", Redis.fcall("f1"), "FCALL f1 0", ":1\r\n", 1],
  ["calls with keys and arguments", Redis.fcall("f1", ["k"], ["a", 2]), "FCALL f1 1 k a 2", "$1\r\nk\r\n", "k"],
  ["calls a function that only reads", Redis.fcallRo("f1", ["k"]), "FCALL_RO f1 1 k", nil, undefined],
  ["deletes a library", Redis.functionDelete("l1"), "FUNCTION DELETE l1", ok, true],
  ["dumps bytes in every view", Redis.functionDump(), "FUNCTION DUMP", "$2\r\n\r\n\r\n", Uint8Array.of(13, 10)],
  ["deletes all libraries", Redis.functionFlush(), "FUNCTION FLUSH", ok, true],
  ["deletes all libraries at once", Redis.functionFlush("sync"), "FUNCTION FLUSH SYNC", ok, true],
  ["ends a function", Redis.functionKill(), "FUNCTION KILL", ok, true],
  [
    "lists libraries",
    Redis.functionList(),
    "FUNCTION LIST",
    [libraries("*", "*", "$-1\r\n", ""), libraries("%", "~", "_\r\n", "")],
    [{ libraryName: "l1", engine: "LUA", functions, libraryCode: undefined, extra: { new_field: "x" } }]
  ],
  [
    "lists libraries with their code",
    Redis.functionList({ libraryname: "l*", withcode: true }),
    "FUNCTION LIST LIBRARYNAME l* WITHCODE",
    [
      libraries("*", "*", "$-1\r\n", bulk("library_code") + bulk(code)),
      libraries("%", "~", "_\r\n", bulk("library_code") + bulk(code))
    ],
    [{ libraryName: "l1", engine: "LUA", functions, libraryCode: code, extra: { new_field: "x" } }]
  ],
  ["loads a library", Redis.functionLoad("code"), "FUNCTION LOAD code", "$2\r\nl1\r\n", "l1"],
  [
    "replaces a library",
    Redis.functionLoad("code", { replace: true }),
    "FUNCTION LOAD REPLACE code",
    "$2\r\nl1\r\n",
    "l1"
  ],
  ["restores", Redis.functionRestore(payload.subarray(2, 4)), "FUNCTION RESTORE \"\\r\\n\"", ok, true],
  [
    "restores and deletes the rest",
    Redis.functionRestore(Uint8Array.of(97), "flush"),
    "FUNCTION RESTORE a FLUSH",
    ok,
    true
  ],
  [
    "tells that nothing runs",
    Redis.functionStats(),
    "FUNCTION STATS",
    [
      flat(2) + bulk("running_script") + "$-1\r\n" + engines(flat),
      map(2) + bulk("running_script") + "_\r\n" + engines(map)
    ],
    { runningScript: undefined, engines: loaded, extra: {} }
  ],
  [
    "tells what runs",
    Redis.functionStats(),
    "FUNCTION STATS",
    [flat, map].map((form) => form(3) + running(form) + engines(form) + bulk("new_field") + bulk("x")),
    {
      runningScript: {
        name: "slow",
        command: ["fcall", "slow", "0", "x", "y"],
        durationMs: 5001,
        extra: { new_field: "x" }
      },
      engines: loaded,
      extra: { new_field: "x" }
    }
  ]
])
