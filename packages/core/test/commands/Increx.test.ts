import { Redis } from "@redfx/core"
import { refusedTable } from "./settled.ts"
import { commandTable } from "./table.ts"

const when = new Date("2030-01-02T03:04:05.678Z")
const one = "*2\r\n:1\r\n:1\r\n"

commandTable("Increx", [
  ["adds one", Redis.increx("k"), "INCREX k", one, { value: 1, increment: 1 }],
  ["adds an amount", Redis.increx("k", { by: -5n }), "INCREX k BYINT -5", "*2\r\n:-5\r\n:-5\r\n", {
    value: -5,
    increment: -5
  }],
  [
    "counts up to a bound, in a window of time",
    Redis.increx("k", { ubound: 100, ex: 60, enx: true }),
    "INCREX k UBOUND 100 EX 60 ENX",
    "*2\r\n:100\r\n:0\r\n",
    { value: 100, increment: 0 }
  ],
  [
    "stays at a bound",
    Redis.increx("k", { by: 5, lbound: 0n, ubound: 7, saturate: true, px: "1 second" }),
    "INCREX k BYINT 5 LBOUND 0 UBOUND 7 SATURATE PX 1000",
    "*2\r\n:7\r\n:2\r\n",
    { value: 7, increment: 2 }
  ],
  ["lives until a second", Redis.increx("k", { exat: when }), "INCREX k EXAT 1893553445", one, {
    value: 1,
    increment: 1
  }],
  [
    "lives until a millisecond, if nothing else is said",
    Redis.increx("k", { pxat: 1893553445678, enx: true }),
    "INCREX k PXAT 1893553445678 ENX",
    one,
    { value: 1, increment: 1 }
  ],
  ["lives without limit", Redis.increx("k", { persist: true }), "INCREX k PERSIST", one, { value: 1, increment: 1 }],
  ["begins to count, on Valkey", Redis.increx("k", { nx: true }), "INCREX k NX", one, { value: 1, increment: 1 }],
  ["does not begin to count, on Valkey", Redis.increx("k", { xx: true }), "INCREX k XX", [
    "*2\r\n$-1\r\n:0\r\n",
    "*2\r\n_\r\n:0\r\n"
  ], { value: undefined, increment: 0 }],
  [
    "counts exactly",
    Redis.asBigInt(Redis.increx("k", { by: 9223372036854775806n })),
    "INCREX k BYINT 9223372036854775806",
    "*2\r\n:9223372036854775807\r\n:9223372036854775806\r\n",
    { value: 9223372036854775807n, increment: 9223372036854775806n }
  ],
  ["adds a fraction", Redis.increxByfloat("k", 0.5, { ubound: 2.5 }), "INCREX k BYFLOAT 0.5 UBOUND 2.5", [
    "*2\r\n$3\r\n1.5\r\n$3\r\n0.5\r\n",
    "*2\r\n,1.5\r\n,0.5\r\n"
  ], { value: 1.5, increment: 0.5 }],
  ["adds no fraction, on Valkey", Redis.increxByfloat("k", 1, { xx: true }), "INCREX k XX BYFLOAT 1", [
    "*2\r\n$-1\r\n$1\r\n0\r\n",
    "*2\r\n_\r\n,0\r\n"
  ], { value: undefined, increment: 0 }]
])

refusedTable("Increx", [
  // A cast on purpose: what JavaScript can pass.
  ["a time only if there is none, and none", Redis.increx("k", { enx: true }), "enx needs ex, px, exat or pxat"],
  [
    "what is shorter than a second",
    Redis.increx("k", { ex: 0.5 }),
    "0.5 is shorter than a second, and would be sent as 0"
  ]
])
