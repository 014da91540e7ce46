/**
 * Every live suite on a standalone server, over both versions of the protocol.
 */
import { afterAll, beforeAll, beforeEach, describe } from "@effect/vitest"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { exclusion } from "./harness/exclusions.ts"
import { AclTest } from "./suites/AclTest.ts"
import { BitmapsTest } from "./suites/BitmapsTest.ts"
import { ConnectionTest } from "./suites/ConnectionTest.ts"
import { FunctionsTest } from "./suites/FunctionsTest.ts"
import { GenericTest } from "./suites/GenericTest.ts"
import { GeoTest } from "./suites/GeoTest.ts"
import { HashesTest } from "./suites/HashesTest.ts"
import { HyperLogLogTest } from "./suites/HyperLogLogTest.ts"
import { KeyspaceTest } from "./suites/KeyspaceTest.ts"
import { ListsTest } from "./suites/ListsTest.ts"
import { PubSubCommandsTest } from "./suites/PubSubCommandsTest.ts"
import { PubSubTest } from "./suites/PubSubTest.ts"
import { ScanTest } from "./suites/ScanTest.ts"
import { ScriptingTest } from "./suites/ScriptingTest.ts"
import { ServerTest } from "./suites/ServerTest.ts"
import { SetsTest } from "./suites/SetsTest.ts"
import { SortedSetsTest } from "./suites/SortedSetsTest.ts"
import { StreamsTest } from "./suites/StreamsTest.ts"
import { StringsTest } from "./suites/StringsTest.ts"
import { VectorSetsTest } from "./suites/VectorSetsTest.ts"

/** A suite: tests that are registered for the client given. */
type Suite = (client: Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>) => void

const suites: ReadonlyArray<Suite> = [
  AclTest,
  BitmapsTest,
  ConnectionTest,
  FunctionsTest,
  GenericTest,
  GeoTest,
  HashesTest,
  HyperLogLogTest,
  KeyspaceTest,
  ListsTest,
  PubSubCommandsTest,
  PubSubTest,
  ScanTest,
  ScriptingTest,
  ServerTest,
  SetsTest,
  SortedSetsTest,
  StreamsTest,
  StringsTest,
  VectorSetsTest
]

for (const protocol of [2, 3] as const) {
  describe(`standalone, RESP${protocol}`, () => {
    // One server for all suites: each test has keys of its own.
    const scope = Scope.makeUnsafe()
    let server: RedisServer.RedisServer["Service"] | undefined
    beforeAll(async () => {
      server = await Effect.runPromise(Scope.provide(RedisServer.make(), scope))
    })
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    beforeEach((context) => {
      const reason = exclusion(context.task.name, { topology: "standalone", protocol })
      if (reason !== undefined) context.skip(reason)
    })

    const client = Layer.unwrap(Effect.sync(() => {
      // Suites build their Layer in hooks of their own, which run after the one above.
      const { host, port } = server!
      return NodeRedisClient.layer({ host, port, protocol })
    }))
    for (const suite of suites) suite(client)
  })
}
