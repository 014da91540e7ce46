import { NodeRedisClient } from "@redfx/node"
import { HashesTest } from "./suites/HashesTest.ts"
import { ListsTest } from "./suites/ListsTest.ts"
import { ConnectionTest } from "./suites/ConnectionTest.ts"
import { ServerTest } from "./suites/ServerTest.ts"
import { describe } from "vitest"
for (const protocol of [2, 3] as const) {
  if (process.env["PROTO"] && Number(process.env["PROTO"]) !== protocol) continue
  describe(`RESP${protocol}`, () => {
    const layer = NodeRedisClient.layer({ host: "127.0.0.1", port: Number(process.env["PORT"]), protocol })
    HashesTest(layer)
    ListsTest(layer)
    ConnectionTest(layer)
    ServerTest(layer)
  })
}
