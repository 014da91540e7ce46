import { availableParallelism } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { defineConfig } from "vitest/config"
import { BaseSequencer } from "vitest/node"
import type { TestSpecification } from "vitest/node"

// Each file of tests has a process that loads the same modules: what was compiled once is read, a quarter of what loading takes.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/compiled")

const tests = ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"]

/**
 * Tests of functions and tables, which start no server and change nothing of their process. They share processes, as most of
 * what such a file takes, a second of a processor, is to load what it tests. The two that are left out mock what all others
 * import, and look at the memory of their process.
 */
const pure = "packages/core/test/{codec,command,commands,config,error,goldens}/**/!(Views|RespDecoder).test.ts"

/**
 * Tests that say by when something must have happened while servers are lost, hang or are slow. They run before all others, and
 * have more of the machine.
 */
const timed = [
  "test/{chaos,silence,soakAll}.test.ts",
  "packages/cluster/test/recovery.test.ts",
  "packages/core/test/stream/recovery.test.ts"
]

/** What runs for longer than a minute, and would be left for the end as its file is small. */
const long = /\/test\/(soakAll|chaos)\.test\.ts$/

/** Large files are begun first, but for those that are long. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification): boolean => long.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst, groupOrder: 1 },
    projects: [
      {
        extends: true,
        test: { name: "timed", include: timed, maxWorkers: availableParallelism() + 1, sequence: { groupOrder: 0 } }
      },
      {
        extends: true,
        // A process for each file: tests start servers, send signals and look at memory.
        test: { name: "alone", include: tests, exclude: [pure, ...timed] }
      },
      // They wait for nothing and end by themselves. Some try every cut of a reply, which takes a busy machine half a minute.
      { extends: true, test: { name: "shared", include: [pure], isolate: false, testTimeout: 300_000 } },
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
    setupFiles: process.env["STEPS_A_TURN"] === undefined ? [] : ["test/few-steps.ts"],
    reporters: ["default", "./scripts/summary-reporter.ts"],
    pool: "forks",
    // Most of the time goes into waiting for servers: two at a time kept two cores half busy, three let a quarter of them rest.
    maxWorkers: availableParallelism() + 2,
    // What hangs is ended, and that is all: no test has these limits for what must have happened by a certain time. On a
    // machine that has thirty times the work that it can do, some that take two seconds take a minute, and some two minutes.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    dangerouslyIgnoreUnhandledErrors: false,
    // What @effect/vitest logs of a test that skipped itself because the server lacks a command.
    onConsoleLog: (log) => !log.includes("test is skipped; abort execution")
  }
})
