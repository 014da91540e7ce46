import { NodeRedisClient } from "@redfx/node"
import { HashesTest } from "./suites/HashesTest.ts"
HashesTest(NodeRedisClient.layer({ host: "127.0.0.1", port: Number(process.env["PORT"]), protocol: 3 }))
