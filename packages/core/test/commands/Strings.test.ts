import { Redis } from "@redfx/core"
import { commandTable } from "./table.ts"

commandTable("Strings", [
  ["STR-04: gets a value", Redis.get("k"), "GET k", "$1\r\nv\r\n", "v"],
  ["STR-04: a missing key is undefined", Redis.get("k"), "GET k", ["$-1\r\n", "_\r\n"], undefined],
  ["STR-14: sets with a time to live, cut to whole seconds", Redis.set("k", "v", { ex: "1900 millis" }), "SET k v EX 1", "+OK\r\n", true]
])
