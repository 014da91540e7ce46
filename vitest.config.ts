import { availableParallelism } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { defineConfig } from "vitest/config"
import { BaseSequencer } from "vitest/node"
import type { TestSpecification } from "vitest/node"

// Each process of tests loads the same modules: what was compiled once is read, a quarter of what loading takes.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/compiled")

const tests = ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"]

/**
 * Tests with a process of their own: they go for seconds by what it takes of memory or of a processor, hear what nobody catches
 * in it, or read the rows of all tables of commands, for which they mock what other tests import. All others share processes, as
 * to load what a file tests takes a second of a processor, which for most is longer than to run it.
 */
const alone = [
  "packages/cluster/test/keyless.test.ts",
  "packages/core/test/cache/{memory,parts}.test.ts",
  "packages/core/test/codec/RespDecoder.test.ts",
  "packages/core/test/command/Views.test.ts",
  "packages/core/test/connection/{hostileServer,suspension}.test.ts",
  "test/{asyncContext,chaos,conformance,memory,prefixConformance,soakAll,topologyLimits}.test.ts"
]

/** Tests of whole deployments take long for the size of their files, and would be left for the end. */
const deployments = join(import.meta.dirname, "test/")

/** Processes that are not shared come first, as one that is shared ends where another has to begin. Then large files come first. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId, project }: TestSpecification): number =>
      (project.name === "alone" ? 0 : 2) + (moduleId.startsWith(deployments) ? 0 : 1)
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "alone", include: alone } },
      { extends: true, test: { name: "shared", include: tests, exclude: alone, isolate: false } },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            include: tests.map((pattern) => pattern.replace(".test.ts", ".test-d.ts")),
            tsconfig: "tsconfig.types.json"
          }
        }
      }
    ],
    globalSetup: ["test/global-setup.ts"],
    setupFiles: (process.env["STEPS_A_TURN"] ?? process.env["SCHEDULE_SEED"]) === undefined ? [] : ["test/schedule.ts"],
    reporters: ["default", "./scripts/summary-reporter.ts"],
    pool: "forks",
    // Much of the time goes into waiting for servers.
    maxWorkers: availableParallelism() + 3,
    // What hangs is ended, and that is all: no test has these limits for what must have happened by a certain time. On a
    // machine that has thirty times the work that it can do, some that take two seconds take a minute, and some two minutes.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    dangerouslyIgnoreUnhandledErrors: false,
    // What @effect/vitest logs of a test that skipped itself because the server lacks a command.
    onConsoleLog: (log) => !log.includes("test is skipped; abort execution")
  }
})
