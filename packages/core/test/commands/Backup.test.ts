import { Redis } from "@redfx/core"
import { bulk } from "@redfx/testing/ReplyText"
import * as DateTime from "effect/DateTime"
import { commandTable } from "./table.ts"

const ok = "+OK\r\n"
const facts = (...values: ReadonlyArray<string>): ReadonlyArray<string> => {
  const items = ["state", "error", "start_time", "end_time"].flatMap((name, i) => [bulk(name), values[i]!]).join("")
  return [`*8\r\n${items}`, `%4\r\n${items}`]
}

commandTable("Backup", [
  ["gives up", Redis.backupAbort(), "BACKUP ABORT", ok, true],
  ["cleans up", Redis.backupCleanup(), "BACKUP CLEANUP", ok, true],
  ["lists files", Redis.backupList(), "BACKUP LIST", "*2\r\n$2\r\n/a\r\n$2\r\n/b\r\n", ["/a", "/b"]],
  ["seals", Redis.backupSeal(), "BACKUP SEAL", ok, true],
  ["begins", Redis.backupStart(), "BACKUP START", ok, true],
  [
    "tells how far it is",
    Redis.backupStatus(),
    "BACKUP STATUS",
    [
      ...facts(bulk("incrementing"), bulk(""), bulk("1717921800"), bulk("0")),
      ...facts(bulk("incrementing"), bulk(""), ":1717921800\r\n", ":0\r\n")
    ],
    {
      state: "incrementing",
      error: undefined,
      startTime: DateTime.makeUnsafe(1_717_921_800_000),
      endTime: undefined,
      extra: {}
    }
  ],
  [
    "tells why it failed",
    Redis.backupStatus(),
    "BACKUP STATUS",
    facts(bulk("failed"), bulk("aborted"), bulk("0"), bulk("0")),
    { state: "failed", error: "aborted", startTime: undefined, endTime: undefined, extra: {} }
  ]
])
