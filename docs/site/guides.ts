/**
 * The guides of the site, in the order of its sidebar, and which of them belong to which module.
 */

import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The folder of the guides. */
export const docs = join(import.meta.dirname, "..")

/** Files of `docs/`, by group. */
export const groups: Readonly<Record<string, ReadonlyArray<string>>> = {
  "Start": ["getting-started", "recipes", "promises", "faq", "glossary"],
  "Coming from": ["from-ioredis", "from-node-redis", "from-redis-py", "from-effect-redis"],
  "Commands": ["transactions", "scripts", "modules", "commands", "cluster-commands", "own-commands", "parity"],
  "Building blocks": ["keyspaces", "caching", "pubsub", "streams", "jobs", "locks", "limits", "persistence", "prefix"],
  "Connecting": ["configuration", "options", "connections", "sentinel", "cluster", "security"],
  "In production": [
    "production",
    "deploying",
    "errors",
    "telemetry",
    "performance",
    "reliability",
    "reliability-tables",
    "stability"
  ],
  "Testing": ["testing-applications", "testing"],
  "Inside": ["way-of-a-command"]
}

const byModule: Readonly<Record<string, ReadonlyArray<string>>> = {
  "Running commands": ["transactions", "getting-started"],
  "Streams": ["streams"],
  "Publish and subscribe": ["pubsub"],
  "Scripts": ["scripts"],
  "Functions": ["scripts"],
  "Cluster": ["cluster"],
  "Sentinel": ["sentinel"],
  "Access control": ["security"],
  "RedisBloom": ["modules"],
  "RedisCache": ["caching"],
  "RedisClient": ["connections", "errors"],
  "RedisCluster": ["cluster", "cluster-commands"],
  "RedisCommand": ["own-commands", "way-of-a-command"],
  "RedisArg": ["own-commands"],
  "RedisReply": ["own-commands"],
  "RedisConfig": ["options", "configuration"],
  "RedisConnector": ["connections"],
  "RedisError": ["errors"],
  "RedisFakeNode": ["testing-applications"],
  "RedisJobs": ["jobs"],
  "RedisJson": ["modules"],
  "RedisKeyspace": ["keyspaces"],
  "RedisKeyspaceEvents": ["pubsub"],
  "RedisLeader": ["locks"],
  "RedisLock": ["locks"],
  "RedisPersistence": ["persistence"],
  "RedisPipeline": ["transactions"],
  "RedisPool": ["connections"],
  "RedisPromise": ["promises"],
  "RedisPubSub": ["pubsub"],
  "RedisRateLimiter": ["limits"],
  "RedisScript": ["scripts"],
  "RedisSearch": ["modules"],
  "RedisSemaphore": ["locks"],
  "RedisSentinel": ["sentinel"],
  "RedisServer": ["testing-applications"],
  "RedisStandalone": ["connections"],
  "RedisStream": ["streams"],
  "RedisTelemetry": ["telemetry"],
  "RedisTimeSeries": ["modules"],
  "RedisTransaction": ["transactions"],
  "RedisUrl": ["configuration"],
  "NodeRedisClient": ["configuration", "options"]
}

/** The guides that a page of the reference leads to. */
export const guidesOf = (name: string): ReadonlyArray<string> => byModule[name] ?? []

/** The first heading of a guide or decision. */
export const titleOfGuide = (name: string): string => {
  const [, title] = /^# (.*)$/m.exec(readFileSync(join(docs, `${name}.md`), "utf8")) ?? []
  if (title === undefined) throw new Error(`docs/${name}.md has no heading`)
  return title
}

/** The decisions, by their numbers. */
export const decisions: ReadonlyArray<string> = globSync("decisions/*.md", { cwd: docs })
  .map((file) => file.replace(/\.md$/, "")).sort()

const missing = globSync("*.md", { cwd: docs }).map((file) => file.replace(/\.md$/, ""))
  .filter((name) => name !== "index" && !Object.values(groups).flat().includes(name))
if (missing.length > 0) throw new Error(`docs/site/guides.ts has no place for ${missing.join(", ")}`)
