/**
 * The live suites, which run on every deployment.
 */
import type { RedisClient, RedisError } from "@redfx/core"
import type * as Layer from "effect/Layer"
import { AclTest } from "./AclTest.ts"
import { BitmapsTest } from "./BitmapsTest.ts"
import { CircuitBreakerTest } from "./CircuitBreakerTest.ts"
import { ConnectionTest } from "./ConnectionTest.ts"
import { EffectRateLimiterTest } from "./EffectRateLimiterTest.ts"
import { FunctionsTest } from "./FunctionsTest.ts"
import { GenericTest } from "./GenericTest.ts"
import { GeoTest } from "./GeoTest.ts"
import { HashesTest } from "./HashesTest.ts"
import { HelpTest } from "./HelpTest.ts"
import { HyperLogLogTest } from "./HyperLogLogTest.ts"
import { JobsTest } from "./JobsTest.ts"
import { KeyspaceCacheTest } from "./KeyspaceCacheTest.ts"
import { KeyspaceCommandsTest } from "./KeyspaceCommandsTest.ts"
import { KeyspaceTest } from "./KeyspaceTest.ts"
import { KeyValueStoreTest } from "./KeyValueStoreTest.ts"
import { LeaderTest } from "./LeaderTest.ts"
import { ListsTest } from "./ListsTest.ts"
import { PersistedQueueTest } from "./PersistedQueueTest.ts"
import { PersistenceTest } from "./PersistenceTest.ts"
import { PubSubCommandsTest } from "./PubSubCommandsTest.ts"
import { PubSubTest } from "./PubSubTest.ts"
import { RateLimiterTest } from "./RateLimiterTest.ts"
import { RedisPyTest } from "./RedisPyTest.ts"
import { ScanTest } from "./ScanTest.ts"
import { ScriptingTest } from "./ScriptingTest.ts"
import { SemaphoreTest } from "./SemaphoreTest.ts"
import { ServerTest } from "./ServerTest.ts"
import { SetsTest } from "./SetsTest.ts"
import { SortedSetsTest } from "./SortedSetsTest.ts"
import { StreamsTest } from "./StreamsTest.ts"
import { StringsTest } from "./StringsTest.ts"
import { TypedMessagesTest } from "./TypedMessagesTest.ts"
import { VectorSetsTest } from "./VectorSetsTest.ts"

/** A suite: tests that are registered for the client given. */
type Suite = (client: Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>) => void

/** Every suite that runs on every deployment. */
export const suites: ReadonlyArray<Suite> = [
  AclTest,
  BitmapsTest,
  CircuitBreakerTest,
  ConnectionTest,
  EffectRateLimiterTest,
  FunctionsTest,
  GenericTest,
  GeoTest,
  HashesTest,
  HelpTest,
  HyperLogLogTest,
  JobsTest,
  KeyspaceCacheTest,
  KeyspaceCommandsTest,
  KeyspaceTest,
  KeyValueStoreTest,
  LeaderTest,
  ListsTest,
  PersistedQueueTest,
  PersistenceTest,
  PubSubCommandsTest,
  PubSubTest,
  RateLimiterTest,
  RedisPyTest,
  ScanTest,
  ScriptingTest,
  SemaphoreTest,
  ServerTest,
  SetsTest,
  SortedSetsTest,
  StreamsTest,
  StringsTest,
  TypedMessagesTest,
  VectorSetsTest
]
