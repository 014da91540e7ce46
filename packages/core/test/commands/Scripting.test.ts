import { Redis } from "@redfx/core"
import { answeredTable } from "./settled.ts"
import { commandTable } from "./table.ts"

const ok = "+OK\r\n"
const nil = ["$-1\r\n", "_\r\n"]
const sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"

commandTable("Scripting", [
  ["PSC-05: runs a script", Redis.eval("return 1"), "EVAL \"return 1\" 0", ":1\r\n", 1],
  [
    "PSC-05: takes keys and arguments separately",
    Redis.eval("return KEYS[1]", ["k", "l"], ["a", 2]),
    "EVAL \"return KEYS[1]\" 2 k l a 2",
    "$1\r\nk\r\n",
    "k"
  ],
  ["PSC-05: arguments without keys", Redis.eval("x", [], ["a"]), "EVAL x 0 a", nil, undefined],
  [
    "PSC-05: nested tables, with a status among them",
    Redis.eval("x", ["k"]),
    "EVAL x 1 k",
    "*3\r\n:1\r\n*1\r\n$1\r\na\r\n+OK\r\n",
    [1, ["a"], "OK"]
  ],
  [
    "PSC-05: a map and a set of RESP3 are arrays as in RESP2",
    Redis.eval("x"),
    "EVAL x 0",
    ["*2\r\n*2\r\n$1\r\na\r\n:1\r\n*1\r\n$1\r\nb\r\n", "*2\r\n%1\r\n$1\r\na\r\n:1\r\n~1\r\n$1\r\nb\r\n"],
    [["a", 1], ["b"]]
  ],
  ["PSC-05: bytes", Redis.asBytes(Redis.eval("x")), "EVAL x 0", "$1\r\nv\r\n", Uint8Array.of(118)],
  ["PSC-05: bigints", Redis.asBigInt(Redis.eval("x")), "EVAL x 0", ":5\r\n", 5n],
  ["runs a script that only reads", Redis.evalRo("x", ["k"], ["a"]), "EVAL_RO x 1 k a", ":1\r\n", 1],
  ["PSC-06: runs a cached script", Redis.evalsha(sha, ["k"], ["a"]), `EVALSHA ${sha} 1 k a`, "$1\r\nk\r\n", "k"],
  ["runs a cached script that only reads", Redis.evalshaRo(sha), `EVALSHA_RO ${sha} 0`, nil, undefined],
  ["debugs", Redis.scriptDebug("yes"), "SCRIPT DEBUG YES", ok, true],
  ["debugs an engine, on Valkey", Redis.scriptDebug("no", "lua"), "SCRIPT DEBUG NO lua", ok, true],
  [
    "PSC-07, CNV-18: tells which scripts exist",
    Redis.scriptExists("a", "b"),
    "SCRIPT EXISTS a b",
    "*2\r\n:1\r\n:0\r\n",
    [true, false]
  ],
  ["PSC-08, CNV-07: forgets scripts", Redis.scriptFlush(), "SCRIPT FLUSH", ok, true],
  ["PSC-08: forgets scripts in the background", Redis.scriptFlush("async"), "SCRIPT FLUSH ASYNC", ok, true],
  ["PSC-09, CNV-07: ends a script", Redis.scriptKill(), "SCRIPT KILL", ok, true],
  [
    "PSC-10, CNV-13: loads a script",
    Redis.scriptLoad("return 1"),
    "SCRIPT LOAD \"return 1\"",
    `$40\r\n${sha}\r\n`,
    sha
  ],
  ["shows a script, on Valkey", Redis.scriptShow(sha), `SCRIPT SHOW ${sha}`, "$8\r\nreturn 1\r\n", "return 1"]
])

answeredTable("Scripting", [
  ["PSC-07: no digests, no answers", Redis.scriptExists(), []],
  ["PSC-07: an empty array of digests", Redis.scriptExists([]), []]
])
